"""This machine: files of any size, folders and saved datasets, as a person meets them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import parts, store
from tests.doubles import ROOT, version

ROWS = "text,stars\n" + "".join(f"a review about thing number {i},{1 + i % 5}\n" for i in range(60))


def app(path: Path | str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    at.query_params["explore_add"] = "1"
    at.switch_page("../pages/explore.py").run()
    at.segmented_control(key="explore_add_source").set_value("This machine").run()
    return at.text_input(key="explore_path").set_value(str(path)).run()


def said(at: AppTest) -> str:
    kinds = (at.caption, at.markdown, at.error, at.text, at.expander)
    return " ".join(str(getattr(one, "label", None) or one.value).replace("\\", "") for kind in kinds for one in kind)


def test_a_large_file_is_looked_at_and_then_imported_by_a_job(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LARGE", 1000)
    (tmp_path / "reviews.csv").write_text(ROWS + "one,two,three\n")
    at = app(tmp_path / "reviews.csv")
    assert not at.exception
    assert "1 line left out" in said(at)
    button = at.button(key="explore_add_run")
    assert button.label == "Add reviews"
    button.click().run()
    assert not at.exception
    one = store.datasets()[0].versions[0]
    assert (one.rows, one.task, one.source["rejected"]) == (60, "classification", 1)
    assert at.title[0].value == "Explore"
    at.run()
    assert "Where it came from · 1 line left out" in said(at)
    shown = [frame.value for frame in at.dataframe if "why" in frame.value.columns]
    assert shown[0]["line"].tolist() == [62]
    assert shown[0]["text"].tolist() == ["one,two,three"]


def test_a_folder_becomes_one_table(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(ROWS)
    at = app(folder)
    assert not at.exception
    assert "120 rows" in said(at)
    at.button(key="explore_add_run").click().run()
    assert store.datasets()[0].versions[0].rows == 120
    assert store.frame(store.datasets()[0].versions[0])["file"].nunique() == 2


def test_an_import_that_cannot_be_done_says_why_and_keeps_the_page(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LARGE", 1000)
    path = tmp_path / "reviews.csv"
    path.write_text(ROWS)
    at = app(path)
    path.write_text("text,stars\n")
    at.button(key="explore_add_run").click().run()
    assert not at.exception
    assert at.error
    assert not store.datasets()


@pytest.mark.parametrize(
    ("name", "told"),
    [("model.pkl", "opening one can run any code"), ("nothing.csv", "is not there"), ("page.html", "ends in .html"), ("", "several kinds")],
)
def test_what_is_no_table_is_refused_with_its_cause(name: str, told: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04N.")
    (tmp_path / "page.html").write_text("<!doctype html>")
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n')
    at = app(tmp_path / name)
    assert not at.exception
    assert told in said(at)
    assert at.button(key="explore_add_run").disabled
    if name == "model.pkl":
        assert "read_pickle" in at.code[0].value


def test_a_workbook_offers_its_sheets(home: Path, tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"text": ["one is here", "two is here"], "n": [1, 2]}).to_excel(book, sheet_name="first", index=False)
        pd.DataFrame({"text": ["a", "b", "c"], "n": [1, 2, 3]}).to_excel(book, sheet_name="second", index=False)
    at = app(tmp_path / "book.xlsx")
    next(one for one in at.selectbox if one.label == "Sheet").set_value("second").run()
    assert not at.exception
    assert "3 rows" in said(at)


def test_a_dataset_that_was_not_read_from_a_file_tells_no_source(home: Path) -> None:
    version()
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180).switch_page("../pages/explore.py").run()
    assert "Where it came from" not in said(at)
