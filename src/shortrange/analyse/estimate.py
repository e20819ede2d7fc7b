"""Means over consecutive frames, with errors that know that neighbouring frames are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.numeric.blocking import standard_error

__all__ = ["Estimate", "Spread", "mean_of", "moments_of_sums", "ratio_of", "spread_of"]

Array = NDArray[Any]

_EQUAL = 1e-12
"""A spread below this part of the values is what rounding leaves of equal values: none."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error.

    Attributes
    ----------
    value
        The mean.
    sigma
        Standard error by blocks (Flyvbjerg and Petersen 1989); None where it is not known: one frame.
    """

    value: float
    sigma: float | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How pooled values are distributed.

    Attributes
    ----------
    n
        How many there are.
    mean, std, median, p05, p95
        As named; ``std`` with division by ``n``.
    sigma_mean
        Standard error of the mean by blocks of frames, or None.
    """

    n: int
    mean: float
    std: float
    median: float
    p05: float
    p95: float
    sigma_mean: float | None = None


def mean_of(series: ArrayLike) -> Estimate:
    """Mean of one value for each frame."""
    values = np.asarray(series, dtype=float)
    if values.size < 2:
        return Estimate(float(values.mean()))
    covariance, _ = standard_error(values[:, None])
    return Estimate(float(values.mean()), math.sqrt(max(float(covariance[0, 0]), 0.0)))


def ratio_of(numerators: ArrayLike, denominators: ArrayLike) -> Estimate | None:
    """Ratio of two sums over frames; None where the denominators are all zero.

    Its error is that of the mean of the linearised ratio, (a - R b) / <b>.

    Parameters
    ----------
    numerators, denominators
        One of each for each frame, shape (n_frames,).
    """
    a, b = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if not b.sum() > 0:
        return None
    ratio = float(a.sum() / b.sum())
    return Estimate(ratio, mean_of((a - ratio * b) / b.mean()).sigma)


def moments_of_sums(sums: Array, *, origin: float) -> tuple[Estimate, Estimate, Estimate] | None:
    r"""Mean, variance and third cumulant from power sums of each frame; None if there are no values.

    The error of each is that of the mean of its influence over frames: :math:`x - \mu` for the mean,
    :math:`(x-\mu)^2 - \sigma^2` for the variance, :math:`(x-\mu)^3 - C_3 - 3\sigma^2(x-\mu)` for the third
    cumulant.

    Parameters
    ----------
    sums
        Number of values x in each frame and sums of (x - origin) to the power 1, 2, 3; shape (n_frames, 4).
    origin
        Near the mean, for the sake of rounding.
    """
    total = sums.sum(axis=0)
    if not total[0]:
        return None
    n, s1, s2, s3 = sums.T
    m = total[1] / total[0]
    # About the mean, frame by frame.
    d2 = s2 - 2 * m * s1 + m**2 * n
    d3 = s3 - 3 * m * s2 + 3 * m**2 * s1 - m**3 * n
    d1 = s1 - m * n
    variance, third = float(d2.sum() / total[0]), float(d3.sum() / total[0])
    if variance <= _EQUAL * (origin**2 + total[2] / total[0]):
        variance = third = 0.0
    influences = (d1, d2 - variance * n, d3 - third * n - 3 * variance * d1)
    values = (origin + float(m), variance, third)
    scale = total[0] / n.size
    found = [
        Estimate(float(value), mean_of(each / scale).sigma)
        for value, each in zip(values, influences, strict=True)
    ]
    return found[0], found[1], found[2]


def spread_of(values: Array, frames: Array | None = None, n_frames: int = 0) -> Spread | None:
    """Distribution of pooled values; None if there are none.

    Parameters
    ----------
    values
        Shape (n,).
    frames, n_frames
        The frame of each value and the number of frames, for the error of the mean.
    """
    if not values.size:
        return None
    low, middle, high = (float(x) for x in np.percentile(values, [5, 50, 95]))
    std = float(values.std())
    sigma = None
    if frames is not None:
        sums = np.bincount(frames, weights=values, minlength=n_frames)
        estimate = ratio_of(sums, np.bincount(frames, minlength=n_frames))
        sigma = None if estimate is None else estimate.sigma
    if std <= _EQUAL * float(np.abs(values).max()):
        std = 0.0
    return Spread(int(values.size), float(values.mean()), std, middle, low, high, sigma)
