"""What must stay when the answer stays: numbers with their units, names, the answer itself; compared by what is written.

Names are found by how they are written, not known: capitalised words, quoted terms, addresses, Latin words inside Korean, Korean
places, and Korean names before a title. A name that no such sign gives away is not seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.augment.reading import normal
from core.reading import read_amount

if TYPE_CHECKING:
    from core.augment.said import Said

_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
}  # fmt: skip
_WORD = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
                   r"|(?<![가-힣])(두|세|네|다섯|여섯|일곱|여덟|아홉|열)"
    r"(?= ?(?:개|명|번|살|시간?|달|가지|마리|권|잔|병|대|분|사람|배)(?![가-힣]{2}))")  # fmt: skip
_UNITS = {
    "m": ("meters", "metres", "meter", "metre", "m", "미터"), "cm": ("centimeters", "centimetres", "centimeter", "cm", "센티미터", "센티"),
    "mm": ("millimeters", "millimetres", "mm", "밀리미터"), "km": ("kilometers", "kilometres", "kilometer", "km", "킬로미터"),
    "inch": ("inches", "inch", "인치"), "foot": ("feet", "foot", "ft", "피트"), "mile": ("miles", "mile", "마일"),
    "kg": ("kilograms", "kilogram", "kilos", "kg", "킬로그램", "킬로"), "g": ("grams", "gram", "g", "그램"), "mg": ("mg", "밀리그램"),
    "pound": ("pounds", "lbs", "lb", "파운드"), "l": ("liters", "litres", "liter", "litre", "l", "리터"), "ml": ("ml", "밀리리터"),
    "%": ("%", "percent", "per cent", "퍼센트", "프로"), "usd": ("dollars", "dollar", "usd", "bucks", "달러", "$"),
    "eur": ("euros", "euro", "eur", "유로", "€"), "gbp": ("gbp", "£"), "krw": ("won", "krw", "원", "₩"),
    "s": ("seconds", "second", "secs", "sec", "초"), "min": ("minutes", "minute", "mins", "min", "분"),
    "h": ("hours", "hour", "hrs", "시간"), "day": ("days", "day", "일"), "week": ("weeks", "week", "주일", "주"),
    "month": ("months", "month", "개월", "달"), "year": ("years", "year", "년"), "gb": ("gigabytes", "gb", "기가"), "mb": ("mb",),
    "v": ("volts", "volt", "v", "볼트"), "w": ("watts", "watt", "w", "와트"), "bar": ("bar", "bars"), "°c": ("°c", "℃"), "°f": ("°f", "℉"),
    "person": ("명",), "piece": ("개",), "time": ("번", "회"), "old": ("살", "세"), "book": ("권",),
}  # fmt: skip
_UNIT_OF = {form: unit for unit, forms in _UNITS.items() for form in forms}
_FORMS = "|".join(re.escape(form) for form in sorted(_UNIT_OF, key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBERS = re.compile(_NUMBER)
_DIGIT = re.compile(r"\d")
_HANGUL = re.compile(r"[가-힣]")
_QUANTITY = re.compile(rf"(?P<money>[$€£₩])?\s?(?P<number>{_NUMBER})\s?-?(?P<unit>{_FORMS})?(?![a-z])")
_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+|www\.[^\s<>\"')\]]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]+")
_QUOTED = re.compile(r"“([^”\n]{2,60})”|‘([^’\n]{2,60})’|\"([^\"\n]{2,60})\"|「([^」\n]{2,60})」|『([^』\n]{2,60})』|《([^》\n]{2,60})》"
                     r"|〈([^〉\n]{2,60})〉|(?<!\w)'([^'\n]{2,60})'(?!\w)")  # fmt: skip
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ][\w’'-]*")
_CAPITAL_NEXT = re.compile(r"\s+[A-Z][a-z]")
_CODE = re.compile(r"\b(?=\w*[A-Z])(?:[A-Z]{2,}\w*|\w+[A-Z]\w*|[A-Za-z]+-?\d+\w*)\b")
_PLACES = re.compile(
    "(?<![가-힣])(?:서울|부산|대구|인천|광주|대전|울산|제주|경기도|강원도|충청도|전라도|경상도|한국|대한민국|조선|고려|신라|백제|고구려|북한"
    "|미국|일본|중국|영국|프랑스|독일|러시아|소련|캐나다|호주|베트남|태국|스페인|이탈리아|브라질|멕시코|유럽|아시아|아프리카"
    "|파리|런던|뉴욕|도쿄|베이징|할리우드)"
)
_PERSON = re.compile(
    r"(?<![가-힣])([김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진][가-힣]{2})"
    r"(?= ?(?:씨|교수|감독|배우|대통령|박사|작가|가수|선수|장군|대표|회장|기자|의원|총리|시인|PD)(?:[은는이가을를의과와도]|\s|$|[.,]))"
    r"|(?<![가-힣])([김박윤](?!물관|람회|치찌|리적|진감|수를)[가-힣]{2})(?=(?:[은는이가을를의도과와]|에게|께서)(?:\s|$|[.,]))"
)
_PLAIN = {"i", "i'm", "i've", "i'd", "i'll", "ok", "okay", "tv", "a", "the", "no", "yes"}


def numbers(text: str) -> set[float]:
    """Every number written in digits: "1,299" and "1299" are one; digits inside names (B12) count too."""
    return numbers_in(normal(text))


def numbers_in(plain: str) -> set[float]:
    """The same of a text that is normalised already."""
    if not _DIGIT.search(plain):
        return set()
    values = (read_amount(digits) for digits in _NUMBERS.findall(plain))
    return {value for value in values if value is not None}


def words_in(plain: str, tokens: set[str]) -> set[float]:
    """Small numbers written as words in a normalised text: "three", "두 번". `tokens` are its runs of letters."""
    if tokens.isdisjoint(_WORDS) and not _HANGUL.search(plain):
        return set()
    return {float(_WORDS[one or other]) for one, other in _WORD.findall(plain)}


def quantities_in(plain: str) -> set[tuple[float, str]]:
    """Numbers of a normalised text with the unit that stands at them, one name per unit: "30 metres" and "30m" are (30, "m")."""
    found: set[tuple[float, str]] = set()
    if not _DIGIT.search(plain):
        return found
    for match in _QUANTITY.finditer(plain):
        value, unit = read_amount(match["number"]), _UNIT_OF.get(match["unit"] or match["money"] or "")
        if value is not None and unit:
            found.add((value, unit))
    return found


def numbers_lost(original: Said, variant: Said) -> int:
    """How many numbers of the original the variant lacks. "3" may become "three"; of "three" only a change to another is told."""
    wanted, there, words = original.numbers, variant.numbers, variant.words
    lost = original.words - words - there
    return len(wanted - there - words) + (len(lost) if lost and words - original.words - wanted else 0)


def numbers_added(original: Said, variant: Said) -> int:
    """How many numbers in digits only the variant has."""
    return len(variant.numbers - original.numbers - original.words)


def units_lost(original: Said, variant: Said) -> int:
    """How many numbers that stay have lost their unit or stand with another."""
    had = original.quantities
    return len({(value, unit) for value, unit in had if value in variant.numbers} - variant.quantities) if had else 0


def names(text: str) -> set[str]:
    """Names as they are written, normalised; of a text that capitalises most words only codes and addresses."""
    addresses = [one.rstrip(".,;:!?") for one in _ADDRESS.findall(text)]
    rest = _ADDRESS.sub(" ", text)
    quoted = [next(part for part in parts if part) for parts in _QUOTED.findall(rest) if len(max(parts, key=len)) < 0.8 * len(text)]
    found = [*addresses, *quoted, *_PLACES.findall(rest), *(one or other for one, other in _PERSON.findall(rest)), *_latin(rest)]
    return {name for name in (normal(one).strip(" .,!?") for one in found) if name and name not in _PLAIN}


def _latin(text: str) -> list[str]:
    """Capitalised words that do not only begin a sentence, codes such as B12 or iPhone, and Latin words between Korean ones."""
    if re.search(r"[가-힣]", text):
        return re.findall(r"[A-Za-z][A-Za-z0-9+'-]+", text)
    words = re.findall(r"[A-Za-zÀ-ÿ][\w’'-]*", text)
    long = [word for word in words if len(word) > 3]
    shouted = sum(word.isupper() for word in long) > len(long) / 2
    if shouted:
        return []
    codes = _CODE.findall(text)
    if sum(word[0].isupper() for word in long) > len(long) / 2 and len(long) > 2:
        return codes
    found = list(codes)
    for match in _CAPITAL.finditer(text):
        before = text[max(0, match.start() - 4) : match.start()]
        begins = not before.strip() or before.rstrip()[-1] in ".!?:;…\"“”'‘(*-" or "\n" in before
        before_name = _CAPITAL_NEXT.match(text, match.end()) is not None
        if not begins or (before_name and match[0].casefold() not in _STARTS):
            found.append(re.sub(r"['’]s$", "", match[0]))
    return found


_STARTS = {"the", "a", "an", "in", "on", "at", "my", "our", "his", "her", "this", "that", "when", "where", "who", "what", "which", "how",
           "why", "is", "was", "are", "were", "did", "does", "do", "for", "of", "and", "but", "with", "from", "if", "it", "as"}  # fmt: skip


def names_lost(original: Said, variant: Said) -> int:
    """How many names of the original the variant does not hold."""
    return sum(name not in variant.normal for name in original.names)


def named(text: str, answer: str) -> bool:
    """Whether a text names the answer as a word (Korean: also with a particle behind it)."""
    return named_in(normal(text), answer)


def named_in(plain: str, answer: str) -> bool:
    """The same of a text that is normalised already."""
    answer = normal(answer)
    if answer not in plain or not re.search(r"\w", answer):
        return False
    after = r"(?![^\W가-힣])" if _HANGUL.search(answer) else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(answer)}{after}", plain) is not None


def leaked(variant: Said, original: Said, answer: str, task: str) -> bool:
    """Whether the variant gives away an answer the original does not."""
    if not answer or named_in(original.normal, answer):
        return False
    value = read_amount(answer)
    if value is not None and task == "regression":
        return value in variant.numbers - original.numbers
    if value is not None and task == "classification":  # "3" in "3 pieces" is no star rating; "3 stars" is
        rated = rf"(?<![\w.]){re.escape(answer)}\s*(?:-\s*)?(?:stars?|out of|/\s*\d|점|별)"
        return re.search(rated, variant.normal) is not None
    if task == "chat":
        return False
    return named_in(variant.normal, answer)
