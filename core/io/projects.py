"""Opening a sample as a project of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import DataError, SettingsError
from core.format import unit_of
from core.io import store
from core.prediction import examples
from core.prompt import default_prompt
from core.task import labels_of, targets_of
from core.version import Version, digest

if TYPE_CHECKING:
    import pandas as pd


def open_sample(name: str, rows: int | None = None, seed: int = 0) -> Version:
    """The sample's first version, made now or found where it already is. Raises SettingsError naming the samples."""
    from core.load.samples.registry import SAMPLES

    if name not in SAMPLES:
        raise SettingsError(f"There is no sample '{name}'. There are {', '.join(SAMPLES)}.", title="No such sample")
    sample = SAMPLES[name]
    size = rows or sample.rows
    frame = sample.make(size, seed)
    labels = labels_of(targets_of(sample.task, frame[sample.roles.target].tolist())) if sample.task == "classification" else ()
    prompt = default_prompt(sample.task, sample.roles, labels, unit_of(sample.roles.target))
    source = {"sample": name, "rows": size, "seed": seed, "synthetic": True}
    return store.save(
        sample.title,
        frame,
        title="Sample",
        roles=sample.roles,
        task=sample.task,
        prompt=prompt,
        source=source,
        source_hash=digest([source, list(map(str, frame.columns)), _content(frame)]),
    )


def _content(frame: pd.DataFrame) -> str:
    from pandas.util import hash_pandas_object

    return str(int(hash_pandas_object(frame.astype("str"), index=False).sum()))  # pyright: ignore[reportCallIssue]


def ready(version: Version) -> str | None:
    """Why no model can be measured on this version yet, in the words of the run bar; None when it can."""
    if not version.roles.target or not version.task:
        return "Choose what to predict"
    if not version.splits.get("test"):
        return "Needs a test split"
    if not version.splits.get("train"):
        return "Needs train rows"
    try:
        examples(store.frame(version), version.roles, version.task)
    except DataError as error:
        return str(error)
    return None
