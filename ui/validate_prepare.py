"""The classic assistant: each advice with its switch and what it changes, the files it writes, what to do with them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.errors import StudioError
from core.format import count, plural, short
from core.io import preparing
from core.validate.prepare import TASKS, Advice, Prepared, Table, prepare
from core.validate.prepare_read import ENDINGS, Source, read_pairs
from core.validate.prepare_text import common_suffix, visible
from core.validate.prepare_write import TIME_CAVEAT, classes, hints, jsonl, seconds, spoken
from core.version import digest
from ui.layout import card
from ui.state import choose, go, plain, show_error
from ui.tables import marked
from ui.validate_source import Subject

TITLE = "Prompt and completion pairs"
ADDED = ("common_prompt_suffix", "common_completion_suffix", "completions_space_start")
"""Remedies that write something into the texts which only completion models need."""
LOOKED_AT = 50_000
"""Pairs up to which the closed card says what is advised."""
LOOKS, AROUND, LONGEST = 3, 60, 260
"""Rows shown of a change; characters beside it; characters of a removed row."""


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
                st.markdown(plain(_cut(one.remedy)), width="content")
                _look(subject, one, steps)
    shown = [one for one in offered.remedies if not one.necessary]
    shown += [one for rule, one in now.items() if not one.necessary and rule not in {known.rule for known in shown}]
    for one in shown:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words = "Split into training and validation rows" if one.rule == "split" else _cut(one.remedy)
            st.toggle(plain(words), True, key=_key(subject, one), width="content", disabled=one.rule not in now)
            st.space("stretch")
            if one.rule not in now:
                st.caption("not needed any more", width="content")
            _look(subject, now.get(one.rule, one), steps)
        if one.rule != "split":
            st.caption(plain(_short(now.get(one.rule, one).text)))


def _look(subject: Subject, one: Advice, steps: dict[str, tuple[Table, Table]]) -> None:
    """How many rows the remedy touches, and a few of them before and after."""
    if one.rule not in steps:
        return
    before, after = steps[one.rule]
    gone = sorted(set(before.numbers) - set(after.numbers))
    if gone:
        told, places = f"{plural(len(gone), 'row')} out", [before.numbers.index(number) for number in gone[:LOOKS]]
    else:
        pairs = zip(before.prompts, after.prompts, before.completions, after.completions, strict=True)
        changed = [place for place, (a, b, c, d) in enumerate(pairs) if a != b or c != d]
        told, places = f"{plural(len(changed), 'row')} changed", changed[:LOOKS]
    with st.popover(told, type="tertiary", disabled=not places, key=f"validate_look_{subject.sha[:8]}_{one.rule}"):
        for place in places:
            st.caption(f"Row {count(before.numbers[place])} of the file, counted from 0")
            key = f"validate_change_{subject.sha[:8]}_{one.rule}_{place}"
            if gone:
                text = _cut(" ".join(f"{before.prompts[place]} → {before.completions[place]}".split()))
                marked(text, [(0, len(text), "removed")], key)
                continue
            for name, old, new in (
                ("prompt", before.prompts[place], after.prompts[place]),
                ("completion", before.completions[place], after.completions[place]),
            ):
                if old != new:
                    marked(*_difference(old, new), f"{key}_{name}")


def _difference(old: str, new: str) -> tuple[str, list[tuple[int, int, Any]]]:
    """One text that holds both, with what went and what came marked; only the surroundings of the change."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = min(len(old), len(new)) - start
    end = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b or i >= rest), rest)
    went, came = visible(_cut(old[start : len(old) - end])), visible(_cut(new[start : len(new) - end]))
    ahead, behind = old[:start], old[len(old) - end :] if end else ""
    ahead = "… " + ahead[-AROUND:] if len(ahead) > AROUND else ahead
    behind = behind[:AROUND] + " …" if len(behind) > AROUND else behind
    at = len(ahead)
    spans = [(at, at + len(went), "removed"), (at + len(went), at + len(went) + len(came), "added")]
    return ahead + went + came + behind, [span for span in spans if span[1] > span[0]]


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


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def _key(subject: Subject, one: Advice) -> str:
    return f"validate_advice_{subject.sha[:12]}_{len(_fixed(subject))}_{one.rule}"


def _fixed(subject: Subject) -> Sequence[str]:
    return list(st.session_state.get(f"validate_fixed_{subject.sha}", ()))


def _upload() -> Any:
    return st.session_state.get("validate_file")


def _ending(subject: Subject) -> str:
    name = str(getattr(_upload(), "name", "")).casefold().removesuffix(".gz")
    return name.rsplit(".", 1)[-1]


def _original(subject: Subject) -> bool:
    """Whether the upload is prepared as it came: nothing was mended on the page, and it is a kind of file the assistant reads."""
    return not _fixed(subject) and _ending(subject) in (*ENDINGS, "ndjson", "zip")


def _source(subject: Subject) -> Source:
    return _read(subject.sha, _upload().name, _upload())


def _walk(subject: Subject, declined: tuple[str, ...]) -> Prepared:
    """The assistant's walk with everything taken but what is declined, on the upload or on the rows the fixes left."""
    return _prepared(subject.sha, tuple(_fixed(subject)), declined, subject)


@st.cache_resource(max_entries=2, show_spinner="Reading the pairs", scope="session")
def _read(sha: str, name: str, _file: Any) -> Source:
    return read_pairs(name, _file.getvalue())


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
