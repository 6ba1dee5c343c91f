"""Whole recipes, fitted to the columns of a version: where most people start.

The pricing recipe is that of the pricing course (windows of 300 characters, 150 and 160 tokens, prices from $0.50 to
$999.49): up to the token window it keeps the same rows with the same texts and prompts. What it leaves off, and shows as
off, is near-duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.curate.recipe import Recipe
from core.curate.split import came_with
from core.curate.steps import kind, make
from core.errors import DataError, SettingsError
from core.prompt import default_prompt
from core.task import labels_of, target_of
from core.version import Roles, Step

if TYPE_CHECKING:
    from core.version import Version

PHRASES = (
    '"Batteries Included?": "No"', '"Batteries Included?": "Yes"', '"Batteries Required?": "No"', '"Batteries Required?": "Yes"',
    "By Manufacturer", "Item", "Date First", "Package", ":", "Number of", "Best Sellers", "Number", "Product ",
)  # fmt: skip
"""Phrases of marketplace details that say nothing of the product."""
_LOOK = 500


@dataclass(frozen=True)
class Planned:
    """A step of a preset, and why it is there."""

    step: Step
    why: str


@dataclass(frozen=True)
class Preset:
    title: str
    meaning: str
    tasks: tuple[str, ...]
    """What must be predicted for it to fit."""
    build: Callable[[Roles, str | None, pd.DataFrame], Sequence[Planned]]
    seed: int = 0
    """The seed it is known with."""


def preset(name: str, version: Version, frame: pd.DataFrame, seed: int = 0) -> Recipe:
    """The preset for a version and its rows; a seed of 0 takes the preset's own. Raises as `explained` does."""
    steps = tuple(one.step for one in explained(name, version, frame))
    return Recipe(steps, seed or PRESETS[name].seed)


def explained(name: str, version: Version, frame: pd.DataFrame) -> tuple[Planned, ...]:
    """The preset's steps for a version and its rows, each with why it is there.

    Raises SettingsError for an unknown name, DataError when text or target are missing.
    """
    if name not in PRESETS:
        raise SettingsError(f"There is no preset '{name}'. There are {', '.join(PRESETS)}.", title="Unknown preset")
    roles = version.roles
    if not roles.text or not roles.target:
        what = "what to predict" if roles.text else "the text" if roles.target else "the text and what to predict"
        raise DataError(
            f"The {PRESETS[name].title.lower()} recipe needs to know {what}. Choose it on Explore.", title="Choose what to predict"
        )
    return tuple(PRESETS[name].build(roles, version.task, frame))


def fitting(task: str | None) -> list[str]:
    """The presets made for a task."""
    return [name for name, one in PRESETS.items() if task in one.tasks]


def pricing(roles: Roles, task: str | None, frame: pd.DataFrame) -> list[Planned]:
    """Raw listings -> text of 150 to 160 tokens, a price, the pricing prompt, even prices, train and test."""
    title, *body = roles.text
    target = str(roles.target)
    objects = tuple(name for name in body if nested(frame, name) == "object")
    text = "text" if "text" not in frame or "text" in roles.text else _free("joined_text", frame)
    contents = _free("contents", frame) if body else text
    steps = [
        Planned(make("parse", columns=tuple(body), number=target, amounts="dollars"),
                "The price is read from its text; lists of lines become text, one line each."),
        Planned(make("range", column=target, low=0.5, high=999.49),
                "Prices that would round to 0 or to 1,000 and more are no whole number from 1 to 999."),
    ]  # fmt: skip
    if objects:
        steps.append(Planned(make("scrub", columns=objects, html=False, unicode="none", phrases=PHRASES, runs=False),
                             "These phrases stand in the details of every listing and tell nothing of its price."))  # fmt: skip
    if body:
        steps.append(Planned(make("join", columns=tuple(body), into=contents, closing=True, use_as_text=False),
                             "Description, features and details in this order, each ended by a line break: the contents."))  # fmt: skip
    if text != title:
        steps.append(Planned(make("join", columns=(title,), into=text, use_as_text=not body), "A copy: the title itself stays as it is."))
    steps += [
        Planned(make("length_window", column=contents, minimum=301, ceiling=1120),
                "More than 300 characters before anything is cleaned, the title not counted: less says too little. The cut at 1,120 "
                "(7 characters for each of 160 tokens) only saves time."),
        Planned(make("scrub", columns=tuple(dict.fromkeys((text, contents))), html=False, unicode="none", codes=True),
                "Marks and white space become single blanks; words of 7 or more characters with a digit are part numbers."),
    ]  # fmt: skip
    if body:
        steps.append(Planned(make("join", columns=(text, contents), into=text), "Title, line break, contents: what a model reads."))
    steps += [
        Planned(make("token_window", column=text, minimum=151, maximum=160, tokenizer="cl100k_base"),
                "More than 150 tokens, and the first 160 of them: every row costs the same, and the whole prompt stays below 180."),
        Planned(make("prompts", question="How much does this cost to the nearest dollar?", prefix="Price is $", answer="$target.00",
                     decimals=0, max_tokens=8),
                "One question, and an answer that begins the same every time: only the number is left to say. Half dollars round to "
                "the even one."),
        Planned(replace(make("near_duplicates"), on=False), "Off: the split keeps near-duplicates together."),
        Planned(make("balance", lowest=1, highest=999, cap=1200, keep_all_from=240, dominant=1, others=5),
                "Cheap things are many. Each whole dollar from 1 to 999 is a slot: at most 1,200 rows below $240, all from there on. "
                "What stays is drawn without replacement, five times as likely from any category but the most frequent. A price that "
                "rounds to 0 leaves."),
        *_parted(roles, frame, make("split", method="random", unit="rows", train=25_000, validation=0, test=2_000, otherwise=7),
                 "25,000 train and 2,000 test rows when there are 27,000, else 93 and 7 percent. Near-duplicates stay on one side."),
    ]  # fmt: skip
    return steps


SEPARATOR = "\n\n###\n\n"
"""Ends a prompt that a model continues: it stands in no review."""


def sentiment(roles: Roles, task: str | None, frame: pd.DataFrame) -> list[Planned]:
    """Raw reviews -> title and body as one clean text, a separator, a label behind a blank; each prompt once; a stratified split."""
    target = str(roles.target)
    steps, text = _one_text(roles, frame)
    labels = labels_of(
        value for cell in frame[target].head(20_000).tolist() if (value := target_of("classification", _bare(cell))) is not None
    )
    asked = default_prompt("classification", roles, labels)
    question = asked.user.rsplit("\n\n", 1)[0] if "\n\n" in asked.user else ""
    kept = came_with(frame, roles)
    steps += [
        Planned(make("missing", columns=(text, target)), "Without a text or a label there is nothing to learn."),
        Planned(make("length_window", column=text, minimum=10, ceiling=4000), "A few letters carry no opinion; long reviews cost tokens."),
        Planned(make("prompts", separator=SEPARATOR, answer=" $target", system=question, max_tokens=asked.max_tokens, plain=True),
                "The review, a separator that says where it ends, and the label behind a blank, because words begin with one. The possible "
                "labels stand in front."),
        Planned(make("exact_duplicates", columns=(text,)), "Each prompt once: a review that is there twice would count twice."),
        Planned(make("conflicting", columns=(text,)), "The same text with different labels teaches nothing."),
        Planned(replace(make("class_balance"), on=False), "Off: switch it on when one label is far more frequent than the others."),
        *_parted(roles, frame, make("split", method="keep" if kept else "stratified"),
                 "The split that came with the data." if kept else "The same share of each label in every part."),
    ]  # fmt: skip
    return steps


INSTRUCTION = "Below is an instruction that describes a task. Write a response that appropriately completes the request. ### Instruction: "
ONE_LINE = (r"^[\s\pZ]+|[\s\pZ]+$", r"[\s\pZ]+ =>  ")
"""White space leaves at both ends; everywhere else any run of it becomes one blank."""
RESPONSE = " ### Response: "
"""The closed-book template, on one line with single blanks; what stands up to and with RESPONSE is asked at inference."""


def closed_book(roles: Roles, task: str | None, frame: pd.DataFrame) -> list[Planned]:
    """Questions and answers to learn by heart: clean, complete, each question once, tested on other wordings."""
    target = str(roles.target)
    steps, text = _one_text(roles, frame)
    asked = default_prompt("qa", roles)
    steps += [
        Planned(make("scrub", columns=(text,), html=False, unicode="none", runs=False, patterns=ONE_LINE),
                "A question on one line, with single blanks, as the template has it."),
        Planned(make("missing", columns=(text, target)), "A question without an answer, or the other way round, cannot be learnt."),
        Planned(make("exact_duplicates", columns=(text,)), "Each question once."),
        Planned(make("conflicting", columns=(text,)), "One question with two answers cannot be learnt by heart."),
        Planned(make("prompts", question=f"{INSTRUCTION}${{{text}}}", separator=RESPONSE, plain=True, max_tokens=asked.max_tokens),
                "One line with single blanks. A model is asked everything up to and with '### Response: ' and continues it, in "
                "training as at inference; training ends every answer with the tokenizer's end token."),
        *_parted(roles, frame, make("split"), "Test questions are set aside; other wordings of them are not."),
    ]  # fmt: skip
    return steps


def _one_text(roles: Roles, frame: pd.DataFrame) -> tuple[list[Planned], str]:
    """Steps that make one clean text column of the text roles, and its name."""
    lists = tuple(name for name in roles.text if nested(frame, name))
    steps = [Planned(make("parse", columns=lists, nested="lines"), "Lists become lines of text.")] if lists else []
    text = roles.text[0]
    if len(roles.text) > 1:
        text = "text" if "text" not in frame or "text" in roles.text else _free("joined_text", frame)
        steps.append(Planned(make("join", columns=roles.text, into=text), "What models read is one text: title, line break, body."))
    scrub = make("scrub", columns=(text,), runs=False)
    return [*steps, Planned(scrub, "Tags such as <br /> and entities such as &amp; are page layout, not language.")], text


def _parted(roles: Roles, frame: pd.DataFrame, split: Step, why: str) -> list[Planned]:
    """The split; one that came with the data is kept, and as nothing held related rows together there, leaks are moved out behind it."""
    if not came_with(frame, roles):
        return [Planned(split, why)]
    kept = split if split.settings["method"] == "keep" else make("split")
    return [
        Planned(kept, "The split that came with the data."),
        Planned(make("move_leaks"), "Train rows that also stand in the test."),
    ]


def nested(frame: pd.DataFrame, name: str) -> str | None:
    """What most filled cells of a column hold: "list", "object", or None for plain ones."""
    cells = [cell for cell in frame[name].head(_LOOK).tolist() if cell is not None and not (isinstance(cell, float) and cell != cell)]
    cells = [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in cells if not (isinstance(cell, str) and not cell)]
    for what, kinds, mark in (("list", (list, tuple), "["), ("object", (dict,), "{")):
        hits = sum(isinstance(cell, kinds) or (isinstance(cell, str) and cell[:1] == mark) for cell in cells)
        if cells and hits > len(cells) / 2:
            return what
    return None


def _free(name: str, frame: pd.DataFrame) -> str:
    number, chosen = 2, name
    while chosen in frame:
        chosen, number = f"{name}_{number}", number + 1
    return chosen


def _bare(cell: Any) -> Any:
    return cell.item() if hasattr(cell, "item") else cell


PRESETS: dict[str, Preset] = {
    "pricing": Preset(
        "Pricing",
        "Listings with a price: windows, one text, the pricing prompt, even prices.",
        ("regression",),
        pricing,
        42,
    ),
    "sentiment": Preset("Sentiment", "Reviews with a label: clean, each prompt once, no contradictions.", ("classification",), sentiment),
    "closed_book": Preset("Closed-book QA", "Questions and answers to be learnt by heart.", ("qa", "chat"), closed_book),
}


def suggest(name: str, roles: Roles, columns: Sequence[str], numbers: Sequence[str], text: Sequence[str] = ()) -> Step:
    """A step fitted to the roles: what Add step adds. `numbers` are number columns, `text` the others that may hold text."""
    texts = tuple(name for name in roles.text if name in columns)
    first = texts[0] if texts else next(iter(text), "")
    number = roles.target if roles.target in numbers else next(iter(numbers), "")
    chosen: dict[str, Any] = {
        "parse": {"columns": texts},
        "join": {"columns": texts},
        "scrub": {"columns": texts},
        "length_window": {"column": first},
        "token_window": {"column": first},
        "range": {"column": number},
        "missing": {"columns": tuple(name for name in (*texts, roles.target) if name)},
        "filter": {"column": first},
        "language": {"column": first},
        "quality": {"column": first},
        "personal_data": {"columns": texts},
    }.get(name, {})
    return make(name, **chosen) if chosen else Step(name, kind(name).settings().to_dict(), True, kind(name).revision)
