"""Small adapters of the tiny model, made without training: the real files, with weights drawn by lot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def plain_adapter(base: Path, place: Path, *, rank: int = 4, seed: int = 1, size: float = 0.2, targets: Any = ("q_proj", "v_proj"),
                  **settings: Any) -> Path:  # fmt: skip
    """A LoRA adapter as peft saves it, loud enough to change answers."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, local_files_only=True)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets if isinstance(targets, str) else list(targets),
                        task_type="CAUSAL_LM", **settings)  # fmt: skip
    wrapped = get_peft_model(model, config)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in wrapped.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn_like(weight) * size)
    wrapped.save_pretrained(str(place), save_embedding_layers=False)
    (place / "README.md").unlink(missing_ok=True)
    return place


def reconfigured(place: Path, **changes: Any) -> Path:
    """The adapter with other words in its adapter_config.json."""
    path = place / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return place
