"""What a person decided about the variants: kept, left out, rewritten. What they rewrote is judged again.

Without a decision a variant is kept exactly when it passes every gate. A person may keep what a gate stopped, except what is empty
or too close to a test row: that would make every later number worthless.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.augment.gates import Judge, word_changes
from core.augment.requests import Ask

NEVER = ("unread", "empty", "held_out")
"""Gates nobody can overrule."""
Decisions = Mapping[str, Mapping[str, Any]]
"""Id of a variant -> {"keep": bool, "variant": text}, either may be absent."""


def decided(judged: pd.DataFrame, decisions: Decisions, judge: Judge) -> pd.DataFrame:
    """The judged candidates with columns `id` (request and place), `keep` and `edited`; texts and gates as decided.

    `judge` has seen these candidates, so rewritten texts are compared with all of them; it is changed.
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
        row = frame.iloc[place]
        ask = Ask(int(row["row"]), row["original"], row["target"], 1, ())
        removed, added = word_changes(row["original"], text)
        for name, value in (("variant", text), ("gate", judge(text, ask)), ("removed", removed), ("added", added), ("edited", True)):
            frame.loc[frame.index[place], name] = value
    wanted = [decisions.get(id, {}).get("keep") for id in frame["id"].tolist()]
    gates = frame["gate"].tolist()
    keep = [(gate == "" if want is None else bool(want)) and gate not in NEVER for want, gate in zip(wanted, gates, strict=True)]
    frame["keep"] = pd.Series(keep, index=frame.index, dtype="bool")
    return frame


def kept(frame: pd.DataFrame) -> pd.DataFrame:
    """Row and variant of what is kept, each text once."""
    rows = frame.loc[frame["keep"], ["row", "variant"]]
    return rows.drop_duplicates(["variant"]).reset_index(drop=True)
