"""What the page Augment computes once: by ids of content, never by a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.io import augmenting, batches, files, jobs, store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from core.augment.fields import Field
    from core.augment.gates import Limits
    from core.augment.pasted import HandRequest
    from core.augment.presets import AugmentSettings
    from core.augment.requests import Estimate
    from core.io.augmenting import Writer
    from core.io.batches import Batch
    from core.version import Version


@st.cache_data(max_entries=64, show_spinner=False)
def estimate(dataset: str, version: str, settings: AugmentSettings, writer: Writer) -> Estimate:
    """What an augmentation takes. Raises what cannot be asked for."""
    return augmenting.estimated(_asks(dataset, version, settings), writer)


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
