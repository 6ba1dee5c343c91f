"""A version as a Hugging Face dataset: one split per part, `text` with the answer in train only."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.export_table import exported, parts_of
from core.io import store
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd
    from datasets import DatasetDict


def dataset_dict(version: Version, tables: Mapping[str, pd.DataFrame] | None = None) -> DatasetDict:
    """train, validation and test as `datasets.Dataset`s; a version without a split is all train.

    `tables` are the rows of each part when they are made already. Nothing is cached outside memory.
    """
    import pyarrow as pa
    from datasets import Dataset, DatasetDict

    split = bool(version.roles.split)
    made = tables or {part: exported(store.frame(version, split=part if split else None), version, part) for part in parts_of(version)}
    return DatasetDict({part: Dataset(pa.Table.from_pandas(rows, preserve_index=False)) for part, rows in made.items()})


def save_dataset(version: Version, folder: Path, tables: Mapping[str, pd.DataFrame] | None = None) -> Path:
    """Write the version as `datasets.load_from_disk` reads it; returns the folder."""
    from datasets import disable_progress_bars

    disable_progress_bars()
    dataset_dict(version, tables).save_to_disk(str(folder))
    return folder


def dataset_zip(version: Version) -> bytes:
    """The folder of `save_dataset` as a zip to download."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        root = save_dataset(version, Path(place) / f"{version.dataset}-{version.number}")
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(place).as_posix())
    return buffer.getvalue()
