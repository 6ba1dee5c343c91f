"""The frame and what all pages share: escaping, the current version, Home and Settings."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.io import store
from tests.doubles import ROOT, version
from tests.loopback import KEY, Loopback
from ui.state import plain

HOSTILE = [
    "![x](http://evil.example/a.png)",
    "$5 and $10",
    ":red[no]",
    "# big",
    "<script>alert(1)</script>",
    "`code`",
    "a\n\n- list",
    "**bold**",
    "[l](javascript:x)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_loses_its_marks(text):
    told = plain(text)
    for mark in "![]()$*`<>#":
        assert mark not in told.replace("\\" + mark, "")
    assert "\n" not in told


def app(name: str = "home") -> AppTest:
    return AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180).switch_page(f"../pages/{name}.py")


def test_home_without_data_offers_the_samples(home):
    at = app().run()
    assert not at.exception
    assert at.title[0].value.startswith("Is a fine-tuned model worth it")
    assert {b.label for b in at.button} >= {"Open Price it", "Open Star it", "Open Know it", "Open a file"}


def test_home_with_data_says_that_there_is_no_answer_yet(home):
    version()
    at = app().run()
    assert not at.exception
    assert "No answer yet." in [h.value for h in at.header]
    assert at.selectbox(key="dataset").value == "things"


def test_the_pickers_name_versions_by_their_step(home):
    one = version()
    other = store.assign(one, one.roles.renamed({}), "classification", None)
    at = app("settings").run()
    assert at.selectbox(key="version").options == ["2 · Roles", "1 · Import"]
    at.selectbox(key="version").set_value(one.id).run()
    assert at.session_state["version"] == one.id
    assert other.number == 2


@pytest.mark.parametrize("name", ["home", "explore", "curate", "augment", "validate", "baselines", "finetune", "compare", "settings"])
def test_a_deleted_version_in_the_url_is_said_and_the_page_stands(home, name):
    version()
    at = app(name)
    at.session_state["dataset"], at.session_state["version"] = "things", "0123456789abcdef"
    at.run()
    assert not at.exception
    assert at.title


def test_a_damaged_dataset_is_a_red_line_on_home_that_can_be_removed(home):
    one = version()
    (store.folder(one) / "version.json").write_text("{")
    at = app().run()
    assert not at.exception
    assert any("cannot be opened" in m.value for m in at.markdown)
    at.button(key="remove_things").click().run()
    assert store.datasets() == []


def test_settings_renames_deletes_and_undoes(home):
    version()
    at = app("settings").run()
    assert not at.exception
    next(field for field in at.text_input if field.label == "Name").set_value("Neu")
    at.button[[b.label for b in at.button].index("Rename")].click().run()
    assert store.datasets()[0].label == "Neu"
    at.button(key="delete_things").click().run()
    at.button(key="delete_sure_things").click().run()
    assert store.datasets() == []
    at.button[[b.label for b in at.button].index("Undo")].click().run()
    assert store.datasets()[0].label == "Neu"


def test_a_key_for_the_session_is_never_written(home):
    version()
    at = app("settings").run()
    at.text_input(key="key_OPENAI_API_KEY").set_value("sk-canary-99").run()
    assert not [p for p in home.rglob("*") if p.is_file() and b"sk-canary" in p.read_bytes()]


def test_settings_asks_a_compatible_address_which_models_it_has(home):
    with Loopback() as server:
        at = app("settings").run()
        assert at.button(key="settings_test_openai").disabled
        at.text_input(key="augment_address").set_value(server.url).run()
        at.session_state[f"key_{server.url}"] = KEY
        at.button(key="settings_test_compatible").click().run()
        assert not at.exception
        assert any("works," in one.value for one in at.markdown)


def test_settings_says_why_an_address_does_not_answer(home):
    at = app("settings").run()
    at.text_input(key="augment_address").set_value("http://127.0.0.1:9/v1").run()
    at.button(key="settings_test_compatible").click().run()
    assert not at.exception
    assert at.error
