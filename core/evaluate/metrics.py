"""Every metric, each a function of sums over items, so that intervals and tests are matrix products.

A metric gives per-item columns of shape (n, k) and a value of their sums; a metric with one column and no further
function is the mean of its items. Unread answers are penalised before a metric sees them (`core.evaluate.answers`).
Sources: scikit-learn's definitions (F1 with zero_division=0 over the declared labels), SQuAD and KorQuAD for answers, the
pricing course for "close enough" (strictly within 40 or 20 %). Not known here: intervals and who is compared with whom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError
from core.evaluate import free_text, labels, probabilities, structured, text
from core.evaluate.answers import Answers, scored_numbers, span
from core.evaluate.labels import column
from core.task import task

Columns = Callable[[Answers], np.ndarray | None]
Value = Callable[[np.ndarray, np.ndarray], np.ndarray]
HIT_ABSOLUTE, HIT_RATIO = 40.0, 0.20


@dataclass(frozen=True)
class Metric:
    name: str
    title: str
    """For people: "Average miss"."""
    meaning: str
    """One plain sentence."""
    unit: str
    """"target" (the target's own unit), "share" or "number"."""
    lower_is_better: bool
    columns: Columns
    """Answers -> (n, k) per-item numbers, or None when the metric has no meaning for these answers."""
    value: Value | None = None
    """(sums (..., k), n (...)) -> (...); None: the mean of the one column. NaN where it is not defined."""
    median: bool = False
    """True: the median of the one column instead of the mean."""
    binary: bool = False
    """True: every item is 0 or 1."""
    zero_is_best: bool = False
    """True: the sign says a direction; the value nearest to 0 is best."""

    @property
    def is_item_mean(self) -> bool:
        return self.value is None and not self.median

    def of_sums(self, sums: np.ndarray, n: np.ndarray | float) -> np.ndarray:
        """Values of sums (..., k) over n (...) items."""
        count = np.asarray(n, dtype=float)
        return sums[..., 0] / count if self.value is None else self.value(sums, count)

    def rank(self, value: float) -> float:
        """Smaller is better."""
        return abs(value) if self.zero_is_best else value if self.lower_is_better else -value

    def better(self, difference: float) -> bool:
        """Whether `a - b = difference` means that a is better."""
        return difference < 0 if self.lower_is_better else difference > 0


def metric(name: str) -> Metric:
    """The metric of that name. Raises SettingsError naming the choices."""
    if name not in METRICS:
        raise SettingsError(f"There is no metric '{name}'. Choose one of {', '.join(METRICS)}.", title="Unknown metric")
    return METRICS[name]


def applicable(answers: Answers) -> tuple[str, ...]:
    """The task's metrics that mean something for these answers, the headline first."""
    return tuple(name for name in task(answers.task).metrics if METRICS[name].columns(answers) is not None)


def value_of(name: str, answers: Answers) -> float:
    """The metric's value over all items; NaN when it is not defined for them."""
    one = metric(name)
    columns = one.columns(answers)
    if columns is None or not len(columns):
        return float("nan")
    return float(np.median(columns[:, 0])) if one.median else float(one.of_sums(columns.sum(axis=0), len(columns)))


def per_item(name: str, answers: Answers) -> np.ndarray:
    """(n,) the items whose mean or median the metric is. Raises SettingsError for a metric that is not one of items."""
    one = metric(name)
    columns = one.columns(answers)
    if columns is None or one.value is not None:
        raise SettingsError(f"'{name}' has no value per row.", title="No value per row")
    return columns[:, 0]


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,) medians of values (n,) repeated weights (B, n) times; the mean of the two middle ones when even."""
    order = np.argsort(values, kind="stable")
    ranks = np.cumsum(weights[:, order], axis=1)
    total = ranks[:, -1:]
    low = np.argmax(ranks > (total - 1) // 2, axis=1)
    high = np.argmax(ranks > total // 2, axis=1)
    return (values[order][low] + values[order][high]) / 2


def _miss(a: Answers) -> np.ndarray:
    return column(np.abs(scored_numbers(a) - a.truth))


def _log_miss(a: Answers) -> np.ndarray | None:
    if np.any(a.truth < 0):
        return None
    low, high = span(a)

    def error(guess: np.ndarray | float) -> np.ndarray:
        return np.abs(np.log1p(np.maximum(guess, 0.0)) - np.log1p(a.truth))

    return column(np.where(a.read, error(scored_numbers(a)), np.maximum(error(low), error(high))) ** 2)


def _variance(a: Answers) -> np.ndarray:
    centred = a.truth - (a.truth.mean() if a.n else 0.0)
    return np.column_stack([(scored_numbers(a) - a.truth) ** 2, centred, centred**2])


def _r2(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    total = sums[..., 2] - sums[..., 1] ** 2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((total > 1e-12 * np.maximum(sums[..., 2], 1e-300)) & (n >= 2), 1 - sums[..., 0] / total, np.nan)


def _hit(a: Answers, times: float = 1.0) -> np.ndarray:
    miss = np.abs(scored_numbers(a) - a.truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.where(a.truth != 0, miss / np.abs(a.truth) < HIT_RATIO * times, False)
    return column(a.read & ((miss < HIT_ABSOLUTE * times) | near))


def _shares(a: Answers) -> np.ndarray | None:
    """(n, 2): the miss and the size of the truth."""
    return np.column_stack([np.abs(scored_numbers(a) - a.truth), np.abs(a.truth)]) if np.any(a.truth != 0) else None


def _share(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.divide(sums[..., 0], sums[..., 1], out=np.full_like(sums[..., 0], np.nan), where=sums[..., 1] > 0)


def _ratio(a: Answers) -> np.ndarray | None:
    return None if np.any(a.truth == 0) else column(np.abs(scored_numbers(a) - a.truth) / np.abs(a.truth))


def _said(compare: Callable[..., float]) -> Columns:
    """Per item the best agreement with any accepted answer; an unread answer has none."""

    def columns(a: Answers) -> np.ndarray:
        def best(guess: str | None, truth: str | tuple[str, ...]) -> float:
            golds = truth if isinstance(truth, tuple) else (truth,)
            how = {"official": a.official, "korean": a.korean}
            return 0.0 if guess is None else max((compare(guess, gold, **how) for gold in golds), default=0.0)

        return column(np.array([best(g, t) for g, t in zip(a.guess, a.truth, strict=True)]))

    return columns


def _root(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(sums[..., 0], 0.0) / n)


METRICS: dict[str, Metric] = {one.name: one for one in (
    Metric("mae", "Average miss", "How far the answers are from the truth on average.", "target", True, _miss),
    Metric("rmse", "Root mean square miss", "The average miss when large misses weigh more.", "target", True,
           lambda a: _miss(a) ** 2, _root),
    Metric("medae", "Median miss", "Half of the answers are closer to the truth than this.", "target", True, _miss, median=True),
    Metric("rmsle", "Relative miss (log)", "The miss measured as a ratio: twice too much is as bad as half too little.", "number",
           True, _log_miss, _root),
    Metric("r2", "Variance explained (R²)", "1 is perfect, 0 is no better than the mean, below 0 is worse.", "number", False,
           _variance, _r2),
    Metric("bias", "Bias", "How far the answers are too high (plus) or too low (minus) on average.", "target", True,
           lambda a: column(scored_numbers(a) - a.truth), zero_is_best=True),
    Metric("hits", "Close enough", "The share of answers within 40 or within 20 % of the truth.", "share", False, _hit, binary=True),
    Metric("hits_wide", "Roughly right", "The share of answers within 80 or within 40 % of the truth.", "share", False,
           lambda a: _hit(a, 2.0), binary=True),
    Metric("wape", "Miss as a share of all", "All misses together as a share of all true values together.", "share", True,
           _shares, _share),
    Metric("mape", "Average miss in percent", "The miss as a share of the truth, averaged; not defined where a truth is 0.", "share",
           True, _ratio),
    Metric("accuracy", "Right", "The share of rows with the right label.", "share", False,
           lambda a: column(a.truth == a.guess), binary=True),
    Metric("macro_f1", "Macro F1", "How well each label is found, every label weighing the same, from 0 to 1.", "number", False,
           labels.one_hot, labels.macro_f1),
    Metric("weighted_f1", "Weighted F1", "How well each label is found, frequent labels weighing more, from 0 to 1.", "number", False,
           labels.one_hot, labels.weighted_f1),
    Metric("balanced_accuracy", "Right per label", "The share of right answers for each label, averaged over the labels.", "share",
           False, labels.one_hot, labels.balanced),
    Metric("mcc", "Correlation (MCC)", "Agreement beyond chance: 1 is perfect, 0 is chance.", "number", False, labels.one_hot, labels.mcc),
    Metric("within_one", "Within one", "The share of answers at most one step from the truth.", "share", False,
           labels.within_one, binary=True),
    Metric("label_mae", "Average miss in steps", "How many steps the answers are from the truth on average.", "number", True,
           labels.label_miss),
    Metric("macro_label_mae", "Miss in steps per label", "The average miss in steps for each true label, averaged over the labels.",
           "number", True, labels.macro_label_miss, labels.macro_of),
    Metric("qwk", "Weighted agreement (kappa)", "Agreement beyond chance, far misses weighing more.", "number", False,
           labels.kappa_columns, labels.kappa),
    Metric("brier", "Miss of probabilities (Brier)", "How far the stated probabilities are from the truth, squared: 0 is perfect.",
           "number", True, probabilities.brier),
    Metric("log_loss", "Surprise (log loss)", "How surprised the stated probabilities are by the truth: 0 is not at all.", "number",
           True, probabilities.log_loss),
    Metric("exact_match", "Exactly right", "The share of answers that say the same, apart from case and punctuation.", "share", False,
           _said(text.exact), binary=True),
    Metric("f1", "Overlap (F1)", "How much of the answer is shared with the truth: words, in Korean characters; 1 is all.", "number",
           False, _said(text.f1)),
    Metric("contains", "Contains the answer", "The share of replies in which the right answer stands.", "share", False,
           _said(text.contains), binary=True),
    Metric("rouge_l", "Same order (ROUGE-L)", "How much of the answer stands in the truth in the same order: words, in Korean characters.",
           "number", False, _said(free_text.rouge_l)),
    Metric("chrf", "Shared letters (chrF)", "How many runs of 1 to 6 letters both share, over all rows together; 1 is all.", "number",
           False, free_text.chrf_columns, free_text.chrf),
    Metric("contains_all", "Contains all answers", "The share of replies in which every one of the right answers stands.", "share",
           False, structured.contains_all, binary=True),
    Metric("json_valid", "Valid JSON", "The share of replies that are a JSON object or list.", "share", False, structured.json_valid,
           binary=True),
    Metric("json_fits", "Right fields", "The share of replies with the fields of the truth, each with the right kind of value.",
           "share", False, structured.json_fits, binary=True),
    Metric("json_fields", "Fields right (F1)", "How many fields of reply and truth agree in name and value; 1 is all.", "number",
           False, structured.json_fields),
    Metric("coverage", "Read", "The share of replies that could be read as an answer.", "share", False,
           lambda a: column(a.read), binary=True),
)}  # fmt: skip
