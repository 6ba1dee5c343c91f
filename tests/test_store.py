"""Versions: whole or not at all, the same content the same id, found again by everybody."""

from __future__ import annotations

import errno
import os
import threading

import pandas as pd
import pytest

from core.errors import DataError, MissingError, SettingsError, StudioError
from core.io import evaluations, files, keeping, store
from core.version import Roles, Step
from tests.doubles import frame, version

pytestmark = pytest.mark.usefixtures("home")


def test_the_same_import_twice_is_one_version():
    assert version() == version()
    assert len(store.datasets()[0].versions) == 1


def test_the_id_does_not_depend_on_the_workspace(home, tmp_path, monkeypatch):
    first = version()
    monkeypatch.setenv("FINETUNE_STUDIO_HOME", str(tmp_path / "elsewhere"))
    assert version().id == first.id


def test_a_step_that_is_off_does_not_change_the_id():
    parent = version()
    rows = store.frame(parent)
    on = store.save("", rows, title="A", parent=parent, steps=[Step("range", {"low": 1})], roles=parent.roles)
    off = store.save(
        "", rows, title="A", parent=parent, steps=[Step("range", {"low": 1}), Step("sample", {"n": 3}, on=False)], roles=parent.roles
    )
    assert on.id == off.id
    other = store.save("", rows, title="A", parent=parent, steps=[Step("range", {"low": 2})], roles=parent.roles)
    assert other.id != on.id
    assert [v.number for v in store.versions(parent.dataset)] == [3, 2, 1]


def test_a_korean_label_keeps_its_letters_in_the_folder_and_the_list():
    one = version(label="가격 데이터")
    assert one.dataset == "가격-데이터"
    assert store.datasets()[0].label == "가격 데이터"


@pytest.mark.parametrize("label", ["../../etc/passwd", "con", "-rf", "a/b\\c", "\x00x", "   ", "x" * 500])
def test_hostile_labels_stay_inside_the_workspace(label, home):
    one = store.save(label, frame(rows=3), title="Import", source_hash=label)
    assert store.data_path(one).resolve().is_relative_to(home.resolve())
    assert store.version(one.dataset, one.id) == one


def test_two_sessions_saving_the_same_name_at_once_leave_two_versions():
    barrier, made = threading.Barrier(2), []

    def save(number: int) -> None:
        barrier.wait()
        made.append(store.save("Twice", frame(rows=10, seed=number), title="Import", source_hash=str(number)))

    threads = [threading.Thread(target=save, args=(i,)) for i in (1, 2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert {v.number for v in store.versions("twice")} == {1, 2}
    assert {v.id for v in store.versions("twice")} == {v.id for v in made}


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_full_disk_at_any_write_leaves_no_half_version(nth, home, monkeypatch):
    keep = version(label="Before")
    calls = {"n": 0}
    real = os.fsync

    def fsync(handle):
        calls["n"] += 1
        if calls["n"] == nth:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    try:
        store.save("After", frame(rows=5), title="Import", source_hash="z")
    except StudioError as error:
        assert error.title == "The disk is full"
        monkeypatch.undo()
        monkeypatch.setenv("FINETUNE_STUDIO_HOME", str(home))
        assert [d.label for d in store.datasets()] == ["Before"]
        assert not [p for p in (home / "datasets").rglob("*") if ".tmp" in p.name]
    monkeypatch.undo()
    monkeypatch.setenv("FINETUNE_STUDIO_HOME", str(home))
    assert store.save("After", frame(rows=5), title="Import", source_hash="z").rows == 5
    store.check(keep)


def test_flipped_bytes_are_noticed():
    one = version()
    path = store.data_path(one)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError, match="not what was saved"):
        store.check(one)


def test_a_damaged_dataset_is_listed_with_its_reason():
    one = version()
    (store.folder(one) / "version.json").write_text("{")
    assert store.datasets()[0].broken
    with pytest.raises(MissingError):
        store.version(one.dataset, one.id)


def test_a_version_of_a_newer_studio_says_so():
    one = version()
    path = store.folder(one) / "version.json"
    files.write_json(path, {**files.read_json(path), "schema": 99})
    assert "newer studio" in str(store.datasets()[0].broken)


def test_a_role_without_its_column_is_refused():
    with pytest.raises(DataError, match="nowhere"):
        store.save("x", frame(rows=3), title="Import", roles=Roles(text=("nowhere",)), source_hash="x")


def test_no_rows_are_refused_and_nothing_is_written(home):
    with pytest.raises(DataError, match="0 rows"):
        store.save("x", pd.DataFrame({"a": []}), title="Import", source_hash="x")
    assert store.datasets() == []


def test_splits_read_their_own_rows_only():
    one = version(rows=50)
    assert set(store.frame(one, split="test")["split"]) == {"test"}
    assert sum(one.splits.values()) == 50
    with pytest.raises(DataError, match="not split"):
        store.frame(version(split=False, label="B"), split="test")


def test_other_roles_are_a_new_version_of_the_same_rows():
    one = version(target=False)
    other = store.assign(one, one.roles.renamed({}), "regression", None)
    assert other.parent == one.id
    assert store.assign(one, one.roles, one.task, one.prompt) == one
    assert store.frame(other).equals(store.frame(one))


def test_nested_cells_nulls_and_long_numbers_come_back():
    rows = pd.DataFrame({"a": [["x", "y"], None, []], "b": ["00123", None, "12345678901234567890"], "c": [1.5, None, 2.0]})
    one = store.save("Nested", rows, title="Import", source_hash="n")
    back = store.frame(one)
    assert [list(x) if x is not None else None for x in back["a"]] == [["x", "y"], None, []]
    assert back["b"].tolist()[::2] == ["00123", "12345678901234567890"]
    assert one.columns["a"] == "list"


def test_rename_refuses_empty_and_taken_names():
    one, _ = version(label="One"), version("qa", label="Two")
    keeping.rename(one.dataset, "하나")
    assert {d.label for d in store.datasets()} == {"하나", "Two"}
    for bad in ("", "Two"):
        with pytest.raises(SettingsError):
            keeping.rename(one.dataset, bad)


def test_delete_goes_to_a_bin_and_comes_back():
    one = version()
    ticket = keeping.delete(one.dataset)
    assert store.datasets() == []
    assert keeping.restore(ticket) == one.dataset
    assert store.version(one.dataset, one.id) == one
    keeping.delete(one.dataset)
    assert keeping.empty_bin() > 0
    assert keeping.in_bin() == []


def test_a_project_travels_as_one_zip():
    one = version()
    data = keeping.export_project(one.dataset)
    name = keeping.import_project(data)
    assert name != one.dataset
    twin = store.version(name, one.id)
    assert store.frame(twin).equals(store.frame(one))
    store.check(twin)


@pytest.mark.parametrize("data", [b"", b"not a zip", None])
def test_anything_else_than_a_project_is_refused_and_nothing_is_left(data, home):
    import io
    import zipfile

    if data is None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("project.json", '{"studio": 1, "dataset": "x"}')
            archive.writestr("dataset/../../../evil.txt", "x")
        data = buffer.getvalue()
    with pytest.raises(DataError):
        keeping.import_project(data)
    assert store.datasets() == []
    assert not list(home.parent.rglob("evil.txt"))


def test_an_evaluation_comes_back_as_it_was():
    from core.evaluation import Evaluation, answers_frame
    from core.evaluation import test_id as frozen
    from core.prediction import Prediction, examples

    one = version(rows=20)
    rows = examples(store.frame(one, split="test").reset_index(drop=True), one.roles, "regression")
    answers = answers_frame(rows, [Prediction(1.0)] + [Prediction(None, "no idea", "unread")] * (len(rows) - 1))
    kept = Evaluation(
        "abc",
        "constant_mean",
        "Constant",
        "trivial",
        one.dataset,
        one.id,
        "regression",
        frozen(rows),
        len(rows),
        answers,
        target_range=(0.0, 9.0),
    )
    evaluations.save(kept)
    evaluations.save(kept)
    (back,) = evaluations.of(one.dataset)
    assert back.meta() == kept.meta()
    assert back.answers["guess"].isna().sum() == len(rows) - 1
    assert back.answers["raw"].tolist() == answers["raw"].tolist()


def test_lines_that_could_not_be_read_stay_with_the_version_all_of_them():
    from core.io import reading
    from core.load.read import ReadOptions, read

    data = b"text,n\n" + b"fine,1\n" * 3 + b"odd\n" * 1200
    loaded = read("t.csv", data, ReadOptions(quotes="double"))
    one = reading.add("Odd", "t.csv", loaded, reading.sha256(data), ReadOptions(quotes="double"), Roles(("text",)), None)
    kept = store.rejects(one)
    assert kept is not None
    assert pd.read_parquet(kept)["line"].tolist() == list(range(5, 1205))
    assert (one.source["rejected"], len(one.source["rejects"])) == (1200, reading.SHOWN)
    store.check(one)
    assert store.rejects(store.assign(one, Roles(("text",), "n"), "regression", None)) == kept


def test_other_roles_share_the_table_on_disk():
    one = version()
    other = store.assign(one, Roles(("text",)), None, None)
    assert store.data_path(other).stat().st_ino == store.data_path(one).stat().st_ino
    assert (other.rows, other.columns, other.parent, other.splits) == (one.rows, one.columns, one.id, {})
    pd.testing.assert_frame_equal(store.frame(other), store.frame(one))
