"""One training over several processes: a CUDA device each, or (to try it) a part of the processor's cores each.

How many is a matter of configuration: FINETUNE_STUDIO_PROCESSES, else `num_processes` of accelerate's own configuration file
(`accelerate config`), else one. CUDA processes are launched by `accelerate launch`, which also reads the rest of that file;
those on the processor by torch's own launcher, because accelerate's would need MPI. All processes do the same steps with their
share of each batch; the first one tells and keeps. A folder beside the checkpoints carries the run there and what it tells
back, as JSON; `core.io.lora.launched` is one of the processes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError, SettingsError
from core.finetune.rows import TrainingRow
from core.finetune.settings import TrainSettings
from core.io import device, files

if TYPE_CHECKING:
    from core.io.lora.standing import Run, Told, Trained

WANTED = "FINETUNE_STUDIO_PROCESSES"
LOOK = 0.1
"""Seconds between two looks at what the processes told."""


def processes() -> int:
    """How many processes a training takes. Raises SettingsError when the number is none or there are fewer CUDA devices."""
    named = os.environ.get(WANTED, "")
    if named and (not named.isdigit() or int(named) < 1):
        raise SettingsError(f"{WANTED} is '{named[:20]}'; it must be a whole number from 1 on.", title="How many processes?")
    wanted = int(named) if named else _configured()
    if wanted > 1 and device.cuda():
        import torch

        if wanted > torch.cuda.device_count():
            raise SettingsError(f"{wanted} processes are wanted, and there are {torch.cuda.device_count()} CUDA devices. Each process "
                                "needs its own.", title="Too many processes")  # fmt: skip
    return wanted


def _configured() -> int:
    """`num_processes` of accelerate's configuration, where there is one and a CUDA device to use it."""
    if not device.cuda():
        return 1
    from accelerate.commands.config.config_args import default_config_file, load_config_from_file

    return int(getattr(load_config_from_file(None), "num_processes", 1)) if Path(default_config_file).is_file() else 1


def launched() -> bool:
    """Whether this process is one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def leads() -> bool:
    """Whether this is the process that tells and keeps."""
    return os.environ.get("RANK", "0") == "0"


def share(settings: TrainSettings) -> TrainSettings:
    """One process's part of the settings: fewer rows at a time, or fewer batches per update. Raises SettingsError when neither divides."""
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if settings.batch % n == 0:
        return replace(settings, batch=settings.batch // n)
    if settings.accumulate % n == 0:
        return replace(settings, accumulate=settings.accumulate // n)
    raise SettingsError(f"{settings.batch} rows per step and {settings.accumulate} batches per update cannot be shared by {n} processes. "
                        f"Choose a multiple of {n} for one of them.", title="The batch cannot be shared")  # fmt: skip


def wait_for_all() -> None:
    """Until every process is here; nothing where there is one."""
    if launched():
        import torch

        torch.distributed.barrier()


def agreed(value: float | None) -> float | None:
    """The first process's number, so that all decide alike."""
    if value is None or not launched():
        return value
    import torch

    told = torch.tensor(value, dtype=torch.float64, device=device.place())
    torch.distributed.broadcast(told, 0)
    return float(told)


def train_together(run: Run, tell: Callable[[Told], None]) -> Trained:
    """Train in several processes and pass on what the first one tells; what `tell` raises ends them all.

    Raises what a process raised: StudioErrors with their words, MemoryError when one ran out of memory.
    """
    from core.io.lora.standing import Told, Trained

    place = run.folder / "several"
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    files.write_json(place / "run.json", packed(run))
    n = processes()
    with open(place / "log.txt", "wb") as log:
        child = subprocess.Popen(command(place, n), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(n))
    told = 0
    try:
        while True:
            over = child.poll() is not None
            lines = files.read_lines(place / "told.jsonl")
            for line in lines[told:]:
                tell(Told(**line))
            told = len(lines)
            if over:
                break
            time.sleep(LOOK)
    finally:
        _end(child)
    if (place / "trained.json").is_file():
        made = files.read_json(place / "trained.json")
        return Trained(**{**made, **{key: tuple(made[key]) for key in ("notes", "checkpoints")}, "checkpoint": Path(made["checkpoint"])})
    raise _failed(place, child.returncode)


def command(place: Path, n: int) -> list[str]:
    """How the processes are started."""
    what = ["-m", "core.io.lora.launched", str(place)]
    if not device.cuda():
        return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={n}", *what]
    asked = ["--num_processes", str(n), "--multi_gpu", "--mixed_precision", "no"] if os.environ.get(WANTED) else []
    return [sys.executable, "-m", "accelerate.commands.launch", *asked, *what]


def _environment(n: int) -> dict[str, str]:
    threads = str(max(1, device.cores() // n))
    return {**os.environ, "FINETUNE_STUDIO_THREADS": threads, "OMP_NUM_THREADS": threads}


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _failed(place: Path, code: int | None) -> BaseException:
    """What the process that failed first said."""
    for path in sorted(place.glob("error-*.json")):
        told = files.read_json(path)
        return MemoryError(told["message"]) if told["memory"] else ModelError(told["message"], title=told["title"])
    said = re.findall(r"^[\w.]*(?:Error|Exception)\b.*$", (place / "log.txt").read_text(errors="replace"), re.MULTILINE)
    told = said[0][:300] if said else "they said nothing"
    return ModelError(f"The processes of this training ended with code {code}: {told}. Resume goes on from the last checkpoint.",
                      title="A process of the training ended")  # fmt: skip


def packed(run: Run) -> dict[str, Any]:
    """A run as JSON values."""

    def rows(several: Sequence[TrainingRow]) -> list[list[Any]]:
        return [[list(one.prompt), list(one.answer), one.row, one.cut] for one in several]

    return {"base": str(run.base), "rows": rows(run.rows), "validation": rows(run.validation), "settings": run.settings.to_dict(),
            "steps": run.steps, "folder": str(run.folder), "shown": [list(ids) for ids in run.shown], "answer_tokens": run.answer_tokens,
            "continue_from": str(run.continue_from) if run.continue_from else None}  # fmt: skip


def unpacked(data: dict[str, Any]) -> Run:
    from core.io.lora.standing import Run

    rows = {part: tuple(TrainingRow(tuple(p), tuple(a), row, cut) for p, a, row, cut in data[part]) for part in ("rows", "validation")}
    return Run(Path(data["base"]), rows["rows"], rows["validation"], TrainSettings.from_dict(data["settings"]), data["steps"],
               Path(data["folder"]), data["shown"], data["answer_tokens"],
               Path(data["continue_from"]) if data["continue_from"] else None)  # fmt: skip
