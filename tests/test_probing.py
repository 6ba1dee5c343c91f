"""Time and memory of a local training: measured by a probe, by formula elsewhere, and what past estimates were worth."""

from __future__ import annotations

import pytest

from core.io import costing, embedded, files, jobs, lora, probing
from core.io.validating import check, of_rows
from core.validate.devices import DEVICES, Past, error_of, offers, seconds_on
from tests.tiny import tiny_model

ROWS = [
    {"messages": [{"role": "user", "content": f"who keeps lamp {i}"}, {"role": "assistant", "content": "Mira does."}]} for i in range(40)
]


@pytest.fixture
def tiny(home, tmp_path, monkeypatch):
    folder = tiny_model(tmp_path / "tiny")
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(folder))
    return folder


def test_a_probe_trains_for_real_and_remembers_the_rate(tiny):
    assert (probing.last(), embedded.remembered_rate()) == (None, None)
    made = check(of_rows(ROWS), model="embedded")
    guess = costing.local(made, 3)
    job = jobs.start("probe", {"length": 40}, title="Measuring this machine")
    assert job.state == "done"
    assert job.result is not None
    assert (job.result["steps"], job.result["length"]) == (probing.STEPS - 1, 40)
    assert embedded.remembered_rate() == job.result["tokens_per_second"] > 0
    found = probing.last()
    assert found is not None
    assert found["memory"] > 10 << 20
    row, _, measured = costing.local(made, 3)
    assert (guess[2], measured) == (False, True)
    assert row.seconds == pytest.approx(row.tokens / job.result["tokens_per_second"], rel=0.15)
    assert not (files.home() / "training.lock").read_text()


@pytest.mark.parametrize(("asked", "length"), [(None, 200), (3, 16), (10**9, 1024)])
def test_a_probes_rows_are_as_long_as_asked_within_reason(tiny, asked, length, monkeypatch):
    monkeypatch.setattr(probing, "ROWS", 1)
    monkeypatch.setattr(probing, "STEPS", 2)
    job = jobs.start("probe", {"length": asked}, title="Measuring this machine")
    assert job.result is not None
    assert job.result["length"] == length


def test_the_local_row_counts_with_the_models_own_template(tiny):
    hosted, own = check(of_rows(ROWS)), check(of_rows(ROWS), model="embedded")
    assert costing.local(hosted, 2)[0].billable == own.tokens.billable(costing.LOCAL_LIMIT)
    assert own.tokens.total.tolist() != hosted.tokens.total.tolist()


def test_other_devices_follow_the_formula():
    t4 = DEVICES[0]
    assert seconds_on(t4, 10_000_000, 10, 135_000_000) == pytest.approx(1e7 * 4 * 135e6 / (65e12 * 0.3))
    assert seconds_on(t4, 10, 1000, 135_000_000) == pytest.approx(100.0)
    found = offers(10**9, 100, 8 * 10**9, 30 * 10**9)
    assert [one.fits for one in found] == [False, False, True, True, True]
    assert found[0].seconds > found[1].seconds > found[2].seconds > found[3].seconds
    assert all(one.device.source for one in found)


def test_past_estimates_are_judged_by_what_the_runs_took():
    assert error_of([]) is None
    assert error_of([Past(10, 0), Past(0, 10)]) is None
    found = error_of([Past(12, 10, 110, 100), Past(8, 10), Past(30, 20, 90, 100)])
    assert found is not None
    assert (found.n, found.low, found.median, found.high, found.memory) == (3, 0.8, 1.2, 1.5, 1.0)


def test_a_finished_training_keeps_what_was_expected_of_it(tiny):
    from tests.doubles import version

    one = version("regression", 60)
    assert costing.past_error() is None
    settings = {"max_steps": 4, "batch": 2, "max_tokens": 64, "evaluate_every": 4, "validation_rows": 2}
    job = jobs.start(
        "finetune", {"dataset": one.dataset, "version": one.id, "settings": settings, "limit": 2}, title="Fine-tune", dataset=one.dataset
    )
    assert job.state == "done"
    (made,) = lora.adapters()
    assert made.estimate["seconds"] > 0
    found = costing.past_error()
    assert found is not None
    assert (found.n, found.median) == (1, pytest.approx(made.seconds / made.estimate["seconds"]))
