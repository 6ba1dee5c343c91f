"""A job followed to its end: every event once, in order, also when following began again in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import ModelError, ProviderError
from core.finetune.hosted import ENDED, failure
from core.io.hosted.calls import Object, Tuning

EVERY = 5.0
"""Seconds between two looks."""
APPEARS = 600.0
"""Seconds a model may stay unknown after its job succeeded."""


def follow(tuning: Tuning, id: str, told: Callable[[Object, list[Object]], None], *, since: str = "", every: float = EVERY) -> Object:
    """The job when it has ended. `told(job, events that are new, oldest first)` is called at every look and may raise to stop.

    `since` is the id of the last event that was told before.
    """
    while True:
        job = tuning.job(id)
        new = tuning.events(id, since=since)
        if new:
            since = str(new[-1].get("id"))
        told(job, new)
        if job.get("status") in ENDED:
            return job
        tuning.sleep(every)


def succeeded(job: Object) -> Object:
    """The job. Raises ModelError with the platform's words when it did not succeed."""
    if job.get("status") == "failed":
        raise ModelError(f"{job.get('id')}: {failure(job) or 'the platform gave no reason'}.", title="The job failed")
    if job.get("status") == "cancelled":
        raise ModelError(f"{job.get('id')} was cancelled; no model came of it.", title="The job was cancelled")
    return job


def appeared(tuning: Tuning, name: str, *, every: float = EVERY, at_most: float = APPEARS) -> Object:
    """The model of a job that succeeded, as soon as it can be asked: for minutes it may not be found. Raises ProviderError after that."""
    waited = 0.0
    while True:
        try:
            return tuning.model(name)
        except ProviderError as problem:
            if problem.title != "No such model or address" or waited >= at_most:
                raise
        tuning.sleep(every)
        waited += every


def line(event: Any) -> str:
    """An event as a line of a log, in the platform's words."""
    level = str(event.get("level", "info"))
    return (f"{level.upper()} " if level != "info" else "") + " ".join(str(event.get("message", "")).split())
