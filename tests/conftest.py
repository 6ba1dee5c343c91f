"""What every test may ask for: an empty workspace, jobs in the same process, no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from openai import OpenAI

    from tests.hub_server import Hub
    from tests.platform import Platform

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


@pytest.fixture
def weights(home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The built-in model's folder, converted once for all tests of this run; skips where its weights are not installed."""
    from core.io import embedded, files

    if embedded.wheel_missing():
        pytest.skip("the package with the embedded weights is not installed")
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "built_in"
    shared.mkdir(exist_ok=True)
    with files.lock(shared / ".lock"), monkeypatch.context() as there:
        there.setenv("FINETUNE_STUDIO_HOME", str(shared))
        place = embedded.ensure_converted()
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(place))
    return place


@pytest.fixture
def server() -> Iterator[Platform]:
    """The platform's double, empty."""
    from tests.platform import Platform

    with Platform() as one:
        yield one


@pytest.fixture
def client(server: Platform) -> Iterator[OpenAI]:
    """The official client of that double; it tries everything once."""
    import openai

    from tests.platform import KEY

    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as one:
        yield one


@pytest.fixture
def online(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on loopback in place of the real one, to which whoever bears WRITER may push."""
    from core.io.sources import hub
    from tests.hub_server import WRITER, Hub

    with Hub() as there:
        there.writers.add(WRITER)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "WAIT", 2.0)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        yield there
