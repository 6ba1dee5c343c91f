"""The platform's double refuses what the published API refuses: one case for every field, through the official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import httpx2
import openai
import pytest
from openai.types import batch_create_params, completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_params

from tests.platform import KEY, Platform
from tests.platform import batches as batch_double
from tests.platform import chat as chat_double
from tests.platform import completions as completions_double
from tests.platform import embeddings as embeddings_double


@pytest.fixture(scope="module")
def server() -> Iterator[Platform]:
    with Platform() as one:
        yield one


@pytest.fixture(scope="module")
def client(server: Platform) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as one:
        yield one


ASK = [{"role": "user", "content": "Say it three ways"}]
CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": ASK}
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "look", "parameters": CLOSED}}


def strict(schema: dict[str, Any], name: str = "reply") -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


CHAT_WRONG: list[tuple[str, Any, str | None]] = [
    ("messages", "hello", "invalid_type"), ("messages", [], "empty_array"), ("messages", [{"content": "x"}], "missing_required_parameter"),
    ("messages", [{"role": "robot", "content": "x"}], "invalid_value"), ("messages", [{"role": "user", "content": 5}], "invalid_type"),
    ("messages", [{"role": "user", "content": "x", "weight": 1}], "unknown_parameter"),
    ("messages", [{"role": "user", "content": [{"type": "text"}]}], "missing_required_parameter"),
    ("messages", [{"role": "assistant", "content": None}], None), ("messages", [*ASK, {"role": "tool", "content": "x", "tool_call_id": "c"}], None),
    ("model", 5, "invalid_type"), ("audio", {"format": "wav"}, "missing_required_parameter"), ("frequency_penalty", 2.5, "decimal_above_max_value"),
    ("function_call", 3, "invalid_type"), ("functions", [], "empty_array"), ("logit_bias", {"50": 200}, "integer_above_max_value"),
    ("logprobs", "yes", "invalid_type"), ("max_completion_tokens", 0, "integer_below_min_value"), ("max_tokens", 1.5, "invalid_type"),
    ("max_tokens", -1, "integer_below_min_value"), ("metadata", {"a": 1}, "invalid_type"), ("metadata", {"k" * 65: "v"}, "string_above_max_length"),
    ("metadata", {str(i): "v" for i in range(17)}, "object_above_max_properties"), ("modalities", ["smell"], "invalid_value"),
    ("moderation", {}, "missing_required_parameter"), ("n", 0, "integer_below_min_value"), ("n", 129, "integer_above_max_value"),
    ("parallel_tool_calls", 1, "invalid_type"), ("prediction", {"type": "guess", "content": "x"}, "invalid_value"),
    ("presence_penalty", -3, "decimal_below_min_value"), ("prompt_cache_key", 5, "invalid_type"),
    ("prompt_cache_options", {"mode": "never"}, "invalid_value"), ("prompt_cache_retention", "1h", "invalid_value"),
    ("reasoning_effort", "heroic", "invalid_value"), ("reasoning_effort", "low", None), ("response_format", {"type": "yaml"}, "invalid_value"),
    ("response_format", {"type": "json_object"}, None), ("response_format", {"type": "json_schema"}, "missing_required_parameter"),
    ("response_format", strict({"type": "object", "properties": {}}), None), ("response_format", strict({**CLOSED, "required": []}), None),
    ("response_format", strict(CLOSED, "two words"), "invalid_value"), ("safety_identifier", "x" * 65, "string_above_max_length"),
    ("seed", 1.5, "invalid_type"), ("service_tier", "first", "invalid_value"), ("stop", ["a", "b", "c", "d", "e"], "array_above_max_length"),
    ("store", "no", "invalid_type"), ("stream", "yes", "invalid_type"), ("stream_options", {"include_usage": True}, None),
    ("temperature", 2.1, "decimal_above_max_value"), ("temperature", "warm", "invalid_type"), ("temperature", -0.1, "decimal_below_min_value"),
    ("tool_choice", "auto", None), ("tool_choice", "perhaps", "invalid_value"), ("tools", [{"type": "function"}], "missing_required_parameter"),
    ("tools", [{"type": "function", "function": {"name": "with space"}}], "invalid_value"), ("tools", [], "empty_array"),
    ("top_logprobs", 5, "invalid_value"), ("top_logprobs", 21, "integer_above_max_value"), ("top_p", 1.5, "decimal_above_max_value"),
    ("user", 5, "invalid_type"), ("verbosity", "chatty", "invalid_value"), ("web_search_options", {"depth": 3}, "unknown_parameter"),
    ("best_of", 2, None),
]  # fmt: skip
COMPLETION_WRONG: list[tuple[str, Any, str | None]] = [
    ("model", None, "invalid_type"), ("prompt", 5, "invalid_type"), ("best_of", 21, "integer_above_max_value"), ("echo", 1, "invalid_type"),
    ("frequency_penalty", 3, "decimal_above_max_value"), ("logit_bias", [], "invalid_type"), ("logprobs", 6, "integer_above_max_value"),
    ("max_tokens", -1, "integer_below_min_value"), ("n", 0, "integer_below_min_value"), ("n", 3, "invalid_value"), ("presence_penalty", -3, "decimal_below_min_value"),
    ("seed", "x", "invalid_type"), ("stop", ["a"] * 5, "array_above_max_length"), ("stream", 1, "invalid_type"),
    ("stream_options", {"include_usage": True}, None), ("suffix", 5, "invalid_type"), ("temperature", 3, "decimal_above_max_value"),
    ("top_p", -1, "decimal_below_min_value"), ("user", [], "invalid_type"), ("messages", ASK, None),
]  # fmt: skip
EMBEDDING_WRONG: list[tuple[str, Any, str | None]] = [
    ("input", "", "empty_string"), ("input", [], "empty_array"), ("input", ["a"] * 2049, "array_above_max_length"), ("input", {"a": 1}, "invalid_type"),
    ("input", "x" * 40_000, None), ("model", 5, "invalid_type"), ("dimensions", 0, "integer_below_min_value"),
    ("encoding_format", "hex", "invalid_value"), ("user", 5, "invalid_type"), ("texts", ["a"], None),
]  # fmt: skip


def names(wrong: list[tuple[str, Any, str | None]]) -> list[str]:
    return [f"{name}-{i}" for i, (name, _, _) in enumerate(wrong)]


def refused(client: openai.OpenAI, path: str, body: dict[str, Any]) -> openai.BadRequestError:
    with pytest.raises(openai.BadRequestError) as told:
        client.post(path, body=body, cast_to=object)
    error = told.value
    assert error.type == "invalid_request_error"
    assert error.request_id
    assert set(error.response.json()["error"]) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(("field", "value", "code"), CHAT_WRONG, ids=names(CHAT_WRONG))
def test_a_chat_completion_with_a_wrong_field_is_refused(client: openai.OpenAI, field: str, value: Any, code: str | None) -> None:
    error = refused(client, "/chat/completions", {**CHAT, field: value})
    assert error.code == code
    assert field in f"{error.param} {error.message}"


@pytest.mark.parametrize(("field", "value", "code"), COMPLETION_WRONG, ids=names(COMPLETION_WRONG))
def test_a_completion_with_a_wrong_field_is_refused(client: openai.OpenAI, field: str, value: Any, code: str | None) -> None:
    more = {"best_of": 1} if value == 3 and field == "n" else {}
    assert refused(client, "/completions", {"model": "babbage-002", "prompt": "Once", **more, field: value}).code == code


@pytest.mark.parametrize(("field", "value", "code"), EMBEDDING_WRONG, ids=names(EMBEDDING_WRONG))
def test_an_embedding_with_a_wrong_field_is_refused(client: openai.OpenAI, field: str, value: Any, code: str | None) -> None:
    assert refused(client, "/embeddings", {"model": "text-embedding-3-small", "input": "text", field: value}).code == code


def published(*kinds: Any) -> set[str]:
    return set().union(*(kind.__annotations__ for one in kinds for kind in one.__mro__ if hasattr(kind, "__annotations__")),
                       *(one.__annotations__ for one in kinds))  # fmt: skip


@pytest.mark.parametrize(("double", "wrong", "kinds"), [
    (chat_double, CHAT_WRONG, [chat_params.CompletionCreateParamsBase, chat_params.CompletionCreateParamsStreaming]),
    (completions_double, COMPLETION_WRONG, [completion_create_params.CompletionCreateParamsBase, completion_create_params.CompletionCreateParamsStreaming]),
    (embeddings_double, EMBEDDING_WRONG, [embedding_create_params.EmbeddingCreateParams]),
    (batch_double, [], [batch_create_params.BatchCreateParams]),
])  # fmt: skip
def test_the_fields_are_those_of_the_published_description_and_each_has_a_case(double: Any, wrong: list[Any], kinds: list[Any]) -> None:
    assert set(double.FIELDS) == published(*kinds)
    assert not wrong or set(double.FIELDS) <= {field for field, _, _ in wrong}


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_what_is_required_is_asked_for(client: openai.OpenAI, missing: str) -> None:
    error = refused(client, "/chat/completions", {k: v for k, v in CHAT.items() if k != missing})
    assert "model parameter" in error.message if missing == "model" else error.code == "missing_required_parameter"


@pytest.mark.parametrize(("field", "value", "code"), [
    ("max_tokens", 5, "unsupported_parameter"), ("temperature", 0.5, "unsupported_value"), ("top_p", 0.5, "unsupported_value"),
    ("presence_penalty", 1, "unsupported_value"), ("frequency_penalty", 1, "unsupported_value"), ("logprobs", True, "unsupported_parameter"),
    ("logit_bias", {"5": 1}, "unsupported_parameter"),
])  # fmt: skip
def test_reasoning_models_refuse_what_they_do_not_take(client: openai.OpenAI, field: str, value: Any, code: str) -> None:
    error = refused(client, "/chat/completions", {**CHAT, "model": "gpt-5-mini", field: value})
    assert (error.code, error.param) == (code, field)
    asked: dict[str, Any] = {"max_completion_tokens": 20, "temperature": 1, "reasoning_effort": "low"}
    assert client.chat.completions.create(model="gpt-5-mini", messages=ASK, **asked).choices[0].message.content


def test_an_older_model_refuses_schemas(client: openai.OpenAI) -> None:
    assert (
        refused(client, "/chat/completions", {**CHAT, "model": "gpt-3.5-turbo", "response_format": strict(CLOSED)}).param
        == "response_format"
    )


def test_an_unknown_model_and_one_of_another_kind_are_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as told:
        client.chat.completions.create(model="gpt-9", messages=ASK)
    assert told.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="text-embedding-3-small", messages=ASK)
    with pytest.raises(openai.PermissionDeniedError):
        client.embeddings.create(model="gpt-4o-mini", input="x")


def test_a_request_without_a_right_key_content_type_or_path_is_refused(server: Platform) -> None:
    good = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    with httpx2.Client(base_url=server.url) as http:
        told = [
            http.post("/chat/completions", json=CHAT),
            http.post("/chat/completions", json=CHAT, headers={"authorization": "Bearer sk-other"}),
            http.post("/chat/completions", content=b"{}", headers={**good, "content-type": "text/plain"}),
            http.post("/chat/completions", content=b"{", headers=good),
            http.post("/chat/completions", content=b"[1]", headers=good),
            http.post("/files", json={"purpose": "batch"}, headers=good),
            http.get("/chat/completions", headers=good),
            http.get("/nothing", headers=good),
        ]
    assert [one.status_code for one in told] == [401, 401, 400, 400, 400, 400, 405, 404]
    assert [one.json()["error"]["code"] for one in told] == [
        None, "invalid_api_key", "unsupported_content_type", None, None, "unsupported_content_type", "method_not_supported", "unknown_url",
    ]  # fmt: skip


def fields_of(value: Any, kind: Any, where: str = "") -> None:
    """Every field of a published answer is there when it is required, and none that is not published."""
    if get_origin(kind) is list:
        for i, one in enumerate(value):
            fields_of(one, get_args(kind)[0], f"{where}[{i}]")
    elif hasattr(kind, "model_fields") and isinstance(value, dict):
        assert set(value) <= {field.alias or name for name, field in kind.model_fields.items()}, where
        for name, field in kind.model_fields.items():
            if field.is_required():
                assert name in value, f"{where}.{name}"
            if value.get(name) is not None:
                inner = [
                    one
                    for one in (field.annotation, *get_args(field.annotation))
                    if get_origin(one) is list or hasattr(one, "model_fields")
                ]
                if inner:
                    fields_of(value[name], inner[0], f"{where}.{name}")
        kind.model_validate(value, strict=True)


def test_answers_have_the_published_fields_and_headers(server: Platform, client: openai.OpenAI) -> None:
    from openai.types import Completion, CreateEmbeddingResponse, Model
    from openai.types.chat import ChatCompletion

    chat = client.chat.completions.with_raw_response
    cases = [
        (chat.create(**CHAT), ChatCompletion), (chat.create(**CHAT, n=2, logprobs=True, top_logprobs=2), ChatCompletion),
        (chat.create(**CHAT, tools=[TOOL], tool_choice="required"), ChatCompletion),
        (client.completions.with_raw_response.create(model="babbage-002", prompt=["a", "b"]), Completion),
        (client.embeddings.with_raw_response.create(model="text-embedding-3-small", input=["a"], encoding_format="float"), CreateEmbeddingResponse),
        (client.models.with_raw_response.retrieve("gpt-4o-mini-2024-07-18"), Model),
    ]  # fmt: skip
    for raw, kind in cases:
        fields_of(raw.http_response.json(), kind, kind.__name__)
        assert raw.headers["x-request-id"].startswith("req_")
        for what in ("limit", "remaining", "reset"):
            assert raw.headers[f"x-ratelimit-{what}-requests"]
            assert raw.headers[f"x-ratelimit-{what}-tokens"]
