"""The classic assistant: each advice with its switch and what it changes, the files it writes, what to do with them."""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import StudioError
from core.format import count, plural, short
from core.io import preparing
from core.validate.prepare import TASKS, Advice, Prepared, prepare
from core.validate.prepare_read import ENDINGS, Source, read_pairs
from core.validate.prepare_text import common_suffix, visible
from core.validate.prepare_write import TIME_CAVEAT, classes, hints, jsonl, seconds, spoken
from core.version import digest
from ui.layout import card
from ui.state import choose, go, plain, show_error
from ui.validate_prepare_rows import LONGEST, cut, look
from ui.validate_source import Subject

TITLE = "Prompt and completion pairs"
ADDED = ("common_prompt_suffix", "common_completion_suffix", "completions_space_start")
"""Remedies that write something into the texts which only completion models need."""
LOOKED_AT = 50_000
"""Pairs up to which the closed card says what is advised."""


def belongs(subject: Subject) -> bool:
    """Whether the subject is an uploaded file of pairs, or of lines that may be completions."""
    detected = subject.made.detection.format
    return subject.version is None and (detected == "prompt_completion" or (detected == "text" and _ending(subject) == "txt"))


def lead(subject: Subject) -> None:
    """The card that leads a person with pairs to the assistant; open, it is the assistant."""
    if not belongs(subject):
        return
    key = f"validate_assistant_{subject.sha[:12]}"

    def switch() -> None:
        st.toggle("Open the assistant", key=key)

    with card(TITLE, height="content", control=switch, key="validate_pairs"):
        if not isinstance(subject.made.file.rows, tuple):  # rows stand on disk
            st.caption("The file is too large to be prepared here. From the command line:")
            st.code(f"python -m core prepare {shlex.quote(given(subject)[0])} --yes", language=None, wrap_lines=True)
            return
        if st.session_state.get(key):
            assistant(subject)
            return
        if subject.made.examples > LOOKED_AT:
            st.caption(f"{plural(subject.made.examples, 'pair')}. The classic assistant (prepare_data) reads them when it is opened.")
            return
        try:
            made = _walk(subject, ())
        except StudioError as problem:
            st.caption(plain(f"The assistant cannot prepare it: {problem}"))
            return
        advised = [one.remedy for one in made.remedies if not one.necessary and one.rule != "split"]
        told = f"{_task(made)}. The classic assistant (prepare_data) recommends {plural(len(advised), 'change')}"
        told += f" and a split into {_parts(made)}." if made.split else "."
        st.caption(plain(told))


def assistant(subject: Subject) -> None:
    """What is seen in the data, every advice, what is written, what comes next."""
    try:
        offered = _walk(subject, ())
        declined = tuple(one.rule for one in offered.remedies if not one.necessary and not st.session_state.get(_key(subject, one), True))
        facts, slot = st.container(), st.container(gap="xsmall")
        made: Prepared | None = None
        problem: StudioError | None = None
        try:
            made = _walk(subject, declined)
        except StudioError as error:
            problem = error
        with slot:
            _advices(subject, offered, made)
        if problem is not None or made is None:
            raise problem or StudioError("Nothing was prepared.")
    except StudioError as error:
        show_error(error)
        return
    with facts:
        _facts(made)
    _files(subject, made, declined)
    _next(subject, made)


def _facts(made: Prepared) -> None:
    left = made.total - len(made.table)
    space = all(text.startswith(" ") for text in made.table.completions)
    stop = "" if made.task == TASKS[0] else common_suffix(made.table.completions)
    found = (
        ("Looks like", _task(made)),
        ("Rows", _parts(made) + (f", {count(left)} left out" if left else "")),
        ("Every prompt ends with", _quoted(common_suffix(made.table.prompts)) or "nothing in common"),
        (
            "Every completion",
            ("begins with a space" if space else "begins as it is") + (f", ends with {_quoted(short(stop, 20))}" if stop else ""),
        ),
    )
    for column, (name, value) in zip(st.columns(4, gap="small"), found, strict=True):
        column.caption(name)
        column.text(value)


def _advices(subject: Subject, offered: Prepared, made: Prepared | None) -> None:
    """Remarks, then necessary steps, then one switch for each recommendation. `made` is the walk with the answers given."""
    now = {one.rule: one for one in (made or offered).remedies}
    steps = {one.rule: (before, after) for one, before, after in (made.steps if made else ())}
    for one in (made or offered).advices:
        if not one.remedy:
            st.caption(plain(_short(one.text)))
    for one in offered.remedies:
        if one.necessary:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.badge("Necessary", color="gray")
                st.markdown(plain(cut(one.remedy)), width="content")
                look(subject.sha[:8], one, steps)
    shown = [one for one in offered.remedies if not one.necessary]
    shown += [one for rule, one in now.items() if not one.necessary and rule not in {known.rule for known in shown}]
    for one in shown:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words = "Split into training and validation rows" if one.rule == "split" else cut(one.remedy)
            st.toggle(plain(words), True, key=_key(subject, one), width="content", disabled=one.rule not in now)
            st.space("stretch")
            if one.rule not in now:
                st.caption("not needed any more", width="content")
            look(subject.sha[:8], now.get(one.rule, one), steps)
        if one.rule != "split":
            st.caption(plain(_short(now.get(one.rule, one).text)))


def _files(subject: Subject, made: Prepared, declined: tuple[str, ...]) -> None:
    """Their names, first lines and downloads; the pairs as a dataset."""
    if not made.changed:
        st.caption("Nothing is changed, so nothing is written: use the file as it is.")
        return
    stem = _source(subject).stem if _original(subject) else subject.name
    names = {end: f"{stem}_prepared{end}.jsonl" for end in made.parts}
    with st.container(horizontal=True, gap="small"):
        for end, part in made.parts.items():
            which = {"_train": " to train", "_valid": " to validate"}.get(end, "")
            st.download_button(f"Download {plural(len(part), 'row')}{which}", partial(jsonl, part), names[end], "application/jsonl",
                               key=f"validate_prepared{end}", on_click="ignore", icon=":material/download:")  # fmt: skip
        if made.split:
            st.download_button("Both as one zip", partial(_zip, made, names), f"{stem}_prepared.zip", "application/zip",
                               key="validate_prepared_zip", on_click="ignore")  # fmt: skip
        if st.button("Use as a dataset", key="validate_prepared_save", icon=":material/database:",
                     help="These rows without what was added for completion models: separator, ending, leading space."):  # fmt: skip
            _save(subject, declined)
    for end, part in made.parts.items():
        st.caption(plain(f"{names[end]}, first lines:"))
        lines = jsonl(part.at(range(min(2, len(part))))).decode("utf-8").splitlines()
        st.code("\n".join(f"{line[:LONGEST]} …" if len(line) > LONGEST else line for line in lines), language=None, wrap_lines=True)


def _next(subject: Subject, made: Prepared) -> None:
    stem = _source(subject).stem if _original(subject) else subject.name
    names = [f"{stem}_prepared{end}.jsonl" for end in made.parts] if made.changed else [f"{stem}.jsonl"]
    with st.expander("What to do with the files today"):
        for one in hints(made, names):
            st.caption(plain(one.text))
            if one.command:
                st.code(one.command, language=None, wrap_lines=True)
        st.caption(plain(f"The old tool's time: {spoken(seconds(made))}. {TIME_CAVEAT}"))


def _save(subject: Subject, declined: tuple[str, ...]) -> None:
    made = _walk(subject, tuple(dict.fromkeys((*declined, *ADDED))))
    saved = preparing.save(f"{subject.name} prepared", made, digest([subject.sha, _fixed(subject), list(declined)]))
    choose(saved)
    go("explore")


def _zip(made: Prepared, names: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for end, part in made.parts.items():
            packed.writestr(names[end], jsonl(part))
    return out.getvalue()


def _task(made: Prepared) -> str:
    found = classes(made)
    return f"{made.task.capitalize()}, {plural(len(found), 'class', 'classes')}" if found else made.task.capitalize()


def _parts(made: Prepared) -> str:
    if made.split:
        return f"{count(len(made.split[0]))} to train, {count(len(made.split[1]))} to validate"
    return f"{count(len(made.table))} in one file"


def _short(text: str, longest: int = 400) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _quoted(text: str) -> str:
    return f'"{visible(text)}"' if text else ""


def _key(subject: Subject, one: Advice) -> str:
    return f"validate_advice_{subject.sha[:12]}_{len(_fixed(subject))}_{one.rule}"


def _fixed(subject: Subject) -> Sequence[str]:
    return list(st.session_state.get(f"validate_fixed_{subject.sha}", ()))


def given(subject: Subject) -> tuple[str, Any]:
    """The name of the file, uploaded or named by its path, and what holds its bytes."""
    upload = st.session_state.get("validate_file")
    path = Path(str(st.session_state.get("validate_path") or "")).expanduser()
    return (upload.name, upload) if upload is not None else (path.name or f"{subject.name}.jsonl", path)


def _ending(subject: Subject) -> str:
    return given(subject)[0].casefold().removesuffix(".gz").rsplit(".", 1)[-1]


def _original(subject: Subject) -> bool:
    """Whether the upload is prepared as it came: nothing was mended on the page, and it is a kind of file the assistant reads."""
    return not _fixed(subject) and _ending(subject) in (*ENDINGS, "ndjson", "zip")


def _source(subject: Subject) -> Source:
    return _read(subject.sha, *given(subject))


def _walk(subject: Subject, declined: tuple[str, ...]) -> Prepared:
    """The assistant's walk with everything taken but what is declined, on the upload or on the rows the fixes left."""
    return _prepared(subject.sha, tuple(_fixed(subject)), declined, subject)


@st.cache_resource(max_entries=2, show_spinner="Reading the pairs", scope="session")
def _read(sha: str, name: str, _file: Any) -> Source:
    return read_pairs(name, _file.read_bytes() if isinstance(_file, Path) else _file.getvalue())


@st.cache_resource(max_entries=6, show_spinner="Preparing", scope="session")
def _prepared(sha: str, fixed: tuple[str, ...], declined: tuple[str, ...], _subject: Subject) -> Prepared:
    def taken(advice: Advice) -> bool:
        return advice.rule not in declined

    if _original(_subject):
        source = _source(_subject)
        return prepare(source.frame, taken, source.notes)
    mended = Advice("mended", "", (), f"Keep the {plural(len(fixed), 'fix', 'fixes')} made above", True, None, True)
    converted = Advice("read_any_format", "", (), "Write the rows as `JSONL`", True, None, True)
    return prepare(_subject.made.file.rows, taken, [mended if fixed else converted])
