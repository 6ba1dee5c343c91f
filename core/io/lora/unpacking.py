"""Files of an adapter out of a folder or zip of unknown origin: four names are read, everything is counted, nothing leads outside."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import DataError, MissingError
from core.format import plural, short, size
from core.io import files
from core.io.embedded.adapters import WEIGHTS

CONFIG = "adapter_config.json"
SMALL = {CONFIG: 1 << 20, "README.md": 1 << 20, "adapter.json": 1 << 20}
"""Small files that are read, and the most bytes of each."""
LARGEST = 2 << 30
"""Bytes of all files together, unpacked."""
MEMBERS = 500
RATIO, FREE = 100, 1 << 16
"""Unpacked bytes for one packed byte, beyond the first FREE."""
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def unpacked(source: Path | IO[bytes], into: Path, name: str = "") -> str:
    """Puts the adapter's files into a folder and returns what the adapter is called. Raises DataError and MissingError."""
    label = short(name or (source.name if isinstance(source, Path) else "The upload"), 60)
    if isinstance(source, Path) and source.is_dir():
        _copied(source, into, label)
    elif isinstance(source, Path) and not source.is_file():
        raise MissingError(f"There is neither a folder nor a file at '{short(str(source), 120)}'.", title="Nothing there")
    else:
        try:
            with zipfile.ZipFile(source) as archive:
                _extracted(archive, into, label)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
            told = f"{label} cannot be opened as a zip file ({short(str(error), 100)}). Pack the adapter's folder again."
            raise DataError(told, title="Not a zip file") from error
    return label.removesuffix(".zip")


def _copied(source: Path, into: Path, label: str) -> None:
    there = {path.name: path for path in list(source.iterdir())[: MEMBERS * 4]}
    _complete(set(there), label)
    for name in _read(set(there)):
        path = there[name]
        if path.is_symlink() or not path.is_file():
            raise DataError(f"{name} in {label} is a link or no plain file. Copy the file itself there.", title="A link")
        _fits(name, path.stat().st_size, label)
        shutil.copyfile(path, into / name)


def _extracted(archive: zipfile.ZipFile, into: Path, label: str) -> None:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > MEMBERS:
        raise DataError(f"{label} holds {plural(len(members), 'file')}; an adapter has fewer than {MEMBERS}.", title="Too many files")
    total = sum(one.file_size for one in members)
    if total > LARGEST:
        raise DataError(f"{label} unpacks to {size(total)}; {size(LARGEST)} are read.", title="The file unpacks to too much")
    found: dict[str, zipfile.ZipInfo] = {}
    for one in members:
        name = _name(one, into, label)
        if name in found:
            raise DataError(f"{label} holds '{name}' twice. Pack one adapter alone.", title="The same name twice")
        found[name] = one
    found = _rooted(found)
    _complete(set(found), label)
    for name in _read(set(found)):
        one = found[name]
        _fits(name, one.file_size, label)
        _streamed(archive, one, into / name, label)


def _name(one: zipfile.ZipInfo, into: Path, label: str) -> str:
    """The member's path, each part a plain name. Raises DataError for links, passwords and names that lead elsewhere."""
    if stat.S_ISLNK(one.external_attr >> 16):
        raise DataError(f"'{short(one.filename, 80)}' in {label} is a link. Pack the file itself.", title="A link in the archive")
    if one.flag_bits & 1:
        raise DataError(f"{label} has a password. Pack it again without one.", title="The archive is locked")
    parts = one.filename.split("/")
    place = into
    for part in parts:
        place = files.safe_join(place, part.lstrip(".") if part.startswith(".") and part.strip(".") else part)
    return one.filename


def _rooted(found: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Names without the one folder that a zip of a folder has around everything."""
    held = [PurePosixPath(name).parent for name in found if PurePosixPath(name).name == CONFIG]
    root = min(held, key=lambda path: len(path.parts), default=PurePosixPath())
    return {str(PurePosixPath(name).relative_to(root)): one for name, one in found.items() if PurePosixPath(name).is_relative_to(root)}


def _complete(names: set[str], label: str) -> None:
    """Raises DataError when the settings or the weights are missing."""
    pickled = sorted(name for name in names if name.startswith("adapter_model") and name.endswith(_PICKLES))
    if WEIGHTS not in names and pickled:
        raise DataError(f"{label} holds its weights as {pickled[0]}, a pickle. Reading a pickle can run any program, so it is never "
                        "read. Save the adapter again with save_pretrained(..., safe_serialization=True).",
                        title="Weights in a pickle")  # fmt: skip
    if pickled:
        raise DataError(f"{label} holds {pickled[0]}, a pickle, beside {WEIGHTS}. Take it out: it must be clear which weights are meant.",
                        title="Weights in a pickle")  # fmt: skip
    lacking = [name for name in (CONFIG, WEIGHTS) if name not in names]
    if lacking:
        raise DataError(
            f"{label} lacks {' and '.join(lacking)}. A LoRA adapter is a folder, or a zip of it, with {CONFIG} and {WEIGHTS}.",
            title="Not an adapter",
        )


def _read(names: set[str]) -> list[str]:
    """Which of the names are read; tokenizers, optimizers and everything else stay closed."""
    return [name for name in (*SMALL, WEIGHTS) if name in names]


def _fits(name: str, bytes: int, label: str) -> None:
    most = SMALL.get(name, LARGEST)
    if bytes > most:
        raise DataError(f"{name} in {label} has {size(bytes)}; {size(most)} are read.", title="A file is too large")


def _streamed(archive: zipfile.ZipFile, one: zipfile.ZipInfo, target: Path, label: str) -> None:
    """Unpacks a member and counts: what it says of its own size is not believed."""
    limit = min(one.file_size, FREE + RATIO * one.compress_size)
    done = 0
    with archive.open(one) as source, open(target, "wb") as out:
        while piece := source.read(1 << 20):
            done += len(piece)
            if done > limit:
                raise DataError(
                    f"{short(one.filename, 60)} in {label} takes {size(one.compress_size)} packed and unpacks to more than {size(limit)}.",
                    title="The file unpacks to too much",
                )
            out.write(piece)
