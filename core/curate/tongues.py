"""Rows by the language their text is written in, told as Explore tells it.

Hangul is Korean and kana Japanese at any length; other scripts are asked of an identifier. A text of too few letters, of
mixed scripts, or of which the identifier is not sure is not judged, and stays unless told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.parse import as_text, listed
from core.curate.table import with_reasons, with_text
from core.explore.language import LETTERS, NAMES, SURE, Identify, language, scripts

LANGUAGES = NAMES | {
    "af": "Afrikaans", "am": "Amharic", "an": "Aragonese", "as": "Assamese", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "br": "Breton", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "dz": "Dzongkha",
    "eo": "Esperanto", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fo": "Faroese", "ga": "Irish", "gl": "Galician",
    "gu": "Gujarati", "hr": "Croatian", "ht": "Haitian", "hu": "Hungarian", "hy": "Armenian", "is": "Icelandic", "jv": "Javanese",
    "ka": "Georgian", "kk": "Kazakh", "km": "Khmer", "kn": "Kannada", "ku": "Kurdish", "ky": "Kyrgyz", "la": "Latin",
    "lb": "Luxembourgish", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mg": "Malagasy", "mk": "Macedonian", "ml": "Malayalam",
    "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "ne": "Nepali",
    "no": "Norwegian", "oc": "Occitan", "or": "Odia", "pa": "Punjabi", "ps": "Pashto", "qu": "Quechua",
    "ro": "Romanian", "rw": "Kinyarwanda", "se": "Northern Sami", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian",
    "sr": "Serbian", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tl": "Tagalog", "ug": "Uyghur", "ur": "Urdu", "vo": "Volapük",
    "fy": "Frisian", "gd": "Scottish Gaelic", "ha": "Hausa", "ig": "Igbo", "lg": "Ganda", "ln": "Lingala", "my": "Burmese", "om": "Oromo",
    "sa": "Sanskrit", "so": "Somali", "sn": "Shona", "st": "Sotho", "tg": "Tajik", "tk": "Turkmen", "tt": "Tatar", "uz": "Uzbek",
    "ba": "Bashkir", "wo": "Wolof", "yo": "Yoruba", "xh": "Xhosa", "zu": "Zulu",
}  # fmt: skip
"""Two letters -> English name."""
_WRITTEN_AS = {"arz": "ar", "ary": "ar", "yue": "zh", "wuu": "zh", "nb": "no", "nn": "no", "lij": "it", "vec": "it"}
"""Kinds of a language that the identifier tells apart, and most people do not."""

_BEGINNING, _CERTAIN = 250, 0.999


@dataclass(frozen=True)
class LanguageSettings(Settings):
    column: str = setting("text", "The text column whose language is told.", "column")
    languages: tuple[str, ...] = setting(
        (), "The languages that stay or leave.", "choices", choices=sorted(LANGUAGES.values()), empty="none: all rows stay"
    )
    keep: str = setting(
        "these", "Whether rows in these languages stay, or those in other languages.", "choice", choices=("these", "others")
    )
    letters: int = setting(LETTERS, "Texts of fewer letters are not judged, except in Hangul and kana, which tell at once.", "whole", low=1)
    sure: float = setting(SURE, "How sure the identifier has to be, 0 to 1; below, a text is not judged.", "number", low=0, high=1)
    share: float = setting(0.5, "Share of the letters one script has to hold; more mixed texts are not judged.", "number", low=0, high=1)
    unjudged: str = setting("stay", "What happens to texts whose language cannot be told.", "choice", choices=("stay", "leave"))
    into: str = setting("", "A column that gets the two letters of the language.", "text", empty="none")

    def __post_init__(self) -> None:
        if isinstance(self.languages, (list, tuple)):
            object.__setattr__(self, "languages", tuple(LANGUAGES.get(str(name), name) for name in self.languages))
        super().__post_init__()


def in_language(rows: pd.DataFrame, settings: LanguageSettings, identify: Identify | None = None) -> pd.DataFrame:
    """Rows in the languages stay, or the others. Without an identifier only Hangul, kana, Thai, Greek and Hebrew are told."""
    quick = _quick(identify) if identify else None
    found = [_told(as_text(cell) or "", settings, quick) for cell in rows[settings.column].tolist()]
    wanted = settings.keep == "these"
    reasons: dict[str, str | None] = {}
    for code in set(found):
        name = LANGUAGES.get(code, f"'{code}'")
        if not settings.languages:
            reasons[code] = None
        elif not code:
            reasons[code] = None if settings.unjudged == "stay" else "language cannot be told"
        else:
            reasons[code] = None if (name in settings.languages) == wanted else f"written in {name}"
    if settings.into:
        rows = with_text(rows, {settings.into: [code or None for code in found]})
    return with_reasons(rows, [reasons[code] for code in found])


def _told(text: str, settings: LanguageSettings, identify: Identify | None) -> str:
    """The two letters of the language, "" when it is not judged."""
    if not text.isascii():
        letters = scripts(text)
        if "kana" in letters:
            letters["kana"] += letters.pop("han", 0)
        if letters and max(letters.values()) < settings.share * sum(letters.values()):
            return ""
    found = language(text, identify, letters_from=settings.letters, sure_from=settings.sure)
    return _WRITTEN_AS.get(found, found)


def _quick(identify: Identify) -> Identify:
    """The identifier asked of the beginning first; of more only where that leaves a doubt."""

    def answer(text: str) -> tuple[str, float]:
        found = identify(text[:_BEGINNING])
        return found if found[1] >= _CERTAIN or len(text) <= _BEGINNING else identify(text)

    return answer


def language_sentence(settings: LanguageSettings) -> str:
    if not settings.languages:
        return f"language of {settings.column} told, all rows stay" if settings.into else "no language yet: all rows stay"
    return f"{settings.column} {'in' if settings.keep == 'these' else 'not in'} {listed(settings.languages)}"


def language_writes(settings: LanguageSettings) -> dict[str, str]:
    return {settings.into: "text"} if settings.into else {}
