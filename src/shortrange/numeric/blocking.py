"""Error of a mean over consecutive, possibly correlated samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["standard_error", "variance_of_mean"]

Array = NDArray[Any]


def standard_error(samples: Array) -> tuple[Array, float]:
    """Covariance of the mean of consecutive samples that may be correlated.

    Parameters
    ----------
    samples
        In order of time, shape (n, m), n >= 2.

    Returns
    -------
    cov
        Covariance of the mean, shape (m, m), of rank n - 1 at most.
    inflation
        Factor by which correlation raises it: total variance of the mean of blocks of 1, 2, 4, ... samples
        (Flyvbjerg and Petersen 1989), the largest with at least 8 blocks, over that of single samples.
    """
    x, inflation = _deviations(samples)
    n = samples.shape[0]
    return np.asarray(x.T @ x * (inflation / (n * (n - 1)))), inflation


def variance_of_mean(samples: Array) -> Array:
    """Diagonal of the covariance of `standard_error`, shape (m,)."""
    x, inflation = _deviations(samples)
    n = samples.shape[0]
    return np.asarray((x**2).sum(axis=0) * (inflation / (n * (n - 1))))


def _deviations(samples: Array) -> tuple[Array, float]:
    n = samples.shape[0]
    x = samples - samples.mean(axis=0)
    plain = float((x**2).sum()) / (n * (n - 1))
    largest, block = plain, x
    while block.shape[0] >= 16:
        even = block.shape[0] // 2 * 2
        block = (block[0:even:2] + block[1:even:2]) / 2.0
        k = block.shape[0]
        largest = max(largest, float(((block - block.mean(axis=0)) ** 2).sum()) / (k * (k - 1)))
    return x, largest / plain if plain > 0 else 1.0
