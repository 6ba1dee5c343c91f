"""Training files that are too large to be read whole: by upload, or by their path on this machine, with what was found so far."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import MissingError
from core.format import count, plural, size
from core.io import large_training
from core.io.plain_lines import stamp_of
from core.validate.reading import read_training
from core.validate.rules import RULES
from ui.state import plain, show_error

KEPT = 2
"""Reports of large files that are kept in a session."""


def is_large(made: Any) -> bool:
    """Whether a report's rows stand on disk."""
    return not isinstance(made.file.rows, tuple)


def path_given() -> Path | None:
    """A file of this machine a person named; None after saying that it is none."""
    told = "For what is larger than an upload may be: the file is read where it stands, in pieces."
    name = st.text_input("Or the path of a file on this machine", key="validate_path", placeholder="/data/train.jsonl", help=told)
    if not name.strip():
        return None
    path = Path(name.strip()).expanduser()
    if not path.is_file():
        problem = f"'{path}' is no file on this machine. Give the whole path of a training file."
        show_error(MissingError(problem, title="No such file"))
        return None
    return path


def stamp(path: Path) -> str:
    """Names the content of a file: its path, size and time."""
    return f"{path}-{'-'.join(map(str, stamp_of(path)))}"


def small(path: Path) -> bytes | None:
    """The bytes of a file that is read whole; None of a large one."""
    return None if large_training.is_large(path) else path.read_bytes()


def report(name: str, data: bytes | None, path: Path | None, key: str, model: str, limit: int, others: Any) -> Any | None:
    """The report of a large file, from its bytes or from its path; None of a small one, which is read whole.

    `key` names content and settings; `others` are (name, bytes) of files it is compared with.
    """
    if data is not None:
        made = _checked(key, lambda: large_training.open_upload(name, data), model, limit, others)
    else:
        made = _checked(key, lambda: large_training.open_file(path), model, limit, others) if path else None
    if made is not None:
        st.caption("A large file: it was read in pieces and its examples are read when they are shown.")
    return made


def _checked(key: str, opened: Callable[[], large_training.Large | None], model: str, limit: int, others: Any) -> Any | None:
    kept: OrderedDict[str, Any] = st.session_state.setdefault("_validate_large", OrderedDict())
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    place = st.empty()
    with place.container():
        with st.spinner("Opening the file"):
            large = opened()
        if large is None:
            place.empty()
            return None
        bar = st.progress(0.0, text="Checking the lines")
        shown = [0.0]

        def say(done: int, total: int, found: dict[str, int]) -> None:
            if time.monotonic() - shown[0] > 0.3:
                shown[0] = time.monotonic()
                bar.progress(min(1.0, done / max(1, total)), text=plain(progress(done, total, found)))

        rows = [read_training(name, content).rows for name, content in others]
        made = large_training.check_large(large, rows, model=model, max_tokens=limit, say=say)
    place.empty()
    kept[key] = made
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return made


def progress(done: int, total: int, found: dict[str, int]) -> str:
    """How far it is, and the gravest of what was found so far."""
    names = sorted((name for name in found if name in RULES and found[name]), key=lambda name: (RULES[name].word != "FAIL", -found[name]))
    told = [f"{plural(found[name], RULES[name].noun)} {RULES[name].says}" for name in names[:2]]
    more = f" and {count(len(names) - 2)} more" if len(names) > 2 else ""
    return f"{size(done)} of {size(total)} checked" + (f": {', '.join(told)}{more}" if told else ", nothing found so far")
