"""Small stand-ins and small data that many tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.io import store
from core.prompt import default_prompt
from core.version import Roles, Version

ROOT = Path(__file__).resolve().parents[1]


def shared(name: str) -> Path:
    """A file of the real data beside a checkout; the test skips visibly where it is absent."""
    path = ROOT.parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"real data is not on this machine: {name}")
    return path


def frame(task: str = "regression", rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """Rows whose target follows from the text, split 60 / 20 / 20, Korean among them."""
    rng = np.random.default_rng(seed)
    things, grades = ["kettle", "pump", "lamp", "의자", "drill"], ["plain", "good", "fine", "고급"]
    thing, grade = rng.integers(0, 5, rows), rng.integers(0, 4, rows)
    text = [f"{grades[g]} {things[t]} number {i}" for i, (t, g) in enumerate(zip(thing, grade, strict=True))]
    price = np.round(10 + 12 * thing + 9 * grade + rng.normal(0, 1, rows), 2)
    target = {
        "regression": price,
        "classification": [["bad", "fair", "good", "좋음"][g] for g in grade],
        "qa": [f"{grades[g]} {things[t]}" for t, g in zip(thing, grade, strict=True)],
        "chat": text,
    }[task]
    part = np.array(["train"] * int(rows * 0.6) + ["validation"] * int(rows * 0.2))
    part = np.concatenate([part, np.array(["test"] * (rows - len(part)))])
    return pd.DataFrame({"text": text, "kind": [things[t] for t in thing], "answer": target, "split": part})


def version(task: str = "regression", rows: int = 60, *, label: str = "Things", split: bool = True, target: bool = True) -> Version:
    """The rows of `frame` saved as a version."""
    table = frame(task, rows)
    if not split:
        table = table.drop(columns="split")
    roles = Roles(text=("text",), target="answer" if target else None, category="kind", split="split" if split else None)
    labels = tuple(sorted(set(map(str, table["answer"])))) if task == "classification" else ()
    prompt = default_prompt(task, roles, labels) if target else None
    return store.save(
        label, table, title="Import", roles=roles, task=task if target else None, prompt=prompt, source_hash=f"{task}{rows}{split}{target}"
    )
