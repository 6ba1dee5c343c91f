"""The rules of the classic data assistant one by one: each looks at the table and gives advice (see `prepare`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from core.errors import DataError

if TYPE_CHECKING:
    from core.validate.prepare import Advice, Table

SUFFIXES = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
ENDS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
OPEN, CONDITIONAL = "open-ended generation", "conditional generation"


def common_prefix(texts: list[str]) -> str:
    """How all texts begin."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))]


def common_suffix(texts: list[str]) -> str:
    """How all texts end."""
    return common_prefix([text[::-1] for text in texts])[::-1]


def visible(text: str) -> str:
    """Line breaks written out."""
    return text.replace("\n", "\\n")


def empty_completion(table: Table) -> Advice | None:
    """Rows without a completion are removed, unasked."""
    gone = tuple(n for row, n in zip(table.rows, table.numbers, strict=True) if not row["completion"])
    if not gone:
        return None
    return _advice(
        "empty_completion",
        f"`completion` column/key should not contain empty strings. These are rows: {list(gone)}",
        gone,
        f"Remove {len(gone)} rows with empty completions",
        True,
        lambda t: t.without(set(gone)),
    )


def duplicates(table: Table, task: str) -> Iterator[Advice]:
    """Rows whose prompt and completion stand there already."""
    seen: set[tuple[str, str]] = set()
    again = []
    for row, number in zip(table.rows, table.numbers, strict=True):
        key = (row["prompt"], row["completion"])
        if key in seen:
            again.append(number)
        seen.add(key)
    if again:
        yield _advice(
            "duplicated_rows",
            f"There are {len(again)} duplicated prompt-completion sets. These are rows: {again}",
            tuple(again),
            f"Remove {len(again)} duplicate rows",
            False,
            lambda t: t.without(set(again)),
        )


def long_rows(table: Table, task: str) -> Iterator[Advice]:
    """Rows over 10,000 characters, where there are prompts."""
    from core.validate.prepare import LONG

    if task == OPEN:
        return
    long = [n for row, n in zip(table.rows, table.numbers, strict=True) if len(row["prompt"]) + len(row["completion"]) > LONG]
    if long:
        yield _advice(
            "long_examples",
            f"There are {len(long)} examples that are very long. These are rows: {long}\nFor conditional "
            f"generation, and for classification the examples shouldn't be longer than 2048 tokens.",
            tuple(long),
            f"Remove {len(long)} long examples",
            False,
            lambda t: t.without(set(long)),
        )


def lower_case(name: str) -> Callable[[Table, str], Iterator[Advice]]:
    """The rule for one column: more than a third of its letters are capitals."""

    def rule(table: Table, task: str) -> Iterator[Advice]:
        text = "".join(table.column(name))
        upper, lower = sum(c.isupper() for c in text), sum(c.islower() for c in text)
        if upper * 2 > lower:
            yield _advice(
                f"lower_case_{name}",
                f"More than a third of your `{name}` column/key is uppercase. Uppercase {name}s "
                f"tends to perform worse than a mixture of case encountered in normal language. We "
                f"recommend to lower case the data if that makes sense in your domain. See "
                f"https://platform.openai.com/docs/guides/fine-tuning for more details",
                (),
                f"Lowercase all your data in column/key `{name}`",
                False,
                lambda t: t.changed(name, str.lower),
            )

    return rule


def prompt_suffix(table: Table, task: str) -> Iterator[Advice]:
    """Prompts should share an end that stands nowhere else in them. Raises DataError when all prompts are the same."""
    if task == OPEN:
        return
    prompts = table.column("prompt")
    suffix = common_suffix(prompts)
    if len(prompts) > 0 and all(prompt == suffix for prompt in prompts):
        raise DataError(
            "All prompts are identical: `" + visible(suffix[:200]) + "`. Consider leaving the prompts blank if you want "
            "to do open-ended generation, otherwise ensure prompts are different.",
            title="All prompts are the same",
        )
    if suffix:
        shown = visible(suffix)
        text = f"All prompts end with suffix `{shown}`"
        if len(suffix) > 10:
            text += f". This suffix seems very long. Consider replacing with a shorter suffix, such as `{visible(_suffix(prompts))}`"
        yield _advice("common_prompt_suffix", text)
        inside = tuple(n for prompt, n in zip(prompts, table.numbers, strict=True) if suffix in prompt[: -len(suffix)])
        if inside:
            yield _advice(
                "common_prompt_suffix",
                f"WARNING: Some of your prompts contain the suffix `{shown}` more than once. We "
                f"strongly suggest that you review your prompts and add a unique suffix",
                inside,
            )
        return
    chosen = _suffix(prompts)
    yield _advice(
        "common_prompt_suffix",
        "Your data does not contain a common separator at the end of your prompts. Having a "
        "separator string appended to the end of the prompt makes it clearer to the fine-tuned "
        "model where the completion should begin. If you intend to do open-ended generation, then "
        "you should leave the prompts empty",
        (),
        f"Add a suffix separator `{visible(chosen)}` to all prompts",
        False,
        lambda t: t.changed("prompt", lambda text: text + chosen),
    )


def _suffix(prompts: list[str]) -> str:
    """The first separator that stands in no prompt; the arrow only where no prompt has a line break."""
    for option in SUFFIXES:
        if option == " ->" and any("\n" in prompt for prompt in prompts):
            continue
        if not any(option in prompt for prompt in prompts):
            return option
    return "\n\n### =>\n\n"


def prompt_prefix(table: Table, task: str) -> Iterator[Advice]:
    """A beginning all prompts share is reported, and removed when it is longer than 12 characters."""
    prefix = common_prefix(table.column("prompt"))
    if not prefix or all(prompt == prefix for prompt in table.column("prompt")):
        return
    text = f"All prompts start with prefix `{visible(prefix)}`"
    if len(prefix) <= 12:
        yield _advice("common_prompt_prefix", text)
        return
    yield _advice(
        "common_prompt_prefix",
        text + ". Fine-tuning doesn't require the instruction specifying the task, or a few-shot "
        "example scenario. Most of the time you should only add the input data into the "
        "prompt, and the desired output into the completion",
        (),
        f"Remove prefix `{visible(prefix)}` from all prompts",
        False,
        lambda t: t.changed("prompt", lambda one: one.removeprefix(prefix)),
    )


def completion_prefix(table: Table, task: str) -> Iterator[Advice]:
    """A beginning of 5 characters or more that all completions share is removed, but for one space."""
    completions = table.column("completion")
    prefix = common_prefix(completions)
    if len(prefix) < 5 or all(one == prefix for one in completions):
        return
    space = prefix.startswith(" ")
    yield _advice(
        "common_completion_prefix",
        f"All completions start with prefix `{visible(prefix)}`. Most of the time you should "
        f"only add the output data into the completion, without any prefix",
        (),
        f"Remove prefix `{visible(prefix)}` from all completions",
        False,
        lambda t: t.changed("completion", lambda one: (" " if space else "") + one.removeprefix(prefix)),
    )


def completion_suffix(table: Table, task: str) -> Iterator[Advice]:
    """Generated completions should share an end. Raises DataError when all completions are the same."""
    if task != CONDITIONAL:
        return
    completions = table.column("completion")
    suffix = common_suffix(completions)
    if all(one == suffix for one in completions):
        raise DataError(
            "All completions are identical: `" + visible(suffix[:200]) + "`. Ensure completions are different, otherwise "
            "the model will just repeat it.",
            title="All completions are the same",
        )
    chosen = next((end for end in ENDS if not any(end in one for one in completions)), " [END]")
    if suffix:
        shown = visible(suffix)
        text = f"All completions end with suffix `{shown}`"
        if len(suffix) > 10:
            text += f". This suffix seems very long. Consider replacing with a shorter suffix, such as `{visible(chosen)}`"
        yield _advice("common_completion_suffix", text)
        inside = tuple(n for one, n in zip(completions, table.numbers, strict=True) if suffix in one[: -len(suffix)])
        if inside:
            yield _advice(
                "common_completion_suffix",
                f"WARNING: Some of your completions contain the suffix `{shown}` more than "
                f"once. We suggest that you review your completions and add a unique ending",
                inside,
            )
        return
    yield _advice(
        "common_completion_suffix",
        "Your data does not contain a common ending at the end of your completions. Having a "
        "common ending string appended to the end of the completion makes it clearer to the "
        "fine-tuned model where the completion should end.",
        (),
        f"Add a suffix ending `{visible(chosen)}` to all completions",
        False,
        lambda t: t.changed("completion", lambda one: one + chosen),
    )


def leading_space(table: Table, task: str) -> Iterator[Advice]:
    """Completions should begin with a space."""
    without = tuple(n for row, n in zip(table.rows, table.numbers, strict=True) if not row["completion"].startswith(" "))
    if without:
        yield _advice(
            "completions_space_start",
            "The completion should start with a whitespace character (` `). This tends to "
            "produce better results due to the tokenization we use.",
            without,
            "Add a whitespace character to the beginning of the completion",
            False,
            lambda t: t.changed("completion", lambda one: one if one.startswith(" ") else " " + one),
        )


def _advice(
    rule: str,
    text: str,
    rows: tuple[int, ...] = (),
    remedy: str = "",
    necessary: bool = False,
    apply: Callable[[Table], Table] | None = None,
) -> Advice:
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
