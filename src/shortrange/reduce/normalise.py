"""Pre-edge and post-edge, edge step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import MuE, Step, step
from shortrange.reduce.e0 import find_e0
from shortrange.shown import Shown

__all__ = ["EdgeRanges", "Normalised", "edge_ranges", "normalise"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class EdgeRanges:
    """Where the pre-edge line and the post-edge polynomial are fitted, eV relative to E0.

    Attributes
    ----------
    pre, post
        (low, high).
    pre_order, post_order
        Degree of the polynomials; 0 or 1, and 0 to 2.
    """

    pre: tuple[float, float]
    post: tuple[float, float]
    pre_order: int
    post_order: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normalised(Shown):
    """mu(E) with its edge step divided out.

    Attributes
    ----------
    energy, mu, sigma
        As of the `MuE` it was made from, shape (n,); ``sigma`` may be None.
    norm, flat
        (mu - pre_edge) / edge_step, and the same with the curvature of the post-edge removed.
    pre_edge, post_edge
        Fitted curves, units of mu.
    e0
        Edge energy, eV.
    edge_step, sigma_edge_step
        Units of mu. The error holds the noise and the choice of the ranges (standard deviation over
        narrower and wider ones), which as a rule is the larger part, and what a short scan leaves open; it is
        common to all points of ``norm``.
    ranges
        The ranges that were used.
    """

    energy: Array
    mu: Array
    sigma: Array | None
    norm: Array
    flat: Array
    pre_edge: Array
    post_edge: Array
    e0: float
    edge_step: float
    sigma_edge_step: float
    ranges: EdgeRanges
    label: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for name in ("energy", "mu", "sigma", "norm", "flat", "pre_edge", "post_edge"):
            value = getattr(self, name)
            if value is not None:
                own = np.array(value, dtype=float)
                own.setflags(write=False)
                object.__setattr__(self, name, own)


def _below(x: Array, value: float) -> int:
    """Index of the last point at or below a value; 0 if there is none."""
    return max(0, int(np.searchsorted(x, value, side="right")) - 1)


def _nearest(x: Array, value: float) -> int:
    return int(np.abs(x - value).argmin())


def edge_ranges(
    energy: Array,
    *,
    e0: float,
    pre: tuple[float, float] | None = None,
    post: tuple[float, float] | None = None,
    post_order: int | None = None,
) -> EdgeRanges:
    """Ranges of the pre-edge line and the post-edge polynomial, with the defaults of xraylarch.

    Pre-edge: a line from the second point to half way to E0, a constant if that begins less than 15 eV below
    E0 (xraylarch keeps the line, which the tail of the edge then tilts). Post-edge: from 25 eV (less in a
    short scan) to the end; a parabola over more than 300 eV, a line over more than 30 eV, else a constant.
    """
    i0 = _nearest(energy, e0)
    if pre is None:
        grain = 5.0 if i0 > 20 else 2.0
        low = max(grain * round(float(energy[1] - e0) / grain), float(energy[0] - e0))
        pre = (low, 0.5 * low)
    if post is None:
        high = min(5.0 * round(float(energy[-1] - e0) / 5.0), float(energy[-1] - e0))
        low = min(25.0, 5.0 * round(high / 15.0), high - 2.0)
        post = (low, high)
    if post_order is None:
        width = post[1] - post[0]
        post_order = 2 if width >= 300 else 1 if width >= 30 else 0
    relative = energy - e0
    few = _below(relative, pre[1]) - _below(relative, pre[0]) < 3
    # Over less than 15 eV the tail of the edge tilts a line, which is then extrapolated across the edge.
    return EdgeRanges(pre, post, 0 if few or pre[0] > -15.0 else 1, post_order)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Curves on all energies, and the edge step as a linear functional of mu."""

    pre_edge: Array
    post_edge: Array
    weights: Array


@dataclass(frozen=True, slots=True)
class EdgeFit:
    """The fits of the pre-edge and the post-edge as matrices, for any spectrum on one grid.

    ``pre_basis @ (pre_hat @ mu[pre])`` is the pre-edge line, ``weights @ mu`` the edge step.
    """

    pre: slice
    post: slice
    pre_basis: Array
    pre_hat: Array
    post_basis: Array
    post_hat: Array
    weights: Array


def fit_edge(energy: Array, e0: float, ranges: EdgeRanges) -> EdgeFit:
    """Make the operators of a normalisation.

    Raises
    ------
    DataError
        If the post-edge range holds too few points.
    """
    x = (energy - e0) / 100.0  # well-conditioned polynomials
    a, b = _below(energy, ranges.pre[0] + e0), _nearest(energy, ranges.pre[1] + e0)
    b = max(b, a + 1 + ranges.pre_order)
    c, d = _below(energy, ranges.post[0] + e0), _nearest(energy, ranges.post[1] + e0)
    order = ranges.post_order if d - c >= 5 else min(1, ranges.post_order)
    if d - c < order + 2:
        raise DataError(
            f"{max(0, d - c)} points in the post-edge range, "
            f"{ranges.post[0]:g} to {ranges.post[1]:g} eV above the edge",
            where=f"normalise, E0 = {e0:.2f} eV",
            do="choose a wider post_range, or measure further above the edge",
        )
    pre_basis = np.vander(x, ranges.pre_order + 1, increasing=True)
    post_basis = np.vander(x, order + 1, increasing=True)
    pre_hat = np.linalg.pinv(pre_basis[a:b])
    post_hat = np.linalg.pinv(post_basis[c:d])
    # Taken at the grid point nearest to E0, as xraylarch does.
    at_e0 = post_basis[_nearest(energy, e0)] @ post_hat
    weights = np.zeros(energy.size)
    weights[c:d] = at_e0
    weights[a:b] -= (at_e0 @ pre_basis[c:d]) @ pre_hat
    return EdgeFit(slice(a, b), slice(c, d), pre_basis, pre_hat, post_basis, post_hat, weights)


def _fit(energy: Array, mu: Array, e0: float, ranges: EdgeRanges) -> _Fit:
    fit = fit_edge(energy, e0, ranges)
    pre_edge = fit.pre_basis @ (fit.pre_hat @ mu[fit.pre])
    rise = fit.post_basis @ (fit.post_hat @ (mu - pre_edge)[fit.post])
    return _Fit(pre_edge, pre_edge + rise, fit.weights)


def _alternatives(ranges: EdgeRanges) -> list[EdgeRanges]:
    """Other ranges that one might have chosen with as good reason."""
    (a, b), (c, d) = ranges.pre, ranges.post
    wide = d - c
    options = [
        ((a, a + 0.75 * (b - a)), (c, d)),
        ((a + 0.25 * (b - a), b), (c, d)),
        ((a, b), (c + 0.1 * wide, d)),
        ((a, b), (c, d - 0.15 * wide)),
    ]
    return [EdgeRanges(pre, post, ranges.pre_order, ranges.post_order) for pre, post in options]


def normalise(
    data: MuE,
    *,
    e0: float | None = None,
    near: float | None = None,
    pre_range: tuple[float, float] | None = None,
    post_range: tuple[float, float] | None = None,
    post_order: int | None = None,
) -> Normalised:
    """Divide out the edge step; with equal E0 and ranges equal to ``larch.xafs.pre_edge``.

    Parameters
    ----------
    data
        Absorption of one edge.
    e0
        Edge energy, eV; found by `find_e0` if None.
    near
        Tabulated edge energy, eV: E0 is looked for near it, and a given ``e0`` must lie within 50 eV of it.
    pre_range, post_range
        eV relative to E0; chosen by `edge_ranges` if None.
    post_order
        Degree of the post-edge polynomial, 0 to 2; chosen by the length of the range if None.

    Raises
    ------
    DataError
        If E0 lies outside the scan or far from ``near``, if there are fewer than 10 eV before or 20 eV behind
        it, or if there is no step that stands out of what is left of the fits.
    """
    where = data.source or f"MuE(label={data.label!r})"
    energy, mu = data.energy, data.mu
    given = e0 is not None
    if e0 is None:
        e0 = find_e0(energy, mu, near=near)
    _check_e0(energy, e0, near, where)
    ranges = edge_ranges(energy, e0=e0, pre=pre_range, post=post_range, post_order=post_order)
    fit = _fit(energy, mu, e0, ranges)
    edge_step = float(fit.weights @ mu)
    _check_step(energy, mu, e0, fit, edge_step, where)
    others = [float(_fit(energy, mu, e0, r).weights @ mu) for r in _alternatives(ranges)]
    sigma = float(np.sqrt(np.mean((np.array(others) - edge_step) ** 2)))
    if data.sigma is not None:
        sigma = float(np.hypot(sigma, np.linalg.norm(fit.weights * data.sigma)))
    short = _short_ranges(energy, e0)
    # What may be wrong at worst is taken as two standard errors.
    sigma = float(np.hypot(sigma, 0.5 * edge_step * np.linalg.norm([size for *_, size in short])))
    doubts = [
        step(f"warning: short {side}-edge, the edge step may be wrong by {100 * size:.0f} %", eV=eV)
        for side, eV, size in short
    ]
    norm = (mu - fit.pre_edge) / edge_step
    curve = (fit.post_edge - fit.pre_edge) / edge_step
    i0 = _nearest(energy, e0)
    flat = norm.copy()
    flat[i0:] -= (curve - curve[i0])[i0:]
    done = step(
        "normalise",
        e0=e0,
        e0_given=given,
        pre_range=ranges.pre,
        post_range=ranges.post,
        pre_order=ranges.pre_order,
        post_order=ranges.post_order,
    )
    return Normalised(
        energy=energy,
        mu=mu,
        sigma=data.sigma,
        norm=norm,
        flat=flat,
        pre_edge=fit.pre_edge,
        post_edge=fit.post_edge,
        e0=e0,
        edge_step=edge_step,
        sigma_edge_step=sigma,
        ranges=ranges,
        label=data.label,
        history=(*data.history, done, *doubts),
    )


def _short_ranges(energy: Array, e0: float) -> list[tuple[str, float, float]]:
    """Which side of the edge is short, its length in eV, and how wrong the edge step may be, as a part of it.

    Measured on simulated and cut spectra, with and without white lines and over large oscillations.
    """
    before, after = float(e0 - energy[0]), float(energy[-1] - e0)
    found = []
    if before < 30.0:
        found.append(("pre", before, 0.20 if before >= 15.0 else 0.30))
    if after < 200.0:
        found.append(("post", after, 0.50 if after < 30.0 else 0.45 if after < 100.0 else 0.10))
    return found


def _check_e0(energy: Array, e0: float, near: float | None, where: str) -> None:
    if not np.isfinite(e0) or e0 < energy[0] + 10.0 or e0 > energy[-1] - 20.0:
        raise DataError(
            f"E0 = {e0:.2f} eV, but the scan covers {energy[0]:.1f} to {energy[-1]:.1f} eV",
            where=where,
            do="a scan must begin 10 eV below E0 or more and end 20 eV above or more; check e0 and the edge",
        )
    if near is not None and abs(e0 - near) > 50.0:
        raise DataError(
            f"E0 = {e0:.2f} eV is {abs(e0 - near):.0f} eV from the tabulated edge ({near:.1f} eV)",
            where=where,
            do="check e0, the element and the edge",
        )


def _check_step(energy: Array, mu: Array, e0: float, fit: _Fit, edge_step: float, where: str) -> None:
    """Refuse what is no edge: a positive step, larger than the wiggles before it."""
    before = energy < e0 - 10.0
    scatter = float(np.std((mu - fit.pre_edge)[before])) if before.sum() > 3 else 0.0
    size = float(np.ptp(mu))
    if edge_step <= 4.0 * scatter or edge_step <= 1e-9 * max(size, float(np.abs(mu).max())) or size == 0.0:
        raise DataError(
            f"there is no edge near {e0:.1f} eV: step {edge_step:.3g}, scatter before it {scatter:.3g}",
            where=where,
            do="check the element, the edge, the mode and the sign of mu; leave this scan out",
        )
