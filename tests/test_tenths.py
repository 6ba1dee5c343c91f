"""Ten parts of equal size: no row is lost, equal numbers stay together, and the parts come from the lowest to the highest."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluate.answers import make_answers
from core.evaluate.inside import judged
from core.evaluate.tenths import by_tenth, tenths


def say(value: float) -> str:
    return f"{value:g}"


def test_a_hundred_numbers_make_ten_parts_of_ten_in_their_order() -> None:
    values = np.random.default_rng(0).permutation(100)
    names = tenths(values, say)
    answers = make_answers("regression", values.astype(float).tolist(), (values + 1.0).tolist())
    parts = by_tenth(answers, values, names)
    assert [part.measured.n for part in parts] == [10] * 10
    assert parts[0].name == "0 to 9"
    assert parts[-1].name == "90 to 99"
    assert all(part.measured.value == pytest.approx(1.0) for part in parts)


@pytest.mark.parametrize("values", [[5.0], [5.0] * 40, [1.0, 2.0, 3.0], [0.0] * 30 + [1.0] * 30])
def test_few_or_equal_numbers_make_fewer_parts_and_lose_no_row(values: list[float]) -> None:
    names = tenths(values, say)
    parts = by_tenth(make_answers("regression", values, values), values, names)
    assert sum(part.measured.n for part in parts) == len(values)
    assert len(parts) == len(set(names)) <= len(set(values))


def test_parts_that_read_alike_are_told_apart_and_no_values_make_no_parts() -> None:
    names = tenths(np.linspace(1.0, 1.001, 20), lambda value: f"{value:.1f}")
    assert len(set(names)) == 4
    assert tenths([], say) == []


def test_one_off_needs_three_ordered_labels_and_two_labels_are_right_or_wrong() -> None:
    assert judged(make_answers("classification", ["0", "1"], ["0", "0"], labels=("0", "1"))).tolist() == ["close", "far off"]
    assert judged(make_answers("classification", ["1", "3"], ["2", "1"], labels=("1", "2", "3"))).tolist() == ["off", "far off"]
