"""The whole job in one command, on a tiny model of random weights: every step real, nothing learnt worth mentioning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.io import evaluations, store
from tests.doubles import ROOT
from tests.tiny import tiny_model


@pytest.mark.timeout(600)
def test_the_demo_ends_in_a_table_a_verdict_and_a_report(tmp_path, home, monkeypatch):
    environment = {**os.environ, "FINETUNE_STUDIO_MODEL": str(tiny_model(tmp_path / "tiny")), "FINETUNE_STUDIO_JOBS": "inline"}
    command = [sys.executable, "-m", "core", "demo", "--rows", "900", "--steps", "3", "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert set(result) == {"table", "verdict", "report"}
    models = {row["model"] for row in result["table"]}
    assert {"Constant (median)", "Bag of words + linear", "tiny fine-tuned"} <= models
    assert any(model.endswith("prompted") for model in models)
    assert all(row["n"] == 75 for row in result["table"])
    assert all({"value", "low", "high"} <= set(row["metrics"]["mae"]) for row in result["table"])
    page = Path(result["report"]).read_text()
    assert "tiny fine-tuned" in page
    assert "<script" not in page
    (project,) = store.datasets()
    assert project.label == "Price it"
    assert project.versions[0].leak == "clean"
    assert {one.family for one in evaluations.of(project.id)} == {"trivial", "classical", "prompted", "tuned"}


def test_an_unknown_project_is_a_wrong_call():
    done = subprocess.run(
        [sys.executable, "-m", "core", "demo", "--project", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "price" in done.stderr
