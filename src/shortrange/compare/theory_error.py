"""How wrong a right model may be: the theory error that a verdict allows for, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXAFS_THEORY_ERROR", "PDF_THEORY_ERROR", "TheoryError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TheoryError:
    """Relative theory error: a log-normal prior for its size, flat over the independent points.

    Attributes
    ----------
    median
        Of the root-mean-square theory error over the root-mean-square signal.
    log_sigma
        Standard deviation of its natural logarithm: the median is itself uncertain.
    source
        Where the numbers come from.
    stretch
        Standard deviation of a fitted stretch from theory error that looks like one, which a theory error
        without structure does not know. Added to the error that is reported.
    """

    median: float
    log_sigma: float
    source: str
    stretch: float = 0.0

    def nodes(self, count: int = 15) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sizes and their prior weights: equal steps in the logarithm over +- 3.5 standard deviations."""
        z = np.linspace(-3.5, 3.5, count)
        weights = np.exp(-0.5 * z**2)
        return self.median * np.exp(self.log_sigma * z), weights / weights.sum()


EXAFS_THEORY_ERROR = TheoryError(
    median=0.06,
    log_sigma=0.4,
    source="first shells of measured W, Cu and Pt foils against FEFF8L without self-consistency: 0.087, "
    "0.037 and 0.066 (studies/theory_error.py); one standard deviation of the logarithm spans them",
    stretch=0.0055,
)

PDF_THEORY_ERROR = TheoryError(
    median=0.08,
    log_sigma=0.35,
    source="the same structure by two machine-learned potentials: 0.02 to 0.07 for isolated units and "
    "dimers, 0.08 to 0.14 for the NaTaCl6 crystal (studies/theory_error.py, simulated); two standard "
    "deviations of the logarithm are a factor of 2",
    stretch=0.003,
)
"""The stretches are those at which the errors of bond lengths in the calibration study (studies/calibration,
simulated) are right as often as they say: 0.013 and 0.007 angstrom for a bond of 2.4."""
