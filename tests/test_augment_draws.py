"""Equal requests draw apart, and a run that is stopped and resumed draws what it would have drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.augment.presets import AugmentSettings
from core.errors import Stopped
from core.io import augmenting, jobs, store, written
from core.io.augmenting import Writer
from core.io.providers import connect
from core.reply import Reply
from core.version import Roles, Version
from tests.loopback import Fault, Loopback
from tests.test_augmenting import key_of, start

TWICE = AugmentSettings("text", variants=2, one_each=True, system="", user="Say this in other words: $text")
"""Two requests for each row, which ask for exactly the same."""
ROWS = 4


def doubled() -> Version:
    """Rows of which two are the same text."""
    texts = [
        "the red kettle sings on the stove",
        "my lamp is dim",
        "the red kettle sings on the stove",
        "a rope of forty strands",
        "kept aside",
    ]
    rows = pd.DataFrame({"text": texts, "answer": list("abaab"), "split": ["train"] * ROWS + ["test"]})
    return store.save("Doubled", rows, title="Split", roles=Roles(text=("text",), target="answer", split="split"), task="classification",
                      source_hash="doubled")  # fmt: skip


def drawn(server: Loopback) -> dict[str, list[int]]:
    """What was answered: text that was asked about -> the seeds, in order."""
    found: dict[str, list[int]] = {}
    for body in server.asked:
        found.setdefault(body["messages"][-1]["content"], []).append(body["seed"])
    return found


def texts(job: jobs.Job) -> dict[str, str]:
    return {line["key"]: line["reply"]["text"] for line in written.lines(job.folder) if "reply" in line}


def by_seed(server: Loopback) -> Any:
    """Answers that differ with the seed, as a model at a temperature does; for one request at a time."""
    return lambda messages: json.dumps([f"said with seed {server.asked[-1]['seed']}: {messages[-1]['content'][-20:]}"])


@pytest.mark.parametrize("after", [1, 3, 5])
def test_a_resumed_run_draws_anew_where_equal_requests_were_answered_before(after: int, home: Path) -> None:
    version = doubled()
    with Loopback() as server:
        server.answer = by_seed(server)
        whole = start(version, server, settings=TWICE, parallel=1)
        assert whole.state == "done", whole.error
        told, seeds = texts(whole), drawn(server)
    assert sorted(map(len, seeds.values())) == [2, 2, 4]
    assert all(len(set(some)) == len(some) for some in seeds.values())
    assert len(set(told.values())) == 2 * ROWS
    for path in (home / "replies").glob("*.jsonl"):
        path.unlink()
    revoked = Fault(401, "key was revoked", "invalid_request_error")
    with Loopback(["ok"] * after + [revoked] * 8) as server:
        server.answer = by_seed(server)
        job = start(version, server, settings=TWICE, parallel=1)
        assert (job.state, len(texts(job))) == ("failed", after)
        server.script.clear()
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.state == "done", again.error
        assert not any(line["reply"]["cached"] for line in written.lines(job.folder))
    assert texts(again) == told


def test_at_temperature_0_equal_requests_are_paid_once(home: Path) -> None:
    with Loopback() as server:
        job = start(doubled(), server, settings=replace(TWICE, temperature=0.0), parallel=1)
        assert job.state == "done", job.error
        assert len(server.asked) == 3
        assert len(texts(job)) == 2 * ROWS


def test_a_trial_and_the_run_after_it_pay_a_request_once(home: Path) -> None:
    version = doubled()
    with Loopback() as server:
        writer = Writer("compatible", "small", server.url, 1, (1.0, 2.0))
        augmenting.try_rows(version, TWICE, writer, rows=2, environment=key_of(server))
        tried = len(server.asked)
        start(version, server, settings=TWICE, parallel=1)
        assert tried == 4
        assert len(server.asked) == 2 * ROWS


def test_each_request_may_have_a_seed_of_its_own(home: Path) -> None:
    asked = [[{"role": "user", "content": "the same"}]] * 3
    with Loopback(key=None) as server:
        one: Any = connect("compatible", base_url=server.url, model="small")
        one.complete(asked[:2], max_tokens=20, temperature=0.9, seed=[11, 12])
        one.complete(asked, max_tokens=20, temperature=0.9, seed=[12, 11, 13])
        assert sorted(body["seed"] for body in server.asked) == [11, 12, 13]


class Dice:
    """An engine whose answers depend on the seed and on the company, as a sampled batch does."""

    def __init__(self, last: int = 10**6) -> None:
        self.calls, self.last = 0, last

    def complete(self, requests: list[Any], *, seed: int, **settings: Any) -> list[Reply]:
        self.calls += 1
        if self.calls > self.last:
            raise Stopped
        return [Reply(f"throw {seed}.{i} of {len(requests)} about {one[-1]['content'][:30]}", 5, 5, 0.1) for i, one in enumerate(requests)]


def test_the_built_in_model_s_run_goes_on_as_it_would_have(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.io import embedded

    monkeypatch.setattr(embedded, "ensure_converted", lambda say: None)
    settings = AugmentSettings("text", variants=5, one_each=True, temperature=0.7)
    version = doubled()
    request = {"dataset": version.dataset, "version": version.id, "settings": settings.to_dict(), "writer": Writer("embedded").to_dict(),
               "meaning": False}  # fmt: skip

    def run(engine: Dice, id: str = "") -> jobs.Job:
        monkeypatch.setattr(embedded, "engine", lambda: engine)
        return jobs.resume(id) if id else jobs.start("augment", request, title="Write", dataset=version.dataset)

    whole = run(Dice())
    assert whole.state == "done", whole.error
    cut = run(Dice(last=2))
    assert cut.state == "cancelled"
    journal = cut.folder / "replies.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-3]))
    assert run(Dice(), cut.id).state == "done"
    assert texts(cut) == texts(whole)
    assert len(texts(whole)) == 5 * ROWS
