"""Learning curves of classical predictors: trained on nested parts of the train rows, asked the same test rows each time.

Kept as workspace/curves/<id>.json; the id says predictor, settings, version and how it was drawn. Every measured point is
journalled, so that a stopped run goes on where it was. Numbers are clipped to the range of all train rows at every size, as on
the leaderboard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import SettingsError
from core.evaluate.answers import make_answers
from core.evaluate.curve import SEEDS, Curve, curve, nested, sizes_of
from core.evaluate.metrics import metric, value_of
from core.io import files, store
from core.io.testing import declared_labels, measure, target_range, test_rows, train_rows
from core.predict.registry import entry, make
from core.task import task
from core.version import Version, digest

if TYPE_CHECKING:
    from core.io.work import Desk

POINTS = 5


def run_curve(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "curve": {dataset, version, name, settings, points, seeds} -> {"curve": id}.

    Raises SettingsError for a predictor that asks a language model, or with too few train rows.
    """
    name, settings = request["name"], dict(request.get("settings") or {})
    kind = entry(name)
    if "complete" in kind.needs:
        raise SettingsError(
            f"{kind.title} learns nothing from more rows without being trained; a learning curve is for predictors that are.",
            title="No learning curve",
        )
    points, seeds = int(request.get("points") or POINTS), int(request.get("seeds") or SEEDS)
    version = store.version(request["dataset"], request["version"])
    desk.say(0, 1, "Reading the rows")
    train, test = train_rows(version), test_rows(version)
    sizes, strata = sizes_of(len(train), points), train.targets if version.task == "classification" else None
    encode = None
    if "encode" in kind.needs:
        from core.io.encoder import encoder

        encode = encoder(lambda done, total, message: desk.say(0, 1, message))
    labels, ends, headline = declared_labels(train, test), target_range(train), task(version.task or "chat").headline
    known = {(line["seed"], line["size"]): line["value"] for line in files.read_lines(desk.journal("points"))}
    done, total = 0, len(sizes) * seeds
    for seed in range(seeds):
        for size, places in zip(sizes, nested(len(train), sizes, seed, strata), strict=True):
            desk.say(done, total, f"{kind.title}: {size:,} rows, seed {seed + 1} of {seeds}")
            done += 1
            if (seed, size) in known:
                continue
            part = replace(train.take(places.tolist()), labels=train.labels)
            found = measure(make(name, settings, seed=seed, encode=encode), part, test)
            guesses = [one.value for one in found.predictions]
            answers = make_answers(train.task, test.targets or (), guesses, labels=labels, target_range=ends)
            value = value_of(headline, answers)
            known[seed, size] = value if math.isfinite(value) else None
            files.append_line(desk.journal("points"), {"seed": seed, "size": size, "value": known[seed, size]})
    id = curve_id(version, name, settings)
    values = [[known[seed, size] for size in sizes] for seed in range(seeds)]
    kept = {"predictor": name, "title": kind.title, "metric": headline, "sizes": sizes, "values": values, "test_rows": len(test)}
    files.write_json(files.folder("curves") / f"{id}.json", {**kept, "dataset": version.dataset, "version": version.id})
    return {"curve": id}


def curve_id(version: Version, name: str, settings: Mapping[str, Any] | None = None) -> str:
    return digest({"dataset": version.dataset, "version": version.id, "predictor": name, "settings": dict(settings or {})})[:16]


def load(version: Version, name: str, settings: Mapping[str, Any] | None = None) -> tuple[Curve, dict[str, Any]] | None:
    """The curve of a predictor on a version and what is known about it (metric, title, test_rows); None when it was not measured."""
    path = files.folder("curves") / f"{curve_id(version, name, settings)}.json"
    if not path.exists():
        return None
    kept = files.read_json(path)
    one = metric(kept["metric"])
    values = np.array([[math.nan if value is None else value for value in row] for row in kept["values"]], dtype=float)
    return curve(kept["sizes"], values, lower_is_better=one.lower_is_better, best=0.0 if one.lower_is_better else 1.0), kept
