"""Large jobs through the Batch API, against the double: nothing is paid twice, whatever happens on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import Paused, ProviderError, Stopped
from core.io import files
from core.io.providers import connect
from core.io.providers.batch import Batched, batch_rates
from core.io.providers.sending import OVER_BUDGET
from core.reply import Reply
from tests.loopback import KEY, Fault, Loopback
from tests.platform.server import Call
from tests.test_providers import VARIANTS, Clock, chats


def batched(server: Loopback, folder: Path, *, budget: float | None = None, keep: bool = False, **settings: Any) -> Batched:
    clock = Clock()
    host: Any = connect("compatible", base_url=server.url, model="small", key=KEY, rates=(2.0, 4.0), budget=budget, keep=keep,
                        clock=clock, sleep=clock.sleep)  # fmt: skip
    return Batched(host, folder, **settings)


def ask(one: Batched, n: int, **how: Any) -> list[Reply]:
    return one.complete(chats(n), max_tokens=60, temperature=0.7, seed=1, **how)


def posts(server: Loopback, path: str) -> int:
    return sum(method == "POST" and where.endswith(path) for _, method, where in server.seen)


class KilledError(Exception):
    """Stands for the end of the process."""


def test_a_batch_gives_the_same_replies_in_order_at_half_the_price(home: Path, tmp_path: Path) -> None:
    came: list[int] = []
    with Loopback() as server:
        one = batched(server, tmp_path)
        replies = ask(one, 9, arrived=lambda place, reply: came.append(place))
        host: Any = connect("compatible", base_url=server.url, model="small", key=KEY, rates=(2.0, 4.0), keep=False)
        singly = host.complete(chats(9), max_tokens=60, temperature=0.7, seed=1)
    assert [r.text for r in replies] == [r.text for r in singly]
    assert sorted(came) == list(range(9))
    assert replies[0].usd == pytest.approx(singly[0].usd)  # the first goes alone, at once
    assert [r.usd for r in replies[1:]] == pytest.approx([(r.usd or 0) / 2 for r in singly[1:]])
    assert one.spent == pytest.approx(sum(r.usd or 0 for r in replies))


def test_the_rows_are_deleted_at_the_platform_and_it_is_told(home: Path, tmp_path: Path) -> None:
    words: list[str] = []
    with Loopback() as server:
        one = batched(server, tmp_path)
        ask(one, 4, progress=lambda done, total, message: words.append(message))
        assert server.files.there == {}
        assert len(server.files.deleted) == 2
    assert one.told == ["Deleted 2 files of rows and replies at the provider"]
    assert words[-1] == one.told[0]
    assert "Batch at the provider: in progress" in words


def test_a_large_job_is_split_by_requests_and_by_bytes(home: Path, tmp_path: Path) -> None:
    for settings, parts in (({"most": 4}, 3), ({"largest": 700}, 5)):
        with Loopback() as server:
            server.batches.most, server.batches.largest = settings.get("most", 50), settings.get("largest", 10**6)
            replies = ask(batched(server, files.folder(str(parts)), **settings), 11)
            assert {r.finish for r in replies} == {"stop"}
            assert posts(server, "/batches") == parts
            assert {one.counts["failed"] for one in server.batches.there.values()} == {0}


KILLS = ["POST /v1/files", "POST /v1/batches", "GET /v1/batches/", "GET /v1/files/", "DELETE /v1/files/"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", KILLS)
def test_a_killed_run_finds_its_batch_again_and_pays_once(
    home: Path, tmp_path: Path, where: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends just before or just after that call reaches the platform."""
    import httpx2

    real = httpx2.HTTPTransport.handle_request
    killed: list[str] = []

    def handle(self: Any, request: Any) -> Any:
        line = f"{request.method} {request.url.path}"
        hit = line.startswith(where) and not killed and (len(line) > len(where)) == where.endswith("/")
        if hit:
            killed.append(line)
            if after:
                real(self, request).read()
            raise KilledError
        return real(self, request)

    with Loopback() as server:
        monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", handle)
        before: dict[int, Reply] = {}
        with pytest.raises(KilledError):
            ask(batched(server, tmp_path), 6, arrived=lambda place, reply: before.update({place: reply}))
        assert killed
        one = batched(server, tmp_path)
        replies = one.complete(chats(6)[1:], max_tokens=60, temperature=0.7, seed=1)  # the first reply was journalled
        assert {r.finish for r in replies} == {"stop"}
        assert posts(server, "/files") == 1 or (where == "POST /v1/files" and not after)
        assert len(server.batches.there) == 1
        assert posts(server, "/chat/completions") == 1
        assert server.files.there == {}


def test_stopping_leaves_the_batch_running_and_a_resume_waits_for_it(home: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int, message: str) -> None:
        if "validating" in message or "in progress" in message:
            raise Stopped

    with Loopback() as server:
        with pytest.raises(Stopped):
            ask(batched(server, tmp_path), 5, progress=stop)
        assert files.read_json(tmp_path / "batch.json")["parts"][0]["batch"] in server.batches.there
        replies = batched(server, tmp_path).complete(chats(7)[1:], max_tokens=60, temperature=0.7, seed=1)
        assert {r.finish for r in replies} == {"stop"}
        assert [one.counts["total"] for one in server.batches.there.values()] == [4, 2]  # two rows are new


def test_cancelling_keeps_what_was_answered_and_says_so_of_the_rest(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        server.batches.fates = ["stuck"]
        one = batched(server, tmp_path)

        def cancel(done: int, total: int, message: str) -> None:
            if "in progress" in message:
                assert one.cancel() == ["cancelling"]
                raise Stopped

        with pytest.raises(Stopped):
            ask(one, 9, progress=cancel)
        replies = batched(server, tmp_path).complete(chats(9)[1:], max_tokens=60, temperature=0.7, seed=1)
        assert [r.finish for r in replies] == ["stop"] * 4 + ["error"] * 4
        assert "cancelled" in replies[-1].error
        assert posts(server, "/chat/completions") == 1


def test_an_expired_batch_keeps_its_part_and_the_rest_is_asked_on_resume(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        server.batches.fates = ["expired"]
        replies = ask(batched(server, tmp_path), 9)
        assert [r.finish for r in replies] == ["stop"] * 5 + ["error"] * 4
        assert "completion window expired" in replies[-1].error
        again = batched(server, tmp_path).complete(chats(9)[5:], max_tokens=60, temperature=0.7, seed=1)
        assert {r.finish for r in again} == {"stop"}
        assert [one.counts["total"] for one in server.batches.there.values()] == [8, 4]


def test_a_refused_batch_is_explained_in_the_platforms_words(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        server.batches.most = 3
        one = batched(server, tmp_path)
        replies = ask(one, 9)
        assert replies[0].finish == "stop"
        assert "larger than 3 requests" in replies[1].error
        with pytest.raises(ProviderError, match="larger than 3 requests") as told:
            batched(server, tmp_path).complete(chats(9)[1:], max_tokens=60, temperature=0.7, seed=1)
        assert told.value.title == "The batch was refused"


def test_a_full_queue_pauses_and_is_tried_again_on_resume(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        server.batches.enqueued = 5
        with pytest.raises(Paused) as told:
            ask(batched(server, tmp_path), 5)
        assert (told.value.title, told.value.reason) == ("Too much is queued", "busy")
        server.batches.enqueued = 10**9
        assert {r.finish for r in batched(server, tmp_path).complete(chats(5)[1:], max_tokens=60, temperature=0.7, seed=1)} == {"stop"}
        assert posts(server, "/files") == 1


def test_a_request_that_fails_inside_a_batch_fails_alone(home: Path, tmp_path: Path) -> None:
    def answer(messages: list[dict[str, str]]) -> str | Fault:
        return (
            Fault(400, f"too long for {KEY}", "invalid_request_error", "context_length_exceeded")
            if "number 3" in messages[-1]["content"]
            else "fine"
        )

    with Loopback(answer=answer) as server:
        replies = ask(batched(server, tmp_path), 5)
    assert [r.finish for r in replies] == ["stop", "stop", "stop", "error", "stop"]
    assert "HTTP 400: too long" in replies[3].error
    assert KEY not in replies[3].error


def test_the_budget_holds_for_batches_too(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        one = batched(server, tmp_path, budget=0.002)
        replies = ask(one, 40)
        assert 0 < one.spent <= 0.002
        assert one.over_budget == sum(r.error == OVER_BUDGET for r in replies) > 0
        [made] = server.batches.there.values()
        assert made.counts["total"] == 39 - one.over_budget


def test_a_wrong_key_costs_one_and_an_address_without_batches_says_so_before_a_row_leaves(home: Path, tmp_path: Path) -> None:
    def none(call: Call) -> Fault | None:
        return Fault(404, "Not Found") if "batches" in call.path else None

    with Loopback(trouble=none) as server:
        with pytest.raises(ProviderError, match="offers no batches") as told:
            ask(batched(server, tmp_path), 5)
        assert told.value.title == "No batches at this address"
        assert server.asked == []
    with Loopback(key="sk-another-0123456789") as server, pytest.raises(ProviderError) as told:
        ask(batched(server, tmp_path), 5)
    assert told.value.title == "The key was refused"


def test_trouble_while_polling_is_waited_out_and_lasting_trouble_pauses(home: Path, tmp_path: Path) -> None:
    looks = iter([Fault(500), "reset", Fault(429, "slow", headers={"retry-after": "9"}), *["ok"] * 3, *[Fault(500)] * 99])

    def trouble(call: Call) -> Any:
        return next(looks) if call.method == "GET" and "/batches/" in call.path else None

    with Loopback(trouble=trouble) as server:
        assert {r.finish for r in ask(batched(server, tmp_path), 3)} == {"stop"}
        with pytest.raises(Paused, match="goes on at the provider"):
            ask(batched(server, tmp_path / "other"), 3)
        server.trouble = None
        assert {r.finish for r in batched(server, tmp_path / "other").complete(chats(3)[1:], max_tokens=60, temperature=0.7, seed=1)} == {
            "stop"
        }
        assert len(server.batches.there) == 2


def test_replies_of_a_batch_are_remembered_and_the_key_is_in_no_file(home: Path, tmp_path: Path) -> None:
    folder = files.folder("jobs", "one")
    with Loopback(answer=lambda messages: f"{messages[-1]['content']} {KEY}") as server:
        first = ask(batched(server, folder, keep=True), 5, schema=VARIANTS)
        again = ask(batched(server, tmp_path / "new", keep=True), 5, schema=VARIANTS)
        assert [r.text for r in again] == [r.text for r in first]
        assert all(r.cached and r.usd == 0 for r in again)
        assert len(server.batches.there) == 1
        sent = [body for body in server.asked if "response_format" in body]
        assert len(sent) == 1  # what the batch asked did not pass as single requests
    assert not [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert json.loads((folder / "batch.json").read_text())["parts"][0]["deleted"] is True


def test_published_batch_prices_are_used_where_there_are_any(home: Path) -> None:
    openai: Any = connect("openai", model="gpt-4o-mini", key=KEY)
    assert batch_rates(openai) == pytest.approx((0.075, 0.3))
    own: Any = connect("openai", model="gpt-9", key=KEY, rates=(3.0, 5.0))
    assert batch_rates(own) == pytest.approx((1.5, 2.5))


def test_cancelling_what_is_over_changes_nothing(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        one = batched(server, tmp_path)

        def stop(done: int, total: int, message: str) -> None:
            if "finalizing" in message:
                raise Stopped

        with pytest.raises(Stopped):
            ask(one, 4, progress=stop)
        server.batches.there[one.folder.parts[0].batch].status = "completed"
        assert one.cancel() == ["finalizing"]


def test_a_budget_that_allows_nothing_asks_nothing(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        one = batched(server, tmp_path, budget=0.0)
        assert {r.error for r in ask(one, 3)} == {OVER_BUDGET}
        assert one.over_budget == 3
        assert (server.asked, server.batches.there) == ([], {})


def test_equal_requests_of_a_batch_draw_apart(home: Path, tmp_path: Path) -> None:
    with Loopback() as server:
        one = batched(server, tmp_path)
        assert {r.finish for r in one.complete([*chats(2)] * 2, max_tokens=60, temperature=0.7, seed=1)} == {"stop"}
        [made] = server.batches.there.values()
        assert made.counts == {"total": 3, "completed": 3, "failed": 0}
        assert one.complete([*chats(2)] * 2, max_tokens=60, temperature=0.0)[2].cached
