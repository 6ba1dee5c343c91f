"""kill -9 at twenty points of a training, a full disk, damaged checkpoints; then resume: the same adapter to the last bit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.finetune.settings import TrainSettings
from core.io import files, jobs, lora, store
from core.io.lora import checkpoints
from core.version import Roles
from tests import doubles
from tests.dying import Moment, Trainings

SETTINGS = TrainSettings(learning_rate=0.01, batch=2, accumulate=2, max_tokens=96, max_steps=6, evaluate_every=2, validation_rows=4,
                         rank=4, dropout=0.1, precision="fp32")  # fmt: skip
SHARES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
"""Places among all file operations of the checkpoints of a whole run."""
MOMENTS: list[float | Moment] = [*SHARES, *(Moment("torn", n) for n in (1, 2, 5)), *(Moment("step", n) for n in (1, 3, 4, 6)),
           *(Moment("adapters", n) for n in (1, 4, 7))]  # fmt: skip


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainings]:
    made = Trainings(tmp_path_factory.mktemp("model") / "tiny")
    yield made
    made.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a version and a training that was never started."""
    place = tmp_path_factory.mktemp("prepared") / "studio"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINETUNE_STUDIO_HOME", str(place))
        patch.setattr(jobs, "_launch", lambda folder, environment: None)
        table = doubles.frame("regression", 60)
        table = table.loc[table["split"] != "test"].reset_index(drop=True)  # without test rows nothing is asked afterwards
        roles = Roles(text=("text",), target="answer", category="kind", split="split")
        version = store.save("Things", table, title="Import", roles=roles, task="regression", source_hash="kills")
        request = {"dataset": version.dataset, "version": version.id, "settings": SETTINGS.to_dict(), "forgetting": False}
        jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset)
    return place


def workspace(prepared: Path, place: Path) -> Path:
    """A copy of it; returns the job's folder."""
    shutil.copytree(prepared, place)
    (folder,) = (place / "jobs").iterdir()
    return folder


def outcome(home: Path, folder: Path) -> dict[str, Any]:
    """Everything of a run that has to be the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINETUNE_STUDIO_HOME", str(home))
        job = jobs.read(folder.name)
        assert job.result, files.read_json(folder / "error.json") if (folder / "error.json").exists() else job.state
        made = lora.adapter(job.result["adapter"])
        losses = {
            (one["step"], name): one[name] for one in lora.history(folder) for name in ("loss", "val_loss") if one.get(name) is not None
        }
        return {"weights": (made.folder / "adapter_model.safetensors").read_bytes(), "losses": losses, "step": made.step,
                "final": (made.train_loss, made.validation_loss)}  # fmt: skip


@pytest.fixture(scope="module")
def whole(trainings: Trainings, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of a run that nothing interrupts, and how many file operations its checkpoints took."""
    home = tmp_path_factory.mktemp("whole") / "studio"
    folder = workspace(prepared, home)
    assert trainings.run(home, folder, count="checkpoints") == 0
    found = outcome(home, folder)
    assert sorted(step for step, name in found["losses"] if name == "loss") == [1, 2, 3, 4, 5, 6]
    return {**found, "operations": int((folder / "operations.txt").read_text())}


def ends_like(whole: dict[str, Any], trainings: Trainings, folder: Path) -> None:
    """Run it to its end, and compare."""
    home = folder.parents[1]
    assert trainings.run(home, folder) == 0
    found = outcome(home, folder)
    assert found["weights"] == whole["weights"]
    assert found["losses"] == pytest.approx(whole["losses"], abs=1e-5)
    assert found["final"] == pytest.approx(whole["final"], abs=1e-5)
    assert found["step"] == whole["step"]


@pytest.mark.parametrize("when", MOMENTS, ids=str)
def test_a_training_killed_at_any_point_ends_as_if_nothing_had_happened(
    when: float | Moment, trainings: Trainings, whole: dict[str, Any], prepared: Path, tmp_path: Path
) -> None:
    moment = when if isinstance(when, Moment) else Moment("checkpoints", 1 + round(when * (whole["operations"] - 1)))
    folder = workspace(prepared, tmp_path / "studio")
    assert trainings.run(tmp_path / "studio", folder, moment) == -9
    assert not (folder / "result.json").exists()
    ends_like(whole, trainings, folder)
    assert not (folder / "checkpoints").exists()
    assert [path.name for path in (tmp_path / "studio" / "adapters").iterdir() if path.is_dir()] == [folder.name]


@pytest.mark.parametrize(
    ("moment", "kept"),
    [(Moment("full", 1), []), (Moment("full weights", 1), []), (Moment("full weights", 4), [2]), (Moment("full weights", 5), [2, 4])],
    ids=str,
)
def test_a_full_disk_ends_a_training_with_its_last_checkpoint_whole_and_it_goes_on_once_there_is_room(
    moment: Moment, kept: list[int], trainings: Trainings, whole: dict[str, Any], prepared: Path, tmp_path: Path
) -> None:
    folder = workspace(prepared, tmp_path / "studio")
    assert trainings.run(tmp_path / "studio", folder, moment) == 0
    error = files.read_json(folder / "error.json")
    assert error["title"] == "The disk is full"
    assert "Free some space" in error["message"]
    assert list((folder / "checkpoints").glob(".*")) == [], "what was half written takes no room"
    assert checkpoints.steps(folder / "checkpoints") == kept
    assert checkpoints.last(folder / "checkpoints") == (folder / "checkpoints" / f"step-{kept[-1]:06d}" if kept else None)
    (folder / "error.json").unlink()
    ends_like(whole, trainings, folder)


@pytest.mark.parametrize("damaged", [(4,), (2, 4)], ids=str)
def test_a_damaged_checkpoint_is_said_and_the_one_before_is_taken(
    damaged: tuple[int, ...], trainings: Trainings, whole: dict[str, Any], prepared: Path, tmp_path: Path
) -> None:
    folder = workspace(prepared, tmp_path / "studio")
    assert trainings.run(tmp_path / "studio", folder, Moment("step", 6)) == -9
    assert checkpoints.steps(folder / "checkpoints") == [2, 4]
    for step, name in zip(damaged, ("adapter_model.safetensors", checkpoints.MANIFEST), strict=False):
        flip(folder / "checkpoints" / f"step-{step:06d}" / name)
    ends_like(whole, trainings, folder)
    (note,) = [one["note"] for one in files.read_lines(folder / "history.jsonl") if one.get("note")]
    steps, then = ("4", "goes on from step 2") if damaged == (4,) else ("2 and 4", "starts over")
    assert note == f"The checkpoint of step {steps} is damaged: it is not what was once written. Training {then}."


def flip(path: Path) -> None:
    """One bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
