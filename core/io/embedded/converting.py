"""The one conversion of the built-in model's weights from GGUF to safetensors."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.io.embedded.weights import FILE, MARKER, NAME, PHASES, WHEEL, Progress, quiet, shapes
from core.io.files import sync_folder, write_json


def convert(source: Path, path: Path, say: Progress) -> None:
    """Unpack the GGUF `source` into the folder `path`, whole or not at all. Raises ModelError when what was written is not the model."""
    say(0, PHASES, "Preparing the built-in model: importing the tools")
    quiet()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    temporary = path.parent / f".{NAME}.{secrets.token_hex(4)}"
    say(1, PHASES, "Preparing the built-in model: reading the tokenizer")
    words = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name, local_files_only=True)
    _right_pre_tokenizer(words)
    say(2, PHASES, "Preparing the built-in model: unpacking 135 million weights")
    model = AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, dtype=torch.bfloat16, local_files_only=True)
    for name in ("hf_quantizer", "quantization_method", "is_quantized"):
        if hasattr(model, name):
            delattr(model, name)
    if hasattr(model.config, "quantization_config"):
        delattr(model.config, "quantization_config")
    say(3, PHASES, "Preparing the built-in model: writing it to the workspace")
    model.save_pretrained(str(temporary))
    words.save_pretrained(str(temporary))
    say(4, PHASES, "Preparing the built-in model: checking what was written")
    parameters, size = shapes(temporary)
    if parameters < 134_000_000:
        raise ModelError(f"The converted model has {parameters:,} weights; 134,515,008 were expected. Free some disk space and "
                         f"reinstall {WHEEL}.", title="The conversion went wrong")  # fmt: skip
    write_json(temporary / MARKER, {"source": FILE, "package": WHEEL, "parameters": parameters, "bytes": size, "licence": "Apache-2.0"})
    shutil.rmtree(path, ignore_errors=True)
    os.replace(temporary, path)
    sync_folder(path.parent)
    say(5, PHASES, "The built-in model is ready")


def _right_pre_tokenizer(words: Any) -> None:
    from tokenizers import pre_tokenizers

    digits = pre_tokenizers.Digits(individual_digits=True)
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    words.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, level])
    words.padding_side = "left"
