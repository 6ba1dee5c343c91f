"""A merged model as one GGUF file, for llama.cpp and what is built on it: Llama's layers with a byte-level BPE vocabulary.

Written with the `gguf` package. Layout as llama.cpp's convert_hf_to_gguf.py writes it: the rows of q and k of each head are put in
pairs, one-dimensional weights stay float32. Other architectures and SentencePiece vocabularies need that script itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import MissingError, ModelError
from core.io import files

Progress = Callable[[int, int, str], None]
TYPES = {"f16": "16 bits", "bf16": "16 bits (bfloat16)", "q8_0": "8 bits, half the size", "f32": "32 bits"}
"""Number formats of the file, the usual one first."""
BITS = {"f16": 16, "bf16": 16, "q8_0": 8.5, "f32": 32}
CONVERTER = ("Other kinds need llama.cpp's own converter: git clone https://github.com/ggml-org/llama.cpp, pip install -r "
             "llama.cpp/requirements.txt, then python llama.cpp/convert_hf_to_gguf.py FOLDER on the merged model's folder.")  # fmt: skip
_PRE = {("Digits", "ByteLevel"): "smollm", ("ByteLevel",): "gpt-2"}
"""How text is cut before the vocabulary is applied -> llama.cpp's name for it."""
_NORMAL, _UNKNOWN, _CONTROL, _USER = 1, 2, 3, 4


def refusal(folder: Path) -> str:
    """Why a model cannot be written as GGUF here, or ""."""
    config, words = files.read_json(folder / "config.json"), _tokenizer(folder)
    kind = str(config.get("model_type"))
    if kind != "llama":
        return f"{folder.name} is of the kind '{kind[:40]}'; GGUF files of Llama's kind are written here. {CONVERTER}"
    if _rope(config).get("rope_type", "default") != "default" or config.get("attention_bias") or config.get("mlp_bias"):
        return f"{folder.name} scales its positions or has biases, which is not written here. {CONVERTER}"
    if words.get("model", {}).get("type") != "BPE" or _pre(words) is None:
        return f"{folder.name} cuts its text in a way that is not known here. {CONVERTER}"
    return ""


def write_gguf(folder: Path, target: Path, kind: str = "f16", name: str = "", tell: Progress = lambda done, total, message: None) -> Path:
    """The model in a folder (safetensors, tokenizer.json, config.json) as the file `target`, whole or not at all.

    Raises ModelError for a model or number format that cannot be written, MissingError without the gguf package.
    """
    try:
        import gguf
    except ImportError as error:
        raise MissingError("Writing GGUF needs the package gguf. Install it with pip install gguf.", title="gguf is missing") from error
    if kind not in TYPES:
        raise ModelError(f"There is no number format '{kind}' here; there are {', '.join(TYPES)}.", title="Unknown number format")
    if why := refusal(folder):
        raise ModelError(why, title="No GGUF of this model")
    config, words = files.read_json(folder / "config.json"), _tokenizer(folder)
    building = target.with_name(f".{target.name}.tmp")
    with files.disk_errors(target):
        try:
            writer = gguf.GGUFWriter(str(building), "llama")
            _settings(writer, config, name or folder.name, kind)
            _vocabulary(writer, folder, words, config)
            _weights(writer, folder, config, kind, tell)
            writer.close()
            with open(building, "rb+") as handle:
                os.fsync(handle.fileno())
            os.replace(building, target)
            files.sync_folder(target.parent)
        finally:
            building.unlink(missing_ok=True)
    return target


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _pre(words: Mapping[str, Any]) -> str | None:
    one = words.get("pre_tokenizer") or {}
    return _PRE.get(tuple(part.get("type") for part in one.get("pretokenizers", [one])))


def _tokenizer(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer.json"
    return files.read_json(path) if path.is_file() else {}


def _settings(writer: Any, config: Mapping[str, Any], name: str, kind: str) -> None:
    import gguf

    heads = int(config["num_attention_heads"])
    writer.add_name(name)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_rope_dimension_count(int(config.get("head_dim") or config["hidden_size"] // heads))
    writer.add_rope_freq_base(float(_rope(config).get("rope_theta") or config.get("rope_theta") or 10_000.0))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_vocab_size(int(config["vocab_size"]))
    writer.add_file_type({"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16, "bf16": gguf.LlamaFileType.MOSTLY_BF16,
                          "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}[kind])  # fmt: skip


def _vocabulary(writer: Any, folder: Path, words: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Every token in order of its number, what kind it is, the merges, the special ones and the chat template."""
    added = {one["id"]: one for one in words.get("added_tokens", [])}
    known = {number: token for token, number in words["model"]["vocab"].items()} | {number: one["content"] for number, one in added.items()}
    size = int(config["vocab_size"])
    tokens = [known.get(number, f"[PAD{number}]") for number in range(size)]
    kinds = [_CONTROL if added.get(i, {}).get("special") else _USER if i in added else _NORMAL if i in known else 5 for i in range(size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre(words))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in words["model"]["merges"]])
    told = files.read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    numbers = {token: number for number, token in known.items()}
    for role, add in (("bos", writer.add_bos_token_id), ("eos", writer.add_eos_token_id), ("unk", writer.add_unk_token_id),
                      ("pad", writer.add_pad_token_id)):  # fmt: skip
        named = told.get(f"{role}_token")
        named = named.get("content") if isinstance(named, dict) else named
        if named in numbers:
            add(numbers[named])
    writer.add_add_bos_token(False)
    template = folder / "chat_template.jinja"
    if template.is_file() or isinstance(told.get("chat_template"), str):
        writer.add_chat_template(template.read_text(encoding="utf-8") if template.is_file() else told["chat_template"])


def _weights(writer: Any, folder: Path, config: Mapping[str, Any], kind: str, tell: Progress) -> None:
    """Two passes over the files, so that one weight is in memory at a time: first where each goes, then the numbers."""
    import gguf
    import numpy as np

    wanted = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "bf16": gguf.GGMLQuantizationType.BF16,
              "q8_0": gguf.GGMLQuantizationType.Q8_0}[kind]  # fmt: skip
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, int(config["num_hidden_layers"]))

    def typed(shape: tuple[int, ...]) -> Any:
        plain = len(shape) < 2 or (wanted is gguf.GGMLQuantizationType.Q8_0 and shape[-1] % 32)
        return gguf.GGMLQuantizationType.F32 if plain else wanted

    shapes = list(_shapes(folder))
    for name, shape in shapes:
        target = names.get_name(name, try_suffixes=(".weight",))
        if target is None:
            raise ModelError(f"The weight '{name[:80]}' has no place in a GGUF of Llama's kind. {CONVERTER}", title="No GGUF of this model")
        chosen = typed(shape)
        stored = shape if chosen is gguf.GGMLQuantizationType.F32 else gguf.quant_shape_to_byte_shape(shape, chosen)
        whole = np.dtype(np.float32 if chosen is gguf.GGMLQuantizationType.F32 else np.uint8)
        writer.add_tensor_info(target, stored, whole, int(np.prod(stored)) * whole.itemsize, raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, (name, tensor) in enumerate(_tensors(folder)):
        tell(number, len(shapes), "Writing the GGUF file")
        array = _paired(name, tensor.float().numpy(), config)
        writer.write_tensor_data(np.ascontiguousarray(gguf.quantize(array, typed(array.shape))))
    tell(len(shapes), len(shapes), "Written")


def _paired(name: str, array: Any, config: Mapping[str, Any]) -> Any:
    """The rows of q and k as llama.cpp turns them: (head, half, row) to (head, row, half)."""
    heads = int(config["num_attention_heads"])
    if name.endswith(("q_proj.weight", "k_proj.weight")):
        heads = heads if name.endswith("q_proj.weight") else int(config.get("num_key_value_heads") or heads)
        return array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
    return array


def _shapes(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dict
                yield name, tuple(weights.get_slice(name).get_shape())


def _tensors(folder: Path) -> Iterator[tuple[str, Any]]:
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dict
                yield name, weights.get_tensor(name)
