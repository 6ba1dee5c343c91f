"""Loading a base model on the CPU, and how many of the cores it may use.

Threads: torch gets every core (FINETUNE_STUDIO_THREADS says otherwise) while nothing trains; while another process holds
`training.lock`, half of them, because two processes with a thread per core each are slower than either alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.io.device import cores, has_bf16
from core.io.embedded.weights import clean_config, import_transformers, quiet
from core.io.files import home, is_locked

_TRAINING_HERE: list[bool] = []


def load_base(folder: Path, precision: str = "auto", **extra: Any) -> Any:
    """The base model on the CPU, ready to answer. Safetensors only, configuration scrubbed."""
    quiet()
    import_transformers()
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    kind = torch.bfloat16 if resolved(precision) == "bf16" else torch.float32
    try:
        model = AutoModelForCausalLM.from_pretrained(str(folder), config=clean_config(folder), dtype=kind, use_safetensors=True,
                                                     local_files_only=True, **extra)  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"The model in {folder} cannot be loaded: {str(error).strip()[:300]}.", title="The model cannot be loaded"
        ) from error
    head: Any = model.get_output_embeddings()
    head.register_forward_pre_hook(_in_one_piece)
    return model.eval()


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
    """bf16 or fp32: auto is bf16 where the processor multiplies it in hardware; elsewhere it is slower than fp32."""
    return precision if precision != "auto" else "bf16" if has_bf16() else "fp32"


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
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another C library than glibc: it decides itself
        return
