"""One training over several processes: the same result as one process, the same words when it fails, nothing left when it is stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from core.errors import ModelError, SettingsError, Stopped
from core.finetune.settings import TrainSettings
from core.io.lora import several
from core.io.lora.standing import Run
from core.io.lora.training import train
from tests.test_training import rows
from tests.tiny import tiny_model

BASE = TrainSettings(learning_rate=0.02, batch=4, rank=4, alpha=8, precision="fp32", evaluate_every=3, patience=9)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def run_of(tiny: Path, folder: Path, settings: TrainSettings = BASE, steps: int = 6) -> Run:
    return Run(tiny, rows(), rows(6, seed=1), settings, steps, folder, [[10, 20, 30]], 4)


def test_a_run_survives_the_way_to_another_process(tiny: Path, tmp_path: Path) -> None:
    run = replace(run_of(tiny, tmp_path), continue_from=tmp_path / "adapter")
    back = several.unpacked(json.loads(json.dumps(several.packed(run))))
    assert (tuple(back.rows), tuple(back.validation)) == (tuple(run.rows), tuple(run.validation))
    assert replace(back, rows=(), validation=()) == replace(run, rows=(), validation=())


@pytest.mark.skipif(torch.cuda.is_available(), reason="with CUDA devices each process takes one")
def test_two_processes_learn_what_one_learns_and_tell_the_same(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, list[tuple[int, float | None, float | None]]] = {"one": [], "two": []}
    one = train(run_of(tiny, tmp_path / "one"), lambda now: told["one"].append((now.step, now.loss, now.val_loss)))
    monkeypatch.setenv(several.WANTED, "2")
    two = train(run_of(tiny, tmp_path / "two"), lambda now: told["two"].append((now.step, now.loss, now.val_loss)))
    assert (two.step, two.steps, two.checkpoints) == (one.step, one.steps, one.checkpoints)
    assert [(step, loss is None, val is None) for step, loss, val in told["two"]] == [
        (step, loss is None, val is None) for step, loss, val in told["one"]
    ]
    numbers = [[x for line in told[who] for x in line[1:] if x is not None] for who in ("one", "two")]
    assert numbers[1] == pytest.approx(numbers[0], abs=2e-4)
    weights = [load_file(str(made.checkpoint / "adapter_model.safetensors")) for made in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=2e-3) for name in weights[0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="with CUDA devices each process takes one")
def test_stopping_ends_every_process_and_an_error_keeps_its_words(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(several.WANTED, "2")

    def stop(now: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        train(run_of(tiny, tmp_path / "stopped", steps=100_000), stop)
    assert [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(one.info["cmdline"] or [])] == []
    with pytest.raises(ModelError, match="nothing_like_it"):
        train(run_of(tiny, tmp_path / "failed", replace(BASE, targets="nothing_like_it")), lambda now: None)


@pytest.mark.parametrize("named", ["0", "-1", "two", "1.5"])
def test_a_number_of_processes_that_cannot_be_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(several.WANTED, named)
    with pytest.raises(SettingsError, match="whole number"):
        several.processes()


@pytest.mark.parametrize(("batch", "accumulate", "shared"), [(8, 1, (2, 1)), (3, 4, (3, 1)), (3, 2, None)])
def test_a_batch_is_shared_by_rows_or_by_batches_or_refused(
    batch: int, accumulate: int, shared: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    settings = replace(BASE, batch=batch, accumulate=accumulate)
    if shared is None:
        with pytest.raises(SettingsError, match="multiple of 4"):
            several.share(settings)
    else:
        made = several.share(settings)
        assert (made.batch, made.accumulate) == shared
