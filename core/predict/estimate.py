"""About how long predictors take, from the sizes of what they read. Figures are of one core of a small machine."""

from __future__ import annotations

from collections.abc import Sequence

from core.predict.registry import entry

STARTING = 6.0
"""Seconds until the tools are imported."""
USUAL_LENGTH = 900.0
"""Characters of the texts that `Entry.seconds` was measured on."""
ASKING = {"prompted": 0.14, "fewshot": 0.6, "retrieval": 0.8, "passages": 0.8}
"""Seconds of the built-in model per test row of usual length."""
PREPARING = 25.0
"""Seconds to prepare the built-in model, once."""


def seconds(names: Sequence[str], train_rows: int, test_rows: int, length: float, *, model_rows: int = 250, prepared: bool = True) -> float:
    """About how many seconds these predictors take in all; `length` is the mean number of characters of a text."""
    scale = max(0.15, min(length, 2 * USUAL_LENGTH) / USUAL_LENGTH)
    total = STARTING
    for name in names:
        if name in ASKING:
            total += ASKING[name] * min(model_rows, test_rows) * scale
        else:
            total += entry(name).seconds * (train_rows + test_rows) / 1000 * scale
    return total + (PREPARING if not prepared and any(name in ASKING for name in names) else 0.0)
