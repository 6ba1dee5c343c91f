"""One file of the Hub: fetched whole and checked, or read in pieces where only a part of it is needed.

A transfer that breaks goes on where it stopped, a few times; what then is still short is an error that says how much came.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import DataError, ProviderError
from core.format import short, size
from core.io import files
from core.io.sources import hub
from core.load.repository import Entry

TRIES = 3
"""Attempts that bring next to nothing before a transfer is given up."""
ENOUGH = 1 << 18
"""Bytes of an attempt that count as progress: a few bytes at a time would never end."""
Told = Callable[[int], None]
"""Called with the bytes that came since the last call; may raise to stop."""


class RemoteFile(io.RawIOBase):
    """A seekable file behind an address: every read is one request for a range of bytes."""

    def __init__(self, id: str, commit: str, entry: Entry, token: str | None, tell: Told | None = None) -> None:
        super().__init__()
        self._id, self._entry, self._token, self._tell_bytes = id, entry, token, tell
        self._url = hub.location(id, commit, entry.path)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.size}[whence])
        return self._at

    def read(self, length: int = -1) -> bytes:
        end = self._entry.size if length is None or length < 0 else min(self._entry.size, self._at + length)
        if end <= self._at:
            return b""
        parts: list[bytes] = []
        transfer(self._id, self._url, self._entry, self._token, self._at, end, parts.append, self._tell_bytes)
        data = b"".join(parts)
        self._at += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def fetch(id: str, commit: str, entry: Entry, token: str | None, target: Path, tell: Told | None = None) -> Path:
    """The whole file at `target`, its size and (where the Hub says it) its sha256 checked. Raises StudioError with the cause."""
    sha = hashlib.sha256()
    with files.disk_errors(target), open(target, "wb") as handle:

        def keep(data: bytes) -> None:
            handle.write(data)
            sha.update(data)

        transfer(id, hub.location(id, commit, entry.path), entry, token, 0, entry.size, keep, tell)
    if entry.sha256 and sha.hexdigest() != entry.sha256:
        raise DataError(f"{entry.path} of {id} came with other bytes than the Hub lists. Fetch it again.", title="The file came damaged")
    return target


def transfer(
    id: str, url: str, entry: Entry, token: str | None, start: int, end: int, keep: Callable[[bytes], None], tell: Told | None = None
) -> None:
    """Bytes `start` to `end` (not included) of a file to `keep`, in order. Raises StudioError when they do not all come."""
    import httpx2

    at, tries, why = start, 0, "the connection ended"
    while at < end and tries < TRIES:
        before = at
        asked = {**hub.headers(token), "Range": f"bytes={at}-{end - 1}", "Accept-Encoding": "identity"}
        try:
            with hub.causes(id, token), _opened(url, asked) as answer:
                if answer.status_code == 416:  # the file ends before its listed size
                    tries, why = TRIES, "it is shorter than the Hub lists"
                    break
                answer_ok(answer)
                skip = at if answer.status_code == 200 else 0  # a server that ignores ranges sends the whole file
                for piece in answer.iter_bytes():
                    new, skip = piece[skip : skip + end - at], max(0, skip - len(piece))
                    if new:
                        keep(new)
                        at += len(new)
                        if tell:
                            tell(len(new))
                    if at >= end:
                        break
        except _Broken as error:
            why = str(error)
        except httpx2.TransportError as error:
            why = hub.why(error)
        tries = 0 if at - before >= ENOUGH else tries + 1
        if at < end and tries:
            time.sleep(0.2 * tries)
    if at < end:
        raise ProviderError(
            f"{short(entry.path, 80)} of {id} came only in part: {size(at)} of {size(end)} ({why}). Nothing was added. Fetch it again.",
            title="The file did not come whole",
        )


class _Broken(Exception):
    """No connection at this moment."""


@contextmanager
def _opened(url: str, asked: dict[str, str]) -> Iterator[Any]:
    try:
        stream = hub.session().stream("GET", url, headers=asked)
        answer = stream.__enter__()
    except hub.Unreachable as error:
        raise _Broken(str(error)) from error
    try:
        yield answer
    finally:
        stream.__exit__(None, None, None)


def answer_ok(answer: object) -> None:
    """Raises as the Hub's library does for an answer that is a refusal."""
    from huggingface_hub.utils import hf_raise_for_status

    if getattr(answer, "status_code", 0) >= 400:
        answer.read()  # type: ignore[attr-defined]
        hf_raise_for_status(answer)  # type: ignore[arg-type]
