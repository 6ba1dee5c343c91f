"""Hosted fine-tunes from the command line, against the platform's double: nothing bad leaves, nothing is paid twice, every event once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.__main__ import main
from core.errors import DataError, ModelError, Paused, ProviderError, SettingsError
from core.finetune.hosted import Wish, failure, metrics, progress, wind_down
from core.io import hosted
from core.io.hosted import following
from core.io.providers import addresses
from tests.platform import KEY, Fault, Platform
from tests.test_platform_tuning import BASE, chats, pairs


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with Platform() as one:
        monkeypatch.setenv(addresses.COMPATIBLE_KEY, KEY)
        monkeypatch.setenv(addresses.COMPATIBLE_URL, one.url)
        monkeypatch.setattr(following, "EVERY", 0.0)
        monkeypatch.setattr(following.follow, "__kwdefaults__", {"since": "", "every": 0.0})
        yield one


@pytest.fixture
def tuning(server: Platform) -> Iterator[hosted.Tuning]:
    with hosted.Tuning(server.url, sleep=lambda _: None) as one:
        yield one


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def ask(server: Platform, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    """Exit code, the JSON on standard output (None without), and what was said."""
    code = main(["finetune", "hosted", *words, "--base-url", server.url, "--json"])
    out, said = capsys.readouterr()
    return code, json.loads(out) if out else None, said


def test_create_checks_uploads_creates_and_follows_to_the_end(server, home, tmp_path, capsys):
    train, held = written(tmp_path / "train.jsonl", chats(12)), written(tmp_path / "held.jsonl", [*chats(20)[12:], *chats(34)[30:]])
    code, job, said = ask(server, capsys, "create", train, "--validation", held, "--model", BASE, "--suffix", "prices", "--seed", "7",
                          "--n-epochs", "2", "--batch-size", "4", "--metadata", "for=a test")  # fmt: skip
    assert (code, job["status"], job["seed"], job["metadata"]["for"]) == (0, "succeeded", 7, "a test")
    assert job["fine_tuned_model"].startswith(f"ft:{BASE}:double:prices:")
    lines = said.splitlines()
    assert lines[0].startswith(f"{train} is uploaded as file-")
    told = [one["message"] for one in server.jobs.there[job["id"]].events]
    assert lines[3:] == told, "every event once, in order"

    assert ask(server, capsys, "show", job["id"])[1]["status"] == "succeeded"
    assert [one["id"] for one in ask(server, capsys, "list")[1]["data"]] == [job["id"]]
    assert [one["message"] for one in ask(server, capsys, "events", job["id"])[1]["data"]] == told
    assert [one["step_number"] for one in ask(server, capsys, "checkpoints", job["id"])[1]["data"]] == [6, 3]
    rows = ask(server, capsys, "results", job["id"])[1]["data"]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert set(rows[0]) == {"step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"}
    code, _, said = ask(server, capsys, "delete-model", job["fine_tuned_model"])
    assert (code, job["fine_tuned_model"] in server.models.there) == (1, True)
    assert "--yes" in said
    assert ask(server, capsys, "delete-model", job["fine_tuned_model"], "--yes")[1]["deleted"] is True
    assert ask(server, capsys, "delete-file", job["training_file"], "--yes")[1]["deleted"] is True
    assert job["training_file"] not in server.files.there


def test_a_bad_file_never_leaves_unless_it_is_forced(server, home, tmp_path, capsys):
    few = written(tmp_path / "few.jsonl", chats(7))
    code, _, said = ask(server, capsys, "create", few, "--model", BASE)
    assert code == 1
    assert "The file was not uploaded" in said
    assert "FAIL" in said
    assert not server.files.there
    code, _, said = ask(server, capsys, "create", few, "--model", BASE, "--force")
    assert code == 1
    assert said.splitlines()[-1].endswith("Training file has 7 example(s), but must have at least 10 examples (invalid_n_examples).")
    code, _, said = ask(server, capsys, "create", written(tmp_path / "pairs.jsonl", pairs(12)), "--model", BASE)
    assert code == 1
    assert "is in the preference format; the method supervised takes chat" in said


def test_ids_of_uploaded_files_are_taken_as_they_are(server, home, tmp_path, capsys):
    code, file, _ = ask(server, capsys, "upload", written(tmp_path / "train.jsonl", chats(12)))
    assert (code, file["purpose"]) == (0, "fine-tune")
    code, job, _ = ask(server, capsys, "create", file["id"], "--model", BASE, "--no-follow")
    assert (code, job["training_file"], job["status"]) == (0, file["id"], "validating_files")
    assert len(server.files.there) == 1
    for action, status in (("show", "queued"), ("show", "running"), ("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert ask(server, capsys, action, job["id"])[1]["status"] == status
    code, _, said = ask(server, capsys, "cancel", job["id"])
    assert code == 1
    assert "Job has already completed" in said


def test_a_fine_tuned_model_is_gone_on_with_by_its_name_or_its_job(server, home, tmp_path, capsys):
    train = written(tmp_path / "train.jsonl", chats(12))
    code, first, _ = ask(server, capsys, "create", train, "--model", BASE)
    assert code == 0
    for name in (first["id"], first["fine_tuned_model"]):
        code, job, _ = ask(server, capsys, "create", first["training_file"], "--continue-from", name)
        assert (code, job["status"], job["model"]) == (0, "succeeded", first["fine_tuned_model"])
    code, _, said = ask(server, capsys, "create", train, "--continue-from", BASE)
    assert code == 1
    assert "is no fine-tuned model" in said
    code, running, _ = ask(server, capsys, "create", first["training_file"], "--model", BASE, "--no-follow")
    assert code == 0
    code, _, said = ask(server, capsys, "create", train, "--continue-from", running["id"])
    assert code == 1
    assert "has no model to go on with" in said
    assert len(server.files.there) == 4, "one training file, three result files"


def test_an_interrupted_create_says_how_to_follow(server, home, tmp_path, capsys, monkeypatch):
    looks = []

    def interrupted(self: Any, id: str) -> Any:
        looks.append(id)
        raise KeyboardInterrupt

    monkeypatch.setattr(hosted.Tuning, "job", interrupted)
    code, _, said = ask(server, capsys, "create", written(tmp_path / "train.jsonl", chats(12)), "--model", BASE)
    assert code == 1
    assert f"python -m core finetune hosted follow {looks[0]} --base-url {server.url}" in said
    monkeypatch.undo()
    monkeypatch.setenv(addresses.COMPATIBLE_KEY, KEY)
    monkeypatch.setenv(addresses.COMPATIBLE_URL, server.url)
    monkeypatch.setattr(following.follow, "__kwdefaults__", {"since": "", "every": 0.0})
    code, job, _ = ask(server, capsys, "follow", looks[0])
    assert (code, job["status"]) == (0, "succeeded")


def test_following_goes_on_after_the_last_event_that_was_told(server, tuning, tmp_path):
    file = tuning.upload(Path(written(tmp_path / "train.jsonl", chats(12))))
    job = tuning.create(Wish(BASE, hyperparameters={"n_epochs": 5, "batch_size": 2}).request(file["id"]))
    seen: list[str] = []

    def some(job: Any, new: list[Any]) -> None:
        seen.extend(one["id"] for one in new)
        if len(seen) > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hosted.follow(tuning, job["id"], some)
    hosted.follow(tuning, job["id"], lambda job, new: seen.extend(one["id"] for one in new), since=seen[-1])
    assert seen == [one["id"] for one in server.jobs.there[job["id"]].events]


def test_a_connection_that_breaks_while_a_job_is_made_makes_no_second_one(server, tuning, tmp_path):
    file = tuning.upload(Path(written(tmp_path / "train.jsonl", chats(12))))
    made = tuning.create(Wish(BASE).request(file["id"], token="run-1"))
    again = tuning.create(Wish(BASE).request(file["id"], token="run-1"))
    assert made["id"] == again["id"]
    assert len(server.jobs.there) == 1
    assert tuning.create(Wish(BASE).request(file["id"], token="run-2"))["id"] != made["id"]


@pytest.mark.parametrize(("fault", "kind", "words"), [
    (Fault(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key"), ProviderError, "Check that the key"),
    (Fault(403, "Fine-tuning is no longer available"), ProviderError, "no longer available"),
    (Fault(404, "Could not find fine tune: ftjob-1"), ProviderError, "Could not find fine tune"),
    (Fault(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"), ProviderError, "Add credit"),
    (Fault(429, "slow down"), Paused, "goes on"),
    (Fault(500, "oops"), Paused, "goes on"),
], ids=lambda one: str(getattr(one, "status", "")))  # fmt: skip
def test_refusals_and_outages_are_told_in_the_platforms_words(server, tuning, fault, kind, words):
    server.trouble = lambda call: fault
    with pytest.raises(ProviderError, match=words) as told:
        tuning.job("ftjob-1")
    assert type(told.value) is kind
    assert KEY not in str(told.value)


def test_passing_trouble_is_waited_for(server, tuning, tmp_path):
    file = tuning.upload(Path(written(tmp_path / "train.jsonl", chats(12))))
    job = tuning.create(Wish(BASE).request(file["id"]))
    left = [Fault(500, "oops"), Fault(429, "busy"), "reset"]
    server.trouble = lambda call: left.pop() if left else None
    assert hosted.follow(tuning, job["id"], lambda job, new: None)["status"] == "succeeded"
    assert not left


def test_a_state_nobody_knows_is_a_job_under_way(server, tuning, tmp_path):
    file = tuning.upload(Path(written(tmp_path / "train.jsonl", chats(12))))
    job = tuning.create(Wish(BASE).request(file["id"]))
    there, states = server.jobs.there[job["id"]], []
    there.status = "reticulating_splines"

    def told(job: Any, new: list[Any]) -> None:
        states.append(job["status"])
        if len(states) == 3:
            there.status = "running"

    there.steps, there.hyperparameters["n_epochs"], there.hyperparameters["batch_size"] = 4, 1, 3
    assert hosted.follow(tuning, job["id"], told)["status"] == "succeeded"
    assert states[:3] == ["reticulating_splines"] * 3


def test_a_model_is_waited_for_after_its_job_succeeded(server, tuning, tmp_path):
    server.jobs.shy = 3
    file = tuning.upload(Path(written(tmp_path / "train.jsonl", chats(12))))
    done = hosted.succeeded(hosted.follow(tuning, tuning.create(Wish(BASE).request(file["id"]))["id"], lambda job, new: None))
    assert hosted.appeared(tuning, done["fine_tuned_model"])["shutdown_date"] == "2027-01-14"
    with pytest.raises(ProviderError, match="does not exist"):
        hosted.appeared(tuning, "ft:none", at_most=20)


def test_a_job_that_failed_or_was_cancelled_is_no_success():
    job = {"id": "ftjob-1", "status": "failed", "error": {"code": "server_error", "message": "The job failed due to an internal error."}}
    assert failure(job) == "The job failed due to an internal error. (server_error)"
    with pytest.raises(ModelError, match="internal error"):
        hosted.succeeded(job)
    with pytest.raises(ModelError, match="was cancelled"):
        hosted.succeeded({"id": "ftjob-1", "status": "cancelled"})
    assert failure({"status": "failed"}) == failure({"status": "succeeded"}) == ""


def test_steps_are_read_from_events_each_once_and_strange_events_survive():
    events: list[Any] = [
        {"type": "metrics", "data": {"step": 2, "train_loss": 1.5, "total_steps": 9}}, {"type": "novel", "data": None}, {"message": "hello"},
        {"type": "metrics", "data": {"step": 1, "train_loss": 2.0}}, {"type": "metrics", "data": {"step": 2, "valid_loss": 1.7, "note": "x"}},
    ]  # fmt: skip
    assert metrics(events) == [{"step": 1.0, "train_loss": 2.0}, {"step": 2.0, "train_loss": 1.5, "total_steps": 9.0, "valid_loss": 1.7}]
    assert (progress({"status": "running"}, events).step, progress({"status": "new word"}).over) == (2, False)


def test_results_may_come_in_base64_and_other_files_are_refused():
    table = b"step,train_loss,valid_loss\n1,2.5,\n2,1.25,1.5\n"
    assert hosted.read_results(table) == [{"step": 1, "train_loss": 2.5}, {"step": 2, "train_loss": 1.25, "valid_loss": 1.5}]
    assert hosted.read_results(base64.b64encode(table)) == hosted.read_results(table)
    with pytest.raises(DataError, match="no table of steps"):
        hosted.read_results(b"<html>")


@pytest.mark.parametrize(("given", "words"), [
    ({"model": " "}, "No model is named"), ({"method": "magic"}, "no method 'magic'"), ({"suffix": "x" * 65}, "65 characters"),
    ({"hyperparameters": {"n_epochs": 51}}, "n_epochs is 51"), ({"hyperparameters": {"n_epochs": 1.5}}, "n_epochs is 1.5"),
    ({"hyperparameters": {"beta": 0.1}}, "supervised has no 'beta'"), ({"hyperparameters": {"batch_size": "many"}}, "batch_size is 'many'"),
    ({"method": "dpo", "hyperparameters": {"beta": 3}}, "beta is 3"), ({"seed": -1}, "seed is -1"), ({"metadata": {"k" * 65: "v"}}, "64 characters"),
    ({"wandb": {"name": "run"}}, "name of a project"), ({"method": "reinforcement"}, "needs a grader"),
    ({"method": "reinforcement", "grader": {"type": "x"}, "hyperparameters": {"reasoning_effort": "huge"}}, "reasoning_effort"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_named_with_its_value(given, words):
    with pytest.raises(SettingsError, match=words):
        Wish(**{"model": BASE, **given})


def test_the_platform_takes_every_request_that_passes(server, tuning, tmp_path):
    chat, pair = (
        tuning.upload(Path(written(tmp_path / f"{name}.jsonl", rows)))["id"] for name, rows in (("a", chats(12)), ("b", pairs(12)))
    )
    wishes = [
        (Wish(BASE, hyperparameters={"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5}, suffix="s", seed=1), chat),
        (Wish(BASE, "dpo", {"beta": 0.5}, wandb={"project": "p", "tags": ["a"]}, metadata={"k": "v"}), pair),
        (Wish("gpt-4.1-mini-2025-04-14", "reinforcement", {"compute_multiplier": 2.0, "reasoning_effort": "low"}, grader={"type": "string_check"}), chat),
    ]  # fmt: skip
    for wish, file in wishes:
        assert tuning.create(wish.request(file, token="t" + wish.method))["method"]["type"] == wish.method


def test_the_end_of_hosted_fine_tuning_is_counted_in_days():
    assert "46 days left to create jobs" in wind_down(date(2026, 11, 21))
    assert "54 days until every fine-tuned model is shut down" in wind_down(date(2026, 11, 21))
    assert "no new jobs since 6 January 2027, and 1 day until" in wind_down(date(2027, 1, 13))
    assert "were shut down on 14 January 2027" in wind_down(date(2027, 1, 14))


def test_openai_without_a_key_says_where_one_goes(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ProviderError, match="OPENAI_API_KEY"):
        hosted.Tuning()
