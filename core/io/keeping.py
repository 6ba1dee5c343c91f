"""Keeping the workspace in order: sizes, renaming, the bin, projects as one zip."""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from core.errors import DataError, MissingError, SettingsError
from core.io import files, store

LARGEST = 8 << 30
"""Decoded bytes an imported project may have."""
RATIO = 100
"""How much larger than packed a file of a zip may be."""


@dataclass(frozen=True)
class Usage:
    name: str
    label: str
    bytes: int
    versions: int
    evaluations: int


def usage() -> list[Usage]:
    """What each project takes on disk, the largest first. Models, adapters and jobs are rows of their own."""
    found = []
    for one in store.datasets():
        evaluations = _evaluation_folders(one.id)
        size = _size(files.home() / "datasets" / one.id) + sum(map(_size, evaluations))
        found.append(Usage(one.id, one.label, size, len(one.versions), len(evaluations)))
    return sorted(found, key=lambda u: -u.bytes)


def other_usage() -> dict[str, int]:
    """Bytes of what belongs to no project: models, adapters, jobs, cache, bin."""
    return {name: _size(files.home() / name) for name in ("models", "adapters", "jobs", "cache", "bin") if (files.home() / name).exists()}


def _evaluation_folders(dataset: str) -> list[Path]:
    return [p.parent for p in files.folder("evaluations").glob("*/evaluation.json") if files.read_json(p)["dataset"] == dataset]


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.exists() else 0


def rename(name: str, label: str) -> None:
    """Give a dataset another name; its folder and ids stay. Raises SettingsError when the name is empty or taken."""
    label = " ".join(label.split())
    if not label:
        raise SettingsError("A name needs at least one letter.", title="No name")
    if any(one.label == label and one.id != name for one in store.datasets()):
        raise SettingsError(f"'{label}' is the name of another dataset. Choose a different one.", title="That name is taken")
    path = files.safe_join(files.folder("datasets"), name)
    files.write_json(path / "dataset.json", {**files.read_json(path / "dataset.json"), "label": label})


def delete(name: str) -> str:
    """Move a dataset with its evaluations to the bin; returns the ticket that `restore` takes."""
    path = files.safe_join(files.folder("datasets"), name)
    if not path.is_dir():
        raise MissingError(f"There is no dataset '{name}'.", title="Nothing to delete")
    ticket = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    bin = files.folder("bin", ticket)
    (bin / "evaluations").mkdir()
    for folder in _evaluation_folders(name):
        os.rename(folder, bin / "evaluations" / folder.name)
    files.write_json(bin / "bin.json", {"dataset": name, "label": store.dataset(name).label})
    os.rename(path, bin / "dataset")
    return ticket


def in_bin() -> list[tuple[str, str]]:
    """(ticket, label) of what can be brought back, the latest first."""
    found = [(p.parent.name, files.read_json(p)["label"]) for p in files.folder("bin").glob("*/bin.json")]
    return sorted(found, reverse=True)


def restore(ticket: str) -> str:
    """Bring a deleted dataset back; returns its name. Raises MissingError when the bin was emptied."""
    bin = files.safe_join(files.folder("bin"), ticket)
    if not (bin / "bin.json").exists():
        raise MissingError("The bin was emptied.", title="Nothing to bring back")
    name = files.read_json(bin / "bin.json")["dataset"]
    place = files.folder("datasets") / name
    if place.exists():
        raise DataError(f"A dataset '{name}' has come since. Rename or delete it first.", title="Its place is taken")
    os.rename(bin / "dataset", place)
    for folder in (bin / "evaluations").iterdir():
        os.rename(folder, files.folder("evaluations") / folder.name)
    shutil.rmtree(bin)
    return name


def empty_bin() -> int:
    """Delete what the bin holds for good; returns the bytes freed."""
    size = _size(files.folder("bin"))
    for path in files.folder("bin").iterdir():
        for p in path.rglob("*.parquet"):
            p.chmod(0o644)
        shutil.rmtree(path)
    return size


def export_project(name: str) -> bytes:
    """A dataset with its versions and evaluations as one zip."""
    path = files.safe_join(files.folder("datasets"), name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", json.dumps({"studio": 1, "dataset": name}))
        for root, folder in [(path, "dataset"), *((e, f"evaluations/{e.name}") for e in _evaluation_folders(name))]:
            for file in sorted(root.rglob("*")):
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts):
                    archive.write(file, f"{folder}/{file.relative_to(root).as_posix()}")
    return buffer.getvalue()


def import_project(data: bytes) -> str:
    """Unpack an exported project under a free name, whole or not at all; returns the dataset's name.

    Raises DataError for anything that is not such a zip, leads outside its folder, or unpacks to far more than it is.
    """
    building = files.folder("datasets") / f".import.{os.getpid()}.{secrets.token_hex(4)}"
    with files.disk_errors(building):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                _unpack(archive, building)
            return _settle(building)
        except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
            raise DataError(
                f"This is not a project exported by the studio ({error}). Export one under Settings.", title="Not a project"
            ) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _unpack(archive: zipfile.ZipFile, building: Path) -> None:
    if json.loads(archive.read("project.json")).get("studio") != 1:
        raise ValueError("unknown revision")
    total = 0
    for member in archive.infolist():
        parts = PurePosixPath(member.filename).parts
        if member.is_dir() or parts[0] not in ("dataset", "evaluations"):
            continue
        total += member.file_size
        if total > LARGEST or member.file_size > RATIO * max(1, member.compress_size) + 1_000_000:
            raise ValueError(f"{member.filename} unpacks to {member.file_size:,} bytes")
        target = building
        for part in parts:
            target = files.safe_join(target, part)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out)


def _settle(building: Path) -> str:
    versions = list((building / "dataset").glob("*/version.json"))
    if not versions:
        raise ValueError("it holds no version")
    label = files.read_json(building / "dataset" / "dataset.json")["label"]
    taken = {one.label for one in store.datasets()}
    label = next(name for name in (label, *(f"{label} ({i})" for i in range(2, 1000))) if name not in taken)
    with files.lock(files.folder("datasets") / ".lock"):
        base = files.slug(label)
        name = next(n for n in (base, *(f"{base}-{i}" for i in range(2, 1000))) if not (files.folder("datasets") / n).exists())
        for path in versions:
            files.write_json(path, {**files.read_json(path), "dataset": name})
        files.write_json(building / "dataset" / "dataset.json", {"label": label, "created": datetime.now(UTC).isoformat()})
        for path in (building / "evaluations").glob("*/evaluation.json"):
            files.write_json(path, {**files.read_json(path), "dataset": name})
            if not (files.folder("evaluations") / path.parent.name).exists():
                os.rename(path.parent, files.folder("evaluations") / path.parent.name)
        os.rename(building / "dataset", files.folder("datasets") / name)
    return name
