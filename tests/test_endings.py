"""A process that dies is explained: by which signal, with how much memory, what to set instead; and it leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.finetune.settings import TrainSettings
from core.finetune.smaller import advised, ladder, sentence
from core.io import endings, files, jobs
from tests.test_jobs import until
from tests.test_reporting import lives, offspring

GIB = 1 << 30


def working(**request: Any) -> tuple[jobs.Job, int]:
    """A job that counts in a child, and the process that does the work."""
    job = jobs.start("count", {"to": 2000, "pause": 0.02, **request}, title="Count")
    while jobs.read(job.id).step < 2:
        time.sleep(0.01)
    (worker,) = offspring(int((job.folder / "pid").read_text()))
    return job, worker


def folder_of(kind: str = "finetune", **request: Any) -> Path:
    """The folder of a job that was never started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_launch", lambda folder, environment: None)
        return jobs.start(kind, request, title="A job").folder


def gone(pids: list[int], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(lives, pids))


def test_a_worker_killed_with_signal_9_probably_ran_out_of_memory_and_resumes(child_jobs):
    job, worker = working()
    os.kill(worker, signal.SIGKILL)
    dead = until(job.id, {"interrupted"})
    assert dead.error
    assert dead.error["title"] == "Probably out of memory"
    assert "signal 9" in dead.error["message"]
    assert files.read_json(job.folder / endings.NOTE)["held"] > 5 << 20
    assert gone([int((job.folder / "pid").read_text())])
    jobs.resume(job.id)
    assert jobs.read(job.id).error is None
    jobs.cancel(job.id)
    assert until(job.id, {"cancelled"}).error is None


def test_a_crash_is_told_in_words_although_the_studio_that_started_it_is_gone(child_jobs):
    code = "from core.io import jobs; import time; print(jobs.start('count', {'to': 2000, 'pause': 0.02}, title='Count').id, flush=True); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert starter.stdout
    id = starter.stdout.readline().strip()
    (worker,) = offspring(int((jobs.read(id).folder / "pid").read_text()))
    starter.kill()
    starter.wait()
    os.kill(worker, signal.SIGSEGV)
    dead = until(id, {"interrupted"})
    assert dead.error
    assert "segmentation fault" in dead.error["message"]
    assert "can be resumed" in dead.error["message"]


def test_a_stopped_job_is_not_explained_as_a_death(child_jobs):
    job, worker = working()
    (job.folder / "cancelled").touch()
    os.kill(worker, signal.SIGKILL)
    assert until(job.id, {"cancelled"}).error is None
    assert gone([int((job.folder / "pid").read_text())])
    assert not (job.folder / endings.NOTE).exists()


def test_a_killed_worker_leaves_no_process_behind_even_one_that_refuses(tmp_path):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    code = ("import subprocess, sys, time; from pathlib import Path; from core.io import endings\n"
            "endings.supervise(Path(sys.argv[1]))\n"
            f"one = subprocess.Popen([sys.executable, '-c', {deaf!r}], stdout=subprocess.PIPE); one.stdout.readline()\n"
            "print(one.pid, flush=True); time.sleep(60)")  # fmt: skip
    watcher = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert watcher.stdout
    left = int(watcher.stdout.readline())
    (worker,) = offspring(watcher.pid)
    os.kill(worker, signal.SIGKILL)
    assert watcher.wait(20) == -signal.SIGKILL
    assert gone([left, worker])


def test_a_training_that_ran_out_of_memory_is_told_what_would_fit(home):
    settings = TrainSettings(batch=4, accumulate=2, max_tokens=128)
    folder = folder_of(settings=settings.to_dict())
    files.write_json(folder / "about.json", {"estimate": {"memory": 8 * GIB}})
    ways = ladder(settings, lambda now: now.batch * 2 * GIB)
    files.write_json(folder / endings.WAYS, [way.to_dict() for way in ways])
    endings.note(folder, -9, int(0.9 * endings.room()))
    told = endings.explained(folder, {})
    assert told
    assert "8.0 GiB were expected" in told["message"]
    assert "Set batch to 2 instead of 4 and accumulate to 4 instead of 2: the same rows in each step, about 4.0 GiB." in told["message"]
    assert "Other programs" not in told["message"]


def test_a_training_that_died_before_anything_was_known_of_its_model_is_told_the_direction(home):
    folder = folder_of(settings=TrainSettings(batch=1, max_tokens=128).to_dict())
    endings.note(folder, -9, 100 << 20)
    told = endings.explained(folder, {})
    assert told
    assert "Set gradient checkpointing to True instead of False." in told["message"]
    assert "Other programs may have held the rest" in told["message"]


def test_where_nothing_was_noted_the_memory_heard_last_decides(home):
    folder = folder_of("count", to=1)
    assert endings.explained(folder, {"memory": GIB >> 3}) is None
    told = endings.explained(folder, {"memory": int(0.9 * endings.room())})
    assert told
    assert told["title"] == "Probably out of memory"
    assert "without a word" in told["message"]


def test_an_exit_code_is_told_with_the_last_line_of_the_log(home):
    folder = folder_of("count", to=1)
    (folder / "log.txt").write_text("one\nlibgomp: Thread creation failed\n\n")
    endings.note(folder, 3, GIB)
    told = endings.explained(folder, {})
    assert told
    assert "exit code 3" in told["message"]
    assert "libgomp: Thread creation failed" in told["message"]


def test_the_mildest_way_that_fits_is_advised_and_every_way_needs_less():
    def needs(now: TrainSettings) -> int:
        return (now.batch * now.max_tokens << 20) + (GIB if now.quantization == "none" else GIB // 4)

    settings = TrainSettings(batch=6, accumulate=1, max_tokens=256)
    ways = ladder(settings, needs)
    lean = {"gradient_checkpointing": True, "quantization": "4-bit"}
    assert [dict(way.changes) for way in ways] == [
        {"batch": 3, "accumulate": 2},
        {"batch": 1, "accumulate": 6},
        {"batch": 1, "accumulate": 6, **lean},
        {"batch": 1, "accumulate": 6, **lean, "max_tokens": 128},
        {"batch": 1, "accumulate": 6, **lean, "max_tokens": 64},
        {"batch": 1, "accumulate": 6, **lean, "max_tokens": 32},
    ]
    assert [way.memory for way in ways] == sorted((way.memory for way in ways), reverse=True)
    assert advised(ways, 2 * GIB) == ways[0]
    assert advised(ways, GIB) == ways[2]
    assert advised(ways, 1) == ways[-1]
    assert advised([], GIB) is None
    assert all(TrainSettings(**{**settings.to_dict(), **way.changes}).effective_batch == 6 for way in ways)
    assert "tokens to 128 instead of 256" in sentence(ways[3], settings.to_dict())
