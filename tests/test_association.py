"""Associations agree with scipy, scikit-learn and statsmodels' definitions, and say nothing where nothing varies."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as some

from core.explore import association

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    x = np.round(RNG.normal(size=300), 1)  # ties on purpose
    return x, np.round(x + RNG.normal(size=300), 1)


def test_pearson_and_its_interval_are_scipys(pair) -> None:
    from scipy import stats

    theirs = stats.pearsonr(*pair)
    ours = association.pearson(*pair)
    assert ours.value == pytest.approx(theirs.statistic)
    interval = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high))


def test_spearman_is_scipys_with_ties_and_missing_values(pair) -> None:
    from scipy import stats

    x, y = pair[0].copy(), pair[1].copy()
    x[5], y[9] = math.nan, math.inf
    kept = np.isfinite(x) & np.isfinite(y)
    ours = association.spearman(x, y)
    assert ours.n == 298
    assert ours.value == pytest.approx(stats.spearmanr(x[kept], y[kept]).statistic)
    assert ours.low < ours.value < ours.high


def test_the_spearman_interval_covers_in_about_95_of_100_draws() -> None:
    rng = np.random.default_rng(0)
    truth = 6 / math.pi * math.asin(0.6 / 2)  # Spearman of a normal pair with correlation 0.6
    inside = 0
    for _ in range(400):
        x = rng.normal(size=80)
        found = association.spearman(x, 0.6 * x + 0.8 * rng.normal(size=80))
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_cramers_v_and_mutual_information_are_scipys_and_sklearns() -> None:
    from scipy.stats.contingency import association as theirs
    from sklearn.metrics import mutual_info_score

    a = pd.Series(RNG.choice(list("abcd"), 400))
    b = pd.Series(np.where(RNG.random(400) < 0.5, a, RNG.choice(list("xyz"), 400)))
    table = pd.crosstab(a, b).to_numpy()
    assert association.cramers_v(a, b, corrected=False).value == pytest.approx(theirs(table, method="cramer"))
    assert association.mutual_information(a, b) == pytest.approx(mutual_info_score(a, b))


def test_the_correlation_ratio_is_the_share_of_variance_between_groups() -> None:
    from scipy import stats

    labels = pd.Series(RNG.choice(list("abc"), 200))
    values = RNG.normal(size=200) + labels.map({"a": 0, "b": 1, "c": 3}).to_numpy()
    ours = association.correlation_ratio(labels, values, corrected=False).value ** 2
    f = stats.f_oneway(*(values[labels == name] for name in "abc")).statistic
    assert ours == pytest.approx(f * 2 / (f * 2 + 197))


def test_labels_that_say_nothing_are_near_zero_however_many_there_are() -> None:
    labels = pd.Series(RNG.integers(0, 60, 600).astype(str))
    other = pd.Series(RNG.integers(0, 40, 600).astype(str))
    values = RNG.normal(size=600)
    assert association.correlation_ratio(labels, values).value < 0.2 < association.correlation_ratio(labels, values, corrected=False).value
    assert association.cramers_v(labels, other).value < 0.1 < association.cramers_v(labels, other, corrected=False).value


def test_a_column_is_itself_and_nothing_goes_with_a_constant() -> None:
    labels = pd.Series(list("aabbcc") * 10)
    assert association.cramers_v(labels, labels).value == pytest.approx(1)
    assert math.isnan(association.cramers_v(labels, pd.Series(["x"] * 60)).value)
    assert math.isnan(association.spearman([1, 1, 1, 1], [1, 2, 3, 4]).value)
    assert math.isnan(association.correlation_ratio(labels, np.ones(60)).value)
    assert math.isnan(association.pearson([], []).value)


@rules(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(-50, 50), some.integers(-50, 50)), min_size=4, max_size=40))
def test_correlations_are_symmetric_and_blind_to_scale(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    one, other = association.spearman(x, y).value, association.spearman(3 * y + 1, x).value
    assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other)
    assert math.isnan(one) or -1 <= one <= 1


def test_the_matrix_is_pandas() -> None:
    frame = pd.DataFrame(RNG.normal(size=(80, 4)), columns=list("abcd"))
    frame.iloc[3, 1] = math.nan
    pd.testing.assert_frame_equal(association.matrix(frame), frame.corr("spearman"), check_names=False)
    pd.testing.assert_frame_equal(association.matrix(frame, "Pearson"), frame.corr(), check_names=False)


def test_what_goes_with_the_target_is_sorted_and_leaves_out_what_is_no_label() -> None:
    n = 300
    target = pd.Series(RNG.normal(size=n))
    columns = {
        "noise": pd.Series(RNG.normal(size=n)),
        "twice": target * -2,
        "group": pd.Series(np.where(target > 0, "up", "down")),
        "unique": pd.Series([f"u{i}" for i in range(n)]),
        "constant": pd.Series(["x"] * n),
    }
    kinds = {"noise": "number", "twice": "number", "group": "label", "unique": "label", "constant": "label"}
    found = association.with_target(columns, kinds, target, True)
    assert list(found) == ["twice", "group", "noise"]
    assert found["twice"].value == pytest.approx(-1)
    assert found["group"].measure == "correlation ratio"
    by_label = association.with_target(columns, kinds, columns["group"], False)
    assert by_label["twice"].measure == "correlation ratio"
    assert "noise" in by_label
