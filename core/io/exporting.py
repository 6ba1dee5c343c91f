"""A version's rows as files: each part in every format that is asked for, written whole, one after the other.

    <folder>/train.parquet  validation.parquet  test.parquet     and so on for jsonl, csv, pickle and chat
    <folder>/<dataset>-<number>.xlsx                             one sheet a part
    <folder>/dataset/                                            a DatasetDict, as `datasets.load_from_disk` reads it

In every format `text` is the whole prompt: with its answer in train, up to the answer's prefix elsewhere.
"""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.export import csv_bytes, jsonl_bytes, parquet_bytes
from core.export_table import chats, exported, parts_of, renders
from core.export_xlsx import xlsx_bytes
from core.format import plural
from core.io import files, hub, store
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

    from core.io.work import Desk

FORMATS: dict[str, str] = {
    "dataset": "Hugging Face dataset: a folder that load_from_disk reads",
    "parquet": "Parquet: exact types, small, for Python and databases",
    "jsonl": "JSON lines: one object a row",
    "csv": "CSV: opens in spreadsheets; formulas are defused",
    "xlsx": "Excel: one sheet a part, up to 32,767 characters a cell",
    "chat": "Chat training files: one conversation a row, without the test rows",
    "pickle": "Pickle: rows as Python objects, with the warning below",
}
"""Format -> what it is for, in the order they are offered."""
PICKLE_WARNING = "Whoever opens a pickle runs the code in it. Open only pickles of your own; the studio writes them and never reads one."


def tables(version: Version) -> dict[str, pd.DataFrame]:
    """Part -> its rows as they are handed out."""
    split = bool(version.roles.split)
    return {part: exported(store.frame(version, split=part if split else None), version, part) for part in parts_of(version)}


def write(
    version: Version, folder: Path, formats: Sequence[str], progress: Callable[[int, int, str], None] = lambda done, total, message: None
) -> list[Path]:
    """The version in these formats; returns every file (a saved dataset as its folder), in the order of writing.

    Raises SettingsError for an unknown format or when none is asked for, DataError for what a format cannot hold. A format that fails
    leaves the files of those before it.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise SettingsError(f"There is no format '{unknown[0]}'. There are {', '.join(FORMATS)}.", title="Unknown format")
    if not formats:
        raise SettingsError(f"No format is chosen. There are {', '.join(FORMATS)}.", title="Nothing to write")
    folder.mkdir(parents=True, exist_ok=True)
    made, found = tables(version), []
    for number, name in enumerate(formats):
        progress(number, len(formats), f"Writing {FORMATS[name].split(':')[0]}")
        with files.disk_errors(folder / name):
            found += _WRITERS[name](version, made, folder)
    progress(len(formats), len(formats), f"Wrote {plural(len(found), 'file')}")
    return found


def _each(ending: str, make: Callable[[pd.DataFrame], bytes]) -> Callable[[Version, Mapping[str, pd.DataFrame], Path], list[Path]]:
    """A format with one file a part."""

    def run(version: Version, made: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
        return [_put(folder / f"{part}.{ending}", make(rows)) for part, rows in made.items()]

    return run


def _put(path: Path, data: bytes) -> Path:
    files.atomic_write(path, data)
    return path


def _xlsx(version: Version, made: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    return [_put(folder / f"{version.dataset}-{version.number}.xlsx", xlsx_bytes(made))]


def _dataset(version: Version, made: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """The folder is complete or not there: it is written beside its place and moved."""
    place, building = folder / "dataset", folder / ".dataset"
    shutil.rmtree(building, ignore_errors=True)
    hub.save_dataset(version, building, made)
    shutil.rmtree(place, ignore_errors=True)
    building.rename(place)
    return [place]


def _chat(version: Version, made: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    if not renders(version):
        raise SettingsError(
            "Chat training files need a prompt and a target. Add a Prompts step, or choose what to predict on Explore.",
            title="No prompt to write",
        )
    split = bool(version.roles.split)
    taught = {part: store.frame(version, split=part if split else None) for part in made if part != "test"}
    return [_put(folder / f"{part}_chat.jsonl", jsonl_bytes(chats(rows, version))) for part, rows in taught.items()]


_WRITERS: dict[str, Callable[[Version, Mapping[str, pd.DataFrame], Path], list[Path]]] = {
    "dataset": _dataset,
    "parquet": _each("parquet", parquet_bytes),
    "jsonl": _each("jsonl", lambda rows: jsonl_bytes(rows.to_dict("records"))),  # type: ignore[arg-type]
    "csv": _each("csv", csv_bytes),
    "xlsx": _xlsx,
    "chat": _chat,
    "pickle": _each("pkl", lambda rows: pickle.dumps(rows.to_dict("records"), protocol=4)),
}


def zipped(folder: Path) -> bytes:
    """A folder as one zip to download, names relative to it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent).as_posix())
    return buffer.getvalue()


def place(version: Version) -> Path:
    """Where the workspace keeps the files of a version."""
    return files.folder("exports") / f"{version.dataset}-{version.number}"


def run_export(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "export": {dataset, version, formats} -> {folder, files, bytes}."""
    version = store.version(request["dataset"], request["version"])
    folder = place(version)
    made = write(version, folder, request["formats"], desk.say)
    inside = [one for path in made for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file()]
    return {"folder": str(folder), "files": [str(path) for path in made], "bytes": sum(path.stat().st_size for path in inside)}
