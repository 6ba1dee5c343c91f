"""Validate & Cost: what exactly will be trained on, what is wrong with it, and what it costs anywhere."""

import streamlit as st

from ui import validate_checks as checks
from ui import validate_cost as costs
from ui import validate_examples as examples
from ui import validate_figures as figures
from ui import validate_learnt as learnt
from ui import validate_mending as mending
from ui import validate_more as more
from ui import validate_prepare as pairs
from ui.layout import metrics
from ui.state import guarded, open_page
from ui.validate_large import is_large
from ui.validate_source import choose

slots: list = []
here = open_page(
    "validate",
    "Validate & Cost",
    "What exactly will be trained on, what is wrong with it, and what it costs anywhere.",
    action=lambda: slots.append(st.container(width="content")),
)
if told := st.session_state.pop("validate_saved", None):
    st.toast(told)
if here.error:
    st.stop()
with guarded():
    subject = choose(here.version)
    if subject is None:
        st.stop()
    for slot in slots:
        with slot:
            more.export(subject)
    metrics(costs.numbers(subject))
    checks.checks_card(subject)
    if is_large(subject.made):
        mending.mending_card(subject)
    pairs.lead(subject)
    epochs = costs.cards(subject)
    figures.show(subject, epochs)
    place = examples.browser(subject)
    learnt.learning(subject, place)
    more.advanced(subject)
    more.bar(subject, epochs)
