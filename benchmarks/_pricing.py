"""The pricing recipe one row at a time: what the studio's recipe is compared with, in speed and to the letter.

Rows: title, description (list), features (list), details (JSON text or None), price (text), category.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

QUESTION, PREFIX = "How much does this cost to the nearest dollar?", "Price is $"
MIN_CHARS, MIN_TOKENS, MAX_TOKENS = 300, 150, 160
CEILING = MAX_TOKENS * 7
REMOVALS = (
    '"Batteries Included?": "No"', '"Batteries Included?": "Yes"', '"Batteries Required?": "No"', '"Batteries Required?": "Yes"',
    "By Manufacturer", "Item", "Date First", "Package", ":", "Number of", "Best Sellers", "Number", "Product ",
)  # fmt: skip


def scrub(text: str) -> str:
    """Runs of marks and blanks become one blank; words of seven characters or more with a digit leave."""
    text = re.sub(r'[:\[\]"{}【】\s]+', " ", text).strip()
    text = text.replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    return " ".join(w for w in text.split(" ") if len(w) < 7 or not any(c.isdigit() for c in w))


def price_of(cell: Any) -> float | None:
    """A plain dollar amount, or None."""
    found = re.fullmatch(r"\$?(\d+(?:\.\d+)?)", str(cell).strip().replace(",", ""))
    return float(found.group(1)) if found else None


def curate(row: dict[str, Any], encoding: Any) -> dict[str, Any] | None:
    """One row's price, text and prompts; None when it leaves."""
    price = price_of(row["price"])
    if price is None or not 0.5 <= price <= 999.49:
        return None
    contents = "".join("\n".join(part) + "\n" for part in (row["description"], row["features"]) if part)
    if row["details"]:
        details = row["details"]
        for phrase in REMOVALS:
            details = details.replace(phrase, "")
        contents += details + "\n"
    if len(contents) <= MIN_CHARS:
        return None
    text = f"{scrub(row['title'])}\n{scrub(contents[:CEILING])}"
    tokens = encoding.encode_ordinary(text)
    if len(tokens) <= MIN_TOKENS:
        return None
    text = encoding.decode(tokens[:MAX_TOKENS])
    test_prompt = f"{QUESTION}\n\n{text}\n\n{PREFIX}"
    prompt = f"{test_prompt}{round(price)}.00"
    return {"title": row["title"], "price": price, "text": text, "prompt": prompt, "test_prompt": test_prompt,
            "token_count": len(encoding.encode_ordinary(prompt))}  # fmt: skip


WORDS = (  # noqa: SIM905 - a list would be longer than the rest of the file
    "stainless steel kettle pump filter replacement genuine compatible dishwasher refrigerator guitar string pedal cable warranty "
    "ice maker handle gasket black white 12V 1500W WPW10321304 model DA97-07603B premium quality easy install 냄비 électrique µm "
    'water, , [fits] {most} 【new】 "quoted" 2nd-generation 10x20mm it\'s 100% durable: silicone rubber'
).split(" ")


def rows(n: int, seed: int) -> list[dict[str, Any]]:
    """Listings of every odd shape the recipe knows, no two alike: empty lists, details without parts, prices that are none."""
    rng = random.Random(seed)
    made = []
    for number in range(n):

        def words(low: int, high: int) -> str:
            return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))

        amount = rng.expovariate(1 / 90)
        price = rng.choice([
            f"${amount:.2f}", f"{amount:.2f}", f"{rng.uniform(0.4, 1.2):.2f}", "None", "from 12.99", "$1,299.00", "999.49", "$999.5", "0.5",
            str(rng.randint(1, 300)), f"{rng.randint(1, 40)}.5",
        ])  # fmt: skip
        details = {"Brand": words(1, 2), "Item Weight": f"{rng.randint(1, 90)} oz", "Batteries Included?": rng.choice(["Yes", "No"]),
                   "Best Sellers Rank": {words(1, 2): rng.randint(1, 99999)}, "Date First Available": "May 1, 2015"}  # fmt: skip
        made.append({
            "title": f"{words(3, 10)} {number}",
            "description": rng.choice([[], [""], [words(5, 90)], [words(30, 120), words(1, 60)]]),
            "features": [words(4, 30) for _ in range(rng.randint(0, 6))],
            "details": rng.choice([None, "", "{}", json.dumps(details), json.dumps(details, ensure_ascii=False)]),
            "price": price,
            "category": rng.choice(["Appliances", "Software", "Musical_Instruments"]),
        })  # fmt: skip
    return made
