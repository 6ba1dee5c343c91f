"""Augment, view Report: what came of it in numbers, the effect on the same test rows, and what a model is finally trained on."""

from __future__ import annotations

from core.io.batches import Batch
from core.version import Version
from ui import augment_effect


def show(version: Version, batch: Batch | None) -> None:
    """The whole view."""
    augment_effect.show(version, batch)
