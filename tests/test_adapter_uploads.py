"""Adapters from elsewhere: a good one answers and can be measured; hostile and broken ones are refused in words and leave nothing."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from core.errors import MissingError, StudioError
from core.io import evaluations, files, jobs, lora
from core.io.embedded import Engine
from core.io.lora import unpacking
from core.io.lora.uploading import take
from core.prompt import Prompt
from tests import doubles
from tests.adapters import plain_adapter, reconfigured
from tests.tiny import tiny_model

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    """A base model and a good adapter of it."""
    root = tmp_path_factory.mktemp("uploads")
    base = tiny_model(root / "tiny")
    return base, plain_adapter(base, root / "good")


@pytest.fixture
def good(made, home, tmp_path, monkeypatch) -> Path:
    base, adapter = made
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(base))
    return Path(shutil.copytree(adapter, tmp_path / "good"))


def zipped(folder: Path, more: dict[str, bytes] | None = None, *, root: str = "", packed: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, root + path.name)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def tensors(path: Path) -> tuple[dict, bytes]:
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def rewrite(path: Path, header: object, numbers: bytes) -> None:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + numbers)


def nothing_is_left() -> bool:
    return not list(files.folder("adapters").iterdir())


# --- what is taken


@pytest.mark.parametrize("how", ["folder", "zip", "zip of a folder"])
def test_a_good_adapter_becomes_one_of_the_workspace_and_answers(good, made, how):
    version = doubles.version("regression", 60)
    (good / "tokenizer.json").write_text("{")
    (good / "training_args.bin").write_bytes(b"\x80\x04never opened")
    source = good if how == "folder" else zipped(good, root="" if how == "zip" else "my-adapter/")
    taken = take(source, version, name="Theirs")
    assert (taken.origin, taken.title, taken.dataset, taken.base) == ("uploaded", "Theirs (uploaded)", version.dataset, "tiny")
    assert sorted(path.name for path in taken.folder.iterdir()) == ["README.md", "adapter.json", CONFIG, WEIGHTS]
    assert lora.adapter(taken.id) == taken
    assert taken.prompt == version.prompt.to_dict() if version.prompt else False
    engine = Engine(made[0])
    chat = [[{"role": "user", "content": "plain kettle"}]]
    base, theirs, here = (engine.complete(chat, adapter=one, max_tokens=8)[0].text for one in (None, made[1], taken.folder))
    engine.close()
    assert theirs == here != base


def test_an_uploaded_adapter_is_measured_on_the_test_rows_with_the_chosen_prompt(good):
    version = doubles.version("regression", 60)
    chosen = Prompt(user="How much?\n$text", prefix="It is ", max_tokens=4)
    taken = take(zipped(good), version, prompt=chosen)
    assert taken.asked() == chosen
    request = {"dataset": version.dataset, "version": version.id, "measure": taken.id, "limit": 6}
    job = jobs.start("finetune", request, title="Measure", dataset=version.dataset)
    assert job.error is None
    assert job.result
    found = evaluations.load(job.result["evaluation"])
    assert (found.family, found.n, found.notes["adapter_id"]) == ("tuned", 6, taken.id)
    assert found.settings["prompt"]["prefix"] == "It is "
    assert "On the same 6 test rows" in (taken.folder / "README.md").read_text()


def test_what_an_exported_adapter_knows_of_itself_comes_back(good):
    own = Prompt(user="Its own way: $text", max_tokens=3)
    (good / "adapter.json").write_text(json.dumps({"prompt": own.to_dict(), "title": "x", "dataset": "../../etc", "folder": "/"}))
    (good / "README.md").write_text("# Their card\n")
    taken = take(good, doubles.version("regression", 60))
    assert taken.asked() == own
    assert (taken.folder / "README.md").read_text() == "# Their card\n"
    assert taken.dataset == "things"


def test_a_pattern_of_layers_is_never_run_the_weights_say_which_layers(good, made):
    reconfigured(good, target_modules="(a+)+$", exclude_modules="(x+)+y", layers_pattern="(z+)+")
    taken = take(good, doubles.version("regression", 60))
    told = json.loads((taken.folder / CONFIG).read_text())
    assert told["target_modules"] == [f"model.layers.{i}.self_attn.{name}_proj" for i in (0, 1) for name in ("q", "v")]
    assert set(told) == {"peft_type", "task_type", "base_model_name_or_path", "r", "lora_alpha", "target_modules"}


def test_dora_and_a_rank_of_its_own_for_a_layer_are_taken(made, home, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(made[0]))
    dora = plain_adapter(made[0], tmp_path / "dora", use_dora=True, rank_pattern={"v_proj": 2})
    taken = take(dora, doubles.version("regression", 60))
    engine = Engine(made[0])
    chat = [[{"role": "user", "content": "plain kettle"}]]
    theirs, here = (engine.complete(chat, adapter=one, max_tokens=8)[0].text for one in (dora, taken.folder))
    engine.close()
    assert theirs == here


def test_a_base_model_that_is_not_here_is_named_and_another_one_may_be_chosen(good, made):
    reconfigured(good, base_model_name_or_path="Qwen/Qwen2.5-7B-Instruct")
    version = doubles.version("regression", 60)
    with pytest.raises(MissingError, match=r"'Qwen/Qwen2.5-7B-Instruct' as its base model, and that is not on this machine. Here .* tiny"):
        take(good, version)
    assert nothing_is_left()
    assert take(good, version, base=made[0]).base == "tiny"


# --- what is refused

HOSTILE_SETTINGS = {
    "code": ({"auto_map": {"AutoModel": "evil.Model"}}, "names code of its own"),
    "prompt tuning": ({"peft_type": "PROMPT_TUNING"}, "of the kind 'PROMPT_TUNING'"),
    "no kind": ({"peft_type": None}, "of the kind 'None'"),
    "a classifier": ({"task_type": "SEQ_CLS"}, "made for SEQ_CLS"),
    "a huge rank": ({"r": 10**9}, "rank of good is 1000000000; it can be 1 to 1024"),
    "a rank in words": ({"r": "8"}, "rank of good is 8"),
    "rank true": ({"r": True}, "rank of good is True"),
    "a huge alpha": ({"lora_alpha": 1e300}, "lora_alpha of good is 1e[+]300"),
    "whole layers": ({"modules_to_save": ["lm_head"]}, "whole copies of layers"),
    "repeated layers": ({"layer_replication": [[0, 2], [0, 2]]}, "repeats layers"),
    "a pattern as a name": ({"rank_pattern": {"(a+)+$": 4}}, "must name layers plainly"),
    "biases": ({"bias": "all"}, "has biases"),
    "another rank than its weights": ({"r": 8}, "with rank 8 needs lora_A 8x32"),
    "magnitudes that are missing": ({"use_dora": True}, "needs .*lora_magnitude_vector"),
}


@pytest.mark.parametrize("name", HOSTILE_SETTINGS)
def test_settings_that_cannot_be_used_are_refused(good, name):
    changes, told = HOSTILE_SETTINGS[name]
    reconfigured(good, **changes)
    with pytest.raises(StudioError, match=told):
        take(good, doubles.version("regression", 60))
    assert nothing_is_left()


HOSTILE_JSON = {
    "no JSON": (b"{", "not JSON"),
    "a list": (b"[1]", "holds no settings but a list"),
    "deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not JSON"),
    "NaN": (b'{"peft_type": "LORA", "r": NaN}', "NaN is no number"),
    "twice": (b'{"r": 1, "r": 2}', "'r' stands there twice"),
    "not UTF-8": (b"\xff\xfe{}", "not JSON"),
    "too large": (b" " * (2 << 20), "are read"),
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_settings_that_cannot_be_read_are_refused(good, name):
    raw, told = HOSTILE_JSON[name]
    (good / CONFIG).write_bytes(raw)
    for source in (good, zipped(good, packed=zipfile.ZIP_STORED)):
        with pytest.raises(StudioError, match=told):
            take(source, doubles.version("regression", 60))
    assert nothing_is_left()


def _nan(path: Path) -> None:
    header, numbers = tensors(path)
    rewrite(path, header, struct.pack("<f", float("nan")) + numbers[4:])


def _infinite(path: Path) -> None:
    header, numbers = tensors(path)
    rewrite(path, header, numbers[:-4] + struct.pack("<f", float("inf")))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"#!/bin/sh")


def _bomb(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def _overlap(path: Path) -> None:
    header, numbers = tensors(path)
    names = [name for name in header if name != "__metadata__"]
    header[names[1]]["data_offsets"] = header[names[0]]["data_offsets"]
    header[names[1]]["shape"] = header[names[0]]["shape"]
    rewrite(path, header, numbers)


def _renamed(path: Path) -> None:
    header, numbers = tensors(path)
    name = next(name for name in header if name != "__metadata__")
    header[name.replace("layers.0", "layers.77").replace("layers.1.", "layers.78.")] = header.pop(name)
    rewrite(path, header, numbers)


def _wider(path: Path) -> None:
    header, numbers = tensors(path)
    one = next(one for name, one in header.items() if name.endswith("lora_A.weight"))
    one["shape"] = [one["shape"][0] * 2, one["shape"][1] // 2]
    rewrite(path, header, numbers)


def _huge_shape(path: Path) -> None:
    header, numbers = tensors(path)
    next(one for name, one in header.items() if name != "__metadata__")["shape"] = [1 << 39, 1 << 39]
    rewrite(path, header, numbers)


def _other_format(path: Path) -> None:
    header, numbers = tensors(path)
    next(one for name, one in header.items() if name != "__metadata__")["dtype"] = "I64"
    rewrite(path, header, numbers)


def _half_a_pair(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(str(path))
    weights.pop(next(name for name in weights if "lora_B" in name))
    save_file(weights, str(path))


def _many(path: Path) -> None:
    rewrite(path, {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_001)}, b"")


def _deep(path: Path) -> None:
    rewrite(path, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"")


HOSTILE_WEIGHTS = {
    "NaN": (_nan, "no number"),
    "infinite": (_infinite, "1 value that are no number|no number"),
    "cut short": (_cut, "it was cut or added to"),
    "something behind": (_longer, "it was cut or added to"),
    "a header bomb": (_bomb, "header would have 1,152,921,504,606,846,976 bytes"),
    "empty": (lambda path: path.write_bytes(b""), "header would have 0 bytes"),
    "overlapping": (_overlap, "belongs to no weight or to two"),
    "another layer": (_renamed, "has no such layer"),
    "another shape": (_wider, "needs lora_A 4x32"),
    "an impossible shape": (_huge_shape, "does not take|impossible shape"),
    "another number format": (_other_format, "number format I64"),
    "half a pair": (_half_a_pair, "needs lora_A"),
    "too many": (_many, "lists more than 20,000"),
    "nested": (_deep, "not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE_WEIGHTS)
def test_weights_that_cannot_be_used_are_refused(good, name):
    spoil, told = HOSTILE_WEIGHTS[name]
    spoil(good / WEIGHTS)
    with pytest.raises(StudioError, match=told):
        take(good, doubles.version("regression", 60))
    assert nothing_is_left()


def test_pickled_weights_are_refused_in_words(good):
    (good / "adapter_model.bin").write_bytes(b"\x80\x04")
    version = doubles.version("regression", 60)
    with pytest.raises(StudioError, match=r"beside adapter_model\.safetensors"):
        take(good, version)
    (good / WEIGHTS).unlink()
    for source in (good, zipped(good)):
        with pytest.raises(StudioError, match=r"adapter_model\.bin, a pickle\. Reading a pickle can run any program"):
            take(source, version)
    assert nothing_is_left()


def _member(good: Path, name: str, data: bytes = b"x", mode: int = 0) -> io.BytesIO:
    buffer = zipped(good)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, data)
    buffer.seek(0)
    return buffer


HOSTILE_ZIPS = {
    "a way out": (lambda good: _member(good, "../../evil.sh"), "cannot be a name here"),
    "from the root": (lambda good: _member(good, "/etc/passwd"), "cannot be a name here"),
    "backslashes": (lambda good: _member(good, "..\\..\\evil.bat"), "cannot be a name here"),
    "a device": (lambda good: _member(good, "con/README.md"), "cannot be a name here"),
    "a link": (lambda good: _member(good, "link", b"/etc/passwd", 0o120777), "is a link"),
    "the same name twice": (lambda good: _member(good, CONFIG, b"{}"), "twice"),
    "a bomb beside it": (lambda good: _member(good, "README.md", b"\0" * 1_000_000), "unpacks to more than"),
    "too many files": (lambda good: zipped(good, {f"f{i}": b"" for i in range(501)}), "an adapter has fewer than 500"),
    "no adapter": (lambda good: zipped(good.parent / "empty", {"note": b"hello"}), "lacks adapter_config.json and adapter_model"),
    "no zip": (lambda good: io.BytesIO(b"MZ\x90 not a zip"), "cannot be opened as a zip"),
    "a cut zip": (lambda good: io.BytesIO(zipped(good).getvalue()[:-30]), "cannot be opened as a zip"),
    "damaged inside": (
        lambda good: io.BytesIO(zipped(good, packed=zipfile.ZIP_STORED).getvalue().replace(b"LORA", b"LOPA", 1)),
        "Bad CRC",
    ),
}


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_that_cannot_be_trusted_are_refused(good, name, tmp_path):
    (tmp_path / "empty").mkdir()
    build, told = HOSTILE_ZIPS[name]
    with pytest.raises(StudioError, match=told):
        take(build(good), doubles.version("regression", 60), name="good")
    assert nothing_is_left()
    assert not (tmp_path / "evil.sh").exists()


def test_a_size_that_is_told_wrong_is_found_while_unpacking(good):
    raw = bytearray(_member(good, "README.md", b"A" * 500_000).getvalue())
    at = raw.rindex(b"PK\x01\x02")  # the central directory's last entry
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(StudioError, match=r"unpacks to more than 10 bytes|cannot be opened as a zip"):
        take(io.BytesIO(bytes(raw)), doubles.version("regression", 60))
    assert nothing_is_left()


def test_all_sizes_together_are_limited(good, monkeypatch):
    monkeypatch.setattr(unpacking, "LARGEST", 1000)
    for source in (good, zipped(good)):
        with pytest.raises(StudioError, match="are read"):
            take(source, doubles.version("regression", 60))
    assert nothing_is_left()


def test_a_link_in_a_folder_is_refused(good, tmp_path):
    os.replace(good / WEIGHTS, tmp_path / "elsewhere")
    (good / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudioError, match="is a link"):
        take(good, doubles.version("regression", 60))
    with pytest.raises(MissingError, match="neither a folder nor a file"):
        take(tmp_path / "nowhere", doubles.version("regression", 60))
    assert nothing_is_left()
