"""Training files: formats, rules, token accounting, checks and fixes. Known figures are the cookbook's."""

from __future__ import annotations

import copy
import json

import pytest

from core.errors import DataError, SettingsError
from core.io import validating
from core.io.tokens import counter
from core.prompt import Prompt
from core.validate import chat
from core.validate.accounting import count_tokens, distribution, epochs_for
from core.validate.answers import stem_of
from core.validate.checks import PASSED, RULES
from core.validate.encodings import base_of, encoding_of
from core.validate.fixes import FIXES, label, mend
from core.validate.formats import FORMATS, detect
from core.validate.reading import of_rows, read_training
from core.validate.report import report, summary
from core.validate.training_file import in_format, training_file
from core.version import Roles
from tests.doubles import frame, shared, version


def words(texts: list[str]) -> list[int]:
    """A token a word: enough to test what is added up."""
    return [len(text.split()) for text in texts]


def line(question: str, answer: object, **more: object) -> dict:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]}


def good(n: int = 60) -> list[dict]:
    return [line(f"What is thing {i} worth?", f"Price is ${i * 3 + 1}.50") for i in range(n)]


def check(rows: list, **more) -> dict[str, str]:
    made = report(of_rows(rows), words, **more)
    return {one.name: one.word for one in made.checks}


def jsonl(rows: list) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


# --- known figures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "limit", "total", "assistant", "billable", "training"),
    [
        ("cl100k_base", 4096, [45, 111, 26, 28, 8032], [10, 28, 9, 4, 8000], 4306, 86_120),
        ("cl100k_base", 16_385, [45, 111, 26, 28, 8032], [10, 28, 9, 4, 8000], 8242, 164_840),
        ("o200k_base", 65_536, [43, 106, 26, 27, 8031], [8, 25, 9, 3, 8000], 8233, 164_660),
    ],
)
def test_the_cookbooks_file_gives_the_cookbooks_figures(encoding, limit, total, assistant, billable, training):
    file = read_training("toy.jsonl", shared("chat/toy_chat_fine_tuning.jsonl").read_bytes())
    tokens = count_tokens(file.rows, counter(encoding), limit)
    assert tokens.total.tolist() == total
    assert tokens.assistant.tolist() == assistant
    assert epochs_for(len(file)) == 20
    assert (tokens.billable(), tokens.billable() * 20) == (billable, training)


@pytest.mark.parametrize(
    ("encoding", "model", "messages", "tool"), [("cl100k_base", "gpt-4", 129, 105), ("o200k_base", "gpt-4o", 124, 101)]
)
def test_the_counting_examples_agree_with_the_api(encoding, model, messages, tool):
    for name, expected in (("cookbook_six_messages", messages), ("cookbook_weather_tool", tool)):
        file = read_training("x.json", shared(f"chat/{name}.json").read_bytes())
        assert count_tokens(file.rows, counter(encoding), 16_385, model).total.tolist() == [expected]


def test_three_tokens_a_message_one_for_a_name_three_a_conversation():
    rows = [{"messages": [{"role": "system", "name": "one", "content": "two words"}, {"role": "assistant", "content": "three words here"}]}]
    tokens = count_tokens(rows, words, 100)
    assert tokens.total.tolist() == [3 + (1 + 1 + 1 + 2) + 3 + (1 + 3) + 3]
    assert tokens.assistant.tolist() == [3]


def test_weight_zero_counts_but_is_not_learnt_and_a_cut_takes_the_end():
    rows = [{"messages": [*line("a b", "c d", weight=0)["messages"], *line("e", "f g h")["messages"]]}]
    whole = count_tokens(rows, words, 100)
    assert whole.supervised.tolist() == [3]
    assert whole.assistant.tolist() == [5]
    at = int(whole.total[0]) - 3
    assert count_tokens(rows, words, at - 1).supervised.tolist() == [2]
    assert count_tokens(rows, words, 5).supervised.tolist() == [0]


@pytest.mark.parametrize(
    ("n", "epochs"), [(1, 25), (4, 25), (5, 20), (33, 3), (34, 3), (8333, 3), (8334, 2), (12_501, 1), (100_000, 1), (0, 3)]
)
def test_epochs_follow_the_rule_of_thumb(n, epochs):
    assert epochs_for(n) == epochs


def test_a_distribution_names_the_true_quantiles():
    found = distribution(list(range(101)))
    assert found == {"min": 0, "max": 100, "mean": 50, "median": 50, "p5": 5, "p10": 10, "p90": 90, "p95": 95}


@pytest.mark.parametrize(
    ("model", "base", "encoding"),
    [
        ("ft:gpt-4.1-mini-2025-04-14:org:name:abc", "gpt-4.1-mini-2025-04-14", ("o200k_base", False)),
        ("ft:gpt-4o-mini-2024-07-18:org::x:ckpt-step-90", "gpt-4o-mini-2024-07-18", ("o200k_base", False)),
        ("ft:o4-mini-2025-04-16:o::x", "o4-mini-2025-04-16", ("o200k_base", False)),
        ("curie:ft-org-2023-05-01", "curie", ("r50k_base", False)),
        ("gpt-3.5-turbo", "gpt-3.5-turbo", ("cl100k_base", False)),
        ("gpt-4", "gpt-4", ("cl100k_base", False)),
        ("some-model", "some-model", ("o200k_base", True)),
    ],
)
def test_a_fine_tuned_name_counts_like_its_base(model, base, encoding):
    assert base_of(model) == base
    assert encoding_of(model) == encoding


# --- formats and reading ---------------------------------------------------------------------------------------------

ROWS = {
    "chat": line("q", "a"),
    "prompt_completion": {"prompt": "q", "completion": " a"},
    "preference": {"input": {"messages": [{"role": "user", "content": "q"}]}, "preferred_output": [{"role": "assistant", "content": "a"}],
                   "non_preferred_output": [{"role": "assistant", "content": "b"}]},
    "reinforcement": {"messages": [{"role": "user", "content": "q"}], "reference_answer": "a"},
    "alpaca": {"instruction": "q", "input": "", "output": "a"},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "text": {"text": "words"},
}  # fmt: skip


def test_every_format_is_told_from_the_others():
    assert set(ROWS) == set(FORMATS)
    for name, row in ROWS.items():
        found = detect([row] * 5)
        assert (found.format, found.confidence, found.sureness) == (name, 1.0, "sure")


def test_a_mixed_file_names_the_rows_of_the_smaller_kind():
    made = report(of_rows([*good(20), ROWS["alpaca"], ROWS["sharegpt"]]), words)
    mixed = next(one for one in made.checks if one.name == "mixed_formats")
    assert made.detection.format == "chat"
    assert mixed.lines == (21, 22)
    assert made.detection.sureness == "likely"


def test_every_unreadable_line_is_a_finding_with_its_number():
    data = jsonl(good(2)) + b"\n{broken\n" + b"[" * 100_000 + b"\n\xff\xfe\n" + jsonl(good(1))
    file = read_training("x.jsonl", data)
    assert file.lines == (1, 2, 7)
    assert [one.line for one in file.unreadable] == [4, 5, 6]
    assert "not UTF-8" in file.unreadable[2].why
    found = next(one for one in report(file, words).checks if one.name == "unreadable_line")
    assert (found.word, found.lines, found.detail) == ("FAIL", (4, 5, 6), "rows 4, 5, 6")


def test_line_ends_inside_text_do_not_split_a_line_and_half_characters_are_replaced():
    file = read_training("x.jsonl", jsonl([line("a\u2028b\x85c", "d")]) + b'{"messages": [{"role": "user", "content": "\\ud800"}]}\r\n')
    assert file.lines == (1, 2)
    assert file.rows[1]["messages"][0]["content"] == "\ufffd"


def test_marks_lists_tables_and_archives_are_read():
    import gzip

    rows = good(3)
    assert read_training("x.jsonl", b"\xef\xbb\xbf" + jsonl(rows)).rows == tuple(rows)
    assert read_training("x.jsonl", jsonl(rows).decode().encode("utf-16")).rows == tuple(rows)
    assert read_training("x.json", json.dumps(rows, indent=1).encode()).rows == tuple(rows)
    assert read_training("x.jsonl.gz", gzip.compress(jsonl(rows), mtime=0)).rows == tuple(rows)
    assert read_training("x.csv", b"prompt,completion\nq,a\n007,b\n").rows[1] == {"prompt": "007", "completion": "b"}
    assert detect(read_training("x.txt", "one\n둘\n".encode()).rows).format == "text"
    with pytest.raises(DataError, match="0 bytes"):
        read_training("x.jsonl", b"")


# --- rules -----------------------------------------------------------------------------------------------------------


def test_the_classic_view_counts_seven_types_exactly():
    ok = {"role": "assistant", "content": "a"}
    rows = [
        "not an object",
        {"messages": []},
        {},
        {"messages": [{"role": "user"}, {"content": "x"}, ok]},
        {"messages": [{"role": "user", "content": "q", "extra": 1}, {"role": "tool", "content": "r", "tool_call_id": "1"}, ok]},
        {"messages": [{"role": "user", "content": ["a"]}, {"role": "assistant", "content": None, "function_call": {"name": "f"}}]},
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": ""}]},
    ]
    found = {name: len(places) for name, places in chat.classic(rows).items()}
    assert found == {
        "data_type": 1, "missing_messages_list": 2, "message_missing_key": 2, "message_unrecognized_key": 2, "unrecognized_role": 2,
        "missing_content": 4, "example_missing_assistant_message": 1, "missing_system": 3,
    }  # fmt: skip


def test_what_is_legal_today_is_no_error():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    rows = [
        {"messages": [{"role": "developer", "content": "d"}, {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]},
                      {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "r"},
                      {"role": "assistant", "content": "a", "weight": 1, "refusal": None}], "tools": [{"type": "function", "function": {"name": "f"}}],
         "parallel_tool_calls": False},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "refusal": "no"}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}], "tools": [{"type": "function", "function": {"name": "f"}}]},
    ]  # fmt: skip
    assert set(chat.current(rows)) <= {"missing_system"}
    assert set(chat.classic(rows)) > {"missing_system", "unrecognized_role"}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("unrecognized_role", {"messages": [{"role": "human", "content": "q"}, {"role": "assistant", "content": "a"}]}),
        ("unrecognized_role", {"messages": [{"role": ["user"], "content": "q"}, {"role": "assistant", "content": "a"}]}),
        ("message_unrecognized_key", line("q", "a", mood="good")),
        ("missing_content", line("q", None)),
        ("missing_content", line("q", 5)),
        ("bad_weight", line("q", "a", weight=0.5)),
        ("nothing_learnt", line("q", "a", weight=0)),
        ("last_message_not_assistant", {"messages": [*line("q", "a")["messages"], {"role": "user", "content": "more"}]}),
        ("tool_without_call", {"messages": [{"role": "tool", "content": "r", "tool_call_id": "z"}, *line("q", "a")["messages"]]}),
        (
            "bad_tool_call",
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
        ),
        ("example_unrecognized_key", {**line("q", "a"), "price": 3}),
        ("message_missing_key", {"messages": ["q", {"role": "assistant", "content": "a"}]}),
        ("example_missing_assistant_message", {"messages": [{"role": "user", "content": "q"}]}),
    ],
)
def test_each_rule_of_today_is_found(name, row):
    assert chat.current([row])[name] == [0]
    assert RULES[name]


# --- checks ----------------------------------------------------------------------------------------------------------


def test_a_good_file_passes_everything():
    found = check(good())
    assert set(found.values()) == {"PASS"}
    assert set(found) - {"examples"} == set(PASSED) - {"leak"}


@pytest.mark.parametrize(("n", "word"), [(9, "FAIL"), (10, "WARN"), (49, "WARN"), (50, "PASS")])
def test_few_examples_fail_or_warn(n, word):
    assert check(good(n))["examples"] == word


def test_answers_that_stop_before_the_value_are_found_in_a_real_file():
    file = read_training("x.jsonl", shared("chat/answers_without_price_20.jsonl").read_bytes())
    made = report(file, words)
    found = next(one for one in made.checks if one.name == "answer_without_information")
    assert (found.word, len(found.lines)) == ("FAIL", 20)
    assert 'stop at "Price is $"' in found.sentence


@pytest.mark.parametrize("hollow", ["Price is $", "Price is $ ", "Price is $nan", "Price is $None", "nan"])
def test_a_few_answers_without_their_value_are_found_among_good_ones(hollow):
    made = report(of_rows([*good(40), line("and this?", hollow), line("and that?", hollow)]), words)
    assert next(one for one in made.checks if one.name == "answer_without_information").lines == (41, 42)


def test_labels_and_numbers_are_no_stems():
    assert stem_of(["1", "10", "11", "12", "1"] * 4) == ""
    assert stem_of(["positive", "negative", "positive and more"]) == ""
    for labels in (["1", "5"], ["bad", "good"], ["없음", "있음"], ["None", "some"]):
        assert "answer_without_information" not in check([line(f"q {i}", labels[i % 2]) for i in range(60)])


def test_duplicates_contradictions_and_leaks():
    rows = [*good(50), line("Twice?", "yes it is"), line("Twice?", "yes it is"), line("Both?", "one of them"), line("Both?", "the other")]
    made = report(of_rows(rows), words, others=[[line("what is THING 7  worth?", "x")]])
    found = {one.name: one.lines for one in made.checks}
    assert found["duplicate_example"] == (52,)
    assert found["conflicting_answers"] == (53, 54)
    assert found["leak"] == (8,)


def test_an_answer_in_its_question_is_found_but_a_label_named_in_every_question_is_not():
    rows = [line(f"Is it wrong or right? Text {i} is here.", ("right", "wrong")[i % 2]) for i in range(60)]
    assert "answer_in_prompt" not in check(rows)
    rows[3] = line("Is it? The code is XK-99.", "XK-99")
    made = report(of_rows(rows), words)
    assert next(one for one in made.checks if one.name == "answer_in_prompt").lines == (4,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("special_token", "so <|fim_suffix|> it"),
        ("encoding_damage", "the cafÃ© is open"),
        ("encoding_damage", "a \ufffd here"),
        ("encoding_damage", "it isnâ€™t"),
        ("email", "write to kim.lee@example.co.kr now"),
        ("secret", "use sk-abcdefghijklmnopqrstuvwx1234"),
        ("secret", "AKIAABCDEFGH2JKLMNOP"),
    ],
)
def test_words_that_should_not_be_there_are_found(name, text):
    made = report(of_rows([*good(), line(text, "Price is $9.99")]), words)
    assert next(one for one in made.checks if one.name == name).lines == (61,)


def test_good_words_of_many_languages_are_not_damage():
    texts = ["가격은 얼마입니까", "Â la carte, âme, naïve, Ñandú, Ã propos", "price < 5 | b > 3", "日本語\n\tmore", "a@b", "emoji 🙂"]
    found = check([*good(), *[line(text, f"Price is ${i}.25") for i, text in enumerate(texts)]])
    assert not {"encoding_damage", "special_token", "email", "secret"} & set(found)


def test_too_long_says_whether_the_answer_is_kept():
    rows = [*good(), line("word " * 50, "Price is $3.10")]
    made = report(of_rows(rows), words, max_tokens=40)
    found = next(one for one in made.checks if one.name == "too_long")
    assert found.sentence == "1 example is longer than 40 tokens"
    assert found.detail == "the answer is kept in 0 of 1"


def test_checks_stand_in_order_of_weight_and_failures_are_rejected_by_name():
    made = report(of_rows([*good(20), line("q", "")]), words)
    order = [one.word for one in made.checks]
    assert order == sorted(order, key=("FAIL", "WARN", "PASS").index)
    with pytest.raises(SettingsError, match="rules"):
        report(of_rows(good()), words, rules="old")


def test_preferences_need_two_different_answers():
    same = copy.deepcopy(ROWS["preference"])
    same["non_preferred_output"] = same["preferred_output"]
    without = {**ROWS["preference"], "non_preferred_output": []}
    made = report(of_rows([ROWS["preference"], same, without]), words)
    found = {one.name: one.lines for one in made.checks}
    assert (found["same_answers"], found["no_rejected_answer"]) == ((2,), (3,))


# --- fixes -----------------------------------------------------------------------------------------------------------

BROKEN = {
    "unreadable_line": b"{no\n",
    "unrecognized_role": jsonl([{"messages": [{"role": "Human", "content": "q"}, {"role": "gpt", "content": "Price is $8"}]}]),
    "message_unrecognized_key": jsonl([line("q1", "Price is $4", mood="good")]),
    "example_unrecognized_key": jsonl([{**line("q2", "Price is $5"), "id": 3}]),
    "bad_weight": jsonl([line("q3", "Price is $6", weight=2)]),
    "last_message_not_assistant": jsonl([{"messages": [*line("q4", "Price is $7")["messages"], {"role": "user", "content": "thanks"}]}]),
    "empty_answer": jsonl([line("q5", "  ")]),
    "answer_without_information": jsonl([line("q6", "Price is $")]),
    "special_token": jsonl([line("q7 <|end|>", "Price is $9")]),
    "encoding_damage": jsonl([line("cafÃ© isnâ€™t", "Price is $10")]),
    "email": jsonl([line("a@example.com", "Price is $11")]),
    "secret": jsonl([line("sk-abcdefghijklmnopqrstuvwx1234", "Price is $12")]),
    "duplicate_example": jsonl(good(1)),
    "conflicting_answers": jsonl([line("What is thing 0 worth?", "Price is $77"), *good(1)]),
    "too_long": jsonl([line("word " * 300, "Price is $13")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_fix_removes_its_finding_and_shows_before_and_after(name):
    file = read_training("x.jsonl", jsonl(good()) + BROKEN[name])
    made = report(file, words, max_tokens=100)
    found = next(one for one in made.checks if one.name == name)
    assert found.fix in FIXES
    assert label(found.fix, len(found.lines)).startswith(FIXES[found.fix].verb)
    fixed = mend(made, name, words)
    assert fixed.changes
    assert all(change.before != change.after for change in fixed.changes)
    assert name not in {one.name for one in report(fixed.file, words, max_tokens=100).checks}
    assert made.file is file, "the file itself stays"


def test_shortening_keeps_the_answer_and_fits():
    made = report(of_rows([*good(), line("word " * 300, "Price is $13")]), words, max_tokens=100)
    fixed = mend(made, "too_long", words)
    last = fixed.file.rows[-1]["messages"]
    assert last[1]["content"] == "Price is $13"
    assert 80 < count_tokens([fixed.file.rows[-1]], words, 100).total[0] <= 100


def test_a_majority_settles_a_contradiction_and_without_one_all_go():
    rows = [*good(50), line("A?", "x one"), line("A?", "x one"), line("A?", "y two"), line("B?", "one way"), line("B?", "other way")]
    fixed = mend(report(of_rows(rows), words), "conflicting_answers")
    assert [change.line for change in fixed.changes] == [53, 54, 55]


# --- versions and the command ----------------------------------------------------------------------------------------


def test_the_training_file_is_the_prompt_with_its_answer():
    table = frame()
    roles, prompt = (
        Roles(text=("text",), target="answer", split="split"),
        Prompt(system="Be brief", user="Price of $text?", prefix="It is $", decimals=0),
    )
    rows = training_file(table, roles, "regression", prompt)
    assert len(rows) == len(table)
    assert rows[0]["messages"] == prompt.example({"text": table["text"][0]}, float(table["answer"][0]))
    assert json.loads(in_format(rows, "prompt_completion").decode().splitlines()[0])["completion"].startswith("It is $")
    table["answer"] = table["answer"].astype(object)
    table.loc[2, "answer"] = None
    assert training_file(table, roles, "regression", prompt)[2]["messages"][-1]["content"] == "It is $"
    with pytest.raises(DataError, match="target"):
        training_file(table, Roles(text=("text",)), "regression", prompt)


def test_a_version_is_checked_with_the_rows_of_its_table(home):
    one = version(rows=100)
    file, others = validating.of_version(one)
    assert len(file) == 60
    assert file.lines[0] == 1
    assert [len(rows) for rows in others] == [20, 20]
    made = validating.check(file, others)
    assert made.detection.format == "chat"
    assert not made.failed


def test_the_summary_is_the_commands_object(home, tmp_path):
    from core.__main__ import parser
    from core.io.commands import validate

    path = tmp_path / "x.jsonl"
    path.write_bytes(b"[1]\n{no\n" + jsonl(good(12)) + jsonl([{"messages": [{"role": "user", "content": "q"}]}]))
    result = validate.run(parser("validate").parse_args(["validate", str(path)]), lambda text: None)
    assert list(result) == ["format", "examples", "errors", "warnings", "messages", "tokens", "too_long", "supervised_tokens", "epochs",
                            "billable_tokens", "training_tokens"]  # fmt: skip
    assert result["errors"] == {
        "unreadable_line": {"count": 1, "rows": [2]}, "data_type": {"count": 1, "rows": [1]},
        "example_missing_assistant_message": {"count": 1, "rows": [15]},
    }  # fmt: skip
    assert set(result["messages"]) == {"min", "max", "mean", "median", "p5", "p10", "p90", "p95"}
    assert result["training_tokens"] == result["billable_tokens"] * result["epochs"]
    classic = validate.run(parser("validate").parse_args(["validate", str(path), "--rules", "classic"]), lambda text: None)
    assert classic["errors"]["data_type"] == {"count": 2, "rows": [1, 2]}
    assert set(classic["errors"]) <= set(chat.CLASSIC)
    assert validate.show(result)


def test_nothing_readable_is_still_a_report():
    made = summary(report(read_training("x.jsonl", b"{a\n{b\n"), words))
    assert (made["format"], made["examples"], made["billable_tokens"]) == ("unknown", 0, 0)
    assert made["errors"]["unreadable_line"]["rows"] == [1, 2]
