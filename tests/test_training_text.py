"""What is finally trained on: one original and one variant in each format, from the one prompt."""

from __future__ import annotations

import json

import pandas as pd

from core.augment.training_text import FORMATS, training_texts
from core.curate.presets import INSTRUCTION, RESPONSE
from core.prompt import Prompt, default_prompt
from core.version import Roles

ROLES = Roles(text=("question",), target="answer")
ROWS = pd.DataFrame({"question": ["누가 램프를\n가지고 있나요?", "램프는 누구에게 있나요?"], "answer": ["미라", "미라"]})


def test_original_and_variant_differ_in_the_question_only() -> None:
    original, variant = training_texts(ROWS, ROLES, "qa", default_prompt("qa", ROLES))
    assert list(original) == list(variant) == list(FORMATS)
    for name in FORMATS:
        assert original[name] != variant[name]
        assert "미라" in original[name]
    assert original["closed_book"] == f"{INSTRUCTION}누가 램프를 가지고 있나요?{RESPONSE}미라"
    assert variant["closed_book"] == original["closed_book"].replace("누가 램프를 가지고 있나요?", "램프는 누구에게 있나요?")
    messages = json.loads(variant["chat"])["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant"]
    assert json.loads(variant["prompt_completion"])["completion"] == "미라"
    assert "램프는 누구에게 있나요?" in json.loads(variant["prompt_completion"])["prompt"]


def test_a_closed_book_prompt_is_shown_as_it_is_trained_on() -> None:
    prompt = Prompt(user=f"{INSTRUCTION}$question{RESPONSE}", plain=True)
    text = training_texts(ROWS.tail(1), ROLES, "qa", prompt)[0]
    assert text["closed_book"] == prompt.text({"question": "램프는 누구에게 있나요?"}, "미라")
    assert [one["role"] for one in json.loads(text["chat"])["messages"]] == ["user", "assistant"]


def test_a_price_keeps_the_prefix_of_its_answer() -> None:
    roles = Roles(text=("name",), target="price")
    rows = pd.DataFrame({"name": ["A kettle"], "price": [19.6]})
    text = training_texts(rows, roles, "regression", default_prompt("regression", roles, unit="usd"))[0]
    assert text["closed_book"].endswith(f"{RESPONSE}Price is $20")
    assert json.loads(text["chat"])["messages"][-1]["content"] == "Price is $20"
