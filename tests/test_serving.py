"""The served model: the official client works with it, whole and streamed; everything else is refused in the protocol's words."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest
from starlette.testclient import TestClient

from core.errors import StudioError
from core.io.commands.serve import served as named
from core.io.embedded import Engine
from core.io.serving import LARGEST, application
from tests.adapters import plain_adapter
from tests.serving import served
from tests.tiny import tiny_model

CHAT = [{"role": "user", "content": "plain kettle, 누가"}]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Path]:
    root = tmp_path_factory.mktemp("serving")
    base = tiny_model(root / "tiny")
    return base, plain_adapter(base, root / "one"), plain_adapter(base, root / "two", seed=7)


@pytest.fixture(scope="module")
def client(made):
    base, one, two = made
    with served(base, {"tiny": None, "tiny+one": str(one), "tiny+two": str(two)}) as address:
        yield openai.OpenAI(base_url=address, api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def plain(made):
    """Model name -> what the engine itself answers."""
    base, one, two = made
    engine = Engine(base)
    yield {name: engine.complete([CHAT], adapter=adapter, max_tokens=12)[0]
           for name, adapter in (("tiny", None), ("tiny+one", str(one)), ("tiny+two", str(two)))}  # fmt: skip
    engine.close()


@pytest.mark.parametrize("model", ["tiny", "tiny+one", "tiny+two"])
def test_the_official_client_gets_what_the_engine_answers_whole_and_streamed(client, plain, model):
    wanted = plain[model]
    whole = client.chat.completions.create(model=model, messages=CHAT, max_tokens=12)
    assert whole.choices[0].message.content == wanted.text
    assert (whole.model, whole.choices[0].finish_reason, whole.object) == (model, wanted.finish, "chat.completion")
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (wanted.tokens_in, wanted.tokens_out)
    chunks = list(client.chat.completions.create(model=model, messages=CHAT, max_tokens=12, stream=True,
                                                 stream_options={"include_usage": True}))  # fmt: skip
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == wanted.text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == wanted.finish
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == wanted.tokens_in + wanted.tokens_out
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_three_models_answer_differently_and_are_listed(client, plain):
    assert len({reply.text for reply in plain.values()}) == 3
    assert [one.id for one in client.models.list()] == ["tiny", "tiny+one", "tiny+two"]
    assert client.models.retrieve("tiny+one").owned_by == "finetune-studio"
    by_id = client.chat.completions.create(model="two", messages=CHAT, max_tokens=12)
    assert (by_id.model, by_id.choices[0].message.content) == ("tiny+two", plain["tiny+two"].text)


def test_without_usage_asked_for_no_chunk_tells_it(client):
    chunks = list(client.chat.completions.create(model="tiny", messages=CHAT, max_tokens=3, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_ends_before_a_stop_text_and_never_shows_the_beginning_of_one(client, plain, stream):
    said = plain["tiny"].text
    stop = said[4:7]
    got = client.chat.completions.create(model="tiny", messages=CHAT, max_tokens=12, stop=["never said", stop], stream=stream)
    if stream:
        chunks = [chunk.choices[0] for chunk in got]
        text, finish = "".join(chunk.delta.content or "" for chunk in chunks), chunks[-1].finish_reason
    else:
        text, finish = got.choices[0].message.content, got.choices[0].finish_reason
    assert (text, finish) == (said[: said.index(stop)], "stop")


def test_a_last_message_of_the_assistant_is_continued(client, made):
    engine = Engine(made[0])
    wanted = engine.complete([CHAT], max_tokens=8, prefix="It is ")[0]
    engine.close()
    asked = client.chat.completions.create(model="tiny", messages=[*CHAT, {"role": "assistant", "content": "It is "}], max_tokens=8)
    assert asked.choices[0].message.content == wanted.text


def test_a_seed_repeats_a_warm_answer_and_temperature_changes_it(client, plain):
    def warm(seed: int) -> str:
        how = {"temperature": 1.5, "max_tokens": 12, "seed": seed}
        return client.chat.completions.create(model="tiny", messages=CHAT, **how).choices[0].message.content

    assert warm(1) == warm(1)
    assert len({warm(1), warm(2), warm(3), plain["tiny"].text}) > 1


def test_the_clients_own_errors_are_raised_with_code_and_parameter(client):
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-9", messages=CHAT)
    assert (missing.value.code, missing.value.param, missing.value.type) == ("model_not_found", "model", "invalid_request_error")
    assert "There are tiny, tiny+one, tiny+two" in str(missing.value)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
    with pytest.raises(openai.NotFoundError) as unknown:
        client.embeddings.create(model="tiny", input="x")
    assert unknown.value.code == "unknown_url"
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as long:
            client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "word " * 3000}], stream=stream)
        assert long.value.code == "context_length_exceeded"


WRONG = [
    ({"messages": []}, "messages", "messages is missing"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]", "needs a role"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages[0]", "content of text"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "messages", "a question is needed"),
    ({"max_tokens": 0}, "max_tokens", "from 1 on"),
    ({"max_tokens": "9"}, "max_tokens", "whole number"),
    ({"temperature": 3}, "temperature", "from 0 to 2"),
    ({"temperature": True}, "temperature", "a number"),
    ({"seed": 1.5}, "seed", "whole number"),
    ({"stop": ["a"] * 5}, "stop", "up to four"),
    ({"stop": ""}, "stop", "up to four"),
    ({"stream": "yes"}, "stream", "true or false"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "goes with stream"),
    ({"n": 2}, "n", "not served here"),
    ({"logprobs": True}, "logprobs", "not served here"),
    ({"tools": [{"type": "function"}]}, "tools", "not served here"),
    ({"response_format": {"type": "json_object"}}, "response_format", "not served here"),
    ({"top_p": 0.5}, "top_p", "not served here"),
]


@pytest.mark.parametrize(("change", "param", "told"), WRONG, ids=[f"{one[1]} {i}" for i, one in enumerate(WRONG)])
def test_what_cannot_be_answered_is_refused_naming_the_parameter(made, change, param, told):
    asked = TestClient(application(made[0], {"tiny": None}))
    refused = asked.post("/v1/chat/completions", json={"messages": CHAT, **change})
    error = refused.json()["error"]
    assert refused.status_code == 400
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert told in error["message"]


def test_pages_of_other_sites_and_broken_bodies_get_nothing(made):
    asked = TestClient(application(made[0], {"tiny": None}))
    body = json.dumps({"messages": CHAT})
    assert asked.get("/v1/models", headers={"host": "evil.example"}).status_code == 400
    assert asked.post("/v1/chat/completions", content=body, headers={"content-type": "text/plain"}).status_code == 415
    heads = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    preflight = asked.options("/v1/chat/completions", headers=heads)
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]
    for broken in (b"{", b"\xff", b"[" * 100_000, b"[1]"):
        refused = asked.post("/v1/chat/completions", content=broken, headers={"content-type": "application/json"})
        assert refused.status_code == 400
        assert "error" in refused.json()
    large = asked.post("/v1/chat/completions", content=b" " * (LARGEST + 1), headers={"content-type": "application/json"})
    assert large.status_code == 413


def test_the_command_names_its_models_and_serves_adapters_of_one_base_only(made, home, monkeypatch, tmp_path):
    base, one, two = made
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(base))
    assert named(None, [str(one), str(two)], print) == (base, {"embedded": None, "embedded+one": str(one), "embedded+two": str(two)})
    other = tiny_model(tmp_path / "other", seed=3)
    (one / "adapter.json").write_text(json.dumps({"base_folder": str(other)}))
    try:
        with pytest.raises(StudioError, match="belongs to other, and tiny is served"):
            named(str(base), [str(two), str(one)], print)
        assert named(None, [str(one)], print) == (other, {"other": None, "other+one": str(one)})
    finally:
        (one / "adapter.json").unlink()
