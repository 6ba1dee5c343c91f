"""A run on Weights & Biases: online with a key, else as a folder that `wandb sync` sends later.

Only what is told goes there: no console output, no code, no git state, no machine, no packages, no system figures, no error
reports. The key comes from the environment and is handed over in memory.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import ProviderError
from core.io.reporting.telling import About, numbers

KEY = "WANDB_API_KEY"
PROJECT = "finetune-studio"
ADDRESS = "https://api.wandb.ai"


class Run:
    """A reporter of one run; `place` is its address, or the folder `wandb sync` takes. Replaces the folder of an earlier start.

    WANDB_API_KEY, WANDB_PROJECT, WANDB_ENTITY and WANDB_BASE_URL are taken from `environment`, nothing else of wandb's.
    Raises ProviderError when the address refuses or cannot be reached.
    """

    def __init__(self, folder: Path, about: About, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        key = given.get(KEY, "").strip()
        self.online, self._folder = bool(key), folder
        with _alone(given):
            import wandb

            settings = wandb.Settings(
                mode="online" if key else "offline", api_key=key or None, root_dir=str(folder), resume="allow" if key else None,
                console="off", silent=True, disable_code=True, save_code=False, disable_git=True, disable_job_creation=True,
                x_disable_meta=True, x_disable_machine_info=True, x_disable_stats=True, x_save_requirements=False, symlink=False,
                host="", program="", stop_fn=lambda: None, init_timeout=30, finish_timeout=120, finish_timeout_raises=True,
                base_url=given.get("WANDB_BASE_URL") or ADDRESS,
            )  # fmt: skip
            with _explained(key):
                self._run = wandb.init(
                    project=given.get("WANDB_PROJECT") or PROJECT, entity=given.get("WANDB_ENTITY") or None, id=about.id, name=about.title,
                    config=about.to_dict(), settings=settings,
                )  # fmt: skip
        self._kept = Path(self._run.dir).parent
        self.place = str(self._run.url) if key else str(self._kept)
        self.last = int(self._run.step) - 1 if key and self._run.resumed else -1

    def record(self, record: Mapping[str, Any]) -> None:
        """One record of the history; a step that was told before an interruption is not told again."""
        step, told = int(record["step"]), numbers(record)
        if step < self.last or not told:
            return
        stamp = {"_timestamp": float(record["time"])} if record.get("time") else {}
        self._run.log({**told, **stamp}, step=step)
        self.last = max(self.last, step)

    def scores(self, scores: Mapping[str, float], time: float = 0.0) -> None:
        """What the test rows said, in the run's summary."""
        self._run.summary.update({f"test/{name}": value for name, value in scores.items()})

    def close(self, failed: bool = False) -> None:
        """Send what waits. Raises ProviderError when it could not be sent within two minutes."""
        import wandb

        try:
            with _explained():
                self._run.finish(exit_code=1 if failed else 0)
        finally:
            wandb.teardown()
            for name in ("logs", "tmp"):
                shutil.rmtree(self._kept / name, ignore_errors=True)
        for other in self._kept.parent.glob("*run-*"):
            if other != self._kept and not other.is_symlink():
                shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _explained(key: str = "") -> Iterator[None]:
    import wandb

    try:
        yield
    except (wandb.Error, TimeoutError, OSError) as error:
        wandb.teardown()
        told = str(error).replace(key, "[key]") if key else str(error)
        raise ProviderError(f"Weights & Biases did not take the run: {told[:300] or type(error).__name__}. Check the key and the address, "
                            "or leave the key out to write a folder for later.", title="The run was not sent") from error  # fmt: skip


@contextmanager
def _alone(given: Mapping[str, str]) -> Iterator[None]:
    """wandb starts a process of its own, which inherits the environment: nothing of wandb's own is left in it meanwhile."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        for name in [name for name in before if name.startswith("WANDB_")]:
            del os.environ[name]
        os.environ.update({"WANDB_ERROR_REPORTING": "false", "WANDB_CACHE_DIR": place, "WANDB_DATA_DIR": place, "WANDB_CONFIG_DIR": place})
        try:
            yield
        finally:
            with suppress(KeyError):
                for name in ("WANDB_ERROR_REPORTING", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR"):
                    del os.environ[name]
            os.environ.update({name: value for name, value in before.items() if name.startswith("WANDB_")})
