"""Settings: keys, workspace, device. Each card saves itself."""

import streamlit as st

from ui import finetune_hosted_banner as hosted
from ui import settings_cards as cards
from ui.state import open_page

open_page("settings", "Settings", "Keys stay in memory, data stays on this machine.")
cards.keys()
cards.providers()
hosted.settings()
cards.workspace()
cards.device()
cards.prices()
st.caption("A key is read from the environment (OPENAI_API_KEY) or kept for this session only. It is never written to disk.")
