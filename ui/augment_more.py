"""Augment: what a request needs besides its text: columns, how many, class sizes, languages, a description with the columns of new rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.augment.fields import KINDS, Field
from core.augment.presets import PRESETS
from core.errors import SettingsError
from core.format import count, plural
from core.version import Version
from ui import augment_cache
from ui.state import plain

LANGUAGES = ("English", "Korean", "French", "German", "Spanish", "Japanese", "Chinese", "Vietnamese", "Portuguese", "Italian")
NEW = "a new column"


def settings(version: Version, preset: str, texts: list[str]) -> dict[str, Any]:
    """The fields of AugmentSettings these widgets fill. Raises SettingsError for columns of new rows that cannot be."""
    one = PRESETS[preset]
    if one.keeps == "schema":
        return {"preset": preset, **_new_rows(version, texts)}
    left, right = st.columns(2)
    column = str(left.selectbox("Text to ask about" if one.keeps == "context" else "Column", texts, key="augment_column",
                                persist_state="session"))  # fmt: skip
    variants = right.number_input(
        "At most per row" if one.balance else "Questions per text" if one.keeps == "context" else "Variants per row",
        1,
        20,
        10 if one.balance else 3,
        key=f"augment_variants_{one.balance}",
        persist_state="session",
        help="3 is a good start; above 5 they begin to repeat each other.",
    )
    found: dict[str, Any] = {"preset": preset, "column": column, "variants": int(variants)}
    if one.balance:
        found["to"] = _class_size(version)
    if one.keeps == "context":
        found |= _question(version, column, texts)
    if one.back:
        found |= _languages()
    return found


def _class_size(version: Version) -> int:
    sizes = augment_cache.class_sizes(version.dataset, version.id)
    to = int(st.number_input("Train rows per class", 2, 1_000_000, max([2, *sizes.values()]), key="augment_to", persist_state="session",
                             help="Classes below it get variants of their rows until they have that many."))  # fmt: skip
    small = sorted(((n, name) for name, n in sizes.items() if n < to))
    shown = ", ".join(f"{name} {count(n)}" for n, name in small[:6])
    st.caption(plain(f"Below it: {shown}." if small else "No class is below it."))
    return to


def _question(version: Version, column: str, texts: list[str]) -> dict[str, str]:
    """Where question and answer go."""
    others = [name for name in texts if name != column]
    left, right = st.columns(2)
    question = left.selectbox("Question goes to", others or [NEW], key="augment_question", persist_state="session")
    answers = [*([version.roles.target] if version.roles.target else []), *(name for name in others if name != question)]
    answer = right.selectbox("Answer goes to", answers or [NEW], key="augment_answer", persist_state="session")
    return {name: str(value) for name, value in (("question", question), ("answer", answer)) if value and value != NEW}


def _languages() -> dict[str, str]:
    left, right = st.columns(2)
    own = left.selectbox("Texts are in", ["told by their letters", *LANGUAGES], key="augment_language", persist_state="session",
                         accept_new_options=True, help="Letters tell Korean or Greek; they do not tell French from English.")  # fmt: skip
    pivot = right.selectbox("By way of", ["the usual one", *LANGUAGES], key="augment_pivot", persist_state="session",
                            accept_new_options=True, help="English; for English texts French.")  # fmt: skip
    return {name: str(value) for name, value in (("language", own), ("pivot", pivot)) if value in LANGUAGES or " " not in str(value)}


def _new_rows(version: Version, texts: list[str]) -> dict[str, Any]:
    """Description, how many, and the columns."""
    description = st.text_area("What the rows are about", key="augment_description", height=110, persist_state="session",
                               placeholder="Short reviews of kitchen tools by home cooks, good and bad ones.")  # fmt: skip
    left, right = st.columns(2)
    column = str(left.selectbox("Column to write", texts, key="augment_column", persist_state="session",
                                help="Its text is compared with the train and test rows."))  # fmt: skip
    total = right.number_input("New rows", 1, 100_000, 100, key="augment_total", persist_state="session")
    examples = st.slider("Real train rows shown as examples", 1, 20, 3, key="augment_examples", persist_state="session",
                         help="3 is recommended: enough to show the tone, few enough not to be copied.")  # fmt: skip
    fields = _fields(version, column)
    return {"column": column, "description": description or "", "total": int(total), "examples": int(examples), "fields": fields}


def _fields(version: Version, column: str) -> tuple[Field, ...]:
    """The columns of a new row in a table to edit; empty where nothing was changed."""
    usual = augment_cache.row_fields(version.dataset, version.id, column)
    shown = pd.DataFrame({
        "Column": [one.name for one in usual], "Kind": [one.kind for one in usual],
        "Choices": [", ".join(one.choices) for one in usual], "From": [one.low for one in usual], "To": [one.high for one in usual],
        "May be empty": [one.optional for one in usual], "What it holds": [one.meaning for one in usual],
    }).astype({"From": "float64", "To": "float64"})  # fmt: skip
    setup = st.column_config
    with st.popover(f"Columns of a new row ({plural(len(usual), 'column')})", icon=":material/view_column:", width="stretch"):
        st.caption("What each cell may hold; rows that do not fit are stopped by a gate. Other columns stay empty.")
        edited = st.data_editor(
            shown, key=f"augment_fields_{version.id}_{column}", hide_index=True, num_rows="dynamic", width="stretch",
            column_config={
                "Column": setup.SelectboxColumn(options=list(version.columns), required=True, width=120),
                "Kind": setup.SelectboxColumn(options=list(KINDS), default="text", required=True, width=90),
                "Choices": setup.TextColumn(help="For the kind choice: words with commas between them.", width=150),
                "What it holds": setup.TextColumn(help="A few words for the writer.", width=150),
            },
        )  # fmt: skip
    found = tuple(_field(row) for row in edited.to_dict("records"))
    return () if found == usual else found


def _field(row: dict[Any, Any]) -> Field:
    def number(name: str) -> float | None:
        return None if row[name] is None or row[name] != row[name] else float(row[name])

    name = row["Column"]
    if not name or name != name:
        raise SettingsError("A line of the columns of a new row names no column. Choose one, or delete the line.",
                            title="A column without a name")  # fmt: skip
    kind = str(row["Kind"] or "text")
    choices = tuple(word.strip() for word in str(row["Choices"] or "").split(",") if word.strip()) if kind == "choice" else ()
    numeric = kind in ("number", "integer")
    return Field(str(name), kind, choices, number("From") if numeric else None, number("To") if numeric else None,
                 bool(row["May be empty"]), str(row["What it holds"] or ""))  # fmt: skip
