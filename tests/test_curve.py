"""Learning curves: what is fitted, and where they refuse to speak."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import SettingsError
from core.evaluate.curve import curve, nested, sizes_of

SIZES = (100, 200, 400, 800, 1600)


def values(a: float, b: float, c: float, noise: float = 0.0, seeds: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    return a + b * np.array(SIZES, dtype=float) ** -c + noise * rng.normal(size=(seeds, len(SIZES)))


def test_a_curve_without_noise_is_found_and_continued() -> None:
    found = curve(SIZES, values(20, 300, 0.5), lower_is_better=True)
    assert found.why_not == ""
    assert found.r2 == pytest.approx(1, abs=1e-9)
    for size in (100, 1600, 6400):
        value, low, high = found.at(size)
        assert value == pytest.approx(20 + 300 * size**-0.5, rel=1e-3)
        assert low <= value <= high + 1e-9


def test_the_band_holds_the_true_curve_when_seeds_vary() -> None:
    found = curve(SIZES, values(20, 300, 0.5, noise=0.3, seeds=8), lower_is_better=True)
    _, low, high = found.at(1600)
    assert low < 20 + 300 * 1600**-0.5 < high


def test_shares_rise_towards_one() -> None:
    shares = 1 - values(0.1, 2.0, 0.4)
    found = curve(SIZES, shares, lower_is_better=False, best=1.0)
    assert found.at(6400)[0] == pytest.approx(1 - 0.1 - 2.0 * 6400**-0.4, rel=1e-3)


def test_rows_for_a_gain_are_where_the_curve_has_it() -> None:
    found = curve(SIZES, values(20, 300, 0.5), lower_is_better=True)
    wanted = found.rows_for(2.0)
    assert wanted is not None
    assert found.at(1600)[0] - found.at(wanted)[0] == pytest.approx(2.0, abs=0.01)
    assert found.rows_for(7.0) is None, "beyond four times the rows, or below the floor, nothing is promised"
    assert found.rows_for(0.0) is None


def test_nothing_is_said_beyond_four_times_the_largest_size() -> None:
    found = curve(SIZES, values(20, 300, 0.5), lower_is_better=True)
    assert found.farthest == 6400
    with pytest.raises(SettingsError, match="6,401 rows are beyond what 1,600 can tell"):
        found.at(6401)


@pytest.mark.parametrize(
    ("sizes", "table", "why"),
    [
        (SIZES[:3], values(20, 300, 0.5)[:, :3], "3 sizes and 3 seeds"),
        (SIZES, values(20, 300, 0.5)[:2], "5 sizes and 2 seeds"),
        (SIZES, np.tile([10.0, 11.0, 12.0, 13.0, 14.0], (3, 1)), "no curve that falls"),
        (SIZES, np.tile([14.0, 10.0, 14.0, 10.0, 13.9], (3, 1)), "mostly noise"),
        (SIZES, np.full((3, 5), np.nan), "not defined"),
    ],
)
def test_a_curve_that_was_not_seen_is_not_drawn(sizes, table, why) -> None:
    found = curve(sizes, table, lower_is_better=True)
    assert found.fit is None
    assert why in found.why_not
    with pytest.raises(SettingsError, match="There is no curve"):
        found.at(sizes[-1])


def test_equal_values_are_no_curve() -> None:
    found = curve(SIZES, np.full((3, 5), 7.0), lower_is_better=True)
    assert found.fit is None


def test_smaller_sets_stand_in_larger_ones_and_classes_keep_their_share() -> None:
    strata = ["rare"] * 20 + ["common"] * 180
    sets = nested(200, (20, 50, 200), seed=1, strata=strata)
    assert [len(one) for one in sets] == [20, 50, 200]
    assert set(sets[0]) < set(sets[1]) < set(sets[2])
    assert [int(np.sum(one < 20)) for one in sets] == [2, 5, 20]
    other = nested(200, (20, 50, 200), seed=2, strata=strata)
    assert set(other[0]) != set(sets[0])
    assert all((a == b).all() for a, b in zip(sets, nested(200, (20, 50, 200), seed=1, strata=strata), strict=True))


def test_sizes_are_spread_evenly_on_a_logarithmic_scale() -> None:
    assert sizes_of(640, 6) == (20, 40, 80, 160, 320, 640)
    assert sizes_of(3200, 6) == (100, 200, 400, 800, 1600, 3200)
    assert sizes_of(40, 5)[-1] == 40
    with pytest.raises(SettingsError, match="39 training rows; a learning curve needs at least 40"):
        sizes_of(39)


def test_a_curve_that_misses_where_it_begins_is_not_drawn_even_if_its_end_fits() -> None:
    late = np.tile([77.0, 76.0, 75.0, 47.0, 33.0], (3, 1))
    assert "fits badly" in curve(SIZES, late, lower_is_better=True).why_not
