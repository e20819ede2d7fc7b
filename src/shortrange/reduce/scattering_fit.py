r"""Absolute scale, background, Compton and fluorescence of I(Q) by one linear least squares.

The measured intensity is taken as

.. math:: I = \alpha\,p [\langle f^2\rangle + |\langle f\rangle|^2 (S - 1) + \kappa C] + b\,I_{bg} + \varphi

with p a smooth polynomial close to 1. With beta = 1 / alpha, S is linear in the unknowns. They follow from
the conditions of `shortrange.reduce.scattering_conditions`. How far p departs from 1 is not known: several
sizes are solved for and averaged with their evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from shortrange.reduce.scattering_conditions import Conditions, Structure, conditions
from shortrange.reduce.scattering_terms import Terms

__all__ = ["JointFit", "joint_fit"]

Array = NDArray[Any]

COMPTON_PRIOR = (1.0, 0.3)
SMOOTH_SIZES = {0.0: 0.5, 0.001: 0.1, 0.003: 0.1, 0.01: 0.2, 0.03: 0.1}
"""Relative size of the first term of the smooth correction, and how likely it is before the data are seen.
The term of order m is m times smaller."""
_FIRST_SIZES = {0.0: 0.5, 0.01: 0.5}
"""The same where only the size of the structure is looked for."""
DENSITY = 0.05
"""Atoms per cubic angstrom where none is given: sizes the first guess."""
DENSITY_PRIOR = (0.05, 0.03)
"""Atoms per cubic angstrom: holds nearly all solids and liquids."""
LOW_Q_PRIOR = (0.1, 0.15)
"""Coherent intensity of a condensed phase for Q -> 0, over <f^2>. It vanishes nearly, and S(0) with it lies
near 1 - <f^2> / <f>^2: negative unless the atoms are alike."""
LOW_Q_BULGE, LOW_Q_WAVE = 1.0, 0.5
"""How far S(Q) below the first point may depart from a parabola: the flank of a first sharp peak does."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointFit:
    """Solution of the least squares, averaged over the size of the smooth correction.

    Attributes
    ----------
    names, values, factor
        Unknowns: ``beta``, ``background``, ``air``, ``compton``, ``fluorescence``, ``low Q``,
        ``low Q bulge``, ``low Q wave``, ``density``, ``smooth 1``...; their values (n,) and a root
        of their covariance (n, n).
    design, offset
        S(Q) = design @ values + offset, shapes (n_q, n) and (n_q,).
    order
        Of the smooth correction, 0 if none was allowed.
    smooth_odds
        Probability of each size of the smooth correction.
    low_r_residual
        rms of G + 4 pi rho0 r below r_cut over the rms of the line.
    crookedness
        The same for the density, given or wanted, that makes it smaller.
    chi2, n_rows
        Of the conditions.
    density_shift
        By how much the conditions would like a given number density to be larger, and the standard error of
        that, atoms per cubic angstrom; None where the density is an unknown.
    """

    names: tuple[str, ...]
    values: Array
    factor: Array
    design: Array
    offset: Array
    order: int
    smooth_odds: dict[float, float]
    low_r_residual: float
    chi2: float
    n_rows: int
    crookedness: float = 0.0
    density_shift: tuple[float, float] | None = None

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    @property
    def cov(self) -> Array:
        """Covariance of the values, shape (n, n)."""
        return np.asarray(self.factor @ self.factor.T)

    @property
    def s(self) -> Array:
        """S(Q), shape (n_q,)."""
        return np.asarray(self.design @ self.values + self.offset)


def joint_fit(
    terms: Terms, sigma: Array, *, number_density: float | None, r_cut: float, max_order: int = 0
) -> JointFit:
    """Solve for all unknowns at once.

    Twice: the first solution shows how far the structure itself hides the conditions.

    Parameters
    ----------
    terms
        From `shortrange.reduce.scattering_terms.scattering_terms`.
    sigma
        Standard error of the intensity, shape (n_q,).
    number_density
        Atoms per cubic angstrom; None makes it an unknown.
    r_cut
        Below it there is no distance, angstrom.
    max_order
        Order of the polynomial p(Q), 0 for p = 1.
    """
    see = conditions(terms.q, terms.pair_weights, terms.pair_shares, r_cut=r_cut)
    unknowns = _unknowns(terms, number_density)
    noise = (see.functional * (sigma / terms.mean_f_squared) ** 2) @ see.functional.T
    rows = _rows(
        see, see.unknown_structure(number_density or DENSITY), see.least + unknowns.mean[0] ** 2 * noise,
        number_density,
    )  # fmt: skip
    first = _solve(terms, unknowns, rows, max_order, _FIRST_SIZES)
    structure = see.structure(*see.shells(*_seen(see, first, number_density)))
    rows = _rows(see, structure, see.least + first["beta"] ** 2 * noise, number_density)
    fit = _solve(terms, unknowns, rows, max_order)
    g, density = _seen(see, fit, number_density)
    residual = see.low_r_residual(g, density)
    if number_density is None:
        return replace(fit, low_r_residual=residual, crookedness=residual)
    # The rows hold the given density: what is left for this unknown is a shift.
    free = _unknowns(terms, None)
    mean = np.where([name == "density" for name in free.names], 0.0, free.mean)
    shifted = _solve(terms, replace(free, mean=mean), rows, 0)
    i = shifted.names.index("density")
    shift = float(shifted.values[i])
    crooked = min(see.low_r_residual(g, at) for at in (density, max(density + shift, 0.1 * density)))
    return replace(
        fit, low_r_residual=residual, crookedness=crooked,
        density_shift=(shift, float(np.linalg.norm(shifted.factor[i]))),
    )  # fmt: skip


def _seen(see: Conditions, fit: JointFit, number_density: float | None) -> tuple[Array, float]:
    """G(r) of a solution, damped, and its density."""
    density = number_density if number_density is not None else max(fit["density"], 0.1 * DENSITY)
    return see.damped_g(fit.s, {name: fit[name] for name in see.extra}), density


@dataclass(frozen=True, slots=True, eq=False)
class _Unknowns:
    names: tuple[str, ...]
    columns: Array  # (n_q, n): S(Q) for one unit of each
    mean: Array  # of the priors, (n,)
    width: Array  # infinite for none, 0 for fixed
    n_smooth: int = 0  # of them, at the end, are terms of the smooth correction

    def sized(self, size: float) -> _Unknowns:
        """Return these with another prior of the smooth correction."""
        width = self.width.copy()
        width[width.size - self.n_smooth :] = size * self.mean[0] / np.arange(1, self.n_smooth + 1)
        return replace(self, width=width)


def _unknowns(terms: Terms, number_density: float | None) -> _Unknowns:
    """All unknowns but the smooth correction."""
    # A first guess of beta sizes the priors: what would be scattered over what was measured, at high Q.
    high = terms.q > 0.6 * terms.q[-1]
    whole = terms.intensity[high].sum()
    net = whole - sum(empty[high].sum() for empty in terms.empty.values())
    guess = float((terms.mean_f2 + terms.compton)[high].sum() / (net if net > 0.1 * whole else whole))
    nothing = np.zeros_like(terms.q)
    table: dict[str, tuple[Array, float, float]] = {"beta": (terms.intensity, guess, np.inf)}
    table |= {name: (-empty, guess, guess) for name, empty in terms.empty.items()}
    table["compton"] = (-terms.compton, *COMPTON_PRIOR)
    table["fluorescence"] = (-np.ones_like(terms.q), 0.0, np.inf)
    uneven = float(terms.mean_f2[0] / terms.mean_f_squared[0])
    table["low Q"] = (nothing, 1.0 - (1.0 - LOW_Q_PRIOR[0]) * uneven, LOW_Q_PRIOR[1] * uneven)
    table["low Q bulge"] = (nothing, 0.0, LOW_Q_BULGE)
    table["low Q wave"] = (nothing, 0.0, LOW_Q_WAVE)
    if number_density is None:
        table["density"] = (nothing, *DENSITY_PRIOR)
    columns, mean, width = zip(*table.values(), strict=True)
    shapes = np.stack(columns, axis=1) / terms.mean_f_squared[:, None]
    return _Unknowns(tuple(table), shapes, np.array(mean), np.array(width))


def _with_smooth(terms: Terms, first: _Unknowns, plain: JointFit, order: int) -> _Unknowns:
    """Add terms 1 to ``order`` of the correction, multiplying what the sample scatters."""
    # That is what is left when the rest is taken off with its first values.
    own = terms.intensity - plain["fluorescence"] / plain["beta"]
    for name, empty in terms.empty.items():
        own = own - plain[name] / plain["beta"] * empty
    x = 2.0 * (terms.q - terms.q[0]) / (terms.q[-1] - terms.q[0]) - 1.0
    shapes = chebvander(x, order)[:, 1:] * (own / terms.mean_f_squared)[:, None]
    return _Unknowns(
        (*first.names, *(f"smooth {m}" for m in range(1, order + 1))),
        np.hstack([first.columns, shapes]),
        np.append(first.mean, np.zeros(order)),
        np.append(first.width, np.zeros(order)),
        n_smooth=order,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    functional: Array  # (n_rows, n_q): acts on S(Q) and
    target: Array  # should give this, (n_rows,)
    extra: dict[str, Array]  # but for what unknowns that S(Q) does not see add, (n_rows,) each
    covariance: Array


def _rows(rows: Conditions, structure: Structure, noise: Array, number_density: float | None) -> _Rows:
    return _Rows(
        functional=rows.functional, target=rows.target + (number_density or 0.0) * structure.line,
        extra={**rows.extra, "density": -structure.line}, covariance=structure.covariance + noise,
    )  # fmt: skip


def _solve(
    terms: Terms, unknowns: _Unknowns, rows: _Rows, max_order: int, sizes: dict[float, float] = SMOOTH_SIZES
) -> JointFit:
    whiten = np.linalg.inv(np.linalg.cholesky(rows.covariance))
    offset = 1.0 - terms.mean_f2 / terms.mean_f_squared
    aim = whiten @ (rows.target - rows.functional @ offset)

    def average(some: _Unknowns, sizes: dict[float, float]) -> JointFit:
        matrix = rows.functional @ some.columns
        for name, column in rows.extra.items():
            if name in some.names:
                matrix[:, some.names.index(name)] += column
        white = whiten @ matrix
        parts = [_least_squares(white, aim, some.sized(size)) for size in sizes]
        values, factor, odds = _averaged(parts, list(sizes.values()))
        return JointFit(
            names=some.names, values=values, factor=factor, design=some.columns, offset=offset,
            order=max_order if len(sizes) > 1 else 0, smooth_odds=dict(zip(sizes, odds, strict=True)),
            low_r_residual=0.0, chi2=float(np.sum((aim - white @ values) ** 2)), n_rows=aim.size,
        )  # fmt: skip

    plain = average(unknowns, {0.0: 1.0})
    if max_order == 0:
        return plain
    return average(_with_smooth(terms, unknowns, plain, max_order), sizes)


def _averaged(
    parts: list[tuple[Array, Array, float]], prior: list[float]
) -> tuple[Array, Array, list[float]]:
    """Mean over solutions with their probabilities, a root of its covariance, and the probabilities."""
    evidence = np.array([log_evidence for *_, log_evidence in parts]) + np.log(prior)
    odds = np.exp(evidence - evidence.max())
    odds /= odds.sum()
    mean = np.sum([p * values for p, (values, *_) in zip(odds, parts, strict=True)], axis=0)
    roots = [np.sqrt(p) * factor for p, (_, factor, _) in zip(odds, parts, strict=True)]
    roots += [np.sqrt(p) * (values - mean)[:, None] for p, (values, *_) in zip(odds, parts, strict=True)]
    # One root of the sum of all: its rows are the unknowns.
    triangle = np.asarray(np.linalg.qr(np.hstack(roots).T, mode="r"))
    return mean, triangle.T, [float(p) for p in odds]


def _least_squares(matrix: Array, right: Array, unknowns: _Unknowns) -> tuple[Array, Array, float]:
    """Values, root of their covariance, and ln evidence up to a constant."""
    mean, width = unknowns.mean, unknowns.width
    free, held = width > 0, np.isfinite(width)
    prior = np.diag(np.where(held, 1.0 / np.where(held & free, width, 1.0), 0.0))[:, free]
    a = np.vstack([matrix[:, free], prior[free]])
    b = np.concatenate([right - matrix[:, ~free] @ mean[~free], prior[free] @ mean[free]])
    size = np.linalg.norm(a, axis=0)
    u, s, vt = np.linalg.svd(a / size, full_matrices=False)
    found = (vt.T @ ((u.T @ b) / s)) / size
    missed = a @ found - b
    evidence = -0.5 * float(missed @ missed) - float(np.log(s).sum() + np.log(size).sum())
    evidence -= float(np.log(width[free & held]).sum())
    excess = float(np.sum(missed[: right.size] ** 2)) / max(1, right.size - int(free.sum()))
    if excess > 1.0:
        # Conditions that are missed by more than their errors weigh less, and make the answer less sure.
        weight = 1.0 / np.sqrt(excess)
        a[: right.size], b[: right.size] = a[: right.size] * weight, b[: right.size] * weight
        size = np.linalg.norm(a, axis=0)
        u, s, vt = np.linalg.svd(a / size, full_matrices=False)
        found = (vt.T @ ((u.T @ b) / s)) / size
    values, factor = mean.copy(), np.zeros((mean.size, int(free.sum())))
    values[free] = found
    factor[free] = vt.T / (s * size[:, None])
    return values, factor, evidence
