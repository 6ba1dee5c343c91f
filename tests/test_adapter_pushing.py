"""An adapter or its merged model on the Hub, through a loopback one: private, in one commit, with its card, and no token left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from core.io import jobs, lora
from core.io.jobs import Job
from core.io.lora.uploading import take
from tests import doubles
from tests.adapters import plain_adapter
from tests.hub_server import WRITER as SECRET
from tests.hub_server import Hub
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("pushing")
    base = tiny_model(root / "tiny")
    return base, plain_adapter(base, root / "good")


@pytest.fixture
def adapter(made, home, monkeypatch) -> lora.Adapter:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(made[0]))
    return take(made[1], doubles.version("regression", 60), name="Theirs")


def pushed(adapter: lora.Adapter, token: str | None = SECRET, **more: object) -> Job:
    request = {"adapter": adapter.id, "repo": "me/things", **more}
    return jobs.start("push_model", request, title="Push", environment={"HF_TOKEN": token} if token else None)


def arrived(online: Hub, job: Job) -> dict[str, bytes]:
    assert job.error is None, job.error
    assert job.result
    return online.repos["me/things"].files[job.result["commit"]]


def test_an_adapter_is_pushed_privately_in_one_commit_and_can_be_taken_in_again(online, adapter, made, tmp_path):
    job = pushed(adapter)
    files = arrived(online, job)
    assert online.repos["me/things"].private
    assert (job.result or {})["url"] == f"{online.url}/me/things"
    assert len(online.repos["me/things"].files) == 2, "the empty repository, and one commit"
    assert set(files) >= {"README.md", "adapter_config.json", "adapter_model.safetensors", "adapter.json"}
    assert files["adapter_model.safetensors"] == (made[1] / "adapter_model.safetensors").read_bytes()
    assert yaml.safe_load(files["README.md"].decode().split("---\n")[1])["library_name"] == "peft"
    back = tmp_path / "back"
    back.mkdir()
    for name, data in files.items():
        (back / name).write_bytes(data)
    assert take(back, doubles.version("regression", 60)).prompt == adapter.prompt


def test_a_merged_model_is_pushed_with_its_tokenizer(online, adapter):
    files = arrived(online, pushed(adapter, what="merged"))
    assert set(files) >= {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert yaml.safe_load(files["README.md"].decode().split("---\n")[1])["library_name"] == "transformers"


def test_neither_token_nor_folders_of_this_machine_are_left_anywhere(online, adapter, home, tmp_path):
    files = arrived(online, pushed(adapter))
    assert any(headers.get("authorization") == f"Bearer {SECRET}" for _, _, headers in online.requests)
    assert not [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not list(home.rglob("jobs/*/push")), "the scratch folder is gone"
    assert not any(str(tmp_path).encode() in data for data in files.values())
    assert "base_folder" not in json.loads(files["adapter.json"])


@pytest.mark.parametrize(
    ("token", "more", "title"),
    [
        (None, {}, "No token"),
        ("hf_may_only_read", {}, "No right to write"),
        (SECRET, {"repo": "things"}, "No owner"),
        (SECRET, {"what": "pickle"}, "Nothing to push"),
    ],
)
def test_what_cannot_be_pushed_says_why(online, adapter, token, more, title):
    job = pushed(adapter, token, **more)
    assert (job.error or {})["title"] == title
    assert online.objects == {}


def test_a_public_repository_is_not_written_to_when_private_was_asked_for(online, adapter):
    online.repo("me/things", {"a.txt": b""}, let_in={SECRET})
    assert (pushed(adapter).error or {})["title"] == "That repository is public"
    assert online.objects == {}
    assert pushed(adapter, private=False).state == "done"
