"""Fixes keep the format of their rows, whatever it is; where findings stand, counted and worded as the platform does."""

from __future__ import annotations

import json

import pytest

from core.__main__ import parser
from core.io.commands import validate as command
from core.validate.checks import example_number
from core.validate.fixes import in_words, losses_in_words, mend
from core.validate.formats import FORMATS, detect
from core.validate.reading import of_rows, read_training
from core.validate.report import report
from core.validate.rules import RULES
from core.validate.wording import platform_words, spots, told
from tests.test_validate import good, jsonl, line, words

SYSTEM = {"role": "system", "content": "Be brief"}


def asked(kind: str, question: str, answer: str = "Price is $3") -> dict:
    """One row of a format with this question and answer."""
    user, said = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return {
        "chat": {"messages": [user, said]},
        "prompt_completion": {"prompt": question, "completion": answer},
        "preference": {"input": {"messages": [user]}, "preferred_output": [said],
                       "non_preferred_output": [{"role": "assistant", "content": "No idea"}]},
        "reinforcement": {"messages": [user], "reference_answer": answer},
        "alpaca": {"instruction": question, "input": "", "output": answer},
        "sharegpt": {"conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]},
        "text": {"text": f"{question} {answer}"},
    }[kind]  # fmt: skip


def many(kind: str, n: int = 60) -> list[dict]:
    return [asked(kind, f"What is thing {i} worth?", f"Price is ${i * 3 + 1}.50") for i in range(n)]


def mended(rows: list, name: str, limit: int = 100) -> tuple[list, list[str]]:
    """The rows after a fix, and the findings that are left of it."""
    made = report(of_rows(rows), words, max_tokens=limit)
    fixed = mend(made, name, words)
    assert fixed.changes
    after = report(fixed.file, words, max_tokens=limit)
    return list(fixed.file.rows), [one.name for one in after.checks if one.word != "PASS"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("name", "text", "instead"), [
    ("special_token", "so <|end|> it", "so < | end | > it"),
    ("email", "mail kim.lee@example.co.kr now", "mail [e-mail] now"),
    ("personal_number", "call 010-1234-5678 now", "call [phone] now"),
    ("secret", "use sk-abcdefghijklmnopqrstuvwx1234", "use [key]"),
    ("encoding_damage", "the cafÃ© isnâ€™t", "the café isn’t"),
])  # fmt: skip
def test_words_are_mended_in_every_format(kind, name, text, instead):
    rows, left = mended([*many(kind), asked(kind, text)], name)
    assert name not in left
    assert rows == [*many(kind), asked(kind, instead)]
    assert detect(rows).confidence == 1


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "text"])
def test_a_long_question_is_cut_in_every_format_and_its_answer_stays(kind):
    rows, left = mended([*many(kind), asked(kind, "word " * 300)], "too_long")
    assert "too_long" not in left
    whole, cut = json.dumps(asked(kind, "word " * 300)), json.dumps(rows[-1])
    assert len(rows) == 61
    assert len(cut) < len(whole) / 2
    assert cut.endswith(whole[-12:])
    assert "Price is $3" in cut


def test_text_itself_is_never_cut():
    made = report(of_rows([*many("text"), asked("text", "word " * 300)]), words, max_tokens=100)
    assert mend(made, "too_long", words).kept == 1


def test_a_shared_separator_survives_the_cut():
    rows = [asked("prompt_completion", f"thing {i}\n\n###\n\n", f" it is {i}") for i in range(60)]
    rows.append(asked("prompt_completion", "word " * 300 + "\n\n###\n\n", " it is long"))
    fixed, _ = mended(rows, "too_long")
    assert fixed[-1]["prompt"].endswith("word\n\n###\n\n")


@pytest.mark.parametrize(("name", "row", "after"), [
    ("unrecognized_role", {"conversations": [{"from": "customer", "value": "q"}, {"from": "agent", "value": "Price is $8"}]},
     {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "Price is $8"}]}),
    ("roles_out_of_order", {"conversations": [{"from": "human", "value": "q"}, {"from": "human", "value": "r"}, {"from": "gpt", "value": "a b"}]},
     {"conversations": [{"from": "human", "value": "q\n\nr"}, {"from": "gpt", "value": "a b"}]}),
    ("last_message_not_assistant", {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a b"}, {"from": "human", "value": "r"}]},
     {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a b"}]}),
    ("missing_system", {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a b"}]},
     {"conversations": [{"from": "system", "value": "Be brief"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "a b"}]}),
])  # fmt: skip
def test_conversations_of_sharegpt_are_mended_like_messages(name, row, after):
    others = many("sharegpt", 20)
    if name == "missing_system":
        others = [{"conversations": [{"from": "system", "value": "Be brief"}, *one["conversations"]]} for one in others]
    rows, left = mended([*others, row], name)
    assert rows[-1] == after
    assert name not in left


@pytest.mark.parametrize(("name", "row", "after"), [
    ("roles_out_of_order", [{"role": "user", "content": "q"}, SYSTEM, {"role": "assistant", "content": "a b"}],
     [SYSTEM, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a b"}]),
    ("roles_out_of_order", [{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a b"}],
     [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a b"}]),
    ("bad_name", [{"role": "user", "content": "q", "name": 5}, {"role": "assistant", "content": "a b", "name": "bot"}],
     [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a b", "name": "bot"}]),
    ("message_unrecognized_key", [{"role": "user", "content": "q", "refusal": "no"}, {"role": "assistant", "content": "a b", "mood": 1}],
     [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a b"}]),
])  # fmt: skip
def test_messages_are_mended(name, row, after):
    rows, left = mended([*good(), {"messages": row}], name)
    assert rows[-1] == {"messages": after}
    assert name not in left


def test_what_cannot_be_put_in_order_stays_and_is_counted():
    parts = [{"type": "text", "text": "t"}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "user", "content": parts}, {"role": "assistant", "content": "a b"}]}
    made = report(of_rows([*good(), row]), words)
    fixed = mend(made, "roles_out_of_order")
    assert (fixed.kept, fixed.changes) == (1, ())
    assert in_words(fixed) == "1 cannot be mended"


def test_preferences_are_mended_and_brought_into_the_hosted_shape():
    two = asked("preference", "q")
    two["preferred_output"] = [{"role": "assistant", "content": "first"}, {"role": "assistant", "content": "Price is $3"}]
    rows, left = mended([*many("preference"), two], "preference_not_one_answer")
    assert rows[-1] == asked("preference", "q")
    assert "preference_not_one_answer" not in left
    plain = [{"prompt": f"q {i}", "chosen": f"a {i}", "rejected": "b", "id": i} for i in range(60)]
    made = report(of_rows(plain), words)
    fixed = mend(made, "not_hosted_format")
    assert "not_hosted_format" not in {one.name for one in report(fixed.file, words).checks}
    assert fixed.file.rows[0]["preferred_output"] == [{"role": "assistant", "content": "a 0"}]
    assert losses_in_words(fixed) == "Not carried over: values of 'id' (60)."


def test_every_rule_has_words_a_group_and_a_fix_that_exists():
    from core.validate.fixes import FIXES
    from core.validate.rules import VERBS

    for name, rule in RULES.items():
        assert rule.word in ("FAIL", "WARN"), name
        assert rule.says.split(" ", 1)[0] in VERBS, name
        assert rule.fix is None or rule.fix in FIXES, name


# --- where findings stand --------------------------------------------------------------------------------------------


def test_examples_are_counted_without_blank_lines_and_with_unreadable_ones():
    data = jsonl(good(2)) + b"\n\n{no\n" + jsonl([line("q <|x|>", "a b")])
    made = report(read_training("x.jsonl", data), words)
    assert made.file.lines == (1, 2, 6)
    check = next(one for one in made.checks if one.name == "special_token")
    assert (check.lines, check.examples) == ((6,), (4,))
    assert told(made, check) == "line 6 is Example 4, message 1"
    broken = next(one for one in made.checks if one.name == "unreadable_line")
    assert [(one.line, one.example) for one in spots(made, broken)] == [(5, 3)]
    assert platform_words(made, broken).endswith('Line 5 is not a dictionary (HINT: line starts with: "{no...").')
    assert example_number(6, [1, 2, 6], [5]) == 4


@pytest.mark.parametrize(("name", "row", "messages"), [
    ("encoding_damage", line("fine", "the cafÃ© is"), (2,)),
    ("empty_answer", line("q", " "), (2,)),
    ("answer_in_prompt", line("the code is XK-99 here", "XK-99"), (1,)),
    ("bad_weight", line("q", "a b", weight=3), (2,)),
    ("special_token", {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": "<|end|>"}'}}]}],
        "tools": [{"type": "function", "function": {"name": "f"}}]}, (2,)),
    ("special_token", {**asked("preference", "q"), "non_preferred_output": [{"role": "assistant", "content": "no <|x|>"}]}, (3,)),
])  # fmt: skip
def test_findings_name_their_message(name, row, messages):
    rows = [*(many("preference") if "preferred_output" in row else good()), row]
    made = report(of_rows(rows), words)
    check = next(one for one in made.checks if one.name == name)
    assert [(one.line, one.example, one.messages) for one in spots(made, check)] == [(61, 61, messages)]


def test_the_command_names_places_and_compares_with_another_file(home, tmp_path):
    train, other = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_bytes(jsonl([*good(), {**line("q", "Price is $9"), "price": 9}]))
    other.write_bytes(jsonl(good(2)))
    said: list[str] = []
    result = command.run(parser("validate").parse_args(["validate", str(train), "--against", str(other)]), said.append)
    assert result["errors"]["leak"] == {"count": 2, "rows": [1, 2]}
    assert "      line 61 is Example 61" in said
    assert '      The platform says: Example 61 contains an extra "price"' in said
    alone = command.run(parser("validate").parse_args(["validate", str(train)]), said.append)
    assert "leak" not in alone["errors"]
