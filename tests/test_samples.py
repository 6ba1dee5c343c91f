"""The samples are what they promise: seeded, of any size, planted as said, and only to be answered by reading."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.curate.duplicates import near_duplicates, texts_of
from core.curate.leakage import leakage
from core.load.read import read
from core.load.samples import facts, price, stars
from core.load.samples.registry import SAMPLES
from core.reading import read_amount

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    return price.make()


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    return stars.make()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_seed_gives_the_same_rows_and_another_seed_others(name):
    make = SAMPLES[name].make
    pd.testing.assert_frame_equal(make(60, 3), make(60, 3))
    assert not make(60, 3).equals(make(60, 4))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("rows", [1, 2, 7, 26, 301, 1_201])
def test_any_number_of_rows_can_be_made(name, rows):
    sample = SAMPLES[name]
    frame = sample.make(rows, 0)
    assert len(frame) == rows
    assert set(sample.roles.inputs()) | {sample.roles.target, sample.roles.split} <= set(frame.columns)
    assert frame[sample.roles.target].notna().all()
    assert all(isinstance(cell, str) or cell != cell for column in frame for cell in frame[column].head(50).tolist())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_thumbnail_is_the_picture_of_the_rows_at_seed_0(name):
    sample = SAMPLES[name]
    assert sample.thumbnail == tuple(sample.picture(sample.make(sample.rows, 0)))


@pytest.mark.parametrize(("name", "test"), [("price", 500), ("stars", 500), ("facts", 240)])
def test_the_test_rows_are_as_many_as_the_card_says(name, test):
    sample = SAMPLES[name]
    split = Counter(sample.make(sample.rows, 0)["split"])
    assert split["test"] == test
    assert f"{test} test" in sample.facts
    assert split["train"] > 1_500
    assert split["validation"] >= 160


@pytest.mark.parametrize(("name", "file"), [("price", "price.jsonl"), ("stars", "stars.csv"), ("facts", "facts.csv")])
def test_the_examples_are_the_first_40_rows_of_seed_0(name, file):
    path = EXAMPLES / file
    found = read(path.name, path.read_bytes()).frame
    want = SAMPLES[name].make(40, 0)
    assert list(found.columns) == list(want.columns)
    for column in want:
        assert [_plain(cell) for cell in found[column].tolist()] == [_plain(cell) for cell in want[column].tolist()], column


def _plain(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)


def test_listings_have_the_raw_shape_of_marketplace_metadata(listings):
    assert list(listings.columns) == ["title", "category", "description", "features", "details", "price", "split"]
    assert all(isinstance(json.loads(cell), list) for column in ("description", "features") for cell in listings[column])
    details = [json.loads(cell) for cell in listings["details"].dropna()]
    assert 0.04 < listings["details"].isna().mean() < 0.12
    assert all(len(word := one["Item model number"]) >= 7 and any(c.isdigit() for c in word) for one in details)
    assert sum("Batteries Included?" in one for one in details) > 4_000
    assert all(len(one["Best Sellers Rank"]) == 1 for one in details)
    shares = listings["category"].value_counts(normalize=True)
    assert 0.57 < shares.iloc[0] < 0.64
    assert shares.iloc[-1] < 0.05
    prices = listings["price"].tolist()
    for shape in ("None", "from "):
        assert 50 < sum(cell.startswith(shape) for cell in prices) < 1_000
    assert sum(cell.startswith("$") for cell in prices) > 1_000
    assert any("," in cell for cell in prices)
    assert sum(cell[0].isdigit() for cell in prices) > 1_000


REMOVED = ['"Batteries Included?": "No"', '"Batteries Included?": "Yes"', '"Batteries Required?": "No"', '"Batteries Required?": "Yes"', "By Manufacturer",
           "Item", "Date First", "Package", ":", "Number of", "Best Sellers", "Number", "Product "]  # fmt: skip


def _scrubbed(text: str) -> str:
    text = re.sub(r'[:\[\]"{}【】\s]+', " ", text).strip().replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    return " ".join(word for word in text.split(" ") if len(word) < 7 or not any(c.isdigit() for c in word))


def _recipe(row: dict[str, str], encoding) -> tuple[float, str]:
    """The pricing recipe: price, more than 300 characters, scrubbed, more than 150 tokens, cut at 160; NaN where a window drops it."""
    amount = read_amount(row["price"])
    contents = "".join("\n".join(part) + "\n" for part in (json.loads(row["description"]), json.loads(row["features"])) if part)
    if row["details"] == row["details"]:
        contents += reduce(lambda text, phrase: text.replace(phrase, ""), REMOVED, row["details"]) + "\n"
    tokens = encoding.encode(f"{_scrubbed(row['title'])}\n{_scrubbed(contents[:1120])}")
    if amount is None or not 0.5 <= amount <= 999.49 or len(contents) <= 300 or len(tokens) <= 150:
        return np.nan, ""
    return amount, encoding.decode(tokens[:160])


@pytest.fixture(scope="module")
def kept(listings) -> pd.DataFrame:
    """What is left of the listings after the recipe: usd, text, split."""
    import bpe_openai
    import tiktoken

    encoding = tiktoken.Encoding(**bpe_openai.registry.cl100k_base())
    frame = pd.DataFrame([_recipe(row, encoding) for row in listings.to_dict("records")], columns=["usd", "text"])
    return frame.assign(split=listings["split"])[frame["usd"].notna()]


def test_all_test_listings_pass_the_windows_and_a_third_of_all_rows_does_not(listings, kept):
    assert (kept["split"] == "test").sum() == 500
    assert (kept["split"] == "validation").sum() == 500
    assert 0.27 < 1 - len(kept) / len(listings) < 0.40


def test_slots_of_the_rounded_price_fill_up_when_more_rows_are_asked_for(kept):
    fullest = kept["usd"].round().value_counts().iloc[0]
    assert 0.02 * len(kept) < fullest < 0.08 * len(kept), "a cap of 1,200 is reached at about 40,000 rows"


def test_words_tell_much_of_a_price_but_not_all(kept):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import Ridge

    train, test = kept[kept["split"] == "train"], kept[kept["split"] == "test"]
    words = CountVectorizer(min_df=3)
    model = Ridge(1.0).fit(words.fit_transform(train["text"]), np.log(train["usd"]))
    bag = np.abs(np.exp(model.predict(words.transform(test["text"]))) - test["usd"]).mean()
    constant = np.abs(train["usd"].median() - test["usd"]).mean()
    assert 0.2 * constant < bag < 0.6 * constant


def test_what_is_planted_in_the_listings_is_counted_as_said(listings):
    plan = price.planted()
    assert {name: len(pairs) for name, pairs in plan.items()} == price.PAIRS
    rows = [row for pairs in plan.values() for pair in pairs for row in pair]
    assert len(rows) == len(set(rows))
    split, text = listings["split"], texts_of(listings, SAMPLES["price"].roles.text)
    assert all(split[test] == "test" and split[train] == "train" for test, train in plan["leaks"])
    assert all(text[a] == text[b] and listings["price"][a] == listings["price"][b] for a, b in plan["exact"])
    assert all(text[a] == text[b] and listings["price"][a] != listings["price"][b] for a, b in plan["conflicts"])
    assert all(text[a] != text[b] for a, b in plan["near"])
    assert sum(text[a] == text[b] for a, b in plan["leaks"]) == 12


def test_finders_find_what_was_planted_after_shuffling_and_renaming(listings):
    names = {"title": "제목", "description": "b", "features": "c", "details": "d"}
    order = np.random.default_rng(5).permutation(len(listings))
    mixed = listings.iloc[order].rename(columns=names).reset_index(drop=True)
    place = {int(row): at for at, row in enumerate(order)}
    plan = price.planted()
    test = mixed[mixed["split"] == "test"]
    train = mixed[mixed["split"] == "train"]
    report = leakage(train, test, list(names.values()))
    found = {(int(train.index[a]), int(test.index[b])) for name in ("exact", "near") for a, b in report.levels[name].pairs if a is not None}
    assert {(place[b], place[a]) for a, b in plan["leaks"]} <= found
    assert report.levels["exact"].count == 12
    assert report.levels["near"].count == 11
    assert report.verdict == "blocked"
    some = sorted({place[row] for name in ("exact", "near", "conflicts") for pair in plan[name] for row in pair} | set(range(0, 6000, 6)))
    near = {tuple(pair) for pair in near_duplicates(texts_of(mixed.iloc[some], list(names.values()))).tolist()}
    where = {row: at for at, row in enumerate(some)}
    wanted = {tuple(sorted((where[place[a]], where[place[b]]))) for name in ("exact", "near", "conflicts") for a, b in plan[name]}
    assert wanted <= near
    assert len(near - wanted) < 30


def _stars(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    text = frame["title"] + "\n" + frame["body"]
    train, test = frame["split"] == "train", frame["split"] == "test"
    return text[train], frame["stars"][train], text[test], frame["stars"][test]


def test_stars_are_not_told_by_the_majority_or_by_a_list_of_words(reviews):
    train, train_stars, test, test_stars = _stars(reviews)
    assert (test_stars == train_stars.mode()[0]).mean() < 0.55
    good = {
        "good",
        "great",
        "wonderful",
        "perfect",
        "love",
        "like",
        "happy",
        "better",
        "praise",
        "joy",
        "smooth",
        "warm",
        "steady",
        "easy",
        "light",
        "trust",
        "best",
        "keeps",
        "never",
        "stays",
    }
    bad = {
        "bad",
        "worse",
        "terrible",
        "hate",
        "complain",
        "regrets",
        "useless",
        "fault",
        "unhappy",
        "wrong",
        "sticks",
        "loud",
        "flimsy",
        "wobbly",
        "pity",
        "failure",
        "always",
        "not",
        "slow",
    }

    def score(text: str) -> int:
        return sum((word in good) - (word in bad) for word in text.lower().replace(".", " ").replace(",", " ").split())

    best: dict[int, str] = {}
    for value in {score(text) for text in train}:
        best[value] = Counter(s for text, s in zip(train, train_stars, strict=True) if score(text) == value).most_common(1)[0][0]
    right = np.mean([best.get(score(text), "5") == s for text, s in zip(test, test_stars, strict=True)])
    assert right < 0.55, "even with the best star for every sum of good and bad words"


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)])
def test_stars_need_reading_counting_words_stays_under_75_percent(reviews, ngrams):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, train_stars, test, test_stars = _stars(reviews)
    words = TfidfVectorizer(ngram_range=ngrams, sublinear_tf=True, max_features=6_000)
    model = LogisticRegression(C=3, max_iter=200).fit(words.fit_transform(train), train_stars)
    right = (model.predict(words.transform(test)) == test_stars).mean()
    assert (test_stars == "5").mean() + 0.1 < right < 0.75


def test_reviews_tell_the_same_words_in_both_directions():
    from core.load.samples import stars_words as words

    for structure in (*words.ONE_SIDED, *words.WEIGHED):
        assert structure.lower().count("{a}") == structure.lower().count("{b}") == 1, structure


def test_no_review_stands_twice_and_none_leaks(reviews):
    assert not reviews["body"].duplicated().any()
    train, test = reviews[reviews["split"] != "test"], reviews[reviews["split"] == "test"]
    assert leakage(train, test, ["title", "body"], target="stars").verdict == "clean"


def test_facts_are_80_four_per_entity_in_two_languages():
    frame = facts.make()
    assert frame["fact_id"].nunique() == 80
    assert frame.groupby("entity")["fact_id"].nunique().eq(4).all()
    assert frame.groupby("fact_id")["language"].nunique().eq(2).all()
    assert frame.groupby(["fact_id", "language"])["answer"].nunique().eq(1).all()
    assert frame["answer"].str.split().str.len().between(1, 4).all()
    train = frame[frame["split"] == "train"]
    assert set(train["variant"]) == {f"template {i}" for i in range(1, 11)}
    assert train.groupby(["fact_id", "language"]).size().eq(10).all()
    assert Counter(frame.loc[frame["split"] == "test", "language"]) == {"en": 120, "ko": 120}


def test_no_question_stands_twice_and_test_phrasings_are_new():
    frame = facts.make()
    assert not frame["question"].duplicated().any()
    train, test = frame[frame["split"] == "train"], frame[frame["split"] == "test"]
    report = leakage(train, test, ["question"], target="answer")
    assert report.verdict == "clean", {name: level.count for name, level in report.levels.items()}
    for relation in facts.ASKED:
        for language in ("en", "ko"):
            asked = facts.ASKED[relation][language]
            assert len(asked) == 13 == len(set(asked))


def test_korean_names_are_as_many_as_latin_ones_and_take_their_particles():
    frame = facts.make(10_000, 1)
    korean = frame[frame["language"] == "ko"].groupby("entity")["question"].first()
    assert korean.nunique() == len(korean)
    assert not frame["question"].str.contains(r"[{}]").any()
    assert [facts.particle("리다리", which) for which in "은이을과의에"] == [
        "리다리는",
        "리다리가",
        "리다리를",
        "리다리와",
        "리다리의",
        "리다리에",
    ]
    assert [facts.particle("로린", which) for which in "은이을과의에"] == ["로린은", "로린이", "로린을", "로린과", "로린의", "로린에"]
