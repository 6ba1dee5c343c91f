"""kill -9 at twenty points of a training, between steps and inside every kind of write, then resume: the same adapter to the last bit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.finetune.settings import TrainSettings
from core.io import files, jobs, lora, store
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


@pytest.mark.parametrize("when", MOMENTS, ids=str)
def test_a_training_killed_at_any_point_ends_as_if_nothing_had_happened(
    when: float | Moment, trainings: Trainings, whole: dict[str, Any], prepared: Path, tmp_path: Path
) -> None:
    moment = when if isinstance(when, Moment) else Moment("checkpoints", 1 + round(when * (whole["operations"] - 1)))
    folder = workspace(prepared, tmp_path / "studio")
    assert trainings.run(tmp_path / "studio", folder, moment) == -9
    assert not (folder / "result.json").exists()
    assert trainings.run(tmp_path / "studio", folder) == 0
    found = outcome(tmp_path / "studio", folder)
    assert found["weights"] == whole["weights"]
    assert found["losses"] == pytest.approx(whole["losses"], abs=1e-5)
    assert found["final"] == pytest.approx(whole["final"], abs=1e-5)
    assert found["step"] == whole["step"]
    assert not (folder / "checkpoints").exists()
    assert [path.name for path in (tmp_path / "studio" / "adapters").iterdir() if path.is_dir()] == [folder.name]
