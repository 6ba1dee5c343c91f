"""A base model with an adapter that can be trained: quantization, layers by name, DoRA, gradient checkpointing, packing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ModelError, SettingsError
from core.finetune.settings import TrainSettings
from core.io.embedded.loading import load_base, number_type
from core.io.embedded.weights import clean_config
from core.io.lora import checkpoints
from core.io.lora.packing import can_pack, pack_rows

AGAIN = {"use_reentrant": False}
"""Of torch's two kinds of gradient checkpointing, the one that needs no gradient at the input."""


def adapted(base: Path, settings: TrainSettings, continue_from: Path | None = None) -> Any:
    """The frozen base model with a fresh adapter (or the weights of `continue_from`) that can be trained.

    A model whose attention cannot be exchanged is not packed although packing is on: the same run, in more time. Raises ModelError
    or SettingsError when the model or this machine cannot do what the settings ask for.
    """
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    torch.manual_seed(settings.seed)
    model = load_base(base, settings.precision, **_quantized(base, settings))
    if settings.packing and can_pack(model, settings.max_tokens):
        pack_rows(model)
    if settings.quantization != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        for layer in model.modules():  # bitsandbytes would repack a layer once it answers, and gradients no longer pass a repacked one
            if hasattr(layer, "support_avx512bf16_for_cpu"):
                layer.support_avx512bf16_for_cpu = False
    model.config.use_cache = False
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable(AGAIN)
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=_modules(model, settings),
                      use_rslora=settings.rslora, use_dora=settings.dora, task_type="CAUSAL_LM")  # fmt: skip
    wrapped = get_peft_model(model, lora)
    if continue_from:
        checkpoints.load_adapter_weights(continue_from, wrapped)
    return wrapped.train()


def _modules(model: Any, settings: TrainSettings) -> str | list[str]:
    """What peft is to put an adapter on. Raises SettingsError naming the layers the model lacks."""
    if settings.targets == "all-linear":
        return settings.targets
    import torch
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    linear = [name for name, one in model.named_modules() if isinstance(one, (torch.nn.Linear, Conv1D)) and one is not head]
    kinds = sorted({name.rsplit(".", 1)[-1] for name in linear})
    lacking = [one for one in settings.modules if not any(name == one or name.endswith(f".{one}") for name in linear)]
    if lacking:
        raise SettingsError(
            f"targets names {', '.join(lacking)}, and this model has no such linear layers; it has {', '.join(kinds[:20])}. Choose of "
            "these, or all-linear.",
            title="Layers the model lacks",
        )
    return list(settings.modules)


def _quantized(base: Path, settings: TrainSettings) -> dict[str, Any]:
    if settings.quantization == "none":
        return {}
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise ModelError("Training in 4 or 8 bits needs the package bitsandbytes. Install it, or set quantization to none.",
                         title="bitsandbytes is missing") from error  # fmt: skip
    from transformers import BitsAndBytesConfig

    if settings.quantization == "8-bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    width = int(clean_config(base).hidden_size)
    if width % 64:
        raise ModelError(
            f"4-bit weights come in blocks of 64, and this model's layers are {width} wide. Choose 8-bit or none.", title="No 4 bits"
        )
    return {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",
                                                      bnb_4bit_compute_dtype=number_type(settings.precision),
                                                      bnb_4bit_use_double_quant=settings.double_quantization)}  # fmt: skip
