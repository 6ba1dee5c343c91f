"""The comparison as one HTML file to send: verdict, ladder, table, pairs, worst rows, settings.

Self-contained: no script, no address, nothing loaded (a content policy forbids it), light and dark by the reader's own
setting. Every title, answer and setting is data and is escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from core import format as fmt
from core.compare.board import Board, Row
from core.compare.matrix import Cell, lines
from core.compare.verdict import Verdict
from core.compare.wording import answer
from core.evaluate.metrics import METRICS, per_item

WORST = 10
MARK = {
    "trivial": '<circle cx="{x}" cy="{y}" r="5" fill="none" stroke="{c}" stroke-width="2"/>',
    "classical": '<rect x="{a}" y="{b}" width="10" height="10" fill="{c}"/>',
    "prompted": '<rect x="{a}" y="{b}" width="10" height="10" fill="{c}" transform="rotate(45 {x} {y})"/>',
    "tuned": '<circle cx="{x}" cy="{y}" r="5.5" fill="{c}"/>',
    "people": '<path d="M{x} {b} l6 10 l-12 0 z" fill="{c}"/>',
}
"""The mark of each family as SVG, at (x, y), its box beginning at (a, b)."""
_STYLE = """
:root { color-scheme: light dark; --ink: #0e1418; --soft: #5f6870; --line: #e1e4e8; --page: #ffffff; --tint: #f5f6f8;
  --trivial: #7f878e; --classical: #1a5f94; --tuned: #bf5418; --prompted: #6b45c6; --people: #249a62; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa3ab; --line: #2c343d; --page: #11151a; --tint: #1a2027;
  --trivial: #878f97; --classical: #72b8e8; --tuned: #f08a4b; --prompted: #9d7ff2; --people: #52c48e; } }
body { margin: 0 auto; max-width: 880px; padding: 32px 20px; background: var(--page); color: var(--ink);
  font: 15px/1.55 "Source Sans 3", "Noto Sans KR", sans-serif; }
h1, h2 { font-family: "Source Serif 4", Georgia, "Noto Serif KR", serif; line-height: 1.25; }
h1 { font-size: 30px; margin: 4px 0 10px; } h2 { font-size: 20px; margin: 36px 0 8px; }
.soft { color: var(--soft); } .num { white-space: nowrap; }
td .soft { display: block; white-space: nowrap; font-size: 12px; } p { max-width: 780px; margin: 6px 0; }
.badge { display: inline-block; background: var(--tint); border-radius: 6px; padding: 1px 8px; margin: 6px 8px 0 0; font-size: 13px;
  color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); font-weight: normal;
  overflow-wrap: anywhere; }
th { color: var(--soft); } tr > th:first-child { min-width: 110px; }
pre { background: var(--tint); padding: 12px; border-radius: 6px; overflow-x: auto; font-size: 12px; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 13px; } svg .soft { fill: var(--soft); font-size: 11px; }
"""


def report(board: Board, verdict: Verdict, *, title: str = "Comparison", texts: Mapping[int, str] | None = None, made: str = "") -> str:
    """The whole page. `texts`: the question of each place in the test split, for the worst rows; `made`: a date to print."""
    parts = [
        f'<p class="soft">{escape(title)}{" · " + escape(made) if made else ""}</p>',
        f"<h1>{escape(verdict.headline)}</h1>",
        *(f"<p>{escape(sentence)}</p>" for sentence in verdict.sentences),
        "<p>" + "".join(f'<span class="badge">{escape(badge.text)}</span>' for badge in verdict.badges) + "</p>",
        f"<h2>{escape(board.headline.title)}</h2>",
        f'<p class="soft">{escape(board.headline.meaning)} {_asked(board)}</p>',
        ladder(board),
        "<h2>All numbers</h2>", _table(board),
        '<p class="soft">Best in bold. Numbers in grey are 95 % intervals.</p>',
        "<h2>Pairs</h2>", _pairs(board),
        "<h2>Worst rows</h2>", _worst(board, texts or {}),
        "<h2>Settings</h2>", *(_settings(row) for row in board.rows),
    ]  # fmt: skip
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
            f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>')  # fmt: skip
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _asked(board: Board) -> str:
    rows = (
        f"{fmt.count(board.n)} of {fmt.count(board.test_rows)} test rows" if board.n < board.test_rows else fmt.plural(board.n, "test row")
    )
    return f"{rows}, {fmt.plural(len(board.rows), 'model')}."


def ladder(board: Board) -> str:
    """One row per model as SVG: marker, interval, value; the best one's interval as a band, the best constant as a dotted line."""
    name, unit, step, left, right = board.metrics[0], board.unit_of(board.metrics[0]), 30, 230, 600
    values = [row.values[name] for row in board.rows]
    finite = [x for value in values for x in (value.value, value.low, value.high) if math.isfinite(x)]
    low, high = min([0.0, *finite]), max([*finite, 1e-9])
    place = {x: left + (right - left) * (x - low) / (high - low) for x in finite}
    tall = 20 + step * len(values)
    out = [f'<svg viewBox="0 0 840 {tall}" role="img" aria-label="{escape(board.best.title)} is first of {len(values)}">']
    best = values[0]
    if math.isfinite(best.low) and math.isfinite(best.high):
        out.append(f'<rect x="{place[best.low]:.1f}" y="6" width="{max(1.0, place[best.high] - place[best.low]):.1f}" height="{tall - 12}" '
                   f'fill="var(--{board.best.family})" opacity="0.11"/>')  # fmt: skip
    constant = next((row for row in board.rows if row.family == "trivial"), None)
    if constant and constant.values[name].value in place:
        x = place[constant.values[name].value]
        out.append(f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{tall - 4}" stroke="var(--soft)" stroke-dasharray="2 3"/>')
    for i, (row, value) in enumerate(zip(board.rows, values, strict=True)):
        y, color = 24 + step * i, f"var(--{row.family})"
        weight = ' font-weight="600"' if i == 0 else ""
        out.append(f'<text x="{left - 16}" y="{y + 4}" text-anchor="end">{escape(fmt.short(row.title, 28))}</text>')
        if value.low in place and value.high in place:
            ends = f'x1="{place[value.low]:.1f}" y1="{y}" x2="{place[value.high]:.1f}" y2="{y}"'
            out.append(f'<line {ends} stroke="{color}" stroke-width="2" opacity="0.6"/>')
        if value.value in place:
            x = place[value.value]
            out.append(MARK[row.family].format(x=f"{x:.1f}", y=y, a=f"{x - 5:.1f}", b=y - 5, c=color))
        told = fmt.interval(value.low, value.high, unit)
        out.append(f'<text x="{right + 24}" y="{y + 4}"{weight}>{escape(fmt.metric(unit, value.value, value.n))}</text>')
        out.append(f'<text class="soft" x="{right + 110}" y="{y + 4}">{escape(told)}</text>')
    return "".join([*out, "</svg>"])


def _table(board: Board) -> str:
    head = "".join(f"<th>{escape(row.title)}</th>" for row in board.rows)
    body = "".join(f"<tr><th>{escape(line.title)}</th>{''.join(map(_cell, line.cells))}</tr>" for line in lines(board))
    return f'<div class="wide"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _cell(cell: Cell) -> str:
    text = f"<b>{escape(cell.text)}</b>" if cell.best else escape(cell.text)
    beside = " ".join(part for part in (cell.soft, cell.word) if part)
    return f'<td><span class="num">{text}</span> <span class="soft">{escape(beside)}</span></td>'


def _pairs(board: Board) -> str:
    if not board.pairs:
        return '<p class="soft">There is one model: nothing to compare it with.</p>'
    base, unit = board.row(board.reference), board.unit_of(board.metrics[0])
    rows = []
    for pair in board.pairs:
        size = f"{fmt.number(100 * pair.difference)} points" if unit == "share" else fmt.metric(unit, pair.difference)
        scale = 100 if unit == "share" else 1
        ends = fmt.interval(pair.low * scale, pair.high * scale, "number" if unit == "share" else unit)
        more = "" if pair.needed_items == 0 else "too many to ask for" if pair.needed_items is None else fmt.count(pair.needed_items)
        cells = [board.row(pair.a).title, size, ends, fmt.p_value(pair.p_adjusted), pair.verdict, more]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("Model", "Difference", "95 % interval", "Adjusted p", "It is", "More rows needed"))
    lead = f"Against {base.title}: paired on the same rows, p adjusted by Holm for {fmt.plural(len(board.pairs), 'comparison')}."
    return f'<p class="soft">{escape(lead)}</p><div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _worst(board: Board, texts: Mapping[int, str]) -> str:
    """The rows that the best model and the best fine-tuned one answer worst."""
    tuned = next((row for row in board.rows if row.family == "tuned"), None)
    shown = [board.best] + ([tuned] if tuned and tuned.id != board.best.id else [])
    loss = per_item(board.metrics[0], board.best.answers)
    order = np.argsort(-loss if METRICS[board.metrics[0]].lower_is_better else loss, kind="stable")[:WORST]
    head = "".join(f"<th>{escape(name)}</th>" for name in ("Row", "Text", "Truth", *(row.title for row in shown)))
    body = []
    for position in order:
        place = int(board.index[position])
        said = [board.best.answers.truth[position], *(row.answers.guess[position] for row in shown)]
        cells = [fmt.count(place + 1), texts.get(place, ""), *(answer(one, board.unit) for one in said)]
        cells = [fmt.short(cell, 200) for cell in cells]
        body.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _settings(row: Row) -> str:
    one = row.evaluation
    names = ("predictor", "family", "seed", "train_rows", "version", "test_id", "created")
    told = {**{name: getattr(one, name) for name in names}, "settings": dict(one.settings), "clipped": row.clipped, "unread": row.unread}
    text = json.dumps(told, ensure_ascii=False, indent=1, default=str)
    return f"<details><summary>{escape(row.title)}</summary><pre>{escape(text)}</pre></details>"


def file_name(parts: Sequence[str]) -> str:
    """A name for the download: letters and digits of any script joined by dashes."""
    return "-".join("".join(c if c.isalnum() else "-" for c in part).strip("-") for part in parts if part) + ".html"
