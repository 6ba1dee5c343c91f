"""Everything that is known about one training file: its format, what is wrong, its tokens, what it takes to train on it.

One call, `report`, does what the page and the command show. Texts are counted by `count`, which comes in as an argument.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import SettingsError
from core.format import count as told
from core.format import short
from core.validate import chat
from core.validate.accounting import Count, Tokens, count_tokens, distribution, epochs_for, has_messages
from core.validate.answers import judge, leaks, pairs_of, stem_of
from core.validate.checks import Check, checks_of
from core.validate.encodings import HUB, is_local
from core.validate.file_rules import file_checks, file_findings, skipped_groups
from core.validate.formats import Detection, detect
from core.validate.limits import CLASSIC_LIMIT, FEW_EXAMPLES, MIN_EXAMPLES
from core.validate.places import ascending, distinct, taken, without
from core.validate.prices import limit_of
from core.validate.reading import TrainingFile
from core.validate.row_rules import as_chat, rows_problems
from core.validate.rules import RULES
from core.validate.talks import talk_of
from core.validate.words import scan, words_of

NEEDS_QUESTION = {"chat", "prompt_completion", "preference", "alpaca", "sharegpt"}


@dataclass(frozen=True)
class Report:
    """Everything found in one training file; positions count its readable rows from 0."""

    file: TrainingFile
    detection: Detection
    chats: Sequence[Any]
    """Every row as a chat line; rows of no known format as they are."""
    findings: Mapping[str, Sequence[int]]
    """Type -> position of the example of every occurrence."""
    checks: tuple[Check, ...]
    tokens: Tokens
    epochs: int
    """By the rule of thumb."""
    rules: str
    model: str

    @property
    def examples(self) -> int:
        """Rows that could be read, whatever they hold."""
        return len(self.file)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.word == "FAIL")

    @property
    def worst(self) -> str:
        return self.checks[0].word if self.checks else "PASS"


def report(
    file: TrainingFile,
    count: Count,
    *,
    model: str = "gpt-4o-mini-2024-07-18",
    max_tokens: int | None = None,
    rules: str = "current",
    others: Sequence[Sequence[Any]] = (),
) -> Report:
    """Check and count a training file. `others` are rows of validation and test files, of any format.

    The limit is `max_tokens`, else the model's (16,385 by the classic rules). Raises SettingsError for unknown rules.
    """
    limit = limit_for(model, max_tokens, rules)
    detection = detect(file.rows)
    if rules == "classic":
        return _classic(file, detection, count, limit, model)
    talks = [None if kind in ("chat", None) else talk_of(row, kind) for row, kind in zip(file.rows, detection.kinds, strict=True)]
    chats = tuple(as_chat(row, kind, talk) for row, kind, talk in zip(file.rows, detection.kinds, talks, strict=True))
    pairs = pairs_of(chats, file.rows)
    held = [pairs_of(as_chats(rows)) for rows in others]
    findings: dict[str, list[int]] = defaultdict(list)
    texts = [words_of(line, talk.rejected if talk else None) for line, talk in zip(chats, talks, strict=True)]
    parts = (rows_problems(file.rows, detection.kinds, chats, talks), judge(pairs), scan(texts), file_findings(file.rows, detection, chats))
    for part in parts:
        for name, places in part.items():
            findings[name] += places
    findings["leak"] = leaks(pairs, *held)
    findings["repeated_key"] = list(file.repeated)
    tokens = count_tokens(chats, count, limit, model)
    findings["too_long"] = tokens.too_long.tolist()
    stem = stem_of([pair.answer for pair in pairs if pair.answer is not None])
    return concluded(file, detection, chats, findings, stem, tokens, model, bool(others))


def limit_for(model: str, max_tokens: int | None = None, rules: str = "current") -> int:
    """The longest example in tokens. Raises SettingsError for unknown rules and a limit below 1."""
    if rules not in ("current", "classic"):
        raise SettingsError(f"There are no rules '{rules}'. Choose current or classic.", title="Unknown rules")
    if max_tokens is not None and max_tokens < 1:
        raise SettingsError(f"The limit is {max_tokens} tokens; at least 1 is needed.", title="No room")
    return max_tokens or (CLASSIC_LIMIT if rules == "classic" else limit_of(model))


def concluded(
    file: TrainingFile,
    detection: Detection,
    chats: Sequence[Any],
    findings: dict[str, Any],
    stem: str,
    tokens: Tokens,
    model: str,
    held: bool,
) -> Report:
    """The report by today's rules, of everything that was found. `held`: whether rows of other files were compared."""
    _temper(findings, detection, len(file))
    found = {name: places for name, places in findings.items() if len(places)}
    checks = _checks(file, found, stem, tokens, detection, held, model)
    return Report(file, detection, chats, found, tuple(checks), tokens, epochs_for(len(file)), "current", model)


def as_chats(rows: Sequence[Any]) -> list[Any]:
    """Rows of any format as chat lines; rows of no known format are left out."""
    return [as_chat(row, kind) for row, kind in zip(rows, detect(rows).kinds, strict=True) if kind]


def _classic(file: TrainingFile, detection: Detection, count: Count, limit: int, model: str) -> Report:
    return concluded_classic(file, detection, chat.classic(file.rows), count_tokens(file.rows, count, limit, model, tools=False), model)


def concluded_classic(file: TrainingFile, detection: Detection, findings: dict[str, Any], tokens: Tokens, model: str) -> Report:
    """The report by the classic rules."""
    if len(tokens.too_long):
        findings["too_long"] = tokens.too_long.tolist()
    skipped = frozenset(set(_GROUPS) - {"lines", "form", "length"})
    checks = checks_of(findings, file.lines, unreadable=file.bad_lines, skipped=skipped)
    return Report(file, detection, file.rows, findings, tuple(checks), tokens, epochs_for(len(file)), "classic", model)


_GROUPS = tuple(dict.fromkeys(rule.group for rule in RULES.values()))


def _temper(findings: dict[str, Any], detection: Detection, n: int) -> None:
    """Takes out findings that are no news: no system message anywhere, plain text without questions, a row told twice."""
    if len(findings["missing_system"]) >= n - len(findings["missing_messages_list"]) - len(findings["data_type"]):
        findings["missing_system"] = []
    if detection.format == "text":
        for name in ("missing_user", "conflicting_answers", "missing_system"):
            findings[name] = []
    told_already = findings["no_format"]
    for name in ("missing_messages_list", "data_type"):
        findings[name] = without(findings[name], told_already)


def _checks(
    file: TrainingFile, findings: dict[str, Any], stem: str, tokens: Tokens, detection: Detection, held: bool, model: str
) -> list[Check]:
    n = len(file)
    skipped = skipped_groups(detection, held)
    sentences: dict[str, str] = {}
    details: dict[str, str] = {}
    hollow = findings.get("answer_without_information", [])
    if hollow and stem:
        many, shown = len(distinct(hollow)), short(stem, 40)
        stops = f'{told(many)} {"answers stop" if many > 1 else "answer stops"} at "{shown}": the value is missing'
        sentences["answer_without_information"] = f'All answers are the same: "{shown}"' if many == n and stem[-1].isalnum() else stops
    if over := findings.get("too_long"):
        verb = "example is" if len(over) == 1 else "examples are"
        sentences["too_long"] = f"{told(len(over))} {verb} longer than {told(tokens.limit)} tokens"
        kept = _answer_kept(tokens, model)
        details["too_long"] = f"the answer is kept in {'all ' if kept == len(over) else ''}{told(kept)}" + (
            "" if kept == len(over) else f" of {told(len(over))}"
        )
    checks = checks_of(
        findings,
        file.lines,
        unreadable=file.bad_lines,
        skipped=frozenset(skipped),
        details=details,
        sentences=sentences,
    )
    return sorted([_size(n), *file_checks(file.size), *checks], key=lambda check: ("FAIL", "WARN", "PASS").index(check.word))


def _answer_kept(tokens: Tokens, model: str) -> int:
    """Of the examples over the limit, how many keep their last answer whole: a local training cuts the question instead."""
    over = tokens.total > tokens.limit
    if is_local(model) and not model.startswith(HUB):
        return int((tokens.supervised[over] >= tokens.answer[over]).sum())
    return int((tokens.total[over] - 3 <= tokens.limit).sum())


def _size(n: int) -> Check:
    if n < MIN_EXAMPLES:
        return Check(
            "examples", "FAIL", f"{told(n)} {'example' if n == 1 else 'examples'}: at least {MIN_EXAMPLES} are needed", detail="add more"
        )
    if n < FEW_EXAMPLES:
        return Check("examples", "WARN", f"{told(n)} examples: {FEW_EXAMPLES} is where gains begin to show", detail="add more")
    return Check("examples", "PASS", f"{told(n)} examples are enough to start with", detail=f"at least {MIN_EXAMPLES}")


def summary(made: Report, epochs: int | None = None) -> dict[str, Any]:
    """The report as the command prints it."""
    tokens, used = made.tokens, epochs or made.epochs
    errors, warnings = {}, {}
    unreadable = list(made.file.bad_lines)
    if unreadable and made.rules == "classic":
        places = made.findings.get("data_type", [])
        lines = sorted({*unreadable, *taken(made.file.lines, places)})
        errors["data_type"] = {"count": len(places) + len(unreadable), "rows": lines}
    elif unreadable:
        errors["unreadable_line"] = {"count": len(unreadable), "rows": unreadable}
    for name in [*chat.CLASSIC, *made.findings]:
        places = made.findings.get(name)
        if places and name not in errors and name not in warnings:
            rule = RULES[name]
            into = errors if rule.word == "FAIL" else warnings
            into[name] = {"count": len(places), "rows": ascending(taken(made.file.lines, places))}
    if made.rules == "current" and made.examples < FEW_EXAMPLES:
        few = errors if made.examples < MIN_EXAMPLES else warnings
        few["too_few_examples"] = {"count": made.examples, "rows": []}
    billable = tokens.billable()
    return {
        "format": made.detection.format, "examples": made.examples, "errors": errors, "warnings": warnings,
        "messages": distribution(tokens.messages),
        "tokens": {"total": distribution(tokens.total), "assistant": distribution(tokens.assistant)},
        "too_long": len(tokens.too_long), "supervised_tokens": int(tokens.supervised.sum()), "epochs": used,
        "billable_tokens": billable, "training_tokens": billable * used,
    }  # fmt: skip


def countable(made: Report) -> int:
    """Examples whose tokens could be counted."""
    return sum(map(has_messages, made.chats))
