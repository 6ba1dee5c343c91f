"""Rows whose text looks like no prose leave: too few words, mostly signs, digits or capitals, the same over and over."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.parse import as_text
from core.curate.signals import SIGNALS, Measured, classes
from core.curate.table import Tokenizer, with_reasons
from core.errors import SettingsError
from core.format import number, share

NAMES = {
    "words": "words", "word_length": "characters a word", "letters": "letters", "symbols": "signs", "digits": "digits",
    "capitals": "capitals", "repeated_lines": "repeated lines", "common_word": "the most frequent word",
    "repeated_passages": "repeated passages",
}  # fmt: skip
LIMITS = (
    ("words", "words_from", "words_to"), ("word_length", "word_length_from", "word_length_to"), ("letters", "letters_from", ""),
    ("symbols", "", "symbols_to"), ("digits", "", "digits_to"), ("capitals", "", "capitals_to"),
    ("repeated_lines", "", "repeated_lines_to"),
    ("common_word", "", "common_word_to"), ("repeated_passages", "", "repeated_passages_to"),
)  # fmt: skip
"""Signal, the setting of its lower end, the setting of its upper end."""


def _part(default: float | None, meaning: str) -> float | None:
    return setting(default, meaning, "number", low=0, high=1, empty="not looked at")


@dataclass(frozen=True)
class QualitySettings(Settings):
    column: str = setting("text", "The text column that is measured.", "column")
    words_from: int | None = setting(3, "Texts of fewer words leave.", "whole", low=0, empty="not looked at")
    words_to: int | None = setting(None, "Texts of more words leave.", "whole", low=0, empty="not looked at")
    word_length_from: float | None = setting(
        None, "Texts with shorter words on average leave, in characters.", "number", low=0, empty="not looked at"
    )
    word_length_to: float | None = setting(
        20.0, "Texts with longer words on average leave, in characters.", "number", low=0, empty="not looked at"
    )
    letters_from: float | None = _part(0.5, "Texts with a smaller share of letters (of any script) leave, 0 to 1.")
    symbols_to: float | None = _part(0.3, "Texts with a larger share of signs that are neither letters nor digits leave, 0 to 1.")
    digits_to: float | None = _part(0.3, "Texts with a larger share of digits leave, 0 to 1.")
    capitals_to: float | None = _part(0.8, "Texts with a larger share of capitals leave, 0 to 1; Korean has none.")
    repeated_lines_to: float | None = _part(0.3, "Texts with a larger share of lines that stood before leave, 0 to 1.")
    common_word_to: float | None = _part(0.3, "Texts of which one word is a larger share leave, 0 to 1.")
    repeated_passages_to: float | None = _part(0.3, "Texts with a larger share of five-word passages that stood before leave, 0 to 1.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for signal, below, above in LIMITS:
            low, high = self.ends(below, above)
            if low is not None and high is not None and low > high:
                raise SettingsError(f"{NAMES[signal].capitalize()} go from {low:g} to {high:g}: nothing lies between. Swap the two.",
                                    title="The range is empty")  # fmt: skip

    def ends(self, below: str, above: str) -> tuple[float | None, float | None]:
        return getattr(self, below) if below else None, getattr(self, above) if above else None


def quality(rows: pd.DataFrame, settings: QualitySettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows with a signal beyond its limit leave, and the first such signal and its value are the reason."""
    asked = [(signal, *settings.ends(below, above)) for signal, below, above in LIMITS]
    asked = [(signal, low, high) for signal, low, high in asked if low is not None or high is not None]
    table = classes()
    return with_reasons(rows, [_reason(Measured(as_text(cell) or "", table), asked) for cell in rows[settings.column].tolist()])


def _reason(one: Measured, asked: list[tuple[str, float | None, float | None]]) -> str | None:
    for signal, low, high in asked:
        value = SIGNALS[signal](one)
        if low is not None and value < low:
            return f"{NAMES[signal]} below {_shown(signal, low)} ({_shown(signal, value)})"
        if high is not None and value > high:
            return f"{NAMES[signal]} above {_shown(signal, high)} ({_shown(signal, value)})"
    return None


def _shown(signal: str, value: float) -> str:
    return f"{value:.0f}" if signal == "words" else number(value, 2) if signal == "word_length" else share(value)


def quality_sentence(settings: QualitySettings) -> str:
    """ "text by 8 signals" """
    asked = [NAMES[signal] for signal, below, above in LIMITS if settings.ends(below, above) != (None, None)]
    return (
        f"{settings.column} by {len(asked)} signals" if len(asked) > 2 else f"{settings.column} by {' and '.join(asked) or 'no signal yet'}"
    )
