"""Tokens counted offline: the ranks of the hosted models come with a package, other models bring their own tokenizer.

Counting goes through bpe-openai (exact, and about 20 MB/s on one core). Words that mean something to a model, such as
<|endoftext|>, count as the plain text they are in data. Which encoding a model uses says `core.validate.encodings`.
Tokenizers that are files are read by `tokenizer_files`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.io import tokenizer_files
from core.validate.encodings import DEFAULT, EMBEDDED, encoding_of

if TYPE_CHECKING:
    import tiktoken

ENCODINGS = ("o200k_base", "cl100k_base")
_LONGEST = 900_000
"""Characters that bpe-openai takes at once (it refuses a million); longer texts go through tiktoken."""

Counter = Callable[[list[str]], list[int]]


def counter(name: str = "o200k_base") -> Counter:
    """A function from texts to token counts.

    `name` is an encoding, a model's name, "embedded", "file:FOLDER" (a folder with a tokenizer.json) or "hub:OWNER/NAME".
    Raises SettingsError for an encoding that is not here; MissingError when a tokenizer's file or package is not.
    """
    if name == EMBEDDED:
        from core.io import embedded

        return tokenizer_files.counter(tokenizer_files.load(embedded.ensure_converted()))
    if tokenizer_files.is_named(name):
        return tokenizer_files.counter(tokenizer_files.named(name))
    plain = encoding_name(name)[0]
    if plain not in ENCODINGS:
        older = tokenizer_files.older_encoding(plain)
        return lambda texts: [len(older.encode_ordinary(text)) for text in texts]
    fast = _backend(plain).count

    def count(texts: list[str]) -> list[int]:
        if max(map(len, texts), default=0) < _LONGEST:
            return list(map(fast, texts))
        return [fast(text) if len(text) < _LONGEST else len(encoding(plain).encode_ordinary(text)) for text in texts]

    return count


def encoding_name(name: str) -> tuple[str, bool]:
    """(encoding, assumed) of an encoding or a model; `assumed` when a model is not known and o200k_base is taken for it.

    A fine-tuned model (ft:base:organisation::id) uses its base's. Raises SettingsError for an encoding that is not here.
    """
    if name in ENCODINGS or name in tokenizer_files.older_encodings():
        return name, False
    if re.fullmatch(r"\w+_(?:base|edit|harmony)|gpt2", name):
        there = ", ".join((*ENCODINGS, *tokenizer_files.older_encodings()))
        raise SettingsError(f"There is no encoding '{name}' here; there are {there}.", title="Unknown encoding")
    found, assumed = encoding_of(name)
    return (found, assumed) if found in ENCODINGS or found in tokenizer_files.older_encodings() else (DEFAULT, True)


@lru_cache(maxsize=4)
def encoding(name: str = "o200k_base") -> tiktoken.Encoding:
    """The encoding as tiktoken's object, built from the shipped ranks without network. `name` as in `encoding_name`."""
    import tiktoken
    from bpe_openai import registry

    plain = encoding_name(name)[0]
    return tiktoken.Encoding(**getattr(registry, plain)()) if plain in ENCODINGS else tokenizer_files.older_encoding(plain)


def encoder(name: str = "o200k_base") -> Callable[[str], list[int]]:
    """The same ids as `encoding(name).encode_ordinary`, faster. `name` as in `encoding_name`."""
    plain = encoding(name)
    if plain.name not in ENCODINGS:
        return plain.encode_ordinary
    fast = _backend(encoding_name(name)[0])
    return lambda text: fast.encode(text) if len(text) < _LONGEST else plain.encode_ordinary(text)


@lru_cache(maxsize=2)
def _backend(name: str) -> Any:
    """The Rust counter of an encoding."""
    import bpe_openai

    return bpe_openai.get_encoding(name)._backend
