"""The classic assistant on the page: led to, switched advice by advice, downloaded, made a dataset."""

from __future__ import annotations

import io
import json
import zipfile

import pandas as pd
import pytest

from core.io import store
from tests.test_frame import HOSTILE
from tests.test_prepare import pairs
from tests.test_validate import jsonl
from tests.test_validate_page import labels, said, upload

LABELS = [{"prompt": f"{i} things to tell apart, {'xyz'[i % 3]}", "completion": "ab"[i % 2]} for i in range(30)]


def opened(data: bytes, name: str = "training.jsonl"):
    at = upload(data, name)
    switch = next(one for one in at.toggle if one.label == "Open the assistant")
    switch.set_value(True).run()
    assert not at.exception
    return at


def switch(at, rule: str):
    return next(one for one in at.toggle if one.key and one.key.endswith(f"_{rule}"))


def buttons(at) -> dict:
    return {one.label: one for one in at.get("download_button")}


def test_a_file_of_pairs_leads_to_the_assistant_and_says_what_it_would_advise(home):
    at = upload(jsonl(LABELS))
    assert "Prompt and completion pairs" in said(at)
    assert "Classification, 2 classes" in said(at)
    assert "recommends 2 changes and a split into 24 to train, 6 to validate" in said(at)
    assert "Prompt and completion pairs" not in said(upload(jsonl([{"messages": [{"role": "user", "content": "a"}]}] * 12)))


def test_every_advice_has_a_switch_and_the_files_follow_it(home):
    at = opened(jsonl(LABELS))
    assert {"Download 24 rows to train", "Download 6 rows to validate", "Both as one zip"} <= set(buttons(at))
    switch(at, "split").set_value(False).run()
    assert "Download 30 rows" in buttons(at)
    assert "Both as one zip" not in buttons(at)
    for rule in ("common_prompt_suffix", "completions_space_start"):
        switch(at, rule).set_value(False).run()
    assert "Nothing is changed, so nothing is written" in said(at)
    assert "Download 30 rows" not in buttons(at)


def test_what_is_seen_in_the_data_is_shown(home):
    at = opened(jsonl([{"prompt": f"{i} {'pq'[i % 2]} ->", "completion": f" {'xyz'[i % 3]} {i} end"} for i in range(6)]))
    told = " ".join(one.value for one in at.text)
    assert '" ->"' in told
    assert 'begins with a space, ends with " end"' in told
    assert "Conditional generation" in told


def test_a_table_with_other_names_and_gaps_shows_its_necessary_steps(home):
    table = "Prompt,completion,note\n" + "".join(f"q {i} x,answer {i} y,n\n" for i in range(11)) + "q,,n\n"
    at = opened(table.encode(), "my table.csv")
    for words in ("Your format CSV will be converted", "Lower case column name to prompt", "additional columns", "1 rows with empty"):
        assert words in said(at).replace("`", ""), words
    assert "Download 11 rows" in buttons(at)
    assert "my table_prepared.jsonl" in said(at)


def test_plain_lines_are_offered_too_and_files_of_no_kind_on_request(home):
    at = opened("".join(f"line {i} of text\n" for i in range(12)).encode(), "lines.txt")
    assert "Open-ended generation" in " ".join(one.value for one in at.text)
    at = upload(b"question,reply\na,b\nc,d\n", "faq.csv")
    at.pills(key="validate_more").set_value("Classic assistant").run()
    assert "`prompt` column/key is missing" in said(at)


def test_what_stops_the_old_tool_is_said_in_the_card(home):
    at = upload(jsonl([{"prompt": "same", "completion": f"c {i}"} for i in range(12)]))
    assert "All prompts are identical" in said(at)
    at = opened(jsonl([{"prompt": "same", "completion": f"c {i}"} for i in range(12)]))
    assert "All prompts are identical" in said(at)


def test_the_pairs_become_a_dataset_without_what_completion_models_need(home):
    at = opened(jsonl([*LABELS, {"prompt": "", "completion": ""}]))
    next(one for one in at.button if one.label == "Use as a dataset").click().run()
    (made,) = store.datasets()
    assert made.label == "training prepared"
    saved = made.versions[0]
    frame = store.frame(saved)
    assert frame["split"].value_counts().to_dict() == {"train": 24, "validation": 6}
    assert frame["prompt"].tolist() == [row["prompt"] for row in LABELS]
    assert set(frame["completion"]) == {"a", "b"}
    assert (saved.task, saved.roles.target) == ("classification", "completion")


def test_hostile_text_is_shown_as_text(home):
    rows = [{"prompt": f"{text} asks {i}{'xyz'[i % 3]}", "completion": f"{text} {i} {'xyz'[i % 3]}"} for i, text in enumerate(HOSTILE)]
    same = [{"prompt": f"{HOSTILE[0]} asks {i} {'xyz'[i % 3]}", "completion": f"{HOSTILE[0]} {i} x"} for i in range(12)]
    for given in (rows, same):
        at = opened(jsonl([*given, {HOSTILE[0]: "extra"}]), "![x](http://evil.example).jsonl")
        drawn = [str(one.value) for kind in (at.caption, at.markdown, at.error) for one in kind] + [one.label for one in at.toggle]
        assert not [text for text in drawn if "](http" in text or "<script" in text or "<img" in text]


def test_a_fix_made_above_is_kept(home):
    rows = [*pairs(12), pairs(12)[0]]
    at = upload(jsonl(rows))
    assert "Drop 1 row" in labels(at)
    next(one for one in at.button if one.label == "Drop 1 row").click().run()
    at.button(key="validate_apply").click().run()
    next(one for one in at.toggle if one.label == "Open the assistant").set_value(True).run()
    assert not at.exception
    assert "Keep the 1 fix made above" in said(at)
    assert "Download 12 rows" in buttons(at)


def test_the_zip_holds_both_files():
    from core.validate.prepare import prepare
    from ui.validate_prepare import _zip

    made = prepare(LABELS, lambda advice: True)
    with zipfile.ZipFile(io.BytesIO(_zip(made, {"_train": "a.jsonl", "_valid": "b.jsonl"}))) as packed:
        lines = {name: packed.read(name).decode().splitlines() for name in packed.namelist()}
    assert {name: len(found) for name, found in lines.items()} == {"a.jsonl": 24, "b.jsonl": 6}
    assert json.loads(lines["b.jsonl"][0])["completion"].startswith(" ")


@pytest.mark.parametrize(
    ("old", "new", "shown", "marks"),
    [
        ("ask", "ask ->", "ask ->", [(3, 6, "added")]),
        ("Prefix: a", "a", "Prefix: a", [(0, 8, "removed")]),
        ("ABC", "abc", "ABCabc", [(0, 3, "removed"), (3, 6, "added")]),
        ("aa", "aaa", "aaa", [(2, 3, "added")]),
        ("x", "x\n\n###\n\n", "x\\n\\n###\\n\\n", [(1, 12, "added")]),
    ],
)
def test_a_change_is_shown_in_its_place(old, new, shown, marks):
    from ui.validate_prepare_rows import difference

    assert difference(old, new) == (shown, marks)


def test_a_workbook_is_offered(home):
    out = io.BytesIO()
    pd.DataFrame(pairs(12)).to_excel(out, index=False)
    at = opened(out.getvalue(), "book.xlsx")
    assert "Download 12 rows" in buttons(at)
