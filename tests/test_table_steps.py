"""Steps over the whole table: classes, samples, keep-rules, contradictions, likely wrong targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.curate.disagreements import ConflictSettings, conflicting
from core.curate.recipe import Outcome, Recipe, run
from core.curate.steps import STEPS, describe, make
from core.curate.table import Table
from core.errors import DataError, StudioError
from core.version import Roles, Step

WORDS = "amber birch cedar delta ember flint grove heron island juniper kettle lantern meadow nectar orchid pepper quartz river".split()  # noqa: SIM905


def after(frame: pd.DataFrame, *steps: Step, roles: Roles | None = None, task: str | None = None, seed: int = 0) -> Outcome:
    return run(frame, roles or Roles(), Recipe(steps, seed), task=task)


LABELS = pd.DataFrame({"text": [f"row {i} of many" for i in range(60)], "y": ["a"] * 40 + ["b"] * 15 + ["c"] * 5})
LABELLED = Roles(text=("text",), target="y")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"way": "down"}, {"a": 5, "b": 5, "c": 5}),
        ({"way": "down", "cap": 20}, {"a": 20, "b": 15, "c": 5}),
        ({"way": "up"}, {"a": 40, "b": 40, "c": 40}),
        ({"way": "up", "cap": 12}, {"a": 40, "b": 15, "c": 12}),
        ({"way": "both"}, {"a": 15, "b": 15, "c": 15}),
        ({"way": "both", "cap": 17}, {"a": 17, "b": 17, "c": 17}),
    ],
)
def test_classes_are_evened_down_up_or_both_ways(settings, wanted):
    made = after(LABELS, make("class_balance", **settings), roles=LABELLED, task="classification")
    assert made.frame["y"].value_counts().to_dict() == wanted
    times = made.frame["text"].value_counts().groupby(LABELS.set_index("text")["y"]).agg(["min", "max"])
    assert (times["max"] - times["min"] <= 1).all(), "each row of a label is copied equally often"
    copies = len(made.frame) - made.frame["text"].nunique()
    assert made.reports[0].rows_after == len(made.frame)
    assert len(made.dropped) == len(LABELS) - made.frame["text"].nunique()
    if copies:
        assert made.roles.parent_row == "parent_row"
        made_rows = made.frame[made.frame["parent_row"].notna()]
        assert len(made_rows) == copies
        assert made.frame["text"].iloc[made_rows["parent_row"].astype(int)].tolist() == made_rows["text"].tolist()


def test_copies_are_made_of_train_rows_and_stay_in_train():
    steps = (make("split", test=20, validation=10), make("class_balance", way="up"))
    for order in (steps, steps[::-1]):
        made = after(LABELS, *order, roles=LABELLED, task="classification")
        parts, copy = made.frame["split"], made.frame["parent_row"].notna()
        assert copy.any()
        assert (parts[copy] == "train").all()
        assert (made.frame.groupby("text")["split"].nunique() == 1).all(), "a row and its copies are in one part"
        assert parts.value_counts()["test"] == 12
        assert parts.value_counts()["validation"] == 6
        assert made.frame["text"].nunique() == 60
        assert set(made.dropped["row"]) <= set(range(60))


def test_a_copy_leaves_with_its_row_and_is_never_kept_for_it():
    up = make("class_balance", way="up")
    gone = after(LABELS, up, make("filter", column="text", pattern="row 5", keep="others"), roles=LABELLED)
    assert not gone.frame["text"].str.startswith("row 5").any()
    assert gone.dropped["row"].is_unique
    for keep in ("first", "last"):
        made = after(LABELS, up, make("exact_duplicates", keep=keep), roles=LABELLED)
        assert made.frame["text"].tolist() == LABELS["text"].tolist()
        assert made.frame["parent_row"].isna().all()
        assert not len(made.dropped)
    again = after(LABELS, up, make("sample", rows=90), make("class_balance", way="up"), roles=LABELLED)
    assert again.frame["parent_row"].dropna().isin(again.frame.index[again.frame["parent_row"].isna()]).all()


def test_copies_of_synthetic_rows_are_children_of_the_real_row():
    frame = pd.DataFrame({"text": ["one", "two", "one more"], "y": ["a", "b", "b"], "of": pd.array([None, None, 1], dtype="Int64")})
    made = after(frame, make("class_balance", way="up", cap=4), roles=Roles(text=("text",), target="y", parent_row="of"))
    assert made.frame["y"].value_counts().to_dict() == {"a": 4, "b": 4}
    assert made.frame["of"].tolist()[3:] == [0, 0, 0, 1, 1]
    assert made.roles.parent_row == "of"


def test_copies_of_too_many_values_are_refused():
    frame = pd.DataFrame({"y": [f"label {i}" for i in range(3000)]})
    with pytest.raises(DataError, match="2,997,000 copies"):
        after(frame, make("class_balance", way="up", cap=1000), roles=Roles(target="y"))


def test_a_stratified_sample_keeps_shares_to_within_a_row():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.choice(["a", "b", "c", "d"], 997, p=[0.6, 0.3, 0.07, 0.03]), "n": rng.lognormal(3, 1, 997)})
    made = after(frame, make("sample", rows=100, which="stratified"), roles=Roles(target="y"), task="classification", seed=3)
    share = frame["y"].value_counts() * 100 / 997
    assert len(made.frame) == 100
    assert ((made.frame["y"].value_counts() - share).abs() < 1).all()
    made = after(frame, make("sample", rows=100, which="stratified", by="n"), seed=3)
    assert set(np.bincount(np.digitize(made.frame["n"], np.quantile(frame["n"], np.linspace(0, 1, 11)[1:-1])))) <= {9, 10, 11}
    with pytest.raises(DataError, match="whose shares are kept"):
        after(frame, make("sample", which="stratified"))


def test_distinct_counts_rows_of_each_value_or_values():
    frame = pd.DataFrame({"k": ["b", "a", "b", None, "b", "a", "c"], "n": range(7)})
    two = after(frame, make("distinct", column="k", first=2))
    assert two.frame["n"].tolist() == [0, 1, 2, 3, 5, 6]
    assert two.reports[0].reasons == {"more than 2 rows with the same k": 1}
    values = after(frame, make("distinct", column="k", keep="values", first=2))
    assert values.frame["n"].tolist() == [0, 1, 2, 4, 5]
    assert describe(make("distinct", column="k", first=2)) == "the first 2 rows of each k"
    parted = frame.assign(part=["train"] * 3 + ["test"] * 4)
    assert after(parted, make("distinct", column="k"), roles=Roles(split="part")).frame["n"].tolist() == [0, 1, 3, 4, 5, 6]


LONG = "a sturdy kettle made of steel with a lid and a long wooden handle, holds two litres of water"


@pytest.mark.parametrize("name", ["exact_duplicates", "near_duplicates"])
@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"keep": "first"}, 0),
        ({"keep": "last"}, 3),
        ({"keep": "longest"}, 2),
        ({"keep": "largest", "by": "n"}, 1),
        ({"keep": "smallest", "by": "n"}, 3),
        ({"keep": "largest", "by": "day"}, 2),
        ({"keep": "labelled"}, 2),
    ],
)
def test_the_keep_rule_says_which_row_of_a_group_stays(name, rule, kept):
    frame = pd.DataFrame(
        {"text": [LONG, LONG.upper() if name == "exact_duplicates" else LONG + ".", LONG + " !!", LONG, "something else"],
         "n": [2.0, 5.0, None, 1.0, 0.0], "day": ["2024-01-01", "2024-02-01", "2025-01-01", None, "2026-01-01"],
         "y": [None, " ", "5", "6", "7"]}
    )  # fmt: skip
    made = after(frame, make(name, **rule), roles=Roles(text=("text",), target="y"))
    assert made.dropped["row"].tolist() == [row for row in range(4) if row != kept]
    assert set(made.dropped["reason"].str[-1]) == {str(kept + 1)}
    with pytest.raises(DataError, match="Choose the column"):
        after(frame, make(name, keep="largest"), roles=Roles(text=("text",)))


@pytest.mark.parametrize("columns", [("brand",), ("brand", "text")])
def test_duplicates_are_of_the_chosen_columns_raw_or_normalised(columns):
    frame = pd.DataFrame({"text": ["one", "Ｏｎｅ!", "two"], "brand": ["Acme", "acme ", "ACME"]})
    made = after(frame, make("exact_duplicates", columns=columns), roles=Roles(text=("text",)))
    assert made.dropped["row"].tolist() == ([1, 2] if columns == ("brand",) else [1])
    assert not len(after(frame, make("exact_duplicates", columns=columns, normalised=False), roles=Roles(text=("text",))).dropped)


@pytest.mark.parametrize("name", ["exact_duplicates", "near_duplicates", "conflicting", "balance", "class_balance", "sample", "distinct"])
def test_after_a_split_train_rows_alone_leave(name):
    n = 60
    frame = pd.DataFrame(
        {"text": [LONG] * n, "y": [f"{i % 3}" for i in range(n)], "part": (["train"] * 40 + ["validation"] * 10 + ["test"] * 10)}
    )
    how = {"balance": {"cap": 1}, "sample": {"rows": 1}}.get(name, {})
    made = after(frame, make(name, **how), roles=Roles(text=("text",), target="y", split="part"), task="classification")
    counts = made.frame["part"].value_counts()
    assert counts["validation"] == counts["test"] == 10
    assert counts.get("train", 0) < 40


def test_a_row_without_a_target_contradicts_nothing():
    frame = pd.DataFrame({"text": ["a", "A", "b", "b"], "y": ["1", None, "2", "3"]})
    made = after(frame, make("conflicting"), roles=LABELLED, task="classification")
    assert made.dropped["row"].tolist() == [2, 3]


def test_the_majority_stays_and_at_a_tie_nobody():
    frame = pd.DataFrame({"text": ["a"] * 3 + ["b"] * 2 + ["c"] * 2, "y": ["1", "1", "2", "3", "4", "5", "5"]})
    made = after(frame, make("conflicting", action="majority"), roles=LABELLED, task="classification")
    assert made.dropped["row"].tolist() == [2, 3, 4]
    assert made.reports[0].reasons == {"the same text has 2 different targets": 2, "most rows of the same text have another target": 1}


@pytest.mark.parametrize(("apart", "stay"), [(0, []), (1, []), (2, [0, 1]), (4, [0, 1, 2]), (90, [0, 1, 2, 3])])
def test_numbers_agree_within_the_tolerance(apart, stay):
    frame = pd.DataFrame({"text": ["a"] * 4, "y": [100.0, 101.5, 104.0, 900.0]})
    settings = ConflictSettings(apart=apart, action="majority")
    made = conflicting(Table(frame, LABELLED, task="regression"), settings, 0)
    assert [row for row, reason in enumerate(made.dropped) if reason is None] == stay  # type: ignore[arg-type]


def reviews(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Texts of two classes that share most words; 5 % of the labels are flipped (the mask)."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    good, bad = ["great", "love", "perfect", "happy", "sturdy"], ["broken", "refund", "awful", "late", "cheap"]
    texts = [" ".join([*rng.choice(WORDS, 8), *rng.choice(good if one else bad, 3)]) + f" {i}" for i, one in enumerate(truth)]
    flipped = np.zeros(n, dtype=bool)
    flipped[rng.choice(n, n // 20, replace=False)] = True
    return pd.DataFrame({"text": texts, "y": np.where(truth ^ flipped, "good", "bad")}), flipped


TABLE_STEPS = [name for name, one in STEPS.items() if one.whole_table and name not in ("move_leaks", "prompts")]


@pytest.mark.parametrize("name", TABLE_STEPS)
@pytest.mark.parametrize("shape", ["one row", "one class", "no targets", "all alike"])
def test_degenerate_tables_give_a_result_or_a_clear_error(name, shape):
    n = 1 if shape == "one row" else 30
    frame = pd.DataFrame(
        {"text": [LONG if shape == "all alike" else f"{WORDS[i % 18]} {WORDS[i * 7 % 18]} {i}" for i in range(n)],
         "y": pd.Series([None] * n, dtype="object") if shape == "no targets" else ["a"] * n}
    )  # fmt: skip
    try:
        made = after(frame, make(name), roles=LABELLED, task="classification")
    except StudioError as error:
        assert str(error).endswith(".")
        assert error.title
    else:
        assert len(made.frame) + len(made.dropped) == n


@pytest.mark.parametrize("name", TABLE_STEPS)
def test_the_same_seed_gives_the_same_rows(name):
    frame, _ = reviews(120)
    frame["n"] = np.arange(120) % 7
    how = {"balance": {"column": "n", "cap": 5}, "class_balance": {"way": "both", "cap": 62}, "sample": {"rows": 50}}.get(name, {})
    one, two = (after(frame, make(name, **how), roles=LABELLED, task="classification", seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.frame, two.frame)


def test_a_version_with_copies_is_saved_whole_and_is_the_same_with_two_workers(home):
    from core.io import curating, previewing, store

    frame = pd.concat([LABELS, LABELS.assign(text=[f"other row {i}, quite another text" for i in range(60)])], ignore_index=True)
    version = store.save("Labels", frame, title="Import", roles=LABELLED, task="classification", source_hash="labels")
    steps = (make("class_balance", way="up"), make("length_window", column="text", minimum=17), make("label_errors"), make("split"))
    recipe = Recipe(steps, seed=3)
    one, two = (curating.make(version, recipe, workers=workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    made = curating.save(version, recipe)
    kept = store.frame(made)
    assert made.report[0].rows_after == 240
    assert made.rows == len(kept) == sum(made.splits.values())
    real = kept["parent_row"].isna()
    assert (kept["split"][~real] == "train").all()
    assert (kept["text"][~real].to_numpy() == kept["text"].to_numpy()[kept["parent_row"][~real].astype(int)]).all()
    assert len(store.dropped(made)) + real.sum() == version.rows
    assert store.dropped(made)["row"].between(0, version.rows - 1).all()
    seen = previewing.preview(version, recipe)
    assert [(one.before, one.after) for one in seen.steps] == [(report.rows_before, report.rows_after) for report in made.report]
    assert seen.splits == dict(made.splits)
