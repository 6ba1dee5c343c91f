"""Base models of a run: the embedded one, a folder, a repository of the Hub's double; adapters remember theirs."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from core.errors import DataError, MissingError, ModelError, ProviderError, SettingsError, Stopped
from core.finetune.settings import TrainSettings
from core.io import evaluations, jobs
from core.io.commands import generate as generate_command
from core.io.commands import predict as predict_command
from core.io.embedded import Engine, facts, tokenizer
from core.io.embedded.weights import CAME, clean_config
from core.io.lora import bases, runs
from core.io.sources import hub
from tests import doubles
from tests.hub_server import TOKEN, Hub
from tests.tiny import tiny_model

ID = "lab/tiny-model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "other", seed=5, width=48)


@pytest.fixture
def online(home, tiny, monkeypatch):
    with Hub() as server:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "WAIT", 1.0)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
        yield server


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def request(version, base: str, **more) -> dict:
    settings = TrainSettings(learning_rate=0.02, batch=4, max_tokens=128, max_steps=4).to_dict()
    return {"dataset": version.dataset, "version": version.id, "limit": 5, "settings": settings, "base": base, "forgetting": False, **more}


def test_a_repository_is_fetched_once_without_what_is_no_weight(online, other):
    commit = online.repo(ID, {**content(other), "pytorch_model.bin": b"pickle", "modeling.py": b"import os", "README.md": b"#"}).refs[
        "main"
    ]
    told: list[tuple[int, int, str]] = []
    place = bases.resolve(ID, lambda *how: told.append(how))
    assert sorted(content(place)) == sorted([*content(other), CAME])
    assert (place / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert bases.of(place).id == f"{ID}@{commit}"
    assert facts(place).revision == commit
    assert told[0][2] == f"Asking the Hub for {ID}"
    assert "Fetching" in told[-1][2]
    asked = len(online.requests)
    assert bases.resolve(ID) == bases.resolve(f"{ID}@{commit}") == place
    assert len(online.requests) == asked
    assert [one.title for one in bases.known()] == ["tiny", ID]


def test_a_run_on_a_repository_remembers_its_commit_and_answers_from_it(online, other, capsys):
    commit = online.repo(ID, content(other)).refs["main"]
    version = doubles.version("regression", 60)
    job = jobs.start("finetune", request(version, ID), title="Fine-tune", dataset=version.dataset)
    assert job.state == "done", job.error
    made = runs.adapter(job.id)
    assert (made.hub, made.revision, made.title) == (f"{ID}@{commit}", commit, f"{ID} fine-tuned")
    place = bases.of_adapter(made.folder)
    assert place == bases.here(ID)
    live = Engine(other)
    chat = [[{"role": "user", "content": "the price"}]]
    wanted = live.complete(chat, adapter=made.folder, max_tokens=8)[0].text
    live.close()
    parser = argparse.ArgumentParser()
    generate_command.arguments(parser)
    said = generate_command.run(parser.parse_args(["the price", "--adapter", job.id, "--max-tokens", "8"]), lambda told: None)
    assert said["text"] == wanted
    shutil.rmtree(place or Path("nowhere"))
    with pytest.raises(ModelError, match="no longer in this workspace"):
        bases.of_adapter(made.folder)


def test_a_folder_is_a_base_and_a_changed_one_is_noticed(home, tiny, other, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    place = shutil.copytree(other, tmp_path / "mine")
    version = doubles.version("regression", 60)
    job = jobs.start("finetune", request(version, str(place)), title="Fine-tune", dataset=version.dataset)
    assert job.state == "done", job.error
    made = runs.adapter(job.id)
    assert bases.of_adapter(made.folder) == place.resolve()
    assert [one.id for one in bases.known()] == ["", str(place.resolve())]
    shutil.copyfile(tiny / "model.safetensors", place / "model.safetensors")
    with pytest.raises(ModelError, match="Bring the earlier one back"):
        bases.of_adapter(made.folder)


def test_an_interrupted_download_goes_on_and_a_stop_ends_it(online, other, monkeypatch):
    monkeypatch.setattr(bases, "CHUNK", 1)
    online.repo(ID, content(other))

    def stop(done: int, total: int, message: str) -> None:
        if message.startswith("Fetching"):
            raise Stopped

    with pytest.raises(Stopped):
        bases.resolve(ID, stop)
    assert bases.here(ID) is None
    assert bases.resolve(ID) == bases.here(ID)


def test_no_way_to_the_hub_is_said_at_once(online, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ProviderError, match=r"HF_HUB_OFFLINE is set.*name a folder"):
        bases.resolve(ID)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ProviderError, match="does not answer"):
        bases.resolve(ID)


def test_gated_missing_and_unusable_repositories_say_so(online, other):
    whole = content(other)
    online.repo("lab/gated", whole, gated=True)
    online.repo("lab/pickled", {**{name: data for name, data in whole.items() if name != "model.safetensors"}, "pytorch_model.bin": b"x"})
    online.repo("lab/adapter", {"adapter_config.json": b"{}", "adapter_model.safetensors": b"x"})
    online.repo("lab/code", {**whole, "config.json": json.dumps({"model_type": "own", "auto_map": {"AutoModel": "x.Y"}}).encode()})
    online.repo("lab/bits", {**whole, "config.json": json.dumps({"model_type": "llama", "quantization_config": {"bits": 4}}).encode()})
    with pytest.raises(ProviderError, match="lab/gated is gated"):
        bases.resolve("lab/gated", token=TOKEN)
    for id, kind, words in [("lab/none", MissingError, "knows no model"), ("lab/pickled", ModelError, "no weights in safetensors"),
                            ("lab/adapter", DataError, "an adapter, not a base"), ("lab/code", ModelError, "code of its own"),
                            ("lab/bits", ModelError, "quantized already"), ("/nowhere/at/all", ModelError, "no model at")]:  # fmt: skip
        with pytest.raises(kind, match=words):
            bases.resolve(id, token=TOKEN)
    with pytest.raises(MissingError, match="no revision 'v9'"):
        bases.resolve("lab/code@v9")
    assert len(bases.known()) == 1, "nothing unusable stays"


def test_what_names_code_is_taken_out_of_a_fetched_configuration(online, other):
    config = {**json.loads((other / "config.json").read_text()), "auto_map": {"AutoModel": "modeling.Evil"}, "trust_remote_code": True}
    online.repo(ID, {**content(other), "config.json": json.dumps(config).encode()})
    held = json.loads((bases.resolve(ID) / "config.json").read_text())
    assert not set(held) & {"auto_map", "trust_remote_code"}
    assert clean_config(bases.resolve(ID)).hidden_size == 48


def test_a_model_without_a_chat_template_gets_plain_turns(home, other, tmp_path):
    place = shutil.copytree(other, tmp_path / "raw")
    told = json.loads((place / "tokenizer_config.json").read_text())
    del told["chat_template"]
    (place / "tokenizer_config.json").write_text(json.dumps(told))
    assert not bases.of(place).chat
    assert bases.of(other).chat
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    words = tokenizer(place)
    assert words.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == "Be brief.\n\nUser: Hi\nAssistant:"
    live = Engine(place)
    assert live.complete([chat], max_tokens=3)[0].tokens_out == 3
    live.close()


def test_predict_answers_from_an_adapters_own_base_with_its_own_prompt(home, tiny, other, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    version = doubles.version("regression", 60)
    job = jobs.start("finetune", request(version, str(other)), title="Fine-tune", dataset=version.dataset)
    assert job.state == "done", job.error
    out = tmp_path / "said.csv"
    parser = argparse.ArgumentParser()
    predict_command.arguments(parser)
    told = predict_command.run(parser.parse_args([version.id, "--adapter", job.id, "--limit", "5", "--out", str(out)]), lambda told: None)
    assert told["model"] == "other fine-tuned"
    kept = evaluations.load((job.result or {})["evaluation"]).answers.set_index("index")
    said = pd.read_csv(out).set_index("index")
    both = [place for place in said.index if place in kept.index]
    assert both
    assert [said.loc[place, "raw"] for place in both] == [kept.loc[place, "raw"] for place in both]
    with pytest.raises(SettingsError, match="--model"):
        predict_command.run(parser.parse_args([version.id]), lambda told: None)
