"""A recipe is the same thing as YAML, as Python, on one worker or two, fused or step by step; the pricing recipe is the course's."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import _pricing
from core.curate.presets import PRESETS, preset
from core.curate.recipe import Recipe, begin, finish, run
from core.curate.running import advance
from core.curate.steps import make
from core.curate.text import as_python, from_yaml, to_yaml
from core.errors import DataError, SettingsError
from core.io import curating, keeping, previewing, store
from core.io.curating import tokenizer
from core.io.tokens import encoding
from core.load.columns import from_values
from core.load.roles import guess
from core.version import Roles, Version
from tests import doubles

ROLES = Roles(text=("title", "description", "features", "details"), target="price", category="category")
ROOT = Path(__file__).resolve().parents[1]


def listings(rows: list[dict]) -> pd.DataFrame:
    """Rows as the loader would give them: nested cells as JSON text."""
    return pd.DataFrame({name: from_values([row[name] for row in rows]) for name in rows[0]})


def raw(rows: int = 400, seed: int = 1) -> Version:
    frame = listings(_pricing.rows(rows, seed))
    return store.save("Listings", frame, title="Import", roles=ROLES, task="regression", source_hash=f"listings {rows} {seed}")


def real(name: str) -> list[dict]:
    """Real listings in raw shape, made longer and different, because the stored descriptions are cut already."""
    with gzip.open(doubles.shared(f"pricer/{name}"), "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:1500]
    return [
        {"title": row["title"], "description": [row["description"]] if number % 7 else [], "features": [rows[number - 1]["description"][: number % 400]],
         "details": row["details"] if number % 5 else None, "price": f"${row['price']}" if number % 11 else "None", "category": row["category"]}
        for number, row in enumerate(rows)
    ]  # fmt: skip


def cut_short(recipe: Recipe) -> Recipe:
    """The pricing recipe up to its prompts, before rows are drawn."""
    return replace(recipe, steps=recipe.steps[: [step.name for step in recipe.steps].index("prompts") + 1])


@pytest.mark.parametrize("source", ["made up", "items_with_details.jsonl.gz", "items_music_appliances.jsonl.gz"])
def test_the_pricing_preset_keeps_the_rows_texts_and_prompts_of_the_per_row_script(source):
    rows = _pricing.rows(600, seed=7) if source == "made up" else real(source)
    words = encoding("cl100k_base")
    wanted = [(number, made) for number, row in enumerate(rows) if (made := _pricing.curate(row, words))]
    frame = listings(rows)
    version = Version("d", "i", 1, "Import", roles=ROLES, task="regression")
    made = run(frame, ROLES, cut_short(preset("pricing", version, frame)), task="regression", tokenizer=tokenizer)
    gone = set(made.dropped["row"].tolist())
    assert 50 < len(wanted) < len(rows)
    assert [number for number in range(len(rows)) if number not in gone] == [number for number, _ in wanted]
    assert made.frame["text"].tolist() == [one["text"] for _, one in wanted]
    assert made.frame["title"].tolist() == [one["title"] for _, one in wanted]
    assert made.prompt is not None
    prompts = [made.prompt.example(row, row["price"]) for row in made.frame.to_dict("records")]
    assert ["\n\n".join(message["content"] for message in one) for one in prompts] == [one["prompt"] for _, one in wanted]
    records = made.frame.to_dict("records")
    assert [made.prompt.text(row, row["price"]) for row in records] == [one["prompt"] for _, one in wanted]
    assert [made.prompt.text(row) for row in records] == [one["test_prompt"] for _, one in wanted]


def test_lists_of_arrow_give_the_same_as_their_json_text():
    rows = _pricing.rows(200, seed=3)
    nested = pd.DataFrame(rows)
    version = Version("d", "i", 1, "Import", roles=ROLES, task="regression")
    one, other = (run(f, ROLES, preset("pricing", version, f), task="regression", tokenizer=tokenizer) for f in (listings(rows), nested))
    assert one.frame["text"].tolist() == other.frame["text"].tolist()


def test_running_fused_is_running_step_by_step():
    frame = listings(_pricing.rows(200, seed=2))
    recipe = preset("pricing", Version("d", "i", 1, "Import", roles=ROLES, task="regression"), frame)
    state = begin(frame, ROLES, None, "regression")
    for step in recipe.on:
        state = advance(state, [step], recipe.seed, tokenizer=tokenizer)
    alone, fused = finish(state, recipe.on), run(frame, ROLES, recipe, task="regression", tokenizer=tokenizer)
    pd.testing.assert_frame_equal(alone.frame, fused.frame)
    pd.testing.assert_frame_equal(alone.dropped, fused.dropped)
    assert [(r.rows_before, r.rows_after, r.reasons) for r in alone.reports] == [
        (r.rows_before, r.rows_after, r.reasons) for r in fused.reports
    ]


def test_every_row_is_kept_or_accounted_for(home):
    version = raw()
    made = curating.save(version, preset("pricing", version, store.frame(version)))
    gone = store.dropped(made)
    assert len(gone) + made.rows == version.rows
    assert gone["row"].is_unique
    assert sum(report.rows_before - report.rows_after for report in made.report) == len(gone)
    assert sum(made.splits.values()) == made.rows
    assert made.parent == version.id
    assert made.prompt is not None
    assert made.prompt.prefix == "Price is $"


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_comes_back_from_yaml_as_it_was(name):
    frame = doubles.frame("classification" if name == "sentiment" else "qa" if name == "closed_book" else "regression")
    roles = Roles(text=("text",), target="answer", split="split")
    version = Version("d", "i", 1, "Import", roles=roles, task={"sentiment": "classification", "closed_book": "qa"}.get(name, "regression"))
    recipe = preset(name, version, frame, seed=5)
    assert from_yaml(to_yaml(recipe)) == recipe
    assert "move_leaks" in to_yaml(recipe), "the split came with the data"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps:\n- name: rang\n", r"Line 2, step 1 \(rang\): There is no step 'rang'"),
        (
            "seed: 0\nsteps:\n- name: shuffle\n- name: range\n  settings: {colum: price}\n",
            r"Line 4, step 2 \(range\): There is no setting 'colum'",
        ),
        ("steps:\n- name: range\n  settings: {column: p, low: 9, high: 2}\n", r"step 1 \(range\): The range goes from 9 to 2"),
        ("steps:\n- name: length_window\n  settings: {minimum: -4}\n", "it can be 0 or more"),
        ("steps:\n- {name: scrub, settings: {html: 3}}\n", "it can be true or false"),
        ("steps: [\n", "Line 2"),
        ("steps: 4\n", "a list `steps`"),
        ("seed: -1\nsteps: []\n", "The seed is -1"),
        ("setps: []\nsteps: []\n", "no part 'setps'"),
        ("steps:\n- &a {name: shuffle}\n- *a\n", "references"),
        ("!!python/object/apply:os.system ['true']", "is YAML"),
    ],
)
def test_a_wrong_recipe_names_the_line_and_the_step(text, said):
    with pytest.raises(SettingsError, match=said):
        from_yaml(text)


def test_the_script_saves_the_same_version(home):
    version = raw()
    recipe = preset("pricing", version, store.frame(version))
    wanted = curating.planned_id(version, recipe)
    script = as_python(recipe, version, wanted)
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == wanted
    assert store.version(version.dataset, wanted).rows == curating.save(version, recipe).rows


def test_a_step_that_is_off_changes_nothing_but_is_kept(home):
    version = raw()
    recipe = Recipe((make("range", column="price", low=1, high=100),))
    with pytest.raises(DataError, match="Add a Parse step"):
        curating.save(version, recipe)
    recipe = Recipe((make("parse", number="price"), make("range", column="price", low=1, high=100)))
    more = recipe.with_step(replace(make("shuffle"), on=False))
    assert curating.save(version, recipe).id == curating.save(version, more).id


def test_steps_can_be_moved_changed_and_taken_back():
    a, b, c = (make("filter", column="text", pattern=word) for word in "abc")
    recipe = Recipe((a, b, c))
    assert recipe.moved(2, -1).steps == (a, c, b)
    assert recipe.moved(0, -1) == recipe
    assert recipe.moved(0, 1).moved(1, -1) == recipe
    assert recipe.without(1).with_step(b, 1) == recipe
    assert recipe.changed(1, c).steps == (a, c, c)


def test_a_preview_counts_like_the_saved_version_and_goes_on_after_a_failure(home):
    version = raw()
    recipe = preset("pricing", version, store.frame(version))
    seen = previewing.preview(version, recipe)
    made = curating.save(version, recipe)
    assert seen.whole
    on = [one for one in seen.steps if one.on]
    assert [(one.before, one.after) for one in on] == [(report.rows_before, report.rows_after) for report in made.report]
    assert seen.splits == dict(made.splits)
    broken = recipe.with_step(make("range", column="not there"), 1)
    seen = previewing.preview(version, broken)
    assert "not there" in str(seen.steps[1].error)
    assert seen.splits == dict(made.splits)


def test_a_preview_of_a_large_table_looks_at_evenly_spread_rows(home, monkeypatch):
    monkeypatch.setattr(previewing, "ALL", 100)
    monkeypatch.setattr(previewing, "SOME", 80)
    version = raw(rows=399, seed=9)
    seen = previewing.preview(version, Recipe((make("parse", number="price"),)))
    assert (seen.rows, seen.total, seen.whole) == (80, 399, False)
    assert seen.scaled(40) == 200 - 1 or seen.scaled(40) == 200


def test_saving_refuses_what_cannot_be_measured(home):
    version = doubles.version("regression", rows=60, split=False)
    for steps, said in (
        ((), "Nothing changes"),
        ((make("filter", column="text", pattern="nothing like this"),), "No row stays"),
        ((make("split", test=0),), "No test rows"),
    ):
        with pytest.raises(DataError) as caught:
            curating.save(version, Recipe(steps))
        assert caught.value.title == said


def test_a_leak_stops_saving_until_it_is_moved_out(home):
    frame = doubles.frame("regression", rows=40)
    frame.loc[len(frame) - 1, "text"] = frame.loc[0, "text"]
    roles = Roles(text=("text",), target="answer", split="split")
    version = store.save("Leaky", frame, title="Import", roles=roles, task="regression", source_hash="leaky")
    recipe = Recipe((make("missing", columns=["text"]),))
    assert previewing.preview(version, recipe).leaks.reasons
    with pytest.raises(DataError, match="also in train"):
        curating.save(version, recipe)
    assert curating.save(version, recipe, leaks=True).rows == 40
    mended = curating.save(version, recipe.with_step(make("move_leaks", near=True)))
    assert mended.splits["test"] == version.splits["test"]
    assert previewing.preview(mended, Recipe()).leaks.reasons == {}


def test_a_draft_survives_until_it_is_emptied(home):
    version = doubles.version("regression", rows=20)
    assert curating.draft(version) is None
    recipe = Recipe((make("shuffle"), replace(make("sample", rows=7), on=False)), seed=3)
    curating.keep_draft(version, recipe)
    assert curating.draft(version) == recipe
    curating.keep_draft(version, Recipe())
    assert curating.draft(version) is None


def test_the_command_writes_splits_and_training_files(home, tmp_path):
    from core.__main__ import main

    source = tmp_path / "listings.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in _pricing.rows(400, seed=4)), encoding="utf-8")
    out = tmp_path / "out"
    text = subprocess.run(
        [sys.executable, "-m", "core", "curate", str(source), "--recipe", "pricing", "--out", str(out), "--json"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    ).stdout  # fmt: skip
    told = json.loads(text)
    assert set(told) == {"version", "steps", "files"}
    assert all(set(step) == {"name", "rows_before", "rows_after", "seconds"} for step in told["steps"])
    assert all(Path(name).exists() for name in told["files"])
    names = {Path(name).name for name in told["files"]}
    assert {f"{part}.{end}" for part in ("train", "test") for end in ("parquet", "jsonl")} <= names
    chat = [json.loads(line) for line in (out / "train_chat.jsonl").read_text(encoding="utf-8").splitlines()]
    assert chat[0]["messages"][-1]["content"].startswith("Price is $")
    train = pd.read_parquet(out / "train.parquet")
    assert len(chat) == len(train)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("steps:\n- name: sample\n  settings: {rows: 5}\n", encoding="utf-8")
    assert main(["curate", told["version"], "--recipe", str(recipe), "--out", str(tmp_path / "two"), "--seed", "1"]) == 0
    assert main(["curate", told["version"], "--recipe", "no such", "--out", str(out)]) == 1


def test_roles_are_guessed_for_the_preset_of_raw_listings():
    frame = listings(_pricing.rows(300, seed=1))
    assert guess(frame).roles.target == "price"
    assert guess(frame).roles.text == ROLES.text


def test_the_script_of_an_imported_file_saves_the_same_version(home, tmp_path):
    from core.io.commands.curate import source

    path = tmp_path / "listings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in _pricing.rows(150, seed=6)), encoding="utf-8")
    version = source(str(path), lambda told: None)
    recipe = Recipe((make("parse", number="price"), make("range", column="price", low=1), make("sample", rows=40), make("shuffle")), seed=9)
    script = as_python(recipe, version, curating.planned_id(version, recipe))
    made = curating.save(version, recipe)
    keeping.delete(version.dataset)
    assert source(str(path), lambda told: None).id == version.id, "the same file is the same version"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    again = store.version(version.dataset, out.stdout.strip())
    assert again.id == made.id
    pd.testing.assert_frame_equal(store.frame(again), store.frame(made))
