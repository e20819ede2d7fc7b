r"""Kernels of the XAFS Fourier transforms, as matrices, so that errors and fits can use them on any grid.

.. math::
   \chi(R) = \frac{1}{\sqrt\pi}\int w(k)\,k^n\chi(k)\,e^{-2ikR}\,dk \qquad
   \chi(q) = \frac{2}{\sqrt\pi}\int w(R)\,\chi(R)\,e^{2iqR}\,dR

The normalisation and the sign of the phase are those of xraylarch, where
:math:`\chi(k) \sim \sin(2kR)` gives an imaginary part that is negative at R.
The real part of :math:`\chi(q)` is the filtered :math:`k^n\chi(k)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.windows import ft_window, uniform_step

__all__ = ["back_fourier_matrix", "fourier_matrix", "k_window", "larch_r_grid"]

Array = NDArray[Any]


def larch_r_grid(k_step: float, *, r_max: float = 10.0, n_fft: int = 2048) -> Array:
    """Grid of R (angstrom) on which xraylarch transforms data of spacing ``k_step`` (1/angstrom)."""
    r_step = np.pi / (k_step * n_fft)
    return r_step * np.arange(int(min(n_fft / 2, 1.01 + r_max / r_step)))


def k_window(
    k: Array,
    *,
    k_range: tuple[float, float],
    dk: float = 1.0,
    dk2: float | None = None,
    window: str = "kaiser",
) -> Array:
    """Window on the points ``k``: `ft_window` on a grid from 0 to beyond the upper taper.

    Parameters
    ----------
    k
        Uniform grid whose points are multiples of its spacing, 1/angstrom, shape (n,).
    k_range, dk, dk2, window
        As `ft_window`.

    Raises
    ------
    DataError
        If the grid is not uniform, or would not meet 0 if it were continued.
    """
    where = "window over k"
    step = uniform_step(k, where=where)
    first = round(float(k[0]) / step)
    if first < 0 or abs(float(k[0]) - first * step) > 1e-3 * step:
        raise DataError(
            f"k starts at {k[0]:g}, which is no multiple of its spacing {step:g}",
            where=where,
            do="interpolate chi on k = 0, dk, 2 dk, ...",
        )
    k_end = max(float(k[-1]), k_range[1] + (dk if dk2 is None else dk2))
    # Not shorter than the data: the quotient may fall below a whole number by rounding.
    whole = step * np.arange(max(int(1.01 + k_end / step), first + k.size))
    return ft_window(whole, x_range=k_range, dx=dk, dx2=dk2, window=window)[first : first + k.size]


def fourier_matrix(
    k: Array,
    r: Array,
    *,
    k_weight: float = 2.0,
    k_range: tuple[float, float],
    dk: float = 1.0,
    dk2: float | None = None,
    window: str = "kaiser",
) -> Array:
    """Matrix that takes unweighted chi(k) to complex chi(R).

    Parameters
    ----------
    k
        Uniform, 1/angstrom, multiples of the spacing, shape (n_k,).
    r
        Any distances, angstrom, shape (n_r,).
    k_weight
        Power of k.
    k_range, dk, dk2, window
        As `ft_window`; 1/angstrom.

    Returns
    -------
    ndarray
        Complex, shape (n_r, n_k); ``fourier_matrix(...) @ chi`` in angstrom^-(k_weight + 1).
    """
    weights = k_window(k, k_range=k_range, dk=dk, dk2=dk2, window=window) * k**k_weight
    step = uniform_step(k, where="fourier_matrix")
    return np.asarray(step / np.sqrt(np.pi) * np.exp(-2j * np.outer(r, k)) * weights)


def back_fourier_matrix(
    r: Array,
    q: Array,
    *,
    r_range: tuple[float, float],
    dr: float = 1.0,
    dr2: float | None = None,
    window: str = "kaiser",
) -> Array:
    """Matrix that takes complex chi(R) to complex chi(q), shape (n_q, n_r).

    Parameters
    ----------
    r
        Uniform from 0, angstrom, shape (n_r,).
    q
        Any wavenumbers, 1/angstrom, shape (n_q,).
    r_range, dr, dr2, window
        As `ft_window`; angstrom.
    """
    weights = k_window(r, k_range=r_range, dk=dr, dk2=dr2, window=window)
    step = uniform_step(r, where="back_fourier_matrix")
    return np.asarray(2.0 * step / np.sqrt(np.pi) * np.exp(2j * np.outer(q, r)) * weights)
