"""How much texts differ from one another: distinct n-grams, openings and endings that many share, groups that hold most rows.

Distinct-n (Li et al. 2016) is the number of different runs of n words over the number of all of them. It falls with the length
of the text, so it is always taken over the same number of words, from rows drawn by lot. A word is a run of letters and
digits; in Korean that is a word with its particles, so Korean figures are higher than English ones and not comparable to them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORDS = 10_000
"""Words distinct-n is taken over, where there are as many."""
FEWEST = 1_000
"""Fewer words than this say nothing."""
_SHORTEST, _LONGEST = 4, 40
"""Words an opening or ending has."""
_AGREE = 0.9
"""An opening is told as far as nine in ten of its rows go along."""
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Distinct:
    one: float
    """Different words over all words, 0 to 1."""
    two: float
    """Different pairs of neighbouring words over all pairs."""
    words: int
    """Words it was taken over."""
    rows: int
    """Rows they came from."""


@dataclass(frozen=True)
class Template:
    place: str
    """opening or ending"""
    text: str
    """The words as the first of the rows has them."""
    rows: tuple[int, ...]
    share: float
    """Of the different texts."""
    numbers: bool = False
    """Whether the rows differ in the numbers within."""


def distinct(texts: Sequence[str], *, most: int = WORDS, seed: int = 0) -> Distinct | None:
    """Distinct-1 and distinct-2 over at most `most` words; None when there are fewer than FEWEST words or texts are single words."""
    seen: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    total, total_pairs, rows = 0, 0, 0
    for place in np.random.default_rng(seed).permutation(len(texts)).tolist():
        words = _WORD.findall(str(texts[place]).casefold())[: most - total]
        if not words:
            continue
        seen.update(words)
        pairs.update(itertools.pairwise(words))
        total, total_pairs, rows = total + len(words), total_pairs + len(words) - 1, rows + 1
        if total >= most:
            break
    if total < FEWEST or not total_pairs:
        return None
    return Distinct(len(seen) / total, len(pairs) / total_pairs, total, rows)


def templates(texts: Sequence[str], *, least: float = 0.05, fewest: int = 20) -> list[Template]:
    """The openings and endings that a share of at least `least` (and `fewest` rows) of the different texts have in common,
    numbers left out of the comparison; the most frequent first, at most two each."""
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        if text.strip():
            first.setdefault(text, row)
    rows = list(first.values())
    words = [texts[row][:4000].split() for row in rows]
    found = []
    for place in ("opening", "ending"):
        runs = [one if place == "opening" else one[::-1] for one in words]
        found += _shared(place, runs, rows, max(fewest, least * len(rows)))
    return sorted(found, key=lambda one: -len(one.rows))


def _shared(place: str, runs: Sequence[Sequence[str]], rows: Sequence[int], needed: float) -> list[Template]:
    plain = [tuple(_NUMBER.sub("0", word.casefold()) for word in one[:_LONGEST]) for one in runs]
    keys = Counter(one[:_SHORTEST] for one in plain if len(one) > _SHORTEST)
    found = []
    for key, count in keys.most_common(2):
        if count < needed:
            break
        mine = [at for at, one in enumerate(plain) if len(one) > _SHORTEST and one[:_SHORTEST] == key]
        length = _SHORTEST
        while True:
            further = Counter(plain[at][: length + 1] for at in mine if len(plain[at]) > length)
            if length >= _LONGEST or not further or further.most_common(1)[0][1] < _AGREE * len(mine):
                break
            length += 1
            best = further.most_common(1)[0][0]
            mine = [at for at in mine if plain[at][:length] == best]
        shown = list(runs[mine[0]][:length])
        masked = any("0" in word for word in plain[mine[0]][:length]) and len({tuple(runs[at][:length]) for at in mine}) > 1
        text = " ".join(shown if place == "opening" else shown[::-1])
        found.append(Template(place, text, tuple(rows[at] for at in mine), len(mine) / len(rows), masked))
    return found


def phrase(text: str, texts: Sequence[str]) -> bool:
    """Whether a template stands in each of these texts letter by letter, so that it can be taken out as a phrase."""
    return all(text in one for one in texts)


def largest(groups: np.ndarray, count: int = 5) -> tuple[float, int]:
    """(share of rows in the `count` largest groups, number of groups)."""
    _, sizes = np.unique(groups, return_counts=True)
    return (float(np.sort(sizes)[::-1][:count].sum() / len(groups)) if len(groups) else 0.0), len(sizes)


def masked(texts: Sequence[str]) -> np.ndarray:
    """Groups of texts that are the same once case, blanks and the digits of numbers do not count."""
    keys: dict[str, int] = {}
    return np.array([keys.setdefault(" ".join(_NUMBER.sub("0", text.casefold()).split()), row) for row, text in enumerate(texts)])
