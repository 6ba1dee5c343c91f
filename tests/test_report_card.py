"""The report card: what was accepted, how varied it is, what it cost, and whether that is an estimate."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.io import batches, by_hand, encoder, report_card
from tests.loopback import Loopback
from tests.test_augmenting import SETTINGS, saved, start


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double's words are no English; what they mean is not asked."""
    monkeypatch.setattr(encoder, "installed", lambda: False)


def test_the_card_counts_requests_tokens_and_usd_per_kept_row(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        job = start(version, server)
    one = batches.batch(version, job.id)
    card = report_card.report_card(version, one)
    assert (card.requests, card.report.accepted, card.kept) == (20, 60, 60)
    assert job.result is not None
    assert card.usd == pytest.approx(job.result["usd"])
    assert card.usd_per_kept == pytest.approx(card.usd / 60)
    assert not card.estimated
    assert (card.variety.before.texts, card.variety.after.texts, card.variety.by) == (20, 80, "spelling")
    assert card.variety.novelty.words is not None
    assert card.variety.novelty.words > 0
    assert card.variety.after.spread < card.variety.before.spread
    batches.decide(one, {f"{batches.reviewed(version, one)[0]['key'].iloc[0]}:0": {"keep": False}})
    assert report_card.report_card(version, one).kept == 59


def test_usage_that_was_counted_here_is_flagged(home: Path) -> None:
    version = saved()
    with Loopback(["ok", "no usage"]) as server:
        job = start(version, server)
    card = report_card.report_card(version, batches.batch(version, job.id))
    assert card.estimated
    assert card.tokens_out > 0


def test_by_hand_costs_nothing_and_asks_nobody(home: Path) -> None:
    version = saved()
    request = by_hand.hand_requests(version, SETTINGS, 1)[0]
    words = request.asks[0].original.split()
    by_hand.paste(version, SETTINGS, request, f"1. {' '.join([*words[4:], *words[:4]])}")
    card = report_card.report_card(version, batches.batches(version)[0])
    assert (card.requests, card.usd, card.tokens_in) == (0, 0.0, 0)
