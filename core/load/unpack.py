"""Archives opened under limits: gzip and zip in, the one table inside out.

Limits come from what hostile files do (a small archive that unpacks to gigabytes): at most 100 bytes for one, and a
budget of unpacked bytes that is counted while unpacking, never taken from what the archive says of itself.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from os import PathLike
from typing import IO

from core.errors import DataError
from core.format import count, plural, size
from core.load.formats import ENDINGS

RATIO = 100
"""Unpacked bytes for one packed byte; above it an archive is refused."""
FREE = 1 << 20
"""Unpacked bytes that are never questioned: small tables of equal rows compress very well."""
READABLE = tuple(f".{one}" for one in ENDINGS if one != "data") + tuple(f".{one}.gz" for one in ENDINGS if one != "data")
"""Endings of files that may stand inside an archive."""
BOOK = 100_000_000
"""Unpacked bytes of an XLSX workbook, which is read row by row."""
OLD_BOOK = 400_000_000
"""The same for ODS, whose sheets are wordier, and XLSB; they are read in the child with a memory limit."""
_CHUNK = 1 << 20


def gunzip(name: str, data: bytes, budget: int) -> bytes:
    """The unpacked bytes. Raises DataError for a damaged file or one that unpacks to too much."""
    limit = min(budget, max(FREE, RATIO * len(data)))
    parts, total = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while part := packed.read(_CHUNK):
                total += len(part)
                if total > limit:
                    raise too_much(name, len(data), budget)
                parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{name} is a gzip file that ends too early or is damaged ({error}), after {size(total)} of text. Fetch or pack it again.",
            title="The archive is damaged",
        ) from error
    return b"".join(parts)


def unzip(name: str, data: bytes, budget: int, member: str | None = None) -> tuple[str, bytes, list[str]]:
    """(name, bytes) of the wanted table in a zip file and the names of all tables in it, in the archive's order.

    Without `member` it is the first one. Raises DataError when there is none, for passwords, damage and bombs.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            tables = _tables(name, packed)
            names = [one.filename for one in tables]
            if member is not None and member not in names:
                raise DataError(f"{name} holds no '{member}'. It holds {', '.join(names[:10])}.", title="Not in the archive")
            wanted = tables[names.index(member)] if member else tables[0]
            if wanted.flag_bits & 1:
                raise DataError(f"{wanted.filename} in {name} has a password. Pack it again without one.", title="The archive is locked")
            if wanted.file_size > min(budget, max(FREE, RATIO * max(1, wanted.compress_size))):
                raise too_much(f"{wanted.filename} in {name}", wanted.compress_size, budget)
            with packed.open(wanted) as handle:
                return wanted.filename, _bounded(handle, f"{wanted.filename} in {name}", wanted.compress_size, budget), names
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name} is a zip file that cannot be opened ({error}). Pack it again.", title="The archive is damaged") from error


def tables_in(name: str, file: str | PathLike[str] | IO[bytes]) -> list[str]:
    """Names of the tables in a zip file, in the archive's order. Raises DataError as `unzip` does."""
    try:
        with zipfile.ZipFile(file) as packed:
            tables = _tables(name, packed)
            if any(one.flag_bits & 1 for one in tables):
                raise DataError(f"{name} has a password. Pack it again without one.", title="The archive is locked")
            return [one.filename for one in tables]
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DataError(f"{name} is a zip file that cannot be opened ({error}). Pack it again.", title="The archive is damaged") from error


def _tables(name: str, packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    tables = [one for one in packed.infolist() if _is_table(one.filename)]
    if not tables:
        inside = ", ".join(one.filename for one in packed.infolist()[:5]) or "nothing"
        raise DataError(
            f"{name} holds no table: {inside}. A CSV, TSV, JSON, JSONL, Parquet, Arrow, XLSX, XLS or ODS file is needed in it.",
            title="No table in the archive",
        )
    return tables


def check_workbook(name: str, data: bytes, budget: int, most: int = BOOK) -> None:
    """Refuses a workbook whose parts unpack to more than `most` bytes, or to more than 100 bytes for one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            total = sum(one.file_size for one in packed.infolist())
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is a workbook that cannot be opened ({error}). Save it again.", title="The workbook is damaged") from error
    limit = min(budget, most, max(4 * FREE, RATIO * len(data)))
    if total > limit:
        raise DataError(
            f"{name} takes {size(len(data))} and its sheets unpack to {size(total)}; {size(limit)} are read. Save one sheet as CSV.",
            title="The file unpacks to too much",
        )


def too_much(name: str, packed: int, budget: int) -> DataError:
    return DataError(
        f"{name} takes {size(packed)} and unpacks to more than {RATIO} times that, or to more than {size(budget)}. Files that do so are "
        f"often made to fill the memory. Unpack it yourself and add the table, or raise the limit of {count(budget)} bytes.",
        title="The file unpacks to too much",
    )


def tables_note(names: list[str], chosen: str) -> str:
    return f"The archive holds {plural(len(names), 'table')}; this is {chosen}. Others: {', '.join(n for n in names if n != chosen)[:200]}."


def _bounded(handle: object, name: str, packed: int, budget: int) -> bytes:
    parts, total = [], 0
    while part := handle.read(_CHUNK):  # type: ignore[attr-defined]
        total += len(part)
        if total > budget:
            raise too_much(name, packed, budget)
        parts.append(part)
    return b"".join(parts)


def _is_table(filename: str) -> bool:
    last = filename.rsplit("/", 1)[-1].casefold()
    return not filename.startswith("__MACOSX/") and not last.startswith(".") and last.endswith(READABLE)
