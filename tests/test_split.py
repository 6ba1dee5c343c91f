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
from core.curate.steps import make
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
