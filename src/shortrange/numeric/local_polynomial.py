"""Derivatives of noisy curves by local polynomials: Savitzky and Golay's filter on grids of any spacing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["derivative_operator"]

Array = NDArray[Any]

_REACH = 3.5
"""Points further than this many widths have no weight."""


def derivative_operator(x: Array, at: Array, *, width: float, degree: int, order: int = 2) -> Array:
    """Matrix from values at ``x`` to the ``order``-th derivative at ``at``.

    A polynomial of ``degree`` is fitted under a Gaussian weight around each point. On a uniform grid and
    with a box for the weight this is the filter of Savitzky and Golay (1964).

    Parameters
    ----------
    x
        Strictly increasing, shape (n,).
    at
        Where the derivative is wanted, shape (m,).
    width
        Standard deviation of the weight, units of ``x``.
    degree
        At least ``order``.
    order
        0 for the smoothed curve itself.

    Returns
    -------
    ndarray
        Shape (m, n); NaN in the rows where fewer than ``degree + 2`` points lie under the weight, or fewer
        than two on one side.
    """
    distance = (x - at[:, None]) / width
    weight = np.where(np.abs(distance) <= _REACH, np.exp(-0.5 * distance**2), 0.0)
    left, right = ((weight > 0) & (distance <= 0)).sum(axis=1), ((weight > 0) & (distance >= 0)).sum(axis=1)
    lacking = (left + right < degree + 2) | (np.minimum(left, right) < 2)
    powers = np.ones((degree + 1, *distance.shape))
    for power in range(degree):
        powers[power + 1] = powers[power] * np.where(weight > 0, distance, 0.0)
    weighted = powers * weight
    normal = np.einsum("imx,jmx->mij", powers, weighted, optimize=False)
    normal[lacking] = np.eye(degree + 1)
    unit = np.zeros((1, degree + 1, 1))
    unit[0, order, 0] = float(np.prod(np.arange(1, order + 1))) / width**order
    coefficients = np.linalg.solve(normal, np.broadcast_to(unit, (at.size, degree + 1, 1)))[:, :, 0]
    rows = np.einsum("mi,imx->mx", coefficients, weighted)
    rows[lacking] = np.nan
    return np.asarray(rows)
