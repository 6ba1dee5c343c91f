"""One model's answers row by row: how near each is, how it misses, and where.

Numbers are close, off and far off by a rule of `core.evaluate.hits` (default: scaled to the truths at hand). Labels are close when
right, off when one step away (three numeric labels or more); answers are close when they say the same, off when they share half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluate import text
from core.evaluate.answers import Answers, answers_of, label_numbers, scored_numbers
from core.evaluate.hits import Rule, scaled
from core.evaluate.intervals import PREVIEW, Measured, group_codes, measure_all, t_interval, wilson
from core.evaluation import Evaluation

CLOSE, OFF, FAR, UNREAD = "close", "off", "far off", "unread"
JUDGEMENTS = (CLOSE, OFF, FAR, UNREAD)


def judged(answers: Answers, rule: Rule | None = None) -> np.ndarray:
    """(n,) one of JUDGEMENTS for each row; numbers by `rule`."""
    if answers.task == "regression":
        found = _judged_numbers(answers, rule or scaled(answers.truth))
    elif answers.task == "classification":
        found = _judged_labels(answers)
    else:
        found = np.array([_judged_text(g, t, answers.korean) for g, t in zip(answers.guess, answers.truth, strict=True)], dtype=object)
    found[~answers.read] = UNREAD
    return found


def _judged_numbers(answers: Answers, rule: Rule) -> np.ndarray:
    miss = np.abs(answers.guess - answers.truth)
    size = np.abs(answers.truth)
    near = (miss < rule.close) | (miss < rule.ratio * size) | (miss == 0)
    fair = (miss < 2 * rule.close) | (miss < 2 * rule.ratio * size)
    return np.where(near, CLOSE, np.where(fair, OFF, FAR)).astype(object)


def _judged_labels(answers: Answers) -> np.ndarray:
    ordered = len(answers.labels) > 2 and label_numbers(answers) is not None
    places = {label: i for i, label in enumerate(answers.labels)} if ordered else {}
    out = []
    for guess, truth in zip(answers.guess, answers.truth, strict=True):
        step = abs(places[guess] - places[truth]) if guess in places and truth in places else 9
        out.append(CLOSE if guess == truth else OFF if step == 1 else FAR)
    return np.array(out, dtype=object)


def _judged_text(guess: object, truth: object, korean: bool) -> str:
    golds = truth if isinstance(truth, tuple) else (str(truth),)
    if guess is None:
        return UNREAD
    if any(text.exact(str(guess), str(gold), korean=korean) for gold in golds):
        return CLOSE
    return OFF if max((text.f1(str(guess), str(gold), korean=korean) for gold in golds), default=0.0) >= 0.5 else FAR


def misses(answers: Answers) -> np.ndarray:
    """(n,) numbers: guess minus truth; labels and answers: 0 right, 1 wrong (numeric labels: steps). NaN where unread."""
    if answers.task == "regression":
        return np.asarray(answers.guess - answers.truth, dtype=float)
    order = {CLOSE: 0.0, OFF: 1.0, FAR: 2.0, UNREAD: np.nan}
    numbers = label_numbers(answers) if answers.task == "classification" else None
    if numbers:
        return np.array([numbers[g] - numbers[t] if g in numbers and t in numbers else np.nan
                         for g, t in zip(answers.guess, answers.truth, strict=True)])  # fmt: skip
    return np.array([order[one] for one in judged(answers)])


def worst_first(answers: Answers, rule: Rule | None = None) -> list[int]:
    """Positions of all rows: unread first, then by the size of the miss; equal ones in test order."""
    rank = {UNREAD: 0, FAR: 1, OFF: 2, CLOSE: 3}
    word, miss = judged(answers, rule), np.abs(misses(answers))
    keys = [(0 if word[i] == UNREAD else 1, -miss[i] if np.isfinite(miss[i]) else 0.0, rank[word[i]], i) for i in range(answers.n)]
    return [key[-1] for key in sorted(keys)]


def measured(evaluations: Sequence[Evaluation], groups: Mapping[int, object] | None = None) -> list[dict[str, Measured]]:
    """Every metric of every evaluation over the rows it answered itself; those that answered the same rows share resamples.

    `groups` says for each place in the test split which rows belong together.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, one in enumerate(evaluations):
        alike.setdefault(tuple(one.answers["index"].tolist()), []).append(place)
    found: list[dict[str, Measured]] = [{} for _ in evaluations]
    for index, places in alike.items():
        codes = None if groups is None else group_codes([groups.get(one) for one in index])
        answers = [answers_of(evaluations[place]) for place in places]
        for place, values in zip(places, measure_all(answers, groups=codes, count=PREVIEW), strict=True):
            found[place] = values
    return found


@dataclass(frozen=True)
class Part:
    """The rows of one category."""

    name: str
    measured: Measured


def by_category(answers: Answers, categories: Sequence[str], most: int = 12) -> list[Part]:
    """The average miss (numbers) or the share right (everything else) in each of the most frequent categories, frequent first."""
    names, counts = np.unique(np.array(categories, dtype=object), return_counts=True)
    chosen = sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))[:most]
    cells = np.array(categories, dtype=object)
    return [Part(str(name), _measured(answers.take(np.flatnonzero(cells == name)))) for name, _ in chosen]


def _measured(answers: Answers) -> Measured:
    if answers.task == "regression":
        miss = np.abs(scored_numbers(answers) - answers.truth)
        value = float(miss.mean()) if len(miss) else float("nan")
        low, high = t_interval(miss)
        return Measured(value, max(0.0, low) if np.isfinite(low) else low, high, len(miss), "t")
    right = int((judged(answers) == CLOSE).sum())
    return Measured(right / max(answers.n, 1), *wilson(right, answers.n), answers.n, "wilson")


def residual_bins(answers: Answers, bins: int = 30) -> tuple[list[float], list[int]]:
    """Edges (bins + 1) and counts of guess minus truth; the outer 1 % on each side stands in the outermost bars."""
    miss = misses(answers)
    miss = miss[np.isfinite(miss)]
    if not len(miss):
        return [0.0, 1.0], [0]
    low, high = np.quantile(miss, [0.01, 0.99])
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts, edges = np.histogram(np.clip(miss, low, high), bins=bins, range=(low, high))
    return edges.tolist(), counts.tolist()
