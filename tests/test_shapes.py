"""Conversations, instructions, preference pairs and questions on texts come out as columns that can be used."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from core.io import reading
from core.load.read import ReadOptions, read
from core.load.roles import guess
from core.validate.training_file import training_file
from tests.doubles import shared


def lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in records).encode()


def talk(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in said]


CHAT = [{"messages": talk(("system", "Be brief."), ("user", f"What is thing {i}?"), ("assistant", f"It is thing {i}."))} for i in range(4)]


def test_a_chat_of_one_turn_gives_question_and_answer_and_keeps_its_messages() -> None:
    loaded = read("t.jsonl", lines(CHAT))
    row = loaded.frame.to_dict("records")[1]
    assert (row["system"], row["question"], row["answer"]) == ("Be brief.", "What is thing 1?", "It is thing 1.")
    assert json.loads(row["messages"]) == CHAT[1]["messages"]
    assert loaded.notes == ("Recognised as conversations (OpenAI chat).",)
    found = guess(loaded.frame)
    assert (found.roles.text, found.roles.target, found.task) == (("question",), "answer", "chat")


def test_the_first_prompt_begins_with_the_system_message_all_chats_share() -> None:
    frame = read("t.jsonl", lines(CHAT)).frame
    found = guess(frame)
    prompt = reading.prompt_for(frame, found.roles, found.task)
    assert prompt is not None
    assert prompt.system == "Be brief."
    assert training_file(frame, found.roles, found.task, prompt)[2]["messages"] == CHAT[2]["messages"]


def test_system_messages_that_differ_are_read_as_text() -> None:
    chats = [{"messages": talk(("system", f"You are {i}."), ("user", f"Who are you, {i}?"), ("assistant", f"I am {i}."))} for i in range(9)]
    assert guess(read("t.jsonl", lines(chats)).frame).roles.text == ("system", "question")


def test_without_a_target_the_messages_are_the_training_file() -> None:
    frame = read("t.jsonl", lines(CHAT)).frame
    roles = guess(frame).roles
    kept = training_file(frame, type(roles)(text=roles.text), None)
    assert kept == CHAT


def test_longer_talks_keep_all_that_comes_before_the_last_answer() -> None:
    longer = {"messages": talk(("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "See you"))}
    loaded = read("t.jsonl", lines([*CHAT, longer]))
    row = loaded.frame.to_dict("records")[4]
    assert row["question"] == "User: Hi\n\nAssistant: Hello\n\nUser: Bye"
    assert row["answer"] == "See you"
    assert "1 of 5 conversations with more than one turn" in loaded.notes[-1]


def test_a_chat_without_an_answer_has_none_and_is_counted() -> None:
    loaded = read("t.jsonl", lines([*CHAT, {"messages": talk(("user", "Anyone?"))}]))
    assert loaded.frame["answer"].isna().tolist() == [False] * 4 + [True]
    assert "1 conversation without an answer at the end." in loaded.notes


def test_an_option_leaves_conversations_whole() -> None:
    assert list(read("t.jsonl", lines(CHAT), ReadOptions(shapes=False)).frame.columns) == ["messages"]


def test_chat_in_parquet_is_recognised_as_in_json() -> None:
    data = pd.DataFrame(CHAT).to_parquet()
    assert read("t.parquet", data).frame["answer"].tolist() == [f"It is thing {i}." for i in range(4)]


def test_what_the_studio_wrote_is_not_taken_apart_again() -> None:
    frame = read("t.jsonl", lines(CHAT)).frame
    again = read("t.parquet", frame.to_parquet(index=False)).frame
    assert list(again.columns) == list(frame.columns)


@pytest.mark.parametrize(
    "pair",
    [
        {"prompt": "Which?", "chosen": "This one.", "rejected": "That one."},
        {"prompt": talk(("user", "Which?")), "chosen": talk(("assistant", "This one.")), "rejected": talk(("assistant", "That one."))},
        {"chosen": talk(("user", "Which?"), ("assistant", "This one.")), "rejected": talk(("user", "Which?"), ("assistant", "That one."))},
        {"instruction": "Which?", "input": "", "chosen": "This one.", "rejected": "That one."},
        {"conversations": [{"from": "human", "value": "Which?"}], "chosen": {"from": "gpt", "value": "This one."},
         "rejected": {"from": "gpt", "value": "That one."}},
        {"input": {"messages": talk(("user", "Which?"))}, "preferred_output": talk(("assistant", "This one.")),
         "non_preferred_output": talk(("assistant", "That one."))},
    ],
    ids=["text", "lists", "whole talks", "LLaMA-Factory Alpaca", "LLaMA-Factory ShareGPT", "OpenAI"],
)  # fmt: skip
def test_every_way_of_writing_a_preference_gives_question_chosen_and_rejected(pair: dict[str, Any]) -> None:
    loaded = read("t.json", json.dumps([pair] * 3).encode())
    row = loaded.frame.to_dict("records")[0]
    asked = row.get("question") or row.get("prompt") or row.get("instruction")
    assert (asked, row["chosen"], row["rejected"]) == ("Which?", "This one.", "That one.")
    assert "Recognised as preference pairs." in loaded.notes
    assert guess(loaded.frame).roles.target == "chosen"


def test_alpaca_stays_as_it_is_and_with_a_history_becomes_a_talk() -> None:
    plain = [{"instruction": f"Do {i}", "input": "", "output": f"Done {i} at some length, so that it is a reply"} for i in range(5)]
    loaded = read("t.json", json.dumps(plain).encode())
    assert list(loaded.frame.columns) == ["instruction", "input", "output"]
    assert guess(loaded.frame).task == "chat"
    told = [{**one, "history": [["Hi", "Hello"]]} for one in plain]
    row = read("t.json", json.dumps(told).encode()).frame.to_dict("records")[0]
    assert row["question"] == "User: Hi\n\nAssistant: Hello\n\nUser: Do 0"
    assert len(json.loads(row["messages"])) == 4


REAL = {
    "llamafactory_alpaca_en_demo.json": (999, ("instruction", "input"), "output", "chat"),
    "preference_demo.json": (299, ("system", "question"), "chosen", "chat"),
    "sharegpt_dummy_conversation.json": (500, ("question",), "answer", "chat"),
    "toy_chat_fine_tuning.jsonl": (5, ("question",), "answer", "chat"),
    "answers_without_price_20.jsonl": (20, ("question",), "answer", "chat"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_training_files_say_what_is_asked_and_what_is_answered(name: str) -> None:
    loaded = read(name, shared(f"chat/{name}").read_bytes())
    found = guess(loaded.frame)
    assert (len(loaded.frame), found.roles.text, found.roles.target, found.task) == REAL[name]
    assert any(note.startswith("Recognised as") for note in loaded.notes)


def test_one_conversation_alone_is_one_row() -> None:
    assert len(read("t.json", shared("chat/cookbook_weather_tool.json").read_bytes()).frame) == 1


def squad(start: int, text: str = "Kim") -> dict[str, Any]:
    qas = [{"id": "q1", "question": "Who?", "answers": [{"text": text, "answer_start": start}]}]
    return {"data": [{"title": "T", "paragraphs": [{"context": "by Kim Min", "qas": qas * 2}]}]}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (squad(3), None),
        (squad(4), "2 of 2 answers do not stand where answer_start says. The first is row 1 (q1): at 4 stands 'im' instead of 'Kim'; it stands at 3."),
        (squad(-1), "it stands at 3"),
        (squad(3, "Lee"), "it stands nowhere in the text"),
    ],
)  # fmt: skip
def test_every_offset_of_an_answer_is_checked_and_questions_asked_twice_are_told(data: dict[str, Any], told: str | None) -> None:
    said = " ".join(read("t.json", json.dumps(data).encode()).notes).replace("'im '", "'im'")
    assert (told in said) if told else "do not stand" not in said
    assert "1 question is asked again on the same text. The first is row 2: 'Who?'." in said


def test_flat_squad_as_in_parquet_is_read_the_same() -> None:
    rows = [{"id": str(i), "context": "by Kim Min", "question": f"Who {i}?", "answers": {"text": ["Kim", "Min"], "answer_start": [3, 7]}}
            for i in range(3)]  # fmt: skip
    loaded = read("t.parquet", pd.DataFrame(rows).to_parquet())
    assert loaded.frame.loc[1, ["answer", "answer_start", "other_answers"]].tolist() == ["Kim", 3, '["Min"]']
    assert guess(loaded.frame).task == "qa"


def test_the_offsets_of_a_real_collection_are_right() -> None:
    path = shared("korquad/KorQuAD_v1.0_dev.json")
    notes = read(path.name, path.read_bytes()).notes
    assert "do not stand" not in " ".join(notes)
    assert any("10 questions are asked again" in note for note in notes)


def test_an_unanswerable_question_has_no_answer() -> None:
    qas = [
        {"id": "q1", "question": "Who?", "answers": [], "is_impossible": True, "plausible_answers": [{"text": "Kim", "answer_start": 3}]}
    ]
    data = {"data": [{"title": "T", "paragraphs": [{"context": "by Kim Min", "qas": qas}]}]}
    row = read("t.json", json.dumps(data).encode()).frame.to_dict("records")[0]
    assert row["answer"] != row["answer"] or row["answer"] is None
    assert "Kim" in row["plausible_answers"]
