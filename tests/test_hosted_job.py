"""The job "hosted" against the platform's double: rows in, a model and its evaluation out; nothing twice, whatever happens between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.export_table import chats
from core.io import evaluations, files, hosted, jobs, pricing, store
from core.io.hosted import calls, uploading
from core.io.hosted.rows import holds_preferences
from core.io.providers.addresses import for_child
from core.io.work import Desk
from core.validate.prices import Price
from core.version import Roles, Version
from tests import doubles, killing
from tests.killing import Moment
from tests.platform import KEY, Fault, Platform, no_credit
from tests.platform.tuning import FAILURES

BASE = "gpt-4o-mini-2024-07-18"
GONE = "gpt-4.1-2025-04-14"
RATES = Price(BASE, 3.0, 0.3, 1.2, host="127.0.0.1", source="typed", as_of="2026-11-21")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.io.hosted.job._waiting", lambda desk: lambda seconds: None)


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform() as one:
        one.jobs.per_look = 8
        yield one


def asked(version: Version | None, server: Platform, **more: Any) -> dict[str, Any]:
    """A request; `wish` differs from the usual one only in what is named."""
    wish = {"model": BASE, "hyperparameters": {"n_epochs": 2, "batch_size": 4}, **more.pop("wish", {})}
    rows = {"dataset": version.dataset, "version": version.id} if version else {}
    return {**rows, "base_url": server.url, "every": 0.0, "limit": 6, "wish": wish, **more}


def started(version: Version | None, server: Platform, **more: Any) -> jobs.Job:
    request = asked(version, server, **more)
    return jobs.start(
        "hosted", request, title="Fine-tune", dataset=version.dataset if version else None, environment=for_child(server.url, KEY)
    )


def again(job: jobs.Job, server: Platform) -> jobs.Job:
    return jobs.resume(job.id, environment=for_child(server.url, KEY))


def posts(server: Platform, path: str) -> int:
    return sum(method == "POST" and seen == path for _, method, seen in server.seen)


def events_of(job: jobs.Job) -> list[str]:
    return [one["id"] for one in files.read_lines(job.folder / "events.jsonl")]


def test_rows_become_a_model_that_stands_on_compare(home: Path, platform: Platform) -> None:
    pricing.save([RATES])
    version = doubles.version("classification", 90)
    job = started(version, platform, wish={"suffix": "grades", "seed": 3, "metadata": {"for": "a test"}})
    assert job.state == "done", job.error
    there = platform.jobs.there[job.result["job"]]
    uploaded = {one.id: one for one in platform.files.there.values()}
    sent = [json.loads(line) for line in uploaded[there.training_file].content.splitlines()]
    assert sent == chats(store.frame(version, split="train"), version)
    assert len(uploaded[str(there.validation_file)].content.splitlines()) == version.splits["validation"]
    assert events_of(job) == [one["id"] for one in there.events]
    records = files.read_lines(job.folder / "history.jsonl")
    assert [one["step"] for one in records if "loss" in one] == list(range(1, there.steps + 1))
    assert [one["val_loss"] for one in records if "val_loss" in one] == [
        one["full_valid_loss"] for one in there.metrics if "full_valid_loss" in one
    ]
    assert files.read_json(job.folder / "results.json")[-1]["step"] == there.steps
    assert len(files.read_json(job.folder / "checkpoints.json")) == 2
    made = evaluations.load(job.result["evaluation"])
    assert (made.family, made.title, made.n) == ("tuned", "gpt-4o-mini grades fine-tuned", 6)
    assert {name: made.notes[name] for name in ("model", "job", "base_url")} == {
        "model": there.fine_tuned_model, "job": there.id, "base_url": platform.url}  # fmt: skip
    assert job.result["usd"] == there.trained_tokens * 3.0 / 1e6 == made.training_usd
    asked_first = platform.asked[0]
    assert asked_first["model"] == there.fine_tuned_model
    assert asked_first["messages"][-1]["content"].startswith(sent[0]["messages"][-2]["content"].split("\n")[0])
    plan = files.read_json(job.folder / "state.json")["estimate"]
    assert (plan["rows"], plan["epochs"]) == (54, 2)
    assert not [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_the_progress_is_told_in_the_platforms_words_known_or_not(home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    real = Desk.say

    def say(self: Desk, done: int, total: int, message: str = "", **figures: Any) -> None:
        said.append(message)
        there = next(iter(platform.jobs.there.values()), None)
        if there and message == "queued":
            there.status = "reticulating_splines"
        elif there and message == "reticulating_splines":
            there.status = "running"
        real(self, done, total, message, **figures)

    monkeypatch.setattr(Desk, "say", say)
    job = started(doubles.version("regression", 60), platform)
    assert job.state == "done"
    assert list(dict.fromkeys(said)) == [
        "Checking the files", "Uploading the train file", "Uploading the validation file", "Creating the job", "queued", "reticulating_splines",
        "running", "succeeded", f"Waiting until {job.result['model']} can be asked", "Measuring on test rows"]  # fmt: skip
    assert job.figures["status"] == "succeeded"
    assert job.figures["loss"] < 1.5


def test_a_model_that_is_unknown_for_a_while_is_waited_for(home: Path, platform: Platform) -> None:
    platform.jobs.shy = 4
    job = started(doubles.version("regression", 60), platform)
    assert job.state == "done"
    assert platform.paths.count(f"/v1/models/{job.result['model']}") == 5


MOMENTS = [
    Moment("state.json", 1, "before"), Moment("state.json", 3, "before"), Moment("state.json", 4, "before"), Moment("state.json", 5, "before"),
    Moment("events.jsonl", 3, "middle"), Moment("events.jsonl", 9), Moment("history.jsonl", 2, "before"), Moment("job.json", 2, "before"),
    Moment("progress.jsonl", 9), Moment("state.json", 6, "before"), Moment("answers.jsonl", 2, "middle"), Moment("result.json", 1, "before"),
]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_job_killed_at_any_moment_goes_on_without_a_second_upload_or_job(
    moment: Moment, home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = doubles.version("regression", 60)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_launch", lambda folder, environment: None)
        job = started(version, platform)
    key = for_child(platform.url, KEY)
    assert killing.run(job.folder, key, moment) == -9
    assert jobs.read(job.id).state == "interrupted"
    assert killing.run(job.folder, key) == 0
    job = jobs.read(job.id)
    assert job.state == "done", job.error
    assert (posts(platform, "/v1/files"), posts(platform, "/v1/fine_tuning/jobs")) == (2, 1)
    [there] = platform.jobs.there.values()
    assert events_of(job) == [one["id"] for one in there.events]
    steps = [one["step"] for one in files.read_lines(job.folder / "history.jsonl") if "loss" in one]
    assert steps == list(range(1, there.steps + 1))
    [made] = evaluations.of(version.dataset)
    assert made.n == 6
    assert len(platform.asked) <= 12


def test_an_answer_that_is_lost_on_the_way_uploads_and_creates_nothing_twice(
    home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2

    real = httpx2.HTTPTransport.handle_request
    lost: list[str] = []

    def handle(self: Any, request: Any) -> Any:
        path = request.url.path
        answer = real(self, request)
        if request.method == "POST" and path in ("/v1/files", "/v1/fine_tuning/jobs") and lost.count(path) == 0:
            lost.append(path)
            answer.read()
            raise httpx2.ReadError("the line broke")
        return answer

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", handle)
    job = started(doubles.version("regression", 60), platform)
    assert job.state == "done", job.error
    assert lost == ["/v1/files", "/v1/fine_tuning/jobs"]
    assert (posts(platform, "/v1/files"), len(platform.jobs.there)) == (2, 1)


def test_a_file_the_host_would_refuse_stays_here_and_the_reason_is_in_its_words(home: Path, platform: Platform) -> None:
    job = started(doubles.version("regression", 12), platform)
    assert job.state == "failed"
    assert "Training file has 7 example(s), but must have at least 10 examples" in job.error["message"]
    assert not platform.files.there
    assert not platform.jobs.there


def test_few_validation_rows_are_no_reason_to_refuse(home: Path, platform: Platform) -> None:
    version = doubles.version("regression", 20)
    assert version.splits == {"train": 12, "validation": 4, "test": 4}
    assert started(version, platform).state == "done"


@pytest.mark.parametrize("code", list(FAILURES))
def test_a_job_that_fails_is_told_in_the_platforms_words_and_never_started_again(code: str, home: Path, platform: Platform) -> None:
    platform.jobs.fates = [code]
    job = started(doubles.version("regression", 60), platform)
    words = f"{FAILURES[code][0].rstrip('.')}"
    assert (job.state, job.error["title"]) == ("failed", "The job failed")
    assert words in job.error["message"]
    assert code in job.error["message"]
    assert again(job, platform).error == job.error
    assert len(platform.jobs.there) == 1
    assert files.read_json(job.folder / "checkpoints.json")


@pytest.mark.parametrize(("rows", "words"), [
    ([{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}] * 7, "invalid_n_examples"),
    ([{"messages": [{"content": "a"}, {"role": "assistant", "content": "b"}]}] * 12, "Example 1, message 1 Discriminator 'role' is missing"),
    ([{"prompt": "a", "completion": "b"}] * 12, "fine-tune-completion"),
])  # fmt: skip
def test_a_file_the_platform_refuses_on_its_own_is_told_in_its_words(rows: list[Any], words: str, home: Path, platform: Platform) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file = platform.files.put(platform, "train.jsonl", "fine-tune", content)
    job = started(None, platform, files={"train": file.id})
    assert job.state == "failed"
    assert words in job.error["message"]


@pytest.mark.parametrize(("where", "fault", "title", "words"), [
    ("/v1/files", Fault(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key"), "The key was refused", "Incorrect"),
    ("/v1/files", Fault(400, "Invalid file format for fine-tune. Must be .jsonl"), "The request was refused", "Must be .jsonl"),
    ("/v1/fine_tuning/jobs", Fault(403, "Fine-tuning is no longer available"), "Not allowed", "no longer available"),
    ("/v1/fine_tuning/jobs", no_credit(), "No credit left", "You exceeded your current quota"),
    ("/v1/fine_tuning/jobs/", Fault(404, "Could not find fine tune"), "No such model or address", "is not touched by this"),
    ("/v1/fine_tuning/jobs/", Fault(429, "slow down", headers={"retry-after": "0"}), "The endpoint is busy", "goes on"),
    ("/v1/fine_tuning/jobs/", Fault(500, "oops"), "The endpoint failed", "goes on"),
])  # fmt: skip
def test_trouble_leaves_a_job_that_goes_on_where_it_was(
    where: str, fault: Fault, title: str, words: str, home: Path, platform: Platform
) -> None:
    platform.trouble = lambda call: fault if call.path.startswith(where) and (call.path != where) == where.endswith("/") else None
    job = started(doubles.version("regression", 60), platform)
    assert job.state in ("failed", "paused")
    assert job.error["title"] == title
    assert words in job.error["message"]
    assert KEY not in json.dumps(job.error)
    platform.trouble = None
    assert again(job, platform).state == "done"
    assert (posts(platform, "/v1/fine_tuning/jobs") <= 2, len(platform.jobs.there)) == (True, 1)


def test_an_outage_while_a_job_is_followed_is_waited_for(home: Path, platform: Platform) -> None:
    down = [Fault(503, "overloaded", headers={"retry-after": "0"})] * 30

    def trouble(call: Any) -> Any:
        return down.pop() if down and call.path.startswith("/v1/fine_tuning/jobs/") and platform.jobs.there else None

    platform.trouble = trouble
    job = started(doubles.version("regression", 60), platform)
    assert job.state == "done", job.error
    assert not down
    [there] = platform.jobs.there.values()
    assert events_of(job) == [one["id"] for one in there.events]


def watched(monkeypatch: pytest.MonkeyPatch, do: Any) -> None:
    """`do(folder)` happens once, when the running job is told for the first time."""
    real, done = Desk.say, []

    def say(self: Desk, count: int, total: int, message: str = "", **figures: Any) -> None:
        if message == "running" and not done:
            done.append(1)
            do(self.folder)
        real(self, count, total, message, **figures)

    monkeypatch.setattr(Desk, "say", say)


def test_to_stop_watching_is_not_to_cancel(home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, lambda folder: (folder / "paused").touch() or (folder / "cancelled").touch())
    job = started(doubles.version("regression", 90), platform)
    [there] = platform.jobs.there.values()
    assert (job.state, there.status) == ("paused", "running")
    seen = events_of(job)
    assert seen
    job = again(job, platform)
    assert (job.state, len(platform.jobs.there)) == ("done", 1)
    assert events_of(job)[: len(seen)] == seen


def test_to_cancel_at_the_host_ends_the_job_and_a_second_time_is_refused_in_its_words(
    home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(folder: Path) -> None:
        with hosted.Tuning(platform.url, KEY) as tuning:
            id = files.read_json(folder / "state.json")["job"]
            assert tuning.cancel(id)["status"] == "cancelled"
            with pytest.raises(Exception, match="Job has already completed"):
                tuning.cancel(id)

    watched(monkeypatch, cancel)
    job = started(doubles.version("regression", 90), platform)
    assert (job.state, job.error["title"]) == ("failed", "The job was cancelled")
    assert jobs.cancel(jobs.cancel(job.id).id).state == "failed"
    assert len(platform.jobs.there) == 1


def test_a_job_the_studio_did_not_make_can_be_followed_and_measured(home: Path, platform: Platform) -> None:
    version = doubles.version("regression", 60)
    content = b"".join(json.dumps(one).encode() + b"\n" for one in chats(store.frame(version, split="train"), version))
    file = platform.files.put(platform, "mine.jsonl", "fine-tune", content)
    with hosted.Tuning(platform.url, KEY) as tuning:
        made = tuning.create({"model": BASE, "training_file": file.id})
    job = started(version, platform, adopt=made["id"], wish={})
    assert (job.state, job.result["job"]) == ("done", made["id"])
    assert evaluations.load(job.result["evaluation"]).notes["job"] == made["id"]
    assert len(platform.jobs.there) == 1


def test_the_base_answers_the_same_rows_where_that_is_wished(home: Path, platform: Platform) -> None:
    version = doubles.version("regression", 60)
    job = started(version, platform, ask_base=True)
    assert job.state == "done", job.error
    tuned, base = (evaluations.load(job.result[name]) for name in ("evaluation", "base_evaluation"))
    assert (base.title, base.family, base.test_id) == ("gpt-4o-mini prompted", "prompted", tuned.test_id)
    assert base.answers["index"].tolist() == tuned.answers["index"].tolist()
    asked_of = [body["model"] for body in platform.asked]
    assert (asked_of.count(job.result["model"]), asked_of.count(BASE)) == (6, 6)
    platform.trouble = lambda call: (
        Fault(404, "The model does not exist") if call.body.get("messages") and call.body["model"] == GONE else None
    )
    gone = started(version, platform, ask_base=True, wish={"model": GONE})
    assert (gone.state, gone.result["base_evaluation"]) == ("done", None)
    assert "does not exist" in files.read_json(gone.folder / "state.json")["base_problem"]


def test_a_checkpoint_is_measured_beside_the_model(home: Path, platform: Platform) -> None:
    version = doubles.version("regression", 60)
    job = started(version, platform)
    first = files.read_json(job.folder / "checkpoints.json")[-1]
    measure = {"model": first["fine_tuned_model_checkpoint"], "job": job.result["job"], "step": first["step_number"]}
    other = started(version, platform, measure=measure)
    assert other.state == "done", other.error
    titles = sorted(one.title for one in evaluations.of(version.dataset))
    assert titles == ["gpt-4o-mini fine-tuned", f"gpt-4o-mini step {first['step_number']} fine-tuned"]


def test_pairs_of_answers_train_with_dpo_and_go_on_from_a_fine_tuned_model(home: Path, platform: Platform) -> None:
    asked_for = [json.dumps({"messages": [{"role": "user", "content": f"Is {i} even?"}]}) for i in range(12)]
    said = [json.dumps([{"role": "assistant", "content": word}]) for word in ("It is, as 2 divides it.", "It is not, as 2 leaves a rest.")]
    frame = pd.DataFrame({"input": asked_for, "preferred_output": said * 6, "non_preferred_output": said[::-1] * 6})
    version = store.save("Pairs", frame, title="Import", roles=Roles(), task=None, source_hash="pairs")
    assert holds_preferences(version)
    model = "ft:gpt-4o-mini-2024-07-18:org::abc123"
    job = started(version, platform, wish={"model": model, "method": "dpo", "hyperparameters": {"beta": 0.5}})
    assert job.state == "done", job.error
    assert job.result["evaluation"] is None
    [there] = platform.jobs.there.values()
    assert (there.model, there.method["type"]) == (model, "dpo")
    assert job.result["model"].startswith("ft:gpt-4o-mini-2024-07-18:double:")


def test_a_job_dearer_than_its_budget_is_not_begun(home: Path, platform: Platform) -> None:
    pricing.save([RATES])
    version = doubles.version("regression", 60)
    job = started(version, platform, budget=0.000001)
    assert (job.state, job.error["title"]) == ("failed", "Over the budget")
    assert not platform.files.there
    assert started(version, platform, budget=1.0).state == "done"


def test_a_large_file_goes_in_parts_and_once(home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "FILE", 1000)
    monkeypatch.setattr(uploading, "PART", 1500)
    broken = [Fault(500, "oops", headers={"retry-after": "0"})]
    platform.trouble = lambda call: broken.pop() if call.path.endswith("/parts") and broken else None
    version = doubles.version("regression", 90)
    job = started(version, platform)
    assert job.state == "done", job.error
    assert posts(platform, "/v1/files") == 0
    ups = list(platform.files.uploads.values())
    assert [one.status for one in ups] == ["completed", "completed"]
    assert len(ups[0].parts) == -(-ups[0].bytes // 1500) > 2
    [there] = platform.jobs.there.values()
    assert platform.files.there[there.training_file].content == b"".join(ups[0].parts.values())


def test_an_upload_that_breaks_off_is_cancelled_at_the_host(home: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "FILE", 1000)
    platform.trouble = lambda call: Fault(400, "The md5 checksum does not match.") if call.path.endswith("/complete") else None
    job = started(doubles.version("regression", 60), platform)
    assert (job.state, job.error["title"]) == ("failed", "The request was refused")
    assert [one.status for one in platform.files.uploads.values()] == ["cancelled"]
    platform.trouble = None
    assert again(job, platform).state == "done"
