"""Caches of the leaderboard and the verdict: made once for what has answered so far, keyed by content ids."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.evaluation import Evaluation
from core.format import unit_of
from core.io import evaluations as kept
from core.io import store
from ui import cache


@st.cache_data(max_entries=16, show_spinner=False)
def _board(dataset: str, version: str, reference: str | None, stamp: Any) -> Any:
    from core.compare.leaderboard import leaderboard
    from core.io import testing

    found = comparable(kept.of(dataset), version)
    one = store.version(dataset, version)
    groups = testing.groups(one) if found and found[0].version == version else None
    return leaderboard(found, reference=reference, groups=groups, unit=unit_of(one.roles.target)) if found else None


def board(dataset: str, version: str, reference: str | None = None) -> Any:
    """The leaderboard of everything that answered this version's test rows; None while nothing has."""
    return _board(dataset, version, reference, kept.stamp(dataset))


def comparable(found: list[Evaluation], version: str) -> list[Evaluation]:
    """Those that answered the test rows of this version; where none did, those of the newest evaluation's test rows.

    A person's short quiz stays on Baselines: comparing takes the rows all have answered, and five would be left of hundreds.
    """
    found = [one for one in found if one.family != "people" or one.n >= min(30, one.test_rows)]
    own = [one for one in found if one.version == version]
    newest = (own or found)[-1:] if found else []
    return [one for one in found if newest and one.test_id == newest[0].test_id]


@st.cache_data(max_entries=16, show_spinner=False)
def _clean(dataset: str, version: str, stamp: Any) -> str:
    from core.compare.clean import Entrant, cleaned, sentence
    from core.evaluate.answers import answers_of
    from core.evaluate.metrics import METRICS
    from core.task import task

    leaked = cache.leaked_places(dataset, version)
    found = [one for one, _ in cache.ranked(dataset, version)] if leaked else []
    if not found:
        return ""
    name, target = task(found[0].task).headline, unit_of(store.version(dataset, version).roles.target)
    entrants = [Entrant(one.title, answers_of(one), one.answers["index"].tolist()) for one in found]
    unit = METRICS[name].unit
    return sentence(cleaned(entrants, leaked, name), name, target if unit == "target" else unit)


def clean(dataset: str, version: str) -> str:
    """One line on what the scores are without the test rows that train knows, each model on the rows it answered; "" when no other."""
    return _clean(dataset, version, kept.stamp(dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def _asides(dataset: str, version: str, stamp: Any) -> tuple[str, ...]:
    from core.compare.clean import Entrant, cleaned, sentence
    from core.compare.wording import picked
    from core.evaluate.best_of import best_of

    shown = _board(dataset, version, None, stamp)
    if not shown:
        return ()
    name, first = shown.metrics[0], shown.rows[0].evaluation
    leaked = cache.leaked_places(first.dataset, first.version)
    entrants = [Entrant(row.title, row.answers, shown.index.tolist(), None if shown.groups is None else shown.groups.tolist())
                for row in shown.rows] if leaked else []  # fmt: skip
    lines = (sentence(cleaned(entrants, leaked, name, seed=shown.seed), name, shown.unit_of(name)),
             picked(shown, best_of(name, [row.answers for row in shown.rows], groups=shown.groups, seed=shown.seed)))  # fmt: skip
    return tuple(line for line in lines if line)


def asides(dataset: str, version: str) -> tuple[str, ...]:
    """Quiet lines under the leaderboard: the score on clean rows where it differs, and what picking the best adds to it."""
    return _asides(dataset, version, kept.stamp(dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def _verdict(dataset: str, version: str, stamp: Any) -> Any:
    from core.compare.verdict import verdict as judge

    shown = _board(dataset, version, None, stamp)
    if not shown:
        return None
    leak = store.version(dataset, version).leak
    if leak is None and cache.leaked(dataset, version):  # a split that came with the file was never compared
        leak = "blocked"
    return judge(shown, leak=leak)


def verdict(dataset: str, version: str) -> Any:
    """The verdict on `board`, whatever its reference; None while nothing has answered."""
    return _verdict(dataset, version, kept.stamp(dataset))
