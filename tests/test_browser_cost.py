"""Cost walked in a real browser: a price typed into the table, saved, used for the file's cost, and reset."""

from __future__ import annotations

from core.io import pricing
from tests.browser import chromium, person, serving
from tests.test_validate import good, jsonl

ROW, HEAD, TRAINING = 35, 35, 300
"""Pixels of a row and of the head of the table, and where the column Training lies."""


def test_a_price_is_typed_saved_used_and_reset(home, tmp_path):
    chromium()
    file = tmp_path / "training.jsonl"
    file.write_bytes(jsonl(good(60)))
    home.mkdir(parents=True, exist_ok=True)
    with serving(home) as address, person(address, "cost") as me:
        me.page.set_viewport_size({"width": 1280, "height": 1800})  # the run bar must not lie over the table
        me.go("/settings")
        box = me.page.locator("[data-testid=stDataFrame]").last.bounding_box()
        assert box
        me.page.mouse.dblclick(box["x"] + TRAINING, box["y"] + HEAD + 3.5 * ROW)
        me.page.wait_for_timeout(800)  # the cell opens
        me.page.keyboard.press("Control+a")
        me.page.keyboard.type("3000")
        me.page.keyboard.press("Enter")
        me.page.wait_for_timeout(1500)
        me.page.get_by_role("button", name="Save prices").click()
        me.settled()
        assert [(one.model, one.training, one.source) for one in pricing.yours()] == [("gpt-4o-mini-2024-07-18", 3000.0, "typed here")]
        me.go("/validate?validate_view=A+file")
        me.page.set_input_files("input[type=file]", str(file))
        me.settled()
        me.page.get_by_text("Yours are marked").wait_for()
        me.page.get_by_text("Prices and limits", exact=True).first.click()
        me.settled()
        me.page.get_by_role("button", name="Reset to the shipped table").click()
        me.settled()
        assert pricing.yours() == []
        assert not me.page.get_by_text("Yours are marked").count()
