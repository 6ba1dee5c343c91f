"""The Fine-tune page and its commands, on the tiny model: every state, every button."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.finetune.checks import checks, leaked
from core.finetune.rows import TrainingRow, TrainingRows
from core.finetune.settings import TrainSettings
from core.io import files, jobs, lora
from core.io.commands import finetune as finetune_command
from core.io.commands import generate as generate_command
from core.version import Version
from tests import doubles
from tests.tiny import tiny_model

PAGE = "../pages/finetune.py"
FAST = {"learning_rate": 0.02, "batch": 4, "max_tokens": 128, "max_steps": 8}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def model(home, tiny, monkeypatch) -> Path:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    return tiny


def opened(version: Version, view: str | None = None, **session) -> AppTest:
    at = AppTest.from_file(str(doubles.ROOT / "ui" / "frame.py"), default_timeout=180).switch_page(PAGE)
    at.session_state["dataset"], at.session_state["version"] = version.dataset, version.id
    if view:
        at.session_state["finetune_view"] = view
    for key, value in session.items():
        at.session_state[key] = value
    return standing(at.run())


def standing(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    return "\n".join([*(str(e.value) for e in [*at.markdown, *at.caption, *at.subheader, *at.error]), *(b.label for b in at.button)])


def trained(version: Version, **settings) -> jobs.Job:
    request = {
        "dataset": version.dataset,
        "version": version.id,
        "limit": 5,
        "forgetting": False,
        "settings": TrainSettings(**{**FAST, **settings}).to_dict(),
    }
    return jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset)


def cut_off(monkeypatch, version: Version, at_step: int) -> jobs.Job:
    """A run that was stopped after that step."""
    from core.io.work import Desk

    real = Desk.say

    def say(self, done, total, message="", **figures):
        if figures.get("loss") and done == at_step:
            (self.folder / "cancelled").touch()
        real(self, done, total, message, **figures)

    monkeypatch.setattr(Desk, "say", say)
    job = trained(version, evaluate_every=2)
    monkeypatch.setattr(Desk, "say", real)
    return job


def test_a_new_run_shows_what_it_takes_before_it_starts(model):
    at = opened(doubles.version("regression", 60))
    told = words(at)
    assert "Every row teaches something" in told
    assert "No test row in train" in told
    assert "5 steps" in told  # 36 rows in batches of 8
    assert at.button(key="finetune_start").label == "Start training"
    assert not at.button(key="finetune_start").disabled


def test_starting_shows_the_run_and_its_result(model):
    version = doubles.version("regression", 60)
    at = opened(version)
    at.session_state["_finetune_settings"] = {"kind": "regression", **TrainSettings(**FAST).to_dict()}
    standing(at.run())
    standing(at.button(key="finetune_start").click().run())
    assert at.session_state["finetune_view"] == "Current run"
    told = words(at)
    assert "**Done.**" in told
    assert [metric.label for metric in at.metric][-4:] == ["Validation loss", "Tokens per second", "Memory", "Best so far"]
    assert at.metric[-1].value.startswith("step ")
    assert "on 12 test rows" in told
    assert at.metric[0].label.endswith("fine\\-tuned")
    assert "Learning rate at the end" in told
    assert "Measured on 12 test rows" in told
    assert at.button(key="finetune_compare").label == "Open the comparison"
    says = at.dataframe[-1].value
    assert list(says.columns[:2]) == ["Row", "Truth"]
    assert len(says) == 4


def test_a_preset_fills_the_settings_and_reset_brings_it_back(model):
    at = opened(doubles.version("regression", 60))
    standing(at.segmented_control(key="finetune_preset").set_value("Thorough").run())
    assert at.number_input(key="finetune_set_epochs").value == 3.0
    assert at.number_input(key="finetune_set_rank").value == 32
    standing(at.number_input(key="finetune_set_rank").set_value(8).run())
    assert any("1 changed" in one.label for one in at.expander)
    assert at.number_input(key="finetune_set_rank").value == 8
    standing(at.button(key="finetune_reset").click().run())
    assert at.number_input(key="finetune_set_rank").value == 32
    assert any("none changed" in one.label for one in at.expander)


def test_a_pasted_command_fills_the_settings_and_says_what_became_of_each_flag(model):
    at = opened(doubles.version())
    at.text_area(key="finetune_command").set_value("!autotrain llm --train --model Big/Llama --lr 2e-4 --epochs 40 --push-to-hub").run()
    standing(at.button(key="finetune_command_use").click().run())
    assert (at.number_input(key="finetune_set_learning_rate").value, at.number_input(key="finetune_set_epochs").value) == (2e-4, 40)
    assert "Big/Llama is not on this machine" in words(at).replace("\\", "")
    assert [one.label for one in at.expander if "pasted" in one.label] == ["The pasted command: 4 understood, 1 ignored"]
    standing(at.button(key="finetune_command_close").click().run())
    assert "Big/Llama" not in words(at)
    at.text_area(key="finetune_command").set_value("rm -rf /").run()
    standing(at.button(key="finetune_command_use").click().run())
    assert "begins with 'rm'" in words(at).replace("\\", "")
    assert at.number_input(key="finetune_set_epochs").value == 40, "nothing is lost"
    assert not at.button(key="finetune_start").proto.shortcut, "Ctrl and Enter in the field would start the training"


def test_a_sample_command_is_filled_in_by_one_click_and_its_base_may_come_from_the_hub(model):
    at = opened(doubles.version("qa", 60))
    standing(at.button(key="finetune_command_sample").click().run())
    standing(at.button(key="finetune_command_use").click().run())
    assert at.number_input(key="finetune_set_epochs").value == 40
    assert "is not on this machine" in words(at)
    standing(at.button(key="finetune_command_hub").click().run())
    assert (at.selectbox(key="finetune_model").value, at.text_input(key="finetune_repository").value) == (
        "from the Hub", "TinyPixel/Llama-2-7B-bf16-sharded")  # fmt: skip


def test_settings_survive_another_view(model):
    at = opened(doubles.version("regression", 60))
    standing(at.number_input(key="finetune_set_max_steps").set_value(3).run())
    standing(at.segmented_control(key="finetune_view").set_value("History").run())
    standing(at.segmented_control(key="finetune_view").set_value("New run").run())
    assert at.number_input(key="finetune_set_max_steps").value == 3
    assert "3 steps" in words(at)


def test_the_korean_projects_settings_are_one_click(model, monkeypatch):
    asked = {}
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: asked.update(request) or doubles_job())
    at = opened(doubles.version("qa", 60))
    standing(at.button(key="finetune_preset_korean_qa").click().run())
    assert at.segmented_control(key="finetune_preset").value is None
    assert (at.selectbox(key="finetune_set_quantization").value, at.toggle(key="finetune_set_double_quantization").value) == (
        "4-bit",
        False,
    )
    assert [at.number_input(key=f"finetune_set_{name}").value for name in ("epochs", "batch", "max_tokens")] == [40, 8, 256]
    assert "4\\-bit is slow on a processor" in words(at), "honest about what it costs here"
    assert any("none changed" in one.label for one in at.expander)
    at.button(key="finetune_start").click().run()
    assert (asked["settings"]["learning_rate"], asked["prompt"]["max_tokens"]) == (2e-4, 128)
    assert not [one for one in opened(doubles.version("regression", 60)).button if one.key == "finetune_preset_korean_qa"]


def doubles_job() -> jobs.Job:
    return jobs.Job("none", "finetune", "Fine-tune", None, "queued")


def test_this_machine_is_measured_on_demand(model, monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: asked.append((kind, request)))
    at = opened(doubles.version("regression", 60))
    assert "a guess until measured" in words(at)
    standing(at.button(key="finetune_probe").click().run())
    assert [kind for kind, _ in asked] == ["probe"]
    assert 16 <= asked[0][1]["length"] <= 256


def test_a_package_that_is_missing_stands_in_the_check(model, monkeypatch):
    monkeypatch.setattr("ui.finetune_check.find_spec", lambda name: None)
    at = opened(doubles.version("regression", 60))
    standing(at.selectbox(key="finetune_set_quantization").set_value("8-bit").run())
    assert "bitsandbytes is not installed" in words(at)
    assert at.button(key="finetune_start").disabled


def test_what_does_not_fit_cannot_start_and_offers_fewer_bits(model, monkeypatch):
    monkeypatch.setattr("core.io.device.memory", lambda: 100 << 20)
    at = opened(doubles.version("regression", 60))
    assert at.button(key="finetune_start").disabled
    assert "Does not fit in memory" in words(at)
    standing(at.button(key="finetune_bits").click().run())
    assert at.selectbox(key="finetune_set_quantization").value == "4-bit"


def test_before_the_model_is_prepared_the_page_offers_to(home, monkeypatch):
    monkeypatch.setattr("core.io.embedded.wheel_missing", lambda: False)
    at = opened(doubles.version("regression", 60))
    assert at.button(key="finetune_prepare").label == "Prepare the built-in model"
    assert "Checked once the model is prepared" in words(at)


def test_without_the_wheel_the_page_says_how_to_install_it(home, monkeypatch):
    monkeypatch.setattr("core.io.embedded.weights.importlib.util.find_spec", lambda name: None)
    at = opened(doubles.version("regression", 60))
    assert at.button(key="finetune_prepare").disabled
    assert "no\\-deps llm\\-smollm2" in words(at)


@pytest.mark.parametrize(("how", "said"), [({"target": False}, "Choose what to predict"), ({"split": False}, "Needs a")])
def test_what_is_missing_is_named_with_the_page_that_mends_it(model, how, said):
    at = opened(doubles.version("regression", 60, **how))
    assert said in words(at)
    assert at.button(key="finetune_mend")


def test_a_stopped_run_offers_to_go_on_and_to_measure(model, monkeypatch):
    version = doubles.version("regression", 60)
    job = cut_off(monkeypatch, version, 5)
    at = opened(version, "Current run")
    assert "Step 4 is kept" in words(at)
    assert at.button(key="finetune_resume").label == "Resume from step 4"
    standing(at.button(key="finetune_measure").click().run())
    assert jobs.all_jobs(version.dataset)[0].result["evaluation"]
    standing(at.button(key="finetune_resume").click().run())
    assert jobs.read(job.id).state == "done"
    assert "**Done.**" in words(at)


def test_a_finished_run_says_where_to_go_next(model):
    version = doubles.version("regression", 60)
    trained(version)
    at = opened(version, "Current run")
    standing(at.button(key="finetune_next_train").click().run())
    assert at.session_state["finetune_view"] == "New run"
    at = opened(version, "Current run")
    at.button(key="finetune_next_ask").click().run()
    assert at.session_state["compare_view"] == "Try it"


def test_a_run_that_stopped_early_says_so(model):
    version = doubles.version("regression", 60)
    job = trained(version)
    files.append_line(job.folder / "history.jsonl", {"step": 8, "note": "Stopped after step 8: 3 measurements without a lower loss."})
    assert "Stopped after step 8" in words(opened(version, "Current run"))


def test_checkpoints_are_compared_and_another_one_is_taken(model):
    version = doubles.version("regression", 60)
    job = trained(version, evaluate_every=2, keep="each", max_steps=4)
    at = opened(version, "Current run")
    assert "The checkpoints of steps 2, 4 were kept" in words(at).replace("\\", "")
    standing(at.button(key="finetune_checkpoints").click().run())
    table = next(one.value for one in at.dataframe if "Epoch" in one.value.columns)
    assert table["Step"].tolist() == [2, 4]
    told = files.read_json(job.folder / "choosing.json")
    used = lora.adapter(job.id).step
    assert next(mark for mark, step in zip(table[""], table["Step"], strict=True) if step == used).startswith("in use")
    other = next(step for step in (2, 4) if step != used)
    at.session_state["finetune_choose"] = {"selection": {"rows": [[2, 4].index(other)], "columns": [], "cells": []}}
    standing(at.run())
    standing(at.button(key="finetune_take").click().run())
    assert told["rows"] == 12
    assert lora.adapter(job.id).step == other
    assert jobs.all_jobs(version.dataset, "finetune")[0].result["evaluation"], "the test rows were answered by the one that is used now"


def test_what_a_run_forgot_stands_in_words(model):
    version = doubles.version("regression", 60)
    job = trained(version, max_steps=2)
    text = {"language": "Korean", "before": 20.0, "after": 31.5, "difference": 11.5, "low": 4.0, "high": None, "finding": "More surprised."}
    questions = {"n": 40, "before": 0.5, "after": 0.45, "difference": -0.05, "low": -0.15, "high": 0.05, "finding": ""}
    files.write_json(job.folder / "forgetting.json", {"texts": [text], "questions": questions})
    at = opened(version, "Current run")
    assert "More surprised" in words(at)
    table = next(one.value for one in at.dataframe if "Before" in one.value.columns)
    assert table["Difference"].tolist() == ["11.5 n/a", "−5 points [−15, 5]"]


def test_a_failed_run_says_why(model, monkeypatch):
    version = doubles.version("regression", 60)
    trained(version, learning_rate=0.1, max_steps=2)
    failed = jobs.all_jobs(version.dataset)[0]
    (failed.folder / "result.json").unlink()
    files.write_json(failed.folder / "error.json", {"title": "The training diverged", "message": "The loss is [not](x) a number."})
    at = opened(version, "Current run")
    assert at.error[0].value == "The loss is \\[not\\]\\(x\\) a number\\."
    assert at.button(key="finetune_resume")


def test_after_memory_ran_out_a_new_run_takes_the_smaller_settings(model):
    version = doubles.version("regression", 60)
    job = trained(version, max_steps=1)
    (job.folder / "result.json").unlink()
    files.write_json(job.folder / "smaller.json", [{"changes": {"batch": 2, "accumulate": 2}, "memory": 1 << 20}])
    files.write_json(job.folder / "error.json", {"title": "Probably out of memory", "message": "Its process was ended."})
    at = opened(version, "Current run")
    standing(at.button(key="finetune_smaller").click().run())
    assert at.session_state["finetune_view"] == "New run"
    assert [at.number_input(key=f"finetune_set_{name}").value for name in ("batch", "accumulate")] == [2, 2]


@pytest.mark.parametrize("view", ["Current run", "History"])
def test_without_a_run_the_views_say_so(model, view):
    assert "No run yet" in words(opened(doubles.version("regression", 60), view))


def test_history_lists_runs_with_score_and_loss(model):
    version = doubles.version("regression", 60)
    trained(version)
    trained(version, max_steps=4)
    table = opened(version, "History").dataframe[0].value
    assert table["Steps"].tolist() == [4, 8]
    assert table["Status"].tolist() == ["done", "done"]
    assert set(zip(table["Engine"], table["Cost"], strict=True)) == {("this machine", "local")}
    assert len(json.loads(table["Loss"].iloc[1])) == 8
    assert all(score != "not measured" for score in table["Score"])


def test_history_goes_on_from_an_adapter_with_its_settings_and_only_new_rows(model, monkeypatch):
    version = doubles.version("regression", 60)
    job = trained(version, rank=4, alpha=8)
    at = opened(version, "History")
    at.session_state["finetune_history"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    standing(at.run())
    standing(at.button(key="finetune_continue").click().run())
    assert (at.selectbox(key="finetune_from").value, at.toggle(key="finetune_only_new").value) == (job.id, True)
    assert at.number_input(key="finetune_set_rank").value == 4
    assert "No row is new to that adapter" in words(at)
    assert at.button(key="finetune_start").disabled
    standing(at.toggle(key="finetune_only_new").set_value(False).run())
    assert "0 of 36 rows are new" in words(at)
    standing(at.number_input(key="finetune_set_rank").set_value(8).run())
    assert at.button(key="finetune_start").disabled
    standing(at.button(key="finetune_take_over").click().run())
    assert at.number_input(key="finetune_set_rank").value == 4
    asked = {}
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: asked.update(request) or doubles_job())
    at.button(key="finetune_start").click().run()
    assert (asked["continue_from"], asked["only_new"]) == (job.id, False)


def test_a_base_may_be_a_folder_and_what_is_wrong_with_it_is_said(model, tmp_path, monkeypatch):
    at = opened(doubles.version("regression", 60))
    standing(at.selectbox(key="finetune_model").set_value("a folder").run())
    assert "Choose a model" in words(at)
    standing(at.text_input(key="finetune_folder").set_value(str(tmp_path / "none")).run())
    assert "There is no folder" in words(at)
    standing(at.text_input(key="finetune_folder").set_value(str(tmp_path)).run())
    assert "lacks config.json" in words(at).replace("\\", "")
    standing(at.text_input(key="finetune_folder").set_value(str(model)).run())
    asked = {}
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: asked.update(request) or doubles_job())
    at.button(key="finetune_start").click().run()
    assert asked["base"] == str(model)


def test_a_base_of_the_hub_is_fetched_before_its_rows_are_counted(model, monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: asked.append((kind, request)))
    at = opened(doubles.version("regression", 60))
    standing(at.selectbox(key="finetune_model").set_value("from the Hub").run())
    standing(at.text_input(key="finetune_repository").set_value("not a name").run())
    assert at.button(key="finetune_fetch").disabled
    standing(at.text_input(key="finetune_repository").set_value("owner/small").run())
    standing(at.button(key="finetune_fetch").click().run())
    assert asked == [("fetch_base", {"base": "owner/small"})]


def test_a_run_is_deleted_in_two_clicks(model):
    version = doubles.version("regression", 60)
    job = trained(version)
    at = opened(version, "History")
    at.session_state["finetune_history"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    standing(at.run())
    standing(at.button(key="finetune_delete").click().run())
    assert lora.adapters(version.dataset)[0].id == job.id
    standing(at.button(key="finetune_delete_sure").click().run())
    assert lora.adapters(version.dataset) == []
    assert jobs.all_jobs(version.dataset, "finetune") == []


def test_leaks_are_counted_without_case_and_blanks():
    assert leaked(["A  kettle", "pump"], ["a kettle", "lamp", "PUMP "]) == 2


def test_checks_say_what_fails_first():
    row = TrainingRow((1, 2), (3,), 0)
    rows = TrainingRows((row,), {1: "the answer is empty"}, (0,), ())
    found = {one.sentence: one.state for one in checks(rows, None, 9 << 30, 4 << 30, 128, 2, 50)}
    assert found["Does not fit in memory"] == "FAIL"
    assert found["1 row learns nothing and is left out"] == "WARN"
    assert found["1 row cut at 128 tokens"] == "WARN"
    assert found["No validation rows"] == "WARN"
    assert found["2 test rows also in train"] == "WARN"


# --- commands


def command(module, *argv: str) -> dict:
    import argparse

    parser = argparse.ArgumentParser()
    module.arguments(parser)
    return module.run(parser.parse_args(argv), lambda text: None)


def test_a_chat_file_trains_from_the_command_line_and_answers(home, tiny, tmp_path):
    chats = [{"messages": [{"role": "user", "content": f"thing {i}"}, {"role": "assistant", "content": "yes"}]} for i in range(16)]
    train, held = tmp_path / "train.jsonl", tmp_path / "held.jsonl"
    train.write_text("\n".join(map(json.dumps, chats[:12])))
    held.write_text("\n".join(map(json.dumps, chats[12:])))
    out = tmp_path / "adapter"
    result = command(finetune_command, "local", str(train), "--validation", str(held), "--model", str(tiny), "--out", str(out),
                     "--epochs", "4", "--batch", "4", "--learning-rate", "0.02", "--rank", "4")  # fmt: skip
    assert set(result) == {"adapter", "steps", "seconds", "train_loss", "validation_loss", "tokens_per_second"}
    assert result["steps"] == 12
    assert sorted(path.name for path in out.iterdir()) == ["adapter.json", "adapter_config.json", "adapter_model.safetensors"]
    assert "12 steps" in finetune_command.show(result)
    plain = command(generate_command, "thing 3", "--model", str(tiny), "--max-tokens", "4")
    tuned = command(generate_command, "thing 3", "--model", str(tiny), "--max-tokens", "4", "--adapter", str(out))
    assert set(tuned) == {"model", "adapter", "text", "tokens_in", "tokens_out", "seconds"}
    assert tuned["text"] != plain["text"]
    assert tuned["tokens_in"] == plain["tokens_in"]


def test_a_table_needs_to_say_what_is_learnt(home, tiny, tmp_path):
    from core.errors import DataError

    file = tmp_path / "table.csv"
    file.write_text("name,price\nkettle,5\nlamp,7\n")
    with pytest.raises(DataError, match="--text COL --target COL"):
        command(finetune_command, "local", str(file), "--model", str(tiny), "--out", str(tmp_path / "a"))
    result = command(finetune_command, "local", str(file), "--model", str(tiny), "--out", str(tmp_path / "a"), "--text", "name",
                     "--target", "price", "--task", "regression", "--max-steps", "1")  # fmt: skip
    assert result["steps"] == 1
