"""Tables that are too large for the memory, and folders: a look at the first rows, and the job that makes them a dataset.

The job writes into its own folder and the finished files are moved into the store as a whole, so a killed job leaves no
half version; started again, it begins anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, Stopped
from core.io import files, parts, pieces, reading, store, streaming
from core.io.parts import Place
from core.kinds import kinds
from core.load.read import Loaded, ReadOptions
from core.prompt import Prompt
from core.version import Roles, Version

if TYPE_CHECKING:
    import pandas as pd

    from core.io.work import Desk

ROLES = 10_000
"""Rows of the first look, which roles are guessed from."""
PACE = {"csv": 120e6, "jsonl": 8e6, "parquet": 60e6, "arrow": 120e6}
"""Bytes on disk read in a second, on one core of 2026; other formats 5e6."""
_TOLD = 0.4
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Look:
    """The first rows, read in the way all rows will be."""

    loaded: Loaded
    rows: int
    """How many rows there are, about."""
    exact: bool
    seconds: float
    """How long reading all of them takes, about."""


def look(place: Place, options: ReadOptions | None = None) -> Look:
    """The first rows of a place, in the child with a memory limit. Raises DataError as the reader does."""
    options = options or ReadOptions()
    loaded, about = reading.first(place, options)
    rows = about.get("rows", 0)
    if options.rows:
        rows = min(rows, options.rows)
    pace = PACE.get(place.parts[0].kind, 5e6)
    return Look(loaded, rows, bool(about.get("exact")), place.size / pace)


def first_rows(place: Place, options: ReadOptions) -> tuple[Loaded, dict[str, Any]]:
    """The first rows as a table, and about how many there are in all. Runs in the child."""
    import pandas as pd
    import pyarrow.parquet as pq

    part = place.parts[0]
    head = pieces.head(part, options) if part.kind in ("csv", "jsonl") else None
    with tempfile.TemporaryDirectory(dir=files.folder("tmp")) as folder:
        target, rejects = Path(folder) / "rows.parquet", Path(folder) / "rejects.parquet"
        made = streaming.stream(place, replace(options, rows=min(options.rows or ROLES, ROLES)), target, rejects)
        frame = pq.read_table(target).to_pandas()
    assert isinstance(frame, pd.DataFrame)
    separator = head.cells.separator if head and head.cells else ""
    loaded = Loaded(
        frame,
        tuple(made.first),
        made.encoding or (head.encoding if head else ""),
        separator,
        part.kind,
        made.notes,
        choices=dict(place.choices),
    )
    return loaded, _about(place, options, made.rows)


def _about(place: Place, options: ReadOptions, read: int) -> dict[str, Any]:
    """Rows in all: counted by the files themselves, or from the length of the first ones."""
    import pyarrow.parquet as pq

    if all(part.kind == "parquet" and part.member is None for part in place.parts):
        return {"rows": sum(pq.read_metadata(part.path).num_rows for part in place.parts), "exact": True}
    if read < min(options.rows or ROLES, ROLES):
        return {"rows": read, "exact": True}
    rows = at = 0
    for piece in pieces.of(place.parts[0], options):
        if piece.cells is not None:
            rows, at = streaming.length(piece.cells), piece.at
            break
    if not at or (len(place.parts) == 1 and at >= place.size):
        return {"rows": max(rows, read), "exact": True}
    return {"rows": max(read, int(rows * place.size / at)), "exact": False}


def run_import(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job: {path, name, label, options, roles, task} becomes version 1 of a dataset of that label."""
    began = time.monotonic()
    options = ReadOptions(**request["options"])
    place = parts.locate(request["path"], options.member)
    roles, task = Roles.from_dict(request["roles"]), request["task"]
    work = desk.folder / "rows"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        with ThreadPoolExecutor(1) as pool, files.disk_errors(work):
            sha = pool.submit(sha256, place, desk.stopped)
            made = streaming.stream(
                place, options, work / "data.parquet", work / "rejects.parquet", split=roles.split, progress=_paced(desk)
            )
            desk.say(1, 1, "Saving")
            version = _saved(request, place, options, roles, task, made, sha, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {"dataset": version.dataset, "version": version.id, "rows": made.rows, "rejected": made.rejected, "passes": made.passes,
            "seconds": round(time.monotonic() - began, 2)}  # fmt: skip


def _saved(request: dict[str, Any], place: Place, options: ReadOptions, roles: Roles, task: str | None, made: streaming.Streamed,
           sha: Future[str], work: Path) -> Version:  # fmt: skip
    import pyarrow.parquet as pq

    if made.rows < 2:
        raise DataError(f"{place.name} has {made.rows} row; two are needed to compare anything.", title="Only one row")
    path = work / "data.parquet"
    head = next(pq.ParquetFile(path).iter_batches(batch_size=ROLES)).to_pandas()
    part = place.parts[0]
    found = pieces.head(part, options) if part.kind in ("csv", "jsonl") else None
    separator = found.cells.separator if found and found.cells else ""
    loaded = Loaded(head, tuple(made.first), made.encoding or (found.encoding if found else ""), separator, part.kind, made.notes)
    source, content = reading.source_of(place.name, loaded, sha.result(), options, made.rejected)
    source |= {"path": str(request["path"]), "files": len(place.parts)} if place.folder else {"path": str(request["path"])}
    version = Version("", "", 0, "Import", rows=made.rows, columns=kinds(head.head(200)), roles=roles, task=task,
                      prompt=_prompt(path, head, roles, task), splits=dict(made.splits), source=source)  # fmt: skip
    beside = {one.name: one for one in (path, work / "rejects.parquet") if one.exists()}
    return store.adopt(request["label"], version, beside, source_hash=content)


def _prompt(path: Path, head: pd.DataFrame, roles: Roles, task: str | None) -> Prompt | None:
    """The first prompt, from the columns it depends on: labels of all rows, the rest from the first ones."""
    import pyarrow.parquet as pq

    wanted = [roles.target] if roles.target and task == "classification" else []
    wanted += ["system"] if "system" in head and "system" not in roles.text else []
    if not wanted:
        return reading.prompt_for(head, roles, task)
    texts = [name for name in wanted if str(head[name].dtype) == "str"]
    rows = pq.read_table(path, columns=wanted, read_dictionary=texts).to_pandas()
    return reading.prompt_for(rows if roles.target in rows else rows.assign(**{roles.target: None}) if roles.target else rows, roles, task)


def _paced(desk: Desk) -> Callable[[int, int, str], None]:
    """Progress that is written at most every 0.4 s, and looks whether it should stop each time."""
    last = 0.0

    def say(done: int, total: int, message: str) -> None:
        nonlocal last
        if desk.stopped():
            raise Stopped
        if time.monotonic() - last >= _TOLD:
            last = time.monotonic()
            desk.say(done // 1_000_000, max(1, total // 1_000_000), f"{message}, in MB")

    return say


def sha256(place: Place, stopped: Callable[[], bool] = lambda: False) -> str:
    """Of the file's bytes; of a folder, of the names and bytes of its files."""
    digests = []
    for part in place.parts:
        digest = hashlib.sha256()
        with open(part.path, "rb") as handle:
            while data := handle.read(4 << 20):
                digest.update(data)
                if stopped():
                    raise Stopped
        digests.append((part.name, digest.hexdigest()))
    if not place.folder:
        return digests[0][1]
    return hashlib.sha256("\n".join(f"{one}  {name}" for name, one in digests).encode()).hexdigest()


def request_for(path: str, place: Place, label: str, options: ReadOptions, roles: Roles, task: str | None) -> dict[str, Any]:
    """What `run_import` needs, as JSON."""
    return {"path": os.path.abspath(os.path.expanduser(path.strip().strip("\"'"))), "name": place.name, "label": label,
            "options": asdict(options), "roles": roles.to_dict(), "task": task}  # fmt: skip
