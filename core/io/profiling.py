"""What Explore tells of a version of any size: everything of a small one; of a large one all that DuckDB counts at once,
and the rest from 200,000 rows drawn by lot, with their interval.

A sample is drawn once per version, with a fixed seed, and is smaller where rows are long (at most 128 MB of cells).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from core.explore import distributions
from core.explore.distributions import Lengths
from core.explore.finding import Finding
from core.explore.findings import text_of
from core.explore.sameness import crowded
from core.io import mapping, numbers, query, store, tokens
from core.io.database import asking, literal, one, quoted
from core.io.languages import identify
from core.io.question import Question
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

    from core.explore.profile import Profile

LARGE = numbers.LARGE
SAMPLE = 200_000
"""Rows of a sample."""
BYTES = 128 << 20
"""Bytes of cells in a sample; fewer rows of a table of long texts."""
WHOLE = 256 << 20
"""Bytes of cells up to which a table of at most LARGE rows is looked at whole."""
MEASURES = {"tokens": "n_tokens", "words": "n_words", "characters": "n_chars"}


@dataclass(frozen=True)
class Counted:
    """Lengths of rows, exact or from a sample."""

    lengths: Lengths
    longest_row: int
    """The number (0-based) of a longest row among those counted."""
    seconds: float
    """What counting all rows of the table would take."""


def is_whole(version: Version) -> bool:
    """Whether a version is small enough to be looked at whole."""
    return version.rows <= LARGE and _bytes(version) <= WHOLE


def drawn(version: Version, size: int = SAMPLE, seed: int = 0) -> np.ndarray:
    """Row numbers drawn by lot without repeats, rising; all rows of a small version."""
    if is_whole(version) and size >= version.rows:
        return np.arange(version.rows)
    size = min(version.rows, size, max(1000, int(BYTES / max(1.0, _bytes(version) / max(1, version.rows)))))
    return np.sort(np.random.default_rng(seed).choice(version.rows, size, replace=False))


def sample(version: Version, columns: Sequence[str] | None = None, size: int = SAMPLE) -> pd.DataFrame:
    """The rows of `drawn`, indexed by their number in the table; read a row group at a time."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = drawn(version, size)
    names = list(version.columns) if columns is None else list(columns)
    if len(rows) == version.rows:
        return store.frame(version, names)
    parts, start = [], 0
    file = pq.ParquetFile(store.data_path(version), memory_map=True)
    for group in range(file.metadata.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        inside = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)] - start
        if len(inside):
            parts.append(file.read_row_group(group, columns=names).take(pa.array(inside)))
        start = end
    frame = pa.concat_tables(parts).to_pandas()
    frame.index = pd.Index(rows)
    return frame


def profile(version: Version) -> Profile:
    """Columns and findings: of all rows of a small version, of a large one from a sample and, where cheap, from all rows.

    Rows of findings are numbers of the table.
    """
    from core.explore.profile import profile as make

    frame = sample(version)
    rows = frame.index.to_numpy()
    lengths = None
    if version.roles.text:
        known = is_whole(version) or numbers.is_counted(version)
        lengths = numbers.lengths(version)[rows] if known else [n or 0 for n in numbers.counted(frame, version)]
    found = make(frame, version.roles, version.task, lengths, identify=identify)
    if len(rows) == version.rows:
        return replace(found, findings=(*found.findings, *_mapped(version)))
    findings = tuple(replace(f, rows=tuple(int(row) for row in rows[list(f.rows)])) if f.rows else f for f in found.findings)
    exact = _exact(version)
    columns = []
    for column in found.columns:
        part = column.nulls / max(1, len(rows))
        nulls, unique, about = exact.get(column.name, (None, column.unique, True))
        margin = 0.0 if nulls is not None else distributions.half_width(part, len(rows))
        columns.append(
            replace(column, nulls=round(part * version.rows) if nulls is None else nulls, unique=unique, margin=margin, about=about)
        )
    return replace(found, columns=tuple(columns), findings=(*findings, *_mapped(version)), total=version.rows)


def _mapped(version: Version) -> list[Finding]:
    """What the newest map of the texts tells, when there is one."""
    made = mapping.newest(version)
    if made is None:
        return []
    one = crowded(made.points["row"].to_numpy(), made.points["group"].to_numpy(), made.titles)
    return [one] if one else []


def _exact(version: Version) -> dict[str, tuple[int | None, int, bool]]:
    """Column -> (missing cells or None, different values, whether those are an estimate), in one question to all rows.

    Text is not asked for missing cells: a blank one counts as missing, and looking for blanks reads every cell.
    """
    from core.errors import StudioError

    names = list(version.columns)
    asked = ", ".join(f"count({quoted(name)}), approx_count_distinct({quoted(name)})" for name in names)
    try:
        with asking() as ask:
            found = one(ask.execute(f"SELECT {asked} FROM read_parquet({literal(store.data_path(version))})"))
            out: dict[str, tuple[int | None, int, bool]] = {}
            for place, name in enumerate(names):
                filled, unique = int(found[2 * place]), int(found[2 * place + 1])
                about = unique > 1000
                if not about:
                    unique = int(
                        one(ask.execute(f"SELECT count(DISTINCT {quoted(name)}) FROM read_parquet({literal(store.data_path(version))})"))[0]
                    )
                numeric = version.columns[name] in ("number", "time", "flag")
                out[name] = (version.rows - filled if numeric else None, min(unique, filled), about)
            return out
    except StudioError:  # a table too wide or too long for five seconds is told from the sample alone
        return {}


def counted(version: Version, measure: str = "tokens", tokenizer: str = numbers.DEFAULT) -> Counted:
    """Lengths of the text of every row, or of a sample until the job "tokens" has counted all. `measure` is a key of MEASURES."""
    name = MEASURES[measure]
    tokenizer = tokenizer if measure == "tokens" else numbers.DEFAULT
    if version.rows <= LARGE:
        numbers.lengths(version, tokenizer) if not numbers.is_counted(version, tokenizer) else None
    if measure == "characters" or numbers.is_counted(version, tokenizer):
        path = literal(numbers.path(version, tokenizer) if measure != "characters" else numbers.ensure(version))
        with asking() as ask:
            found = ask.execute(f"SELECT {name} AS v, count(*) AS n FROM read_parquet({path}) GROUP BY 1 ORDER BY 1").fetchnumpy()
            most = int(found["v"][-1]) if len(found["v"]) else 0
            first = f"SELECT min(file_row_number) FROM read_parquet({path}, file_row_number=true) WHERE {name} = ?"
            row = one(ask.execute(first, [most]))[0]
        lengths = Lengths(np.asarray(found["v"], "int64"), np.asarray(found["n"], "int64"), version.rows)
        return Counted(lengths, int(row or 0), 0.0)
    frame = sample(version, version.roles.text)
    texts = text_of(frame, version.roles).tolist()
    counter = tokens.counter(tokenizer) if measure == "tokens" else (lambda some: [len(text.split()) for text in some])
    counter(texts[:10])  # the first call reads the tokenizer
    began = time.process_time()
    values = counter(texts)
    seconds = (time.process_time() - began) * version.rows / max(1, len(texts))
    place = int(np.argmax(values)) if values else 0
    seconds = seconds * 1.3 + version.rows * 1.5e-6  # reading, splitting into words and writing besides
    return Counted(distributions.lengths(values, version.rows), int(frame.index[place]), seconds)


def cell_lengths(version: Version, column: str) -> Lengths:
    """Characters of every filled cell of a column."""
    asked = Question(version)
    size = f"length({asked.text(column)})"
    with asking() as ask:
        query = f"SELECT {size} AS v, count(*) AS n {asked.source(f'{size} IS NOT NULL')} GROUP BY 1 ORDER BY 1"
        found = ask.execute(query).fetchnumpy()
    rows = np.asarray(found["n"], "int64")
    return Lengths(np.asarray(found["v"], "int64"), rows, int(rows.sum()))


def same_text(version: Version, row: int, most: int = 50) -> list[int]:
    """Other rows with the same text, by its 64-bit hash and then by its letters; the first `most`. Empty for an empty text."""
    if not version.roles.text:
        return []
    path = literal(numbers.ensure(version))
    with asking() as ask:
        text = f"""SELECT file_row_number FROM read_parquet({path}, file_row_number=true) WHERE n_chars > 0 AND text_hash =
                    (SELECT text_hash FROM read_parquet({path}, file_row_number=true) WHERE file_row_number = ?) LIMIT {int(most) + 1}"""
        found = [int(one) for (one,) in ask.execute(text, [int(row)]).fetchall()]
    if len(found) < 2:
        return []
    texts = text_of(query.fetch(version, [row, *found]), version.roles).tolist()
    return [other for other, text in zip(found, texts[1:], strict=True) if other != row and text == texts[0]][:most]


def extremes(version: Version, column: str, most: int = 5) -> pd.DataFrame:
    """The shortest and the longest filled cells of a column (numbers: the lowest and highest): row (1-based), chars, value."""
    import pandas as pd

    asked = Question(version)
    number = version.columns.get(column) == "number"
    size = asked.number(column) if number else f"length({asked.text(column)})"
    row = asked.row
    source = asked.source(f"{asked.text(column)} IS NOT NULL")
    with asking() as ask:
        low, high = one(
            ask.execute(f"""SELECT arg_min({row}, ({size}, {row}), {most}), arg_max({row}, ({size}, -{row}), {most}) {source}""")
        )
    ends: list[int] = [*(low or []), *reversed(high or [])]
    rows = list(dict.fromkeys(ends))
    cells = query.fetch(version, rows)[column].map(str).tolist() if rows else []
    return pd.DataFrame({"row": [r + 1 for r in rows], "chars": [len(c) for c in cells], "value": cells})


@lru_cache(maxsize=64)
def _size(path: str, stamp: int) -> int:
    import pyarrow.parquet as pq

    found = pq.read_metadata(path)
    return sum(found.row_group(i).total_byte_size for i in range(found.num_row_groups))


def _bytes(version: Version) -> int:
    """Bytes of the cells, unpacked."""
    path = store.data_path(version)
    return _size(str(path), path.stat().st_mtime_ns)
