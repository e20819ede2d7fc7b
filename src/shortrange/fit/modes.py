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
from shortrange.numeric.bands import exafs_band, pdf_band

__all__ = ["exafs_modes", "leading_modes", "pdf_modes"]

Array = NDArray[Any]


def exafs_modes(k: Array, *, r_range: tuple[float, float]) -> Array:
    """Modes of k^n chi(k) whose distances lie in ``r_range``, about 2 dk dR / pi of them.

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

    Raises
    ------
    DataError
        If the grid is not uniform, or the ranges hold no independent point.
    """
    return leading_modes(exafs_band(k, r_range=r_range))


def pdf_modes(r: Array, *, q_range: tuple[float, float]) -> Array:
    """Modes of G(r) that F(Q) in ``q_range`` can make, about dr dQ / pi of them.

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

    Raises
    ------
    DataError
        As `exafs_modes`.
    """
    return leading_modes(pdf_band(r, q_range=q_range))


def leading_modes(kernel: Array) -> Array:
    """Return the eigenvectors with more than half their content inside the band."""
    values, vectors = np.linalg.eigh(kernel)
    keep = values > 0.5
    if not keep.any():
        raise DataError(
            "the range holds not even one independent point",
            where="fit.modes",
            do="widen the range or the band",
        )
    return np.ascontiguousarray(vectors[:, keep][:, ::-1])
