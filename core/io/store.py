"""Datasets and their versions on disk.

    workspace/datasets/<dataset>/dataset.json           label, when it came
    workspace/datasets/<dataset>/<version id>/           data.parquet, version.json, dropped.parquet, rejects.parquet, numbers.parquet

A version is written into a hidden folder beside its place and renamed as a whole; version.json, written last inside it,
makes it complete. Saving the same content twice gives the same version. Deleted datasets wait in workspace/bin.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, MissingError
from core.io import files
from core.kinds import kinds
from core.prompt import Prompt
from core.version import SCHEMA, SPLITS, Roles, Step, StepReport, Version, digest, version_id

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROW_GROUP = 20_000
"""Rows per Parquet row group: fixed, so that output does not depend on the number of workers."""


@dataclass(frozen=True)
class Dataset:
    id: str
    label: str
    versions: tuple[Version, ...] = ()
    """Newest first."""
    broken: str | None = None
    """Why it cannot be opened; None when it can."""


def datasets() -> list[Dataset]:
    """Every dataset, the most recently changed first. A damaged one is listed with the reason. No table is opened."""
    found = [_dataset(path) for path in files.folder("datasets").iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=lambda d: d.versions[0].created if d.versions else "", reverse=True)


def dataset(name: str) -> Dataset:
    """Raises MissingError when there is none of that name."""
    path = files.safe_join(files.folder("datasets"), name)
    if not path.is_dir():
        raise MissingError(f"There is no dataset '{name[:60]}' in this workspace. Choose one in the sidebar.", title="That dataset is gone")
    return _dataset(path)


def versions(name: str) -> list[Version]:
    """Newest first."""
    return list(dataset(name).versions)


def version(name: str, id: str) -> Version:
    """Raises MissingError when it was deleted or never was."""
    for one in dataset(name).versions:
        if one.id == id:
            return one
    raise MissingError(
        f"Version '{id[:20]}' of '{name[:60]}' is not in this workspace; it may have been deleted. Choose another one.",
        title="That version is gone",
    )


def find(id: str) -> Version | None:
    """The version of that id in any dataset."""
    return next((one for d in datasets() for one in d.versions if one.id == id), None)


def _dataset(path: Path) -> Dataset:
    try:
        label = files.read_json(path / "dataset.json")["label"]
        found = [_version(folder) for folder in path.iterdir() if (folder / "version.json").exists() and not folder.name.startswith(".")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Dataset(path.name, path.name, (), f"{type(error).__name__}: {error}")
    return Dataset(
        path.name, label, tuple(sorted(found, key=lambda v: v.number, reverse=True)), None if found else "it has no whole version"
    )


def _version(path: Path) -> Version:
    data = files.read_json(path / "version.json")
    if data.get("schema", 1) > SCHEMA:
        raise ValueError(f"written by a newer studio (schema {data['schema']}, this one knows {SCHEMA})")
    return Version.from_dict(data)


def folder(one: Version) -> Path:
    return files.home() / "datasets" / one.dataset / one.id


def data_path(one: Version) -> Path:
    """The Parquet file. Raises MissingError when it is gone."""
    path = folder(one) / "data.parquet"
    if not path.exists():
        raise MissingError(
            f"The table of {one.label} is not in this workspace; it may have been deleted. Choose another version.",
            title="That version is gone",
        )
    return path


def table(one: Version, columns: Sequence[str] | None = None) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(data_path(one), columns=list(columns) if columns is not None else None)


def frame(one: Version, columns: Sequence[str] | None = None, split: str | None = None) -> pd.DataFrame:
    """The rows in order, index 0..n-1; `split` keeps one of train, validation, test (and the index of the whole table)."""
    wanted = list(columns) if columns is not None else None
    marker = one.roles.split
    if split is not None and not marker:
        raise DataError(f"{one.label} is not split into train, validation and test. Split it on Curate.", title="Needs a split")
    if wanted is not None and split is not None and marker and marker not in wanted:
        wanted.append(marker)
    rows = table(one, wanted).to_pandas()
    if split is not None:
        rows = rows[rows[marker].astype("str") == split]
    return rows[list(columns)] if columns is not None else rows


def dropped(one: Version) -> pd.DataFrame:
    """Rows the steps dropped: row (0-based, of the parent), step, reason. Empty when none."""
    import pandas as pd

    path = folder(one) / "dropped.parquet"
    return pd.read_parquet(path) if path.exists() else pd.DataFrame({"row": [], "step": [], "reason": []})


def rejects(one: Version) -> Path | None:
    """The Parquet file of lines that could not be read when the dataset's first version came in; None when all could."""
    first = min(versions(one.dataset), key=lambda v: v.number)
    return next((path for v in (one, first) if (path := folder(v) / "rejects.parquet").exists()), None)


def save(
    label: str,
    rows: pd.DataFrame,
    *,
    title: str,
    parent: Version | None = None,
    steps: Sequence[Step] = (),
    seed: int = 0,
    roles: Roles | None = None,
    task: str | None = None,
    prompt: Prompt | None = None,
    report: Sequence[StepReport] = (),
    dropped: pd.DataFrame | None = None,
    rejects: pa.Table | None = None,
    source: Mapping[str, Any] | None = None,
    source_hash: str = "",
) -> Version:
    """Write a new version, whole or not at all, and return it; the same content again returns the version that is there.

    With a parent, the version joins the parent's dataset and `label` is not used. Raises DataError for a table without
    rows or columns. Roles that name absent columns are refused. `dropped` and `rejects` are kept beside the table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not len(rows.columns) or not len(rows):
        raise DataError(f"{len(rows)} rows and {len(rows.columns)} columns: a version needs at least one of each.", title="Nothing to save")
    roles = roles or Roles()
    data = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)

    def write(building: Path) -> None:
        pq.write_table(data, building / "data.parquet", compression="zstd", row_group_size=ROW_GROUP)
        if dropped is not None and len(dropped):
            dropped.to_parquet(building / "dropped.parquet", index=False)
        if rejects is not None and len(rejects):
            pq.write_table(rejects, building / "rejects.parquet", compression="zstd")

    made = Version("", "", 0, title, parent.id if parent else None, tuple(steps), seed, len(rows), kinds(rows), roles, task, prompt,
                   report=tuple(report), splits=_splits(rows, roles), source=dict(source or {}))  # fmt: skip
    return _keep(label, made, parent, source_hash, write)


def adopt(label: str, made: Version, beside: Mapping[str, Path], *, parent: Version | None = None, source_hash: str = "") -> Version:
    """A new version from finished files ("data.parquet" and its like), which are linked or copied, not loaded.

    `made` says title, rows, columns, roles and the rest; id, number, dataset and date are found here. As `save`, the same
    content again returns the version that is there, and two who save at once get one version.
    """

    def write(building: Path) -> None:
        for name, path in beside.items():
            try:
                os.link(path, building / name)
            except OSError:
                shutil.copyfile(path, building / name)
            with open(building / name, "rb") as handle:
                os.fsync(handle.fileno())

    return _keep(label, made, parent, source_hash, write)


def _keep(label: str, made: Version, parent: Version | None, source_hash: str, write: Callable[[Path], None]) -> Version:
    """Give a version its id and its place, unless it is there already."""
    roles = made.roles
    absent = [name for name in [*roles.inputs(), roles.target, roles.split, roles.parent_row] if name and name not in made.columns]
    if absent:
        raise DataError(f"These columns have a role and are not in the table: {', '.join(absent)}.", title="A column is missing")
    meaning = [roles.to_dict(), made.task, made.prompt.to_dict() if made.prompt else None]
    origin = source_hash or (digest(meaning) if parent and not made.steps else "")
    id = version_id(made.parent, made.steps, made.seed, digest([origin, meaning]) if parent is None else origin)
    made = replace(made, id=id, created=datetime.now(UTC).isoformat())
    with files.lock(files.folder("datasets") / ".lock"):
        place = files.folder("datasets") / (parent.dataset if parent else _place(label, id))
        if (place / id / "version.json").exists():
            return _version(place / id)
        return _write(place, label, replace(made, dataset=place.name), write)


def _place(label: str, id: str) -> str:
    """The folder for a dataset of that label: the one that has the label or this very version, else a new name."""
    root = files.folder("datasets")
    for path in root.iterdir():
        if (path / id / "version.json").exists() or (path.is_dir() and _label(path) == label.strip()):
            return path.name
    name = base = files.slug(label)
    number = 2
    while (root / name).exists():
        name, number = f"{base}-{number}", number + 1
    return name


def _label(path: Path) -> str | None:
    try:
        return files.read_json(path / "dataset.json")["label"]
    except (OSError, ValueError, KeyError):
        return None


def _write(place: Path, label: str, made: Version, write: Callable[[Path], None]) -> Version:
    fresh = not place.exists()
    numbers = [one.number for one in _dataset(place).versions] if not fresh else []
    made = replace(made, number=max(numbers, default=0) + 1)
    building = place.parent / f".{made.id}.{os.getpid()}.{secrets.token_hex(4)}"
    with files.disk_errors(place):
        try:
            building.mkdir()
            write(building)
            made = replace(made, files={path.name: _sha256(path) for path in sorted(building.iterdir())})
            files.write_json(building / "version.json", made.to_dict())
            for path in building.glob("*.parquet"):
                path.chmod(0o444)
            place.mkdir(exist_ok=True)
            if not (place / "dataset.json").exists():
                files.write_json(place / "dataset.json", {"label": label.strip() or place.name, "created": made.created})
            os.rename(building, place / made.id)
            files.sync_folder(place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            if fresh and place.exists() and not (place / made.id).exists():
                shutil.rmtree(place, ignore_errors=True)
    return made


def assign(one: Version, roles: Roles, task: str | None, prompt: Prompt | None) -> Version:
    """The same rows with other roles, task or prompt, as a new version."""
    if (roles, task, prompt) == (one.roles, one.task, one.prompt):
        return one
    splits = one.splits if roles.split == one.roles.split else _splits(frame(one, [roles.split]), roles) if roles.split else {}
    made = replace(one, title="Roles", parent=one.id, steps=(), seed=0, report=(), roles=roles, task=task, prompt=prompt, splits=splits)
    return adopt("", made, {"data.parquet": data_path(one)}, parent=one)


def check(one: Version) -> None:
    """Raises DataError when a stored file is not what was written (flipped bytes, half a copy)."""
    for name, sha in one.files.items():
        path = folder(one) / name
        if not path.exists() or _sha256(path) != sha:
            raise DataError(
                f"{name} of {one.dataset} version {one.number} is not what was saved. Import it again or restore a copy.",
                title="A stored file is damaged",
            )


def _splits(rows: pd.DataFrame, roles: Roles) -> dict[str, int]:
    if not roles.split:
        return {}
    counts = rows[roles.split].astype("str").value_counts().to_dict()
    return {name: int(counts[name]) for name in SPLITS if name in counts}


def _sha256(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
