"""The learning curve of a baseline: really measured on nested rows, resumed, and shown on the page with what it may say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import SettingsError
from core.evaluate.curve import curve
from core.io import curves, files, jobs, testing
from tests.doubles import version
from tests.test_baselines_page import button, labels, page, words
from ui.baselines_curve import figure, sentence


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    monkeypatch.setenv("FINETUNE_STUDIO_JOBS", "inline")


def request(made: Any, **more: Any) -> dict[str, Any]:
    return {"dataset": made.dataset, "version": made.id, "name": "tfidf_linear", "settings": {}, **more}


def test_a_curve_is_measured_at_every_size_and_seed_and_its_end_is_the_leaderboards_value(home) -> None:
    made = version("regression", 200)
    job = jobs.start("curve", request(made), title="Curve", dataset=made.dataset)
    assert job.state == "done", job.error
    found = curves.load(made, "tfidf_linear")
    assert found is not None
    seen, kept = found
    assert seen.sizes[0] == 20
    assert seen.sizes[-1] == made.splits["train"]
    assert seen.values.shape == (3, len(seen.sizes))
    assert np.isfinite(seen.values).all()
    whole = testing.run_predictor("tfidf_linear", {}, made)
    from core.evaluate.answers import answers_of
    from core.evaluate.metrics import value_of

    assert seen.values[0, -1] == pytest.approx(value_of("mae", answers_of(whole)))
    assert kept["test_rows"] == made.splits["test"]


def test_a_stopped_curve_goes_on_where_it_was(home, monkeypatch) -> None:
    made = version("regression", 200)
    job = jobs.start("curve", request(made), title="Curve", dataset=made.dataset)
    folder = files.folder("jobs") / job.id
    points = files.read_lines(folder / "points.jsonl")
    assert len(points) == 3 * len({point["size"] for point in points})
    (folder / "points.jsonl").write_text("".join(f"{files.json.dumps(point)}\n" for point in points[:4]))
    (folder / "result.json").unlink()
    trained, measure = [], curves.measure
    monkeypatch.setattr(curves, "measure", lambda *rest: trained.append(1) or measure(*rest))
    assert jobs.resume(job.id).state == "done"
    assert len(trained) == len(points) - 4
    assert files.read_lines(folder / "points.jsonl") == points


def test_a_prompted_model_has_no_curve(home) -> None:
    made = version("regression", 200)
    with pytest.raises(SettingsError, match="learns nothing from more rows"):
        curves.run_curve(request(made, name="prompted"), desk=None)  # type: ignore[arg-type]


def test_the_page_offers_the_curve_and_shows_it_with_its_sentence(home) -> None:
    made = version("regression", 200)
    testing.run_predictor("tfidf_linear", {}, made)
    at = page(made.dataset)
    at.session_state["baselines_view"] = "More rows"
    at.run()
    assert not at.exception
    assert "Would more training rows help?" in words(at)
    button(at, "Measure the learning curve").click().run()
    assert not at.exception
    assert "Measure the learning curve" not in labels(at)
    told = words(at)
    assert "No curve is drawn" in told or "Nothing is said beyond that" in told


def test_too_few_rows_are_said_before_anything_starts(home) -> None:
    made = version("regression", 60)
    testing.run_predictor("tfidf_linear", {}, made)
    at = page(made.dataset)
    at.session_state["baselines_view"] = "More rows"
    at.run()
    assert "36 training rows; a learning curve needs at least 40" in words(at)
    assert "Measure the learning curve" not in labels(at)


SIZES = (100, 200, 400, 800)


def test_the_sentence_never_goes_beyond_four_times_the_rows() -> None:
    seen = curve(SIZES, np.tile(10 + 200 * np.array(SIZES, dtype=float) ** -0.5, (3, 1)), lower_is_better=True)
    told = sentence(seen, "usd", "Average miss")
    assert "With 4 times the rows (3,200)" in told
    assert "Half of that gain" in told
    assert max(max(trace.x) for trace in figure(seen, "usd").data) == pytest.approx(3200)


def test_a_curve_that_fits_badly_is_told_and_not_drawn() -> None:
    seen = curve(SIZES, np.tile([14.0, 10.0, 14.0, 10.0], (3, 1)), lower_is_better=True)
    assert "No curve is drawn: it fits badly" in sentence(seen, "usd", "Average miss")
    assert len(figure(seen, "usd").data) == 1
