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
        Standard deviation of a fitted stretch from errors of theory that look like one, which a theory error
        without structure does not know. Added to the error that is reported.
    bond_spread
        Relative standard deviation of the spread of bond lengths about their mean. What a fit makes of it is
        added to the errors of all parameters.
    independent
        Effective number of independent points over their number: a theory error that is alike from point to
        point lets them say less than as many independent ones would. ln Z, the sum over the points of what
        each says given those before it, is multiplied by it.
    """

    median: float
    log_sigma: float
    source: str
    stretch: float = 0.0
    bond_spread: float = 0.15
    independent: float = 1.0

    def nodes(self, count: int = 15) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sizes and their prior weights: equal steps in the logarithm over +- 3.5 standard deviations."""
        z = np.linspace(-3.5, 3.5, count)
        weights = np.exp(-0.5 * z**2)
        return self.median * np.exp(self.log_sigma * z), weights / weights.sum()


EXAFS_THEORY_ERROR = TheoryError(
    median=0.06,
    log_sigma=0.4,
    source="shells of measured W, Cu, Pt, FeO and ZnSe against FEFF8L without self-consistency: 0.062, "
    "0.034, 0.061, 0.068 and 0.057 (studies/theory_error.py); 1.4 standard deviations of the logarithm span "
    "them; part of the points that counts: chosen on 121 simulated truths, by the log of the truth's "
    "probability (studies/calibration/tempered.py)",
    stretch=0.0037,
    independent=0.6,
)
"""The stretch is what fits of W, Cu, Pt and ZnSe are off by, 0.0036 rms. The spread of Ta-Cl bonds differs
between three machine-learned potentials by 10, 19 and 2 % for three structures (studies/theory_error.py)."""

PDF_THEORY_ERROR = TheoryError(
    median=0.08,
    log_sigma=0.35,
    source="the same structure by two machine-learned potentials: 0.02 to 0.07 for isolated units and "
    "dimers, 0.08 to 0.14 for the NaTaCl6 crystal (simulated); measured crystals with correlated motion: Ni "
    "0.02, Ag 0.05, NaCl 0.08, CdSe 0.09 (studies/theory_error.py); two standard deviations of the "
    "logarithm are a factor of 2",
)
"""G(r) shows distances without a theory between: its stretch has no further error. All its points count: of
152 simulated truths every one is found, 151 with P above 0.9, which powers of 0.4 to 1 state alike."""
