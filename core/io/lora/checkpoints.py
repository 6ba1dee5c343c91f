"""Checkpoints of a run: adapter, optimizer and place, as safetensors and JSON, their manifest written last.

A folder `step-000050` is there whole or not at all; its manifest holds the sha256 of every file. The order of the rows is
known in advance and the noise of a step follows from its number, so nothing else is needed to go on exactly.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.io.embedded.adapters import WEIGHTS, intact
from core.io.files import disk_errors, read_json, sync_folder, write_json

MANIFEST = "manifest.json"
MOMENTS = "optimizer.safetensors"


def trainable(model: Any) -> dict[str, Any]:
    """Name -> parameter of everything that is learnt, in order."""
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def save(root: Path, step: int, model: Any, optimizer: Any, facts: dict[str, Any], keep: set[int], slim: bool = False) -> Path:
    """Write the checkpoint of `step` and forget all others but `keep` and the one before; raises StudioError when the disk is full.

    `facts` are JSON values that come back on loading. `slim`: of all but the newest two in
    `keep` the adapter alone stays.
    """
    building = root / f".{secrets.token_hex(4)}.tmp"
    final = root / f"step-{step:06d}"
    with disk_errors(final):
        try:
            _write(building, step, model, optimizer, facts)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(building, final)
            sync_folder(root)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    for other in steps(root)[: -1 if slim else -2]:
        if other not in keep:
            _forget(root / f"step-{other:06d}")
    for other in steps(root)[:-2] if slim else ():
        _slim(root / f"step-{other:06d}")
    return final


def _write(building: Path, step: int, model: Any, optimizer: Any, facts: dict[str, Any]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    building.mkdir(parents=True)
    moments = {}
    for name, one in trainable(model).items():
        state = optimizer.state.get(one, {})
        moments |= {f"{name}|{key}": state[key].contiguous() for key in ("exp_avg", "exp_avg_sq") if key in state}
    try:
        model.save_pretrained(str(building), save_embedding_layers=False)
        save_file(moments, str(building / MOMENTS))
    except SafetensorError as error:
        if "os error 28" in str(error) or "os error 122" in str(error):  # it has no OSError for a full disk
            raise OSError(errno.ENOSPC, str(error)) from error
        raise
    (building / "README.md").unlink(missing_ok=True)
    hashes = {path.name: _sha256(path) for path in sorted(building.iterdir())}
    write_json(building / MANIFEST, {"step": step, "files": hashes, **facts})


def _forget(path: Path) -> None:
    """The manifest goes first: what is left of a folder when this is cut off is no checkpoint."""
    (path / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def _slim(path: Path) -> None:
    """Keep the adapter of a checkpoint that newer ones have followed; the optimizer's moments are twice its size."""
    told = read_json(path / MANIFEST)
    if told["files"].pop(MOMENTS, None):
        write_json(path / MANIFEST, told)
        (path / MOMENTS).unlink(missing_ok=True)


def steps(root: Path) -> list[int]:
    """The steps of all complete checkpoints, in order. Half-written ones do not count."""
    found = [path for path in root.glob("step-*") if (path / MANIFEST).is_file()] if root.is_dir() else []
    return sorted(int(path.name.removeprefix("step-")) for path in found)


def last(root: Path) -> Path | None:
    """The newest checkpoint a run can go on from: its files are what its manifest says, the optimizer's among them. Or None."""
    return next((path for step in reversed(steps(root)) if _usable(path := root / f"step-{step:06d}")), None)


def clear(root: Path) -> list[int]:
    """Remove what no run can use: damaged checkpoints, whose steps are returned, and what a killed one left half written."""
    if not root.is_dir():
        return []
    useless = sorted(path for path in root.glob("step-*") if not _usable(path, moments=False))
    damaged = [int(path.name.removeprefix("step-")) for path in useless if (path / MANIFEST).is_file()]
    for path in [*useless, *root.glob(".*.tmp")]:
        _forget(path)
    return damaged


def _usable(path: Path, *, moments: bool = True) -> bool:
    """Whether its files are what its manifest says; with `moments`, the optimizer's among them."""
    try:
        told = read_json(path / MANIFEST)["files"]
        return (MOMENTS in told or not moments) and all(_sha256(path / name) == wanted for name, wanted in told.items())
    except (OSError, ValueError, KeyError):
        return False


def restore(path: Path, model: Any, optimizer: Any) -> dict[str, Any]:
    """Put a checkpoint back into a model and its optimizer; returns the manifest."""
    import torch
    from safetensors.torch import load_file

    facts = read_json(path / MANIFEST)
    load_adapter_weights(path, model)
    moments = load_file(str(path / MOMENTS))
    for name, one in trainable(model).items():
        if f"{name}|exp_avg" in moments:
            optimizer.state[one] = {"step": torch.tensor(float(facts["step"])),
                                    **{key: moments[f"{name}|{key}"].to(one.device) for key in ("exp_avg", "exp_avg_sq")}}  # fmt: skip
    return facts


def load_adapter_weights(path: Path, model: Any) -> None:
    """The adapter's weights into the model's own adapter of the same shape. Raises ModelError when it has another."""
    from peft import set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    intact(path)
    try:
        report = set_peft_model_state_dict(model, load_file(str(path / WEIGHTS)))
    except SafetensorError as error:
        raise ModelError(f"{path / WEIGHTS} is damaged: {str(error)[:200]}. Choose another adapter or checkpoint.",
                         title="A damaged adapter") from error  # fmt: skip
    except RuntimeError as error:
        raise ModelError(f"The adapter {path.name} has another rank or other layers than these settings: {str(error)[:200]}. Take over its "
                         "rank and layers to go on from it.", title="The adapter does not fit") from error  # fmt: skip
    if report.unexpected_keys:
        raise ModelError(f"The adapter {path.name} has layers these settings do not. Take over its layers to go on from it.",
                         title="The adapter does not fit")  # fmt: skip


def _sha256(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
