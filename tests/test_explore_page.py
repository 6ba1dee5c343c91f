"""Explore and Add data, as a person meets them."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import curating, numbers, profiling, query, reading, store
from core.io.query import Filter
from core.load.read import ReadOptions
from core.version import Roles, Version
from tests.doubles import ROOT, version
from ui import explore_add

TABLE = "text,stars\n" + "".join(f"a review about thing number {i},{1 + i % 5}\n" for i in range(40))
VIEWS = ["Overview", "Columns", "Tokens", "Rows", "Map", "SQL"]


def app(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page("../pages/explore.py")


def upload(name: str, data: bytes) -> AppTest:
    at = app().run()
    at.file_uploader(key="explore_file").upload(name, data, "application/octet-stream")
    return at.run()


def said(at: AppTest) -> str:
    kinds = (at.caption, at.markdown, at.error, at.subheader, at.title, at.toast)
    return " ".join(str(one.value).replace("\\", "") for kind in kinds for one in kind)


def test_without_data_add_data_is_the_page(home: Path) -> None:
    at = app().run()
    assert not at.exception
    assert at.title[0].value == "Add data"
    assert at.button(key="explore_add_run").disabled
    assert "Choose a file" in said(at)


def test_a_csv_becomes_version_one_with_roles_task_and_prompt(home: Path) -> None:
    at = upload("reviews.csv", TABLE.encode())
    assert not at.exception
    assert at.button(key="explore_add_run").label == "Add reviews"
    at.button(key="explore_add_run").click().run()
    assert not at.exception
    assert at.title[0].value == "Explore"
    assert [toast.value for toast in at.toast] == ["reviews, version 1, 40 rows"]
    saved = store.datasets()[0].versions[0]
    assert (saved.roles.text, saved.roles.target, saved.task, saved.rows) == (("text",), "stars", "classification", 40)
    assert saved.prompt is not None
    assert "1, 2, 3, 4, 5" in saved.prompt.user
    assert saved.source["file"] == "reviews.csv"


def test_adding_the_same_file_again_gives_the_same_version(home: Path) -> None:
    for _ in range(2):
        at = app(explore_add="1").run()
        at.file_uploader(key="explore_file").upload("reviews.csv", TABLE.encode(), "text/csv")
        at.run().button(key="explore_add_run").click().run()
        assert not at.exception
    assert [len(one.versions) for one in store.datasets()] == [1]


def test_another_file_of_that_name_gets_a_name_of_its_own(home: Path) -> None:
    upload("reviews.csv", TABLE.encode()).button(key="explore_add_run").click().run()
    at = app(explore_add="1").run()
    at.file_uploader(key="explore_file").upload("reviews.csv", TABLE.replace("thing", "other").encode(), "text/csv")
    at.run()
    name = next(one for one in at.text_input if one.label == "Name")
    assert name.value == "reviews 2"
    name.set_value("reviews").run()
    assert "That name is taken" in said(at)
    assert at.button(key="explore_add_run").disabled


def test_lines_that_cannot_be_read_wait_for_a_decision_and_are_kept_in_the_record(home: Path) -> None:
    at = upload("reviews.csv", TABLE.encode() + b"too,many,values\n")
    assert "One line cannot be read" in str([one.value for one in at.error] + [getattr(one, "title", "") for one in at.error]) or at.error
    assert "line 42" in said(at)
    assert at.button(key="explore_add_run").disabled
    at.button(key="explore_leave_out").click().run()
    assert not at.button(key="explore_add_run").disabled
    at.button(key="explore_add_run").click().run()
    source = store.datasets()[0].versions[0].source
    assert source["rejected"] == 1
    assert source["rejects"][0]["line"] == 42


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", b"text,stars\n", "header without rows"),
        ("wrong.parquet", b"text,stars\na,1\n", "not what its name says"),
        ("one.csv", b"text,stars\na long text here,1\n", "Only 1 row: two are needed"),
        ("items.csv.gz", gzip.compress(b"0" * 60_000_000, mtime=0), "unpacks to"),
        ("![x](http://evil.example).csv", b"", "empty"),
    ],
)
def test_files_that_are_no_table_are_refused_with_a_reason(home: Path, name: str, data: bytes, told: str) -> None:
    at = upload(name, data)
    assert not at.exception
    assert told in said(at) or any(told in str(getattr(one, "title", "")) for one in at.error)
    assert at.button(key="explore_add_run").disabled
    assert not store.datasets()


def test_a_path_of_this_machine_is_read(home: Path, tmp_path: Path) -> None:
    (tmp_path / "리뷰.csv").write_text(TABLE.replace("text", "리뷰", 1), encoding="cp949")
    at = app().run()
    at.segmented_control(key="explore_add_source").set_value("This machine").run()
    at.text_input(key="explore_path").set_value(str(tmp_path / "nothing.csv")).run()
    assert "is not there" in said(at)
    at.text_input(key="explore_path").set_value(str(tmp_path / "리뷰.csv")).run()
    at.button(key="explore_add_run").click().run()
    assert store.datasets()[0].versions[0].roles.text == ("리뷰",)


def test_the_role_editor_says_when_two_columns_claim_one_role(home: Path) -> None:
    at = upload("reviews.csv", TABLE.encode())
    key = explore_add.key_of(reading.sha256(TABLE.encode()), ReadOptions())
    at.session_state[f"explore_roles_{key}"] = {"edited_rows": {"0": {"Role": "Target"}}, "added_rows": [], "deleted_rows": []}
    at.run()
    assert "Two columns are Target" in said(at)
    assert at.button(key="explore_add_run").disabled


@pytest.mark.parametrize("name", ["price", "stars", "facts"])
def test_samples_open_from_here(home: Path, name: str) -> None:
    if not find_spec("core.load.samples.registry"):
        pytest.skip("the samples are not part of this checkout")
    at = app().run()
    at.segmented_control(key="explore_add_source").set_value("Samples").run()
    at.button(key=f"explore_open_{name}").click().run()
    assert not at.exception
    assert at.title[0].value == "Explore"
    assert store.datasets()[0].versions[0].title == "Sample"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("task", ["regression", "classification", "qa", "chat"])
def test_every_view_opens_for_every_task(home: Path, view: str, task: str) -> None:
    version(task)
    at = app(explore_view=view).run()
    at.segmented_control(key="explore_view").set_value(view).run()
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize("view", VIEWS)
def test_a_version_without_target_or_text_opens(home: Path, view: str) -> None:
    frame = pd.DataFrame({"a": ["x", None, "x"], "b": [None, None, None], "n": [1.0, None, 3.0], "l": ['["q"]', "[]", "{}"]})
    store.save("odd", frame, title="Import", roles=Roles(), source_hash="odd")
    at = app().run()
    at.segmented_control(key="explore_view").set_value(view).run()
    assert not at.exception
    assert not at.error


def test_a_deleted_version_in_the_address_is_said(home: Path) -> None:
    version()
    at = app(dataset="things", version="0123456789abcdef").run()
    assert not at.exception
    assert "is gone" in said(at)


def test_hostile_cells_and_names_are_shown_as_text(home: Path) -> None:
    bad = "![x](http://evil.example/a.png) $5 and $10 :red[no] <script>alert(1)</script>"
    frame = pd.DataFrame({bad: [bad] * 30, "stars": ["1", "2"] * 15, "kind": [bad, "other"] * 15})
    store.save(
        bad, frame, title="Import", roles=Roles(text=(bad,), target="stars", category="kind"), task="classification", source_hash="h"
    )
    for view in VIEWS:
        at = app().run()
        at.segmented_control(key="explore_view").set_value(view).run()
        assert not at.exception
        shown = [str(one.value) for kind in (at.caption, at.markdown, at.subheader, at.error) for one in kind]
        assert not [one for one in shown if "![x](" in one or "<script>" in one]


def test_a_finding_shows_its_rows_and_the_pill_takes_them_away(home: Path) -> None:
    frame = pd.DataFrame(
        {"text": ["the very same text"] * 3 + [f"other words {i}" for i in range(20)], "stars": ["1", "2", "1"] + ["1", "2"] * 10}
    )
    one = store.save("twice", frame, title="Import", roles=Roles(text=("text",), target="stars"), task="classification", source_hash="t")
    at = app().run()
    assert "2 exact duplicates" in said(at)
    at.button(key="explore_see_card_0").click().run()
    assert not at.exception
    assert "3 of 23 rows" in said(at)
    pills = at.pills[0]
    assert pills.options == ["2 exact duplicates"]
    pills.set_value([]).run()
    assert "23 of 23 rows" in said(at)
    at.text_input(key=f"explore_search_{one.id}").set_value("words 1").run()
    assert "11 of 23 rows" in said(at)


def select_in_figures() -> None:
    """The callbacks of two figures, as the browser would call them."""
    import streamlit as st

    from core.io import store
    from ui import explore_filters as filters

    one = store.datasets()[0].versions[0]
    st.session_state[filters.selection_key("bars")] = {"selection": {"points": [{"point_index": 1}]}}
    filters.clicked(one, "bars", "kind", ["pump", "lamp", "kettle"])()
    st.session_state[filters.selection_key("shape")] = {"selection": {"box": [{"x": [1.6, 1.3], "y": [0, 5]}]}}
    filters.dragged(one, "shape", "target", "Answer", "number", True)()
    st.caption(f"{list(filters.active(one))} {len(filters.others(one, 'kind'))} {filters.span(one, 'target')}")
    filters.strip(one)
    st.session_state[filters.selection_key("bars")] = {"selection": {"points": [{"point_index": 1}]}}
    filters.clicked(one, "bars", "kind", ["pump", "lamp", "kettle"])()
    st.caption(f"after: {list(filters.active(one))}")


def test_a_drag_and_a_click_become_filters_and_a_second_click_takes_its_own_away(home: Path) -> None:
    one = version("regression")
    at = AppTest.from_function(select_in_figures, default_timeout=180).run()
    assert not at.exception
    shown = store.frame(one)
    low, high = 10**1.3, 10**1.6
    passing = ((shown["kind"] == "lamp") & shown["answer"].between(low, high)).sum()
    assert 0 < passing < (shown["kind"] == "lamp").sum()
    assert f"{passing} of 60 rows" in said(at)
    assert "['lamp', 'Answer 20.0 to 39.8'] 1 (19.95" in said(at)
    assert "after: ['Answer 20.0 to 39.8']" in said(at)


def test_correcting_what_is_predicted_saves_a_version_of_the_same_rows(home: Path) -> None:
    one = version("classification", target=False)
    at = app().run()
    assert "What should be predicted?" in said(at)
    at.selectbox(key=f"explore_what_{one.id}_target").set_value("answer").run()
    assert at.selectbox(key=f"explore_what_{one.id}_task_answer").value == "classification"
    at.button(key=f"explore_what_{one.id}_save").click().run()
    assert not at.exception
    newest = store.versions(one.dataset)[0]
    assert (newest.roles.target, newest.task, newest.rows, newest.number) == ("answer", "classification", 60, 2)
    assert newest.prompt is not None


def test_the_token_cut_says_what_falls_outside_and_goes_to_curate(home: Path) -> None:
    one = version("regression")
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Tokens").run()
    assert not [b for b in at.button if b.key == "explore_send_cut"]
    slider = at.slider[0]
    slider.set_value((0, slider.max - 1)).run()
    assert "outside 0 to" in said(at)
    at.button(key="explore_send_cut").click().run()
    assert not at.exception
    assert at.title[0].value == "Curate"
    sent = curating.draft(one)
    assert sent is not None
    assert [step.name for step in sent.steps] == ["token_window"]
    assert sent.steps[0].settings["maximum"] == slider.max - 1


def test_sql_answers_and_refuses(home: Path) -> None:
    one = version("regression")
    at = app().run()
    at.segmented_control(key="explore_view").set_value("SQL").run()
    run = next(b for b in at.button if b.label == "Run query")
    run.click().run()
    assert "5 rows" in said(at)
    at.text_area(key=f"explore_sql_{one.id}").set_value("copy data to '/tmp/x.csv'")
    next(b for b in at.button if b.label == "Run query").click().run()
    assert not at.exception
    assert "one SELECT is needed" in said(at)


@pytest.fixture
def large(home: Path, monkeypatch: pytest.MonkeyPatch) -> Version:
    """A version of 600 rows where 200 count as too many to be looked at whole."""
    monkeypatch.setattr(numbers, "LARGE", 200)
    monkeypatch.setattr(profiling, "LARGE", 200)
    monkeypatch.setattr(profiling, "drawn", lambda one, size=150, seed=0, draw=profiling.drawn: draw(one, min(size, 150), seed))
    monkeypatch.setattr(store, "frame", refused)
    return version("regression", 600)


def refused(*_: object, **__: object) -> pd.DataFrame:
    raise AssertionError("Explore loaded a large version whole")


@pytest.mark.parametrize("view", VIEWS)
def test_a_large_version_opens_in_every_view_and_is_never_loaded_whole(large: Version, view: str) -> None:
    at = app().run()
    at.segmented_control(key="explore_view").set_value(view).run()
    assert not at.exception
    assert not at.error
    if view in ("Overview", "Columns", "Tokens"):
        assert "150 of 600 rows, drawn by lot" in said(at).replace("From a sample of ", "")


def test_a_search_in_a_large_version_paints_rows_before_they_are_counted(large: Version) -> None:
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Rows").run()
    at.text_input(key=f"explore_search_{large.id}").set_value("KETTLE").run()
    assert not at.exception
    assert "of 600 rows" in said(at)
    wanted = [i + 1 for i in query.rows_of(large, [Filter(search="kettle")])[:50]]
    assert at.dataframe[0].value["row"].tolist() == wanted


def test_counting_all_rows_replaces_the_sample(large: Version) -> None:
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Tokens").run()
    button = at.button(key="explore_count_all")
    assert button.label.startswith("Count all rows · about")
    button.click().run()
    assert not at.exception
    assert numbers.is_counted(large)
    at.run()
    assert "drawn by lot" not in said(at)
    assert not [one for one in at.button if one.key == "explore_count_all"]


def test_words_characters_and_the_curve_have_cuts_of_their_own(home: Path) -> None:
    one = version("regression")
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Tokens").run()
    at.selectbox(key="explore_length_measure").set_value("words").run()
    at.segmented_control(key="explore_tokens_figure").set_value("Cumulative").run()
    assert not at.exception
    words = store.frame(one)["text"].str.split().str.len()
    assert at.slider[0].max == words.max()
    at.slider[0].set_value((0, 3)).run()
    assert f"{(words <= 3).sum()} of 60 rows" in said(at) or "No row passes" in said(at)
    assert not [b for b in at.button if b.key == "explore_send_cut"]  # Curate cuts by tokens
    assert [m.value for m in at.metric][:1] == [str((words <= 3).sum())]


def test_a_column_in_full_and_what_goes_with_the_target(home: Path) -> None:
    version("regression")
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Columns").run()
    assert "What goes with answer" in said(at)
    assert "answer by kind" in said(at)
    assert "Quantiles of answer" in said(at)


def rows_and_their_neighbours() -> None:
    """The browser of rows with a row chosen, as a click on the table leaves it."""
    import streamlit as st

    from core.io import store
    from ui import explore_rows

    one = store.datasets()[0].versions[0]
    st.session_state.setdefault(f"here_open_{one.id}", 4)
    explore_rows.browser(one, [], "here", size=25)


def test_a_row_in_full_has_ways_to_its_neighbours(home: Path) -> None:
    one = version("regression")
    at = AppTest.from_function(rows_and_their_neighbours, default_timeout=180).run()
    assert not at.exception
    assert "Row 5" in said(at)
    texts = store.frame(one)["text"].tolist()
    assert texts[4] in [t.value for t in at.text]
    at.button(key=f"here_open_{one.id}_after").click().run()
    assert "Row 6" in said(at)
    assert texts[5] in [t.value for t in at.text]
    at.button(key=f"here_open_{one.id}_before").click().run()
    assert "Row 5" in said(at)


def test_another_tokenizer_is_read_from_a_folder_or_refused_with_a_reason(home: Path, tmp_path: Path) -> None:
    from tests.test_profiling import tokenizer_folder

    version("regression")
    at = app().run()
    at.segmented_control(key="explore_view").set_value("Tokens").run()
    at.text_input(key="explore_tokenizer_where").set_value(str(tmp_path)).run()
    at.button(key="explore_tokenizer_add").click().run()
    assert "tokenizer.json" in said(at)
    at.text_input(key="explore_tokenizer_where").set_value(str(tokenizer_folder(tmp_path / "mine"))).run()
    at.button(key="explore_tokenizer_add").click().run()
    assert not at.exception
    assert at.selectbox(key="explore_tokenizer").value == f"file:{tmp_path / 'mine'}"
    assert "mine" in at.selectbox(key="explore_tokenizer").options
    assert at.slider[0].max == 4  # each text is four words
