"""Does what was written help: two trainings with equal update steps on a tiny random model, and the cheap classical pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.augment.presets import AugmentSettings
from core.errors import DataError
from core.io import children, effect, effect_lora, files, jobs, store
from core.io.augmenting import Writer
from core.io.work import Desk
from core.version import Version
from tests import doubles
from tests.tiny import tiny_model

SETTINGS = AugmentSettings("text", variants=1)
ASKED: dict[str, Any] = {"settings": {"max_steps": 4, "batch": 4, "max_tokens": 96, "rank": 4, "alpha": 8}, "limit": 6}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def augmented(task: str = "classification") -> Version:
    """A version with ten written rows."""
    version = doubles.version(task, 60)
    train = store.frame(version, split="train")
    rows = pd.DataFrame({"row": train.index[:10], "variant": [f"{text}, and nothing besides it" for text in train["text"].head(10)]})
    return children.save(version, rows, SETTINGS, Writer("hand"))


def lora(version: Version) -> jobs.Job:
    return jobs.start("effect", {"dataset": version.dataset, "version": version.id, "lora": ASKED}, title="Effect", dataset=version.dataset)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_both_adapters_take_the_same_steps_and_answer_the_same_rows(
    home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    runs: list[Any] = []
    from core.io.lora import training

    real = training.train
    monkeypatch.setattr(training, "train", lambda run, tell: runs.append(run) or real(run, tell))
    job = lora(augmented(task))
    assert job.state == "done", job.error
    assert job.result is not None
    found = effect.from_json(job.result)
    assert [(run.steps, run.settings, len(run.rows)) for run in runs] == [(4, runs[0].settings, 36), (4, runs[0].settings, 46)]
    assert not runs[0].settings.keep_best
    assert (found.steps, found.train_rows, found.new_rows, found.difference.n) == (4, 36, 10, 6)
    assert found.difference.low <= found.difference.value <= found.difference.high
    assert "4 update steps each" in found.sentence
    assert (job.step, job.total) == (20, 20)
    assert not (job.folder / "without").exists()


def test_a_cancelled_comparison_goes_on_where_it_was(home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    real = Desk.say

    def say(self: Desk, done: int, total: int, message: str = "", **figures: Any) -> None:
        if figures.get("side") == "with" and done == 12:
            (self.folder / "cancelled").touch()
        real(self, done, total, message, **figures)

    monkeypatch.setattr(Desk, "say", say)
    job = lora(augmented())
    assert job.state == "cancelled"
    assert len(files.read_lines(job.folder / "said_without.jsonl")) == 6
    monkeypatch.setattr(Desk, "say", real)
    trained: list[str] = []
    from core.io.lora import training

    whole = training.train
    monkeypatch.setattr(training, "train", lambda run, tell: trained.append(run.folder.name) or whole(run, tell))
    again = jobs.resume(job.id)
    assert again.state == "done", again.error
    assert trained == ["with"]
    assert len(files.read_lines(job.folder / "said_without.jsonl")) == 6


def test_the_same_rows_on_both_sides_give_no_difference(home: Path) -> None:
    sides = effect.saved_sides(augmented())
    same = effect.Sides(sides.version, sides.without, sides.without, sides.test, None, "")
    found = effect.classical(same)
    assert (found.difference.value, found.difference.p, found.word) == (0.0, 1.0, "not distinguishable")


def test_groups_of_test_rows_move_together(home: Path) -> None:
    from dataclasses import replace

    version = augmented()
    grouped = store.assign(version, replace(version.roles, group="kind"), version.task, version.prompt)
    sides = effect.saved_sides(grouped)
    assert sides.groups is not None
    assert len(set(sides.groups.tolist())) == store.frame(grouped, split="test")["kind"].nunique()


def test_a_result_of_before_is_still_read(home: Path) -> None:
    told = effect.to_json(effect.saved_effect(augmented()))
    del told["steps"]
    assert effect.from_json(told).steps == 0


def test_a_version_without_written_rows_has_nothing_to_measure(home: Path) -> None:
    with pytest.raises(DataError, match="no written rows"):
        effect.saved_effect(doubles.version("classification", 60))


def test_settings_are_the_quick_ones_with_what_is_asked_for(home: Path) -> None:
    version = doubles.version("qa", 60)
    made = effect_lora.settings_of(version, {"settings": {"max_steps": 7}})
    assert (made.max_steps, made.keep_best, made.rank) == (7, False, 32)


def test_copies_that_even_out_classes_are_no_written_rows(home: Path) -> None:
    """Versions of before tell written rows by their parent alone; a copy has one too."""
    version = doubles.version("classification", 60)
    rows = store.frame(version)
    train = store.frame(version, split="train")
    lineage = pd.array([None] * len(rows), dtype="Int64")
    copies = train.head(5).assign(parent_row=train.index[:5])
    written = train.iloc[5:9].assign(parent_row=train.index[5:9], text=[f"{text}, said anew" for text in train["text"].iloc[5:9]])
    whole = pd.DataFrame(pd.concat([rows.assign(parent_row=lineage), copies, written], ignore_index=True)).astype({"parent_row": "Int64"})
    old = store.save("Old", whole, title="Augment", roles=replace(version.roles, parent_row="parent_row"), task="classification",
                     source_hash="copies")  # fmt: skip
    assert children.synthetic(old, whole).tolist() == [False] * (len(rows) + 5) + [True] * 4
    found = effect.saved_effect(old)
    assert (found.train_rows, found.new_rows) == (len(train) + 5, 4)
