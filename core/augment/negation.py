"""Whether two texts deny the same: negation words of English and Korean, and which word each of them denies.

A word counts as turned round when one text denies it and the other says it without denying it. Denying in other words ("not good",
"bad") is not understood: it shows as a changed negation, which is why people can look at what this gate stops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.augment.reading import normal

_IDIOMS = re.compile(
    r"\bnot (?:only|just|to mention|bad)\b|\bno (?:doubt|matter|wonder|problem|\d)|\bwhether or not\b|\bor not\b|\bwhy not\b"
    r"|\bnothing but\b"
    r"|\bnot (?:un|im)\w+|\bnot without\b|\bnever (?:fails?|failed) to\b|\bcan(?:no|['’])t (?:help|wait|recommend \w+ enough)\b|\bno\. ?\d"
    r"|(?:어이|틀림|끊임|변함|더|거침|상관|속절|난데)없\S*|수밖에 ?없\S*|없지(?:는|도)? ?않\S*|않을 수 ?없\S*"
    r"|아니지 않\S*|못지 ?않\S*|뿐(?:만)? ?아니라"
    r"|괜찮\S*|아니면|잖아\S*|(?:^|[.!?] ?)아니,"
)
"""Negation words that deny nothing, and two that cancel each other."""
_ENGLISH = re.compile(
    r"(?:\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely)\b|n['’]t\b"
    r"|\b(?:dont|doesnt|didnt|isnt|wasnt|cant|wont|couldnt|shouldnt|wouldnt|arent|werent|hasnt|havent|hadnt)\b)"
    r"(?:\s+(?:very|really|so|that|any|at|all|a|an|the|to|be|been|being|have|had|even|quite|too|ever|one|of|single|as|only)\b)*"
    r"(?:\s+(?P<word>[a-z]{3,}))?"
)
_DENYING = {"not", "never", "no", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "cannot", "hardly", "barely", "dont",
            "doesnt", "didnt", "isnt", "wasnt", "cant", "wont", "couldnt", "shouldnt", "wouldnt", "arent", "werent", "hasnt", "havent",
            "hadnt"}  # fmt: skip
"""The words of `_ENGLISH`; beside them only "n't" denies, and every idiom holds one of both."""
_HANGUL = re.compile(r"[가-힣]")
_TOKEN = re.compile(r"\w+")
_COMMON = {"and", "but", "the", "was", "were", "are", "this", "that", "than", "because", "for", "with", "from", "when", "until", "have",
           "has", "had", "did", "does", "been", "more", "much", "what", "will", "you", "your", "they", "she", "her", "his"}  # fmt: skip
_KOREAN = re.compile(
    r"(?P<stem>[가-힣]{1,12}?)(?:지(?:는|도|를|가|만)?|질) ?(?:않|못|말(?!고)|마(?:세|십|라|요|$|[ .!]))[가-힣]*"
    r"|(?:(?P<thing>[가-힣]{2,10}?)(?:이|가|은|는|도|을|를)? )?없[가-힣]*|(?P<glued>[가-힣]{1,8})없[가-힣]*"
    r"|(?<![가-힣])(?<!방 )(?<!집 )(?<!차 )(?<!상자 )안 "
    r"(?P<verb>[가-힣]{1,10}?)(?=(?:다|요|음|은|는|고|네|서|어|아|면|을|던|지|까|니|죠|함|됨)?(?:[^가-힣]|$))"
    r"|(?<![가-힣])못 (?P<able>[가-힣]{1,10})|못(?:하|했|할|한|해|합)[가-힣]*"
    r"|(?<![가-힣])안(?P<short>되|돼|됩|된|했|하|해|합|좋|봤|본|볼|갔|갈|먹|샀|왔|맞|웃|무서|재밌|재미)[가-힣]*"
    r"|아니(?:다|라|고|지|었|에요|예요|야|며|므|네)[가-힣]*|아닙니다|아닌(?!가)[가-힣]*|아님|아닐[가-힣]*|아녜|아냐"
    r"|(?:모르|몰라|몰랐|모릅)[가-힣]*|않[가-힣]*"
)
_SHORT_STEMS = {"하", "가", "보", "되", "오", "나", "주", "사", "쓰", "이", "그", "지", "들"}
_ENDING = r"(?:다|요|은|는|아|어|았|었|습|고|네|음|던|게|으|지만|군|구|기|을|[가-힣]?(?![가-힣]))"
_NOUN_END = re.compile(r"(?:이|가|은|는|도|을|를)$")


@dataclass(frozen=True)
class Denials:
    """What a text denies."""

    rest: str
    """The text without its denials."""
    count: int = 0
    denied: frozenset[str] = frozenset()
    """Patterns that find the denied words said plainly."""


def changed(original: str, variant: str) -> int:
    """0 when both deny the same; else how many denials were dropped, added or turned round."""
    one, other = normal(original), normal(variant)
    return turned(denials(one, set(_TOKEN.findall(one))), denials(other, set(_TOKEN.findall(other))))


def turned(one: Denials, other: Denials) -> int:
    """The same of what both deny: one for a text that denies nothing while the other does, and one for each word that is denied in one
    and said plainly in the other."""
    if not one.count and not other.count:
        return 0
    words = _plainly(one.denied - other.denied, one.rest, other.rest) + _plainly(other.denied - one.denied, other.rest, one.rest)
    return words + ((one.count > 0) != (other.count > 0))


def _plainly(denied: frozenset[str], mine: str, other: str) -> int:
    """Words denied in one text that the other says plainly, unless the first says them plainly too."""
    return sum(re.search(word, other) is not None and re.search(word, mine) is None for word in denied)


def denials(plain: str, tokens: set[str]) -> Denials:
    """Of a normalised text; `tokens` are its runs of letters. Without Hangul and any English word that denies there is nothing to find."""
    hangul = _HANGUL.search(plain) is not None
    if not hangul and tokens.isdisjoint(_DENYING) and "n't" not in plain and "n’t" not in plain:
        return Denials(plain)
    denied: set[str] = set()
    count = 0

    def take(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        denied.update(_said_plainly(match))
        return " · "

    rest = _ENGLISH.sub(take, _IDIOMS.sub(" ", plain))
    if hangul:
        rest = _KOREAN.sub(take, rest)
    return Denials(rest, count, frozenset(denied))


def _said_plainly(match: re.Match[str]) -> set[str]:
    """Patterns of the same word without the denial."""
    parts = {name: found for name, found in match.groupdict().items() if found}
    if word := parts.get("word"):
        return set() if word in _COMMON else {rf"\b{re.escape(word[: max(4, len(word) - 2)])}"}
    if stem := parts.get("stem") or parts.get("verb") or parts.get("able") or parts.get("short"):
        if stem in _SHORT_STEMS:
            return set()
        return {rf"(?<![가-힣]){stem}{_ENDING}" if len(stem) == 1 else rf"(?<![가-힣]){stem}"}
    if thing := parts.get("thing"):
        noun = _NOUN_END.sub("", thing) if len(thing) > 2 else thing
        return {rf"{noun}(?:이|가|은|는|도|을|를)? ?있"}
    if glued := parts.get("glued"):
        return {rf"{glued}있", rf"{glued} 있"}
    return set()
