"""/v1/fine_tuning/jobs: a job is made, looked at, paused and cancelled. Each look at it moves it on (see `tests.platform.tuning`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.platform import tuning
from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import METADATA, anything, array, by_type, check_body, choice, integer, nullable, number, record, string
from tests.platform.files import page

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

BASES = ("gpt-4.1-2025-04-14", "gpt-4.1-mini-2025-04-14", "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18")
"""What can be trained; a fine-tuned model of these can be trained on."""


def _auto(inner: Any) -> Any:
    """The word "auto", or a number."""

    def check(value: Any, path: str) -> None:
        if value != "auto":
            inner(value, path)

    return check


_SUPERVISED = {"batch_size": _auto(integer(1, 256)), "learning_rate_multiplier": _auto(number(1e-9)), "n_epochs": _auto(integer(1, 50))}
_DPO = {**_SUPERVISED, "beta": _auto(number(1e-9, 2))}
_REINFORCEMENT = {**_SUPERVISED, "compute_multiplier": _auto(number(0.00001, 10)), "eval_interval": _auto(integer(1)), "eval_samples": _auto(integer(1)),
                  "reasoning_effort": choice("default", "low", "medium", "high")}  # fmt: skip
_METHOD = by_type({
    "supervised": record({"type": string(), "supervised": record({"hyperparameters": record(_SUPERVISED)})}, ["type"]),
    "dpo": record({"type": string(), "dpo": record({"hyperparameters": record(_DPO)})}, ["type"]),
    "reinforcement": record({"type": string(), "reinforcement": record({"grader": anything, "hyperparameters": record(_REINFORCEMENT)}, ["grader"])},
                            ["type", "reinforcement"]),
})  # fmt: skip
_WANDB = record({"type": choice("wandb"), "wandb": record({"project": string(), "name": nullable(string()), "entity": nullable(string()),
                 "tags": array(string(64), 0, 50)}, ["project"])}, ["type", "wandb"])  # fmt: skip
FIELDS = {
    "model": string(), "training_file": string(), "validation_file": nullable(string()), "suffix": nullable(string(64, 1)),
    "seed": nullable(integer(0, 2147483647)), "metadata": METADATA, "integrations": nullable(array(_WANDB, 0, 5)), "method": _METHOD,
    "hyperparameters": record(_SUPERVISED),
}  # fmt: skip


@dataclass
class Job:
    """One job. `fate` is where it ends: succeeded | stuck (runs for ever) | the code of an error it fails with."""

    id: str
    created_at: int
    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    method: dict[str, Any]
    metadata: dict[str, str] | None
    integrations: list[dict[str, Any]] | None
    fate: str = "succeeded"
    status: str = "validating_files"
    error: dict[str, Any] | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    result_files: list[str] = field(default_factory=list)
    trained_tokens: int | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    """Oldest first."""
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    step: int = 0
    steps: int = 0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    taught: dict[str, str] = field(default_factory=dict)
    """Last question -> answer, of the training file."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        return self.method[self.method["type"]]["hyperparameters"]

    def to_dict(self) -> dict[str, Any]:
        plain = {name: self.hyperparameters[name] for name in ("n_epochs", "batch_size", "learning_rate_multiplier")}
        return {
            "object": "fine_tuning.job", "id": self.id, "model": self.model, "created_at": self.created_at, "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model, "organization_id": "org-double", "result_files": list(self.result_files),
            "status": self.status, "validation_file": self.validation_file, "training_file": self.training_file, "hyperparameters": plain,
            "trained_tokens": self.trained_tokens, "error": self.error, "seed": self.seed, "estimated_finish": self.estimated_finish,
            "integrations": self.integrations or [], "metadata": self.metadata, "method": self.method,
        }  # fmt: skip


@dataclass(frozen=True)
class _Listed:
    """Something with an id in a list."""

    id: str
    told: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return self.told


@dataclass
class Jobs:
    """Those that are there, and how the next ones will end."""

    there: dict[str, Job] = field(default_factory=dict)
    fates: list[str] = field(default_factory=list)
    open: bool = True
    """Whether the organisation may still make jobs."""
    shy: int = 0
    """So many times a model that was just made is not found."""
    per_look: int = 4
    """Steps that pass between two looks at a job."""
    wandb: bool = True
    """Whether the organisation has stored a key of W&B."""

    def find(self, id: str) -> Job:
        if id not in self.there:
            raise RefusedError(
                Fault(404, f"Could not find fine tune: {id}", "invalid_request_error", "fine_tune_not_found", "fine_tune_id")
            )
        return self.there[id]


def create(platform: Platform, call: Call) -> dict[str, Any]:
    body = call.body
    check_body(body, FIELDS, ["model", "training_file"])
    jobs = platform.jobs
    if not jobs.open:
        raise RefusedError(Fault(403, "Fine-tuning is no longer available to your organization. See the deprecations page for details.",
                                 "invalid_request_error", "fine_tuning_not_available"))  # fmt: skip
    base = platform.models.there.get(body["model"])
    if base is None or tuning.base_of(base.id) not in BASES:
        raise refuse(f"Model {body['model']} is not available for fine-tuning or does not exist.", "model_not_available", "model")
    for name in ("training_file", "validation_file"):
        id = body.get(name)
        if id is None:
            continue
        if id not in platform.files.there:
            raise refuse(f"invalid {name}: {id}", None, name)
        stored = platform.files.there[id]
        if stored.purpose != "fine-tune":
            raise refuse(f"Invalid file purpose: expected 'fine-tune', but got '{stored.purpose}'.", "invalid_file_purpose", name)
    if body.get("integrations") and not jobs.wandb:
        raise refuse("You must have a W&B API key stored in your organization settings to use the W&B integration.", "wandb_not_configured",
                     "integrations")  # fmt: skip
    with platform.lock:
        made = Job(
            platform.new_id("ftjob-"), platform.now(), body["model"], body["training_file"], body.get("validation_file"), body.get("suffix"),
            body["seed"] if body.get("seed") is not None else 1_000_003 + len(jobs.there), _method(body), body.get("metadata"),
            _integrations(body.get("integrations")), jobs.fates.pop(0) if jobs.fates else "succeeded",
        )  # fmt: skip
        jobs.there[made.id] = made
        tuning.say(platform, made, f"Created fine-tuning job: {made.id}")
        tuning.say(platform, made, f"Validating training file: {made.training_file}" + (
            f" and validation file: {made.validation_file}" if made.validation_file else ""))  # fmt: skip
    return made.to_dict()


def _method(body: dict[str, Any]) -> dict[str, Any]:
    """The method with every hyperparameter that was left open as "auto"."""
    asked = body.get("method") or {"type": "supervised", "supervised": {"hyperparameters": body.get("hyperparameters", {})}}
    kind = asked["type"]
    known = {"supervised": _SUPERVISED, "dpo": _DPO, "reinforcement": _REINFORCEMENT}[kind]
    inner = asked.get(kind) or {}
    given = inner.get("hyperparameters") or {}
    return {"type": kind, kind: {**inner, "hyperparameters": {name: given.get(name, "auto") for name in known}}}


def _integrations(asked: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """As the platform tells them back."""
    return [{"type": "wandb", "wandb": {"entity": None, "name": None, "tags": [], **one["wandb"]}} for one in asked] if asked else None


def _paged(call: Call, found: list[Any], usual: int, known: tuple[str, ...] = ("limit", "after")) -> dict[str, Any]:
    """A page of a list, newest first."""
    for name in call.query:
        if name not in known and not name.startswith("metadata["):
            raise refuse(f"Unrecognized request argument supplied: {name}")
    limit = call.query.get("limit", str(usual))
    integer(1, 100)(int(limit) if limit.lstrip("-").isdigit() else limit, "limit")
    return page(found[::-1], call.query.get("after"), int(limit))


def every(platform: Platform, call: Call) -> dict[str, Any]:
    wanted = {name[9:-1]: value for name, value in call.query.items() if name.startswith("metadata[")}
    found = [job for job in platform.jobs.there.values() if all((job.metadata or {}).get(k) == v for k, v in wanted.items())]
    told = _paged(call, found, 20)
    return {key: told[key] for key in ("object", "data", "has_more")}


def one(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    """As it stands after one more step."""
    with platform.lock:
        found = platform.jobs.find(id)
        tuning.advance(platform, found)
        return found.to_dict()


def events(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    told = _paged(call, [_Listed(one["id"], one) for one in platform.jobs.find(id).events], 20)
    return {key: told[key] for key in ("object", "data", "has_more")}


def checkpoints(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    """One an epoch; only the last three are kept."""
    return _paged(call, [_Listed(one["id"], one) for one in platform.jobs.find(id).checkpoints[-3:]], 10)


def cancel(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    return _turn(platform, id, "cancelled", ("validating_files", "queued", "running", "paused"), "cancel", "Fine-tuning job cancelled")


def pause(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    return _turn(platform, id, "paused", ("queued", "running"), "pause", "Fine-tuning job paused")


def resume(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    return _turn(platform, id, "running", ("paused",), "resume", "Fine-tuning job resumed")


def _turn(platform: Platform, id: str, to: str, allowed: tuple[str, ...], verb: str, words: str) -> dict[str, Any]:
    with platform.lock:
        found = platform.jobs.find(id)
        if found.status not in allowed:
            raise refuse(f"Job has already completed: {id}" if found.finished_at else f"Cannot {verb} a job with status '{found.status}'.")
        found.status = to
        tuning.say(platform, found, words)
        if to == "cancelled":
            found.finished_at, found.estimated_finish = platform.now(), None
        return found.to_dict()


ROUTES = [
    ("POST", "/v1/fine_tuning/jobs", create), ("GET", "/v1/fine_tuning/jobs", every), ("GET", r"/v1/fine_tuning/jobs/([^/]+)", one),
    ("GET", r"/v1/fine_tuning/jobs/([^/]+)/events", events), ("GET", r"/v1/fine_tuning/jobs/([^/]+)/checkpoints", checkpoints),
    ("POST", r"/v1/fine_tuning/jobs/([^/]+)/cancel", cancel), ("POST", r"/v1/fine_tuning/jobs/([^/]+)/pause", pause),
    ("POST", r"/v1/fine_tuning/jobs/([^/]+)/resume", resume),
]  # fmt: skip
