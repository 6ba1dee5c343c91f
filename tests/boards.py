"""Made-up evaluations for tests of comparison: numbers drawn from a seed, or answers given one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation import Evaluation

STATUSES = ("error", "timeout", "refusal", "truncated", "unread")


def evaluation(title: str, family: str, truth: Sequence[Any], guess: Sequence[Any], *, task: str = "regression", status: Sequence[str] | None = None,
               index: Sequence[int] | None = None, test_id: str = "t1", usd: float | None = None, seconds: float | None = 0.001,
               raw: Sequence[str] | None = None, **more: Any) -> Evaluation:  # fmt: skip
    """One evaluation; a guess of None is unread."""
    n = len(truth)
    kind = "float64" if task == "regression" else "str"
    answers = pd.DataFrame({
        "index": list(index) if index is not None else list(range(n)), "guess": list(guess), "truth": list(truth),
        "raw": list(raw) if raw is not None else [""] * n,
        "status": list(status) if status else ["ok" if g is not None else "unread" for g in guess],
        "tokens_in": pd.array([None] * n, dtype="Int64"), "tokens_out": pd.array([None] * n, dtype="Int64"),
        "seconds": pd.array([seconds] * n, dtype="Float64"), "usd": pd.array([usd] * n, dtype="Float64"),
    }).astype({"guess": kind, "truth": kind, "raw": "str", "status": "str"})  # fmt: skip
    settings = {"id": title, "predictor": title, "dataset": "d", "version": "v", "test_rows": n, **more}
    if task == "classification":
        settings.setdefault("labels", tuple(sorted({str(t) for t in truth})))
    return Evaluation(title=title, family=family, task=task, test_id=test_id, answers=answers, **settings)


def prices(spreads: dict[str, tuple[str, float]], n: int = 300, seed: int = 0, **more: Any) -> list[Evaluation]:
    """Title -> (family, spread of its log error); the constant answers the median. Same truths for all."""
    rng = np.random.default_rng(seed)
    truth = np.round(rng.lognormal(4, 0.9, n), 2)
    out = []
    for title, (family, spread) in spreads.items():
        guess = np.full(n, np.median(truth)) if family == "trivial" else truth * rng.lognormal(0, spread, n)
        out.append(evaluation(title, family, truth, guess, target_range=(1.0, 999.0), **more))
    return out


def labels(rights: dict[str, tuple[str, float]], n: int = 300, seed: int = 0, **more: Any) -> list[Evaluation]:
    """Title -> (family, chance of being right) on labels 1 to 5."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, n).astype(str)
    out = []
    for title, (family, chance) in rights.items():
        wrong = ((truth.astype(int) % 5) + 1).astype(str)
        guess = np.full(n, "3") if family == "trivial" else np.where(rng.random(n) < chance, truth, wrong)
        out.append(evaluation(title, family, truth.tolist(), guess.tolist(), task="classification", **more))
    return out
