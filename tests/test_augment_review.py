"""The Augment page after the writing: review one by one and by gate, thresholds, saving, the report, runs that are found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.augment.presets import PRESETS
from core.io import batches, jobs, store
from core.version import Version
from tests.doubles import version
from tests.loopback import KEY, Fault, Loopback, three_variants
from tests.test_augment_page import button, endpoint, fine, page, words
from tests.test_augmenting import saved


def written(one: Version, answer: Any = three_variants) -> batches.Batch:
    """A finished run over a real endpoint."""
    from tests.test_augmenting import start

    with Loopback(answer=answer) as server:
        job = start(one, server)
        assert job.state == "done", job.error
    return batches.batches(one)[0]


def reviewing(one: Version, view: str = "Review") -> AppTest:
    at = page(one)
    at.segmented_control(key="augment_view").set_value(view)
    return fine(at.run())


def mixed(one: Version) -> Any:
    """A writer whose second variant repeats a test row, and whose third is the original again."""
    held = store.frame(one, split="test")["text"].iloc[0]

    def answer(messages: list[dict[str, str]]) -> str:
        said = json.loads(three_variants(messages))
        return json.dumps([said[0], held, messages[-1]["content"].strip().splitlines()[-1]])

    return answer


def test_variants_are_looked_at_one_by_one_and_what_was_decided_is_saved(home: Path) -> None:
    one = saved()
    batch = written(one)
    at = reviewing(one)
    total = len(batches.reviewed(one, batch)[0])
    assert f"0 of {total} looked at" in " ".join(str(bar.proto.text) for bar in at.get("progress"))
    assert {b.proto.shortcut for b in at.button if b.proto.shortcut} >= {"a", "x", "e", "n"}
    for label in ("Reject", "Accept", "Next"):
        fine(button(at, label).click().run())
    assert f"3 of {total} looked at" in " ".join(str(bar.proto.text) for bar in at.get("progress"))
    decided = list(batches.decisions(batch).values())
    assert [made.get("keep") for made in decided] == [False, True, None]
    passing = (batches.reviewed(one, batch)[0]["gate"] == "").sum()
    button(at, f"Save {passing - 1} rows")


def test_an_edited_variant_is_judged_again(home: Path) -> None:
    one = saved()
    batch = written(one)
    at = reviewing(one)
    fine(button(at, "Edit").click().run())
    box = next(area for area in at.text_area if area.label == "Variant")
    original = batches.reviewed(one, batch)[0]["original"].iloc[0]
    box.set_value(original)
    fine(at.run())
    fine(button(at, "Save the text").click().run())
    first = batches.reviewed(one, batch)[0].iloc[0]
    assert (first["variant"], first["gate"], first["keep"], first["edited"]) == (original, "same", False, True)


def test_a_copy_of_a_test_row_cannot_be_accepted_one_by_one_or_all_at_once(home: Path) -> None:
    one = saved()
    written(one, mixed(one))
    at = reviewing(one)
    at.session_state["augment_gate"] = "held_out"
    fine(at.run())
    assert "it repeats a row kept aside for the test" in words(at)
    for label in ("Accept", "Accept all"):
        assert button(at, label).disabled
    assert not button(at, "Reject").disabled


def test_all_variants_of_one_gate_are_accepted_at_once_and_given_back(home: Path) -> None:
    one = saved()
    batch = written(one, mixed(one))
    at = reviewing(one)
    before = batches.reviewed(one, batch)[0]
    same = int((before["gate"] == "same").sum())
    at.session_state["augment_gate"] = "same"
    fine(at.run())
    fine(button(at, f"Accept all {same}").click().run())
    assert int(batches.reviewed(one, batch)[0]["keep"].sum()) == int(before["keep"].sum()) + same
    fine(button(at, "Keep all that pass").click().run())
    assert batches.reviewed(one, batch)[0]["keep"].equals(before["keep"])


def test_a_moved_threshold_says_what_it_would_stop_and_judges_again(home: Path) -> None:
    one = saved()
    batch = written(one)
    at = reviewing(one)
    at.selectbox(key="augment_measured").set_value("too_similar")
    fine(at.run())
    slider = at.slider[0]
    assert slider.value == 0.93
    slider.set_value(0.2)
    fine(at.run())
    frame = batches.reviewed(one, batch)[0]
    alike = [json.loads(cell)["too_similar"] for cell in frame["values"]]
    assert f"At 0.20 it would be {sum(value > 0.2 for value in alike)}" in words(at).replace("\\", "")
    fine(button(at, "Use 0.20").click().run())
    assert (batches.reviewed(one, batch)[0]["gate"] == "too_similar").any()
    fine(button(at, "Usual thresholds").click().run())
    assert not (batches.reviewed(one, batch)[0]["gate"] == "too_similar").any()


def test_the_report_tells_cost_variety_gates_and_the_final_text(home: Path) -> None:
    one = saved()
    batch = written(one, mixed(one))
    at = reviewing(one, "Report")
    kept = int(batches.reviewed(one, batch)[0]["keep"].sum())
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Kept"] == f"{kept} of 60"
    assert shown["Train rows"] == f"20 → {20 + kept}"
    assert shown["Cost per kept row"].replace("\\", "").startswith("$0.0")
    assert "varied" in words(at)
    original = store.frame(one, split="train")["text"].iloc[0]
    assert any(original in code.value and "### Response" in code.value for code in at.code)
    at.selectbox(key="augment_final_format").set_value("chat")
    fine(at.run())
    assert any(original in code.value and json.loads(code.value)["messages"][-1]["role"] == "assistant" for code in at.code
               if code.value.startswith("{"))  # fmt: skip


def test_a_saved_version_reports_on_itself_and_says_where_to_go_next(home: Path) -> None:
    one = saved()
    written(one)
    at = reviewing(one)
    fine(button(at, "Save ").click().run())
    made = store.versions(one.dataset)[0]
    assert {metric.label for metric in at.metric} >= {"Kept", "Cost per kept row"}
    assert made.source["augment"]["usd"] > 0
    assert store.frame(made)["written_at"].dropna().str.startswith("20").all()
    said = words(at)
    assert all(place in said for place in ("Check the training file", "Run baselines on it", "Fine-tune on it"))


def test_an_address_that_answers_a_web_page_is_told(home: Path) -> None:
    with Loopback(["html"] * 30) as server:
        at = endpoint(page(saved()), server)
        fine(button(at, "Try three rows").click().run())
        said = words(at) + " ".join(e.proto.title or "" for e in at.error)
    assert "cannot be read" in said
    assert "Check the address" in said
    assert "<html>" not in said


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_request_can_be_chosen_and_asked_by_hand(home: Path, preset: str) -> None:
    at = page(version("qa" if PRESETS[preset].tasks else "classification"))
    at.selectbox(key="augment_do").set_value(preset).run()
    fine(at.selectbox(key="augment_writer").set_value("hand").run())
    if PRESETS[preset].keeps == "schema":
        fine(at.text_area(key="augment_description").set_value("Short reviews of tools").run())
    asked = [code.value for code in at.code]
    assert any(len(text) > 40 for text in asked), words(at)
    assert not any("${n}" in text or "$text" in text for text in asked)


def test_the_built_in_model_is_not_asked_for_what_is_too_hard_for_it(home: Path) -> None:
    at = page(version("classification"))
    fine(at.selectbox(key="augment_do").set_value("translate").run())
    assert "too small" in words(at)
    assert button(at, "Write variants").disabled


def test_a_batch_says_half_the_price_and_a_day(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    at = page(saved(90))
    fine(at.selectbox(key="augment_writer").set_value("openai").run())
    assert "In a batch, within a day" in words(at)
    whole = next(b.label for b in at.button if b.label.startswith("Write variants for"))
    fine(at.toggle(key="augment_batch_openai").set_value(True).run())
    assert "At once" in words(at)
    assert "within a day" in words(at)
    assert next(b.label for b in at.button if b.label.startswith("Write variants for")) != whole


def test_requests_that_failed_are_told_and_asked_again(home: Path) -> None:
    one = saved()
    with Loopback(["ok", Fault(400, "too long for this model", "invalid_request_error", "context_length_exceeded")]) as server:
        at = endpoint(page(one), server)
        fine(button(at, "Write variants").click().run())
        [job] = jobs.all_jobs(kind="augment")
        assert (job.state, (job.result or {})["failed"]) == ("done", 1)
        at.segmented_control(key="augment_view").set_value("Write").run()
        assert "1 request of the last run got no reply" in words(at)
        fine(button(at, "Ask again for the 1 request that failed").click().run())
    [job] = jobs.all_jobs(kind="augment")
    assert (job.result or {})["failed"] == 0


def test_a_run_is_found_again_by_a_page_that_is_opened_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.test_augmenting import start

    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    one = saved()
    with Loopback(pause=0.5) as server:
        job = start(one, server, parallel=1)
        at = fine(page(one))
        assert "Writing" in words(at)
        button(at, "Pause").click().run()
        while jobs.read(job.id).alive:
            pass
        at = fine(page(one))
    assert jobs.read(job.id).state == "paused"
    assert "The last run paused at" in words(at)
    button(at, "Resume")
