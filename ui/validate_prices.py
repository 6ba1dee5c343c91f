"""The price table as people edit it: shipped rows with source and day, corrections, other hosts; import, export, reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import DataError
from core.format import date, plural
from core.io import pricing
from core.validate.offers import COLUMNS, MONEY, as_table, from_csv, offers, parse, to_csv
from core.validate.prices import AS_OF, SOURCE, UNTUNED_SOURCE, Price
from ui.state import guarded, plain, show_error

USD = "$%.4g"
"""All digits that are stated: $1.875."""


def editor(key: str) -> None:
    """The table with its buttons; `key` names the place it stands in."""
    if told := st.session_state.pop("_prices_said", None):
        st.toast(told)
    try:
        rows = pricing.prices()
    except DataError as problem:
        show_error(problem)
        if st.button("Reset to the shipped table", key=f"{key}_prices_mend", icon=":material/undo:"):
            _reset()
        return
    shipped = f"Shipped rows: {SOURCE}, {date(AS_OF)}; untuned rates from {UNTUNED_SOURCE}."
    told = "Change a cell, or add a row for another host (Together, Fireworks, your own): an empty cell is a price nobody stated."
    st.caption(plain(f"USD per million tokens. {shipped} {told}"))
    turn = st.session_state.setdefault("_prices_turn", 0)
    edited = st.data_editor(as_table(rows), key=f"{key}_prices_{turn}", num_rows="dynamic", hide_index=True, width="stretch",
                            column_config=_columns(), placeholder="n/a")  # fmt: skip
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Save prices", key=f"{key}_prices_save", icon=":material/save:"):
            with guarded():
                _keep(parse(edited.to_dict("records")))
        st.download_button("Export", to_csv(rows), "prices.csv", "text/csv", key=f"{key}_prices_export", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
        with st.popover("Import", icon=":material/upload_file:"):
            _import(key)
        if st.button("Reset to the shipped table", key=f"{key}_prices_reset", icon=":material/undo:", disabled=not pricing.yours()):
            _reset()
    mine = sum(row.yours for row in rows)
    if mine:
        st.caption(f"{plural(mine, 'row is', 'rows are')} yours; the rest is as shipped.")


def _import(key: str) -> None:
    file = st.file_uploader("A price table as CSV", type=["csv"], key=f"{key}_prices_file", label_visibility="collapsed")
    if file is not None and st.button("Use these prices", key=f"{key}_prices_use"):
        with guarded():
            _keep(from_csv(file.getvalue()))


def _keep(rows: Sequence[Price]) -> None:
    """Saves the table. A shipped row that was deleted comes back as shipped."""
    kept = pricing.save(rows)
    missing = len(offers()) - len({row.key for row in rows} & {row.key for row in offers()})
    back = f"; {plural(missing, 'shipped row')} came back" if missing else ""
    _said(f"Prices saved, {plural(len(kept), 'row')} of your own{back}")


def _reset() -> None:
    pricing.reset()
    _said("Prices are as shipped")


def _said(words: str) -> None:
    st.session_state["_prices_said"] = words
    st.session_state["_prices_turn"] = st.session_state.get("_prices_turn", 0) + 1
    st.rerun()


def _columns() -> dict[str, Any]:
    money = {COLUMNS[name]: st.column_config.NumberColumn(COLUMNS[name], format=USD, min_value=0.0) for name in MONEY}
    return {
        **money,
        COLUMNS["host"]: st.column_config.TextColumn(help="Who sells it; openai for OpenAI.", max_chars=200, default=""),
        COLUMNS["model"]: st.column_config.TextColumn(help="The model's name, as the host writes it.", max_chars=200),
        COLUMNS["training"]: st.column_config.NumberColumn(format=USD, min_value=0.0, help="Per million tokens of the file, times epochs."),
        COLUMNS["training_context"]: st.column_config.NumberColumn(
            format="localized", min_value=1, help="Tokens; longer examples are cut."
        ),
        COLUMNS["tokenizer"]: st.column_config.TextColumn(
            help="Whose tokens count, if the name does not say: o200k_base, cl100k_base, embedded or file:FOLDER. Recommended: leave empty."
        ),
    }
