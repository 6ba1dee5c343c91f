"""Predictor x version x split with every single answer kept, so that metrics are recomputed and never re-asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.prediction import PROBABILITIES, Examples, Prediction
from core.version import digest

FAMILIES = ("trivial", "classical", "prompted", "tuned", "people")
ANSWER_COLUMNS = ("index", "guess", "truth", "raw", "status", "tokens_in", "tokens_out", "seconds", "usd")


@dataclass(frozen=True)
class Evaluation:
    id: str
    predictor: str
    """Name in PREDICTORS, "adapter", or "hosted"."""
    title: str
    """What people read: "Random forest", "SmolLM2 fine-tuned"."""
    family: str
    dataset: str
    version: str
    task: str
    test_id: str
    """Hash of the whole test split in order (see `test_id`): evaluations are comparable only when equal."""
    test_rows: int
    """How many rows the whole test split has; `answers` may hold a declared sample of them."""
    answers: pd.DataFrame
    """ANSWER_COLUMNS, in test order; `index` is the 0-based place within the test split; guess and truth are floats for
    regression, text otherwise; guess is null when status is not "ok". PROBABILITIES, where
    there are any, are 32-bit floats in the order of `probability_labels`; null in rows without."""
    labels: tuple[str, ...] = ()
    target_range: tuple[float, float] | None = None
    """Regression: the lowest and highest target of the train rows, where answers are clipped (evaluation rules, section 4)."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    training_usd: float | None = None
    train_rows: int = 0
    seed: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the model looks at (coefficients, importances), the adapter's id, warnings."""
    probability_labels: tuple[str, ...] = ()
    """Labels of the train rows, which probabilities speak of; `labels` may hold more. Empty where there are none."""

    @property
    def n(self) -> int:
        return len(self.answers)

    def meta(self) -> dict[str, Any]:
        """Everything but the answers, as JSON values."""
        data = {key: value for key, value in asdict(self).items() if key != "answers"}
        return {**data, "n": self.n}

    @classmethod
    def from_meta(cls, data: Mapping[str, Any], answers: pd.DataFrame) -> Evaluation:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__ and key != "answers"}
        span = known.get("target_range")
        lists = {name: tuple(known.get(name, ())) for name in ("labels", "probability_labels")}
        return cls(**{**known, **lists, "answers": answers, "target_range": tuple(span) if span else None})


def test_id(rows: Examples) -> str:
    """16 hex digits of the frozen test rows: texts and targets in order. Changing train rows does not change it."""
    return digest([list(rows.text), [str(value) for value in rows.targets or ()]])[:16]


def drawn(n: int, limit: int | None) -> list[int]:
    """Places of the test rows that are asked when not all of `n` are, ascending: drawn by lot, never the first ones of the file.

    The lot is the same for every model and seed, and the rows of a smaller limit are among those of a larger one.
    """
    if limit is None or limit >= n:
        return list(range(n))
    return sorted(int(place) for place in np.random.default_rng(0).permutation(n)[:limit])


def answers_frame(rows: Examples, predictions: Sequence[Prediction], positions: Sequence[int] | None = None) -> pd.DataFrame:
    """Answers beside the truth, as `Evaluation.answers`. `positions` are the rows' places in the test split."""
    if rows.targets is None or len(predictions) != len(rows):
        raise ValueError(f"{len(predictions)} predictions for {len(rows)} rows with targets")
    regression = rows.task == "regression"
    frame = pd.DataFrame(
        {
            "index": list(positions) if positions is not None else list(range(len(rows))),
            "guess": [p.value if p.status == "ok" else None for p in predictions],
            "truth": list(rows.targets),
            "raw": [p.raw for p in predictions],
            "status": [p.status for p in predictions],
            "tokens_in": pd.array([p.tokens_in for p in predictions], dtype="Int64"),
            "tokens_out": pd.array([p.tokens_out for p in predictions], dtype="Int64"),
            "seconds": pd.array([p.seconds for p in predictions], dtype="Float64"),
            "usd": pd.array([p.usd for p in predictions], dtype="Float64"),
        }
    )
    if any(p.probabilities is not None for p in predictions):
        frame[PROBABILITIES] = [None if p.probabilities is None else np.array(p.probabilities, dtype=np.float32) for p in predictions]
    kind = "float64" if regression else "str"
    return frame.astype({"guess": kind, "truth": kind, "raw": "str", "status": "str"})
