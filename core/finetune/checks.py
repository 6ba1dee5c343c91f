"""What must hold before a run may start: the lines of the Check card, as values.

Each line is PASS, WARN (may go on) or FAIL (may not), one sentence, the number behind it, and the page that mends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.finetune.rows import TrainingRows
from core.format import count, plural, size


@dataclass(frozen=True)
class Check:
    state: str
    """PASS | WARN | FAIL"""
    sentence: str
    note: str
    page: str | None = None
    """Where it is mended."""


def checks(
    train: TrainingRows, validation: TrainingRows | None, memory: int, room: int, max_tokens: int, leaked: int, tests: int
) -> list[Check]:
    """`memory` needed and `room` there, in bytes; `leaked` of `tests` test rows are also train rows."""
    rows = len(train.rows) + len(train.left_out)
    fits = f"{size(memory).removesuffix(' GiB')} of {size(room)}"
    found = [Check("PASS", "Fits in memory", fits) if memory <= room else Check("FAIL", "Does not fit in memory", fits)]
    if train.left_out:
        why = " and ".join(f"{count(n)}: {reason}" for reason, n in train.reasons().items())
        verbs = "learns nothing and is" if len(train.left_out) == 1 else "learn nothing and are"
        found.append(Check("WARN", f"{plural(len(train.left_out), 'row')} {verbs} left out", why, "curate"))
    else:
        found.append(Check("PASS", "Every row teaches something", f"{count(rows)} of {count(rows)}"))
    found.append(_cut(train, max_tokens))
    if validation is None:
        found.append(Check("WARN", "No validation rows", "nothing tells when it learns by heart", "curate"))
    told = f"{count(leaked)} of {count(tests)}"
    if leaked:
        found.append(Check("WARN", f"{plural(leaked, 'test row')} also in train", told, "curate"))
    else:
        found.append(Check("PASS", "No test row in train", told))
    return found


def _cut(train: TrainingRows, max_tokens: int) -> Check:
    if train.answers_cut:
        return Check("WARN", f"{plural(len(train.answers_cut), 'answer')} cut at {count(max_tokens)} tokens", "allow longer rows")
    if train.cut:
        return Check("WARN", f"{plural(len(train.cut), 'row')} cut at {count(max_tokens)} tokens", "the answer stays")
    return Check("PASS", f"No row is longer than {count(max_tokens)} tokens", f"longest {count(train.longest)}")


def leaked(train: Sequence[str], test: Sequence[str]) -> int:
    """How many test texts are also train texts, ignoring case and blanks. Reworded ones are Curate's to find."""
    seen = {_same(text) for text in train}
    return sum(_same(text) in seen for text in test)


def _same(text: str) -> str:
    return " ".join(text.casefold().split())
