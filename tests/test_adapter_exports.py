"""An adapter merged, exported and written as GGUF answers as it did with its base; nothing that leaves names a folder of this machine."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from core.errors import MissingError, StudioError
from core.io import files, jobs, lora
from core.io.embedded import Engine
from core.io.embedded.adapters import Adapters
from core.io.embedded.loading import load_base
from core.io.lora import card, exporting, gguf_file, merging
from core.io.lora.uploading import take
from tests import doubles
from tests.adapters import plain_adapter
from tests.tiny import tiny_model

TEXT = "<|im_start|>user\nthe price is 12 dollars, 누가 초록 램프를<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("exports")
    base = tiny_model(root / "tiny")
    return base, plain_adapter(base, root / "good")


@pytest.fixture
def adapter(made, home, monkeypatch) -> lora.Adapter:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(made[0]))
    return take(made[1], doubles.version("regression", 60), name="Theirs")


def logits(model, folder: Path):
    """(tokens, vocabulary) of TEXT."""
    import torch

    from core.io.embedded import tokenizer

    with torch.inference_mode():
        return model(torch.tensor([tokenizer(folder)(TEXT, add_special_tokens=False)["input_ids"]])).logits[0].float()


def adapted_logits(base: Path, folder: Path):
    held = Adapters(load_base(base, "fp32"))
    name = held.name(folder, set())
    held.model.set_adapter(name)
    return logits(held.model, base)


def exported(adapter: lora.Adapter, **request) -> dict:
    job = jobs.start("export_model", {"adapter": adapter.id, **request}, title="Export")
    assert job.error is None, job.error
    return dict(job.result or {})


def test_a_merged_model_gives_the_adapters_logits_without_peft(adapter, made):
    base, _ = made
    result = exported(adapter, what="merged")
    folder = Path(result["path"])
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"} <= set(result["files"])
    ours, plain = logits(load_base(folder, "fp32"), folder), logits(load_base(base, "fp32"), base)
    theirs = adapted_logits(base, adapter.folder)
    assert float((ours - theirs).abs().max()) < 1e-4 * float(theirs.abs().max())
    assert float((ours - plain).abs().max()) > 0.1
    assert result["bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    engine = Engine(folder)
    assert engine.complete([[{"role": "user", "content": "hello"}]], max_tokens=4)[0].finish in ("stop", "length")
    engine.close()


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings")
def test_merging_leaves_the_first_layer_alone_where_the_last_shares_its_table(made, home, tmp_path, monkeypatch):
    base = made[0]
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(base))
    head = take(plain_adapter(base, tmp_path / "head", targets=("lm_head",)), doubles.version("regression", 60))
    folder = Path(exported(head, what="merged")["path"])
    theirs, ours = adapted_logits(base, head.folder), logits(load_base(folder, "fp32"), folder)
    assert float((ours - theirs).abs().max()) < 1e-4 * float(theirs.abs().max())


def test_dora_is_merged_too(made, home, tmp_path, monkeypatch):
    base = made[0]
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(base))
    dora = take(plain_adapter(base, tmp_path / "dora", use_dora=True), doubles.version("regression", 60))
    folder = Path(exported(dora, what="merged")["path"])
    theirs, ours = adapted_logits(base, dora.folder), logits(load_base(folder, "fp32"), folder)
    assert float((ours - theirs).abs().max()) < 1e-3 * float(theirs.abs().max())


def test_the_size_and_memory_told_beforehand_are_what_is_written(adapter):
    disk, memory = exporting.expected(adapter, "merged")
    result = exported(adapter, what="merged")
    weights = (Path(result["path"]) / "model.safetensors").stat().st_size
    assert abs(weights - disk) <= 0.05 * disk
    assert memory > 2 * disk
    assert exporting.expected(adapter, "merged", zip=True)[0] == 2 * disk


def test_a_merged_model_comes_as_a_zip_too(adapter):
    result = exported(adapter, what="merged", zip=True)
    with zipfile.ZipFile(result["path"]) as archive:
        assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= set(archive.namelist())
    assert [path.name for path in Path(result["path"]).parent.iterdir()] == ["merged.zip"]


def test_nothing_that_leaves_names_a_folder_of_this_machine(adapter, made, home, tmp_path):
    folder = Path(exported(adapter, what="merged")["path"])
    with zipfile.ZipFile(io.BytesIO(exporting.adapter_zip(adapter))) as archive:
        texts = [archive.read(name) for name in archive.namelist() if not name.endswith(".safetensors")]
    texts += [path.read_bytes() for path in folder.iterdir() if path.suffix in (".json", ".md", ".jinja")]
    for place in (str(tmp_path), str(home), str(made[0].parent)):
        assert not any(place.encode() in text for text in texts)
    assert "library_name: transformers" in (folder / "README.md").read_text()


def test_an_exported_adapter_comes_back_as_it_was(adapter):
    again = take(io.BytesIO(exporting.adapter_zip(adapter)), doubles.version("regression", 60), name="again.zip")
    assert again.title == "again (uploaded)"
    assert (again.revision, again.prompt) == (adapter.revision, adapter.prompt)
    for name in ("adapter_model.safetensors",):
        assert (again.folder / name).read_bytes() == (adapter.folder / name).read_bytes()


@pytest.mark.parametrize(("kind", "tolerance"), [("f32", 1e-5), ("f16", 0.03), ("bf16", 0.15)])
def test_a_gguf_read_back_gives_the_adapters_logits_and_tokens(adapter, made, kind, tolerance):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from core.io.embedded import tokenizer

    base = made[0]
    result = exported(adapter, what="gguf", type=kind)
    path = Path(result["path"])
    assert [one.name for one in path.parent.iterdir()] == [path.name], "the merged model it was made of is gone"
    back = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    theirs, ours = adapted_logits(base, adapter.folder), logits(back, base)
    assert float((ours - theirs).abs().max()) < tolerance * float(theirs.abs().max())
    mine = tokenizer(base)
    assert words(TEXT, add_special_tokens=False)["input_ids"] == mine(TEXT, add_special_tokens=False)["input_ids"]
    assert (words.chat_template, words.eos_token, words.pad_token) == (mine.chat_template, mine.eos_token, mine.pad_token)


def test_a_gguf_of_eight_bits_holds_every_weight_within_half_a_step(adapter, made):
    import numpy as np
    from gguf import GGUFReader, dequantize

    folder = Path(exported(adapter, what="merged")["path"])
    whole = load_base(folder, "fp32").model.embed_tokens.weight.detach().numpy()
    result = exported(adapter, what="gguf", type="q8_0")
    held = next(one for one in GGUFReader(result["path"]).tensors if one.name == "token_embd.weight")
    assert held.tensor_type.name == "Q8_0"
    back = dequantize(held.data, held.tensor_type).reshape(whole.shape)
    step = np.abs(whole.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    assert (np.abs((back - whole).reshape(-1, 32)) <= 0.51 * step + 1e-3 * np.abs(whole.reshape(-1, 32))).all()


def test_a_model_that_gguf_is_not_written_of_says_what_writes_it(made, tmp_path):
    other = Path(shutil.copytree(made[0], tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "gemma3"}))
    with pytest.raises(StudioError, match=r"convert_hf_to_gguf\.py"):
        gguf_file.write_gguf(other, tmp_path / "out.gguf")
    words = json.loads((made[0] / "tokenizer.json").read_text())
    (other / "config.json").write_text(json.dumps(config))
    (other / "tokenizer.json").write_text(json.dumps({**words, "pre_tokenizer": {"type": "Metaspace"}}))
    with pytest.raises(StudioError, match="cuts its text in a way that is not known here"):
        gguf_file.write_gguf(other, tmp_path / "out.gguf")
    assert not list(tmp_path.glob("*.gguf*"))


def test_without_its_base_nothing_is_merged_and_it_is_said(adapter, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny_model(tmp_path / "another", seed=5, width=16)))
    monkeypatch.setattr(card, "bases_here", lambda: [tmp_path / "another"])
    with pytest.raises(MissingError, match="is not on this machine"):
        merging.merge(adapter, tmp_path / "merged")
    job = jobs.start("export_model", {"adapter": adapter.id, "what": "merged"}, title="Export")
    assert (job.error or {})["title"] == "Its base model is not here"


def test_too_little_memory_or_disk_is_told_before_anything_is_written(adapter, tmp_path, monkeypatch):
    monkeypatch.setattr("core.io.device.memory", lambda: 1 << 20)
    with pytest.raises(StudioError, match="of memory and this machine has"):
        merging.merge(adapter, tmp_path / "out" / "merged")
    monkeypatch.setattr("core.io.device.memory", lambda: 1 << 40)
    monkeypatch.setattr(merging.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 100))  # type: ignore[attr-defined]
    with pytest.raises(StudioError, match="are free where the workspace is"):
        merging.merge(adapter, tmp_path / "out" / "merged")
    assert not list((tmp_path / "out").iterdir())
    assert not (files.home() / "exports").exists()
