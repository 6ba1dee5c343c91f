"""Checkpoints of a run: adapter, optimizer and place, as safetensors and JSON, their manifest written last.

A folder `step-000050` is there whole or not at all; its manifest holds the sha256 of every file. The order of the rows is
known in advance and the noise of a step follows from its number, so nothing else is needed to go on exactly.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.io.embedded.adapters import WEIGHTS
from core.io.files import read_json, sync_folder, write_json

MANIFEST = "manifest.json"
MOMENTS = "optimizer.safetensors"


def trainable(model: Any) -> dict[str, Any]:
    """Name -> parameter of everything that is learnt, in order."""
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def save(root: Path, step: int, model: Any, optimizer: Any, facts: dict[str, Any], keep: set[int], slim: bool = False) -> Path:
    """Write the checkpoint of `step` and forget all others but `keep`. `facts` are JSON values that come back on loading.

    `slim`: of all but the newest two the adapter alone stays.
    """
    from safetensors.torch import save_file

    building = root / f".{secrets.token_hex(4)}.tmp"
    building.mkdir(parents=True)
    model.save_pretrained(str(building), save_embedding_layers=False)
    moments = {}
    for name, one in trainable(model).items():
        state = optimizer.state.get(one, {})
        moments |= {f"{name}|{key}": state[key].contiguous() for key in ("exp_avg", "exp_avg_sq") if key in state}
    save_file(moments, str(building / MOMENTS))
    (building / "README.md").unlink(missing_ok=True)
    hashes = {path.name: _sha256(path) for path in sorted(building.iterdir())}
    write_json(building / MANIFEST, {"step": step, "files": hashes, **facts})
    final = root / f"step-{step:06d}"
    shutil.rmtree(final, ignore_errors=True)
    os.replace(building, final)
    sync_folder(root)
    for other in steps(root):
        if other != step and other not in keep:
            shutil.rmtree(root / f"step-{other:06d}", ignore_errors=True)
    for other in steps(root)[:-2] if slim else ():
        _slim(root / f"step-{other:06d}")
    return final


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
    for step in reversed(steps(root)):
        path = root / f"step-{step:06d}"
        files = read_json(path / MANIFEST)["files"]
        if MOMENTS in files and all((path / name).is_file() and _sha256(path / name) == wanted for name, wanted in files.items()):
            return path
    return None


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
    from safetensors.torch import load_file

    try:
        report = set_peft_model_state_dict(model, load_file(str(path / WEIGHTS)))
    except RuntimeError as error:
        raise ModelError(f"The adapter {path.name} has another rank or other layers than these settings: {str(error)[:200]}. Take over its "
                         "rank and layers to go on from it.", title="The adapter does not fit") from error  # fmt: skip
    if report.unexpected_keys:
        raise ModelError(f"The adapter {path.name} has layers these settings do not. Take over its layers to go on from it.",
                         title="The adapter does not fit")  # fmt: skip


def _sha256(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
