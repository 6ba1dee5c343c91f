"""The calls of a batch to the platform: upload, start, look, fetch, delete. The folder knows where each part stands before and after."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError
from core.io.providers.batch_files import ENDPOINT, OVER, Folder, Part
from core.io.providers.client import failure_of, hide, make_client
from core.io.providers.patience import patiently

if TYPE_CHECKING:
    from core.io.providers.hosted import Hosted

TRANSFER = 900.0
"""Seconds an upload or a download may take."""
RESULT = 1 << 30
"""Bytes of a result file that are read."""
_SEARCHED = 1000
"""Batches, the newest first, among which one started before a kill is looked for."""


class Remote:
    """The platform, for the parts of one folder; use it in a `with` block."""

    def __init__(self, host: Hosted, folder: Folder) -> None:
        self.host, self.folder = host, folder
        self.client = make_client(host.base_url, host.secret, deadline=TRANSFER, largest=RESULT)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def call(self, ask: Callable[[], Any]) -> Any:
        """One call to the platform. Raises ProviderError, or Paused when it keeps failing."""
        words = "The batch goes on at the provider; resume later."
        return patiently(ask, self.host.secret, deadline=TRANSFER, sleep=self.host.sleep, goes_on=words)

    def check(self) -> None:
        """Whether the address has batches at all, before a row leaves."""
        try:
            self.call(lambda: self.client.batches.list(limit=1))
        except ProviderError as error:
            if error.title not in ("No such model or address", "The request was refused"):
                raise
            raise ProviderError(f"{self.host.base_url} offers no batches ({error}). Switch the batch off: requests then go one by one, "
                                "at the usual price.", title="No batches at this address") from None  # fmt: skip

    def start(self, part: Part) -> None:
        """Upload the part and start its batch, unless that happened before a kill."""
        if not part.file:
            part.file = self.call(lambda: self._uploaded(part) or self._upload(part))
            part.state = "uploaded"
            self.folder.save()
        made = self.call(lambda: self._started(part) or self._start(part))
        part.batch, part.state = str(made.id), str(made.status)
        self.folder.save()

    def _upload(self, part: Part) -> str:
        with open(self.folder.file(part), "rb") as handle:
            return str(self.client.files.create(file=(f"{part.name}.jsonl", handle), purpose="batch").id)

    def _uploaded(self, part: Part) -> str | None:
        """The part's file, when it is there already."""
        return next((str(one.id) for one in self.client.files.list(purpose="batch", limit=1000)
                     if one.filename == f"{part.name}.jsonl" and one.bytes == part.size), None)  # fmt: skip

    def _start(self, part: Part) -> Any:
        return self.client.batches.create(input_file_id=part.file, endpoint=ENDPOINT, completion_window="24h", metadata={"part": part.name})

    def _started(self, part: Part) -> Any:
        """The part's batch, when there is one already; one that failed is no use."""
        for number, one in enumerate(self.client.batches.list(limit=100)):
            if number >= _SEARCHED:
                return None
            if (one.metadata or {}).get("part") == part.name and one.status != "failed":
                return one
        return None

    def cancel(self, part: Part) -> None:
        """End a batch; one that is over meanwhile stays as it is, to be looked at."""
        import openai

        def ask() -> str:
            try:
                return str(self.client.batches.cancel(part.batch).status)
            except openai.ConflictError:
                return part.state

        part.state = self.call(ask)
        self.folder.save()

    def look(self, part: Part) -> bool:
        """See how a part is; True once it is over and its results are here."""
        told = self.call(lambda: self.client.batches.retrieve(part.batch))
        part.state = str(told.status)
        counts = told.request_counts
        part.counts = {"completed": counts.completed, "failed": counts.failed, "total": counts.total} if counts else {}
        over = part.state in OVER and self._fetch(part, told)
        self.folder.save()
        return over

    def _fetch(self, part: Part, told: Any) -> bool:
        errors = (told.errors.data or []) if told.errors else []
        if part.state == "failed" and any(one.code == "token_limit_exceeded" for one in errors):
            part.state = "limited"
            return False
        part.errors = [hide(f"line {one.line}: {one.message}" if one.line else str(one.message), self.host.secret) for one in errors[:3]]
        part.results = {kind: id for kind, id in (("output", told.output_file_id), ("error", told.error_file_id)) if id}
        for kind, id in part.results.items():
            path = self.folder.file(part, kind)
            self.call(lambda id=id, path=path: self._download(id, path))
        return True

    def _download(self, id: str, path: Path) -> None:
        """The whole file, or none; never with the key in it, whoever wrote it there."""
        raw, clean = path.with_suffix(".raw"), path.with_suffix(".clean")
        secret = (self.host.secret or "").encode()
        try:
            with self.client.files.with_streaming_response.content(id) as answer:
                answer.stream_to_file(raw)
            with open(raw, "rb") as lines, open(clean, "wb") as kept:
                for line in lines:
                    kept.write(line.replace(secret, b"[key]") if secret else line)
            os.replace(clean, path)
        finally:
            raw.unlink(missing_ok=True)
            clean.unlink(missing_ok=True)

    def delete(self) -> str:
        """Delete what was uploaded and what came of it, once its results are here; says what was done."""
        gone = kept = 0
        for part in self.folder.parts:
            if not part.fetched or part.deleted:
                continue
            for id in (part.file, *part.results.values()):
                try:
                    self.client.files.delete(id)
                    gone += 1
                except Exception as error:
                    kept += failure_of(error, self.host.secret).title != "No such model or address"
            part.deleted = True
            self.folder.save()
        if not gone and not kept:
            return ""
        words = f"Deleted {gone} files of rows and replies at the provider"
        return words + (f"; {kept} could not be deleted and may stay there for 30 days" if kept else "")
