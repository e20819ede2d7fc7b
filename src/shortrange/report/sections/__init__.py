"""Sections of the report, from the answer to what made it."""
