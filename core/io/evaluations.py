"""Evaluations on disk: workspace/evaluations/<id>/{answers.parquet, evaluation.json}, written whole, the JSON last."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import MissingError
from core.evaluation import Evaluation
from core.io import files

if TYPE_CHECKING:
    import pandas as pd

    from core.predict.prompted import Shown


def save(evaluation: Evaluation, shown: pd.DataFrame | None = None) -> Evaluation:
    """Replaces the evaluation of the same id. `shown` is what stood before each question (`core.io.prompting.shown_frame`)."""
    root = files.folder("evaluations")
    building = root / f".{evaluation.id}.{os.getpid()}.{secrets.token_hex(4)}"
    with files.disk_errors(root / evaluation.id):
        try:
            building.mkdir()
            evaluation.answers.to_parquet(building / "answers.parquet", index=False)
            if shown is not None:
                shown.to_parquet(building / "shown.parquet", index=False)
            files.write_json(building / "evaluation.json", evaluation.meta())
            with files.lock(root / ".lock"):
                delete(evaluation.id)
                os.rename(building, root / evaluation.id)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return evaluation


def load(id: str) -> Evaluation:
    """Raises MissingError when it is gone."""
    path = files.safe_join(files.folder("evaluations"), id)
    if not (path / "evaluation.json").exists():
        raise MissingError(
            f"Evaluation '{id[:40]}' is not in this workspace. Run it again on Baselines or Fine-tune.", title="Evaluation gone"
        )
    return _read(path)


def shown(id: str, place: int) -> list[Shown]:
    """What stood before the question of a test row, as the model read it; nothing where nothing did or it was not kept."""
    import pyarrow.parquet as pq

    from core.predict.prompted import Shown

    path = files.safe_join(files.folder("evaluations"), id) / "shown.parquet"
    if not path.exists():
        return []
    cells = pq.read_table(path, filters=[("index", "==", place)]).column("shown").to_pylist()
    return [Shown(**one) for one in json.loads(cells[0])] if cells else []


def of(dataset: str | None = None, version: str | None = None) -> list[Evaluation]:
    """All evaluations, or those of a dataset or version; the oldest first."""
    found = []
    for path in files.folder("evaluations").iterdir():
        if path.name.startswith(".") or not (path / "evaluation.json").exists():
            continue
        meta = files.read_json(path / "evaluation.json")
        if (dataset is None or meta["dataset"] == dataset) and (version is None or meta["version"] == version):
            found.append(_read(path))
    return sorted(found, key=lambda one: (one.created, one.title))


def stamp(dataset: str) -> tuple[tuple[str, float], ...]:
    """What changes when an evaluation of the dataset is added or replaced: a cache key that opens no table."""
    root = files.folder("evaluations")
    return tuple(sorted((p.parent.name, p.stat().st_mtime) for p in root.glob("*/evaluation.json")))


def delete(id: str) -> None:
    shutil.rmtree(files.safe_join(files.folder("evaluations"), id), ignore_errors=True)


def _read(path: Path) -> Evaluation:
    import pandas as pd

    return Evaluation.from_meta(files.read_json(path / "evaluation.json"), pd.read_parquet(path / "answers.parquet"))
