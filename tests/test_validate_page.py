"""Validate & Cost, as a person meets it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import store
from core.prompt import Prompt
from core.version import Roles
from tests.doubles import ROOT, frame, version
from tests.test_frame import HOSTILE
from tests.test_validate import good, jsonl, line


def app(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page("../pages/validate.py")


def upload(data: bytes, name: str = "training.jsonl") -> AppTest:
    at = app(validate_view="A file").run()
    at.file_uploader(key="validate_file").upload(name, data, "application/octet-stream")
    at.run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    kinds = (at.caption, at.markdown, at.error, at.subheader, at.title, at.toast)
    return " ".join(str(one.value).replace("\\", "").replace("\u2060", "") for kind in kinds for one in kind)


def labels(at: AppTest) -> list[str]:
    return [one.label for one in at.button]


def numbers(at: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in at.metric}


def test_without_data_there_is_nothing_to_check_and_a_file_can_be_given(home):
    at = app().run()
    assert not at.exception
    assert "Nothing to check yet" in said(at)
    assert at.file_uploader(key="validate_file")
    assert "Choose data" in labels(at)


def test_a_version_without_a_target_says_where_to_choose_one(home):
    version(target=False)
    at = app().run()
    assert not at.exception
    assert "Nothing to check yet" in said(at)
    assert "Choose what to predict" in labels(at)


def test_a_version_without_train_rows_leads_to_the_split(home):
    rows = frame().assign(split="test")
    store.save(
        "Things", rows, title="Import", roles=Roles(text=("text",), target="answer", split="split"), task="regression", source_hash="x"
    )
    at = app().run()
    assert not at.exception
    assert "has no train rows" in said(at)
    assert "Split in Curate" in labels(at)


def test_a_version_is_checked_counted_priced_and_can_be_downloaded(home):
    one = version(rows=100)
    at = app().run()
    assert not at.exception
    assert numbers(at)["Examples"] == "60"
    assert "Chat, 60 examples" in said(at)
    assert "OpenAI chat format, sure" in said(at)
    assert "Every last message is from the assistant" in said(at)
    costs = at.dataframe[0].value
    assert list(costs["Where"])[1:] == ["gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini"]
    assert costs["Training"][0] == "local"
    assert costs["Training"][1].startswith("$")
    assert "Prices as of 21 November 2026" in said(at)
    assert "marked tokens are learnt" in said(at)
    assert "60 examples · " in said(at)
    assert one.id


def test_more_epochs_cost_more_and_retired_models_are_shown_when_asked(home):
    version(rows=100)
    at = app().run()
    before = at.dataframe[0].value["Training"][1]
    box = next(one for one in at.number_input if one.label == "Epochs")
    box.set_value(40).run()
    assert at.dataframe[0].value["Training"][1] != before
    at.toggle(key="validate_retired").set_value(True).run()
    assert any("retired" in str(cell) for cell in at.dataframe[0].value["Time or until"])
    assert not at.exception


def test_a_good_file_passes(home):
    at = upload(jsonl(good()))
    assert "FAIL" not in said(at)
    assert "Ready" in said(at)
    assert numbers(at)["Examples"] == "60"


def test_a_broken_file_shows_findings_with_their_rows_and_a_fix_is_applied_and_undone(home):
    at = upload(jsonl(good()) + b"{no\n" + jsonl([line("q?", "Price is $"), line("write to a@example.com", "Price is $7")]))
    assert "1 line cannot be read" in said(at)
    assert 'stops at "Price is $"' in said(at)
    assert "2 checks failed" in said(at)
    at.button(key="validate_fix_answer_without_information").click().run()
    assert "1 row left out" in said(at)
    assert any("Price is $" in block.value for block in at.code)
    at.button(key="validate_apply").click().run()
    assert 'stops at "Price is $"' not in said(at)
    assert "1 fix applied" in said(at)
    assert numbers(at)["Examples"] == "61"
    at.button(key="validate_fix_email").click().run()
    at.button(key="validate_leave").click().run()
    at.button(key="validate_undo").click().run()
    assert 'stops at "Price is $"' in said(at)
    assert not at.exception


def test_what_cannot_be_mended_can_be_dropped(home):
    at = upload(jsonl([*good(), line("a lost \ufffd letter", "Price is $9")]))
    at.button(key="validate_fix_encoding_damage").click().run()
    assert at.button(key="validate_apply").disabled
    at.button(key="validate_drop_instead").click().run()
    at.button(key="validate_apply").click().run()
    assert numbers(at)["Examples"] == "60"
    assert not at.exception


def test_the_rows_of_a_check_filter_the_examples(home):
    at = upload(jsonl([*good(), line("q?", ""), *good(1)]))
    table = next(one.value for one in at.dataframe if "question" in one.value)
    assert len(table) == 50
    at.button(key="validate_rows_duplicate_example").click().run()
    table = next(one.value for one in at.dataframe if "question" in one.value)
    assert table["row"].tolist() == [62]
    at.button(key="validate_off_check").click().run()
    assert len(next(one.value for one in at.dataframe if "question" in one.value)) == 50


def test_dropping_rows_of_a_version_saves_a_new_version(home):
    rows = frame(rows=100)
    rows["answer"] = rows["answer"].astype(object)
    rows.loc[[3, 8], "answer"] = None
    roles = Roles(text=("text",), target="answer", split="split")
    old = store.save(
        "Things", rows, title="Import", roles=roles, task="regression", prompt=Prompt(user="$text", prefix="Price is $"), source_hash="x"
    )
    at = app().run()
    assert "2 answers stop at" in said(at)
    at.button(key="validate_fix_answer_without_information").click().run()
    at.button(key="validate_apply").click().run()
    assert not at.exception
    assert "Saved as version 2" in said(at)
    new = store.versions(old.dataset)[0]
    assert (new.rows, new.parent, new.title, new.prompt) == (98, old.id, "Drop 2 rows", old.prompt)
    assert sorted(store.dropped(new)["row"]) == [3, 8]
    assert "stop at" not in said(at)


@pytest.mark.parametrize("rows", [[{"prompt": f"p {i}", "completion": f"c {i} d"} for i in range(12)], [{"a": i} for i in range(12)]])
def test_other_and_unknown_formats_stand(home, rows):
    at = upload(jsonl(rows))
    assert not at.exception
    assert ("Prompt and completion" in said(at)) == ("prompt" in rows[0])


@pytest.mark.parametrize("more", ["Other formats", "Classic counts"])
def test_formats_and_counts_come_when_asked_for(home, more):
    at = upload(jsonl([{"prompt": f"p {i}", "completion": f"c {i} d"} for i in range(12)]))
    at.pills(key="validate_more").set_value(more).run()
    assert not at.exception
    words = {
        "Other formats": "12 of 12 rows can be carried over",
        "Classic counts": "12 without a system message",
    }
    assert words[more] in said(at)


def test_tables_and_nonsense_are_read_or_refused_in_words(home):
    assert "Prompt and completion, 2 examples" in said(upload(b"prompt,completion\nq,a\nr,b\n", "x.csv"))
    assert "damaged" in said(upload(b"\x1f\x8bnot really", "x.jsonl.gz"))
    assert "0 examples" in said(upload(b"\xff\xfa\n", "x.jsonl"))


def test_hostile_text_is_shown_as_text(home):
    rows = [line(text, f"{text} {i}", **{text: 1}) for i, text in enumerate(HOSTILE)] + [{text: text} for text in HOSTILE]
    at = upload(jsonl(rows + [line(f"again {i}", HOSTILE[0]) for i in range(40)]), "![x](http://evil.example).jsonl")
    drawn = [str(one.value) for kind in (at.markdown, at.caption, at.subheader) for one in kind] + labels(at)
    assert not [text for text in drawn if "](http" in text or "<script" in text]
    at.button(key="validate_fix_message_unrecognized_key").click().run()
    assert not at.exception


def test_a_finding_names_line_example_and_message_in_the_words_of_the_platform(home):
    broken = [{"messages": [{"content": "no role"}, {"role": "assistant", "content": "Price is $3"}]}, line("so <|end|>", "Price is $4")]
    at = upload(jsonl(good(9)) + b"\n\n" + jsonl([*good(50)[20:], *broken]))
    at.button(key="validate_rows_message_missing_key").click().run()
    assert "Line 42 is Example 40, message 1" in said(at)
    assert "The platform says: Invalid file format. Example 40, message 1 Discriminator 'role' is missing in value" in said(at)
    at.button(key="validate_rows_special_token").click().run()
    assert "Line 43 is Example 41, message 1" in said(at)
    assert "Example 41 message contains an invalid token: <|end|>." in said(at)
    assert "Line 42 is" not in said(at)
    at.button(key="validate_rows_special_token").click().run()
    assert "The platform says" not in said(at)
    few = upload(jsonl(good(7)))
    assert "The platform says: Training file has 7 example(s), but must have at least 10 examples" in said(few)


def test_a_second_file_shows_which_train_rows_stand_there_too(home):
    at = upload(jsonl(good()))
    assert "validation or test" not in " ".join(str(one.value) for one in at.markdown)
    at.file_uploader(key="validate_others").upload("validation.jsonl", jsonl(good(3)), "application/octet-stream")
    at.run()
    assert "3 examples are also in the validation or test rows" in said(at)
    at.button(key="validate_fix_leak").click().run()
    at.button(key="validate_apply").click().run()
    assert numbers(at)["Examples"] == "57"
    assert "No row is also in the validation or test rows" in said(at) or "more checks passed" in " ".join(one.label for one in at.expander)
    at.file_uploader(key="validate_others").upload("damaged.jsonl.gz", b"\x1f\x8bnot really", "application/octet-stream")
    at.run()
    assert not at.exception
    assert "damaged" in said(at)


def test_a_conversion_shows_its_rows_before_and_after(home):
    at = upload(
        jsonl([{"instruction": f"Price of {i}?", "input": "in won" * (i == 2), "output": f"It is {i}", "id": i} for i in range(60)])
    )
    at.pills(key="validate_more").set_value("Other formats").run()
    assert "60 of 60 rows can be carried over" in said(at)
    lost = next(one.value for one in at.dataframe if "What cannot be carried over" in one.value)
    assert dict(zip(*(lost[name] for name in lost), strict=True)) == {"borders between instruction and input": 1, "values of 'id'": 60}
    assert "user: Price of 0?\nassistant: It is 0" in [block.value for block in at.code]
    next(one for one in at.number_input if one.label == "Preview row").set_value(3).run()
    assert "user: Price of 2?\nin won\nassistant: It is 2" in [block.value for block in at.code]
    at.selectbox(key="validate_to").set_value("preference").run()
    assert "0 of 60 rows can be carried over" in said(at)
    assert not at.exception


def test_a_file_that_hosted_jobs_do_not_take_is_converted_by_its_fix(home):
    at = upload(jsonl([{"instruction": f"Price of {i}?", "input": "", "output": f"It is {i}"} for i in range(60)]))
    at.button(key="validate_fix_not_hosted_format").click().run()
    assert "60 rows changed" in said(at)
    at.button(key="validate_apply").click().run()
    assert "OpenAI chat format, sure" in said(at)
    assert "Ready" in said(at)


def test_every_fix_of_a_conversation_saves_a_version_of_its_table(home):
    rows = [row["messages"] for row in good(20)]
    rows[3] = [rows[3][0], {"role": "user", "content": "And?"}, rows[3][1]]
    rows[5] = [*rows[5], {"role": "user", "content": "thanks"}]
    rows[7] = [{"role": "user", "content": "only thanks"}]
    store.save("Chats", pd.DataFrame({"messages": [json.dumps(row) for row in rows]}), title="Import", source_hash="broken chats")
    at = app().run()
    for name, number in (("roles_out_of_order", 2), ("last_message_not_assistant", 3), ("example_missing_assistant_message", 4)):
        at.button(key=f"validate_fix_{name}").click().run()
        at.button(key="validate_apply").click().run()
        assert not at.exception
        assert f"Saved as version {number}" in said(at)
    new = store.frame(store.versions("chats")[0])
    said_now = [json.loads(cell) for cell in new["messages"]]
    assert len(said_now) == 19
    assert said_now[3][0]["content"].endswith("worth?\n\nAnd?")
    assert said_now[5] == rows[5][:-1]
    assert rows[7] not in said_now
    assert numbers(at)["Examples"] == "19"


def test_a_mixed_file_says_of_what_and_is_brought_into_one_format(home):
    at = upload(jsonl([*good(), {"instruction": "q?", "input": "", "output": "Price is $4"}, {"text": "no question"}]))
    badges = " ".join(str(one.value) for one in at.markdown).replace("\\", "")
    assert "Mixed: 60 Chat, 1 Alpaca, 1 Plain text" in badges
    at.button(key="validate_fix_mixed_formats").click().run()
    assert "1 row left out, 1 row changed" in said(at)
    assert "Not carried over: rows without a question (1)" in said(at)
    at.button(key="validate_apply").click().run()
    assert numbers(at)["Examples"] == "61"


def test_one_example_of_a_table_of_chats_needs_no_target(home):
    chats = pd.DataFrame({"messages": [json.dumps(row["messages"]) for row in good(12)]})
    store.save("Chats", chats, title="Import", source_hash="chats")
    at = app().run()
    assert not at.exception
    assert numbers(at)["Examples"] == "12"
