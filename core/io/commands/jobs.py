"""`jobs`: long work from the command line."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from core.errors import SettingsError
from core.io import jobs

HELP = "list, show, follow, cancel or resume long work"
ACTIONS = ("list", "show", "follow", "cancel", "resume")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("id", nargs="?", help="the job's id (not for list)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    if args.action == "list":
        return {"jobs": [_row(job) for job in jobs.all_jobs()]}
    if not args.id:
        raise SettingsError(f"`jobs {args.action}` needs a job's id; `jobs list` shows them.", title="Which job?")
    if args.action == "cancel":
        return _row(jobs.cancel(args.id))
    if args.action == "resume":
        return _row(jobs.resume(args.id))
    job = jobs.read(args.id)
    while args.action == "follow" and job.alive:
        say(f"{job.message} {job.step} of {job.total}")
        time.sleep(1)
        job = jobs.read(args.id)
    return _row(job)


def _row(job: jobs.Job) -> dict[str, Any]:
    message = job.error["message"] if job.error else job.message
    return {"id": job.id, "kind": job.kind, "state": job.state, "step": job.step, "total": job.total, "message": message}


def show(result: dict[str, Any]) -> str:
    rows = result.get("jobs", [result])
    return "\n".join(f"{r['id']}  {r['kind']:10s} {r['state']:12s} {r['step']} of {r['total']}  {r['message']}" for r in rows) or "No jobs."
