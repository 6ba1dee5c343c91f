"""*Star it*: invented product reviews, to predict how many stars they gave.

Most reviews say something good and something bad; which of the two is over, hearsay, expected or outweighed decides.
Both directions of a structure use the same words, so that counting them helps little, while a reader gets it right.
No label is wrong on purpose.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.load.samples import stars_words as words
from core.load.samples.drawing import Draw, splits

ROWS = 6_000
SHARES = (("5", 0.30), ("4", 0.22), ("3", 0.13), ("2", 0.13), ("1", 0.22))
"""Stars -> share of rows."""


def make(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """`rows` reviews: title, body, product, stars ("1" to "5") and split; no two bodies are equal."""
    rng = np.random.default_rng([seed, 2])
    part = min(500, rows // 12)
    split = splits(rng, rows, test=part, validation=part)
    seen: set[str] = set()
    reviews = [_new(rng, seen) for _ in range(rows)]
    frame = pd.DataFrame(reviews, columns=["title", "body", "product", "stars"])
    frame["split"] = split
    return frame.astype("str")


def _new(rng: np.random.Generator, seen: set[str]) -> dict[str, str]:
    """A review whose body was not written before."""
    while True:
        review = _review(Draw(rng.random(40)))
        if review["body"] not in seen:
            seen.add(review["body"])
            return review


def _review(draw: Draw) -> dict[str, str]:
    stars = draw.weighted(SHARES)
    thing = draw.one(list(words.THINGS))
    (good, _), (_, bad) = draw.some(words.THINGS[thing], 2)
    a, b = (good, bad) if stars in "45" or (stars == "3" and draw.chance(0.5)) else (bad, good)
    slots = {"a": a, "b": b, "A": _capital(a), "B": _capital(b), "thing": thing, "kin": draw.one(words.KIN)}
    slots |= {"month": draw.one(words.MONTHS), "day": draw.one(words.DAYS), "k": str(2 + draw.index(10))}
    core = _core(stars, draw)
    varied = draw.some([one for one in words.FILLERS if "{" in one], 2)
    plain = draw.some([one for one in words.FILLERS if one not in varied], draw.index(3))
    opener = [draw.one(words.OPENERS)]
    around = [*plain, *opener] if draw.chance(0.4) else [*opener, *plain]
    cut = draw.index(len(around) + 1)
    around = [*around[:cut], *varied[:1], core, *varied[1:], *around[cut:]]
    closing = [draw.one(words.CLOSINGS[stars])] if draw.chance(0.07) else []
    body = " ".join(sentence.format(**slots) for sentence in [*around, *closing])
    title = draw.one(words.TITLES[stars if draw.chance(0.07) else "any"]).format(**slots)
    return {"title": title, "body": body, "product": thing, "stars": stars}


def _core(stars: str, draw: Draw) -> str:
    """The sentences that carry the judgement."""
    if stars in "51" and draw.chance(0.06):
        return draw.one(words.AGAINST if stars == "5" else words.SARCASM)
    return draw.one(words.EVEN if stars == "3" else words.WEIGHED if stars in "24" else words.ONE_SIDED)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
