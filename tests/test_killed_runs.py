"""kill -9 at ten moments of a run, then resume: the same result, and hardly anything paid twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.augment.presets import AugmentSettings
from core.io import augmenting, children, files, jobs, judging, store, written
from core.version import Version
from tests import killing
from tests.killing import Moment
from tests.loopback import Loopback
from tests.test_augmenting import SETTINGS, asked_for, key_of, saved

PARALLEL = 4
MOMENTS = [
    Moment("replies.jsonl", 1, "before"), Moment("replies.jsonl", 5, "middle"), Moment("replies.jsonl", 13), Moment("replies.jsonl", 20),
    Moment("cache", 1, "before"), Moment("cache", 7, "middle"), Moment("cache", 12), Moment("progress.jsonl", 4),
    Moment("request", 9), Moment("result.json", 1, "before"),
]  # fmt: skip


def outcome(version: Version, job: jobs.Job, settings: AugmentSettings = SETTINGS) -> dict[str, Any]:
    """Everything of a run that has to be the same."""
    judged, card = augmenting.review(version, settings, job.folder)
    passed = judged[judged["gate"] == ""]
    made = children.save(version, passed, settings, judging_writer(job), rejected=card.rejected, usd=1.0)
    replies = {line["key"]: line["reply"]["text"] for line in written.lines(job.folder) if "reply" in line}
    kept = store.frame(made).drop(columns="written_at")
    return {"result": job.result, "judged": judged.to_dict(), "replies": replies, "version": made.id, "rows": kept.astype("str").to_dict()}


def judging_writer(job: jobs.Job) -> augmenting.Writer:
    """The writer without its port, which differs from server to server."""
    return augmenting.Writer("compatible", job.request["writer"]["model"])


def prepared(version: Version, server: Loopback, settings: AugmentSettings, monkeypatch: pytest.MonkeyPatch) -> jobs.Job:
    """The job's folder, not started."""
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_launch", lambda folder, environment: None)
        return jobs.start(
            "augment", asked_for(version, server, settings=settings, parallel=PARALLEL), title="Write", dataset=version.dataset
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of a run that nothing interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINETUNE_STUDIO_HOME", str(tmp_path_factory.mktemp("whole") / "studio"))
        version = saved()
        with Loopback() as server:
            job = prepared(version, server, SETTINGS, patch)
            assert killing.run(job.folder, key_of(server)) == 0
            assert len(server.asked) == 20
            return outcome(version, jobs.read(job.id))


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_run_killed_at_any_moment_ends_as_if_nothing_had_happened(
    moment: Moment, whole: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = saved()
    with Loopback() as server:
        job = prepared(version, server, SETTINGS, monkeypatch)
        assert killing.run(job.folder, key_of(server), moment) == -9
        assert jobs.read(job.id).state == "interrupted"
        assert not (job.folder / "result.json").exists()
        assert killing.run(job.folder, key_of(server)) == 0
        assert len(server.asked) <= 20 + PARALLEL
    assert outcome(version, jobs.read(job.id)) == whole


def test_a_chained_run_killed_between_its_two_requests_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = AugmentSettings("text", "translate", variants=2)
    version = saved(12)
    with Loopback() as server:
        job = prepared(version, server, settings, monkeypatch)
        assert killing.run(job.folder, key_of(server), Moment("replies.jsonl", 10)) == -9
        assert len(files.read_lines(job.folder / "replies.jsonl")) == 10
        assert killing.run(job.folder, key_of(server)) == 0
        assert 16 <= len(server.asked) <= 16 + PARALLEL
        seconds = [body for body in server.asked if "back into" in str(body["messages"]) or "1. " in body["messages"][-1]["content"]]
        assert seconds
    assert len(judging.replies_in(job.folder, judging.asks(version, settings))) == 16
