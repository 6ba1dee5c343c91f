"""Curate walked in a real Chromium on a table of listings: a preset, its steps, the rows and texts it changes, the gate, saving, dark and narrow."""

from __future__ import annotations

import pytest

from core.curate.recipe import Recipe
from core.curate.steps import make
from core.io import curating, store
from core.version import Roles
from tests import doubles
from tests.browser import Person, chromium, person, serving
from tests.test_split import texts

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def address(home, monkeypatch):
    """A server on a workspace with one leaky table and the draft of a recipe for it."""
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    frame = doubles.frame("regression", rows=120)
    frame["text"] = [f"<b>{text}</b>" for text in texts(len(frame))]
    one, other = (frame.index[(frame["split"] == part) & (frame["answer"] > 40)][0] for part in ("train", "test"))
    frame.loc[other, "text"] = frame.loc[one, "text"]
    roles = Roles(text=("text",), target="answer", category="kind", split="split")
    version = store.save("Leaky", frame, title="Import", roles=roles, task="regression", source_hash="leaky walk")
    curating.keep_draft(version, Recipe((make("scrub", columns=("text",)), make("range", column="answer", low=20))))
    with serving(home) as found:
        yield found


def press(me: Person, part: str, seconds: float = 60) -> None:
    """Click the button whose widget key holds this."""
    me.page.locator(f"[class*=st-key-{part}] button:visible").first.click()
    me.settled(seconds)


def walk(me: Person, *, accessible: bool) -> None:
    me.go("/curate")
    me.sees("1 test row is also in train", 60)
    me.page.locator("[class*=_gone] button:visible").first.click()
    me.settled()
    me.sees("Rows that leave with Range")
    me.page.locator("[class*=_texts] button:visible").first.click()
    me.settled()
    me.sees("What Scrub changes")
    me.sees("taken away")
    press(me, "curate_difference_next")
    press(me, "curate_add")
    field = me.page.get_by_placeholder("Search: prices, tags, duplicates")
    field.fill("random order")
    me.page.locator(".st-key-curate_add_scrub").wait_for(state="detached", timeout=30_000)
    me.settled()
    me.picture()
    me.no_errors()
    if accessible:
        me.accessible()


def test_a_recipe_is_looked_through_mended_and_saved(address):
    with person(address, "curate") as me:
        walk(me, accessible=True)
        press(me, "curate_add_shuffle")
        me.sees("Puts the rows in a random order")
        press(me, "curate_form_close")
        press(me, "curate_undo")
        press(me, "curate_redo")
        press(me, "curate_gate_mend")
        me.sees("No test row stands in train")
        me.picture()
        press(me, "curate_save", 120)
        me.sees("Version 2 was made by", 60)
        me.sees("Validate & Cost")
        me.no_errors()
        me.accessible()
    (dataset,) = store.datasets()
    assert [step.name for step in dataset.versions[0].steps] == ["scrub", "range", "shuffle", "move_leaks"]


@pytest.mark.parametrize(("dark", "width"), [(True, 1280), (False, 390)])
def test_the_page_stands_in_the_dark_and_on_a_phone(address, dark, width):
    with person(address, f"curate_{'dark' if dark else 'phone'}", dark=dark, width=width) as me:
        walk(me, accessible=dark)
        wide = me.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= width, f"the page is {wide} pixels wide"
