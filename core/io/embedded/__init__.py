"""The embedded model: a real language model whose weights come with a Python package, so that nothing has to be downloaded.

`weights` finds and converts them, `generate` turns chats into replies in batches, `engine` owns the one loaded copy and
its adapters. Importing this package imports neither torch nor transformers.
"""

from core.io.embedded.adapters import check_adapter
from core.io.embedded.engine import Engine, engine
from core.io.embedded.weights import (
    NAME,
    TITLE,
    Facts,
    ensure_converted,
    facts,
    is_ready,
    model_dir,
    named_model,
    remember_rate,
    remembered_rate,
    run_convert,
    tokenizer,
    wheel_missing,
)

__all__ = [
    "NAME",
    "TITLE",
    "Engine",
    "Facts",
    "check_adapter",
    "engine",
    "ensure_converted",
    "facts",
    "is_ready",
    "model_dir",
    "named_model",
    "remember_rate",
    "remembered_rate",
    "run_convert",
    "tokenizer",
    "wheel_missing",
]
