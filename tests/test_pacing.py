"""What the providers promise when an endpoint fails, limits, stalls or lies, measured against the double."""

from __future__ import annotations

import logging
import random
import time
import traceback
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from core.errors import Paused, ProviderError
from core.io.providers import connect, endpoints, test_connection
from core.io.providers.limits import Allowance, Room, retry_after, room_of, seconds_of
from core.reply import Reply
from tests.loopback import KEY, Fault, Limits, Loopback, busy, no_credit
from tests.platform import Platform
from tests.platform.server import Call
from tests.test_providers import VARIANTS, Clock, ask, chats


def dice(share: float, seed: int) -> Any:
    """A trouble that strikes so many of a hundred chat requests, at random."""
    drawn = random.Random(seed)
    return lambda call: Fault(500, "random") if call.path.endswith("completions") and drawn.random() < share else None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thirty_percent_random_errors_lose_nothing_and_cost_few_requests(home: Path, seed: int) -> None:
    with Loopback(trouble=dice(0.3, seed)) as server:
        replies, _ = ask(server, 200, parallel=16)
        assert {r.finish for r in replies} == {"stop"}
        assert len(server.asked) / 200 <= 1.6


@pytest.mark.parametrize(("told", "at_least", "at_most"), [
    ({"retry-after": "7"}, 7.0, 7.01), ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5, 2.51), ({"retry-after": "DATE"}, 28.0, 30.0),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "4s"}, 4.0, 4.01),
])  # fmt: skip
def test_no_worker_asks_before_the_wait_is_over(home: Path, told: dict[str, str], at_least: float, at_most: float) -> None:
    clock = Clock()
    told = {name: formatdate(time.time() + 30, usegmt=True) if value == "DATE" else value for name, value in told.items()}
    with Loopback(["ok"] * 20 + [busy(None, **told)], clock=clock, pause=0.01) as server:
        replies, _ = ask(server, 60, parallel=8, timed=clock)
        assert {r.finish for r in replies} == {"stop"}
        after = [at for at, _, _ in server.seen if at > 0.0]
        assert at_least - 0.001 <= min(after) <= at_most
        assert len(server.asked) == 61


def test_a_rate_limit_is_kept_by_its_headers_and_hardly_met(home: Path) -> None:
    clock = Clock()
    with Loopback(clock=clock, limits=Limits(20, 10.0)) as server:
        replies, _ = ask(server, 120, parallel=16, timed=clock)
        assert {r.finish for r in replies} == {"stop"}
        assert len(server.asked) - 120 <= 16  # one of each place at most; without the headers more than 72 are refused
        assert 40 <= clock.now <= 75  # 100 more than the first 20, two a second, are 50 s


LASTING = [Fault(500, "kaput"), Fault(400, "no longer served"), busy(1), busy(None), "reset", "malformed", "html"]


@pytest.mark.parametrize("fault", LASTING, ids=["500", "400", "429 told", "429", "reset", "malformed", "html"])
@pytest.mark.parametrize("parallel", [1, 4, 16])
def test_a_lasting_failure_pauses_within_twenty_and_the_concurrency(home: Path, fault: Any, parallel: int) -> None:
    with Loopback(["ok"] * 30 + [fault] * 500) as server:
        with pytest.raises(Paused) as told:
            ask(server, 200, parallel=parallel, keep=True)
        assert len(server.asked) - 30 <= 20 + parallel
        assert told.value.reason in ("failing", "busy")
        assert "requests in a row failed" in str(told.value)


def test_a_paused_run_resumes_without_paying_twice(home: Path) -> None:
    with Loopback(["ok"] * 30 + [Fault(500)] * 500) as server:
        with pytest.raises(Paused):
            ask(server, 60, parallel=4, keep=True)
        server.script.clear()
        before = len(server.asked)
        replies, _ = ask(server, 60, parallel=4, keep=True)
        assert {r.finish for r in replies} == {"stop"}
        assert len(server.asked) - before == 30


def test_a_wave_of_failures_is_one_failure(home: Path) -> None:
    with Loopback(["ok"] * 10 + ["reset"] * 24, pause=0.02) as server:
        replies, _ = ask(server, 100, parallel=24)
        assert {r.finish for r in replies} == {"stop"}


def test_a_stalled_endpoint_pauses_after_one_deadline(home: Path) -> None:
    with Loopback(["ok"] * 8 + ["slow"] * 50) as server:
        start = time.monotonic()
        with pytest.raises(Paused) as told:
            ask(server, 40, parallel=4, deadline=0.5, clock=time.monotonic, sleep=time.sleep)
        assert time.monotonic() - start < 20
        assert told.value.reason == "stalled"
        assert len(server.asked) <= 8 + 4 + 4


def test_one_slow_request_is_asked_again_and_holds_nobody_up(home: Path) -> None:
    with Loopback(["ok", "slow"], pause=0.02) as server:
        replies, one = ask(server, 100, parallel=4, deadline=1.0, rates=(1.0, 1.0), budget=1.0)
        assert {r.finish for r in replies} == {"stop"}
        assert len(server.asked) == 101
        assert one.unsure > 0


def test_no_credit_is_not_asked_again(home: Path) -> None:
    with Loopback(["ok"] * 10 + [no_credit()] * 50) as server:
        with pytest.raises(Paused) as told:
            ask(server, 80, parallel=4)
        assert (told.value.reason, told.value.title) == ("no credit", "No credit left")
        assert len(server.asked) <= 10 + 4


def test_rows_that_are_too_long_or_always_fail_do_not_hold_up_the_others(home: Path) -> None:
    def answer(messages: list[dict[str, str]]) -> str | Fault:
        number = int(messages[-1]["content"].split()[-1])
        long = Fault(400, "This model's maximum context length is 8 tokens", "invalid_request_error", "context_length_exceeded", "messages")
        return {0: long, 1: Fault(500, "poison")}.get(number, "fine")

    with Loopback(answer=answer) as server:
        replies, _ = ask(server, 12, parallel=2)
        assert [r.finish for r in replies] == ["error", "error", *["stop"] * 10]
        assert "context length" in replies[0].error


def test_overspending_stays_within_the_requests_under_way(home: Path) -> None:
    with Loopback(pause=0.01) as server:
        server.dearer = 30
        replies, one = ask(server, 80, rates=(10.0, 10.0), budget=0.05, parallel=8)
        dearest = max(r.usd or 0.0 for r in replies)
        assert one.over_budget > 0
        assert one.spent > 0.05  # the endpoint charged more than it could be asked for
        assert one.spent - 0.05 <= 8 * dearest


@pytest.mark.parametrize("act", ["no usage", "zero usage"])
def test_usage_that_is_missing_or_zero_is_counted_here_and_flagged(home: Path, act: str) -> None:
    with Loopback([act]) as server:
        [reply], one = ask(server, rates=(1.0, 1.0))
        assert reply.estimated
        assert min(reply.tokens_in or 0, reply.tokens_out or 0) > 0
        assert one.spent > 0


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_equal_requests_draw_apart_and_are_asked_once_where_nothing_is_drawn(home: Path, temperature: float) -> None:
    with Loopback() as server:
        came: list[int] = []
        for free in (False, True):
            one: Any = connect("compatible", base_url=server.url, model="small", key=KEY)
            rows = [*chats(3), *chats(2)]
            replies = one.complete(rows, max_tokens=50, temperature=temperature, seed=5, arrived=lambda place, reply: came.append(place))
            assert sorted(came) == sorted([0, 1, 2, 3, 4] * (1 + free))
            assert [r.cached for r in replies] == ([True] * 5 if free else [False] * 3 + [temperature == 0] * 2)
        assert sorted(body["seed"] for body in server.asked) == ([5, 5, 5] if temperature == 0 else [5, 5, 5, 6, 6])


def asked_by_schema(server: Platform, n: int = 6, **more: Any) -> list[Reply]:
    clock = Clock()
    one: Any = connect("compatible", base_url=server.url, key=KEY, clock=clock, sleep=clock.sleep, **{"model": "gpt-4o-mini", **more})
    return one.complete(chats(n), max_tokens=90, schema=VARIANTS)


def test_a_schema_is_kept_to_where_the_endpoint_knows_schemas(home: Path) -> None:
    with Platform() as server:
        replies = asked_by_schema(server)
        assert all(r.text.startswith('{"variants": [') for r in replies)
        assert server.asked[0]["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize("how", ["named", "not named"])
def test_an_endpoint_without_schemas_is_asked_plainly_from_then_on(home: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def vague(call: Call) -> Fault | None:
        return Fault(400, "Bad request", "invalid_request_error") if "response_format" in call.body else None

    with Platform(trouble=vague if how == "not named" else None) as server:
        for expected in (["response_format"], []):
            replies = asked_by_schema(server, model="gpt-3.5-turbo" if how == "named" else "gpt-4o-mini", n=3 if expected else 5)
            assert {r.finish for r in replies} == {"stop"}
            assert all(r.text.startswith("[") for r in replies)
            assert [name for body in server.asked for name in ("response_format",) if name in body] == expected
            server.asked.clear()
        later = time.time() + endpoints.WEEK + 1
        monkeypatch.setattr("core.io.providers.endpoints.time.time", lambda: later)
        assert endpoints.without(server.url, "gpt-3.5-turbo") == set()


def test_a_reasoning_model_gets_only_what_it_takes(home: Path) -> None:
    with Platform() as server:
        one: Any = connect("compatible", base_url=server.url, model="gpt-5-mini", key=KEY, keep=False)
        assert {r.finish for r in one.complete(chats(3), max_tokens=60, temperature=0.7)} == {"stop"}
        assert len(server.asked) == 2 + 3
        assert {"max_tokens", "temperature"}.isdisjoint(server.asked[-1])


def test_the_key_appears_nowhere_even_when_the_endpoint_repeats_it(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    faults = [Fault(status, f"no: {KEY}", KEY, KEY, KEY) for status in (400, 401, 403, 404, 429, 500)]
    told: list[str] = []
    for fault in faults:
        with Loopback([fault] * 30) as server, pytest.raises(ProviderError) as error:
            ask(server, 3, keep=True)
        told += [str(error.value), error.value.title, *traceback.format_exception(error.value)]
    with Loopback(["ok"], answer=lambda messages: f"your key is {KEY}") as server:
        replies, one = ask(server, 3, keep=True)
        told += [repr(replies), repr(one), repr(one.__dict__.get("_count"))]
    assert replies[0].text == "your key is [key]"
    assert len(told) > 20
    assert not [text for text in [*told, caplog.text] if KEY in text]
    assert not [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(("act", "title", "words"), [
    ("html", "That is a web page", "/v1"), ("text", "The answer is not JSON", "it works"), ("wrong shape", "The answer lists no models", "protocol"),
    ("malformed", "The answer is not JSON", "JSON"), ("slow", "The endpoint is too slow", "0.5 s"), ("redirect", "The address redirects", "another"),
    (Fault(500, "kaput"), "The endpoint failed", "kaput"), (Fault(403, "region"), "Not allowed", "region"),
])  # fmt: skip
def test_a_failed_connection_names_its_cause(home: Path, act: Any, title: str, words: str) -> None:
    with Loopback(trouble=lambda call: act) as server, pytest.raises(ProviderError, match=words) as told:
        test_connection("compatible", base_url=server.url, key=KEY, deadline=0.5)
    assert told.value.title == title


def test_a_connection_lists_models_or_says_whether_address_key_or_path_is_wrong(home: Path) -> None:
    with Loopback(models=["b", "a"]) as server:
        assert test_connection("compatible", base_url=server.url, key=KEY).models == ("a", "b")
        with pytest.raises(ProviderError, match="Incorrect API key") as key:
            test_connection("compatible", base_url=server.url, key="sk-wrong-0123456789")
        with pytest.raises(ProviderError, match="usually end in /v1") as path:
            test_connection("compatible", base_url=server.url.removesuffix("/v1"), key=KEY)
    with pytest.raises(ProviderError, match="Nothing listens at 127") as nobody:
        test_connection("compatible", base_url=server.url, key=KEY)
    assert [one.value.title for one in (key, path, nobody)] == ["The key was refused", "No such path", "The endpoint cannot be reached"]


def test_headers_of_waits_and_limits_are_read() -> None:
    assert [seconds_of(text) for text in ("1s", "6m0s", "20ms", "1h2m3.5s", "12", "soon", "")] == [1, 360, 0.02, 3723.5, 12, None, None]
    assert [retry_after({"retry-after": text}) for text in ("3", "2.5", "soon", "")] == [3, 2.5, None, None]
    room = room_of({"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10s"})
    assert room.wait(5) == pytest.approx(1.0)
    assert room.less(0, 4).wait(5) == pytest.approx(5.0)
    assert Room(tokens=Allowance(1000, 100, 9.0)).wait(400) == pytest.approx(3.0)
    assert Room().wait(10**9) == 0
