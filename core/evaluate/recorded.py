"""Answers from elsewhere: long-form predictions as evaluations, and gold files of any shape.

Long form is one row per model and item: `model,index,guess,truth,raw,status,tokens_in,tokens_out,seconds,usd`; the last six
may be absent, and so may `model` (one model then) and `guess` (it is read from `raw`). Rules for what a file does not say:
the task is a number when every truth is one and they are many or not whole, a label when there are at most 20 different
short truths that come again, else an answer; labels are those of the truths, and of numeric guesses when truths are numeric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from core.errors import DataError
from core.evaluation import Evaluation
from core.prediction import STATUSES
from core.reading import Reading, read_amount, read_reply
from core.task import labels_of, target_of
from core.version import digest

NUMBERS = ("tokens_in", "tokens_out", "seconds", "usd")
TRIVIAL = ("random", "constant_mean", "constant_median", "constant_geometric", "constant_group", "majority")
CLASSICAL = ("features_linear", "bow_linear", "tfidf_linear", "word2vec_linear", "word2vec_svm", "svm", "forest", "boosting",
             "neighbours", "embedding_linear")  # fmt: skip
PROMPTED = ("prompted", "fewshot", "retrieval")
Reader = Callable[[str], Reading]


def family_of(name: str) -> str:
    """The family a model's name tells; recorded answers of anything else count among people and recorded."""
    plain = name.casefold()
    for family, names in (("trivial", TRIVIAL), ("classical", CLASSICAL), ("prompted", PROMPTED)):
        if plain in names:
            return family
    tuned = ("adapter", "lora", "fine-tuned", "finetuned", "fine_tuned", "ft:", "tuned")
    return "tuned" if any(word in plain for word in tuned) and "untuned" not in plain else "people"


def guess_task(truths: Sequence[Any]) -> str:
    """The task that truths look like."""
    texts = [str(truth).strip() for truth in truths]
    different = set(texts)
    numbers = [read_amount(text) for text in texts]
    if all(number is not None for number in numbers):
        whole = all(float(number or 0).is_integer() for number in numbers)
        return "classification" if whole and len(different) <= 12 and len(different) < len(texts) else "regression"
    few = len(different) <= 20 and len(different) * 2 <= len(texts)
    return "classification" if few and max(map(len, texts)) <= 40 else "qa"


def from_long(frame: pd.DataFrame, task: str | None = None, *, name: str = "predictions", labels: Sequence[str] = ()) -> list[Evaluation]:
    """One evaluation per model of a long-form table, in the order of first appearance.

    Raises DataError when columns are missing, a truth cannot be read, a row is answered twice or a status is unknown.
    """
    frame = frame.rename(columns={column: str(column).strip().casefold() for column in frame.columns})
    missing = {"index", "truth"} - set(frame.columns)
    if "guess" not in frame and "raw" not in frame:
        missing.add("guess")
    if missing or not len(frame):
        wanted = f"it has no {', '.join(sorted(missing))}" if missing else "it has no row"
        raise DataError(
            f"{name}: {wanted}. Predictions are a table with the columns model, index, guess, truth (and, if known, raw, status, "
            "tokens_in, tokens_out, seconds, usd).",
            title="These are not predictions",
        )
    kind = task or guess_task(frame["truth"].tolist())
    truths = _truths(kind, frame["truth"].tolist(), name)
    frame = frame.assign(truth=truths, index=places(frame["index"].tolist(), name))
    labels = tuple(labels) or _labels(kind, frame)
    models = frame["model"].astype("str") if "model" in frame else pd.Series([name] * len(frame), index=frame.index)
    every = frame.drop_duplicates("index").sort_values("index")
    test = digest([kind, every["index"].tolist(), [str(truth) for truth in every["truth"]]])[:16]
    return [_evaluation(str(model), frame.loc[models == model], kind, labels, test, len(every)) for model in dict.fromkeys(models)]


def _evaluation(model: str, rows: pd.DataFrame, kind: str, labels: tuple[str, ...], test: str, test_rows: int) -> Evaluation:
    raw = [_text(cell) for cell in rows["raw"]] if "raw" in rows else [""] * len(rows)
    status = [_text(cell) or "ok" for cell in rows["status"]] if "status" in rows else ["ok"] * len(rows)
    unknown = [one for one in status if one not in STATUSES]
    if unknown:
        raise DataError(f"'{model}' has the status '{unknown[0]}'; known are {', '.join(STATUSES)}.", title="Unknown status")
    guesses = [read_guess(kind, cell, labels) for cell in rows["guess"]] if "guess" in rows else \
              [read_reply(kind, text, labels).value for text in raw]  # fmt: skip
    guess = [value if state == "ok" else None for value, state in zip(guesses, status, strict=True)]
    status = ["unread" if state == "ok" and value is None else state for value, state in zip(guess, status, strict=True)]
    columns: dict[str, Any] = {
        "index": rows["index"].tolist(),
        "guess": guess,
        "truth": rows["truth"].tolist(),
        "raw": raw,
        "status": status,
    }
    for column in NUMBERS:
        numbers = [read_amount(cell) for cell in rows[column]] if column in rows else [None] * len(rows)
        columns[column] = pd.array(numbers, dtype="Float64")
    text = "float64" if kind == "regression" else "str"
    answers = pd.DataFrame(columns).sort_values("index", ignore_index=True)
    answers = answers.astype({"guess": text, "truth": text, "raw": "str", "status": "str"})
    return Evaluation(model, model, model, family_of(model), "", "", kind, test, test_rows, answers, labels)


def read_guess(kind: str, cell: Any, labels: Sequence[str]) -> Any:
    """A stored answer, already read by whoever made the file: a whole cell, None when it holds nothing."""
    if kind != "qa" and kind != "chat":
        return _label(target_of(kind, cell), labels) if kind == "classification" else target_of(kind, cell)
    return None if cell is None or cell != cell else str(cell)


def _label(value: Any, labels: Sequence[str]) -> Any:
    """Labels are compared as they are written, a whole number without its point."""
    if value is None or value in labels:
        return value
    number = read_amount(value)
    return next((label for label in labels if number is not None and read_amount(label) == number), value)


def _truths(kind: str, cells: Sequence[Any], name: str) -> list[Any]:
    found = [target_of(kind, cell) for cell in cells]
    for row, value in enumerate(found, start=1):
        if value is None:
            raise DataError(f"{name}: row {row} has no truth that can be read ('{cells[row - 1]}').", title="A truth is missing")
    return found


def places(cells: Sequence[Any], name: str) -> list[int]:
    """Whole numbers as they are; other ids as their hash, so that rows can be joined on them."""
    numbers = [read_amount(cell) for cell in cells]
    if all(number is not None and number.is_integer() for number in numbers):
        return [int(number or 0) for number in numbers]
    if any(cell is None or cell != cell for cell in cells):
        raise DataError(f"{name}: a row has no index. Every row needs the place or the id of its item.", title="A row has no index")
    return [int(digest(str(cell))[:12], 16) for cell in cells]


def _labels(kind: str, frame: pd.DataFrame) -> tuple[str, ...]:
    if kind != "classification":
        return ()
    labels = labels_of(frame["truth"].tolist())
    numbers = {read_amount(label) for label in labels}
    if "guess" in frame and None not in numbers:  # a star that no truth has is still a star
        guesses = [target_of(kind, cell) for cell in frame["guess"]]
        new = [guess for guess in guesses if guess is not None and read_amount(guess) not in {None, *numbers}]
        labels = labels_of([*labels, *new])
    return labels


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell)
