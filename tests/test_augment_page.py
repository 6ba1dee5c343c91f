"""The Augment page as a person uses it: guards, by hand from request to saved version, a real endpoint from key to effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import batches, jobs, store
from core.version import Roles, Version
from tests.doubles import ROOT, version
from tests.loopback import KEY, Loopback
from tests.test_augmenting import saved


def page(one: Version | None = None) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / "augment.py"), default_timeout=180)
    if one:
        at.session_state["dataset"], at.session_state["version"] = one.dataset, one.id
    return at.run()


def fine(at: AppTest) -> AppTest:
    assert not at.exception, [e.value for e in at.exception]
    return at


def button(at: AppTest, label: str) -> Any:
    found = [b for b in at.button if b.label.startswith(label)]
    assert found, f"no button '{label}' among {[b.label for b in at.button]}"
    return found[0]


def words(at: AppTest) -> str:
    return " ".join(str(e.value) for kind in (at.markdown, at.caption, at.subheader, at.error) for e in kind)


@pytest.mark.parametrize(("case", "says", "offers"), [
    ("none", "No data yet", "Choose data"), ("unsplit", "No train rows yet", "Split version 1"), ("no text", "No text to vary", "Choose the text"),
])  # fmt: skip
def test_what_is_missing_is_said_with_the_button_that_mends_it(home: Path, case: str, says: str, offers: str) -> None:
    one = {"none": lambda: None, "unsplit": lambda: version("classification", split=False), "no text": _no_text}[case]()
    at = fine(page(one))
    assert says in words(at)
    button(at, offers)


def _no_text() -> Version:
    rows = pd.DataFrame({"a": [1, 2, 3], "split": ["train", "train", "test"]})
    return store.save("Numbers", rows, title="Import", roles=Roles(split="split"), source_hash="n")


@pytest.mark.parametrize("task", ["regression", "classification", "qa"])
def test_the_page_opens_for_every_task_and_view(home: Path, task: str) -> None:
    at = fine(page(version(task)))
    for view in ("Review", "Report", "Write"):
        at.segmented_control(key="augment_view").set_value(view)
        fine(at.run())


def test_a_writer_without_a_key_is_not_ready_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    at = page(version("classification"))
    fine(at.selectbox(key="augment_writer").set_value("openai").run())
    assert "OpenAI has no key" in words(at)
    assert button(at, "Write variants").disabled
    assert at.text_input(key="key_OPENAI_API_KEY").placeholder == "kept in memory, never saved"


def test_a_prompt_that_does_not_use_the_text_is_refused_in_the_bar(home: Path) -> None:
    at = page(version("classification"))
    fine(at.text_area(key="augment_user_paraphrase_True").set_value("Write anything").run())
    assert "does not use" in words(at)
    assert button(at, "Write variants").disabled


@pytest.mark.parametrize(("prompt", "advice"), [("Vary $txet now", "Did you mean $text"), ("$text를 바꿔줘", "${text}")])
def test_a_name_that_is_no_column_is_told_with_the_one_that_was_meant(home: Path, prompt: str, advice: str) -> None:
    at = page(version("classification"))
    fine(at.text_area(key="augment_user_paraphrase_True").set_value(prompt).run())
    said = words(at).replace("\\", "")
    assert "there is no such name" in said
    assert advice in said
    assert button(at, "Write variants").disabled
    fine(button(at, "Back to the ready request").click().run())
    assert not button(at, "Write variants").disabled


def test_the_names_a_prompt_may_use_stand_with_their_first_train_row(home: Path) -> None:
    one = saved()
    at = page(one)
    names = next(frame.value for frame in at.dataframe if "Write" in frame.value)
    first = store.frame(one, split="train").iloc[0]
    assert names.set_index("Write")["First train row"].to_dict()["$target"] == first["answer"]
    assert {"$text", "${n}", "$target", "$id", "$answer"} == set(names["Write"])
    assert any(first["text"] in code.value for code in at.code)


def test_the_page_says_that_only_train_rows_are_used(home: Path) -> None:
    assert "Train rows only: 20 of 30 rows. The 10 kept" in words(page(saved()))


def test_korean_texts_get_the_korean_requests_first(home: Path) -> None:
    rows = store.frame(saved()).assign(text=lambda t: [f"수도는 어디입니까 {i}" for i in range(len(t))])
    one = store.save("Korean", rows, title="Split", roles=saved().roles, task="qa", source_hash="k")
    assert page(one).selectbox(key="augment_do").value == "paraphrase_ko"


def test_a_name_with_two_underscores_can_be_marked() -> None:
    def script() -> None:
        from ui.tables import marked

        marked("old new", [(0, 3, "removed")], "of_a__b___c")
        marked("old new", [(0, 3, "removed")], "of_a_b_c")

    fine(AppTest.from_function(script).run())


def test_by_hand_from_the_request_to_a_version_with_parents(home: Path) -> None:
    one = saved()
    at = page(one)
    fine(at.selectbox(key="augment_writer").set_value("hand").run())
    asked = next(code.value for code in at.code if "numbered texts" in code.value)
    first = store.frame(one, split="train")["text"].iloc[0]
    assert first in asked
    assert store.frame(one, split="test")["text"].iloc[0] not in asked
    assert button(at, "Review what was read").disabled
    good = " ".join(reversed(first.split()))
    at.text_area(key="augment_reply_0_0").set_value(f"Sure!\n```json\n{json.dumps({'1': [good, first]})}\n```")
    fine(at.run())
    fine(button(at, "Read the reply").click().run())
    assert "2 variants of 1 row read" in words(at)
    fine(button(at, "Review what was read").click().run())
    assert "1 new train row from 1 row" in words(at)
    fine(button(at, "Save 1 rows as version 2").click().run())
    made = store.versions(one.dataset)[0]
    last = store.frame(made).iloc[-1]
    assert (made.number, last["text"], last["parent_row"], last["split"], last["origin"]) == (2, good, 0, "train", "synthetic")


def test_a_reply_without_variants_says_what_can_be_read(home: Path) -> None:
    at = page(saved())
    at.selectbox(key="augment_writer").set_value("hand").run()
    at.text_area(key="augment_reply_0_0").set_value("I'm sorry, but I can't help with that.").run()
    fine(button(at, "Read the reply").click().run())
    assert "No variant was found" in " ".join(e.proto.title or "" for e in at.error) + words(at)
    assert batches.batches(saved()) == []


def test_an_empty_reply_is_told(home: Path) -> None:
    at = page(saved())
    at.selectbox(key="augment_writer").set_value("hand").run()
    fine(button(at, "Read the reply").click().run())
    assert "Nothing is pasted yet" in " ".join(e.proto.title or "" for e in at.error)


def test_rows_a_reply_does_not_answer_are_named_and_stay_open(home: Path) -> None:
    one = saved()
    at = page(one)
    at.selectbox(key="augment_writer").set_value("hand").run()
    texts = store.frame(one, split="train")["text"].tolist()
    at.text_area(key="augment_reply_0_0").set_value(json.dumps({"1": [" ".join(reversed(texts[0].split()))]})).run()
    fine(button(at, "Read the reply").click().run())
    assert "says nothing about 9 rows" in words(at)
    assert any(texts[1][:40] in code.value for code in at.code)
    read = next(frame.value for frame in at.dataframe if "Read" in frame.value)
    assert read["Read"].tolist() == ["1 variant", *["missing"] * 9]
    at.text_area(key="augment_reply_0_1").set_value(json.dumps({"2": [" ".join(reversed(texts[1].split()))]})).run()
    fine(button(at, "Read the reply").click().run())
    assert "says nothing about 8 rows" in words(at)
    assert not any(texts[0][:40] in code.value for code in at.code if code.value.startswith("row"))


def endpoint(at: AppTest, server: Loopback, key: str = KEY) -> AppTest:
    at.selectbox(key="augment_writer").set_value("compatible").run()
    at.text_input(key="augment_address").set_value(server.url).run()
    fine(at.text_input(key=f"key_{server.url}").set_value(key).run())
    return fine(button(at, "Test the key").click().run())


def test_an_endpoint_from_the_key_to_the_effect(home: Path) -> None:
    one = saved(60)
    with Loopback() as server:
        at = endpoint(page(one), server)
        assert "works, 2 models" in words(at)
        assert at.selectbox(key="augment_model").value == "large"
        fine(button(at, "Try three rows").click().run())
        assert "of 9 pass" in words(at)
        fine(button(at, "Write variants").click().run())
        [job] = jobs.all_jobs(kind="augment")
        assert job.state == "done", job.error
        assert at.segmented_control(key="augment_view").value == "Review"
        fine(button(at, "Save ").click().run())
        made = store.versions(one.dataset)[0]
        assert made.roles.parent_row
        assert at.segmented_control(key="augment_view").value == "Report"
        fine(button(at, "Measure the effect").click().run())
        assert "difference" in words(at)
        asked = json.dumps(server.asked)
    assert not any(text in asked for text in store.frame(one, split="test")["text"])
    assert all(KEY.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_wrong_key_is_told_and_nothing_else_breaks(home: Path) -> None:
    with Loopback() as server:
        at = endpoint(page(saved()), server, key="sk-wrong-0123456789")
        assert "Incorrect API key" in words(at)
        assert "sk-wrong" not in words(at)
        button(at, "Write variants")


def test_an_estimate_over_the_budget_cannot_start(home: Path) -> None:
    with Loopback() as server:
        at = endpoint(page(saved()), server)
        at.number_input(key="augment_rate_in").set_value(900.0).run()
        at.number_input(key="augment_budget").set_value(0.05)
        fine(at.run())
        assert "is over your" in words(at)
        at.number_input(key="augment_budget").set_value(0.0)
        fine(at.run())
        assert "sends nothing" in words(at)
        assert button(at, "Write variants").disabled
        at.number_input(key="augment_budget").set_value(100.0)
        fine(at.run())
        assert not button(at, "Write variants for").disabled


def test_a_failed_run_says_what_is_kept_and_resumes(home: Path) -> None:
    from tests.loopback import no_credit

    with Loopback(["ok"] * 6 + [no_credit()] * 9) as server:
        at = endpoint(page(saved()), server)
        fine(button(at, "Write variants").click().run())
        at.segmented_control(key="augment_view").set_value("Write").run()
        assert "replies are kept" in words(at)
        server.script.clear()
        fine(button(at, "Resume").click().run())
    [job] = jobs.all_jobs(kind="augment")
    assert job.state == "done"


def test_hostile_text_is_shown_as_text(home: Path) -> None:
    rows = store.frame(saved()).assign(text=lambda t: "![x](http://evil.example/a.png) <script>$1$ " + t["text"])
    one = store.save("Hostile", rows, title="Split", roles=saved().roles, task="classification", source_hash="h")
    with Loopback(answer=lambda messages: '["# **bold** ![y](http://evil.example/b.png) :material/home:"]') as server:
        at = endpoint(page(one), server)
        fine(button(at, "Try three rows").click().run())
        fine(button(at, "Write variants").click().run())
    assert "evil.example" not in words(at)
