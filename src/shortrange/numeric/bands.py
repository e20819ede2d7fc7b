"""Kernels of band-limited curves: how much of a sampled curve its band can hold.

Both kernels are normalised so that their eigenvalues lie between 0 (outside the band) and 1 (inside).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hankel, toeplitz

from shortrange.errors import DataError

__all__ = ["exafs_band", "noise_in_band", "pdf_band"]

Array = NDArray[Any]


def exafs_band(k: Array, *, r_range: tuple[float, float]) -> Array:
    r"""Kernel :math:`\frac{2\,\delta k}{\pi}\int_{R_1}^{R_2}\cos(2R(k-k'))\,dR` of chi(k), shape (n, n).

    Parameters
    ----------
    k
        Uniform grid, 1/angstrom, shape (n,).
    r_range
        Band, angstrom, without phase correction.
    """
    difference = k[:, None] - k[None, :]

    def integral(r: float) -> Array:
        return np.asarray(r * np.sinc(2.0 * r * difference / np.pi))

    return np.asarray((integral(r_range[1]) - integral(r_range[0])) * _step(k) / (np.pi / 2.0))


def pdf_band(r: Array, *, q_range: tuple[float, float]) -> Array:
    r"""Kernel :math:`\frac{2\,\delta r}{\pi}\int_{Q_1}^{Q_2}\sin(Qr)\sin(Qr')\,dQ` of G(r), shape (n, n).

    Parameters
    ----------
    r
        Uniform grid, angstrom, shape (n,).
    q_range
        Band, 1/angstrom.
    """
    # On a uniform grid r - r' and r + r' take few values: each is a matrix of equal diagonals.
    step = _step(r)
    minus, plus = step * np.arange(r.size), 2 * r[0] + step * np.arange(2 * r.size - 1)

    def integral(q: float) -> Array:
        near, far = (np.sinc(q * x / np.pi) for x in (minus, plus))
        return np.asarray(0.5 * q * (toeplitz(near) - hankel(far[: r.size], far[r.size - 1 :])))

    return np.asarray((integral(q_range[1]) - integral(q_range[0])) * step / (np.pi / 2.0))


def noise_in_band(sigma: Array, band: Array) -> Array:
    """Covariance of noise that fills a band evenly, with the standard errors ``sigma``, shape (n, n).

    Points of a transform that are closer than the band can tell apart share their noise: they are not
    independent, however fine the grid.

    Parameters
    ----------
    sigma
        Standard errors of the points, shape (n,).
    band
        Kernel of the band at them, as from `pdf_band`, shape (n, n).
    """
    spread = sigma / np.sqrt(np.clip(np.diag(band), 1e-12, None))
    return np.asarray(band * np.outer(spread, spread))


def _step(x: Array) -> float:
    steps = np.diff(x)
    if x.size < 3 or not np.allclose(steps, steps.mean(), rtol=1e-3):
        raise DataError(
            "the grid is not uniform", where="numeric.bands", do="interpolate the curve to a uniform grid"
        )
    return float(steps.mean())
