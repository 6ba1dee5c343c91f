"""Jobs: they outlive whoever started them, stop when asked, and never do the same work twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from core.errors import MissingError
from core.io import files, jobs, progress


def until(id: str, states: set[str], seconds: float = 120) -> jobs.Job:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = jobs.read(id)
        if job.state in states:
            return job
        time.sleep(0.02)
    raise AssertionError(f"still {jobs.read(id).state}")


def counted(job: jobs.Job) -> list[int]:
    return [line["number"] for line in files.read_lines(job.folder / "counted.jsonl")]


def test_a_job_in_the_same_process_ends_before_start_returns(home):
    job = jobs.start("count", {"to": 5}, title="Count")
    assert (job.state, job.step, job.total) == ("done", 5, 5)
    assert job.result == {"counted": 5}
    assert job.figures["last"] == 4


def test_a_job_killed_at_once_is_interrupted_and_resumes_without_doing_anything_twice(child_jobs):
    job = jobs.start("count", {"to": 40, "pause": 0.02}, title="Count")
    while jobs.read(job.id).step < 5:
        time.sleep(0.01)
    os.killpg(int((job.folder / "pid").read_text()), signal.SIGKILL)
    dead = until(job.id, {"interrupted"})
    assert 5 <= dead.step < 40
    jobs.resume(job.id)
    done = until(job.id, {"done"})
    assert counted(done) == list(range(40))


def test_cancel_reads_cancelled_keeps_what_is_done_and_leaves_no_process(child_jobs):
    job = jobs.start("count", {"to": 1000, "pause": 0.02}, title="Count")
    while jobs.read(job.id).step < 3:
        time.sleep(0.01)
    pid = int((job.folder / "pid").read_text())
    jobs.cancel(job.id)
    ended = until(job.id, {"cancelled"})
    assert counted(ended)
    assert ended.result is None
    time.sleep(0.2)
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_paused_job_reads_paused_and_goes_on_where_it_was(child_jobs):
    job = jobs.start("count", {"to": 60, "pause": 0.02}, title="Count")
    while jobs.read(job.id).step < 5:
        time.sleep(0.01)
    jobs.pause(job.id)
    held = until(job.id, {"paused"})
    assert 5 <= held.step < 60
    jobs.resume(job.id)
    assert until(job.id, {"done"}).result == {"counted": 60}
    assert counted(job) == list(range(60))
    assert jobs.pause(job.id).state == "done"


def test_a_job_whose_endpoint_cannot_go_on_is_paused_with_the_reason(home, monkeypatch):
    from core.errors import Paused
    from core.io import work

    def run(request, desk):
        raise Paused("HTTP 503 again and again.", title="The endpoint failed", reason="failing")

    monkeypatch.setattr(work, "run_count", run)
    job = jobs.start("count", {"to": 1}, title="Count")
    assert (job.state, job.error) == (
        "paused",
        {"title": "The endpoint failed", "message": "HTTP 503 again and again.", "reason": "failing"},
    )


def test_a_job_goes_on_when_the_process_that_started_it_is_killed(child_jobs):
    code = "from core.io import jobs; import time; print(jobs.start('count', {'to': 30, 'pause': 0.03}, title='Count').id, flush=True); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    id = starter.stdout.readline().strip()
    starter.kill()
    starter.wait()
    assert until(id, {"done"}).result == {"counted": 30}


def test_a_second_training_waits_its_turn_and_says_so(child_jobs):
    with files.lock(files.home() / "training.lock"):
        job = jobs.start("count", {"to": 2, "turn": True}, title="Count")
        waiting = until(job.id, {"queued"})
        assert "Waiting" in waiting.message
    assert until(job.id, {"done"}).result == {"counted": 2}


def test_a_cut_line_in_a_journal_is_left_out(home):
    path = files.home() / "x.jsonl"
    files.append_line(path, {"a": 1})
    with open(path, "ab") as handle:
        handle.write(b'{"a": 2')
    assert files.read_lines(path) == [{"a": 1}]


def test_what_a_person_can_be_told_is_kept_and_a_mistake_says_it_is_one(home):
    told = jobs.start("count", {"to": 3, "fail": "told"}, title="Count")
    assert (told.state, told.error["title"]) == ("failed", "Cannot count")
    bug = jobs.start("count", {"to": "x"}, title="Count")
    assert bug.state == "failed"
    assert "mistake in the studio" in bug.error["title"]
    assert "Traceback" not in bug.error["message"]


def test_keys_reach_the_child_and_no_file(child_jobs):
    canary = "sk-canary-4815162342"
    job = jobs.start("count", {"to": 1}, title="Count", environment={"OPENAI_API_KEY": canary})
    until(job.id, {"done"})
    assert not [p for p in child_jobs.rglob("*") if p.is_file() and canary.encode() in p.read_bytes()]


def test_an_unknown_job_is_a_clear_answer(home):
    with pytest.raises(MissingError, match="no job 'nothing'"):
        jobs.read("nothing")


def test_the_time_left_follows_the_pace_of_the_present_phase(tmp_path):
    path = tmp_path / "progress.jsonl"
    for line in ({"done": 0, "total": 7, "time": 0.0}, {"done": 10, "total": 110, "time": 100.0}):
        files.append_line(path, line)
    assert progress.told(path).left(105.0) is None
    files.append_line(path, {"done": 20, "total": 110, "time": 105.0})
    assert progress.told(path).left(105.0) == 90 * 0.5
    files.append_line(tmp_path / "other.jsonl", {"done": 3, "total": 0, "time": 1.0})
    assert progress.told(tmp_path / "other.jsonl").left(2.0) is None


def test_a_running_job_says_what_time_is_left_and_an_ended_one_does_not(child_jobs):
    job = jobs.start("count", {"to": 100, "pause": 0.05}, title="Count")
    while (now := jobs.read(job.id)).step < 10:
        time.sleep(0.02)
    jobs.cancel(job.id)
    assert (now.left or 0) > 0
    assert until(job.id, {"cancelled"}).left is None


def test_a_reader_who_leaves_early_gets_no_traceback(home):
    for number in range(3):
        jobs.start("count", {"to": number + 1}, title="Count")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = subprocess.run([sys.executable, "-m", "core", "jobs", "list"], stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
