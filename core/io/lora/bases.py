"""Base models by name: the embedded one, a folder of this machine, or a repository of the Hugging Face Hub.

A repository is fetched once into <workspace>/models/hub--owner--name--commit: weights in safetensors, tokenizer and configuration
alone, at one commit, which adapters remember. No code that comes with a model is run, and its configuration loses what names any.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, ModelError
from core.format import size
from core.io import files
from core.io.embedded.weights import CAME, NAME, TITLE, Facts, clean_config, ensure_converted, facts, has_template, is_ready, model_dir
from core.load.repository import repository_id

if TYPE_CHECKING:
    from core.io.work import Desk

Progress = Callable[[int, int, str], None]
SMALL = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
         "chat_template.jinja", "vocab.json", "merges.txt", "model.safetensors.index.json")  # fmt: skip
"""What is fetched besides weights, where there is any of it."""
PLAIN = 'This model brings no way of showing chats, so each turn is shown as a line: "User: ..." and "Assistant: ...".'
NAMES_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
CHUNK = 8 << 20
"""Bytes between two reports of a download."""


@dataclass(frozen=True)
class Base:
    """A base model that is on this machine, or the embedded one that has still to be unpacked."""

    id: str
    """What a request takes as `base`: "" for the embedded one, a folder, or "owner/name@commit"."""
    folder: Path
    facts: Facts | None
    """None while the embedded model is not unpacked."""
    chat: bool = True
    """Whether it brings a chat template; PLAIN says what is done where it does not."""

    @property
    def title(self) -> str:
        return self.facts.title if self.facts else TITLE


def known() -> list[Base]:
    """The embedded model first, then those fetched from the Hub, then the folders adapters were trained from."""
    from core.io.lora import runs

    own = model_dir()
    found = [Base("", own, facts(own) if is_ready(own) else None, not is_ready(own) or has_template(own))]
    fetched = [path for path in sorted((files.home() / "models").glob("hub--*")) if (path / CAME).is_file()]
    named = sorted({Path(one.base_folder) for one in runs.adapters() if one.base_folder})
    folders = [path for path in named if path not in (own, *fetched) and is_ready(path)]
    return [*found, *(_base(path) for path in (*fetched, *folders))]


def of(folder: Path) -> Base:
    """What is known about a base's folder. Raises ModelError when there is no model."""
    return Base("", folder, facts(folder), has_template(folder)) if folder == model_dir() else _base(folder)


def _base(folder: Path) -> Base:
    came = files.read_json(folder / CAME) if (folder / CAME).is_file() else None
    return Base(f"{came['repository']}@{came['commit']}" if came else str(folder), folder, facts(folder), has_template(folder))


def resolve(base: str | None, tell: Progress | None = None, token: str | None = None) -> Path:
    """The folder behind a `base`, unpacked or fetched when needed; `tell` may raise to stop.

    A copy of a repository that is here already is taken without asking the Hub. Raises StudioError: nothing there, no way to the
    Hub, gated, no safetensors, code of its own, no space.
    """
    name = (base or "").strip()
    if name in ("", "embedded", NAME) or name == str(model_dir()):
        return ensure_converted(tell)
    path = Path(name).expanduser()
    if path.is_dir():
        return _usable(path.resolve(), name)
    if path.is_absolute() or name.startswith(("~", ".")) or name.partition("@")[0].count("/") != 1:
        raise ModelError(f"There is no model at '{name[:120]}'. Give a folder that holds config.json, tokenizer.json and *.safetensors, "
                         "or a repository of the Hub, such as HuggingFaceTB/SmolLM2-360M-Instruct.", title="No such model")  # fmt: skip
    id, asked = repository_id(name)
    return here(id, asked) or _fetched(id, asked, tell or (lambda done, total, message: None), token)


def run_fetch(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job that fetches a base before a run is planned. Request: {base}. Returns {base, folder}."""
    from core.io.sources.hub import token_for

    def tell(done: int, total: int, message: str) -> None:
        desk.say(done, total, message)

    folder = resolve(request["base"], tell, token_for(None, desk.environment))
    return {"base": of(folder).id, "folder": str(folder)}


def here(id: str, asked: str | None = None) -> Path | None:
    """The newest copy of a repository at this revision (a branch, a tag, or the start of a commit) on this machine."""
    found = []
    for path in (files.home() / "models").glob("hub--*"):
        came = files.read_json(path / CAME) if (path / CAME).is_file() else {}
        if came.get("repository") == id and (came["asked"] == asked or (asked and len(asked) >= 7 and came["commit"].startswith(asked))):
            found.append((came["time"], path))
    return max(found)[1] if found else None


def of_adapter(folder: Path) -> Path | None:
    """The base an adapter's own notes name; None for one that does not say (the embedded model then).

    Raises ModelError when that base is no longer here, or is another one by now.
    """
    from core.io.lora import runs

    told = runs.about_of(folder)
    place = _remembered(told)
    if place is None:
        return None
    now = facts(place).revision
    if told.get("revision") and now != told["revision"]:
        raise ModelError(
            f"The adapter {folder.name} was trained on revision {told['revision']} of {told.get('hub') or place}, which is {now} now. "
            "Bring the earlier one back, or train again.",
            title="The base has changed",
        )
    return place


def _remembered(told: dict[str, Any]) -> Path | None:
    if told.get("hub"):
        id, commit = repository_id(told["hub"])
        place = here(id, commit)
        if place is None:
            raise ModelError(f"The base {told['hub']} is no longer in this workspace. A new run with it as its base fetches it again.",
                             title="The base is gone")  # fmt: skip
        return place
    named = told.get("base_folder") or (told.get("base") if "/" in str(told.get("base") or "") else "")
    if not named:
        return None
    place = Path(named)
    if not is_ready(place):
        raise ModelError(f"The base model in {place} is gone. Put it back, or train again.", title="The base is gone")
    return place


def identity(folder: Path) -> dict[str, str]:
    """What an adapter remembers of its base, besides its name and revision: {base_folder, hub}."""
    if (folder / CAME).is_file():
        return {"base_folder": "", "hub": _base(folder).id}
    return {"base_folder": "" if folder == files.home() / "models" / NAME else str(folder.resolve()), "hub": ""}


def _usable(path: Path, name: str) -> Path:
    """A model's folder after a look at its files. Raises ModelError."""
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        raise ModelError(f"{name[:120]} is an adapter, not a base model. Name the base and continue from the adapter.", title="An adapter")
    lacking = [one for one in ("config.json", "tokenizer.json") if not (path / one).is_file()]
    if lacking or not any(path.glob("*.safetensors")):
        what = [*lacking, *([] if any(path.glob("*.safetensors")) else ["weights in safetensors (pickled ones are not read)"])]
        raise ModelError(f"{name[:120]} lacks {' and '.join(what)}. Choose a model that has config.json, tokenizer.json and *.safetensors.",
                         title="Not a complete model")  # fmt: skip
    if files.read_json(path / "config.json").get("quantization_config"):
        raise ModelError(f"The weights of {name[:120]} are quantized already and cannot be trained on here. Choose the model they were "
                         "made of, and quantize it in the settings.", title="Already quantized")  # fmt: skip
    clean_config(path)
    return path


def _fetched(id: str, asked: str | None, tell: Progress, token: str | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.hf_api import RepoFile

    from core.io.sources import hub

    tell(0, 0, f"Asking the Hub for {id}")
    with hub.causes(id, token, asked, "model"):
        api = hub._api(token)
        commit = str(api.model_info(id, revision=asked, timeout=hub.WAIT).sha)
        listed = api.list_repo_tree(id, revision=commit, recursive=False)
        sizes = {one.path: one.size for one in listed if isinstance(one, RepoFile)}
    wanted = _wanted(id, sizes)
    total = sum(sizes[name] for name in wanted)
    place = files.folder("models") / f"hub--{id.replace('/', '--')}--{commit[:12]}"
    building = place.with_name(f".{place.name}")

    def say(done: int) -> None:
        tell(done >> 20, max(1, total >> 20), f"Fetching {id}: {size(done)} of {size(total)}")

    _room(id, total - sum(one.stat().st_size for one in building.rglob("*") if one.is_file()), place.parent)
    with files.lock(place.with_name(f".{place.name}.lock")), files.disk_errors(place):
        if (place / CAME).is_file():
            return place
        building.mkdir(exist_ok=True)
        done = 0
        for name in wanted:
            bar = _bar(lambda read, done=done: say(done + read))
            with hub.causes(id, token, asked, "model"):
                where = {"revision": commit, "local_dir": building, "endpoint": hub.endpoint()}
                hf_hub_download(id, name, **where, token=token or False, tqdm_class=bar)
            done += sizes[name]
            say(done)
        shutil.rmtree(building / ".cache", ignore_errors=True)
        _scrub(building)
        _usable(building, id)
        files.write_json(building / CAME, {"repository": id, "asked": asked, "commit": commit, "bytes": total, "time": time.time()})
        if place.exists():
            os.replace(place, place.with_name(f".{place.name}.{secrets.token_hex(4)}"))
        os.replace(building, place)
        files.sync_folder(place.parent)
    return place


def _wanted(id: str, sizes: dict[str, int]) -> list[str]:
    """Names of the files to fetch: one set of weights in safetensors, and what stands beside it."""
    small = [name for name in SMALL if name in sizes]
    if "config.json" not in sizes:
        what = "an adapter, not a base model" if "adapter_config.json" in sizes else "no model that can be read here: it has no config.json"
        raise DataError(f"{id} is {what}. Choose the repository of a base model.", title="Not a base model")
    weights = [name for name in sizes if name.startswith("model") and name.endswith(".safetensors")]
    if "model.safetensors" in weights:
        weights = ["model.safetensors"]
    if not weights or "tokenizer.json" not in sizes:
        lacking = "weights in safetensors (pickled ones are not read)" if not weights else "tokenizer.json"
        raise ModelError(f"{id} has no {lacking}. Choose a repository that has.", title="Not a complete model")
    return [*small, *sorted(weights)]


def _room(id: str, needed: int, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ModelError(f"{id} takes {size(needed)} more and {size(free)} are free where the workspace is. Free some space first.",
                         title="Not enough space")  # fmt: skip


def _scrub(folder: Path) -> None:
    """Take out of the configuration files what would name code."""
    for path in folder.glob("*.json"):
        held = files.read_json(path) if path.name in ("config.json", "tokenizer_config.json", "generation_config.json") else {}
        if isinstance(held, dict) and any(key in held for key in NAMES_CODE):
            files.write_json(path, {key: value for key, value in held.items() if key not in NAMES_CODE})


def _bar(read: Callable[[int], None]) -> Any:
    """A progress bar of the Hub's library that draws nothing and tells every CHUNK bytes instead."""
    from tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **how: Any) -> None:
            self.read = self.told = int(how.get("initial") or 0)
            super().__init__(*args, **{**how, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.read += int(n or 0)
            if self.read - self.told >= CHUNK:
                self.told = self.read
                read(self.read)

    return Bar
