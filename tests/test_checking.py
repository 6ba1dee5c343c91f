"""A bad recipe is told before anything runs: the step, the line, what is there and what to do."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.curate.checking import check, problems
from core.curate.presets import PRESETS, preset, suggest
from core.curate.steps import STEPS, make
from core.curate.text import from_yaml, lines_of
from core.errors import StudioError
from core.io import curating, jobs, store
from core.kinds import kinds
from core.version import Roles, Version
from tests import doubles

COLUMNS = {"title": "text", "price": "text", "n": "number"}
ROLES = Roles(text=("title",), target="price")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- name: rang\n", r"Line 2, step 1 \(rang\): There is no step 'rang'\. There are parse"),
        ("- name: range\n  settings: {column: n, low: cheap}\n", r"Line 2, step 1 \(range\): Low is 'cheap'; a number is expected"),
        ("- {name: shuffle}\n- {name: balance, settings: {cap: 0}}\n", r"Line 3, step 2 \(balance\): Cap is 0; it can be 1 or more"),
        (
            "- {name: shuffle}\n- {name: range, settings: {column: cost}}\n",
            r"Line 3, step 2 \(range\): Range looks for the column 'cost'\. At this",
        ),
        ("- {name: range, settings: {column: price, low: 1}}\n", r"step 1 \(range\): price holds text\. Add a Parse step"),
        ("- {name: split, settings: {method: random, test: 60, validation: 50}}\n", "50 % and 60 % leave nothing to train on"),
        (
            "- {name: split, settings: {method: random, unit: rows, test: 900, validation: 200}}\n",
            r"step 1 \(split\): .*0 train rows .* train stays empty",
        ),
        ("- {name: split, settings: {method: random, test: 0.01, validation: 0}}\n", "test stays empty"),
        (
            "- {name: token_window, settings: {column: title, minimum: 200, maximum: 160}}\n",
            r"token_window\): The minimum is 200 and the maximum 160",
        ),
        ("- {name: length_window, settings: {column: title, minimum: 200, ceiling: 100}}\n", "the ceiling 100"),
        (
            "- {name: range, settings: {column: n, low: 9}}\n- {name: range, settings: {column: n, high: 3}}\n",
            r"step 2 \(range\): .*from 9 to 3",
        ),
        ("- {name: filter, settings: {column: title, pattern: '('}}\n", r"step 1 \(filter\): '\(' cannot be read"),
        ("- {name: move_leaks}\n", "Add a Split step before it"),
        ("- {name: missing, settings: {columns: []}}\n", "needs a value for Columns"),
    ],
)
def test_a_bad_recipe_names_line_step_and_fault(steps, said):
    text = f"steps:\n{steps}"
    with pytest.raises(StudioError, match=said):
        check(from_yaml(text).steps, COLUMNS, ROLES, rows=1000, task="regression", lines=lines_of(text))


def test_columns_are_those_there_are_at_that_step():
    late = [make("length_window", column="joined"), make("join", columns=["title", "price"], into="joined")]
    with pytest.raises(StudioError, match="move the step behind the one that makes it"):
        check(late, COLUMNS, ROLES)
    check(late[::-1], COLUMNS, ROLES)
    check([make("parse", number="price"), make("range", column="price", low=1)], COLUMNS, ROLES)


def test_all_faults_are_found_and_a_step_that_is_off_has_none():
    steps = from_yaml("steps:\n- {name: range, settings: {column: a}}\n- {name: range, settings: {column: b}, on: false}\n"
                      "- {name: shuffle}\n- {name: range, settings: {column: c}}\n").steps  # fmt: skip
    found = problems(steps, COLUMNS, ROLES)
    assert [one.place for one in found] == [0, 3]
    with pytest.raises(StudioError, match=r"1 more step has a fault: Step 4 \(range\)"):
        check(steps, COLUMNS, ROLES)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_passes(name):
    task = {"sentiment": "classification", "closed_book": "qa"}.get(name, "regression")
    frame = doubles.frame(task).drop(columns="split")
    version = Version("d", "i", 1, "Import", roles=Roles(text=("text", "kind"), target="answer"), task=task)
    assert problems(preset(name, version, frame).steps, kinds(frame), version.roles, rows=len(frame), task=task) == []


@pytest.mark.parametrize("name", STEPS)
def test_every_step_can_be_checked(name):
    """A step on no rows either runs or says in the studio's words what it lacks."""
    for step in (make(name), suggest(name, ROLES, list(COLUMNS), ["n"])):
        for one in problems([step], COLUMNS, ROLES, rows=100, task="regression"):
            assert isinstance(one.error, StudioError)


def test_saving_and_the_job_refuse_before_a_row_is_read(home, monkeypatch):
    version = doubles.version("regression", rows=60, split=False)
    text = "steps:\n- {name: shuffle}\n- {name: range, settings: {column: cost}}\n"
    monkeypatch.setattr(curating, "make", lambda *a, **k: pytest.fail("the recipe ran"))
    with pytest.raises(StudioError, match=r"Step 2 \(range\)"):
        curating.save(version, from_yaml(text))
    job = jobs.start("curate", {"dataset": version.dataset, "version": version.id, "recipe": text}, title="Curate")
    assert job.error is not None
    assert job.error["message"].startswith("Line 3, step 2 (range): Range looks for the column 'cost'")


def test_the_command_says_it_in_one_line(home, tmp_path, capsys):
    from core.__main__ import main

    version = doubles.version("regression", rows=60, split=False)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("steps:\n- {name: shuffle}\n- {name: range, settings: {column: cost}}\n")
    assert main(["curate", version.id, "--recipe", str(recipe), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "Line 3, step 2 (range)" in told
    assert not (tmp_path / "out").exists()
    assert len(store.versions(version.dataset)) == 1


def test_a_recipe_of_a_file_is_checked_against_the_files_columns(tmp_path, home, capsys):
    from core.__main__ import main

    source = tmp_path / "rows.jsonl"
    pd.DataFrame({"a": [f"text {i}" for i in range(30)], "b": range(30)}).to_json(source, orient="records", lines=True)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("steps:\n- name: sample\n  settings: {rows: 0}\n")
    assert main(["curate", str(source), "--recipe", str(recipe), "--out", str(tmp_path / "out"), "--json"]) == 1
    out = capsys.readouterr()
    assert out.out.strip() == "" or "error" in json.loads(out.out)
    assert "Line 2, step 1 (sample): Rows is 0" in out.err
