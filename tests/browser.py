"""A real server and a real Chromium for the tests that walk the paths people walk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "build" / "screenshots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
IDLE = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]')
       && !document.querySelector('[data-testid=stStatusWidget]') && !document.querySelector('[data-stale=true]')
       && !document.querySelector('[data-testid=stSkeleton]') && !document.querySelector('[data-testid=stSpinner]')"""
QUIET = 100
"""Milliseconds without a run after which none is taken to follow: between a run and its rerun the page says for a moment that it rests."""


def chromium() -> str:
    """The path of a Chromium; skips visibly where there is none, unless FINETUNE_STUDIO_BROWSER=required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found and os.environ.get("FINETUNE_STUDIO_BROWSER") == "required":
        pytest.fail("FINETUNE_STUDIO_BROWSER=required, and there is no Chromium on this machine")
    return found or pytest.skip("there is no Chromium on this machine")


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[str]:
    """The studio with that workspace on a free port; yields its address. Its jobs are ended with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {key: value for key, value in os.environ.items() if key != "FINETUNE_STUDIO_JOBS"}
    log = open(home.parent / "server.log", "ab")  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        env={**settings, "FINETUNE_STUDIO_HOME": str(home), "OMP_NUM_THREADS": "1", **environment},
        stdout=log,
        stderr=log,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while True:
            with suppress(OSError), urlopen(f"{address}/_stcore/health", timeout=1):
                break
            assert time.monotonic() < deadline, (home.parent / "server.log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(15)
        log.close()


class Person:
    """What a person does with the page: go, click, read, look."""

    def __init__(self, page: Any, address: str, name: str) -> None:
        self.page, self.address, self.name, self.shots = page, address, name, 0

    def go(self, path: str = "/") -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_selector("h1", timeout=120_000)
        self.settled()

    def settled(self, seconds: float = 180) -> None:
        """Wait until the page has nothing left to draw."""
        self.page.wait_for_timeout(150)
        deadline = time.monotonic() + seconds
        rested = False
        while not rested:
            self.page.wait_for_function(IDLE, timeout=1000 * max(1, deadline - time.monotonic()))
            self.page.wait_for_timeout(QUIET)
            rested = bool(self.page.evaluate(IDLE))

    def menu(self, name: str) -> None:
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        self.page.wait_for_function("(t) => document.querySelector('h1')?.innerText.startsWith(t)", arg=name, timeout=120_000)
        self.settled()

    def press(self, label: str, *, exact: bool = False, seconds: float = 180) -> None:
        self.page.get_by_role("button", name=label, exact=exact).first.click()
        self.settled(seconds)

    def sees(self, text: str, seconds: float = 120) -> None:
        self.page.get_by_text(text).first.wait_for(state="visible", timeout=1000 * seconds)

    def title(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def no_errors(self) -> None:
        assert self.page.get_by_test_id("stException").count() == 0, self.page.get_by_test_id("stException").first.inner_text()

    def picture(self) -> None:
        """A screenshot into build/screenshots, to be looked at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.shots += 1
        self.page.screenshot(path=str(PICTURES / f"{self.name}_{self.shots:02d}.png"))

    def accessible(self) -> None:
        """axe-core finds nothing serious in what the studio draws. Left out: Streamlit's own menu, which nests headings in its list."""
        from axe_playwright_python.sync_playwright import Axe

        context = {"exclude": [["[data-testid=stSidebarNavItems]"]]}
        told: list[str] = []
        for pause in (600, 2000, 4000):  # elements that go fade out, and are pale meanwhile
            self.settled()
            self.page.wait_for_timeout(pause)
            found = Axe().run(self.page, context=context, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            told = [f"{one['id']}: {node['html'][:160]}" for one in serious for node in one["nodes"][:3]]
            if not told:
                return
        pytest.fail("\n".join(told))


@contextmanager
def person(address: str, name: str, *, dark: bool = False, width: int = 1280, playwright: Any = None) -> Iterator[Person]:
    """A Chromium window on the studio."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", accept_downloads=True)
        page.set_default_timeout(90_000)
        try:
            yield Person(page, address, name)
        except Exception:
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(PICTURES / f"{name}_failed.png"))
            raise
        finally:
            browser.close()
