"""A training file on disk as plain UTF-8 lines that can be read from any byte: as it stands, or rewritten once beside the workspace.

Packed files, UTF-16 and files that are one JSON list are rewritten (the copy goes when nobody holds it any more); lines of JSON
or text are read where they are. Tables are not read here.
"""

from __future__ import annotations

import codecs
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from core.errors import DataError
from core.io import files, parts
from core.load import unpack
from core.validate.listing import one_line, values
from core.validate.reading import LISTED, MARKS, is_table, marked

LARGE = 16 << 20
"""Bytes of a training file from which on it is read piece by piece."""
LARGE_PACKED = 256 << 10
"""The same of a packed one."""
_BLOCK = 1 << 20


@dataclass(eq=False)
class PlainLines:
    """A file of lines."""

    path: Path
    name: str
    begin: int
    """The byte at which the first line begins."""
    end: int
    """Bytes of the file."""
    size: int
    """Bytes it had unpacked."""
    txt: bool
    """Whether its lines are text, not JSON."""
    notes: list[str] = field(default_factory=list)
    stamp: tuple[int, int] = (0, 0)
    """Size and time of the file that was read."""

    @classmethod
    def of(cls, path: Path, name: str) -> PlainLines:
        """A file that is known to be lines of JSON in plain UTF-8."""
        return cls(path, name, 0, path.stat().st_size, 0, False, [], stamp_of(path))

    def check(self) -> None:
        """Raises DataError when the file is no longer the one that was read."""
        if not self.path.exists() or stamp_of(self.path) != self.stamp:
            raise DataError(f"{self.name} was changed or removed since it was checked. Check it again.", title="The file has changed")


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of a file."""
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns


def is_large(path: Path, name: str = "") -> bool:
    """Whether a training file is read piece by piece: not a small one, and not a table."""
    with open(path, "rb") as file:
        head = file.read(4)
    packed = head.startswith((b"\x1f\x8b", b"PK\x03\x04"))
    name = (name or path.name).casefold().removesuffix(".gz")
    if is_table(name, b"" if packed else head) or (head.startswith(b"PK\x03\x04") and not name.endswith(".zip")):
        return False
    return path.stat().st_size > (LARGE_PACKED if packed else LARGE)


def plain_lines(path: Path, name: str = "") -> PlainLines | None:
    """The file as lines; None for a table. Raises DataError for an empty or damaged file and for one that unpacks to too much."""
    name = name or path.name
    with open(path, "rb") as file:
        head = file.read(4)
    if not head:
        raise DataError(f"{name} is empty: 0 bytes. Choose another file.", title="The file is empty")
    if head.startswith(b"\x1f\x8b"):
        return _unpacked(path, parts.Part(path, name, "jsonl"), name[:-3] if name.casefold().endswith(".gz") else name)
    if name.casefold().endswith(".zip"):
        member = unpack.tables_in(name, path)[0]
        return _unpacked(path, parts.Part(path, name, "jsonl", member), member.rsplit("/", 1)[-1].removesuffix(".gz"))
    if is_table(name, head):
        return None
    size, txt, stamp = path.stat().st_size, name.casefold().endswith(".txt"), stamp_of(path)
    for mark, encoding in MARKS:
        if head.startswith(mark) and encoding == "utf-8-sig":
            return _listed(PlainLines(path, name, len(mark), size, size, txt, [marked("UTF-8 with a byte order mark")], stamp))
        if head.startswith(mark) and (copy := _utf8(path)):
            return written(_listed(PlainLines(copy, name, 0, copy.stat().st_size, size, txt, [marked("UTF-16")], stamp_of(copy))), copy)
    return _listed(PlainLines(path, name, 0, size, size, txt, [], stamp))


def _unpacked(path: Path, part: parts.Part, name: str) -> PlainLines | None:
    packed = path.stat().st_size
    limit = min(parts.UNPACKED, max(unpack.FREE, unpack.RATIO * packed))

    def write(out: IO[bytes]) -> None:
        with parts.unpacked(part) as (stream, _):
            while data := stream.read(_BLOCK):
                if out.tell() + len(data) > limit:
                    raise unpack.too_much(part.name, packed, limit)
                out.write(data)

    copy = copied(write)
    made = plain_lines(copy, name)
    if made is None:
        copy.unlink()
    else:
        written(made, copy)
    return made


def written(lines: PlainLines, copy: Path) -> PlainLines:
    """The lines, and their copy on disk goes with them."""
    weakref.finalize(lines, copy.unlink, missing_ok=True)
    return lines


def _utf8(path: Path) -> Path | None:
    """A copy of a UTF-16 file in UTF-8; None when it is none in truth."""

    def write(out: IO[bytes]) -> None:
        decoder = codecs.getincrementaldecoder("utf-16")()
        with open(path, "rb") as file:
            while data := file.read(_BLOCK):
                out.write(decoder.decode(data).encode("utf-8"))
            out.write(decoder.decode(b"", final=True).encode("utf-8"))

    try:
        return copied(write)
    except UnicodeError:
        return None


def _listed(lines: PlainLines) -> PlainLines:
    """The same, a list of JSON rewritten as a line for each value."""

    def write(out: IO[bytes]) -> None:
        for value in values(_texts(lines)):
            out.write(one_line(value).encode("utf-8"))

    made = lines
    if not lines.txt:
        try:
            copy = copied(write)
        except (ValueError, RecursionError):
            copy = None
        if copy is not None:
            size = copy.stat().st_size
            made = written(replace(lines, path=copy, begin=0, end=size, notes=[*lines.notes, LISTED], stamp=stamp_of(copy)), copy)
    return made


def _texts(lines: PlainLines) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with open(lines.path, "rb") as file:
        file.seek(lines.begin)
        while data := file.read(_BLOCK):
            yield decoder.decode(data)
        yield decoder.decode(b"", final=True)


def copied(write: Callable[[IO[bytes]], object]) -> Path:
    """A new file of the workspace with what `write` writes; none where it raises."""
    folder = files.folder("checked")
    number, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        with os.fdopen(number, "wb") as out, files.disk_errors(path):
            write(out)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
