"""Does what was written help? A cheap classical model is trained with and without the accepted rows and asked the same test rows.

It tells about that model only: a large one may gain more, or nothing. Numbers and labels: words weighted by rarity and a linear
model; questions and replies: the answer of the nearest train question.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.augment.presets import AugmentSettings
from core.errors import DataError
from core.evaluate.answers import Answers, make_answers
from core.evaluate.intervals import Measured, measure
from core.evaluate.metrics import metric
from core.evaluate.paired import Difference, difference
from core.evaluate.power import more_rows
from core.format import count, interval, p_value, signed, unit_of
from core.format import metric as shown
from core.io import store
from core.io.children import children
from core.prediction import Examples, Predictor, examples
from core.task import task
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effect:
    """Headline metric without and with the new rows on the same n test rows."""

    metric: str
    title: str
    unit: str
    lower_is_better: bool
    predictor: str
    without: Measured
    with_them: Measured
    difference: Difference
    """with - without"""
    train_rows: int
    new_rows: int
    seconds: float
    more: int | None
    """About how many more test rows would tell, when this many do not."""

    @property
    def word(self) -> str:
        """better | worse | not distinguishable"""
        if self.difference.p >= 0.05 or not self.difference.value:
            return "not distinguishable"
        return "better" if (self.difference.value < 0) == self.lower_is_better else "worse"

    @property
    def sentence(self) -> str:
        """The finding in one or two sentences."""
        gap = self.difference
        if self.unit == "share":
            size = f"{signed(f'{100 * gap.value:.1f}')} points [{signed(f'{100 * gap.low:.1f}')}, {signed(f'{100 * gap.high:.1f}')}]"
        else:
            size = f"{shown(self.unit, gap.value)} {interval(gap.low, gap.high, self.unit, prose=True)}"
        values = f"{shown(self.unit, self.with_them.value)} with, {shown(self.unit, self.without.value)} without"
        tell = f" About {count(self.more)} more test rows would tell." if self.more else ""
        head = {"better": "Better with them", "worse": "Worse with them"}.get(self.word, "Not distinguishable")
        return f"{head}. {self.title}: {values}; difference {size}, {p_value(gap.p)}, n = {count(gap.n)}.{tell}"


def measure_effect(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, *, seed: int = 0, say: Say | None = None) -> Effect:
    """Of variants that are not saved yet. Raises DataError without test rows, a target or accepted rows."""
    if not len(accepted):
        raise DataError("No variant is kept yet, so there is nothing to measure.", title="Nothing to measure")
    rows = store.frame(version)
    made, _, _ = children(version, accepted, settings, "effect")
    train = _part(version, rows, "train")
    more = pd.concat([train, made.reindex(columns=train.columns)], ignore_index=True)
    return _measured(version, rows, train, pd.DataFrame(more), seed, say)


def saved_effect(version: Version, *, seed: int = 0, say: Say | None = None) -> Effect:
    """Of the children a version already holds: its train rows without and with them."""
    rows, lineage = store.frame(version), version.roles.parent_row
    if lineage is None:
        raise DataError("This version holds no written rows.", title="Nothing to measure")
    train = _part(version, rows, "train")
    return _measured(
        version, rows, train.take([place for place, row in enumerate(train[lineage].tolist()) if pd.isna(row)]), train, seed, say
    )


def _part(version: Version, rows: pd.DataFrame, part: str) -> pd.DataFrame:
    if not version.roles.target or not version.task:
        raise DataError("Choose on Explore what should be predicted, then the effect can be measured.", title="No target")
    if not version.roles.split or not version.splits.get("test"):
        raise DataError("The effect is measured on rows kept aside. Split this version on Curate.", title="Needs a test split")
    return rows.take([place for place, name in enumerate(rows[version.roles.split].tolist()) if str(name) == part])


def _measured(version: Version, rows: pd.DataFrame, fewer: pd.DataFrame, whole: pd.DataFrame, seed: int, say: Say | None) -> Effect:
    say, start, kind = say or (lambda message: None), time.perf_counter(), version.task or "chat"
    plain = examples(fewer.reset_index(drop=True), version.roles, kind)
    more = examples(whole.reset_index(drop=True), version.roles, kind, plain.labels)
    asked = examples(_part(version, rows, "test").reset_index(drop=True), version.roles, kind, plain.labels)
    say("Training without the new rows")
    without = _answers(plain, asked, plain, seed)
    say("Training with the new rows")
    with_them = _answers(more, asked, plain, seed)
    say("Comparing on the same test rows")
    one = metric(task(kind).headline)
    gap = difference(one.name, with_them, without, seed=seed)
    unit = one.unit if one.unit != "target" else unit_of(version.roles.target, rows[version.roles.target].head(50).tolist())
    a, b = (measure(answers, [one.name], seed=seed)[one.name] for answers in (without, with_them))
    return Effect(one.name, one.title, unit, one.lower_is_better, _predictor(kind, seed)[0], a, b, gap, len(plain), len(more) - len(plain),
                  time.perf_counter() - start, more_rows(gap) if gap.p >= 0.05 else None)  # fmt: skip


def run_effect(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job. `request`: dataset, version, and `batch` unless the version holds the rows already. Returns the effect as JSON values."""
    from core.io import batches

    version = store.version(request["dataset"], request["version"])
    told = [0]

    def say(message: str) -> None:
        desk.say(told[0], 3, message)
        told[0] += 1

    if request.get("batch"):
        one = batches.batch(version, request["batch"])
        return to_json(measure_effect(version, batches.accepted(version, one), one.settings, say=say))
    return to_json(saved_effect(version, say=say))


def to_json(effect: Effect) -> dict[str, Any]:
    """Undefined numbers become null."""
    return _plain(asdict(effect))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


def from_json(data: Mapping[str, Any]) -> Effect:
    """What `to_json` wrote; null is NaN again."""
    parts = {name: {key: math.nan if value is None else value for key, value in data[name].items()} for name in _PARTS}
    return Effect(**{**data, **{name: kind(**parts[name]) for name, kind in _PARTS.items()}})


_PARTS = {"without": Measured, "with_them": Measured, "difference": Difference}


def _predictor(kind: str, seed: int) -> tuple[str, Predictor]:
    from core.predict.linear import TfidfLinear
    from core.predict.neighbours import Neighbours

    if kind in ("qa", "chat"):
        return "nearest train question", Neighbours()
    return "word weights and a linear model", TfidfLinear(seed=seed)


def _answers(train: Examples, test: Examples, real: Examples, seed: int) -> Answers:
    _, predictor = _predictor(train.task, seed)
    said = predictor.fit(train).predict(test.without_targets())
    targets = [float(value) for value in real.targets or ()] if train.task == "regression" else []
    guess = [one.value if one.status == "ok" else None for one in said]
    span = (min(targets), max(targets)) if targets else None
    return make_answers(train.task, list(test.targets or ()), guess, labels=real.labels, target_range=span)
