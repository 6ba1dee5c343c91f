"""The language identifier (py3langid, whose model of 97 languages comes with it), and the languages of a version's texts."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from core.explore import language
from core.explore.language import Mix
from core.version import Version


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def identify(text: str) -> tuple[str, float]:
    """Two letters of the text's language and how sure that is, 0 to 1."""
    name, sure = _identifier().classify(text)
    return str(name), float(sure)


def mix_of(version: Version, most: int = language.SAMPLE) -> Mix:
    """The languages of at most so many rows with text, drawn by lot; rows are numbers of the table. Raises DataError without text."""
    from core.io.vectors import drawn

    rows, texts = drawn(version, most)
    found = language.mix(texts, identify)
    named = {name: tuple(int(rows[at]) for at in mine) for name, mine in found.rows.items()}
    return replace(found, of=version.rows, rows=named, mixed=tuple(int(rows[at]) for at in found.mixed))
