r"""Thousands of spectra on one energy grid at once: normalise, AUTOBK background, Fourier transform.

With one grid and one E0 everything but the weight of the clamps is one matrix for all spectra, and that
weight is one number for each: in coordinates where :math:`|\chi(R)|^2` and the clamps are both diagonal, its
fixed-point iteration costs a few operations for each spline coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.local_polynomial import derivative_operator
from shortrange.quantities import step
from shortrange.reduce.background import clamp_rows, setup
from shortrange.reduce.many import Many, to_r
from shortrange.reduce.normalise import EdgeRanges, edge_ranges, fit_edge

__all__ = ["Batch", "reduce_batch"]

Array = NDArray[Any]

_MIN_STEP = 4.0  # scatters before the edge that an edge must exceed, as in `normalise`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch(Many):
    """Result of `reduce_batch`.

    Attributes
    ----------
    energy
        eV, shape (n,).
    e0
        Of all spectra, eV.
    e0_each
        Steepest rise of each, eV, shape (m,): a check, not used.
    norm
        Normalised mu, shape (m, n).
    ranges
        Of the fits before and after the edge.
    """

    energy: Array
    e0: float
    e0_each: Array
    norm: Array
    ranges: EdgeRanges


def reduce_batch(
    energy: Array,
    mu: Array,
    *,
    e0: float | None = None,
    k_range: tuple[float, float],
    r_bkg: float = 1.0,
    k_weight: float = 2.0,
    dk: float = 1.0,
    window: str = "kaiser",
    r_max: float = 6.0,
    clamps: tuple[float, float] = (0.0, 1.0),
    n_clamp: int = 3,
) -> Batch:
    """Normalise, remove the background and transform many spectra; equal to doing it one by one.

    Parameters
    ----------
    energy
        eV, strictly increasing, shape (n,).
    mu
        Shape (m, n).
    e0
        eV, of all; the steepest rise of their mean if None. Spectra whose edges differ should be aligned
        first.
    k_range, k_weight, dk, window, r_max
        Of the transform to R, as `shortrange.transform.xftf`.
    r_bkg, clamps, n_clamp
        Of the background, as `autobk`.

    Raises
    ------
    DataError
        If shapes do not fit, energies do not increase, or the grid does not allow the reduction at all. A
        fault of one spectrum is in ``reasons`` instead.
    """
    energy, mu = np.asarray(energy, dtype=float), np.asarray(mu, dtype=float)
    _check(energy, mu)
    finite: Array = np.asarray(np.isfinite(mu).all(axis=1))
    reasons = ["" if good else "mu is not finite" for good in finite]
    if not finite.any():
        raise DataError("no spectrum is finite", where="reduce_batch", do="check the data")
    sound = mu if finite.all() else np.where(finite[:, None], mu, 0.0)
    if e0 is None:
        mean = sound[finite].mean(axis=0)[None]
        e0 = float(_steepest(energy, mean, near=float(_steepest(energy, mean)[0]))[0])
    if not energy[0] + 15.0 < e0 < energy[-1] - 100.0:
        raise DataError(
            f"E0 = {e0:.2f} eV, but the grid covers {energy[0]:.1f} to {energy[-1]:.1f} eV",
            where="reduce_batch",
            do="the grid must begin 15 eV below E0 or more and end 100 eV above or more",
        )
    ranges = edge_ranges(energy, e0=e0)
    fit = fit_edge(energy, e0, ranges)
    edge_step = sound @ fit.weights
    norm = sound - (sound[:, fit.pre] @ fit.pre_hat.T) @ fit.pre_basis.T
    before = energy < e0 - 10.0
    flat = edge_step <= _MIN_STEP * norm[:, before].std(axis=1)
    flat |= edge_step <= 1e-9 * np.abs(sound).max(axis=1)
    for i in np.flatnonzero(flat & finite):
        reasons[i] = f"there is no edge near {e0:.1f} eV: step {edge_step[i]:.3g}"
    failed = flat | ~finite
    norm /= np.where(failed, np.nan, edge_step)[:, None]
    k, chi = _background(energy, norm, e0, r_bkg, clamps, n_clamp)
    r, chi_r = to_r(k, chi, k_range=k_range, k_weight=k_weight, dk=dk, window=window, r_max=r_max)
    done = step(
        "reduce a batch",
        spectra=int(mu.shape[0]),
        failed=int(failed.sum()),
        e0=e0,
        pre_range=ranges.pre,
        post_range=ranges.post,
        r_bkg=r_bkg,
        k_range=list(k_range),
        k_weight=k_weight,
    )
    return Batch(
        energy=energy,
        k=k,
        r=r,
        e0=float(e0),
        e0_each=np.where(finite, _steepest(energy, sound, near=e0), np.nan),
        edge_step=np.where(failed, np.nan, edge_step),
        norm=norm,
        chi=chi,
        chi_r=chi_r,
        ranges=ranges,
        reasons=tuple(reasons),
        history=(done,),
    )


def _check(energy: Array, mu: Array) -> None:
    if energy.ndim != 1 or mu.ndim != 2 or mu.shape[1] != energy.size or mu.shape[0] == 0:
        raise DataError(
            f"mu has shape {mu.shape} and energy {energy.shape}",
            where="reduce_batch",
            do="give energy of shape (n,) and mu of shape (m, n)",
        )
    if energy.size < 20 or not np.isfinite(energy).all() or np.any(np.diff(energy) <= 0):
        raise DataError(
            f"the {energy.size} energies do not increase, or are too few",
            where="reduce_batch",
            do="give 20 or more, in order, each once",
        )


def _steepest(energy: Array, mu: Array, *, near: float | None = None) -> Array:
    """Energy of the largest slope of each spectrum, under Gaussians of 1 eV (or 1.5 steps of the grid)."""
    part = np.ones(energy.size, dtype=bool) if near is None else np.abs(energy - near) < 25.0
    inside = energy[part]
    width = max(1.0, 1.5 * float(np.median(np.diff(inside))))
    at = inside if near is None else np.arange(inside[0], inside[-1], 0.25)
    operator = np.nan_to_num(derivative_operator(inside, at, width=width, degree=1, order=1))
    slopes = mu[:, part] @ operator.T
    top = np.clip(np.argmax(slopes, axis=1), 1, at.size - 2)
    rows = np.arange(mu.shape[0])
    left, middle, right = (slopes[rows, top + i] for i in (-1, 0, 1))
    curvature = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / np.where(curvature < 0, curvature, -1.0)
    return np.asarray(at[top] if near is None else at[top] + 0.25 * np.clip(shift, -0.5, 0.5))


def _background(
    energy: Array, norm: Array, e0: float, r_bkg: float, clamps: tuple[float, float], n_clamp: int
) -> tuple[Array, Array]:
    """AUTOBK of all spectra; see `shortrange.reduce.background` for the weight of the clamps."""
    problem = setup(energy, e0, r_bkg, (0.0, None), k_weight=1.0, k_step=0.05, dk=0.1, window="hanning")
    spline = problem.to_k @ problem.basis
    raw = norm[:, problem.raw] @ problem.to_k.T
    # Coordinates z of the coefficients in which |chi(R)|^2 = |ft y - Q z|^2 and the clamps are diagonal.
    q, triangle = np.linalg.qr(problem.ft @ spline)
    to_z = np.linalg.solve(triangle.T, spline.T).T
    clamped = clamp_rows(problem.k.size, clamps, n_clamp)
    size, rotation = np.linalg.eigh((clamped @ to_z).T @ (clamped @ to_z))
    to_z = to_z @ rotation
    size = np.maximum(size, 0.0)
    data_r = raw @ problem.ft.T
    target = (data_r @ q) @ rotation
    pull = (raw @ clamped.T) @ (clamped @ to_z)
    # What no spline can reach of chi(R), and the clamped points without a spline.
    rest = np.maximum((data_r**2).sum(axis=1) - (target**2).sum(axis=1), 0.0)
    clamp0 = ((raw @ clamped.T) ** 2).sum(axis=1)
    z = _solve(target, pull, size, rest, clamp0, problem.ft.shape[0])
    return problem.k, raw - z @ to_z.T


def _solve(target: Array, pull: Array, size: Array, rest: Array, clamp0: Array, n_r: int) -> Array:
    """Iterate the weight of the clamps for all spectra until none changes by more than 1e-10 of it."""
    weight = np.full(target.shape[0], 0.1)
    active = np.flatnonzero(np.isfinite(rest))
    z = np.full_like(target, np.nan)
    for _ in range(50):
        w2 = weight[active, None] ** 2
        now = (target[active] + w2 * pull[active]) / (1.0 + w2 * size)
        z[active] = now
        mean = (rest[active] + ((target[active] - now) ** 2).sum(axis=1)) / n_r
        scale = 0.1 + 10.0 * mean
        held = clamp0[active] - 2.0 * (now * pull[active]).sum(axis=1) + (size * now**2).sum(axis=1)
        new = scale / np.sqrt(1.0 + 20.0 * scale * np.maximum(held, 0.0) / n_r)
        settled = np.abs(new - weight[active]) <= 1e-10 * weight[active]
        weight[active] = new
        active = active[~settled]
        if not active.size:
            break
    return z
