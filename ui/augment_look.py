"""Augment, view Review: one variant after the other, with what differs from its original marked; buttons and their keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.augment.decisions import NEVER
from core.augment.gates import GATES
from core.curate.difference import difference
from core.format import count
from core.io import batches
from core.io.batches import Batch
from ui.state import plain
from ui.tables import marked, record

if TYPE_CHECKING:
    import pandas as pd

Variant = dict[str, Any]
"""A row of the decided candidates."""
WHY_NEVER = {
    "held_out": "It cannot be accepted: it repeats a row kept aside for the test, and a model trained on it would only remember "
    "the answer. Edit it, or leave it out.",
}
"""Gate -> why nobody can accept what it stops; the others hold nothing that could be kept."""


def one_by_one(shown: pd.DataFrame, frame: pd.DataFrame, batch: Batch, turn: str) -> None:
    """Progress, the variant, its buttons. `shown` are the rows of the filter named by `turn`, `frame` all of them."""
    decided = batches.decisions(batch)
    ids, looked = shown["id"].tolist(), set(decided)
    _progress(len(looked & set(frame["id"].tolist())), len(frame))
    if not ids:
        st.caption("No variant stands here.")
        return
    key = f"augment_at_{batch.id}_{turn}"
    at = str(st.session_state.get(key))
    if at not in ids:
        at = next((id for id in ids if id not in looked), ids[0])
        st.session_state[key] = at
    one: Variant = shown.iloc[ids.index(at)].to_dict()
    _facts(one, ids.index(at), len(ids), decided.get(at, {}))
    if st.session_state.get("augment_editing") == at:
        _edit(one, batch)
        return
    _texts(one)
    _buttons(one, ids, looked, batch, key)


def _progress(looked: int, total: int) -> None:
    st.progress(looked / total if total else 0.0, text=f"{count(looked)} of {count(total)} looked at")


def _facts(one: Variant, place: int, total: int, made: dict[str, Any]) -> None:
    """Where it stands: its row, its target, its gate, and whether it is kept."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if one["gate"]:
            st.badge(plain(GATES[one["gate"]].title), icon=":material/cancel:", color="red", help=plain(GATES[one["gate"]].meaning))
        else:
            st.badge("passes", icon=":material/check_circle:", color="green")
        by = "by you" if "keep" in made else "by the gates"
        st.badge(f"kept {by}" if one["keep"] else f"left out {by}", color="blue" if one["keep"] else "gray")
        if one["edited"]:
            st.badge("edited", color="violet")
        target = f" · answer: {plain(str(one['target'])[:60])}" if one["target"] else ""
        of = f"train row {count(int(one['row']) + 1)}" if one["row"] >= 0 else "new row"
        st.caption(f"{count(place + 1)} of {count(total)} · {of}{target}", width="content")


def _texts(one: Variant) -> None:
    """Both texts, what only one of them holds marked; of a whole new row its cells."""
    merged, spans = difference(one["original"], one["variant"]) if not one["cells"] else ("", [])
    left, right = st.columns(2)
    with left:
        st.caption("Original" if not one["cells"] or one["row"] >= 0 else "One of the examples")
        if one["cells"]:
            st.text(one["original"])
        else:
            marked(*side(merged, spans, "removed"), "augment_look_original")
    with right:
        st.caption("Variant" if not one["cells"] else "New row")
        if one["cells"]:
            record(json.loads(one["cells"]), "augment_look_cells")
        elif one["variant"]:
            marked(*side(merged, spans, "added"), "augment_look_variant")
        else:
            st.caption("The reply held nothing that could be read.")
    if one["warned"]:
        titles = ", ".join(GATES[gate].title for gate in one["warned"].split(","))
        st.caption(f":orange[:material/error:] {plain(f'Worth a look: {titles}')}")


def side(merged: str, spans: list[Any], keep: str) -> tuple[str, list[Any]]:
    """One side of a merged text, its own stretches marked; the other side's are left out."""
    out, marks, at = "", [], 0
    for start, end, mark in spans:
        out += merged[at:start]
        if mark == keep:
            marks.append((len(out), len(out) + end - start, mark))
            out += merged[start:end]
        at = end
    return out + merged[at:], marks


def _buttons(one: Variant, ids: list[str], looked: set[str], batch: Batch, key: str) -> None:
    never = one["gate"] in NEVER
    id, place = one["id"], ids.index(one["id"])

    def decide(made: dict[str, Any]) -> None:
        batches.decide(batch, {id: made})
        rest = [*ids[place + 1 :], *ids[:place]]
        st.session_state[key] = next((other for other in rest if other not in looked), ids[min(place + 1, len(ids) - 1)])

    def back() -> None:
        st.session_state[key] = ids[max(0, place - 1)]

    def edit() -> None:
        st.session_state["augment_editing"] = id

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Accept", key="augment_accept", icon=":material/check:", shortcut=None if never else "A", disabled=never,
                  on_click=decide, args=({"keep": True},))  # fmt: skip
        st.button("Reject", key="augment_reject", icon=":material/close:", shortcut="X", on_click=decide, args=({"keep": False},))
        st.button("Edit", key="augment_edit", icon=":material/edit:", shortcut="E", on_click=edit)
        st.button("Next", key="augment_next", icon=":material/chevron_right:", shortcut="N", on_click=decide, args=({"seen": True},))
        st.button("Back", key="augment_back", icon=":material/chevron_left:", shortcut="B", type="tertiary", on_click=back,
                  disabled=place == 0)  # fmt: skip
    if never:
        st.caption(WHY_NEVER.get(one["gate"], "It cannot be accepted: nothing in it could be kept. Edit it, or leave it out."))


def _edit(one: Variant, batch: Batch) -> None:
    """Its own text; what is saved is judged again by the same gates."""
    st.caption("Original")
    st.text(one["original"])
    box = f"augment_text_{batch.id}_{one['id']}"
    text = st.text_area("Variant", one["variant"], key=box, height=120)

    def close(save: bool) -> None:
        if save:
            batches.decide(batch, {one["id"]: {"variant": st.session_state[box], "seen": True}})
        st.session_state["augment_editing"] = None

    with st.container(horizontal=True, gap="small"):
        st.button("Save the text", key="augment_edit_save", icon=":material/check:", on_click=close, args=(True,),
                  disabled=not (text or "").strip())  # fmt: skip
        st.button("Leave it as it was", key="augment_edit_cancel", type="tertiary", on_click=close, args=(False,))
    st.caption("The gates judge the new text when it is saved.")
