"""The studio as an ASGI app: `streamlit run streamlit_app.py`.

The main script is ui/frame.py: a plain main script beside pages/ would break the first deep link after a start.
"""

import streamlit as st

from core.io.jobs import farewell

app = st.App("ui/frame.py", lifespan=farewell)
