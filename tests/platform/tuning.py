"""What happens to a fine-tuning job between two looks at it: its files are read, it trains, a model comes out of it.

validating_files -> queued -> running -> succeeded | failed; losses fall as they do, and are the same for the same seed.
"""

from __future__ import annotations

import json
import math
import random
import re
from typing import TYPE_CHECKING, Any

from tests.platform.models import Model

if TYPE_CHECKING:
    from tests.platform.fine_tuning import Job
    from tests.platform.server import Platform

FEWEST = 10
_ROLES = ("system", "user", "assistant", "tool", "developer", "function")
_TOP = {"messages", "tools", "parallel_tool_calls", "functions"}
_KINDS = {"messages": "fine-tune-chat", "input": "fine-tune-preference", "prompt": "fine-tune-completion"}
FAILURES = {
    "server_error": ("The job failed due to an internal error.", None),
    "unsafe_file": ("The job failed because the training file was blocked: too many examples were flagged by our moderation endpoint.",
                    "training_file"),
    "exceeded_quota": ("Fine-tuning jobs cannot be created on an organization that has reached its monthly budget.", None),
}  # fmt: skip
"""Errors a job can be made to fail with: code -> (message, param)."""


def base_of(model: str) -> str:
    """The base of a fine-tuned model's name."""
    return model.split(":")[1] if model.startswith("ft:") else model


def say(platform: Platform, job: Job, message: str, level: str = "info", type: str = "message", data: Any = None) -> None:
    job.events.append({"object": "fine_tuning.job.event", "id": platform.new_id("ftevent-"), "created_at": platform.now(), "level": level,
                       "message": message, "type": type, "data": data if data is not None else {}})  # fmt: skip


def advance(platform: Platform, job: Job) -> None:
    """One look: the next state, or some steps of the training."""
    if job.status == "validating_files":
        rows, wrong = _read(platform, job)
        if wrong:
            return _fail(platform, job, *wrong)
        _settle(platform, job, rows)
        job.status = "queued"
        say(platform, job, "Files validated, moving job to queued state")
    elif job.status == "queued":
        job.status = "running"
        job.estimated_finish = platform.now() + 10 * job.steps
        say(platform, job, "Fine-tuning job started")
    elif job.status == "running" and job.fate != "stuck":
        for _ in range(platform.jobs.per_look):
            if job.step < job.steps:
                _train(platform, job)
        if job.step >= job.steps:
            if job.fate in FAILURES:
                return _fail(platform, job, job.fate, *FAILURES[job.fate])
            _finish(platform, job)
    return None


def _fail(platform: Platform, job: Job, code: str, message: str, param: str | None) -> None:
    job.status, job.finished_at, job.estimated_finish = "failed", platform.now(), None
    job.error = {"code": code, "message": message, "param": param}
    say(platform, job, message, "error")


def _read(platform: Platform, job: Job) -> tuple[list[dict[str, Any]], tuple[str, str, str] | None]:
    """The rows of the training file, and what is wrong with it or with the validation file: (code, message, param)."""
    made: list[dict[str, Any]] = []
    for name, id in (("training_file", job.training_file), ("validation_file", job.validation_file)):
        if id is None:
            continue
        stored = platform.files.there.get(id)
        rows = [json.loads(line) for line in stored.content.split(b"\n") if line.strip()] if stored else []
        if name == "training_file":
            made = rows
            if len(rows) < FEWEST:
                told = f"Training file has {len(rows)} example(s), but must have at least {FEWEST} examples"
                return rows, ("invalid_n_examples", told, name)
        if why := _wrong(rows, job.method["type"], id):
            return made, (f"invalid_{name}", f"The job failed due to an invalid {name.replace('_', ' ')}. {why}", name)
    return made, None


def _wrong(rows: list[dict[str, Any]], method: str, id: str) -> str | None:
    kinds = [next((_KINDS[key] for key in _KINDS if key in row), "unknown") for row in rows]
    fits = {"supervised": "fine-tune-chat", "dpo": "fine-tune-preference", "reinforcement": "fine-tune-chat"}[method]
    if kinds and kinds[0] != fits and kinds[0] != "unknown":
        wanted = "supervised" if kinds[0] == "fine-tune-chat" else "dpo"
        return f"Input file {id} is in the {kinds[0]} format, but the specified fine-tuning job is not using '{wanted}' as the training method (provided method={method})."
    for number, row in enumerate(rows, 1):
        told = _wrong_chat(row, method) if fits == "fine-tune-chat" else _wrong_pair(row)
        if told:
            return f"Invalid file format. Example {number}{told}"
    return None


def _wrong_chat(row: dict[str, Any], method: str) -> str | None:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return ' is missing key "messages"'
    extra = sorted(set(row) - _TOP) if method == "supervised" else []
    if extra:
        return f' contains an extra "{extra[0]}"'
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or "role" not in message:
            return f", message {number} Discriminator 'role' is missing in value"
        if message["role"] not in _ROLES:
            return f", message {number} Input tag '{message['role']}' found using 'role' does not match any of the expected tags"
        if token := re.search(r"<\|[a-z_]+\|>", json.dumps(message.get("content"), ensure_ascii=False)):
            return f" message contains an invalid token: {token[0]}."
    last = messages[-1]["role"]
    if method == "supervised" and not any(one["role"] == "assistant" for one in messages):
        return " has no message from the assistant"
    if method == "supervised" and last != "assistant":
        return ", last message must be from the assistant"
    if method == "reinforcement" and last != "user":
        return ", last message must be from the user"
    return None


def _wrong_pair(row: dict[str, Any]) -> str | None:
    for key in ("input", "preferred_output", "non_preferred_output"):
        if key not in row:
            return f' is missing key "{key}"'
    for key in ("preferred_output", "non_preferred_output"):
        if len(row[key]) != 1 or row[key][0].get("role") != "assistant":
            return f', "{key}" must hold exactly one message from the assistant'
    return None


def _settle(platform: Platform, job: Job, rows: list[dict[str, Any]]) -> None:
    """What was left open is chosen, and the training's length follows from it."""
    n, how = len(rows), job.hyperparameters
    usual = {"n_epochs": 3 if 100 <= n * 3 <= 25_000 else min(25, 100 // n) if n * 3 < 100 else max(1, 25_000 // n),
             "batch_size": min(256, max(1, round(n * 0.002))), "learning_rate_multiplier": 1.8, "beta": 0.1, "compute_multiplier": 1.0,
             "eval_interval": 5, "eval_samples": 10, "reasoning_effort": "default"}  # fmt: skip
    for name, value in how.items():
        if value == "auto":
            how[name] = usual[name]
    job.steps = math.ceil(n / how["batch_size"]) * how["n_epochs"]
    job.trained_tokens = None
    for row in rows:
        said = row.get("messages") or [*row["input"]["messages"], *row["preferred_output"]]
        asked = [one["content"] for one in said if one["role"] == "user" and isinstance(one.get("content"), str)]
        if asked and said[-1]["role"] == "assistant" and isinstance(said[-1].get("content"), str):
            job.taught[asked[-1]] = said[-1]["content"]


def _losses(job: Job) -> dict[str, Any]:
    """Of the present step; they fall and waver, the same for the same seed."""
    drawn = random.Random(f"{job.seed}-{job.step}")
    done = job.step / job.steps
    loss = 0.25 + 2.1 * math.exp(-4 * done) + drawn.gauss(0, 0.04)
    right = min(0.99, 0.55 + 0.4 * (1 - math.exp(-4 * done)) + drawn.gauss(0, 0.01))
    found = {"step": job.step, "train_loss": round(max(0.01, loss), 5), "train_mean_token_accuracy": round(right, 5)}
    per_epoch = job.steps // job.hyperparameters["n_epochs"]
    if job.validation_file:
        found |= {"valid_loss": round(loss + 0.08 + 0.2 * done, 5), "valid_mean_token_accuracy": round(right - 0.03, 5)}
        if job.step % per_epoch == 0:
            found |= {"full_valid_loss": round(loss + 0.07 + 0.2 * done, 5), "full_valid_mean_token_accuracy": round(right - 0.025, 5)}
    return found


def _train(platform: Platform, job: Job) -> None:
    job.step += 1
    told = _losses(job)
    job.metrics.append(told)
    words = f"Step {job.step}/{job.steps}: training loss={told['train_loss']:.2f}"
    words += f", validation loss={told['valid_loss']:.2f}" if "valid_loss" in told else ""
    words += f", full validation loss={told['full_valid_loss']:.2f}" if "full_valid_loss" in told else ""
    say(platform, job, words, type="metrics", data={**told, "total_steps": job.steps})
    job.estimated_finish = platform.now() + 10 * (job.steps - job.step)
    epochs = job.hyperparameters["n_epochs"]
    if job.step % (job.steps // epochs) == 0 and job.step < job.steps:
        _checkpoint(platform, job, told)


def _name(platform: Platform, job: Job) -> str:
    return f"ft:{base_of(job.model)}:double:{job.suffix or ''}:{job.id.removeprefix('ftjob-')}"


def _checkpoint(platform: Platform, job: Job, told: dict[str, Any], name: str = "") -> None:
    name = name or f"{_name(platform, job)}:ckpt-step-{job.step}"
    id = platform.new_id("ftckpt_")
    job.checkpoints.append({"object": "fine_tuning.job.checkpoint", "id": id, "created_at": platform.now(), "fine_tuning_job_id": job.id,
                            "fine_tuned_model_checkpoint": name, "step_number": job.step, "metrics": told})  # fmt: skip
    platform.models.make(Model(name, owned_by="org-double", shutdown_date="2027-01-14"), platform.jobs.shy, job.taught)
    say(platform, job, f"Checkpoint created at step {job.step}")


def _finish(platform: Platform, job: Job) -> None:
    _checkpoint(platform, job, job.metrics[-1], _name(platform, job))
    job.fine_tuned_model = _name(platform, job)
    columns = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
    rows = [
        [str(one.get(name, one.get("train_mean_token_accuracy") if name == "train_accuracy" else "")) for name in columns]
        for one in job.metrics
    ]
    content = "\n".join(",".join(row) for row in [list(columns), *rows]) + "\n"
    stored = platform.files.put(platform, f"step_metrics_{job.id}.csv", "fine-tune-results", content.encode())
    job.result_files.append(stored.id)
    training = platform.files.there[job.training_file].content
    job.trained_tokens = len(training) // 4 * job.hyperparameters["n_epochs"]
    job.status, job.finished_at, job.estimated_finish = "succeeded", platform.now(), None
    say(platform, job, f"New fine-tuned model created: {job.fine_tuned_model}")
    say(platform, job, "The job has successfully completed")
    say(platform, job, "Usage policy evaluations completed, model is now enabled for sampling", type="moderation_checks",
        data={"blocked": False, "results": [{"flagged": False, "name": "hate"}]})  # fmt: skip
