"""Which tables a repository of files holds: its configurations, their splits, and the files of each.

Read from the list of files and, where there is one, from what the repository's card says of its configurations. No file is
opened and no script of the repository is run. A configuration is a folder of Parquet files, or one file of another format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from core.errors import MissingError, SettingsError
from core.format import plural, short
from core.load.roles import ALIASES
from core.version import SPLITS

PARQUET = (".parquet", ".pq")
OTHER = (".jsonl", ".ndjson", ".csv", ".tsv", ".json")
"""Endings that are read as they are; each may be followed by .gz."""
_NOT_DATA = ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "config.json", "package.json", "metadata.json")
_SHARD = re.compile(r"-\d{3,}-of-\d{3,}$")
_FIRST_SPLITS = (*SPLITS, *ALIASES)


@dataclass(frozen=True)
class Entry:
    """A file of the repository."""

    path: str
    size: int
    sha256: str | None = None
    """Of its content, where the repository says it."""


@dataclass(frozen=True)
class Table:
    """The files of one split of one configuration, in their order."""

    config: str
    split: str
    files: tuple[Entry, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def parquet(self) -> bool:
        return all(file.path.endswith(PARQUET) for file in self.files)


def repository_id(text: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of what a person typed: an id, "id@revision", or an address of huggingface.co."""
    asked = text.strip().strip("\"'").removesuffix("/")
    asked = re.sub(r"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/", "", asked)
    asked = re.sub(r"^hf://", "", asked).removeprefix("datasets/")
    asked, _, revision = asked.partition("@")
    found = re.match(r"([^/]+(?:/[^/]+)?)/(?:tree|blob|resolve)/([^/]+)", asked)
    if found:
        asked, revision = found[1], revision or found[2]
    if not re.fullmatch(r"[\w][\w.\-]{0,95}(?:/[\w][\w.\-]{0,95})?", asked):
        raise SettingsError(
            f"'{short(text.strip(), 80)}' names no dataset. One looks like McAuley-Lab/Amazon-Reviews-2023.", title="That is no dataset id"
        )
    return asked, revision or None


def tables(entries: Iterable[Entry], card: Mapping[str, Any] | None = None) -> list[Table]:
    """Every table, Parquet before other formats, in the order of their names. Empty when no file is one."""
    files = [one for one in entries if _readable(one.path)]
    parquet = [one for one in files if one.path.endswith(PARQUET)]
    named = _by_card(files, card or {})
    taken = {file.path for table in named for file in table.files}
    found = named + _grouped([one for one in parquet if one.path not in taken])
    return found + _single([one for one in files if one.path not in taken and one not in parquet])


def pick(found: Sequence[Table], configs: Sequence[str], splits: Sequence[str]) -> list[Table]:
    """The tables of these configurations and splits. Raises MissingError naming those that there are."""
    there = list(dict.fromkeys(table.config for table in found))
    for config in configs:
        if config not in there:
            raise MissingError(
                f"There is no configuration '{short(config, 60)}'. There are {listed(there)}.", title="No such configuration"
            )
    wanted = [table for table in found if table.config in configs]
    for config in configs:
        has = [table.split for table in wanted if table.config == config]
        lacking = [split for split in splits if split not in has]
        if lacking:
            raise MissingError(
                f"'{short(config, 60)}' has no split '{short(lacking[0], 40)}'. It has {listed(has)}.", title="No such split"
            )
    return [table for table in wanted if table.split in splits or not splits]


def listed(names: Sequence[str], most: int = 12) -> str:
    """The first names in words: "a, b and 31 others"."""
    shown = ", ".join(short(name, 40) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {plural(len(names) - most, 'other')}"


def _readable(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    if name.startswith(".") or name in _NOT_DATA or any(part.startswith(".") for part in path.split("/")):
        return False
    return path.endswith(PARQUET) or path.removesuffix(".gz").endswith(OTHER)


def _by_card(files: list[Entry], card: Mapping[str, Any]) -> list[Table]:
    """What `configs` of the card names, where its patterns match files."""
    found = []
    configs = card.get("configs")
    for config in configs if isinstance(configs, list) else []:
        if not isinstance(config, Mapping):
            continue
        name = str(config.get("config_name", "default"))
        inside = str(config.get("data_dir", "")).strip("/")
        for split, patterns in _patterns(config.get("data_files"), inside):
            matched = [file for file in files if any(re.match(_glob(pattern), file.path) for pattern in patterns)]
            if matched:
                found.append(Table(name, split, tuple(sorted(matched, key=lambda file: file.path))))
    return found


def _patterns(value: Any, inside: str) -> list[tuple[str, list[str]]]:
    """(split, patterns of paths) of the `data_files` of a card: text, a list of texts, or a list of {split, path}."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return []
    plain = [f"{inside}/{one}".lstrip("/") for one in value if isinstance(one, str)]
    pairs = [one for one in value if isinstance(one, Mapping) and "path" in one]
    told = []
    for one in pairs:
        paths = one["path"] if isinstance(one["path"], list) else [one["path"]]
        told.append((str(one.get("split", "train")), [f"{inside}/{path}".lstrip("/") for path in paths]))
    return told + ([("train", plain)] if plain else [])


def _glob(pattern: str) -> str:
    """A card's pattern as an expression: `*` stays within a folder, `**` does not."""
    marked = pattern.replace("**/", "\x00").replace("**", "\x01")
    expression = translate(marked).replace(".*", "[^/]*")
    return expression.replace("\x00", "(?:.*/)?").replace("\x01", ".*")


def _grouped(files: list[Entry]) -> list[Table]:
    """Parquet files by folder and split."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for file in sorted(files, key=lambda one: one.path):
        folder, _, name = file.path.rpartition("/")
        stem = _SHARD.sub("", name.rsplit(".", 1)[0])
        parts = [part for part in folder.split("/") if part and part != "data"]
        split = _split_of(stem)
        last = parts[-1].removeprefix("partial-") if parts else ""
        if split is None and _split_of(last) == last and last:
            split = last
            parts.pop()
        if split is None:
            split = stem if _SHARD.search(name.rsplit(".", 1)[0]) else "train"
        groups.setdefault(("/".join(parts) or "default", split), []).append(file)
    return [Table(config, split, tuple(found)) for (config, split), found in sorted(groups.items(), key=_order)]


def _order(item: tuple[tuple[str, str], Any]) -> tuple[str, int, str]:
    config, split = item[0]
    name = ALIASES.get(split, split)
    return config, SPLITS.index(name) if name in SPLITS else len(SPLITS), split


def _single(files: list[Entry]) -> list[Table]:
    """Files of other formats: each a configuration, or a split of its folder when the file is named by a split."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for file in sorted(files, key=lambda one: one.path):
        stem = file.path.removesuffix(".gz").rsplit(".", 1)[0]
        folder, _, name = stem.rpartition("/")
        split = _split_of(name) if name.casefold() in _FIRST_SPLITS or _SHARD.search(name) else None
        place = ("/".join(part for part in folder.split("/") if part not in ("", "data")) or "default", split) if split else (stem, "train")
        found.setdefault(place, []).append(file)
    return [Table(config, split, tuple(one)) for (config, split), one in sorted(found.items(), key=_order)]


def _split_of(stem: str) -> str | None:
    """The name of a split that stands alone in a file's name: "train", "my_test", "val-00000"."""
    words = re.split(r"[-_. ]", _SHARD.sub("", stem).casefold())
    return next((word for word in words if word in _FIRST_SPLITS), None)
