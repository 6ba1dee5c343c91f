"""Tokenizers that are files: a folder with tokenizer.json, a model of the Hugging Face Hub, and OpenAI's older encodings.

Nothing of a folder is run: tokenizer.json alone is read, by the tokenizers package. The Hub is asked only for an id that
is not in its cache yet. The ranks of p50k, r50k and gpt2 do not come with a package; they are offered where tiktoken's
own cache (TIKTOKEN_CACHE_DIR) holds them.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError, MissingError, SettingsError

if TYPE_CHECKING:
    import tiktoken
    from tokenizers import Tokenizer

FILE, HUB = "file:", "hub:"
LARGEST = 200 << 20
"""Bytes of a tokenizer.json that are read."""
_RANKS = "https://openaipublic.blob.core.windows.net/"
_OLDER = {
    "p50k_base": ("encodings/p50k_base.tiktoken",),
    "p50k_edit": ("encodings/p50k_base.tiktoken",),
    "r50k_base": ("encodings/r50k_base.tiktoken",),
    "gpt2": ("gpt-2/encodings/main/vocab.bpe", "gpt-2/encodings/main/encoder.json"),
}
"""Older encoding -> the files of its ranks."""


def is_named(name: str) -> bool:
    """Whether a tokenizer's name means a file."""
    return name.startswith((FILE, HUB))


def title(name: str) -> str:
    """How a tokenizer that is a file is called."""
    return Path(name.removeprefix(FILE)).name if name.startswith(FILE) else name.removeprefix(HUB)


def named(name: str) -> Tokenizer:
    """The tokenizer of "file:FOLDER" or "hub:OWNER/NAME". Raises MissingError or DataError with what to do."""
    if name.startswith(FILE):
        return load(Path(name.removeprefix(FILE)).expanduser())
    return load(_fetched(name.removeprefix(HUB)))


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a folder (or of a tokenizer.json itself), without padding and cutting."""
    path = folder if folder.name.endswith(".json") else folder / "tokenizer.json"
    if not path.is_file():
        raise MissingError(
            f"{folder} holds no tokenizer.json. Name the folder of a model, or of its tokenizer.", title="No tokenizer there"
        )
    state = path.stat()
    if state.st_size > LARGEST:
        raise DataError(
            f"{path} has {state.st_size >> 20} MiB; a tokenizer.json has at most {LARGEST >> 20}.", title="That is no tokenizer"
        )
    return _loaded(str(path), state.st_mtime_ns)


def counter(tokenizer: Tokenizer) -> Callable[[list[str]], list[int]]:
    """A function from texts to token counts, without the special tokens a model adds."""

    def count(texts: list[str]) -> list[int]:
        counts: list[int] = []
        for start in range(0, len(texts), 1000):
            counts += [len(one) for one in tokenizer.encode_batch_fast(texts[start : start + 1000], add_special_tokens=False)]
        return counts

    return count


def older_encodings() -> tuple[str, ...]:
    """Older encodings whose ranks are on this machine."""
    named = (os.environ.get(key) for key in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"))
    cache = Path(next((place for place in named if place), str(Path(tempfile.gettempdir()) / "data-gym-cache")))
    return tuple(name for name, files in _OLDER.items() if all((cache / _key(file)).is_file() for file in files))


def older_encoding(name: str) -> tiktoken.Encoding:
    """An older encoding from ranks on this machine. Raises SettingsError where they are not."""
    import tiktoken

    if name not in older_encodings():
        raise SettingsError(f"The ranks of {name} are not on this machine, and the studio fetches none.", title="Unknown encoding")
    return tiktoken.get_encoding(name)


def _key(file: str) -> str:
    return hashlib.sha1((_RANKS + file).encode()).hexdigest()


@lru_cache(maxsize=4)
def _loaded(path: str, stamp: int) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        found = Tokenizer.from_file(path)
    except Exception as error:  # the Rust side raises plain Exception for whatever is wrong with the file
        raise DataError(f"{path} is no tokenizer this studio can read: {str(error)[:200]}", title="That is no tokenizer") from error
    found.no_padding()
    found.no_truncation()
    return found


def _fetched(name: str) -> Path:
    """tokenizer.json of a model on the Hub: from the local cache, else fetched."""
    if not re.fullmatch(r"[\w.\-]+(?:/[\w.\-]+)?", name):
        raise SettingsError(f"'{name[:80]}' is no id of a model; they look like owner/name.", title="No such model")
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    for local in (True, False):
        try:
            return Path(hf_hub_download(name, "tokenizer.json", local_files_only=local))
        except LocalEntryNotFoundError as error:
            if not local:
                raise _offline(name) from error
        except EntryNotFoundError as error:
            raise MissingError(
                f"{name} has no tokenizer.json. Choose a model with a fast tokenizer.", title="No tokenizer there"
            ) from error
        except HfHubHTTPError as error:
            code = error.response.status_code if error.response is not None else 0
            advice = "It is gated or private: log in with `hf auth login`." if code in (401, 403) else "Check its name."
            raise MissingError(f"The Hub does not give {name} ({code}). {advice}", title="That model cannot be read") from error
        except (OSError, httpx2.HTTPError) as error:
            raise _offline(name) from error
    raise _offline(name)


def _offline(name: str) -> MissingError:
    return MissingError(
        f"The tokenizer of {name} is not on this machine, and the Hugging Face Hub cannot be reached. Connect, or download its "
        "tokenizer.json elsewhere and name the folder that holds it.",
        title="The Hub cannot be reached",
    )
