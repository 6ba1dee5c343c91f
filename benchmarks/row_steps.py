"""Rows a second of Curate's row steps, each alone on one core, on texts as long and as marked as film reviews."""

from __future__ import annotations

import json
import time

RUNS = 3
ROWS = 20_000
FEW = 3_000
"""Rows of the step that asks an identifier."""
WORDS = """the film is a slow but moving story of two brothers who return to their village after years at sea and find nothing as they
left it acting directing music scenes plot character ending really great terrible boring watch again 정말 좋은 영화 연기 감동 결말"""


def texts(rows: int = ROWS) -> list[str]:
    """Different texts of about 1,300 characters; tags in three of five, an address in one of two hundred."""
    import numpy as np

    rng = np.random.default_rng(0)
    words, made = WORDS.split(), []
    for row in range(rows):
        parts = [" ".join(rng.choice(words, 75)) + f", {rng.integers(1, 11)}/10." for _ in range(3)]
        mail = f" Write to viewer{row}@mail.example or 010-{row % 9000 + 1000}-1234." if row % 200 == 0 else ""
        made.append(("<br /><br />" if row % 5 < 3 else " ").join(parts) + " Don&apos;t miss it!!!!" + mail)
    return made


def main() -> None:
    import pandas as pd

    from core.curate.steps import kind, make, settings_of
    from core.io.languages import identify

    frame = pd.DataFrame({"text": pd.Series(texts(), dtype=object), "number": [float(row) for row in range(ROWS)]})
    frame["details"] = pd.Series([f'{{"Brand": "B{row % 50}", "Rank": {{"Films": {row}}}}}' for row in range(ROWS)], dtype=object)
    steps = {
        "parts": ("two parts of JSON details as columns", make("parse", parts=["details.Brand", "details.Rank.Films"])),
        "scrub": ("tags, entities and runs of marks", make("scrub", columns=["text"])),
        "scrub_all": (
            "every rule of Scrub but phrases",
            make("scrub", columns=["text"], unicode="NFKC", characters=["emoji", "control"], patterns=[r"(\d+)/10 => \1 of 10"],
                 blanks=True, repeats=True, codes=True, lower=True),
        ),
        "expression": ("an expression of three parts",
                       make("expression", expression='number > 10 and len(text) < 5000 and not "zzz" in text')),
        "quality": ("nine signals of text quality", make("quality")),
        "personal_data": ("seven kinds of personal data masked", make("personal_data", columns=["text"])),
        "language": ("the language told", make("language", languages=["English", "Korean"])),
    }  # fmt: skip
    identify("a first call reads the model")
    for name, (what, step) in steps.items():
        rows, settings = frame.head(FEW) if name == "language" else frame, settings_of(step)
        speeds = []
        for _ in range(RUNS):
            began = time.process_time()  # CPU seconds, so that other work on the machine counts less
            kind(step.name).function(rows, settings, identify if kind(step.name).identifies else None)
            speeds.append(len(rows) / (time.process_time() - began))
        middle = sorted(speeds)[RUNS // 2]
        print(json.dumps({"name": f"row_step_{name}", "what": f"{what}, one core", "n": f"{len(rows):,} rows, {RUNS} runs",
                          "value": f"{middle:,.0f}", "unit": "rows/s", "spread": [min(speeds), max(speeds)]}))  # fmt: skip


if __name__ == "__main__":
    main()
