"""One worker or eight, one chunk or many: the same bytes; stopped at once, a killed worker is told, and none outlives its parent."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import _pricing
from core.curate.presets import preset
from core.errors import DataError, Stopped, StudioError
from core.io import curating, engine, store
from tests.test_recipe import ROLES, listings

ROOT = Path(__file__).resolve().parents[1]


def shout(rows: pd.DataFrame) -> pd.DataFrame:
    """A row function: says loudly what a row says, drops what says nothing."""
    out = rows.copy(deep=False)
    out["loud"] = rows["text"].str.upper()
    out["dropped"] = pd.Series(
        [None if isinstance(cell, str) else "says nothing" for cell in rows["text"].tolist()], index=rows.index, dtype="str"
    )
    out.attrs["rows"] = len(rows)
    return out


def forgetful(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.head(1)


FRAME = pd.DataFrame({"text": [f"row {i}" if i % 5 else None for i in range(103)], "n": range(103)}, index=range(1000, 1103))
WRITES = {"loud": pa.large_string(), "dropped": pa.large_string()}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("chunk", [7, 1000])
def test_rows_come_back_in_order_with_their_index_and_notes(workers, chunk):
    done = engine.run(shout, FRAME, WRITES, workers=workers, chunk=chunk)
    assert done.frame.index.tolist() == FRAME.index.tolist()
    assert done.frame["n"].tolist() == list(range(103))
    assert done.frame["loud"].tolist()[1] == "ROW 1"
    assert done.frame["dropped"].notna().sum() == 21
    assert sum(note["rows"] for note in done.notes) == 103
    assert [str(kind) for kind in done.frame.dtypes] == ["str", "int64", "str", "str"]


def test_an_empty_table_and_a_chunk_of_nothing_keep_the_schema():
    done = engine.run(shout, FRAME.head(0), WRITES)
    assert list(done.frame.columns) == ["text", "n", "loud", "dropped"]
    only_missing = engine.run(shout, pd.DataFrame({"text": pd.Series([None] * 30, dtype="str"), "n": range(30)}), WRITES, chunk=10)
    assert str(only_missing.frame["loud"].dtype) == "str"


def test_a_function_that_loses_rows_is_refused():
    with pytest.raises(DataError, match="1 of 7 rows"):
        engine.run(forgetful, FRAME, {}, chunk=7)


def test_progress_can_stop_the_work():
    def stop(done: int, total: int, message: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        engine.run(shout, FRAME, WRITES, chunk=10, progress=stop)


def picky(rows: pd.DataFrame) -> pd.DataFrame:
    if (rows["n"] == 50).any():
        raise DataError("Row 51 holds 50.", title="A fifty")
    return rows


def test_what_a_row_function_refuses_reaches_the_person_from_a_worker_too():
    for workers in (1, 2):
        with pytest.raises(DataError, match=r"Row 51 holds 50\.") as told:
            engine.run(picky, FRAME, {}, workers=workers, chunk=20)
        assert told.value.title == "A fifty"


def seen(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(seen=" ".join(rows.columns))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_function_is_shown_the_columns_it_reads_and_the_others_stay_as_they_are(workers):
    frame = FRAME.assign(kept=[{"a": number} for number in range(103)])
    done = engine.run(seen, frame, {"seen": pa.large_string()}, reads=["n"], workers=workers, chunk=60)
    assert set(done.frame["seen"]) == {"n"}
    assert done.frame["kept"].tolist()[7] == {"a": 7}
    assert list(done.frame.columns) == ["text", "n", "kept", "seen"]


def test_a_part_of_a_table_travels_without_the_rest_of_it():
    table = pa.table({"text": ["x" * 1000] * 2_000})
    assert len(engine.packed(table.slice(500, 3))) < 6_000
    assert engine.unpacked(engine.packed(table.slice(500, 3))).equals(table.slice(500, 3))


def threads(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(threads=f"{os.environ['OMP_NUM_THREADS']} {os.environ['OPENBLAS_NUM_THREADS']} {pa.cpu_count()}")


def test_workers_use_one_thread_each_and_the_parent_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    done = engine.run(threads, FRAME, {"threads": pa.large_string()}, workers=2, chunk=60)
    assert set(done.frame["threads"]) == {"1 1 1"}
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def sleepy(rows: pd.DataFrame) -> pd.DataFrame:
    time.sleep(600)
    return rows


def test_a_stop_is_heard_while_workers_are_in_the_middle_of_a_part():
    asked = []

    def stop(done: int, total: int, message: str) -> None:
        asked.append(done)
        if len(asked) == 3:
            raise Stopped

    begin = time.monotonic()
    with pytest.raises(Stopped):
        engine.run(sleepy, FRAME, {}, workers=2, chunk=60, progress=stop)
    assert time.monotonic() - begin < 60, "the stop waited for the part to end"
    assert asked == [0, 0, 0]


def fatal(rows: pd.DataFrame) -> pd.DataFrame:
    if (rows["n"] == 0).any():
        os.kill(os.getpid(), signal.SIGKILL)
    return rows


def test_a_killed_worker_is_told_with_what_to_do():
    with pytest.raises(StudioError, match="One of 2 worker processes was ended from outside") as told:
        engine.run(fatal, FRAME, {}, workers=2, chunk=60)
    assert told.value.title == "A worker process was killed"


def test_one_worker_or_eight_make_the_same_version_with_the_same_bytes(home, monkeypatch):
    monkeypatch.setattr(engine.run, "__kwdefaults__", {**engine.run.__kwdefaults__, "chunk": 100})
    frame = listings(_pricing.rows(1_000, seed=5))
    version = store.save("Many", frame, title="Import", roles=ROLES, task="regression", source_hash="many")
    whole = preset("pricing", version, frame)
    recipe = type(whole)(tuple(step for step in whole.steps if step.name != "token_window"), whole.seed)
    found = []
    for workers in (1, 8):
        made = curating.save(version, recipe, workers=workers)
        files = [(store.folder(made) / name).read_bytes() for name in ("data.parquet", "dropped.parquet")]
        found.append((made.id, [hashlib.sha256(data).hexdigest() for data in files]))
        assert sum(report.rows_before - report.rows_after for report in made.report) == len(frame) - made.rows
        shutil.rmtree(store.folder(made))
    assert found[0] == found[1]


@dataclass(frozen=True)
class Slow:
    """Tells its process and takes long."""

    folder: str

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        (Path(self.folder) / str(os.getpid())).touch()
        return sleepy(rows)


PARENT = """
import sys
from core.io import engine
from tests.test_engine import FRAME, Slow

if __name__ == "__main__":
    engine.run(Slow(sys.argv[1]), FRAME, {}, workers=2, chunk=60)
"""


def test_a_killed_parent_leaves_no_worker(tmp_path):
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(PARENT)
    pids.mkdir()
    parent = subprocess.Popen([sys.executable, str(script), str(pids)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        workers = _wait(lambda: [int(p.name) for p in pids.iterdir()], 2, 60)
        assert len(workers) == 2
        assert all(map(_alive, workers))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _wait(lambda: [] if any(map(_alive, workers)) else [1], 1, 15), "workers outlived their parent"
    finally:
        parent.kill()
        for pid in [int(p.name) for p in pids.iterdir()]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _wait(found, wanted: int, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(have := found()) >= wanted:
            return have
        time.sleep(0.05)
    return []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_workers_do_not_run_the_page_that_started_them(tmp_path):
    """In a Streamlit server `__main__` is the page being drawn: a worker that imported it would draw it again."""
    page = tmp_path / "page.py"
    seen = tmp_path / "seen"
    page.write_text(
        f"open({str(seen)!r}, 'a').write('x')\n"
        "from core.io import engine\n"
        "from tests.test_engine import FRAME, WRITES, shout\n"
        "assert len(engine.run(shout, FRAME, WRITES, workers=2, chunk=7).frame) == 103\n"
    )
    subprocess.run([sys.executable, str(page)], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert seen.read_text() == "x"


def whoami(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(pid=os.getpid())


def test_a_crew_stays_for_several_runs_and_goes_home_with_the_outermost_with():
    with engine.crew_of(2) as crew:
        first, second = (set(engine.run(whoami, FRAME, {"pid": pa.int64()}, crew=crew, chunk=20).frame["pid"]) for _ in range(2))
        assert os.getpid() not in first
        assert second <= first or len(first | second) <= 2, "the second run has other workers"
        assert any(map(_alive, first))
    assert _wait(lambda: [] if any(map(_alive, first | second)) else [1], 1, 15), "workers stayed"


def test_a_crew_whose_run_was_stopped_starts_anew_for_the_next():
    def stop(done: int, total: int, message: str) -> None:
        raise Stopped

    with engine.crew_of(2) as crew:
        with pytest.raises(Stopped):
            engine.run(sleepy, FRAME, {}, crew=crew, chunk=60, progress=stop)
        assert engine.run(shout, FRAME, WRITES, crew=crew, chunk=20).frame["text"].tolist() == shout(FRAME)["text"].tolist()
