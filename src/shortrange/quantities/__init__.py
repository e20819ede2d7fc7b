"""Frozen carriers: one class for each physical quantity, so that the type fixes the units.

Arrays are copied and made read-only (mappings are copied: plain dicts, so that carriers travel between
processes); nothing here computes physics. A carrier has an optional standard
error (``sigma``), an optional full covariance (``cov``), and the ``history`` of the operations that made it.
"""

from __future__ import annotations

from shortrange.quantities.absorption import ChiK, ChiR, MuE, Scan
from shortrange.quantities.scattering import GR, IQ, SQ
from shortrange.quantities.steps import Step, doubts, step
from shortrange.quantities.trajectory import Trajectory

__all__ = ["GR", "IQ", "SQ", "ChiK", "ChiR", "MuE", "Scan", "Step", "Trajectory", "doubts", "step"]
