"""The merged text of a difference holds both texts, and marks exactly what they do not share."""

from __future__ import annotations

import random

import pytest

from core.curate.difference import MOST, difference


def sides(before: str, after: str) -> tuple[str, str]:
    """What is left of the merged text without the added, and without the removed stretches."""
    text, spans = difference(before, after)
    out = []
    for leave in ("added", "removed"):
        kept, at = "", 0
        for start, end, mark in spans:
            kept += text[at:start] + ("" if mark == leave else text[start:end])
            at = end
        out.append(kept + text[at:])
    return out[0], out[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("same text", "same text"),
        ("<b>bold</b> move", "bold move"),
        ("a a a a", "a a"),
        ("영화 정말  좋아요!!", "영화 좋아요!"),
        ("only before", ""),
        ("", "only after"),
        ("Price : 12 , each", "Price 12, each"),
        ("e\u0301 = é 😀", "é = é"),
    ],
)
def test_both_texts_stand_in_the_merged_one(before, after):
    assert sides(before, after) == (before, after)


def test_only_what_differs_is_marked():
    text, spans = difference("keep <br /> this", "keep  this")
    assert "".join(text[start:end] for start, end, _ in spans).strip(" ") == "<br />"
    assert {mark for _, _, mark in spans} == {"removed"}
    assert difference("same", "same")[1] == []


def test_random_edits_never_lose_a_character():
    draw = random.Random(3)
    for _ in range(60):
        words = [draw.choice(["red", "blue", " ", ",", "12", "가나"]) for _ in range(draw.randint(0, 40))]
        other = [word for word in words if draw.random() > 0.3] + [draw.choice(["new", " "])]
        assert sides("".join(words), "".join(other)) == ("".join(words), "".join(other))


def test_texts_with_too_much_between_them_are_replaced_as_a_whole():
    n = int(MOST**0.5)
    before, after = "begin " + "x " * n + "end", "begin " + "y " * n + "end"
    assert sides(before, after) == (before, after)
    assert [mark for _, _, mark in difference(before, after)[1]] == ["removed", "added"]
