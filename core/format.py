"""How every number is written for people: one place, so that a dollar looks the same on a page, in a report and in a terminal.

Nothing here knows Markdown: `$` must be escaped by whoever puts these texts into it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

MINUS = "−"


def signed(text: str) -> str:
    """A hyphen at the front as a true minus sign."""
    return MINUS + text[1:] if text.startswith("-") else text


def number(value: float, digits: int = 3) -> str:
    """A plain number with about `digits` significant digits and thousands separators: 0.0312, 44.1, 1,240."""
    if not math.isfinite(value):
        return "n/a"
    if value == 0:
        return "0"
    whole = math.floor(math.log10(abs(value))) + 1
    return signed(f"{value:,.{max(0, digits - whole)}f}")


def money(usd: float) -> str:
    """A metric or a price in dollars: $44.1, from 1,000 on $1,240."""
    if not math.isfinite(usd):
        return "n/a"
    size = abs(usd)
    sign = MINUS if usd < 0 and size >= 0.05 else ""
    return f"{sign}${size:,.0f}" if size >= 999.5 else f"{sign}${size:.1f}"


def cost(usd: float | None, *, local: str = "free") -> str:
    """What something costs: $0.42, under a cent $0.0006; no charge is `local`, never $0."""
    if usd is None or usd == 0:
        return local
    if usd >= 999.5:
        return f"${usd:,.0f}"
    if usd >= 0.01:
        return f"${usd:,.2f}"
    return f"${usd:.{max(4, -math.floor(math.log10(usd)))}f}".rstrip("0")


def share(p: float, n: int | None = None) -> str:
    """A proportion: "15 of 20" when n < 30, "58 %", one decimal from n = 1,000 on."""
    if not math.isfinite(p):
        return "n/a"
    if n is not None and 0 < n < 30:
        return f"{round(p * n)} of {n}"
    return f"{100 * p:.1f} %" if n is not None and n >= 1000 else f"{100 * p:.0f} %"


def metric(unit: str, value: float | None, n: int | None = None) -> str:
    """A metric's value in its unit: usd, share, number, seconds."""
    if value is None or not math.isfinite(value):
        return "n/a"
    if unit == "usd":
        return money(value)
    if unit == "share":
        return share(value, n)
    return duration(value) if unit == "seconds" else number(value)


def interval(low: float, high: float, unit: str = "number", *, prose: bool = False) -> str:
    """41.9 – 46.4 in tables and figures; [1.9, 9.6] in prose. The unit is said by the value beside it."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "n/a"
    a, b = (_bare(unit, value) for value in (low, high))
    return f"[{a}, {b}]" if prose else f"{a} – {b}"


def _bare(unit: str, value: float) -> str:
    if unit == "share":
        return signed(f"{100 * value:.0f}")
    if unit == "usd":
        return money(value).replace("$", "")
    return number(value)


def p_value(p: float) -> str:
    """p = 0.004, p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def count(n: float) -> str:
    """2,331."""
    return signed(f"{n:,.0f}")


def tokens(n: float) -> str:
    """2,331 below ten thousand, then 312k, 1.1 M: for summaries."""
    if n < 10_000:
        return f"{n:,.0f}"
    return f"{n / 1e3:,.0f}k" if n < 999_500 else f"{n / 1e6:,.1f} M"


def duration(seconds: float | None, *, about: bool = False) -> str:
    """0.4 ms, 96 ms, 41 s, 3 min 51 s, 2 h 10 min. Estimates begin with "about" and have two digits."""
    if seconds is None or not math.isfinite(seconds):
        return "n/a"
    lead = "about " if about else ""
    if seconds < 1:
        ms = seconds * 1000
        if 0 < ms < 0.05 and not about:
            return "< 0.1 ms"
        return lead + (f"{ms:.1f} ms" if ms < 1 else f"{ms:.0f} ms") if not about else "about 1 s"
    if seconds < 59.5:
        return f"{lead}{_two(seconds) if about else f'{seconds:.0f}'} s" if seconds >= 9.5 or about else f"{seconds:.1f} s"
    if about:
        return f"about {_two(seconds / 60)} min" if seconds < 5940 else f"about {_two(seconds / 3600)} h"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _two(value: float) -> str:
    return f"{value:.0f}" if value >= 1.95 else f"{value:.1f}".removesuffix(".0")


def size(n: float) -> str:
    """Bytes: 412 kB, 1.9 GiB."""
    for unit, step in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if n >= step:
            return f"{n / step:,.1f} {unit}"
    return f"{n / 1000:,.0f} kB" if n >= 1000 else f"{n:.0f} bytes"


def date(iso: str) -> str:
    """6 January 2027."""
    moment = datetime.fromisoformat(iso)
    return f"{moment.day} {moment:%B %Y}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """1 row, 2 rows."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def short(text: str, longest: int = 22) -> str:
    """At most that many characters, ending in an ellipsis when cut."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def apart(texts: Sequence[str], longest: int = 22) -> list[str]:
    """Each shortened to that many characters; where that makes two the same, what all begin with is left out first."""
    found = [short(text, longest) for text in texts]
    if len(set(found)) == len(set(texts)):
        return found
    same = [len(set(signs)) == 1 for signs in zip(*set(texts), strict=False)]
    begin = same.index(False) if False in same else len(same)
    return [short("…" + text[begin:], longest) if begin > 3 else name for text, name in zip(texts, found, strict=True)]


def unit_of(column: str | None, cells: list[object] | None = None) -> str:
    """ "usd" when a target column is money by its name or by its first cells, else "number"."""
    name = unicodedata.normalize("NFKC", column or "").casefold()
    if re.search(r"price|cost|usd|dollar|amount|fee|가격|금액", name):
        return "usd"
    shown = [str(cell) for cell in (cells or []) if cell is not None][:50]
    return "usd" if shown and sum("$" in cell for cell in shown) > len(shown) / 2 else "number"
