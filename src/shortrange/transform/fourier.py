"""k -> R -> q with xraylarch's windows and conventions, errors carried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.xafs_fourier import back_fourier_matrix, fourier_matrix, larch_r_grid
from shortrange.quantities import ChiK, ChiR, Step, step

__all__ = ["ChiQ", "sigma_magnitude", "xftf", "xftr"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChiQ:
    """Back transform of a range of chi(R).

    Attributes
    ----------
    q
        1/angstrom, shape (n,).
    chi
        Complex; its real part is the filtered k^n chi(k).
    cov
        Covariance of (real part, imaginary part) stacked, shape (2n, 2n), or None.
    k_weight, r_range
        The power of k still in ``chi``, and the range of R, angstrom.
    """

    q: Array
    chi: Array
    cov: Array | None
    k_weight: float
    r_range: tuple[float, float]
    label: str = ""
    history: tuple[Step, ...] = ()


def _stacked(matrix: Array) -> Array:
    """Real and imaginary rows of a complex matrix that acts on real data."""
    return np.concatenate([matrix.real, matrix.imag])


def xftf(
    chi: ChiK,
    *,
    k_range: tuple[float, float],
    k_weight: float = 2.0,
    dk: float = 1.0,
    dk2: float | None = None,
    window: str = "kaiser",
    r_max: float = 10.0,
    r: Array | None = None,
) -> ChiR:
    """Transform chi(k) to chi(R), as ``larch.xafs.xftf``.

    Parameters
    ----------
    chi
        On k = 0, dk, 2 dk, ... or part of it. Its covariance is carried (or its ``sigma``, as independent).
    k_range
        1/angstrom, centres of the tapers.
    k_weight
        Power of k.
    dk, dk2, window
        See `shortrange.numeric.windows.ft_window`.
    r_max
        angstrom, end of xraylarch's grid (spacing pi / (2048 dk), finer than the data resolve).
    r
        Other distances, angstrom, shape (n,).

    Raises
    ------
    DataError
        If the range is empty or begins beyond the data, or the grid is not uniform.
    """
    step_k = float(chi.k[1] - chi.k[0]) if chi.k.size > 1 else 0.0
    if not 0 <= k_range[0] < k_range[1] or k_range[0] >= chi.k[-1]:
        raise DataError(
            f"k_range {k_range[0]:g} to {k_range[1]:g}, but the data reach to {chi.k[-1]:.2f} 1/angstrom",
            where=f"xftf(label={chi.label!r})",
            do="choose a range within the data",
        )
    if r is None:
        r = larch_r_grid(step_k, r_max=r_max)
    matrix = fourier_matrix(chi.k, r, k_weight=k_weight, k_range=k_range, dk=dk, dk2=dk2, window=window)
    cov, stacked = chi.covariance(), _stacked(matrix)
    done = step("transform k to R", k_range=list(k_range), k_weight=k_weight, dk=dk, dk2=dk2, window=window)
    return ChiR(
        r=r,
        chi=matrix @ chi.chi,
        cov=None if cov is None else stacked @ cov @ stacked.T,
        k_weight=k_weight,
        k_range=k_range,
        label=chi.label,
        history=(*chi.history, done),
    )


def sigma_magnitude(chi: ChiR) -> Array | None:
    """Propagate the covariance to abs(chi(R)), to first order; shape (n,), None if it is unknown.

    Where the magnitude is not much larger than its error, it is biased upwards and not normally distributed.
    """
    if chi.cov is None:
        return None
    n = chi.r.size
    size = np.maximum(chi.magnitude, 1e-300)
    c, s = chi.chi.real / size, chi.chi.imag / size
    rr, ii, ri = np.diag(chi.cov[:n, :n]), np.diag(chi.cov[n:, n:]), np.diag(chi.cov[:n, n:])
    return np.asarray(np.sqrt(np.maximum(c**2 * rr + s**2 * ii + 2 * c * s * ri, 0.0)))


def xftr(
    chi: ChiR,
    *,
    r_range: tuple[float, float],
    dr: float = 1.0,
    dr2: float | None = None,
    window: str = "kaiser",
    q_max: float = 20.0,
    q_step: float = 0.05,
) -> ChiQ:
    """Transform a range of chi(R) back to q, as ``larch.xafs.xftr``.

    Parameters
    ----------
    chi
        On a uniform grid of R from 0.
    r_range, dr, dr2, window
        As for `xftf`; angstrom.
    q_max, q_step
        Grid of q, 1/angstrom.
    """
    q = q_step * np.arange(int(1.01 + q_max / q_step))
    matrix = back_fourier_matrix(chi.r, q, r_range=r_range, dr=dr, dr2=dr2, window=window)
    cov = None
    if chi.cov is not None:
        # A complex matrix on a complex vector, written with real and imaginary parts apart.
        real = np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])
        cov = real @ chi.cov @ real.T
    done = step("transform R to q", r_range=list(r_range), dr=dr, dr2=dr2, window=window)
    return ChiQ(
        q=q,
        chi=matrix @ chi.chi,
        cov=cov,
        k_weight=chi.k_weight,
        r_range=r_range,
        label=chi.label,
        history=(*chi.history, done),
    )
