"""What reductions of thousands of spectra share: their result, and the transform to R of all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.xafs_fourier import fourier_matrix, larch_r_grid
from shortrange.quantities import Step

__all__ = ["Many", "to_r"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Many:
    """Spectra reduced together; what failed is NaN.

    Attributes
    ----------
    edge_step
        Units of mu, shape (m,).
    k
        1/angstrom, shape (n_k,).
    chi
        Shape (m, n_k).
    r, chi_r
        angstrom (n_r,), and the complex transforms (m, n_r).
    reasons
        Why a spectrum failed, or empty; length m.
    """

    edge_step: Array
    k: Array
    chi: Array
    r: Array
    chi_r: Array
    reasons: tuple[str, ...]
    history: tuple[Step, ...]


def to_r(
    k: Array,
    chi: Array,
    *,
    k_range: tuple[float, float],
    k_weight: float,
    dk: float,
    window: str,
    r_max: float,
) -> tuple[Array, Array]:
    """R, shape (n_r,), and complex chi(R), shape (m, n_r), of spectra on one uniform k.

    Parameters
    ----------
    k, chi
        1/angstrom (n_k,), and (m, n_k): NaN beyond the end of a spectrum. The window does not depend on where
        that is, and beyond it there is nothing to add; a spectrum that ends before ``k_range`` gives NaN.
    k_range, k_weight, dk, window, r_max
        As `shortrange.transform.fourier.xftf`.
    """
    r = larch_r_grid(float(k[1] - k[0]), r_max=r_max)
    kernel = fourier_matrix(k, r, k_range=k_range, k_weight=k_weight, dk=dk, window=window)
    known = np.isfinite(chi)
    filled = np.where(known, chi, 0.0)
    chi_r = filled @ kernel.real.T + 1j * (filled @ kernel.imag.T)
    chi_r[k[np.maximum(known.sum(axis=1), 1) - 1] <= k_range[0]] = np.nan
    return r, chi_r
