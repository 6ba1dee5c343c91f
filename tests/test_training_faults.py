"""Trainings under faults: damaged and foreign adapters, a base that is gone, two tabs at once, a restart, settings of every kind cut off."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError, Stopped
from core.finetune.rows import TrainingRow
from core.finetune.settings import TrainSettings
from core.io import files, jobs, lora, store
from core.io.lora.standing import Run, Told
from core.io.lora.training import train
from core.version import Roles, Version
from tests import doubles
from tests.test_finetune_kills import flip
from tests.test_jobs import until
from tests.test_reporting import lives, offspring
from tests.tiny import tiny_model

FAST = TrainSettings(learning_rate=0.01, batch=4, max_tokens=96, max_steps=3, rank=4, precision="fp32", validation_rows=4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def model(home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base of this test's own, which it may damage."""
    place = home.parent / "base"
    shutil.copytree(tiny, place)
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(place))
    return place


def untested() -> Version:
    """A version without test rows: nothing is asked after a training."""
    table = doubles.frame("regression", 40)
    table = table.loc[table["split"] != "test"].reset_index(drop=True)
    return store.save("Things", table, title="Import", roles=Roles(text=("text",), target="answer", split="split"), task="regression",
                      source_hash="untested")  # fmt: skip


def asked(version: Version, settings: TrainSettings = FAST, **more: object) -> dict[str, object]:
    return {"dataset": version.dataset, "version": version.id, "settings": settings.to_dict(), "forgetting": False, **more}


def trained(version: Version, settings: TrainSettings = FAST, **more: object) -> jobs.Job:
    return jobs.start("finetune", asked(version, settings, **more), title="Fine-tune", dataset=version.dataset)


def cut(place: Path) -> None:
    (place / "adapter_model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")


DAMAGES = {
    "one bit": (lambda place: flip(place / "adapter_model.safetensors"), "A damaged adapter", "checksum differs"),
    "cut": (cut, "A damaged adapter", "checksum differs"),
    "weights gone": (
        lambda place: (place / "adapter_model.safetensors").unlink(),
        "Not an adapter",
        "adapter_model.safetensors is missing",
    ),
    "config": (lambda place: (place / "adapter_config.json").write_text("{"), "A damaged adapter", "adapter_config.json is not JSON"),
}


def test_adapters_that_are_damaged_or_do_not_fit_are_neither_gone_on_with_nor_used(model):
    from core.io.embedded.adapters import Adapters
    from core.io.embedded.loading import load_base

    version = untested()
    made = lora.adapter(trained(version).id)
    good = model.with_name("good")
    shutil.copytree(made.folder, good)
    adapters = Adapters(load_base(model, "fp32"))
    for damage, title, words in DAMAGES.values():
        shutil.rmtree(made.folder)
        shutil.copytree(good, made.folder)
        damage(made.folder)
        job = trained(version, continue_from=made.id)
        assert job.error
        assert (job.state, job.error["title"]) == ("failed", title)
        assert words in job.error["message"]
        with pytest.raises(ModelError, match=words):
            adapters.name(made.folder, set())
    shutil.rmtree(made.folder)
    shutil.copytree(good, made.folder)
    other = trained(version, replace(FAST, rank=8), continue_from=made.id)
    assert other.error
    assert "rank" in other.error["message"]
    assert "mistake in the studio" not in other.error["title"]
    assert adapters.name(made.folder, set())


def test_a_base_that_is_deleted_meanwhile_is_missed_in_words_and_found_again(model):
    version = untested()

    away = model.with_name("away")
    job = trained(version)
    (job.folder / "result.json").unlink()
    lora.delete(job.id)
    model.rename(away)
    gone = jobs.resume(job.id)
    assert gone.state == "failed"
    assert gone.error
    assert str(model) in gone.error["message"]
    assert "mistake in the studio" not in gone.error["title"]
    away.rename(model)
    assert jobs.resume(job.id).state == "done"


def test_a_loss_that_is_no_number_ends_the_run_with_the_reason_and_publishes_nothing(model, monkeypatch):
    from safetensors.torch import load_file, save_file

    weights = load_file(str(model / "model.safetensors"))
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, str(model / "model.safetensors"), {"format": "pt"})
    version = untested()
    unmeasured = trained(version, replace(FAST, validation_rows=1))
    assert unmeasured.error
    assert unmeasured.error["title"] == "The base model cannot be trained"
    monkeypatch.setattr("core.io.lora.standing.State.measure", lambda self: None)
    job = trained(version)
    assert job.state == "failed"
    assert job.error
    assert job.error["title"] == "The training diverged"
    assert "at step 1" in job.error["message"]
    assert lora.adapters() == []


def test_two_tabs_a_restart_of_the_studio_and_two_stops(child_jobs, tiny, monkeypatch):
    """One trains and the other waits; the studio that started them dies; one is stopped twice, then the other has its turn."""
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    monkeypatch.setenv("FINETUNE_STUDIO_THREADS", "1")
    version = untested()
    long = replace(FAST, epochs=200, max_steps=0, evaluate_every=4000, checkpoint_every=2)
    code = ("import json, sys, time; from core.io import jobs\n"
            "one = jobs.start('finetune', json.loads(sys.argv[1]), title='One'); print(one.id, flush=True)\n"
            "while not jobs.read(one.id).figures.get('kept'): time.sleep(0.05)\n"
            "print(jobs.start('finetune', json.loads(sys.argv[2]), title='Two').id, flush=True); time.sleep(600)")  # fmt: skip
    import json

    studio = subprocess.Popen([sys.executable, "-c", code, json.dumps(asked(version, long)), json.dumps(asked(version))],
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert studio.stdout
    first, second = studio.stdout.readline().strip(), studio.stdout.readline().strip()
    until(second, {"queued"})
    studio.send_signal(signal.SIGKILL)
    studio.wait()
    before = jobs.read(first)
    assert before.state == "running"
    workers = [pid for id in (first, second) for pid in offspring(int((jobs.read(id).folder / "pid").read_text()))]
    assert len(workers) == 2
    jobs.cancel(first)
    jobs.cancel(first)
    assert until(first, {"cancelled"}).error is None
    kept = lora.adapter(first)
    assert kept.stopped
    assert before.figures["kept"] <= kept.step < kept.steps
    assert until(second, {"done"}).result
    deadline = time.monotonic() + 20
    while any(map(lives, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(lives, workers))
    assert not files.is_locked(files.home() / "training.lock")


def rows(count: int, seed: int) -> list[TrainingRow]:
    lottery = np.random.default_rng(seed)
    return [TrainingRow(tuple(lottery.integers(5, 200, lottery.integers(3, 24)).tolist()), (*lottery.integers(5, 200, 3).tolist(), 2), i)
            for i in range(count)]  # fmt: skip


def drawn(seed: int) -> tuple[TrainSettings, int]:
    """Settings by lot, and the step after which a run of 6 is cut off."""
    lottery = np.random.default_rng(1000 + seed)

    def one(*of: object) -> object:
        return of[int(lottery.integers(len(of)))]

    settings = {
        "rank": one(2, 4, 8), "alpha": one(4, 16), "batch": one(1, 2, 3), "accumulate": one(1, 2), "schedule": one("cosine", "linear", "constant"),
        "warmup": one(0.0, 0.3), "group_by_length": one(True, False), "packing": one(True, False), "dropout": one(0.0, 0.2),
        "rslora": one(True, False), "dora": one(True, False), "targets": one("all-linear", "attention", "q_proj,down_proj"),
        "answers_only": one(True, False), "gradient_checkpointing": one(True, False), "weight_decay": one(0.0, 0.1),
        "checkpoint_every": one(1, 2, 3), "evaluate_every": one(2, 3), "keep_best": one(True, False), "keep": one("best", "each"),
    }  # fmt: skip
    return TrainSettings(learning_rate=0.01, max_tokens=96, precision="fp32", seed=seed, **settings), int(lottery.integers(1, 6))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
def test_a_run_with_any_settings_cut_off_at_any_step_ends_like_one_that_was_not(tiny, tmp_path, seed):
    settings, cut = drawn(seed)

    def run(name: str) -> Run:
        return Run(tiny, rows(14, seed), rows(4, 77), settings, 6, tmp_path / name)

    def stop(told: Told) -> None:
        if told.loss is not None and told.step == cut:
            raise Stopped

    whole = train(run("whole"), lambda told: None)
    with pytest.raises(Stopped):
        train(run("cut"), stop)
    losses: dict[int, float] = {}
    resumed = train(run("cut"), lambda told: losses.update({told.step: told.loss}) if told.loss is not None else None)
    assert (resumed.step, resumed.steps) == (whole.step, whole.steps)
    assert resumed.train_loss == pytest.approx(whole.train_loss, abs=1e-5)
    assert resumed.validation_loss == pytest.approx(whole.validation_loss, abs=1e-5)
    assert (resumed.checkpoint / "adapter_model.safetensors").read_bytes() == (whole.checkpoint / "adapter_model.safetensors").read_bytes()
    assert max(losses) == 6
