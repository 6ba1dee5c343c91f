"""Everything that was written for a version: runs of jobs and pasted replies, with what a person decided about them.

<folder>/replies.jsonl  as augmenting writes it      <folder>/decisions.json  {id: {"keep": bool, "variant": text, "seen": true}}
<folder>/limits.json    where the gates stand, when somebody moved them
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from core.augment.decisions import decided, kept
from core.augment.gates import Judge, Limits
from core.augment.presets import AugmentSettings
from core.augment.report import Report, report
from core.augment.requests import Ask
from core.errors import MissingError
from core.io import files, jobs, judging, meanings, written
from core.io.jobs import Job
from core.io.writers import Writer
from core.version import Version


@dataclass(frozen=True)
class Batch:
    """One run, or everything pasted under the same settings."""

    id: str
    title: str
    settings: AugmentSettings
    writer: Writer
    folder: Path
    job: Job | None = None

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes whenever replies arrive, something is decided, or a gate is moved."""
        journal = self.folder / "replies.jsonl"
        others = (self.folder / "decisions.json", self.folder / "limits.json")
        return (journal.stat().st_size if journal.exists() else 0, sum(path.stat().st_mtime_ns for path in others if path.exists()))


def batches(version: Version) -> list[Batch]:
    """Those of this version that hold a reply or are still running, the newest first."""
    found: list[tuple[float, Batch]] = []
    for job in jobs.all_jobs(version.dataset, "augment"):
        if job.request.get("version") == version.id:
            one = Batch(
                job.id, "", AugmentSettings.from_dict(job.request["settings"]), Writer.from_dict(job.request["writer"]), job.folder, job
            )
            found += _with_replies(one, job.alive)
    for folder in files.folder("by_hand").glob(f"{version.id}-*"):
        if (folder / "settings.json").exists():
            settings = AugmentSettings.from_dict(files.read_json(folder / "settings.json"))
            found += _with_replies(Batch(f"hand-{folder.name}", "", settings, Writer("hand"), folder), False)
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _with_replies(one: Batch, alive: bool) -> list[tuple[float, Batch]]:
    from core.augment.presets import PRESETS
    from core.format import plural

    journal = one.folder / "replies.jsonl"
    if not journal.exists() or not journal.stat().st_size:
        return [(float("inf"), one)] if alive else []
    answers = len(written.standing(one.folder).answered)
    title = f"{PRESETS[one.settings.preset].title} · {one.settings.column} · {one.writer.label} · {plural(answers, 'reply', 'replies')}"
    return [(journal.stat().st_mtime, replace(one, title=title))]


def batch(version: Version, id: str) -> Batch:
    """Raises MissingError when it is gone."""
    for one in batches(version):
        if one.id == id:
            return one
    raise MissingError("These variants are not in this workspace; the run may have been deleted.", title="Those variants are gone")


def decisions(one: Batch) -> dict[str, dict[str, Any]]:
    """What was decided so far: id of the variant -> {"keep", "variant"}, either may be absent."""
    path = one.folder / "decisions.json"
    return files.read_json(path) if path.exists() else {}


def decide(one: Batch, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Add to what was decided."""
    with files.lock(one.folder / ".decisions.lock"):
        known = decisions(one)
        files.write_json(one.folder / "decisions.json", {**known, **{id: {**known.get(id, {}), **made} for id, made in changes.items()}})


def forget(one: Batch) -> None:
    """Back to what the gates say."""
    (one.folder / "decisions.json").unlink(missing_ok=True)


def limits(one: Batch) -> Limits | None:
    """Where the gates were moved to; None where nobody did."""
    return judging.limits_in(one.folder)


def move(one: Batch, to: Limits | None) -> None:
    """Judge these variants by other limits from now on; None takes the usual ones again."""
    if to is None:
        (one.folder / "limits.json").unlink(missing_ok=True)
    else:
        files.write_json(one.folder / "limits.json", to.to_dict())


def judged(version: Version, one: Batch) -> tuple[list[Ask], pd.DataFrame, Judge]:
    """The requests, every variant as the gates see it, and the judge that knows them all."""
    few = 0 if one.job is not None and one.job.alive else meanings.FEW
    return judging.judged(version, one.settings, one.folder, limits=limits(one), meaning=meanings.remembered(one.folder, few))


def as_decided(planned: list[Ask], frame: pd.DataFrame, judge: Judge, one: Batch) -> tuple[pd.DataFrame, Report]:
    """What `judged` gave, with everything a person decided (see `core.augment.decisions.decided`), and the report card."""
    shown = decided(frame, decisions(one), judge.copy())
    return shown, report(planned, shown)


def reviewed(version: Version, one: Batch) -> tuple[pd.DataFrame, Report]:
    """Every variant as judged and decided, and the report card."""
    return as_decided(*judged(version, one), one)


def accepted(version: Version, one: Batch) -> pd.DataFrame:
    """What is kept: row, variant, cells of whole rows, and when it was written (see `children.children`)."""
    shown = reviewed(version, one)[0]
    rows = kept(shown)
    times = {line["key"]: line.get("time", "") for line in written.lines(one.folder) if "key" in line}
    keys = dict(zip(shown["variant"].tolist(), shown["key"].tolist(), strict=True))
    return rows.assign(written_at=[times.get(keys[text]) or None for text in rows["variant"].tolist()])


def usd(one: Batch) -> float | None:
    """What this batch cost; None when no price was known, 0.0 when it was pasted by hand."""
    found = written.standing(one.folder)
    return found.usd if found.replies else 0.0
