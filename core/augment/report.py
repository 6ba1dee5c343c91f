"""What came of an augmentation: every candidate with its gate, and the report card.

Distinctness says how varied the accepted variants are: the share of different word pairs among all word pairs (distinct-2; 1
= none said twice), and how far variants of one row are from each other and from the row (1 - mean Dice similarity).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import pandas as pd

from core.augment.gates import GATES, Judge, bare, similarity, word_changes
from core.augment.reading import Read
from core.augment.requests import Ask

COLUMNS = ("key", "row", "original", "variant", "gate", "removed", "added", "target")


@dataclass(frozen=True)
class Report:
    """Counts of one augmentation."""

    asked: int
    """Variants asked for."""
    written: int
    """Variants read in the replies."""
    accepted: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Gate -> variants it stopped, most first. `unread` counts replies without one readable variant."""
    distinct: float | None = None
    """Share of different word pairs; None below two accepted variants."""
    spread: float | None = None
    """1 - mean similarity of accepted variants of one row to each other and to it; None without accepted ones."""
    rows: int = 0
    """Rows with at least one accepted variant."""


def candidates(asks: Sequence[Ask], replies: Mapping[str, Read], judge: Judge) -> pd.DataFrame:
    """Every variant of every answered request in request order, judged. Columns COLUMNS; `gate` is "" for those that pass.

    A reply without a readable variant is one row with an empty variant and the gate `unread`.
    """
    rows: list[tuple[str, int, str, str, str, str, str, str]] = []
    for ask in asks:
        read = replies.get(ask.key)
        if read is None:
            continue
        for variant in read.variants or ("",):
            gate = judge(variant, ask) if read.variants else "unread"
            removed, added = word_changes(ask.original, variant) if variant else ("", "")
            rows.append((ask.key, ask.row, ask.original, variant, gate, removed, added, ask.target))
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
    return Report(sum(ask.variants for ask in asks), sum(gate != "unread" for gate in gates), len(passed), rejected,
                  distinct_pairs(texts), spread(passed), len(set(passed["row"].tolist())))  # fmt: skip


def distinct_pairs(texts: Sequence[str]) -> float | None:
    """Different word pairs as a share of all word pairs; None when there are none."""
    pairs = [pair for text in texts for words in [bare(text).split()] for pair in pairwise(words)]
    return len(set(pairs)) / len(pairs) if len(texts) > 1 and pairs else None


def spread(passed: pd.DataFrame, most: int = 300) -> float | None:
    """1 - mean similarity within a row's family (original and its variants), over the first `most` rows."""
    distances = []
    for _, family in list(passed.groupby("row", sort=True))[:most]:
        texts = [family["original"].iloc[0], *family["variant"].tolist()]
        distances += [1 - similarity(one, other) for one, other in combinations(texts, 2)]
    return sum(distances) / len(distances) if distances else None
