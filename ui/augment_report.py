"""Augment, view Report: what came of it in numbers, the effect on the same test rows, and what a model is finally trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.augment.limits import GATES
from core.augment.variety import Compared
from core.format import cost, count, plural, share
from core.io.batches import Batch
from core.version import Version
from ui import augment_cache, augment_effect, augment_final, charts
from ui.layout import card, empty, metrics
from ui.state import link, plain
from ui.tables import rows

NEXT = (
    ("validate", "Check the training file", ":material/fact_check:"),
    ("baselines", "Run baselines on it", ":material/leaderboard:"),
    ("finetune", "Fine-tune on it", ":material/model_training:"),
)


@dataclass(frozen=True)
class Card:
    """An augmentation in numbers."""

    kept: int
    written: int
    rejected: Mapping[str, int]
    usd: float | None
    saved: bool
    doubts: str = ""
    """What is not sure about the cost."""


def show(version: Version, batch: Batch | None) -> None:
    """The whole view: of the variants kept in Review, or of a version that holds written rows."""
    found = _of_batch(version, batch) if batch else _of_version(version)
    if found is None:
        empty(
            "auto_awesome",
            "Nothing to report yet.",
            "Write or paste variants first. Then this page says how varied they are, what they cost and whether they help.",
            key="augment_report_empty",
        )
        return
    _numbers(version, found)
    if found.kept:
        with st.container():
            _variety(augment_cache.variety(version, batch), found)
        augment_effect.effect(version, batch)
        augment_final.final_texts(version, batch)


def _of_batch(version: Version, batch: Batch) -> Card:
    frame = augment_cache.decided(version, batch)
    rejected = Counter(gate for gate in frame["gate"].tolist() if gate)
    return Card(
        sum(frame["keep"].tolist()),
        len(frame),
        dict(rejected.most_common()),
        augment_cache.spent(batch),
        False,
        augment_cache.doubts(batch),
    )


def _of_version(version: Version) -> Card | None:
    about = version.source.get("augment")
    written = augment_cache.written_rows(version.dataset, version.id)
    if not about and not written:
        return None
    told = about or {}
    rejected = {gate: int(n) for gate, n in told.get("rejected", {}).items()}
    kept = int(told.get("accepted", written))
    return Card(kept, kept + sum(rejected.values()), rejected, told.get("usd"), True)


def _numbers(version: Version, found: Card) -> None:
    """Kept, by gate, cost, and where to go next."""
    each = None if found.usd is None or not found.kept else found.usd / found.kept
    what = "new rows in this version" if found.saved else "variants kept in Review, not saved yet"
    metrics([
        ("Kept", f"{count(found.kept)} of {count(found.written)}", f"{plural(found.kept, 'row')}: {what}."),
        ("Cost", "unknown" if found.usd is None else cost(found.usd), f"Of all replies, rejected variants included. {plain(found.doubts)}"),
        ("Cost per kept row", "unknown" if each is None else cost(each), "The whole cost over the rows that were kept."),
        ("Train rows", _growth(version, found), "Rows a model learns from, without and with the new ones."),
    ])  # fmt: skip
    if found.saved:
        with st.container(horizontal=True, gap="medium"):
            for name, label, icon in NEXT:
                link(name, label, icon=icon)
    stopped = [gate for gate in found.rejected if gate in GATES]
    if stopped:
        with card("Why variants did not pass", height="content"):
            values = [found.rejected[gate] for gate in stopped]
            labels = [f"{count(n)} · {share(n / max(1, found.written))}" for n in values]
            fig = charts.bars([GATES[gate].title for gate in stopped], values, labels, color=charts.TRIVIAL)
            charts.show(fig, "augment_report_gates", f"Most often: {GATES[stopped[0]].title}, {values[0]}")


def _growth(version: Version, found: Card) -> str:
    now = version.splits.get("train", 0)
    return f"{count(now - found.kept)} → {count(now)}" if found.saved else f"{count(now)} → {count(now + found.kept)}"


def _variety(made: Compared, found: Card) -> None:
    """How varied the train texts are without and with the new rows."""
    with card("How varied they are", height="content"):
        before, after, new = made.before, made.after, made.novelty
        pairs = (before.distinct[1], after.distinct[1])
        if None not in pairs:
            change = (pairs[1] or 0) - (pairs[0] or 0)
            way = "more" if change > 0.005 else "less" if change < -0.005 else "as"
            than = "varied as before" if way == "as" else "varied than before"
            st.subheader(f"With the new rows the texts are {way} {than}", anchor=False)
        if new.pairs is not None:
            st.caption(plain(f"{share(new.pairs)} of the word pairs in the new rows, and {share(new.words or 0)} of their words, stand in "
                             "no original."))  # fmt: skip
        names = ("Different words", "Different word pairs", "Different runs of three words")
        lines = [(name, *(_share(one.distinct[n]) for one in (before, after))) for n, name in enumerate(names)]
        lines.append(("Words known", count(before.vocabulary), count(after.vocabulary)))
        by = "in meaning" if made.by == "meaning" else "in spelling"
        lines.append((f"How far texts are apart, {by}", _share(before.spread), _share(after.spread)))
        rows(pd.DataFrame(lines, columns=["", "Originals", "With the new rows"]), "augment_variety", height=38 + 35 * len(lines),
             alt="Variety without and with the new rows")  # fmt: skip
        st.caption(f"Shares of all words, pairs and runs, taken over {count(before.over)} words each, because longer texts repeat more. "
                   "100 % means that nothing is said twice.")  # fmt: skip


def _share(value: float | None) -> str:
    return "n/a" if value is None else share(value, 1000)
