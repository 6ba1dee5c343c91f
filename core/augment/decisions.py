"""What a person decided about the variants: kept, left out, rewritten. What they rewrote is judged again.

Without a decision a variant is kept exactly when it passes every gate. A person may keep what a gate stopped, except what is empty
or too close to a test row: that would make every later number worthless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.augment.asks import Ask
from core.augment.fields import Field
from core.augment.gates import Judge
from core.augment.near import word_changes
from core.augment.rows import as_json

NEVER = ("unread", "empty", "held_out")
"""Gates nobody can overrule (a refusal that is one of the data's own texts can be kept)."""
Decisions = Mapping[str, Mapping[str, Any]]
"""Id of a variant -> {"keep": bool, "variant": text}, either may be absent."""


def decided(judged: pd.DataFrame, decisions: Decisions, judge: Judge) -> pd.DataFrame:
    """The judged candidates with columns `id` (request and place), `keep` and `edited`; texts and gates as decided.

    `judge` has seen these candidates, so rewritten texts are compared with all of them; it is changed. Of a whole new row the cell of
    the first column is rewritten.
    """
    frame = judged.copy()
    frame["id"] = frame["key"] + ":" + frame.groupby("key").cumcount().astype("str")
    frame["edited"] = False
    changed = {id: str(made["variant"]).strip() for id, made in decisions.items() if "variant" in made}
    places = {id: place for place, id in enumerate(frame["id"].tolist())}
    for id, text in changed.items():
        place = places.get(id)
        if place is None or frame["variant"].iloc[place] == text:
            continue
        for name, value in _rewritten(frame.iloc[place].to_dict(), text, judge).items():
            frame.loc[frame.index[place], name] = value
    wanted = [decisions.get(id, {}).get("keep") for id in frame["id"].tolist()]
    gates = frame["gate"].tolist()
    keep = [(gate == "" if want is None else bool(want)) and gate not in NEVER for want, gate in zip(wanted, gates, strict=True)]
    frame["keep"] = pd.Series(keep, index=frame.index, dtype="bool")
    return frame


def _rewritten(row: Mapping[Any, Any], text: str, judge: Judge) -> dict[str, Any]:
    """What the columns of a rewritten candidate hold; it is judged as if its first wording had not been there."""
    cells = json.loads(row["cells"]) if row["cells"] else {}
    first = next(iter(cells), "")
    cells = {**cells, first: text} if cells else {}
    ask = Ask(int(row["row"]), row["original"], row["target"], 1, (), fields=tuple(_fields_in(cells, judge)))
    if not row["gate"]:
        judge.forget(row["variant"], ask)
    looked = judge.take(text, ask, cells)
    removed, added = ("", "") if cells else word_changes(row["original"], text)
    seen = {"gate": looked.gate, "values": json.dumps(dict(looked.values)), "warned": ",".join(looked.warned)}
    return {**seen, "variant": text, "cells": as_json(cells) if cells else "", "removed": removed, "added": added, "edited": True}


def _fields_in(cells: Mapping[str, Any], judge: Judge) -> list[Field]:
    """The columns of a whole row: as its request asked for them, else as any text."""
    known = {one.name: one for one in judge.fields}
    return [known.get(name) or Field(name, optional=True) for name in cells]


def kept(frame: pd.DataFrame) -> pd.DataFrame:
    """Row and variant of what is kept, each text once, and the cells of whole rows."""
    rows = frame.loc[frame["keep"], ["row", "variant", *(["cells"] if "cells" in frame else [])]]
    return rows.drop_duplicates(["variant"]).reset_index(drop=True)
