"""From a finding or a cut to the step that mends it, on the page where steps are.

The steps wait in the session as `curate_incoming`: {"version": id, "steps": [Step as dict]}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.explore.fixes import steps
from core.version import Version
from ui.state import go


def send(version: Version, fix: str, column: str | None = None, settings: Mapping[str, Any] | None = None) -> None:
    """Remember the steps; `follow` goes to their page (a callback cannot switch pages)."""
    st.session_state["_explore_to"] = "augment" if fix in ("augment", "more") else "curate"
    propose(version, fix, column, settings)


def propose(version: Version, fix: str, column: str | None = None, settings: Mapping[str, Any] | None = None) -> None:
    """Let the steps of a fix wait for Curate, whoever goes there."""
    made = [one.to_dict() for one in steps(fix, version.roles, version.columns, column, settings)]
    if made:
        st.session_state["curate_incoming"] = {"version": version.id, "steps": made}


def follow() -> None:
    """Go where a fix was sent to, if one waits."""
    to = st.session_state.pop("_explore_to", None)
    if to:
        go(to)
