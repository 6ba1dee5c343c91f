"""A version as a Hugging Face dataset: the same rows, the same splits, readable by the library itself."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from core.io import hub, store
from tests.doubles import version

pytestmark = pytest.mark.usefixtures("home")


def test_every_split_holds_its_rows_in_order():
    one = version(rows=50)
    found = hub.dataset_dict(one)
    assert {name: len(part) for name, part in found.items()} == one.splits
    assert found["test"]["source_text"][:] == store.frame(one, split="test")["text"].tolist()


def test_a_version_without_a_split_is_all_train():
    one = version(split=False)
    assert list(hub.dataset_dict(one)) == ["train"]
    assert len(hub.dataset_dict(one)["train"]) == one.rows


def test_the_saved_folder_loads_with_the_library(tmp_path):
    from datasets import load_from_disk

    one = version(rows=20)
    with zipfile.ZipFile(io.BytesIO(hub.dataset_zip(one))) as archive:
        archive.extractall(tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    back: Any = load_from_disk(str(folder))
    assert back["train"]["answer"][:] == store.frame(one, split="train")["answer"].tolist()
