"""One worker or two, one chunk or many: the same bytes; and no worker outlives its parent."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import _pricing
from core.curate.presets import preset
from core.errors import DataError, Stopped
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


def test_one_worker_or_two_write_the_same_file(home, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK", 10_000)
    frame = listings(_pricing.rows(450, seed=5))
    frame = pd.concat([frame] * 24, ignore_index=True)
    version = store.save("Many", frame, title="Import", roles=ROLES, task="regression", source_hash="many")
    recipe = preset("pricing", version, frame)
    recipe = type(recipe)(recipe.steps[:-1], recipe.seed)
    prints = []
    for workers in (1, 2):
        outcome = curating.make(version, recipe, workers=workers)
        prints.append(hashlib.sha256(outcome.frame.to_parquet(index=False)).hexdigest())
        assert len(outcome.dropped) + len(outcome.frame) == len(frame)
    assert prints[0] == prints[1]


PARENT = """
import sys, time
import pandas as pd
from core.io import engine

def slow(rows):
    import os, time
    open(sys.argv[1] + "/" + str(os.getpid()), "w").close()
    time.sleep(60)
    return rows

if __name__ == "__main__":
    engine.run(slow, pd.DataFrame({"n": range(4)}), {}, workers=2, chunk=1)
"""


def test_a_killed_parent_leaves_no_worker(tmp_path):
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(PARENT)
    pids.mkdir()
    parent = subprocess.Popen([sys.executable, str(script), str(pids)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        workers = _wait(lambda: [int(p.name) for p in pids.iterdir()], 2, 60)
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
