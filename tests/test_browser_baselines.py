"""A person watches baselines run, stops and resumes them, reads the answer, and looks into a model by clicking."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.io import evaluations, jobs
from tests.browser import Person, chromium, person, serving
from tests.doubles import version

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
FIRST = 32
"""Questions that are answered at once; the others wait until they may be."""


@contextmanager
def talker() -> Iterator[tuple[str, threading.Event]]:
    """The address of a model that always says 30 dollars, and the event that lets it answer more than the first questions."""
    go_on, asked, turn = threading.Event(), [0], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with turn:
                asked[0] += 1
                late = asked[0] > FIRST
            if late and not go_on.wait(60):
                return
            usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Price is $30.00"}}
            body = json.dumps({"id": "x", "object": "chat.completion", "model": "talker", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", go_on
    finally:
        go_on.set()
        server.shutdown()


def shows(me: Person, key: str) -> None:
    me.page.locator(f".st-key-{key}").first.wait_for(state="visible")


def click_point(me: Person) -> None:
    """Click the first point of the figure under the heading of the model, where it can be hit."""
    point = me.page.locator(".st-key-baselines_inside .scatterlayer .point").last
    point.evaluate("one => one.scrollIntoView({block: 'center'})")
    box = point.bounding_box()
    assert box is not None
    me.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_baselines_are_watched_stopped_resumed_and_looked_into(home, monkeypatch):
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    one = version("regression", 200)
    with talker() as (url, go_on), serving(home) as address, person(address, "baselines") as me:
        names = ["constant_median", "bow_linear", "prompted"]
        provider = {"name": "compatible", "base_url": url, "model": "talker"}
        request = {"dataset": one.dataset, "version": one.id, "names": names, "limit": 40, "provider": provider, "estimate": 9.0}
        jobs.start("baselines", request, title="3 baselines", dataset=one.dataset)
        me.go(f"/baselines?dataset={one.dataset}")
        me.sees(f"{FIRST} of 40 rows answered")
        me.sees("2 of 3 done")
        me.no_errors()
        me.picture()
        me.page.locator(".st-key-baselines_stop button").click()
        me.sees("The last run was stopped. 2 of 3 predictors had answered")
        me.picture()

        go_on.set()
        me.page.locator(".st-key-baselines_resume button").click()
        me.sees("does not beat the baseline")
        me.sees("paired on 40 rows")
        me.picture()
        assert len(evaluations.of(one.dataset)) == 3

        me.page.get_by_text("Table", exact=True).first.click()
        me.sees("Differences are paired on the rows both answered")
        me.no_errors()
        me.page.get_by_text("Ladder", exact=True).first.click()
        shows(me, "baselines_inside")
        me.settled()
        click_point(me)
        me.sees("The most similar train rows")
        me.sees("1 of 40 rows")
        me.picture()
        me.page.locator(".st-key-baselines_all button").click()
        me.sees("40 of 40 rows")
        for view, seen in (("Residuals", "too "), ("By category", "with its 95 % interval"), ("Worst rows", "Unread first"),
                           ("More rows", "Would more training rows help?")):  # fmt: skip
            me.page.locator(".st-key-baselines_view").get_by_text(view, exact=True).click()
            me.sees(seen)
            me.no_errors()
        me.accessible()
