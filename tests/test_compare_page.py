"""The Compare page in every state a person can bring it to."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import test_id as rows_id
from core.io import evaluations, store, testing
from core.prediction import examples
from tests.boards import evaluation
from tests.doubles import ROOT, frame, version

HOSTILE = "![x](http://evil.example/a.png) <script>alert(1)</script> **b** $1 and $2 :red[no]"
VIEWS = ("Leaderboard", "Rows", "Slices", "Cost and quality", "Try it")


def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    return at.switch_page("../pages/compare.py").run()


def measured(
    task: str = "regression", *, titles: tuple[str, str, str] = ("Constant (median)", "Random forest", "SmolLM2 fine-tuned")
) -> list:
    """Three evaluations of a saved version's test rows: a constant, a good one, a tuned one that leaves some unread."""
    one = version(task)
    table = frame(task)
    test = table[table["split"] == "test"].reset_index(drop=True)
    rows = examples(test, one.roles, task)
    truth = list(rows.targets or ())
    labels = tuple(sorted({str(t) for t in truth})) if task == "classification" else ()
    if task == "regression":
        guesses = [[40.0] * len(truth), [t + 1 for t in truth], [None if i % 4 == 0 else t + 9 for i, t in enumerate(truth)]]
    else:
        guesses = [[truth[0]] * len(truth), truth, [None if i % 4 == 0 else t for i, t in enumerate(truth)]]
    out = []
    for title, family, guess in zip(titles, ("trivial", "classical", "tuned"), guesses, strict=True):
        made = evaluation(title, family, truth, guess, task=task, dataset=one.dataset, version=one.id, labels=labels, test_id=rows_id(rows),
                          id=f"e{len(out)}", raw=[HOSTILE] * len(truth), **({"target_range": (5.0, 120.0)} if task == "regression" else {}))  # fmt: skip
        out.append(evaluations.save(made))
    return out


def everything(at: AppTest) -> str:
    """All text of the page that is rendered as Markdown."""
    kinds = (at.markdown, at.caption, at.header, at.subheader, at.title, at.warning, at.error)
    tables = [" ".join(map(str, [*t.value.columns, *t.value.to_numpy().ravel()])) for t in at.table]
    return "\n".join([str(one.value) for kind in kinds for one in kind] + tables)


def show(at: AppTest, view: str) -> AppTest:
    return at.segmented_control(key="compare_view").set_value(view).run()


def test_without_data_the_page_offers_to_choose_some(home) -> None:
    at = page()
    assert not at.exception
    assert "No data yet" in [one.value for one in at.subheader]


def test_without_answers_there_is_nothing_to_compare_and_one_button(home) -> None:
    version()
    at = page()
    assert not at.exception
    assert "Nothing to compare yet." in [one.value for one in at.subheader]
    assert "Run the baselines" in [one.label for one in at.button]


@pytest.mark.parametrize("task", ["regression", "classification", "qa"])
def test_every_view_shows_without_error(home, task: str) -> None:
    measured(task)
    at = page()
    assert not at.exception
    assert at.header[0].value.startswith("Not on this data") or at.header[0].value.startswith("Cannot tell")
    for view in VIEWS:
        show(at, view)
        assert not at.exception, view
        assert not at.error, view


def test_the_matrix_sets_the_best_in_bold(home) -> None:
    measured()
    at = page()
    table = at.table[0].value
    assert set(table.columns[1:]) == {"Random forest", "SmolLM2 fine\\-tuned", "Constant \\(median\\)"}
    assert table["Random forest"].iloc[0].startswith("**")
    assert not table["Constant \\(median\\)"].iloc[0].startswith("**")


def test_another_reference_redraws_all_differences(home) -> None:
    measured()
    at = page()
    before = at.table[0].value
    at.selectbox(key="compare_reference").set_value("e1").run()
    after = at.table[0].value
    assert not at.exception
    assert "reference" in " ".join(after["Random forest"])
    assert "reference" in " ".join(before["Constant \\(median\\)"])


def test_rows_can_be_narrowed_to_what_fails(home) -> None:
    measured()
    at = show(page(), "Rows")
    everyone = len(at.dataframe[0].value)
    at.segmented_control(key="compare_kind").set_value("Untuned right, tuned wrong").run()
    assert not at.exception
    assert len(at.dataframe[0].value) == 3
    assert everyone == 12
    at.text_input(key="compare_search").set_value("nothing says this").run()
    assert any("No row is left" in one.value for one in at.caption)


def test_fewer_models_and_metrics_can_be_shown(home) -> None:
    measured()
    at = page()
    at.multiselect(key="compare_models").set_value(["e1"]).run()
    at.multiselect(key="compare_metrics").set_value(["mae", "cost"]).run()
    assert not at.exception
    assert at.table[0].value.shape == (3, 2)


def test_answers_to_other_test_rows_are_refused_and_named(home) -> None:
    made = measured()
    evaluations.save(replace(made[1], id="other", title="Other rows", test_id="ffff", version="gone"))
    at = page()
    assert not at.exception
    assert "different test rows" in at.warning[0].value or any("different test rows" in str(one.proto) for one in at.warning)
    assert "Other rows" in at.warning[0].value
    assert "Answer the same rows" in [one.label for one in at.button]


def test_a_run_with_errors_gets_no_verdict(home) -> None:
    made = measured()
    lost = made[2].answers.assign(status="error")
    evaluations.save(replace(made[2], answers=lost.astype({"status": "str"})))
    at = page()
    assert not at.exception
    assert at.header[0].value.startswith("No verdict yet")


def test_korean_names_are_shown_as_they_are(home) -> None:
    measured(titles=("상수", "랜덤 포레스트", "스몰 fine-tuned"))
    at = page()
    for view in VIEWS:
        show(at, view)
        assert not at.exception
    assert "랜덤 포레스트" in everything(show(at, "Leaderboard"))


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_names_and_replies_are_never_rendered(home, view: str) -> None:
    measured(titles=(HOSTILE, HOSTILE + " 2", HOSTILE + " 3"))
    at = show(page(), view)
    assert not at.exception
    said = everything(at)
    for bad in ("![x](", "<script>", ":red[no]", "**b**", " $1 "):
        assert bad not in said


def test_a_selected_row_opens_with_every_raw_reply(home) -> None:
    from core.compare.leaderboard import leaderboard
    from core.compare.rows import answer_rows, pick

    board = leaderboard(measured())
    assert isinstance(answer_rows(board, "e2"), pd.DataFrame)
    assert len(pick(board, "All", ["e1"], search="EVIL.example")) == 12
    assert set(answer_rows(board, "e2")["raw"]) == {HOSTILE}


def test_rows_of_one_group_are_counted_as_belonging_together(home) -> None:
    one = version("regression")
    assert testing.groups(one) is None
    named = replace(one, roles=replace(one.roles, group="kind"))
    table = frame("regression")
    expected = table.loc[table["split"] == "test", "kind"].astype("str").tolist()
    assert testing.groups(named) == dict(enumerate(expected))


def test_a_split_that_came_with_the_file_is_compared_before_the_verdict(home) -> None:
    table = frame("regression")
    leaky = pd.concat([table, table[table["split"] == "test"].head(3).assign(split="train")], ignore_index=True)
    one = version("regression")
    made = store.save("Leaky", leaky, title="Import", roles=one.roles, task=one.task, prompt=one.prompt, source_hash="leaky")
    test = leaky[leaky["split"] == "test"].reset_index(drop=True)
    rows = examples(test, made.roles, "regression")
    truth = list(rows.targets or ())
    for title, family in (("Constant (median)", "trivial"), ("Random forest", "classical")):
        evaluations.save(evaluation(title, family, truth, [40.0] * len(truth), dataset=made.dataset, version=made.id, test_id=rows_id(rows),
                                    id=f"leaky-{family}"))  # fmt: skip
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    at.session_state["dataset"] = made.dataset
    at.switch_page("../pages/compare.py").run()
    assert not at.exception
    assert "Test rows stand in train" in everything(at)


def test_the_caption_says_what_close_enough_and_roughly_right_are() -> None:
    from ui.compare_board import within

    assert (within("hits", "usd"), within("hits_wide", "usd")) == ("within $40 or 20 %", "within $80 or 40 %")
    assert within("hits_wide", "number") == "within 80 or 40 %"
