"""CSV, TSV and their relatives: every line becomes a row or a reject with its physical line number.

The csv module reads strictly; a line that does not fit is left out and said, never guessed into shape. Tables whose
quotes are plain characters (TSV of reviews) and those that escape with a backslash are recognised by trying: the way
of reading that leaves fewest lines out wins. A cell may span lines, at most 5,000.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.errors import DataError
from core.format import count, plural

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "": "none (one column)"}
QUOTES = {"double": 'doubled quotes ("")', "backslash": 'backslash (\\")', "none": "quotes are plain characters"}
LONGEST_CELL_LINES = 5_000
_ALONE = "\x1f"
_MANY = 50
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Reject:
    """A line that did not become a row."""

    line: int
    """1-based, as an editor counts them."""
    reason: str
    text: str
    """The line as it stands in the file, at most 2,000 characters."""


@dataclass(frozen=True)
class Cells:
    """A table of text."""

    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    """The physical line each row starts on, 1-based."""
    rejects: list[Reject]
    separator: str
    quotes: str
    trailing: int = 0
    """Lines that ended in separators too many; nothing was lost with them."""
    body: int = 0
    """Physical lines up to the header and with it: the first row may stand on the next one."""


def parse(
    name: str,
    text: str,
    separator: str | None = None,
    quotes: str | None = None,
    header: bool = True,
    skip: int = 0,
    limit: int | None = None,
) -> Cells:
    """All cells as text. `skip` leaves out that many first lines, `limit` stops after so many rows; without a header columns are numbered.

    Raises DataError for an empty file, a header without rows, and when no line fits.
    """
    lines = list(io.StringIO(text, newline=""))
    start = skip
    while start < len(lines) and not lines[start].strip("\r\n\t ,;|\ufeff"):
        start += 1
    if start >= len(lines):
        raise DataError(
            f"{name} holds no text{f' after the first {skip} lines' if skip else ''}. A table needs a header and rows.",
            title="The file is empty",
        )
    chosen = separator if separator is not None else detect(lines[start : start + 200], name)
    ways = [quotes] if quotes else [way for way in QUOTES if way != "backslash" or '\\"' in text]
    best = _best(lines, start, chosen, ways, header, limit)
    if header and len(best.rejects) > len(best.rows) and (lower := _lower_header(lines, start, chosen)):
        again = _best(lines, lower, chosen, ways, header, limit)
        if len(again.rows) > len(best.rows):
            above = [
                Reject(n + 1, "it stands above the header", lines[n].rstrip("\r\n")[:2000]) for n in range(start, lower) if lines[n].strip()
            ]
            best = replace(again, rejects=[*above, *again.rejects])
    if not best.rows:
        raise _nothing(name, best)
    return best


def detect(lines: Sequence[str], name: str = "") -> str:
    """The separator: the one of the first line, and where several stand there, the one that cuts most lines alike."""
    head = _unquoted(lines[0])
    present = [one for one in SEPARATORS if one and one in head]
    if not present:
        return next((one for one in SEPARATORS if one and _cuts_alike(lines[1:], one)), "")
    if len(present) < 2:
        return present[0] if present else ""
    scores = {}
    for one in present:
        widths = Counter(len(row) for row in _tolerant(lines, one) if row)
        width, hits = widths.most_common(1)[0]
        scores[one] = (hits / sum(widths.values()) if width > 1 else 0.0, one == "\t" and name.endswith(".tsv"), width)
    return max(scores, key=lambda one: scores[one])


def _cuts_alike(lines: Sequence[str], separator: str) -> bool:
    """Whether lines below a title are cut into equally many parts, and not by the commas of sentences."""
    filled = [line for line in map(_unquoted, lines) if line.strip()]
    widths = Counter(line.count(separator) for line in filled)
    usual, hits = widths.most_common(1)[0] if widths else (0, 0)
    spaced = sum(line.count(separator + " ") for line in filled)
    return usual > 0 and len(filled) >= 3 and hits > 0.8 * len(filled) and spaced < 0.2 * usual * len(filled)


def names(header: Sequence[str]) -> tuple[str, ...]:
    """Column names, each once and none empty: "price", "price (2)", "column 3"."""
    found: list[str] = []
    for place, cell in enumerate(header, start=1):
        base = name = " ".join(cell.split()) or f"column {place}"
        again = 2
        while name in found:
            name, again = f"{base} ({again})", again + 1
        found.append(name)
    return tuple(found)


def _best(lines: list[str], start: int, separator: str, ways: list[str], with_header: bool, limit: int | None) -> Cells:
    """The way of reading quotes that leaves fewest lines out; a way is left early when it leaves many out and another is open."""
    tries = [_read(lines, start, separator, way, with_header, limit, _MANY if len(ways) > 1 else None) for way in ways[:1]]
    if tries[0].rejects and len(ways) > 1:
        tries += [_read(lines, start, separator, way, with_header, limit, _MANY) for way in ways[1:]]
        if min(len(one.rejects) for one in tries) >= _MANY:
            tries = [_read(lines, start, separator, way, with_header, limit, None) for way in ways]
    return min(tries, key=lambda one: (not one.rows, len(one.rejects)))


def _lower_header(lines: list[str], start: int, separator: str) -> int | None:
    """The first line, below titles and notes, that is as wide as most lines are; None when that is the first."""
    widths = [len(_unquoted(line).split(separator)) if separator else 1 for line in lines[start : start + 200]]
    usual, hits = Counter(widths).most_common(1)[0]
    place = widths.index(usual)
    return start + place if usual > 1 and place and hits > len(widths) / 2 else None


def _read(lines: list[str], start: int, separator: str, quotes: str, with_header: bool, limit: int | None, many: int | None) -> Cells:
    """All rows; stops when `many` lines were left out."""
    header: tuple[str, ...] | None = None
    rows, starts, rejects, trailing, body = [], [], [], 0, start
    for first, last, record, problem in records(lines, start, separator, quotes):
        if header is None and not problem:
            header = names(record if with_header else [""] * len(record))
            if with_header:
                body = last
                continue
        if not problem and not record:
            continue
        if not problem:
            record, problem, cut = fitted(record, len(header or ()))
            trailing += cut
        if problem:
            rejects.append(Reject(first + 1, problem, "".join(lines[first:last])[:2000].rstrip("\r\n")))
            if many and len(rejects) >= many:
                break
            continue
        rows.append(record)
        starts.append(first + 1)
        if limit and len(rows) >= limit:
            break
    return Cells(header or (), rows, starts, rejects, separator, quotes, trailing, body)


def fitted(record: list[str], width: int) -> tuple[list[str], str, bool]:
    """(the record without empty values beyond the header, why it does not fit or "", whether any were left off)."""
    cut = len(record) > width and not any(cell.strip() for cell in record[width:])
    record = record[:width] if cut else record
    return record, _misfit(record, width) if len(record) != width else "", cut


def records(lines: list[str], start: int, separator: str, quotes: str) -> Iterator[tuple[int, int, list[str], str]]:
    """(first line, line after the last, cells, problem); after a quote that never closes it goes on with the next line."""
    at = start
    while at < len(lines):
        feed = _Feed(lines, at)
        reader = _reader(feed, separator, quotes)
        while True:
            at = feed.at
            feed.begin = at
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if feed.at - at > 1 or "end of data" in str(error):
                    yield at, at + 1, [], "a quote is opened and never closed"
                    at += 1
                    break  # read on from the next physical line, with a new reader
                yield at, feed.at, [], _reason(error)
                continue
            yield at, feed.at, record, ""


class _Feed:
    """Lines for the csv module, with the place reached; refuses a cell that runs over too many lines."""

    def __init__(self, lines: list[str], at: int) -> None:
        self.lines, self.at, self.begin = lines, at, at

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at - self.begin >= LONGEST_CELL_LINES:
            raise csv.Error("unexpected end of data")
        self.at += 1
        return self.lines[self.at - 1]


def _reader(lines: Iterator[str] | Sequence[str], separator: str, quotes: str) -> Iterator[list[str]]:
    delimiter = separator or _ALONE
    if quotes == "none":
        return iter(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    if quotes == "backslash":
        return iter(csv.reader(lines, delimiter=delimiter, doublequote=False, escapechar="\\", strict=True))
    return iter(csv.reader(lines, delimiter=delimiter, strict=True))


def _tolerant(lines: Sequence[str], separator: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=separator))


def _unquoted(line: str) -> str:
    """The line without what stands between quotes."""
    return "".join(line.split('"')[::2])


def _misfit(record: list[str], width: int) -> str:
    extra = f"; the last one is '{record[-1][:40]}'" if len(record) > width else ""
    return f"{plural(len(record), 'value')}, the header has {width}{extra}"


def _reason(error: csv.Error) -> str:
    text = str(error)
    return "text stands after a closing quote" if "expected after" in text else text


def _nothing(name: str, cells: Cells) -> DataError:
    if cells.rejects:
        first = cells.rejects[0]
        return DataError(
            f"None of the {count(len(cells.rejects))} lines of {name} fits the header. Line {first.line}: {first.reason}. Choose another "
            "separator in Reading options, or open the file in an editor.",
            title="No line can be read",
        )
    return DataError(
        f"{name} has a header ({', '.join(cells.header)[:200]}) and no rows below it. At least two rows are needed.",
        title="A header without rows",
    )
