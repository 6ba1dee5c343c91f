"""How varied texts are before and after, and what is new: figures checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.variety import compared, mean_distance, spelled, words


def test_distinct_n_vocabulary_and_novelty_are_what_counting_by_hand_gives() -> None:
    found = compared(["a b a b", "a c"], ["a b d", "d d"])
    assert found.before.distinct == pytest.approx((3 / 6, 3 / 4, 2 / 2))  # ab ba ab ac; aba bab
    assert (found.before.words, found.before.vocabulary, found.after.words, found.after.vocabulary) == (6, 3, 11, 4)
    assert (found.novelty.words, found.novelty.pairs, found.novelty.triples) == pytest.approx((1 / 3, 2 / 3, 1.0))


def test_before_and_after_are_compared_over_the_same_number_of_words() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 60, 30)) for _ in range(40)]
    found = compared(texts[:20], texts[20:])
    assert found.before.over == found.after.over == 600
    assert found.before.distinct[1] == pytest.approx(found.after.distinct[1], abs=0.06)
    whole = compared(texts, []).before
    assert whole.distinct[1] < found.after.distinct[1]  # over 1,200 words it falls


def test_copies_lower_every_figure_and_bring_nothing_new() -> None:
    texts = ["the kettle is lovely and warm", "a drill that never stops", "my lamp broke on day one"]
    found = compared(texts, texts * 3)
    assert (found.novelty.words, found.novelty.pairs, found.novelty.triples) == (0.0, 0.0, 0.0)
    assert found.after.vocabulary == found.before.vocabulary
    assert found.after.spread < found.before.spread


def test_spread_is_one_minus_the_mean_cosine_of_all_pairs() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0]], "float32")
    assert mean_distance(vectors) == pytest.approx(1 - 1 / 3)
    assert mean_distance(vectors[:1]) is None
    assert mean_distance(spelled(["same words", "same words"])) == pytest.approx(0, abs=1e-6)
    assert mean_distance(spelled(["초록 램프가 있나요", "kettle and drum"])) > 0.9


def test_an_encoder_decides_the_spread_where_one_is_given() -> None:
    def encode(texts):
        return np.tile(np.array([[1.0, 0.0]], "float32"), (len(texts), 1))

    found = compared(["a b", "c d"], ["e f"], encode=encode)
    assert (found.by, found.before.spread) == ("meaning", 0.0)
    assert compared(["a b", "c d"], []).by == "spelling"


def test_words_of_korean_and_chinese_are_counted() -> None:
    assert words("초록 램프가, 있나요?") == ["초록", "램프가", "있나요"]
    assert words("我喜欢 tea") == ["我", "喜", "欢", "tea"]


def test_nothing_written_is_no_error() -> None:
    found = compared(["one two three"], [])
    assert found.novelty.words is None
    assert found.before.spread is None
    assert compared([], []).before.distinct == (None, None, None)
