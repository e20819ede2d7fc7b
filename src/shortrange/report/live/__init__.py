"""Figures that a browser can zoom and question: plain dictionaries in the language of plotly."""
