"""Fine-tune at a host, on the page, against the platform's double: every state, every button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.format import cost
from core.io import evaluations, files, hosted, jobs, pricing
from core.io.providers.addresses import COMPATIBLE_KEY, COMPATIBLE_URL, for_child
from core.version import Version
from tests import doubles
from tests.platform import KEY, Platform
from tests.test_hosted_job import BASE, RATES, asked, watched

PAGE = "../pages/finetune.py"


@pytest.fixture
def platform(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with Platform() as one:
        one.jobs.per_look = 8
        monkeypatch.setenv(COMPATIBLE_URL, one.url)
        monkeypatch.setenv(COMPATIBLE_KEY, KEY)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        monkeypatch.setattr("core.io.hosted.job._waiting", lambda desk: lambda seconds: None)
        yield one


def opened(version: Version, page: str = PAGE, **session: Any) -> AppTest:
    at = AppTest.from_file(str(doubles.ROOT / "ui" / "frame.py"), default_timeout=180).switch_page(page)
    at.session_state["dataset"], at.session_state["version"] = version.dataset, version.id
    for key, value in {"finetune_engine": "Provider", **session}.items():
        at.session_state[key] = value
    return standing(at.run())


def standing(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.subheader, *at.error, *at.code, *at.metric]
    return "\n".join([*(str(one.value) for one in shown), *(one.label for one in at.button)]).replace("\\", "").replace("\u2060", "")


def ran(version: Version, server: Platform, **more: Any) -> jobs.Job:
    request = asked(version, server, **more)
    return jobs.start("hosted", request, title="Fine-tune at a host", dataset=version.dataset, environment=for_child(server.url, KEY))


def shown(version: Version, job: jobs.Job) -> AppTest:
    return opened(version, finetune_view="Current run", finetune_job=job.id)


def test_a_run_is_chosen_priced_started_and_measured(platform: Platform) -> None:
    pricing.save([RATES])
    version = doubles.version("classification", 90)
    at = opened(version)
    assert "OpenAI stops creating fine-tuning jobs" in words(at)
    assert at.button(key="hosted_start").disabled
    standing(at.button(key="hosted_ask").click().run())
    assert at.selectbox(key=f"hosted_model_{platform.url}").value == BASE
    assert f"{cost(3.0)} per million trained tokens" in words(at)
    assert "answers until 14 January 2027" in words(at)
    standing(at.number_input(key="hosted_n_epochs").set_value(2).run())
    standing(at.text_input(key="hosted_suffix").set_value("grades").run())
    told = words(at)
    assert "The host would take this file" in told
    assert "Within the budget" in told
    assert at.button(key="hosted_start").label.startswith("Upload and train for ")
    standing(at.button(key="hosted_start").click().run())
    told = words(at)
    assert f"ft:{BASE}:double:grades:" in told
    assert "succeeded" in told
    assert "on 18 test rows" in told
    assert at.button(key="hosted_compare").label == "Open the comparison"
    [job] = jobs.all_jobs(kind="hosted")
    assert job.request["wish"] == {"model": BASE, "method": "supervised", "hyperparameters": {"n_epochs": 2}, "suffix": "grades"}
    assert job.result is not None
    assert job.result["base_evaluation"]
    assert KEY not in (job.folder / "request.json").read_text()


def test_what_stands_in_the_way_is_said_before_anything_leaves(platform: Platform) -> None:
    pricing.save([RATES])
    there = {platform.url: [{"id": BASE, "object": "model"}]}
    few = opened(doubles.version("regression", 12), finetune_hosted_models=there)
    assert "7 examples: at least 10 are needed" in words(few)
    assert few.button(key="hosted_start").disabled
    version = doubles.version("regression", 60)
    at = opened(version, finetune_hosted_models=there)
    assert not at.button(key="hosted_start").disabled
    standing(at.number_input(key="hosted_n_epochs").set_value(50).run())
    standing(at.number_input(key="hosted_budget").set_value(0.01).run())
    assert "Over the budget of" in words(at)
    assert at.button(key="hosted_start").disabled
    standing(at.selectbox(key="hosted_host").set_value("OpenAI").run())
    assert "OpenAI has no key" in words(at)
    assert at.button(key="hosted_start").disabled
    assert not platform.seen


def test_a_watch_is_stopped_and_taken_up_again_while_the_host_goes_on(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    version = doubles.version("regression", 90)
    with monkeypatch.context() as patch:
        watched(patch, lambda folder: (folder / "paused").touch() or (folder / "cancelled").touch())
        job = ran(version, platform)
    at = shown(version, job)
    assert "The job goes on there" in words(at)
    standing(at.button(key="hosted_again").click().run())
    assert "is ready" in words(at)
    assert len(platform.jobs.there) == 1


def test_a_job_is_paused_resumed_and_cancelled_at_the_host_in_its_words(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    version = doubles.version("regression", 90)
    with monkeypatch.context() as patch:
        watched(patch, lambda folder: (folder / "paused").touch() or (folder / "cancelled").touch())
        job = ran(version, platform)
    [there] = platform.jobs.there.values()
    at = shown(version, job)
    for call, status in (("pause", "paused"), ("resume", "running")):
        standing(at.button(key=f"hosted_{call}").click().run())
        assert there.status == status
        assert f"{there.id}: {status}" in words(at)
    standing(at.button(key=f"hosted_cancel_{there.id}").click().run())
    assert there.status == "running"
    standing(at.button(key=f"hosted_cancel_{there.id}_sure").click().run())
    assert there.status == "cancelled"
    standing(at.button(key="hosted_again").click().run())
    assert "was cancelled; no model came of it" in words(at)


def test_a_model_and_its_file_are_deleted_with_two_clicks(platform: Platform) -> None:
    version = doubles.version("regression", 60)
    job = ran(version, platform)
    assert job.result is not None
    model, file = job.result["model"], files.read_json(job.folder / "state.json")["train"]
    at = shown(version, job)
    for call, what, there in (("delete_model", model, platform.models.there), ("delete_file", file, platform.files.there)):
        standing(at.button(key=f"hosted_{call}_{what}").click().run())
        assert what in there
        standing(at.button(key=f"hosted_{call}_{what}_sure").click().run())
        assert what not in there
        assert f"{what} is deleted" in words(at)
    standing(at.button(key=f"hosted_delete_model_{model}").click().run())
    standing(at.button(key=f"hosted_delete_model_{model}_sure").click().run())
    assert "does not exist" in words(at)


def test_a_job_that_failed_says_why_in_the_platforms_words(platform: Platform) -> None:
    platform.jobs.fates = ["unsafe_file"]
    version = doubles.version("regression", 60)
    told = words(shown(version, ran(version, platform)))
    assert "too many examples were flagged by our moderation endpoint" in told
    assert "failed" in told
    assert "Checkpoints" in told


def test_a_job_made_elsewhere_is_listed_and_followed(platform: Platform) -> None:
    version = doubles.version("regression", 60)
    first = ran(version, platform)
    assert first.result is not None
    state = files.read_json(first.folder / "state.json")
    with hosted.Tuning(platform.url, KEY) as tuning:
        mine = tuning.create({"model": BASE, "training_file": state["train"]})
    at = opened(version)
    standing(at.button(key="hosted_list").click().run())
    table = at.dataframe[0].value
    assert table["Job"].tolist() == [mine["id"], first.result["job"]]
    assert table["Followed here"].tolist() == ["no", "yes"]


def test_the_way_off_records_answers_and_leads_to_a_local_run(platform: Platform) -> None:
    version = doubles.version("regression", 60)
    job = ran(version, platform, limit=4)
    assert job.result is not None
    at = shown(version, job)
    standing(at.button(key=f"hosted_record_{job.result['model']}").click().run())
    recorded = jobs.read(at.session_state["finetune_hosted_measured"])
    assert recorded.state == "done"
    assert recorded.result is not None
    assert evaluations.load(recorded.result["evaluation"]).n == version.splits["test"]
    standing(at.button(key=f"hosted_local_{job.result['model']}").click().run())
    assert at.session_state["finetune_engine"] == "This machine"


def test_settings_says_when_hosted_fine_tuning_ends(platform: Platform) -> None:
    at = opened(doubles.version(), "../pages/settings.py")
    assert "14 January 2027" in words(at)
