"""An adapter that was trained elsewhere: looked at under limits, checked against its base model, then kept as one of the workspace.

Nothing of it is believed. Files: a zip is counted while it is unpacked, only four names are read, links and pickles are refused.
Settings: only LoRA's numbers are taken over, and never a pattern or a name of code. Weights: every one has its place and shape in
the base model and a finite value. The base model is one that is here; none is ever fetched.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from core.errors import DataError, MissingError, StudioError
from core.io import files
from core.io.embedded.adapters import WEIGHTS
from core.io.embedded.weights import facts
from core.io.lora import bases, card, runs
from core.io.lora.inspecting import check_finite, check_settings, check_shapes, header, strict_json
from core.io.lora.unpacking import CONFIG, unpacked
from core.prompt import Prompt
from core.version import Version


def take(
    source: Path | IO[bytes],
    version: Version,
    *,
    name: str = "",
    base: Path | None = None,
    prompt: Prompt | None = None,
) -> runs.Adapter:
    """The adapter in a folder or zip as one of the workspace, for this version's dataset; whole or not at all.

    `base` is the base model's folder (default: the one here that its settings name). `prompt` is how it is asked (default: its own
    where it brought one, else the version's). Raises DataError, ModelError and MissingError in words.
    """
    root = files.folder("adapters")
    building = root / f".upload.{secrets.token_hex(4)}"
    with files.disk_errors(building):
        try:
            building.mkdir()
            label = unpacked(source, building, name)
            made = _checked(building, label, version, base, prompt)
            card.write_into(building, made)
            files.write_json(building / runs.ABOUT, asdict(made))
            os.replace(building, made.folder)
            files.sync_folder(root)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return made


def _checked(folder: Path, label: str, version: Version, base: Path | None, prompt: Prompt | None) -> runs.Adapter:
    """The adapter's notes after every check; its settings are rewritten with what was accepted of them."""
    from core.io.lora import prompt_of

    settings = strict_json(folder / CONFIG)
    kept = check_settings(settings, label)
    brought = _brought(folder)
    tensors = header(folder / WEIGHTS, label)
    chosen = base or base_of(str(settings.get("base_model_name_or_path") or ""), str(brought.get("revision") or ""), label)
    kept["target_modules"] = check_shapes(tensors, kept, chosen, label)
    check_finite(folder / WEIGHTS, label)
    files.write_json(folder / CONFIG, {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": chosen.name, **kept})
    own = _prompt(brought.get("prompt"))
    asked = prompt or own or prompt_of(version)
    moment = datetime.now(UTC)
    where = bases.identity(chosen)
    return runs.Adapter(
        id=f"upload-{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        title=f"{label} (uploaded)",
        dataset=version.dataset,
        version=version.id,
        task=version.task or "",
        step=0,
        steps=0,
        settings={"rank": kept["r"], "alpha": kept["lora_alpha"]},
        prompt=asked.to_dict(),
        base=chosen.name,
        revision=facts(chosen).revision,
        created=moment.isoformat(),
        origin="uploaded",
        base_folder=where["base_folder"],
        hub=where["hub"],
    )


def base_of(name: str, revision: str, label: str) -> Path:
    """The base model here that an adapter's settings name. Raises MissingError naming those that are here."""
    here = card.bases_here()
    same = [path for path in here if revision and facts(path).revision == revision]
    wanted = name.replace("\\", "/").rstrip("/").casefold()
    named = [path for path in here if wanted and wanted in (card.hub_id(path).casefold(), str(path).casefold())]
    alike = [path for path in here if wanted and wanted.rsplit("/", 1)[-1] in (path.name.casefold(), facts(path).title.casefold())]
    found = same or named or alike
    if found:
        return found[0]
    shown = f"'{name[:100]}'" if name else "none"
    names = ", ".join(path.name for path in here) or "none"
    raise MissingError(
        f"{label} names {shown} as its base model, and that is not on this machine. Here there is {names}. "
        "Choose one of these if it is the same model under another name; otherwise fetch it first (New run, Model).",
        title="Its base model is not here",
    )


def _brought(folder: Path) -> dict[str, Any]:
    """What a studio wrote beside the weights; an unreadable one counts as none."""
    path = folder / runs.ABOUT
    try:
        found = strict_json(path) if path.is_file() else {}
    except DataError:
        found = {}
    path.unlink(missing_ok=True)
    return found


def _prompt(told: Any) -> Prompt | None:
    try:
        return Prompt.from_dict(told) if isinstance(told, dict) and told else None
    except (StudioError, TypeError, AttributeError):
        return None
