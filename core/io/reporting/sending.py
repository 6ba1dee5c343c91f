"""A run told while it trains (`live`) or whenever it is asked for (`sync`): told twice, it is there once.

What was told stands in `<job folder>/reported.json`: kind -> place, last step and a mark of all that was told.
"""

from __future__ import annotations

import shlex
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, MissingError, SettingsError, Stopped
from core.format import plural
from core.io import files
from core.io.reporting.telling import About, about, numbers, scores
from core.io.reporting.tensorboard import EventFile
from core.io.reporting.weights_and_biases import KEY, Run
from core.version import digest

if TYPE_CHECKING:
    from core.io.jobs import Job
    from core.io.work import Desk

KINDS = ("tensorboard", "wandb")
TITLES = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases"}
PACKAGES = {"tensorboard": ("tensorboardX", "tensorboardX"), "wandb": ("wandb", "wandb")}
"""Kind -> module and the package it comes with; both are optional."""
MARKS = "reported.json"


@dataclass(frozen=True)
class Sent:
    """A run as it was told."""

    kind: str
    place: str
    """A folder, or the run's address."""
    online: bool
    last: int
    """The last step that was told."""
    new: int
    """Steps that were not told before."""
    mark: str = ""

    @property
    def command(self) -> str:
        """What opens it, or sends it later; empty where it is online."""
        if self.online:
            return ""
        return f"{'wandb sync' if self.kind == 'wandb' else 'tensorboard --logdir'} {shlex.quote(self.place)}"

    @property
    def says(self) -> str:
        """One sentence for people."""
        if self.online:
            return f"{plural(self.new, 'new step')} sent to {self.place}"
        then = "send it later with" if self.kind == "wandb" else "open it with"
        return f"The run up to step {self.last} is in {self.place}; {then}: {self.command}"


def check(kind: str) -> None:
    """Raises SettingsError for an unknown kind, MissingError naming the package that is not installed."""
    if kind not in KINDS:
        raise SettingsError(f"A run cannot be told to '{kind}'; there are {' and '.join(KINDS)}.", title="Unknown kind of report")
    module, package = PACKAGES[kind]
    if find_spec(module) is None:
        raise MissingError(f"{TITLES[kind]} needs the package {package}, which is not installed. Install it with: pip install {package}, "
                           "or set report to to none.", title=f"{package} is missing")  # fmt: skip


def reporter(kind: str, folder: Path, told: About | None = None, environment: Mapping[str, str] | None = None) -> EventFile | Run:
    """A reporter of the run in this job folder, which has told its history so far: `.record(dict)` for what comes, then `.close()`.

    `environment` may hold WANDB_API_KEY; without it the run is written to the folder `wandb` for later. Raises what `check` does.
    """
    from core.io.lora.runs import history

    check(kind)
    made = EventFile(folder, told or about(folder)) if kind == "tensorboard" else Run(folder, told or about(folder), environment)
    for record in history(folder):
        made.record(record)
    return made


class Live:
    """A reporter that fails for itself alone: the training goes on, and what went wrong is said once. Kind "none" tells nobody."""

    def __init__(self, kind: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.kind, self.folder, self.trouble = kind, folder, ""
        self._environment = environment
        self._reporter: EventFile | Run | None = None
        if kind != "none":
            self._try(self._open)

    @property
    def figures(self) -> dict[str, str]:
        """For the job's progress: where it is told, or why no longer."""
        if self.trouble:
            return {"report": self.trouble}
        return {"report": f"Told to {TITLES[self.kind]}: {self._reporter.place}"} if self._reporter else {}

    def record(self, record: Mapping[str, Any]) -> None:
        """One record of the history."""
        self._try(lambda: self._reporter and self._reporter.record(record))

    def close(self, failed: bool) -> None:
        """With the scores, if the test rows were answered."""
        self._try(lambda: self._close(failed))

    def _open(self) -> None:
        self._reporter = reporter(self.kind, self.folder, environment=self._environment)

    def _close(self, failed: bool) -> None:
        if self._reporter is None:
            return
        made, self._reporter = self._reporter, None
        _finish(self.kind, self.folder, made, self._environment, failed)

    def _try(self, tell: Any) -> None:
        if self.trouble:
            return
        try:
            tell()
        except Stopped:
            raise
        except Exception as error:
            traceback.print_exc()
            self.trouble = f"{TITLES[self.kind]} is not told any more: {str(error)[:200] or type(error).__name__}. The training goes on."
            print(self.trouble, file=sys.stderr)
            made, self._reporter = self._reporter, None
            with suppress(Exception):
                made.close(failed=True) if made else None


@contextmanager
def live(kind: str, desk: Desk) -> Iterator[Live]:
    """Around a training: what is recorded inside is told at once ("none": nowhere). Raises what `check` does, and nothing after that."""
    if kind == "none":
        yield Live(kind, desk.folder, {})
        return
    check(kind)
    with files.lock(_lock(desk.folder, kind)):
        made = Live(kind, desk.folder, desk.environment)
        try:
            yield made
        except BaseException:
            made.close(failed=True)
            raise
        made.close(failed=False)


def sync(job: Job, kind: str, *, environment: Mapping[str, str] | None = None) -> Sent:
    """Tell a run, running or ended, local or hosted; only what was not told before is sent.

    Raises DataError when nothing was recorded yet, SettingsError while its training tells it there, and what `check` does.
    """
    from core.io.lora.runs import history

    check(kind)
    if files.is_locked(_lock(job.folder, kind)):
        raise SettingsError(f"{job.title} is told to {TITLES[kind]} while it trains. Wait until it has ended.", title="It is told already")
    records = history(job.folder)
    if not any(map(numbers, records)):
        raise DataError(f"{job.title} has recorded no step yet. Wait for its first one.", title="Nothing to tell yet")
    with files.lock(_lock(job.folder, kind)):
        before = sent(job.folder, kind)
        if before and before.mark == _mark(job.folder, kind, environment) and (before.online or Path(before.place).is_dir()):
            return replace(before, new=0)
        return _finish(
            kind, job.folder, reporter(kind, job.folder, environment=environment), environment, not job.alive and job.state != "done"
        )


def sent(folder: Path, kind: str) -> Sent | None:
    """How a run was told last, or None."""
    kept = files.read_json(folder / MARKS) if (folder / MARKS).is_file() else {}
    return Sent(**kept[kind]) if kind in kept else None


def run_report(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "report". Request: {job, to}. Result: {place, online, last, new, says, command}."""
    from core.io import jobs

    desk.say(0, 1, f"Telling {TITLES.get(request['to'], request['to'])}")
    made = sync(jobs.read(request["job"]), request["to"], environment=desk.environment)
    desk.say(1, 1, made.says)
    return {**asdict(made), "says": made.says, "command": made.command}


def _finish(kind: str, folder: Path, made: EventFile | Run, environment: Mapping[str, str] | None, failed: bool) -> Sent:
    from core.io.lora.runs import history

    before, mark, records = sent(folder, kind), _mark(folder, kind, environment), history(folder)
    made.scores(scores(folder), max((float(one.get("time") or 0.0) for one in records), default=0.0))
    made.close(failed)
    online = isinstance(made, Run) and made.online
    known = before.last if before and before.online == online else -1
    steps = {int(one["step"]) for one in records if numbers(one)}
    told = Sent(kind, made.place, online, max(steps, default=-1), sum(step > known for step in steps), mark)
    kept = files.read_json(folder / MARKS) if (folder / MARKS).is_file() else {}
    files.write_json(folder / MARKS, {**kept, kind: asdict(told)})
    return told


def _mark(folder: Path, kind: str, environment: Mapping[str, str] | None) -> str:
    """The same as long as nothing new is to be told there."""
    import os

    from core.io.lora.runs import history

    given = os.environ if environment is None else environment
    where = [given.get("WANDB_BASE_URL", ""), bool(given.get(KEY))] if kind == "wandb" else []
    return digest([about(folder).to_dict(), [[one["step"], numbers(one)] for one in history(folder)], scores(folder), where])


def _lock(folder: Path, kind: str) -> Path:
    return folder / f"{kind}.lock"
