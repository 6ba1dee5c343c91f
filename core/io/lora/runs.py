"""What training runs leave behind: adapters in the workspace and the history of a run.

    workspace/adapters/<id>/   adapter_config.json  adapter_model.safetensors  README.md (its card)
                               adapter.json (how it was made; written last)

An adapter's id is its job's id. The prompt and the settings lie beside the weights, so that asking it can never differ
from training it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import MissingError
from core.finetune.settings import TrainSettings
from core.format import count, plural
from core.io import files
from core.io.embedded.adapters import WEIGHTS, fingerprint
from core.io.embedded.weights import facts, model_dir
from core.io.lora import checkpoints
from core.prompt import Prompt

ABOUT = "adapter.json"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Adapter:
    """A trained adapter and how it came to be."""

    id: str
    title: str
    dataset: str
    version: str
    task: str
    step: int
    """The step that was kept."""
    steps: int
    """The steps the run was to have."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    """Folder name of the base model."""
    revision: str = ""
    """Which weights exactly: adapters fit no other base."""
    rows: int = 0
    seconds: float = 0.0
    train_loss: float | None = None
    validation_loss: float | None = None
    first_validation_loss: float | None = None
    tokens_per_second: float | None = None
    memory: int = 0
    created: str = ""
    estimate: Mapping[str, Any] = field(default_factory=dict)
    """What was expected before it began: {seconds, memory}."""
    stopped: bool = False
    """The run was stopped before its last step and may go on."""
    sha256: str = ""
    """Of its weights."""
    base_folder: str = ""
    """The folder of a base model that is neither the built-in one nor from the Hub."""
    hub: str = ""
    """ "owner/name@commit" of a base model from the Hub."""
    continued: Mapping[str, Any] = field(default_factory=dict)
    """The adapter it went on from: {adapter, title, version, step, rows, new, only_new}; empty where it began anew."""
    evaluation: str = ""
    base_evaluation: str = ""
    """Ids of the evaluations of its and its base's answers to the test rows."""
    choosing: Mapping[str, Any] = field(default_factory=dict)
    """How this checkpoint was chosen among those kept, by their answers to validation rows (choosing.json)."""
    forgetting: Mapping[str, Any] = field(default_factory=dict)
    """What it lost of general language and knowledge (forgetting.json)."""
    origin: str = "trained"
    """trained | uploaded: an uploaded one has a prompt somebody chose, and nothing is known of its training."""

    @property
    def folder(self) -> Path:
        return files.safe_join(files.folder("adapters"), self.id)

    @property
    def lineage(self) -> str:
        """ "continued from SmolLM2 fine-tuned (80 steps), 120 rows new since"; "" where it began anew."""
        if not self.continued:
            return ""
        told = f"continued from {self.continued['title']} ({count(self.continued['step'])} steps)"
        return told + f", {plural(self.continued['new'], 'row')} new since"

    def asked(self) -> Prompt:
        """The prompt it was trained with."""
        return Prompt.from_dict(self.prompt)

    def trained_with(self) -> TrainSettings:
        return TrainSettings.from_dict(self.settings)


def adapters(dataset: str | None = None) -> list[Adapter]:
    """All complete adapters, or those trained on a dataset; the newest first."""
    found = [_read(path) for path in files.folder("adapters").iterdir() if not path.name.startswith(".") and (path / ABOUT).is_file()]
    return sorted((one for one in found if dataset in (None, one.dataset)), key=lambda one: one.created, reverse=True)


def adapter(id: str) -> Adapter:
    """Raises MissingError."""
    path = files.safe_join(files.folder("adapters"), id)
    if not (path / ABOUT).is_file():
        raise MissingError(f"There is no adapter '{id[:40]}' in this workspace. Train one on Fine-tune.", title="That adapter is gone")
    return _read(path)


def publish(checkpoint: Path, about: Adapter, beside: Sequence[Path] = ()) -> Adapter:
    """Copy a checkpoint's weights to the adapters, whole or not at all; replaces the adapter of the same id.

    Of the files `beside` those that are there are copied too; the kept checkpoints of the same run stay.
    """
    place = about.folder
    building = place.with_name(f".{about.id}.{secrets.token_hex(4)}")
    made = Adapter(**{**asdict(about), "created": about.created or datetime.now(UTC).isoformat()})
    for left in place.parent.glob(f".{about.id}.*"):
        shutil.rmtree(left, ignore_errors=True)  # by a start of this run that was killed here
    with files.disk_errors(place):
        try:
            building.mkdir()
            for name in ("adapter_config.json", WEIGHTS):
                shutil.copyfile(checkpoint / name, building / name)
            for path in beside:
                if path.is_file():
                    shutil.copyfile(path, building / path.name)
            made = replace(made, sha256=fingerprint(building))
            files.write_json(building / ABOUT, asdict(made))
            if (place / CHECKPOINTS).is_dir():
                shutil.copytree(place / CHECKPOINTS, building / CHECKPOINTS)
            shutil.rmtree(place, ignore_errors=True)
            os.replace(building, place)
            files.sync_folder(place.parent)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return made


def note(id: str, **fields: Any) -> Adapter:
    """Write more about an adapter beside its weights."""
    made = replace(adapter(id), **fields)
    files.write_json(made.folder / ABOUT, asdict(made))
    return made


def about_of(folder: Path) -> dict[str, Any]:
    """What stands beside an adapter's weights, also for one of its checkpoints; {} for adapters from elsewhere."""
    path = (folder.parents[1] if folder.parent.name == CHECKPOINTS else folder) / ABOUT
    return files.read_json(path) if path.is_file() else {}


def keep_checkpoint(id: str, checkpoint: Path) -> Path:
    """Copy a checkpoint's weights into its run's adapter, as one that can be asked."""
    place = adapter(id).folder / CHECKPOINTS / checkpoint.name
    building = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    with files.disk_errors(place):
        try:
            building.mkdir(parents=True)
            for name in ("adapter_config.json", WEIGHTS):
                shutil.copyfile(checkpoint / name, building / name)
            shutil.rmtree(place, ignore_errors=True)
            os.replace(building, place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return place


def kept_checkpoints(id: str) -> dict[int, Path]:
    """Step -> folder of the checkpoints that were kept of a run, in order: each is an adapter that can be asked."""
    there = (adapter(id).folder / CHECKPOINTS).glob("step-*")
    found = {int(path.name.removeprefix("step-")): path for path in there if (path / WEIGHTS).is_file()}
    return dict(sorted(found.items()))


def referred(reference: str) -> Path:
    """The folder behind "ID", "ID:step-50" or a folder that holds an adapter. Raises MissingError."""
    if (Path(reference) / "adapter_config.json").is_file():
        return Path(reference)
    id, _, step = reference.partition(":")
    made = adapter(id)
    if not step:
        return made.folder
    there = kept_checkpoints(id)
    number = step.removeprefix("step-")
    if not number.isdigit() or int(number) not in there:
        kept = f"its steps {', '.join(map(str, there))} are" if there else "none is"
        raise MissingError(f"Of the run '{id}' no checkpoint '{step[:40]}' is kept; {kept}. Keep each measurement's checkpoint with the "
                           "setting keep.", title="No such checkpoint")  # fmt: skip
    return there[int(number)]


def delete(id: str) -> None:
    """Forget an adapter; the evaluations of its answers stay."""
    shutil.rmtree(files.safe_join(files.folder("adapters"), id), ignore_errors=True)


def last_step(folder: Path) -> int | None:
    """The step of the last complete checkpoint of a run's job folder: where Resume goes on."""
    there = checkpoints.steps(folder / "checkpoints")
    return there[-1] if there else None


def history(folder: Path) -> list[dict[str, Any]]:
    """The run's records {step, loss, ...} and {step, val_loss, says}, in order of steps.

    A resumed run repeats the steps after its checkpoint: the later record counts.
    """
    latest: dict[tuple[int, bool], dict[str, Any]] = {}
    for record in files.read_lines(folder / "history.jsonl"):
        if "note" not in record:
            latest[(int(record["step"]), "loss" in record)] = record
    return [latest[key] for key in sorted(latest)]


def notes(folder: Path) -> list[str]:
    """What the run changed by itself, such as a smaller batch where memory ran out, or why it ended early: sentences, in order."""
    return [str(one["note"]) for one in files.read_lines(folder / "history.jsonl") if one.get("note")]


def thinned(records: Sequence[Mapping[str, Any]], most: int = 60) -> list[float]:
    """At most that many train losses, evenly taken: for a sparkline."""
    losses = [float(one["loss"]) for one in records if one.get("loss") is not None]
    pace = max(1, -(-len(losses) // most))
    return losses[::pace]


def base_title(path: Path | None = None) -> str:
    """How results name the base model: "SmolLM2" for the built-in one, else its repository or folder."""
    known = facts(path or model_dir())
    return "SmolLM2" if known.licence else known.title


def _read(path: Path) -> Adapter:
    data = files.read_json(path / ABOUT)
    return Adapter(**{key: value for key, value in data.items() if key in Adapter.__dataclass_fields__})
