"""From binned path sums to spectra: chi = Im sum over bins of envelope(k) exp(2 i k R_bin (1 + stretch))."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.simulate.exafs.sums import BIN_WIDTH
from shortrange.simulate.exafs.tables import K_GRID

__all__ = ["bin_centres", "chi_from_envelopes", "onto"]

Array = NDArray[Any]


def bin_centres(n_bins: int) -> Array:
    """Path lengths taken out of the envelopes, angstrom."""
    return (np.arange(n_bins) + 0.5) * BIN_WIDTH


@cache
def _spline_matrix(k: tuple[float, ...]) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(K_GRID, np.eye(K_GRID.size))(np.array(k)))


def onto(envelopes: Array, k: Array) -> Array:
    """Envelopes on `K_GRID` (last axis) interpolated onto ``k``, 1/angstrom."""
    return np.asarray(envelopes @ _spline_matrix(tuple(k.tolist())).T)


def chi_from_envelopes(envelopes: Array, k: Array, *, stretch: float = 0.0) -> Array:
    """chi(k) of envelopes of shape (..., n_bins, n_k_grid); the result has shape (..., n_k)."""
    fine = onto(envelopes, k)
    carrier = np.exp(2j * np.outer(bin_centres(envelopes.shape[-2]) * (1.0 + stretch), k))
    return np.asarray(np.einsum("...bk,bk->...k", fine, carrier).imag)
