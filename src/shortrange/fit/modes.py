"""Independent points: projections of a curve on the functions that its band and its range allow.

A curve that is known on an interval and has no content outside a band has about (width x band) / pi degrees
of freedom, however finely it is sampled. The eigenvectors of the band's kernel on the interval (Slepian's
prolate functions) are those degrees of freedom; likelihoods are evaluated in them, so that neither a fine
grid nor a singular covariance counts a point twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError

__all__ = ["exafs_modes", "pdf_modes"]

Array = NDArray[Any]


def exafs_modes(k: Array, *, r_range: tuple[float, float]) -> Array:
    r"""Modes of k^n chi(k) whose distances lie in ``r_range``.

    The kernel is :math:`\int_{R_1}^{R_2}\cos(2R(k-k'))\,dR`; there are about
    :math:`2\,\Delta k\,\Delta R/\pi` modes.

    Parameters
    ----------
    k
        Uniform grid, 1/angstrom, shape (n,).
    r_range
        Band, angstrom, without phase correction.

    Returns
    -------
    ndarray
        Orthonormal columns, shape (n, m), most concentrated first.
    """
    difference = k[:, None] - k[None, :]
    low, high = r_range
    kernel = high * np.sinc(2.0 * high * difference / np.pi) - low * np.sinc(2.0 * low * difference / np.pi)
    return _leading(kernel, step=_step(k), full=np.pi / 2.0)


def pdf_modes(r: Array, *, q_range: tuple[float, float]) -> Array:
    r"""Modes of G(r) that F(Q) in ``q_range`` can make.

    The kernel is :math:`\int_{Q_1}^{Q_2}\sin(Qr)\sin(Qr')\,dQ`; there are about
    :math:`\Delta r\,\Delta Q/\pi` modes.

    Parameters
    ----------
    r
        Uniform grid, angstrom, shape (n,).
    q_range
        Band, 1/angstrom.

    Returns
    -------
    ndarray
        Orthonormal columns, shape (n, m), most concentrated first.
    """
    minus, plus = r[:, None] - r[None, :], r[:, None] + r[None, :]

    def integral(q: float) -> Array:
        return 0.5 * q * (np.sinc(q * minus / np.pi) - np.sinc(q * plus / np.pi))

    low, high = q_range
    return _leading(integral(high) - integral(low), step=_step(r), full=np.pi / 2.0)


def _step(x: Array) -> float:
    steps = np.diff(x)
    if x.size < 3 or not np.allclose(steps, steps.mean(), rtol=1e-3):
        raise DataError(
            "the grid is not uniform", where="fit.modes", do="interpolate the curve to a uniform grid"
        )
    return float(steps.mean())


def _leading(kernel: Array, *, step: float, full: float) -> Array:
    """Eigenvectors with more than half their content inside the band: as many as the Shannon number."""
    values, vectors = np.linalg.eigh(kernel * step)
    keep = values > 0.5 * full
    if not keep.any():
        raise DataError(
            "the range holds not even one independent point",
            where="fit.modes",
            do="widen the range or the band",
        )
    return np.ascontiguousarray(vectors[:, keep][:, ::-1])
