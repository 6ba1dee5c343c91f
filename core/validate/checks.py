"""The checks of a training file as people read them: PASS, WARN or FAIL, one sentence, the rows, a fix where there is one.

RULES says of every type of finding what it means; a group without findings is one PASS line. FAIL is what a platform
refuses or what makes the training worthless; WARN is what a person should look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.format import count, plural

WORDS = ("FAIL", "WARN", "PASS")


@dataclass(frozen=True)
class Check:
    """One line of the card Checks."""

    name: str
    """A type of finding of RULES, or the group that passed."""
    word: str
    """PASS, WARN or FAIL."""
    sentence: str
    places: tuple[int, ...] = ()
    """Positions of the examples meant, each once, in order."""
    lines: tuple[int, ...] = ()
    """The same as lines of the file or rows of the table, from 1; also lines that are no example."""
    occurrences: int = 0
    """How often: a type of finding may occur several times in one example."""
    fix: str | None = None
    """A name of `fixes.FIXES`."""
    detail: str = ""
    """What stands at the right: the rows, or out of how many."""


@dataclass(frozen=True)
class Rule:
    """What a type of finding means."""

    group: str
    word: str
    says: str
    """After "12 examples"; it begins with one of VERBS, which are turned for "1 example"."""
    fix: str | None = None
    noun: str = "example"


VERBS = {"have": "has", "are": "is", "hold": "holds", "teach": "teaches", "repeat": "repeats", "call": "calls", "show": "shows",
         "answer": "answers", "prefer": "prefers", "do": "does", "cannot": "cannot"}  # fmt: skip
RULES: dict[str, Rule] = {
    "unreadable_line": Rule("lines", "FAIL", "cannot be read", "drop", "line"),
    "mixed_formats": Rule("lines", "FAIL", "have another format than the rest", "drop"),
    "no_format": Rule("lines", "FAIL", "have no known format", "drop"),
    "data_type": Rule("form", "FAIL", "are not an object", "drop"),
    "missing_messages_list": Rule("form", "FAIL", "have no messages", "drop"),
    "message_missing_key": Rule("form", "FAIL", "have a message without role or content", "drop"),
    "message_unrecognized_key": Rule("form", "FAIL", "have a message with an unknown key", "drop_keys"),
    "example_unrecognized_key": Rule("form", "WARN", "have a key the platform does not know", "drop_keys"),
    "unrecognized_role": Rule("form", "FAIL", "have a message of an unknown role", "rename_roles"),
    "missing_content": Rule("form", "FAIL", "have a message without words", "drop"),
    "bad_weight": Rule("form", "FAIL", "have a weight other than 0 or 1, or not on an answer", "drop_weights"),
    "bad_tool_call": Rule("form", "FAIL", "have a malformed tool call", "drop"),
    "tool_without_call": Rule("form", "FAIL", "have a tool result that no call asked for", "drop"),
    "tools_not_declared": Rule("form", "WARN", "call tools that are not declared"),
    "image_not_from_user": Rule("form", "FAIL", "have a picture that is not the user's", "drop"),
    "too_many_images": Rule("form", "FAIL", "have more than 10 pictures", "drop"),
    "no_rejected_answer": Rule("form", "FAIL", "have no rejected answer", "drop"),
    "same_answers": Rule("form", "FAIL", "prefer an answer to itself", "drop"),
    "example_missing_assistant_message": Rule("last", "FAIL", "have no answer", "drop"),
    "last_message_not_assistant": Rule("last", "FAIL", "do not end with an answer", "end_with_answer"),
    "nothing_learnt": Rule("last", "FAIL", "teach nothing: every answer has weight 0", "drop"),
    "missing_system": Rule("system", "WARN", "have no system message, others have"),
    "missing_user": Rule("user", "WARN", "have no user message", "drop"),
    "empty_answer": Rule("information", "FAIL", "have an empty answer", "drop"),
    "answer_without_information": Rule("information", "FAIL", "have an answer without its value", "drop"),
    "conflicting_answers": Rule("conflicts", "WARN", "answer the same question differently", "drop_conflicts"),
    "duplicate_example": Rule("duplicates", "WARN", "repeat an earlier one", "drop"),
    "leak": Rule("leak", "FAIL", "are also in the validation or test rows", "drop"),
    "answer_in_prompt": Rule("prompt", "WARN", "show the answer in the question"),
    "special_token": Rule("special", "FAIL", "hold a control token such as <|end|>", "open_special"),
    "encoding_damage": Rule("damage", "WARN", "hold damaged characters", "mend"),
    "secret": Rule("private", "WARN", "hold what looks like a key", "mask"),
    "email": Rule("private", "WARN", "hold an e-mail address", "mask"),
    "too_long": Rule("length", "WARN", "are longer than the limit and cut at the end", "shorten"),
}  # fmt: skip
PASSED = {
    "lines": "Every line can be read and has the same format",
    "form": "Every message has a known role and content",
    "last": "Every last message is from the assistant",
    "user": "Every example asks something",
    "information": "Every answer says something",
    "leak": "No row is also in the validation or test rows",
    "duplicates": "No example stands there twice",
    "conflicts": "No question has two different answers",
    "prompt": "No question shows its answer",
    "special": "No control tokens",
    "damage": "No damaged characters",
    "private": "No keys or e-mail addresses",
    "length": "Every example fits the limit",
}


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
    meant = tuple(dict.fromkeys(places))
    numbers = tuple(unreadable) if name == "unreadable_line" else tuple(lines[place] for place in meant)
    if not numbers:
        return None
    sentence = sentences.get(name) or f"{plural(len(numbers), rule.noun)} {_turned(rule.says, len(numbers))}"
    return Check(
        name, rule.word, sentence, meant, numbers, max(len(places), len(numbers)), rule.fix, details.get(name, rows_in_words(numbers))
    )


def _turned(says: str, n: int) -> str:
    verb, rest = says.split(" ", 1)
    return says if n != 1 else f"{VERBS[verb]} {rest}"


def rows_in_words(lines: Sequence[int]) -> str:
    """rows 18, 44, 102 and 9 more."""
    shown = ", ".join(count(line) for line in lines[:3])
    more = f" and {count(len(lines) - 3)} more" if len(lines) > 3 else ""
    return f"{'row' if len(lines) == 1 else 'rows'} {shown}{more}"
