"""A run told to TensorBoard or Weights & Biases: once, with its numbers and nothing else, and never at the price of the training."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import DataError, MissingError, ProviderError, SettingsError, Stopped
from core.io import files, jobs, reporting
from core.io.reporting import sending, telling
from core.io.reporting.tensorboard import framed
from core.io.work import Desk

pytest.importorskip("wandb")
pytest.importorskip("tensorboardX")

CANARY = "canary0123456789canary0123456789canary01"
TEXT = "a kettle that whistles when the lid is on"
ENVIRONMENT = {"WANDB_PROJECT": "a-project"}


def recorded(steps: int = 4, kind: str = "finetune", **request: Any) -> jobs.Job:
    """A job whose run told so many steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_launch", lambda folder, environment: None)
        asked = {"dataset": "things", "version": "v1", "settings": {"rank": 8, "learning_rate": 0.01}, "prompt": {"user": TEXT}, **request}
        job = jobs.start(kind, asked, title="Fine-tune", dataset="things")
    go_on(job, 0, steps)
    return job


def go_on(job: jobs.Job, first: int, last: int) -> None:
    for step in range(first, last + 1):
        when = 1_700_000_000.0 + step
        if step:
            files.append_line(job.folder / "history.jsonl", {"step": step, "loss": 1 / step, "learning_rate": 0.01, "time": when})
        if step % 2 == 0:
            files.append_line(job.folder / "history.jsonl", {"step": step, "val_loss": 2 - step / 10, "says": [TEXT], "time": when})


def events(place: str) -> list[Any]:
    """What TensorBoard would read; checksums are checked."""
    from tensorboardX.proto.event_pb2 import Event  # type: ignore[attr-defined]

    (path,) = Path(place).iterdir()
    data, found = path.read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        body = data[12 : 12 + size]
        assert data[: 16 + size] == framed(body)
        found.append(Event.FromString(body))
        data = data[16 + size :]
    return found


def scalars(place: str) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(place):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found.setdefault(value.tag, []).append((event.step, round(value.simple_value, 4)))
    return found


def stored(place: str) -> list[dict[str, Any]]:
    """The records of an offline run: a log in blocks of 32 KiB, each part with checksum, length and kind (whole, first, middle, last)."""
    from google.protobuf.json_format import MessageToDict
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    (path,) = Path(place).glob("*.wandb")
    data, at, found, whole = path.read_bytes(), 7, [], b""
    assert data.startswith(b":W&B")
    while at + 7 <= len(data):
        if at % 32768 > 32768 - 7:
            at += 32768 - at % 32768
        size, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            found.append(MessageToDict(Record.FromString(whole), preserving_proto_field_name=True))
            whole = b""
    return found


def lines(place: str) -> list[dict[str, str]]:
    return [
        {item.get("key") or ".".join(item["nested_key"]): item["value_json"] for item in one["history"]["item"]}
        for one in stored(place)
        if "history" in one
    ]


def test_a_run_becomes_event_files_with_its_numbers_and_times(home):
    made = reporting.sync(recorded(), "tensorboard")
    told = scalars(made.place)
    assert told["loss"] == [(1, 1.0), (2, 0.5), (3, 0.3333), (4, 0.25)]
    assert told["val_loss"] == [(0, 2.0), (2, 1.8), (4, 1.6)]
    assert events(made.place)[0].file_version == "brain.Event:2"
    assert [event.wall_time for event in events(made.place) if event.step == 3] == [1_700_000_003.0] * 2
    assert (made.last, made.new, made.online) == (4, 5, False)
    assert made.command == f"tensorboard --logdir {made.place}"


def test_telling_it_again_adds_nothing_and_what_came_since_is_added(home):
    job = recorded()
    first = reporting.sync(job, "tensorboard")
    (path,) = Path(first.place).iterdir()
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    again = reporting.sync(job, "tensorboard")
    assert (again.new, again.place) == (0, first.place)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    go_on(job, 5, 6)
    later = reporting.sync(job, "tensorboard")
    assert (later.new, later.last) == (2, 6)
    assert [step for step, _ in scalars(later.place)["loss"]] == [1, 2, 3, 4, 5, 6]


def test_without_a_key_a_run_is_one_folder_for_later_however_often_it_is_told(home):
    job = recorded()
    first = reporting.sync(job, "wandb", environment=ENVIRONMENT)
    assert first.command == f"wandb sync {first.place}"
    assert "send it later" in first.says
    assert reporting.sync(job, "wandb", environment=ENVIRONMENT).new == 0
    go_on(job, 5, 6)
    second = reporting.sync(job, "wandb", environment=ENVIRONMENT)
    assert second.new == 2
    assert [path.name for path in (job.folder / "wandb").iterdir()] == [Path(second.place).name]
    (run,) = {one["run"]["run_id"] for one in stored(second.place) if "run" in one}
    assert run == job.id
    told = lines(second.place)
    assert [line["_step"] for line in told] == list("0123456")
    assert (told[2]["loss"], told[2]["val_loss"]) == ("0.5", "1.8")
    assert float(told[2]["_timestamp"]) == 1_700_000_002.0


def test_no_key_no_text_no_machine_and_no_environment_is_told(home, monkeypatch):
    import platform

    monkeypatch.setenv("A_SECRET_OF_MINE", CANARY)
    monkeypatch.setenv("WANDB_NOTES", CANARY)
    job = recorded()
    for kind in reporting.KINDS:
        reporting.sync(job, kind, environment={**os.environ, **ENVIRONMENT})
    kept = [path for name in ("wandb", "tensorboard") for path in (job.folder / name).rglob("*") if path.is_file()]
    assert len(kept) == 2
    for path in kept:
        data = path.read_bytes()
        for secret in (CANARY, TEXT, platform.node(), os.getcwd(), os.environ.get("USER") or "nobody-at-all", "kettle"):
            assert secret.encode() not in data, (path.name, secret)
        assert platform.node() not in path.name


def test_a_key_reaches_no_file(home, monkeypatch):
    """The address cannot be reached: what the attempt leaves behind is searched."""
    monkeypatch.setattr(sending.Run, "__init__", quick(sending.Run.__init__))
    job = recorded()
    with pytest.raises(ProviderError, match="did not take the run") as caught:
        reporting.sync(job, "wandb", environment={"WANDB_API_KEY": CANARY, "WANDB_BASE_URL": "http://127.0.0.1:9"})
    assert not [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert CANARY not in str(caught.value)
    assert reporting.sent(job.folder, "wandb") is None
    assert "WANDB_API_KEY" not in os.environ


def quick(real):
    def made(self, *given):
        import wandb

        with pytest.MonkeyPatch.context() as patch:
            whole = wandb.Settings
            patch.setattr(wandb, "Settings", lambda **how: whole(**{**how, "init_timeout": 1}))
            return real(self, *given)

    return made


def test_a_hosted_run_is_told_with_the_same_records(home):
    wish = {"model": "gpt-4.1-nano", "method": "supervised", "hyperparameters": {"n_epochs": 3}, "train": TEXT}
    job = recorded(2, "hosted", wish=wish, settings={}, base_url="http://127.0.0.1:1/v1")
    made = reporting.sync(job, "tensorboard")
    assert scalars(made.place)["val_loss"] == [(0, 2.0), (2, 1.8)]
    assert telling.about(job.folder).settings == {"n_epochs": 3}
    assert telling.about(job.folder).ids == {"dataset": "things", "version": "v1", "model": "gpt-4.1-nano", "method": "supervised"}


def test_a_live_reporter_goes_on_after_an_interruption_as_if_there_had_been_none(home):
    job = recorded(2, settings={"report_to": "tensorboard"})
    for steps in ((3, 4), (3, 6)):  # cut off after step 4 with a checkpoint at step 2
        with reporting.live("tensorboard", Desk(job.folder)) as report:
            for step in range(steps[0], steps[1] + 1):
                record = {"step": step, "loss": 1 / step, "time": 1_700_000_000.0 + step}
                files.append_line(job.folder / "history.jsonl", record)
                report.record(record)
    place = str(job.folder / "tensorboard")
    assert dict(scalars(place)["loss"]) == {1: 1.0, 2: 0.5, 3: 0.3333, 4: 0.25, 5: 0.2, 6: 0.1667}
    assert reporting.sync(job, "tensorboard").new == 0


def test_a_failing_reporter_says_so_once_and_the_training_goes_on(home, monkeypatch, capsys):
    def fail(self, record):
        raise ConnectionError("the line is cut")

    monkeypatch.setattr(sending.EventFile, "record", fail)
    job = recorded(0)
    (job.folder / "history.jsonl").unlink()
    with reporting.live("tensorboard", Desk(job.folder)) as report:
        assert "tensorboard" in report.figures["report"]
        for step in (1, 2, 3):
            report.record({"step": step, "loss": 0.5})
        assert report.figures == {"report": "TensorBoard is not told any more: the line is cut. The training goes on."}
    assert capsys.readouterr().err.count("is not told any more") == 1
    assert reporting.sent(job.folder, "tensorboard") is None


def test_a_stop_passes_through_a_reporter(home, monkeypatch):
    def stop(self, record):
        raise Stopped

    monkeypatch.setattr(sending.EventFile, "record", stop)
    job = recorded(0)
    (job.folder / "history.jsonl").unlink()
    with pytest.raises(Stopped), reporting.live("tensorboard", Desk(job.folder)) as report:
        report.record({"step": 1, "loss": 0.5})


def test_a_missing_package_is_said_before_anything_starts(home, monkeypatch):
    monkeypatch.setattr(sending, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="pip install wandb"):
        reporting.check("wandb")
    with pytest.raises(MissingError, match="tensorboardX"), reporting.live("tensorboard", Desk(home)):
        pass
    with pytest.raises(SettingsError, match="'mlflow'"):
        reporting.check("mlflow")


def test_a_run_without_steps_or_one_that_is_told_live_is_not_told_by_hand(home):
    empty = recorded(0)
    (empty.folder / "history.jsonl").unlink()
    with pytest.raises(DataError, match="no step yet"):
        reporting.sync(empty, "tensorboard")
    job = recorded(1)
    with reporting.live("tensorboard", Desk(job.folder)), pytest.raises(SettingsError, match="while it trains"):
        reporting.sync(job, "tensorboard")


def test_wandb_leaves_no_process_behind_even_when_its_run_is_killed(child_jobs):
    import signal
    import subprocess
    import sys

    job = recorded(2)
    code = ("import sys, time; from pathlib import Path; from core.io import reporting\n"
            "made = reporting.reporter('wandb', Path(sys.argv[1]), environment={}); print(made._run.id, flush=True); time.sleep(60)")  # fmt: skip
    child = subprocess.Popen([sys.executable, "-c", code, str(job.folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline().strip() == job.id
    served = offspring(child.pid)
    child.send_signal(signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 20
    while any(map(lives, served)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert served
    assert not any(map(lives, served))


def offspring(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_command_and_the_job_tell_a_run_and_say_where(home, tmp_path, capsys):
    import json

    from core.__main__ import main

    job = recorded()
    assert main(["finetune", "report", job.id, "--to", "tensorboard", "--out", str(tmp_path / "copy"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["report"]
    assert (told["last"], told["new"], told["place"]) == (4, 5, str(tmp_path / "copy"))
    assert scalars(told["place"])["loss"][-1] == (4, 0.25)
    assert main(["finetune", "report", job.id, "--to", "tensorboard", "--out", str(tmp_path / "copy")]) == 1
    assert "there already" in capsys.readouterr().err
    go_on(job, 5, 5)
    by_job = jobs.start("report", {"job": job.id, "to": "tensorboard"}, title="Tell TensorBoard", dataset="things")
    assert by_job.result
    assert (by_job.result["last"], by_job.result["new"]) == (5, 1)


def test_the_popover_writes_files_and_offers_them(home):
    from streamlit.testing.v1 import AppTest

    job = recorded()

    def page(id: str) -> None:
        from core.io import jobs
        from ui import finetune_report

        finetune_report.actions(jobs.read(id))

    at = AppTest.from_function(page, args=(job.id,), default_timeout=60).run()
    assert at.button(key="finetune_report_wandb").label == "Write a W&B folder"
    at.text_input(key="key_WANDB_API_KEY").set_value(CANARY).run()
    assert at.button(key="finetune_report_wandb").label == "Sync to W&B"
    at.button(key="finetune_report_tensorboard").click().run()
    assert not at.exception
    assert [getattr(one, "label", "") for one in at.get("download_button")] == ["TensorBoard files as zip"]
    assert not [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
