"""The built-in samples by name: what Home's cards say and how each one is made.

All of them are generated here from a seed and are labelled synthetic; `thumbnail` is a picture of the data at seed 0,
never of a result, and a test compares it with what the generator gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from core.load.samples import facts, price, stars
from core.reading import read_amount
from core.version import Roles


@dataclass(frozen=True)
class Sample:
    title: str
    lead: str
    """One sentence: what is asked."""
    facts: str
    """The line under it: kind of task, rows, test rows, what is special."""
    task: str
    make: Callable[[int, int], pd.DataFrame]
    """(rows, seed) -> table."""
    picture: Callable[[pd.DataFrame], list[int]]
    """Table -> counts whose bars show the data."""
    roles: Roles
    rows: int
    thumbnail: tuple[int, ...]
    """`picture` of the default rows at seed 0."""
    description: str = ""
    """What a person should know before using it."""


def _prices(frame: pd.DataFrame) -> list[int]:
    """Rows by price, 24 steps of equal ratio from $2 to $1,000."""
    usd = [amount for cell in frame["price"].tolist() if (amount := read_amount(cell)) is not None and 2 <= amount <= 1000]
    return np.histogram(np.log(usd), bins=24, range=(np.log(2), np.log(1000)))[0].tolist()


def _stars(frame: pd.DataFrame) -> list[int]:
    """Rows with 1, 2, 3, 4 and 5 stars."""
    return [frame["stars"].tolist().count(name) for name in "12345"]


def _lengths(column: str, frame: pd.DataFrame) -> list[int]:
    """Rows by characters of a column, 20 steps from 10 to 60."""
    return np.histogram(frame[column].str.len(), bins=20, range=(10, 60))[0].tolist()


SAMPLES: dict[str, Sample] = {
    "price": Sample(
        title="Price it",
        lead="What does a thing cost, judging by its listing alone?",
        facts="A number · 6,000 raw listings · 500 test",
        task="regression",
        make=price.make,
        picture=_prices,
        roles=Roles(text=("title", "description", "features", "details"), target="price", category="category", split="split"),
        rows=price.ROWS,
        thumbnail=(13, 36, 47, 103, 114, 164, 230, 240, 284, 321, 270, 382, 364, 475, 374, 418, 418, 325, 196, 175, 117, 56, 26, 20),
        description="Raw on purpose: prices as text, listings that are too short, copies, contradictions, test rows that stand in train.",
    ),
    "stars": Sample(
        title="Star it",
        lead="How many stars did the writer of this review give?",
        facts="A label · 6,000 reviews · 500 test",
        task="classification",
        make=stars.make,
        picture=_stars,
        roles=Roles(text=("title", "body"), target="stars", category="product", split="split"),
        rows=stars.ROWS,
        thumbnail=(1333, 769, 761, 1292, 1845),
        description="Good and bad words stand in nearly every review; which of them counts has to be read.",
    ),
    "facts": Sample(
        title="Know it",
        lead="Can a model learn 80 invented facts and answer when asked in other words?",
        facts="An answer · 2,000 questions, English and Korean · 240 test",
        task="qa",
        make=facts.make,
        picture=partial(_lengths, "question"),
        roles=Roles(text=("question",), target="answer", category="language", split="split"),
        rows=facts.ROWS,
        thumbnail=(0, 20, 128, 240, 301, 115, 142, 106, 141, 106, 173, 99, 170, 67, 96, 54, 19, 3, 8, 12),
        description="Train and test ask for the same facts on purpose: only the wording of the test is new.",
    ),
}
