"""The platform's double keeps what it is given: files, batches and their states, models, and answers that come in pieces."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types import Batch, FileDeleted, FileObject, ModelDeleted
from openai.types.chat import ChatCompletionChunk

from tests.platform import KEY, Fault, Limits, Platform, busy
from tests.test_platform import ASK, CHAT, CLOSED, TOOL, fields_of, strict


def lines(n: int, **more: Any) -> bytes:
    """The requests of a batch."""
    one = {"method": "POST", "url": "/v1/chat/completions", "body": CHAT, **more}
    return b"".join(json.dumps({"custom_id": f"row-{i}", **one}).encode() + b"\n" for i in range(n))


def upload(client: openai.OpenAI, content: bytes, name: str = "asks.jsonl") -> FileObject:
    return client.files.create(file=(name, content), purpose="batch")


def start(client: openai.OpenAI, content: bytes, **more: Any) -> Batch:
    return client.batches.create(input_file_id=upload(client, content).id, endpoint="/v1/chat/completions", completion_window="24h", **more)


def looked_at(client: openai.OpenAI, id: str) -> list[Batch]:
    """A batch, looked at until it ends."""
    found = [client.batches.retrieve(id)]
    while found[-1].status not in ("completed", "failed", "expired", "cancelled"):
        found.append(client.batches.retrieve(id))
    return found


def content(client: openai.OpenAI, id: str | None) -> list[dict[str, Any]]:
    assert id is not None
    return [json.loads(line) for line in client.files.content(id).text.splitlines()]


def test_files_are_kept_listed_read_and_deleted(client: openai.OpenAI) -> None:
    first, second = upload(client, lines(2), "a.jsonl"), client.files.create(file=("b.jsonl", b'{"messages": []}'), purpose="fine-tune")
    fields_of(client.files.with_raw_response.retrieve(first.id).http_response.json(), FileObject)
    assert (first.bytes, first.filename, first.purpose, first.status) == (len(lines(2)), "a.jsonl", "batch", "processed")
    assert first.expires_at == first.created_at + 30 * 86400
    assert [one.id for one in client.files.list()] == [second.id, first.id]
    assert [one.id for one in client.files.list(order="asc", limit=1)] == [first.id, second.id]
    assert [one.id for one in client.files.list(purpose="batch")] == [first.id]
    assert client.files.content(first.id).read() == lines(2)
    gone = client.files.with_raw_response.delete(first.id)
    fields_of(gone.http_response.json(), FileDeleted)
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        client.files.retrieve(first.id)


@pytest.mark.parametrize(("settings", "words"), [
    ({"purpose": "batch", "file": ("a.csv", b"{}")}, "Must be .jsonl"), ({"purpose": "batch", "file": ("a.jsonl", b"{}\nhello")}, "Line 2 is not a dictionary"),
    ({"purpose": "fine-tune", "file": ("a.jsonl", b"[1]")}, "Line 1"), ({"purpose": "batch", "file": ("a.jsonl", b"")}, "empty"),
    ({"purpose": "sale", "file": ("a.txt", b"x")}, "is not one of"), ({"purpose": "batch"}, "'file' is a required"),
    ({"file": ("a.txt", b"x")}, "'purpose' is a required"), ({"purpose": "evals", "file": ("a", b"x"), "name": "y"}, "Unrecognized request argument"),
    ({"purpose": "evals", "file": ("a", b"x"), "expires_after[anchor]": "created_at"}, "expires_after.seconds"),
    ({"purpose": "evals", "file": ("a", b"x"), "expires_after[anchor]": "now", "expires_after[seconds]": "4000"}, "created_at"),
    ({"purpose": "evals", "file": ("a", b"x"), "expires_after[anchor]": "created_at", "expires_after[seconds]": "5"}, ">= 3600"),
])  # fmt: skip
def test_an_upload_with_a_wrong_field_is_refused(client: openai.OpenAI, settings: dict[str, Any], words: str) -> None:
    form = {name: value for name, value in settings.items() if name != "file"}
    files = [("file", settings["file"])] if "file" in settings else [("nothing", ("n", b"x"))]
    with pytest.raises(openai.BadRequestError) as told:
        client.post("/files", cast_to=object, body=form, files=files, options={"headers": {"content-type": "multipart/form-data"}})
    assert words in told.value.message


def test_a_file_that_is_too_large_is_refused(server: Platform, client: openai.OpenAI) -> None:
    server.files.largest = 10
    with pytest.raises(openai.APIStatusError) as told:
        upload(client, lines(2))
    assert told.value.status_code == 413


def test_a_batch_goes_through_its_states_and_leaves_its_answers(client: openai.OpenAI) -> None:
    made = start(client, lines(3), metadata={"for": "test"}, output_expires_after={"anchor": "created_at", "seconds": 3600})
    assert made.status == "validating"
    states = looked_at(client, made.id)
    assert [one.status for one in states] == ["in_progress", "finalizing", "completed"]
    raw = client.batches.with_raw_response.retrieve(made.id).http_response.json()
    fields_of(raw, Batch)
    assert raw["request_counts"] == {"total": 3, "completed": 3, "failed": 0}
    rows = content(client, states[-1].output_file_id)
    assert sorted(row["custom_id"] for row in rows) == ["row-0", "row-1", "row-2"]
    assert all(row["response"]["status_code"] == 200 and row["error"] is None for row in rows)
    assert rows[0]["response"]["body"]["object"] == "chat.completion"
    assert states[-1].error_file_id is None
    assert [one.id for one in client.batches.list(limit=1)] == [made.id]


def test_a_request_of_a_batch_that_fails_stands_in_the_error_file(server: Platform, client: openai.OpenAI) -> None:
    wrong = json.dumps({"custom_id": "bad", "method": "POST", "url": "/v1/chat/completions", "body": {**CHAT, "n": 0}}).encode()
    last = looked_at(client, start(client, lines(2) + wrong).id)[-1]
    [row] = content(client, last.error_file_id)
    assert (row["custom_id"], row["response"]["status_code"]) == ("bad", 400)
    assert row["response"]["body"]["error"]["code"] == "integer_below_min_value"
    assert last.request_counts
    assert (last.request_counts.completed, last.request_counts.failed) == (2, 1)


@pytest.mark.parametrize(("rows", "code"), [
    (lines(1) + lines(1), "duplicate_custom_id"), (lines(1, url="/v1/embeddings"), "invalid_url"), (lines(1, method="GET"), "invalid_method"),
    (lines(1, priority=1), "unknown_parameter"), (b'{"custom_id": "a"}', "missing_required_parameter"), (b"\n", "empty_file"), (lines(9), "invalid_file_size"),
    (lines(1) + lines(1, custom_id="b", body={**CHAT, "model": "gpt-3.5-turbo"}), "mismatched_model"),
    (lines(1, body={**CHAT, "model": "gpt-9"}), "model_not_found"),
])  # fmt: skip
def test_a_wrong_file_fails_its_batch(server: Platform, client: openai.OpenAI, rows: bytes, code: str) -> None:
    server.batches.most = 8
    [last] = looked_at(client, start(client, rows).id)
    assert (last.status, last.output_file_id) == ("failed", None)
    assert last.errors
    assert code in [one.code for one in last.errors.data or []]


@pytest.mark.parametrize(("fields", "code"), [
    ({"completion_window": "1h"}, "invalid_value"), ({"endpoint": "/v1/files"}, "invalid_value"), ({"endpoint": None}, "invalid_type"),
    ({"metadata": {"a": 1}}, "invalid_type"), ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "integer_below_min_value"),
    ({"priority": 1}, None), ({"input_file_id": 5}, "invalid_type"),
])  # fmt: skip
def test_a_batch_with_a_wrong_field_is_refused(client: openai.OpenAI, fields: dict[str, Any], code: str | None) -> None:
    body = {"input_file_id": upload(client, lines(1)).id, "endpoint": "/v1/chat/completions", "completion_window": "24h", **fields}
    with pytest.raises(openai.BadRequestError) as told:
        client.post("/batches", body=body, cast_to=object)
    assert told.value.code == code


def test_a_batch_wants_a_file_of_its_own_purpose(client: openai.OpenAI) -> None:
    other = client.files.create(file=("a.jsonl", lines(1)), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.batches.create(input_file_id=other.id, endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h")


def test_a_cancelled_and_an_expired_batch_keep_what_was_answered(server: Platform, client: openai.OpenAI) -> None:
    server.batches.fates = ["stuck", "expired"]
    first = start(client, lines(4))
    client.batches.retrieve(first.id)
    assert client.batches.cancel(first.id).status == "cancelling"
    second = start(client, lines(4))
    for id, status, code in ((first.id, "cancelled", "batch_cancelled"), (second.id, "expired", "batch_expired")):
        last = looked_at(client, id)[-1]
        assert last.status == status
        assert len(content(client, last.output_file_id)) == 2
        assert {row["error"]["code"] for row in content(client, last.error_file_id)} == {code}
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(first.id)


def test_models_say_when_they_shut_down_and_only_own_ones_can_go(client: openai.OpenAI) -> None:
    found = {one.id: one.shutdown_date for one in client.models.list()}
    assert found["gpt-4o-mini-2024-07-18"] == "2027-01-14"
    assert found["gpt-4o-mini"] is None
    [own] = [id for id in found if id.startswith("ft:")]
    fields_of(client.models.with_raw_response.delete(own).http_response.json(), ModelDeleted)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(own)
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4o-mini")


def test_a_stream_says_the_same_in_pieces(server: Platform, client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(**CHAT).choices[0].message.content
    pieces = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    for piece in pieces:
        fields_of(json.loads(piece.model_dump_json(exclude_unset=True)), ChatCompletionChunk)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == whole
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] == "stop"
    assert pieces[-1].usage
    assert pieces[-1].usage.completion_tokens > 0
    text = "".join(
        piece.choices[0].text for piece in client.completions.create(model="babbage-002", prompt="a b c", max_tokens=90, stream=True)
    )
    assert json.loads(text)


def test_schemas_and_tools_are_kept_to(client: openai.OpenAI) -> None:
    asked = client.chat.completions.create(model="gpt-4o-mini", messages=ASK, response_format=strict(CLOSED))  # type: ignore[call-overload]
    assert set(json.loads(asked.choices[0].message.content)) == {"a"}
    called = client.chat.completions.create(**CHAT, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "look"}})
    [call] = called.choices[0].message.tool_calls
    assert (called.choices[0].finish_reason, set(json.loads(call.function.arguments))) == ("tool_calls", {"a"})
    more = [*ASK, {"role": "assistant", "tool_calls": [call.model_dump()]}, {"role": "tool", "tool_call_id": call.id, "content": "seen"}]
    assert client.chat.completions.create(model="gpt-4o-mini", messages=more, tools=[TOOL]).choices[0].message.content


def test_the_rate_limit_refills_and_says_so() -> None:
    now = [0.0]
    with (
        Platform(limits=Limits(2, 10.0), clock=lambda: now[0]) as server,
        openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as client,
    ):
        left = [client.chat.completions.with_raw_response.create(**CHAT).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
        assert left == ["1", "0"]
        with pytest.raises(openai.RateLimitError) as told:
            client.chat.completions.create(**CHAT)
        assert (told.value.code, told.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "5.000")
        now[0] = 5.0
        assert client.chat.completions.create(**CHAT)


def test_planted_trouble_arrives_as_the_clients_own_errors(server: Platform, client: openai.OpenAI) -> None:
    server.script[:] = [busy(3), Fault(500), Fault(503, "Slow Down"), "reset"]
    for kind in (openai.RateLimitError, openai.InternalServerError, openai.InternalServerError, openai.APIConnectionError):
        with pytest.raises(kind):
            client.chat.completions.create(**CHAT)
