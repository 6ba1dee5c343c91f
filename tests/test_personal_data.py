"""Personal data and secrets are found by shape, check digit and date, and product texts are left alone."""

from __future__ import annotations

import random
import time

import pandas as pd
import pytest

from core.curate.checksums import IBAN_LENGTHS, card, iban, resident
from core.curate.identifiers import KINDS, MAY_HOLD, found_in, masked
from core.curate.recipe import Recipe, run
from core.curate.steps import describe, make
from core.version import Roles
from tests.doubles import shared

KEY = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
FOUND = [
    ("emails", ["hong@naver.com", "a.b+c@sub.example.co.kr", "jane_doe-1@mail.example.museum"]),
    ("phones", ["010-1234-5678", "01012345678", "010 1234 5678", "011-234-5678", "+82 10-1234-5678", "+82-2-123-4567", "02-123-4567",
                "(02) 123-4567", "031-1234-5678", "070-1234-5678", "+1 (555) 234-5678", "(212) 555-1234", "212-555-1234",
                "+44 20 7946 0958", "+49 30 901820", "+33 1 23 45 67 89", "+14155552671"]),
    ("resident numbers", ["900101-1234568", "9001011234568", "211005-3123456", "2110053123456"]),
    ("cards", ["4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "3782 822463 10005", "6011000990139424"]),
    ("accounts", ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606"]),
    ("addresses", ["8.8.8.8", "192.168.0.10", "2001:db8::8a2e:370:7334", "fe80::1", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"]),
    ("secrets", ["sk-proj-abcdefghij1234567890ABCD", "AKIAIOSFODNN7EXAMPLE"[:4] + "IOSFODNN7EXAMPL3", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
                 "github_pat_11ABCDEFG0abcdefghijkl_xyz", "xoxb-123456789012-abcdefABCDEF", "AIza" + "Sy0123456789" * 2 + "abcdefghijk", JWT, KEY]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in FOUND for value in values])
@pytest.mark.parametrize("around", ["{}", "문의: {}으로 주세요", "see ({}), and more.", "{}\n{}"])
def test_what_is_personal_is_masked_and_nothing_else(kind, value, around):
    text = around.replace("{}", value)
    assert masked(text, found_in(text)) == around.replace("{}", KINDS[kind][0])
    assert masked(text, found_in(text, [kind])) == around.replace("{}", KINDS[kind][0])
    assert found_in(text, [other for other in KINDS if other != kind and other != "phones"]) == []


HARMLESS = """ISBN 978-0-13-468599-1 and 9780134685991, EAN 4006381333931, UPC 012345678905, ASIN B07XYZ1234, part WPW10321304 or 010-01234-00
$1,299.00 on 2023-10-12 or 2019.05.12 at 12:30:45, 10.5 x 8.2 x 3.1 inches, 1/4-20 x 3/8, 120-240-360-480, 1234567890, ZIP 12345-6789
version 1.2.3.4, v10.0.0.1, Version": "1.4.4.12", 1.2.3, std::cout, aa:bb:cc:dd:ee:ff, 16:9::4, 256.1.1.1, 4111 1111 1111 1112
GB29 NWBK 6016 1331 9268 18, 900101-1234567, 991332-1234567, 0000000000000000, user@host, @name, a@b, not@, task-oriented-learning-of-models-1
model 800-1234, 50-60Hz 100-240V, 3.5-4.5, key: value, password: please, secret=ask_me_about_it, 제품번호 12-3456-789, 1,234,567,890원
-----BEGIN CERTIFICATE-----"""


@pytest.mark.parametrize("line", HARMLESS.splitlines())
def test_part_numbers_prices_dates_and_books_are_left_alone(line):
    assert [line[start:end] for start, end, _ in found_in(line)] == []


def test_a_bracket_around_a_number_stays():
    text = "02)123-4567 (02-123-4567) (전화 02)123-4567)"
    assert masked(text, found_in(text)) == "[PHONE] ([PHONE]) (전화 [PHONE])"


def test_a_key_given_to_a_name_is_masked_without_the_name():
    text = 'api_key = "a1b2c3d4e5f6g7h8" PASSWORD: hunter2hunter2xx'
    assert masked(text, found_in(text)) == 'api_key = "[SECRET]" PASSWORD: [SECRET]'


def test_generated_numbers_are_found_and_one_wrong_digit_is_not():
    draw = random.Random(0)
    hits = 0
    for _ in range(200):
        born = f"{draw.randrange(50, 100)}{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}"
        front = f"{born}{draw.randrange(1, 3)}{draw.randrange(10**5):05}"
        total = sum(w * int(d) for w, d in zip((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), front, strict=True))
        right = (11 - total % 11) % 10
        assert resident(front + str(right), True)
        assert resident(front + str(right), False)
        assert not resident(front + str((right + 1) % 10), True)
        number = "4" + "".join(str(draw.randrange(10)) for _ in range(14))
        last = next(str(d) for d in range(10) if card(number + str(d)))
        assert [kind for *_, kind in found_in(f"card {number}{last}.")] == ["cards"]
        hits += bool(found_in(f"card {number}{(int(last) + 3) % 10}."))
    assert hits == 0


def test_account_numbers_have_the_length_of_their_country():
    assert all(15 <= length <= 32 for length in IBAN_LENGTHS.values())
    assert iban("NO9386011117947")
    assert not iban("NO93860111179470")
    assert not iban("ZZ9386011117947")
    text = "DE89370400440532013000 GB29 NWBK 6016 1331 9268 19 KR"
    assert masked(text, found_in(text)) == "[IBAN] [IBAN] KR"


def test_the_quick_look_misses_nothing_that_is_found():
    import pyarrow as pa
    import pyarrow.compute as pc

    for kind, values in FOUND:
        assert all(pc.match_substring_regex(pa.array(values), MAY_HOLD[kind]).to_pylist()), kind
    assert all(pc.match_substring_regex(pa.array(["api_key=a1b2c3d4e5f6g7h8"]), MAY_HOLD["secrets"]).to_pylist())


def test_rows_are_masked_dropped_or_flagged():
    frame = pd.DataFrame(
        {"a": ["hong@naver.com 010-1234-5678", None, "좋아요", "8.8.8.8"], "b": pd.Series(["x", "b@c.org", 12.5, None], dtype=object)}
    )

    def after(**settings):
        return run(frame, Roles(), Recipe((make("personal_data", columns=["a", "b"], **settings),)))

    made = after().frame
    assert made["a"].tolist()[0] == "[EMAIL] [PHONE]"
    assert made["b"].tolist()[1:3] == ["[EMAIL]", "12.5"]
    assert made.isna().to_numpy().sum() == 2
    gone = after(action="drop")
    assert gone.frame["a"].tolist() == ["좋아요"]
    assert gone.dropped["reason"].tolist() == ["holds emails, phones", "holds emails", "holds addresses"]
    told = after(action="flag", kinds=["phones", "emails"]).frame
    assert told["personal_data"].tolist()[:2] == ["emails, phones", "emails"]
    assert told["personal_data"].isna().tolist() == [False, False, True, True]
    assert told["a"].tolist()[0] == frame["a"].tolist()[0]
    assert describe(make("personal_data", columns=["a"], kinds=["emails"])) == "emails masked in a"


HOSTILE = [
    "a" * 200_000, "a@" * 80_000, "a@a." * 50_000, "a@" + "a." * 80_000, "1" * 200_000, "1-" * 80_000, "1 " * 80_000, "+1 " * 60_000, "+1" * 80_000,
    "(02" * 60_000, "eyJ" * 60_000, "-eyJ" * 50_000, "eyJaaaaaaaa." * 15_000, "sk-" * 60_000, "DE12" * 50_000, "DE12 " * 40_000, "1." * 80_000,
    ":" * 200_000, "a:" * 80_000, "-----BEGIN PRIVATE KEY-----" * 8_000, "-----BEGIN PRIVATE KEY-----" * 8_000 + "x" * 30_000 + "-----END",
    "4111 " * 40_000, "api_key=" * 30_000, "password: " + "   " * 60_000, "a_" * 80_000 + "secret=", "010-1234-5678 " * 12_000, "900101-" * 40_000,
]  # fmt: skip


def test_no_text_takes_the_search_long():
    start = time.monotonic()
    for text in HOSTILE:
        found_in(text)
    assert time.monotonic() - start < 40, "some pattern goes over the rest of the text again and again"


def test_many_places_in_one_text_are_all_found():
    assert len(found_in("010-1234-5678 a@b.co 8.8.8.8 " * 3_000)) == 9_000


def test_product_texts_hold_addresses_to_write_to_and_hardly_anything_else():
    frame = pd.read_csv(shared("pricer/products.csv.gz"))
    made = run(frame[["title", "description"]], Roles(), Recipe((make("personal_data", columns=["title", "description"], action="flag"),)))
    counts = made.frame["personal_data"].value_counts().to_dict()
    assert set(counts) == {"emails"}
    assert 10 < counts["emails"] < 60
