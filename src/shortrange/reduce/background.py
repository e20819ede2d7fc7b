r"""AUTOBK background and chi(k), as linear least squares.

Newville, Livins, Yacoby, Rehr, Stern, Phys. Rev. B 47, 14126 (1993): a spline whose knots are as many as the
data below R_bkg can carry is chosen so that :math:`\chi(R)` is small there. :math:`\chi(R)` is linear in the
spline coefficients, and so are the clamps at the ends once their weight is fixed. So :math:`\chi = P\mu` with
a matrix P that depends on the energies only, and the covariance of chi is :math:`P\,\mathrm{cov}(\mu)\,P^T`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.splines import spline_matrix
from shortrange.numeric.windows import ft_window
from shortrange.numeric.xafs_fourier import larch_r_grid
from shortrange.quantities import ChiK, step
from shortrange.reduce.normalise import Normalised
from shortrange.units import HBAR2_2ME

__all__ = ["Background", "autobk"]

Array = NDArray[Any]

_N_FFT = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Background:
    """Smooth atomic background and the operator that made chi(k) with it.

    Attributes
    ----------
    energy, bkg
        Background on the energies of the data, eV and units of mu, shape (n,); equal to mu where no
        background was fitted.
    n_knots
        Number of spline coefficients.
    knots
        Their knots, 1/angstrom.
    r_bkg
        Distance below which the spline takes everything, angstrom.
    projector
        Matrix from mu to ``edge_step`` times chi, shape (n_k, n).
    """

    energy: Array
    bkg: Array
    n_knots: int
    knots: Array
    r_bkg: float
    projector: Array


@dataclass(frozen=True, slots=True)
class Problem:
    """The pieces that depend on the energies only."""

    raw: slice
    k: Array
    to_k: Array
    basis: Array
    ft: Array
    knots: Array


def _knot_places(k_raw: Array, k_range: tuple[float, float], n_knots: int) -> Array:
    """Find the data points nearest to evenly spaced k."""
    wanted = np.linspace(*k_range, n_knots)
    places: Array = k_raw[np.abs(k_raw - wanted[:, None]).argmin(axis=1)]
    return places


def setup(
    energy: Array,
    e0: float,
    r_bkg: float,
    k_range: tuple[float, float | None],
    *,
    k_weight: float,
    k_step: float,
    dk: float,
    window: str,
) -> Problem:
    """Grids and operators, with the conventions of ``larch.xafs.autobk``; arguments as of `autobk`."""
    from scipy.interpolate import BSpline

    i_e0 = max(0, int(np.searchsorted(energy, e0, side="right")) - 1)
    above = energy[i_e0:] - e0
    k_raw = np.sign(above) * np.sqrt(np.abs(above) / HBAR2_2ME)
    k_min = k_range[0]
    k_max = float(k_raw[-1]) if k_range[1] is None else min(float(k_raw[-1]), k_range[1])
    k = k_step * np.arange(int(1.01 + k_max / k_step))
    end = min(energy.size, 2 + int(np.searchsorted(energy, e0 + k_max**2 * HBAR2_2ME, side="right")) - 1) - 1
    raw = slice(i_e0, end + 1)

    r_step = np.pi / (k_step * _N_FFT)
    r_bkg = max(r_bkg, 2 * r_step)
    n_knots = 1 + int(2 * r_bkg * (k_max - k_min) / np.pi)
    n_r = int(1 + (n_knots - 1) * np.pi / (2 * r_step * (k_max - k_min)))
    n_knots = max(5, min(128, n_knots))
    places = _knot_places(k_raw, (k_min, k_max), n_knots)
    if np.any(np.diff(places) <= 0):
        raise DataError(
            f"{k_raw.size} points above the edge are too few for {n_knots} spline knots",
            where=f"autobk, E0 = {e0:.2f} eV",
            do="lower r_bkg, or measure in finer steps",
        )
    knots = np.concatenate([np.full(4, places[0]), places[2:-2], np.full(4, places[-1])])
    k_raw = k_raw[: end - i_e0 + 1]
    weight = ft_window(k, x_range=(k_min, k_max), dx=dk, window=window) * k**k_weight
    r = larch_r_grid(k_step, r_max=1e9)[:n_r]
    ft = k_step / np.sqrt(np.pi) * np.exp(-2j * np.outer(r, k)) * weight
    return Problem(
        raw=raw,
        k=k,
        to_k=spline_matrix(k_raw, k),
        basis=BSpline.design_matrix(k_raw, knots, 3, extrapolate=True).toarray(),
        ft=np.concatenate([ft.real, ft.imag]),
        knots=knots,
    )


def clamp_rows(size: int, clamps: tuple[float, float], n_clamp: int) -> Array:
    """Matrix that picks and weights the clamped points of chi(k), shape (2 n_clamp, size)."""
    clamped = np.zeros((2 * n_clamp, size))
    for i in range(n_clamp):
        clamped[i, i] = clamps[0]
        clamped[n_clamp + i, size - n_clamp + i] = clamps[1]
    return clamped


def _solve(problem: Problem, y: Array, clamps: tuple[float, float], n_clamp: int) -> tuple[Array, float]:
    r"""Matrix from data to spline coefficients, and the weight of the clamps, found by fixed-point iteration.

    Xraylarch minimises :math:`|\chi(R)|^2 + s^2|d|^2`, where d are the clamped points of chi and
    :math:`s = 0.1 + 10\langle\chi(R)^2\rangle` depends on the coefficients too. Where the gradient of that
    vanishes, so does that of least squares with the fixed weight :math:`s / \sqrt{1 + 20 s |d|^2 / m}`, for m
    values of chi(R): this finds the minimum itself, before which xraylarch's search may stop.
    Here chi is that of normalised data, so that the result does not depend on the units of mu.
    """
    spline_k = problem.to_k @ problem.basis
    data_k = problem.to_k
    clamped = clamp_rows(problem.k.size, clamps, n_clamp)
    weight = 0.1
    for _ in range(50):
        measure = np.concatenate([problem.ft, weight * clamped])
        to_coefficients = np.linalg.lstsq(measure @ spline_k, measure @ data_k, rcond=None)[0]
        chi = data_k @ y - spline_k @ (to_coefficients @ y)
        mean = float(np.mean((problem.ft @ chi) ** 2))
        scale = 0.1 + 10.0 * mean
        pull = 20.0 * scale * float(np.sum((clamped @ chi) ** 2)) / problem.ft.shape[0]
        new = scale / np.sqrt(1.0 + pull)
        if abs(new - weight) <= 1e-10 * weight:
            break
        weight = float(new)
    return to_coefficients, weight


def autobk(
    data: Normalised,
    *,
    r_bkg: float = 1.0,
    k_weight: float = 1.0,
    k_min: float = 0.0,
    k_max: float | None = None,
    k_step: float = 0.05,
    dk: float = 0.1,
    window: str = "hanning",
    clamps: tuple[float, float] = (0.0, 1.0),
    n_clamp: int = 3,
) -> tuple[Background, ChiK]:
    """Background and chi(k); with equal settings equal to ``larch.xafs.autobk``.

    Parameters
    ----------
    data
        With E0 and edge step.
    r_bkg
        angstrom; the background takes what lies below.
    k_weight, dk, window
        Of the transform that is made small.
    k_min, k_max
        1/angstrom; the end of the data if None.
    k_step
        Spacing of chi(k), 1/angstrom.
    clamps, n_clamp
        Weights that hold the first and last ``n_clamp`` points of chi(k) to zero.

    Returns
    -------
    Background, ChiK
        The covariance of chi is that of the noise of mu, if ``data.sigma`` is known. The error of the edge
        step is not in it: it is one common factor, ``data.sigma_edge_step / data.edge_step``.

    Raises
    ------
    DataError
        If the data end less than 100 eV above E0, or ``r_bkg`` or the range is not positive.
    """
    where = f"autobk(label={data.label!r})"
    energy, e0, edge_step = data.energy, data.e0, data.edge_step
    if energy[-1] - e0 < 100.0:
        raise DataError(
            f"the scan ends {energy[-1] - e0:.0f} eV above E0 = {e0:.2f} eV",
            where=where,
            do="EXAFS needs 100 eV or more above the edge; use the normalised spectrum only",
        )
    if not (r_bkg > 0 and k_min >= 0 and (k_max is None or k_max > k_min + 1)):
        raise DataError(
            f"r_bkg = {r_bkg:g}, k_min = {k_min:g}, k_max = {k_max}",
            where=where,
            do="give positive, increasing values",
        )
    problem = setup(energy, e0, r_bkg, (k_min, k_max), k_weight=k_weight, k_step=k_step, dk=dk, window=window)
    inside = problem.raw
    to_coefficients, weight = _solve(problem, data.mu[inside] / edge_step, clamps, n_clamp)
    projector = np.zeros((problem.k.size, energy.size))
    # Never a matrix of points times points: continuous scans have tens of thousands.
    projector[:, inside] = problem.to_k - (problem.to_k @ problem.basis) @ to_coefficients
    bkg = np.array(data.mu)
    bkg[inside] = problem.basis @ (to_coefficients @ data.mu[inside])
    background = Background(
        energy=energy,
        bkg=bkg,
        n_knots=to_coefficients.shape[0],
        knots=problem.knots,
        r_bkg=r_bkg,
        projector=projector,
    )
    cov = None
    if data.sigma is not None:
        scaled = projector * (data.sigma / edge_step)
        cov = scaled @ scaled.T
    done = step(
        "remove background",
        method="autobk",
        r_bkg=r_bkg,
        k_min=k_min,
        k_max=k_max,
        n_clamp=n_clamp,
        clamps=list(clamps),
        clamp_weight=weight,
        n_knots=background.n_knots,
        k_weight=k_weight,
        k_step=k_step,
        dk=dk,
        window=window,
    )
    chi = ChiK(
        k=problem.k,
        chi=projector @ data.mu / edge_step,
        sigma=None if cov is None else np.sqrt(np.diag(cov)),
        cov=cov,
        e0=e0,
        edge_step=edge_step,
        label=data.label,
        history=(*data.history, done),
    )
    return background, chi
