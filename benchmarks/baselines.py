"""The seven classic price predictors against the usual script of the same seven, run unchanged as a process of its own.

Time: 25,000 train and 2,000 test rows made of the real listings by leaving out and swapping words, so that no two texts are equal;
the whole process of each side, in turns. Quality: the real listings, 7,888 train and 1,000 test rows, each predictor against its
counterpart, their order against the one published for 400,000 listings, and every predictor there is, the best against a constant
per category and a bag of words by paired intervals; Korean film reviews; product reviews. Statistics: three predictors on 2,000 rows
with 10,000 resamples. `DATA` names the folder of the real data; without it and the script only the statistics are measured.
`EMBEDDINGS=1` adds the sentence encoder, which takes half an hour more on two cores.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.curate import measured as process
from core.evaluate.answers import Answers, make_answers
from core.evaluate.intervals import measure as intervals
from core.evaluate.metrics import METRICS
from core.evaluate.paired import difference
from core.io.testing import declared_labels, measure, target_range
from core.predict.parts import Parts
from core.predict.registry import PREDICTORS, make, names_for
from core.prediction import Examples, examples
from core.reading import read_amount
from core.version import Roles

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
DATA = Path(os.environ.get("DATA", SHARED / "data"))
SCRIPT = SHARED / "reference" / "scripts" / "seven_baselines.py"
TRAIN, TEST, RUNS, SEED = 25_000, 2_000, 3, 42
PAIRS = {"random": "random", "constant": "constant_mean", "features": "features_linear", "bag_of_words": "bow_linear",
         "word2vec": "word2vec_linear", "svr": "word2vec_svm", "forest": "forest"}  # fmt: skip
"""Name in the script -> ours."""
PUBLISHED = {"forest": 97.11, "svr": 112.52, "bag_of_words": 113.60, "word2vec": 115.47, "features": 139.34, "constant": 145.51,
             "random": 340.74}  # fmt: skip
"""Average miss in the script's docstring, trained on 400,000 listings, best first."""
Told = tuple[dict[str, tuple[float, float]], float, float]
"""(name -> (average miss, seconds), total seconds, peak MiB)."""
ROLES = Roles(text=("text",), target="price", category="category")


def listings(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): text, category, price; of equal descriptions the first, every price from 0.5 to 999.49, 1,000 test rows by lot."""
    raw = pd.read_csv(path)
    price = [read_amount(cell) for cell in raw["price"]]
    text = [
        f"{title}\n{words}" if isinstance(words, str) else str(title) for title, words in zip(raw["title"], raw["description"], strict=True)
    ]
    frame = pd.DataFrame({"text": text, "category": raw["category"], "price": price, "description": raw["description"]})
    frame = frame.drop_duplicates("description").dropna(subset=["price"]).query("0.5 <= price <= 999.49").reset_index(drop=True)
    order = np.random.RandomState(SEED).permutation(len(frame))
    parts = [frame.iloc[order[1_000:]], frame.iloc[order[:1_000]]]
    return tuple(part.drop(columns="description").reset_index(drop=True) for part in parts)


def perturbed(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Rows drawn with replacement; of each text a tenth of the words left out and some neighbours swapped, a number at its end."""
    rng = np.random.default_rng(seed)
    some = frame.iloc[rng.integers(0, len(frame), rows)].reset_index(drop=True)
    texts = []
    for place, text in enumerate(some["text"]):
        words = np.array(text.split(" "), dtype=object)
        words = words[rng.random(len(words)) > 0.1]
        for at in rng.integers(0, max(1, len(words) - 1), len(words) // 20):
            words[at : at + 2] = words[at : at + 2][::-1]
        texts.append(" ".join([*words, f"no {place}"]))
    return some.assign(text=texts, price=np.clip(some["price"] * rng.uniform(0.95, 1.05, rows), 0.5, 999.49).round(2))


def ours(train_file: str, test_file: str) -> None:
    """In a process of its own, as the script: read, fit and answer all seven; name, average miss and seconds of each."""
    tables = [pd.read_csv(name) for name in (train_file, test_file)]
    begin = time.perf_counter()
    train, test = (examples(table, Roles(text=("text",), target="price"), "regression") for table in tables)
    parts = Parts(time.perf_counter)
    for theirs, name in PAIRS.items():
        start = time.perf_counter()
        found = measure(make(name, seed=SEED), train, test, parts=parts)
        guess = np.maximum(0, [float(one.value or 0) for one in found.predictions])
        print(f"{theirs:14s} MAE {np.abs(guess - tables[1]['price']).mean():8.2f}   {time.perf_counter() - start:8.2f} s", flush=True)
    print(f"total {time.perf_counter() - begin:.1f} s")


def told(text: str) -> tuple[dict[str, tuple[float, float]], float]:
    """Name -> (average miss, seconds), and the seconds of all, of what either side printed."""
    found = {name: (float(miss), float(seconds)) for name, miss, seconds in re.findall(r"(\w+)\s+MAE\s+([\d.]+)\s+([\d.]+) s", text)}
    total = re.search(r"total ([\d.]+) s", text)
    assert total, text
    return found, float(total[1])


def both(train: pd.DataFrame, test: pd.DataFrame, folder: Path) -> tuple[Told, Told]:
    """What ours and the script told on the same files."""
    files = _files(folder)
    for frame, name in zip((train, test), files, strict=True):
        frame[["text", "price"]].to_csv(name, index=False)
    return _told([sys.executable, "-m", "benchmarks.baselines", *files]), _told([sys.executable, str(SCRIPT), *files])


def _files(folder: Path) -> list[str]:
    return [str(folder / name) for name in ("train.csv", "test.csv")]


def _told(command: list[str]) -> Told:
    text, _, peak = process(command)
    print(text, file=sys.stderr, flush=True)
    return (*told(text), peak)


def speed(train: pd.DataFrame, folder: Path) -> list[dict]:
    """The script once, as its forest takes a quarter of an hour on two cores; ours before it and after it."""
    rows = perturbed(train, TRAIN + TEST, SEED)
    us, them = both(rows[:TRAIN], rows[TRAIN:], folder)
    turns = [us, *(_told([sys.executable, "-m", "benchmarks.baselines", *_files(folder)]) for _ in range(RUNS - 1))]
    ratios, peaks = [them[1] / one[1] for one in turns], [one[2] for one in turns]
    what = f"seven price predictors, fitted and asked, against the usual script on the same rows (ours {median(o[1] for o in turns):.0f} s)"
    n = f"{TRAIN:,} train, {TEST:,} test rows, {RUNS} turns, the script once"
    return [{"name": "baselines.time", "what": what, "n": n, "ratio": median(ratios), "spread": [min(ratios), max(ratios)]},
            {"name": "baselines.memory", "what": "peak resident memory of the seven", "n": n, "value": round(max(peaks)), "unit": "MiB",
             "spread": [min(peaks), max(peaks)]}]  # fmt: skip


def quality(train: pd.DataFrame, test: pd.DataFrame, folder: Path) -> list[dict]:
    """Each of the seven against its counterpart, and their order by average miss against the published one."""
    us, them = (side[0] for side in both(train, test, folder))
    n = f"{len(train):,} train, {len(test):,} test rows"
    lines = [{"name": f"baselines.miss_{name}", "what": f"average miss of the script's {name} / ours ({miss:.1f}) on the real listings",
              "n": n, "ratio": them[name][0] / miss} for name, (miss, _) in us.items()]  # fmt: skip
    for side, found in (("ours", us), ("script", them)):
        order = sorted(found, key=lambda name: found[name][0])
        turned = [f"{b} before {a}" for a, b in combinations(PUBLISHED, 2) if order.index(b) < order.index(a)]
        what = f"order of the seven on the real listings, {side}, best first; against the published one: {', '.join(turned) or 'the same'}"
        figures = ", ".join(f"{name} {found[name][0]:.1f}" for name in order)
        lines.append({"name": f"baselines.order_{side}", "what": what, "n": n, "value": figures})
    return lines


def table(label: str, train: Examples, test: Examples, metrics: tuple[str, ...], others: tuple[str, ...]) -> list[dict]:
    """Every predictor with its metrics, the best classical one by the first, and how far it is from the others, paired."""
    shared, n = Parts(time.perf_counter), f"{len(train):,} train, {len(test):,} test rows"
    names = [name for name in names_for(train.task) if PREDICTORS[name].family in ("trivial", "classical") and not PREDICTORS[name].needs]
    names += ["embedding_linear"] if os.environ.get("EMBEDDINGS") else []
    found = {name: _answers(name, train, test, shared) for name in names}
    values = {name: intervals(answers, list(metrics)) for name, answers in found.items()}
    lines = [_line(f"baselines.{label}_{metric}_{name}", f"{label}: {PREDICTORS[name].title}, {METRICS[metric].title.lower()} (95 %)", n,
                   values[name][metric]) for name in found for metric in metrics]  # fmt: skip
    classical = [name for name in found if PREDICTORS[name].family == "classical"]
    sign = 1 if METRICS[metrics[0]].lower_is_better else -1
    best = min(classical, key=lambda name: sign * values[name][metrics[0]].value)
    for other in others:
        gap = difference(metrics[0], found[best], found[other])
        what = f"{label}: {PREDICTORS[best].title} minus {PREDICTORS[other].title}, {METRICS[metrics[0]].title.lower()}, paired"
        lines.append(_line(f"baselines.{label}_best_against_{other}", f"{what} (p = {gap.p:.4f})", n, gap))
    return lines


def _line(name: str, what: str, n: str, figure: Any) -> dict:
    return {"name": name, "what": what, "n": n, "value": f"{figure.value:.3f}", "spread": [figure.low, figure.high]}


def _answers(name: str, train: Examples, test: Examples, shared: Parts) -> Answers:
    given = {}
    if "encode" in PREDICTORS[name].needs:
        from core.io.encoder import encoder

        given = {"encode": encoder()}
    found = measure(make(name, seed=SEED, **given), train, test, parts=shared)
    print(f"{name}: {found.fit_seconds:.1f} s", file=sys.stderr, flush=True)
    return make_answers(
        train.task,
        test.targets or (),
        [one.value for one in found.predictions],
        labels=declared_labels(train, test),
        target_range=target_range(train),
    )


def reviews(path: Path, text: str, target: str, test: int, rows: int | None = None, **how: Any) -> tuple[Examples, Examples]:
    """(train, test) of labelled texts: no empty ones, of equal ones the first, `rows` of them by lot."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, **how)
    frame = frame[frame[text].str.strip() != ""].drop_duplicates(text)
    order = np.random.RandomState(SEED).permutation(len(frame))[:rows]
    parts = (frame.iloc[places].reset_index(drop=True) for places in (order[test:], order[:test]))
    return tuple(examples(part, Roles(text=(text,), target=target), "classification") for part in parts)


def statistics() -> dict:
    """Three predictors on 2,000 rows: every metric with its interval, and both against the first, with 10,000 resamples."""
    from benchmarks.leaderboard import made as evaluations
    from core.compare.leaderboard import leaderboard

    seconds = []
    for run in range(RUNS):
        some = evaluations(np.random.default_rng(run), models=3, rows=2_000)
        begin = time.perf_counter()
        leaderboard(some, unit="usd", seed=run, resamples=10_000)
        seconds.append(time.perf_counter() - begin)
    what = "three predictors compared: every metric with its interval, paired tests, 10,000 resamples"
    return {"name": "baselines.statistics", "what": what, "n": f"2,000 rows, {RUNS} runs", "value": round(median(seconds), 2),
            "unit": "s", "spread": [min(seconds), max(seconds)]}  # fmt: skip


def measured() -> Iterator[dict]:
    yield statistics()
    path = DATA / "pricer" / "products.csv.gz"
    if not path.exists() or not SCRIPT.exists():
        print(f"skipped: {path} or the script is not here", file=sys.stderr)
        return
    train, test = listings(path)
    priced = examples(train, ROLES, "regression"), examples(test, ROLES, "regression")
    yield from table("products", *priced, ("mae",), ("constant_group", "bow_linear"))
    films = reviews(DATA / "nsmc" / "ratings.txt.gz", "document", "label", 2_000, 22_000, sep="\t", quoting=csv.QUOTE_NONE)
    yield from table("nsmc", *films, ("accuracy",), ("majority", "bow_linear"))
    stars = reviews(DATA / "reviews" / "amazon_reviews_6k.csv.gz", "review", "rating", 1_000)
    yield from table("stars", *stars, ("macro_f1", "label_mae"), ("majority", "bow_linear"))
    with tempfile.TemporaryDirectory() as folder:
        yield from quality(train, test, Path(folder))
        yield from speed(train, Path(folder))


def main() -> None:
    for line in measured():
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    ours(*sys.argv[1:3]) if len(sys.argv) > 2 else main()
