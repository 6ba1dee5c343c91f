"""Augment walked in a real Chromium against an address on this machine: a wrong key, three rows, a run, the review by keys, saving."""

from __future__ import annotations

import json
import re
import time

import pytest

from core.io import batches, jobs, store
from tests.browser import Person, chromium, person, serving
from tests.loopback import KEY, Loopback, three_variants
from tests.test_augmenting import saved, start

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def address(home, monkeypatch):
    """A server on a workspace with reviews to vary."""
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    saved(24)
    with serving(home) as found:
        yield found


def mixed(messages: list[dict[str, str]]) -> str:
    """Two variants that pass, and a copy of a test row."""
    held = store.frame(store.datasets()[0].versions[-1], split="test")["text"].iloc[0]
    return json.dumps([*json.loads(three_variants(messages))[:2], held])


def fill(me: Person, place: str, text: str) -> None:
    """Type into the field whose widget key holds this."""
    field = me.page.locator(f"[class*=st-key-{place}] input").first
    field.fill(text)
    field.press("Enter")
    me.settled()


def narrow_enough(me: Person, width: int) -> None:
    wide = me.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= width, f"the page is {wide} pixels wide"


def test_an_address_writes_the_keys_review_and_a_version_is_saved(address):
    with Loopback(answer=mixed) as server, person(address, "augment") as me:
        me.go("/augment")
        me.page.get_by_role("combobox", name="Writer").first.click()
        me.page.get_by_role("option", name="Compatible address").click()
        me.settled()
        fill(me, "augment_address", server.url)
        fill(me, "key_http", "sk-wrong-0123456789")
        me.press("Test the key")
        me.sees("Incorrect API key")
        fill(me, "key_http", KEY)
        me.press("Test the key")
        me.sees("Models there: large, small")
        me.press("Try three rows")
        me.sees("4 of 9 pass")
        me.picture()
        me.accessible()
        me.press("Write variants")
        me.sees("What the gates say", 90)
        me.settled()
        me.page.keyboard.press("x")
        me.sees("1 of 48 looked at")
        me.settled()
        me.page.keyboard.press("a")
        me.sees("2 of 48 looked at")
        me.settled()
        me.page.locator(".st-key-augment_filter").get_by_text("too close to a test row").click()
        me.settled()
        me.sees("It cannot be accepted: it repeats a row kept aside for the test")
        assert me.page.get_by_role("button", name="Accept all 16").is_disabled()
        me.picture()
        me.accessible()
        me.page.get_by_role("button", name=re.compile(r"Save \d+ rows as version 2")).click()
        me.settled()
        me.sees("Cost per kept row")
        me.sees("Fine-tune on it")
        me.settled()
        me.picture()
        me.no_errors()
        me.accessible()
    (dataset,) = store.datasets()
    made, one = dataset.versions
    kept = batches.accepted(one, batches.batches(one)[0])
    assert store.frame(made)["origin"].tolist().count("synthetic") == len(kept) > 10


def test_the_page_stands_in_the_dark_and_on_a_phone(address):
    (dataset,) = store.datasets()
    with Loopback(answer=mixed) as server:
        job = start(dataset.versions[0], server)
        deadline = time.monotonic() + 120
        while jobs.read(job.id).alive and time.monotonic() < deadline:
            time.sleep(0.1)
    assert batches.batches(dataset.versions[0])
    for dark, width in ((True, 1280), (False, 390)):
        with person(address, f"augment_{'dark' if dark else 'phone'}", dark=dark, width=width) as me:
            for view, says in (("Write", "Train rows only"), ("Review", "looked at"), ("Report", "How varied they are")):
                me.go(f"/augment?augment_view={view}")
                me.sees(says)
                me.settled()
                me.picture()
                narrow_enough(me, width)
                me.no_errors()
                if not dark:
                    me.accessible()


def test_a_run_goes_on_without_its_tab_pauses_and_resumes(address):
    (dataset,) = store.datasets()
    with Loopback(answer=mixed, pause=1.0, key=None) as server, person(address, "augment_run") as me:
        start(dataset.versions[0], server, parallel=1)
        me.go("/augment")
        me.sees("Writing")
        me.page.reload()
        me.sees("Stop and keep")
        me.page.get_by_role("button", name="Pause").click()
        me.sees("The last run paused at", 60)
        me.settled()
        me.picture()
        server.pause = 0.0
        me.press("Resume")
        me.sees("What the gates say", 90)
        me.no_errors()
    (job,) = jobs.all_jobs(kind="augment")
    assert job.state == "done"
