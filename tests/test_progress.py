"""A job's progress file: read once, then only what is new, with the same result as reading all of it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from core.io import files, jobs, progress
from core.io.progress import Told


def whole(path: Path) -> Told:
    """What all lines say, read from the first one."""
    found = Told()
    for one in files.read_lines(path):
        if isinstance(one, dict):
            found.add(one)
    return found


def line(number: int) -> dict[str, Any]:
    drawn = random.Random(number)
    if number % 37 == 0:
        return {"time": 1000.0 + number, "done": 0, "total": 0, "message": "Starting", "begin": True}
    told = {"time": 1000.0 + number, "done": number, "total": drawn.choice([0, 500, 1_000]), "message": f"행 {number}"}
    return told | ({"figures": {drawn.choice(["usd", "rate", "failed"]): number}} if number % 3 else {})


def test_reading_what_is_new_says_the_same_as_reading_everything(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    assert progress.told(path) == Told()
    for number in range(300):
        if number % 41 == 40:
            with open(path, "ab") as handle:
                handle.write(b'{"time": 1, "done": 7, "tot')  # its writer was killed here
        elif number % 29 == 28:
            with open(path, "ab") as handle:
                handle.write(b'"no object"\n[1, 2]\nnothing\n')
        else:
            files.append_line(path, line(number), sync=False)
        if number % 7 == 0 or number % 41 == 40:
            assert progress.told(path) == whole(path)
            assert progress.told(path).left(50.0) == whole(path).left(50.0)


def test_a_file_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    for number in range(1, 30):
        files.append_line(path, line(number), sync=False)
    assert progress.told(path).last["done"] == 29
    path.unlink()
    assert progress.told(path) == Told()
    files.append_line(path, line(2), sync=False)
    assert progress.told(path).last["done"] == 2
    assert progress.told(path).begun is None


def test_what_was_handed_out_does_not_change_when_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    files.append_line(path, {"time": 1.0, "done": 1, "total": 9, "figures": {"usd": 1}})
    first = progress.told(path)
    files.append_line(path, {"time": 2.0, "done": 2, "total": 9, "figures": {"usd": 2}})
    assert progress.told(path).figures == {"usd": 2}
    assert first.figures == {"usd": 1}


def bytes_read() -> int:
    """Bytes this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


def test_a_look_at_a_job_of_a_hundred_thousand_lines_reads_the_new_ones_only(home: Path) -> None:
    job = jobs.start("count", {"to": 2}, title="Count")
    path = job.folder / "progress.jsonl"
    with open(path, "ab") as handle:
        handle.write(b"".join(json.dumps(line(number)).encode() + b"\n" for number in range(1, 100_000)))
    jobs.read(job.id)
    files.append_line(path, {"time": 9e9, "done": 7, "total": 8, "message": "new"})
    before = bytes_read()
    found = jobs.read(job.id)
    assert bytes_read() - before < 100_000 < path.stat().st_size / 50
    assert (found.step, found.total, found.message) == (7, 8, "new")
    assert found.figures == whole(path).figures
