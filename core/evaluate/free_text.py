"""How close a free answer is to an accepted one: ROUGE-L and chrF, both safe for Korean.

ROUGE-L (Lin 2004) is the F1 of the longest common subsequence of pieces: words in English, characters in Korean. The usual
package keeps Latin letters and digits only, so that two equal Korean sentences score 0; these pieces are those of
`core.evaluate.text`. chrF2 (Popović 2015) counts shared runs of 1 to 6 characters, blanks left out, recall weighing double. It is
a figure of the whole set, not a mean of rows: its columns are counts, so that intervals and tests resample rows and count anew.
"""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.text import is_korean, normal, pieces

ORDER, BETA = 6, 2.0


def rouge_l(guess: str, gold: str, *, official: bool = False, korean: bool = False) -> float:
    """F1 of the longest common subsequence, 0 to 1; two empty texts are equal."""
    korean = korean or is_korean(gold)
    mine, theirs = (pieces(normal(text, korean=korean, official=official), korean=korean) for text in (guess, gold))
    if not mine or not theirs:
        return float(mine == theirs)
    common = longest_common(mine, theirs)
    return 2 * common / (len(mine) + len(theirs))


def longest_common(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence: bit by bit, a machine word of `a` at a time (Hyyrö 2004)."""
    where: dict[str, int] = {}
    for place, piece in enumerate(a):
        where[piece] = where.get(piece, 0) | 1 << place
    whole = (1 << len(a)) - 1
    row = whole
    for piece in b:
        match = where.get(piece, 0)
        met = row & match
        row = ((row + met) | (row - met)) & whole
    return len(a) - row.bit_count()


def chrf_columns(answers: Answers) -> np.ndarray:
    """(n, 18): for 1 to 6 characters the runs of the answer, of the accepted text, and of both.

    Of several accepted texts the one with the best score of its own counts. An unread answer counts as one as long as the accepted
    text that shares nothing with it: no answer at all would spare it the precision that a wrong one costs, and be the better choice.
    """
    rows = np.zeros((answers.n, 3 * ORDER))
    for place, (guess, truth) in enumerate(zip(answers.guess, answers.truth, strict=True)):
        golds = truth if isinstance(truth, tuple) else (truth,)
        counted = [_unread(gold, answers.official) if guess is None else _counts(guess, gold, answers.official) for gold in golds]
        if counted:
            rows[place] = max(counted, key=lambda one: float(chrf(one, np.array(1.0))))
    return rows


def chrf(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    """chrF2 of sums (..., 18), 0 to 1: mean precision and recall over the lengths both sides have; 0 where there is none."""
    mine, theirs, both = sums[..., :ORDER], sums[..., ORDER : 2 * ORDER], sums[..., 2 * ORDER :]
    there = (mine > 0) & (theirs > 0)
    orders = np.maximum(there.sum(axis=-1), 1)
    precision = np.divide(both, mine, out=np.zeros_like(both), where=there).sum(axis=-1) / orders
    recall = np.divide(both, theirs, out=np.zeros_like(both), where=there).sum(axis=-1) / orders
    below = BETA**2 * precision + recall
    return np.where(below > 0, (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1.0), 0.0)


def _counts(guess: str, gold: str, official: bool) -> np.ndarray:
    mine, theirs = ("".join((text if official else unicodedata.normalize("NFC", text)).split()) for text in (guess, gold))
    counts = np.zeros(3 * ORDER)
    for order in range(ORDER):
        left, right = _runs(mine, order + 1), _runs(theirs, order + 1)
        counts[order], counts[ORDER + order] = left.total(), right.total()
        counts[2 * ORDER + order] = (left & right).total()
    return counts


def _unread(gold: str, official: bool) -> np.ndarray:
    counts = _counts("", gold, official)
    counts[:ORDER] = counts[ORDER : 2 * ORDER] if gold.strip() else np.eye(ORDER)[0]
    return counts


def _runs(text: str, length: int) -> Counter[str]:
    return Counter(text[start : start + length] for start in range(len(text) - length + 1))
