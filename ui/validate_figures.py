"""What lies behind tokens and cost: distributions and what is counted, other devices, variants and evaluation, prices and limits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.format import cost, count, duration, plural, size
from core.io import costing, pricing
from core.validate.accounting import COUNTED, distribution
from core.validate.cost import INSTRUCTION
from core.validate.limits import AS_OF, LIMITS
from core.validate.prices import can_train
from ui import cache
from ui.layout import card
from ui.state import plain
from ui.validate_prices import editor
from ui.validate_source import Subject

FIGURES, DEVICES, ASKING, PRICES = "Token figures", "Other devices", "Variants and evaluation", "Prices and limits"


def show(subject: Subject, epochs: int) -> None:
    """One of the views, worked out when asked for."""
    views = {FIGURES: _figures, DEVICES: _devices, ASKING: _asking, PRICES: _prices}
    chosen = st.pills("Behind the figures", list(views), key="validate_behind")
    if chosen in views:
        with card(str(chosen), height="content"):
            if not len(subject.made.tokens) and chosen != PRICES:
                st.caption("No example has messages, so nothing can be counted.")
                return
            views[str(chosen)](subject, epochs)


def _figures(subject: Subject, epochs: int) -> None:
    """Distributions with their true quantiles, and what is counted for each key."""
    tokens = subject.made.tokens
    parts = {"Messages": tokens.messages, "Tokens": tokens.total, "Assistant tokens": tokens.assistant, "Learnt from": tokens.supervised}
    found = {name: distribution(values) for name, values in parts.items()}
    names = {"min": "Least", "max": "Most", "mean": "Mean", "median": "Median", "p5": "p5", "p95": "p95", "p10": "10 %", "p90": "90 %"}
    shown = pd.DataFrame({head: [round(one[name], 1) for one in found.values()] for name, head in names.items()})
    shown.insert(0, "Per example", list(found))
    numbers = {head: st.column_config.NumberColumn(format="localized") for head in names.values()}
    st.dataframe(shown, hide_index=True, key="validate_distributions", column_config=numbers, alt="Distributions per example")
    st.caption(
        "p5 and p95 are the 5 % and 95 % quantiles. OpenAI's notebook prints its 10 % and 90 % quantiles under the names p5 and p95."
    )
    whole = f"{count(tokens.billable())} tokens are billed per epoch and {count(tokens.billable() * epochs)} in {plural(epochs, 'epoch')}; "
    st.caption(f"{whole}{count(int(tokens.supervised.sum()))} are learnt per epoch.")
    with st.expander("What is counted"):
        said = [(what, says.removesuffix(" (see `images`)")) for what, says in COUNTED]
        counted = pd.DataFrame(said, columns=["Of a message", "Counts"])
        st.dataframe(counted, hide_index=True, key="validate_counted", alt="What is counted for each key", height="content",
                     column_config={"Counts": st.column_config.TextColumn(width="large")})  # fmt: skip


def _devices(subject: Subject, epochs: int) -> None:
    """This machine, measured or guessed, and others by formula."""
    row, offers, measured = costing.local(subject.made, epochs)
    here = "measured" if measured else "a guess: nothing was measured yet"
    lines = [("This machine", row.seconds, row.memory, here)]
    for one in offers:
        fits = "" if one.fits else ", does not fit"
        lines.append((one.device.name, one.seconds, one.memory, f"estimate{fits}"))
    shown = pd.DataFrame({"Device": [one[0] for one in lines], "Time": [duration(one[1], about=True) for one in lines],
                          "Memory": [size(one[2]) for one in lines], "How known": [one[3] for one in lines]})  # fmt: skip
    st.dataframe(shown, hide_index=True, key="validate_devices", alt="Time and memory of training by device")
    st.caption(f"The built-in model, {plural(epochs, 'epoch')}, balanced settings. Other devices by formula: 4 operations per weight and "
               "token at 30 % of the maker's peak, 0.1 s a step at the least. Nothing was measured on them.")  # fmt: skip
    with st.expander("Peaks"):
        st.dataframe(pd.DataFrame({"Device": [one.device.name for one in offers], "Source": [one.device.source for one in offers]}),
                     hide_index=True, key="validate_peaks", alt="Where the peaks are from")  # fmt: skip


def _asking(subject: Subject, epochs: int) -> None:
    """What writing variants and measuring on test rows cost."""
    tests = subject.version.splits.get("test", 0) if subject.version else 0
    first, second, third = st.columns(3)
    rows = first.number_input("Rows to vary", 0, 10_000_000, subject.made.examples, key=f"validate_vary_{subject.key}",
                              help="Rows for which variants are written on Augment with GPT.")  # fmt: skip
    variants = second.number_input("Variants of each", 0, 100, 1, key="validate_variants", help="Recommended: 1 to 3.")
    asked = third.number_input("Test rows", 0, 10_000_000, tests or 100, key=f"validate_tests_{subject.key}",
                               help="Rows each model answers to be measured. Recommended: at least 100.")  # fmt: skip
    prices = [one for one in pricing.prices() if can_train(one, pricing.today())]
    with st.spinner("Counting tokens"):
        found = costing.asked(subject.made, prices, rows=int(rows), variants=int(variants), test_rows=int(asked),
                              tokens_of=cache.token_usage(subject.key, subject.made))  # fmt: skip

    def words(value: float | None) -> str:
        return "n/a" if value is None else cost(value)

    shown = pd.DataFrame({"Model": ["This machine, SmolLM2", *(one.model for one in found)],
                          "Variants": ["local", *(words(one.augment_usd) for one in found)],
                          "Evaluation, untuned": ["local", *(words(one.evaluate_untuned_usd) for one in found)],
                          "Evaluation, fine-tuned": ["local", *(words(one.evaluate_tuned_usd) for one in found)]})  # fmt: skip
    st.dataframe(shown, hide_index=True, key="validate_asking", alt="Cost of variants and of evaluation by model")
    sums = [sum(one.evaluate_untuned_usd or 0 for one in found), sum(one.evaluate_tuned_usd or 0 for one in found)]
    st.caption(plain(f"{count(rows)} rows × {plural(int(variants), 'variant')}: the text and about {INSTRUCTION} tokens of instruction in, "
                     f"as much text out, at untuned rates. {plural(int(asked), 'test row')} on every model: {cost(sums[0])} untuned, "
                     f"{cost(sums[1])} fine-tuned."))  # fmt: skip


def _prices(subject: Subject, epochs: int) -> None:
    """The price table to edit, and the limits with their sources."""
    editor("validate")
    with st.expander(f"Limits of the platform, as of {AS_OF}"):
        limits = pd.DataFrame(LIMITS, columns=["What", "Limit", "Source"])
        st.dataframe(limits, hide_index=True, key="validate_limits", alt="Limits", height="content",
                     column_config={"Limit": st.column_config.TextColumn(width="large")})  # fmt: skip
