r"""Curves that are as smooth along r as the data themselves ask for.

The second derivative of a curve is white noise of a density w^2: the curve is a cubic smoothing spline, and
the posterior its error (Wahba 1978); levels and slopes are free. In a linear model with the curvature A and
the pull b of data and other priors, and with D the second differences over the root of their distance, the
probability of the data for widths w_p of the curves p is

.. math:: \ln Z(w) = \tfrac12 b^T \Lambda^{-1} b - \tfrac12 \ln\det\Lambda - \sum_p (k_p - 2) \ln w_p + const,
   \qquad \Lambda = A + \sum_p D^T D / w_p^2

(MacKay 1992). All widths between two ends are equally probable beforehand, on a logarithmic scale; the
curves are averaged over what is then left of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

__all__ = ["RELATIVE", "Linear", "Smoothed", "find_widths", "second_differences"]

Array = NDArray[Any]

RELATIVE = np.geomspace(0.001, 3.0, 14)
"""Widths that are tried, over the root mean square of a curve, 1 / angstrom^1.5: from as good as straight
over tens of angstrom to free within one."""
_SWEEPS = 4
_DRAWS = 200
_RIDGE = 1e-11
"""Added to the scaled curvature: what nothing determines gets an endless error, not a fault."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """A model made linear around some parameters, in units of its noise.

    Attributes
    ----------
    curvature, pull
        A and b, shapes (N, N) and (N,): the parameters alone would be A^-1 b.
    curves
        Which of them are the values of a curve at its knots.
    rows
        From `second_differences`.
    """

    curvature: Array
    pull: Array
    curves: Sequence[slice]
    rows: Array

    def at(self, widths: Array) -> tuple[float, Array, Array]:
        """Return ln Z, the parameters (N,) and their covariance (N, N), for a width of each curve."""
        full, smooth = self.curvature.copy(), self.rows.T @ self.rows
        for own, width in zip(self.curves, widths, strict=True):
            full[own, own] += smooth / width**2
        size = 1.0 / np.sqrt(np.maximum(np.diag(full), 1e-300))
        factor = cho_factor(full * np.outer(size, size) + _RIDGE * np.eye(size.size), lower=True)
        found = cho_solve(factor, size * self.pull) * size
        covariance = cho_solve(factor, np.eye(size.size)) * np.outer(size, size)
        half_log_det = np.sum(np.log(np.diag(factor[0]))) - np.sum(np.log(size))
        log_z = 0.5 * self.pull @ found - half_log_det - self.rows.shape[0] * np.sum(np.log(widths))
        return float(log_z), found, covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothed:
    """What the data say of the widths, and of the parameters averaged over them.

    Attributes
    ----------
    widths
        The most probable one of each curve, shape (n,).
    shift
        What averaging adds to the parameters of the most probable widths, shape (N,).
    covariance
        Shape (N, N).
    """

    widths: Array
    shift: Array
    covariance: Array


def second_differences(knots: Array) -> Array:
    """Rows whose squares, over w^2, are the roughness of a curve, shape (k - 2, k).

    Parameters
    ----------
    knots
        Uniform, angstrom, shape (k,).
    """
    step = float(knots[1] - knots[0])
    return np.asarray(np.diff(np.eye(knots.size), n=2, axis=0) / step**1.5)


def find_widths(model: Linear, tried: Array) -> Smoothed:
    """Find the widths of all curves, one after the other until they stay, and average over them.

    Parameters
    ----------
    model
        The data and other priors.
    tried
        Increasing widths of each curve, shape (n, n_tried).
    """
    n = tried.shape[0]
    best = np.full(n, tried.shape[1] // 2)
    chances = np.zeros(tried.shape)
    for _ in range(_SWEEPS):
        before = best.copy()
        for p in range(n):
            logs = np.array([model.at(_with(tried, best, p, width))[0] for width in tried[p]])
            best[p] = int(np.argmax(logs))
            weight = np.exp(logs - logs.max())
            chances[p] = weight / weight.sum()
        if np.array_equal(before, best):
            break
    widths = tried[np.arange(n), best]
    middle = model.at(widths)[1]
    # A product of the single chances: drawn from, since their grid grows with the power of the curves.
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.choice(tried[p], _DRAWS, p=chances[p]) for p in range(n)], axis=1)
    mean, second = np.zeros_like(middle), np.zeros_like(model.curvature)
    for some, count in zip(*np.unique(drawn, axis=0, return_counts=True), strict=True):
        _, found, covariance = model.at(some)
        mean += count / _DRAWS * (found - middle)
        second += count / _DRAWS * (covariance + np.outer(found - middle, found - middle))
    return Smoothed(widths=widths, shift=mean, covariance=second - np.outer(mean, mean))


def _with(tried: Array, best: Array, p: int, width: float) -> Array:
    """Return the best widths with another one for one curve."""
    widths = tried[np.arange(best.size), best].copy()
    widths[p] = width
    return widths
