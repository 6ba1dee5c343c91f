"""An adapter merged into its base model: full weights that need no peft, in the base model's own number format.

The sum is made in float32 and rounded once. Where the base shares one table between its first and last layer and the adapter
changes one of the two, they become two tables, because a merged table would change both.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import MissingError, ModelError
from core.finetune.card import MERGED
from core.format import size
from core.io import files
from core.io.embedded.weights import facts
from core.io.lora import card, runs

Progress = Callable[[int, int, str], None]
PHASES = 4
SHARD = "2GB"
OVERHEAD = 750_000_000
"""Bytes that libraries, and the copy a layer is added up in, take beside the weights: 738 MB measured with the built-in model."""
_BESIDE = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "vocab.json", "merges.txt",
           "tokenizer.model", "added_tokens.json", "generation_config.json")  # fmt: skip
_ENDS = ("embed_tokens", "lm_head", "wte")


def needs(made: runs.Adapter) -> tuple[int, int]:
    """(bytes on disk, bytes of memory) that merging takes, from the base model's files alone. Raises MissingError without a base."""
    known = facts(base_of(made))
    return known.bytes, 4 * known.parameters + OVERHEAD


def base_of(made: runs.Adapter) -> Path:
    """The adapter's base model. Raises MissingError when it is not here."""
    base = card.base_folder(made)
    if base is None:
        raise MissingError(
            f"The base model of '{made.title}' ({made.base}, {made.revision}) is not on this machine. Merging needs its weights: prepare "
            "or fetch it first (New run, Model).",
            title="Its base model is not here",
        )
    return base


def merge(made: runs.Adapter, into: Path, tell: Progress = lambda done, total, message: None) -> Path:
    """Write the merged model, its tokenizer and its card as the folder `into`, whole or not at all; replaces one that is there.

    Raises MissingError without the base model, ModelError when adapter and base do not fit or memory or disk will not do.
    """
    base = base_of(made)
    _room(made, into)
    building = into.with_name(f".{into.name}.{secrets.token_hex(4)}")
    with files.disk_errors(into):
        try:
            building.mkdir(parents=True)
            tell(0, PHASES, "Loading the base model")
            model = merged(made, base, lambda: tell(1, PHASES, "Adding the adapter to the weights"))
            tell(2, PHASES, "Writing the weights")
            model.save_pretrained(str(building), max_shard_size=SHARD)
            for name in _BESIDE:
                if (base / name).is_file():
                    shutil.copyfile(base / name, building / name)
            tell(3, PHASES, "Writing the card")
            files.atomic_write(building / card.README, card.card_text(made, MERGED))
            shutil.rmtree(into, ignore_errors=True)
            os.replace(building, into)
            files.sync_folder(into.parent)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    tell(PHASES, PHASES, "Merged")
    return into


def merged(made: runs.Adapter, base: Path, loaded: Callable[[], None] = lambda: None) -> Any:
    """The merged model in memory, in the number format of the base model's files."""
    import torch

    from core.io.embedded.adapters import Adapters
    from core.io.embedded.loading import load_base

    told = facts(base).config
    model = load_base(base, "fp32")
    _untied(model, made)
    held = Adapters(model)
    name = held.name(made.folder, set())
    loaded()
    whole = held.model.merge_and_unload(safe_merge=True, adapter_names=[name])
    kind = str(told.get("dtype") or told.get("torch_dtype") or "float32").removeprefix("torch.")
    return whole.to(getattr(torch, kind) if kind in ("bfloat16", "float16") else torch.float32)


def _untied(model: Any, made: runs.Adapter) -> None:
    """Two tables instead of one where the adapter changes the first or the last layer alone."""
    import torch

    told = files.read_json(made.folder / "adapter_config.json").get("target_modules") or []
    names = [told] if isinstance(told, str) else told
    head = model.get_output_embeddings()
    if head is not None and head.weight is model.get_input_embeddings().weight and any(str(name).endswith(_ENDS) for name in names):
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
        model.config.tie_word_embeddings = False


def _room(made: runs.Adapter, into: Path) -> None:
    from core.io import device

    disk, memory = needs(made)
    into.parent.mkdir(parents=True, exist_ok=True)
    free, held = shutil.disk_usage(into.parent).free, device.memory()
    if disk > free:
        raise ModelError(f"The merged model takes {size(disk)} and {size(free)} are free where the workspace is. Free some space first.",
                         title="Not enough space")  # fmt: skip
    if held and memory > held:
        raise ModelError(f"Merging needs about {size(memory)} of memory and this machine has {size(held)} to give. Export the adapter "
                         "alone, or merge on a larger machine.", title="Not enough memory")  # fmt: skip
