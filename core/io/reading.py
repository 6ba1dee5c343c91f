"""Reading a file of unknown origin in a child process with a memory limit, and making it a dataset.

A parser that a hostile file drives out of bounds then takes itself down and not the app. The child gets the file and the
options in a folder of the workspace's tmp and leaves the table as Parquet beside what it has to say.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, StudioError
from core.format import size, unit_of
from core.io import files, parts, store
from core.io.parquet import rejects_table
from core.load.columns import of
from core.load.delimited import Reject
from core.load.read import Loaded, ReadOptions, pickled, read
from core.load.roles import canonical_splits
from core.prompt import Prompt, default_prompt
from core.task import labels_of, target_of
from core.version import SPLITS, Roles, Version

if TYPE_CHECKING:
    import pandas as pd

MEMORY = 8 << 30
"""Address space of the child, in bytes."""
SECONDS = 300
SHOWN = 20
"""Rejects that stand in version.json; all of them are in rejects.parquet."""
LABELS = 50
"""A prompt names the labels when there are at most so many."""


def load(name: str, data: bytes, options: ReadOptions | None = None) -> Loaded:
    """`core.load.read.read` in a child process; in this one when jobs run inline. Raises DataError as it does."""
    options = options or ReadOptions()
    if os.environ.get("FINETUNE_STUDIO_JOBS") == "inline":
        return read(name, data, options)
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=files.folder("tmp")))
    try:
        with files.disk_errors(folder):
            (folder / "data").write_bytes(data)
            files.write_json(folder / "request.json", {"name": name, "options": asdict(options)})
        return _child(name, folder)[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def first(place: parts.Place, options: ReadOptions) -> tuple[Loaded, dict[str, Any]]:
    """The first rows of a place that is read piece by piece, and about how many there are in all; in a child as `load`."""
    from core.io import importing

    if os.environ.get("FINETUNE_STUDIO_JOBS") == "inline":
        return importing.first_rows(place, options)
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=files.folder("tmp")))
    try:
        path = place.parts[0].path if not place.folder else place.root
        files.write_json(folder / "request.json", {"name": place.name, "path": str(path), "options": asdict(options)})
        return _child(place.name, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def local(path: str) -> tuple[str, bytes]:
    """(name, bytes) of a file of this machine. Raises DataError when it is not one, or too large to read whole."""
    place = Path(path.strip().strip('"')).expanduser()
    if not place.is_file():
        what = "is a folder" if place.is_dir() else "is not there"
        raise DataError(f"{place} {what}. Give the whole path of one file.", title="No such file")
    if place.suffix.casefold() in (".pkl", ".pickle"):
        raise pickled(place.name)
    length = place.stat().st_size
    if length > 2 << 30:
        raise DataError(
            f"{place.name} has {size(length)}; this format is read whole, up to {size(2 << 30)}. Turn it into JSON lines, CSV or Parquet.",
            title="The file is too large",
        )
    try:
        return place.name, place.read_bytes()
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error.strerror}.", title="The file cannot be opened") from error


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def prompt_for(frame: pd.DataFrame, roles: Roles, task: str | None) -> Prompt | None:
    """The first prompt for these roles; None without a target."""
    if not task or not roles.target:
        return None
    labels: Sequence[str] = ()
    if task == "classification":
        found = [target_of(task, cell) for cell in frame[roles.target].drop_duplicates().tolist()]
        labels = labels_of(value for value in found if value is not None)
    unit = unit_of(roles.target, frame[roles.target].head(50).tolist())
    prompt = default_prompt(task, roles, labels if len(labels) <= LABELS else (), unit)
    told = frame["system"].dropna().unique().tolist() if "system" in frame and "messages" in frame and "system" not in roles.text else []
    return replace(prompt, system=str(told[0])) if len(told) == 1 and len(frame["system"].dropna()) == len(frame) else prompt


def source_of(name: str, loaded: Loaded, sha: str, options: ReadOptions, rejected: int) -> tuple[dict[str, Any], str]:
    """(what version.json says of where it came from, what its id depends on)."""
    meant = {key: value for key, value in asdict(options).items() if value != getattr(ReadOptions(), key)}
    source: dict[str, Any] = {"file": name, "sha256": sha, "options": meant, "rejected": rejected, "notes": list(loaded.notes)}
    source |= {"rejects": [asdict(one) for one in loaded.rejects[:SHOWN]]}
    source |= {"encoding": loaded.encoding, "separator": loaded.separator, "format": loaded.format}
    return source, sha if not meant else f"{sha} {json.dumps(meant, sort_keys=True)}"


def add(label: str, name: str, loaded: Loaded, sha: str, options: ReadOptions, roles: Roles, task: str | None) -> Version:
    """The table as version 1 of a dataset of that label. The same bytes, options and roles again give the version that is there."""
    frame = loaded.frame
    if len(frame) < 2:
        raise DataError(f"{name} has {len(frame)} row; two are needed to compare anything.", title="Only one row")
    if roles.split:
        frame = frame.assign(**{roles.split: canonical_splits(of(frame, roles.split)).astype("str")})
        odd = sorted(set(frame[roles.split].dropna()) - set(SPLITS))
        if odd:
            raise DataError(f"{roles.split} holds {', '.join(odd[:3])}; train, validation and test are needed. Choose Not used for it.",
                            title="That is not a split")  # fmt: skip
    source, content = source_of(name, loaded, sha, options, len(loaded.rejects))
    return store.save(label, frame, title="Import", roles=roles, task=task, prompt=prompt_for(frame, roles, task), source=source,
                      source_hash=content, rejects=rejects_table(loaded.rejects))  # fmt: skip


def free_label(stem: str, sha: str) -> str:
    """The stem, or "stem 2" where another file has that name; the same file keeps its name."""
    taken = {one.label: one for one in store.datasets()}
    label, number = stem, 2
    while label in taken and not holds(taken[label], sha):
        label, number = f"{stem} {number}", number + 1
    return label


def holds(dataset: store.Dataset, sha: str) -> bool:
    """Whether the dataset was made of these bytes."""
    return any(version.source.get("sha256") == sha for version in dataset.versions)


def _child(name: str, folder: Path) -> tuple[Loaded, dict[str, Any]]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.io.reading", str(folder)],
            cwd=Path(__file__).resolve().parents[2], timeout=SECONDS, capture_output=True, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"Reading {name} took longer than {SECONDS} s and was stopped. Read its first rows only.", title="Reading took too long"
        ) from error
    if not (folder / "answer.json").exists():
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise StudioError(
            f"Reading {name} needed over {size(MEMORY)} of memory or broke the reader ({told[0][:200]}). Nothing was changed. Read its "
            "first rows only, or turn it into CSV.",
            title="The file could not be read",
        )
    answer = files.read_json(folder / "answer.json")
    if "error" in answer:
        raise DataError(answer["error"], title=answer["title"])
    import pandas as pd

    frame = pd.read_parquet(folder / "table.parquet")
    rejects = tuple(Reject(**one) for one in answer.pop("rejects"))
    choices = {key: tuple(names) for key, names in answer.pop("choices").items()}
    about = answer.pop("about")
    loaded = Loaded(frame, rejects, lines=tuple(answer.pop("lines")), notes=tuple(answer.pop("notes")), choices=choices, **answer)
    return loaded, about


def main(folder: Path) -> None:
    """The child: read, write the table, then the answer, which makes it complete."""
    _limit_memory()
    request = files.read_json(folder / "request.json")
    try:
        options, about = ReadOptions(**request["options"]), {}
        if "path" in request:
            from core.io import importing

            loaded, about = importing.first_rows(parts.locate(request["path"], options.member), options)
        else:
            loaded = read(request["name"], (folder / "data").read_bytes(), options)
        loaded.frame.to_parquet(folder / "table.parquet", index=False)
        answer = {**asdict(replace(loaded, frame=None)), "frame": None, "about": about}  # type: ignore[arg-type]
        del answer["frame"]
    except DataError as error:
        answer = {"error": str(error), "title": error.title}
    except MemoryError:
        answer = {
            "error": f"{request['name']} needs more than {size(MEMORY)} of memory. Read its first rows only.",
            "title": "Out of memory",
        }
    files.write_json(folder / "answer.json", answer)


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
