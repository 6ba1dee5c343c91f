"""Does what was written help? A cheap classical model is trained with and without the accepted rows and asked the same test rows.

It tells about that model only: a large one may gain more, or nothing. Numbers and labels: words weighted by rarity and a linear
model; questions and replies: the answer of the nearest train question.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    from collections.abc import Callable


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
        value = f"{size}, {p_value(gap.p)}, n = {count(gap.n)}"
        if self.word != "not distinguishable":
            return f"{self.word.capitalize()} with the {count(self.new_rows)} new rows: {self.title} changes by {value}."
        tell = f" About {count(self.more)} more test rows would tell." if self.more else ""
        return f"Not distinguishable: {self.title} changes by {value}.{tell}"


def measure_effect(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, *, seed: int = 0,
                   progress: Callable[[str], None] | None = None) -> Effect:  # fmt: skip
    """Train twice, ask once each. Raises DataError without test rows, a target or accepted rows."""
    if not version.roles.target or not version.task:
        raise DataError("Choose on Explore what should be predicted, then the effect can be measured.", title="No target")
    if not version.splits.get("test"):
        raise DataError("The effect is measured on rows kept aside. Split this version on Curate.", title="Needs a test split")
    if not len(accepted):
        raise DataError("No variant is kept yet, so there is nothing to measure.", title="Nothing to measure")
    say = progress or (lambda message: None)
    start = time.perf_counter()
    rows, mark = store.frame(version), version.roles.split or ""
    train, test = (rows[rows[mark].astype("str") == part] for part in ("train", "test"))
    made, _, _ = children(version, accepted, settings, "effect")
    whole = pd.concat([train, made[[name for name in train.columns if name in made]]], ignore_index=True)
    plain = examples(train.reset_index(drop=True), version.roles, version.task)
    more = examples(whole, version.roles, version.task, plain.labels)
    asked = examples(test.reset_index(drop=True), version.roles, version.task, plain.labels)
    say("Training without the new rows")
    without = _answers(plain, asked, plain, seed)
    say("Training with the new rows")
    with_them = _answers(more, asked, plain, seed)
    name = task(version.task).headline
    one = metric(name)
    gap = difference(name, with_them, without, seed=seed)
    unit = one.unit if one.unit != "target" else unit_of(version.roles.target, test[version.roles.target].head(50).tolist())
    a, b = (measure(answers, [name], seed=seed)[name] for answers in (without, with_them))
    return Effect(name, one.title, unit, one.lower_is_better, _predictor(version.task, seed)[0], a, b, gap, len(train), len(made),
                  time.perf_counter() - start, more_rows(gap) if gap.p >= 0.05 else None)  # fmt: skip


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
