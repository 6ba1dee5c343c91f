"""Caches of Explore, keyed by content ids and never by a frame (see `ui.cache`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.io import mapping, numbers, query, store
from core.io.query import Filter, Page

if TYPE_CHECKING:
    import pandas as pd

    from core.explore.distributions import Histogram
    from core.version import Version


def _meaning(one: Filter) -> tuple[Any, ...]:
    """A filter as a cache key; many row numbers by their hash."""
    rows = None if one.rows is None else (len(one.rows), hash(one.rows))
    return (one.column, one.low, one.high, one.outside, one.values, one.search, one.columns, rows)


_KEYS: dict[str | type[Any], Any] = {Filter: _meaning}


def prepare(version: Version) -> None:
    """Write the numbers beside the table where they are missing, with words instead of an empty page."""
    if not numbers.path(version).exists():
        with st.spinner("Measuring the rows"):
            numbers.ensure(version)


def page(version: Version, filters: Sequence[Filter], sort: str | None, descending: bool, offset: int, limit: int,
         seconds: float = query.SECONDS) -> Page:  # fmt: skip
    """One page of rows; see `query.page`."""
    counted = numbers.is_counted(version)
    return _page(version.dataset, version.id, tuple(filters), sort, descending, offset, limit, seconds, counted)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def _page(dataset: str, version: str, filters: tuple[Filter, ...], sort: str | None, descending: bool, offset: int, limit: int,
          seconds: float, counted: bool) -> Page:  # fmt: skip
    one = store.version(dataset, version)
    return query.page(one, filters, sort=sort, descending=descending, offset=offset, limit=limit, seconds=seconds)


def count(version: Version, filters: Sequence[Filter]) -> int:
    """How many rows pass."""
    return _count(version.dataset, version.id, tuple(filters)) if filters else version.rows


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def _count(dataset: str, version: str, filters: tuple[Filter, ...]) -> int:
    return query.count(store.version(dataset, version), filters)


def summary(version: Version, column: str, filters: Sequence[Filter] = ()) -> dict[str, float]:
    """See `query.summary`."""
    return _summary(version.dataset, version.id, column, tuple(filters), numbers.is_counted(version))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def _summary(dataset: str, version: str, column: str, filters: tuple[Filter, ...], counted: bool) -> dict[str, float]:
    return query.summary(store.version(dataset, version), column, filters)


def histogram(version: Version, column: str, filters: Sequence[Filter] = (), *, bins: int = 40, log: bool = False) -> Histogram:
    """See `query.histogram`."""
    return _histogram(version.dataset, version.id, column, tuple(filters), bins, log, numbers.is_counted(version))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def _histogram(dataset: str, version: str, column: str, filters: tuple[Filter, ...], bins: int, log: bool, counted: bool) -> Histogram:
    one = store.version(dataset, version)
    found = _summary(dataset, version, column, () if one.rows > numbers.LARGE else filters, counted)  # one reading of a large table
    ends = (found["lowest"], found["highest"]) if found else None
    return query.histogram(one, column, filters, bins=bins, log=log, ends=ends)


def categories(version: Version, column: str, filters: Sequence[Filter] = (), *, most: int = 12, median: bool = False) -> pd.DataFrame:
    """See `query.categories`."""
    return _categories(version.dataset, version.id, column, tuple(filters), most, median)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def _categories(dataset: str, version: str, column: str, filters: tuple[Filter, ...], most: int, median: bool) -> pd.DataFrame:
    return query.categories(store.version(dataset, version), column, filters, most=most, median=median)


def profile(version: Version) -> Any:
    """Columns and findings (`core.explore.profile.Profile`), of a sample where the version is large."""
    return _profile(version.dataset, version.id, numbers.is_counted(version), mapping.stamp(version))


@st.cache_resource(max_entries=8, show_spinner=False)
def _profile(dataset: str, version: str, counted: bool, maps: Any) -> Any:
    from core.io import profiling

    return profiling.profile(store.version(dataset, version))


def lengths(version: Version, measure: str, tokenizer: str) -> Any:
    """How long rows are (`profiling.Counted`)."""
    return _lengths(version.dataset, version.id, measure, tokenizer, numbers.is_counted(version, tokenizer))


@st.cache_resource(max_entries=16, show_spinner=False)
def _lengths(dataset: str, version: str, measure: str, tokenizer: str, counted: bool) -> Any:
    from core.io import profiling

    return profiling.counted(store.version(dataset, version), measure, tokenizer)


@st.cache_data(max_entries=64, show_spinner=False)
def extremes(dataset: str, version: str, column: str) -> pd.DataFrame:
    """See `profiling.extremes`."""
    from core.io import profiling

    return profiling.extremes(store.version(dataset, version), column)


@st.cache_data(max_entries=256, show_spinner=False)
def same_text(dataset: str, version: str, row: int) -> list[int]:
    """See `profiling.same_text`."""
    from core.io import profiling

    return profiling.same_text(store.version(dataset, version), row)


@st.cache_resource(max_entries=8, show_spinner=False)
def associations(dataset: str, version: str) -> Any:
    """See `relating.associations`."""
    from core.io import relating

    return relating.associations(store.version(dataset, version))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def quantiles(dataset: str, version: str, column: str, by: str | None, filters: tuple[Filter, ...]) -> pd.DataFrame:
    """See `relating.quantiles`."""
    from core.io import relating

    return relating.quantiles(store.version(dataset, version), column, by, filters)


@st.cache_data(max_entries=16, show_spinner=False)
def target_by_length(dataset: str, version: str) -> pd.DataFrame:
    """See `relating.target_by_length`."""
    from core.io import relating

    return relating.target_by_length(store.version(dataset, version))


@st.cache_data(max_entries=16, show_spinner=False)
def first_rows(dataset: str, version: str) -> pd.DataFrame:
    """The first 200 rows: for guesses and examples."""
    one = store.version(dataset, version)
    return query.fetch(one, range(min(200, one.rows)))


@st.cache_data(max_entries=32, show_spinner=False)
def distinct(dataset: str, version: str, column: str, most: int) -> list[Any]:
    """See `query.distinct`."""
    return query.distinct(store.version(dataset, version), column, most)


@st.cache_resource(max_entries=16, show_spinner=False)
def cell_lengths(dataset: str, version: str, column: str) -> Any:
    """See `profiling.cell_lengths`."""
    from core.io import profiling

    return profiling.cell_lengths(store.version(dataset, version), column)


@st.cache_resource(max_entries=4, show_spinner=False)
def text_map(dataset: str, version: str, stamp: Any) -> Any:
    """The map of a version that was made last (`core.io.mapping.TextMap`); None while there is none."""
    from core.io import mapping

    return mapping.newest(store.version(dataset, version))


@st.cache_resource(max_entries=2, show_spinner=False)
def encoded(dataset: str, version: str, vectors: Any, stamp: Any) -> Any:
    """The vectors of a version (`core.io.vectors.Encoded`)."""
    from core.io.vectors import load

    return load(store.version(dataset, version), vectors)


@st.cache_data(max_entries=64, show_spinner=False)
def map_values(dataset: str, version: str, column: str, _rows: Any, stamp: Any) -> Any:
    """A column, or a number beside the table, of the rows of a map."""
    from core.io import mapping

    return mapping.values(store.version(dataset, version), column, _rows)


@st.cache_resource(max_entries=8, show_spinner=False)
def map_figure(seen: Any, _make: Any) -> Any:
    """The figure of a map by everything it shows. Shared: do not change it."""
    return _make()


@st.cache_data(max_entries=16, show_spinner=False)
def languages(dataset: str, version: str) -> Any:
    """The languages of at most 2,000 rows (`core.explore.language.Mix`)."""
    from core.io.languages import mix_of

    return mix_of(store.version(dataset, version))


@st.cache_data(max_entries=16, show_spinner=False)
def variety(dataset: str, version: str) -> tuple[Any, Any]:
    """Distinct n-grams of the texts, and of free answers (`core.explore.diversity.Distinct` or None each)."""
    from core.explore.diversity import distinct
    from core.io.vectors import drawn, take

    one = store.version(dataset, version)
    rows, texts = drawn(one, 10_000)
    answers = take(one, [one.roles.target], rows)[one.roles.target] if one.roles.target and one.task in ("qa", "chat") else None
    return distinct(texts), distinct(answers.dropna().astype("str").tolist()) if answers is not None else None


def rows(version: Version, wanted: tuple[int, ...]) -> pd.DataFrame:
    """The rows of these numbers, in this order; see `query.fetch`."""
    return _rows(version.dataset, version.id, wanted, numbers.is_counted(version))


@st.cache_data(max_entries=32, show_spinner=False)
def _rows(dataset: str, version: str, wanted: tuple[int, ...], counted: bool) -> pd.DataFrame:
    return query.fetch(store.version(dataset, version), wanted)


@st.cache_data(max_entries=64, show_spinner=False, scope="session")
def question(dataset: str, version: str, vectors: Any, text: str, stamp: Any, _environment: Any) -> Any:
    """The place of a question among the vectors of a version."""
    from core.io import embedding

    return embedding.question(store.version(dataset, version), vectors, text, _environment)


@st.cache_resource(max_entries=2, show_spinner=False, scope="session")
def looked(key: str, options: Any, _place: Any) -> Any:
    """A look at the first rows of a large file or a folder and the roles guessed for them (`Look`, `Guess`)."""
    from core.io import importing
    from core.load.roles import guess

    found = importing.look(_place, options)
    return found, guess(found.loaded.frame)


@st.cache_data(max_entries=4, show_spinner=False)
def rejects(path: str) -> pd.DataFrame:
    """The lines that could not be read, as they are kept beside a version."""
    import pandas as pd

    return pd.read_parquet(path).rename(columns={"reason": "why"})
