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
