"""The checks: FAIL, WARN, PASS; their rows filter the examples below; a fix shows its diff before it is applied."""

from __future__ import annotations

import streamlit as st

from core.format import count
from core.io import validating
from core.validate.checks import Check
from core.validate.fixes import FIXES, TEXT_FIXES, in_words, label, losses_in_words, mend
from core.validate.formats import UNKNOWN
from core.validate.wording import platform_words
from core.validate.wording import told as told_places
from ui.layout import card
from ui.state import choose, go, plain
from ui.validate_large import is_large
from ui.validate_source import Subject

MARKS = {
    "FAIL": ":red[:material/cancel: **FAIL**]",
    "WARN": ":yellow[:material/error: **WARN**]",
    "PASS": ":green[:material/check_circle: **PASS**]",
}
DIFFS = 3
"""Changes that are shown before a fix is applied."""
FOLDED = 4
"""Passed checks that are shown; the rest is folded."""


WIDTHS = [1, 4.3, 2.2, 2.1]
"""Of word, sentence, rows and fix, as shares."""


def checks_card(subject: Subject) -> None:
    """One row per check, worst first; the passed ones beyond a few are folded."""
    told = [one for one in subject.made.checks if one.word != "PASS"]
    passed = [one for one in subject.made.checks if one.word == "PASS"]
    with card("Checks", height="content"):
        if subject.made.detection.format == UNKNOWN and subject.made.examples:
            st.caption("The format is not known; a row needs messages, or prompt and completion, or one of the other shapes.")
        for one in told:
            _row(subject, one)
        for one in passed[:FOLDED]:
            _row(subject, one)
        if len(passed) > FOLDED:
            with st.expander(f"{count(len(passed) - FOLDED)} more checks passed"):
                for one in passed[FOLDED:]:
                    _row(subject, one)


def _row(subject: Subject, one: Check) -> None:
    word, sentence, rows, fix = st.columns(WIDTHS, vertical_alignment="center", gap="small")
    word.markdown(MARKS[one.word])
    sentence.markdown(plain(one.sentence))
    if one.lines and one.word != "PASS":
        words = "Show all examples again" if _shown(one) else "Show these examples below, and where they stand"
        if rows.button(plain(one.detail), key=f"validate_rows_{one.name}", type="tertiary", help=words):
            shown = None if _shown(one) else one.name
            st.session_state["validate_where"] = shown
            st.session_state["validate_filter"] = shown if one.places else None
            st.rerun()
    else:
        rows.caption(plain(one.detail))
    offered = _offer(subject, one)
    if offered and fix.button(offered, key=f"validate_fix_{one.name}", width="stretch"):
        if offered.endswith("in Curate"):
            go("curate")
        st.session_state["validate_diff"] = None if _open(subject, one) else (subject.key, one.name, None)
    if one.word != "PASS" and (_shown(one) or _open(subject, one) or one.name == "examples"):
        _where(subject, one)
    if offered and _open(subject, one):
        _diff(subject, one, st.session_state["validate_diff"][2])


def _shown(one: Check) -> bool:
    """Whether it is told where this check's findings stand."""
    return st.session_state.get("validate_where") == one.name


def _where(subject: Subject, one: Check) -> None:
    """Line, example and message of the first places, and what the platform says to them."""
    places, words = told_places(subject.made, one), platform_words(subject.made, one)
    if not places and not words:
        return
    with st.columns([WIDTHS[0], sum(WIDTHS[1:])], gap="small")[1]:
        if places:
            st.caption(plain(f"{places[:1].upper()}{places[1:]}."))
        if words:
            st.caption(plain(f"The platform says: {words}"))


def _open(subject: Subject, one: Check) -> bool:
    """Whether this finding's diff is shown."""
    return (st.session_state.get("validate_diff") or ())[:2] == (subject.key, one.name)


def _offer(subject: Subject, one: Check) -> str | None:
    """What the button of a finding says: a version mends rows and words, what its prompt makes is a step on Curate."""
    if one.word == "PASS" or one.fix is None or is_large(subject.made):
        return None
    here = subject.version is None or one.fix in ("drop", "drop_conflicts") or one.fix in TEXT_FIXES
    if here or validating.holds_chats(subject.version):  # type: ignore[arg-type]
        return label(one.fix, len(one.lines))
    return f"{FIXES[one.fix].verb.removesuffix(' in').removesuffix(' to')} in Curate"


def _diff(subject: Subject, one: Check, by: str | None) -> None:
    """Before and after of the first rows, then Apply or Leave; what cannot be mended may be dropped."""
    fixed = mend(subject.made, one.name, validating.count_for(subject.made.model), by)
    with st.container(border=True, gap="xsmall"):
        st.caption(plain(f"{in_words(fixed)}." + (f" The first {DIFFS} of them:" if len(fixed.changes) > DIFFS else "")))
        if lost := losses_in_words(fixed):
            st.caption(plain(lost))
        for change in fixed.changes[:DIFFS]:
            if change.after is None:
                st.caption(f"Row {count(change.line)} is left out")
                st.code(_end(change.before), language=None, wrap_lines=True)
                continue
            before, after = st.columns(2, gap="small")
            for column, words, text in zip((before, after), ("before", "after"), _around(change.before, change.after), strict=True):
                column.caption(f"Row {count(change.line)}, {words}")
                column.code(text, language=None, wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            if st.button("Apply", key="validate_apply", icon=":material/check:", disabled=not fixed.changes):
                _apply(subject, one, by)
            instead = label("drop", len(one.lines))
            if fixed.kept and st.button(f"{instead} instead", key="validate_drop_instead"):
                st.session_state["validate_diff"] = (subject.key, one.name, "drop")
                st.rerun()
            if st.button("Leave", key="validate_leave"):
                st.session_state["validate_diff"] = None
                st.rerun()


def _apply(subject: Subject, one: Check, by: str | None) -> None:
    for state in ("validate_diff", "validate_filter", "validate_where"):
        st.session_state[state] = None
    if subject.version is None:
        key = f"validate_fixed_{subject.sha}"
        st.session_state[key] = (*st.session_state.get(key, ()), f"{one.name}:{by}" if by else one.name)
    else:
        saved = validating.without(subject.version, subject.made, one.name, by)
        choose(saved)
        st.session_state["validate_saved"] = f"Saved as version {saved.number}"
    st.rerun()


def _end(text: str, longest: int = 240) -> str:
    """The end of a row that leaves, where its answer stands."""
    return text if len(text) <= longest else f"… {text[-longest:].lstrip()}"


def _around(before: str, after: str, beside: int = 120, longest: int = 600) -> tuple[str, str]:
    """Both texts from shortly before their first difference to shortly after the last."""
    pairs = list(zip(before, after, strict=False))
    start = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
    back = next((i for i, (a, b) in enumerate(zip(reversed(before[start:]), reversed(after[start:]), strict=False)) if a != b), 0)
    low = max(0, start - beside)
    cut = []
    for text in (before, after):
        high = min(len(text), max(start, len(text) - back) + beside)
        high = min(high, low + longest)
        cut.append(("… " if low else "") + text[low:high] + (" …" if high < len(text) else ""))
    return cut[0], cut[1]
