"""The fine-tuning calls of one address. Objects are the platform's own, as JSON: fields and states that are new stay as they came."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import DataError, MissingError, ProviderError
from core.finetune.hosted import MARK
from core.io.hosted.uploading import in_parts
from core.io.providers.addresses import OPENAI, clean_url, key_for
from core.io.providers.client import make_client
from core.io.providers.patience import patiently

TRANSFER = 900.0
"""Seconds an upload or a download may take."""
LARGEST = 1 << 30
"""Bytes of a file that are read."""
FILE = 512 << 20
"""Bytes from which on a file is uploaded in parts."""
PAGE = 100
Object = dict[str, Any]


class Tuning:
    """Use it in a `with` block. Every call raises ProviderError with the platform's words, or Paused when it keeps failing."""

    def __init__(self, base_url: str = "", key: str | None = None, *, environment: Mapping[str, str] | None = None,
                 sleep: Callable[[float], None] = time.sleep) -> None:  # fmt: skip
        self.base_url = clean_url(base_url) if base_url else OPENAI
        self.key = key_for(self.base_url, key, os.environ if environment is None else environment)[0]
        if self.base_url == OPENAI and not self.key:
            raise ProviderError("No key for api.openai.com. Set OPENAI_API_KEY, or type a key on Settings; it is never written to disk.",
                                title="No key")  # fmt: skip
        self.sleep = sleep
        self.client = make_client(self.base_url, self.key, deadline=TRANSFER, largest=LARGEST)
        self.jobs = self.client.fine_tuning.jobs

    def __enter__(self) -> Tuning:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def _ask(self, ask: Callable[[], Any]) -> Any:
        """A raw response's JSON."""
        told = self._patiently(ask)
        return told if isinstance(told, dict) else told.http_response.json()

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        words = "What runs at the host goes on; try again later."
        return patiently(ask, self.key, deadline=TRANSFER, sleep=self.sleep, goes_on=words)

    def upload(self, path: Path, name: str = "", *, once: bool = False) -> Object:
        """The file object of a training or validation file. A large one goes in parts.

        With `once` a file of this name and size that is there already is that file: for names nobody else gives.
        """
        if not path.is_file():
            raise MissingError(
                f"There is no file {path}. Name a training file, or the id of one at the host (file-...).", title="No such file"
            )
        name, size = name or path.name, path.stat().st_size
        if size > FILE:
            found = self._ask(lambda: {"file": self._there(name, size)})["file"] if once else None
            return found or in_parts(self.client, self._ask, path, name)

        def send() -> Any:
            if once and (found := self._there(name, size)):  # an attempt whose answer was lost
                return found
            with open(path, "rb") as handle:
                return self.client.files.with_raw_response.create(file=(name, handle), purpose="fine-tune")

        return self._ask(send)

    def _there(self, name: str, size: int) -> Object | None:
        told = self.client.files.with_raw_response.list(purpose="fine-tune", limit=PAGE).http_response.json()
        return next((one for one in told.get("data") or [] if one.get("filename") == name and one.get("bytes") == size), None)

    def create(self, request: Mapping[str, Any]) -> Object:
        """A new job; one of this request's mark that is there already is that job, so that nothing is paid for twice."""
        token = (request.get("metadata") or {}).get(MARK)

        def ask() -> Any:
            return (self._marked(token) if token else None) or self.jobs.with_raw_response.create(**request)

        return self._ask(ask)

    def _marked(self, token: str) -> Object | None:
        told = self.jobs.with_raw_response.list(limit=PAGE, metadata={MARK: token}).http_response.json()
        return next((one for one in told.get("data") or [] if (one.get("metadata") or {}).get(MARK) == token), None)

    def list(self, limit: int = 20) -> list[Object]:
        """So many jobs, the newest first."""
        return self._listed(lambda **page: self.jobs.with_raw_response.list(**page), limit)

    def job(self, id: str) -> Object:
        return self._ask(lambda: self.jobs.with_raw_response.retrieve(id))

    def events(self, id: str, limit: int = 1_000_000, since: str = "") -> list[Object]:
        """Events, the oldest first; with `since` those after the event of this id."""
        new: list[Object] = []
        for one in self._pages(lambda **page: self.jobs.with_raw_response.list_events(id, **page), limit):
            if one.get("id") == since:
                break
            new.append(one)
        return new[::-1]

    def checkpoints(self, id: str) -> list[Object]:
        """Checkpoints, the newest first."""
        return self._listed(lambda **page: self.jobs.checkpoints.with_raw_response.list(id, **page), 1000)

    def cancel(self, id: str) -> Object:
        return self._ask(lambda: self.jobs.with_raw_response.cancel(id))

    def pause(self, id: str) -> Object:
        return self._ask(lambda: self.jobs.with_raw_response.pause(id))

    def resume(self, id: str) -> Object:
        return self._ask(lambda: self.jobs.with_raw_response.resume(id))

    def delete_model(self, name: str) -> Object:
        return self._ask(lambda: self.client.models.with_raw_response.delete(name))

    def delete_file(self, id: str) -> Object:
        return self._ask(lambda: self.client.files.with_raw_response.delete(id))

    def models(self) -> list[Object]:
        """The models there are, with their `shutdown_date` where the host tells one."""
        return list(self._ask(lambda: self.client.models.with_raw_response.list()).get("data") or [])

    def model(self, name: str) -> Object:
        """A model, with its `shutdown_date` where the host tells one."""
        return self._ask(lambda: self.client.models.with_raw_response.retrieve(name))

    def results(self, job: Mapping[str, Any]) -> list[dict[str, float]]:
        """The numbers of each step in a job's result file, as its columns name them. Raises DataError when there is none."""
        ids = job.get("result_files") or []
        if not ids:
            raise DataError(
                f"{job.get('id')} is {job.get('status')} and has no result file; one comes when it succeeds.", title="No results yet"
            )
        told = patiently(
            lambda: self.client.files.content(ids[0]).read(), self.key, deadline=TRANSFER, sleep=self.sleep, goes_on="Try again."
        )
        return read_results(told)

    def _listed(self, ask: Callable[..., Any], limit: int) -> list[Object]:
        return list(self._pages(ask, limit))

    def _pages(self, ask: Callable[..., Any], limit: int) -> Iterator[Object]:
        """A list from its newest on, page by page as far as it is read."""
        after, given = "", 0
        while True:
            page = {"limit": min(PAGE, limit - given), **({"after": after} if after else {})}
            told = self._ask(lambda page=page: ask(**page))
            for one in told.get("data") or []:
                yield one
                given += 1
            if not told.get("has_more") or not told.get("data") or given >= limit:
                return
            after = told["data"][-1]["id"]


def read_results(content: bytes) -> list[dict[str, float]]:
    """A result file's rows; cells that are empty are left out. Some hosts send the file in base64."""
    text = content.decode("utf-8", "replace")
    if "," not in text.split("\n", 1)[0]:
        try:
            text = base64.b64decode(text, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"The result file begins with '{text[:40]}' and is no table of steps.", title="Results cannot be read"
            ) from error
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        numbers = {}
        for name, cell in row.items():
            try:
                numbers[str(name)] = float(cell)
            except (TypeError, ValueError):
                continue
        if numbers:
            rows.append(numbers)
    return rows
