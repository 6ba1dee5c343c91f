"""Kinds of characters, and patterns with what stands in their place, over many texts at once.

Patterns are RE2 (linear time, no look-around, no reference back inside a pattern), so no pattern can make a page hang.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import SettingsError

ARROW = " => "
"""Stands between a pattern and its replacement."""
_PICTURES = (
    r"\x{231A}\x{231B}\x{23E9}-\x{23FA}\x{25FD}\x{25FE}\x{2600}-\x{2604}\x{2614}\x{2615}\x{261D}\x{2639}\x{263A}\x{2648}-\x{2653}\x{2665}"
    r"\x{267F}\x{2693}\x{26A0}\x{26A1}\x{26AA}\x{26AB}\x{26BD}\x{26BE}\x{26C4}\x{26C5}\x{26CE}\x{26D4}\x{26EA}\x{26F2}\x{26F3}\x{26F5}\x{26FA}"
    r"\x{26FD}\x{2702}\x{2705}\x{2708}-\x{270D}\x{2728}\x{274C}\x{274E}\x{2753}-\x{2755}\x{2757}\x{2763}\x{2764}\x{2795}-\x{2797}\x{27A1}"
    r"\x{27B0}\x{27BF}\x{2B05}-\x{2B07}\x{2B1B}\x{2B1C}\x{2B50}\x{2B55}\x{1F000}-\x{1F0FF}\x{1F18E}\x{1F191}-\x{1F19A}\x{1F1E6}-\x{1F1FF}"
    r"\x{1F200}-\x{1FAFF}"
)
_SHOWN = r"\x{FE0F}\x{20E3}\x{E0020}-\x{E007F}"
"""Marks that say how the sign before them is drawn."""
CLASSES = {
    "emoji": rf"(?:[0-9#*]\x{{FE0F}}?\x{{20E3}}|[\x{{203C}}-\x{{3299}}]\x{{FE0F}}|[{_PICTURES}])(?:[{_SHOWN}]*\x{{200D}}?[{_PICTURES}]?)*",
    "control": (
        r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{AD}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}"
        r"\x{2060}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]"
    ),
    "digits": r"\p{Nd}",
    "punctuation": r"\p{P}",
    "symbols": r"\p{S}",
    "latin": r"\p{Latin}",
    "cjk": r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\x{3000}-\x{303F}\x{FF00}-\x{FFEF}]",
    "not ascii": r"[^\x00-\x7F]",
}
"""Kinds of characters that can be removed, as RE2. Line breaks and tabs are no control characters here."""


def rules(classes: Sequence[str], patterns: Sequence[str]) -> list[tuple[str, str]]:
    """(pattern, replacement) of the classes that leave and of lines "pattern => replacement"; without an arrow it leaves."""
    alone = [(f"(?:{CLASSES[name]})+", "") for name in CLASSES if name in classes]
    return [*alone, *((line.split(ARROW, 1)[0], line.split(ARROW, 1)[1] if ARROW in line else "") for line in patterns)]


def replaced(texts: Sequence[str | None], rules: Sequence[tuple[str, str]]) -> list[str | None]:
    """Each text with every rule applied in its order; \\1 in a replacement is the pattern's first group."""
    import pyarrow.compute as pc

    cells = arrow_texts(texts)
    for pattern, replacement in rules:
        cells = pc.replace_substring_regex(cells, pattern, replacement)  # type: ignore[attr-defined]
    return cells.to_pylist()


def arrow_texts(texts: Sequence[str | None]) -> Any:
    """The texts as Arrow holds them; half a surrogate pair, which it cannot hold, becomes a replacement sign."""
    import pyarrow as pa

    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        whole = [None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
        return pa.array(whole, pa.large_string())


def check_pattern(pattern: str, replacement: str = "") -> None:
    """Raises SettingsError saying what in a pattern or its replacement cannot be read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.replace_substring_regex(pa.array([""]), pattern, replacement)  # type: ignore[attr-defined]
    except pa.ArrowInvalid as error:
        what = str(error)
        if what.startswith("Invalid replacement string: "):
            raise SettingsError(f"'{replacement}' cannot stand for '{pattern}': {what.removeprefix('Invalid replacement string: ')} "
                                "Write \\1 for the first group in round brackets, and two backslashes for one.",
                                title="Not a replacement") from error  # fmt: skip
        what = what.removeprefix("Invalid regular expression: ")
        raise SettingsError(f"'{pattern}' cannot be read: {what}. Put a backslash before signs such as ( [ * + ?.",
                            title="Not a regular expression") from error  # fmt: skip
