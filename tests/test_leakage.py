"""Leaks that were planted are found at their level, and nothing else is."""

from __future__ import annotations

import json
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.curate.leakage import BLOCKING, LEVELS, leakage
from core.curate.leaks import leaks
from core.curate.passages import contained, shared_runs
from core.curate.recipe import Recipe
from core.curate.steps import make
from core.errors import DataError
from core.io import curating, store
from core.version import Roles
from tests.doubles import shared


def vocabulary(korean: bool) -> list[str]:
    rng = np.random.default_rng(9)
    letters = list("가나다라마바사아자차카타파하거너더러머버서어") if korean else list("abcdefghijklmnopqrstuvwxyzé")
    return ["".join(rng.choice(letters, int(rng.integers(2, 5 if korean else 9)))) for _ in range(3_000)]


def planted(train_rows: int, test_rows: int, *, korean: bool = False, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test rows 0-49 equal train rows 0-49, 50-99 are mangled copies, 100-149 have one word edited, 150-169 share a group."""
    rng = np.random.default_rng(seed)
    words = vocabulary(korean)
    train, test = ([" ".join(rng.choice(words, int(rng.integers(30, 90)))) + "." for _ in range(n)] for n in (train_rows, test_rows))
    for row in range(50):
        test[row] = train[row]
        test[50 + row] = unicodedata.normalize("NFD", train[50 + row].upper()).replace(" ", "  ").replace(".", " !")
        edited = train[100 + row].split(" ")
        edited[int(rng.integers(len(edited)))] = "edit" if not korean else "고침"
        test[100 + row] = " ".join(edited)
    groups = [f"g{i}" for i in range(train_rows)], [f"h{i}" for i in range(test_rows)]
    groups[1][150:170] = groups[0][150:170]
    return pd.DataFrame({"text": train, "family": groups[0]}), pd.DataFrame({"text": test, "family": groups[1]})


def rows_at(report, level: str) -> set[int]:
    return {test for _, test in report.levels[level].pairs}


@pytest.mark.parametrize("korean", [False, True])
def test_planted_leaks_are_found_at_their_level(korean):
    train, test = planted(1_000, 670, korean=korean)
    report = leakage(train, test, ["text"], group="family")
    for level, first, wanted in (("exact", 0, 0.98), ("normalized", 50, 0.98), ("near", 100, 0.95)):
        pairs = set(report.levels[level].pairs)
        assert len({(row, row) for row in range(first, first + 50)} & pairs) >= wanted * 50, level
    assert rows_at(report, "group") == set(range(150, 170))
    innocent = {test for level in LEVELS for test in rows_at(report, level) if test >= 170}
    assert len(innocent) <= 0.01 * 500
    assert report.verdict == "blocked"
    assert set(report.offenders()) >= set(range(50))


def test_ten_thousand_by_two_thousand_do_not_hang():
    train, test = planted(10_000, 2_000)
    begin = time.process_time()
    report = leakage(train, test, ["text"], group="family")
    assert time.process_time() - begin < 60
    assert report.levels["exact"].count == report.levels["normalized"].count == 50


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_nothing_but_their_numbers(seed):
    train, test = planted(300, 200, seed=1)
    train.loc[5, "text"] = None
    test.loc[180:185, "text"] = ""
    rng = np.random.default_rng(seed)
    a, b = rng.permutation(len(train)), rng.permutation(len(test))
    one = leakage(train, test, ["text"], group="family")
    two = leakage(train.iloc[a].rename(columns={"text": "본문"}), test.iloc[b].rename(columns={"text": "본문"}), ["본문"], group="family")
    for level in LEVELS:
        back = {(int(a[i]), int(b[j])) for i, j in two.levels[level].pairs if i is not None}
        assert back == set(one.levels[level].pairs), level
        assert one.levels[level].count == two.levels[level].count
    assert one.offenders() == sorted(int(a[row]) for row in two.offenders())


def test_a_test_row_counts_once_at_its_strictest_level():
    train, test = planted(300, 200)
    report = leakage(train, test, ["text"], group="family")
    rows = [row for level in LEVELS for row in rows_at(report, level)]
    assert len(rows) == len(set(rows)) == sum(level.count for level in report.levels.values())


def test_blank_texts_leak_nothing():
    frame = pd.DataFrame({"text": ["", None, "   ", float("nan")]})
    report = leakage(frame, frame, ["text"])
    assert report.verdict == "clean"
    assert all(level.count == 0 for level in report.levels.values())


def test_a_long_passage_inside_another_text_is_a_substring():
    words = vocabulary(False)
    rng = np.random.default_rng(2)
    page = " ".join(rng.choice(words, 400))
    question = " ".join(page.split()[100:140])
    train = pd.DataFrame({"t": [page, " ".join(rng.choice(words, 400))]})
    test = pd.DataFrame({"t": [question, " ".join(rng.choice(words, 40)), " ".join([*rng.choice(words, 10), *question.split()[:30]])]})
    report = leakage(train, test, ["t"])
    assert report.levels["substring"].pairs == ((0, 0), (0, 2))
    assert report.verdict == "warn"
    assert report.offenders() == []


def one_of_each() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Two parts of one table, and the test row that only one level can catch, for every level."""
    rng = np.random.default_rng(11)
    words = vocabulary(False)
    text = [" ".join(rng.choice(words, 60)) for _ in range(120)]
    rows = pd.DataFrame({"text": text, "family": [f"f{i}" for i in range(120)], "day": [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(120)],
                         "answer": [f"secret{i}" for i in range(120)], "parent_row": [None] * 120})  # fmt: skip
    where = dict(zip(LEVELS, range(100, 108), strict=True))
    rows.loc[where["exact"], "text"] = text[0]
    rows.loc[where["normalized"], "text"] = unicodedata.normalize("NFD", text[1].replace(" ", " - ") + "\u200b!")
    rows.loc[where["near"], "text"] = text[2].rsplit(" ", 1)[0] + " other"
    rows.loc[where["substring"], "text"] = " ".join(text[3].split(" ")[20:50])
    rows.loc[where["group"], "family"] = "f4"
    rows.loc[where["time"], "day"] = "2024-01-02"
    rows.loc[where["answer"], "text"] += f" and it is {rows.loc[where['answer'], 'answer']}."
    rows.loc[[8, where["lineage"]], "parent_row"] = 300.0
    return rows.iloc[:100], rows.iloc[100:], {level: row - 100 for level, row in where.items()}


@pytest.mark.parametrize("recased", [False, True])
def test_each_level_catches_what_no_other_can(recased):
    train, test, where = one_of_each()
    if recased:
        test = test.assign(text=test["text"].str.upper())
        where = {**where, "exact": -1}
    for seed in range(2):
        shuffled = np.random.default_rng(seed).permutation(len(test))
        names = {"text": "본문", "family": "maker", "day": "sold on", "answer": "Ziel", "parent_row": "origin"}
        report = leakage(train.rename(columns=names).sample(frac=1, random_state=seed), test.rename(columns=names).iloc[shuffled], ["본문"],
                         group="maker", time="sold on", parent="origin", target="Ziel", same_table=True)  # fmt: skip
        found = {level: {int(shuffled[row]) for row in rows_at(report, level)} for level in LEVELS}
        if recased:
            found["normalized"] -= {0}
        assert found == {level: {row} if row >= 0 else set() for level, row in where.items()}
        assert sorted(shuffled[row] for row in report.leaked_rows()) == [LEVELS.index(level) for level in LEVELS if level in BLOCKING]


def test_many_equal_rows_on_both_sides_are_all_told_and_few_pairs_are_listed():
    train, test = (pd.DataFrame({"t": ["one and the same review"] * n, "g": ["g"] * n}) for n in (20_000, 5_000))
    report = leakage(train, test, ["t"], group="g")
    assert report.levels["exact"].count == 5_000
    assert len(report.levels["exact"].pairs) == 20 * 5_000
    assert len(report.offenders()) == 20_000
    parts = np.array(["train"] * 20_000 + ["test"] * 5_000)
    found = leaks(pd.concat([train, test], ignore_index=True), parts, ["t"])
    assert (found.test_rows, len(found.reasons)) == (5_000, 20_000)


def test_whoever_moves_leaks_of_a_crowd_of_alike_rows_has_moved_all_of_them():
    rng = np.random.default_rng(8)
    words = vocabulary(False)
    formula = " ".join(rng.choice(words, 70))
    frame = pd.DataFrame({"t": [f"{formula} {' '.join(rng.choice(words, 3))}" for _ in range(900)]})
    parts = np.array(["test" if row % 30 == 0 else "train" for row in range(900)])
    found = leaks(frame, parts, ["t"])
    assert set(found.reasons) == set(np.flatnonzero(parts == "train").tolist())


def test_a_child_of_a_child_belongs_to_the_row_both_go_back_to():
    table = pd.DataFrame({"t": ["alpha says", "beta tells", "gamma knows", "delta"], "parent_row": [None, 0, 1, None]})
    parts = np.array(["test", "test", "train", "train"])
    assert list(leaks(table, parts, ["t"], parent="parent_row").reasons) == [2]
    report = leakage(table.iloc[2:], table.iloc[:2], ["t"], parent="parent_row", same_table=True)
    assert set(report.levels["lineage"].pairs) == {(0, 0), (0, 1)}


def test_a_row_that_blocks_blocks_although_it_is_counted_at_a_milder_level():
    table = pd.DataFrame({"t": ["alpha says so", "beta tells"], "day": ["2024-03-01", "2024-01-01"], "parent_row": [None, 0]})
    report = leakage(table.iloc[:1], table.iloc[1:], ["t"], time="day", parent="parent_row", same_table=True)
    assert (report.levels["time"].count, report.levels["lineage"].count) == (1, 0)
    assert (report.verdict, report.leaked, report.leaked_rows(), report.offenders()) == ("blocked", 1, [0], [0])


def test_a_saved_version_keeps_what_the_gate_found_at_every_level(home):
    train, test, _ = one_of_each()
    frame = pd.concat([train, test], ignore_index=True).assign(split=["train"] * 100 + ["test"] * 20, parent_row=None)
    frame = frame.astype({"parent_row": "str"})
    roles = Roles(text=("text",), target="answer", group="family", time="day", split="split")
    version = store.save("Planted", frame, title="Import", roles=roles, task="qa", source_hash="planted")
    recipe = Recipe((make("shuffle"),))
    with pytest.raises(DataError, match="3 test rows are also in train"):
        curating.save(version, recipe)
    kept = curating.save(version, recipe, leaks=True)
    assert kept.leak == "blocked"
    assert kept.source["leakage"] == {"verdict": "blocked", **dict.fromkeys(LEVELS[:-1], 1), "lineage": 0}
    texts = store.frame(kept, ["text"], "test")["text"].tolist()
    assert {texts[place] for place in kept.source["leaked_places"]} == set(test["text"].tolist()[:3])
    moved = curating.save(version, Recipe((make("move_leaks"),)))
    assert moved.leak == "warn"
    assert moved.splits == {"train": 97, "test": 20}


def test_a_formula_that_many_rows_share_is_no_passage():
    words = vocabulary(False)
    rng = np.random.default_rng(4)
    formula = " ".join(rng.choice(words, 60))
    texts = [f"{formula} {' '.join(rng.choice(words, 40))}" for _ in range(30)]
    assert shared_runs(texts[:20], texts[20:]) == []
    assert len(shared_runs(texts[:5], texts[20:])) == 5 * 10


def test_a_text_in_a_script_without_spaces_is_found_inside_another():
    inner = "이문장은띄어쓰기가전혀없지만충분히길어서다른문서안에그대로들어있을때찾을수있어야합니다그래서오십자를넘깁니다끝"
    assert contained([inner, "짧다"], ["앞말 " + inner + " 뒷말", "다른 글"]) == [(0, 0)]
    assert contained([], ["x"]) == contained(["y" * 60], []) == []


def test_time_tells_test_rows_that_are_not_later_than_train():
    train = pd.DataFrame({"t": ["first text here", "second text here"], "day": ["2024-01-05", "2024-03-01"]})
    test = pd.DataFrame({"t": ["a third one", "and a fourth", "fifth, no date"], "day": ["2024-02-01", "2024-04-01", None]})
    report = leakage(train, test, ["t"], time="day")
    assert report.levels["time"].pairs == ((1, 0),)
    assert report.verdict == "warn"


def test_an_answer_in_the_test_text_is_told():
    train = pd.DataFrame({"q": ["one", "two"], "a": ["Lisbon", "Porto"]})
    test = pd.DataFrame(
        {"q": ["Is Madrid the capital where Madrid lies?", "Where is Rome?", "What of ulm?"], "a": ["Madrid", "Paris", "ul"]}
    )
    report = leakage(train, test, ["q"], target="a")
    assert report.levels["answer"].pairs == ((None, 0),)


def test_a_price_counts_as_told_when_it_is_written_as_money():
    prices = ["12.50", "30", "1,299.00", "7.25", "99"]
    texts = ["Now 12.50 only", "needs 30 screws", "was $1,299 before", "weighs 7.255 pounds", "costs $99 today"]
    test = pd.DataFrame({"t": texts, "price": prices})
    train = pd.DataFrame({"t": ["another thing"], "price": ["5"]})
    report = leakage(train, test, ["t"], target="price")
    assert [row for _, row in report.levels["answer"].pairs] == [0, 2, 4]


def test_labels_in_a_text_are_no_leak():
    test = pd.DataFrame({"t": [f"a good text number {i}" for i in range(30)], "label": ["good", "poor"] * 15})
    assert leakage(test.iloc[:0], test, ["t"], target="label").verdict == "clean"


def test_children_and_parents_must_stand_on_one_side():
    table = pd.DataFrame({"t": [f"row {i} says {w}" for i, w in enumerate(["alpha", "beta", "gamma", "delta", "epsilon"])],
                          "parent_row": [None, None, 0, 1, 1]})  # fmt: skip
    train, test = table.iloc[[2, 1, 3]], table.iloc[[0, 4]]
    report = leakage(train, test, ["t"], parent="parent_row", same_table=True)
    assert set(report.levels["lineage"].pairs) == {(0, 0), (1, 1), (2, 1)}
    assert report.verdict == "blocked"
    files = leakage(train.reset_index(drop=True), test.reset_index(drop=True), ["t"], parent="parent_row")
    assert files.levels["lineage"].pairs == ((2, 1),), "rows of two files are told apart; only siblings are recognised"


def test_a_column_that_one_table_lacks_is_named():
    with pytest.raises(DataError, match="'family'"):
        leakage(pd.DataFrame({"t": ["a"]}), pd.DataFrame({"t": ["b"]}), ["t"], group="family")


def test_the_command_prints_exactly_the_documented_keys(tmp_path, capsys):
    train, test = planted(300, 200)
    train.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    assert main(["leakage", str(tmp_path / "train.csv"), str(tmp_path / "test.csv"), "--on", "text", "--group", "family", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["exact", "normalized", "near", "substring", "group", "time", "answer", "lineage", "verdict"]
    assert all(set(found[level]) == {"count", "pairs"} for level in LEVELS)
    assert found["exact"]["pairs"][:2] == [[1, 1], [2, 2]]
    assert found["verdict"] == "blocked"


def test_the_command_says_what_was_not_there(tmp_path, capsys):
    for name, column in (("a.csv", "t"), ("b.csv", "u")):
        pd.DataFrame({column: ["some text", "more text"]}).to_csv(tmp_path / name, index=False)
    assert main(["leakage", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--json"]) == 1
    assert "no column in common" in capsys.readouterr().err


def test_real_questions_in_two_halves_share_almost_nothing():
    data = json.loads(shared("korquad/KorQuAD_v1.0_dev.json").read_text(encoding="utf-8"))
    questions = [q["question"] for one in data["data"] for paragraph in one["paragraphs"] for q in paragraph["qas"]]
    frame = pd.DataFrame({"question": questions})
    report = leakage(frame.iloc[::2], frame.iloc[1::2], ["question"])
    assert report.leaked < 0.02 * len(frame)


def test_scores_can_be_told_on_clean_rows_alone(home):
    from core.compare.slices import by_leak
    from core.io import curating, store
    from core.version import Roles

    rows = [(f"listing number {i} of a shop with its own words {i * 7919}", float(i), "train") for i in range(40)]
    rows += [(f"another thing altogether {i * 104729} for the test", float(i), "test") for i in range(9)]
    rows += [(rows[3][0].upper(), 3.0, "test")]
    frame = pd.DataFrame(rows, columns=["text", "price", "split"])
    version = store.save("Shop", frame, title="Import", roles=Roles(text=("text",), target="price", split="split"), task="regression",
                         source_hash="shop")  # fmt: skip
    assert curating.leaked_places(version) == [9]
    board = type("Board", (), {"index": np.array([0, 4, 9])})()
    names, order = by_leak(board, curating.leaked_places(version))
    assert [names[place] for place in (0, 4, 9)] == [order[0], order[0], order[1]]
