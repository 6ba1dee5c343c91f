"""Whole recipes, fitted to the columns of a version: where most people start.

The pricing recipe is that of the pricing course (windows of 300 characters, 150 and 160 tokens, prices from $0.50 to
$999.49): on the same rows it keeps the same rows with the same texts and prompts. What it leaves off, and shows as off,
are near-duplicates and balance.
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
from core.prompt import Prompt, default_prompt
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
class Preset:
    title: str
    meaning: str
    tasks: tuple[str, ...]
    """What must be predicted for it to fit."""
    build: Callable[[Roles, str | None, pd.DataFrame], tuple[Step, ...]]


def preset(name: str, version: Version, frame: pd.DataFrame, seed: int = 0) -> Recipe:
    """The preset for a version and its rows. Raises SettingsError for an unknown name, DataError when text or target are missing."""
    if name not in PRESETS:
        raise SettingsError(f"There is no preset '{name}'. There are {', '.join(PRESETS)}.", title="Unknown preset")
    roles = version.roles
    if not roles.text or not roles.target:
        what = "what to predict" if roles.text else "the text" if roles.target else "the text and what to predict"
        raise DataError(
            f"The {PRESETS[name].title.lower()} recipe needs to know {what}. Choose it on Explore.", title="Choose what to predict"
        )
    return Recipe(PRESETS[name].build(roles, version.task, frame), seed)


def fitting(task: str | None) -> list[str]:
    """The presets made for a task."""
    return [name for name, one in PRESETS.items() if task in one.tasks]


def pricing(roles: Roles, task: str | None, frame: pd.DataFrame) -> tuple[Step, ...]:
    """Raw listings -> text of 150 to 160 tokens, a price, the pricing prompt, a split."""
    title, *body = roles.text
    target = str(roles.target)
    objects = [name for name in body if nested(frame, name) == "object"]
    steps = [
        make("parse", columns=tuple(body), number=target, amounts="dollars"),
        make("range", column=target, low=0.5, high=999.49),
    ]
    if objects:
        steps.append(make("scrub", columns=tuple(objects), html=False, unicode=False, phrases=PHRASES, runs=False))
    text = "text" if "text" not in frame or "text" in roles.text else _free("joined_text", frame)
    contents = _free("contents", frame) if body else text
    if body:
        steps.append(make("join", columns=tuple(body), into=contents, closing=True, use_as_text=False))
    if text != title:
        steps.append(make("join", columns=(title,), into=text, use_as_text=not body))
    steps += [
        make("length_window", column=contents, minimum=301, ceiling=1120),
        make("scrub", columns=tuple(dict.fromkeys((text, contents))), html=False, unicode=False, codes=True),
    ]
    if body:
        steps.append(make("join", columns=(text, contents), into=text))
    steps += [
        make("token_window", column=text, minimum=151, maximum=160, tokenizer="cl100k_base"),
        make(
            "prompts",
            question="How much does this cost to the nearest dollar?",
            prefix="Price is $",
            answer="$target.00",
            decimals=0,
            max_tokens=8,
        ),
        replace(make("near_duplicates"), on=False),
        replace(make("balance"), on=False),
        *_parted(roles, frame, make("split")),
    ]
    return tuple(steps)


def sentiment(roles: Roles, task: str | None, frame: pd.DataFrame) -> tuple[Step, ...]:
    """Raw reviews -> one clean text with a label each, no duplicates, no contradictions, a stratified split."""
    target = str(roles.target)
    steps, text = _one_text(roles, frame)
    labels = labels_of(
        value for cell in frame[target].head(20_000).tolist() if (value := target_of("classification", _bare(cell))) is not None
    )
    steps += [
        make("missing", columns=(text, target)),
        make("length_window", column=text, minimum=10, ceiling=4000),
        make("exact_duplicates"),
        make("conflicting"),
        _asked(default_prompt("classification", roles, labels), roles),
        replace(make("class_balance"), on=False),
        *_parted(roles, frame, make("split", method="keep" if came_with(frame, roles) else "stratified")),
    ]
    return tuple(steps)


def closed_book(roles: Roles, task: str | None, frame: pd.DataFrame) -> tuple[Step, ...]:
    """Questions and answers to learn by heart: clean, complete, each question once, tested on other wordings."""
    target = str(roles.target)
    steps, text = _one_text(roles, frame)
    prompt = default_prompt("qa", roles)
    steps += [
        make("missing", columns=(text, target)),
        make("exact_duplicates"),
        make("conflicting"),
        make("prompts", system=prompt.system, max_tokens=prompt.max_tokens),
        *_parted(roles, frame, make("split")),
    ]
    return tuple(steps)


def _one_text(roles: Roles, frame: pd.DataFrame) -> tuple[list[Step], str]:
    """Steps that make one clean text column of the text roles, and its name."""
    lists = tuple(name for name in roles.text if nested(frame, name))
    steps = [make("parse", columns=lists, nested="lines")] if lists else []
    text = roles.text[0]
    if len(roles.text) > 1:
        text = "text" if "text" not in frame or "text" in roles.text else _free("joined_text", frame)
        steps.append(make("join", columns=roles.text, into=text))
    return [*steps, make("scrub", columns=(text,), runs=False)], text


def _asked(prompt: Prompt, roles: Roles) -> Step:
    """A Prompts step that asks what a prompt asks."""
    question = prompt.user.rsplit("\n\n", 1)[0] if "\n\n" in prompt.user else ""
    return make(
        "prompts", question=question, prefix=prompt.prefix, decimals=prompt.decimals, system=prompt.system, max_tokens=prompt.max_tokens
    )


def _parted(roles: Roles, frame: pd.DataFrame, split: Step) -> list[Step]:
    """The split; where it came with the data, nothing kept related rows together, so leaks are moved out behind it."""
    return [split, make("move_leaks")] if came_with(frame, roles) else [split]


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
    "pricing": Preset("Pricing", "Listings with a price: windows, one text, the pricing prompt.", ("regression",), pricing),
    "sentiment": Preset("Sentiment", "Reviews with a label: clean, without duplicates and contradictions.", ("classification",), sentiment),
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
    }.get(name, {})
    return make(name, **chosen) if chosen else Step(name, kind(name).settings().to_dict(), True, kind(name).revision)
