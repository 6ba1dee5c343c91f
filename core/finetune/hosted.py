"""A fine-tuning job at a host of the platform's protocol: what is asked for, what its states mean, when this road ends.

Limits are those of the published API description (2026-08-21); dates those of the platform's deprecations page (2026-10-14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.errors import SettingsError
from core.format import plural

ENDED = ("succeeded", "failed", "cancelled")
"""States a job does not leave. Others, known or not, are states of a job under way."""
METHODS = {"supervised": "chat", "dpo": "preference", "reinforcement": "reinforcement"}
"""Method -> the format of its training file (a name of core.validate.formats)."""
NO_NEW_JOBS = date(2027, 1, 6)
NO_MODELS = date(2027, 1, 14)
MARK = "finetune_studio"
"""The key of a job's metadata by which the studio knows its own jobs again."""
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "n_epochs": (int, 1, 50), "batch_size": (int, 1, 256), "learning_rate_multiplier": (float, 1e-9, 1e6), "beta": (float, 1e-9, 2),
    "compute_multiplier": (float, 1e-5, 10), "eval_interval": (int, 1, 1e9), "eval_samples": (int, 1, 1e9),
}  # fmt: skip
_USUAL = ("n_epochs", "batch_size", "learning_rate_multiplier")
HYPERPARAMETERS = {
    "supervised": _USUAL,
    "dpo": (*_USUAL, "beta"),
    "reinforcement": (*_USUAL, "compute_multiplier", "eval_interval", "eval_samples", "reasoning_effort"),
}
EFFORTS = ("default", "low", "medium", "high")
MEANINGS = {
    "n_epochs": "How often every example is seen, 1 to 50.",
    "batch_size": "Examples per update, 1 to 256.",
    "learning_rate_multiplier": "How far each update goes, as a multiple of the host's usual rate.",
    "beta": "How closely the model stays to what it was, above 0 to 2; higher is closer.",
    "compute_multiplier": "How much is explored, as a multiple of the usual, up to 10.",
    "eval_interval": "Steps between two evaluations.",
    "eval_samples": "Answers per evaluated example.",
    "reasoning_effort": "How long the model thinks: default, low, medium or high.",
}


@dataclass(frozen=True)
class Wish:
    """What a job is asked to be. Raises SettingsError naming the field, its value and what is possible."""

    model: str
    method: str = "supervised"
    hyperparameters: Mapping[str, float | int | str] = field(default_factory=dict)
    """What is not named here is the host's choice ("auto")."""
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    wandb: Mapping[str, Any] = field(default_factory=dict)
    """project, and if wanted name, entity, tags: the host sends the run there."""
    grader: Mapping[str, Any] = field(default_factory=dict)
    """Of the method reinforcement."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise SettingsError("No model is named. Choose the base model that is to be trained.", title="No model")
        if self.method not in METHODS:
            raise SettingsError(f"There is no method '{self.method[:40]}'. Choose among {', '.join(METHODS)}.", title="Unknown method")
        for name, value in self.hyperparameters.items():
            _check(self.method, name, value)
        if len(self.suffix) > 64:
            raise SettingsError(f"The suffix has {len(self.suffix)} characters; at most 64 are possible.", title="The suffix is too long")
        if self.seed is not None and not 0 <= self.seed <= 2147483647:
            raise SettingsError(f"The seed is {self.seed}; it may be 0 to 2,147,483,647.", title="The seed is out of range")
        _check_metadata(self.metadata)
        if self.wandb and not str(self.wandb.get("project") or "").strip():
            raise SettingsError("W&B needs the name of a project.", title="No project")
        if (self.method == "reinforcement") != bool(self.grader):
            raise SettingsError("The method reinforcement needs a grader, and no other method has one.", title="The grader")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Wish:
        """Raises SettingsError for a field there is none of."""
        if unknown := sorted(set(data) - set(cls.__dataclass_fields__)):
            raise SettingsError(f"A hosted job has no setting {', '.join(unknown)}. It has {', '.join(cls.__dataclass_fields__)}.",
                                title="Unknown setting")  # fmt: skip
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """What is not empty, as JSON values."""
        return {name: dict(value) if isinstance(value, Mapping) else value for name in self.__dataclass_fields__
                if (value := getattr(self, name)) not in ("", None, {})}  # fmt: skip

    def request(self, training_file: str, validation_file: str | None = None, token: str = "") -> dict[str, Any]:
        """The body of POST /fine_tuning/jobs. `token` marks the job, so that it is found again after a broken connection."""
        inner: dict[str, Any] = {"hyperparameters": dict(self.hyperparameters)} if self.hyperparameters else {}
        inner |= {"grader": dict(self.grader)} if self.grader else {}
        metadata = {**self.metadata, **({MARK: token} if token else {})}
        made: dict[str, Any] = {"model": self.model, "training_file": training_file}
        made |= {"method": {"type": self.method, **({self.method: inner} if inner else {})}}
        made |= {"validation_file": validation_file} if validation_file else {}
        made |= {"suffix": self.suffix} if self.suffix else {}
        made |= {"seed": self.seed} if self.seed is not None else {}
        made |= {"metadata": metadata} if metadata else {}
        return made | ({"integrations": [{"type": "wandb", "wandb": dict(self.wandb)}]} if self.wandb else {})


def _check(method: str, name: str, value: Any) -> None:
    if name not in HYPERPARAMETERS[method]:
        known = ", ".join(HYPERPARAMETERS[method])
        raise SettingsError(f"The method {method} has no '{name[:40]}'; it has {known}.", title="Unknown hyperparameter")
    if value == "auto":
        return
    if name == "reasoning_effort":
        if value not in EFFORTS:
            raise SettingsError(f"reasoning_effort is '{value}'; it may be {', '.join(EFFORTS)}.", title="Out of range")
        return
    kind, low, high = _BOUNDS[name]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high or (kind is int and value != int(value)):
        raise SettingsError(f"{name} is {value!r}. {MEANINGS[name]} Or auto.", title="Out of range")


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > 15:
        raise SettingsError(
            f"{len(metadata)} pairs of metadata; at most 15 are possible beside the studio's own.", title="Too much metadata"
        )
    for key, value in metadata.items():
        if len(key) > 64 or len(value) > 512:
            raise SettingsError(f"Metadata '{key[:40]}': a name has at most 64 characters, a value 512.", title="Metadata is too long")


@dataclass(frozen=True)
class Progress:
    """How far a job is, read from what its host told."""

    status: str
    step: int = 0
    steps: int = 0
    finish: int | None = None
    """Seconds since 1970 when the host expects the end."""

    @property
    def over(self) -> bool:
        return self.status in ENDED


def progress(job: Mapping[str, Any], events: Sequence[Mapping[str, Any]] = ()) -> Progress:
    """The status in the host's own word, and the last step that was told."""
    told = [one["data"] for one in events if isinstance(one.get("data"), Mapping) and "step" in one["data"]]
    last = max(told, key=lambda data: data["step"], default={})
    return Progress(
        str(job.get("status", "unknown")), int(last.get("step", 0)), int(last.get("total_steps") or 0), job.get("estimated_finish")
    )


def metrics(events: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """The numbers of each step that was told, in order, each step once."""
    steps: dict[int, dict[str, float]] = {}
    for one in events:
        data = one.get("data")
        if isinstance(data, Mapping) and isinstance(data.get("step"), (int, float)):
            numbers = {str(k): float(v) for k, v in data.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
            steps.setdefault(int(data["step"]), {}).update(numbers)
    return [steps[step] for step in sorted(steps)]


def history(events: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, float]] = ()) -> list[dict[str, Any]]:
    """The steps as a run's history: {step, loss, time} and {step, val_loss, says, time}, in order.

    The loss over all validation rows counts where the host tells one, else that of each step's few. `results` are a result file's
    rows, for hosts whose events hold no numbers.
    """
    when = {int(one["data"]["step"]): one.get("created_at") for one in events if _tells_step(one)}
    told = metrics(events) or [dict(row) for row in results if "step" in row]
    whole = "full_valid_loss" if any("full_valid_loss" in one for one in told) else "valid_loss"
    records: list[dict[str, Any]] = []
    for one in told:
        step = int(one["step"])
        if "train_loss" in one:
            records.append({"step": step, "loss": one["train_loss"], "time": when.get(step)})
        if whole in one:
            records.append({"step": step, "val_loss": one[whole], "says": [], "time": when.get(step)})
    return records


def _tells_step(event: Mapping[str, Any]) -> bool:
    return isinstance(event.get("data"), Mapping) and isinstance(event["data"].get("step"), (int, float))


def failure(job: Mapping[str, Any]) -> str:
    """Why a job failed, in the host's words; "" when it did not or nothing was said."""
    told = job.get("error")
    if job.get("status") != "failed" or not isinstance(told, Mapping) or not told.get("message"):
        return ""
    return " ".join(str(told["message"]).split()) + (f" ({told['code']})" if told.get("code") else "")


def banner(today: date) -> str:
    """The end of hosted fine-tuning in one line."""
    left = (NO_NEW_JOBS - today).days
    if left > 0:
        return f"OpenAI stops creating fine-tuning jobs on 6 January 2027, in {plural(left, 'day')}. Local runs and other hosts stay open."
    if (models := (NO_MODELS - today).days) > 0:
        return (
            f"OpenAI creates no fine-tuning jobs any more; its fine-tuned models shut down on 14 January 2027, in {plural(models, 'day')}."
        )
    return "OpenAI has shut its fine-tuned models down. Local runs and other hosts stay open."


def wind_down(today: date) -> str:
    """What the end of hosted fine-tuning means today, and the way off."""
    jobs, models = (NO_NEW_JOBS - today).days, (NO_MODELS - today).days
    if models <= 0:
        return ("OpenAI's fine-tuned models were shut down on 14 January 2027. Their recorded answers stay comparable, and the same file "
                "trains a local model.")  # fmt: skip
    new = f"{plural(jobs, 'day')} left to create jobs (until 6 January 2027)"
    new = new if jobs > 0 else "no new jobs since 6 January 2027"
    return (f"OpenAI winds fine-tuning down: {new}, and {plural(models, 'day')} until every fine-tuned model is shut down (14 January "
            "2027). Only organisations that were active can create jobs. Record answers now to keep a model comparable, and train a local "
            "one on the same file.")  # fmt: skip
