"""Each step does what its sentence says, accounts for every row that leaves, and never touches the test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curate.balance import generator
from core.curate.fields import label
from core.curate.leakage import leakage
from core.curate.presets import PRESETS, preset, suggest
from core.curate.recipe import Outcome, Recipe, run
from core.curate.scrub import ScrubSettings, scrubbed
from core.curate.steps import STEPS, describe, kind, make, settings_of
from core.curate.table import Tokenizer
from core.errors import DataError, SettingsError, StudioError
from core.version import Roles, Step, Version

LETTERS = Tokenizer(lambda text: [ord(c) for c in text], lambda tokens: "".join(map(chr, tokens)))
"""One token per character."""


def after(frame: pd.DataFrame, *steps: Step, roles: Roles | None = None, task: str | None = None, seed: int = 0) -> Outcome:
    return run(frame, roles or Roles(), Recipe(steps, seed), task=task, tokenizer=lambda name: LETTERS)


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_lists_and_details_become_text_and_what_holds_nothing_is_missing():
    frame = table(a=[["x", "y"], [], None, ["z"]], b=['["p", "q"]', '{"k": [1]}', "", "plain"])
    out = after(frame, make("parse", columns=["a", "b"])).frame
    assert out["a"].tolist()[0] == "x\ny"
    assert out["a"].isna().tolist() == [False, True, True, False]
    assert out["b"].tolist()[:2] == ["p\nq", '{"k": [1]}']
    assert out["b"].isna().tolist() == [False, False, True, False]
    assert after(frame, make("parse", columns=["b"], nested="lines")).frame["b"].tolist()[1] == "k: [1]"


def test_a_row_without_a_readable_price_leaves_and_says_so():
    frame = table(price=["$12.50", "12.5", "None", "from 12.99", "1,299", None])
    made = after(frame, make("parse", number="price"))
    assert made.frame["price"].tolist() == [12.5, 12.5, 1299.0]
    assert made.dropped["row"].tolist() == [2, 3, 5]
    assert set(made.dropped["reason"]) == {"no readable price"}
    assert made.reports[0].reasons == {"no readable price": 3}


def test_joining_leaves_missing_parts_out_and_moves_the_text_role_and_the_prompt():
    from core.prompt import default_prompt

    frame = table(title=["a", "b", None], body=["x", None, None])
    roles = Roles(text=("title", "body"), target=None)
    made = run(frame, roles, Recipe((make("join", columns=["title", "body"]),)), prompt=default_prompt("chat", roles))
    assert made.frame["text"].tolist()[:2] == ["a\nx", "b"]
    assert made.frame["text"].isna().tolist()[2]
    assert made.roles.text == ("text",)
    assert made.prompt is not None
    assert made.prompt.user == "${text}"


@pytest.mark.parametrize(
    ("on", "text", "wanted"),
    [
        ({"html": True}, "<p>Salt &amp; pepper</p><script>x()</script> 3 < 5", "\nSalt & pepper\n 3 < 5"),
        ({"unicode": True}, "e\u0301te\u0301", "été"),
        ({"phrases": ("Item ", "No.")}, "Item No. 5", " 5"),
        ({"runs": True}, ' a :["b"]\n\tc , d,,, e', "a b c, d, e"),
        ({"codes": True}, "part WPW1032 ok 12V ABCDEFG x²345678", "part ok 12V ABCDEFG"),
    ],
)
def test_each_rule_of_scrub_works_alone(on, text, wanted):
    off = {"html": False, "unicode": False, "runs": False, "codes": False}
    assert scrubbed(text, ScrubSettings(columns=("t",), **{**off, **on})) == wanted
    assert scrubbed(text, ScrubSettings(columns=("t",), **off)) == text


@given(st.text())
def test_runs_of_marks_become_one_blank_as_in_the_course(text):
    import re

    settings = ScrubSettings(columns=("t",), html=False, unicode=False, codes=True)
    wanted = re.sub(r'[:\[\]"{}【】\s]+', " ", text).strip().replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    assert scrubbed(text, settings) == " ".join(w for w in wanted.split(" ") if len(w) < 7 or not any(c.isdigit() for c in w))


@given(st.text(max_size=80))
def test_scrubbing_twice_changes_no_blank_or_code_more(text):
    settings = ScrubSettings(columns=("t",), html=False, runs=True, codes=True)
    once = scrubbed(text, settings)
    assert not any(len(word) >= 7 and any(map(str.isdigit, word)) for word in once.split(" "))
    assert "  " not in once.replace(", ", ",") or ",," in text or " ," in text


def test_windows_drop_the_short_and_cut_the_long():
    frame = table(text=["ab", "abcd", "abcdef", None])
    made = after(frame, make("length_window", column="text", minimum=3, ceiling=5))
    assert made.frame["text"].tolist() == ["abcd", "abcde"]
    made = after(frame, make("token_window", column="text", minimum=3, maximum=4))
    assert made.frame["text"].tolist() == ["abcd", "abcd"]
    assert made.dropped["reason"].tolist() == ["fewer than 3 tokens"] * 2


PIECES = ["kettle", "Pump's", "12V", " ", "\n", "냄비", "émail", "9.99,", "—", "\t ", "co-op", "日本語の", "\u3000", "<|endoftext|>"]


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
@given(parts=st.lists(st.sampled_from(PIECES), max_size=120))
@settings(deadline=None)
def test_a_long_text_is_cut_where_its_whole_would_be(name, parts):
    from core.io.curating import tokenizer
    from core.io.tokens import encoding

    words, text = encoding(name), " ".join(parts)
    recipe = Recipe((make("token_window", column="text", minimum=0, maximum=12, tokenizer=name),))
    made = run(table(text=[text, "x"]), Roles(), recipe, tokenizer=tokenizer)
    assert made.frame["text"].tolist()[0] == words.decode(words.encode_ordinary(text)[:12])
    assert list(tokenizer(name).encode(text)) == words.encode_ordinary(text)


def test_a_range_keeps_both_ends_and_drops_missing_numbers():
    frame = table(price=[0.49, 0.5, 999.49, 999.5, np.nan])
    made = after(frame, make("range", column="price", low=0.5, high=999.49))
    assert made.frame["price"].tolist() == [0.5, 999.49]
    assert made.dropped["reason"].tolist() == ["price below $0.50", "price above $999.49", "no price"]
    assert describe(make("range", column="price", low=0.5, high=999.49)) == "price from $0.50 to $999.49"


def test_a_range_of_text_says_what_to_do():
    with pytest.raises(DataError, match="Add a Parse step"):
        after(table(price=["$5"]), make("range", column="price", low=1))


def test_blank_cells_count_as_missing():
    made = after(table(a=["x", " ", None], b=["y", "y", "y"]), make("missing", columns=["a", "b"]))
    assert made.frame["a"].tolist() == ["x"]


def test_a_filter_keeps_matches_or_the_others():
    frame = table(text=["Red lamp", "blue lamp", "red chair", None])
    assert after(frame, make("filter", column="text", pattern="^red")).frame["text"].tolist() == ["Red lamp", "red chair"]
    assert len(after(frame, make("filter", column="text", pattern="^red", keep="others", any_case=False)).frame) == 3
    with pytest.raises(SettingsError, match="cannot be read"):
        after(frame, make("filter", column="text", pattern="(red"))


def test_a_hostile_pattern_takes_no_time():
    frame = table(text=["a" * 5_000 + "!"] * 20)
    assert len(after(frame, make("filter", column="text", pattern="^(a+)+$")).frame) == 0


def test_of_equal_rows_the_first_stays():
    frame = table(text=["Red  lamp", "red lamp!", "blue", None, None])
    roles = Roles(text=("text",))
    made = after(frame, make("exact_duplicates"), roles=roles)
    assert made.dropped["row"].tolist() == [1]
    assert made.dropped["reason"].tolist() == ["same text as row 1"]
    assert made.reports[0].reasons == {"same text as another row": 1}
    assert not len(after(frame, make("exact_duplicates", normalised=False), roles=roles).dropped)


LONG = "a sturdy kettle made of steel with a lid and a long wooden handle, holds two litres of water"


def test_of_near_duplicates_the_first_stays():
    frame = table(text=[LONG, LONG + ".", LONG.replace("two", "ten"), "something else altogether, and long enough"])
    made = after(frame, make("near_duplicates"), roles=Roles(text=("text",)))
    assert made.dropped["row"].tolist() == [1, 2]


def test_a_test_row_is_never_dropped_for_a_train_row():
    frame = table(text=["one", "one", "two", "two"], part=["train", "test", "validation", "train"])
    for name in ("exact_duplicates", "near_duplicates"):
        made = after(frame, make(name), roles=Roles(text=("text",), split="part"))
        assert made.frame["part"].tolist() == ["test", "validation"], name


def test_texts_whose_targets_disagree_leave_together_but_not_from_the_test():
    frame = table(text=["a", "A", "b", "b", "c", "c"], y=["1", "2", "3", "3", "4", "5"], part=["train"] * 4 + ["test", "train"])
    made = after(frame, make("conflicting"), roles=Roles(text=("text",), target="y", split="part"), task="classification")
    assert made.dropped["row"].tolist() == [0, 1, 5]
    near = table(text=["a", "a"], y=[100.0, 101.0])
    roles = Roles(text=("text",), target="y")
    assert len(after(near, make("conflicting"), roles=roles, task="regression").frame) == 0
    assert len(after(near, make("conflicting", apart=2), roles=roles, task="regression").frame) == 2


def test_balance_caps_slots_below_the_threshold_and_weighs_categories():
    prices = [5.2] * 400 + [9.0] * 10 + [300.0] * 60
    frame = pd.DataFrame({"price": prices, "kind": ["car", "home"] * 200 + ["car"] * 70})
    roles = Roles(target="price", category="kind")
    made = after(frame, make("balance", cap=50, keep_all_from=240, weights={"home": 5}), roles=roles, task="regression")
    assert made.frame["price"].round().value_counts().to_dict() == {5.0: 50, 300.0: 60, 9.0: 10}
    five = made.frame[made.frame["price"] == 5.2]["kind"].value_counts()
    assert five["home"] > 3 * five["car"], "home is five times as likely to stay"
    assert made.reports[0].reasons == {"price $5 has more than 50 rows": 350}


def test_class_balance_takes_train_rows_only():
    frame = pd.DataFrame({"y": ["a"] * 30 + ["b"] * 10 + ["a"] * 20, "part": ["train"] * 40 + ["test"] * 20})
    made = after(frame, make("class_balance"), roles=Roles(target="y", split="part"))
    assert made.frame.groupby("part")["y"].value_counts().to_dict() == {("train", "a"): 10, ("train", "b"): 10, ("test", "a"): 20}


def test_a_sample_keeps_order_and_the_test():
    frame = pd.DataFrame({"n": range(100), "part": ["train"] * 90 + ["test"] * 10})
    roles = Roles(split="part")
    assert after(frame, make("sample", rows=5, which="first"), roles=roles).frame["n"].tolist() == [0, 1, 2, 3, 4, *range(90, 100)]
    drawn = after(frame, make("sample", rows=5), roles=roles).frame["n"].tolist()
    assert drawn == sorted(drawn)
    assert drawn != [0, 1, 2, 3, 4, *range(90, 100)]
    assert drawn == after(frame, make("sample", rows=5), roles=roles).frame["n"].tolist()
    assert drawn != after(frame, make("sample", rows=5), roles=roles, seed=1).frame["n"].tolist()


def test_shuffling_moves_rows_and_keeps_lineage():
    frame = pd.DataFrame({"text": [f"row {i}" for i in range(50)], "of": pd.array([None] * 49 + [3], dtype="Int64")})
    made = after(frame, make("shuffle"), roles=Roles(text=("text",), parent_row="of"))
    texts = made.frame["text"].tolist()
    assert texts != frame["text"].tolist()
    assert sorted(texts) == sorted(frame["text"])
    child = texts.index("row 49")
    assert texts[int(made.frame["of"][child])] == "row 3"


def test_a_child_leaves_with_its_parent():
    frame = pd.DataFrame({"text": ["drop me", "stay", "child", "child of stay"], "of": pd.array([None, None, 0, 1], dtype="Int64")})
    roles = Roles(text=("text",), parent_row="of")
    for step in (make("filter", column="text", pattern="drop me", keep="others"), make("sample", rows=3, which="first")):
        made = after(frame, step, roles=roles)
        if step.name == "filter":
            assert made.frame["text"].tolist() == ["stay", "child of stay"]
            assert made.frame["of"].tolist()[1] == 0
            assert made.dropped["reason"].tolist()[1] == "the row it was made from left"
        else:
            assert len(made.frame) == 3


def test_train_rows_that_stand_in_the_test_leave_and_the_test_stays():
    frame = table(
        text=[LONG, "unrelated words about gardens", LONG.upper(), LONG.replace("two", "ten"), "quite another thing, also long"],
        part=["test", "test", "train", "validation", "train"],
    )
    made = after(frame, make("move_leaks"), roles=Roles(text=("text",), split="part"))
    assert made.dropped["row"].tolist() == [2, 3]
    assert made.frame["part"].tolist() == ["test", "test", "train"]
    parts = made.frame["part"]
    report = leakage(made.frame[parts == "train"], made.frame[parts == "test"], ["text"])
    assert report.leaked == 0


def test_moving_leaks_before_a_split_says_where_to_put_it():
    with pytest.raises(DataError, match="after Split"):
        after(table(text=["a"]), make("move_leaks"), roles=Roles(text=("text",)))


def test_the_prompt_step_asks_the_same_in_training_and_test():
    roles = Roles(text=("title",), target="price")
    made = after(
        table(title=["Kettle"], price=[12.5]),
        make("prompts", question="How much?", prefix="Price is $", answer="$target.00", decimals=0),
        roles=roles,
        task="regression",
    )
    assert made.prompt is not None
    row = {"title": "Kettle"}
    assert made.prompt.example(row, 12.5)[-1]["content"] == "Price is $12.00"
    assert made.prompt.example(row, 12.5)[:-1] == made.prompt.question(row)
    assert made.prompt.question(row)[-1]["content"] == "How much?\n\nKettle"


def test_a_column_that_is_not_there_is_named_with_the_others():
    with pytest.raises(DataError, match="looks for the column 'prise'"):
        after(table(price=[1.0]), make("range", column="prise"))
    with pytest.raises(DataError, match="needs a value for Column"):
        after(table(price=[1.0]), make("range"))


@pytest.mark.parametrize("name", STEPS)
def test_every_step_explains_itself_and_every_setting(name):
    from dataclasses import fields

    one = kind(name)
    assert one.meaning.endswith(".")
    assert describe(Step(name, one.settings().to_dict()))
    for field in fields(one.settings):
        assert field.metadata["meaning"].endswith((".", "$")), field.name
        assert label(field.name)
    assert settings_of(Step(name, one.settings().to_dict())) == one.settings()


@pytest.mark.parametrize("name", STEPS)
def test_no_step_changes_the_table_it_was_given(name):
    frame = pd.DataFrame({"text": [f"text {i % 7} about {i}" for i in range(40)], "n": [float(i) for i in range(40)],
                          "part": ["train"] * 30 + ["test"] * 10})  # fmt: skip
    before = frame.copy(deep=True)
    roles = Roles(text=("text",), target="n", split="part")
    after(frame, suggest(name, roles, list(frame.columns), ["n"]), roles=roles, task="regression")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_stands_an_empty_table(name):
    frame = pd.DataFrame({"text": pd.Series([], dtype="str"), "n": pd.Series([], dtype="float64")})
    roles = Roles(text=("text",), target="n")
    step = suggest(name, roles, ["text", "n"], ["n"])
    if name == "move_leaks":
        with pytest.raises(StudioError):
            after(frame, step, roles=roles, task="regression")
    else:
        assert len(after(frame, step, roles=roles, task="regression").frame) == 0


def test_two_steps_of_a_recipe_draw_different_numbers():
    assert generator(0, "split").random() != generator(0, "shuffle").random()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_without_a_target_says_what_is_missing(name):
    version = Version("d", "i", 1, "Import", roles=Roles(text=("text",)))
    with pytest.raises(DataError, match="what to predict"):
        preset(name, version, table(text=["a"]))
