"""The model card of an adapter: what it says, what it leaves out, and that its script runs."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.finetune.card import LICENCE, MERGED, About, Score, adapter_card
from core.finetune.settings import TrainSettings
from core.io import jobs, lora
from core.io.lora import card
from tests import doubles
from tests.tiny import tiny_model

NAN = math.nan
KNOWN = About("SmolLM2 fine-tuned", "SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct", "abc", "Apache-2.0", ("en", "ko"),
              "Things", "0123456789abcdef", "regression", 36, 12, 8, 8, 3.0, TrainSettings().to_dict(),
              {"user": "What is it?\n\n$text", "prefix": "Price is $", "max_tokens": 8}, 1.0, 1.1, 2.2,
              (Score("Mean absolute error", "usd", 12, (44.1, 41.9, 46.4), (80.0, 70.0, 90.0), (-35.9, -40.0, -30.0), "better"),))  # fmt: skip


def front(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_metadata_is_what_the_hub_reads():
    found = front(adapter_card(KNOWN))
    assert found["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (found["library_name"], found["license"], found["language"]) == ("peft", "apache-2.0", ["en", "ko"])
    assert {"lora", "finetune-studio", "regression"} <= set(found["tags"])
    merged = front(adapter_card(KNOWN, MERGED))
    assert (merged["library_name"], merged["base_model_relation"]) == ("transformers", "finetune")
    assert "lora" not in merged["tags"]


def test_what_is_not_known_is_said_and_left_out_of_the_metadata():
    told = adapter_card(About("A", "some-folder"))
    assert {"base_model", "license", "language"}.isdisjoint(front(told))
    assert LICENCE in told
    assert "Not measured: no test rows were answered." in told
    assert "Nothing is known of how well it answers." in told


def test_scores_stand_beside_the_base_model_with_intervals():
    line = next(line for line in adapter_card(KNOWN).splitlines() if line.startswith("| Mean absolute error"))
    assert line.replace("\\", "") == "| Mean absolute error | $44.1 [41.9, 46.4] | $80.0 [70.0, 90.0] | −$35.9 [−40.0, −30.0] | better |"
    alone = adapter_card(About("A", "b", scores=(Score("Accuracy", "share", 40, (0.5, NAN, NAN)),)))
    assert "| Accuracy | 50 % | not measured |  |  |" in alone


def test_a_finding_of_forgetting_is_on_the_card():
    lost = {
        "language": "ko",
        "before": 20.0,
        "after": 31.0,
        "difference": 11.0,
        "low": 8.0,
        "high": 14.0,
        "finding": "It is more surprised.",
    }
    told = adapter_card(About("A", "b", forgetting={"texts": [lost], "questions": {"n": 40, "before": 0.5, "after": 0.45, "finding": ""}}))
    assert "| ko | 20.0 | 31.0 | 11.0 \\[8.00, 14.0\\] | forgotten: It is more surprised. |" in told
    assert "40 general questions: 50 % right before, 45 % after." in told


@pytest.mark.parametrize("hostile", ["</details><script>alert(1)</script>", "![x](http://evil/a.png)", "a | b", "---\nlicense: mit\n---"])
def test_names_of_the_data_are_text_in_the_card(hostile):
    told = adapter_card(About(hostile, hostile, dataset=hostile, version="1", rows=1, prompt={"user": hostile + "\n````\n"}))
    assert "license" not in front(told)
    fenced = [part for i, part in enumerate(told.split("`````")) if i % 2 == 0]
    assert not any("<script>" in part or "](http" in part for part in fenced)


def test_a_run_leaves_its_card_beside_its_weights_and_no_folder_of_this_machine_in_it(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny_model(tmp_path / "tiny")))
    version = doubles.version("regression", 60)
    settings = TrainSettings(learning_rate=0.02, batch=4, max_tokens=128, max_steps=4)
    request = {"dataset": version.dataset, "version": version.id, "limit": 5, "settings": settings.to_dict()}
    job = jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset)
    assert job.error is None
    made = lora.adapter(job.id)
    told = (made.folder / card.README).read_text()
    assert told == card.card_text(made)
    assert "36 train rows of the dataset Things" in told
    assert f"version `{version.id}`" in told
    assert "None of the 12 test rows was among them" in told
    assert "On the same 5 test rows" in told
    assert str(tmp_path) not in told
    assert str(tmp_path) not in card.clean_config(made)


def test_the_script_of_the_card_runs_beside_it(home, tmp_path, monkeypatch):
    base = tiny_model(tmp_path / "tiny")
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(base))
    chat = {"system": "Say 'it'.", "user": 'A "lamp"\n누가 $text', "prefix": "It is ", "max_tokens": 4}
    adapter_folder = _adapter(base, tmp_path / "adapter")
    script = adapter_card(About("A", "tiny", prompt=chat)).split("```python\n")[1].split("```")[0]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    script = script.replace("path/to/the/base/model", str(base))
    ran = subprocess.run([sys.executable, "-c", script], cwd=adapter_folder, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    from core.io.embedded import Engine

    engine = Engine(base)
    messages = [{"role": "system", "content": chat["system"]}, {"role": "user", "content": chat["user"]}]
    said = engine.complete([messages], adapter=adapter_folder, max_tokens=4, prefix="It is ")[0].text
    engine.close()
    assert ran.stdout.removesuffix("\n") == said


def _adapter(base: Path, place: Path) -> Path:
    from tests.adapters import plain_adapter

    return plain_adapter(base, place)
