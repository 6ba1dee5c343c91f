"""Is this really a LoRA adapter of that base model? Its settings, the header of its weights, their shapes and their values.

Headers are read by hand, so that a damaged or hostile file is told in words before any library opens it. The safetensors
format: 8 bytes of length, so many bytes of JSON {name: {dtype, shape, data_offsets}}, then the numbers.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from core.errors import DataError, ModelError
from core.format import count, plural, short, size

LONGEST_HEADER = 10 << 20
MOST_TENSORS = 20_000
HIGHEST_RANK = 1024
WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
"""Number formats that weights may have, and their bytes."""
REFUSED = {
    "auto_map": "names code of its own",
    "trust_remote_code": "asks for code of its own",
    "modules_to_save": "holds whole copies of layers (modules_to_save)",
    "layer_replication": "repeats layers of its base (layer_replication)",
    "trainable_token_indices": "has words of its own (trainable_token_indices)",
    "target_parameters": "changes parameters that are no layers (target_parameters)",
    "lora_bias": "has biases (lora_bias)",
    "alora_invocation_tokens": "is switched on by certain words (alora)",
    "arrow_config": "chooses among several adapters (arrow)",
    "megatron_config": "is meant for another kind of model (megatron)",
    "use_qalora": "is of a variant that is not used here (qalora)",
    "use_bdlora": "is of a variant that is not used here (bdlora)",
}
_PLAIN = re.compile(r"[\w.]{1,200}")
_PLACE = re.compile(r"base_model\.model\.([\w.]{1,200})\.(lora_A|lora_B|lora_magnitude_vector)(?:\.weight)?")


def strict_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises DataError for anything else: not JSON, nested too deeply, NaN, a name twice."""

    def no_constant(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    def no_double(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        double = next((name for name in names if names.count(name) > 1), None) if len(names) < 1000 else None
        if double is not None:
            raise ValueError(f"'{short(double, 40)}' stands there twice")
        return dict(pairs)

    try:
        found = json.loads(path.read_bytes().decode(), parse_constant=no_constant, object_pairs_hook=no_double)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not JSON that can be read: {short(str(error), 120)}.", title="A damaged adapter") from error
    if not isinstance(found, dict):
        raise DataError(f"{path.name} holds no settings but a {type(found).__name__}.", title="A damaged adapter")
    return found


def check_settings(settings: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The settings that are taken over, as peft names them. Raises ModelError for another kind of adapter or an impossible value."""
    kind = settings.get("peft_type")
    if kind != "LORA":
        raise ModelError(
            f"{label} is an adapter of the kind '{short(str(kind), 40)}'; LoRA adapters can be used.", title="Not a LoRA adapter"
        )
    if settings.get("task_type") not in (None, "CAUSAL_LM"):
        raise ModelError(f"{label} is made for {short(str(settings['task_type']), 40)}; one for CAUSAL_LM can answer.",
                         title="Another kind of model")  # fmt: skip
    for name, why in REFUSED.items():
        if settings.get(name):
            raise ModelError(f"{label} {why}; only plain LoRA adapters are used.", title="This adapter cannot be used")
    if settings.get("bias") not in (None, "none"):
        raise ModelError(f"{label} has biases ({short(str(settings['bias']), 20)}); only plain LoRA adapters are used.",
                         title="This adapter cannot be used")  # fmt: skip
    kept: dict[str, Any] = {"r": _rank(settings.get("r"), label), "lora_alpha": _loudness(settings.get("lora_alpha", 8), label)}
    kept |= {name: True for name in ("use_rslora", "use_dora", "fan_in_fan_out") if settings.get(name) is True}
    for name, check in (("rank_pattern", _rank), ("alpha_pattern", _loudness)):
        pattern = settings.get(name) or {}
        if not isinstance(pattern, dict) or not all(isinstance(key, str) and _PLAIN.fullmatch(key) for key in pattern):
            raise ModelError(f"{name} of {label} must name layers plainly (letters, digits, dots).", title="This adapter cannot be used")
        if pattern:
            kept[name] = {key: check(value, label) for key, value in pattern.items()}
    return kept


def _rank(value: Any, label: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= HIGHEST_RANK:
        raise ModelError(f"The rank of {label} is {short(str(value), 30)}; it can be 1 to {HIGHEST_RANK}.", title="An impossible rank")
    return value


def _loudness(value: Any, label: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 < value <= 1e5:
        raise ModelError(f"lora_alpha of {label} is {short(str(value), 30)}; it can be above 0, to 100,000.", title="An impossible alpha")
    return value


def header(path: Path, label: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Tensor -> (number format, shape), after a check that the file is exactly as long as they take. Raises DataError."""
    length = path.stat().st_size
    with open(path, "rb") as handle:
        first = handle.read(8)
        told = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= told <= min(LONGEST_HEADER, length - 8):
            raise _damaged(f"its header would have {count(told)} bytes, and the file has {size(length)}", label)
        raw = handle.read(told)
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise _damaged(f"its header is not JSON ({short(str(error), 80)})", label) from error
    if not isinstance(found, dict) or len(found) > MOST_TENSORS:
        raise _damaged(f"its header lists more than {count(MOST_TENSORS)} weights, or none", label)
    tensors, spans = {}, []
    for name, one in found.items():
        if name != "__metadata__":
            kind, shape, span = _tensor(name, one, label)
            tensors[name] = (kind, shape)
            spans.append(span)
    at = 0
    for start, end in sorted(spans):
        if start != at:
            raise _damaged(f"byte {count(at)} of its numbers belongs to no weight or to two", label)
        at = end
    if 8 + told + at != length:
        raise _damaged(f"its weights take {count(8 + told + at)} bytes and the file has {count(length)}: it was cut or added to", label)
    return tensors


def _counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 40 for n in value)


def _tensor(name: str, one: Any, label: str) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    kind = one.get("dtype") if isinstance(one, dict) else None
    if not isinstance(kind, str) or kind not in WIDTHS:
        raise _damaged(f"'{short(name, 60)}' is of the number format {short(str(kind), 20)}; {', '.join(WIDTHS)} are read", label)
    shape, span = one.get("shape"), one.get("data_offsets")
    if not _counts(shape) or not _counts(span) or len(span) != 2 or not 1 <= len(shape) <= 4:
        raise _damaged(f"'{short(name, 60)}' has an impossible shape or place", label)
    if span[1] - span[0] != math.prod(shape) * WIDTHS[kind]:
        raise _damaged(f"'{short(name, 60)}' of shape {short(str(shape), 40)} does not take {count(span[1] - span[0])} bytes", label)
    return kind, tuple(shape), (span[0], span[1])


def _damaged(what: str, label: str) -> DataError:
    return DataError(f"The weights of {label} cannot be used: {what}. Download or export the adapter again.", title="A damaged adapter")


def check_shapes(tensors: Mapping[str, tuple[str, tuple[int, ...]]], kept: Mapping[str, Any], base: Path, label: str) -> list[str]:
    """The base model's layers that the adapter changes, in order. Raises ModelError when one of its weights has no place there."""
    layers = base_layers(base)
    places: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, (_, shape) in tensors.items():
        found = _PLACE.fullmatch(name)
        if not found or found.group(1) not in layers:
            raise ModelError(f"{label} has weights for '{short(name, 100)}', and {base.name} has no such layer. Choose the base model "
                             "it was trained on.", title="The adapter does not fit")  # fmt: skip
        places.setdefault(found.group(1), {})[found.group(2)] = shape
    if not places:
        raise ModelError(f"{label} holds no weights.", title="A damaged adapter")
    for layer, parts in places.items():
        out, width = layers[layer]
        rank = _rank_of(layer, kept)
        wanted = {"lora_A": (rank, width), "lora_B": (out, rank)} | ({"lora_magnitude_vector": (out,)} if kept.get("use_dora") else {})
        if parts != wanted:
            told = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in sorted(parts.items()))
            fit = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in sorted(wanted.items()))
            raise ModelError(f"For the layer '{layer}' {label} has {told}; {base.name} with rank {rank} needs {fit}. Choose the base model "
                             "it was trained on.", title="The adapter does not fit")  # fmt: skip
    return sorted(places)


def _rank_of(layer: str, kept: Mapping[str, Any]) -> int:
    """As peft finds it: the first name of the pattern that the layer's name ends with, else the adapter's rank."""
    pattern = kept.get("rank_pattern") or {}
    return next((rank for name, rank in pattern.items() if layer == name or layer.endswith(f".{name}")), kept["r"])


def base_layers(base: Path) -> dict[str, tuple[int, int]]:
    """Layer -> (outputs, inputs) of every two-dimensional weight of a base model, from the headers of its files."""
    from core.io.embedded.weights import _headers, facts

    shapes = {name: one["shape"] for _, raw in _headers(base) for name, one in json.loads(raw).items() if name != "__metadata__"}
    layers = {name.removesuffix(".weight"): (shape[0], shape[1]) for name, shape in shapes.items() if len(shape) == 2}
    embedded = next((shape for name, shape in layers.items() if name.endswith(("embed_tokens", ".wte"))), None)
    if embedded and "lm_head" not in layers and facts(base).config.get("tie_word_embeddings", True):
        layers["lm_head"] = embedded
    return layers


def check_finite(path: Path, label: str) -> None:
    """Every number of the weights is one. Raises ModelError naming the first weight that holds something else."""
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dict
                bad = int((~torch.isfinite(weights.get_tensor(name))).sum())
                if bad:
                    raise ModelError(f"'{short(name, 80)}' of {label} holds {plural(bad, 'value')} that are no number (NaN or infinite); "
                                     "such an adapter answers nothing. Train it again with a lower learning rate.",
                                     title="Broken weights")  # fmt: skip
    except SafetensorError as error:
        raise _damaged(short(str(error), 120), label) from error
