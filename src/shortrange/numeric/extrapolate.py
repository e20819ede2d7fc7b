"""Extrapolation of biased estimates to no bias, with the error that this leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["extrapolate"]

Array = NDArray[Any]


def extrapolate(
    values: Array, errors: Array, terms: Array, *, scatter: Sequence[float]
) -> tuple[Array, float, float]:
    """One number from several biased estimates of it: ``values = value + terms @ unknowns + noise + rest``.

    Generalised least squares. The unknowns are normal with mean 0 and variance 1; the rest is an independent
    error of each estimate, over whose size the result is averaged with its marginal likelihood.

    Parameters
    ----------
    values
        Estimates, shape (n,).
    errors
        Their noise: ``errors @ errors.T`` is its covariance, shape (n, m).
    terms
        Bias for each unknown, shape (n, p).
    scatter
        Sizes of the rest that are averaged over.

    Returns
    -------
    weights, value, sigma
        ``value`` is ``weights @ values``; the weights sum to 1.
    """
    n = values.size
    known = errors @ errors.T + terms @ terms.T
    logs, weights, means, variances = [], [], [], []
    for size in scatter:
        factor = np.linalg.cholesky(known + size**2 * np.eye(n))
        white = np.linalg.solve(factor, np.stack([np.ones(n), values], axis=1))
        information = float(white[:, 0] @ white[:, 0])
        mean = float(white[:, 0] @ white[:, 1]) / information
        rest = white[:, 1] - mean * white[:, 0]
        logs.append(-np.log(np.diag(factor)).sum() - 0.5 * np.log(information) - 0.5 * float(rest @ rest))
        weights.append(np.linalg.solve(factor.T, white[:, 0]) / information)
        means.append(mean)
        variances.append(1.0 / information)
    share = np.exp(np.array(logs) - max(logs))
    share /= share.sum()
    value = float(share @ means)
    variance = float(share @ variances + share @ (np.array(means) - value) ** 2)
    return np.asarray(share @ np.array(weights)), value, float(np.sqrt(variance))
