"""A job as it is followed: what the host tells goes into the job's folder, each event once, and how it stands to whoever looks."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError, Stopped
from core.finetune.hosted import history, progress
from core.io import files
from core.io.hosted.calls import Object, Tuning

if TYPE_CHECKING:
    from core.io.work import Desk


class Watch:
    """What is told of a job while it is followed, and where the last look ended."""

    def __init__(self, desk: Desk, tuning: Tuning) -> None:
        self.desk, self.tuning = desk, tuning
        self.events = files.read_lines(self.desk.journal("events"))
        self.ids = {one.get("id") for one in self.events}
        self.since = str(self.events[-1].get("id", "")) if self.events else ""
        self.told: tuple[Any, ...] = ()
        self.place = 0, 0

    def tell(self, words: str) -> None:
        """Something that is no state of the job."""
        self.told = ()
        self.desk.say(*self.place, words, phase="train")

    def look(self, job: Object, new: list[Object]) -> None:
        """Journal what is new, then tell how it stands. Raises Stopped once the person stopped watching."""
        fresh = [one for one in new if one.get("id") not in self.ids]
        for one in fresh:
            files.append_line(self.desk.journal("events"), one)
            self.ids.add(one.get("id"))
            self.events.append(one)
        self.since = str(self.events[-1].get("id", "")) if self.events else ""
        records = steps(self.desk, self.events) if fresh else files.read_lines(self.desk.journal("history"))
        here = progress(job, self.events)
        told = (here.status, here.step, len(self.events), here.finish)
        if told == self.told:
            if self.desk.stopped():
                raise Stopped
            return
        self.told = told
        files.write_json(self.desk.folder / "job.json", job)
        if fresh and any("checkpoint" in str(one.get("message", "")).casefold() for one in fresh):
            with suppress(ProviderError):
                files.write_json(self.desk.folder / "checkpoints.json", self.tuning.checkpoints(job["id"]))
        figures: dict[str, Any] = {"status": here.status, **({"finish": here.finish} if here.finish else {})}
        for name in ("loss", "val_loss"):
            values = [one[name] for one in records if one.get(name) is not None]
            figures |= {name: round(values[-1], 4)} if values else {}
        self.place = here.step, here.steps
        self.desk.say(*self.place, here.status, phase="train", **figures)


def steps(desk: Desk, events: list[Object]) -> list[dict[str, Any]]:
    """The history as the events (or the result file) tell it, on disk."""
    kept = desk.folder / "results.json"
    made = history(events, files.read_json(kept) if kept.exists() else ())
    files.atomic_write(desk.journal("history"), "".join(json.dumps(one) + "\n" for one in made))
    return made
