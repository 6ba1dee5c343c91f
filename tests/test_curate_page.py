"""The Curate page in every situation, pressed like a person presses it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from benchmarks import _pricing
from core.curate.recipe import Recipe
from core.curate.steps import STEPS, make
from core.io import curating, jobs, store
from core.load.columns import from_values
from core.version import Roles, Version
from tests import doubles
from tests.test_split import texts


def page(version: Version | None = None) -> AppTest:
    at = AppTest.from_file(str(doubles.ROOT / "pages" / "curate.py"), default_timeout=180)
    if version:
        at.session_state["dataset"], at.session_state["version"] = version.dataset, version.id
    return standing(at.run())


def standing(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def press(at: AppTest, label: str) -> AppTest:
    return standing(next(b for b in at.button if b.label == label).click().run())


def menu(at: AppTest, place: int, what: str) -> AppTest:
    """An entry of the Edit menu of a step (0 is the first)."""
    edits = [m for m in at.get("menu_button") if m.label == "Edit"]
    return standing(edits[place].click(what).run())


def add(at: AppTest, name: str) -> AppTest:
    """A step from the panel of steps."""
    return standing(press(at, "Add step").button(key=f"curate_add_{name}").click().run())


def take(at: AppTest, name: str) -> AppTest:
    """A preset from the panel of whole recipes."""
    return standing(press(at, "See the whole recipes").button(key=f"curate_preset_{name}").click().run())


def recipe(at: AppTest) -> Recipe:
    return at.session_state["curate_desk"].recipe


def buttons(at: AppTest) -> list[str]:
    return [b.label for b in at.button]


def words(at: AppTest) -> str:
    return "\n".join([*(str(e.value) for e in [*at.markdown, *at.caption, *at.subheader, *at.error])])


def save_button(at: AppTest):
    return next(b for b in at.button if b.label.startswith("Save as version"))


def raw(rows: int = 400) -> Version:
    made = _pricing.rows(rows, seed=1)
    frame = pd.DataFrame({name: from_values([row[name] for row in made]) for name in made[0]})
    roles = Roles(text=("title", "description", "features", "details"), target="price", category="category")
    return store.save("Listings", frame, title="Import", roles=roles, task="regression", source_hash=f"raw {rows}")


def clean(task: str = "regression") -> Version:
    """Rows that have little in common, split 60 / 20 / 20."""
    frame = doubles.frame(task)
    frame["text"] = texts(len(frame))
    roles = Roles(text=("text",), target="answer", category="kind", split="split")
    return store.save("Clean", frame, title="Import", roles=roles, task=task, source_hash=f"clean {task}")


def test_without_data_it_says_where_to_begin(home):
    assert "Choose data" in buttons(page())


def test_a_raw_version_is_offered_the_recipe_of_its_task(home):
    assert "Start from the pricing recipe" in buttons(page(raw(50)))
    assert "Start from the sentiment recipe" in buttons(page(doubles.version("classification")))
    assert "Start from the closed-book QA recipe" in buttons(page(doubles.version("qa")))


def test_without_a_target_a_preset_says_what_to_choose(home):
    at = page(doubles.version(target=False))
    assert not [b for b in buttons(at) if b.startswith("Start from")]
    at = take(at, "pricing")
    assert "needs to know what to predict" in at.error[0].value


def test_the_pricing_recipe_saved_is_a_version_with_a_prompt_and_a_split(home):
    version = raw()
    at = press(page(version), "Start from the pricing recipe")
    assert "No leak between train and test" in words(at)
    assert "price from \\$0\\.50 to \\$999\\.49" in words(at)
    assert "In training: the answer is shown" in words(at)
    at = press(at, "Save as version 2")
    made = store.versions(version.dataset)[0]
    assert made.parent == version.id
    assert set(made.splits) == {"train", "validation", "test"}
    assert at.session_state["version"] == made.id
    assert curating.draft(version) is None
    assert any("Saved as version 2" in t.value for t in at.toast)


@pytest.mark.parametrize(("task", "name"), [("classification", "sentiment"), ("qa", "closed_book"), ("chat", "closed_book")])
def test_each_preset_saves_a_version(home, task, name):
    version = clean(task)
    at = take(page(version), name)
    at = press(at, save_button(at).label)
    assert store.versions(version.dataset)[0].title == "Curate and split"


@pytest.mark.parametrize("name", STEPS)
def test_every_step_can_be_added_and_its_form_opens(home, name):
    at = add(page(doubles.version("regression")), name)
    assert [step.name for step in recipe(at).steps] == [name]
    assert at.session_state["curate_desk"].form == 0
    assert "Close" in buttons(at)


def test_a_setting_changed_in_the_form_moves_the_counts_at_once(home):
    version = doubles.version("regression")
    at = add(page(version), "range")
    assert "0 rows" in words(at)
    at = standing(next(n for n in at.number_input if n.label == "Low").set_value(40.0).run())
    assert recipe(at).steps[0].settings["low"] == 40.0
    gone = int((store.frame(version)["answer"] < 40).sum())
    assert f"−{gone} rows" in buttons(at)
    at = press(at, "Undo")
    assert recipe(at).steps[0].settings["low"] is None


def test_a_setting_that_cannot_be_is_told_and_not_taken(home):
    at = add(page(doubles.version("regression")), "range")
    at = standing(next(n for n in at.number_input if n.label == "Low").set_value(40.0).run())
    at = standing(next(n for n in at.number_input if n.label == "High").set_value(10.0).run())
    assert "Swap the two" in at.error[0].value
    assert recipe(at).steps[0].settings["high"] is None


def test_steps_move_switch_off_leave_and_come_back(home):
    at = page(doubles.version("regression"))
    for name in ("shuffle", "sample", "missing"):
        at = add(at, name)
    at = menu(at, 2, "Move up")
    assert [s.name for s in recipe(at).steps] == ["shuffle", "missing", "sample"]
    at = menu(at, 0, "Remove")
    assert [s.name for s in recipe(at).steps] == ["missing", "sample"]
    at = standing(at.toggle[0].set_value(False).run())
    assert [s.on for s in recipe(at).steps] == [False, True]
    for _ in range(2):
        at = press(at, "Undo")
    assert [s.name for s in recipe(at).steps] == ["shuffle", "missing", "sample"]
    assert all(s.on for s in recipe(at).steps)


def test_rows_that_leave_open_with_their_reasons(home):
    version = doubles.version("regression")
    curating.keep_draft(version, Recipe((make("range", column="answer", low=60),)))
    at = page(version)
    at = press(at, next(b for b in buttons(at) if b.startswith("−")))
    shown = at.dataframe[0].value
    assert set(shown["why"]) == {"answer below 60"}
    assert shown["answer"].max() < 60


def test_a_recipe_survives_a_reload(home):
    version = doubles.version("regression")
    add(page(version), "shuffle")
    assert [s.name for s in recipe(page(version)).steps] == ["shuffle"]


def test_steps_sent_from_explore_arrive(home):
    version = doubles.version("regression")
    at = AppTest.from_file(str(doubles.ROOT / "pages" / "curate.py"), default_timeout=180)
    at.session_state["dataset"], at.session_state["version"] = version.dataset, version.id
    at.session_state["curate_incoming"] = {"version": version.id, "steps": [make("exact_duplicates").to_dict()]}
    at = standing(at.run())
    assert [s.name for s in recipe(at).steps] == ["exact_duplicates"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((make("shuffle"), make("filter", column="split", pattern="train|validation")), "Step 2 leaves no test rows"),
        ((make("filter", column="text", pattern="never this"),), "Step 1 leaves no rows"),
        ((make("range", column="nowhere"),), "Step 1 cannot run"),
    ],
)
def test_the_bar_says_why_nothing_can_be_saved(home, steps, said):
    version = doubles.version("regression")
    curating.keep_draft(version, Recipe(steps))
    at = page(version)
    assert save_button(at).disabled
    assert said in words(at)


def test_a_leak_is_mended_with_one_click(home):
    frame = doubles.frame("regression", rows=40)
    frame["text"] = texts(40)
    frame.loc[len(frame) - 1, "text"] = frame.loc[0, "text"]
    roles = Roles(text=("text",), target="answer", split="split")
    version = store.save("Leaky", frame, title="Import", roles=roles, task="regression", source_hash="leaky page")
    at = add(page(version), "missing")
    assert "1 test row is also in train" in words(at)
    assert save_button(at).disabled
    at = press(at, "Move them out of train")
    assert "No leak between train and test" in words(at)
    assert not save_button(at).disabled


def test_a_step_that_is_off_alone_changes_nothing(home):
    version = doubles.version("regression")
    at = add(page(version), "shuffle")
    at = standing(at.toggle[0].set_value(False).run())
    assert "Nothing changes" in words(at)
    assert save_button(at).disabled


def test_a_recipe_that_was_saved_before_leads_to_its_version(home):
    version = clean()
    made = curating.save(version, Recipe((make("shuffle"),)))
    curating.keep_draft(version, Recipe((make("shuffle"),)))
    at = press(page(version), f"Open version {made.number}")
    assert at.session_state["version"] == made.id


def test_long_work_is_a_job(home, monkeypatch):
    from ui import curate_bar

    monkeypatch.setattr(curate_bar, "LONG", 0.0)
    version = clean()
    at = add(page(version), "shuffle")
    at = press(at, "Save as version 2")
    assert jobs.all_jobs(version.dataset, "curate")[0].state == "done"
    assert at.session_state["version"] == store.versions(version.dataset)[0].id


def test_hostile_names_and_cells_are_text(home):
    evil = "![x](http://127.0.0.1:9/x.png) $1 :red[y]"
    frame = pd.DataFrame({evil: [f"{evil} {i}" for i in range(30)], "n": [float(i) for i in range(30)]})
    version = store.save(evil, frame, title="Import", roles=Roles(text=(evil,), target="n"), task="regression", source_hash="evil")
    curating.keep_draft(version, Recipe((make("filter", column=evil, pattern="3"), make("split"))))
    at = page(version)
    assert "![x](" not in words(at)
    assert json.dumps(recipe(at).steps[0].to_dict())
