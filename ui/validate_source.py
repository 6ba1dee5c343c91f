"""What is checked: this version's training file or an uploaded one; whose tokens and limit count; the badges that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import DataError, StudioError
from core.format import count, plural
from core.io.costing import LOCAL_LIMIT
from core.validate.encodings import is_local
from core.validate.formats import FORMATS, UNKNOWN
from core.validate.prices import DEFAULT, PRICES, limit_of
from core.version import Version
from ui import cache
from ui import validate_large as large
from ui.layout import empty
from ui.state import go, plain, show_error

VIEWS = ("This version", "A file")
TYPES = ("jsonl", "json", "ndjson", "csv", "tsv", "txt", "xlsx", "parquet", "gz", "zip")
_TONES = {"sure": ("green", "check"), "likely": ("yellow", "help"), "not sure": ("red", "close")}


@dataclass(frozen=True)
class Subject:
    """One checked training file."""

    made: Any
    """`core.validate.report.Report`"""
    name: str
    """For file names: the dataset, or the upload's name without its ending."""
    key: str
    """Names the content and how it was counted: for keys and caches."""
    version: Version | None = None
    """None for an uploaded file."""
    sha: str = ""
    """Of the upload's bytes."""


def choose(version: Version | None) -> Subject | None:
    """The bar with views and badges, the uploader, and what is checked; None after saying why there is nothing."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        usual = VIEWS[0] if version else VIEWS[1]
        chosen = st.segmented_control(
            "What is checked", VIEWS, default=usual, required=True, label_visibility="collapsed", key="validate_view", bind="query-params"
        )
        badges = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
        st.space("stretch")
        with st.popover("Count", icon=":material/tune:", type="tertiary"):
            model, limit = _settings()
    found = _of_version(version, model, limit) if chosen == VIEWS[0] else _of_file(model, limit, version is None)
    if found:
        _badges(found, badges)
    return found


def _settings() -> tuple[str, int]:
    names = [*PRICES, *(["embedded"] if cache.embedded_ready() else [])]
    model = st.selectbox(
        "Tokens and limit of",
        names,
        index=names.index(DEFAULT),
        key="validate_model",
        format_func=lambda name: "SmolLM2 (the built-in model)" if name == "embedded" else name,
        accept_new_options=True,
        help="Models cut text into different pieces and take examples of different length. Any name can be typed: a fine-tuned model "
        "(ft:...), or file:FOLDER for a folder with a tokenizer and its chat template. Recommended: the model to be trained.",
    )
    model = (model or DEFAULT).strip() or DEFAULT
    usual = LOCAL_LIMIT if is_local(model) else limit_of(model)
    limit = st.number_input("Longest example, tokens", 16, 1_000_000, usual, key=f"validate_limit_{model}",
                            help=f"Longer examples are cut at their end. Recommended: {count(usual)}, what the model takes.")  # fmt: skip
    return model, int(limit)


def _badges(found: Subject, into: Any) -> None:
    detection = found.made.detection
    color, icon = _TONES[detection.sureness]
    into.badge(f"{detection.title}, {plural(found.made.examples, 'example')}", icon=":material/forum:", color="gray")
    what = "OpenAI chat format" if detection.format == "chat" else f"{detection.title} format"
    share = "" if detection.confidence >= 1 or detection.format == UNKNOWN else f", {detection.confidence:.0%}"
    into.badge(f"{what}, {detection.sureness}{share}", icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]
    if len(detection.counts) > 1:
        kinds = ", ".join(f"{count(n)} {FORMATS[name]}" for name, n in detection.counts.items())
        into.badge(f"Mixed: {kinds}", icon=":material/call_split:", color="yellow")
    for note in found.made.file.notes:
        st.caption(plain(note))


def _of_version(version: Version | None, model: str, limit: int) -> Subject | None:
    if version is None:
        _nothing()
        return None
    try:
        with st.spinner(f"Checking {plural(version.splits.get('train', version.rows), 'train row')}"):
            made = cache.training_report(version.dataset, version.id, model, limit)
    except DataError as problem:
        _missing(version, problem)
        return None
    except StudioError as problem:
        show_error(problem)
        return None
    return Subject(made, version.dataset, f"{version.id}_{model}_{limit}", version)


def _nothing() -> None:
    text = "A training file is made of a version's train rows. Open a sample or data of your own, or check a training file under A file."
    empty("fact_check", "Nothing to check yet", text, "Choose data", to="home", key="validate_empty")


def _missing(version: Version, problem: DataError) -> None:
    """Why this version has no training file, and the button that mends it."""
    to, label = ("curate", "Split in Curate") if problem.title == "No train rows" else ("explore", "Choose what to predict")
    if empty("fact_check", "Nothing to check yet", plain(problem), label, key=f"validate_missing_{to}"):
        go(to)


def _of_file(model: str, limit: int, lonely: bool) -> Subject | None:
    from core.io.reading import sha256

    file = st.file_uploader("Training file", type=list(TYPES), key="validate_file", label_visibility="collapsed")
    path = None if file else large.path_given()
    if file is None and path is None:
        st.caption(
            "Chat, prompt and completion, preference, reinforcement, Alpaca, ShareGPT or plain text, as JSON lines, JSON or a table, "
            "packed or not."
        )
        if lonely:
            _nothing()
        return None
    title = file.name if file else path.name  # type: ignore[union-attr]
    data = file.getvalue() if file else large.small(path)  # type: ignore[arg-type]
    sha = sha256(data if data is not None else large.stamp(path).encode())  # type: ignore[arg-type]
    others = _others()
    against = tuple(sha256(content) for _, content in others)
    fixed = tuple(st.session_state.get(f"validate_fixed_{sha}", ()))
    key = "-".join((sha[:16], *fixed, model, str(limit), *(one[:8] for one in against)))
    try:
        made = large.report(title, data, path, key, model, limit, others)
        if made is None and data is not None:
            with st.spinner("Checking the lines"):
                made = cache.file_report(sha, title, fixed, model, limit, against, data, others)
    except StudioError as problem:
        show_error(problem)
        return None
    if fixed:
        _applied(fixed, sha)
    name = "".join(c if c.isalnum() or c in "-_ " else "_" for c in title.split(".")[0])[:60] or "training"
    return Subject(made, name, key, None, sha)


def _others() -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of the validation and test files the training file is compared with."""
    with st.expander("Compare with a validation or test file", icon=":material/difference:", key="validate_compare"):
        given = st.file_uploader(
            "Validation or test files",
            type=list(TYPES),
            accept_multiple_files=True,
            key="validate_others",
            label_visibility="collapsed",
            help="Questions that stand there too must not be trained on: the score would say nothing.",
        )
        st.caption("Their questions must not be in the training file; spaces and case make no difference.")
    return tuple((one.name, one.getvalue()) for one in given or ())


def _applied(fixed: tuple[str, ...], sha: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{plural(len(fixed), 'fix', 'fixes')} applied; your file stays as it is, the download is mended.", width="content")
        if st.button("Undo", icon=":material/undo:", type="tertiary", key="validate_undo"):
            st.session_state[f"validate_fixed_{sha}"] = fixed[:-1]
            st.rerun()
