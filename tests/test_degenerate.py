"""Data at the edge of having a meaning: one row, one class, constant targets, strange prices, nothing read. A number or a sentence, never NaN."""

from __future__ import annotations

import json
import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.compare.frontier import frontier
from core.compare.leaderboard import leaderboard
from core.compare.matrix import lines
from core.compare.report import report
from core.compare.slices import slices
from core.compare.verdict import verdict
from core.errors import DataError
from core.evaluate.answers import Answers, confusion, make_answers
from core.evaluate.calibration import reliability
from core.evaluate.inside import JUDGEMENTS, by_category, judged, misses, residual_bins, worst_first
from core.evaluate.intervals import measure
from core.evaluate.metrics import applicable
from core.evaluate.paired import difference
from core.evaluate.power import more_rows
from core.io import evaluations, store, testing
from core.predict.registry import PREDICTORS
from core.prediction import Examples, examples
from core.task import TASKS, labels_of
from tests.boards import evaluation
from tests.doubles import ROOT
from tests.test_contracts import ROLES, fresh

NO_NUMBER = re.compile(r"(?<![\w./-])(nan|inf|infinity|-inf|<na>)(?![\w/-])", re.I)
NUMBERS: dict[str, tuple[list[Any], list[Any], tuple[float, float] | None]] = {
    "one row": ([5.0], [6.0], (1.0, 9.0)),
    "one unread row": ([5.0], [None], (1.0, 9.0)),
    "two rows": ([1.0, 2.0], [2.0, 1.0], (0.0, 3.0)),
    "constant target": ([5.0] * 12, [6.0] * 11 + [4.0], (5.0, 5.0)),
    "constant and right": ([5.0] * 12, [5.0] * 12, (5.0, 5.0)),
    "negative and zero prices": ([-3.0, 0.0, 0.0, 2.0, -1.0], [0.0, -2.0, 1.0, 2.0, None], (-3.0, 2.0)),
    "zero prices": ([0.0] * 6, [0.0, 1.0, 2.0, 0.0, 0.0, None], (0.0, 0.0)),
    "nothing read": ([1.0, 2.0, 3.0], [None] * 3, (1.0, 3.0)),
    "nothing read, no train range": ([1.0, 2.0, 3.0], [None] * 3, None),
}
LABELS: dict[str, tuple[list[Any], list[Any], tuple[str, ...]]] = {
    "one row": (["a"], ["a"], ("a",)),
    "one wrong row": (["a"], ["b"], ("a", "b")),
    "one class": (["a"] * 9, ["a"] * 9, ("a",)),
    "one class, nothing read": (["a"] * 9, [None] * 9, ("a",)),
    "a label only in test": (["a", "b", "c"], ["a", "a", "a"], ("a", "b", "c")),
    "a label nobody declared": (["a", "b", "c"], ["a", "a", "a"], ("a", "b")),
    "nothing read": (["1", "2", "3"], [None] * 3, ("1", "2", "3")),
    "one star wrong": (["5"], ["1"], tuple("12345")),
    "constant stars": (["5"] * 8, ["5"] * 8, tuple("12345")),
    "constant guess": (["5", "4", "3"] * 5, ["5"] * 15, tuple("12345")),
    "empty guesses": (["a", "b"], ["", None], ("a", "b")),
}
TEXTS: dict[str, tuple[list[Any], list[Any], tuple[()]]] = {
    "empty texts": (["", "", "a"], ["", "x", ""], ()),
    "one row": (["Paris"], ["paris"], ()),
    "nothing read": (["a", "b"], [None, None], ()),
    "marks only": (["!!!"], ["???"], ()),
    "no accepted answer": ([()], ["a"], ()),
    "several answers": ([("a", "b"), ()], ["b and a", None], ()),
    "empty JSON": (["{}", "[]"], ["{}", "no"], ()),
}
CASES = [
    (task, name, case)
    for task, table in {"regression": NUMBERS, "classification": LABELS, "qa": TEXTS, "chat": TEXTS}.items()
    for name, case in table.items()
]
every_case = pytest.mark.parametrize(("task", "name", "case"), CASES, ids=[f"{task}-{name}" for task, name, _ in CASES])


def made(task: str, case: tuple[list[Any], list[Any], Any]) -> list[Answers]:
    """The answers of a case; of labels once more with probabilities."""
    truth, guess, more = case
    how = {"regression": {"target_range": more}, "classification": {"labels": more}}.get(task, {})
    bare = make_answers(task, truth, guess, **how)
    if task != "classification":
        return [bare]
    return [bare, replace(bare, probabilities=np.full((bare.n, len(more)), 1 / len(more)))]


def test_every_metric_meets_every_case() -> None:
    met = {name for task, _, case in CASES for answers in made(task, case) for name in applicable(answers)}
    assert met >= {name for task in TASKS.values() for name in task.metrics}


@every_case
def test_every_metric_is_a_number_with_an_interval_or_says_why_not(task: str, name: str, case: Any) -> None:
    for answers in made(task, case):
        for groups in (None, np.zeros(answers.n, dtype=int), np.arange(answers.n) // 2):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = measure(answers, [*applicable(answers), "coverage"], groups=groups, count=200)
            for metric, one in found.items():
                json.dumps(one.to_dict(), allow_nan=False)
                assert one.note or math.isfinite(one.value), f"{metric} is not defined and does not say why"
                assert one.note or math.isfinite(one.low), f"{metric} has no interval and does not say why"
                assert math.isnan(one.low) or one.low - 1e-9 <= one.value <= one.high + 1e-9, metric


@every_case
def test_a_comparison_with_itself_is_no_difference_even_at_the_edge(task: str, name: str, case: Any) -> None:
    for answers in made(task, case):
        for metric in applicable(answers):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                seen = difference(metric, answers, answers, count=200)
            assert seen.p == 1
            assert not seen.value or math.isnan(seen.value)
            assert more_rows(seen) is None


@every_case
def test_every_view_of_a_model_can_be_drawn(task: str, name: str, case: Any) -> None:
    for answers in made(task, case):
        assert set(judged(answers)) <= set(JUDGEMENTS)
        assert sorted(worst_first(answers)) == list(range(answers.n))
        assert len(misses(answers)) == answers.n
        edges, counts = residual_bins(answers)
        assert np.isfinite(edges).all()
        assert len(edges) == len(counts) + 1
        assert sum(part.measured.n for part in by_category(answers, ["x"] * answers.n)) <= answers.n
        if task == "classification":
            assert confusion(answers)[1].sum() <= answers.n
            sure = reliability(answers)
            assert sure is None or not NO_NUMBER.search(sure.sentence)


def board_of(task: str, case: tuple[list[Any], list[Any], Any]) -> Any:
    truth, guess, more = case
    truth = ["" if isinstance(one, tuple) else one for one in truth]
    how = {"regression": {"target_range": more}, "classification": {"labels": more}}.get(task, {})
    other = list(reversed(guess))
    constant = [truth[0]] * len(truth)
    found = [evaluation(title, family, truth, said, task=task, **how)
             for title, family, said in (("Tuned", "tuned", guess), ("Forest", "classical", other), ("Constant", "trivial", constant))]  # fmt: skip
    return leaderboard(found, unit="usd" if task == "regression" else "number", resamples=200)


@every_case
def test_no_sentence_table_or_report_says_nan(task: str, name: str, case: Any) -> None:
    board = board_of(task, case)
    told = verdict(board)
    cells = [text for line in lines(board) for cell in line.cells for text in (cell.text, cell.soft)]
    parts = slices(board, board.best.id, {int(place): "all" for place in board.index}, reference=board.reference)
    assert frontier(board)
    assert sum(part.n for part in parts) == board.n
    for text in (told.headline, told.text, *cells, report(board, told)):
        assert not NO_NUMBER.search(re.sub(r"<[^>]*>", " ", text)), text[:300]


TABLES: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "constant target": ("regression", {"text": [f"thing {i}" for i in range(40)], "answer": [7.0] * 40}),
    "negative and zero prices": (
        "regression",
        {"text": [f"thing {i}" for i in range(40)], "answer": [float(i % 5 - 2) for i in range(40)]},
    ),
    "zero prices": ("regression", {"text": [f"thing {i}" for i in range(40)], "answer": [0.0] * 40}),
    "prices down to minus one": ("regression", {"text": [f"thing {i}" for i in range(60)], "answer": [float(i - 1) for i in range(60)]}),
    "empty texts": ("regression", {"text": [""] * 40, "answer": [float(i) for i in range(40)]}),
    "a label only in test": ("classification", {"text": [f"thing {i}" for i in range(40)], "answer": ["a", "b"] * 19 + ["c", "d"]}),
    "one rare label": ("classification", {"text": [f"thing {i}" for i in range(40)], "answer": ["a"] * 10 + ["b"] + ["a"] * 29}),
    "labels without texts": ("classification", {"text": [""] * 40, "answer": ["a", "b"] * 20}),
    "empty questions": ("qa", {"text": [""] * 20, "answer": ["Paris", "Rome"] * 10}),
}


def table(name: str) -> tuple[str, pd.DataFrame]:
    task, columns = TABLES[name]
    rows = len(columns["text"])
    split = ["train"] * (rows - 4) + ["test"] * 4
    return task, pd.DataFrame({**columns, "kind": ["x"] * rows, "split": split})


def parts(name: str) -> tuple[Examples, Examples]:
    task, frame = table(name)
    train, test = (frame.loc[frame["split"] == split].reset_index(drop=True) for split in ("train", "test"))
    known = examples(train, ROLES, task)
    return known, examples(test, ROLES, task, known.labels)


@pytest.mark.parametrize(
    ("predictor", "name"), [(p, n) for n, (task, _) in TABLES.items() for p, e in PREDICTORS.items() if task in e.tasks]
)
def test_every_predictor_answers_every_table_with_something_that_can_be_measured(predictor: str, name: str) -> None:
    train, test = parts(name)
    try:
        found = fresh(predictor, train.task).fit(train).predict(test.without_targets())
    except DataError as error:
        assert error.title
        assert str(error).endswith((".", "?"))
        return
    assert len(found) == len(test)
    assert all(one.value is None or train.task != "regression" or math.isfinite(float(one.value)) for one in found)
    assert all(one.probabilities is None or np.isfinite(one.probabilities).all() for one in found)
    labels = labels_of([*(train.targets or ()), *(test.targets or ())]) if train.task == "classification" else ()
    answers = make_answers(train.task, test.targets or (), [one.value for one in found], labels=labels)
    for metric, one in measure(answers, count=100).items():
        assert one.note or math.isfinite(one.value), metric


@pytest.mark.parametrize("name", TABLES)
def test_the_command_line_writes_no_nan(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task, frame = table(name)
    for split in ("train", "test"):
        frame[frame["split"] == split].to_csv(tmp_path / f"{split}.csv", index=False)
    cheap = [one for one in ("constant_median", "majority", "bow_linear", "neighbours") if task in PREDICTORS[one].tasks]
    asked = ["baselines", str(tmp_path / "train.csv"), str(tmp_path / "test.csv"), "--text", "text", "--target", "answer", "--task", task,
             "--only", ",".join(cheap), "--out", str(tmp_path / "out")]  # fmt: skip
    for more in ([], ["--json"]):
        code = main([*asked, *more])
        out = capsys.readouterr().out
        assert code in (0, 1)
        assert not NO_NUMBER.search(out), out
        if code == 0 and more:
            json.loads(out)
    if code == 0:
        predictions = tmp_path / "out" / "predictions.csv"
        assert not NO_NUMBER.search(predictions.read_text())
        assert main(["compare", str(predictions), "--task", task, "--out", str(tmp_path / "compared"), "--json"]) == 0
        assert not NO_NUMBER.search(capsys.readouterr().out)
        assert not any(NO_NUMBER.search((tmp_path / "compared" / file).read_text()) for file in ("table.csv", "pairs.csv"))


def test_scoring_answers_of_which_none_can_be_read_gives_the_worst_and_no_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"index": [0, 1, 2], "truth": [5.0, 5.0, 5.0]}).to_csv(tmp_path / "gold.csv", index=False)
    pd.DataFrame({"index": [0, 1, 2], "raw": ["no idea", "", "between 3 and 9"]}).to_csv(tmp_path / "said.csv", index=False)
    for more in ([], ["--json"]):
        assert main(["score", str(tmp_path / "said.csv"), str(tmp_path / "gold.csv"), "--task", "regression", *more]) == 0
        out = capsys.readouterr().out
        assert not NO_NUMBER.search(out)
    assert json.loads(out)["coverage"] == 0


VIEWS = {
    "baselines": ("Guess and truth", "Residuals", "Confusion", "How sure", "By category", "What it looks at", "Worst rows"),
    "compare": ("Leaderboard", "Rows", "Slices", "Cost and quality"),
}
PAGES = ("constant target", "negative and zero prices", "zero prices", "a label only in test", "labels without texts", "empty questions")


def said_on(at: AppTest) -> str:
    """Everything the page says in words, tables of figures included; data itself stands in st.dataframe, which shows a gap for none."""
    kinds = (at.markdown, at.caption, at.header, at.subheader, at.title, at.warning, at.error, at.metric)
    tables = [" ".join(map(str, [*one.value.columns, *one.value.to_numpy().ravel()])) for one in at.table]
    figures = [str(one.proto.spec) + str(one.proto.alt) for one in at.get("plotly_chart")]  # type: ignore[attr-defined]
    return "\n".join([str(one.value) for kind in kinds for one in kind] + tables + figures)


@pytest.mark.parametrize(("name", "read"), [(name, True) for name in PAGES] + [(PAGES[1], False), (PAGES[3], False)])
def test_no_page_shows_nan(home: Path, name: str, read: bool) -> None:
    task, frame = table(name)
    one = store.save("Edge", frame, title="Import", roles=ROLES, task=task, source_hash=name)
    for predictor in ("constant_median", "majority", "bow_linear"):
        if task in PREDICTORS[predictor].tasks:
            found = testing.run_predictor(predictor, None, one)
            if not read:
                lost = found.answers.assign(status="unread", guess=None).astype({"guess": found.answers["guess"].dtype})
                evaluations.save(replace(found, answers=lost.drop(columns="probabilities", errors="ignore")))
    for page, views in VIEWS.items():
        at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
        at.query_params["dataset"] = one.dataset
        at.switch_page(f"../pages/{page}.py").run()
        assert not at.exception
        assert not NO_NUMBER.search(said_on(at))
        assert at.get("plotly_chart"), "the figures are among what is read"
        control = at.segmented_control(key=f"{page}_view")
        for view in [view for view in views if view in control.options]:
            at.segmented_control(key=f"{page}_view").set_value(view).run()
            assert not at.exception, view
            assert not NO_NUMBER.search(said_on(at)), view
