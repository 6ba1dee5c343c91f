"""Train rows in, requests for variants out.

Only the rows that are handed over can become requests; callers hand over train rows. Rows that are children already
(`parent_row` is set) are never varied again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.augment.asks import Ask, Then
from core.augment.balance import portions, wanted
from core.augment.fields import Field
from core.augment.new_rows import new_rows
from core.augment.placeholders import check_names
from core.augment.presets import PRESETS, SHORT, AugmentSettings
from core.augment.wording import language_name
from core.errors import DataError
from core.prompt import fill
from core.task import target_of
from core.version import Roles


def plan(train: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> list[Ask]:
    """The requests for these rows, in row order. `train` keeps the row numbers of its version as index.

    Of requests that are chained these are the first; the others follow from their replies (`core.augment.asks.followed`). Raises
    DataError when the column is absent or no row holds text, SettingsError when the request does not use the column or names an
    unknown one.
    """
    rows = varied(train, roles, settings)
    system, user = settings.asked
    check_names(f"{system}\n{user}", placeholders(settings, train.columns), needed=_needed(settings, train.columns))
    if PRESETS[settings.preset].keeps == "schema":
        return new_rows(rows, roles, settings)
    each = _wanted(rows, roles, settings)
    asks: list[Ask] = []
    for row, record in zip(rows.index.tolist(), rows.to_dict("records"), strict=True):
        for draw, n in enumerate(portions(each.get(int(row), 0), settings.one_each)):
            asks.append(_ask(int(row), record, roles, settings, n, draw))
    return asks


def plan_further(train: pd.DataFrame, roles: Roles, settings: AugmentSettings, more: Sequence[Sequence[int]]) -> list[Ask]:
    """The requests of a further round, each as (row, draw, variants); rows that are not there are left out."""
    records = {int(row): record for row, record in zip(train.index.tolist(), train.to_dict("records"), strict=True)} if more else {}
    return [_ask(row, records[row], roles, settings, n, draw) for row, draw, n in more if row in records]


def placeholders(settings: AugmentSettings, columns: Iterable[Any]) -> list[str]:
    """The names a request may hold, without the dollar sign."""
    own = PRESETS[settings.preset].names
    given = [name for name in own if name != "reply"]
    return given if PRESETS[settings.preset].keeps == "schema" else list(dict.fromkeys(["text", "n", "target", *given, *map(str, columns)]))


def _needed(settings: AugmentSettings, columns: Iterable[Any]) -> set[str]:
    if PRESETS[settings.preset].keeps == "schema":
        return {"columns"}
    return {"text", settings.column} | (set(map(str, columns)) if settings.preset == "free" else set())


def compared(settings: AugmentSettings, roles: Roles) -> str:
    """The column whose texts the variants are compared with: the question's where they are questions about another text."""
    return question_columns(settings, roles)[0] if PRESETS[settings.preset].keeps == "context" else settings.column


def question_columns(settings: AugmentSettings, roles: Roles) -> tuple[str, str]:
    """The columns that get question and answer."""
    question = settings.question or next((name for name in roles.text if name != settings.column), "question")
    return question, settings.answer or roles.target or "answer"


def _ask(row: int, record: dict[Any, Any], roles: Roles, settings: AugmentSettings, n: int, draw: int) -> Ask:
    preset = PRESETS[settings.preset]
    original = str(record[settings.column]).strip()
    target = _target(record, roles)
    system, user = settings.asked
    if settings.one_each and settings.system is None:
        system = SHORT[draw % len(SHORT)]
    values = {**{str(key): value for key, value in record.items()}, "text": original, "n": n, "target": target}
    fields: tuple[Field, ...] = ()
    then: Then | None = None
    if preset.keeps == "context":
        values |= (names := dict(zip(("question", "answer"), question_columns(settings, roles), strict=True)))
        fields, target = tuple(Field(name) for name in names.values()), ""
    if preset.back:
        values |= (ways := languages(original, settings))
        then = Then(fill(system, ways), fill(settings.back or preset.back, ways))
    messages = [{"role": "system", "content": fill(system, values)}] if system.strip() else []
    by_hand = fill(preset.by_hand, values) if preset.by_hand and settings.user is None else ""
    return Ask(row, original, target, n, (*messages, {"role": "user", "content": fill(user, values)}), draw, fields, then,
               QUESTION_LIKE if fields else "", by_hand=by_hand)  # fmt: skip


QUESTION_LIKE = "Which question is about as long as this one, for a guess of what it takes? This answer."
"""About as long as a question with its answer."""


def languages(text: str, settings: AugmentSettings) -> dict[str, str]:
    """$language, which the text is written in, and $pivot, the one it goes through."""
    own = settings.language or language_name(text)
    return {"language": own, "pivot": settings.pivot or ("French" if own == "English" else "English")}


def _target(record: dict[Any, Any], roles: Roles) -> str:
    found = target_of("classification", record.get(roles.target)) if roles.target else None
    return "" if found is None else str(found)


def varied(train: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> pd.DataFrame:
    """The rows that may be asked about: no children, with text, as many as are wanted. Raises DataError when there is none."""
    if settings.column not in train:
        raise DataError(f"There is no column '{settings.column}'. Choose one of {', '.join(map(str, train.columns))}.",
                        title="That column is not there")  # fmt: skip
    rows = train
    if roles.parent_row and roles.parent_row in rows:
        rows = rows.take(np.flatnonzero(pd.isna(rows[roles.parent_row].to_numpy(dtype=object))))
    filled = [cell is not None and cell == cell and bool(str(cell).strip()) for cell in rows[settings.column].tolist()]
    rows = rows.take(np.flatnonzero(filled))
    if not len(rows):
        raise DataError(
            f"None of {len(train)} train rows holds text in '{settings.column}'. Choose another column.", title="Nothing to vary"
        )
    if settings.rows and settings.rows < len(rows) and not PRESETS[settings.preset].balance:
        chosen = np.random.default_rng(settings.seed).choice(len(rows), settings.rows, replace=False)
        rows = rows.take(np.sort(chosen))
    return rows


def _wanted(rows: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> dict[int, int]:
    """Row -> variants to ask for."""
    return wanted(rows, roles, settings) if PRESETS[settings.preset].balance else {int(row): settings.variants for row in rows.index}


@dataclass(frozen=True)
class Estimate:
    """What a run takes before it is started."""

    rows: int
    requests: int
    variants: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    """None when no price is known; 0.0 for local work."""
    minutes: float


TOKENS_PER_MESSAGE, PRIMER = 3, 3
"""What chat formats add to the text, as OpenAI's cookbook counts it."""


def estimate(asks: Sequence[Ask], count: Callable[[list[str]], list[int]], rates: tuple[float, float] | None, *,
             seconds_per_token: float, parallel: int = 1) -> Estimate:  # fmt: skip
    """Tokens of the very requests that would be sent; replies are taken as long as the original plus a tenth and quotes. A second
    request counts with its words and such a reply.

    `rates` are USD per million tokens in and out. Above 400 requests a seeded sample is counted and scaled.
    """
    if not asks:
        return Estimate(0, 0, 0, 0, 0, 0.0 if rates else None, 0.0)
    chosen = list(asks)
    if len(asks) > 400:
        chosen = [asks[i] for i in np.random.default_rng(0).choice(len(asks), 400, replace=False)]
    scale = len(asks) / len(chosen)
    asked = count([message["content"] for ask in chosen for message in ask.messages])
    overhead = sum(TOKENS_PER_MESSAGE * len(ask.messages) + PRIMER for ask in chosen)
    each = count([ask.like or ask.original for ask in chosen])
    replies = [ask.variants * (1.1 * n + 4) for ask, n in zip(chosen, each, strict=True)]
    second = [reply for ask, reply in zip(chosen, replies, strict=True) if ask.then]
    orders = count([f"{ask.then.system}\n{ask.then.user}" for ask in chosen if ask.then])
    tokens_in = round(scale * (sum(asked) + overhead + sum(orders) + sum(second)))
    tokens_out = round(scale * (sum(replies) + sum(second)))
    requests = len(asks) + sum(ask.then is not None for ask in asks)
    usd = None if rates is None else (tokens_in * rates[0] + tokens_out * rates[1]) / 1e6
    minutes = (tokens_out * seconds_per_token + 0.4 * requests) / max(1, parallel) / 60
    variants = sum(ask.variants for ask in asks)
    return Estimate(len({ask.row for ask in asks}), requests, variants, tokens_in, tokens_out, usd, minutes)


def reply_limit(ask: Ask, *, small: bool = False) -> int:
    """The longest reply worth waiting for, in tokens: twice the originals (a Hangul syllable may take a token or more)."""
    weight = sum(1.5 if ord(letter) > 0x2E7F else 0.4 for letter in (ask.like or ask.original))
    weight += 40 * len(ask.fields)
    return int(min(4096, 16 + 1.2 * weight)) if small else int(min(4096, 40 + ask.variants * (2 * weight + 16)))
