"""What each column is and what should be predicted: guessed, shown with an example, correctable."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.format import count, plural, short
from core.io import reading, store
from core.load.columns import kind, of
from core.load.roles import Guess, task_for, with_target
from core.task import TASKS, labels_of, target_of
from core.version import Roles, Version
from ui import explore_cache
from ui.layout import card
from ui.state import choose, guarded, plain

ROLES = ("Text", "Target", "Category", "Group", "Time", "Id", "Split", "Feature", "Not used")
LABELS = 500
"""Labels that are looked at; a target with more of them is no label."""
_SINGLE = ("Target", "Category", "Group", "Time", "Id", "Split")
WORDS = {"regression": "Predict a number", "classification": "Predict a label", "qa": "Answer a question", "chat": "Write a reply"}


def role_of(roles: Roles, column: str) -> str:
    return (roles.of(column) or "not used").capitalize() if roles.of(column) != "parent_row" else "Not used"


def editor(frame: pd.DataFrame, guess: Guess, key: str) -> tuple[Roles, str | None, str | None]:
    """Roles and task as chosen, and what is wrong with them. Only the column Role can be edited."""
    table = pd.DataFrame(
        {
            "Column": [str(name) for name in frame.columns],
            "Role": [role_of(guess.roles, str(name)) for name in frame.columns],
            "Kind": [_kind(of(frame, name)) for name in frame.columns],
        }
    )
    edited = st.data_editor(
        table,
        key=f"explore_roles_{key}",
        hide_index=True,
        disabled=["Column", "Kind"],
        column_config={"Role": st.column_config.SelectboxColumn("Role", options=ROLES, required=True)},
        alt="Columns and their roles",
    )
    picked = {str(column): str(role) for column, role in zip(edited["Column"], edited["Role"], strict=True)}
    twice = next((role for role in _SINGLE if list(picked.values()).count(role) > 1), None)
    single = {role.casefold(): next((c for c, r in picked.items() if r == role), None) for role in _SINGLE}
    roles = Roles(
        text=tuple(c for c, r in picked.items() if r == "Text"), features=tuple(c for c, r in picked.items() if r == "Feature"), **single
    )
    task = _task(frame, roles, guess.task if roles.target == guess.roles.target else None, key)
    st.caption("Guessed from names and values. Change what is wrong.")
    return roles, task, f"Two columns are {twice}: choose one" if twice else None


def _task(frame: pd.DataFrame, roles: Roles, guessed: str | None, key: str) -> str | None:
    if not roles.target:
        st.caption("No column is the Target: nothing will be predicted yet.")
        return None
    suggested = guessed or task_for(of(frame, roles.target), roles.text)
    return st.selectbox(
        "Task",
        list(TASKS),
        index=list(TASKS).index(suggested),
        format_func=lambda one: f"{WORDS[one]} ({short(roles.target or '', 30)})",
        key=f"explore_task_{key}_{roles.target}",
        label_visibility="collapsed",
        help=" ".join(f"{task.title}: {task.meaning}" for task in TASKS.values()),
    )


def _kind(column: pd.Series) -> str:
    found = kind(column)
    return plural(column.nunique(), "value") if found == "label" else found


def predicted(version: Version) -> None:
    """The card *What should be predicted?*: text, target, task, labels, an example; changing it saves a version."""
    columns = list(version.columns)
    with card("What should be predicted?", height="content"):
        left, right = st.columns([1, 1.18])
        with left:
            key = f"explore_what_{version.id}"
            text = st.multiselect("Text", columns, default=[c for c in version.roles.text if c in columns], key=f"{key}_text",
                                  help="What a model reads, in this order.")  # fmt: skip
            free = [None, *(c for c in columns if c not in text)]
            place = free.index(version.roles.target) if version.roles.target in free else 0
            target = st.selectbox("Target", free, index=place, key=f"{key}_target", placeholder="Choose a column",
                                  format_func=lambda c: "Nothing yet" if c is None else c, help="What a model should answer.")  # fmt: skip
            task = _chosen_task(version, target, tuple(text), key)
            roles = with_target(replace(version.roles, text=tuple(text)), target)
        with right:
            _example(version, roles, task)
        if (roles, task) != (version.roles, version.task) and st.button("Save these roles", key=f"{key}_save", icon=":material/save:"):
            with guarded():
                saved = store.assign(version, roles, task, reading.prompt_for(_targets(version, roles, task), roles, task))
                st.session_state["_explore_told"] = f"Saved as version {saved.number}"
                choose(saved)
                st.rerun()


def _chosen_task(version: Version, target: str | None, text: tuple[str, ...], key: str) -> str | None:
    if target is None:
        return None
    same = target == version.roles.target
    suggested = version.task if same and version.task else task_for(of(explore_cache.first_rows(version.dataset, version.id), target), text)
    task = st.selectbox("Task", list(TASKS), index=list(TASKS).index(suggested), key=f"{key}_task_{target}",
                        format_func=lambda one: WORDS[one])  # fmt: skip
    st.caption(TASKS[task].meaning)
    return task


def _example(version: Version, roles: Roles, task: str | None) -> None:
    """A prompt and its answer for the first row that has one."""
    frame = explore_cache.first_rows(version.dataset, version.id)
    same = (roles, task) == (version.roles, version.task)
    prompt = version.prompt if same and version.prompt else reading.prompt_for(_targets(version, roles, task), roles, task)
    if not prompt or not roles.target or not task:
        st.caption("Choose a target to see the question a model will be asked.")
        return
    for row in frame.to_dict("records"):
        target = target_of(task, row[roles.target])
        if target is None:
            continue
        asked = "\n\n".join(message["content"] for message in prompt.question({str(k): v for k, v in row.items()}))
        st.caption("A row as a question, and its right answer")
        st.code(short(asked, 600), language=None, wrap_lines=True)
        st.code(prompt.reply({str(k): v for k, v in row.items()}, target), language=None, wrap_lines=True)
        break
    if task == "classification":
        cells = _targets(version, roles, task)[roles.target].tolist()
        found = labels_of(value for cell in cells if (value := target_of(task, cell)) is not None)
        more = "over " if len(cells) > LABELS else ""
        st.caption(plain(f"{more}{count(len(found))} labels: {short(', '.join(found), 120)}"))


def _targets(version: Version, roles: Roles, task: str | None) -> pd.DataFrame:
    """What a prompt is made from: the first rows, or each different label once."""
    if task != "classification" or not roles.target:
        return explore_cache.first_rows(version.dataset, version.id)
    return pd.DataFrame({roles.target: explore_cache.distinct(version.dataset, version.id, roles.target, LABELS + 1)})
