"""The leaderboard's intervals and paired tests against the same statistics written with scipy's own bootstrap and permutation test."""

from __future__ import annotations

import json
import time

import numpy as np

from core.compare.leaderboard import leaderboard
from core.evaluation import Evaluation, answers_frame
from core.prediction import Prediction, examples
from core.version import Roles

MODELS, ROWS, RUNS, RESAMPLES = 6, 500, 5, 9_999


def made(rng: np.random.Generator, models: int = MODELS, rows: int = ROWS) -> list[Evaluation]:
    import pandas as pd

    truth = rng.gamma(2, 40, rows)
    asked = examples(pd.DataFrame({"t": [f"row {i}" for i in range(rows)], "y": truth}), Roles(text=("t",), target="y"), "regression")
    found = []
    for i in range(models):
        guesses = np.abs(truth * rng.normal(1, 0.2 + 0.05 * i, rows))
        answers = answers_frame(asked, [Prediction(float(g)) for g in guesses])
        span = (float(truth.min()), float(truth.max()))
        found.append(
            Evaluation(f"m{i}", "svm", f"Model {i}", "classical", "d", "v", "regression", "same", rows, answers, target_range=span)
        )
    return found


def reference(found: list[Evaluation]) -> None:
    """Per model every metric's bootstrap interval, per pair a bootstrap and a permutation test, one call each."""
    from scipy.stats import bootstrap, permutation_test

    miss = [np.abs(one.answers["guess"] - one.answers["truth"]).to_numpy() for one in found]
    for one, errors in zip(found, miss, strict=True):
        bootstrap((errors,), np.mean, n_resamples=RESAMPLES, method="BCa", batch=500)
        bootstrap((errors,), np.median, n_resamples=RESAMPLES, method="percentile", batch=500)
        bootstrap((errors**2,), lambda x, axis: np.sqrt(np.mean(x, axis=axis)), n_resamples=RESAMPLES, method="percentile", batch=500)
        assert one.n == ROWS
    for errors in miss[1:]:
        gap = errors - miss[0]
        bootstrap((gap,), np.mean, n_resamples=RESAMPLES, method="BCa", batch=500)
        permutation_test((gap,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, batch=500)


def main() -> None:
    ratios = []
    for run in range(RUNS):
        found = made(np.random.default_rng(run))
        begin = time.process_time()
        reference(found)
        middle = time.process_time()
        leaderboard(found, unit="usd", seed=run)
        ratios.append((middle - begin) / (time.process_time() - middle))
    middle = sorted(ratios)[RUNS // 2]
    print(
        json.dumps(
            {
                "name": "leaderboard",
                "what": "speed of intervals and paired tests against one scipy call each (7 metrics against their 3)",
                "n": f"{MODELS} models x {ROWS} rows",
                "ratio": middle,
                "spread": [min(ratios), max(ratios)],
            }
        )
    )


if __name__ == "__main__":
    main()
