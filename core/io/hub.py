"""A version as a Hugging Face dataset: one split per part, columns and order as stored."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.io import store
from core.version import SPLITS, Version

if TYPE_CHECKING:
    from datasets import DatasetDict


def dataset_dict(version: Version) -> DatasetDict:
    """train, validation and test as `datasets.Dataset`s; a version without a split is all train.

    Read from the version's Parquet through Arrow, so types stay as stored; nothing is cached outside memory.
    """
    from datasets import Dataset, DatasetDict

    table = store.table(version)
    marker = version.roles.split
    if not marker:
        return DatasetDict({"train": Dataset(table)})
    named = table[marker].cast("string").to_numpy(zero_copy_only=False)
    parts = {name: table.filter(named == name) for name in SPLITS if version.splits.get(name)}
    return DatasetDict({name: Dataset(part.combine_chunks()) for name, part in parts.items()})


def save_dataset(version: Version, folder: Path) -> Path:
    """Write the version as `datasets.load_from_disk` reads it; returns the folder."""
    from datasets import disable_progress_bars

    disable_progress_bars()
    dataset_dict(version).save_to_disk(str(folder))
    return folder


def dataset_zip(version: Version) -> bytes:
    """The folder of `save_dataset` as a zip to download."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        root = save_dataset(version, Path(place) / f"{version.dataset}-{version.number}")
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(place).as_posix())
    return buffer.getvalue()
