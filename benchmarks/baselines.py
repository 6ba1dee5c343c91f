"""The seven classic price predictors against the usual script of the same seven, run unchanged as a process of its own.

Time: 25,000 train and 2,000 test rows made of the real listings by leaving out and swapping words, so that no two texts are equal;
the whole process of each side, in turns. Quality: the real listings, 7,888 train and 1,000 test rows, seed 42, each predictor
against its counterpart, and every classical predictor there is against a constant per category by paired intervals. Statistics: three
predictors on 2,000 rows with 10,000 resamples. `PRODUCTS` names the CSV; without it and the script there is nothing to run.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.curate import measured as process
from core.evaluate.answers import Answers, make_answers
from core.evaluate.intervals import measure as intervals
from core.evaluate.paired import difference
from core.io.testing import measure
from core.predict.registry import PREDICTORS, make, names_for
from core.prediction import Examples, examples
from core.reading import read_amount
from core.version import Roles

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SCRIPT = SHARED / "reference" / "scripts" / "seven_baselines.py"
TRAIN, TEST, RUNS, SEED = 25_000, 2_000, 3, 42
PAIRS = {"random": "random", "constant": "constant_mean", "features": "features_linear", "bag_of_words": "bow_linear",
         "word2vec": "word2vec_linear", "svr": "word2vec_svm", "forest": "forest"}  # fmt: skip
"""Name in the script -> ours."""
ROLES = Roles(text=("text",), target="price", category="category")


def listings(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): text, category, price; every price that can be read and lies from 0.5 to 999.49, in an order of lot."""
    raw = pd.read_csv(path)
    price = [read_amount(cell) for cell in raw["price"]]
    text = [
        f"{title}\n{words}" if isinstance(words, str) else str(title) for title, words in zip(raw["title"], raw["description"], strict=True)
    ]
    frame = pd.DataFrame({"text": text, "category": raw["category"], "price": price}).dropna().query("0.5 <= price <= 999.49")
    order = np.random.default_rng(SEED).permutation(len(frame))
    frame = frame.iloc[order].reset_index(drop=True)
    return frame[:-1_000].reset_index(drop=True), frame[-1_000:].reset_index(drop=True)


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
    parts = [pd.read_csv(name) for name in (train_file, test_file)]
    begin = time.perf_counter()
    train, test = (examples(part, Roles(text=("text",), target="price"), "regression") for part in parts)
    for theirs, name in PAIRS.items():
        start = time.perf_counter()
        found = measure(make(name, seed=SEED), train, test)
        guess = np.maximum(0, [float(one.value or 0) for one in found.predictions])
        print(f"{theirs:14s} MAE {np.abs(guess - parts[1]['price']).mean():8.2f}   {time.perf_counter() - start:8.2f} s", flush=True)
    print(f"total {time.perf_counter() - begin:.1f} s")


def told(text: str) -> tuple[dict[str, tuple[float, float]], float]:
    """Name -> (average miss, seconds), and the seconds of all, of what either side printed."""
    found = {name: (float(miss), float(seconds)) for name, miss, seconds in re.findall(r"(\w+)\s+MAE\s+([\d.]+)\s+([\d.]+) s", text)}
    total = re.search(r"total ([\d.]+) s", text)
    assert total, text
    return found, float(total[1])


def both(train: pd.DataFrame, test: pd.DataFrame, folder: Path) -> tuple[tuple[dict, float, float], tuple[dict, float, float]]:
    """(misses and seconds, total seconds, peak MiB) of ours and of the script on the same files."""
    files = [str(folder / name) for name in ("train.csv", "test.csv")]
    for frame, name in zip((train, test), files, strict=True):
        frame[["text", "price"]].to_csv(name, index=False)
    out = []
    for command in ([sys.executable, "-m", "benchmarks.baselines", *files], [sys.executable, str(SCRIPT), *files]):
        text, _, peak = process(command)
        print(text, file=sys.stderr, flush=True)
        out.append((*told(text), peak))
    return out[0], out[1]


def speed(train: pd.DataFrame, folder: Path) -> list[dict]:
    ratios, peaks, mine = [], [], []
    for run in range(RUNS):
        rows = perturbed(train, TRAIN + TEST, run)
        us, them = both(rows[:TRAIN], rows[TRAIN:], folder)
        ratios.append(them[1] / us[1])
        peaks.append(us[2])
        mine.append(us[1])
    what = f"seven price predictors, fitted and asked, against the usual script on the same rows, in turns (ours {median(mine):.0f} s)"
    n = f"{TRAIN:,} train, {TEST:,} test rows, {RUNS} turns"
    return [{"name": "baselines.time", "what": what, "n": n, "ratio": median(ratios), "spread": [min(ratios), max(ratios)]},
            {"name": "baselines.memory", "what": "peak resident memory of the seven", "n": n, "value": round(max(peaks)), "unit": "MiB",
             "spread": [min(peaks), max(peaks)]}]  # fmt: skip


def quality(train: pd.DataFrame, test: pd.DataFrame, folder: Path) -> list[dict]:
    """Each of the seven against its counterpart, then every classical predictor with its interval, and the best against two others."""
    us, them = both(train, test, folder)
    n = f"{len(train):,} train, {len(test):,} test rows"
    lines = [{"name": f"baselines.miss_{name}", "what": f"average miss of the script's {name} / ours ({miss:.1f}) on the real listings",
              "n": n, "ratio": them[0][name][0] / miss} for name, (miss, _) in us[0].items()]  # fmt: skip
    fitted, asked = examples(train, ROLES, "regression"), examples(test, ROLES, "regression")
    found = {name: _answers(name, fitted, asked) for name in names_for("regression") if PREDICTORS[name].family != "prompted"}
    for name, answers in found.items():
        value = intervals(answers, ["mae"])["mae"]
        lines.append({"name": f"baselines.products_{name}", "what": f"{PREDICTORS[name].title}: average miss on the real listings (95 %)",
                      "n": n, "value": f"{value.value:.1f}", "unit": "usd", "spread": [value.low, value.high]})  # fmt: skip
    best = min(
        (name for name in found if PREDICTORS[name].family == "classical"), key=lambda name: intervals(found[name], ["mae"])["mae"].value
    )
    for other in ("constant_group", "bow_linear"):
        gap = difference("mae", found[best], found[other])
        what = f"{PREDICTORS[best].title} minus {PREDICTORS[other].title}, average miss, paired (p = {gap.p:.4f})"
        lines.append({"name": f"baselines.best_against_{other}", "what": what, "n": n, "value": f"{gap.value:.1f}", "unit": "usd",
                      "spread": [gap.low, gap.high]})  # fmt: skip
    return lines


def _answers(name: str, train: Examples, test: Examples) -> Answers:
    given = {}
    if "encode" in PREDICTORS[name].needs:
        from core.io.encoder import encoder

        given = {"encode": encoder()}
    found = measure(make(name, seed=SEED, **given), train, test)
    ends = (min(map(float, train.targets or ())), max(map(float, train.targets or ())))
    print(f"{name}: {found.fit_seconds:.1f} s", file=sys.stderr, flush=True)
    return make_answers("regression", test.targets or (), [one.value for one in found.predictions], target_range=ends)


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


def main() -> None:
    path = Path(os.environ.get("PRODUCTS", SHARED / "data" / "pricer" / "products.csv.gz"))
    print(json.dumps(statistics()), flush=True)
    if not path.exists() or not SCRIPT.exists():
        print(f"skipped: {path} or the script is not here", file=sys.stderr)
        return
    train, test = listings(path)
    with tempfile.TemporaryDirectory() as folder:
        for line in [*quality(train, test, Path(folder)), *speed(train, Path(folder))]:
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    ours(*sys.argv[1:3]) if len(sys.argv) > 2 else main()
