"""A table at a glance: one line a column, and findings, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.explore import distributions
from core.explore.findings import Finding, find
from core.explore.language import Identify
from core.load.columns import kind as kind_of
from core.load.columns import of
from core.version import Roles

BINS = 14


@dataclass(frozen=True)
class ColumnProfile:
    name: str
    kind: str
    """text, number, label, time, list or flag."""
    nulls: int
    """Missing or empty cells."""
    unique: int
    """Different filled cells."""
    longest: int
    """Characters of the longest cell."""
    example: str
    """The first filled cell, at most 200 characters."""
    shape: tuple[int, ...]
    """Numbers: counts in equal bins; labels: rows of the most frequent values; text: counts of lengths in equal bins."""
    margin: float = 0.0
    """Half the 95 % interval of the share of missing cells, when they were counted in a sample; 0 when in all rows."""
    about: bool = False
    """Whether `unique` is an estimate."""


@dataclass(frozen=True)
class Profile:
    rows: int
    """Rows looked at."""
    columns: tuple[ColumnProfile, ...]
    findings: tuple[Finding, ...]
    total: int = 0
    """Rows of the table, when those looked at are a sample drawn by lot; else 0."""


def profile(
    frame: pd.DataFrame,
    roles: Roles | None = None,
    kind: str | None = None,
    lengths: Sequence[int] | None = None,
    limit: int = 256,
    identify: Identify | None = None,
) -> Profile:
    """Columns and findings. `kind` is the task; `lengths` are tokens per row, `limit` the longest row that is trained on, `identify`
    names the language of a text."""
    columns = tuple(column(of(frame, name)) for name in frame.columns)
    return Profile(len(frame), columns, find(frame, roles or Roles(), kind, columns, lengths, limit, identify))


def column(cells: pd.Series) -> ColumnProfile:
    """One column at a glance."""
    kind = kind_of(cells)
    missing = cells.isna()
    if kind == "number":
        values = cells.loc[~missing].to_numpy(dtype="float64")
        shape = distributions.histogram(values[np.abs(values) < 1e300], BINS).counts
        texts = cells.loc[~missing].map(lambda value: f"{value:.15g}")
    else:
        texts = cells.loc[~missing].map(str)
        texts = texts.loc[texts.str.strip() != ""] if len(texts) else texts
        few = kind in ("label", "flag")
        counted = [] if not len(texts) else texts.value_counts().head(BINS) if few else texts.str.len().to_numpy()
        shape = tuple(int(n) for n in counted) if few else distributions.histogram(np.asarray(counted), BINS).counts
    return ColumnProfile(
        name=str(cells.name),
        kind=kind,
        nulls=len(cells) - len(texts),
        unique=int(texts.nunique()),
        longest=int(texts.str.len().max()) if len(texts) else 0,
        example=str(texts.iloc[0])[:200] if len(texts) else "",
        shape=tuple(shape),
    )
