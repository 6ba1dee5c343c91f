"""*Price it*: invented listings in the raw shape of marketplace metadata, to predict what a thing costs.

The price follows thing, size, material, brand, series, pack, condition and what is included, times noise of about 16 %;
sentences that name another material, series or condition, or the machine a spare part is for, are there to be read, not
counted. About a third of the rows lie outside the windows of the pricing recipe. Planted: exact and near duplicates,
equal texts with other prices, and test rows that train rows repeat.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.load.samples import price_words as words
from core.load.samples.drawing import Draw, splits

PAIRS = {"exact": 40, "near": 60, "conflicts": 15, "leaks": 23}
"""Planted pairs per 6,000 rows."""
ROWS = 6_000
_CHARM = (
    4.99,
    7.99,
    9.99,
    12.99,
    14.99,
    19.99,
    24.99,
    29.99,
    34.99,
    39.99,
    49.99,
    59.99,
    79.99,
    99.99,
    129.99,
    149.99,
    199.99,
    249.99,
    299.99,
)
_ENDINGS = (0.99, 0.99, 0.99, 0.0, 0.0, 0.95, 0.49, 0.5)


def make(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """`rows` listings: title, description, features, details (JSON text), category, price (text) and split."""
    return _made(rows, seed)[0]


def planted(rows: int = ROWS, seed: int = 0) -> dict[str, list[tuple[int, int]]]:
    """What was planted, as (row, its copy): exact, near, conflicts (both in train), leaks (test row, its copy in train; the odd
    ones near, the even ones exact)."""
    return _made(rows, seed)[1]


def _made(rows: int, seed: int) -> tuple[pd.DataFrame, dict[str, list[tuple[int, int]]]]:
    rng = np.random.default_rng([seed, 1])
    split = splits(rng, rows, test=min(500, rows // 12), validation=min(500, rows // 12))
    listings = [_listing(Draw(line), kept) for line, kept in zip(rng.random((rows, 72)), split != "train", strict=True)]
    plan = _plant(listings, split, rng)
    frame = pd.DataFrame(listings, columns=["title", "category", "description", "features", "details", "price"])
    for name in ("description", "features", "details"):
        frame[name] = [None if value is None else json.dumps(value, ensure_ascii=False) for value in frame[name].tolist()]
    frame["split"] = split
    return frame.astype("str").where(frame.notna(), None), plan


def _listing(draw: Draw, kept: bool) -> dict[str, Any]:
    """One listing; `kept` ones pass every window of the recipe."""
    category = draw.weighted([(name, share) for name, (share, _) in words.CATEGORIES.items()])
    thing: words.Thing = draw.one(words.CATEGORIES[category][1])
    brand, tier, home = draw.one(words.BRANDS)
    series, line = draw.one(words.SERIES)
    material, stuff = draw.one(words.MATERIALS[thing.stuff])
    size = draw.one(thing.sizes)
    part = draw.one(thing.parts) if draw.chance(0.18) else ""
    state, worn = draw.weighted([(words.CONDITIONS[i], (0.85, 0.07, 0.05, 0.03)[i]) for i in range(4)])
    pack = draw.one((2, 3, 4, 6)) if thing.usd < 60 and draw.chance(0.22) else 1
    power = draw.one(("in", "out", "")) if thing.powered and not part else ""
    factors = tier * (1.9 if home == category else 1.0) * line * stuff * (size / thing.sizes[len(thing.sizes) // 2]) ** thing.power
    usd = 0.32 * thing.usd**0.8 * math.sqrt(factors) if part else thing.usd * factors
    usd *= worn * pack**0.85 * {"in": 1.2, "out": 0.85, "": 1.0}[power] * math.exp(0.16 * draw.normal())
    facts = {
        "brand": brand, "series": series or "standard", "thing": thing.name, "material": material, "part": part, "pack": pack,
        "size": f"{size:g} {thing.unit}", "sizes": _many(size, thing.unit), "color": draw.one(words.COLORS),
        "people": draw.one(words.PEOPLE), "weight": f"{thing.pounds * draw.between(0.8, 1.3) * (0.15 if part else 1) * pack:.1f}",
        "judged": "the smallest size" if size == thing.sizes[0] else "the largest size" if size == thing.sizes[-1] else "a middle size",
    }  # fmt: skip
    cell, short = _cell(_rounded(usd, draw, kept), draw, kept), not kept and draw.chance(0.26)
    return {
        "title": _title(facts, series, state, pack, part, draw),
        "category": category,
        "description": _description(facts, thing, state, series, power, draw, short),
        "features": [] if short else [_filled(text, facts, draw) for text in draw.some(words.BULLETS, 4 if kept else 3 + draw.index(3))],
        "details": None if draw.chance(0.08) else _details(facts, category, draw, short),
        "price": cell,
    }


def _title(facts: Mapping[str, Any], series: str, state: str, pack: int, part: str, draw: Draw) -> str:
    thing = f"{facts['brand']} {series} {_title_case(facts['size'])} {_title_case(facts['thing'])}".replace("  ", " ")
    if part:
        named = draw.one(("Replacement {0} for {1}", "{0} - Fits {1}", "Spare {0} Compatible with {1}")).format(_title_case(part), thing)
    else:
        named = draw.one(("{0}, {1}, {2}", "{0} in {1} ({2})", "{0} | {2} | {1}")).format(
            thing, _title_case(facts["material"]), _title_case(facts["color"])
        )
    named += f", Pack of {pack}" if pack > 1 else ""
    return f"【{state}】{named}" if state and draw.chance(0.5) else f"{named} ({state})" if state else named


def _many(size: float, unit: str) -> str:
    """ "1 person", "5 quarts", "8 inches", "20000 mAh" """
    plural = {"inch": "inches", "foot": "feet", "mAh": "mAh", "GB": "GB"}.get(unit, unit + "s")
    return f"{size:g} {unit if size == 1 else plural}"


def _title_case(text: str) -> str:
    """Capitals at the front of words that have none: "mAh" and "ABS" stay."""
    return " ".join(word.capitalize() if word.islower() else word for word in text.split(" "))


def _description(facts: Mapping[str, Any], thing: words.Thing, state: str, series: str, power: str, draw: Draw, short: bool) -> list[str]:
    if short:
        return [_filled(draw.one(words.INTRO), facts, draw)] if draw.chance(0.7) else []
    others = [name for name, _ in words.MATERIALS[thing.stuff] if name != facts["material"]]
    first = [draw.one(words.ACCESSORY if facts["part"] else words.INTRO)]
    said = [draw.one(words.CONTRAST) if draw.chance(0.5) else draw.one(words.MATERIAL), draw.one(words.SIZE)]
    if facts["pack"] > 1:
        said.append(draw.one(words.PACKED))
    if power:
        said.append(draw.one(words.POWER_IN if power == "in" else words.POWER_OUT))
    if state:
        said.append(draw.one(words.STATE[state]))
    elif draw.chance(0.2):
        said.append(draw.one(words.SEALED))
    if draw.chance(0.2):
        other = draw.one([name for name, _ in words.SERIES if name and name != series])
        said.append(draw.one(words.NOT_SERIES).format(other=other))
    rest = draw.some(words.GENERAL, 4)
    sentences = [*first, *draw.shuffled([*said, rest[0]]), *rest[1:]]
    told = {**facts, "other": draw.one(others)}
    text = [_filled(sentence, told, draw) for sentence in sentences]
    return [" ".join(text[:-2]), " ".join(text[-2:])] if draw.chance(0.5) else [" ".join(text)]


def _filled(text: str, facts: Mapping[str, Any], draw: Draw) -> str:
    """A sentence with its facts, and with numbers that mean nothing for the price."""
    return text.format(**{"other": "", **facts}, a=2 + draw.index(46), b=2 + draw.index(11), c=3 + draw.index(90))


def _details(facts: Mapping[str, Any], category: str, draw: Draw, short: bool) -> dict[str, Any]:
    letters = "".join(chr(65 + draw.index(26)) for _ in range(2))
    found = {
        "Brand": facts["brand"],
        "Item Weight": f"{facts['weight']} pounds",
        "Item model number": f"{letters}{10_000 + draw.index(89_999)}{'KTXZ'[draw.index(4)]}",
        "Best Sellers Rank": {category.replace("_and_", " & ").replace("_", " "): 40 + draw.index(300_000)},
    }
    if not short:
        found |= {
            "Batteries Included?": draw.one(("No", "Yes")),
            "Batteries Required?": draw.one(("No", "Yes")),
            "Package Dimensions": f"{5 + draw.index(30)} x {4 + draw.index(20)} x {2 + draw.index(12)} inches",
            "Color": facts["color"].title(),
            "Is Discontinued By Manufacturer": "No",
            "Number of Pieces": str(facts["pack"]),
            "Date First Available": f"{draw.one(words.MONTHS)} {1 + draw.index(28)}, {2012 + draw.index(12)}",
        }
    return found


def _rounded(usd: float, draw: Draw, kept: bool) -> float:
    """What a shop would write: a favourite price when one is near, else an ending in .99, .00, .95."""
    if kept:
        usd = min(max(usd, 2.0), 960.0)
    near = min(_CHARM, key=lambda price: abs(math.log(price / usd)))
    if abs(math.log(near / usd)) < 0.07 and draw.chance(0.75):
        return near
    whole = max(0.0, math.floor(usd))
    return round(whole + draw.one(_ENDINGS), 2) if draw.chance(0.85) else round(usd, 2)


def _cell(usd: float, draw: Draw, kept: bool) -> str:
    """The price as such files hold it: with a sign, without, with a comma, "None", "from 12.99", a few cents."""
    kind = draw.index(100)
    if not kept and kind < 17:
        return "None" if kind < 11 else f"from {usd:.2f}" if kind < 15 else f"0.0{1 + draw.index(9)}"
    return f"${usd:,.2f}" if kind < 60 else f"{usd:,.2f}" if kind < 85 else f"{round(usd, 2):g}"


def _plant(listings: list[dict[str, Any]], split: np.ndarray, rng: np.random.Generator) -> dict[str, list[tuple[int, int]]]:
    """Overwrite train rows with copies; returns what was done. A row takes part once."""
    counts = {name: round(count * len(listings) / ROWS) for name, count in PAIRS.items()}
    train, test = rng.permutation(np.flatnonzero(split == "train")).tolist(), rng.permutation(np.flatnonzero(split == "test")).tolist()
    long = [row for row in train if listings[row]["features"] and listings[row]["price"][:1] in "$123456789"]
    plan: dict[str, list[tuple[int, int]]] = {name: [] for name in PAIRS}
    used: set[int] = set()
    for name, count in counts.items():
        sources = test if name == "leaks" else long
        for source in [row for row in sources if row not in used][:count]:
            copy = next((row for row in reversed(train) if row not in used and row != source), None)
            if copy is None:
                break
            used |= {source, copy}
            pair = (source, copy) if name == "leaks" or source < copy else (copy, source)
            edit = name == "near" or (name == "leaks" and len(plan["leaks"]) % 2 == 1)
            listings[copy] = _copied(listings[source], "near" if edit else name, rng)
            plan[name].append(pair)
    return plan


def _copied(listing: dict[str, Any], how: str, rng: np.random.Generator) -> dict[str, Any]:
    """A copy: as it is, with one word changed (near), or with another price (conflicts)."""
    copy = dict(listing)
    if how == "near":
        spaces = copy["description"][0].split(" ")
        spaces[int(rng.integers(4, len(spaces)))] = str(rng.choice(["really", "simply", "surely", "always"]))
        copy["description"] = [" ".join(spaces), *copy["description"][1:]]
    if how == "conflicts":
        usd = float(copy["price"].strip("$").replace(",", ""))
        copy["price"] = f"${usd * rng.choice([0.6, 0.75, 1.3, 1.6]):,.2f}"
    return copy
