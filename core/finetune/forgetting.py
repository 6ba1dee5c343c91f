"""What a model lost of general language and knowledge while it learnt something else: before against after, with intervals.

The same sentences are read and the same questions answered by base and adapter, so everything is paired: perplexities by a bootstrap
over sentences, questions by McNemar's exact test with a paired bootstrap interval. A loss beyond its interval is a finding in words.
Not known here: who reads and who answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.evaluate.answers import make_answers
from core.evaluate.intervals import FULL, bca, resamples
from core.evaluate.paired import difference
from core.evaluate.perplexity import Surprise
from core.evaluate.text import is_korean
from core.format import count, number, share


@dataclass(frozen=True)
class Question:
    language: str
    question: str
    answers: tuple[str, ...]
    """Each of them is right by itself."""


def right(reply: str, question: Question) -> bool:
    """Whether an accepted answer stands in the reply as a word; Korean words may carry a particle."""
    said = unicodedata.normalize("NFC", reply).casefold()
    return any(_stands(answer, said) for answer in question.answers)


def _stands(answer: str, said: str) -> bool:
    after = r"(?![0-9])" if is_korean(answer) or answer.isdigit() else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(unicodedata.normalize('NFC', answer).casefold())}{after}", said) is not None


def texts_told(language: str, before: Sequence[Surprise], after: Sequence[Surprise], seed: int = 0) -> dict[str, Any]:
    """Perplexities of the same sentences before and after, their difference and ratio with 95 % intervals, and the finding or "".

    {language, before, after, difference, low, high, ratio, ratio_low, ratio_high, sentences, tokens, finding}
    """
    sums = np.array([[one.nats, two.nats, one.tokens] for one, two in zip(before, after, strict=True)], dtype=float)

    def both(totals: np.ndarray) -> np.ndarray:
        """(..., 2): perplexity before and after."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return np.exp(totals[..., :2] / totals[..., 2:])

    whole = sums.sum(axis=0)
    old, new = (float(value) for value in both(whole))
    drawn = np.concatenate([both(weights @ sums) for weights in resamples(len(sums), FULL, seed)])
    left = both(whole - sums)
    low, high, _ = bca(new - old, drawn[:, 1] - drawn[:, 0], left[:, 1] - left[:, 0])
    ratio_low, ratio_high, _ = bca(new / old, drawn[:, 1] / drawn[:, 0], left[:, 1] / left[:, 0])
    risen = low > 0 and ratio_low > 1
    told = (
        f"It is more surprised by general {language} text than before: perplexity {number(new)} instead of {number(old)}, "
        f"{number(new / old)} times as much [{number(ratio_low)} to {number(ratio_high)}]."
    )
    numbers = {"before": old, "after": new, "difference": new - old, "low": low, "high": high, "ratio": new / old,
               "ratio_low": ratio_low, "ratio_high": ratio_high}  # fmt: skip
    return {"language": language, **{name: _finite(value) for name, value in numbers.items()}, "sentences": len(sums),
            "tokens": int(whole[2]), "finding": told if risen else ""}  # fmt: skip


def questions_told(before: Sequence[bool], after: Sequence[bool], seed: int = 0) -> dict[str, Any]:
    """Shares of general questions answered rightly, their difference with its interval, McNemar's p, and the finding or "".

    {n, before, after, difference, low, high, p, lost, won, finding}
    """
    words = {True: "right", False: "wrong"}
    new, old = (make_answers("qa", ["right"] * len(side), [words[bool(one)] for one in side]) for side in (after, before))
    found = difference("exact_match", new, old, seed=seed)
    was, now = float(np.mean(before)), float(np.mean(after))
    told = (
        f"It answers fewer general questions: {share(now, len(after))} of {count(len(after))} instead of {share(was, len(before))}; "
        f"{count(found.lost)} are lost and {count(found.won)} gained."
    )
    return {"n": len(after), "before": was, "after": now, "difference": found.value, "low": _finite(found.low), "high": _finite(found.high),
            "p": found.p, "lost": found.lost, "won": found.won, "finding": told if found.high < 0 else ""}  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
