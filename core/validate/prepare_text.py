"""The rules of the classic data assistant one by one: each looks at the table and gives advice (see `prepare`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import DataError
from core.format import count

if TYPE_CHECKING:
    from core.validate.prepare import Advice, Table

SUFFIXES = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
LAST_SUFFIX = "\n\n### =>\n\n"
ENDS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
LAST_END = " [END]"
OPEN, CONDITIONAL = "open-ended generation", "conditional generation"
LONG = 10_000
"""Characters of prompt and completion together; longer rows are removed."""
LONG_ENDING, LONG_PROMPT_PREFIX, LONG_COMPLETION_PREFIX = 10, 12, 5
"""Characters: an ending above the first is called very long; prefixes above the second, and from the third on, are removed."""
LISTED = 100


def common_prefix(texts: Sequence[str]) -> str:
    """How all texts begin."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))]


def common_suffix(texts: Sequence[str]) -> str:
    """How all texts end."""
    return common_prefix([text[::-1] for text in texts])[::-1]


def visible(text: str) -> str:
    """Line breaks written out."""
    return text.replace("\n", "\\n")


def listed(rows: Sequence[int]) -> str:
    """Row numbers in brackets; the first hundred of many."""
    return str(list(rows)) if len(rows) <= LISTED else f"{str(list(rows[:LISTED]))[:-1]}, and {count(len(rows) - LISTED)} more]"


def empty_completion(table: Table) -> Advice | None:
    """Rows without a completion are removed, unasked."""
    gone = tuple(place for place, text in enumerate(table.completions) if not text)
    if not gone:
        return None
    return _advice(
        "empty_completion",
        f"`completion` column/key should not contain empty strings. These are rows: {listed(gone)}",
        gone,
        f"Remove {len(gone)} rows with empty completions",
        lambda t: t.without(set(gone)),
        necessary=True,
    )


def duplicates(table: Table, task: str) -> Iterator[Advice]:
    """Rows whose prompt and completion stand there already."""
    seen: set[tuple[str, str]] = set()
    again = []
    for place, key in enumerate(zip(table.prompts, table.completions, strict=True)):
        if key in seen:
            again.append(place)
        seen.add(key)
    if again:
        gone = {table.numbers[place] for place in again}
        yield _advice(
            "duplicated_rows",
            f"There are {len(again)} duplicated prompt-completion sets. These are rows: {listed(again)}",
            tuple(again),
            f"Remove {len(again)} duplicate rows",
            lambda t: t.without(gone),
        )


def long_places(table: Table) -> tuple[int, ...]:
    """Positions of the rows over 10,000 characters."""
    return tuple(i for i, (a, b) in enumerate(zip(table.prompts, table.completions, strict=True)) if len(a) + len(b) > LONG)


def long_rows(table: Table, task: str) -> Iterator[Advice]:
    """Rows over 10,000 characters, where there are prompts."""
    long = () if task == OPEN else long_places(table)
    if long:
        yield _advice(
            "long_examples",
            f"There are {len(long)} examples that are very long. These are rows: {listed(long)}. For conditional generation and for "
            f"classification the old models took 2048 tokens",
            long,
            f"Remove {len(long)} long examples",
            lambda t: t.at(sorted(set(range(len(t))) - set(long_places(t)))),
        )


def recount(advice: Advice, table: Table) -> Advice:
    """The advice on long rows, saying where they are now that others are gone."""
    if advice.rule != "long_examples" or (now := long_places(table)) == advice.rows:
        return advice
    return replace(advice, text=f"{advice.text}. Rows were removed before: the {len(now)} long examples are now rows {listed(now)}")


def lower_case(name: str) -> Callable[[Table, str], Iterator[Advice]]:
    """The rule for one column: more than a third of its letters are capitals."""

    def rule(table: Table, task: str) -> Iterator[Advice]:
        letters = [c for text in table.column(name) for c in text if c.isalpha()]
        upper, lower = sum(map(str.isupper, letters)), sum(map(str.islower, letters))
        if upper * 2 > lower:
            yield _advice(
                f"lower_case_{name}",
                f"More than a third of your `{name}` column/key is uppercase. Models read a mixture of case, as in usual language, better. "
                f"Lower case the data if that makes sense in your domain",
                (),
                f"Lowercase all your data in column/key `{name}`",
                lambda t: t.changed(name, str.lower),
            )

    return rule


def prompt_suffix(table: Table, task: str) -> Iterator[Advice]:
    """Prompts should share an end that stands nowhere else in them. Raises DataError when all prompts are the same."""
    if task == OPEN:
        return
    rule, prompts = "common_prompt_suffix", table.prompts
    suffix = common_suffix(prompts)
    if all(prompt == suffix for prompt in prompts):
        raise DataError(
            f"All prompts are identical: `{visible(suffix[:200])}`. Consider leaving the prompts blank if you want to do open-ended "
            "generation, otherwise ensure prompts are different.",
            title="All prompts are the same",
        )
    chosen = _separator(prompts)
    if suffix:
        yield from _has_suffix(rule, "prompts", prompts, suffix, chosen, "review your prompts and add a unique suffix")
        return
    yield _advice(
        rule,
        "Your data does not contain a common separator at the end of your prompts. It makes clear to a completion model where the "
        "completion begins. If you intend to do open-ended generation, leave the prompts empty",
        (),
        f"Add a suffix separator `{visible(chosen)}` to all prompts",
        lambda t: t.changed("prompt", lambda text: text + chosen),
    )


def _separator(prompts: Sequence[str]) -> str:
    """The first separator that stands in no prompt; the arrow only where no prompt has a line break."""
    for option in SUFFIXES:
        if option == " ->" and any("\n" in prompt for prompt in prompts):
            continue
        if not any(option in prompt for prompt in prompts):
            return option
    return LAST_SUFFIX


def _has_suffix(rule: str, what: str, texts: Sequence[str], suffix: str, instead: str, do: str) -> Iterator[Advice]:
    """Remarks on an end that all texts share: which, whether it is long, where it stands twice."""
    text = f"All {what} end with suffix `{visible(suffix)}`"
    if len(suffix) > LONG_ENDING:
        text += f". This suffix seems very long. Consider replacing with a shorter suffix, such as `{visible(instead)}`"
    yield _advice(rule, text)
    inside = tuple(place for place, one in enumerate(texts) if suffix in one[: -len(suffix)])
    if inside:
        yield _advice(
            rule,
            f"WARNING: {count(len(inside))} of your {what} contain the suffix `{visible(suffix)}` more than once: {do}. These are rows: "
            f"{listed(inside)}",
            inside,
        )


def prompt_prefix(table: Table, task: str) -> Iterator[Advice]:
    """A beginning all prompts share is reported, and removed when it is longer than 12 characters."""
    prefix = common_prefix(table.prompts)
    if not prefix or all(prompt == prefix for prompt in table.prompts):
        return
    text = f"All prompts start with prefix `{visible(prefix)}`"
    if len(prefix) <= LONG_PROMPT_PREFIX:
        yield _advice("common_prompt_prefix", text)
        return
    yield _advice(
        "common_prompt_prefix",
        text + ". A fine-tuned model needs no instruction and no examples in the prompt; the input alone is enough",
        (),
        f"Remove prefix `{visible(prefix)}` from all prompts",
        lambda t: t.changed("prompt", lambda one: one[len(prefix) :]),
    )


def completion_prefix(table: Table, task: str) -> Iterator[Advice]:
    """A beginning of 5 characters or more that all completions share is removed, but for one space."""
    prefix = common_prefix(table.completions)
    if len(prefix) < LONG_COMPLETION_PREFIX or all(one == prefix for one in table.completions):
        return
    space = " " if prefix.startswith(" ") else ""
    yield _advice(
        "common_completion_prefix",
        f"All completions start with prefix `{visible(prefix)}`. Most of the time the output alone belongs in the completion",
        (),
        f"Remove prefix `{visible(prefix)}` from all completions",
        lambda t: t.changed("completion", lambda one: space + one[len(prefix) :]),
    )


def completion_suffix(table: Table, task: str) -> Iterator[Advice]:
    """Generated completions should share an end. Raises DataError when all completions are the same."""
    if task != CONDITIONAL:
        return
    rule, completions = "common_completion_suffix", table.completions
    suffix = common_suffix(completions)
    if all(one == suffix for one in completions):
        raise DataError(
            f"All completions are identical: `{visible(suffix[:200])}`. Ensure completions are different, otherwise the model will just "
            "repeat it.",
            title="All completions are the same",
        )
    chosen = next((end for end in ENDS if not any(end in one for one in completions)), LAST_END)
    if suffix:
        yield from _has_suffix(rule, "completions", completions, suffix, chosen, "review your completions and add a unique ending")
        return
    yield _advice(
        rule,
        "Your data does not contain a common ending at the end of your completions. It makes clear to a completion model where to stop",
        (),
        f"Add a suffix ending `{visible(chosen)}` to all completions",
        lambda t: t.changed("completion", lambda one: one + chosen),
    )


def leading_space(table: Table, task: str) -> Iterator[Advice]:
    """Completions should begin with a space."""
    without = tuple(place for place, text in enumerate(table.completions) if not text.startswith(" "))
    if without:
        yield _advice(
            "completions_space_start",
            "The completion should start with a whitespace character (` `): the old models' tokens began with it",
            without,
            "Add a whitespace character to the beginning of the completion",
            lambda t: t.changed("completion", lambda one: one if one.startswith(" ") else " " + one),
        )


def _advice(rule: str, text: str, rows: tuple[int, ...] = (), remedy: str = "", apply: Callable[[Table], Table] | None = None, *,
            necessary: bool = False) -> Advice:  # fmt: skip
    from core.validate.prepare import Advice

    return Advice(rule, text, rows, remedy, necessary, apply)


RULES = (
    duplicates,
    long_rows,
    lower_case("prompt"),
    lower_case("completion"),
    prompt_suffix,
    prompt_prefix,
    completion_prefix,
    completion_suffix,
    leading_space,
)
"""In the order of the old tool."""
