"""What fewer people need: other formats, the classic seven counts, the classic assistant; and the run bar with the download."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import StudioError
from core.format import count, plural
from core.format import tokens as short_count
from core.io import validating
from core.validate.chat import CLASSIC
from core.validate.prepare import next_command, prepare
from core.validate.report import summary
from core.validate.training_file import as_jsonl
from ui.layout import STATES, card
from ui.state import plain, show_error
from ui.tables import downloads, same_action
from ui.validate_conversion import conversion
from ui.validate_source import Subject

FORMATS_VIEW, CLASSIC_VIEW, ASSISTANT_VIEW = "Other formats", "Classic counts", "Classic assistant"


def advanced(subject: Subject) -> None:
    """Conversion, the classic counts, and the assistant for prompt and completion files; worked out when asked for."""
    offered = [FORMATS_VIEW, CLASSIC_VIEW]
    if subject.made.detection.format in ("prompt_completion", "text"):
        offered.append(ASSISTANT_VIEW)
    chosen = st.pills("Advanced", offered, key="validate_more")
    views = {FORMATS_VIEW: conversion, CLASSIC_VIEW: _classic, ASSISTANT_VIEW: _assistant}
    if chosen in offered:
        with card(str(chosen), height="content"):
            views[str(chosen)](subject)


def _classic(subject: Subject) -> None:
    rows = subject.made.chats if subject.version or subject.made.detection.format != "chat" else subject.made.file.rows
    found = summary(validating.check(validating.of_rows(rows), rules="classic"))
    st.caption(
        "The seven error types of OpenAI's older notebook, cl100k_base, 16,385 tokens an example. Some of what it counts is legal today."
    )
    counts = [found["errors"].get(name, {}).get("count", 0) for name in CLASSIC]
    st.dataframe(
        pd.DataFrame({"type": list(CLASSIC), "count": counts}), hide_index=True, key="validate_classic", alt="Counts of the seven types"
    )
    missing = {name: found["warnings"].get(name, {}).get("count", 0) for name in ("missing_system", "missing_user")}
    st.caption(f"{count(missing['missing_system'])} without a system message, {count(missing['missing_user'])} without a user message. "
               f"{count(found['billable_tokens'])} tokens × {found['epochs']} epochs = {count(found['training_tokens'])}.")  # fmt: skip


def _assistant(subject: Subject) -> None:
    """Each advice with a toggle; the download follows what is accepted."""
    rows = subject.made.file.rows
    try:
        offered = [one for one in prepare(rows, lambda advice: False).advices if one.remedy]
        for i, one in enumerate(offered):
            if one.necessary:
                st.caption(plain(f"Necessary: {one.remedy}"))
            else:
                key = f"validate_advice_{subject.key}_{one.rule}_{i}"
                st.toggle(plain(one.remedy), True, key=key, help=plain(one.text))
        keys = [f"validate_advice_{subject.key}_{one.rule}_{i}" for i, one in enumerate(offered)]
        chosen = {(one.rule, one.remedy): st.session_state.get(key, True) for key, one in zip(keys, offered, strict=True)}
        made = prepare(rows, lambda advice: bool(chosen.get((advice.rule, advice.remedy))))
    except StudioError as problem:
        show_error(problem)
        return
    st.caption(f"{plural(len(made.table.rows), 'row')}, {made.task}. Row numbers count from 0, as the old tool did.")
    parts = {"_train": made.split[0], "_valid": made.split[1]} if made.split else {"": made.table}
    with st.container(horizontal=True):
        for end, part in parts.items():
            name = f"{subject.name}_prepared{end}.jsonl"
            which = {"_train": " to train", "_valid": " to validate"}.get(end, "")
            words = f"Download {plural(len(part.rows), 'row')}{which}"
            data = partial(as_jsonl, part.rows)
            st.download_button(words, data, name, "application/jsonl", key=f"validate_prepared{end}", on_click="ignore")
    st.code(next_command(made, *(f"{subject.name}_prepared{end}.jsonl" for end in parts)), language=None, wrap_lines=True)


def export(subject: Subject) -> None:
    """The checks as a table, and the same as a command and in Python."""
    downloads(lambda: checks_table(subject), f"{subject.name}-checks", "validate_export")
    source = subject.version.id if subject.version else "training.jsonl"
    same_action(
        f"python -m core validate {source} --model {subject.made.model} --json",
        "from core.io import validating\n\n"
        f'file, others = validating.read("{source}")\nreport = validating.check(file, others, model="{subject.made.model}")',
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
