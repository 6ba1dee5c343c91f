"""Adding data from the Hub and making a table up, clicked in a real Chromium; jobs are real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.io import store
from tests.browser import Person, chromium, person, serving
from tests.hub_server import Hub
from tests.test_sources_page import amazon

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def address(home: Path, monkeypatch: pytest.MonkeyPatch):
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with Hub() as hub:
        repo = amazon(hub)
        hub.repos[repo].trouble["raw_meta_All_Beauty/full-00000-of-00001.parquet"] = "slow"
        with serving(home, HF_ENDPOINT=hub.url) as found:
            yield found


def source(me: Person, name: str) -> None:
    me.page.get_by_test_id("stButtonGroup").first.get_by_text(name, exact=True).click()
    me.settled()


def explored(me: Person) -> None:
    me.page.wait_for_function("() => document.querySelector('h1')?.innerText.startsWith('Explore')", timeout=120_000)
    me.settled()


def test_several_categories_of_the_hub_and_a_made_up_table_are_added(address: str, home: Path) -> None:
    with person(address, "sources") as me:
        me.go("/explore?explore_add=1")
        source(me, "Hugging Face")
        me.sees("Name a dataset")
        me.press("Use the Amazon products of 2023")
        me.sees("First rows")
        me.page.locator(".st-key-explore_hub_configs input").click()
        me.page.get_by_role("option", name="raw_meta_All_Beauty").click()
        me.settled()
        me.page.keyboard.press("Escape")
        me.sees("all rows · 3 files")
        me.accessible()
        me.picture()
        me.page.locator(".st-key-explore_add_run button").click()
        me.sees("Fetch Amazon-Reviews-2023", 60)
        me.picture()
        explored(me)
        me.sees("Where it came from", 60)
        me.no_errors()
        assert store.datasets()[0].versions[0].rows == 160
        me.press("Add data", exact=True)
        source(me, "Make one up")
        me.sees("3,000 rows · 7 columns · 190 planted faults · predict price")
        me.accessible()
        me.picture()
        me.page.locator(".st-key-explore_add_run button").click()
        explored(me)
        me.sees("Price", 60)
        me.no_errors()
        me.picture()
    assert sorted(one.versions[0].rows for one in store.datasets()) == [160, 3_000]
