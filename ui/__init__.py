"""The only code besides pages/ that imports streamlit: selection and formatting, no computing."""
