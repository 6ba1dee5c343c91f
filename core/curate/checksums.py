"""Check digits and dates that tell a number of a person from any other number."""

from __future__ import annotations

from datetime import date

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22,
    "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22,
    "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30,
    "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27,
    "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip
"""Characters of an account number in each country (SWIFT IBAN registry)."""
RANDOM_FROM = date(2020, 10, 1)
"""From this month on Korean resident numbers are issued without region and check digit."""
RANDOM_TO = date(2039, 12, 31)
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def luhn(digits: str) -> bool:
    """Whether the last digit is the one that cards end in (ISO/IEC 7812-1)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def card(digits: str) -> bool:
    """Whether these digits are a payment card's: a range that an issuer has, its length, and the check digit."""
    if len(set(digits)) < 2:
        return False
    size, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    known = (
        (digits[0] == "4" and size in (13, 16, 19))
        or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or four == 6011 or 644 <= three <= 659 or 3528 <= four <= 3589))
        or (size == 15 and two in (34, 37))
        or (size == 14 and (300 <= three <= 305 or two in (36, 38, 39)))
        or (16 <= size <= 19 and two == 62)
    )
    return known and luhn(digits)


def iban(compact: str) -> bool:
    """Whether an account number without blanks has its country's length and the right remainder (ISO 13616)."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def resident(digits: str, marked: bool) -> bool:
    """Whether 13 digits are a Korean resident or foreigner registration number.

    The first six are a date, the seventh tells century and kind. Before October 2020 the last is a check digit. Later
    ones have none: they count where the date is from then on (or they are a foreigner's) and a hyphen stands in them
    (`marked`), or they are no article number (EAN-13).
    """
    born = _born(digits)
    if born is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=False))
    foreign = digits[6] in "5678"
    if ((13 if foreign else 11) - total % 11) % 10 == int(digits[12]):
        return True
    return (born >= RANDOM_FROM or foreign) if marked else (born >= RANDOM_FROM and not _article(digits))


def _article(digits: str) -> bool:
    """Whether the last of 13 digits is the check digit of an article number (GS1)."""
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


def _born(digits: str) -> date | None:
    """The date of birth in a resident number; None when there is no such day."""
    kind = digits[6]
    if kind not in "12345678":
        return None
    year = (1900 if kind in "1256" else 2000) + int(digits[:2])
    try:
        born = date(year, int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None
    return born if born <= RANDOM_TO else None
