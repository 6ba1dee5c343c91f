"""The paths people walk, clicked in a real Chromium against a real server; pictures go to build/screenshots."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.io import store
from tests.browser import ROOT, Person, chromium, person, serving
from tests.doubles import version
from tests.tiny import tiny_model

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture
def address(tmp_path, home, monkeypatch):
    """A fresh server on an empty workspace with a tiny model of random weights in place of the built-in one."""
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    with serving(home, FINETUNE_STUDIO_MODEL=str(tiny_model(tmp_path / "tiny"))) as found:
        yield found


def press(me: Person, key: str, seconds: float = 60) -> None:
    """Click the button of that widget key."""
    me.page.locator(f".st-key-{key} button").first.click()
    me.settled(seconds)


def heading(me: Person, text: str, seconds: float = 60) -> None:
    me.page.wait_for_function("(t) => document.querySelector('h1')?.innerText.startsWith(t)", arg=text, timeout=1000 * seconds)
    me.settled(seconds)


def test_a_deep_link_on_a_fresh_server_finds_the_frame(address):
    with person(address, "deep_link") as me:
        me.go("/compare")
        assert me.title() == "Compare"
        names = [link.inner_text().split("\n")[-1] for link in me.page.get_by_test_id("stSidebarNavLink").all()]
        assert len(names) == 8
        me.sees("Settings")
        me.sees("No data yet")
        me.accessible()


def test_the_whole_path_on_price_it_ends_on_a_verdict(address, home):
    from playwright.sync_api import expect

    with person(address, "price_it") as me:
        me.go("/")
        me.picture()
        me.press("Open Price it", seconds=120)
        heading(me, "Explore", 120)
        me.sees("test rows also in train", 120)
        me.accessible()
        me.picture()

        me.menu("Curate")
        press(me, "curate_start", 120)
        me.sees("No test row stands in train", 120)
        me.picture()
        press(me, "curate_save", 180)
        me.sees("Version 2 was made by", 120)
        me.no_errors()
        me.accessible()

        me.menu("Augment with GPT")
        me.page.get_by_text("Advanced").first.click()
        me.page.get_by_role("spinbutton", name="Rows at most").fill("4")
        me.page.keyboard.press("Enter")
        me.settled()
        press(me, "augment_try", 120)
        me.picture()
        me.no_errors()
        me.accessible()

        me.menu("Validate & Cost")
        me.sees("Checks", 60)
        with me.page.expect_download() as found:
            me.page.get_by_role("button", name="Download training file").click()
        lines = [json.loads(line) for line in found.value.path().read_text().splitlines()]
        assert len(lines) > 2000
        assert lines[0]["messages"][-1]["content"].startswith("Price is $")
        me.picture()
        me.accessible()

        me.menu("Baselines")
        press(me, "baselines_run")
        me.page.locator(".st-key-baselines_add").wait_for(state="visible", timeout=420_000)
        me.settled()
        me.sees("Bag of words + linear")
        me.sees("Constant (median)")
        me.picture()
        me.no_errors()
        me.accessible()

        me.menu("Fine-tune")
        for preset, epochs in (("Thorough", "3.00"), ("Quick", "1.00")):
            me.page.get_by_text(preset, exact=True).click()
            expect(me.page.locator(".st-key-finetune_set_epochs input")).to_have_value(epochs)
            me.settled()
        me.page.locator(".st-key-finetune_all summary").click()
        me.settled()
        me.page.get_by_role("spinbutton", name="Most steps").fill("8")
        me.page.keyboard.press("Enter")
        me.sees("1 changed")
        me.settled()
        me.picture()
        press(me, "finetune_start")
        me.page.locator(".st-key-finetune_compare button").wait_for(state="visible", timeout=300_000)
        me.settled()
        me.picture()
        me.no_errors()
        me.accessible()

        me.menu("Compare")
        me.sees("The verdict", 60)
        said = me.page.locator("h2, h3").all_inner_texts()
        assert any("Not" in text or "Yes" in text or "Cannot" in text for text in said), said
        with me.page.expect_download() as found:
            me.page.get_by_role("button", name="Download report").click()
        page = found.value.path().read_text()
        assert "<script" not in page
        assert "http" not in page.split("</style>")[1].split("<svg")[0]
        me.picture()
        me.accessible()

        me.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
        me.sees("The answer so far")
        me.picture()
        me.accessible()
    made = store.datasets()[0]
    assert [v.number for v in made.versions] == [2, 1]
    assert made.versions[0].splits["test"] == 500


def test_a_csv_of_ones_own_is_read_with_its_bad_line_and_becomes_a_version(address, home, tmp_path):
    path = tmp_path / "reviews.csv"
    rows = [f'{i},"A lamp, number {i}, that {"works well" if i % 2 else "broke at once"}",{1 + 4 * (i % 2)}' for i in range(60)]
    rows[6] += ",n/a"
    path.write_text("id,review,stars\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with person(address, "own_csv") as me:
        me.go("/")
        me.press("Open a file")
        heading(me, "Add data")
        me.page.locator("input[type=file]").first.set_input_files(str(path))
        me.settled()
        me.sees("line 8")
        me.picture()
        me.press("Leave line 8 out")
        me.page.locator(".st-key-explore_add_run button").click()
        me.settled(120)
        me.sees("What should be predicted?")
        me.no_errors()
        me.accessible()
        me.picture()
    (made,) = store.datasets()
    assert (made.versions[0].rows, made.versions[0].roles.target, made.versions[0].task) == (59, "stars", "classification")


def test_korean_data_is_read_shown_and_found(address, home, tmp_path):
    path = tmp_path / "상품평.csv"
    texts = [("정말 좋아요 추천합니다", "긍정"), ("별로예요 실망했습니다", "부정")]
    frame = pd.DataFrame([{"번호": i, "내용": f"{texts[i % 2][0]} {i}", "감정": texts[i % 2][1]} for i in range(80)])
    path.write_bytes(frame.to_csv(index=False).encode("cp949"))
    with person(address, "korean", dark=True) as me:
        me.go("/explore?explore_add=1")
        me.page.locator("input[type=file]").first.set_input_files(str(path))
        me.settled()
        me.page.locator(".st-key-explore_add_run button").click()
        me.settled(120)
        me.sees("감정")
        me.no_errors()
        me.picture()
        me.menu("Curate")
        me.no_errors()
        me.picture()
    (made,) = store.datasets()
    assert made.label == "상품평"
    assert made.versions[0].roles.text == ("내용",)
    assert made.versions[0].roles.target == "감정"


def test_bars_take_the_colour_of_the_theme(address, home):
    fills = {}
    for dark in (False, True):
        with person(address, "theme", dark=dark) as me:
            me.go("/")
            me.page.wait_for_selector(".js-plotly-plot .bars path", timeout=120_000)
            script = "() => getComputedStyle(document.querySelector('.js-plotly-plot .bars path')).fill"
            fills[dark] = me.page.evaluate(script)
    assert fills == {False: "rgb(26, 95, 148)", True: "rgb(114, 184, 232)"}


def test_the_pages_read_on_a_phone(address, home):
    version()
    with person(address, "phone", width=390) as me:
        for name in ("", "explore", "curate", "compare"):
            me.go(f"/{name}")
            wide = me.page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= 392, f"{name} is {wide} px wide"
            me.picture()


def test_a_job_survives_a_reload_and_shows_its_end(address, home):
    version()
    from core.io import jobs

    with person(address, "job") as me:
        me.go("/explore")
        job = jobs.start("count", {"to": 200, "pause": 0.1}, title="Counting", dataset="things")
        me.go("/explore")
        me.sees("Counting ·")
        me.page.reload()
        me.sees("Counting ·")
        me.page.get_by_text("done").first.wait_for(state="visible", timeout=180_000)
    assert jobs.read(job.id).state == "done"


def test_untrusted_text_is_marked_without_becoming_markup(address, tmp_path):
    """The one door for marked text sets textContent: hostile pieces stay text."""
    evil = "<img src=x onerror=alert(1)> & <b>bold</b>"
    script = f"import streamlit as st\nimport sys; sys.path.insert(0, {str(ROOT)!r})\nfrom ui.tables import marked\nst.title('Marks')\nmarked({evil!r}, [(0, 10, 'added')], key='m')\n"
    path = tmp_path / "page.py"
    path.write_text(script)
    with serving_script(path) as there, person(there, "marked") as me:
        me.go("/")
        me.page.get_by_text("onerror").wait_for(state="visible")
        assert me.page.locator("img[src=x]").count() == 0
        assert me.page.locator(".mark-added").first.inner_text() == evil[:10]


def serving_script(path):
    """A server for one script, without the studio around it."""
    import socket
    import subprocess
    import sys
    import time
    from contextlib import contextmanager, suppress
    from urllib.request import urlopen

    @contextmanager
    def run():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        arguments = ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(path), *arguments],
            cwd=path.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(400):
                with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                    break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)

    return run()
