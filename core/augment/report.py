"""What came of an augmentation: every candidate with its gate, and the report card.

Distinctness says how varied the accepted variants are: the share of different word pairs among all word pairs (distinct-2; 1
= none said twice), and how far variants of one row are from each other and from the row (1 - mean Dice similarity).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise, zip_longest

import pandas as pd

from core.augment.asks import Ask
from core.augment.gates import Judge, Looked
from core.augment.limits import GATES
from core.augment.near import bare, similarity, word_changes
from core.augment.reading import Read
from core.augment.rows import as_json

COLUMNS = ("key", "row", "original", "variant", "gate", "removed", "added", "target", "cells", "values", "warned")


@dataclass(frozen=True)
class Report:
    """Counts of one augmentation."""

    asked: int
    """Variants asked for."""
    written: int
    """Variants read in the replies."""
    accepted: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Gate -> variants it stopped, most first. `unread` and `refusal` also count replies without one readable variant."""
    distinct: float | None = None
    """Share of different word pairs; None below two accepted variants."""
    spread: float | None = None
    """1 - mean similarity of accepted variants of one row to each other and to it; None without accepted ones."""
    rows: int = 0
    """Rows with at least one accepted variant."""


def candidates(asks: Sequence[Ask], replies: Mapping[str, Read], judge: Judge) -> pd.DataFrame:
    """Every variant of every answered request in request order, judged. Columns COLUMNS; `gate` is "" for those that pass.

    `cells` is the whole new row as a JSON object ("" where a variant is a text), `values` what each gate measured as a JSON object
    (null: could not judge), `warned` the gates that only warn, by commas. A reply without a readable variant is one row with an empty
    variant and the gate `unread`, or `refusal`. Where requests are chained, `asks` are those of `core.augment.asks.judged`.
    """
    rows: list[tuple[str | int, ...]] = []
    judge.prepare([(variant, ask.original) for ask in asks if ask.key in replies for variant in replies[ask.key].variants])
    for ask in asks:
        read = replies.get(ask.key)
        if read is None:
            continue
        nothing = Looked({}, (), "refusal" if read.shape == "refusal" else "unread")
        for variant, cells in zip_longest(read.variants, read.cells) if read.variants else (("", None),):
            looked = judge.take(variant, ask, cells) if read.variants else nothing
            removed, added = word_changes(ask.original, variant) if variant and not cells else ("", "")
            rows.append((ask.key, ask.row, ask.original, variant, looked.gate, removed, added, ask.target, as_json(cells) if cells else "",
                         json.dumps(dict(looked.values)), ",".join(looked.warned)))  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"row": "int64"} | {name: "str" for name in COLUMNS if name != "row"})


def report(asks: Sequence[Ask], judged: pd.DataFrame) -> Report:
    """The report card of judged candidates."""
    stopped = Counter(gate for gate in judged["gate"].tolist() if gate)
    gates = judged["gate"].tolist()
    passed = judged.take([place for place, gate in enumerate(gates) if not gate])
    texts = passed["variant"].tolist()
    order = list(GATES)
    rejected = dict(sorted(stopped.items(), key=lambda item: (-item[1], order.index(item[0]))))
    return Report(sum(ask.variants for ask in asks), sum(bool(text) for text in judged["variant"].tolist()), len(passed), rejected,
                  distinct_pairs(texts), spread(passed), len(set(passed["row"].tolist())))  # fmt: skip


def distinct_pairs(texts: Sequence[str]) -> float | None:
    """Different word pairs as a share of all word pairs; None when there are none."""
    different: set[tuple[str, str]] = set()
    total = 0
    for text in texts:
        words = bare(text).split()
        different.update(pairwise(words))
        total += max(0, len(words) - 1)
    return len(different) / total if len(texts) > 1 and total else None


def spread(passed: pd.DataFrame, most: int = 300) -> float | None:
    """1 - mean similarity within a row's family (original and its variants), over the first `most` rows."""
    distances = []
    for _, family in list(passed.groupby("row", sort=True))[:most]:
        texts = [family["original"].iloc[0], *family["variant"].tolist()]
        distances += [1 - similarity(one, other) for one, other in combinations(texts, 2)]
    return sum(distances) / len(distances) if distances else None
