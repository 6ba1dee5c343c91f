"""Reading the variants in a writer's reply, whatever shape it took.

Known shapes: JSON lists and objects (fenced, inside prose, with a trailing comma, in Python quotes, cut in the middle), JSON
lines, numbered, bulleted, labelled and quoted lines, tables, paragraphs, one plain sentence. What is chatter ("Here are three
variants:") or cannot be read is told, never guessed into a variant. Replies to several rows at once are read in `core/augment/pasted.py`.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 200_000
"""Characters of a reply that are read; a longer one is cut and says so."""
_TEXT_KEYS = ("variant", "text", "paraphrase", "sentence", "question", "rewrite", "content", "output", "value", "문장", "변형", "질문")
_LIST_KEYS = (*(key + "s" for key in _TEXT_KEYS[:7]), "items", "results", "data", "list", "문장들", *_TEXT_KEYS)
_MARK = re.compile(
    r"^\s*(?:#{1,4}\s+(?=\D{2}))?(?P<bold>\*\*|__)?(?:"
    r"\(?\d{1,3}(?:[．）]|[.)\]:](?(bold)(?:\*\*|__)?)(?=\s|\D))|\[\d{1,3}\](?=\s)|#\d{1,3}[.:)]?(?=\s)|\d{1,3}\s+[-–—](?=\s)|[①-⑳]"
    r"|[•‣◦▪](?=\s|\w|[\"“'‘「『])|[-*·–—](?=\s)|\(?[a-z][.)](?=\s)"
    r"|(?:variant|variation|paraphrase|option|version|sentence|question|rewrite|문장|변형|예시|질문|버전)\s*#?\d{1,3}\s*(?:[.:)\-]|(?=\*\*|__|\s*$))"
    r"|\d{1,3}번(?:째)?\s*[.:)]?)\s*(?(bold)(?:\*\*|__)?)\s*",
    re.I,
)
_RULE = re.compile(r"\s*(?:-{3,}|={3,}|\*{3,}|_{3,})\s*$")
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here (?:are|is)|below (?:are|is)|let me know|i hope|these (?:variants|sentences)|note:|feel free"
    r"|네[,. ]|물론|다음은|아래는|여기|알겠습니다|도움이|필요하시면|위와 같이|이 문장)",
    re.I,
)
_REFUSAL = re.compile(r"^(?:i['’]?m sorry|i am sorry|sorry,|i can(?:no|['’])t|i(?: am|['’]m) unable|as an ai|죄송|할 수 없)", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")
_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "«": "»", "`": "`"}


@dataclass(frozen=True)
class Read:
    """What one reply held."""

    variants: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Pieces that were not taken for variants: chatter, headings, cut ends, refusals."""
    shape: str = "nothing"
    """json | cut json | list | table | lines | paragraphs | plain | refusal | nothing | hand"""
    cells: tuple[Mapping[str, Any], ...] = ()
    """Whole rows: the cells of each variant by column, in the same order; empty where variants are texts."""


def read_variants(reply: str, expected: int = 1, original: str = "") -> Read:
    """The variants of one original in a reply. `expected` and `original` only settle doubt; more or fewer are read as they are."""
    text = clean(reply)
    left = () if len(reply) <= LONGEST else (f"{len(reply) - LONGEST:,} characters beyond the first {LONGEST:,}",)
    if not text:
        return Read((), left, "nothing")
    if _REFUSAL.match(text):
        return Read((), (*left, text[:200]), "refusal")
    several = "\n" in original.strip()
    for reader in (_json, _json_lines, _tagged, _table, _list):
        found = reader(text, original)
        if found is not None:
            return Read(tuple(_line(v, several) for v in found.variants), (*left, *found.left), found.shape)
    found = _plain(text, expected, several)
    return Read(found.variants, (*left, *found.left), found.shape)


def unquoted(text: str) -> str:
    """Without one pair of quotes around the whole, a comma after them, and Markdown's bold, also where only its end is left."""
    text = text.strip().removesuffix(",").strip() if text.strip()[:1] in _QUOTES else text.strip()
    if text.endswith("**") and text.count("**") == 1:
        text = text[:-2].strip()
    bold = re.fullmatch(r"\*\*(.+?)\*\*|__(.+?)__", text, re.S)
    text = (bold.group(1) or bold.group(2)).strip() if bold else text
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1] and text[-1] not in text[1:-1]:
        return text[1:-1].strip()
    return text


def parsed(text: str) -> Any:
    """The first JSON (or Python literal) list or object in a text, or None."""
    for piece in [*re.findall(r"```[\w-]*\s*\n?(.*?)```", text, re.S), text]:
        for opening, closing in (("[", "]"), ("{", "}")) if _first(piece, "[") < _first(piece, "{") else (("{", "}"), ("[", "]")):
            start, end = piece.find(opening), piece.rfind(closing)
            if 0 <= start < end:
                value = _literal(piece[start : end + 1])
                if isinstance(value, (list, dict)):
                    return value
    return None


def _first(text: str, sign: str) -> int:
    place = text.find(sign)
    return place if place >= 0 else len(text)


def _literal(text: str) -> Any:
    for attempt in (text, re.sub(r",(\s*[\]}])", r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def texts_of(value: Any, original: str = "") -> list[str] | None:
    """The strings a JSON value lists, or None when it is no list of texts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        parts = [_one(item) for item in value]
        return [part for part in parts if part is not None] if parts and any(part is not None for part in parts) else None
    if not isinstance(value, dict) or not value:
        return None
    keys = {normal(str(key)): key for key in value}
    named = next((keys[k] for k in (normal(original), *_LIST_KEYS) if k in keys and isinstance(value[keys[k]], list)), None)
    lists = [key for key in value if isinstance(value[key], list)]
    if named is None and len(lists) == 1:
        named = lists[0]
    if named is not None:
        return texts_of(value[named])
    texts = [item for key, item in value.items() if isinstance(item, str) and normal(str(key)) not in ("original", "원문", "id", "label")]
    return texts or None


def _one(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        named = [item[key] for key in item if str(key).casefold() in _TEXT_KEYS and isinstance(item[key], str)]
        texts = named or [v for k, v in item.items() if isinstance(v, str) and str(k).casefold() not in ("original", "원문", "id", "label")]
        return texts[0] if len(texts) == 1 or named else None
    return None


def normal(text: str) -> str:
    """NFKC, case folded, blanks collapsed: how two texts are compared for equality."""
    text = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def clean(reply: str) -> str:
    """NFC, one kind of line end, without thoughts and control characters, no longer than LONGEST."""
    text = harmless(unicodedata.normalize("NFC", reply[:LONGEST]))
    return re.sub(r"<think>.*?(?:</think>|\Z)", "", text, flags=re.S | re.I).strip()


def harmless(text: str) -> str:
    """Without control characters and lone surrogates, which no file can hold; other ends of lines become plain ones."""
    return _CONTROL.sub("", _ENDS.sub("\n", text))


def _line(text: str, several: bool) -> str:
    text = unquoted(harmless(text))
    return text if several else " ".join(text.split())


def _json(text: str, original: str) -> Read | None:
    value = _bare_strings(text)
    if value is None and not re.search(r"[\[{]", text):
        return None
    value = parsed(text) if value is None else value
    found = texts_of(value, original) if value is not None else None
    if found:
        return Read(tuple(found), (), "json")
    if re.match(r"^(?:```\w*\s*)?(?:[\w\s]*=\s*)?[\[{]\s*\"", text):  # cut in the middle: the whole strings before the cut count
        whole = re.findall(r'"((?:[^"\\]|\\.)*)"\s*(?=[,\]])', text)
        if whole:
            decoded = [_literal(f'"{part}"') for part in whole]
            return Read(tuple(v for v in decoded if isinstance(v, str)), (text[-80:],), "cut json")
    return None


def _bare_strings(text: str) -> list[Any] | dict[str, Any] | None:
    """Strings without a list around them, a list inside a string, a tuple, a list in curly quotes."""
    if text[0] == '"' == text[-1]:
        value = _literal(text)
        if isinstance(value, str):
            inner = parsed(value)
            return inner if isinstance(inner, (list, dict)) else None
        value = _literal(f"[{text}]")
        return value if isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) for one in value) else None
    if text[0] == "(" and text[-1] == ")":
        value = _literal(text)
        return list(value) if isinstance(value, tuple) else None
    if re.match(r"\[\s*“", text):
        return re.findall(r"“([^”]*)”", text) or None
    return None


def _json_lines(text: str, original: str) -> Read | None:
    lines = [line.strip().removesuffix(",") for line in text.splitlines() if line.strip() and not line.strip().startswith("```")]
    if not lines or not all(line[:1] == "{" and line[-1:] == "}" for line in lines):
        return None
    found = [_one(_literal(line)) for line in lines]
    return Read(tuple(f for f in found if f), tuple(line for line, f in zip(lines, found, strict=True) if not f), "json")


def _tagged(text: str, original: str) -> Read | None:
    if not re.search(r"</(?:variant|text|paraphrase|sentence|item|li)>", text, re.I):
        return None
    parts = re.split(r"<(/?)(?:variant|text|paraphrase|sentence|item|li)\b[^<>]{0,200}>", text, flags=re.I)  # between, sign, between, ...
    found = [body for before, body, after in zip(parts[1::2], parts[2::2], [*parts[3::2], ""], strict=False) if not before and after]
    return Read(tuple(found), (), "list") if found else None


def _table(text: str, original: str) -> Read | None:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.strip().startswith("|")]
    rows = [row for row in rows if not all(re.fullmatch(r":?-*:?", cell) for cell in row)]
    if len(rows) < 2:
        return None
    body = rows[1:]
    widest = max(range(len(rows[0])), key=lambda i: sum(len(row[i]) for row in body if i < len(row)))
    return Read(tuple(row[widest] for row in body if widest < len(row)), (" | ".join(rows[0]),), "table")


def _list(text: str, original: str) -> Read | None:
    """Numbered, bulleted or labelled lines; what stands between two marks belongs to the first of them."""
    lines = ["" if _RULE.match(line) else line for line in text.splitlines() if not line.strip().startswith("```")]
    starts = [i for i, line in enumerate(lines) if _MARK.match(line)]
    if not starts or (len(starts) == 1 and len(lines) > 3 and starts[0] == len(lines) - 1):
        return None
    left = [line.strip() for line in lines[: starts[0]] if line.strip()]
    variants: list[str] = []
    for i, start in enumerate(starts):
        body = lines[start : starts[i + 1]] if i + 1 < len(starts) else lines[start:]
        body[0] = _MARK.sub("", body[0], count=1)
        if i + 1 == len(starts):
            stripped = [line.strip() for line in body]
            first = next((at for at, line in enumerate(stripped) if line), 0)
            cut = next((at for at, line in enumerate(stripped) if not line and at > first), len(stripped))
            left += [line for line in stripped[cut:] if line]
            body = body[:cut]
        joined = "\n".join(line.strip() for line in body if line.strip())
        if joined:
            variants.append(joined)
    return Read(tuple(_all_unquoted(variants)), tuple(left), "list")


def _all_unquoted(variants: list[str]) -> list[str]:
    """Without quotes around each, where all have them: then quotes inside do not matter. JSON's own escapes are read."""
    if len(variants) < 2 or not all(len(one) > 1 and _QUOTES.get(one[0]) == one.rstrip(",")[-1:] for one in variants):
        return variants
    bare = [one.rstrip(",") for one in variants]
    read = [_literal(one) if one[0] == '"' and "\\" in one else None for one in bare]
    return [value if isinstance(value, str) else one[1:-1].strip() for value, one in zip(read, bare, strict=True)]


def _plain(text: str, expected: int, several: bool) -> Read:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not re.fullmatch(r"\s*(?:```\w*|---+|===+)\s*", line)]
    left = [line for line in lines if _is_chatter(line)]
    kept = [line for line in lines if not _is_chatter(line)]
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip() and not _is_chatter(block.strip())]
    if several and len(blocks) == expected != len(kept):
        return Read(tuple(unquoted(block) for block in blocks), tuple(left), "paragraphs")
    if several and expected == 1:
        return Read((unquoted("\n".join(kept)),) if kept else (), tuple(left), "plain")
    if expected == 1 and kept:
        return Read((_line(kept[0], False),), (*left, *kept[1:]), "plain")
    shape = "lines" if len(kept) > 1 else "plain" if kept else "nothing"
    return Read(tuple(_line(line, False) for line in _all_unquoted(kept)), tuple(left), shape)


def _is_chatter(line: str) -> bool:
    return bool(_CHATTER.match(line) and (line.rstrip().endswith((":", "：", "!", "요.", "니다.", "니다:")) or len(line) < 160)) or (
        line.endswith((":", "：")) and len(line) < 120
    )


def pieces(read: Sequence[Read]) -> int:
    """How many pieces of several replies were left out."""
    return sum(len(one.left) for one in read)
