r"""Mean squared displacements over all pairs of times, by Fourier transform, with their covariance.

The covariance is that of freely diffusing particles (McCluskey, Coles and Morgan 2025):
:math:`\mathrm{cov}(x_i, x_j) = \sigma_i^2\,n_i/n_j` for lags i <= j, with n_i independent windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Motion", "collective_msd", "free_slope_error", "mean_squared_displacement", "slope_of"]

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


def collective_msd(total: Array, n_atoms: int, lags: Array) -> Array:
    """Squared displacement of a sum of positions over their number, shape (n_lags,), angstrom^2.

    Parameters
    ----------
    total
        Sum of the unwrapped positions of the atoms, angstrom, shape (n_frames, 3).
    n_atoms, lags
        How many atoms, and the lags in frames.
    """
    return np.asarray(mean_squared_displacement(total[:, None], lags).sum(axis=1) / n_atoms)


def free_slope_error(time: Array, variance: Array, lags: Array) -> float:
    r"""Return the standard error of the slope of `slope_of` for free diffusion.

    :math:`\sum_{ij} w_i w_j\,\mathrm{cov}(x_i, x_j)` with the weights w of the slope, summed in one pass:
    the covariance factors, :math:`(\sigma_i^2 / l_i)\,l_j` for lags i <= j.

    Parameters
    ----------
    time, lags
        Of the line, in fs and in frames, increasing, shape (n,).
    variance
        Of the mean squared displacement at each, shape (n,).
    """
    weights = _slope_weights(time)
    longer = np.cumsum((weights * lags)[::-1])[::-1] - weights * lags
    total = (weights**2 * variance).sum() + 2.0 * (weights * variance / lags * longer).sum()
    return float(np.sqrt(max(total, 0.0)))


def slope_of(time: Array, msd: Array) -> tuple[float, float]:
    """Straight line by unweighted least squares: slope and intercept.

    Parameters
    ----------
    time, msd
        Shape (n,).
    """
    slope = float(_slope_weights(time) @ msd)
    return slope, float(msd.mean() - slope * time.mean())


def _slope_weights(time: Array) -> Array:
    centred = time - time.mean()
    return np.asarray(centred / (centred**2).sum())


class Motion:
    """Mean squared displacements of an element, from the paths of some atoms after others.

    Parameters
    ----------
    lags, time
        In frames and in fs, shape (n_lags,).
    chosen
        Places of the lags of the line.
    """

    def __init__(self, lags: Array, time: Array, chosen: Array) -> None:
        self._lags, self._chosen, self._at = lags, chosen, time[chosen]
        self._sum = np.zeros((lags.size, 3))
        self._slopes: list[float] = []
        self._probes = np.unique(lags[np.linspace(0, lags.size - 1, min(_PROBES, lags.size)).astype(int)])
        self._powers = np.zeros((self._probes.size, 3))

    def add(self, positions: Array) -> None:
        """Add the unwrapped paths of some atoms, angstrom, shape (n_frames, n, 3)."""
        for a in range(positions.shape[1]):
            path = positions[:, a : a + 1].astype(float)
            squares = mean_squared_displacement(path, self._lags)
            self._sum += squares
            self._slopes.append(slope_of(self._at, squares[self._chosen].sum(axis=1))[0])
            for k, lag in enumerate(self._probes):
                square = ((path[lag:] - path[:-lag]) ** 2).sum(axis=(1, 2))
                self._powers[k] += square.size, square.sum(), (square**2).sum()

    @property
    def by_axis(self) -> Array:
        """Mean squared displacement along x, y and z, angstrom^2, shape (n_lags, 3)."""
        return self._sum / len(self._slopes)

    @property
    def relative_variance(self) -> Array:
        """Variance of single squared displacements over their squared mean, shape (n_lags,).

        2/3 for free diffusion; computed at forty lags and interpolated.
        """
        n, first, second = self._powers.T
        ratio = np.divide(second * n, first**2, out=np.ones(n.size), where=first > 0)
        return np.asarray(np.interp(self._lags, self._probes, ratio - 1.0))

    @property
    def between_atoms(self) -> float | None:
        """Standard error of the slope by its scatter between atoms, which count as independent.

        None for one atom.
        """
        if len(self._slopes) < 2:
            return None
        return float(np.std(self._slopes, ddof=1) / np.sqrt(len(self._slopes)))
