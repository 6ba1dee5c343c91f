"""The cards of Home. Numbers come from the workspace's index; no table is opened."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.compare.board import Board, Row
from core.format import count, plural
from core.io import jobs as work
from core.io import keeping, projects, store
from core.version import Version
from ui import boards, cache, charts
from ui.compare_board import follow, opener
from ui.compare_parts import download
from ui.compare_parts import label as name_of
from ui.jobs import share
from ui.state import choose, go, guarded, link, plain

READY, WARN, OPEN, BUSY = (
    ":green[:material/check_circle:]",
    ":yellow[:material/error:]",
    ":gray[:material/radio_button_unchecked:]",
    ":blue[:material/pending:]",
)


def damaged() -> None:
    """Datasets that cannot be opened, each with why and a way to put it away."""
    for one in store.datasets():
        if one.broken:
            with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f":red[:material/cancel:] **{plain(one.label)}** cannot be opened: {plain(one.broken)}", width="content")
                if st.button("Remove from list", key=f"remove_{one.id}"):
                    keeping.delete(one.id)
                    st.rerun()


def answer(dataset: store.Dataset, version: Version, into: Any) -> None:
    """The verdict so far with a ladder of at most five, or that there is none yet."""
    with into.container(border=True, height="stretch", gap="xsmall"):
        shown = boards.board(dataset.id, version.id)
        if shown is None:
            st.caption(plain(f"The answer so far · {dataset.label}"))
            st.header("No answer yet.", anchor=False)
            _begin(dataset, version)
            return
        said = boards.verdict(dataset.id, version.id)
        st.caption(plain(f"The answer so far · {dataset.label} · {plural(shown.n, 'test row')}"))
        st.header(plain(said.headline), anchor=False)
        st.markdown(plain(" ".join(said.sentences[:2])))
        rows = _rungs(shown)
        ids = [row.evaluation.id for row in rows]
        charts.show(_ladder(shown, rows), "home_ladder", said.headline, select="points", on_select=opener("home_ladder", ids))
        follow()
        with st.container(horizontal=True):
            if st.button("Open the comparison", type="primary", icon=":material/balance:", key="home_compare"):
                go("compare")
            if said.kind != "withheld":
                download(shown, said, name_of(dataset.id, version.id), "home_report", "Report")


def _begin(dataset: store.Dataset, version: Version) -> None:
    """What stands between this data and a first answer, and the button that leads there."""
    reason = cache.ready(dataset.id, version.id)
    if reason is None:
        st.write("Nothing has answered the test rows of this data. Baselines take about a minute.")
        if st.button("Run the baselines", type="primary", icon=":material/leaderboard:", key="home_baselines"):
            go("baselines")
        return
    st.text(reason)
    target = "explore" if not version.roles.target else "curate"
    label = "Choose what to predict" if target == "explore" else "Clean and split the rows"
    if st.button(label, type="primary", icon=":material/filter_alt:", key="home_prepare"):
        go(target)


def _rungs(board: Board) -> list[Row]:
    """At most five: the best, the best of each family, the best constant."""
    best = {row.family: row for row in reversed(board.rows)}
    chosen = [row for row in board.rows if row is board.rows[0] or row in best.values()]
    chosen += [row for row in board.rows if row not in chosen][: 5 - len(chosen)]
    return [row for row in board.rows if row in chosen][:5]


def _ladder(board: Board, order: list[Row]) -> Any:
    name = board.metrics[0]
    rungs = [charts.Rung(row.title, row.family, m.value, m.low, m.high) for row in order for m in [row.values[name]]]
    constant = next((row.values[name].value for row in board.rows if row.predictor.startswith(("constant", "majority"))), None)
    return charts.ladder(rungs, board.unit_of(name), best=order[0].title, constant=constant)


def way(dataset: store.Dataset, version: Version, into: Any) -> None:
    """Seven rows: state, page, one real number; then the most useful next step."""
    with into.container(border=True, height="stretch", gap="xsmall"):
        st.caption("The way there")
        rows = _steps(dataset, version)
        for icon, name, label, told in rows:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
                with st.container(horizontal=True, width="content", gap="small", vertical_alignment="center"):
                    st.markdown(icon, width="content")
                    link(name, label)
                st.caption(plain(told), width="content")
        st.space("stretch")
        sentence, label, target = _next(version, rows)
        st.markdown(f"**Next.** {sentence}")
        if st.button(label, width="stretch", key="home_next"):
            go(target)


def _steps(dataset: store.Dataset, version: Version) -> list[tuple[str, str, str, str]]:
    first = dataset.versions[-1]
    steps = len(version.report)
    gone = first.rows - version.rows
    made = [one for one in dataset.versions if one.roles.parent_row]
    found = cache.evaluations(dataset.id, None)
    cheap = [one for one in found if one.family in ("trivial", "classical", "prompted")]
    tuned = [one for one in found if one.family == "tuned"]
    runs = work.all_jobs(dataset.id, "finetune")
    busy = next((job for job in runs if job.alive), None)
    target = version.roles.target
    return [
        (READY if target else WARN, "explore", "Explore", plural(first.rows, "row")),
        (
            READY if version.splits.get("test") else OPEN,
            "curate",
            "Curate",
            f"{plural(steps, 'step')}, {count(max(0, gone))} dropped" if steps else "no step",
        ),
        (READY if made else OPEN, "augment", "Augment with GPT", plural(made[0].rows, "row") if made else "not used"),
        (READY if version.prompt else OPEN, "validate", "Validate & Cost", plural(version.splits.get("train", 0), "example")),
        (READY if cheap else OPEN, "baselines", "Baselines", plural(len(cheap), "model") if cheap else "not run"),
        (
            BUSY if busy else READY if tuned else OPEN,
            "finetune",
            "Fine-tune",
            f"running, {100 * share(busy):.0f} %" if busy else plural(len(tuned), "model") if tuned else "not run",
        ),
        (READY if len(found) > 1 else OPEN, "compare", "Compare", plural(len(found), "model") if found else "nothing yet"),
    ]


def _next(version: Version, rows: list[tuple[str, str, str, str]]) -> tuple[str, str, str]:
    """(what would help most, the button's words, the page)"""
    done = {name: icon == READY for icon, name, _, _ in rows}
    if not version.roles.target:
        return "Say what should be predicted.", "Choose what to predict", "explore"
    if not version.splits.get("test") or not done["curate"]:
        return "Models are measured on rows kept aside.", "Split the rows", "curate"
    if cache.ready(version.dataset, version.id):
        return "The target is not clean yet; a recipe mends it.", "Clean the rows", "curate"
    if not done["baselines"]:
        return "See how far cheap models come.", "Run the baselines", "baselines"
    if not done["finetune"]:
        return "Teach the built-in model these rows.", "Fine-tune a model", "finetune"
    if not done["augment"]:
        return "Paraphrases may close the gap.", "Augment the train rows", "augment"
    return "Everything has answered.", "Read the verdict", "compare"


def samples() -> None:
    """Three cards: a picture of the data, what it is, and its button."""
    from core.load.samples.registry import SAMPLES

    for column, (name, sample) in zip(st.columns(3), SAMPLES.items(), strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            charts.show(charts.thumbnail(sample.thumbnail), f"thumbnail_{name}", f"The distribution of the data of {sample.title}")
            st.subheader(sample.title, anchor=False)
            st.write(sample.lead)
            st.caption(sample.facts)
            st.space("stretch")
            if st.button(f"Open {sample.title}", key=f"open_{name}", width="stretch"):
                with guarded(), st.spinner("Writing the rows"):
                    choose(projects.open_sample(name))
                    go("explore")


def bring_your_own() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.subheader("Bring your own", anchor=False)
            st.caption("CSV, Excel, JSON, JSONL or Parquet. It stays on this machine.")
        if st.button("Open a file", icon=":material/upload_file:", key="home_open"):
            st.session_state["explore_add"] = True
            go("explore")
