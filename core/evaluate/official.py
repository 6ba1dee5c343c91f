"""The numbers the official question answering scripts print, in percent, from answers by question id.

Sources: evaluate-v1.1.py and evaluate-v2.0.py of SQuAD, evaluate-v1.0.py of KorQuAD, rule by rule. Questions without an answer
score 0 and count (v1.1, KorQuAD), or do not count at all (v2.0, as its script does); the callers say how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import DataError, SettingsError
from core.evaluate.text import normalize_english, normalize_korean, overlap, pieces

Golds = Mapping[str, Sequence[str]]


def questions(data: Mapping[str, object]) -> dict[str, list[str]]:
    """Question id -> accepted answers, in the file's order, from a file in SQuAD shape. Raises DataError for another shape."""
    try:
        pairs = [(str(qa["id"]), [str(answer["text"]) for answer in qa["answers"]])
                 for article in data["data"] for paragraph in article["paragraphs"] for qa in paragraph["qas"]]  # type: ignore  # fmt: skip
    except (KeyError, TypeError) as error:
        raise DataError(
            "The gold file is not in SQuAD shape: data, paragraphs, qas, answers are expected.", title="Not a SQuAD file"
        ) from error
    return dict(pairs)


Scores = dict[str, tuple[float, float]]
"""Question id -> exact match and F1, both from 0 to 1, of every question that counts."""


def official(name: str, predictions: Mapping[str, str], golds: Golds) -> dict[str, float]:
    """{"exact_match": percent, "f1": percent} as the named script prints them."""
    scores = official_scores(name, predictions, golds).values()
    return {"exact_match": 100.0 * sum(exact for exact, _ in scores) / len(scores), "f1": 100.0 * sum(f1 for _, f1 in scores) / len(scores)}


def official_scores(name: str, predictions: Mapping[str, str], golds: Golds) -> Scores:
    """The same, question by question. Raises SettingsError for an unknown script, DataError when nothing counts."""
    if name not in OFFICIAL:
        raise SettingsError(f"There is no official script '{name}'. Choose one of {', '.join(OFFICIAL)}.", title="Unknown script")
    scores = OFFICIAL[name](predictions, golds)
    if not scores:
        raise DataError("None of the questions counts: the gold file is empty or none has an answer.", title="Nothing to score")
    return scores


def _squad1(predictions: Mapping[str, str], golds: Golds) -> Scores:
    return _best_of(predictions, golds, korean=False)


def _korquad1(predictions: Mapping[str, str], golds: Golds) -> Scores:
    return _best_of(predictions, golds, korean=True)


def _best_of(predictions: Mapping[str, str], golds: Golds, *, korean: bool) -> Scores:
    out: Scores = {}
    for question, answers in golds.items():
        found = [_score(predictions[question], answer, korean=korean) for answer in answers] if question in predictions else []
        out[question] = (max((exact for exact, _ in found), default=0.0), max((f1 for _, f1 in found), default=0.0))
    return out


def _score(guess: str, gold: str, *, korean: bool) -> tuple[float, float]:
    mine, theirs = (normalize_korean(text) if korean else normalize_english(text) for text in (guess, gold))
    left, right = pieces(mine, korean=korean), pieces(theirs, korean=korean)
    return float(mine == theirs), overlap(left, right) if left and right else 0.0


def _squad2(predictions: Mapping[str, str], golds: Golds) -> Scores:
    out: Scores = {}
    for question in golds:
        if question in predictions:
            guess = normalize_english(predictions[question])
            kept = [text for text in map(normalize_english, golds[question]) if text] or [""]
            out[question] = (max(float(guess == gold) for gold in kept), max(overlap(guess.split(), gold.split()) for gold in kept))
    return out


OFFICIAL = {"korquad1": _korquad1, "squad1": _squad1, "squad2": _squad2}
