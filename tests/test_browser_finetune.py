"""A person trains a model: reads what it takes, starts, stops, goes on, reads what it brought, and finds the run in History."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from core.io import jobs, lora
from tests.browser import Person, chromium, person, serving
from tests.doubles import version
from tests.tiny import tiny_model

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def number(me: Person, label: str, value: int) -> None:
    field = me.page.get_by_label(label, exact=True).first
    field.fill(str(value))
    field.press("Enter")
    me.settled()


def held(dataset: str) -> int:
    """The group of the run's processes, standing still from its first checkpoint on."""
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline, "no checkpoint was written"
        for job in jobs.all_jobs(dataset, "finetune"):
            if lora.last_step(job.folder):
                pid = int((job.folder / "pid").read_text())
                os.killpg(pid, signal.SIGSTOP)
                return pid
        time.sleep(0.05)


def test_a_run_is_started_stopped_resumed_and_read(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    model = tiny_model(tmp_path / "tiny")
    one = version("regression", 60)
    with serving(home, FINETUNE_STUDIO_MODEL=str(model)) as address, person(address, "finetune") as me:
        me.go(f"/finetune?dataset={one.dataset}")
        me.sees("Every row teaches something")
        me.page.locator(".st-key-finetune_all summary").click()
        me.settled()
        number(me, "Most steps", 60)
        number(me, "Epochs", 20)
        number(me, "Evaluate every", 10)
        me.sees("3 changed")
        me.picture()
        me.page.locator(".st-key-finetune_start button").click()

        child = held(one.dataset)
        try:
            stop = me.page.get_by_role("button", name=re.compile("Stop and keep step"))
            stop.wait_for(state="visible")
            me.sees("You may close this tab")
            me.no_errors()
            me.picture()
            stop.click()
        finally:
            os.killpg(child, signal.SIGCONT)
        me.sees("What was learnt is kept")
        me.page.get_by_role("button", name=re.compile("Resume from step")).click()
        me.sees("on 12 test rows", seconds=150)
        me.sees("What it forgot")
        me.picture()
        me.accessible()

        me.page.locator(".st-key-finetune_view").get_by_text("History", exact=True).click()
        me.sees("Select a run")
        me.no_errors()
    assert [job.state for job in jobs.all_jobs(one.dataset, "finetune")] == ["done"]
    assert lora.adapters(one.dataset)[0].steps == 60
