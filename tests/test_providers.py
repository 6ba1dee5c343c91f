"""The hosted providers against a real server on loopback, driven by the official client."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import ProviderError, SettingsError, Stopped
from core.io import providers
from core.io.providers import PROVIDERS, connect
from core.io.providers.addresses import OPENAI, for_child, key_for
from core.io.providers.client import hide
from core.io.providers.sending import OVER_BUDGET
from core.reply import Reply
from tests.loopback import KEY, Fault, Loopback, busy, no_credit, unsupported

VARIANTS: dict[str, Any] = {
    "type": "object",
    "properties": {"variants": {"type": "array", "items": {"type": "string"}}},
    "required": ["variants"],
    "additionalProperties": False,
}
"""The schema of a reply that holds variants of a text."""


class Clock:
    """Time that passes only in `sleep`."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def chats(n: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"Write three variants of\nthe red kettle number {i}"}] for i in range(n)]


def ask(server: Loopback, n: int = 1, **settings: Any) -> tuple[list[Reply], Any]:
    clock: Any = settings.pop("timed", None) or Clock()
    given = {"model": "small", "key": KEY, "keep": False, "clock": clock, "sleep": clock.sleep, **settings}
    one: Any = connect("compatible", base_url=server.url, **given)
    one.clock = given["clock"]
    return one.complete(chats(n), max_tokens=50, temperature=0.7, seed=1), one


def test_replies_come_back_in_order_with_usage_and_cost(home: Path) -> None:
    with Loopback() as server:
        replies, one = ask(server, 12, rates=(1.0, 2.0))
        assert [f"number {i}" in r.text or f'{i}"' in r.text or str(i) in r.text for i, r in enumerate(replies)] == [True] * 12
        assert all(r.finish == "stop" and not r.estimated and r.tokens_in and r.tokens_out for r in replies)
        assert one.spent == pytest.approx(sum((r.tokens_in or 0) + 2 * (r.tokens_out or 0) for r in replies) / 1e6)
        assert server.asked[0]["max_tokens"] == 50
        assert server.asked[0]["temperature"] == 0.7


def test_a_wrong_key_costs_one_request_and_is_not_shown(home: Path) -> None:
    with Loopback() as server:
        with pytest.raises(ProviderError) as told:
            ask(server, 30, key="sk-wrong-0123456789")
        assert len(server.asked) == 1
        assert told.value.title == "The key was refused"
        assert "sk-wrong" not in str(told.value)


@pytest.mark.parametrize(("fault", "title"), [
    (Fault(403, "Country not supported", "request_forbidden"), "Not allowed"),
    (Fault(404, "The model 'x' does not exist", "invalid_request_error", "model_not_found"), "No such model or address"),
    (no_credit(), "No credit left"),
    (Fault(400, "Invalid messages", "invalid_request_error"), "The request was refused"),
    ("redirect", "The address redirects"),
])  # fmt: skip
def test_what_cannot_get_better_is_asked_once(home: Path, fault: Any, title: str) -> None:
    with Loopback([fault]) as server:
        with pytest.raises(ProviderError) as told:
            ask(server, 9)
        assert (told.value.title, len(server.asked)) == (title, 1)


def test_retry_after_is_honoured_to_the_second(home: Path) -> None:
    with Loopback([busy(7)]) as server:
        [reply], one = ask(server)
        assert reply.finish == "stop"
        assert sum(one.clock.slept) == pytest.approx(7, abs=0.01)
        assert len(server.asked) == 2


def test_a_wait_beyond_two_minutes_ends_the_run_and_says_so(home: Path) -> None:
    with Loopback([busy(3600)]) as server, pytest.raises(ProviderError, match="3,600 s"):
        ask(server)


def test_a_busy_endpoint_is_asked_by_fewer_at_once(home: Path) -> None:
    with Loopback(["ok", *[busy(None)] * 2], pause=0.02) as server:
        replies, _ = ask(server, 24, parallel=8)
        assert all(r.finish == "stop" for r in replies)
        assert server.at_once > 2
        assert len(server.asked) == 26


@pytest.mark.parametrize("fault", ["malformed", "wrong shape", "html", "reset", Fault(500), Fault(503, "Slow Down")])
def test_passing_trouble_is_asked_again(home: Path, fault: Any) -> None:
    with Loopback([fault, fault]) as server:
        [reply], _ = ask(server)
        assert reply.finish == "stop"
        assert len(server.asked) == 3


def test_lasting_trouble_gives_one_request_up_and_goes_on_with_the_rest(home: Path) -> None:
    with Loopback(answer=lambda messages: Fault(500, "kaput") if "number 1" in messages[-1]["content"] else "fine") as server:
        replies, _ = ask(server, 3)
        assert [r.finish for r in replies] == ["stop", "error", "stop"]
        assert "kaput" in replies[1].error


def test_twenty_failures_in_a_row_end_the_run(home: Path) -> None:
    with Loopback(["ok", *[Fault(500)] * 200]) as server:
        with pytest.raises(ProviderError, match="requests in a row failed"):
            ask(server, 40, parallel=4)
        assert 20 <= len(server.asked) - 1 <= 24


def test_bursts_of_failures_lose_nothing(home: Path) -> None:
    with Loopback([Fault(500) if i % 10 in (2, 5, 7) else "ok" for i in range(400)]) as server:
        replies, _ = ask(server, 100, parallel=4)
        assert all(r.finish == "stop" for r in replies)


def test_a_reply_that_is_slow_or_drips_ends_at_the_deadline(home: Path) -> None:
    for fault in ("slow", "drip"):
        with Loopback([fault, fault]) as server:
            start = time.monotonic()
            with pytest.raises(ProviderError, match="no whole answer"):
                ask(server, deadline=0.5)
            assert time.monotonic() - start < 20
            assert len(server.asked) == 1


def test_empty_cut_and_refused_replies_are_told_apart(home: Path) -> None:
    with Loopback(["empty", "cut", "refusal"]) as server:
        replies, _ = ask(server, 3, parallel=1)
        assert [r.finish for r in replies] == ["stop", "length", "refusal"]
        assert replies[0].text == ""


def test_a_reply_without_usage_is_counted_here_and_flagged(home: Path) -> None:
    with Loopback(["no usage"]) as server:
        [reply], one = ask(server, rates=(1.0, 1.0))
        assert reply.estimated
        assert reply.tokens_in
        assert one.spent > 0


def test_a_setting_the_model_does_not_know_is_left_out(home: Path) -> None:
    with Loopback([unsupported("temperature"), unsupported("max_tokens")]) as server:
        replies, _ = ask(server, 4)
        assert all(r.finish == "stop" for r in replies)
        assert "temperature" not in server.asked[-1]
        assert server.asked[-1]["max_completion_tokens"] == 50


def test_the_budget_is_never_passed_and_what_arrived_is_kept(home: Path) -> None:
    with Loopback() as server:
        replies, one = ask(server, 50, rates=(100.0, 100.0), budget=0.05, parallel=8)
        answered = [r for r in replies if r.finish == "stop"]
        assert 0 < one.spent <= 0.05
        assert 0 < len(answered) == len(server.asked) < 50
        assert one.over_budget == 50 - len(answered)
        assert {r.error for r in replies if r.finish == "error"} == {OVER_BUDGET}


def test_the_same_question_is_not_paid_twice(home: Path) -> None:
    with Loopback() as server:
        first, _ = ask(server, 5, keep=True, rates=(1.0, 1.0))
        again, one = ask(server, 7, keep=True, rates=(1.0, 1.0))
        assert len(server.asked) == 7
        assert [r.text for r in again[:5]] == [r.text for r in first]
        assert [r.cached for r in again] == [True] * 5 + [False] * 2
        assert one.spent == pytest.approx(sum(r.usd or 0 for r in again[5:]))


def test_a_stop_keeps_what_is_under_way(home: Path) -> None:
    kept: list[int] = []

    def progress(done: int, total: int, message: str) -> None:
        if done == 3:
            raise Stopped

    with Loopback(pause=0.05) as server:
        one = connect("compatible", base_url=server.url, model="small", key=KEY, parallel=4)
        with pytest.raises(Stopped):
            one.complete(chats(30), max_tokens=20, progress=progress, arrived=lambda place, reply: kept.append(place))
        assert len(kept) == len(server.asked) < 30


def test_the_key_is_in_no_file_of_the_workspace_and_in_no_description(home: Path) -> None:
    with Loopback() as server:
        _, one = ask(server, 6, keep=True)
        assert (server.headers[0]["authorization"]) == f"Bearer {KEY}"
        assert KEY not in repr(one)
        assert all(KEY.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())
        assert KEY not in str(providers.public_settings({"model": "small", "key": KEY, "environment": {"A": KEY}}))


def test_another_address_gets_neither_key_nor_openai_headers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("OPENAI_API_KEY", KEY), ("OPENAI_ORG_ID", "org-canary"), ("OPENAI_CUSTOM_HEADERS", "X-Secret: canary")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with Loopback(key=None) as server:
        ask(server, key=None)
        assert "authorization" not in server.headers[0]
        assert "canary" not in str(server.headers[0])
    assert key_for(OPENAI) == (KEY, "the environment")
    assert key_for("https://api.openai.com.evil.example/v1") == (None, "")


def test_a_session_key_reaches_a_job_only_for_its_own_address() -> None:
    environment = for_child("http://127.0.0.1:1/v1", KEY)
    assert key_for("http://127.0.0.1:1/v1", environment=environment) == (KEY, "this session")
    assert key_for("http://127.0.0.1:2/v1", environment=environment) == (None, "")
    assert for_child("http://127.0.0.1:1/v1", "  ") == {}


def test_openai_without_a_key_says_so_before_anything_is_sent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ProviderError) as told:
        connect("openai", model="gpt-4o-mini", rates=(1.0, 1.0))
    assert told.value.title == "OpenAI has no key"


def test_words_of_an_endpoint_are_shown_without_keys() -> None:
    assert hide("bad key sk-proj-abcdefgh and Bearer xyz12345678\n twice", None) == "bad key [key] and [key] twice"
    assert len(hide("x" * 5000, None)) == 300


def test_every_provider_of_the_registry_is_there() -> None:
    from importlib import import_module

    for name, one in PROVIDERS.items():
        module, kind = one.path.split(":")
        assert hasattr(import_module(module), kind), name
    with pytest.raises(SettingsError, match="embedded, openai, compatible"):
        connect("gpt5")


class Parrot:
    """An engine that says what it was asked, with the settings it was given."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []

    def complete(self, requests: list[Any], *, max_tokens: int, seed: int, **settings: Any) -> list[Reply]:
        self.batches.append((len(requests), max_tokens))
        return [Reply(request[-1]["content"], 5, 5, 0.1) for request in requests]


def test_the_built_in_model_answers_in_order_in_small_batches() -> None:
    parrot = Parrot()
    seen: list[int] = []
    one = connect("embedded", engine=parrot)
    replies = one.complete(chats(20), max_tokens=[10 + 40 * (i % 2) for i in range(20)], arrived=lambda place, reply: seen.append(place))
    assert [r.text for r in replies] == [c[-1]["content"] for c in chats(20)]
    assert sorted(seen) == list(range(20))
    assert set(parrot.batches) == {(8, 32), (2, 32), (8, 64), (2, 64)}
