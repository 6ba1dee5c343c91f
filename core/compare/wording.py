"""How models and their numbers are named in sentences, so that a verdict reads like one: only from numbers and titles."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core import format as fmt
from core.compare.board import Board, Pair, Row
from core.evaluate.best_of import BestOf

SPOKEN = {
    "random": "guessing at random", "constant_mean": "always answering the mean", "constant_median": "always answering the median",
    "constant_geometric": "always answering the geometric mean", "constant_group": "answering each category's median",
    "majority": "always giving the most frequent answer",
    "features_linear": "a linear model on features", "bow_linear": "bag of words with a linear model",
    "tfidf_linear": "weighted words with a linear model", "word2vec_linear": "word2vec with a linear model",
    "word2vec_svm": "word2vec with an SVM", "svm": "a linear SVM", "forest": "a random forest", "boosting": "gradient boosting",
    "neighbours": "nearest neighbours", "embedding_linear": "embeddings with a linear model",
}  # fmt: skip
"""Predictor -> how a sentence names it. Others are named by their title."""


def named(row: Row, rows: Sequence[Row], *, start: bool = False) -> str:
    """The model in a sentence: "a random forest", "the fine-tuned SmolLM2", else its title as it is. `start`: at its beginning."""
    if row.predictor in SPOKEN and sum(other.predictor == row.predictor for other in rows) == 1:
        said = SPOKEN[row.predictor]
    elif row.family == "tuned" and row.title.endswith(" fine-tuned"):
        said = f"the fine-tuned {row.title.removesuffix(' fine-tuned')}"
    else:
        return row.title
    return upper(said) if start else said


def upper(text: str) -> str:
    """The first letter as a capital."""
    return text[:1].upper() + text[1:]


def score(board: Board, row: Row) -> str:
    """The headline value as people read it: "$44.1", "19 of 20", "58 %", "0.62"."""
    return fmt.metric(board.unit_of(board.metrics[0]), row.values[board.metrics[0]].value, board.n)


def scored(board: Board, row: Row, *, again: bool = False) -> str:
    """What the model does, with the number: "misses by $44.1 on average", "is right on 19 of 20 rows"; shorter said `again`."""
    value = score(board, row)
    if again:
        return f"by {value}" if board.headline.name == "mae" else f"on {value}" if board.headline.unit == "share" else f"reaches {value}"
    if board.headline.name == "mae":
        return f"misses by {value} on average"
    if board.headline.unit == "share":
        return f"is right on {value}" + (" rows" if board.n < 30 else " of the rows")
    return f"reaches {value} of 1"


def closer(board: Board) -> str:
    """The comparative of the headline."""
    return {"mae": "closer", "f1": "closer"}.get(board.headline.name, "right more often")


def gap(board: Board, pair: Pair) -> str:
    """The size of a difference with its interval, as a positive number: "$5.7 [1.9, 9.6]"; shares in points."""
    low, high = sorted((pair.low, pair.high)) if pair.difference >= 0 else sorted((-pair.low, -pair.high))
    unit = board.unit_of(pair.metric)
    size = abs(pair.difference)
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{100 * size:.1f} points" if unit == "share" else fmt.metric(unit, size)
    if unit == "share":
        return f"{100 * size:.1f} points [{_signed(100 * low)}, {_signed(100 * high)}]"
    return f"{fmt.metric(unit, size)} {fmt.interval(low, high, unit, prose=True)}"


def _signed(value: float) -> str:
    return fmt.signed(f"{value:.1f}")


def evidence(board: Board, pair: Pair) -> str:
    """What a comparison rests on: "paired, Holm-adjusted p = 0.004, 292 rows"."""
    adjusted = "Holm-adjusted " if pair.comparisons > 1 else ""
    return f"paired, {adjusted}{fmt.p_value(pair.p_adjusted)}, {fmt.plural(board.n, 'row')}"


def more_rows(pair: Pair) -> str | None:
    """ "About 410 more test rows would tell", or None when that cannot be said. Two digits: it is an estimate."""
    if not pair.needed_items:
        return None
    digits = max(0, len(str(pair.needed_items)) - 2)
    return f"about {fmt.count(round(pair.needed_items, -digits))} more test {'row' if pair.needed_items == 1 else 'rows'} would"


def compared(board: Board, pair: Pair, other: Row) -> str:
    """What a comparison ends in: "better than a linear SVM", "not distinguishable from it; about 410 more test rows would tell"."""
    who, more = named(other, board.rows), more_rows(pair)
    if pair.verdict != "not distinguishable":
        return f"{pair.verdict} than {who}"
    return f"not distinguishable from {who}" + (f" ({more} tell)" if more else "")


def picked(board: Board, found: BestOf | None) -> str:
    """What choosing the best on these rows adds to its score; "" when that is too little to be seen in the number shown."""
    unit = board.unit_of(board.metrics[0])
    if found is None or fmt.metric(unit, found.value) == fmt.metric(unit, found.corrected):
        return ""
    return (f"The first of {fmt.count(found.k)} was picked on these very rows, which flatters it: on new rows expect about "
            f"{fmt.metric(unit, found.corrected)}, not {fmt.metric(unit, found.value)}.")  # fmt: skip


def answer(value: object, unit: str) -> str:
    """One answer or truth as it is shown beside others: "$21.95", "1,299", "5", "unread"."""
    if value is None or value != value:
        return "unread"
    if not isinstance(value, float):
        return str(value)
    if unit == "usd":
        return fmt.signed(f"{'-' if value < 0 else ''}${abs(value):,.2f}")
    told = fmt.number(value, 6)
    return told.rstrip("0").rstrip(".") if "." in told else told
