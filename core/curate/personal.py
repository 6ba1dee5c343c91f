"""Personal data and secrets in texts: masked, or their rows dropped or flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.curate.characters import arrow_texts
from core.curate.fields import Settings, setting
from core.curate.identifiers import KINDS, MAY_HOLD, found_in, masked
from core.curate.parse import as_text, listed
from core.curate.table import Tokenizer, kept, with_reasons, with_text


@dataclass(frozen=True)
class PersonalSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns whose texts are searched.", "columns")
    kinds: tuple[str, ...] = setting(
        tuple(KINDS), "What is looked for. Names and postal addresses cannot be told by their shape.", "choices", choices=tuple(KINDS)
    )
    action: str = setting(
        "mask", "Whether a placeholder such as [EMAIL] is written in its place, the row leaves, or a column tells.", "choice",
        choices=("mask", "drop", "flag"),
    )  # fmt: skip
    into: str = setting("personal_data", "With flag: the column that names what was found; empty where nothing was.", "text")


def personal_data(rows: pd.DataFrame, settings: PersonalSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Texts with placeholders, or rows that leave with what was found as the reason, or a column that names it."""
    texts = {name: [as_text(cell) for cell in rows[name].tolist()] for name in settings.columns}
    spans = {name: _spans(cells, settings.kinds) for name, cells in texts.items()}
    if settings.action == "mask":
        made = {
            name: [masked(text, places) if text and places else text for text, places in zip(cells, spans[name], strict=True)]
            for name, cells in texts.items()
        }
        return kept(with_text(rows, made))
    found = [[kind for places in row for _, _, kind in places] for row in zip(*spans.values(), strict=True)] if spans else [[]] * len(rows)
    named = [", ".join(kind for kind in KINDS if kind in kinds) or None for kinds in found]
    if settings.action == "flag":
        return kept(with_text(rows, {settings.into: named}))
    return with_reasons(rows, [name and f"holds {name}" for name in named])


def _spans(texts: Sequence[str | None], kinds: Sequence[str]) -> list[list[tuple[int, int, str]]]:
    """What each text holds; only texts that may hold a kind are searched for it."""
    import pyarrow.compute as pc

    cells = arrow_texts(texts)
    asked: list[list[str]] = [[] for _ in texts]
    for kind in kinds:
        hits = pc.match_substring_regex(cells, MAY_HOLD[kind]).fill_null(False)  # type: ignore[attr-defined]
        for row in np.flatnonzero(hits.to_numpy(zero_copy_only=False)).tolist():
            asked[row].append(kind)
    return [found_in(text, mine) if text and mine else [] for text, mine in zip(texts, asked, strict=True)]


def personal_sentence(settings: PersonalSettings) -> str:
    """ "emails, phones and 5 more masked in text" """
    done = {"mask": "masked in", "drop": "drop the row, in", "flag": "flagged in"}[settings.action]
    return f"{listed(settings.kinds)} {done} {listed(settings.columns)}"


def personal_writes(settings: PersonalSettings) -> dict[str, str]:
    if settings.action == "flag":
        return {settings.into: "text"}
    return dict.fromkeys(settings.columns, "text") if settings.action == "mask" else {}
