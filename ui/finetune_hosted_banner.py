"""The end of hosted fine-tuning as people must have read it, and the way off: keep the answers, train here on the same rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core import format as fmt
from core.finetune.hosted import banner, wind_down
from core.io import jobs
from core.io.providers.addresses import OPENAI, for_child, key_for
from core.version import Version
from ui.layout import card
from ui.state import link, plain

KEPT = "finetune_hosted_models"
"""Session key: address -> the models it told of."""


def line() -> None:
    """One caption line, on Fine-tune."""
    st.caption(f":material/info: {plain(banner(datetime.now(UTC).date()))}")


def told(url: str, model: str) -> str:
    """The day a model shuts down by what its host said (ISO); "" where it said nothing."""
    found: list[dict[str, Any]] = st.session_state.get(KEPT, {}).get(url, [])
    return next((str(one["shutdown_date"]) for one in found if one.get("id") == model and one.get("shutdown_date")), "")


def typed_key(url: str) -> str | None:
    """The key of this session for an address."""
    return st.session_state.get("key_OPENAI_API_KEY" if url == OPENAI else f"key_{url}") or None


def way_off(version: Version, model: str, url: str, job: str = "") -> None:
    """Record a hosted model's answers while it lives, and train a local adapter on the same rows."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        ready = url != OPENAI or bool(key_for(OPENAI, typed_key(OPENAI))[0])
        st.button("Record its answers", key=f"hosted_record_{model}", icon=":material/save:", disabled=not ready,
                  on_click=measure, args=(version, url, model, job), kwargs={"limit": version.splits.get("test", 0)},
                  help="Asks the model every test row and keeps what it says: it stays on Compare after its host has shut it "
                       "down.")  # fmt: skip
        if st.button("Train one here on the same rows", key=f"hosted_local_{model}", icon=":material/memory:"):
            st.session_state["finetune_engine"], st.session_state["_finetune_go"] = "This machine", "New run"
            st.rerun()


def measure(version: Version, url: str, model: str, job: str = "", step: int | None = None, limit: int | None = None) -> None:
    """Callback: ask a hosted model the test rows, as a job."""
    asked = {"model": model, **({"job": job} if job else {}), **({"step": step} if step else {})}
    request = {"dataset": version.dataset, "version": version.id, "base_url": url, "measure": asked, **({"limit": limit} if limit else {})}
    made = jobs.start(
        "hosted", request, title="Measure a hosted model", dataset=version.dataset, environment=for_child(url, typed_key(url))
    )
    st.session_state["finetune_hosted_measured"] = made.id


def settings() -> None:
    """The card on Settings: the dates, each known model's own day, and the two ways off."""
    with card("Hosted fine-tuning", height="content"):
        st.caption(plain(wind_down(datetime.now(UTC).date())))
        found = st.session_state.get(KEPT, {}).get(OPENAI, [])
        ends = [(str(one["id"]), str(one["shutdown_date"])) for one in found if one.get("shutdown_date")]
        for name, day in sorted(ends, key=lambda one: one[1])[:8]:
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.text(name, width="content")
                st.caption(f"until {fmt.date(day)}", width="content")
        with st.container(horizontal=True, gap="small"):
            link("finetune", "Train a local model", icon=":material/memory:")
            link("baselines", "Read recorded answers", icon=":material/save:")
