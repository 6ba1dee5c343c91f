"""The platform's double fine-tunes as the published API says: jobs that advance, fail with the known errors, pause and are cancelled."""

from __future__ import annotations

import csv
import json
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from tests.platform import Platform
from tests.platform import fine_tuning as double
from tests.platform.tuning import FAILURES
from tests.test_platform import fields_of

BASE = "gpt-4o-mini-2024-07-18"


def chats(n: int) -> list[dict[str, Any]]:
    return [{"messages": [{"role": "user", "content": f"thing {i}"}, {"role": "assistant", "content": str(i)}]} for i in range(n)]


def pairs(n: int) -> list[dict[str, Any]]:
    side = [{"role": "assistant", "content": "yes"}]
    one = {"input": {"messages": [{"role": "user", "content": "so?"}]}, "preferred_output": side, "non_preferred_output": side}
    return [one] * n


def uploaded(client: openai.OpenAI, rows: list[dict[str, Any]]) -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return client.files.create(file=("train.jsonl", content), purpose="fine-tune").id


def started(client: openai.OpenAI, rows: list[dict[str, Any]], **more: Any) -> FineTuningJob:
    return client.fine_tuning.jobs.create(model=more.pop("model", BASE), training_file=uploaded(client, rows), **more)


def ended(client: openai.OpenAI, id: str) -> list[FineTuningJob]:
    """A job, looked at until it ends."""
    found = [client.fine_tuning.jobs.retrieve(id)]
    while not found[-1].finished_at:
        found.append(client.fine_tuning.jobs.retrieve(id))
    return found


def test_a_job_goes_through_its_states_and_leaves_a_model_events_checkpoints_and_results(client: openai.OpenAI) -> None:
    held = uploaded(client, chats(4))
    how = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 5, "batch_size": 4}}}
    job = started(client, chats(12), validation_file=held, suffix="prices", seed=7, method=how, metadata={"from": "a test"})
    assert (job.status, job.fine_tuned_model, job.trained_tokens, job.result_files) == ("validating_files", None, None, [])
    seen = ended(client, job.id)
    assert list(dict.fromkeys(one.status for one in seen)) == ["queued", "running", "succeeded"]
    done = seen[-1]
    assert done.fine_tuned_model == f"ft:{BASE}:double:prices:{job.id.removeprefix('ftjob-')}"
    assert done.trained_tokens
    assert done.method is not None
    assert done.method.supervised is not None
    assert done.method.supervised.hyperparameters is not None
    assert (done.method.supervised.hyperparameters.n_epochs, done.seed, done.metadata) == (5, 7, {"from": "a test"})
    raw = client.fine_tuning.jobs.with_raw_response.retrieve(job.id).http_response.json()
    fields_of(raw, FineTuningJob)

    events = list(client.fine_tuning.jobs.list_events(job.id, limit=6))
    assert len(events) == len({one.id for one in events}) > 20
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    assert [one.data["step"] for one in events if one.type == "metrics"] == list(range(15, 0, -1))  # type: ignore[index]
    fields_of(client.fine_tuning.jobs.with_raw_response.list_events(job.id).http_response.json()["data"][-1], FineTuningJobEvent)

    points = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [one.step_number for one in points] == [15, 12, 9], "one an epoch, the last three are kept"
    assert points[0].fine_tuned_model_checkpoint == done.fine_tuned_model
    assert points[1].fine_tuned_model_checkpoint.endswith(":ckpt-step-12")
    first = client.fine_tuning.jobs.checkpoints.with_raw_response.list(job.id).http_response.json()["data"][0]
    fields_of(first, FineTuningJobCheckpoint)

    rows = list(csv.DictReader(client.files.content(done.result_files[0]).text.splitlines()))
    assert list(rows[0]) == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    assert float(rows[0]["train_loss"]) > float(rows[-1]["train_loss"])
    said = client.chat.completions.create(model=done.fine_tuned_model or "", messages=[{"role": "user", "content": "thing 3"}])
    assert said.choices[0].message.content == "3"
    assert client.models.delete(done.fine_tuned_model or "").deleted


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": "gpt-9"}, "Model gpt-9 is not available for fine-tuning or does not exist."),
    ({"model": "gpt-5-mini"}, "Model gpt-5-mini is not available for fine-tuning or does not exist."),
    ({"training_file": "file-none"}, "invalid training_file: file-none"),
    ({"validation_file": "file-none"}, "invalid validation_file: file-none"),
    ({"suffix": "x" * 65}, "Invalid 'suffix': string too long. Expected a string with maximum length 64, but got a string with length 65 instead."),
    ({"seed": -1}, "Invalid 'seed': integer below minimum value. Expected a value >= 0, but got -1 instead."),
    ({"method": {"type": "magic"}}, "Invalid value: 'magic'. Supported values are: 'supervised', 'dpo', and 'reinforcement'."),
    ({"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 51}}}}, "n_epochs"),
    ({"method": {"type": "supervised", "supervised": {"hyperparameters": {"beta": 0.1}}}}, "Unknown parameter: 'method.supervised.hyperparameters.beta'."),
    ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}, "beta"),
    ({"hyperparameters": {"batch_size": 257}}, "Invalid 'hyperparameters.batch_size'"),
    ({"metadata": {str(i): "x" for i in range(17)}}, "at most 16 properties"),
    ({"integrations": [{"type": "wandb", "wandb": {}}]}, "Missing required parameter: 'integrations[0].wandb.project'."),
    ({"extra_body": {"prompt_loss_weight": 0.01}}, "Unrecognized request argument supplied: prompt_loss_weight"),
    ({"extra_body": {"compute_classification_metrics": True}}, "Unrecognized request argument supplied: compute_classification_metrics"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "words"), WRONG, ids=lambda one: "-".join(one) if isinstance(one, dict) else "")
def test_what_a_job_may_not_be_is_refused(client: openai.OpenAI, given: dict[str, Any], words: str) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        client.fine_tuning.jobs.create(**{"model": BASE, "training_file": uploaded(client, chats(10)), **given})
    assert words in str(told.value)


def test_every_field_the_client_can_send_is_known() -> None:
    from openai.types.fine_tuning import job_create_params as asked

    assert set(double.FIELDS) == set(asked.JobCreateParams.__annotations__)


BROKEN: list[tuple[list[dict[str, Any]], dict[str, Any], str, str]] = [
    (chats(7), {}, "invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples"),
    ([*chats(10), {"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}], {}, "invalid_training_file",
     "The job failed due to an invalid training file. Invalid file format. Example 11, message 2 Discriminator 'role' is missing in value"),
    ([*chats(10), {**chats(1)[0], "note": 1}], {}, "invalid_training_file",
     'The job failed due to an invalid training file. Invalid file format. Example 11 contains an extra "note"'),
    ([{"messages": [{"role": "user", "content": "<|fim_suffix|>"}, {"role": "assistant", "content": "b"}]}, *chats(10)], {}, "invalid_training_file",
     "The job failed due to an invalid training file. Invalid file format. Example 1 message contains an invalid token: <|fim_suffix|>."),
    (chats(10), {"method": {"type": "dpo"}}, "invalid_training_file", "is in the fine-tune-chat format, but the specified fine-tuning job is not using "
     "'supervised' as the training method (provided method=dpo)."),
    (pairs(10), {}, "invalid_training_file", "is in the fine-tune-preference format, but the specified fine-tuning job is not using 'dpo'"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "more", "code", "words"), BROKEN, ids=lambda one: one if isinstance(one, str) and " " not in one else "")
def test_a_bad_file_fails_the_job_not_the_upload(
    client: openai.OpenAI, rows: list[dict[str, Any]], more: dict[str, Any], code: str, words: str
) -> None:
    done = ended(client, started(client, rows, **more).id)[-1]
    assert done.status == "failed"
    assert done.error is not None
    assert done.error.code == code
    assert words in done.error.message
    assert done.error.param == "training_file"
    last = client.fine_tuning.jobs.list_events(done.id).data[0]
    assert (last.level, last.message) == ("error", done.error.message)


def test_a_preference_job_takes_pairs(client: openai.OpenAI) -> None:
    job = started(client, pairs(10), method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 1}}})
    assert ended(client, job.id)[-1].status == "succeeded"


@pytest.mark.parametrize("code", FAILURES)
def test_a_job_can_fail_with_every_known_error(server: Platform, client: openai.OpenAI, code: str) -> None:
    server.jobs.fates.append(code)
    done = ended(client, started(client, chats(10)).id)[-1]
    assert (done.status, done.error and done.error.code, done.fine_tuned_model) == ("failed", code, None)


def test_a_job_pauses_resumes_and_is_cancelled_once(server: Platform, client: openai.OpenAI) -> None:
    server.jobs.fates.append("stuck")
    job = started(client, chats(10))
    jobs = client.fine_tuning.jobs
    with pytest.raises(openai.BadRequestError, match="Cannot pause a job with status 'validating_files'"):
        jobs.pause(job.id)
    jobs.retrieve(job.id)
    jobs.retrieve(job.id)
    assert jobs.pause(job.id).status == "paused"
    assert jobs.retrieve(job.id).status == "paused", "a look does not move it"
    assert jobs.resume(job.id).status == "running"
    assert jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="already completed"):
        jobs.cancel(job.id)
    with pytest.raises(openai.NotFoundError, match="Could not find fine tune: ftjob-none"):
        jobs.retrieve("ftjob-none")


def test_jobs_are_listed_newest_first_in_pages_and_by_metadata(client: openai.OpenAI) -> None:
    ids = [started(client, chats(10), metadata={"n": str(i % 2)}).id for i in range(5)]
    assert [one.id for one in client.fine_tuning.jobs.list(limit=2)] == ids[::-1]
    assert [one.id for one in client.fine_tuning.jobs.list(metadata={"n": "1"})] == [ids[3], ids[1]]


def test_a_new_model_is_not_found_for_a_while_and_can_be_trained_on(server: Platform, client: openai.OpenAI) -> None:
    server.jobs.shy = 2
    name = ended(client, started(client, chats(10)).id)[-1].fine_tuned_model or ""
    assert name not in [one.id for one in client.models.list()]
    for _ in range(2):
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            client.models.retrieve(name)
    assert client.models.retrieve(name).owned_by == "org-double"
    again = ended(client, started(client, chats(10), model=name).id)[-1]
    assert (again.fine_tuned_model or "").startswith(f"ft:{BASE}:double::")


def test_a_closed_organisation_and_a_missing_wandb_key_are_told(server: Platform, client: openai.OpenAI) -> None:
    server.jobs.wandb = False
    with pytest.raises(openai.BadRequestError, match="W&B API key"):
        started(client, chats(10), integrations=[{"type": "wandb", "wandb": {"project": "p"}}])
    server.jobs.open = False
    with pytest.raises(openai.PermissionDeniedError, match="no longer available"):
        started(client, chats(10))
