"""What belongs together is never parted, sizes are what was asked for, shares are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curate.duplicates import near_duplicates
from core.curate.recipe import Recipe, run
from core.curate.split import assign, spaced
from core.curate.steps import describe, make
from core.errors import DataError, SettingsError
from core.version import Roles

WORDS = "amber birch cedar delta ember flint grove heron island juniper kettle lantern meadow nectar orchid pepper quartz river".split()  # noqa: SIM905


def texts(n: int, seed: int = 0) -> list[str]:
    """Texts that have little in common."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 12)) + f" {i}" for i in range(n)]


def cut(frame: pd.DataFrame, roles: Roles, task: str | None = "regression", seed: int = 0, **how) -> pd.Series:
    return run(frame, roles, Recipe((make("split", **how),), seed), task=task).frame["split"]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_families_stay_whole_whatever_their_sizes(sizes, test, validation, seed):
    family = np.repeat(np.arange(len(sizes)), sizes)
    n = len(family)
    wanted = {"test": test * n // 100, "validation": validation * n // 100}
    parts = assign(family, np.zeros(n, dtype=int), np.zeros(n, dtype=bool), wanted, np.random.default_rng(seed))
    assert all(len(set(parts[family == one])) == 1 for one in range(len(sizes)))
    assert all((parts == name).sum() <= size for name, size in wanted.items())


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=40), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_sizes_are_exact_while_single_rows_are_left_to_fill_them(families, test, validation):
    family = np.repeat(np.arange(len(families)), [size for size, _ in families])
    layer = np.array([layer for _, layer in families])[family]
    n, singles = len(family), sum(size == 1 for size, _ in families)
    wanted = {"test": test * n // 100, "validation": validation * n // 100}
    parts = assign(family, layer, np.zeros(n, dtype=bool), wanted, np.random.default_rng(0))
    found = {name: int((parts == name).sum()) for name in wanted}
    assert all(len(set(parts[family == one])) == 1 for one in range(len(families)))
    assert found == wanted if singles >= sum(wanted.values()) else all(found[name] <= wanted[name] for name in wanted)


@given(st.integers(3, 300), st.integers(1, 40), st.integers(0, 40), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_sizes_are_exact_when_rows_stand_alone(n, test, validation, seed):
    wanted = {"test": max(1, test * n // 100), "validation": validation * n // 100}
    parts = assign(np.arange(n), np.arange(n) % 3, np.zeros(n, dtype=bool), wanted, np.random.default_rng(seed))
    assert {name: int((parts == name).sum()) for name in wanted} == wanted


@given(st.integers(1, 200), st.data())
def test_spaced_places_are_as_many_as_asked_for(n, data):
    wanted = data.draw(st.integers(0, n))
    mask = spaced(n, wanted, np.random.default_rng(0))
    assert mask.sum() == wanted
    assert all(abs(part.sum() - len(part) * wanted / n) < 2 for part in np.array_split(mask, 4))


def test_sizes_are_percent_or_rows():
    frame = pd.DataFrame({"text": texts(200), "y": np.arange(200.0)})
    roles = Roles(text=("text",), target="y")
    assert cut(frame, roles).value_counts().to_dict() == {"train": 160, "validation": 20, "test": 20}
    counts = cut(frame, roles, validation=0, test=33, unit="rows").value_counts().to_dict()
    assert counts == {"train": 167, "test": 33}


@pytest.mark.parametrize("seed", range(4))
def test_near_duplicates_never_straddle(seed):
    base = texts(120, seed)
    frame = pd.DataFrame({"text": base + [text + " too" for text in base[:60]], "y": np.arange(180.0)})
    parts = cut(frame, Roles(text=("text",), target="y"), seed=seed, test=20).tolist()
    assert len(set(parts)) == 3
    pairs = near_duplicates(frame["text"].tolist()).tolist()
    assert len(pairs) >= 60
    assert all(parts[i] == parts[j] for i, j in pairs)


def test_without_the_wish_near_duplicates_may_part():
    base = texts(60)
    frame = pd.DataFrame({"text": base + base, "y": np.arange(120.0)})
    parts = cut(frame, Roles(text=("text",), target="y"), test=40, near_duplicates=False).tolist()
    assert any(parts[i] != parts[i + 60] for i in range(60))


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_groups_never_straddle(method):
    frame = pd.DataFrame({"text": texts(150), "y": np.arange(150.0), "user": [f"u{i % 40}" if i % 10 else None for i in range(150)]})
    for roles, how in ((Roles(text=("text",), target="y", group="user"), {}), (Roles(text=("text",), target="y"), {"group": "user"})):
        parts = cut(frame, roles, method=method, **how)
        assert (parts.groupby(frame["user"]).nunique() == 1).all()
        assert set(parts) == {"train", "validation", "test"}


def test_a_parent_and_its_children_go_to_train_together():
    frame = pd.DataFrame(
        {"text": texts(90), "y": np.arange(90.0), "of": pd.array([None] * 60 + [i % 30 for i in range(30)], dtype="Int64")}
    )
    parts = cut(frame, Roles(text=("text",), target="y", parent_row="of"), test=30, validation=20)
    assert set(parts[frame["of"].notna()]) == {"train"}
    assert set(parts[:30]) == {"train"}
    assert (parts == "test").sum() == 27


def test_stratified_keeps_the_share_of_each_label_to_within_a_row():
    labels = ["rare"] * 20 + ["often"] * 160 + ["half"] * 120
    frame = pd.DataFrame({"text": texts(300), "y": labels})
    for seed in range(3):
        parts = cut(frame, Roles(text=("text",), target="y"), "classification", seed=seed, method="stratified", test=20)
        shares = frame["y"][parts == "test"].value_counts()
        assert abs(shares["rare"] - 4) <= 1
        assert abs(shares["often"] - 32) <= 1
        assert abs(shares["half"] - 24) <= 1


def test_stratified_numbers_keep_each_tenth():
    frame = pd.DataFrame({"text": texts(400), "y": np.random.default_rng(0).exponential(50, 400)})
    parts = cut(frame, Roles(text=("text",), target="y"), method="stratified", test=25)
    tenth = pd.qcut(frame["y"], 10, labels=False)
    assert tenth[parts == "test"].value_counts().between(9, 11).all()


def test_a_split_that_came_with_the_data_is_kept():
    frame = pd.DataFrame({"text": texts(60), "y": np.arange(60.0), "set": ["Training"] * 30 + ["dev"] * 10 + ["test"] * 20})
    parts = cut(frame, Roles(text=("text",), target="y", split="set"))
    assert parts.tolist() == ["train"] * 30 + ["validation"] * 10 + ["test"] * 20


def test_a_missing_validation_part_is_taken_from_train():
    frame = pd.DataFrame({"text": texts(100), "y": np.arange(100.0), "set": ["train"] * 80 + ["test"] * 20})
    parts = cut(frame, Roles(text=("text",), target="y", split="set"))
    assert parts[80:].tolist() == ["test"] * 20
    assert parts.value_counts().to_dict() == {"train": 70, "test": 20, "validation": 10}


def test_rows_of_an_unknown_part_leave_with_a_reason():
    frame = pd.DataFrame({"text": texts(20), "y": np.arange(20.0), "set": ["train"] * 14 + ["test"] * 4 + ["hidden", None]})
    made = run(frame, Roles(text=("text",), target="y", split="set"), Recipe((make("split"),)))
    assert made.dropped["reason"].tolist() == ["its split is 'hidden'", "it has no split"]


def test_newest_rows_are_the_test():
    times = pd.date_range("2024-01-01", periods=100, freq="D").astype("str").tolist()
    frame = pd.DataFrame({"text": texts(100), "y": np.arange(100.0), "day": times[::-1]})
    parts = cut(frame, Roles(text=("text",), target="y", time="day"), method="newest")
    assert parts.tolist() == ["test"] * 10 + ["validation"] * 10 + ["train"] * 80


def test_the_seed_decides_and_nothing_else():
    frame = pd.DataFrame({"text": texts(80), "y": np.arange(80.0)})
    roles = Roles(text=("text",), target="y")
    assert cut(frame, roles, seed=1).tolist() == cut(frame.copy(), roles, seed=1).tolist()
    assert cut(frame, roles, seed=1).tolist() != cut(frame, roles, seed=2).tolist()


def test_a_split_without_train_rows_is_refused():
    with pytest.raises(SettingsError, match="nothing to train on"):
        make("split", test=60, validation=40)
    with pytest.raises(DataError, match="leave nothing to train on"):
        cut(pd.DataFrame({"text": texts(5), "y": np.arange(5.0)}), Roles(text=("text",), target="y"), test=5, validation=0, unit="rows")


def many(n: int, start: int = 0) -> pd.DataFrame:
    """Texts without a common word, numbered from `start`."""
    return pd.DataFrame({"text": [f"w{i * 7919} x{i * 104729} y{i * 1299709}" for i in range(start, start + n)], "y": np.arange(float(n))})


ROLES = Roles(text=("text",), target="y")


def test_by_hash_old_rows_keep_their_part_whatever_comes_and_in_any_order():
    old = many(600)
    near = pd.DataFrame({"text": [text + "!" for text in old["text"][:60]], "y": 0.0})
    frame = pd.concat([old, near], ignore_index=True)
    before = dict(zip(frame["text"], cut(frame, ROLES, method="hash"), strict=True))
    more = pd.concat([many(500, start=5_000), frame], ignore_index=True).sample(frac=1, random_state=0, ignore_index=True)
    after = dict(zip(more["text"], cut(more, ROLES, method="hash"), strict=True))
    assert {text: after[text] for text in before} == before
    assert all(after[text] == after[text + "!"] for text in old["text"][:60])
    assert before != dict(zip(frame["text"], cut(frame, ROLES, method="hash", seed=1), strict=True))


def test_by_hash_a_family_is_tested_as_often_as_a_single_row():
    n = 6_000
    frame = pd.DataFrame({"key": [f"k{i}" for i in range(n)], "user": [f"u{i // 6}" if i < 3_000 else None for i in range(n)], "y": 0.0})
    parts = cut(frame, Roles(target="y"), method="hash", key=["key"], group="user", near_duplicates=False, test=20)
    assert (parts.groupby(frame["user"]).nunique() == 1).all()
    for some, rows in ((parts[:3_000], 500), (parts[3_000:], 3_000)):
        assert abs((some == "test").mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / rows)


def test_by_hash_only_the_key_counts():
    frame = pd.DataFrame({"id": ["a", "b", "c", "d"] * 50, "text": texts(200), "y": np.arange(200.0)})
    parts = cut(frame, ROLES, method="hash", key=["id"], test=40, validation=0, seed=4)
    assert (parts.groupby(frame["id"]).nunique() == 1).all()
    with pytest.raises(DataError, match="needs a key"):
        cut(pd.DataFrame({"y": [1.0, 2.0]}), Roles(target="y"), method="hash")
    with pytest.raises(SettingsError, match="Set Unit to percent"):
        make("split", method="hash", unit="rows")


@pytest.mark.parametrize("method", ["random", "stratified", "group", "newest", "hash"])
def test_families_groups_and_children_never_straddle_in_any_method(method):
    n = 240
    frame = many(n)
    frame.loc[200:219, "text"] = [text + "." for text in frame["text"][:20]]
    frame["user"] = [f"u{i % 30}" if i < 120 else None for i in range(n)]
    frame["of"] = pd.array([i - 60 if i >= 220 else None for i in range(n)], dtype="Int64")
    frame["day"] = pd.date_range("2024-01-01", periods=n, freq="h").astype("str")
    roles = Roles(text=("text",), target="y", group="user", parent_row="of", time="day")
    for seed in range(3):
        parts = cut(frame, roles, method=method, test=15, seed=seed)
        assert set(parts) == {"train", "validation", "test"}
        assert (parts[:120].groupby(frame["user"][:120]).nunique() == 1).all()
        assert all(parts[i] == parts[200 + i] for i in range(20))
        assert (parts[220:] == "train").all()
        assert (parts[160:180] == "train").all(), "the rows they were made from"


def test_stratified_shares_hold_beside_families():
    frame = many(1_000)
    frame["y"] = ["a", "b", "b", "b", "c"] * 200
    frame["user"] = [f"u{i // 10 * 5 + i % 5}" if i < 300 else None for i in range(1_000)]
    roles = Roles(text=("text",), target="y", group="user")
    parts = cut(frame, roles, task="classification", method="stratified", near_duplicates=False)
    for name in ("test", "validation"):
        shares = frame["y"][parts == name].value_counts().to_dict()
        assert sum(shares.values()) == 100
        assert all(abs(shares[label] - wanted) <= 1 for label, wanted in {"a": 20, "b": 60, "c": 20}.items())


@pytest.mark.parametrize(
    ("frame", "how", "said"),
    [
        (many(6), {}, "6 rows would be 4 train, 1 validation, 1 test"),
        (many(4), {}, r"4 rows would be 4 train, 0 validation, 0 test: validation and test would be empty"),
        (many(40).assign(user="one"), {"group": "user"}, "40 train, 0 validation, 0 test.*40 rows belong together"),
        (many(1), {}, "1 row would be 1 train, 0 validation, 0 test"),
        (many(20).assign(text="the same text in every row"), {"method": "hash"}, "would be empty"),
    ],
)
def test_an_empty_side_is_an_error_that_names_the_sizes(frame, how, said):
    if "4 train, 1" in said:
        assert cut(frame, ROLES, test=20, validation=20).value_counts().to_dict() == {"train": 4, "validation": 1, "test": 1}
    else:
        with pytest.raises(DataError, match=said):
            cut(frame, ROLES, **how)


def test_sizes_that_leave_no_test_are_refused_before_anything_runs():
    with pytest.raises(SettingsError, match="nothing to measure on"):
        make("split", method="random", test=0)
    with pytest.raises(SettingsError, match="go with sizes in rows"):
        make("split", train=100)
    with pytest.raises(DataError, match="column of the group"):
        cut(many(20), ROLES, method="group")


def test_train_can_be_a_number_of_rows_with_percent_for_smaller_tables():
    how = {"unit": "rows", "train": 250, "test": 20, "validation": 0, "otherwise": 7.0}
    whole = run(many(300), ROLES, Recipe((make("split", **how),)), task="regression")
    assert whole.frame["split"].value_counts().to_dict() == {"train": 250, "test": 20}
    assert whole.reports[0].reasons == {"more than 250 train rows": 30}
    assert cut(many(270), ROLES, **how).value_counts().to_dict() == {"train": 250, "test": 20}
    assert cut(many(200), ROLES, **how).value_counts().to_dict() == {"train": 186, "test": 14}
    assert (
        describe(make("split", **how))
        == "as it came, else 250 train and 20 test rows, of fewer rows 93 / 7 %, near-duplicates kept together"
    )


def test_half_a_million_families_are_placed_at_once():
    family = np.repeat(np.arange(400_000), np.tile([1, 1, 1, 2], 100_000))
    parts = assign(family, family % 5, np.zeros(500_000, dtype=bool), {"test": 50_000, "validation": 50_000}, np.random.default_rng(0))
    assert [(parts == name).sum() for name in ("test", "validation")] == [50_000, 50_000]
    assert (parts[:-1] == parts[1:])[family[:-1] == family[1:]].all()
