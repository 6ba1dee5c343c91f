"""Tokens per example, and what training on them costs: this machine and every host of the dated price table."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import StudioError
from core.explore import distributions
from core.format import cost, count, date, duration, plural, size
from core.format import tokens as short_count
from core.io import costing, embedded, jobs, pricing, probing
from core.validate.cost import LOCAL
from core.validate.encodings import how_counted
from core.validate.offers import find
from core.validate.prices import AS_OF, can_train, shutdown
from ui import cache, charts
from ui.jobs import latest, watch
from ui.layout import card
from ui.state import plain, show_error
from ui.validate_source import Subject

SHORTEST = 16
"""Tokens of a row in the probe at least."""


def numbers(subject: Subject) -> list[tuple[str, str, str | None]]:
    """The four figures at the top."""
    tokens = subject.made.tokens
    learnt = int(tokens.supervised.sum())
    about = " Pictures of unknown size and tool definitions are counted by rule of thumb." if tokens.estimated else ""
    nothing = f" {plural(len(tokens.unlearnt), 'example teaches', 'examples teach')} nothing." if len(tokens.unlearnt) else ""
    read = f"Pieces of text read in one pass, {count(tokens.limit)} of an example at most. {how_counted(subject.made.model)}{about}"
    return [
        ("Examples", count(subject.made.examples), "Lines that could be read; each is one example."),
        ("Tokens", short_count(tokens.billable()), plain(read)),
        ("Learnt from", short_count(learnt), f"Tokens of the answers: all that the model is trained to say. The rest is read.{nothing}"),
        ("Over the limit", count(len(tokens.too_long)), f"Examples longer than {count(tokens.limit)} tokens: they are cut."),
    ]  # fmt: skip


def cards(subject: Subject) -> int:
    """Histogram and cost side by side; returns the epochs chosen."""
    left, right = st.columns([1, 1.5], gap="small")
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
        if not how_counted(subject.made.model).startswith("Counted"):
            st.caption(f":yellow[:material/error:] {plain(how_counted(subject.made.model))}")


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
        try:
            offered = pricing.prices()
            prices = [one for one in offered if retired or can_train(one, pricing.today())]
            with st.spinner("Counting tokens"):
                rows = cache.training_costs(subject.key, epochs, cache.price_stamp(prices), subject.made, prices)
        except StudioError as problem:  # a damaged price table, or a tokenizer that is gone: the rest of the page stands
            show_error(problem)
            return epochs
        shown = table(rows).style.apply(_greyed, axis=1, retired=[row.retired for row in rows])
        st.dataframe(shown, hide_index=True, width="stretch", height="content", placeholder="n/a", key="validate_costs",
                     column_config=_columns(), alt="Cost of training and of 1,000 answers by model")  # fmt: skip
        gone = len(offered) - len([one for one in offered if can_train(one, pricing.today())])
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if gone:
                told = "Models on which no new job can be started; prices are the last published."
                st.toggle(f"Show {plural(gone, 'retired model')}", key="validate_retired", help=told)
            _probe(subject)
        _said(subject, rows, epochs)
    return epochs


def _said(subject: Subject, rows: list[Any], epochs: int) -> None:
    """What the figures rest on."""
    hosted = [row for row in rows if row.provider != LOCAL] or rows
    named = find(pricing.prices(), subject.made.model)
    one = next((row for row in hosted if named and row.model == named.title), hosted[0])
    told = f"{count(one.billable)} tokens × {plural(epochs, 'epoch')} = {count(one.tokens)} on {_short(one.model)}"
    st.caption(f"{plain(told)}. Prices as of {date(AS_OF)}: training "
               "as last published." + (" Yours are marked." if any(row.yours for row in rows) else ""))  # fmt: skip
    if embedded.remembered_rate() is None:
        st.caption("This machine's time is a guess until it is measured.")
    error = costing.past_error()
    if error:
        span = f"{error.low:.2f}" if error.n == 1 else f"{error.low:.2f} to {error.high:.2f}"
        st.caption(f"{plural(error.n, 'finished training')} here took {span} times the estimate"
                   + ("." if error.n == 1 else f", half of them at most {error.median:.2f}."))  # fmt: skip
    st.caption(f":yellow[:material/event_busy:] {plain(shutdown(pricing.today()))}")


def _probe(subject: Subject) -> None:
    """A few real training steps as a job, so that this machine's time is measured."""
    job = latest("probe")
    if job and job.alive:
        watch(job.id, "validate_probe_job")
        return
    if job and job.error:
        st.caption(f":red[:material/cancel:] {plain(job.error['title'])}")
    found, rate = probing.last(), embedded.remembered_rate()
    label = "Measure again" if rate else "Measure this machine"
    told = "Runs four training steps with rows as long as these (about half a minute on an idle machine) and remembers how fast they were."
    if rate:
        told += f" Measured so far: {count(rate)} tokens a second" + (f", {size(found['memory'])} at the most." if found else ".")
    if st.button(label, key="validate_probe", icon=":material/speed:", help=plain(told), disabled=embedded.wheel_missing()):
        limit = min(subject.made.tokens.limit, costing.LOCAL_LIMIT)
        length = max(SHORTEST, min(limit, int(subject.made.tokens.total.mean())))
        jobs.start("probe", {"length": length}, title="Measuring this machine")
        st.rerun()


def _epochs(subject: Subject) -> None:
    told = "Epochs: how often the training goes through the file. Recommended: the number here, a rule of thumb for so many examples."
    key = f"validate_epochs_{subject.key}"
    with st.container(horizontal=True, width="content", gap="small", vertical_alignment="center"):
        st.caption("Epochs", width="content", help=told)
        st.number_input("Epochs", 1, 50, subject.made.epochs, key=key, label_visibility="collapsed", width=120)


def table(rows: list[Any]) -> pd.DataFrame:
    """The costs as people read them."""
    return pd.DataFrame(
        {
            "Where": [_short(row.model) + (" (yours)" if row.yours else "") for row in rows],
            "Training": [usd(row, row.training_usd, "hourly" if row.note else "n/a") for row in rows],
            "1,000 answers": [usd(row, row.usd_per_1000) for row in rows],
            "in a batch": ["n/a" if row.provider == LOCAL else usd(row, row.batch_usd_per_1000) for row in rows],
            "Time or until": [_time(row) if row.provider == LOCAL else _until(row) for row in rows],
        }
    )


def usd(row: Any, value: float | None, missing: str = "n/a") -> str:
    """An amount as the table shows it: work on this machine is "local", and a price of 0 that somebody typed is "free"."""
    return missing if value is None else cost(value, local="local" if row.provider == LOCAL else "free")


def _time(row: Any) -> str:
    return f"{duration(row.seconds, about=True)}, {size(row.memory)}" if row.seconds is not None else "n/a"


def _short(model: str) -> str:
    """A model's name without the day of its snapshot."""
    return re.sub(r"-\d{4}-\d\d-\d\d$", "", model).replace(", SmolLM2-135M-Instruct (built in)", "")


def _until(row: Any) -> str:
    if not row.until:
        return "not stated"
    day = datetime.fromisoformat(row.until)
    return f"{'retired' if row.retired else 'until'} {day.day} {day:%b %Y}"


def _columns() -> dict[str, Any]:
    return {
        "Where": st.column_config.TextColumn(width=112),
        "Training": st.column_config.TextColumn(help="USD for the whole training; local work costs nothing but its time.", width=66),
        "1,000 answers": st.column_config.TextColumn(help="USD for a thousand answers of the tuned model, asked one by one.", width=86),
        "in a batch": st.column_config.TextColumn(help="USD for the same thousand answers within 24 hours.", width=66),
        "Time or until": st.column_config.TextColumn(
            help="This machine: an estimate of time and memory. Hosts take minutes to hours: the day from which no job can start."
        ),
    }


def _greyed(row: pd.Series, retired: list[bool]) -> list[str]:
    return ["color: gray" if retired[int(str(row.name))] else ""] * len(row)
