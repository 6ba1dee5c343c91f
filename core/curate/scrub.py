"""Text made plain: tags, phrases, part numbers, runs of punctuation and blanks, one way of writing each character.

Each rule can be switched off. The rule for part numbers and runs is that of the pricing course: `: [ ] { } " 【 】` and
blanks become one blank, commas in a row become one, words of seven characters or more that hold a digit leave.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.parse import as_text, listed
from core.curate.table import Tokenizer, kept, with_text
from core.format import plural

_MARKS = ':[]"{}【】'
_DIGIT = re.compile(
    "[\\d\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff"
    "\u2776-\u277e\u2780-\u2788\u278a-\u2792\U00010a40-\U00010a43\U00010e60-\U00010e68\U00011052-\U0001105a\U0001f100-\U0001f10a]"
)
"""Every character of which str.isdigit is true: decimal digits, superscripts, circled numbers."""
_BLOCK = re.compile(r"<\s*(script|style)\b[^>]*>.*?<\s*/\s*\1\s*>", re.I | re.S)
_BREAK = re.compile(r"<\s*/?\s*(?:br|p|div|li|ul|ol|tr|h[1-6])\b[^<>]*>", re.I)
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.S)


@dataclass(frozen=True)
class ScrubSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns whose text is made plain.", "columns")
    html: bool = setting(True, "Remove HTML tags, and write entities such as &amp; as the character they mean.", "flag")
    unicode: bool = setting(True, "Write each character one way (Unicode NFC), so that equal words are equal.", "flag")
    phrases: tuple[str, ...] = setting((), "Phrases that are removed wherever they stand, one a line.", "words", empty="none")
    runs: bool = setting(True, "Make runs of blanks, quotes, colons and brackets one blank, and commas in a row one comma.", "flag")
    codes: bool = setting(False, "Remove words of 7 characters or more that hold a digit: mostly part numbers.", "flag")


def scrub(rows: pd.DataFrame, settings: ScrubSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """The columns as plain text; missing cells stay missing, no row leaves."""
    cells = {}
    for name in settings.columns:
        cells[name] = [None if (text := as_text(cell)) is None else scrubbed(text, settings) for cell in rows[name].tolist()]
    return kept(with_text(rows, cells))


def scrubbed(text: str, settings: ScrubSettings) -> str:
    """One text, scrubbed: tags, characters, phrases, runs, part numbers, in this order."""
    if settings.html:
        text = _without_tags(text)
    if settings.unicode and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    for phrase in settings.phrases:
        text = text.replace(phrase, "")
    if settings.runs:
        for mark in _MARKS:
            text = text.replace(mark, " ")
        text = " ".join(text.split())
        if "," in text:
            text = text.replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    if settings.codes:
        text = _without_codes(text)
    return text


def _without_tags(text: str) -> str:
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub("\n", _BLOCK.sub("", text)))
    return html.unescape(text) if "&" in text else text


def _without_codes(text: str) -> str:
    if not _DIGIT.search(text):
        return text
    return " ".join([word for word in text.split(" ") if len(word) < 7 or word.isalpha() or not _DIGIT.search(word)])


def scrub_sentence(settings: ScrubSettings) -> str:
    """ "tags, part numbers and 4 phrases removed from title and description" """
    gone = [name for on, name in ((settings.html, "tags"), (settings.codes, "part numbers"), (settings.runs, "runs of marks")) if on]
    gone += [plural(len(settings.phrases), "phrase")] if settings.phrases else []
    what = f"{listed(tuple(gone))} removed from" if gone else "characters written one way in" if settings.unicode else "nothing done to"
    return f"{what} {listed(settings.columns)}"


def scrub_writes(settings: ScrubSettings) -> dict[str, str]:
    return dict.fromkeys(settings.columns, "text")
