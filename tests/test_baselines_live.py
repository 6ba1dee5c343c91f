"""Baselines while they run: what a job tells row by row, and what the page shows of it in every task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from core.io import asking, evaluations, files, jobs, testing
from core.io.baselines import told_rows
from core.reply import Reply
from core.version import Version
from tests.doubles import version
from tests.test_baselines_page import HOSTILE, button, page, words
from ui import charts
from ui.baselines_curve import row_ticks
from ui.baselines_live import progress_line, time_left
from ui.baselines_people import keys

ID = "20990101-000000-abc"


def running(one: Version, figures: dict[str, Any], names: Sequence[str], done: int = 1) -> Any:
    """The folder of a job that is at work once its lock is held."""
    folder = files.folder("jobs", ID)
    request = {"dataset": one.dataset, "version": one.id, "names": list(names), "estimate": 9.0}
    files.write_json(folder / "request.json", {"kind": "baselines", "title": "Baselines", "dataset": one.dataset, "request": request,
                                               "created": "2099-01-01T00:00:00+00:00"})  # fmt: skip
    told = {"time": time.time() - 10, "done": 0, "total": len(names), "message": "Starting", "begin": True}
    files.append_line(folder / "progress.jsonl", told)
    files.append_line(folder / "progress.jsonl", {**told, "begin": False, "time": time.time(), "done": done, "message": "GPT, row 3 of 12",
                                                  "figures": figures})  # fmt: skip
    return folder


def working(rows: int, of: int = 12) -> dict[str, Any]:
    return {"title": f"GPT {HOSTILE}", "family": "prompted", "state": "working", "began": time.time() - 6, "share": rows / of,
            "value": 0.5, "low": 0.2, "high": 0.8, "n": rows}  # fmt: skip


@pytest.mark.parametrize(("task", "truths", "guesses"), [
    ("regression", [40.0, 55.0, 61.0], [41.0, None, 300.0]),
    ("classification", ["good", "bad", "좋음"], ["good", None, "fair"]),
    ("qa", ["good pump", "fine 의자", "x"], ["good pump", None, HOSTILE]),
])  # fmt: skip
def test_rows_are_shown_as_they_are_answered_with_word_and_shape(home, task: str, truths: list[Any], guesses: list[Any]) -> None:
    one = version(task)
    folder = running(
        one, {"majority": {"state": "failed", "title": "Bad", "reason": "no"}, "prompted": working(3)}, ["majority", "prompted"]
    )
    for truth, guess in zip(truths, guesses, strict=True):
        files.append_line(folder / "rows_prompted.jsonl", {"text": HOSTILE, "truth": truth, "guess": guess,
                                                           "status": "ok" if guess is not None else "unread", "raw": HOSTILE})  # fmt: skip
    with files.lock(folder / "lock"):
        at = page(one.dataset)
        assert not at.exception
        assert "3 of 12 rows answered" in words(at)
        assert "of all test rows" in words(at)
        assert "![x](" not in words(at)
        log = at.dataframe[-1].value
    assert log["Judged"].tolist()[-1] in ("● close", "● right")
    assert log["Judged"].tolist()[1] == "? unread"
    assert len(log) == 3


def test_a_predictor_that_is_done_shows_all_its_rows_while_the_next_is_at_work(home) -> None:
    one = version("regression")
    made = testing.run_predictor("bow_linear", None, one)
    figures = {"bow_linear": {"state": "done", "title": made.title, "family": "classical", "value": 3.0, "low": 2.0, "high": 4.0, "n": 12,
                              "evaluation": made.id},
               "forest": {"state": "working", "title": "Random forest", "family": "classical", "began": time.time()}}  # fmt: skip
    folder = running(one, figures, ["bow_linear", "forest", "svm"])
    with files.lock(folder / "lock"):
        at = page(one.dataset)
        assert not at.exception
        assert "12 of 12 rows answered" in words(at)
        evaluations.delete(made.id)
        at.run()
        assert not at.exception


def test_a_job_tells_every_row_once_and_a_second_try_begins_anew(home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_STUDIO_JOBS", "inline")
    one = version("regression", 200)
    asked: list[int] = []

    def language_model(*rest: Any) -> Any:
        def complete(requests: Sequence[Any], **how: Any) -> list[Reply]:
            asked.append(len(requests))
            return [Reply("Price is $20" if i % 5 else "no idea", 5, 2, 0.01, "stop") for i, _ in enumerate(requests)]

        return complete, {"model": "Talker"}

    monkeypatch.setattr(asking, "language_model", language_model)
    request = {"dataset": one.dataset, "version": one.id, "names": ["prompted"], "limit": 40}
    job = jobs.start("baselines", request, title="Baselines", dataset=one.dataset)
    assert job.state == "done", job.error
    lines = told_rows(job.folder, "prompted")
    made = evaluations.load(job.result["evaluations"][0])  # type: ignore[index]
    assert len(asked) > 1
    assert [line["truth"] for line in lines] == made.answers["truth"].tolist()
    assert {line["status"] for line in lines} == set(made.answers["status"].tolist())
    for name in ("finished.jsonl", "result.json"):
        (job.folder / name).unlink()
    assert jobs.resume(job.id).state == "done"
    assert len(told_rows(job.folder, "prompted")) <= len(lines)


def test_time_left_follows_the_rows_of_the_one_at_work_and_before_that_the_estimate(home) -> None:
    one = version("regression")
    running(one, {"prompted": working(3)}, ["prompted"], done=0)
    with files.lock(files.folder("jobs", ID) / "lock"):
        left = time_left(jobs.read(ID))
        assert left == pytest.approx(18, abs=5)
        assert "about" in progress_line(jobs.read(ID))
    files.append_line(files.folder("jobs", ID) / "progress.jsonl", {"time": time.time(), "done": 0, "total": 1, "message": "", "figures": {
        "prompted": {"state": "working", "began": time.time()}}})  # fmt: skip
    assert time_left(jobs.read(ID)) is None


def test_the_button_that_stops_is_there_while_it_runs_and_the_answer_is_not(home) -> None:
    one = version("regression")
    for name in ("constant_median", "bow_linear"):
        testing.run_predictor(name, None, one)
    folder = running(one, {}, ["forest"], done=0)
    with files.lock(folder / "lock"):
        at = page(one.dataset)
        assert button(at, "Stop")
        assert "to be worth using\\." not in words(at)


def test_the_keys_of_a_quiz_are_the_digits_themselves_where_labels_are_digits() -> None:
    assert keys(("1", "2", "5")) == ["1", "2", "5"]
    assert keys(("0", "1")) == ["0", "1"]
    assert keys(("bad", "1")) == ["1", "2"]


def test_the_axis_of_a_learning_curve_names_the_sizes_and_the_farthest_only() -> None:
    assert row_ticks((75, 178, 424), 1696) == [75, 178, 424, 1696]
    assert row_ticks((1, 2, 4, 8, 16, 32, 64), 64) == [1, 4, 16, 64]


def test_ticks_of_a_logarithmic_axis_are_few_and_within_it() -> None:
    for low, high in ((1.0, 999.0), (0.5, 3.0), (9.03, 86.0), (1e-3, 1e6), (5.0, 5.1)):
        places = charts.log_ticks(low, high)["tickvals"]
        assert 1 <= len(places) <= 7
        assert all(low * 0.99 <= place <= high * 1.01 for place in places)


def test_models_whose_long_names_begin_alike_stay_two_rows_of_the_ladder() -> None:
    titles = ["gpt-4o-mini-2024-07-18 grades fine-tuned", "gpt-4o-mini-2024-07-18 prompted"]
    fig = charts.ladder([charts.Rung(title, "tuned", 0.5, 0.4, 0.6) for title in titles], "share")
    assert len(set(fig.layout.yaxis.categoryarray)) == 2
