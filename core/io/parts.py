"""What a path of this machine leads to: one file, a folder of files of one kind, or a saved dataset; and its bytes, unpacked.

    reviews.csv.gz          one part
    shards/*.parquet        one part a file, told apart by a column `file`
    dataset_dict.json ...   a saved `datasets` folder: one part an Arrow file, told apart by a column `split`

A folder has to hold one kind of table only; hidden files and files that describe it are passed over.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from core.errors import DataError
from core.format import plural, size
from core.io import files
from core.load.formats import ENDINGS, PICKLES, ending, inside, kind_of, pickled
from core.load.unpack import FREE, RATIO, tables_in

STREAMED = ("csv", "jsonl", "parquet", "arrow")
"""Formats that are read piece by piece; the others are read whole."""
LARGE = 50 << 20
"""Bytes of a file from which on it is read piece by piece."""
UNPACKED = 8 << 30
"""Unpacked bytes of an archive that are never questioned here; above, at most RATIO for one packed byte."""
_BESIDE = (".json", ".md", ".txt", ".lock", ".crc", ".yaml", ".yml")
_PACKED = ("gz", "zip")


@dataclass(frozen=True)
class Part:
    """One file with rows."""

    path: Path
    name: str
    """As messages call it."""
    kind: str
    """A format of FORMATS, of the unpacked content."""
    member: str | None = None
    """The table inside a zip."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Column -> its value in every row of this part."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column of class numbers -> the classes' names."""


@dataclass(frozen=True)
class Place:
    """Everything that becomes one table."""

    name: str
    parts: tuple[Part, ...]
    size: int
    """Bytes on disk."""
    folder: bool = False
    root: Path = Path()
    """The folder; of a file, where it stands."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def streamed(self) -> bool:
        """Whether it goes to disk piece by piece in a job, and not through the memory."""
        return self.folder or (self.size > LARGE and self.parts[0].kind in STREAMED)

    @property
    def stamp(self) -> str:
        """Tells whether the files were changed since; cheap, for keys of widgets."""
        return " ".join(f"{one.path} {one.path.stat().st_size} {one.path.stat().st_mtime_ns}" for one in self.parts[:200])


def locate(path: str, member: str | None = None) -> Place:
    """What stands at a path. Raises DataError when nothing does, for pickles, and for a folder of several kinds."""
    place = Path(path.strip().strip('"').strip("'")).expanduser()
    try:
        if place.is_dir():
            return _dataset(place) or _folder(place)
        if not place.is_file():
            raise DataError(f"{place} is not there. Give the whole path of a file or a folder.", title="No such file")
        return _file(place, member)
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error.strerror}.", title="The file cannot be opened") from error


def _file(path: Path, member: str | None) -> Place:
    last = ending(path.name)
    if last in PICKLES:
        raise pickled(path.name)
    if last != "zip":
        with unpacked(Part(path, path.name, "")) as (stream, _):
            kind = kind_of(inside(path.name), stream.read(4000))
        return Place(path.name, (Part(path, path.name, kind),), path.stat().st_size)
    names = tables_in(path.name, path)
    if member is not None and member not in names:
        raise DataError(f"{path.name} holds no '{member}'. It holds {', '.join(names[:10])}.", title="Not in the archive")
    chosen = member or names[0]
    with unpacked(Part(path, path.name, "", chosen)) as (stream, _):
        kind = kind_of(inside(chosen), stream.read(4000))
    choices = {"member": tuple(names)} if len(names) > 1 else {}
    return Place(path.name, (Part(path, chosen, kind, chosen),), path.stat().st_size, choices=choices)


def _folder(path: Path) -> Place:
    found = [
        one for one in sorted(path.rglob("*")) if one.is_file() and not any(p.startswith((".", "_")) for p in one.relative_to(path).parts)
    ]
    tables = [one for one in found if _table_ending(one.name)]
    kinds = {str(_table_ending(one.name)) for one in tables}
    if len(kinds) > 1:  # a README.txt or a config.json beside the tables describes them
        tables = [one for one in tables if not one.name.casefold().endswith(_BESIDE)] or tables
        kinds = {str(_table_ending(one.name)) for one in tables}
    if not tables:
        raise DataError(f"{path} holds no table. A folder needs files of one kind, such as CSV or Parquet.", title="No table in the folder")
    if len(kinds) > 1:
        raise DataError(
            f"{path} holds several kinds of tables: {', '.join(sorted(kinds))}. Give the path of one file, or of a folder with one kind.",
            title="Several kinds of files",
        )
    parts = []
    for one in tables:
        name = one.relative_to(path).as_posix()
        inner = _file(one, None).parts[0]
        parts.append(Part(one, name, inner.kind, inner.member, {"file": name} if len(tables) > 1 else {}))
    note = f"{plural(len(parts), 'file')} of one kind; the column file says which one a row is from." if len(parts) > 1 else ""
    return Place(path.name, tuple(parts), sum(one.path.stat().st_size for one in parts), True, path, notes=(note,) if note else ())


def _table_ending(name: str) -> str | None:
    """The kind of table an ending promises, through .gz; None for other files."""
    return ENDINGS.get(ending(inside(name)))


def _dataset(path: Path) -> Place | None:
    """A folder that `datasets` saved: one dataset, or one for each split."""
    if (path / "dataset_dict.json").exists():
        splits = files.read_json(path / "dataset_dict.json")["splits"]
    elif (path / "state.json").exists():
        splits = [""]
    else:
        return None
    parts = []
    try:
        for split in splits:
            folder = files.safe_join(path, split) if split else path
            state = files.read_json(folder / "state.json")
            if state.get("_indices_data_files"):
                raise DataError(
                    f"{path} keeps its rows by a list of indices. Save it again after flatten_indices().", title="A view of a dataset"
                )
            for one in state["_data_files"]:
                data = files.safe_join(folder, one["filename"])
                parts.append(Part(data, f"{split}/{data.name}" if split else data.name, "arrow", None,
                                  {"split": split} if split else {}, _labels(folder)))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} looks like a saved dataset and is not whole ({error}). Save it again.", title="The dataset is damaged"
        ) from error
    if not parts:
        raise DataError(f"{path} is a saved dataset without rows.", title="The file is empty")
    return Place(path.name, tuple(parts), sum(one.path.stat().st_size for one in parts), True, path, notes=("A saved datasets folder.",))


def _labels(folder: Path) -> dict[str, tuple[str, ...]]:
    """Columns of class numbers and the names that dataset_info.json gives them."""
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8")) if (folder / "dataset_info.json").exists() else {}
    features = info.get("features") or {}
    return {
        name: tuple(map(str, one["names"]))
        for name, one in features.items()
        if isinstance(one, dict) and one.get("_type") == "ClassLabel" and one.get("names")
    }


@contextmanager
def unpacked(part: Part) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """(the unpacked bytes as a stream, the file on disk, whose place tells how far reading is)."""
    with open(part.path, "rb") as raw:
        packed = raw.read(4)
        raw.seek(0)
        if part.member is not None:
            with zipfile.ZipFile(raw) as archive, archive.open(part.member) as stream:
                yield _within(_again(part.member, stream), part), raw
        elif packed.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=raw) as stream:
                yield _within(stream, part), raw
        else:
            yield raw, raw


def _again(name: str, stream: Any) -> Any:
    return gzip.GzipFile(fileobj=stream) if name.casefold().endswith(".gz") else stream


def _within(stream: Any, part: Part) -> IO[bytes]:
    limit = max(UNPACKED, RATIO * max(FREE, part.path.stat().st_size))
    return io.BufferedReader(_Counted(stream, part.name, limit), 1 << 20)  # type: ignore[type-var]


class _Counted(io.RawIOBase):
    """A stream that refuses to give more than `limit` bytes."""

    def __init__(self, stream: IO[bytes], name: str, limit: int) -> None:
        self.stream, self.name, self.limit, self.given = stream, name, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self.stream.read(len(buffer))
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{self.name} ends too early or is damaged ({error}), after {size(self.given)}. Fetch or pack it again.",
                title="The archive is damaged",
            ) from error
        self.given += len(data)
        if self.given > self.limit:
            raise DataError(
                f"{self.name} unpacks to more than {size(self.limit)}. Unpack it yourself first.", title="The file unpacks to too much"
            )
        buffer[: len(data)] = data
        return len(data)
