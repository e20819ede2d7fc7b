"""Where two models disagree most about a pair distribution function, and what each puts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.compare.verdict import MeasurementFit
from shortrange.report.figures.fits import total_sigma

__all__ = ["Share", "disputed_range", "shares"]

Array = NDArray[Any]

WIDTH = 0.4
"""angstrom: about the width of a peak of G(r) at 600 K, and wider than its resolution."""


@dataclass(frozen=True, slots=True)
class Share:
    """Mean of G(r) over a range of r, angstrom^-2, and of its parts.

    Attributes
    ----------
    data, model
        Measured, and after the fit.
    parts
        By name, such as ``"Ta-Ta"``; their sum is ``model``.
    """

    data: float
    model: float
    parts: Mapping[str, float]


def disputed_range(first: MeasurementFit, second: MeasurementFit) -> tuple[float, float] | None:
    """Range of r, `WIDTH` wide, in which two models differ most in units of the error of the first.

    Parameters
    ----------
    first, second
        Fits of two models to one measurement of total scattering.

    Returns
    -------
    tuple of float or None
        angstrom; None for another technique, or where the compared range is narrower.
    """
    total = total_sigma(first)
    low, high = first.fit_range
    if first.technique != "total-scattering" or total is None or high - low < WIDTH:
        return None
    r = first.x
    inside = (r >= low) & (r <= high)
    square = np.where(inside, ((first.model - second.model) / total) ** 2, 0.0)
    # Mean over a sliding window, by differences of the running integral.
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (square[1:] + square[:-1]) * np.diff(r))])
    starts = r[(r >= low - 1e-9) & (r + WIDTH <= high + 1e-9)]
    if starts.size == 0:
        return None
    content = np.interp(starts + WIDTH, r, integral) - np.interp(starts, r, integral)
    start = float(starts[int(np.argmax(content))])
    return start, start + WIDTH


def shares(fit: MeasurementFit, limits: tuple[float, float]) -> Share:
    """Mean over a range of r of the data, a model and its parts."""
    inside = (fit.x >= limits[0] - 1e-9) & (fit.x <= limits[1] + 1e-9)

    def mean(curve: Array) -> float:
        return float(np.mean(curve[inside]))

    return Share(
        mean(fit.data), mean(fit.model), {name: mean(part) for name, part in fit.contributions.items()}
    )
