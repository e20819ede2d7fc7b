"""Figures of each stage: axes and carriers in, artists out."""
