"""The view Adapters: taking one in, measuring, calling, exporting, pushing and deleting it, on the tiny model."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.io import jobs, lora
from core.io.lora.uploading import take
from core.version import Version
from tests import doubles
from tests.adapters import plain_adapter, reconfigured
from tests.tiny import tiny_model

PAGE = "../pages/finetune.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("adapters")
    base = tiny_model(root / "tiny")
    return base, plain_adapter(base, root / "good")


@pytest.fixture
def adapter(made, home, monkeypatch) -> Path:
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(made[0]))
    return made[1]


def opened(version: Version, *, select: bool = False, **session) -> AppTest:
    at = AppTest.from_file(str(doubles.ROOT / "ui" / "frame.py"), default_timeout=180).switch_page(PAGE)
    at.session_state["dataset"], at.session_state["version"], at.session_state["finetune_view"] = version.dataset, version.id, "Adapters"
    for key, value in session.items():
        at.session_state[key] = value
    if select:
        at.session_state["adapters_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return standing(at.run())


def standing(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.subheader, *at.error, *at.code]
    return "\n".join([*(str(one.value) for one in shown), *(one.label for one in at.button)])


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"my-adapter/{path.name}")
    return buffer.getvalue()


def test_without_adapters_the_view_says_so_and_shows_how_to_call_the_built_in_model(adapter):
    at = opened(doubles.version("regression", 60))
    told = words(at)
    assert "No adapter yet" in told
    assert "python -m core serve" in told
    assert [tab.label for tab in at.tabs] == ["curl", "Python", "JavaScript", "Command line"]
    assert at.button(key="adapters_add").disabled


def test_a_zip_becomes_an_adapter_and_is_measured_into_the_comparison(adapter):
    version = doubles.version("regression", 60)
    at = opened(version)
    at.file_uploader(key="adapters_file").upload("theirs.zip", zipped(adapter), "application/zip")
    standing(at.run())
    standing(at.button(key="adapters_add").click().run())
    [taken] = lora.adapters(version.dataset)
    assert taken.title == "theirs (uploaded)"
    assert at.dataframe[0].value["Score"].tolist() == ["not measured"]
    assert at.dataframe[0].value["From"].tolist() == ["elsewhere"]
    at = opened(version, select=True)
    standing(at.button(key="adapters_measure").click().run())
    assert at.dataframe[0].value["Score"].tolist() != ["not measured"]
    at = opened(version, select=True)
    assert "Use in Compare" in words(at)
    assert "adapters_measure" not in [one.key for one in at.button]


def test_a_folder_with_a_prompt_of_ones_own(adapter):
    version = doubles.version("regression", 60)
    at = opened(version)
    at.text_input(key="adapters_folder").set_value(str(adapter))
    at.selectbox(key="adapters_prompt").set_value("Another one")
    standing(at.run())
    at.text_area(key="adapters_prompt_user").set_value("How much is $text?")
    at.text_input(key="adapters_prompt_prefix").set_value("It is ")
    standing(at.run())
    standing(at.button(key="adapters_add").click().run())
    [taken] = lora.adapters(version.dataset)
    assert (taken.asked().user, taken.asked().prefix) == ("How much is $text?", "It is ")


def test_a_hostile_adapter_is_refused_in_words_and_nothing_that_was_typed_is_lost(adapter, tmp_path):
    import shutil

    bad = reconfigured(Path(shutil.copytree(adapter, tmp_path / "bad")), auto_map={"AutoModel": "evil.Model"})
    version = doubles.version("regression", 60)
    at = opened(version)
    at.text_input(key="adapters_folder").set_value(str(bad))
    standing(at.run())
    standing(at.button(key="adapters_add").click().run())
    assert "names code of its own" in words(at).replace("\\", "")
    assert at.text_input(key="adapters_folder").value == str(bad)
    assert lora.adapters() == []


def test_calling_names_the_selected_adapter_and_asks_a_row_of_this_version(adapter):
    version = doubles.version("regression", 60)
    taken = take(adapter, version)
    at = opened(version, select=True)
    told = words(at)
    assert f"python -m core serve --adapter {taken.id}" in told
    assert f'"model": "embedded+{taken.id}"' in told
    assert "number 0" in told
    assert "$text" not in told.split("How to call it")[-1].split("Model card")[0] or taken.prompt["user"] != "$text"


def test_merging_tells_what_it_takes_and_where_it_was_written(adapter):
    version = doubles.version("regression", 60)
    taken = take(adapter, version)
    at = opened(version, select=True)
    assert "of memory while it works" in words(at).replace("\\", "")
    standing(at.button(key="adapters_merge").click().run())
    [job] = jobs.all_jobs(kind="export_model")
    assert job.state == "done"
    assert job.request["adapter"] == taken.id
    told = words(opened(version, select=True))
    assert str((job.result or {})["path"]) in told


def test_a_gguf_file_is_written_from_the_page(adapter):
    version = doubles.version("regression", 60)
    take(adapter, version)
    at = opened(version, select=True)
    standing(at.selectbox(key="adapters_gguf_type").set_value("q8_0").run())
    standing(at.button(key="adapters_gguf").click().run())
    [job] = jobs.all_jobs(kind="export_model")
    assert (job.result or {})["path"].endswith("-q8_0.gguf")


def test_a_push_needs_a_token_and_an_owner(adapter, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    version = doubles.version("regression", 60)
    take(adapter, version)
    assert opened(version, select=True).button(key="adapters_push").disabled
    at = opened(version, select=True, key_HF_TOKEN="hf_for_this_session")
    standing(at.text_input(key="adapters_push_repo").set_value("things").run())
    standing(at.button(key="adapters_push").click().run())
    assert "names no owner" in words(at).replace("\\", "")
    assert jobs.all_jobs(kind="push_model") == []


def test_deleting_takes_two_clicks(adapter):
    version = doubles.version("regression", 60)
    taken = take(adapter, version)
    at = opened(version, select=True)
    standing(at.button(key="adapters_delete").click().run())
    assert taken.folder.exists()
    at = opened(version, select=True, _adapters_delete=taken.id)
    standing(at.button(key="adapters_delete_sure").click().run())
    assert not taken.folder.exists()
    assert "No adapter yet" in words(at)


def test_every_model_that_was_measured_can_be_called(adapter):
    from core.io.testing import run_predictor
    from ui import finetune_call

    version = doubles.version("regression", 60)
    take(adapter, version)
    run_predictor("tfidf_linear", {}, version)
    found = finetune_call.models(version)
    assert len(found) == 3
    told = [list(snippets()) for snippets in found.values()]
    assert ["Python", "Command line"] in told
    assert told.count(["Start the server", "curl", "Python", "JavaScript", "Command line"]) == 2
