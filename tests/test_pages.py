"""Every page in every situation: it stands, it says what is missing, and it never renders data as markup."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import files, jobs, projects, store
from core.prompt import Prompt
from core.version import Roles, Version
from tests.doubles import ROOT, version

PAGES = ("home", "explore", "curate", "augment", "validate", "baselines", "finetune", "compare", "settings")
WORK = ("curate", "augment", "validate", "baselines", "finetune", "compare")
EVIL = "![x](http://127.0.0.1:9/evil.png) $5 and $10 :red[x] <script>alert(1)</script> [l](javascript:alert(1))"


def opened(name: str, one: Version | None = None) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180).switch_page(f"../pages/{name}.py")
    if one:
        at.session_state["dataset"], at.session_state["version"] = one.dataset, one.id
    return at.run()


def standing(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    assert len(at.title) == 1
    return at


def words(at: AppTest) -> str:
    """Everything on the page that renders Markdown, and the labels of its buttons."""
    elements = [*at.markdown, *at.caption, *at.header, *at.subheader, *at.title, *at.error, *at.warning, *at.info, *at.success]
    return "\n".join([*(str(e.value) for e in elements), *(b.label for b in at.button)])


@contextmanager
def job_running(kind: str, dataset: str):
    """A job that holds its lock, without a process to wait for."""
    folder = files.folder("jobs", f"20260101-000000-{kind}")
    asked = {"kind": kind, "title": f"{kind} job", "dataset": dataset, "created": "2026-01-01T00:00:00+00:00"}
    files.write_json(folder / "request.json", {**asked, "request": {"dataset": dataset, "version": "x", "names": [], "settings": {}}})
    files.append_line(folder / "progress.jsonl", {"time": 1.0, "done": 0, "total": 10, "message": "Starting", "begin": True})
    files.append_line(folder / "progress.jsonl", {"time": 2.0, "done": 3, "total": 10, "message": "Working", "figures": {"loss": 1.5}})
    with files.lock(folder / "lock"):
        yield folder.name


@pytest.mark.parametrize("name", PAGES)
def test_without_data_every_page_says_where_to_begin(home, name):
    at = standing(opened(name))
    if name in WORK:
        assert "Choose data" in [b.label for b in at.button]


@pytest.mark.parametrize("name", PAGES)
def test_without_a_target_every_page_stands_and_asks_for_one(home, name):
    at = standing(opened(name, version(target=False)))
    if name in ("baselines", "finetune"):
        assert "predict" in words(at).lower()


@pytest.mark.parametrize("name", PAGES)
def test_without_a_test_split_every_page_stands_and_asks_for_one(home, name):
    at = standing(opened(name, version(split=False)))
    if name in ("baselines", "finetune", "augment"):
        assert "split" in words(at).lower()


@pytest.mark.parametrize("task", ["regression", "classification", "qa", "chat"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_stands_for_every_task(home, name, task):
    standing(opened(name, version(task)))


@pytest.mark.parametrize("name", PAGES)
def test_switching_to_a_version_of_another_task_keeps_the_page_standing(home, name):
    first, other = version("regression", label="One"), version("classification", label="Two")
    at = standing(opened(name, first))
    at.session_state["_choose"] = (other.dataset, other.id)
    standing(at.run())
    assert at.session_state["dataset"] == other.dataset


@pytest.mark.parametrize("kind", ["baselines", "finetune", "augment", "convert"])
@pytest.mark.parametrize("name", PAGES)
def test_a_running_job_is_shown_in_the_sidebar_of_every_page(home, name, kind):
    one = version()
    with job_running(kind, one.dataset) as id:
        at = standing(opened(name, one))
        assert at.sidebar.button(key=f"sidebar_stop_{id}").label == "Stop"
        assert jobs.read(id).state == "running"


@pytest.mark.parametrize("name", PAGES)
def test_a_deleted_version_is_said_in_words(home, name):
    one = version()
    at = opened(name, Version(one.dataset, "0123456789abcdef", 9, "Gone"))
    standing(at)
    assert "gone" in words(at).lower()


@pytest.mark.parametrize("name", PAGES)
def test_hostile_text_is_never_markup(home, name):
    rows = pd.DataFrame(
        {
            EVIL: [f"{EVIL} {i}" for i in range(40)],
            "kind": [EVIL] * 20 + ["b"] * 20,
            "answer": [float(i) for i in range(40)],
            "split": (["train"] * 4 + ["test"]) * 8,
        }
    )
    prompt = Prompt(user=f"{EVIL} ${{{EVIL}}}", prefix=EVIL)
    one = store.save(
        EVIL,
        rows,
        title=EVIL,
        roles=Roles(text=(EVIL,), target="answer", category="kind", split="split"),
        task="regression",
        prompt=prompt,
        source_hash="e",
    )
    at = standing(opened(name, one))
    told = words(at)
    assert "![x](http" not in told
    assert "<script" not in told.replace("\\<script", "")
    assert ":red[x]" not in told
    assert "$5 and $10" not in told


@pytest.mark.parametrize("sample", ["price", "stars", "facts"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_stands_on_every_sample(home, name, sample):
    standing(opened(name, projects.open_sample(sample, rows=400 if sample != "facts" else None)))


@pytest.mark.parametrize("name", PAGES)
def test_korean_columns_labels_and_categories_stand_everywhere(home, name):
    rows = pd.DataFrame({"제목": [f"전기 주전자 {i}번 좋은 물건" for i in range(60)], "분류": ["가전", "공구", "완구"] * 20, "가격": [f"{1000 + i * 37}원" for i in range(60)],
                         "분할": (["train"] * 4 + ["test"]) * 12})  # fmt: skip
    roles = Roles(text=("제목",), target="가격", category="분류", split="분할")
    one = store.save(
        "한국어 상품",
        rows,
        title="가져오기",
        roles=roles,
        task="regression",
        prompt=Prompt(user="얼마입니까?\n\n${제목}", prefix="가격: "),
        source_hash="k",
    )
    standing(opened(name, one))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_runs_alone_without_the_frame(home, name):
    version()
    standing(AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=180).run())


def test_opening_a_sample_on_home_makes_it_current(home):
    at = standing(opened("home"))
    at.button(key="open_stars").click().run()
    assert not at.exception
    (made,) = store.datasets()
    assert (made.label, made.versions[0].task) == ("Star it", "classification")
    assert json.loads((home / "current.json").read_text())["dataset"] == made.id
