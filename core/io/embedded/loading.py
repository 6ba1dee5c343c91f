"""Loading a base model onto the GPU or, without one, the CPU, and how many of the cores it may use.

Threads: torch gets every core (FINETUNE_STUDIO_THREADS says otherwise) while nothing trains; while another process holds
`training.lock`, half of them, because two processes with a thread per core each are slower than either alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ModelError, SettingsError
from core.io.device import cores, cuda, has_bf16, place
from core.io.embedded.weights import clean_config, import_transformers, quiet
from core.io.files import home, is_locked

_TRAINING_HERE: list[bool] = []


def load_base(folder: Path, precision: str = "auto", **extra: Any) -> Any:
    """The base model where it computes, ready to answer. Safetensors only, configuration scrubbed.

    A quantized one is put there while it is read, because it cannot be moved afterwards. Raises ModelError.
    """
    quiet()
    import_transformers()
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    where, kind = place(), number_type(precision)
    if where != "cpu" and "quantization_config" in extra:
        extra["device_map"] = {"": where}
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(str(folder), config=clean_config(folder), dtype=kind, use_safetensors=True,
                                                     local_files_only=True, **extra)  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"The model in {folder} cannot be loaded: {str(error).strip()[:300]}.", title="The model cannot be loaded"
        ) from error
    head: Any = model.get_output_embeddings()
    head.register_forward_pre_hook(_in_one_piece)
    return (model if "device_map" in extra or where == "cpu" else model.to(where)).eval()


def _in_one_piece(layer: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """A slice of the hidden states makes torch copy the whole vocabulary's weights once per row (57 MB each) before multiplying."""
    return (given[0].contiguous(), *given[1:])


@contextmanager
def training_here() -> Iterator[None]:
    """Around a training that holds its lock: this very process may use every core."""
    _TRAINING_HERE.append(True)
    try:
        yield
    finally:
        _TRAINING_HERE.pop()


def resolved(precision: str) -> str:
    """bf16, fp16 or fp32: auto is fp16 on CUDA; on a processor bf16 where it multiplies that in hardware, elsewhere fp32 is faster.

    Raises SettingsError for fp16 without CUDA.
    """
    if precision == "fp16" and not cuda():
        raise SettingsError(
            "precision is fp16, and this machine has no CUDA device; a processor has no fast fp16. Choose auto, bf16 or fp32.",
            title="fp16 needs CUDA",
        )
    return precision if precision != "auto" else "fp16" if cuda() else "bf16" if has_bf16() else "fp32"


def number_type(precision: str) -> Any:
    """The torch type of a precision."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[resolved(precision)]


def threads() -> int:
    """How many threads torch should use in this process now."""
    named = os.environ.get("FINETUNE_STUDIO_THREADS", "")
    if named.isdigit() and int(named) > 0:
        return min(int(named), cores())
    others_train = not _TRAINING_HERE and is_locked(home() / "training.lock")
    return max(1, cores() // 2) if others_train else cores()


def give_back() -> None:
    """Return freed memory to the system: what a training held would else stay beside the model that answers next."""
    import ctypes
    import gc

    gc.collect()
    if cuda():
        import torch

        torch.cuda.empty_cache()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another C library than glibc: it decides itself
        return
