"""Does what was written help? The same model is trained with and without the accepted rows and asked the same test rows.

By default a cheap classical one. Numbers and labels: words weighted by rarity and a linear model; questions and replies: the answer of
the nearest train question. On request the embedded model, fine-tuned twice with equal update steps (`effect_lora`). The finding is
about that model only: a larger one may gain more, or nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.augment.limits import Limits
from core.augment.presets import AugmentSettings
from core.errors import DataError
from core.evaluate.answers import Answers, make_answers
from core.evaluate.intervals import Measured, measure
from core.evaluate.metrics import metric
from core.evaluate.paired import Difference, difference
from core.evaluate.power import more_rows
from core.format import count, interval, p_value, signed, unit_of
from core.format import metric as shown
from core.io import store
from core.io.children import children, synthetic
from core.prediction import Examples, Prediction, Predictor, examples
from core.task import task
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effect:
    """Headline metric without and with the new rows on the same n test rows."""

    metric: str
    title: str
    unit: str
    lower_is_better: bool
    predictor: str
    without: Measured
    with_them: Measured
    difference: Difference
    """with - without"""
    train_rows: int
    new_rows: int
    seconds: float
    more: int | None
    """About how many more test rows would tell, when this many do not."""
    steps: int = 0
    """Update steps of each of the two trainings; 0 for a classical model, which has none."""

    @property
    def word(self) -> str:
        """better | worse | not distinguishable"""
        if self.difference.p >= 0.05 or not self.difference.value:
            return "not distinguishable"
        return "better" if (self.difference.value < 0) == self.lower_is_better else "worse"

    @property
    def sentence(self) -> str:
        """The finding in one or two sentences."""
        gap = self.difference
        if self.unit == "share":
            size = f"{signed(f'{100 * gap.value:.1f}')} points [{signed(f'{100 * gap.low:.1f}')}, {signed(f'{100 * gap.high:.1f}')}]"
        else:
            size = f"{shown(self.unit, gap.value)} {interval(gap.low, gap.high, self.unit, prose=True)}"
        values = f"{shown(self.unit, self.with_them.value)} with, {shown(self.unit, self.without.value)} without"
        tell = f" About {count(self.more)} more test rows would tell." if self.more else ""
        steps = f", {count(self.steps)} update steps each" if self.steps else ""
        head = {"better": "Better with them", "worse": "Worse with them"}.get(self.word, "Not distinguishable")
        return f"{head}. {self.title}: {values}; difference {size}, {p_value(gap.p)}, n = {count(gap.n)}{steps}.{tell}"


@dataclass(frozen=True)
class Sides:
    """What is compared: the same version's train rows without and with the new ones, and its test rows."""

    version: Version
    without: Examples
    with_them: Examples
    test: Examples
    groups: np.ndarray | None
    """Numbers of groups of test rows that belong together, in their order."""
    unit: str
    """Of the target, where the metric is in it."""


def measure_effect(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, *, seed: int = 0, say: Say | None = None,
                   limits: Limits | None = None) -> Effect:  # fmt: skip
    """Of variants that are not saved yet. Raises DataError without test rows, a target or accepted rows."""
    return classical(sides_of(version, accepted, settings, limits=limits), seed=seed, say=say)


def saved_effect(version: Version, *, seed: int = 0, say: Say | None = None) -> Effect:
    """Of the children a version already holds: its train rows without and with them."""
    return classical(saved_sides(version), seed=seed, say=say)


def sides_of(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, *, limits: Limits | None = None) -> Sides:
    """With these variants, which are not saved; `limits` where the gates were moved. Raises DataError without test rows, a target or
    accepted rows."""
    if not len(accepted):
        raise DataError("No variant is kept yet, so there is nothing to measure.", title="Nothing to measure")
    rows = store.frame(version)
    made = children(version, accepted, settings, limits=limits).rows
    train = _part(version, rows, "train")
    return _sides(version, rows, train, pd.DataFrame(pd.concat([train, made.reindex(columns=train.columns)], ignore_index=True)))


def saved_sides(version: Version) -> Sides:
    """With the rows a version holds that were written. Raises DataError when it holds none."""
    rows = store.frame(version)
    written = synthetic(version, rows)
    if not written.any():
        raise DataError("This version holds no written rows.", title="Nothing to measure")
    train = _part(version, rows, "train")
    return _sides(version, rows, train.take(np.flatnonzero(~written[train.index.to_numpy()])), train)


def _part(version: Version, rows: pd.DataFrame, part: str) -> pd.DataFrame:
    if not version.roles.target or not version.task:
        raise DataError("Choose on Explore what should be predicted, then the effect can be measured.", title="No target")
    if not version.roles.split or not version.splits.get("test"):
        raise DataError("The effect is measured on rows kept aside. Split this version on Curate.", title="Needs a test split")
    return rows.take([place for place, name in enumerate(rows[version.roles.split].tolist()) if str(name) == part])


def _sides(version: Version, rows: pd.DataFrame, fewer: pd.DataFrame, whole: pd.DataFrame) -> Sides:
    kind, roles, test = version.task or "chat", version.roles, _part(version, rows, "test")
    plain = examples(fewer.reset_index(drop=True), roles, kind)
    more = examples(whole.reset_index(drop=True), roles, kind, plain.labels)
    asked = examples(test.reset_index(drop=True), roles, kind, plain.labels)
    groups = pd.factorize(test[roles.group].astype("str"))[0] if roles.group else None
    return Sides(version, plain, more, asked, groups, unit_of(roles.target, rows[roles.target].head(50).tolist()))


def classical(sides: Sides, *, seed: int = 0, say: Say | None = None) -> Effect:
    """Of the cheap model of the task, on all test rows."""
    say, start, kind = say or (lambda message: None), time.perf_counter(), sides.version.task or "chat"
    said = {}
    for name, train in (("without", sides.without), ("with", sides.with_them)):
        say(f"Training {name} the new rows")
        said[name] = _predictor(kind, seed)[1].fit(train).predict(sides.test.without_targets())
    say("Comparing on the same test rows")
    return _compared(sides, said, range(len(sides.test)), _predictor(kind, seed)[0], seed, start)


def fine_tuned(sides: Sides, request: Mapping[str, Any], desk: Desk, *, seed: int = 0) -> Effect:
    """Of the embedded model, trained twice with equal update steps. `request` as `effect_lora.answered_by_both` takes it."""
    from core.io.effect_lora import answered_by_both

    start = time.perf_counter()
    both = {"without": sides.without, "with": sides.with_them}
    said, places, steps = answered_by_both(sides.version, both, sides.test, request, desk)
    found = _compared(sides, said, places, "the built-in model, fine-tuned", seed, start)
    return replace(found, steps=steps)


def _compared(sides: Sides, said: Mapping[str, Sequence[Prediction]], places: Sequence[int], title: str, seed: int, start: float) -> Effect:
    """`places` are the test rows that were asked, in the order of the predictions."""
    one = metric(task(sides.version.task or "chat").headline)
    asked = sides.test.take(list(places))
    answers = {name: _answers(given, asked, sides.without) for name, given in said.items()}
    groups = None if sides.groups is None else pd.factorize(sides.groups[list(places)])[0]
    gap = difference(one.name, answers["with"], answers["without"], seed=seed, groups=groups)
    a, b = (measure(answers[name], [one.name], seed=seed, groups=groups)[one.name] for name in ("without", "with"))
    unit = one.unit if one.unit != "target" else sides.unit
    fewer = len(sides.without)
    return Effect(one.name, one.title, unit, one.lower_is_better, title, a, b, gap, fewer, len(sides.with_them) - fewer,
                  time.perf_counter() - start, more_rows(gap) if gap.p >= 0.05 else None)  # fmt: skip


def run_effect(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job. `request`: dataset, version, `batch` unless the version holds the rows already, and `lora` ({settings, limit}, may be
    empty) for the embedded model instead of a classical one. Returns the effect as JSON values."""
    from core.io import batches

    version = store.version(request["dataset"], request["version"])
    told = [0]

    def say(message: str) -> None:
        desk.say(told[0], 3, message)
        told[0] += 1

    if request.get("batch"):
        one = batches.batch(version, request["batch"])
        sides = sides_of(version, batches.accepted(version, one), one.settings, limits=batches.limits(one))
    else:
        sides = saved_sides(version)
    if request.get("lora") is not None:
        return to_json(fine_tuned(sides, request["lora"], desk))
    return to_json(classical(sides, say=say))


def to_json(effect: Effect) -> dict[str, Any]:
    """Undefined numbers become null."""
    return _plain(asdict(effect))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


def from_json(data: Mapping[str, Any]) -> Effect:
    """What `to_json` wrote; null is NaN again."""
    parts = {name: {key: math.nan if value is None else value for key, value in data[name].items()} for name in _PARTS}
    return Effect(**{**data, **{name: kind(**parts[name]) for name, kind in _PARTS.items()}})


_PARTS = {"without": Measured, "with_them": Measured, "difference": Difference}


def _predictor(kind: str, seed: int) -> tuple[str, Predictor]:
    from core.predict.linear import TfidfLinear
    from core.predict.neighbours import Neighbours

    if kind in ("qa", "chat"):
        return "nearest train question", Neighbours()
    return "word weights and a linear model", TfidfLinear(seed=seed)


def _answers(said: Sequence[Prediction], test: Examples, real: Examples) -> Answers:
    """Answers are clipped to the range of the real train rows' targets; what could not be read counts as wrong."""
    targets = [float(value) for value in real.targets or ()] if test.task == "regression" else []
    guess = [one.value if one.status == "ok" else None for one in said]
    span = (min(targets), max(targets)) if targets else None
    return make_answers(test.task, list(test.targets or ()), guess, labels=real.labels, target_range=span)
