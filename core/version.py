"""One immutable state of a dataset, and the roles its columns play.

A version's id is a hash of where it comes from (parent id, canonical steps with their revisions, seed; imports: the
source's bytes), so the same recipe on the same source is the same version on every machine. Hashes of the stored files
serve integrity only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.errors import SettingsError
from core.prompt import Prompt

SCHEMA = 1
"""Revision of version.json; a newer one opens read-only."""
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Roles:
    """Which columns mean what. Everything not named here is carried along and not used."""

    text: tuple[str, ...] = ()
    target: str | None = None
    category: str | None = None
    group: str | None = None
    time: str | None = None
    id: str | None = None
    split: str | None = None
    parent_row: str | None = None
    """Synthetic rows: the row (0-based, of the version they were made from) whose child this is; null in real rows."""
    features: tuple[str, ...] = ()
    """Further columns that predictors on engineered features may use."""

    def inputs(self) -> list[str]:
        """Every column a predictor may see, each once: all roles but the target, the split and the lineage."""
        named = [*self.text, self.category, self.group, self.time, self.id, *self.features]
        return list(dict.fromkeys(name for name in named if name and name not in (self.target, self.split, self.parent_row)))

    def of(self, column: str) -> str | None:
        """The role of a column, or None."""
        for role in ("target", "category", "group", "time", "id", "split", "parent_row"):
            if getattr(self, role) == column:
                return role
        return "text" if column in self.text else "feature" if column in self.features else None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Roles:
        return cls(**{**data, "text": tuple(data.get("text", ())), "features": tuple(data.get("features", ()))})

    def renamed(self, names: Mapping[str, str]) -> Roles:
        """The same roles after columns were renamed."""
        single = ("target", "category", "group", "time", "id", "split", "parent_row")
        new = {role: names.get(getattr(self, role), getattr(self, role)) for role in single}
        return replace(self, text=tuple(names.get(c, c) for c in self.text), features=tuple(names.get(c, c) for c in self.features), **new)


@dataclass(frozen=True)
class Step:
    """One thing done to a table: the name in STEPS, its settings, and whether it is switched on."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True
    revision: int = 1
    """Raised when the step's code changes what it gives for the same settings."""

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "settings": dict(self.settings), "on": self.on, "revision": self.revision}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        return cls(data["name"], dict(data.get("settings", {})), data.get("on", True), data.get("revision", 1))


@dataclass(frozen=True)
class StepReport:
    """What a step did: kept for ever with the version."""

    name: str
    sentence: str
    """Its settings in words, e.g. "price from $0.50 to $999.49"."""
    rows_before: int
    rows_after: int
    seconds: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why rows were dropped, and how many."""


@dataclass(frozen=True)
class Version:
    dataset: str
    """The dataset's folder name, also its id in the URL."""
    id: str
    number: int
    """1, 2, 3 ... in the order of making, within the dataset."""
    title: str
    """The step that made it: "Import", "Split", "Paraphrases"."""
    parent: str | None = None
    steps: tuple[Step, ...] = ()
    seed: int = 0
    rows: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    """Name -> kind: text, number, label, time, list, flag."""
    roles: Roles = field(default_factory=Roles)
    task: str | None = None
    prompt: Prompt | None = None
    created: str = ""
    """ISO 8601, UTC."""
    report: tuple[StepReport, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)
    """train / validation / test -> rows; empty before a split."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Imports: file name, sha256, reading options, rejected lines. Augmented: provider, model, journal."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File name -> sha256, for integrity only."""
    schema: int = SCHEMA

    @property
    def leak(self) -> str | None:
        """ "clean", "warn" or "blocked" when train and test rows were compared as the version was made, else None."""
        if "leakage" in self.source:
            return str(self.source["leakage"]["verdict"])
        found = self.source.get("leaked_test_rows")
        return None if found is None else "blocked" if found else "clean"

    @property
    def label(self) -> str:
        """How pickers name it: "4 · Split"."""
        return f"{self.number} · {self.title}"

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["steps"] = [step.to_dict() for step in self.steps]
        data["report"] = [asdict(report) for report in self.report]
        data["roles"] = self.roles.to_dict()
        data["prompt"] = self.prompt.to_dict() if self.prompt else None
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Version:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(
            **{
                **known,
                "steps": tuple(map(Step.from_dict, data.get("steps", ()))),
                "roles": Roles.from_dict(data.get("roles", {})),
                "prompt": Prompt.from_dict(data["prompt"]) if data.get("prompt") else None,
                "report": tuple(StepReport(**report) for report in data.get("report", ())),
            }
        )


def version_id(parent: str | None, steps: Sequence[Step], seed: int, source: str = "") -> str:
    """16 hex digits naming what a version is made of. Steps that are off do not count.

    `source` is the sha256 of an import's bytes or of a paid step's journal.
    """
    if parent is None and not source:
        raise SettingsError("A version without a parent needs the hash of its source.", title="No source")
    parts = [{"name": s.name, "revision": s.revision, "settings": s.settings} for s in steps if s.on]
    return digest({"parent": parent, "steps": parts, "seed": seed, "source": source})[:16]


def digest(value: Any) -> str:
    """sha256 of a JSON value in its canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=list)
    return hashlib.sha256(text.encode()).hexdigest()
