"""What every test may ask for: an empty workspace, jobs in the same process, no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("studio", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))  # load fails no test
settings.load_profile("studio")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace; jobs run in the calling process."""
    place = tmp_path / "studio"
    monkeypatch.setenv("FINETUNE_STUDIO_HOME", str(place))
    monkeypatch.setenv("FINETUNE_STUDIO_JOBS", "inline")
    return place


@pytest.fixture
def child_jobs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace; jobs are real child processes."""
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    return home
