"""The Baselines page in every state a person can bring it to."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import DataError
from core.evaluate.answers import make_answers
from core.evaluate.hits import COURSE, Rule, constant_guess, scaled
from core.evaluate.inside import by_category, judged, residual_bins, worst_first
from core.io import evaluations, files, jobs, people, store, testing
from core.predict.trees import Forest
from core.version import Roles, Version
from tests.doubles import ROOT, frame, version

HOSTILE = "![x](http://evil.example/a.png) <script>alert(1)</script> **b** $1 and $2 :red[no]"


def page(dataset: str | None = None) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    if dataset:
        at.query_params["dataset"] = dataset
    return at.switch_page("../pages/baselines.py").run()


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def labels(at: AppTest) -> list[str]:
    return [one.label for one in at.button]


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.header, at.subheader, at.title, at.error)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def test_without_data_the_page_offers_to_choose_some(home) -> None:
    at = page()
    assert not at.exception
    assert "Choose data" in labels(at)


def test_without_a_target_it_leads_to_explore(home) -> None:
    at = page(version("regression", target=False).dataset)
    assert not at.exception
    assert "Nothing to predict yet" in words(at)
    assert "Choose what to predict" in labels(at)


def test_without_test_rows_it_offers_the_split(home) -> None:
    at = page(version("regression", split=False).dataset)
    assert not at.exception
    assert "No test rows yet" in words(at)
    assert "Split version 1" in labels(at)


def test_a_target_that_cannot_be_read_says_in_which_rows_and_leads_to_curate(home) -> None:
    table = frame("regression").assign(answer=lambda t: t["answer"].astype(str).where(t.index != 4, "ask me"))
    bad = store.save(
        "Bad", table, title="Import", roles=Roles(text=("text",), target="answer", split="split"), task="regression", source_hash="b"
    )
    at = page(bad.dataset)
    assert not at.exception
    assert "rows 5" in words(at)
    assert "Parse it in Curate" in labels(at)
    assert button(at, "Run baselines").disabled


def test_one_class_in_train_is_a_reason_and_the_button_is_off(home) -> None:
    table = frame("classification").assign(answer=lambda t: t["answer"].where(t["split"] != "train", "good"))
    one = store.save(
        "One", table, title="Import", roles=Roles(text=("text",), target="answer", split="split"), task="classification", source_hash="o"
    )
    at = page(one.dataset)
    assert not at.exception
    assert "Only one class in train" in words(at)
    assert button(at, "Run 8 baselines").disabled


VIEWS = {
    "regression": ("Guess and truth", "Residuals", "By category", "What it looks at", "Worst rows", "More rows"),
    "classification": ("Confusion", "How sure", "By category", "What it looks at", "Worst rows", "More rows"),
    "qa": ("Worst rows", "By category", "More rows"),
}


@pytest.mark.parametrize("task", ["regression", "classification", "qa"])
def test_the_main_button_measures_and_every_view_opens(home, task: str) -> None:
    one = version(task)
    at = page(one.dataset)
    for pills in at.pills:
        if "prompted" in str(pills.key):
            pills.set_value([]).run()
    label = next(text for text in labels(at) if text.startswith("Run"))
    button(at, label).click().run()
    assert not at.exception
    made = evaluations.of(one.dataset)
    assert f"Run {len(made)} baselines" == label
    assert at.header
    assert list(at.segmented_control(key="baselines_view").options) == list(VIEWS[task])
    for view in VIEWS[task]:
        at.segmented_control(key="baselines_view").set_value(view).run()
        assert not at.exception, view


def measured(task: str = "regression", *names: str) -> Version:
    one = version(task)
    for name in names or ("constant_median", "bow_linear"):
        testing.run_predictor(name, None, one)
    return one


def test_another_metric_and_another_model_can_be_chosen(home) -> None:
    one = measured()
    at = page(one.dataset)
    assert [h.value for h in at.header][-1:] == ["Bag of words \\+ linear"]
    at.radio(key="baselines_other").set_value(evaluations.of(one.dataset)[0].id).run()
    assert [h.value for h in at.header][-1:] == ["Constant \\(median\\)"]
    at.selectbox(key="baselines_metric").set_value("rmse").run()
    assert not at.exception
    assert "Root mean square miss" in [h.value for h in at.subheader]


def test_the_answer_stands_above_the_ladder_with_both_numbers(home) -> None:
    at = page(measured("regression", "constant_median", "bow_linear").dataset)
    assert at.header[0].value == "A language model has to beat bag of words with a linear model to be worth using\\."
    assert "paired on 12 rows" in words(at)
    assert "12 test rows are few" in words(at)


def test_the_pills_of_judgement_filter_the_rows(home) -> None:
    at = page(measured("regression", "constant_median").dataset)
    at.pills(key="baselines_judged").set_value(["far off"]).run()
    assert not at.exception
    shown = next(text.value for text in at.caption if text.value.endswith("of 12 rows"))
    assert int(shown.split()[0]) < 12


def test_beside_the_hit_rate_stands_the_constants_and_the_courses_rule_is_chosen_by_name(home) -> None:
    at = page(measured("regression", "constant_median", "bow_linear").dataset)
    assert "7 of 12 close, a constant 5 of 12" in words(at)
    at.selectbox(key="baselines_rule").set_value("course").run()
    assert not at.exception
    assert "12 of 12 close, a constant 12 of 12" in words(at)


def test_after_a_run_the_button_adds_predictors_and_opens_the_settings(home) -> None:
    one = measured(
        "regression",
        *["constant_median", "features_linear", "bow_linear", "tfidf_linear", "word2vec_linear", "svm", "forest", "neighbours"],
    )
    at = page(one.dataset)
    button(at, "Add predictors").click().run()
    assert at.session_state["baselines_settings"] is True
    classical = next(p for p in at.pills if "classical" in str(p.key))
    classical.set_value(["boosting"]).run()
    button(at, "Run 1 baseline").click().run()
    assert not at.exception
    assert evaluations.of(one.dataset)[-1].predictor == "boosting"


def test_a_version_of_another_task_shows_its_own_view_whatever_was_open(home) -> None:
    measured("regression", "constant_median")
    other = version("classification", label="Labels")
    testing.run_predictor("majority", None, other)
    at = page("things")
    at.segmented_control(key="baselines_view").set_value("Residuals").run()
    at.selectbox(key="dataset").set_value(other.dataset).run()
    assert not at.exception
    assert at.segmented_control(key="baselines_view").value == "Confusion"


def test_a_predictor_that_fails_is_a_line_with_its_reason(home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, train: Any) -> Any:
        raise DataError(HOSTILE, title="No forest")

    monkeypatch.setattr(Forest, "fit", broken)
    one = version("regression")
    at = page(one.dataset)
    button(at, "Run 8 baselines").click().run()
    assert not at.exception
    assert "No forest" in words(at)
    assert "![x](" not in words(at)
    assert len(evaluations.of(one.dataset)) == 7


def test_while_a_job_runs_the_bar_stops_it(home) -> None:
    one = measured()
    folder = files.folder("jobs", "20990101-000000-abc")
    request = {"dataset": one.dataset, "version": one.id, "names": ["forest", "svm"], "estimate": 9.0}
    files.write_json(folder / "request.json", {"kind": "baselines", "title": "2 baselines", "dataset": one.dataset, "request": request,
                                               "created": "2099-01-01T00:00:00+00:00"})  # fmt: skip
    figure = {"forest": {"title": "Random forest", "family": "classical", "state": "done", "value": 9.0, "low": 8.0, "high": 10.0, "n": 12}}
    files.append_line(
        folder / "progress.jsonl", {"time": 1.0, "done": 1, "total": 2, "message": "Linear SVM", "begin": True, "figures": figure}
    )
    with files.lock(folder / "lock"):
        at = page(one.dataset)
        assert not at.exception
        assert "2 predictors" in words(at)
        assert not [b for b in at.button if b.label.startswith("Run")]
        at.button(key="baselines_stop").click().run()
        assert (folder / "cancelled").exists()
    at = page(one.dataset)
    assert "The last run was stopped" in words(at)
    assert jobs.read("20990101-000000-abc").state == "cancelled"


def test_hostile_text_is_shown_as_text(home) -> None:
    table = frame("classification").assign(text=lambda t: HOSTILE + t["text"], kind=HOSTILE)
    table["answer"] = [HOSTILE if i % 2 else ":blue[x]" for i in range(len(table))]
    roles = Roles(text=("text",), target="answer", category="kind", split="split")
    one = store.save(HOSTILE, table, title=HOSTILE, roles=roles, task="classification", source_hash="h")
    testing.run_predictor("svm", None, one, title=HOSTILE)
    at = page(one.dataset)
    for view in VIEWS["classification"]:
        at.segmented_control(key="baselines_view").set_value(view).run()
        assert not at.exception
        assert "![x](" not in words(at)
        assert "<script>" not in words(at)


def test_close_is_strictly_within_forty_dollars_or_a_fifth() -> None:
    answers = make_answers("regression", [100.0, 100.0, 1000.0, 10.0, 50.0], [139.9, 140.0, 1199.0, 200.0, None])
    assert judged(answers, COURSE).tolist() == ["close", "off", "close", "far off", "unread"]
    assert worst_first(answers, COURSE) == [4, 2, 3, 1, 0]


def test_the_scaled_rule_is_a_fifth_or_a_quarter_of_the_median_absolute_deviation() -> None:
    truths = [10.0, 20.0, 30.0, 40.0, 1000.0]  # median 30, deviations 20 10 0 10 970: median 10
    assert scaled(truths) == Rule("scaled", 2.5, 0.2)
    answers = make_answers("regression", truths, [12.4, 24.0, 36.0, 56.1, 1199.0])
    assert judged(answers).tolist() == ["close", "off", "off", "far off", "close"]


def test_where_truths_do_not_vary_the_rule_is_a_share_and_an_exact_answer_is_close() -> None:
    assert scaled([0.0, 0.0]).close == 0
    assert judged(make_answers("regression", [0.0, 0.0, 5.0], [0.0, 0.1, 5.9])).tolist() == ["close", "far off", "close"]
    assert scaled([]).close == 0


def test_a_constant_says_the_median_or_the_most_frequent_label() -> None:
    assert constant_guess("regression", [1.0, 2.0, 9.0]) == 2.0
    assert constant_guess("classification", ["b", "a", "a", "b"]) == "a"
    assert constant_guess("qa", []) is None


def test_categories_come_by_frequency_and_residuals_keep_every_row() -> None:
    answers = make_answers("regression", [1.0] * 5, [2.0, 3.0, 1.0, 500.0, 1.0])
    parts = by_category(answers, ["b", "a", "a", "a", "b"])
    assert [(p.name, p.measured.n) for p in parts] == [("a", 3), ("b", 2)]
    assert parts[1].measured.value == 0.5
    assert sum(residual_bins(answers)[1]) == 5


def test_a_person_answers_a_few_rows_and_joins_the_ladder(home) -> None:
    one = measured("classification", "majority")
    at = page(one.dataset)
    at.button(key="baselines_quiz_start").click().run()
    for _ in range(5):
        next(b for b in at.button if str(b.key).startswith("baselines_answer")).click().run()
        assert not at.exception
    made = next(e for e in evaluations.of(one.dataset) if e.title == "You")
    assert (made.n, made.family) == (5, "people")
    assert [h.value for h in at.header][-1:] == ["You"]


def test_recorded_answers_are_joined_by_their_place_and_refused_when_the_truths_differ(home) -> None:
    one = measured("regression", "constant_median")
    truth = evaluations.of(one.dataset)[0].answers["truth"].tolist()
    table = pd.DataFrame({"index": [2, 0], "guess": ["12.5", "no"], "truth": [truth[2], truth[0]]})
    (made,) = people.save_recorded(one, table, "mine.csv")
    assert made.answers["index"].tolist() == [0, 2]
    assert made.answers["status"].tolist() == ["unread", "ok"]
    assert made.test_id == evaluations.of(one.dataset)[0].test_id
    with pytest.raises(DataError, match="other test rows"):
        people.save_recorded(one, table.assign(truth=[1.0, 2.0]), "mine.csv")
    with pytest.raises(DataError, match="places 0 to 11"):
        people.save_recorded(one, table.assign(index=[2, 99]), "mine.csv")
