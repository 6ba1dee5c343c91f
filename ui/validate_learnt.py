"""What the model learns from one example: its tokens one by one, the learnt ones marked."""

from __future__ import annotations

import streamlit as st

from core.format import count, plural
from core.io.counting import end_of, pieces_of, render_of
from core.validate.encodings import is_local
from core.validate.learnt import Learnt, learnt
from ui.layout import card
from ui.tables import marked
from ui.validate_source import Subject


def learning(subject: Subject, place: int | None) -> None:
    """The selected example token by token, and how many examples teach nothing."""
    if place is None:
        return
    made = subject.made
    with card("What the model learns", height="content", control=lambda: _row(made.file.lines[place])):
        shown = seen(subject, place)
        if shown is None:
            st.caption("This line holds no messages, so nothing is learnt from it.")
            return
        cut = f" {count(shown.cut)} are cut." if shown.cut else ""
        verb = "marked token is" if shown.learnt == 1 else "marked tokens are"
        st.caption(
            f"{count(shown.learnt)} {verb} learnt, {count(shown.read)} are only read.{cut} {_rule(subject)} Select another example above."
        )
        marked(shown.text, list(shown.spans), f"validate_learnt_{subject.key}_{place}")  # type: ignore[arg-type]
        total, none = int(made.tokens.supervised.sum()), len(made.tokens.unlearnt)
        nothing = f"; {plural(none, 'example teaches', 'examples teach')} nothing" if none else ""
        st.caption(f"In the whole file {count(total)} tokens are learnt per epoch{nothing}.")


def seen(subject: Subject, place: int) -> Learnt | None:
    """One example as its model is trained on it."""
    made = subject.made
    model = made.model
    return learnt(made.chats[place], pieces_of(model), made.tokens.limit, model=model, render=render_of(model), end=end_of(model))


def _rule(subject: Subject) -> str:
    if is_local(subject.made.model):
        return "A model on this machine learns the last answer and the end of its turn."
    if subject.made.detection.format == "text":
        return "Plain text is learnt whole."
    return "Assistant messages are learnt unless their weight is 0."


def _row(line: int) -> None:
    st.caption(f"row {count(line)}", width="content")
