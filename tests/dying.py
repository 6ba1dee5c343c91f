"""Trainings in processes that kill themselves (SIGKILL) at a named moment; the libraries are loaded once, in a server that forks.

`python -m tests.dying` reads one order per line, a JSON object, forks for it, and answers with the exit code. What kills stands here
and nowhere in the studio: an audit hook that sees every file operation below a folder, and a few functions wrapped in the child.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WRITES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink")


@dataclass(frozen=True)
class Moment:
    """Right before the n-th file operation below `what` ("checkpoints", "adapters"), after weights were half written ("torn"), or right
    before a step is told ("step"). "full" and "full weights" kill nobody: from then on nothing new can be written there."""

    what: str
    nth: int

    def __str__(self) -> str:
        return f"{self.what}-{self.nth}"


class Trainings:
    """The server, as a test uses it."""

    def __init__(self, model: Path) -> None:
        environment = {**os.environ, "FINETUNE_STUDIO_MODEL": str(model), "OMP_NUM_THREADS": "1", "FINETUNE_STUDIO_THREADS": "1"}
        self._server = subprocess.Popen([sys.executable, "-m", "tests.dying"], cwd=ROOT, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        assert self.ask(make=str(model)) == 0

    def run(self, home: Path, folder: Path, moment: Moment | None = None, count: str = "") -> int:
        """Run the job of that folder; its exit code, -9 when it was killed. With `count`, operations below that folder are counted."""
        return self.ask(home=str(home), folder=str(folder), moment=asdict(moment) if moment else None, count=count)

    def ask(self, **order: Any) -> int:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def close(self) -> None:
        if self._server.stdin:
            self._server.stdin.close()
        self._server.wait(20)


def _serve() -> None:
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        if "make" in order:
            _warm(Path(order["make"]))
            print(0, flush=True)
            continue
        worker = os.fork()
        if not worker:
            os.dup2(2, 1)
            _work(order)
        _, status = os.waitpid(worker, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _warm(model: Path) -> None:
    """The model, and a training of it: whatever a first one loads or works out is there in every child."""
    import tempfile

    import core.evaluate.running
    import core.evaluate.tested
    import core.io.embedded.engine
    import core.io.lora.job
    import core.io.prompting
    import core.io.testing  # noqa: F401
    from core.finetune.rows import TrainingRow
    from core.finetune.settings import TrainSettings
    from core.io.lora.standing import Run
    from core.io.lora.training import train
    from tests.tiny import tiny_model

    tiny_model(model)
    rows = [TrainingRow((20, 21, 22), (5, 2), i) for i in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        train(Run(model, rows, rows, TrainSettings(batch=2, rank=4, precision="fp32"), 2, Path(folder), [[20, 21]]), lambda told: None)
    gc.collect()
    gc.freeze()


def _work(order: dict[str, Any]) -> None:
    os.environ["FINETUNE_STUDIO_HOME"] = order["home"]
    from core.io import work

    if order["moment"]:
        _plant(Moment(**order["moment"]))
    seen = [0]
    if order["count"]:
        _each_write(order["count"], lambda event: seen.__setitem__(0, seen[0] + 1))
    work.main(Path(order["folder"]))
    if order["count"]:
        Path(order["folder"], "operations.txt").write_text(str(seen[0]))
    os._exit(0)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _plant(moment: Moment) -> None:
    left = [moment.nth]

    def due() -> bool:
        left[0] -= 1
        return left[0] == 0

    if moment.what in ("torn", "full weights"):
        _tear(due, _die if moment.what == "torn" else _full_weights)
    elif moment.what == "full":
        _each_write("checkpoints", lambda event: _full() if (due() or left[0] < 0) and event in ("open", "os.mkdir") else None)
    elif moment.what == "step":
        _at_steps(due)
    else:
        _each_write(moment.what, lambda event: _die() if due() else None)


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _full_weights() -> None:
    from safetensors import SafetensorError

    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def _each_write(below: str, happens: Any) -> None:
    """Call that before every operation that changes something in a folder of that name."""
    mark = f"/{below}/"

    def hook(event: str, given: tuple[Any, ...]) -> None:
        writes = event in WRITES or (event == "open" and isinstance(given[1], str) and set(given[1]) & set("wax+"))
        if writes and any(isinstance(one, (str, os.PathLike)) and mark in f"{os.fspath(one)}/" for one in given[:2]):
            happens(event)

    sys.addaudithook(hook)


def _tear(due: Any, then: Any) -> None:
    """Weights and moments are written by a library that tells no hook: half a file, then the end, or the library's own error."""
    import safetensors.torch

    real = safetensors.torch.save_file

    def save(tensors: Any, filename: Any, metadata: Any = None) -> None:
        real(tensors, filename, metadata)
        if due():
            os.truncate(filename, Path(filename).stat().st_size // 2)
            then()

    safetensors.torch.save_file = save
    for name, module in list(sys.modules.items()):
        if name.startswith("peft") and getattr(module, "safe_save_file", None) is real:
            vars(module)["safe_save_file"] = save


def _at_steps(due: Any) -> None:
    from core.io import files

    real = files.append_line

    def append(path: Path, record: dict[str, Any], **how: Any) -> None:
        if path.name == "history.jsonl" and "loss" in record and due():
            _die()
        real(path, record, **how)

    files.append_line = append


if __name__ == "__main__":
    _serve()
