"""Augment with GPT: have a model write more train rows, look at every one, save what is good, see whether it helps."""

from functools import partial

import streamlit as st

from core.io import batches
from ui import augment_hand, augment_report, augment_review, augment_run, augment_try, augment_write
from ui.explore_send import propose
from ui.jobs import latest
from ui.layout import empty, no_data, view
from ui.state import current, guarded, open_page
from ui.tables import downloads, same_action

LEAD = "Let a model write more train rows. Test rows are never shown to it."


def export() -> None:
    """Everything that was written for this version."""
    version = current().version
    found = batches.batches(version) if version else []
    if version and found:
        downloads(lambda: batches.reviewed(version, found[0])[0].drop(columns=["key", "id"]), "variants", "augment_export")
    column = version.roles.text[0] if version and version.roles.text else "text"
    same_action(
        f"python -m core augment {version.id if version else 'DATA'} --column {column} --variants 3 --provider embedded --out augmented",
        "from core.io import augmenting, store\nfrom core.augment.presets import AugmentSettings\n\n"
        f'version = store.find("{version.id if version else ""}")\n'
        f'settings = AugmentSettings("{column}", one_each=True)\n'
        'print(augmenting.try_rows(version, settings, augmenting.Writer("embedded")).judged)',
    )


here = open_page("augment", "Augment with GPT", LEAD, export)
version = here.version
if not version:
    no_data("augment")
    st.stop()
if not version.splits.get("train"):
    text = f"New rows are written from train rows only, so that nothing of the test can leak. Split version {version.number} first."
    empty("call_split", "No train rows yet.", text, f"Split version {version.number}", to="curate", key="augment_split",
          first=partial(propose, version, "split"))  # fmt: skip
    st.stop()
if not augment_write.texts_of(version):
    empty(
        "notes", "No text to vary.", "Choose on Explore which column holds the text.", "Choose the text", to="explore", key="augment_text"
    )
    st.stop()

last = latest("augment", version.dataset)
last = last if last and last.request.get("version") == version.id else None
augment_run.follow(last)
if "_augment_view" in st.session_state:
    st.session_state["augment_view"] = st.session_state.pop("_augment_view")
chosen = view("augment", ["Write", "Review", "Report"])

if chosen == "Write":
    augment_run.ended(last)
    left, right = st.columns([9, 11])
    with left:
        wish = augment_write.what_to_write(version)
    by_hand = wish.chosen.writer.name == "hand"
    with right:
        if by_hand:
            augment_hand.ask_any_chat(version, wish)
            st.stop()
        tried = augment_try.tried_rows(version, wish)
    budget = augment_try.what_it_takes(wish.estimate, tried, wish.chosen.writer) if wish.estimate else None
    augment_run.run(version, wish, budget, last)
else:
    batch = augment_review.choose_batch(version)
    with guarded():
        if chosen == "Report":
            augment_report.show(version, batch)
        elif batch is None:
            empty(
                "rate_review",
                "Nothing to review yet.",
                "Variants that were written or pasted wait here for your eyes.",
                key="augment_review_empty",
            )
        else:
            augment_review.review(version, batch)
