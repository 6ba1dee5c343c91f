"""Every format hands out the same rows: train texts show their answer, validation and test texts stop before it."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, SettingsError
from core.export_table import exported
from core.export_xlsx import CHARACTERS, sheets, xlsx_bytes
from core.io import exporting, jobs, store
from core.load.read import read
from core.prompt import Prompt
from core.version import Roles, Version
from tests import doubles

pytestmark = pytest.mark.usefixtures("home")
PROMPT = Prompt(user="How much does this cost to the nearest dollar?\n\n$text", prefix="Price is $", answer="$target.00", decimals=0)


def priced(rows: int = 40) -> Version:
    """Listings whose texts hold the prefix themselves, with prices that stand nowhere else."""
    text = [f"lamp {chr(97 + i % 26)} =1+1\nPrice is $ on request, see part {chr(97 + i // 26)}" for i in range(rows)]
    frame = pd.DataFrame({"text": text, "price": [300.0 + i for i in range(rows)], "kind": "lamp"})
    frame["split"] = ["train"] * (rows - 20) + ["validation"] * 10 + ["test"] * 10
    roles = Roles(text=("text",), target="price", category="kind", split="split")
    return store.save("Priced", frame, title="Split", roles=roles, task="regression", prompt=PROMPT, source_hash=f"priced {rows}")


def back(path: Path, name: str, part: str) -> pd.DataFrame:
    """The rows of a part as a reader of that format gets them."""
    if name == "dataset":
        from datasets import load_from_disk

        return load_from_disk(str(path))[part].to_pandas()  # type: ignore[union-attr,return-value]
    if name == "xlsx":
        return pd.read_excel(path, sheet_name=part)
    if name == "pickle":
        return pd.DataFrame(pickle.loads(path.read_bytes()))
    if name == "parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path) if name == "csv" else pd.read_json(path, lines=True)


@pytest.mark.parametrize("name", [one for one in exporting.FORMATS if one != "chat"])
def test_the_answer_is_in_every_train_text_and_in_no_other(name, tmp_path):
    version = priced()
    made = exporting.write(version, tmp_path, [name])
    for part in ("train", "validation", "test"):
        path = next(one for one in made if len(made) == 1 or one.stem == part)
        rows = back(path, name, part)
        source = store.frame(version, split=part)
        assert rows["price"].tolist() == source["price"].tolist(), "the target is a column of its own"
        assert list(rows.columns[:2]) == ["text", "price"]
        for text, price in zip(rows["text"], rows["price"], strict=True):
            assert (f"{price:.0f}" in text) == (part == "train")
            assert text.endswith(f"Price is ${price:.0f}.00" if part == "train" else "\n\nPrice is $")
            assert text.count("Price is $") == 2, "the text's own words stay"


def test_chat_files_teach_from_train_and_validation_only(tmp_path):
    made = exporting.write(priced(), tmp_path, ["chat"])
    assert [path.name for path in made] == ["train_chat.jsonl", "validation_chat.jsonl"]
    first = json.loads(made[0].read_text(encoding="utf-8").splitlines()[0])
    assert first["messages"][-1] == {"role": "assistant", "content": "Price is $300.00"}


def test_a_test_prompt_is_the_beginning_of_its_training_prompt():
    version = priced()
    rows = store.frame(version, split="test")
    hidden, shown = exported(rows, version, "test")["text"], exported(rows, version, "train")["text"]
    assert all(long.startswith(short) and len(long) > len(short) for short, long in zip(hidden, shown, strict=True))


def test_the_targets_cell_is_never_read_for_a_test_prompt():
    frame = pd.DataFrame({"text": ["a"], "price": [7.0]})
    version = Version("d", "i", 1, "t", roles=Roles(text=("text",), target="price"), task="regression", prompt=Prompt(user="$text $price"))
    assert exported(frame, version, "test")["text"].tolist() == ["a $price\n\n"]


def test_a_prompt_without_named_columns_asks_about_the_text_columns():
    frame = pd.DataFrame({"title": ["a"], "body": ["b"], "price": [7.0]})
    version = Version("d", "i", 1, "t", roles=Roles(text=("title", "body"), target="price"), task="regression", prompt=Prompt())
    assert exported(frame, version, "train")["text"].tolist() == ["a\nb\n\n7"]


def test_a_target_named_text_stays_a_column_of_its_own():
    frame = pd.DataFrame({"question": ["q"], "text": ["answer one"]})
    version = Version("d", "i", 1, "t", roles=Roles(text=("question",), target="text"), task="qa", prompt=Prompt(user="$question"))
    made = exported(frame, version, "test")
    assert made.to_dict("records") == [{"text": "q\n\n", "target": "answer one", "question": "q"}]


def test_without_a_prompt_the_rows_stay_as_they_are(tmp_path):
    version = doubles.version(rows=20, target=False)
    made = exporting.write(version, tmp_path, ["parquet"])
    assert pd.read_parquet(made[0]).columns.tolist() == list(version.columns)
    with pytest.raises(SettingsError, match="need a prompt"):
        exporting.write(version, tmp_path, ["chat"])


def test_formats_that_do_not_exist_are_named():
    with pytest.raises(SettingsError, match=r"no format 'docx'\. There are dataset, parquet"):
        exporting.write(priced(), Path("nowhere"), ["docx"])
    with pytest.raises(SettingsError, match="No format is chosen"):
        exporting.write(priced(), Path("nowhere"), [])
    assert not Path("nowhere").exists()


def test_the_job_writes_into_the_workspace_and_tells_its_progress(home):
    version = priced()
    job = jobs.start("export", {"dataset": version.dataset, "version": version.id, "formats": ["csv", "jsonl"]}, title="Export")
    assert (job.state, job.step, job.total) == ("done", 2, 2)
    assert job.result is not None
    assert len(job.result["files"]) == 6
    assert job.result["bytes"] == sum(Path(name).stat().st_size for name in job.result["files"])
    with zipfile.ZipFile(BytesIO(exporting.zipped(Path(job.result["folder"])))) as archive:
        assert "priced-1/train.csv" in archive.namelist()


def test_a_saved_dataset_is_replaced_whole(tmp_path):
    version = priced()
    for _ in range(2):
        exporting.write(version, tmp_path / "out", ["dataset"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dataset"]


def test_excel_takes_odd_cells_and_gives_them_back():
    cells = ["=1+1", "bell \x07", "_x0041_", "가격\nline", None, "a\r\nb"]
    frame = pd.DataFrame({"=head": cells, "n": [1.5, np.nan, 3, 4, 5, 6], "big": [10**17] * 6, "list": [["a"]] * 6})
    rows = read("a.xlsx", xlsx_bytes({"train": frame})).frame
    assert rows.columns.tolist() == ["'=head", "n", "big", "list"]
    shown = [re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell) for cell in rows["'=head"].tolist()[:4]]
    assert shown == ["'=1+1", "bell \x07", "_x0041_", "가격\nline"], "as Excel reads its escapes"
    assert rows["n"].tolist()[0] == 1.5
    assert str(rows["big"].tolist()[0]) == "100000000000000000"
    assert rows["list"].tolist()[0] == '["a"]'


def test_no_cell_of_a_workbook_is_a_formula():
    with zipfile.ZipFile(BytesIO(xlsx_bytes({"train": pd.DataFrame({"=a": ["=1+1", "\t=2", "ok\n@SUM(A1)"]})}))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_excel_refuses_a_cell_that_is_too_long_and_says_which():
    assert xlsx_bytes({"train": pd.DataFrame({"a": ["x" * CHARACTERS]})})
    for cell in ("x" * (CHARACTERS + 1), "🙂" * 16_384):
        with pytest.raises(DataError, match=r"Row 2 of train has 32,76[8] characters in 'a'"):
            xlsx_bytes({"train": pd.DataFrame({"a": ["fine", cell]})})


def test_rows_beyond_a_sheet_go_on_in_the_next():
    frame = pd.DataFrame({"a": range(25)})
    book = pd.read_excel(BytesIO(xlsx_bytes({"train": frame, "test": frame.head(3)}, rows=11)), sheet_name=None)
    assert {name: len(rows) for name, rows in book.items()} == {"train": 10, "train 2": 10, "train 3": 5, "test": 3}
    assert pd.concat([book[name] for name in ("train", "train 2", "train 3")])["a"].tolist() == list(range(25))
    assert sheets(frame, rows=11) == 3
