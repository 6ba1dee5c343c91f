"""Cost walked in a real browser: a price typed into the table, saved, used for the file's cost, and reset."""

from __future__ import annotations

import re

from core.io import pricing
from tests.browser import chromium, person, serving
from tests.test_validate import good, jsonl

ROW, HEAD, TRAINING = 35, 35, 300
"""Pixels of a row and of the head of the table, and where the column Training lies."""


def test_a_price_is_typed_saved_used_and_reset(home, tmp_path):
    chromium()
    from playwright.sync_api import expect

    file = tmp_path / "training.jsonl"
    file.write_bytes(jsonl(good(60)))
    home.mkdir(parents=True, exist_ok=True)
    with serving(home) as address, person(address, "cost") as me:
        me.page.set_viewport_size({"width": 1280, "height": 1800})  # the run bar must not lie over the table
        me.go("/settings")
        me.page.get_by_test_id("glide-cell-3-3").first.wait_for(state="attached")
        box = me.page.locator("[data-testid=stDataFrame]").last.bounding_box()
        assert box
        me.page.mouse.dblclick(box["x"] + TRAINING, box["y"] + HEAD + 3.5 * ROW)
        editor = me.page.locator("#portal input, #portal textarea").first
        editor.fill("3000")
        editor.press("Enter")
        expect(me.page.get_by_test_id("glide-cell-3-3")).to_have_text(re.compile("3,?000"))
        me.settled()
        me.page.get_by_role("button", name="Save prices").click()
        me.settled()
        me.sees("Prices saved")
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
        me.page.get_by_text("Yours are marked").first.wait_for(state="hidden")
