"""Finders of rows that say the same: none missed at the threshold, none invented, whatever the script and the order."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curate import minhash
from core.curate.conflicts import conflicts, usual
from core.curate.duplicates import clusters, exact, groups_of, members, near_duplicates, normal, normalized, repeated, texts_of
from core.curate.minhash import grams, jaccard, similar
from core.errors import DataError, SettingsError

WORDS = [
    f"{a}{b}{c}" for a in ("mel", "tor", "가나", "vex", "쿠") for b in ("in", "ola", "다라", "u") for c in ("st", "kem", "로", "a", "éd")
]


def shingles(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def truth(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """Every pair compared, by sets of strings."""
    sets = [shingles(text) for text in texts]
    found = set()
    for j in range(len(texts)):
        for i in range(j):
            if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold:
                found.add((i, j))
    return found


def documents(count: int, seed: int, edits: int = 8) -> list[str]:
    """Random texts, every second one followed by a copy with up to `edits` words changed: pairs on both sides of 0.8."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    while len(texts) < count:
        words = [str(word) for word in rng.choice(WORDS, int(rng.integers(12, 60)))]
        texts.append(" ".join(words))
        for _ in range(int(rng.integers(0, edits))):
            words[int(rng.integers(len(words)))] = str(rng.choice(WORDS))
        texts.append(" ".join(words))
    return texts[:count]


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9])
def test_near_duplicates_are_exactly_the_pairs_at_the_threshold(threshold):
    texts = documents(240, seed=1)
    want = truth(texts, threshold)
    assert len(want) > 30
    assert {tuple(pair) for pair in near_duplicates(texts, threshold).tolist()} == want


def test_the_jaccard_of_fingerprints_is_the_jaccard_of_strings():
    texts = [*documents(40, seed=2), "", "a", "abcd", "abcde", "가나다", "😀😀😀😀😀😀"]
    sets = grams(texts)
    for i in range(0, len(texts), 3):
        for j in range(len(texts)):
            a, b = shingles(texts[i]), shingles(texts[j])
            assert jaccard(sets[i], sets[j]) == pytest.approx(len(a & b) / len(a | b))


def test_a_pair_of_short_texts_is_near_only_when_equal():
    assert near_duplicates(["ab", "abc", "ab", "네", "네"]).tolist() == [[0, 2], [3, 4]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="ab 가나\n😀é", max_size=12), max_size=14), st.randoms(use_true_random=False))
def test_near_pairs_do_not_depend_on_the_order_of_rows(texts, random):
    order = list(range(len(texts)))
    random.shuffle(order)
    straight = {frozenset((i, j)) for i, j in near_duplicates(texts).tolist()}
    mixed = {frozenset((order[i], order[j])) for i, j in near_duplicates([texts[row] for row in order]).tolist()}
    assert straight == mixed
    filled = [row for row, text in enumerate(texts) if text.strip()]
    assert straight == {frozenset((filled[i], filled[j])) for i, j in truth([texts[row] for row in filled], 0.8)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(alphabet="ab 가\n", max_size=9)), max_size=14), st.integers(0, 14))
def test_pairs_across_a_border_are_those_of_all_pairs_that_cross_it(texts, border):
    border = min(border, len(texts))
    crossing = [[i, j] for i, j in near_duplicates(texts).tolist() if i < border <= j]
    assert near_duplicates(texts, first=border).tolist() == crossing


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(alphabet="aB 가!", max_size=6)), max_size=12))
def test_groups_are_named_by_their_first_row_and_blank_rows_are_alone(texts):
    for finder in (exact, normal, clusters):
        groups = finder(texts)
        assert len(groups) == len(texts)
        for row, group in enumerate(groups.tolist()):
            assert groups[group] == group <= row
            if texts[row] is None or not str(texts[row]).strip():
                assert (groups == row).sum() == 1
    assert all(exact(texts)[row] == exact(texts)[group] for row, group in enumerate(exact(texts).tolist()))


def test_normalisation_ignores_what_carries_no_meaning():
    accents = "Café №５ crème"
    same = [accents, unicodedata.normalize("NFD", accents), accents.upper(), "  café   no5   crème!! ", "ca\u200bfé No５ (crème)"]
    assert len({normalized(text) for text in same}) == 1
    korean = "좋은 가습기입니다. 3리터!"
    assert normalized(korean) == normalized(unicodedata.normalize("NFD", korean)) == "좋은 가습기입니다 3리터"
    assert normalized("128GB blue") != normalized("256GB blue")
    assert normalized("!!!") == "!!!"
    assert normalized("") == ""


def test_near_is_closed_but_pairs_are_not():
    start = "the quick brown fox jumps over the lazy dog while the band plays a slow song for everyone in town tonight"
    step = start.replace("quick", "swift")
    far = step.replace("lazy", "idle").replace("tonight", "at noon")
    pairs = near_duplicates([start, step, far]).tolist()
    assert [0, 1] in pairs
    assert [0, 2] not in pairs
    assert clusters([start, step, far]).tolist() == ([0, 0, 0] if [1, 2] in pairs else [0, 0, 2])


def test_many_equal_texts_are_one_group_at_once():
    texts = ["the same sentence, again and again"] * 20_000 + [None] * 5_000 + [""] * 5_000
    groups = clusters(texts)
    assert repeated(groups).sum() == 19_999
    assert list(members(groups)) == [0]


def test_texts_join_columns_and_missing_cells_add_nothing():
    frame = pd.DataFrame({"a": ["x", None, " ", "7"], "b": [["p", "q"], None, None, 5.0]})
    assert texts_of(frame, ["a", "b"]) == ['x\n["p", "q"]', None, None, "7\n5"]
    with pytest.raises(DataError, match="'c'"):
        texts_of(frame, ["a", "c"])
    with pytest.raises(DataError):
        texts_of(frame, [])


def test_a_threshold_out_of_reach_is_refused():
    with pytest.raises(SettingsError, match=r"0\.2"):
        clusters(["a"], 0.2)


def test_nothing_to_compare_gives_no_pairs():
    assert near_duplicates([]).shape == (0, 2)
    assert near_duplicates(["one text only"]).shape == (0, 2)
    assert near_duplicates([None, "", "  "]).shape == (0, 2)
    assert clusters([]).tolist() == []
    assert similar([], 0.8).shape == (0, 2)


def test_the_ceiling_of_labels_is_the_most_frequent_answer_of_each_group():
    groups = exact(["a", "a", "a", "b", "b", "c", None, None])
    found = conflicts(groups, ["1", "2", "1", "3", "3", "4", "5", "6"])
    assert found.groups == ((0, 1, 2),)
    assert found.disagreeing == 3
    assert found.ceiling == pytest.approx(7 / 8)
    assert found.sentence() == "no model can reach more than 7 of 8"
    assert usual(groups, ["1", "2", "1", "3", "3", "4", "5", "6"]) == {0: "1", 1: "1", 2: "1"}


def test_the_ceiling_of_numbers_is_the_distance_from_each_median():
    groups = exact(["a", "a", "a", "b", "b", "c"])
    found = conflicts(groups, [10.0, 20.0, 90.0, 5.0, 7.0, 1.0])
    assert found.numeric
    assert found.ceiling == pytest.approx((10 + 70 + 2) / 6)
    assert found.sentence("usd") == "no model can miss by less than $13.7"
    assert usual(groups, [10.0, 20.0, 90.0, 5.0, 7.0, 1.0]) == {0: 20.0, 1: 20.0, 2: 20.0, 3: 5.0, 4: 5.0}


def test_a_small_ceiling_is_not_called_zero():
    found = conflicts(exact(["a", "a"] + [str(i) for i in range(998)]), [1.0, 2.0] + [3.0] * 998)
    assert found.sentence("usd") == "no model can miss by less than $0.001"


def test_rows_without_a_target_and_groups_that_agree_are_no_conflict():
    found = conflicts(exact(["a", "a", "b", "b"]), [1.0, None, 2.0, 2.0])
    assert found.groups == ()
    assert found.ceiling == 0
    assert found.rows == 3
    assert found.sentence() == "Rows of equal text agree."


def test_no_predictor_of_texts_beats_the_ceiling():
    rng = np.random.default_rng(3)
    texts = [f"t{i}" for i in rng.integers(0, 30, 200)]
    labels = [str(i) for i in rng.integers(0, 3, 200)]
    found = conflicts(groups_of(texts), labels)
    table = {text: max("012", key=[la for te, la in zip(texts, labels, strict=True) if te == text].count) for text in set(texts)}
    assert np.mean([table[text] == label for text, label in zip(texts, labels, strict=True)]) == pytest.approx(found.ceiling)


def test_texts_that_share_a_long_formula_are_not_all_compared_and_copies_among_them_are_found(monkeypatch):
    rng = np.random.default_rng(5)
    words = ["".join(rng.choice(list("abcdefghilmnoprstuv"), 7)) for _ in range(3_000)]
    formula = " ".join(rng.choice(words, 60))
    texts = [f"{formula} {' '.join(rng.choice(words, 30))}" for _ in range(1_500)]
    for row in range(0, 1_500, 100):
        texts[row + 1] = texts[row].rsplit(" ", 1)[0] + " changed"
    looked: list[int] = []
    likely = minhash._likely
    monkeypatch.setattr(minhash, "_likely", lambda pairs, *rest: (looked.append(len(pairs)), likely(pairs, *rest))[1])
    groups = clusters(texts)
    assert [groups[row + 1] for row in range(0, 1_500, 100)] == list(range(0, 1_500, 100))
    assert repeated(groups).sum() == 15
    assert sum(looked) < 32 * 1_500 * 125


def test_a_chain_of_near_texts_is_one_group_whatever_its_order():
    rng = np.random.default_rng(6)
    chain = [" ".join(rng.choice(WORDS, 60))]
    for step in range(40):
        chain.append(" ".join([*chain[-1].split(" ")[1:], f"new{step}"]))
    order = rng.permutation(len(chain))
    assert clusters([chain[row] for row in order]).tolist() == [0] * len(chain)
