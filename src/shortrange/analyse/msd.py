r"""Mean squared displacements over all pairs of times, by Fourier transform, with their covariance.

The covariance is that of freely diffusing particles (McCluskey, Coles and Morgan 2025):
:math:`\mathrm{cov}(x_i, x_j) = \sigma_i^2\,n_i/n_j` for lags i <= j, with n_i independent windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "between_atoms",
    "collective_msd",
    "free_covariance",
    "mean_squared_displacement",
    "relative_variance",
    "slope_of",
]

Array = NDArray[Any]

_PROBES = 40
_BATCH = 16  # atoms at a time, for the sake of memory


def mean_squared_displacement(positions: Array, lags: Array) -> Array:
    """Mean over atoms and all overlapping windows of the squared displacement, shape (n_lags, 3), angstrom^2.

    Parameters
    ----------
    positions
        Unwrapped, angstrom, shape (n_frames, n_atoms, 3).
    lags
        In frames, 1 to n_frames - 1, shape (n_lags,).

    Notes
    -----
    By the Wiener-Khinchin theorem (Calandrini et al. 2011): n log n in place of n^2.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n, n_atoms = positions.shape[:2]
    size = next_fast_len(2 * n, real=True)
    product, square = np.zeros((size // 2 + 1, 3)), np.zeros((n, 3))
    for first in range(0, n_atoms, _BATCH):
        x = positions[:, first : first + _BATCH].astype(float)
        x -= x.mean(axis=0)  # for the sake of rounding; displacements do not change
        spectrum = rfft(x, n=size, axis=0)
        product += (spectrum.real**2 + spectrum.imag**2).sum(axis=1)
        square += (x**2).sum(axis=1)
    correlation = irfft(product, n=size, axis=0)[lags]
    upto = np.concatenate([np.zeros((1, 3)), np.cumsum(square, axis=0)])
    ends = upto[n - lags] + upto[n] - upto[lags]
    return np.asarray((ends - 2.0 * correlation) / ((n - lags)[:, None] * n_atoms))


def collective_msd(positions: Array, lags: Array) -> Array:
    """Squared displacement of the sum of the atoms over their number, shape (n_lags,), angstrom^2."""
    total = positions.sum(axis=1, keepdims=True, dtype=float)
    return np.asarray(mean_squared_displacement(total, lags).sum(axis=1) / positions.shape[1])


def relative_variance(positions: Array, lags: Array) -> Array:
    """Variance of single squared displacements over their squared mean, shape (n_lags,).

    2/3 for free diffusion; computed at forty lags and interpolated.
    """
    probes = np.unique(lags[np.linspace(0, lags.size - 1, min(_PROBES, lags.size)).astype(int)])
    values = []
    for lag in probes:
        n = mean = fourth = 0.0
        for first in range(0, positions.shape[1], _BATCH):
            x = positions[:, first : first + _BATCH]
            square = ((x[lag:] - x[:-lag]).astype(float) ** 2).sum(axis=2)
            n, mean, fourth = n + square.size, mean + float(square.sum()), fourth + float((square**2).sum())
        values.append(fourth * n / mean**2 - 1.0 if mean > 0 else 0.0)
    return np.asarray(np.interp(lags, probes, values))


def free_covariance(variance: Array, lags: Array) -> Array:
    """Covariance between lags, shape (n_lags, n_lags), of the variances at each (increasing) lag."""
    low, high = np.minimum.outer(lags, lags), np.maximum.outer(lags, lags)
    place = np.minimum.outer(np.arange(lags.size), np.arange(lags.size))
    return np.asarray(variance[place] * high / low)


def slope_of(time: Array, msd: Array, covariance: Array | None = None) -> tuple[float, float, float | None]:
    """Straight line by unweighted least squares: slope, intercept, and standard error of the slope.

    Parameters
    ----------
    time, msd
        Shape (n,).
    covariance
        Of ``msd``, shape (n, n); without it there is no error.
    """
    centred = time - time.mean()
    weights = centred / (centred**2).sum()
    slope = float(weights @ msd)
    sigma = None if covariance is None else float(np.sqrt(max(weights @ covariance @ weights, 0.0)))
    return slope, float(msd.mean() - slope * time.mean()), sigma


def between_atoms(positions: Array, lags: Array, time: Array) -> float | None:
    """Return the standard error of the slope of the mean squared displacement, by its scatter between atoms.

    Takes the atoms to move independently; None for one atom.

    Parameters
    ----------
    positions
        Unwrapped, angstrom, shape (n_frames, n_atoms, 3).
    lags, time
        Of the line, in frames and in fs, shape (n,).
    """
    n_atoms = positions.shape[1]
    if n_atoms < 2:
        return None
    each = [
        slope_of(time, mean_squared_displacement(positions[:, a : a + 1], lags).sum(axis=1))[0]
        for a in range(n_atoms)
    ]
    return float(np.std(each, ddof=1) / np.sqrt(n_atoms))
