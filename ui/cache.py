"""Every cache of the app, keyed by content ids and never by a frame (large frames are hashed by a sample only)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.evaluation import Evaluation
from core.format import unit_of
from core.io import evaluations as kept
from core.io import store
from core.prediction import Examples
from core.prediction import examples as make_examples

if TYPE_CHECKING:
    import pandas as pd

    from core.augment.presets import AugmentSettings
    from core.augment.report import Report
    from core.augment.requests import Ask, Estimate
    from core.io.augmenting import Writer


@st.cache_resource(max_entries=8, show_spinner=False)
def frame(dataset: str, version: str) -> pd.DataFrame:
    """The whole table of a version. Shared: do not change it."""
    return store.frame(store.version(dataset, version))


@st.cache_resource(max_entries=8, show_spinner=False)
def examples(dataset: str, version: str, split: str) -> Examples:
    """The rows of one split as predictors see them, with targets."""
    one = store.version(dataset, version)
    rows = frame(dataset, version)
    rows = rows[rows[one.roles.split].astype("str") == split] if one.roles.split else rows
    return make_examples(rows.reset_index(drop=True), one.roles, one.task or "chat")


@st.cache_data(max_entries=16, show_spinner=False)
def _evaluations(dataset: str, version: str | None, stamp: Any) -> list[Evaluation]:
    return kept.of(dataset, version)


def evaluations(dataset: str, version: str | None = None) -> list[Evaluation]:
    """Everything that answered rows of this dataset (or of one version of it), the oldest first."""
    return _evaluations(dataset, version, kept.stamp(dataset))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=lambda engine: engine.close())
def engine() -> Any:
    """The embedded model with all its adapters: one copy, one thread that owns it."""
    from core.io import embedded

    return embedded.engine()


@st.cache_data(max_entries=32, show_spinner=False)
def ready(dataset: str, version: str) -> str | None:
    """Why nothing can be measured on this version yet, or None."""
    from core.io import projects

    return projects.ready(store.version(dataset, version))


@st.cache_data(max_entries=16, show_spinner=False)
def _board(dataset: str, version: str, reference: str | None, stamp: Any) -> Any:
    from core.compare.leaderboard import leaderboard

    found = comparable(kept.of(dataset), version)
    unit = unit_of(store.version(dataset, version).roles.target)
    return leaderboard(found, reference=reference, unit=unit) if found else None


def board(dataset: str, version: str, reference: str | None = None) -> Any:
    """The leaderboard of everything that answered this version's test rows; None while nothing has."""
    return _board(dataset, version, reference, kept.stamp(dataset))


def comparable(found: list[Evaluation], version: str) -> list[Evaluation]:
    """Those that answered the test rows of this version; where none did, those of the newest evaluation's test rows."""
    own = [one for one in found if one.version == version]
    newest = (own or found)[-1:] if found else []
    return [one for one in found if newest and one.test_id == newest[0].test_id]


@st.cache_data(max_entries=64, show_spinner=False)
def augment_estimate(dataset: str, version: str, settings: AugmentSettings, writer: Writer) -> Estimate:
    """What an augmentation takes. Raises what cannot be asked for."""
    from core.io import augmenting

    return augmenting.estimated(_augment_asks(dataset, version, settings), writer)


@st.cache_resource(max_entries=8, show_spinner=False)
def _augment_asks(dataset: str, version: str, settings: AugmentSettings) -> list[Ask]:
    from core.io import augmenting

    return augmenting.asks(store.version(dataset, version), settings)


@st.cache_resource(max_entries=4, show_spinner=False)
def augment_reviewed(dataset: str, version: str, batch: str, stamp: tuple[int, int]) -> tuple[pd.DataFrame, Report]:
    """Every variant of a batch as judged and decided. Shared: do not change it."""
    from core.io import batches

    one = store.version(dataset, version)
    return batches.reviewed(one, batches.batch(one, batch))


@st.cache_data(max_entries=16, show_spinner=False)
def class_sizes(dataset: str, version: str) -> dict[str, int]:
    """Train rows of each class."""
    one = store.version(dataset, version)
    return store.frame(one, [one.roles.target or ""], split="train")[one.roles.target].astype("str").value_counts().to_dict()


@st.cache_data(max_entries=16, show_spinner=False)
def _verdict(dataset: str, version: str, stamp: Any) -> Any:
    from core.compare.verdict import verdict as judge

    shown = _board(dataset, version, None, stamp)
    return judge(shown) if shown else None


def verdict(dataset: str, version: str) -> Any:
    """The verdict on `board`, whatever its reference; None while nothing has answered."""
    return _verdict(dataset, version, kept.stamp(dataset))


@st.cache_resource(max_entries=6, show_spinner=False)
def training_rows(dataset: str, version: str, max_tokens: int, model: str) -> Any:
    """A version's train and validation rows as this model's tokens (`core.io.lora.Prepared`)."""
    from core.finetune.settings import TrainSettings
    from core.io import lora

    one = store.version(dataset, version)
    return lora.prepare(one, lora.prompt_of(one), TrainSettings(max_tokens=max_tokens), Path(model))


@st.cache_data(max_entries=16, show_spinner=False)
def leaked(dataset: str, version: str) -> int:
    """Test rows that are also train rows, by their texts."""
    from core.finetune import checks

    return checks.leaked(examples(dataset, version, "train").text, examples(dataset, version, "test").text)
