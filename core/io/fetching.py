"""The job "fetch": a dataset of the Hub or a described table becomes a version, a file of Kaggle comes into the workspace's tmp.

    <job>/parts/<n>-<k>.parquet    the kept rows of one split of one configuration, gone once the version is saved

Several parts are read at once, each by a process of its own, and come together in the order they were asked for: the result does
not depend on the number of processes. Keys reach the job in its environment and are written nowhere.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, Stopped
from core.format import plural
from core.io import reading, store
from core.io.sources import hub, parts, whole
from core.io.sources.parts import Part, Progress
from core.io.sources.wish import Wish, broken, parts_of
from core.io.spawning import Spawned
from core.kinds import kinds
from core.load import synthetic
from core.load.columns import of
from core.load.repository import pick
from core.load.roles import canonical_splits
from core.load.synthetic import Description
from core.version import SPLITS, Roles, Version, digest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from core.io.work import Desk

HEAD = 10_000
"""Rows that say what kind a column is."""
AT_ONCE = 4
"""Processes that read at once, at most."""


def run_fetch(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job, by its `source`: hub {wish, label, roles, task}, kaggle {handle, version, file}, described {description, label}."""
    if request["source"] == "kaggle":
        from core.io import kaggle

        return kaggle.fetch(request, desk)
    if request["source"] == "described":
        desk.say(0, 0, f"Writing {plural(int(request['description']['rows']), 'row')}")
        version = make_up(Description.from_dict(request["description"]), request["label"])
        return {"dataset": version.dataset, "version": version.id, "rows": version.rows}
    wish, token = Wish.from_dict(request["wish"]), hub.token_for(None, desk.environment)
    desk.say(0, 0, "Asking the Hub")
    found = hub.describe(wish.repo, revision=wish.commit, token=token, own=True)
    todo = parts_of(wish, pick(found.tables, wish.configs, wish.splits))
    place = desk.folder / "parts"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        states = _read(todo, place, token, desk)
        desk.say(sum(len(part.files) for part in todo), sum(len(part.files) for part in todo), "Saving version 1")
        version = _save(wish, todo, states, place, request)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {"dataset": version.dataset, "version": version.id, "rows": version.rows, "bytes": sum(one.bytes for one in states)}


def keep(
    label: str, frame: pd.DataFrame, roles: Roles, task: str | None, title: str, source: dict[str, Any], content: str,
    rejects: pa.Table | None = None,
) -> Version:  # fmt: skip
    """The table as version 1 of a dataset. A split whose names are no splits loses its role; the same content gives the same version."""
    if len(frame) < 2:
        raise DataError(f"{plural(len(frame), 'row')} came; two are needed to compare anything.", title="Too few rows")
    roles = trimmed(roles, list(map(str, frame.columns)))
    if roles.split:
        named = canonical_splits(of(frame, roles.split)).astype("str")
        if set(named.dropna()) <= set(SPLITS):
            frame = frame.assign(**{roles.split: named})
        else:
            roles = replace(roles, split=None)
    task = task if roles.target else None
    prompt = reading.prompt_for(frame, roles, task)
    return store.save(label, frame, title=title, roles=roles, task=task, prompt=prompt, source=source, source_hash=content, rejects=rejects)


def trimmed(roles: Roles, columns: Sequence[str]) -> Roles:
    """The roles of columns that there are."""
    single = ("target", "category", "group", "time", "id", "split")
    return replace(
        roles, text=tuple(c for c in roles.text if c in columns), features=tuple(c for c in roles.features if c in columns),
        **{name: None for name in single if getattr(roles, name) not in columns},
    )  # fmt: skip


def make_up(description: Description, label: str) -> Version:
    """The described table as version 1 of a dataset; its source is marked synthetic and holds the description."""
    made = synthetic.make(description)
    roles, task = synthetic.roles(description)
    described = description.to_dict()
    source = {"synthetic": True, "described": described, "planted": synthetic.planted_counts(description), "rows": description.rows,
              "seed": description.seed}  # fmt: skip
    return keep(label, made.frame, roles, task, "Made up", source, digest([described, label]))


def workers_for(todo: int) -> int:
    """Processes for so many parts: none beside this one for a single part, or when jobs run inline."""
    if todo < 2 or os.environ.get("FINETUNE_STUDIO_JOBS") == "inline":
        return 1
    return min(todo, AT_ONCE)


def _read(todo: list[Part], place: Path, token: str | None, desk: Desk, workers: int | None = None) -> list[Progress]:
    """Every part into its file; tells the job how far each is. The first failure stops the others."""
    said = [0.0]

    def say(states: Sequence[Progress], *, now: bool = False) -> None:
        if now or time.monotonic() - said[0] > 0.3:
            said[0] = time.monotonic()
            _say(todo, states, desk)

    if (workers or workers_for(len(todo))) == 1:
        states = [Progress() for _ in todo]
        for n, part in enumerate(todo):

            def tell(state: Progress, n: int = n) -> None:
                states[n] = state
                say(states)

            states[n] = parts.read_part(part, place / f"{n}.parquet", token, tell)
            say(states, now=True)
        return states
    pool = ProcessPoolExecutor(workers or workers_for(len(todo)), Spawned(), parts.ready, (os.getpid(),))
    try:
        futures = [pool.submit(parts.worker, part, place / f"{n}.parquet", token) for n, part in enumerate(todo)]
        while True:
            done, waiting = wait(futures, timeout=0.3, return_when=FIRST_EXCEPTION)
            say([_state(one, place / f"{n}.told") for n, one in enumerate(futures)], now=True)
            failed = next((one for one in futures if one in done and one.exception()), None)
            if failed:
                failed.result()
            if not waiting:
                return [one.result() for one in futures]
    except BrokenProcessPool as error:
        raise broken(todo[0].id) from error
    finally:
        with suppress(OSError):
            (place / "halt").touch()
        pool.shutdown(wait=True, cancel_futures=True)


def _state(future: Future[Progress], told: Path) -> Progress:
    if future.done() and not future.exception():
        return future.result()
    try:
        done, rows, came = told.read_text().split()
        return Progress(int(done), int(rows), bytes=int(came))
    except (OSError, ValueError):
        return Progress()


def _say(todo: Sequence[Part], states: Sequence[Progress], desk: Desk) -> None:
    """Progress by file, and how far each part is as live figures."""
    total = sum(len(part.files) for part in todo)
    rows, came = sum(one.rows for one in states), sum(one.bytes for one in states)
    each = [
        {
            "name": part.name,
            "files": one.files,
            "of": len(part.files),
            "rows": one.rows,
            "bytes": one.bytes,
            "size": sum(f.size for f in part.files),
        }
        for part, one in zip(todo, states, strict=True)
    ]  # fmt: skip
    desk.say(sum(one.files for one in states), total, "Reading files", rows=rows, bytes=came, parts=each)
    if desk.stopped():
        raise Stopped


def _save(wish: Wish, todo: Sequence[Part], states: Sequence[Progress], place: Path, request: Mapping[str, Any]) -> Version:
    """All parts as one table, which becomes version 1: nothing but one row group is held in memory."""
    import pyarrow.parquet as pq

    total = sum(one.rows for one in states)
    if not total:
        seen = sum(one.seen for one in states)
        why = f"None of {plural(seen, 'row')} meets '{wish.condition.sentence}'." if wish.condition else "The files hold no rows."
        raise DataError(f"{why} Choose another condition or configuration.", title="No rows were kept")
    if total < 2:
        raise DataError("1 row came; two are needed to compare anything.", title="Too few rows")
    paths, path = [one for n in range(len(todo)) for one in whole.files_of(place / f"{n}.parquet")], place / "data.parquet"
    roles = trimmed(Roles.from_dict(request["roles"]), list(dict.fromkeys(name for one in paths for name in pq.read_schema(one).names)))
    splits = whole.splits_of(paths, roles.split) if roles.split else None
    roles = roles if splits else replace(roles, split=None)
    whole.together(paths, path)
    if roles.split:
        whole.with_splits(path, place / "split.parquet", roles.split)
        path = place / "split.parquet"
    task = request.get("task") if roles.target else None
    head = next(pq.ParquetFile(path).iter_batches(batch_size=HEAD)).to_pandas()
    asked = pq.read_table(path, columns=[roles.target]).to_pandas() if roles.target and task == "classification" else head
    prompt, source = reading.prompt_for(asked, roles, task), _source(wish, todo, states)
    made = Version("", "", 0, "Import", rows=total, columns=kinds(head.head(200)), roles=roles, task=task, prompt=prompt,
                   splits=dict(splits or {}), source=source)  # fmt: skip
    return store.adopt(request["label"], made, {"data.parquet": path}, source_hash=digest(wish.to_dict()))


def _source(wish: Wish, todo: Sequence[Part], states: Sequence[Progress]) -> dict[str, Any]:
    """What version.json says of where it came from."""
    return {
        "hub": wish.repo, "revision": wish.commit, "asked": wish.asked, "converted": wish.converted, "configs": list(wish.configs),
        "splits": list(wish.splits), "files": [file.path for part in todo for file in part.files], "endpoint": hub.endpoint(),
        "rows": {part.name: one.rows for part, one in zip(todo, states, strict=True)},
        "rows_seen": sum(one.seen for one in states), "first_rows": wish.rows,
        "columns": list(wish.columns) if wish.columns is not None else None,
        "condition": wish.condition.sentence if wish.condition else None,
        "rejected": sum(one.rejected for one in states), "rejects": [reject for one in states for reject in one.rejects][:1000],
    }  # fmt: skip
