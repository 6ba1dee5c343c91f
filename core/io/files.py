"""Places and ways of writing: whole or not at all, under names that cannot leave the workspace.

Rules: one atomic write (temporary file in the same folder, fsync, rename, fsync the folder), one append-only journal
whose cut last line is ignored, one way to join an untrusted name to a folder, one lock that dies with its holder.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import DataError, StudioError

_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}


def home() -> Path:
    """The workspace: FINETUNE_STUDIO_HOME, or the platform's folder for user data. Made when missing."""
    named = os.environ.get("FINETUNE_STUDIO_HOME")
    if named:
        path = Path(named)
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Application Support" / "finetune-studio"
    elif sys.platform == "win32":
        path = Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "finetune-studio"
    else:
        path = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "finetune-studio"
    path.mkdir(parents=True, exist_ok=True)
    return path


def folder(*names: str) -> Path:
    """A folder of the workspace, made when missing."""
    path = home().joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path


def slug(label: str) -> str:
    """A folder name for a label: letters and digits of any script, dashes between them, at most 60 characters."""
    text = unicodedata.normalize("NFC", label).strip().casefold()
    name = re.sub(r"[^\w]+", "-", text).strip("-_")[:60].strip("-_") or "data"
    return f"{name}-data" if name in _RESERVED else name


def safe_join(root: Path, name: str) -> Path:
    """`root / name` when the name is one plain component of letters, digits, dash, dot and underscore; else DataError."""
    clean = unicodedata.normalize("NFC", name)
    if not re.fullmatch(r"[\w][\w.\-]{0,120}", clean) or clean.split(".")[0].casefold() in _RESERVED or ".." in clean:
        raise DataError(f"'{clean[:60]}' cannot be a name here; letters, digits, '-', '_' and '.' can.", title="That name is not possible")
    path = root / clean
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataError(f"'{clean[:60]}' leads outside its folder.", title="That name is not possible")
    return path


def sync_folder(path: Path) -> None:
    """Make a rename in this folder durable. It has happened already, so a failure here is no reason to say it has not."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def atomic_write(path: Path, data: bytes | str) -> None:
    """The file is there whole, or as it was before. Raises StudioError when the disk is full."""
    atomic_write_parts(path, [data.encode() if isinstance(data, str) else data])


def atomic_write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """The same of a file that is made piece by piece, and never whole in memory."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with disk_errors(path):
        try:
            with open(temporary, "wb") as handle:
                for part in parts:
                    handle.write(part)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A full or read-only disk as a message a person can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudioError(
                f"The disk that holds {path.parent} is full. Nothing was changed. Free some space (Settings shows what the "
                "workspace takes), then do it again.",
                title="The disk is full",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StudioError(
                f"{path.parent} cannot be written to. Choose another workspace with FINETUNE_STUDIO_HOME.",
                title="The workspace is read-only",
            ) from error
        raise


def write_json(path: Path, value: Any) -> None:
    atomic_write(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def append_line(path: Path, record: dict[str, Any], *, sync: bool = True) -> None:
    """One JSON object as a line, on disk before this returns; without `sync` it outlives a kill, but perhaps not a power cut."""
    line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    with disk_errors(path), open(path, "ab+") as handle:
        handle.seek(max(0, handle.seek(0, os.SEEK_END) - 1))
        whole = handle.read(1) in (b"", b"\n")  # a line cut by a kill must not swallow this one
        handle.write((line if whole else "\n" + line).encode())
        handle.flush()
        if sync:
            os.fsync(handle.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a journal; a cut line (killed while writing) is left out."""
    if not path.exists():
        return []
    records = []
    for line in path.read_bytes().split(b"\n"):
        try:
            records.append(json.loads(line)) if line.strip() else None
        except ValueError:
            continue
    return records


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Exclusive while inside; released by the system however the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    with open(path, "ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
