"""Baselines: everything cheap on the same test rows. The ladder, then inside the chosen model."""

import streamlit as st

from core.format import plural
from ui import baselines_ladder as ladder
from ui import baselines_run as run
from ui import baselines_views as views
from ui import cache, tables
from ui.baselines_answer import answer_card
from ui.baselines_board import board
from ui.baselines_live import live_card
from ui.baselines_people import people_and_recorded
from ui.layout import no_data
from ui.state import current, open_page, settle

settle()
here = current()
version = here.version
rows = plural(version.splits["test"], "test row") if version and version.splits.get("test") else "test rows"
LEAD = f"Everything cheap, on the same {rows}. A language model must beat these to be worth using."


def export() -> None:
    """The ladder as a table, and the same action as command and in Python."""
    if here.version:
        version = here.version
        tables.downloads(lambda: ladder.table(ladder.found(version)), f"{version.dataset}-baselines", "baselines")
        tables.same_action(*run.command(version))


why = cache.ready(version.dataset, version.id) if version else None
open_page("baselines", "Baselines", LEAD, export=export if version and not why else None)
if not version:
    if not here.error:
        no_data("baselines")
    st.stop()
if run.nothing_to_measure(version):
    st.stop()
if why:
    run.unreadable(version, why)
    st.stop()

ranked = ladder.found(version)
top = st.container()  # open settings stand where the button's presser looks
job = run.latest(version)
if job and job.alive:
    st.fragment(live_card, run_every="2s")(version, job.id, ranked)
elif ranked:
    answer_card(version, ranked)
    ladder.ladder_card(version, ranked, board)
else:
    ladder.before(version)
if job and not job.alive:
    ladder.failures(job)
    run.ended(job)
if ranked and not (job and job.alive):
    with st.container(key="baselines_inside"):
        views.inside(version, ranked, ladder.chosen(ranked))

plan = run.Plan(())
if not (job and job.alive):
    answered = {one.evaluation.predictor for one in ranked if one.evaluation.version == version.id}
    with top if ranked and st.session_state.get("baselines_settings") else st.container():
        plan = run.settings(version, answered)
    people_and_recorded(version)
run.bar(version, plan, job, len(ranked))
