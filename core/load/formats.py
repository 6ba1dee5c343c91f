"""Which format a file has: by its name, checked by its first bytes; and which files are known and not read.

A pickle is refused unread: opening one runs code.
"""

from __future__ import annotations

from core.errors import DataError

FORMATS = {
    "csv": "CSV", "jsonl": "JSON lines", "json": "JSON", "parquet": "Parquet", "arrow": "Arrow", "xlsx": "XLSX", "xls": "XLS", "ods": "ODS",
    "xlsb": "XLSB", "datasets": "Hugging Face dataset",
}  # fmt: skip
UPLOADS = (
    "csv", "tsv", "txt", "xlsx", "xls", "ods", "json", "jsonl", "parquet", "arrow", "gz", "zip", "tab", "psv", "ssv", "ndjson", "xlsm",
    "xlsb", "pq", "feather", "ipc",
)  # fmt: skip
"""Endings a file picker may offer, the usual ones first."""
ENDINGS = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "txt": "csv", "psv": "csv", "ssv": "csv", "data": "csv",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "parquet": "parquet", "pq": "parquet", "xlsx": "xlsx", "xlsm": "xlsx",
    "xls": "xls", "ods": "ods", "xlsb": "xlsb", "arrow": "arrow", "feather": "arrow", "ipc": "arrow",
}  # fmt: skip
"""Ending -> format."""
BOOKS = ("xlsx", "xls", "ods", "xlsb")
PICKLES = ("pkl", "pickle", "joblib", "pt", "pth", "npy", "npz")
_MAGIC = (
    (b"PAR1", "a Parquet file", ("parquet",)),
    (b"\x1f\x8b", "a gzip file", ("gz",)),
    (b"PK\x03\x04", "a zip file or a workbook", ("zip", "xlsx", "ods", "xlsb")),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (XLS) or a workbook with a password", ("xls",)),
    (b"ARROW1", "an Arrow file", ("arrow",)),
    (b"FEA1", "a Feather file", ("arrow",)),
    (b"\xff\xff\xff\xff", "an Arrow stream", ("arrow",)),
    (b"%PDF", "a PDF", ()),
    (b"\x89PNG", "a picture", ()),
    (b"\xff\xd8\xff", "a picture", ()),
    (b"GIF8", "a picture", ()),
    (b"SQLite format 3", "a SQLite database", ()),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", ()),
    (b"BZh", "a bzip2 archive", ()),
    (b"\xfd7zXZ", "an XZ archive", ()),
    (b"7z\xbc\xaf", "a 7-Zip archive", ()),
    (b"Rar!", "a RAR archive", ()),
)
_BINARY = ("parquet", "xlsx", "xls", "ods", "xlsb")
"""Formats whose files always begin with their mark."""
_REFUSED = {
    "numbers": "Open it and save it as XLSX or CSV.",
    **dict.fromkeys(("html", "htm", "pdf", "doc", "docx", "md"), "Copy the table into a sheet."),
    **dict.fromkeys(("rar", "7z", "tar", "bz2", "xz", "zst"), "Unpack it first."),
    **dict.fromkeys(("xml", "db", "sqlite", "sql", "dta", "sav"), "Export the table as CSV."),
    "h5": "Write it as Parquet.",
}
"""Endings that are known and not read -> what to do."""


def ending(name: str) -> str:
    """The last ending of a name, lower case and without the dot."""
    return name.rsplit(".", 1)[-1].casefold() if "." in name else ""


def inside(name: str) -> str:
    """The name without .gz."""
    return name[:-3] if ending(name) == "gz" else name


def looks_pickled(data: bytes) -> bool:
    return len(data) > 2 and data[0] == 0x80 and data[1] in (2, 3, 4, 5) and data.rstrip()[-1:] == b"."


def kind_of(name: str, data: bytes) -> str:
    """The format by name, checked by the first bytes (4,000 are enough); an unknown ending is judged by content alone.

    Raises DataError for a kind that is not read, and where name and content differ.
    """
    last = ending(name)
    found = next((kinds for magic, _, kinds in _MAGIC if data.startswith(magic)), None)
    kind = ENDINGS.get(last)
    if kind is None and last in _REFUSED:
        raise DataError(
            f"{name} ends in .{last}. {_REFUSED[last]} What is read: CSV, TSV, JSON, JSONL, Parquet, Arrow, XLSX, XLS, ODS, and gz or "
            "zip of these.",
            title="This kind of file is not read",
        )
    if kind is None and found and len(found) == 1 and found[0] not in ("gz", "zip"):
        return found[0]
    if found is not None and kind not in found:
        raise mismatch(name, data)
    if kind in _BINARY and found is None:
        raise mismatch(name, data)
    head = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if kind != "arrow" and head[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise mismatch(name, data)
    if kind in (None, "csv") and (last not in ("csv", "tsv", "psv", "ssv")) and head[:1] in (b"{", b"["):
        return "jsonl" if head[:1] == b"{" and b"\n{" in data else "json"
    return kind or "csv"


def mismatch(name: str, data: bytes) -> DataError:
    """The refusal of a file that is not what its name says."""
    what = next((text for magic, text, _ in _MAGIC if data.startswith(magic)), None)
    head = data[:300].lstrip().lower()
    if what is None and head.startswith((b"<!doctype", b"<html")):
        what = "a web page; the download may have failed or asked for a login"
    if what is None and head.startswith(b"<?xml"):
        what = "an XML file"
    advice = "Save it in the format its name says, or rename it to what it is."
    return DataError(
        f"{name} ends in .{ending(name)[:12] or 'nothing'} and its content is {what or 'something else: plain text or unknown bytes'}. "
        f"{advice}",
        title="The file is not what its name says",
    )


def pickled(name: str) -> DataError:
    """The refusal of a pickle, with the three lines that turn one's own into Parquet."""
    stem = name.rsplit(".", 1)[0]
    return DataError(
        f"{name} is a Python pickle: opening one can run any code, so it is not read. If it is your own, turn it into Parquet with three "
        f'lines of Python: import pandas as pd ; frame = pd.DataFrame(pd.read_pickle("{name}")) ; frame.to_parquet("{stem}.parquet")',
        title="Pickle files are not opened",
    )
