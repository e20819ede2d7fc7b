"""Error of a mean over consecutive, possibly correlated samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["standard_error"]

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
    n = samples.shape[0]
    x = samples - samples.mean(axis=0)
    plain = float((x**2).sum()) / (n * (n - 1))
    largest, block = plain, x
    while block.shape[0] >= 16:
        even = block.shape[0] // 2 * 2
        block = (block[0:even:2] + block[1:even:2]) / 2.0
        k = block.shape[0]
        largest = max(largest, float(((block - block.mean(axis=0)) ** 2).sum()) / (k * (k - 1)))
    inflation = largest / plain if plain > 0 else 1.0
    return np.asarray(x.T @ x * (inflation / (n * (n - 1)))), inflation
