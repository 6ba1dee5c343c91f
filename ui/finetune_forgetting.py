"""Forgetting: what a model lost of general language and knowledge while it learnt the rows, before against after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import format as fmt
from core.io import files
from core.io.jobs import Job
from ui.layout import card
from ui.state import plain
from ui.tables import rows

HELP = ("The base and the fine-tuned model read the same general texts and answer the same general questions. Perplexity is how many "
        "equally likely words the model hesitates between: lower is better, and a rise beyond its interval is a finding.")  # fmt: skip


def show(job: Job) -> None:
    """The card, once it was measured."""
    import pandas as pd

    place = job.folder / "forgetting.json"
    if not place.exists():
        return
    told = files.read_json(place)
    lines = [_text(one) for one in told.get("texts", [])]
    if told.get("questions"):
        lines.append(_questions(told["questions"]))
    with card("What it forgot", height="content", help=HELP):
        found = [str(one["finding"]) for one in [*told.get("texts", []), told.get("questions") or {}] if one.get("finding")]
        for sentence in found:
            st.markdown(f":yellow[:material/error:] {plain(sentence)}")
        if not found:
            st.markdown(":green[:material/check_circle:] Nothing it knew before is measurably worse.")
        rows(pd.DataFrame(lines), "finetune_forgetting", alt="General texts and questions before and after the training")


def _text(one: Mapping[str, Any]) -> dict[str, str]:
    return {
        "What": f"Perplexity, {one['language']} text",
        "Before": fmt.number(_finite(one["before"])),
        "After": fmt.number(_finite(one["after"])),
        "Difference": f"{fmt.number(_finite(one['difference']))} {fmt.interval(_finite(one['low']), _finite(one['high']), prose=True)}",
    }


def _finite(value: float | None) -> float:
    return float("nan") if value is None else value


def _questions(one: Mapping[str, Any]) -> dict[str, str]:
    n = int(one["n"])
    share = {name: "n/a" if one[name] is None else fmt.signed(f"{100 * one[name]:.0f}") for name in ("difference", "low", "high")}
    return {
        "What": f"{n} general questions, right",
        "Before": fmt.share(one["before"], n),
        "After": fmt.share(one["after"], n),
        "Difference": f"{share['difference']} points [{share['low']}, {share['high']}]",
    }
