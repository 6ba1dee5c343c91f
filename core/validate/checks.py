"""The checks of a training file as people read them: PASS, WARN or FAIL, one sentence, the rows, a fix where there is one.

`rules` says of every type of finding what it means; a group without findings is one PASS line. Lines are those of the file;
examples are counted as the platform counts them, from 1 and without blank lines (see `wording`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.format import count, plural
from core.validate.places import Places, distinct, taken
from core.validate.rules import PASSED, RULES, VERBS, Rule

WORDS = ("FAIL", "WARN", "PASS")


@dataclass(frozen=True)
class Check:
    """One line of the card Checks."""

    name: str
    """A type of finding of RULES, or the group that passed."""
    word: str
    """PASS, WARN or FAIL."""
    sentence: str
    places: Sequence[int] = ()
    """Positions of the examples meant, each once, in order."""
    lines: Sequence[int] = ()
    """The same as lines of the file or rows of the table, from 1; also lines that are no example."""
    occurrences: int = 0
    """How often: a type of finding may occur several times in one example."""
    fix: str | None = None
    """A name of `fixes.FIXES`."""
    detail: str = ""
    """What stands at the right: the rows, or out of how many."""
    examples: Sequence[int] = ()
    """The same as `lines`, numbered as the platform numbers examples."""


def checks_of(
    findings: Mapping[str, Sequence[int]],
    lines: Sequence[int],
    *,
    unreadable: Sequence[int] = (),
    skipped: frozenset[str] = frozenset(),
    details: Mapping[str, str] | None = None,
    sentences: Mapping[str, str] | None = None,
) -> list[Check]:
    """All checks: FAIL, then WARN, then PASS, each in the order of RULES.

    `lines` are the line numbers of the examples; `skipped` groups were not looked at and do not pass; `details` and
    `sentences` replace the usual words of a type.
    """
    details, sentences = details or {}, sentences or {}
    made = [_check(name, rule, findings.get(name, ()), lines, unreadable, details, sentences) for name, rule in RULES.items()]
    found = [check for check in made if check]
    failed = {RULES[check.name].group for check in found}
    passed = [
        Check(group, "PASS", sentence, detail=details.get(group, f"{count(len(lines))} of {count(len(lines))}"))
        for group, sentence in PASSED.items()
        if group not in failed and group not in skipped and len(lines)
    ]
    return sorted(found, key=lambda check: WORDS.index(check.word)) + passed


def _check(name: str, rule: Rule, places: Sequence[int], lines: Sequence[int], unreadable: Sequence[int], details: Mapping[str, str],
           sentences: Mapping[str, str]) -> Check | None:  # fmt: skip
    meant = distinct(places)
    numbers = (unreadable if isinstance(unreadable, Places) else tuple(unreadable)) if name == "unreadable_line" else taken(lines, meant)
    if not numbers:
        return None
    sentence = sentences.get(name) or f"{plural(len(numbers), rule.noun)} {_turned(rule.says, len(numbers))}"
    return Check(
        name, rule.word, sentence, meant, numbers, max(len(places), len(numbers)), rule.fix, details.get(name, rows_in_words(numbers)),
        example_numbers(numbers, lines, unreadable),
    )  # fmt: skip


def example_number(line: int, lines: Sequence[int], unreadable: Sequence[int] = ()) -> int:
    """The number the platform gives the example on a line: lines that hold something, counted from 1. Both lists ascend."""
    return bisect_left(lines, line) + bisect_left(unreadable, line) + 1


def example_numbers(numbers: Sequence[int], lines: Sequence[int], unreadable: Sequence[int]) -> Sequence[int]:
    """The same of many lines; Places where the lines are."""
    if isinstance(numbers, Places):
        return Places(np.searchsorted(np.asarray(lines), numbers.array) + np.searchsorted(np.asarray(unreadable), numbers.array) + 1)
    return tuple(example_number(line, lines, unreadable) for line in numbers)


def _turned(says: str, n: int) -> str:
    verb, rest = says.split(" ", 1)
    return says if n != 1 else f"{VERBS[verb]} {rest}"


def rows_in_words(lines: Sequence[int]) -> str:
    """rows 18, 44, 102 and 9 more."""
    shown = ", ".join(count(line) for line in lines[:3])
    more = f" and {count(len(lines) - 3)} more" if len(lines) > 3 else ""
    return f"{'row' if len(lines) == 1 else 'rows'} {shown}{more}"
