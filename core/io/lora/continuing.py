"""Going on from an adapter: whether it fits, what it has learnt from already, and what is new since.

<adapter>/learnt.json    a hash of every row it or an adapter before it was trained on
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import DataError, ModelError, StudioError
from core.finetune.rows import TrainingRows
from core.finetune.settings import TrainSettings
from core.io import files, store
from core.io.embedded.adapters import intact, shape_of
from core.io.embedded.weights import facts, model_dir
from core.io.lora import bases, runs

LEARNT = "learnt.json"
SHAPE = {
    "r": ("rank", "rank"),
    "lora_alpha": ("alpha", "alpha"),
    "use_rslora": ("rslora", "rank-stabilised scale"),
    "use_dora": ("dora", "DoRA"),
}
"""Field of adapter_config.json -> (setting, what it is called)."""


@dataclass(frozen=True)
class Parent:
    """The adapter a run goes on from."""

    folder: Path
    about: Mapping[str, Any]
    base: Path
    learnt: frozenset[str]
    """Keys of the rows it was trained on; empty where that cannot be known."""

    def lineage(self, reference: str, keys: Collection[str], only_new: bool) -> dict[str, Any]:
        """What the next adapter remembers of this one; `keys` are those of its own train rows."""
        new = sum(key not in self.learnt for key in keys)
        told = {"title": self.about.get("title") or self.folder.name, "version": self.about.get("version") or ""}
        step = int(self.about.get("step") or 0)
        return {"adapter": reference, **told, "step": step, "rows": len(self.learnt), "new": new, "only_new": only_new}


def parent(reference: str) -> Parent:
    """Raises MissingError, or ModelError when its base is gone."""
    folder = runs.referred(reference)
    about = runs.about_of(folder)
    return Parent(folder, about, bases.of_adapter(folder) or model_dir(), learnt(folder, about))


def check(one: Parent, base: Path, settings: TrainSettings) -> None:
    """Raises ModelError when the adapter is damaged, or has another base, rank, scale or other layers than these settings."""
    if facts(base).revision != facts(one.base).revision:
        raise ModelError(
            f"The adapter was trained on {facts(one.base).title}, and this run is on {facts(base).title}. Choose the same base, or begin "
            "anew.",
            title="The adapter does not fit",
        )
    intact(one.folder)
    shape = shape_of(one.folder)
    asked = settings.to_dict()
    for name, (setting, title) in SHAPE.items():
        if shape.get(name) is not None and setting in asked and shape[name] != asked[setting]:
            raise ModelError(f"The adapter has another {title}: {shape[name]}, and these settings say {asked[setting]}. Take over its "
                             "rank and layers to go on from it.", title="The adapter does not fit")  # fmt: skip
    layers = dict(one.about.get("settings") or {}).get("targets")
    if layers and layers != settings.targets:
        raise ModelError(f"The adapter has other layers: {layers}, and these settings say {settings.targets}. Take over its rank and "
                         "layers to go on from it.", title="The adapter does not fit")  # fmt: skip


def learnt(folder: Path, about: Mapping[str, Any]) -> frozenset[str]:
    """Keys of the rows an adapter was trained on: as it noted them, else all train rows of its version, where that is still here."""
    place = folder.parents[1] if folder.parent.name == runs.CHECKPOINTS else folder
    if (place / LEARNT).is_file():
        return frozenset(files.read_json(place / LEARNT))
    from core.io.lora.preparing import keys
    from core.io.testing import train_rows

    try:
        return frozenset(keys(train_rows(store.version(about["dataset"], about["version"]))))
    except (KeyError, StudioError):
        return frozenset()


def remember(folder: Path, keys: Collection[str], before: Collection[str] = ()) -> None:
    """Write down what an adapter has learnt from, with what the adapters before it had."""
    files.write_json(folder / LEARNT, sorted({*keys, *before}))


def unseen(rows: TrainingRows, keys: tuple[str, ...], before: Collection[str]) -> TrainingRows:
    """The rows the parent was not trained on. Raises DataError when there are none."""
    fresh = tuple(row for row in rows.rows if keys[row.row] not in before)
    if not fresh:
        raise DataError(f"The adapter was trained on all {len(rows.rows):,} train rows already. Add rows, or train on all of them again.",
                        title="Nothing new to learn")  # fmt: skip
    return replace(rows, rows=fresh)
