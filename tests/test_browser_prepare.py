"""The classic assistant walked in a real Chromium: a table of hostile pairs, its switches, its files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.browser import Person, chromium, person, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HOSTILE = "<img src=x onerror=alert(1)> **bold** [a](http://evil.example) $x^2$ 한국어 😀"


@pytest.fixture
def address(home):
    chromium()
    with serving(home) as found:
        yield found


def give(me: Person, path: Path) -> None:
    me.page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(str(path))
    me.page.get_by_text("examples", exact=False).first.wait_for()
    me.settled()


def save(me: Person, label: str, into: Path) -> Path:
    with me.page.expect_download() as waiting:
        me.page.get_by_role("button", name=label).first.click()
    place = into / waiting.value.suggested_filename
    waiting.value.save_as(place)
    return place


def test_a_table_of_pairs_is_prepared_and_downloaded(address, tmp_path):
    pairs = tmp_path / "pairs.csv"
    lines = [f'"{HOSTILE} no {i}, {"xyz"[i % 3]}","{"yes" if i % 2 else "no"}"' for i in range(20)]
    pairs.write_text("Prompt,completion\n" + "\n".join(lines) + "\n", encoding="utf-8")
    alerts: list[str] = []
    with person(address, "prepare") as me:
        me.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        me.go("/validate?validate_view=A+file")
        give(me, pairs)
        me.sees("Prompt and completion pairs", 30)
        me.page.locator(".st-key-validate_pairs").get_by_text("Open the assistant").click()
        me.settled()
        me.sees("16 to train, 4 to validate")
        me.page.locator(".st-key-validate_pairs").scroll_into_view_if_needed()
        me.picture()
        me.page.locator(".st-key-validate_pairs").get_by_role("button", name="20 rows changed").first.click()
        me.sees("Row 0 of the file, counted from 0")
        me.page.keyboard.press("Escape")
        both = save(me, "Both as one zip", tmp_path)
        with zipfile.ZipFile(both) as packed:
            train = packed.read("pairs_prepared_train.jsonl").decode("utf-8").splitlines()
            assert packed.namelist() == ["pairs_prepared_train.jsonl", "pairs_prepared_valid.jsonl"]
        assert len(train) == 16
        assert all(line.endswith((' ->","completion":" no"}', ' ->","completion":" yes"}')) for line in train)
        me.page.locator(".st-key-validate_pairs").get_by_text("Split into training and validation rows").click()
        me.settled()
        one = save(me, "Download 20 rows", tmp_path)
        whole = one.read_text(encoding="utf-8").splitlines()
        assert len(whole) == 20
        assert set(train) < set(whole)
        me.no_errors()
        me.accessible()
        assert alerts == []
