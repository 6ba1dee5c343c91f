"""Where passages come from: the train rows of a version, a text file, another version; cut, without any test text, encoded once.

Of a version that is split only train rows are read, and never a column that holds the target.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError, MissingError, SettingsError
from core.format import plural
from core.io import files, store
from core.predict.passages import Passage, cut, without_tests
from core.predict.questions import context_column, question_texts
from core.prediction import Examples
from core.version import Roles, Version

KINDS = ("train", "file", "version")
LARGEST = 20 << 20
"""Bytes of a file of passages."""
MOST = 200_000
"""Passages that are searched."""
WORTH_KEEPING = 64
"""Texts from which on their vectors are kept in the workspace."""


@dataclass(frozen=True)
class Source:
    kind: str = "train"
    """train: texts of the train rows; file: a .txt or .md file; version: texts of another version."""
    name: str = ""
    """The file's path, or the version's id."""
    column: str = ""
    """The text column; empty takes the context of questions, else the text columns."""
    longest: int = 600
    """Characters of a passage."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"A source of passages is one of {', '.join(KINDS)}, not '{self.kind[:40]}'.", title="Unknown source")
        if self.kind != "train" and not self.name:
            raise SettingsError(f"Which {self.kind} holds the passages? Name it.", title="No source")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Source:
        return cls(**{name: value for name, value in data.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Found:
    passages: tuple[Passage, ...]
    left_out: int
    """Stretches that held a whole test text."""
    told: str
    """Where they come from, for people."""


def read(source: Source, version: Version | None, train: Examples, test: Examples) -> Found:
    """The passages of a source, clear of the test rows. `version` is where the rows come from, None for rows of files.

    Raises SettingsError for a target column, MissingError for what is not there, DataError for what is not text or holds none.
    """
    named, told = _texts(source, version, train)
    first: dict[str, str] = {}
    for name, text in named:
        if text.strip():
            first.setdefault(text, name)
    clear, left = without_tests(list(first), question_texts(test) if test.task in ("qa", "chat") else test.text)
    found = []
    for name, text in zip(first.values(), clear, strict=True):
        pieces = cut(text, source.longest)
        found += [Passage(piece, name if len(pieces) == 1 else f"{name}, passage {at}") for at, piece in enumerate(pieces, start=1)]
    if not found:
        raise DataError(f"{told} holds no text that could be shown.", title="No passages")
    if len(found) > MOST:
        raise DataError(f"{told} makes {plural(len(found), 'passage')}; at most {MOST:,} are searched. Make passages longer, or take less.",
                        title="Too many passages")  # fmt: skip
    return Found(tuple(found), left, told)


def _texts(source: Source, version: Version | None, train: Examples) -> tuple[list[tuple[str, str]], str]:
    """(place, text) of everything the source holds, and its name for people."""
    if source.kind == "file":
        path = Path(source.name)
        return [(_shown(path), read_text(path))], _shown(path)
    if source.kind == "train":
        return _columns(train, source.column, "train row", version), "train rows"
    other = store.find(source.name)
    if other is None:
        raise MissingError(f"There is no version '{source.name[:60]}'.", title="No such version")
    part = "train" if other.splits.get("train") else None
    roles = other.roles
    columns = _searched(source.column, roles)
    _refuse(columns, {roles.target, train.roles.target} - {None}, list(other.columns))
    table = store.frame(other, columns, part)
    label = f"{other.label}, {part} row" if part else f"{other.label}, row"
    return _named(label, [table[name].tolist() for name in columns]), f"{other.label}{f', {part} rows' if part else ''}"


def _columns(train: Examples, column: str, label: str, version: Version | None) -> list[tuple[str, str]]:
    roles = train.roles
    columns = _searched(column, roles)
    known = list(version.columns) if version else list(map(str, train.frame.columns))
    _refuse(columns, {roles.target} - {None}, known)
    if version and any(name not in train.frame for name in columns):
        table = store.frame(version, columns, "train")
    else:
        table = train.frame
    return _named(label, [table[name].tolist() for name in columns])


def _searched(column: str, roles: Roles) -> list[str]:
    """The named column, else the context of questions, else the text columns."""
    context = context_column(roles)
    return [column] if column else [context] if context else list(roles.text)


def _refuse(columns: Sequence[Any], targets: set[Any], known: Sequence[str]) -> None:
    for name in columns:
        if name in targets:
            raise SettingsError(f"'{name}' holds the right answers; it cannot be shown to a model.", title="That is the target")
        if name not in known:
            raise SettingsError(f"There is no column '{str(name)[:60]}'; there are {', '.join(known[:12])}.", title="Which column?")


def _named(label: str, columns: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    texts = ("\n".join(str(cell) for cell in row if cell is not None and cell == cell) for row in zip(*columns, strict=True))
    return [(f"{label} {place:,}", text) for place, text in enumerate(texts, start=1)]


def read_text(path: Path) -> str:
    """A text file in UTF-8. Raises MissingError, or DataError for a large file, another kind or another encoding."""
    if not path.is_file():
        raise MissingError(f"There is no file '{path}'.", title="No such file")
    if path.suffix.casefold() not in (".txt", ".md"):
        raise DataError(f"{path.name} is no .txt or .md file.", title="Not a text file")
    if path.stat().st_size > LARGEST:
        size = path.stat().st_size / 1e6
        raise DataError(f"{path.name} has {size:.0f} MB; at most {LARGEST / 1e6:.0f} MB are searched.", title="Too large")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8: byte {error.start:,} cannot be read. Save it as UTF-8.", title="Not UTF-8") from error


def keep(name: str, data: bytes) -> Path:
    """An uploaded text in the workspace, so that a job and a resumed run read the same bytes."""
    path = Path(name)
    kind = ".md" if path.suffix.casefold() == ".md" else ".txt"
    place = files.folder("passages") / f"{hashlib.sha256(data).hexdigest()[:12]}-{files.slug(path.stem)}{kind}"
    if not place.exists():
        files.atomic_write(place, data)
    return place


def _shown(path: Path) -> str:
    """The file's name without the hash it was kept under."""
    head, dash, rest = path.name.partition("-")
    return rest if dash and len(head) == 12 and path.parent.name == "passages" else path.name


def encoder(say: Callable[[int, int, str], None] | None = None) -> Callable[[Sequence[str]], np.ndarray]:
    """The built-in sentence encoder; the vectors of many texts are kept in the workspace and made once."""
    from core.io import minilm

    def encode(texts: Sequence[str]) -> np.ndarray:
        if len(texts) < WORTH_KEEPING:
            return minilm.encode(texts)
        key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
        place = files.folder("passages") / f"{key}.npy"
        if place.exists():
            return np.load(place, allow_pickle=False).astype("float32")
        parts = []
        for start in range(0, len(texts), 256):
            if say:
                say(start, len(texts), f"encoding text {start:,} of {len(texts):,}")
            parts.append(minilm.encode(texts[start : start + 256]))
        found = np.vstack(parts)
        buffer = io.BytesIO()
        np.save(buffer, found.astype("float16"))
        files.atomic_write(place, buffer.getvalue())
        return found.astype("float16").astype("float32")

    return encode
