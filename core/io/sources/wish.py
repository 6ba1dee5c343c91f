"""What of a dataset of the Hub is wanted, and the first look at it, read by a process of its own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, StudioError
from core.format import size
from core.io import files
from core.io.sources import parts, whole
from core.io.sources.parts import Part
from core.io.spawning import Spawned
from core.load.condition import Condition
from core.load.joining import joined
from core.load.repository import Table

if TYPE_CHECKING:
    import pandas as pd

LOOK = 100
"""Rows of the first look."""
SECONDS = 90
"""A first look that takes longer is given up."""


@dataclass(frozen=True)
class Wish:
    """What of a dataset of the Hub is wanted. Travels in request.json."""

    repo: str
    commit: str
    configs: tuple[str, ...]
    splits: tuple[str, ...]
    asked: str | None = None
    """The revision as it was asked for."""
    converted: bool = False
    rows: int | None = None
    """First kept rows of each part; None is all."""
    columns: tuple[str, ...] | None = None
    condition: Condition | None = None
    config_column: str | None = None
    """The added column that holds the configuration's name."""
    split_column: str | None = None

    def to_dict(self) -> dict[str, Any]:
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {**plain, "condition": self.condition.to_dict() if self.condition else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Wish:
        columns = data.get("columns")
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{
            **known, "configs": tuple(data["configs"]), "splits": tuple(data["splits"]),
            "columns": tuple(columns) if columns is not None else None, "condition": Condition.from_dict(data.get("condition")),
        })  # fmt: skip


def parts_of(wish: Wish, tables: Sequence[Table]) -> list[Part]:
    """One part for each table, in the order of the configurations as they were asked for."""
    order = {name: place for place, name in enumerate(wish.configs)}
    found = []
    for table in sorted(tables, key=lambda one: order[one.config]):
        marks = {name: value for name, value in ((wish.config_column, table.config), (wish.split_column, table.split)) if name}
        found.append(Part(wish.repo, wish.commit, table.config, table.split, table.files, wish.rows, wish.columns, wish.condition, marks))
    return found


def look(wish: Wish, table: Table, token: str | None) -> pd.DataFrame:
    """The first rows of a table, read under a memory limit in a process of its own. Raises StudioError with the cause."""
    part = replace(parts_of(replace(wish, rows=LOOK, condition=None, columns=None), [table])[0], files=table.files[:1])
    folder = files.folder("tmp") / f"look-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        if os.environ.get("FINETUNE_STUDIO_JOBS") == "inline":
            parts.read_part(part, folder / "0.parquet", token, lambda _: None)
        else:
            _alone(part, folder / "0.parquet", token)
        import pyarrow.parquet as pq

        found = [pq.read_table(path) for path in whole.files_of(folder / "0.parquet")]
        if not found:
            raise DataError(f"{part.files[0].path} holds no row. Choose another configuration.", title="The file is empty")
        return joined(found).to_pandas()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alone(part: Part, target: Path, token: str | None) -> None:
    pool = ProcessPoolExecutor(1, Spawned(), parts.ready, (os.getpid(),))
    try:
        pool.submit(parts.worker, part, target, token).result(timeout=SECONDS)
    except TimeoutError as error:
        (target.parent / "halt").touch()
        raise StudioError(f"Looking at {part.name} took longer than {SECONDS} s and was given up. Try again, or choose another one.",
                          title="The first look took too long") from error  # fmt: skip
    except BrokenProcessPool as error:
        raise broken(part.name) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def broken(name: str) -> StudioError:
    """What is said when a process that reads was ended by the system."""
    return StudioError(
        f"Reading {name} needed over {size(parts.MEMORY)} of memory, or broke the reader. Nothing was added. Read its first rows or "
        "fewer columns.",
        title="The dataset could not be read",
    )
