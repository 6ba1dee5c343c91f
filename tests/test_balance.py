"""Slots of a number hold what they should, and the rows in them are drawn with the weights asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.curate.steps import describe, make
from core.errors import DataError, SettingsError
from core.version import Roles
from tests.test_table_steps import after


def prices(n: int, seed: int = 0) -> pd.DataFrame:
    """Prices from 0.5 to 999.49, most of them small; half the rows of one category."""
    rng = np.random.default_rng(seed)
    price = np.clip(rng.lognormal(3.2, 1.2, n), 0.5, 999.49).round(2)
    return pd.DataFrame({"price": price, "category": rng.choice(["auto", "home", "toys"], n, p=[0.6, 0.25, 0.15])})


PRICING = {"cap": 40, "lowest": 1, "highest": 999, "keep_all_from": 240, "dominant": 1, "others": 5}
PRICED = Roles(target="price", category="category")


def test_every_slot_of_the_rounded_price_holds_the_smaller_of_its_rows_and_the_cap():
    frame = prices(20_000)
    made = after(frame, make("balance", **PRICING), roles=PRICED, task="regression", seed=42)
    slots = [round(price) for price in frame["price"]]
    before = pd.Series(slots).value_counts()
    wanted = {slot: n if slot >= 240 else min(n, 40) for slot, n in before.items() if 1 <= slot <= 999}
    assert pd.Series([round(price) for price in made.frame["price"]]).value_counts().to_dict() == wanted
    zeros = slots.count(0)
    assert zeros > 0
    assert made.reports[0].reasons["price rounds to $0, slots begin at $1"] == zeros
    assert len(made.frame) + len(made.dropped) == len(frame)
    assert describe(make("balance", **PRICING)) == (
        "at most 40 rows per slot of the target below 240, slots from 1 to 999, weight 1 for the most frequent category and 5 for the others"
    )


def test_a_half_rounds_to_even_as_python_rounds():
    frame = pd.DataFrame({"price": [0.5, 1.5, 2.5, 2.5, 3.4]})
    made = after(frame, make("balance", cap=1, lowest=1), roles=Roles(target="price"), task="regression")
    assert sorted(round(price) for price in made.frame["price"]) == [2, 3]
    assert made.dropped["reason"].tolist()[0] == "price rounds to $0, slots begin at $1"


@pytest.mark.parametrize("weights", [{"dominant": 1, "others": 5}, {"weights": {"home": 3, "toys": 8}}])
def test_category_shares_are_those_of_weighted_drawing_without_replacement(weights):
    rng = np.random.default_rng(1)
    category = np.array(["auto"] * 70 + ["home"] * 30 + ["toys"] * 20)
    frame = pd.DataFrame({"price": np.full(120, 9.0), "category": category})
    each = weights.get("weights") or {"home": 5, "toys": 5}
    p = np.array([each.get(name, 1) for name in category], dtype=float)
    ours, theirs = [], []
    for seed in range(200):
        made = after(frame, make("balance", cap=40, **weights), roles=PRICED, task="regression", seed=seed)
        ours.append((made.frame["category"] == "auto").sum())
        theirs.append((category[rng.choice(120, 40, replace=False, p=p / p.sum())] == "auto").sum())
        assert len(made.frame) == 40
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(200)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error
    assert abs(np.mean(ours) - 40 * 70 / 120) > 4 * error, "not the shares of drawing without weights"


def test_slots_are_of_one_width_or_hold_equally_many_rows():
    frame = pd.DataFrame({"n": [0.5, 1.4, 1.6, 2.0, 7.0, 7.9]})
    made = after(frame, make("balance", column="n", slots="width", width=2, cap=1, keep_all_from=None))
    assert len(made.frame) == 3
    assert made.reports[0].reasons == {"n 0 to 2 has more than 1 rows": 2, "n 6 to 8 has more than 1 rows": 1}
    many = pd.DataFrame({"n": np.random.default_rng(0).lognormal(3, 1, 1000)})
    made = after(many, make("balance", column="n", slots="quantile", quantiles=4, cap=100, keep_all_from=None))
    edges = np.quantile(many["n"], [0.25, 0.5, 0.75])
    assert np.bincount(np.digitize(made.frame["n"], edges)).tolist() == [100] * 4
    upper = after(many, make("balance", column="n", slots="quantile", quantiles=4, cap=100, keep_all_from=float(edges[2])))
    assert np.bincount(np.digitize(upper.frame["n"], edges)).tolist() == [100, 100, 100, 250]


def test_balancing_what_is_no_number_or_has_no_category_says_so():
    with pytest.raises(DataError, match="holds no numbers"):
        after(pd.DataFrame({"n": ["a", "b"]}), make("balance", column="n"))
    with pytest.raises(DataError, match="Choose the category column"):
        after(pd.DataFrame({"n": [1.0, 2.0]}), make("balance", column="n", weights={"home": 5}))
    alike = after(pd.DataFrame({"n": [1.0] * 9}), make("balance", column="n", cap=4, dominant=1, others=5))
    assert len(alike.frame) == 4, "without a category all rows are alike"
    with pytest.raises(SettingsError, match="can be 1 or more"):
        make("balance", cap=0)
    with pytest.raises(SettingsError, match="Slots go from 9 to 2"):
        make("balance", lowest=9, highest=2)
    some = after(pd.DataFrame({"n": [None, 1.0, 1.0]}), make("balance", column="n", cap=1))
    assert len(some.frame) == 2, "a row without a number stays"
