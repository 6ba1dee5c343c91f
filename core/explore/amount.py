"""Checks of how many rows there are: to learn from, of each label, and to measure on.

The width of an interval comes before any model: a share near one half over n rows is known to 1.96 x 0.5 / sqrt(n); a mean
error is known as well as the errors of always answering the median are. What two models must differ by to be told apart
comes from `core/evaluate/power.py`.
"""

from __future__ import annotations

import math

import numpy as np

from core.evaluate.intervals import z_of
from core.evaluate.power import detectable
from core.explore.finding import Finding, Table, rows_of
from core.format import count, plural

LEARN = 50
"""Hosted fine-tuning shows first gains from 50 to 100 examples (OpenAI's guide); 10 is the least it takes."""
LABEL = 20
"""Train rows of a label below which it is hardly learnt or tested."""
WIDTH = 0.05
"""The interval a test is asked for: 5 points to each side of a share, or a tenth of a mean error to each side."""
_DISAGREE = 0.2
"""Two models that differ in one row of five, for what a test can tell apart."""


def half_width(n: int, share: float = 0.5) -> float:
    """Half the 95 % interval of a share over n rows."""
    return z_of() * math.sqrt(share * (1 - share) / n) if n else 1.0


def rows_for(width: float, share: float = 0.5) -> int:
    """Rows from which on half the 95 % interval of a share is at most `width`."""
    return math.ceil((z_of() / width) ** 2 * share * (1 - share) - 1e-9)


def rows_for_error(errors: np.ndarray, part: float) -> int:
    """Rows from which on half the 95 % interval of a mean error is at most that part of it; 0 when errors are all zero."""
    mean = float(errors.mean()) if len(errors) else 0.0
    return math.ceil((z_of() * float(errors.std(ddof=1)) / (part * mean)) ** 2 - 1e-9) if mean > 0 and len(errors) > 1 else 0


def _learning(table: Table) -> list[Finding]:
    """Too few rows to learn from."""
    if not table.kind:
        return []
    split = table.splits()
    rows = table.n if split is None else int((split == "train").sum())
    if not 0 < rows < LEARN:
        return []
    detail = f"A hosted model takes 10 at least and shows first gains from {LEARN} to 100; a small local one needs hundreds."
    return [Finding("warn", "amount", f"Only {plural(rows, 'row')} to learn from", (), detail, "more")]


def _labels(table: Table) -> list[Finding]:
    """Labels of very few rows."""
    if table.kind != "classification":
        return []
    split = table.splits()
    learnt = table.target.notna().to_numpy() & (True if split is None else split == "train")
    counts = table.target.loc[learnt].value_counts()
    few = counts.loc[counts < LABEL]
    if not len(few) or len(counts) < 2 or table.n < LEARN:
        return []
    rows = rows_of(learnt & table.target.isin(few.index).to_numpy())
    text = f"{len(few)} of {plural(len(counts), 'label')} {'has' if len(few) == 1 else 'have'} under {LABEL} rows"
    detail = f"The fewest: {plural(int(counts.iloc[-1]), 'row')}. A tenth of them in the test says nothing of such a label."
    return [Finding("note", "amount", text, rows, detail, "more", table.roles.target)]


def _measuring(table: Table) -> list[Finding]:
    """Test rows too few for the interval one asks for."""
    split = table.splits()
    n = int((split == "test").sum()) if split is not None else 0
    if not n or not table.kind:
        return []
    if table.kind == "regression":
        return _error_width(table, n)
    needed = rows_for(WIDTH)
    if n >= needed:
        return []
    apart = detectable(math.sqrt(_DISAGREE), n)
    detail = (
        f"A share near 50 % would be known to ± {100 * half_width(n):.0f} points (95 %); ± {100 * WIDTH:.0f} takes {count(needed)} rows. "
    )
    detail += f"Two models that differ in one row of five are told apart from {100 * apart:.0f} points on."
    return [_few(table, n, needed, detail)]


def _error_width(table: Table, n: int) -> list[Finding]:
    """For numbers: by the errors of always answering the median."""
    values = table.target.dropna().to_numpy(dtype="float64")
    values = values[np.isfinite(values)]
    errors = np.abs(values - np.median(values)) if len(values) else values
    needed = rows_for_error(errors, 2 * WIDTH)
    if n >= needed:
        return []
    width = z_of() * float(errors.std(ddof=1)) / math.sqrt(n) / float(errors.mean())
    detail = (f"The mean error of always answering the median would be known to ± {100 * width:.0f} % of itself (95 %); "
              f"± {200 * WIDTH:.0f} % takes {count(needed)} rows.")  # fmt: skip
    return [_few(table, n, needed, detail)]


def _few(table: Table, n: int, needed: int, detail: str) -> Finding:
    """With a larger test where there are rows to give, at most three tenths of them."""
    part = math.ceil(100 * needed / max(1, table.n))
    fix, settings = ("split", {"method": "random", "test": float(part)}) if part <= 30 else (None, {})
    rows = rows_of(table.splits() == "test")
    return Finding("warn" if n < 100 else "note", "amount", f"Only {plural(n, 'test row')}", rows, detail, fix, settings=settings)


def _unsplit(table: Table) -> list[Finding]:
    if not table.roles.split or table.roles.split not in table.frame:
        return []
    values = set(table.frame[table.roles.split].dropna().astype("str"))
    if "test" in values and "train" in values:
        return []
    lacking = " and ".join(name for name in ("train", "test") if name not in values)
    return [Finding("warn", "split", f"No {lacking} rows", (), "Models are measured on test rows and learn from train rows.", "split")]


AMOUNT_CHECKS = (_unsplit, _learning, _labels, _measuring)
