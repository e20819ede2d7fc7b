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
    """

    median: float
    log_sigma: float
    source: str

    def nodes(self, count: int = 25) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sizes and their prior weights: equal steps in the logarithm over +- 3.5 standard deviations."""
        z = np.linspace(-3.5, 3.5, count)
        weights = np.exp(-0.5 * z**2)
        return self.median * np.exp(self.log_sigma * z), weights / weights.sum()


EXAFS_THEORY_ERROR = TheoryError(
    median=0.06,
    log_sigma=0.5,
    source="placeholder",
)

PDF_THEORY_ERROR = TheoryError(
    median=0.10,
    log_sigma=0.4,
    source="placeholder",
)
