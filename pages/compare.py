"""Compare: everything that answered the same test rows. The verdict first, then the views."""

import streamlit as st

from core.errors import StudioError
from core.format import plural
from ui import cache, compare_board, compare_parts, compare_rows, compare_try
from ui.layout import no_data, view
from ui.state import current, open_page, settle, show_error

settle()
here = current()
shown = compare_parts.found(here)
if not here.version or shown is None or isinstance(shown, StudioError):
    open_page("compare", "Compare", "Everything that answered the same test rows, and whether fine-tuning is worth it.")
    if isinstance(shown, StudioError):
        show_error(shown)
    elif here.version:
        compare_parts.nothing_yet(here.version)
    elif not here.error:
        no_data("compare")
    st.stop()

board, said, name = shown.board, shown.said, shown.name
lead = f"Everything that answered the same {plural(board.n, 'test row')}."
open_page("compare", "Compare", lead, export=lambda: compare_parts.exports(board, said, name))
compare_parts.verdict_card(board, said, name)
compare_parts.other_rows(cache.evaluations(here.version.dataset), board)

chosen = view("compare", ["Leaderboard", "Rows", "Slices", "Cost and quality", "Try it"])
if chosen == "Leaderboard":
    compare_board.leaderboard(board)
elif chosen == "Rows":
    compare_rows.rows(board)
elif chosen == "Slices":
    compare_rows.slice_view(board)
elif chosen == "Cost and quality":
    compare_board.cost(board)
else:
    compare_try.try_it(board, here.version)
