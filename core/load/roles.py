"""What each column most likely is: guessed by name (English and Korean) and content, for people to correct.

A guess says its reason for every column. Names are read as words ("Review_Text" is review, text). What a guess does not
know: whether a further column gives the answer away; it uses only columns it has a reason for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pandas as pd

from core.format import plural, share
from core.load.columns import kind, of
from core.reading import read_amount
from core.version import SPLITS, Roles

PRICES = {"price", "cost", "amount", "usd", "fee", "value", "salary", "revenue", "가격", "금액", "매출", "연봉", "비용"}
STARS = {"rating", "ratings", "stars", "star", "score", "grade", "평점", "별점", "점수"}
LABELS = {"label", "labels", "sentiment", "class", "target", "y", "polarity", "emotion", "intent", "라벨", "레이블", "감성", "감정", "정답"}
ANSWERS = {"answer", "answers", "response", "completion", "output", "reply", "chosen", "답", "답변", "응답"}
QUESTIONS = {"question", "query", "prompt", "instruction", "질문", "문제"}
TEXTS = (
    "title", "headline", "summary", "subject", "name", "제목", "요약", "상품명", "text", "review", "reviews", "body", "document", "content",
    "description", "comment", "sentence",
    "message", "tweet", "features", "details", "question", "instruction", "input", "context", "prompt",
    "본문", "내용", "리뷰", "후기", "문장", "댓글", "설명", "질문",
)  # fmt: skip
"""In the order in which they are read."""
CATEGORIES = {
    "category", "categories", "type", "genre", "brand", "department", "topic", "domain", "language", "lang",
    "카테고리", "분류", "종류", "장르", "브랜드",
}  # fmt: skip
GROUPS = {"group", "user", "userid", "author", "customer", "session", "product", "productid", "asin", "store", "그룹", "사용자", "작성자"}
TIMES = {"date", "time", "timestamp", "datetime", "created", "updated", "year", "when", "날짜", "시간", "일시", "작성일"}
IDS = {"id", "uuid", "guid", "key", "index", "idx", "번호", "아이디"}
SPLIT_NAMES = {"split", "set", "subset", "partition", "fold", "분할"}
ALIASES = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation", "training": "train", "testing": "test"}
"""Other words for the three splits."""
_SAMPLE = 5_000
_KNOWN = {
    "system": "The same in every row: the prompt begins with it.",
    "messages": "The whole conversations.",
    "rejected": "The answer that shall not be given.",
}
"""Further columns of recognised shapes -> what they are."""


@dataclass(frozen=True)
class Guess:
    roles: Roles
    task: str | None
    """regression, classification, qa or chat; None when there is nothing to predict."""
    reasons: dict[str, str]
    """Column -> one sentence."""


@dataclass(frozen=True)
class _Column:
    name: str
    words: frozenset[str]
    kind: str
    cells: tuple[str, ...]
    """Filled cells of the first rows as text."""
    unique: int
    length: float
    """Mean characters."""


def guess(frame: pd.DataFrame) -> Guess:
    """Roles, task and a reason per column. A table without anything to predict has task None."""
    columns = [_column(of(frame, name)) for name in frame.columns]
    reasons: dict[str, str] = {}
    found: dict[str, str] = {}

    def take(role: str, column: _Column | None, reason: str) -> None:
        if column is not None and role not in found and column.name not in reasons:
            found[role] = column.name
            reasons[column.name] = reason

    split = _first(columns, lambda c: bool(c.words & SPLIT_NAMES) and _is_split(c))
    take("split", split, "Its values are names of splits.")
    target, task, reason = _target(columns, {split.name} if split else set())
    take("target", target, reason)
    take("id", _first(columns, lambda c: _is_id(c)), "A different value in every row.")
    take("time", _first(columns, lambda c: c.kind == "time" or (bool(c.words & TIMES) and c.name not in reasons)), "It holds moments.")
    take("group", _first(columns, lambda c: _is_group(c) and c.name not in reasons), "Rows with the same value belong together.")
    if task == "qa":
        take("group", _first(columns, lambda c: c.words & {"title", "context", "topic"} and _repeats(c)), "Questions on the same text.")
    texts = _texts([c for c in columns if c.name not in reasons], task)
    spoilt = _holding_answers(frame, texts, target)
    reasons.update(dict.fromkeys(spoilt, "It holds the answer, or repeats the other texts."))
    texts = [(c, why) for c, why in texts if c.name not in spoilt]
    reasons.update({c.name: why for c, why in texts})
    take("category", _category([c for c in columns if c.name not in reasons]), "Few values that repeat.")
    for column in columns:
        reasons.setdefault(column.name, _unused(column))
    roles = replace(Roles.from_dict(found), text=tuple(c.name for c, _ in texts))
    return Guess(roles, task if roles.target else None, reasons)


def task_for(column: pd.Series, text_roles: Iterable[str] = ()) -> str:
    """The task that fits a target column: few values are labels, numbers and prices a number, other text an answer."""
    one = _column(column)
    if _is_number(one) and not _is_stars(one):
        return "regression"
    if one.unique <= max(20, len(one.cells) // 50) and one.length <= 60 and one.unique < len(one.cells):
        return "classification"
    asked = any(_words(name) & QUESTIONS for name in text_roles)
    return "qa" if asked or one.length < 60 else "chat"


def canonical_splits(column: pd.Series) -> pd.Series:
    """The column with "val", "dev" and their like as validation; other values as they are."""
    return column.map(lambda cell: ALIASES.get(str(cell).strip().casefold(), str(cell).strip().casefold()) if cell == cell else cell)


def _column(series: pd.Series) -> _Column:
    cells = [str(c) for c in series.head(_SAMPLE).tolist() if c is not None and c == c and str(c).strip()]
    length = sum(map(len, cells)) / len(cells) if cells else 0.0
    return _Column(str(series.name), frozenset(_words(str(series.name))), kind(series), tuple(cells), len(set(cells)), length)


def _words(name: str) -> set[str]:
    flat = unicodedata.normalize("NFKC", name)
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", flat).casefold()
    return {*re.split(r"[\W_]+", parts), flat.casefold()} - {""}


def _first(columns: Iterable[_Column], fits: Callable[[_Column], object]) -> _Column | None:
    return next((column for column in columns if fits(column)), None)


def _target(columns: list[_Column], taken: set[str]) -> tuple[_Column | None, str | None, str]:
    """The column to predict, the task and the reason: names that say so win, answers to questions, then prices and few values."""
    free = [c for c in columns if c.name not in taken and c.cells and c.kind != "list"]
    asked = [c for c in free if c.words & QUESTIONS]
    answer = _first(free, lambda c: bool(c.words & ANSWERS) and c.kind != "number" and not c.words & {"start", "end", "id", "count", "to"})
    if answer and asked and answer not in asked:
        talks = any(c.name == "messages" for c in columns)
        if _few_labels(answer) and not (talks and answer.length > 20):
            return answer, "classification", "Its name says answer and its values are few."
        named = {"instruction", "prompt"} & set().union(*(c.words for c in asked))
        free_form = answer.length > 80 or bool(named) or talks
        return answer, "chat" if free_form else "qa", "It answers the question in another column."
    for names, what in ((LABELS, "label"), (PRICES, "price"), (STARS, "rating")):
        for column in free:
            if column.words & names and not column.words & {"id", "count", "number"} and not _is_id(column):
                return _named(column, what)
    price = _first(free, lambda c: c.kind != "number" and _is_price(c))
    if price:
        return price, "regression", "Its values are prices."
    few = [c for c in free if _few_labels(c) and not c.words & (CATEGORIES | GROUPS | TIMES)]
    texts = [c for c in free if c.kind == "text" and c.length > 15]
    if len(few) == 1 and texts:
        return few[0], "classification", f"{plural(few[0].unique, 'value')} that repeat."
    return None, None, ""


def _named(column: _Column, what: str) -> tuple[_Column, str, str]:
    if _is_number(column) and not _is_stars(column):
        readable = sum(read_amount(cell) is not None for cell in column.cells)
        rest = (
            "" if readable == len(column.cells) else f" {share(readable / len(column.cells), len(column.cells))} of its cells are numbers."
        )
        return column, "regression", f"Its name says {what} and its values are numbers.{rest}"
    if _few_labels(column) or _is_stars(column):
        return column, "classification", f"Its name says {what}: {plural(column.unique, 'value')}."
    return column, "qa" if column.length < 60 else "chat", f"Its name says {what} and its values are text."


def _is_number(column: _Column) -> bool:
    if column.kind == "number":
        return True
    readable = sum(read_amount(cell) is not None for cell in column.cells)
    return readable >= (0.5 if column.words & PRICES else 0.9) * len(column.cells) > 0


def _is_price(column: _Column) -> bool:
    money = sum(bool(re.search(r"[$€£¥₩원]|USD|EUR|GBP|KRW", cell)) and read_amount(cell) is not None for cell in column.cells)
    return money >= 0.5 * len(column.cells) > 0


def _is_stars(column: _Column) -> bool:
    """Whole numbers, at most eleven of them, in a narrow range: 1 to 5 stars, 0 and 1, 1 to 10."""
    if column.unique > 11:
        return False
    values = {read_amount(cell) for cell in column.cells}
    whole = [value for value in values if value is not None and float(value).is_integer() and -5 <= value <= 20]
    return len(whole) == len(values) and len(column.cells) > len(values)


def _few_labels(column: _Column) -> bool:
    if column.kind == "number":
        return _is_stars(column)
    return 2 <= column.unique <= max(2, min(50, len(column.cells) // 4)) and column.length <= 60


def _is_split(column: _Column) -> bool:
    values = {ALIASES.get(cell.strip().casefold(), cell.strip().casefold()) for cell in column.cells}
    return bool(values) and values <= set(SPLITS)


def _is_id(column: _Column) -> bool:
    if column.kind in ("list", "time") or not column.cells or column.unique < len(column.cells):
        return False
    short = column.length <= 40 and not any(" " in cell.strip() for cell in column.cells[:200])
    counted = column.kind == "number" and column.cells[0] in ("0", "1") and column.name.startswith("column ")
    return short and (bool(column.words & IDS) or column.name.casefold().endswith("id") or counted)


def _repeats(column: _Column) -> bool:
    return column.unique < 0.9 * len(column.cells)


def _is_group(column: _Column) -> bool:
    named = bool(column.words & GROUPS) or column.name.casefold().endswith("id")
    return named and column.length <= 60 and column.unique < len(column.cells) and column.kind != "list"


def _texts(columns: list[_Column], task: str | None) -> list[tuple[_Column, str]]:
    """Text columns in reading order, each with its reason."""
    held = [c for c in columns if c.cells and c.kind in ("text", "label", "list")]
    told = [(c, "What the model is told first.") for c in held if c.name == "system" and c.unique > 1]
    if task == "qa":
        asked = [c for c in held if c.words & {"question", "질문", "context", "query"}]
        if asked:
            return told + [(c, "The question or what it is about.") for c in sorted(asked, key=lambda c: -c.length)]
    if task == "chat":
        asked = [c for c in held if c.words & (QUESTIONS | {"input"})]
        if asked:
            return told + [(c, "What is asked.") for c in asked]
    named = [c for c in held if c.words & set(TEXTS) and (c.kind != "label" or c.length > 15)]
    if any(c.kind == "text" for c in named):
        return [(c, "Its name says text." if c.kind == "text" else "Nested values, read as text.") for c in named]
    long = [c for c in held if c.kind == "text" and c.length > 15]
    if long:
        return [(max(long, key=lambda c: c.length), "The longest text.")]
    wordy = [c for c in held if c.kind == "text"]
    return [(max(wordy, key=lambda c: c.length), "The only text.")] if wordy else []


def _holding_answers(frame: pd.DataFrame, texts: list[tuple[_Column, str]], target: _Column | None) -> set[str]:
    """Text columns that contain the other text columns, or a price word for word, in most of the first rows."""
    if len(texts) < 2:
        return set()
    rows = frame.head(200)
    cells = {c.name: [str(cell) if cell == cell and cell is not None else "" for cell in rows[c.name].tolist()] for c, _ in texts}
    spoilt = set()
    for name in cells:
        held = [[len(one) > 3 and one in whole for one, whole in zip(cells[o], cells[name], strict=True)] for o in cells if o != name]
        if len(held) > 1 and sum(sum(hits) > len(hits) / 2 for hits in held) > len(held) / 2:
            spoilt.add(name)
        elif target is not None and target.kind == "number" and not _is_stars(target):
            told = [f"${read_amount(cell) or 0:.2f}" for cell in rows[target.name].tolist()]
            if sum(one in whole for one, whole in zip(told, cells[name], strict=True)) > len(rows) / 2:
                spoilt.add(name)
    return spoilt if len(spoilt) < len(texts) else set()


def _category(columns: list[_Column]) -> _Column | None:
    few = [c for c in columns if c.kind in ("label", "text") and 2 <= c.unique <= min(200, max(2, len(c.cells) // 3)) and c.length <= 60]
    return _first(few, lambda c: bool(c.words & CATEGORIES)) or _first(few, lambda c: c.kind == "label" and c.unique <= 50)


def _unused(column: _Column) -> str:
    if not column.cells:
        return "Empty in every row."
    if column.name in _KNOWN:
        return _KNOWN[column.name]
    return {"number": "A further number.", "list": "Nested values.", "time": "A further moment."}.get(
        column.kind, "Nothing says what it is for."
    )


def with_target(roles: Roles, target: str | None) -> Roles:
    """The roles with another target; a column has one role only."""
    single = {role: None for role in ("category", "group", "time", "id", "split") if target and getattr(roles, role) == target}
    return replace(roles, target=target, text=tuple(c for c in roles.text if c != target), **single)
