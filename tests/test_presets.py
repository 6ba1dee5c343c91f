"""The three whole recipes: each step explained, the pricing one as the course's, the others to the letter of their templates."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.curate.presets import INSTRUCTION, PRESETS, RESPONSE, explained, preset
from core.curate.recipe import Outcome, run
from core.export_table import exported
from core.finetune.rows import training_rows
from core.io import embedded
from core.io.curating import tokenizer
from core.io.embedded import generate
from core.io.tokens import encoding
from core.prediction import examples
from core.prompt import Prompt
from core.version import Roles, Version
from tests import doubles
from tests.tiny import tiny_model

ROLES = Roles(text=("title", "body"), target="label", category="kind")


def version(task: str, roles: Roles = ROLES) -> Version:
    return Version("d", "i", 1, "Import", roles=roles, task=task)


def made(name: str, frame: pd.DataFrame, task: str, roles: Roles = ROLES, only: tuple[str, ...] = ()) -> Outcome:
    """What the preset makes of a table; `only` keeps the steps of these names."""
    recipe = preset(name, version(task, roles), frame)
    kept = tuple(step for step in recipe.steps if not only or step.name in only)
    return run(frame, roles, replace(recipe, steps=kept), task=task, tokenizer=tokenizer)


def reviews(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"title": [f"Title {i}" for i in range(rows)], "body": [f"Good &amp; cheap,<br />number {i}." for i in range(rows)],
                         "label": ["good", "bad"] * (rows // 2), "kind": "a"})  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_every_step_of_a_preset_says_why_it_is_there(name):
    task = {"sentiment": "classification", "closed_book": "qa"}.get(name, "regression")
    plan = explained(name, version(task), reviews())
    assert tuple(one.step for one in plan) == preset(name, version(task), reviews()).steps
    assert all(one.why.endswith((".", "tokens.")) and 15 < len(one.why) < 300 for one in plan)


def test_pricing_is_known_with_seed_42_and_any_other_can_be_asked_for():
    assert preset("pricing", version("regression"), reviews()).seed == 42
    assert preset("pricing", version("regression"), reviews(), seed=7).seed == 7
    assert preset("sentiment", version("classification"), reviews()).seed == 0


@pytest.mark.parametrize(
    ("price", "shown"), [(0.5, "0.00"), (1.5, "2.00"), (2.5, "2.00"), (12.49, "12.00"), (998.5, "998.00"), (7, "7.00")]
)
def test_prices_round_half_to_even_as_python_does_and_end_in_two_zeros(price, shown):
    assert f"{round(price)}.00" == shown
    outcome = made("pricing", priced([price] * 3), "regression", PRICED, only=("prompts",))
    assert outcome.prompt is not None
    assert outcome.prompt.text({"title": "t"}, price).endswith(f"\n\nPrice is ${shown}")


PRICED = Roles(text=("title",), target="price", category="kind")


def priced(prices: list[float], kinds: list[str] | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    words = [" ".join(f"w{n}" for n in rng.integers(0, 90_000, 12)) for _ in prices]
    return pd.DataFrame({"title": words, "price": prices, "kind": kinds or ["a"] * len(prices)})


def test_slots_are_whole_dollars_capped_below_240_and_the_price_that_rounds_to_0_is_counted():
    prices = [0.5] * 3 + [20.0] * 1500 + [20.4] * 500 + [239.4] * 1300 + [239.5] * 1300 + [999.4] * 10
    outcome = made("pricing", priced(prices), "regression", PRICED, only=("balance",))
    slots = Counter(round(price) for price in outcome.frame["price"])
    assert slots == {20: 1200, 239: 1200, 240: 1300, 999: 10}
    assert len(outcome.dropped) == 3 + 800 + 100
    (report,) = outcome.reports
    assert sum(n for reason, n in report.reasons.items() if "rounds to" in reason) == 3


def test_other_categories_are_drawn_five_times_as_likely_as_the_dominant_one():
    kinds = ["many"] * 3000 + ["few"] * 2000
    outcome = made("pricing", priced([50.0] * 5000, kinds), "regression", PRICED, only=("balance",))
    rng, shares = np.random.default_rng(1), []
    weights = np.array([1.0 if kind == "many" else 5.0 for kind in kinds])
    for _ in range(30):
        drawn = rng.choice(5000, size=1200, replace=False, p=weights / weights.sum())
        shares.append(np.mean(drawn >= 3000))
    ours = float(np.mean(np.array(outcome.frame["kind"].tolist()) == "few"))
    assert abs(ours - np.mean(shares)) < 4 * np.std(shares)


@pytest.mark.parametrize(
    ("rows", "parts"), [(27_000, (25_000, 2_000)), (30_000, (25_000, 2_000)), (26_999, (25_109, 1_890)), (100, (93, 7))]
)
def test_25000_and_2000_rows_when_there_are_27000_else_93_and_7_percent(rows, parts):
    frame = pd.DataFrame({"title": np.arange(rows).astype(str), "price": 5.0, "kind": "a"})
    recipe = preset("pricing", version("regression", PRICED), frame)
    (step,) = (step for step in recipe.steps if step.name == "split")
    step = replace(step, settings={**step.settings, "near_duplicates": False})
    outcome = run(frame, PRICED, replace(recipe, steps=(step,)), task="regression")
    counts = outcome.frame["split"].value_counts()
    assert (counts["train"], counts["test"], len(counts)) == (*parts, 2)


def test_the_prefix_inside_a_text_stays_and_the_test_prompt_comes_from_the_template():
    frame = priced([12.0])
    frame["title"] = "Price is $5.00 they say, but Price is $"
    roles = replace(PRICED, split="split")
    outcome = made("pricing", frame, "regression", PRICED, only=("prompts",))
    shown = replace(version("regression", replace(roles, split=None)), prompt=outcome.prompt)
    head = "How much does this cost to the nearest dollar?\n\nPrice is $5.00 they say, but Price is $\n\nPrice is $"
    assert exported(frame, shown, "test")["text"].tolist() == [head]
    assert exported(frame, shown, "train")["text"].tolist() == [head + "12.00"]


@pytest.mark.parametrize("name", ["items_with_details", "items_music_appliances"])
def test_the_prompt_of_real_items_has_the_recorded_number_of_tokens(name):
    with gzip.open(doubles.shared(f"pricer/{name}.jsonl.gz"), "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    roles = Roles(text=("description",), target="price", category="category")
    frame = pd.DataFrame(rows).drop(columns="prompt")
    prompt = made("pricing", frame.head(50), "regression", roles, only=("prompts",)).prompt
    words = encoding("cl100k_base")
    texts = exported(frame, replace(version("regression", roles), prompt=prompt), "train")["text"]
    assert texts.tolist() == [row["prompt"] for row in rows]
    equal = [len(words.encode_ordinary(text)) == row["token_count"] for text, row in zip(texts, rows, strict=True)]
    assert np.mean(equal) >= 0.97


def test_a_sentiment_row_is_title_and_body_a_separator_and_a_label_behind_a_blank():
    outcome = made("sentiment", reviews(), "classification")
    assert outcome.prompt is not None
    row = {"text": outcome.frame["text"].iloc[0]}
    assert outcome.prompt.question(row)[-1]["content"] == "Title 0\nGood & cheap,\nnumber 0.\n\n###\n\n"
    assert outcome.prompt.reply(row, "good") == " good"
    assert next(report.sentence for report in outcome.reports if report.name == "prompts") == "the text alone, then “###”"
    assert outcome.prompt.text(row, "good").endswith("number 0.\n\n###\n\n good")
    assert outcome.prompt.text(row).endswith("number 0.\n\n###\n\n")


def test_sentiment_keeps_each_prompt_once_and_no_contradiction():
    frame = pd.concat([reviews(), reviews().head(3).assign(body=lambda rows: rows["body"].str.replace("<br />", "<br>"))])
    frame = pd.concat([frame, reviews().tail(1).assign(label="good")]).reset_index(drop=True)
    outcome = made("sentiment", frame, "classification", only=("join", "scrub", "exact_duplicates", "conflicting"))
    assert outcome.frame["text"].is_unique
    assert len(outcome.frame) == 40


def facts() -> pd.DataFrame:
    return pd.DataFrame({"question": [f"Who wrote book {i}?" for i in range(30)], "answer": [f"Author {i}" for i in range(30)]})


FACTS = Roles(text=("question",), target="answer")
HEAD = "Below is an instruction that describes a task. Write a response that appropriately completes the request."


def closed_book_prompt() -> Prompt:
    prompt = made("closed_book", facts(), "qa", FACTS, only=("prompts",)).prompt
    assert prompt is not None
    return prompt


def test_a_closed_book_row_is_one_line_with_single_blanks():
    prompt = closed_book_prompt()
    asked = f"{HEAD} ### Instruction: Who wrote it? ### Response: "
    assert prompt.text({"question": "Who wrote it?"}) == asked
    assert prompt.text({"question": "Who wrote it?"}, "Ann Li") == asked + "Ann Li"
    assert asked == f"{INSTRUCTION}Who wrote it?{RESPONSE}"


def test_a_question_of_several_lines_becomes_one_line_with_single_blanks():
    frame = facts().assign(question=lambda rows: " \n" + rows["question"].str.replace(" wrote ", "\r\n wrote\u00a0\u3000 "))
    outcome = made("closed_book", frame, "qa", FACTS, only=("scrub", "missing", "exact_duplicates"))
    assert set(outcome.frame["question"]) == set(facts()["question"])


@pytest.mark.parametrize("model", ["tiny", pytest.param("embedded", marks=pytest.mark.weights)])
def test_the_blank_before_the_answer_is_the_same_tokens_in_training_and_at_inference(model, home, tmp_path, request):
    folder = tiny_model(tmp_path / "tiny") if model == "tiny" else request.getfixturevalue("weights")
    words, prompt = embedded.tokenizer(folder), closed_book_prompt()
    some = examples(facts(), FACTS, "qa")
    rows = training_rows(
        some, prompt, lambda chat, prefix: generate.render(words, chat, prefix), lambda texts: generate.encode(words, texts),
        words.eos_token_id, 512,
    )  # fmt: skip
    asked = generate.encode(words, [generate.render(words, prompt.question(row), prompt.prefix) for row in some.rows()])
    for row, ids, answer in zip(rows.rows, asked, facts()["answer"], strict=True):
        assert list(row.prompt) == ids, "training reads exactly what inference asks"
        assert list(row.answer) == [*words.encode(answer, add_special_tokens=False), words.eos_token_id]
        assert words.decode(row.ids()) == f"{words.decode(ids)}{answer}{words.eos_token}"
    assert words.decode(asked[0]) == f"{HEAD} ### Instruction: Who wrote book 0? ### Response: ", "no chat template around it"


def test_an_older_stored_prompt_is_read_and_keeps_its_form():
    stored = {"system": "", "user": "$text", "prefix": "", "answer": "$target", "decimals": None, "max_tokens": 32}
    assert Prompt.from_dict(stored).to_dict() == stored
    assert Prompt.from_dict(Prompt(plain=True).to_dict()).plain


def test_a_hosted_model_gets_a_plain_prompt_as_a_users_message():
    assert [message["role"] for message in closed_book_prompt().example({"question": "q"}, "a")] == ["user", "assistant"]
    shown = generate.render(
        None, [*closed_book_prompt().example({"question": "p"}, "b"), *closed_book_prompt().question({"question": "q"})]
    )
    assert shown.endswith("b\n\n" + f"{INSTRUCTION}q{RESPONSE}"), "solved rows stand before it as text"
