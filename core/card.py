"""The dataset card of a version, written from its lineage: where the rows come from, what each step did, what is in which part.

What the studio cannot know (the licence, what the data may be used for) is left to the person, visibly. Names and reasons
come from the data and stand in the card as text, never as markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.export_table import parts_of, renders
from core.format import count
from core.version import StepReport, Version

DATA = "data"
"""The folder of the repository that holds a Parquet file for each part."""
_SOURCE = ("file", "repo", "commit", "configs", "splits", "url", "handle", "provider", "model", "synthetic", "sha256", "seed")
"""What a source may tell; anything else (folders of this machine, reading options) stays here."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
_TASKS = {"classification": "text-classification", "qa": "question-answering", "chat": "text-generation"}
LICENCE = "Not stated. Whoever publishes this dataset writes here what its source allows, and adds `license:` above."


def dataset_card(label: str, lineage: Sequence[Version]) -> str:
    """README.md of a dataset repository. `lineage` goes from the import to the version that is handed out, which is the last."""
    version = lineage[-1]
    parts = [_front(version), f"# {text(label)}", _about(version), "## Licence", LICENCE, "## Source", _source(lineage)]
    parts += ["## What was done", *_done(lineage), "## Parts", _parts(version), "## Columns", _columns(version)]
    if version.prompt and renders(version):
        parts += ["## Prompt", _prompt(version)]
    return "\n\n".join(parts) + "\n"


def _front(version: Version) -> str:
    """The part that machines read: how the files are named, and how large it is."""
    files = "".join(f"  - split: {part}\n    path: {DATA}/{part}.parquet\n" for part in parts_of(version))
    size = next((name for most, name in _SIZES if version.rows < most), "n>10M")
    task = f"task_categories:\n- {_TASKS[version.task]}\n" if version.task in _TASKS else ""
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}size_categories:\n- {size}\n{task}tags:\n- finetune-studio\n---"


def _about(version: Version) -> str:
    shown = "In train rows `text` is the whole prompt with its answer; in all other rows it stops where the answer begins."
    told = f"{count(version.rows)} rows, made with Finetune Studio. Version `{version.id}`, seed {version.seed}."
    return f"{told}\n\n{shown} The target is a column of its own." if renders(version) else told


def _source(lineage: Sequence[Version]) -> str:
    first = lineage[0]
    known = [f"* {name}: {text(_short(first.source[name]))}" for name in _SOURCE if first.source.get(name) not in (None, "", [], {}, ())]
    head = f"* {text(first.title)}: {count(first.rows)} rows, version `{first.id}`"
    return "\n".join([head, *known])


def _done(lineage: Sequence[Version]) -> list[str]:
    """A table of steps for each version that steps made."""
    made = []
    head = "| | step | what it does | rows before | rows after | why rows left |\n|---|---|---|---|---|---|"
    for version in lineage:
        if version.report:
            lines = [_line(number, one) for number, one in enumerate(version.report, start=1)]
            made.append(f"Version {version.number}, {text(version.title)} (`{version.id}`, seed {version.seed}):")
            made.append("\n".join([head, *lines]))
    return made or ["Nothing: these are the rows as they came."]


def _line(number: int, one: StepReport) -> str:
    rows = f"{count(one.rows_before)} | {count(one.rows_after)}"
    return f"| {number} | {text(one.name)} | {text(one.sentence)} | {rows} | {_why(one.reasons)} |"


def _why(reasons: Mapping[str, int]) -> str:
    told = [f"{text(reason)}: {count(n)}" for reason, n in list(reasons.items())[:5]]
    return "; ".join([*told, *([f"{len(reasons) - 5} more reasons"] if len(reasons) > 5 else [])])


def _parts(version: Version) -> str:
    rows = version.splits if version.roles.split else {"train": version.rows}
    return "\n".join(["| part | rows |", "|---|---|", *(f"| {part} | {count(rows[part])} |" for part in parts_of(version))])


def _columns(version: Version) -> str:
    roles = {name: version.roles.of(name) or "" for name in version.columns}
    return "\n".join(["| column | kind | role |", "|---|---|---|",
                      *(f"| {text(name)} | {kind} | {roles[name]} |" for name, kind in version.columns.items())])  # fmt: skip


def _prompt(version: Version) -> str:
    prompt = version.prompt
    if prompt is None:
        return ""
    shown = [f"{name}: {value!r}" for name, value in prompt.to_dict().items() if value not in ("", None)]
    return "\n".join(["````text", *(line.replace("````", "'''") for line in shown), "````"])


def _short(value: Any) -> str:
    told = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return told if len(told) <= 200 else told[:199] + "…"


def text(value: str) -> str:
    """Words of the data as plain text in Markdown: on one line, no tag, link, emphasis or table border among them."""
    line = html.escape(" ".join(str(value).split()), quote=False)
    line = re.sub(r"([\\`*_{}\[\]()#|!~$])", r"\\\1", line)
    return line.replace("://", ":&#8203;//").replace("@", "&#64;")
