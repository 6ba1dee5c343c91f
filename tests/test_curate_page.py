"""The Curate page in every situation, pressed like a person presses it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from benchmarks import _pricing
from core.curate.presets import explained
from core.curate.recipe import Recipe
from core.curate.steps import STEPS, make
from core.curate.text import to_yaml
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


def said(at: AppTest) -> str:
    """The words as they are read: without the marks that keep them from being markup."""
    return words(at).replace("\\", "").replace("\u2060", "")


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
    assert "No test row stands in train" in words(at)
    assert "price from \\$0\\.50 to \\$999\\.49" in words(at)
    assert "In training: the answer is shown" in words(at)
    at = press(at, "Save as version 2")
    made = store.versions(version.dataset)[0]
    assert made.parent == version.id
    assert set(made.splits) >= {"train", "test"}
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
    at = standing(next(t for t in at.toggle if t.label.endswith(", step 1")).set_value(False).run())
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
    assert "No test row stands in train" in words(at)
    assert not save_button(at).disabled


def test_a_step_that_is_off_alone_changes_nothing(home):
    version = doubles.version("regression")
    at = add(page(version), "shuffle")
    at = standing(next(t for t in at.toggle if t.label.endswith(", step 1")).set_value(False).run())
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


def box(at: AppTest, kind: str, label: str):
    return next(one for one in at.get(kind) if one.label == label)


def test_what_was_undone_can_be_done_again(home):
    at = add(add(page(doubles.version("regression")), "shuffle"), "sample")
    at = press(at, "Undo")
    assert [s.name for s in recipe(at).steps] == ["shuffle"]
    at = press(at, "Redo")
    assert [s.name for s in recipe(at).steps] == ["shuffle", "sample"]
    assert "Redo" not in buttons(at)
    at = add(press(at, "Undo"), "missing")
    assert "Redo" not in buttons(at)


def test_a_step_is_duplicated_with_its_settings(home):
    version = doubles.version("regression")
    curating.keep_draft(version, Recipe((make("range", column="answer", low=20), make("shuffle"))))
    at = menu(page(version), 0, "Duplicate")
    assert [s.name for s in recipe(at).steps] == ["range", "range", "shuffle"]
    assert recipe(at).steps[0] == recipe(at).steps[1]


def test_each_line_tells_rows_before_and_after_the_reason_and_the_time(home):
    version = doubles.version("regression")
    curating.keep_draft(version, Recipe((make("range", column="answer", low=60),)))
    gone = int((store.frame(version)["answer"] < 60).sum())
    line = next(c.value for c in page(version).caption if "→" in c.value)
    assert line.startswith(f":small[60 → {60 - gone} · ")
    assert "ms" in line
    assert f"{gone} answer below 60" in line


def test_every_step_stands_under_one_heading_and_is_found_by_its_words(home):
    from ui.curate_add import groups, matches

    placed = [name for names in groups().values() for name in names]
    assert sorted(placed) == sorted(STEPS)
    assert "More" not in groups()
    assert matches("near_duplicates", "Near DUPLICATES")
    assert not matches("shuffle", "duplicates")
    at = press(page(doubles.version("regression")), "Add step")
    at = standing(at.text_input(key="curate_add_search").set_value("random order").run())
    assert "Shuffle" in buttons(at)
    assert "Token window" not in buttons(at)
    at = standing(at.text_input(key="curate_add_search").set_value("![x](y) nothing").run())
    assert "No step is about" in words(at)
    assert "![x](" not in words(at)


def test_each_preset_explains_its_steps_before_it_is_taken(home):
    version = raw(50)
    at = press(page(version), "See the whole recipes")
    page_words = said(at)
    assert "price from $0.50 to $999.49" in page_words
    assert all(one.why in page_words for one in explained("pricing", version, store.frame(version)))
    assert recipe(at) == Recipe()


def test_rows_that_leave_are_searched_filtered_and_paged(home):
    version = doubles.version("regression", rows=400)
    curating.keep_draft(version, Recipe((make("range", column="answer", low=30, high=40),)))
    at = page(version)
    at = press(at, next(b for b in buttons(at) if b.startswith("−")))
    low, high = (int(n) for n in ((store.frame(version)["answer"] < 30).sum(), (store.frame(version)["answer"] > 40).sum()))
    assert f"{low + high} of {low + high} rows that leave" in words(at)
    assert len(at.dataframe[0].value) == 50
    assert at.get("pagination")
    at = standing(box(at, "selectbox", "Reason").set_value("answer below 30").run())
    assert f"{low} of {low + high} rows that leave" in words(at)
    assert set(at.dataframe[0].value["why"]) == {"answer below 30"}
    at = standing(box(at, "text_input", "Search these rows").set_value("NUMBER 399").run())
    assert len(at.dataframe[0].value) <= 1
    assert [b.label for b in at.get("download_button") if b.label == "Download as CSV"]


def test_what_a_step_changes_in_a_text_is_shown_row_by_row(home):
    frame = doubles.frame("regression")
    frame.loc[frame.index % 2 == 0, "text"] = [f"<i>{text}</i>" for text in frame["text"][::2]]
    version = store.save("Tagged", frame, title="Import", roles=Roles(text=("text",), target="answer"), task="regression", source_hash="t")
    curating.keep_draft(version, Recipe((make("scrub", columns=("text",)), make("shuffle"))))
    at = press(page(version), "30 texts")
    assert "30 of 60 texts of text changed · row 1:" in said(at)
    at = standing(at.button(key="curate_difference_next").click().run())
    assert "row 3:" in said(at)
    at = standing(at.button(key="curate_difference_previous").click().run())
    at = standing(at.button(key="curate_difference_previous").click().run())
    assert "row 59:" in said(at)
    at = menu(at, 1, "What it changes")
    assert "This step writes no text" in words(at)


def test_the_gate_shows_its_verdict_its_pairs_and_mends_with_one_click(home):
    frame = doubles.frame("regression", rows=40)
    frame["text"] = texts(40)
    frame.loc[39, "text"] = frame.loc[0, "text"].upper()
    roles = Roles(text=("text",), target="answer", split="split")
    version = store.save("Leaky", frame, title="Import", roles=roles, task="regression", source_hash="leaky gate")
    at = page(version)
    assert "Test rows never change" in words(at)
    assert "1 test row can be answered from memory" in words(at)
    assert "Same words 1" in words(at)
    at = standing(box(at, "toggle", "Show the pairs").set_value(True).run())
    assert "text, in train" in words(at)
    assert "text, in test" in words(at)
    at = standing(at.button(key="curate_gate_mend").click().run())
    assert [s.name for s in recipe(at).steps] == ["move_leaks"]
    assert "Nothing of the test stands in train" in words(at)
    made = curating.save(version, recipe(at))
    before, after = (store.frame(one, split="test")["text"].tolist() for one in (version, made))
    assert before == after


def test_the_prompt_of_each_row_can_be_looked_at(home):
    at = page(doubles.version("regression"))
    assert "In the test: the answer is hidden" in words(at)
    assert "1 of 60" in words(at)
    at = standing(at.button(key="curate_prompt_next").click().run())
    assert "2 of 60" in words(at)
    assert "tokens of o200k_base" in said(at)


def test_a_balance_shows_the_target_before_and_after_it_alone(home):
    version = doubles.version("classification", split=False)
    curating.keep_draft(version, Recipe((make("shuffle"), make("class_balance"))))
    at = page(version)
    chosen = box(at, "selectbox", "Steps")
    assert chosen.options[0] == "The whole recipe"
    at = standing(chosen.set_value(1).run())
    assert box(at, "selectbox", "Steps").value == 1
    from core.io import inspecting

    change = inspecting.change_of(version, recipe(at), "answer", 1, 2)
    assert change
    assert len({after for _, after in change.values()}) == 1
    assert all(before >= after for before, after in change.values())


def test_the_parts_have_exact_numbers(home):
    version = doubles.version("regression", split=False)
    curating.keep_draft(version, Recipe((make("split", near_duplicates=False),)))
    at = page(version)
    table = next(frame.value for frame in at.dataframe if "part" in frame.value)
    assert table[["part", "rows"]].to_numpy().tolist() == [["train", "48"], ["validation", "6"], ["test", "6"]]
    assert "Counted on all rows" in words(at)


def test_a_large_table_is_estimated_from_a_sample_until_all_rows_are_counted(home, monkeypatch):
    from core.io import previewing

    monkeypatch.setattr(previewing, "ALL", 100)
    monkeypatch.setattr(previewing, "SOME", 50)
    previewing.state_of.cache_clear()
    version = doubles.version("regression", rows=333, split=False)
    curating.keep_draft(version, Recipe((make("range", column="answer", low=40),)))
    gone = int((store.frame(version)["answer"] < 40).sum())
    at = page(version)
    assert "From 50 rows spread evenly over 333" in words(at)
    assert [b for b in buttons(at) if b.startswith("about −")]
    at = press(at, "Count all rows")
    assert jobs.all_jobs(version.dataset, "recount")[0].state == "done"
    assert f"−{gone} rows" in buttons(at)
    assert f"{333 - gone} of 333 rows stay" in words(at)
    assert "Counted on all 333 rows" in words(at)
    previewing.state_of.cache_clear()


def test_a_recipe_is_loaded_from_a_file_and_a_bad_one_changes_nothing(home):
    version = doubles.version("regression")
    at = add(page(version), "shuffle")
    good = to_yaml(Recipe((make("range", column="answer", low=20),), seed=7))
    at = standing(at.get("file_uploader")[0].set_value(("r.yaml", good.encode(), "text/yaml")).run())
    assert recipe(at) == Recipe((make("range", column="answer", low=20),), seed=7)
    bad = "seed: 1\nsteps:\n- name: range\n  settings: {column: answer, lowest: 3}\n"
    at = standing(at.get("file_uploader")[0].set_value(("bad.yaml", bad.encode(), "text/yaml")).run())
    assert "Line 3, step 1" in said(at)
    assert recipe(at).seed == 7
    at = press(at, "Undo")
    assert [s.name for s in recipe(at).steps] == ["shuffle"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (make("length_window", column="answer and more"), "looks for the column 'answer and more'"),
        (make("range", column="nowhere"), "looks for the column 'nowhere'"),
        (make("split", validation=40, test=40, unit="rows"), "leave nothing to train on"),
    ],
)
def test_a_step_that_cannot_run_says_so_and_the_others_stay(home, step, said):
    version = doubles.version("regression", split=False)
    curating.keep_draft(version, Recipe((make("range", column="answer", low=20), step)))
    at = page(version)
    assert any(said.lower() in e.value.replace("\\", "").lower() for e in at.error)
    assert "Step 2 cannot run" in words(at)
    assert save_button(at).disabled
    assert [b for b in buttons(at) if b.startswith("−")]


def test_a_job_that_saves_shows_rows_and_cancel(home, monkeypatch):
    from core.io.jobs import Job

    version = clean()
    curating.keep_draft(version, Recipe((make("shuffle"),)))
    running = Job("j", "curate", "Curate", version.dataset, "running", 20, 60, "rows", request={"version": version.id})
    monkeypatch.setattr(jobs, "all_jobs", lambda dataset=None, kind=None: [running] if kind == "curate" else [])
    monkeypatch.setattr(jobs, "read", lambda id: running)
    at = page(version)
    assert "Cancel" in buttons(at)
    assert "Saving 60 rows as a new version" in words(at)
    assert not [b for b in buttons(at) if b.startswith("Save as")]


def test_after_saving_it_says_where_to_go(home):
    version = clean()
    curating.keep_draft(version, Recipe((make("shuffle"),)))
    at = press(page(version), "Save as version 2")
    assert "Validate" in words(at)
    assert "Go on to Baselines" in words(at)


def test_export_offers_every_format_and_pickle_only_with_its_warning(home):
    from core.io import exporting
    from ui.curate_export import made

    version = clean()
    at = page(version)
    labels = {b.label for b in at.get("download_button")}
    assert {"Parquet (zip)", "JSON lines (zip)", "CSV (zip)", "Excel (zip)", "Hugging Face dataset (zip)", "Recipe as YAML"} <= labels
    assert "Pickle (zip)" not in labels
    at = standing(box(at, "toggle", "Offer pickle").set_value(True).run())
    assert "Pickle (zip)" in {b.label for b in at.get("download_button")}
    assert any("runs the code in it" in w.value for w in at.warning)
    for name in ("parquet", "jsonl"):
        with zipfile.ZipFile(io.BytesIO(made(version, name))) as archive:
            assert {Path(one).stem for one in archive.namelist()} == {"train", "validation", "test"}
    assert set(exporting.FORMATS) >= {"dataset", "pickle"}


def test_a_push_needs_a_token_and_an_owner_and_is_private(home, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    version = clean()
    at = page(version)
    assert at.button(key="curate_push").disabled
    assert box(at, "toggle", "Private").value
    started = []
    monkeypatch.setattr(jobs, "start", lambda kind, request, **more: started.append((kind, request, more)))
    at.session_state["key_HF_TOKEN"] = "hf_token_of_the_session"
    at = standing(at.run())
    at = standing(at.text_input(key="curate_push_repo").set_value("noowner").run())
    at = press(at, "Push to the Hub")
    assert any("names no owner" in e.value.replace("\\", "") for e in at.error)
    assert not started
    at = standing(at.text_input(key="curate_push_repo").set_value("me/rows").run())
    at = press(at, "Push to the Hub")
    ((kind, request, more),) = started
    assert (kind, request["repo"], request["private"]) == ("push", "me/rows", True)
    assert "hf_token" not in json.dumps(request)
    assert more["environment"] == {"HF_TOKEN": "hf_token_of_the_session"}


def test_a_pattern_that_cannot_be_read_is_told_in_the_form_and_not_taken(home):
    at = add(page(doubles.version("regression")), "filter")
    before = recipe(at)
    at = standing(box(at, "text_input", "Pattern").set_value("(unclosed").run())
    assert any("cannot be read" in e.value for e in at.error)
    assert recipe(at) == before
