"""Tokens per example, and what training on them costs: this machine and every hosted model by the dated price table."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from core.explore import distributions
from core.format import cost, count, date, duration
from core.format import tokens as short_count
from core.validate.prices import AS_OF
from ui import cache, charts
from ui.layout import card
from ui.validate_source import Subject


def numbers(subject: Subject) -> list[tuple[str, str, str | None]]:
    """The four figures at the top."""
    tokens = subject.made.tokens
    learnt = int(tokens.supervised.sum())
    about = " Pictures and tool definitions are counted by rule of thumb." if tokens.estimated else ""
    return [
        ("Examples", count(subject.made.examples), "Lines that could be read; each is one example."),
        ("Tokens", short_count(tokens.billable()), f"Pieces of text read in one pass, {count(tokens.limit)} of an example at most.{about}"),
        ("Learnt from", short_count(learnt), "Tokens of the answers: the only ones the model is trained to say. The rest is read."),
        ("Over the limit", count(len(tokens.too_long)), f"Examples longer than {count(tokens.limit)} tokens: they are cut at their end."),
    ]  # fmt: skip


def cards(subject: Subject) -> int:
    """Histogram and cost side by side; returns the epochs chosen."""
    left, right = st.columns([1, 1.32], gap="small")
    _histogram(subject, left)
    return _costs(subject, right)


def _histogram(subject: Subject, into: Any) -> None:
    tokens = subject.made.tokens
    with card("Tokens per example", into=into):
        if not len(tokens):
            st.caption("No example has messages, so nothing can be counted.")
            return
        shape = distributions.histogram(tokens.total, 30)
        over = tokens.limit < float(tokens.total.max())
        figure = charts.histogram(shape.edges, shape.counts, drag=True, height=230, lines=[tokens.limit] if over else (),
                                  keep=(0, tokens.limit) if over else None)  # fmt: skip
        key = f"validate_tokens_{subject.key}"
        middle, most = count(float(pd.Series(tokens.total).median())), count(float(tokens.total.max()))
        alt = f"Half of the examples have at most {middle} tokens, the longest {most}"
        charts.show(figure, key, alt, select="box", on_select=lambda: _dragged(key))
        st.caption(f"{alt}. Drag to see the examples of a range below.")


def _dragged(key: str) -> None:
    """Copies the selection into a filter: it dies with the figure."""
    box = ((st.session_state.get(charts.selection_key(key)) or {}).get("selection", {}).get("box")) or []
    if box:
        low, high = sorted(float(x) for x in box[0]["x"])
        st.session_state["validate_range"] = (int(low), int(high + 1))


def _costs(subject: Subject, into: Any) -> int:
    with card("Cost of training", into=into, control=lambda: _epochs(subject)):
        epochs = int(st.session_state.get(f"validate_epochs_{subject.key}", subject.made.epochs))
        retired = bool(st.session_state.get("validate_retired", False))
        if not len(subject.made.tokens):
            st.caption("Nothing to price.")
            return epochs
        with st.spinner("Counting tokens"):
            rows = cache.training_costs(subject.key, retired, epochs, subject.made)
        shown = table(rows).style.apply(_greyed, axis=1, retired=[row.retired for row in rows])
        st.dataframe(shown, hide_index=True, width="stretch", placeholder="n/a", key="validate_costs", column_config=_columns(),
                     alt="Cost of training and of 1,000 answers by model")  # fmt: skip
        st.toggle(
            "Show retired models", key="validate_retired", help="Models on which no new job can be started; prices are the last published."
        )
        one, billable = rows[1] if len(rows) > 1 else rows[0], subject.made.tokens.billable()
        priced = f"Prices as of {date(AS_OF)}, the last OpenAI published; new jobs end on {date(one.until or AS_OF)}."
        st.caption(f"{count(billable)} tokens × {epochs} epochs = {count(billable * epochs)}. {priced}")
    return epochs


def _epochs(subject: Subject) -> None:
    told = "Epochs: how often the training goes through the file. Recommended: the number here, a rule of thumb for so many examples."
    key = f"validate_epochs_{subject.key}"
    st.number_input("Epochs", 1, 50, subject.made.epochs, key=key, label_visibility="collapsed", width=120, help=told)


def table(rows: list[Any]) -> pd.DataFrame:
    """The costs as people read them."""
    return pd.DataFrame(
        {
            "Where": [_short(row.model) for row in rows],
            "Training": ["by the hour" if row.training_usd is None else cost(row.training_usd, local="local") for row in rows],
            "1,000 answers": ["n/a" if row.usd_per_1000 is None else cost(row.usd_per_1000, local="local") for row in rows],
            "Time": [duration(row.seconds, about=True) if row.seconds is not None else "hours" for row in rows],
            "Until": [_until(row) for row in rows],
        }
    )


def _short(model: str) -> str:
    """A model's name without the day of its snapshot."""
    return re.sub(r"-\d{4}-\d\d-\d\d$", "", model).replace("-135M-Instruct (built in)", "")


def _until(row: Any) -> str:
    if not row.until:
        return "no end"
    day = datetime.fromisoformat(row.until)
    return f"{'retired ' if row.retired else ''}{day.day} {day:%b %Y}"


def _columns() -> dict[str, Any]:
    return {
        "Where": st.column_config.TextColumn(width=138),
        "Training": st.column_config.TextColumn(help="USD for the whole training; local work costs nothing but its time."),
        "1,000 answers": st.column_config.TextColumn(help="USD for a thousand answers of the tuned model; about half in a batch."),
        "Time": st.column_config.TextColumn(help="An estimate for this machine; hosts queue a job and take minutes to hours."),
        "Until": st.column_config.TextColumn(help="The day from which no job can be started."),
    }


def _greyed(row: pd.Series, retired: list[bool]) -> list[str]:
    return ["color: gray" if retired[int(str(row.name))] else ""] * len(row)
