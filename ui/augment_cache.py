"""What the page Augment computes once: by ids of content, never by a frame."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.io import augmenting, batches, files, jobs, store, written

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from core.augment.fields import Field
    from core.augment.gates import Limits
    from core.augment.pasted import HandRequest
    from core.augment.presets import AugmentSettings
    from core.augment.requests import Estimate
    from core.augment.variety import Compared
    from core.io.augmenting import Writer
    from core.io.batches import Batch
    from core.version import Version


@st.cache_data(max_entries=64, show_spinner=False)
def estimate(dataset: str, version: str, settings: AugmentSettings, writer: Writer) -> Estimate:
    """What an augmentation takes. Raises what cannot be asked for."""
    found = augmenting.estimated(_asks(dataset, version, settings), writer)
    return replace(found, usd=_usd(found, writer.batch_rates())) if writer.batch else found


def other_way(found: Estimate, writer: Writer) -> float | None:
    """USD of the same requests in a batch, or at once where a batch is chosen; None where there is no other way or no price."""
    rates = writer.known_rates() if writer.batch else writer.batch_rates()
    return _usd(found, rates) if any(rates or ()) else None


def _usd(found: Estimate, rates: tuple[float, float] | None) -> float | None:
    return None if rates is None else (found.tokens_in * rates[0] + found.tokens_out * rates[1]) / 1e6


@st.cache_resource(max_entries=8, show_spinner=False)
def _asks(dataset: str, version: str, settings: AugmentSettings) -> Any:
    return augmenting.asks(store.version(dataset, version), settings)


@st.cache_resource(max_entries=8, show_spinner=False)
def hand_requests(dataset: str, version: str, settings: AugmentSettings, per: int) -> list[HandRequest]:
    """The requests to copy into any chat, so many rows in each."""
    from core.augment.pasted import requests_by_hand

    return requests_by_hand(_asks(dataset, version, settings), settings, per)


def first_request(dataset: str, version: str, settings: AugmentSettings) -> str:
    """The first request, letter for letter. Raises what cannot be asked for."""
    asked = _asks(dataset, version, settings)
    return "\n\n".join(message["content"] for message in asked[0].messages) if asked else ""


@st.cache_data(max_entries=16, show_spinner=False)
def row_fields(dataset: str, version: str, column: str) -> tuple[Field, ...]:
    """The columns of a new row as the train rows hold them."""
    from core.augment.new_rows import row_fields
    from core.augment.presets import AugmentSettings

    one = store.version(dataset, version)
    return row_fields(augmenting.train_rows(one), one.roles, AugmentSettings(column, "new_rows"))


def batches_of(version: Version) -> list[Batch]:
    """What was written for a version, the newest first; journals are read again only when they grew."""
    mine = [job for job in jobs.all_jobs(version.dataset, "augment") if job.request.get("version") == version.id]
    folders = [*(job.folder for job in mine), *sorted(files.folder("by_hand").glob(f"{version.id}-*"))]
    sizes = [(path.stat().st_size if path.exists() else 0) for path in (folder / "replies.jsonl" for folder in folders)]
    return _batches(version.dataset, version.id, (tuple(job.state for job in mine), tuple(map(str, folders)), tuple(sizes)))


@st.cache_resource(max_entries=8, show_spinner=False)
def _batches(dataset: str, version: str, stamp: Any) -> list[Batch]:
    return batches.batches(store.version(dataset, version))


def spent(batch: Batch) -> float | None:
    """USD; None when no price was known."""
    return _spent(str(batch.folder), batch.stamp[0], batch)


def doubts(batch: Batch) -> str:
    """What is not sure about the cost; "" when it is what the endpoint reported."""
    return _doubts(str(batch.folder), batch.stamp[0])


@st.cache_data(max_entries=32, show_spinner=False)
def _doubts(folder: str, size: int) -> str:
    from core.format import cost

    found = written.standing(Path(folder))
    words = ["Counted here, because the endpoint reported no usage."] if found.estimated else []
    return " ".join([*words, *([f"Up to {cost(found.unsure)} more for requests that got no reply."] if found.unsure else [])])


@st.cache_data(max_entries=32, show_spinner=False)
def _spent(folder: str, size: int, _batch: Batch) -> float | None:
    return batches.usd(_batch)


def decided(version: Version, batch: Batch) -> pd.DataFrame:
    """Every variant of a batch as judged (once per reply and limit) and decided (once per decision). Shared: do not change it."""
    return _decided(version.dataset, version.id, batch.id, _moved(batch), batch.stamp)


def limits(version: Version, batch: Batch) -> Limits:
    """Where the gates stand for this batch."""
    return _judged(version.dataset, version.id, batch.id, _moved(batch), batch.stamp[0])[2].limits


def values(version: Version, batch: Batch) -> dict[str, np.ndarray]:
    """Gate -> what it measured of each variant, in the order of `decided`; NaN where it could not judge."""
    return _values(version.dataset, version.id, batch.id, _moved(batch), batch.stamp)


def _moved(batch: Batch) -> str:
    moved = batches.limits(batch)
    return "" if moved is None else repr(moved)


@st.cache_resource(max_entries=4, show_spinner="Judging the variants")
def _judged(dataset: str, version: str, batch: str, moved: str, size: int) -> Any:
    one = store.version(dataset, version)
    return batches.judged(one, batches.batch(one, batch))


@st.cache_resource(max_entries=4, show_spinner=False)
def _decided(dataset: str, version: str, batch: str, moved: str, stamp: tuple[int, int]) -> pd.DataFrame:
    from core.augment.decisions import decided

    _, frame, judge = _judged(dataset, version, batch, moved, stamp[0])
    return decided(frame, batches.decisions(batches.batch(store.version(dataset, version), batch)), judge.copy())


@st.cache_resource(max_entries=4, show_spinner=False)
def _values(dataset: str, version: str, batch: str, moved: str, stamp: tuple[int, int]) -> dict[str, np.ndarray]:
    import numpy as np

    rows = [json.loads(cell) for cell in _decided(dataset, version, batch, moved, stamp)["values"].tolist()]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name) for row in rows], dtype="float64") for name in names}


@st.cache_data(max_entries=16, show_spinner=False)
def class_sizes(dataset: str, version: str) -> dict[str, int]:
    """Train rows of each class."""
    one = store.version(dataset, version)
    return store.frame(one, [one.roles.target or ""], split="train")[one.roles.target].astype("str").value_counts().to_dict()


@st.cache_data(max_entries=16, show_spinner=False)
def train_sample(dataset: str, version: str) -> pd.DataFrame:
    """The first 100 train rows."""
    return store.frame(store.version(dataset, version), split="train").head(100)


@st.cache_data(max_entries=16, show_spinner=False)
def is_korean(dataset: str, version: str, column: str) -> bool:
    """Whether most letters of that column are Hangul, in the first train rows."""
    letters = [letter for cell in train_sample(dataset, version)[column].dropna().tolist() for letter in str(cell) if letter.isalpha()]
    return sum("가" <= letter <= "힣" for letter in letters) * 2 > len(letters)


@st.cache_data(max_entries=16, show_spinner=False)
def written_rows(dataset: str, version: str) -> int:
    """How many rows of a version a writer made."""
    from core.io.children import synthetic

    one = store.version(dataset, version)
    return int(synthetic(one, store.frame(one)).sum()) if one.roles.parent_row else 0


def variety(version: Version, batch: Batch | None) -> Compared:
    """The texts without and with the new rows: those kept of a batch, or those a version holds."""
    return _variety(version.dataset, version.id, *_stamped(batch))


def _stamped(batch: Batch | None) -> tuple[str, str, tuple[int, int]]:
    return (batch.id, _moved(batch), batch.stamp) if batch else ("", "", (0, 0))


@st.cache_data(max_entries=16, show_spinner="Counting words")
def _variety(dataset: str, version: str, batch: str, moved: str, stamp: tuple[int, int]) -> Compared:
    from core.augment.requests import compared as column_of
    from core.augment.variety import compared
    from core.io.children import synthetic

    one = store.version(dataset, version)
    train = augmenting.train_rows(one)
    made = synthetic(one, train)
    settings = batches.batch(one, batch).settings if batch else _saved_settings(one)
    column = column_of(settings, one.roles) if settings else one.roles.text[0]
    cells = [
        None if cell is None or cell != cell else str(cell) for cell in train[column if column in train else one.roles.text[0]].tolist()
    ]
    new = [cell for cell, written in zip(cells, made.tolist(), strict=True) if written and cell]
    if batch:
        frame = _decided(dataset, version, batch, moved, stamp)
        new = frame.loc[frame["keep"], "variant"].tolist()
    return compared([cell for cell, written in zip(cells, made.tolist(), strict=True) if cell and not written], new)


def _saved_settings(one: Version) -> AugmentSettings | None:
    from core.augment.presets import AugmentSettings

    told = one.source.get("augment", {}).get("settings")
    return AugmentSettings.from_dict(told) if told else None


@dataclass(frozen=True)
class Family:
    """A row and what was written from it, as training texts by format."""

    title: str
    parent: bool
    """Whether the first text is the original's."""
    texts: list[dict[str, str]]


def families(version: Version, batch: Batch | None) -> list[Family]:
    """The first rows with new ones. Raises what a version lacks for training."""
    return _families(version.dataset, version.id, *_stamped(batch))


@st.cache_data(max_entries=16, show_spinner=False)
def _families(dataset: str, version: str, batch: str, moved: str, stamp: tuple[int, int]) -> list[Family]:
    one = store.version(dataset, version)
    train = augmenting.train_rows(one)
    made, lineage = _made(one, train, batch, _decided(dataset, version, batch, moved, stamp) if batch else None)
    parents = [-1 if row is None or row != row else int(row) for row in made[lineage].tolist()]
    found = []
    for parent in list(dict.fromkeys(parents))[:FAMILIES]:
        mine = made.take([place for place, row in enumerate(parents) if row == parent][:MEMBERS])
        found.append(_family(one, mine, train.loc[[parent]] if parent in train.index else None))
    return found


FAMILIES, MEMBERS = 20, 5
"""Rows whose texts are shown, and new rows of each."""


def _made(one: Version, train: pd.DataFrame, batch: str, frame: pd.DataFrame | None) -> tuple[pd.DataFrame, str]:
    """The new rows as whole rows, and the column of their parents' row numbers."""
    from core.augment.decisions import kept
    from core.io.children import children, synthetic

    if frame is None:
        return train.take(synthetic(one, train).nonzero()[0]), one.roles.parent_row or ""
    accepted = kept(frame).head(FAMILIES * MEMBERS)
    found = batches.batch(one, batch)
    made = children(one, accepted, found.settings, limits=batches.limits(found))
    return made.rows, made.lineage


def _family(one: Version, mine: pd.DataFrame, parent: pd.DataFrame | None) -> Family:
    import pandas as pd

    from core.augment.training_text import training_texts
    from core.io.lora import prompt_of

    whole = mine if parent is None else pd.concat([parent, mine], ignore_index=True)
    texts = training_texts(pd.DataFrame(whole), one.roles, one.task or "chat", prompt_of(one))
    return Family(str(whole[one.roles.text[0]].iloc[0]), parent is not None, texts)
