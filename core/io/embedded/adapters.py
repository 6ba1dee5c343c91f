"""Adapters from disk onto the one loaded base model: safetensors only, configuration scrubbed, the least used ones forgotten.

An adapter folder holds adapter_config.json and adapter_model.safetensors (peft's layout); `adapter.json` beside them is
written by the studio and not needed here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from core.errors import ModelError

WEIGHTS = "adapter_model.safetensors"
MOST = 6
_FIELDS = ("r", "lora_alpha", "lora_dropout", "target_modules", "use_rslora", "bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern",
           "exclude_modules", "layers_to_transform", "layers_pattern", "use_dora")  # fmt: skip


def check_adapter(path: str | Path) -> Path:
    """The adapter's folder, or ModelError saying what it lacks. Files other than safetensors are never read as weights."""
    path = Path(path)
    lacking = [name for name in ("adapter_config.json", WEIGHTS) if not (path / name).is_file()]
    if lacking:
        raise ModelError(f"{path} is not an adapter: {' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing. Choose a "
                         "folder written by a training run (weights as safetensors; pickled ones are not read).",
                         title="Not an adapter")  # fmt: skip
    return path


def fingerprint(path: Path) -> str:
    """sha256 of an adapter folder's weights."""
    with open(path / WEIGHTS, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def intact(path: Path) -> None:
    """Raises ModelError when the weights are not those the studio once wrote there; folders of others say nothing of theirs."""
    about = check_adapter(path) / "adapter.json"
    try:
        wanted = json.loads(about.read_text(encoding="utf-8")).get("sha256") if about.is_file() else None
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{about} cannot be read: {error}. Choose another adapter or checkpoint.", title="A damaged adapter") from error
    if wanted and fingerprint(path) != wanted:
        raise ModelError(f"{path / WEIGHTS} is not what training wrote: its checksum differs. Choose another adapter, or "
                         "train again.", title="A damaged adapter")  # fmt: skip


def adapter_name(path: Path) -> str:
    """A name for these very weights: the folder and when its weights were written."""
    stamp = (path / WEIGHTS).stat().st_mtime_ns
    return "a" + hashlib.sha256(f"{path.resolve()}:{stamp}".encode()).hexdigest()[:12]


def shape_of(path: Path) -> dict[str, Any]:
    """What adapter_config.json says. Raises ModelError when that cannot be read."""
    try:
        return dict(json.loads((path / "adapter_config.json").read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path / 'adapter_config.json'} is not JSON: {error}.", title="A damaged adapter") from error


def adapter_config(path: Path) -> Any:
    """The LoRA settings alone: nothing in the file can name code, another base model or an implementation."""
    from peft import LoraConfig

    data = shape_of(path)
    if data.get("peft_type") != "LORA":
        raise ModelError(f"{path} holds a '{data.get('peft_type')}' adapter; only LoRA can be used.", title="Not a LoRA adapter")
    return LoraConfig(task_type="CAUSAL_LM", inference_mode=True, **{key: data[key] for key in _FIELDS if data.get(key) is not None})


class Adapters:
    """The adapters on one base model, by path. Not safe for two threads: the engine's thread owns it."""

    def __init__(self, base: Any) -> None:
        self.model = base
        self._order: list[str] = []

    def name(self, path: Path, keep: set[str]) -> str:
        """Loads the adapter when needed and returns its name in the model; `keep` are names in use now."""
        check_adapter(path)
        name = adapter_name(path)
        if name not in self._order:
            self._load(path, name)
        self._order = [*(one for one in self._order if one != name), name]
        for old in [one for one in self._order if one not in keep | {name}][: max(0, len(self._order) - MOST)]:
            self.model.delete_adapter(old)
            self._order.remove(old)
        return name

    def _load(self, path: Path, name: str) -> None:
        from peft import PeftModel, set_peft_model_state_dict
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        intact(path)
        config = adapter_config(path)
        try:
            weights = load_file(str(path / WEIGHTS))
            if isinstance(self.model, PeftModel):
                self.model.add_adapter(name, config, autocast_adapter_dtype=False)
            else:
                self.model = PeftModel(self.model, config, adapter_name=name, autocast_adapter_dtype=False)
            report = set_peft_model_state_dict(self.model, weights, adapter_name=name)
        except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
            raise ModelError(f"The adapter {path} does not fit this model: {str(error).strip()[:300]}. Use it with the base model it was "
                             "trained on.", title="The adapter does not fit") from error  # fmt: skip
        if report.unexpected_keys:
            lost = len(report.unexpected_keys)
            raise ModelError(
                f"The adapter {path} does not fit this model: {lost} of its {len(weights)} weights have no place in it. Use it with the "
                "base model it was trained on.",
                title="The adapter does not fit",
            )
        self.model.eval()
