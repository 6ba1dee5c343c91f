"""An adapter on its way out: alone as a zip, merged into full weights, or as a GGUF file.

Nothing that leaves names a folder of this machine.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.io import files
from core.io.embedded.adapters import WEIGHTS
from core.io.embedded.weights import facts
from core.io.lora import card, gguf_file, merging, runs
from core.io.lora.unpacking import CONFIG

if TYPE_CHECKING:
    from core.io.work import Desk

WHAT = {"merged": "Merged model (safetensors)", "gguf": "One file for llama.cpp (GGUF)"}
_HERE = ("base_folder", "estimate")
"""What an adapter's notes know of this machine only."""


def adapter_files(made: runs.Adapter) -> dict[str, bytes]:
    """Name -> content of an adapter as it leaves, all but its weights."""
    told = {name: value for name, value in asdict(made).items() if name not in _HERE}
    return {CONFIG: card.clean_config(made).encode(), runs.ABOUT: json.dumps(told, ensure_ascii=False, indent=1, default=str).encode(),
            card.README: card.write(made).read_bytes()}  # fmt: skip


def adapter_zip(made: runs.Adapter) -> bytes:
    """Weights, settings, notes and a new card as one zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in adapter_files(made).items():
            archive.writestr(name, data)
        archive.write(made.folder / WEIGHTS, WEIGHTS)
    return buffer.getvalue()


def expected(made: runs.Adapter, what: str, kind: str = "f16", zip: bool = False) -> tuple[int, int]:
    """(bytes on disk, bytes of memory) an export takes. Raises MissingError without the base model."""
    disk, memory = merging.needs(made)
    if what == "gguf":
        one = int(facts(merging.base_of(made)).parameters * gguf_file.BITS[kind] / 8)
        return disk + one, memory
    return disk * (2 if zip else 1), memory


def place(made: runs.Adapter) -> Path:
    """Where the workspace keeps what was exported of an adapter."""
    return files.folder("exports") / f"model-{made.id}"


def run_export_model(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "export_model": {adapter, what: merged | gguf, type?, zip?} -> {what, path, files, bytes}.

    A merged model is a folder, or with `zip` a zip file; a GGUF is one file, of the number format `type`.
    """
    made, what = runs.adapter(request["adapter"]), request["what"]
    if what not in WHAT:
        raise SettingsError(f"There is no export '{what}'; there are {', '.join(WHAT)}.", title="Unknown export")
    if what == "gguf" and (why := gguf_file.refusal(merging.base_of(made))):
        raise SettingsError(why, title="No GGUF of this model")
    root = place(made)
    with desk.turn("training"):
        folder = merging.merge(made, root / "merged", desk.say)
        path = folder
        if what == "gguf":
            kind = request.get("type") or "f16"
            path = gguf_file.write_gguf(folder, root / f"{files.slug(made.title)}-{kind}.gguf", kind, made.title, desk.say)
            shutil.rmtree(folder)
        elif request.get("zip"):
            path = _zipped(folder, root / "merged.zip", desk)
            shutil.rmtree(folder)
    held = [path] if path.is_file() else sorted(one for one in path.iterdir() if one.is_file())
    desk.say(1, 1, "Written")
    return {"what": what, "path": str(path), "files": [one.name for one in held], "bytes": sum(one.stat().st_size for one in held)}


def _zipped(folder: Path, target: Path, desk: Desk) -> Path:
    """A folder as one zip, not pressed (weights do not get smaller), whole or not at all."""
    building = target.with_name(f".{target.name}.tmp")
    there = sorted(path for path in folder.iterdir() if path.is_file())
    with files.disk_errors(target):
        try:
            with zipfile.ZipFile(building, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for number, path in enumerate(there):
                    desk.say(number, len(there), f"Packing {path.name}")
                    archive.write(path, path.name)
            building.replace(target)
            files.sync_folder(target.parent)
        finally:
            building.unlink(missing_ok=True)
    return target
