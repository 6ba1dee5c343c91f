"""How a variant is worded: words to the person instead of data, refusals, and the script or language it is written in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

_REFUSED = re.compile(
    r"^\W*(?:(?:i['’]?m|i am)(?: really| very| truly)? sorry|sorry,? (?:but )?i\b|my apologies|i apologi[sz]e"
    r"|unfortunately,? i (?:can|am|do)|i can(?:no|['’])t (?:help|assist|do|provide|comply|create|generate|write|fulfil)"
    r"|i(?: am|['’]m) (?:unable|not able)|as an? (?:ai|artificial|large language|language model|assistant)"
    r"|죄송(?:하지만|합니다|해요|스럽)|미안(?:하지만|합니다)|(?:요청|부탁)하신.{0,30}(?:없습니다|어렵습니다)"
    r"|(?:저는|나는) (?:ai|인공지능|언어 ?모델)"
    r"|인공지능 ?(?:모델|언어|비서)|ai ?언어 ?모델)|\bas an ai (?:language )?(?:model|assistant)\b|도와드릴 수 없|도움을 드릴 수 없",
    re.I,
)
_CHAT_FIRST = re.compile(
    r"^\W*(?:(?:sure|certainly|of course|absolutely|okay|ok|great|gladly)[,!.:](?=\s|$)"
    r"|here(?:['’]s| is| are)\b.{0,60}?(?:variant|variation|version|paraphras|sentence|example|rewrit|rephras|list|option|question)"
    r"|(?:the )?(?:rewritten|rephrased|paraphrased) (?:text|sentence|version|question)s?\b|in other words, here"
    r"|(?:물론이죠|물론입니다|알겠습니다|좋습니다|네)[,!.~](?=\s|$)|(?:다음은|아래는|여기).{0,40}(?:문장|변형|예시|목록|질문|입니다|있습니다)[^가-힣]*$"
    r"|(?:variant|variation|option|paraphrase|버전|변형|예시) ?\d+ ?[:.)])",
    re.I,
)
_CHAT_ANYWHERE = re.compile(
    r"\blet me know (?:if|whether)\b|\bhope (?:this|these|that|it) helps?\b|\bfeel free to (?:ask|let)\b|\bwould you like me to\b"
    r"|도움이 (?:되었|되셨|됐|필요하)|추가로 (?:필요|궁금)|필요하시면 (?:말씀|알려)|더 만들어 ?드릴",
    re.I,
)
_CHAT_MARKS = ("let me know", "hope ", "feel free to", "would you like", "도움이", "추가로", "필요하시면", "더 만들어")
"""One of them stands in every text in which `_CHAT_ANYWHERE` finds something."""
_SCRIPTS = (
    ("hangul", "가", "힣"), ("hangul", "ᄀ", "ᇿ"), ("hangul", "㄰", "㆏"), ("kana", "぀", "ヿ"), ("han", "一", "鿿"), ("cyrillic", "Ѐ", "ӿ"),
    ("arabic", "؀", "ۿ"), ("hebrew", "֐", "׿"), ("greek", "Ͱ", "Ͽ"), ("thai", "฀", "๿"), ("devanagari", "ऀ", "ॿ"),
)  # fmt: skip
_WRITTEN_IN = {"hangul": "Korean", "kana": "Japanese", "han": "Chinese", "cyrillic": "Russian", "arabic": "Arabic", "hebrew": "Hebrew",
               "greek": "Greek", "thai": "Thai", "devanagari": "Hindi"}  # fmt: skip
_ANY = {name: re.compile("[" + "".join(f"{low}-{high}" for other, low, high in _SCRIPTS if other == name) + "]") for name, _, _ in _SCRIPTS}
_LATIN = re.compile("[\\x00-\\u024f]")


def refuses(text: str) -> bool:
    """Whether a text refuses or apologises for not writing, or speaks as an AI."""
    return _REFUSED.search(text) is not None


def chats(text: str) -> bool:
    """Whether a text speaks to the person who asked: "Sure, here are", "물론이죠!", "Let me know if"."""
    if _CHAT_FIRST.match(text):
        return True
    plain = text.casefold()
    return any(mark in plain for mark in _CHAT_MARKS) and _CHAT_ANYWHERE.search(text) is not None


def scripts(text: str) -> Counter[str]:
    """How many letters of each script a text holds."""
    if text.isascii():
        count = sum(map(str.isalpha, text))
        return Counter({"latin": count} if count else {})
    letters = "".join(filter(str.isalpha, text))
    found = {name: len(pattern.findall(letters)) for name, pattern in _ANY.items() if pattern.search(letters)}
    found["latin"] = len(_LATIN.findall(letters))
    found["other"] = len(letters) - sum(found.values())
    return Counter({name: n for name, n in found.items() if n})


def language_name(text: str) -> str:
    """The language a text's main script tells, in English ("Korean"); "English" for Latin letters, which do not tell."""
    letters = scripts(text)
    return _WRITTEN_IN.get(letters.most_common(1)[0][0], "English") if letters else "English"


def other_language(variant: str, original: str, language: Callable[[str], str] | None = None) -> bool:
    """Whether the main script differs, or, within one script, the language that is told for both."""
    return other_script(scripts(variant), scripts(original)) or (language is not None and told_apart(language(original), language, variant))


def other_script(b: Counter[str], a: Counter[str]) -> bool:
    """Whether the main script of the letters `a` writes less than half as much of the letters `b`, those of a variant."""
    if not a or not b:
        return False
    wanted, share = a.most_common(1)[0][0], a.most_common(1)[0][1] / a.total()
    return b[wanted] / b.total() < 0.5 * share


def told_apart(one: str, language: Callable[[str], str], variant: str) -> bool:
    """Whether a language is told for the variant, and another than this one."""
    return bool(one) and (other := language(variant)) != "" and other != one
