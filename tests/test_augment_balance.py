"""Small classes are brought to their number: what is rejected is asked once more, a bounded number of times, and what is missing is told."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.augment.balance import ROUNDS, further, lacking
from core.augment.presets import AugmentSettings
from core.io import augmenting, batches, children, jobs, judging, store, written
from core.version import Roles, Version
from tests.loopback import Fault, Loopback
from tests.test_augmenting import key_of, start

WORDS = (
    "lantern",
    "violin",
    "harbour",
    "meadow",
    "granite",
    "orchard",
    "thunder",
    "velvet",
    "copper",
    "walnut",
    "juniper",
    "saffron",
    "pebble",
)


def uneven(rare: int = 4) -> Version:
    """Twenty rows of one class, few of another, one without a label."""
    labels = [*(["common"] * 20), *(["rare"] * rare), None]
    texts = [f"{WORDS[i % 13]} {WORDS[(3 * i + 1) % 13]} was delivered on day number {i} in a good state, the {WORDS[(5 * i + 2) % 13]} too"
             for i in range(len(labels))]  # fmt: skip
    rows = pd.DataFrame({"text": [*texts, "something kept aside for the test"], "label": [*labels, "rare"],
                         "split": [*(["train"] * len(labels)), "test"]})  # fmt: skip
    return store.save("Uneven", rows, title="Split", roles=Roles(text=("text",), target="label", split="split"), task="classification",
                      source_hash=f"uneven{rare}")  # fmt: skip


def settings_to(number: int, most: int = 10, **more: Any) -> AugmentSettings:
    return AugmentSettings("text", "balance", variants=most, to=number, **more)


class Half:
    """A writer of whose texts every other one is a copy of the original."""

    def __init__(self, good: int = 2) -> None:
        self.made, self.good = 0, good

    def __call__(self, messages: list[dict[str, Any]]) -> str:
        asked = messages[-1]["content"]
        count, original = int(re.findall(r"Write (\d+)", asked)[0]), asked.split("Text:\n")[1]
        said = []
        for _ in range(count):
            self.made += 1
            new = " ".join(WORDS[(self.made * step + step) % 13] + str(self.made) for step in (1, 2, 3, 5, 7, 11))
            said.append(original if self.good == 0 or self.made % self.good else new)
        return json.dumps(said)


def sizes(version: Version, job: jobs.Job) -> Counter[str]:
    """Train rows of each class once the accepted variants are saved."""
    one = batches.batch(version, job.id)
    made = children.save(version, batches.accepted(version, one), one.settings, one.writer)
    return Counter(store.frame(made, split="train")["label"].dropna().tolist())


def test_a_class_reaches_its_number_although_half_of_what_is_written_is_rejected(home: Path) -> None:
    version = uneven()
    with Loopback(answer=Half()) as server:
        job = start(version, server, settings=settings_to(20), parallel=1)
    assert job.state == "done", job.error
    assert sizes(version, job) == {"common": 20, "rare": 20}
    assert job.result is not None
    assert job.result["short"] == {}
    assert 1 <= len(written.further(job.folder)) <= ROUNDS
    assert job.result["requests"] == len(server.asked) == job.total == job.step


def test_a_writer_that_only_copies_is_asked_twice_and_what_is_missing_is_told(home: Path) -> None:
    version = uneven()
    with Loopback(answer=Half(good=0)) as server:
        job = start(version, server, settings=settings_to(20), parallel=1)
    assert job.result is not None
    assert job.result["short"] == {"rare": 16}
    assert len(written.further(job.folder)) == 1
    assert len(server.asked) == 8


def test_no_row_gets_more_than_its_most_and_that_is_told(home: Path) -> None:
    version = uneven(rare=2)
    with Loopback(answer=Half()) as server:
        job = start(version, server, settings=settings_to(20, most=3), parallel=1)
    assert job.result is not None
    assert sizes(version, job) == {"common": 20, "rare": 2 + 2 * 3}
    assert job.result["short"] == {"rare": 12}
    per_row = Counter(batches.accepted(version, batches.batch(version, job.id))["row"].tolist())
    assert set(per_row.values()) == {3}


def test_the_budget_ends_the_rounds(home: Path) -> None:
    version = uneven()
    with Loopback(answer=Half()) as server:
        job = start(version, server, settings=settings_to(20), parallel=1, budget=0.012, rates=(10.0, 20.0))
    assert job.result is not None
    assert job.result["stopped"] == "budget"
    assert job.result["short"]["rare"] > 0
    assert job.result["usd"] <= 0.012


@pytest.mark.parametrize("after", [2, 5, 7])
def test_a_run_stopped_in_any_round_ends_as_if_nothing_had_happened(after: int, home: Path) -> None:
    version, settings = uneven(), settings_to(20)
    replies: dict[tuple[str, int], str] = {}
    half = Half()

    def same(server: Loopback) -> Any:
        """Answers that depend on the request and its seed alone."""

        def answer(messages: list[dict[str, Any]]) -> str:
            key = (messages[-1]["content"], server.asked[-1]["seed"])
            return replies.setdefault(key, half(messages))

        return answer

    with Loopback() as server:
        server.answer = same(server)
        whole = start(version, server, settings=settings, parallel=1)
        total = len(server.asked)
    revoked = Fault(401, "key was revoked", "invalid_request_error")
    for path in (home / "replies").glob("*.jsonl"):
        path.unlink()
    with Loopback(["ok"] * after + [revoked] * 8) as server:
        server.answer = same(server)
        job = start(version, server, settings=settings, parallel=1)
        assert job.state == "failed"
        server.script.clear()
        job = jobs.resume(job.id, environment=key_of(server))
        assert len(server.asked) == total + 1
    assert job.state == "done", job.error
    assert written.further(job.folder) == written.further(whole.folder)
    assert augmenting.review(version, settings, job.folder)[0].equals(augmenting.review(version, settings, whole.folder)[0])
    one, other = dict(job.result or {}), dict(whole.result or {})
    assert one == other


def test_further_requests_are_for_the_rows_with_the_fewest_and_never_for_a_row_without_a_label(home: Path) -> None:
    version, settings = uneven(), settings_to(20, most=5)
    train = judging.train_rows(version)
    asks = judging.asks(version, settings)
    accepted = {20: 5, 21: 4, 22: 1}
    assert lacking(train, version.roles, settings, accepted) == {"rare": 6}
    more = further(train, version.roles, settings, [asks], accepted)
    assert sum(n for _, _, n in more) == 6
    assert {row for row, _, _ in more} <= {21, 22, 23}
    assert {row: n for row, _, n in more}.get(21, 0) <= 1
    assert {draw for _, draw, _ in more} == {1}
    assert further(train, version.roles, settings, [asks], accepted, accepted) == []
    assert not any(ask.row == 24 for ask in asks)
