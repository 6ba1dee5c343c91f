"""Compare, view Try it: one question, the base model and its adapters side by side, each headed by who really answered."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import format as fmt
from core.compare.board import Board, Row
from core.compare.wording import answer
from core.io import jobs
from core.io.embedded import engine
from core.io.lora import bases
from core.prompt import Message, Prompt, default_prompt
from core.reply import Reply
from core.version import Version
from ui import cache
from ui.compare_parts import texts
from ui.jobs import latest, watch
from ui.state import guarded, plain

MOST = 2
"""Adapters beside the base model: three panes."""
OWN, ROW = "A question of your own", "A test row"


def try_it(board: Board, version: Version) -> None:
    """The models, the question, the panes; the built-in model is prepared first when it never was."""
    from core.io import embedded

    if not embedded.is_ready():
        prepare()
        return
    tuned = adapters(board)
    if not tuned:
        st.caption(
            "No fine-tuned model of this machine has answered these rows yet. One that has can be asked here beside the untuned one."
        )
    how = st.segmented_control("Ask", [ROW, OWN], default=ROW, required=True, key="compare_ask", label_visibility="collapsed")
    chosen = list(tuned)[:MOST]
    if len(tuned) > MOST:
        chosen = st.multiselect("Fine-tuned models", list(tuned), default=chosen, max_selections=MOST, key="compare_try_models",
                                format_func=lambda id: board.row(id).title)  # fmt: skip
    prompt = asked(board, tuned, version)
    messages = _row_question(board, version, prompt) if how == ROW else _own_question(version, prompt)
    if messages is None:
        return
    with st.container(border=True, gap="xsmall"):
        st.caption("The question, as every model gets it")
        st.text("\n\n".join(message["content"] for message in messages) + (f"\n\n{prompt.prefix}" if prompt.prefix else ""))
    _answers(board, {id: tuned[id] for id in chosen}, messages, prompt)


def prepare() -> None:
    """The first time: the model's weights are brought into the workspace by a job."""
    job = latest("convert")
    if job and job.alive:
        watch(job.id, "compare_convert")
        return
    st.caption("The built-in model has to be prepared once before it can be asked. It takes about half a minute and half a gigabyte.")
    if job and job.error:
        watch(job.id, "compare_convert")
    if st.button("Prepare the built-in model", key="compare_prepare", icon=":material/play_arrow:"):
        jobs.start("convert", {}, title="Prepare the built-in model")
        st.rerun()


def adapters(board: Board) -> dict[str, Path]:
    """Fine-tuned models on the board whose adapter is on this machine: id -> folder."""
    named = {row.id: row.evaluation.notes.get("adapter") for row in board.rows if row.family == "tuned"}
    return {id: Path(str(path)) for id, path in named.items() if path and Path(str(path)).is_dir()}


def asked(board: Board, tuned: dict[str, Path], version: Version) -> Prompt:
    """The prompt the first fine-tuned model was measured with, else the version's own."""
    saved = next((board.row(id).evaluation.settings.get("prompt") for id in tuned), None)
    if isinstance(saved, dict):
        return Prompt.from_dict(saved)
    return version.prompt or default_prompt(version.task or "chat", version.roles)


def _row_question(board: Board, version: Version, prompt: Prompt) -> list[Message] | None:
    said = texts(board)
    if not said:
        st.caption("The test rows of this comparison are no longer in the workspace.")
        return None
    place = st.selectbox("Test row", list(said), key="compare_try_row", label_visibility="collapsed",
                         format_func=lambda place: f"{place + 1} · {fmt.short(' '.join(said[place].split()), 80)}")  # fmt: skip
    one = board.rows[0].evaluation
    examples = cache.examples(one.dataset, one.version, "test")
    truth = board.rows[0].answers.truth[list(board.index).index(place)]
    st.caption(plain(f"Right answer: {answer(truth, board.unit)}"))
    if not st.button("Ask", key="compare_try_ask", icon=":material/play_arrow:"):
        return None
    return prompt.question(examples.take([int(place)]).rows()[0])


def _own_question(version: Version, prompt: Prompt) -> list[Message] | None:
    said = st.chat_input("Ask every model the same", key="compare_try_chat")
    if not said:
        return None
    row = {**dict.fromkeys(version.roles.inputs(), ""), "text": said}
    if version.roles.text:
        row[version.roles.text[0]] = said
    return prompt.question(row)


def _answers(board: Board, tuned: dict[str, Path], messages: list[Message], prompt: Prompt) -> None:
    """Untuned first, then the adapters, as one mixed batch for each base; every pane says who answered it."""
    from core.io.lora.runs import base_title

    with guarded():
        based = {path: bases.of_adapter(path) for path in tuned.values()}
        first = next(iter(based.values()), None)
        panes: list[tuple[Row | None, Path | None, Path | None]] = [(None, None, first)]
        panes += [(board.row(id), path, based[path]) for id, path in tuned.items()]
        boxes = []
        for column, (row, _, _) in zip(st.columns(len(panes)), panes, strict=True):
            with column.container(border=True, gap="xsmall"):
                st.badge(plain(row.title if row else f"{base_title(first)} untuned"), color="orange" if row else "violet")
                boxes.append((st.empty(), st.empty()))
                boxes[-1][1].caption("thinking; the first answer waits until the model is loaded")
        for base in dict.fromkeys(base for _, _, base in panes):
            places = [place for place, pane in enumerate(panes) if pane[2] == base]
            live = cache.engine() if base is None else engine(base)
            paths, short = [panes[place][1] for place in places], board.task != "chat"
            how = {"max_tokens": prompt.max_tokens, "prefix": prompt.prefix, "stop_at_newline": short}
            replies: list[Reply] = []
            for replies in live.stream([messages] * len(places), adapter=paths, **how):
                for place, reply in zip(places, replies, strict=True):
                    words, told = boxes[place]
                    words.text(prompt.prefix + reply.text)
                    told.caption(plain(_took(reply)))


def _took(reply: Reply) -> str:
    end = {"running": "writing", "error": reply.error or "error", "length": "cut at the longest reply"}.get(reply.finish, "")
    tokens = fmt.plural(reply.tokens_out, "token") if reply.tokens_out is not None else ""
    return " · ".join(part for part in (tokens, fmt.duration(reply.seconds) if reply.seconds else "", end) if part)
