"""What fewer people need: other formats, the classic seven counts, the classic assistant; and the run bar with the download."""

from __future__ import annotations

import shlex
from typing import Any

import pandas as pd
import streamlit as st

from core.format import count, plural
from core.format import tokens as short_count
from core.io import validating
from core.validate.chat import CLASSIC
from core.validate.formats import UNKNOWN
from core.validate.prices import limit_of
from core.validate.report import summary
from core.validate.training_file import as_jsonl
from ui.layout import STATES, card
from ui.tables import downloads, same_action
from ui.validate_conversion import conversion
from ui.validate_prepare import assistant, given
from ui.validate_source import Subject

FORMATS_VIEW, CLASSIC_VIEW, ASSISTANT_VIEW = "Other formats", "Classic counts", "Classic assistant"


def advanced(subject: Subject) -> None:
    """Conversion, the classic counts, and the assistant for prompt and completion files; worked out when asked for."""
    offered = [FORMATS_VIEW, CLASSIC_VIEW]
    if subject.version is None and subject.made.detection.format == UNKNOWN:
        offered.append(ASSISTANT_VIEW)
    chosen = st.pills("Advanced", offered, key="validate_more")
    views = {FORMATS_VIEW: conversion, CLASSIC_VIEW: _classic, ASSISTANT_VIEW: assistant}
    if chosen in offered:
        with card(str(chosen), height="content"):
            views[str(chosen)](subject)


def _classic(subject: Subject) -> None:
    if not isinstance(subject.made.file.rows, tuple):  # rows stand on disk
        st.caption("The file is too large to be counted here again. From the command line:")
        st.code(shlex.join(["python", "-m", "core", "validate", given(subject)[0], "--rules", "classic"]), language=None, wrap_lines=True)
        return
    chats = subject.version is not None or subject.made.detection.format != "chat"
    with st.spinner("Counting as the older notebook did"):
        found = _counted(subject.key, subject, chats)
    st.caption(
        "The seven error types of OpenAI's older notebook, cl100k_base, 16,385 tokens an example. Some of what it counts is legal today."
        + (" The rows are counted as the chats they become." if chats and subject.version is None else "")
    )
    told = [found["errors"].get(name, {}) for name in CLASSIC]
    table = pd.DataFrame({"type": list(CLASSIC), "count": [one.get("count", 0) for one in told], "rows": [_first(one) for one in told]})
    st.dataframe(table, hide_index=True, key="validate_classic", alt="Counts of the seven types", placeholder="none")
    missing = {name: found["warnings"].get(name, {}).get("count", 0) for name in ("missing_system", "missing_user")}
    st.caption(f"{count(missing['missing_system'])} without a system message, {count(missing['missing_user'])} without a user message. "
               f"{count(found['billable_tokens'])} tokens × {found['epochs']} epochs = {count(found['training_tokens'])}.")  # fmt: skip


@st.cache_resource(max_entries=4, show_spinner=False, scope="session")
def _counted(key: str, _subject: Subject, chats: bool) -> dict[str, Any]:
    made = _subject.made
    return summary(validating.check(validating.of_rows(made.chats if chats else made.file.rows, made.file.lines), rules="classic"))


def _first(one: dict[str, Any], most: int = 8) -> str | None:
    """The first rows of a type."""
    rows = one.get("rows", [])
    return ", ".join(map(count, rows[:most])) + (f" and {count(len(rows) - most)} more" if len(rows) > most else "") or None


def export(subject: Subject) -> None:
    """Export, for a version and for an uploaded file: the checks as a table, and the same as a command and in Python."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        _export(subject)


def _export(subject: Subject) -> None:
    downloads(lambda: checks_table(subject), f"{subject.name}-checks", "validate_export", "Checks")
    made = subject.made
    source = subject.version.id if subject.version else given(subject)[0]
    limit = made.tokens.limit
    usual = validating.LOCAL_LIMIT if made.model == "embedded" else limit_of(made.model)
    words = ["python", "-m", "core", "validate", source, "--model", made.model, *(["--max-tokens", str(limit)] if limit != usual else [])]
    more = f", max_tokens={limit}" if limit != usual else ""
    same_action(
        shlex.join([*words, "--json"]),
        "from core.io import validating\n\n"
        f"file, others = validating.read({source!r})\nreport = validating.check(file, others, model={made.model!r}{more})",
    )


def checks_table(subject: Subject) -> pd.DataFrame:
    """One row per check."""
    return pd.DataFrame(
        [{"word": one.word, "check": one.name, "sentence": one.sentence, "count": one.occurrences, "rows": ", ".join(map(str, one.lines))}
         for one in subject.made.checks]
    )  # fmt: skip


def bar(subject: Subject, epochs: int) -> None:
    """How it stands, what is in it, and the one button: the training file."""
    made = subject.made
    failed, warned = len(made.failed), sum(one.word == "WARN" for one in made.checks)
    state = "Failed" if failed else "Warning" if warned else "Ready"
    words = f"{plural(failed, 'check')} failed" if failed else f"{plural(warned, 'check')} to look at" if warned else "Ready"
    color, sign = STATES[state]
    row: dict[str, Any] = {"horizontal": True, "vertical_alignment": "center", "gap": "small", "width": "content"}
    with st.bottom, st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(**row):
            st.badge(words, icon=f":material/{sign}:", color=color)  # type: ignore[arg-type]
            told = f"{plural(made.examples, 'example')} · {short_count(made.tokens.billable())} tokens · {plural(epochs, 'epoch')}"
            st.markdown(f":small[:gray[{told}]]", width="content")
        st.download_button(
            "Download training file",
            lambda: as_jsonl(made.file.rows),
            f"{subject.name}-train.jsonl",
            "application/jsonl",
            key="validate_download",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            disabled=not made.examples,
            shortcut="Mod+Enter" if made.examples else None,
        )
