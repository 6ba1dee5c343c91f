"""Text made plain: tags, kinds of characters, patterns, phrases, part numbers, runs of punctuation and blanks.

Each rule can be switched off. The rule for part numbers and runs is that of the pricing course: `: [ ] { } " 【 】` and
blanks become one blank, commas in a row become one, words of seven characters or more that hold a digit leave.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.curate.characters import CLASSES, check_pattern, replaced, rules
from core.curate.fields import Settings, setting
from core.curate.markup import without_tags
from core.curate.parse import as_text, listed
from core.curate.table import Tokenizer, kept, with_text
from core.format import plural

_MARKS = ':[]"{}【】'
_DIGITS = (
    "\\d\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff"
    "\u2776-\u277e\u2780-\u2788\u278a-\u2792\U00010a40-\U00010a43\U00010e60-\U00010e68\U00011052-\U0001105a\U0001f100-\U0001f10a"
)
"""In a pattern's brackets: every character of which str.isdigit is true (decimal digits, superscripts, circled numbers)."""
_REPEATED = re.compile(r"([!?,;:~_*=#^|'\"`‐-―•·、。！，？～-])\1+")
_DOTS = re.compile(r"\.{4,}")
_EMPTY_LINES = re.compile(r"\n{3,}")
FORMS = ("NFC", "NFKC", "none")


@dataclass(frozen=True)
class ScrubSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns whose text is made plain.", "columns")
    html: bool = setting(True, "Remove HTML tags, and write entities such as &amp; as the character they mean.", "flag")
    unicode: str = setting(
        "NFC",
        "Write each character one way, so that equal words are equal. NFKC also makes wide and circled signs plain.",
        "choice",
        choices=FORMS,
    )
    characters: tuple[str, ...] = setting(
        (), "Kinds of characters that are removed wherever they stand.", "choices", choices=tuple(CLASSES), empty="none"
    )
    patterns: tuple[str, ...] = setting(
        (), "Regular expressions (RE2), one a line, that are removed, or replaced: (\\d+) USD => \\1 dollars.", "words", empty="none"
    )
    phrases: tuple[str, ...] = setting((), "Phrases that are removed wherever they stand, one a line.", "words", empty="none")
    runs: bool = setting(True, "Make runs of blanks, quotes, colons and brackets one blank, and commas in a row one comma.", "flag")
    blanks: bool = setting(False, "Make runs of blanks one blank and of empty lines one empty line, and nothing else.", "flag")
    repeats: bool = setting(False, "Make a punctuation mark that stands several times in a row stand once; of dots three stay.", "flag")
    codes: bool = setting(False, "Remove long words that hold a digit: mostly part numbers.", "flag")
    code_length: int = setting(7, "Characters from which on such a word is long.", "whole", low=1)
    lower: bool = setting(False, "Write all letters small. Most models know capital letters, so this is seldom of use.", "flag")

    def __post_init__(self) -> None:
        if isinstance(self.unicode, bool):
            object.__setattr__(self, "unicode", "NFC" if self.unicode else "none")
        super().__post_init__()
        for pattern, replacement in rules((), self.patterns):
            check_pattern(pattern, replacement)


def scrub(rows: pd.DataFrame, settings: ScrubSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """The columns as plain text; missing cells stay missing, no row leaves."""
    cells = {name: scrubbed_all([as_text(cell) for cell in rows[name].tolist()], settings) for name in settings.columns}
    return kept(with_text(rows, cells))


def scrubbed_all(texts: Sequence[str | None], settings: ScrubSettings) -> list[str | None]:
    """The texts, scrubbed: tags, characters, patterns, phrases, runs, part numbers, capitals, in this order."""
    found, codes = rules(settings.characters, settings.patterns), _codes(settings.code_length) if settings.codes else None
    if not found:
        return [None if text is None else _after(_before(text, settings), settings, codes) for text in texts]
    middle = replaced([None if text is None else _before(text, settings) for text in texts], found)
    return [None if text is None else _after(text, settings, codes) for text in middle]


def scrubbed(text: str, settings: ScrubSettings) -> str:
    """One text, scrubbed."""
    return scrubbed_all([text], settings)[0] or ""


def _before(text: str, settings: ScrubSettings) -> str:
    """Tags and the form of characters."""
    if settings.html:
        text = without_tags(text)
    form = settings.unicode
    if form != "none" and not unicodedata.is_normalized(form, text):  # type: ignore[arg-type]
        text = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    return text


def _after(text: str, settings: ScrubSettings, codes: Codes | None) -> str:
    """Everything behind the patterns."""
    for phrase in settings.phrases:
        text = text.replace(phrase, "")
    if settings.repeats:
        text = _DOTS.sub("...", _REPEATED.sub(r"\1", text))
    if settings.runs:
        for mark in _MARKS:
            text = text.replace(mark, " ")
        text = " ".join(text.split())
        if " ," in text or ",," in text:
            text = text.replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    elif settings.blanks:
        text = _EMPTY_LINES.sub("\n\n", "\n".join([" ".join(line.split()) for line in text.splitlines()])).strip()
    if codes:
        text = codes[0 if text.isascii() else 1].sub("", f" {text}")[1:]
    return text.lower() if settings.lower else text


Codes = tuple[re.Pattern[str], re.Pattern[str]]


def _codes(length: int) -> Codes:
    """Patterns, for ASCII and for any text, of a blank and the long word behind it that holds a digit. They never step back."""
    plain, wide = (f" (?=[^ ]{{{length}}})[^ {digits}]*+[{digits}][^ ]*+" for digits in ("0-9", _DIGITS))
    return re.compile(plain), re.compile(wide)


def scrub_sentence(settings: ScrubSettings) -> str:
    """ "tags, part numbers and 4 phrases removed from title and description" """
    named = (
        (settings.html, "tags"),
        (settings.codes, "part numbers"),
        (settings.runs, "runs of marks"),
        (settings.blanks and not settings.runs, "runs of blanks"),
        (settings.repeats, "repeated marks"),
    )
    gone = [name for on, name in named if on] + [_CLASS_NAMES.get(name, name) for name in settings.characters]
    gone += [plural(len(found), name) for found, name in ((settings.patterns, "pattern"), (settings.phrases, "phrase")) if found]
    if gone:
        return f"{listed(tuple(gone))} removed from {listed(settings.columns)}"
    what = (
        "small letters only in" if settings.lower else "nothing done to" if settings.unicode == "none" else "characters written one way in"
    )
    return f"{what} {listed(settings.columns)}"


_CLASS_NAMES = {"control": "control characters", "latin": "Latin letters", "cjk": "CJK characters", "not ascii": "what is not ASCII"}


def scrub_writes(settings: ScrubSettings) -> dict[str, str]:
    return dict.fromkeys(settings.columns, "text")
