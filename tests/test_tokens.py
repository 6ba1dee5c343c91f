"""Token counts are exact, offline, and never trip over special words."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.io import tokens

TEXTS = [
    "",
    "hello world",
    "가나다라 마바사 아자차카",
    "<|endoftext|> and <|im_start|>",
    "a" * 3000,
    "naïve café 😀 \n\n\t x",
    "12345678901234567890",
]


@pytest.mark.parametrize("name", tokens.ENCODINGS)
def test_counting_agrees_with_encoding(name: str) -> None:
    encoding = tokens.encoding(name)
    assert tokens.counter(name)(TEXTS) == [len(encoding.encode_ordinary(text)) for text in TEXTS]


def test_the_shipped_ranks_give_the_ids_that_are_published() -> None:
    assert tokens.encoding("o200k_base").encode_ordinary("hello world") == [24912, 2375]
    assert tokens.encoding("cl100k_base").encode_ordinary("hello world") == [15339, 1917]


def test_a_text_longer_than_the_fast_counter_takes_is_counted_too() -> None:
    assert tokens.counter()(["word " * 200_001])[0] >= 200_001


@pytest.mark.parametrize(
    ("model", "encoding", "assumed"),
    [
        ("gpt-4o-mini", "o200k_base", False),
        ("gpt-4.1-nano-2025-04-14", "o200k_base", False),
        ("gpt-4", "cl100k_base", False),
        ("gpt-4-turbo", "cl100k_base", False),
        ("gpt-3.5-turbo-0125", "cl100k_base", False),
        ("ft:gpt-4.1-mini:org:name:id", "o200k_base", False),
        ("ft:gpt-3.5-turbo:org::id", "cl100k_base", False),
        ("o4-mini", "o200k_base", False),
        ("gpt-6", "o200k_base", False),
        ("curie:ft-acme-2023-01-01-00-00-00", "o200k_base", True),
        ("some-llama", "o200k_base", True),
    ],
)
def test_models_are_counted_with_their_own_encoding_and_guesses_are_said(model: str, encoding: str, assumed: bool) -> None:
    assert tokens.encoding_name(model) == (encoding, assumed)


def test_an_encoding_that_is_not_shipped_is_named() -> None:
    with pytest.raises(SettingsError, match="p50k_base"):
        tokens.counter("p50k_base")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*args: object, **more: object) -> None:
        pytest.fail("a network connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    tokens.encoding.cache_clear()
    assert tokens.counter("gpt-4o")(["hello world"]) == [2]
    assert tokens.encoding("cl100k_base").n_vocab > 100_000


@pytest.mark.weights
def test_the_embedded_models_own_tokenizer_counts_without_special_tokens(weights) -> None:
    from core.io import embedded

    words = embedded.tokenizer()
    assert tokens.counter("embedded")(TEXTS) == [len(words(text, add_special_tokens=False)["input_ids"]) for text in TEXTS]
