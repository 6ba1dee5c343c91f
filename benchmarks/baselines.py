"""The seven classic price predictors here against the same seven as a plain scikit-learn and gensim script, on the same rows.

Two figures per run: seconds of all seven (reference / ours) and the smallest average miss of each side (reference / ours).
"""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.io.testing import measure
from core.load.samples.registry import SAMPLES
from core.predict.registry import make
from core.prediction import Examples, examples
from core.reading import read_amount
from core.version import Roles

TRAIN, TEST, RUNS = 1_000, 200, 3
OURS = ("random", "constant_mean", "features_linear", "bow_linear", "word2vec_linear", "word2vec_svm", "forest")


def rows(seed: int) -> tuple[Examples, Examples]:
    """Rows of the price sample whose price can be read; all text columns joined."""
    sample = SAMPLES["price"]
    frame = sample.make(2 * (TRAIN + TEST), seed)
    price = [read_amount(cell) for cell in frame[sample.roles.target]]
    text = frame[list(sample.roles.text)].map(str).agg("\n".join, axis=1)
    table = pd.DataFrame({"text": text, "price": price}).dropna().query("0.5 <= price <= 999.49").reset_index(drop=True)
    roles = Roles(text=("text",), target="price")
    parts = table[:TRAIN], table[TRAIN : TRAIN + TEST].reset_index(drop=True)
    train, test = (examples(part, roles, "regression") for part in parts)
    return train, test


def reference(train: Examples, test: Examples) -> float:
    """The usual script: dense matrices, 400 numbers per word, 100 trees. Returns its smallest average miss."""
    from gensim.models import Word2Vec
    from gensim.utils import simple_preprocess
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LinearRegression
    from sklearn.svm import LinearSVR

    y, truth = np.array(train.targets, dtype=float), np.array(test.targets, dtype=float)
    rng = np.random.default_rng(42)
    answers = [rng.uniform(1, 1000, len(truth)), np.full(len(truth), y.mean())]
    answers.append(LinearRegression().fit(_features(train.text), y).predict(_features(test.text)))
    bag = CountVectorizer(max_features=1000, stop_words="english")
    answers.append(LinearRegression().fit(bag.fit_transform(train.text), y).predict(bag.transform(test.text)))
    documents = [simple_preprocess(text) for text in train.text]
    model = Word2Vec(sentences=documents, vector_size=400, window=5, min_count=1, workers=2)

    def vector(words: list[str]) -> Any:
        known = [model.wv[word] for word in words if word in model.wv]
        return np.mean(known, axis=0) if known else np.zeros(400)

    x, z = np.array([vector(d) for d in documents]), np.array([vector(simple_preprocess(text)) for text in test.text])
    for learner in (LinearRegression(), LinearSVR(), RandomForestRegressor(n_estimators=100, random_state=42, n_jobs=2)):
        answers.append(learner.fit(x, y).predict(z))
    return min(float(np.abs(np.maximum(0, answer) - truth).mean()) for answer in answers)


def _features(texts: Sequence[str]) -> np.ndarray:
    def one(text: str) -> list[float]:
        weight = re.search(r"([\d.]+) ?(pounds|ounces)", text)
        rank = re.search(r"[Rr]ank\D{0,20}(\d+)", text)
        pounds = float(weight.group(1).strip(".") or 0) * (1 if weight.group(2) == "pounds" else 1 / 16) if weight else 13.0
        return [pounds, float(rank.group(1)) if rank else 380_000.0, float(len(text))]

    return np.array([one(text) for text in texts])


def ours(train: Examples, test: Examples) -> float:
    truth = np.array(test.targets, dtype=float)
    low, high = min(map(float, train.targets or ())), max(map(float, train.targets or ()))
    misses = []
    for name in OURS:
        found = measure(make(name), train, test).predictions
        misses.append(float(np.abs(np.clip([float(p.value or 0.0) for p in found], low, high) - truth).mean()))
    return min(misses)


def main() -> None:
    warnings.simplefilter("ignore")
    small = rows(99)
    warm = (small[0].take(list(range(60))), small[1].take(list(range(20))))
    reference(*warm), ours(*warm)  # imports are not what is measured
    speeds, qualities = [], []
    for seed in range(RUNS):
        train, test = rows(seed)
        start = time.perf_counter()
        theirs = reference(train, test)
        middle = time.perf_counter()
        mine = ours(train, test)
        speeds.append((middle - start) / (time.perf_counter() - middle))
        qualities.append(theirs / mine)
    for name, what, values in (
        ("baselines_time", "seconds of a plain script's seven price predictors / ours, same rows", speeds),
        ("baselines_miss", "smallest average miss of a plain script's seven price predictors / ours, same rows", qualities),
    ):
        told = {"name": name, "what": what, "n": f"{TRAIN:,} train, {TEST} test rows", "ratio": round(float(np.median(values)), 3)}
        print(json.dumps({**told, "spread": [round(min(values), 3), round(max(values), 3)]}))


if __name__ == "__main__":
    main()
