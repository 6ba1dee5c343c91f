"""Baselines: a person answers a few rows and joins the ladder; answers recorded elsewhere are read from a file."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import DataError
from core.io import people
from core.version import Version
from ui import cache
from ui.state import guarded, plain

FEW = 9
"""Labels that get a button each, with the keys 1 to 9."""


def people_and_recorded(version: Version) -> None:
    """The expander below the settings; open while a quiz is on."""
    quiz: dict[str, Any] | None = st.session_state.get("baselines_quiz")
    going = bool(quiz and quiz["version"] == version.id)
    with st.expander("You, and recorded answers", icon=":material/person:", expanded=going):
        if going and quiz:
            _question(version, quiz)
            return
        left, right = st.columns(2)
        with left:
            n = st.segmented_control("Answer some rows yourself", [5, 10, 20], default=5, required=True, key="baselines_quiz_rows")
            st.caption("You see what the models see. A green triangle joins the ladder.")
            if st.button(f"Answer {n} rows", key="baselines_quiz_start", icon=":material/edit:"):
                places = people.quiz(int(n), version.splits["test"], seed=int(time.time()))
                st.session_state["baselines_quiz"] = {"version": version.id, "places": places, "said": {}, "start": time.time()}
                st.rerun()
        with right:
            file = st.file_uploader("Recorded answers", type=["csv"], key="baselines_recorded",
                                    help="A CSV with index (place in the test split, from 0) and guess; model if known.")  # fmt: skip
            if file and st.button("Add to the ladder", key="baselines_recorded_add", icon=":material/add:"):
                with guarded():
                    made = people.save_recorded(version, _table(file), file.name)
                    st.toast(f"{fmt.plural(len(made), 'model')} added")
                    st.rerun()


def _table(file: Any) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig").replace("", None)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{file.name} cannot be read as CSV: {error}", title="The file cannot be read") from error


def _question(version: Version, quiz: dict[str, Any]) -> None:
    """One row and the ways to answer it."""
    places, said = quiz["places"], quiz["said"]
    place = places[len(said)]
    test = cache.examples(version.dataset, version.id, "test")
    st.progress(len(said) / len(places), text=f"Row {len(said) + 1} of {len(places)}")
    with st.container(border=True):
        st.text(test.text[place])
        if any(test.category()):
            st.caption(plain(test.category()[place]))
    answer = _answer(version, test.labels, place)
    if answer is not None:
        said[place] = answer
        if len(said) == len(places):
            _finish(version, quiz)
        st.rerun()
    if st.button("Leave the quiz", key="baselines_quiz_leave", type="tertiary"):
        st.session_state.pop("baselines_quiz")
        st.rerun()


def _answer(version: Version, labels: tuple[str, ...], place: int) -> Any:
    """What the person answers in this run, or None."""
    if version.task == "classification" and len(labels) <= FEW:
        with st.container(horizontal=True):
            pressed = [label for number, label in enumerate(labels, start=1)
                       if st.button(plain(label), key=f"baselines_answer_{place}_{number}", shortcut=str(number))]  # fmt: skip
        return pressed[0] if pressed else None
    with st.form(f"baselines_form_{place}", border=False):
        if version.task == "regression":
            given: Any = st.number_input("Your answer", value=None, key=f"baselines_number_{place}", width=240)
        elif version.task == "classification":
            given = st.selectbox("Your answer", labels, index=None, key=f"baselines_label_{place}", width=240)
        else:
            given = st.text_input("Your answer", key=f"baselines_text_{place}")
        sent = st.form_submit_button("Next")
    return ("" if given is None else given) if sent else None


def _finish(version: Version, quiz: dict[str, Any]) -> None:
    """Save the answers and show them."""
    with guarded():
        made = people.save_answers(version, quiz["said"], seconds=time.time() - quiz["start"])
        st.session_state.pop("baselines_quiz")
        st.session_state["baselines_model"] = made.id
        st.toast("Your answers are on the ladder")
