"""Where a text holds personal data or secrets: e-mail, phone, resident, card and account numbers, addresses, keys.

What has a check digit counts only when it is right. Every scan takes time in proportion to the text: quantifiers are
bounded or possessive, and a token is tried once, where it begins. Names and postal addresses are not looked for.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from core.curate.checksums import IBAN_LENGTHS, card, iban, resident

Span = tuple[int, int]
_LOCAL = re.compile(r"[A-Za-z0-9._%+-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9_-])")
_EDGE, _END = r"(?<![0-9A-Za-z_])(?<![0-9][.,/-])", r"(?![0-9A-Za-z_])(?![.,/-][0-9])"
_KOREAN = re.compile(
    rf"{_EDGE}(?:(?:\+|00)82[ .-]?\(?0?\)?[ .-]?)?"
    r"(?:\(?0?1[016789]\)?[ .-]?[0-9]{3,4}[ .-]?[0-9]{4}"
    r"|\(?0?(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-8]?)(?:\)[ .-]?|[ .-]{1,2})[0-9]{3,4}[ .-][0-9]{4})"
    r"(?![0-9A-Za-z_])(?![.,/-][0-9])"
)
_AMERICAN = re.compile(
    rf"{_EDGE}(?:\+?1[ .-])?(?:\([2-9][0-9]{{2}}\)[ .-]?|[2-9][0-9]{{2}}([.-]| (?=[0-9]{{3}}-)))[2-9][0-9]{{2}}[.-][0-9]{{4}}{_END}"
)
_INTERNATIONAL = re.compile(r"(?<![0-9A-Za-z_+])\+[1-9](?:[ .-]?(?:\([0-9]{1,5}+\)|[0-9]{1,12}+)){1,7}+(?![0-9A-Za-z_])")
_RESIDENT = re.compile(rf"{_EDGE}([0-9]{{6}})([ ]?-[ ]?|)([1-8][0-9]{{6}}){_END}")
_CARD = re.compile(
    rf"{_EDGE}(?:[0-9]{{13,19}}+|[0-9]{{4}}([ -])[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{1,7}}+|3[0-9]{{3}}([ -])[0-9]{{6}}\2[0-9]{{4,5}}+){_END}"
)
_IBAN = re.compile(r"(?<![0-9A-Za-z])(?=([A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]){11,34}+))")
_SIGN = re.compile(r"[0-9A-Za-z]")
_IPV4 = re.compile(
    r"(?<![0-9A-Za-z_.-])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?![0-9A-Za-z_-])(?!\.[0-9])"
)
_IPV6 = re.compile(r"(?<![0-9A-Za-z_:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}+(?![0-9A-Za-z_:])")
_VERSION = re.compile(r"(?:v|ver|version|versions|firmware|release|rev|section|chapter)[ .:#\\\"']{0,8}\Z", re.I)
_NO_ADDRESS = ("0.0.0.0", "127.0.0.1")
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-[A-Za-z0-9_-]{20,}+|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}+|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|gh[pousr]_[A-Za-z0-9]{30,}+|github_pat_[A-Za-z0-9_]{22,}+|glpat-[A-Za-z0-9_-]{20,}+|xox[abeoprs]-[A-Za-z0-9-]{10,}+"
    r"|xapp-[A-Za-z0-9-]{10,}+|AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])|hf_[A-Za-z0-9]{30,}+|npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"
    r"|eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+)"
)
_TOKEN_MARKS = (
    "sk-", "_live_", "_test_", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-",
    "AIza", "hf_", "npm_", "eyJ",
)  # fmt: skip
_ASSIGNED = re.compile(
    r"(?i)(?<![A-Za-z0-9])(?:[a-z0-9]{1,20}_){0,3}(?:api_?key|secret_?key|access_?key|access_?token|auth_?token|client_?secret|secret|password|passwd)"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<value>[A-Za-z0-9_+/=.~!@#$%^&*-]{12,})"
)
_ASSIGNED_MARKS = ("api", "_key", "_token", "secret", "passw")
_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY = 20_000


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, looked for from each @ outwards."""
    at = text.find("@")
    while at >= 0:
        local, domain = _LOCAL.search(text[max(0, at - 65) : at]), _DOMAIN.match(text, at + 1)
        if local and domain and len(local[0].strip(".")) > 0:
            yield at - len(local[0].lstrip(".-%+")), domain.end()
        at = text.find("@", domain.end() if domain else at + 1)


def phones(text: str) -> Iterator[Span]:
    """Korean mobile and landline numbers, North American ones, and any that begins with + and a country."""
    for found in _KOREAN.finditer(text):
        if found[0].lstrip("(").startswith(("0", "+")):
            yield found.start() + (found[0][0] == "(" and ")" not in found[0]), found.end()
    yield from (found.span() for found in _AMERICAN.finditer(text))
    if "+" in text:
        for found in _INTERNATIONAL.finditer(text):
            digits = sum(map(str.isdigit, found[0]))
            if 9 <= digits <= 15:
                yield found.span()


def residents(text: str) -> Iterator[Span]:
    """Korean resident and foreigner registration numbers."""
    return (found.span() for found in _RESIDENT.finditer(text) if resident(found[1] + found[3], bool(found[2])))


def cards(text: str) -> Iterator[Span]:
    """Payment card numbers, plain or in the groups printed on cards."""
    return (found.span() for found in _CARD.finditer(text) if card(re.sub("[ -]", "", found[0])))


def accounts(text: str) -> Iterator[Span]:
    """International bank account numbers."""
    for found in _IBAN.finditer(text):
        length, end = IBAN_LENGTHS.get(found[1][:2], 0), found.start()
        for place, sign in enumerate(found[1], start=found.start() + 1):
            length, end = length - (sign != " "), place
            if length <= 0:
                break
        compact = text[found.start() : end].replace(" ", "")
        if length == 0 and not _SIGN.match(text, end) and iban(compact):
            yield found.start(), end


def addresses(text: str) -> Iterator[Span]:
    """Internet addresses; what follows "version" is none."""
    if text.count(".") >= 3:
        for found in _IPV4.finditer(text):
            if not _VERSION.search(text, max(0, found.start() - 18), found.start()) and found[0] not in _NO_ADDRESS:
                yield found.span()
    if text.count(":") >= 2:
        for found in _IPV6.finditer(text):
            groups = [group for group in found[0].split(":") if group]
            long = max(map(len, groups), default=0)
            if (
                len(groups) == 8
                or (long >= 3 and len(groups) >= 3)
                or (len(groups) == 2 and long == 4 and any(map(str.isdigit, groups[0])))
            ):
                try:
                    ipaddress.IPv6Address(found[0])
                except ValueError:
                    continue
                yield found.span()


def secrets(text: str) -> Iterator[Span]:
    """Keys and tokens of known shapes, values given to a name such as api_key, and private key blocks."""
    if any(mark in text for mark in _TOKEN_MARKS):
        yield from (found.span() for found in _TOKEN.finditer(text) if any(map(str.isdigit, found[0])))
    low = text.lower() if "=" in text or ":" in text else ""
    if low and any(mark in low for mark in _ASSIGNED_MARKS):
        yield from (found.span("value") for found in _ASSIGNED.finditer(text) if _random(found["value"]))
    end = at = 0
    for found in _BEGIN.finditer(text):
        if found.start() < at:
            continue
        if end >= 0 and end < found.end():
            end = text.find("-----END", found.end())
        if 0 <= end - found.end() <= _LONGEST_KEY:
            close = text.find("-----", end + 8, end + 60)
            at = close + 5 if close >= 0 else end + 8
        else:
            at = found.end()
        yield found.start(), at


def _random(value: str) -> bool:
    """Whether a value looks drawn by lot: letters and digits in it."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


KINDS: dict[str, tuple[str, Callable[[str], Iterator[Span]]]] = {
    "secrets": ("[SECRET]", secrets),
    "emails": ("[EMAIL]", emails),
    "accounts": ("[IBAN]", accounts),
    "cards": ("[CARD]", cards),
    "resident numbers": ("[RESIDENT_NUMBER]", residents),
    "phones": ("[PHONE]", phones),
    "addresses": ("[IP]", addresses),
}
"""Kind -> what stands in its place, what finds it; of two that overlap the earlier kind counts."""
MAY_HOLD = {
    "secrets": "|".join(_TOKEN_MARKS) + r"|PRIVATE KEY|(?i:api_?key|secret|access_?key|access_?token|auth_?token|passw)",
    "emails": r"@[A-Za-z0-9-]+[.]",
    "accounts": r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]",
    "cards": r"[0-9]{4}[ -]?[0-9]{4}",
    "resident numbers": r"[0-9]{6} ?-? ?[1-8][0-9]{6}",
    "phones": r"[0-9]{3}[ .-]?[0-9]{4}|[+][1-9][0-9 .()-]{8}",
    "addresses": r"[0-9][.][0-9]{1,3}[.][0-9]|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:|::",
}
"""Kind -> RE2 without a match of which a text holds none: a quick look over many texts."""


def found_in(text: str, kinds: Sequence[str] = tuple(KINDS)) -> list[tuple[int, int, str]]:
    """Every place that holds one of these kinds: start, end, kind; in the order of the text, without overlaps."""
    spans: list[tuple[int, int, str]] = []
    asked = [kind for kind in KINDS if kind in kinds]
    for kind in asked:
        taken, last = sorted(spans), 0
        for start, end in sorted(KINDS[kind][1](text)):
            if start >= last and not _touches(taken, start, end):
                spans.append((start, end, kind))
                last = end
    return sorted(spans)


def _touches(taken: list[tuple[int, int, str]], start: int, end: int) -> bool:
    place = bisect_left(taken, (end, -1, ""))
    return place > 0 and taken[place - 1][1] > start


def masked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """The text with each place as its kind: [EMAIL]."""
    parts, at = [], 0
    for start, end, kind in spans:
        parts += [text[at:start], KINDS[kind][0]]
        at = end
    return "".join([*parts, text[at:]])
