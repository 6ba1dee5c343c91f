"""What counts and cuts texts for a model: the shipped encodings, the built-in model, a folder with a tokenizer and a template."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from core.io.tokens import counter, encoding
from core.validate.accounting import Count
from core.validate.encodings import EMBEDDED, FILE, HUB, encoding_of
from core.validate.learnt import Pieces
from core.validate.templates import Render, TemplateCount


def count_of(model: str) -> Count:
    """What counts texts, and for a local model whole conversations, as `model` reads them.

    Raises SettingsError for an encoding that is not here, MissingError or ModelError for a folder without tokenizer or template.
    """
    render = render_of(model)
    if render:
        return TemplateCount(counter(model), render)
    return counter(model if model.startswith(HUB) else encoding_of(model)[0])


def render_of(model: str) -> Render | None:
    """The chat template of a local model with the start of the answer; None for hosted models, whose frames are only counted."""
    if model != EMBEDDED and not model.startswith(FILE):
        return None
    from core.io.embedded.generate import render

    words = _tokenizer(model)
    return lambda messages, prefix: render(words, messages, prefix)  # type: ignore[arg-type]


def end_of(model: str) -> str:
    """The text of the token that ends a local model's turn; empty for hosted models."""
    return str(_tokenizer(model).eos_token or "") if model == EMBEDDED or model.startswith(FILE) else ""


def pieces_of(model: str) -> Pieces:
    """A function from a text to its tokens as texts, as the model cuts it; joined they are the text."""
    if model == EMBEDDED or model.startswith((FILE, HUB)):
        return _local_pieces(model)
    chosen = encoding(encoding_of(model)[0])
    return lambda text: between(text, chosen.decode_with_offsets(chosen.encode_ordinary(text))[1])


def _local_pieces(model: str) -> Pieces:
    from core.io import embedded, tokenizer_files

    name = model if model != EMBEDDED else f"{FILE}{embedded.ensure_converted()}"
    words = tokenizer_files.named(name)
    return lambda text: between(text, [start for start, _ in words.encode(text, add_special_tokens=False).offsets])


def between(text: str, starts: list[int]) -> list[str]:
    """A text cut at these places (a token inside a character starts where the character does, and is empty)."""
    return [text[a:b] for a, b in itertools.pairwise([0, *starts[1:], len(text)])] if starts else [text][: len(text)]


def _tokenizer(model: str) -> Any:
    """The transformers tokenizer of a local model: its template is rendered in jinja's sandbox, nothing of the folder is run."""
    from core.io import embedded, tokenizer_files

    if model == EMBEDDED:
        return embedded.tokenizer()
    tokenizer_files.named(model)  # a missing or broken tokenizer.json is said in words
    return embedded.tokenizer(Path(model.removeprefix(FILE)).expanduser())
