"""Bytes as text: by the byte order mark, else UTF-8, else the most likely encoding, which people may correct.

Korean files are the usual guests: CP949 contains EUC-KR, so a guess of either reads as CP949. A guess can be wrong for
short Western texts (ISO-8859-1 and its neighbours differ in few letters); the name is shown beside the file for that.
"""

from __future__ import annotations

import codecs
import re

from core.errors import DataError

ENCODINGS = ("utf-8", "utf-16", "cp949", "shift_jis", "gb18030", "big5", "windows-1252", "iso-8859-15", "koi8-r", "windows-1251")
"""What people may choose from, the usual ones first."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 200_000
_WESTERN = set("àáâãäåæçèéêëìíîïñòóôõöøùúûüýßœÀÁÂÄÅÆÇÈÉÊËÍÎÏÑÓÔÖØÚÜŒ‘’“”–—…€£°«»¿¡ºª²³½·•®©™´§\xa0")
_HANGUL = re.compile("[가-힣]")


def decode(name: str, data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """(text, encoding). Raises DataError naming the first byte that does not fit."""
    if encoding:
        return _strict(name, data, encoding)
    for mark, named in _MARKS:
        if data.startswith(mark):
            return _strict(name, data, named)
    guess = _wide(data)
    if guess:
        return _strict(name, data, guess)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _guessed(name, data, error)


def shown(encoding: str) -> str:
    """The encoding as people write it: UTF-8, UTF-16, CP949."""
    return {"utf-8-sig": "UTF-8 with mark"}.get(encoding, encoding.upper())


def _strict(name: str, data: bytes, encoding: str) -> tuple[str, str]:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise DataError(f"There is no encoding '{encoding}'. Choose one of {', '.join(ENCODINGS)}.", title="Unknown encoding") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: the byte 0x{data[error.start]:02x} is not {shown(encoding)}. Choose another one in Reading options.",
            title=f"This is not {shown(encoding)}",
        ) from error
    return text.removeprefix("\ufeff"), encoding


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of Western text is zero."""
    head = data[:4000]
    if len(head) < 8 or b"\0" not in head:
        return None
    even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / len(head[1::2])
    return "utf-16-le" if odd > 0.4 and even < 0.1 else "utf-16-be" if even > 0.4 and odd < 0.1 else None


def _guessed(name: str, data: bytes, error: UnicodeDecodeError) -> tuple[str, str]:
    """Not UTF-8: Korean first (a strict reading with many syllables is hardly ever chance), then charset-normalizer."""
    try:
        text = data.decode("cp949")
        if len(_HANGUL.findall(text[:_SAMPLE])) >= 0.5 * sum(ord(letter) > 127 for letter in text[:_SAMPLE]):
            return text, "cp949"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(_sample(data, error.start)).best()
    western = data.decode("windows-1252", "replace")
    likely = best.encoding if best and not _is_western(western) else None
    for candidate in [likely, "windows-1252", "iso-8859-1"]:
        if candidate:
            try:
                return data.decode(candidate), candidate.replace("_", "-").replace("cp125", "windows-125")
            except UnicodeDecodeError:
                continue
    raise DataError(f"{name} is text in no known encoding. Save it as UTF-8 and add it again.", title="The encoding is unknown")


def _is_western(text: str) -> bool:
    """Whether nearly all letters beyond ASCII are those of Western Europe."""
    beyond = [letter for letter in text[:_SAMPLE] if ord(letter) > 127] or [letter for letter in text if ord(letter) > 127]
    return sum(letter in _WESTERN for letter in beyond) > 0.95 * len(beyond)


def _sample(data: bytes, first: int) -> bytes:
    """The start and the neighbourhood of the first byte that is not UTF-8."""
    start = max(0, data.rfind(b"\n", 0, max(0, first - 1000)) + 1)
    return data[:20_000] + data[start : start + _SAMPLE]
