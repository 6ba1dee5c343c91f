"""What single predictors promise beyond the contract, and the tester that runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, SettingsError
from core.io import evaluations, files, jobs, prompting, store, testing
from core.predict.linear import BowLinear, Svm, TfidfLinear
from core.predict.neighbours import Neighbours
from core.predict.noticed import brand, pounds, rank
from core.predict.prompted import FewShot, Prompted, prediction
from core.predict.registry import PREDICTORS, make, names_for
from core.predict.retrieved import Retrieval
from core.predict.trees import TRIAL, Boosting, Forest
from core.predict.trivial import Constant, GroupConstant, Majority
from core.predict.words import wants_characters
from core.prediction import Examples, examples
from core.prompt import Prompt
from core.reply import Reply
from core.version import Roles
from tests.doubles import frame, version

ROLES = Roles(text=("text",), target="answer", category="kind")


def rows(texts: Sequence[str], targets: Sequence[Any], task: str = "regression", kinds: Sequence[str] | None = None) -> Examples:
    table = pd.DataFrame({"text": list(texts), "answer": list(targets), "kind": list(kinds or [""] * len(texts))})
    return examples(table, ROLES, task)


def guess(predictor: Any, texts: Sequence[str], task: str = "regression", kinds: Sequence[str] | None = None) -> list[Any]:
    table = pd.DataFrame({"text": list(texts), "kind": list(kinds or [""] * len(texts))})
    return [p.value for p in predictor.predict(Examples(table, tuple(texts), task, ROLES))]


def test_the_constant_is_the_mean_or_the_median_of_train() -> None:
    train = rows("abcd", [1.0, 2.0, 3.0, 100.0])
    assert guess(Constant("median").fit(train), ["x"]) == [2.5]
    assert guess(Constant("mean").fit(train), ["x"]) == [26.5]
    assert guess(Constant("geometric").fit(rows("abc", [0.0, 1.0, 7.0])), ["x"]) == [pytest.approx(16 ** (1 / 3) - 1)]
    with pytest.raises(SettingsError, match="mean, median"):
        Constant("mode")


def test_an_unseen_category_gets_the_overall_answer() -> None:
    train = rows("abcd", [10.0, 20.0, 30.0, 1000.0], kinds=["lamp", "lamp", "pump", "pump"])
    assert guess(GroupConstant().fit(train), ["x"] * 3, kinds=["lamp", "pump", "의자"]) == [15.0, 515.0, 25.0]


def test_of_equally_frequent_answers_the_first_in_text_order_wins() -> None:
    assert guess(Majority().fit(rows("abcd", ["b", "a", "b", "a"], "qa")), ["x"], "qa") == ["a"]


def test_features_read_weight_rank_and_brand() -> None:
    assert pounds("Item Weight: 8 ounces") == 0.5
    assert pounds("weighs 2.5 kg net") == pytest.approx(5.51155)
    assert pounds("no weight") is None
    assert rank("Best Sellers Rank: #12,345 in Appliances") == 12345
    assert brand("Whirlpool range hood") == "whirlpool"
    assert brand("Range hood. Brand: GE") == "ge"


def skewed(n: int = 600) -> Examples:
    """Prices that words multiply."""
    rng = np.random.default_rng(1)
    parts = rng.integers(0, 4, (n, 3))
    text = [" ".join(f"{'abc'[j]}{'wxyz'[k]}" for j, k in enumerate(row)) + " thing" for row in parts]
    return rows(text, (5.0 * 3.0 ** parts.sum(axis=1) * np.exp(rng.normal(0, 0.3, n))).tolist())


@pytest.mark.parametrize("kind", [BowLinear, TfidfLinear, Svm])
def test_the_logarithm_is_chosen_for_skewed_prices_and_never_leaves_their_range(kind: Any) -> None:
    train = skewed()
    fitted = kind().fit(train)
    assert fitted.head_.log
    low, high = min(train.targets or ()), max(train.targets or ())
    assert all(float(low) <= value <= float(high) for value in guess(fitted, ["az bz cz " * 300, "aw bw cw " * 300]))


@pytest.mark.parametrize("kind", [Forest, Boosting])
def test_trees_choose_their_scale_with_a_few_and_learn_with_all_of_them(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []
    grown = kind._tree
    monkeypatch.setattr(kind, "_tree", lambda self, task, share=1.0: made.append(share) or grown(self, task, share))
    fitted = kind().fit(skewed())
    whole = fitted.head_.estimator.get_params()
    assert (whole.get("n_estimators") or whole.get("max_iter")) == (100 if kind is Forest else 150)
    assert sorted(made) == [TRIAL, 1.0]
    assert kind(scale="plain").fit(skewed()).head_.log is False
    assert kind(scale="log").fit(skewed()).head_.log is True


def test_the_logarithm_is_never_tried_on_negative_targets() -> None:
    train = rows([f"word{i % 5} thing" for i in range(100)], [float(i % 5) - 3 for i in range(100)])
    assert not TfidfLinear(scale="log").fit(train).head_.log
    with pytest.raises(SettingsError, match="auto, plain, log"):
        TfidfLinear(scale="root")


def test_a_plain_linear_answer_may_be_negative() -> None:
    train = rows([f"{'cheap ' * (i % 10)}thing" for i in range(100)], [10.0 - (i % 10) for i in range(100)])
    assert guess(BowLinear(scale="plain").fit(train), ["cheap " * 60 + "thing"])[0] < 0


def test_what_it_looks_at_names_the_words_that_decide() -> None:
    train = rows([f"{'good' if i % 2 else 'bad'} film number {i % 7}" for i in range(80)], ["up" if i % 2 else "down" for i in range(80)],
                 "classification")  # fmt: skip
    names = dict(Svm().fit(train).looks_at())
    assert names["up: good"] > 0 > names["up: bad"]
    forest = [name for name, _ in Forest(trees=20).fit(train).looks_at()]
    assert {"word: good", "word: bad", "brand: good", "brand: bad"} & set(forest[:4])


def test_characters_are_counted_where_spaces_hide_words() -> None:
    assert wants_characters(["이 영화는 정말 재미있었습니다 그리고 배우들의 연기가 훌륭했습니다 " * 8] * 3)
    assert not wants_characters(["a long English description of a kettle with a lid and a handle " * 8] * 3)


def test_the_nearest_question_answers() -> None:
    train = rows(["Who keeps the green lamp?", "Where is the old well?", "초록 램프는 누가 가지고 있나요?"], ["Mira", "Tal", "미라"], "qa")
    assert guess(Neighbours().fit(train), ["Tell me who keeps the green lamp", "초록 램프는 누가 갖고 있죠?"], "qa") == ["Mira", "미라"]


PROMPT = Prompt(system="You price.", user="How much?\n$text", prefix="Price is $", decimals=0, max_tokens=8)


def test_a_reply_is_read_the_same_whether_it_continues_or_repeats_the_prefix() -> None:
    for text in ("49.00", " 49", "Price is $49.00", "$49", "49 for 3 items"):
        assert prediction("regression", Reply(text), PROMPT.prefix).value == 49.0
    assert prediction("regression", Reply("12"), "The price for 2 is ").value == 12.0


def test_what_cannot_be_read_says_why_and_is_never_a_number() -> None:
    found = {text: prediction("regression", Reply(text, finish=finish), PROMPT.prefix)
             for text, finish in (("no idea", "stop"), ("10 to 20", "stop"), ("", "refusal"), ("", "error"), ("12", "length"))}  # fmt: skip
    assert {text: p.status for text, p in found.items()} == {"no idea": "unread", "10 to 20": "unread", "": "error", "12": "truncated"}
    assert all(p.value is None and p.note for p in found.values())
    assert prediction("regression", Reply("12.5 dollars and", finish="length"), PROMPT.prefix).value == 12.5
    assert prediction("regression", Reply("12.99 for 1", finish="length"), PROMPT.prefix).value == 12.99
    assert prediction("classification", Reply("5 stars"), "Stars: ", ("1", "5")).value == "5"


def heard(train: Examples, kind: Any, texts: Sequence[str], **settings: Any) -> list[Any]:
    asked: list[Any] = []

    def complete(requests: Any) -> list[Reply]:
        asked.extend(requests)
        return [Reply("1")] * len(requests)

    guess(kind(PROMPT, complete, **settings).fit(train), texts)
    return asked


def test_solved_rows_stand_between_the_system_message_and_the_question() -> None:
    train = rows([f"thing {i} " + "x" * 900 for i in range(20)], [float(i) for i in range(20)])
    (chat,) = heard(train, FewShot, ["a lamp"], shots=2)
    assert [m["role"] for m in chat] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert all(m["content"].startswith("Price is $") for m in chat if m["role"] == "assistant")
    assert chat[-1]["content"].endswith("a lamp")
    assert max(len(m["content"]) for m in chat) < 700
    assert heard(train, FewShot, ["a lamp"], shots=2) == [chat]


def test_retrieval_shows_the_most_similar_row_last() -> None:
    train = rows(["red kettle", "blue pump", "green garden chair"], [10.0, 20.0, 30.0])
    (chat,) = heard(train, Retrieval, ["blue water pump"], shots=2)
    assert chat[-2]["content"] == "Price is $20"
    assert len(heard(train, Prompted, ["blue water pump"])[0]) == 2


def test_the_registry_imports_no_heavy_package() -> None:
    code = (
        "import sys, core.predict.registry; print([m for m in ('sklearn', 'gensim', 'torch', 'scipy', 'transformers') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1], check=True)
    assert out.stdout.strip() == "[]"


def test_every_entry_names_a_class_and_fits_the_ladder() -> None:
    for name, entry in PREDICTORS.items():
        assert callable(entry.load()), name
        assert len(entry.title.replace("{model}", "SmolLM2")) <= 22
        assert entry.meaning.endswith(".")
    with pytest.raises(SettingsError, match="no predictor 'tree'"):
        make("tree")
    with pytest.raises(SettingsError, match="has no setting depth"):
        make("forest", {"depth": 3})


def test_eight_predictors_run_by_default_on_numbers() -> None:
    assert len(names_for("regression", default=True)) == 8


@pytest.mark.usefixtures("home")
def test_an_evaluation_keeps_every_answer_and_a_second_run_replaces_it() -> None:
    one = version("regression")
    made = testing.run_predictor("bow_linear", None, one, seed=3)
    assert made.n == made.test_rows == 12
    assert made.answers["status"].tolist() == ["ok"] * 12
    assert made.notes["looks_at"]
    assert testing.run_predictor("bow_linear", None, one, seed=3).id == made.id
    assert [kept.id for kept in evaluations.of(one.dataset)] == [made.id]
    assert testing.run_predictor("bow_linear", {"words": 5}, one, seed=3).id != made.id


@pytest.mark.usefixtures("home")
def test_versions_that_cannot_be_measured_on_say_what_is_missing() -> None:
    with pytest.raises(DataError, match="not split") as no_split:
        testing.test_rows(version("regression", label="A", split=False))
    assert no_split.value.title == "Needs a test split"
    with pytest.raises(DataError, match="Choose the target"):
        testing.train_rows(version("regression", label="B", target=False))
    table = frame("regression").assign(answer=lambda t: t["answer"].astype(str).where(t.index != 4, "ask me"))
    bad = store.save(
        "C", table, title="Import", roles=Roles(text=("text",), target="answer", split="split"), task="regression", source_hash="c"
    )
    with pytest.raises(DataError, match="rows 5"):
        testing.train_rows(bad)


def talker(log: list[int], dies_after: int | None = None) -> Any:
    def complete(requests: Any, **how: Any) -> list[Reply]:
        if dies_after is not None and len(log) >= dies_after:
            raise ConnectionError("gone")
        log.extend([len(requests)])
        return [Reply("12.5 dollars", 10, 3, 0.1) for _ in requests]

    return complete


def test_answers_in_the_journal_are_not_asked_again(home: Path) -> None:
    one = version("regression")
    prompt, journal, log = Prompt(user="Price?\n$text"), home / "replies.jsonl", []
    home.mkdir(exist_ok=True)
    with pytest.raises(ConnectionError):
        prompting.run_prompted(one, prompt, talker(log, 2), title="Talker", how=prompting.How(batch=4), journal=journal)
    assert len(files.read_lines(journal)) == 8
    made = prompting.run_prompted(one, prompt, talker(log), title="Talker", how=prompting.How(batch=4), journal=journal)
    assert log == [4, 4, 4]
    assert made.answers["guess"].tolist() == [12.5] * 12
    assert made.answers["tokens_in"].sum() == 120
    assert made.family == "prompted"


@pytest.mark.usefixtures("home")
def test_a_predictor_that_fails_is_told_and_the_others_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    one = version("regression")

    def broken(self: Any, train: Examples) -> Any:
        raise DataError("3 of 4 trees fell over. Plant others.", title="No forest")

    monkeypatch.setattr(Forest, "fit", broken)
    request = {"dataset": one.dataset, "version": one.id, "names": ["constant_median", "forest", "bow_linear"], "seed": 0}
    job = jobs.start("baselines", request, title="Baselines", dataset=one.dataset)
    assert job.state == "done"
    assert [kept.predictor for kept in evaluations.of(one.dataset)] == ["constant_median", "bow_linear"]
    assert job.figures["forest"]["state"] == "failed"
    assert "Plant others" in job.figures["forest"]["reason"]
    live = job.figures["bow_linear"]
    assert live["low"] < live["value"] < live["high"]
    assert live["n"] == 12


@pytest.mark.usefixtures("home")
def test_one_class_in_train_fails_only_those_that_need_two() -> None:
    table = frame("classification").assign(answer=lambda t: t["answer"].where(t["split"] != "train", "good"))
    roles = Roles(text=("text",), target="answer", split="split")
    one = store.save("One", table, title="Import", roles=roles, task="classification", source_hash="one")
    request = {"dataset": one.dataset, "version": one.id, "names": ["majority", "svm"], "seed": 0}
    result = jobs.start("baselines", request, title="Baselines", dataset=one.dataset).result
    assert result
    assert len(result["evaluations"]) == 1
    assert result["failed"][0]["reason"].startswith("Only one class in train.")
