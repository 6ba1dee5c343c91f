"""Baselines: a person answers a few rows and joins the ladder; answers recorded elsewhere are read from a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import DataError
from core.evaluate.joined import READERS
from core.io import people
from core.version import Version
from ui import cache
from ui.state import guarded, plain

FEW = 9
"""Labels that get a button each, with the keys 1 to 9."""
READ_AS = {"strict": "Strictly: what is clearly one number", "first-number": "The first number, 0 where there is none"}


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
            _start(version)
        with right:
            _recorded(version)


def _start(version: Version) -> None:
    """How many rows, and the quiz that was left in the middle."""
    n = st.segmented_control("Answer some rows yourself", [5, 10, 20, 50], default=5, required=True, key="baselines_quiz_rows")
    st.caption("You see what the models see. A green triangle joins the ladder.")
    left = people.kept_quiz(version)
    with st.container(horizontal=True, gap="small"):
        if left:
            words = f"Go on at row {len(left['said']) + len(left['skipped']) + 1} of {len(left['places'])}"
            if st.button(words, key="baselines_quiz_resume", icon=":material/play_arrow:"):
                _go(version, left)
        if st.button(f"Answer {n} rows", key="baselines_quiz_start", icon=":material/edit:"):
            places = people.quiz(int(n), version.splits["test"], seed=int(time.time()))
            _go(version, {"places": places, "said": {}, "skipped": [], "seconds": 0.0})


def _go(version: Version, state: dict[str, Any]) -> None:
    st.session_state["baselines_quiz"] = {**state, "version": version.id, "since": time.time()}
    st.rerun()


def _recorded(version: Version) -> None:
    """A file of answers, how its replies are read, and replies that were kept here, read again."""
    file = st.file_uploader("Recorded answers", type=["csv"], key="baselines_recorded",
                            help="A CSV with guess (or raw, for whole replies), model if known, and which row: index (place in the test "
                                 "split, from 0), the id, or every test row in order.")  # fmt: skip
    reader = "strict"
    if version.task == "regression":
        reader = st.selectbox("Numbers are read", READERS, format_func=READ_AS.__getitem__, key="baselines_reader",
                              help="The first number is what the pricing course took. Its answers are labelled.")  # fmt: skip
    if file and st.button("Add to the ladder", key="baselines_recorded_add", icon=":material/add:"):
        with guarded():
            made = people.save_recorded(version, _table(file), file.name, reader=reader)
            rows = ", ".join(dict.fromkeys(fmt.plural(one.n, "row") for one in made))
            st.toast(plain(f"{fmt.plural(len(made), 'model')} added, {rows} each"))
            st.rerun()
    kept = [one for one in cache.evaluations(version.dataset, version.id) if one.answers["raw"].str.strip().any()]
    if kept and reader != "strict":
        titles = {one.id: one.title for one in kept}
        id = st.selectbox("Or read kept replies so", list(titles), format_func=titles.__getitem__, key="baselines_again_model")
        if id and st.button("Read them again", key="baselines_again", icon=":material/replay:"):
            with guarded():
                people.read_again(version, id, reader)
                st.rerun()


def _table(file: Any) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig").replace("", None)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{file.name} cannot be read as CSV: {error}", title="The file cannot be read") from error


def _question(version: Version, quiz: dict[str, Any]) -> None:
    """One row and the ways to answer it, to skip it, or to stop."""
    places, said, skipped = quiz["places"], quiz["said"], quiz["skipped"]
    done = len(said) + len(skipped)
    place = next(one for one in places if one not in said and one not in skipped)
    test = cache.examples(version.dataset, version.id, "test")
    st.progress(done / len(places), text=f"Row {done + 1} of {len(places)}" + (f", {len(skipped)} skipped" if skipped else ""))
    with st.container(border=True):
        st.text(test.text[place])
        if any(test.category()):
            st.caption(plain(test.category()[place]))
    answer = _answer(version, test.labels, place)
    with st.container(horizontal=True, gap="small"):
        skip = st.button("Skip", key=f"baselines_skip_{place}", icon=":material/skip_next:", shortcut="Mod+ArrowRight",
                         help="A skipped row is not counted: it is as if you had not been asked.")  # fmt: skip
        stop = st.button("Stop and count what you answered" if said else "Leave the quiz", key="baselines_quiz_leave", type="tertiary")
        later = st.button("Go on later", key="baselines_quiz_later", type="tertiary")
    if skip:
        skipped.append(place)
    elif answer is not None:
        said[place] = answer
    elif later:
        st.session_state.pop("baselines_quiz")
        st.rerun()
    elif not stop:
        return
    _kept(version, quiz)
    if stop or len(said) + len(skipped) == len(places):
        _finish(version, quiz)
    st.rerun()


def _kept(version: Version, quiz: dict[str, Any]) -> None:
    """The quiz in the workspace, with the seconds it took so far."""
    now = time.time()
    quiz["seconds"], quiz["since"] = quiz["seconds"] + now - quiz["since"], now
    people.keep_quiz(version, {name: quiz[name] for name in ("places", "said", "skipped", "seconds")})


def _answer(version: Version, labels: tuple[str, ...], place: int) -> Any:
    """What the person answers in this run, or None."""
    if version.task == "classification" and len(labels) <= FEW:
        with st.container(horizontal=True):
            pressed = [label for number, (label, key) in enumerate(zip(labels, keys(labels), strict=True), start=1)
                       if st.button(plain(label), key=f"baselines_answer_{place}_{number}", shortcut=key)]  # fmt: skip
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


def keys(labels: Sequence[str]) -> list[str]:
    """The key of each label's button: the label itself where all are single digits, else 1, 2, 3 in their order."""
    if all(len(label) == 1 and label in "0123456789" for label in labels):
        return list(labels)
    return [str(number) for number in range(1, len(labels) + 1)]


def _finish(version: Version, quiz: dict[str, Any]) -> None:
    """Save the answers and show them; nothing is saved where nothing was answered."""
    with guarded():
        people.drop_quiz(version)
        st.session_state.pop("baselines_quiz")
        if quiz["said"]:
            made = people.save_answers(version, quiz["said"], seconds=quiz["seconds"])
            st.session_state["baselines_model"] = made.id
            st.toast("Your answers are on the ladder")
