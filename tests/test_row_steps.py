"""Steps that look at one row at a time: parts, scrubbing, languages, text quality and missing cells, at any number of workers."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pandas as pd
import pytest

from core.curate.characters import CLASSES
from core.curate.recipe import Outcome, Recipe, run
from core.curate.running import RowSteps
from core.curate.scrub import ScrubSettings, scrubbed
from core.curate.signals import SIGNALS, Measured, classes
from core.curate.steps import describe, make
from core.curate.text import from_yaml, to_yaml
from core.errors import SettingsError
from core.version import Roles, Step

OFF = {"columns": ("t",), "html": False, "unicode": "none", "runs": False}
KOREAN = "배송이 빨라서 좋았어요. 냄비 바닥이 두껍고 손잡이가 뜨겁지 않아서 매일 쓰고 있습니다."
ENGLISH = "A sturdy kettle made of steel with a lid and a long wooden handle, which holds two litres of water."


def identify(text: str) -> tuple[str, float]:
    """French where there is an accent, else English; less sure of short texts."""
    return ("fr" if "é" in text else "en"), 0.95 if len(text) > 30 else 0.6


def after(frame: pd.DataFrame, *steps: Step) -> Outcome:
    return run(frame, Roles(), Recipe(steps), identify=identify)


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns)


DETAILS = [
    '{"Brand": "소니", "Item Weight": 2.5, "Rank": {"Music": 12, "a.b": true}, "Colours": ["red", "blue"]}',
    None,
    "no object",
    '{"Brand": null}',
    '[{"Brand": "A"}, {"Brand": "B"}]',
]


def test_parts_of_details_become_columns():
    parts = ["d.Brand", "d.Item Weight = weight", "d.Rank.Music", "d.Rank.a.b", "d.Colours"]
    out = after(table(d=DETAILS), make("parse", parts=parts)).frame
    assert out.iloc[0].tolist() == [DETAILS[0], "소니", "2.5", "12", "true", "red\nblue"]
    assert out["d.Brand"].isna().tolist() == [False, True, True, True, False]
    assert out["d.Brand"].tolist()[4] == "A\nB"
    assert out["weight"].isna().tolist() == [False, True, True, True, True]


def test_a_part_of_real_objects_is_that_of_their_json_text():
    frame = table(d=[{"Brand": "A", "n": {"k": [1, 2]}}, {"Brand": "B"}])
    out = after(frame, make("parse", parts=["d.Brand", "d.n.k"])).frame
    assert out["d.Brand"].tolist() == ["A", "B"]
    assert out["d.n.k"].tolist()[0] == "1\n2"


def test_a_part_can_be_the_amount_of_the_same_step():
    made = after(table(d=['{"p": "$1,299.00"}', '{"p": "from 5"}']), make("parse", parts=["d.p = price"], number="price"))
    assert made.frame["price"].tolist() == [1299.0]
    assert made.dropped["reason"].tolist() == ["no readable price"]


@pytest.mark.parametrize(
    ("parts", "said"), [(["Brand"], "names no part"), (["d."], "names no part"), (["d.a = x", "d.b = x"], "Two parts become")]
)
def test_parts_that_cannot_be_are_refused(parts, said):
    with pytest.raises(SettingsError, match=said):
        make("parse", parts=parts)


def test_prices_are_read_and_words_about_them_are_not():
    cells = ["$1,299.00", "12.50 USD", "1만 5천원", "from 12.99", "10 - 20", "None", None, "", "free"]
    made = after(table(price=cells), make("parse", number="price"))
    assert made.frame["price"].tolist() == [1299.0, 12.5, 15000.0]
    assert len(made.dropped) == len(cells) - 3


def test_half_a_surrogate_pair_in_json_does_not_reach_the_table():
    out = after(table(t=['["\\ud83d", "ok"]']), make("parse", columns=["t"]), make("scrub", columns=["t"], characters=["emoji"])).frame
    assert out["t"].tolist()[0].encode()


@pytest.mark.parametrize(
    ("on", "text", "wanted"),
    [
        ({"characters": ("emoji",)}, "좋아요😀👍🏽 1️⃣ 👨‍👩‍👧 ❤️ © ★ 5", "좋아요   © ★ 5".replace("   ", "    ")),
        ({"characters": ("control",)}, "a\x00b\u200bc\td\n", "abc\td\n"),
        ({"characters": ("digits", "punctuation")}, "a1,b２·c!", "abc"),
        ({"characters": ("cjk",)}, "가a漢bカc。", "abc"),
        ({"characters": ("latin",)}, "가aé1", "가1"),
        ({"characters": ("not ascii",)}, "가aé1", "a1"),
        ({"characters": ("symbols",)}, "5 + 3 = $8", "5  3  8"),
        ({"patterns": (r"(\d+) USD => \1 dollars", "and ")}, "12 USD and 7 USD", "12 dollars 7 dollars"),
        ({"patterns": (r"(?i)see more\s*",)}, "Nice. See More ", "Nice. "),
        ({"repeats": True}, "와!!!! wow.... no?? 12--13 http://x ㅋㅋㅋ", "와! wow... no? 12-13 http://x ㅋㅋㅋ"),
        ({"blanks": True}, "  a  b\t\u3000c\n\n\n\n d \n", "a b c\n\nd"),
        ({"codes": True, "code_length": 4}, "AB12 A12 plain 가나다4", "A12 plain"),
        ({"lower": True}, "ABC 가 É", "abc 가 é"),
        ({"unicode": "NFKC"}, "ＡＢＣ①ﬁ", "ABC1fi"),
        ({"unicode": "NFC"}, "Ａe\u0301", "Ａé"),
        ({"html": True}, "a<br />b &amp; <!-- x -->c 3 < 5 <b>d</b>&#x41;", "a\nb & c 3 < 5 dA"),
        ({"html": True}, "<SCRIPT>x</SCRIPT >a<style>y<script>z</style>b<!-- open", "ab<!-- open"),
    ],
)
def test_each_new_rule_of_scrub_works_alone(on, text, wanted):
    assert scrubbed(text, ScrubSettings(**{**OFF, **on})) == wanted
    assert scrubbed(text, ScrubSettings(**OFF)) == text


def test_a_recipe_from_before_the_choice_of_form_is_still_read():
    recipe = from_yaml("steps:\n- {name: scrub, settings: {columns: [t], unicode: false}}\n- {name: scrub, settings: {unicode: true}}\n")
    assert [step.settings["unicode"] for step in recipe.steps] == ["none", "NFC"]
    assert from_yaml(to_yaml(recipe)) == recipe


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a", "'\\(a' cannot be read: missing \\)"),
        ("(?=a)", "cannot be read"),
        ("a => \\3", "cannot stand for 'a'"),
        ("a{9999}", "cannot be"),
    ],
)
def test_a_bad_pattern_is_told_before_anything_runs(pattern, said):
    with pytest.raises(SettingsError, match=said):
        make("scrub", patterns=[pattern])
    if " => " not in pattern:
        with pytest.raises(SettingsError, match=said):
            make("filter", pattern=pattern)


def test_an_unknown_kind_of_character_names_the_choices():
    with pytest.raises(SettingsError, match="emoji, control"):
        make("scrub", characters=["smileys"])
    assert make("scrub", characters=["digits", "emoji", "digits"]).settings["characters"] == ["emoji", "digits"]


HOSTILE = [
    "<script>" * 20_000, "<script " * 20_000, "<!--" * 30_000, "<" + " " * 150_000, "<a" * 80_000, "<script><style>" * 10_000 + "</style>",
    "<!--x-->" * 10_000 + "<!--" * 10_000, "&#" + "1" * 50_000 + ";", "!" * 150_000, "<br" * 50_000, "a" * 150_000 + "1", "&" * 80_000,
]  # fmt: skip


def test_no_text_takes_scrub_long():
    every = ScrubSettings(("t",), characters=tuple(CLASSES)[:1], patterns=("^(a+)+$",), repeats=True, codes=True)
    start = time.monotonic()
    for text in HOSTILE:
        scrubbed(text, every)
    assert time.monotonic() - start < 20, "some rule goes over the rest of the text again and again"


def test_a_row_leaves_when_any_or_when_all_are_missing():
    frame = table(a=["x", " ", None], b=["y", "y", None])
    assert after(frame, make("missing", columns=["a", "b"])).frame["a"].tolist() == ["x"]
    made = after(frame, make("missing", columns=["a", "b"], when="all"))
    assert made.dropped["row"].tolist() == [2]
    assert made.dropped["reason"].tolist() == ["no a and b"]


TEXTS = [KOREAN, "좋아요", ENGLISH, "très belle bouilloire à café, un vrai plaisir", "Great!", None, "12345", "좋은 kettle 입니다 great"]


def test_rows_stay_by_language_and_short_korean_is_told_by_its_script():
    made = after(table(text=TEXTS), make("language", languages=["Korean"], into="language"))
    assert made.dropped["row"].tolist() == [2, 3]
    assert made.dropped["reason"].tolist() == ["written in English", "written in French"]
    assert made.frame["language"].tolist()[:2] == ["ko", "ko"]
    assert made.frame["language"].isna().tolist() == [False, False, True, True, True, True]
    assert after(table(text=TEXTS), make("language", languages=["ko"], keep="others")).dropped["row"].tolist() == [0, 1]
    strict = after(table(text=TEXTS), make("language", languages=["Korean"], unjudged="leave"))
    assert strict.frame["text"].tolist() == [KOREAN, "좋아요"]


def test_a_mixed_text_is_not_judged_below_the_share():
    mixed = table(text=["한국어 조금 and a little English too", KOREAN])
    assert after(mixed, make("language", languages=["English"], share=0.9, letters=5)).dropped["row"].tolist() == [1]


def test_an_unknown_language_names_the_choices():
    with pytest.raises(SettingsError, match="Klingon"):
        make("language", languages=["Klingon"])
    assert make("language", languages=["ko", "English"]).settings["languages"] == ["English", "Korean"]


def test_the_real_identifier_tells_french_from_english():
    from core.io.languages import identify as real

    made = run(table(text=[ENGLISH, "La bouilloire est arrivée hier et elle marche parfaitement bien depuis.", KOREAN]), Roles(),
               Recipe((make("language", languages=["English", "Korean"]),)), identify=real)  # fmt: skip
    assert made.dropped["reason"].tolist() == ["written in French"]


def test_text_quality_drops_what_is_no_prose_and_names_signal_and_value():
    texts = [ENGLISH, KOREAN, "좋아요 정말 좋아요", "你好，这个水壶很好用，我很喜欢。", "ok", "!!! *** --- ### $$$ ok yes", "1234 5678 9012 ab",
             "BUY NOW LIMITED OFFER", "line\nline\nline\nline", "spam " * 30, "a" * 60 + " b c", None,
             (ENGLISH + " ") * 3]  # fmt: skip
    made = after(table(text=texts), make("quality"))
    assert made.frame["text"].tolist() == texts[:4]
    assert made.dropped["reason"].tolist() == [
        "words below 3 (1)", "letters below 50 % (25 %)", "letters below 50 % (14 %)", "capitals above 80 % (100 %)",
        "repeated lines above 30 % (75 %)", "the most frequent word above 30 % (100 %)", "characters a word above 20 (21)",
        "words below 3 (0)", "repeated passages above 30 % (64 %)",
    ]  # fmt: skip
    assert all(not reason.endswith(")") for reason in made.reports[0].reasons)


def test_signals_off_drop_nothing():
    from core.curate.quality import LIMITS

    off = {name: None for _, *ends in LIMITS for name in ends if name}
    made = after(table(text=["!", None, "1"]), make("quality", **off))
    assert len(made.frame) == 3
    assert describe(make("quality", **off)) == "text by no signal yet"
    with pytest.raises(SettingsError, match="nothing lies between"):
        make("quality", words_from=9, words_to=2)


def test_signals_are_what_their_names_say():
    table = classes()

    def signal(name: str, text: str) -> float:
        return SIGNALS[name](Measured(text, table))

    assert signal("words", "냄비가 좋다 漢字") == 4
    assert signal("word_length", "ab cdef") == 3
    assert signal("letters", "가나 1!") == 0.5
    assert signal("symbols", "a𠀀!😀") == 0.5
    assert signal("digits", "1２ab") == 0.5
    assert signal("capitals", "ABCDEfghij가나") == 0.5
    assert signal("capitals", "ABC") == 0
    assert signal("repeated_lines", "a\n b\na\n\na") == 0.5
    assert signal("common_word", " ".join(["a"] * 6 + list("bcdefg"))) == 0.5
    assert signal("repeated_passages", "a b c d e f g h i j") == 0
    assert all(SIGNALS[name](Measured("", table)) == 0 for name in SIGNALS)


ALL = (
    make("parse", columns=["extra"], parts=["d.Brand"]),
    make("scrub", columns=["text"], characters=["emoji"], patterns=[r"\d{6,} => N"], repeats=True),
    make("missing", columns=["text", "n"], when="all"),
    make("expression", expression='n >= 0 or missing(n) and not "never" in text'),
    make("language", languages=["Korean", "English"], into="language"),
    make("quality", letters_from=0.2),
    make("personal_data", columns=["text"], action="mask"),
    make("personal_data", columns=["extra"], action="flag"),
)


def many(rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame({
        "text": [[KOREAN + " 010-1234-5678", ENGLISH + " mail a@b.co", "!!!", None, "très belle bouilloire à café vraiment"][i % 5] for i in range(rows)],
        "extra": [["<b>x</b>", '["a", "c@d.org"]', None][i % 3] for i in range(rows)],
        "d": ['{"Brand": "소니"}' if i % 2 else None for i in range(rows)],
        "n": [float(i) if i % 4 else np.nan for i in range(rows)],
    })  # fmt: skip


def test_row_steps_are_one_object_that_travels_and_gives_the_same_in_pieces_and_workers():
    from core.io import curating, engine
    from core.io.languages import identify as real

    steps = pickle.loads(pickle.dumps(RowSteps(ALL, curating.tokenizer, identify=real)))
    frame = many()
    whole = curating._spread(steps, frame, engine.crew_of(1), None)
    import pyarrow as pa

    types = {"text": pa.large_string(), "number": pa.float64()}
    writes = {**{name: types[what] for name, what in steps.writes().items()}, "dropped": pa.large_string(), "dropped_by": pa.int32()}
    done = engine.run(steps, frame, writes, told=("dropped", "dropped_by"), workers=2, chunk=25)
    pieces, every = done.frame, engine.run(steps, frame, writes, chunk=25).frame
    pd.testing.assert_frame_equal(whole.frame, pieces)
    pd.testing.assert_frame_equal(every[every["dropped"].isna()].drop(columns=["dropped", "dropped_by"]), pieces)
    pd.testing.assert_series_equal(whole.dropped, every["dropped"])
    pd.testing.assert_series_equal(done.told["dropped_by"], every["dropped_by"])
    assert whole.dropped.notna().any()
    whole = whole.frame
    assert (whole["extra"].isna() | whole["personal_data"].isna() | (whole["personal_data"] == "emails")).all()
    assert "[PHONE]" in whole["text"].tolist()[0]


def test_row_steps_together_stand_an_empty_table_and_numbers_among_texts():
    made = after(many(0).astype({"text": object, "extra": object, "d": object}), *ALL)
    assert len(made.frame) == 0
    odd = pd.DataFrame({"text": pd.Series([12.5, KOREAN, None, True, ["a", "b"]], dtype=object), "extra": [1, 2, 3, 4, 5],
                        "d": [None] * 5, "n": [1, 2, 3, 4, 5]})  # fmt: skip
    made = after(odd, *ALL)
    assert made.frame["text"].tolist() == [KOREAN]
    assert len(made.dropped) == 4
