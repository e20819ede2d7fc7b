r"""Absolute scale, background, Compton and fluorescence of I(Q) by one linear least squares.

The measured intensity is taken as

.. math:: I = \alpha\,p [\langle f^2\rangle + |\langle f\rangle|^2 (S - 1) + \kappa C] + b\,I_{bg} + \varphi

with p a smooth polynomial close to 1. With beta = 1 / alpha, S is linear in the unknowns. They follow from
the conditions of `shortrange.reduce.scattering_conditions`. How far p departs from 1 is not known: several
sizes are solved for and averaged with their evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.linalg import lapack

from shortrange.reduce.scattering_conditions import Conditions, Structure, conditions
from shortrange.reduce.scattering_solve import Mixture, Solutions, averaged, least_squares
from shortrange.reduce.scattering_terms import Terms

__all__ = ["JointFit", "joint_fit"]

Array = NDArray[Any]

COMPTON_WIDTHS = {0.03: 0.8, 0.3: 0.2}
"""Widths of the prior of the Compton factor, about 1, and how likely they are.
Mostly tables and recoil are right to some per cent; a detector that loses part of what lost energy is not.
With 0.3 alone, factors 0.2 off 1 are no worse than 1, and smooth errors went unseen into them."""
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
    names, mixture, factor
        Unknowns: ``beta``, ``background``, ``air``, ``compton``, ``fluorescence``, ``low Q``,
        ``low Q bulge``, ``low Q wave``, ``level`` (what a smooth error is at all Q, beyond ``beta``: nothing
        sees it), ``density`` (0 +- 0 if one is given), ``smooth 1``...; what is known of them; and a root
        (n, n) of their covariance, whose errors are those of 68 %.
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
    density_shift
        By how much the conditions would like a given number density to be larger, and the standard error of
        that, atoms per cubic angstrom; None where the density is an unknown.
    """

    names: tuple[str, ...]
    mixture: Mixture
    factor: Array
    design: Array
    offset: Array
    order: int
    smooth_odds: dict[float, float]
    low_r_residual: float
    crookedness: float = 0.0
    density_shift: tuple[float, float] | None = None

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    @property
    def values(self) -> Array:
        """Values of the unknowns, shape (n,)."""
        return self.mixture.mean

    @property
    def s(self) -> Array:
        """S(Q), shape (n_q,)."""
        return np.asarray(self.design @ self.values + self.offset)


def joint_fit(
    terms: Terms,
    sigma: Array,
    *,
    number_density: float | None,
    r_cut: float,
    max_order: int = 0,
    compton_width: float | None = None,
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
    compton_width
        Of the prior of the Compton factor; by default `COMPTON_WIDTHS`.
    """
    compton_widths = COMPTON_WIDTHS if compton_width is None else {compton_width: 1.0}
    see = conditions(terms.q, terms.pair_weights, terms.pair_shares, r_cut=r_cut)
    unknowns = _unknowns(terms, number_density, max(compton_widths))
    work = _Work(terms, see, unknowns, number_density, max_order, compton_widths)
    # A matrix times its own transpose takes half the work.
    noise = see.functional * (sigma / terms.mean_f_squared)
    noise = noise @ noise.T
    structure = see.unknown_structure(number_density or DENSITY)
    first = work.solve(structure, see.least + work.unknowns.mean[0] ** 2 * noise, _FIRST_SIZES)
    structure = see.structure(*see.shells(*work.seen(first)))
    fit = work.solve(structure, see.least + first.values[0] ** 2 * noise, SMOOTH_SIZES)
    g, density = work.seen(fit)
    residual = crooked = see.low_r_residual(g, density)
    if fit.density_shift is not None:
        other = max(density + fit.density_shift[0], 0.1 * density)
        crooked = min(residual, see.low_r_residual(g, other))
    # G(r) sees Q (S - 1).
    factor = fit.mixture.root(terms.q[:, None] * fit.design)
    return JointFit(
        names=work.unknowns.names + tuple(f"smooth {m}" for m in range(1, max_order + 1)),
        mixture=fit.mixture, factor=factor, design=fit.design, offset=work.offset, order=max_order,
        smooth_odds=fit.odds, low_r_residual=residual, crookedness=crooked, density_shift=fit.density_shift,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Unknowns:
    names: tuple[str, ...]
    columns: Array  # (n_q, n): S(Q) for one unit of each
    mean: Array  # of the priors, (n,)
    width: Array  # infinite for none


def _unknowns(terms: Terms, number_density: float | None, compton_width: float) -> _Unknowns:
    """All unknowns but the smooth correction; the last is the density, or its part beyond a given one."""
    # A first guess of beta sizes the priors: what would be scattered over what was measured, at high Q.
    high = terms.q > 0.6 * terms.q[-1]
    whole = terms.intensity[high].sum()
    net = whole - sum(empty[high].sum() for empty in terms.empty.values())
    guess = float((terms.mean_f2 + terms.compton)[high].sum() / (net if net > 0.1 * whole else whole))
    nothing = np.zeros_like(terms.q)
    table: dict[str, tuple[Array, float, float]] = {"beta": (terms.intensity, guess, np.inf)}
    table |= {name: (-empty, guess, guess) for name, empty in terms.empty.items()}
    table["compton"] = (-terms.compton, 1.0, compton_width)
    table["fluorescence"] = (-np.ones_like(terms.q), 0.0, np.inf)
    uneven = float(terms.mean_f2[0] / terms.mean_f_squared[0])
    table["low Q"] = (nothing, 1.0 - (1.0 - LOW_Q_PRIOR[0]) * uneven, LOW_Q_PRIOR[1] * uneven)
    table["low Q bulge"] = (nothing, 0.0, LOW_Q_BULGE)
    table["low Q wave"] = (nothing, 0.0, LOW_Q_WAVE)
    table["level"] = (nothing, 0.0, 0.0)
    table["density"] = (nothing, DENSITY_PRIOR[0] if number_density is None else 0.0, DENSITY_PRIOR[1])
    columns, mean, width = zip(*table.values(), strict=True)
    shapes = np.stack(columns, axis=1) / terms.mean_f_squared[:, None]
    return _Unknowns(tuple(table), shapes, np.array(mean), np.array(width))


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    mixture: Mixture
    design: Array  # (n_q, n)
    odds: dict[float, float]  # of the sizes of the smooth correction
    density_shift: tuple[float, float] | None

    @property
    def values(self) -> Array:
        return self.mixture.mean


class _Work:
    """One pattern and its unknowns, as the rows of the conditions see them."""

    def __init__(
        self,
        terms: Terms,
        see: Conditions,
        unknowns: _Unknowns,
        number_density: float | None,
        order: int,
        compton_widths: dict[float, float],
    ) -> None:
        self.terms, self.see, self.unknowns, self.order = terms, see, unknowns, order
        self.number_density, self.compton_widths = number_density, compton_widths
        self.offset = 1.0 - terms.mean_f2 / terms.mean_f_squared
        self._matrix = see.functional @ unknowns.columns
        for name, column in see.extra.items():
            self._matrix[:, unknowns.names.index(name)] += column
        self._aim = see.target - see.functional @ self.offset

    def solve(self, structure: Structure, noise: Array, sizes: dict[float, float]) -> _Solution:
        """Solve the conditions whose errors are those of ``structure`` and ``noise``.

        Parameters
        ----------
        structure, noise
            What G(r) puts into the rows, and the covariance of the rest, (n_rows, n_rows).
        sizes
            Sizes of the smooth correction, with their prior probabilities.
        """
        root = np.linalg.cholesky(structure.covariance + noise)
        matrix = self._matrix.copy()
        matrix[:, -1] = -structure.line
        aim = self._aim + (self.number_density or 0.0) * structure.line
        white = _whitened(root, np.column_stack([matrix, aim]))
        mean, width, shift = self.unknowns.mean, self.unknowns.width, None
        if self.number_density is None:
            plain = least_squares(white, mean, width[None])
        else:
            # With the density held where it is given, and free to say where the conditions would like it.
            held = np.append(width[:-1], 0.0)
            plain = least_squares(white, mean, np.stack([held, width]))
            shift = (float(plain.values[1, -1]), float(np.linalg.norm(plain.roots[1, -1])))
            width = held
        if self.order == 0:
            only = Solutions(plain.values[:1], plain.roots[:1], plain.log_evidence[:1])
            return _Solution(averaged(only, np.ones(1))[0], self.unknowns.columns, {0.0: 1.0}, shift)
        smooth = self._smooth(plain.values[0])
        white_smooth = _whitened(root, self.see.functional @ smooth)
        table = np.column_stack([white[:, :-1], white_smooth, white[:, -1]])
        widths, prior = self._priors(width, sizes)
        solutions = least_squares(table, np.append(mean, np.zeros(self.order)), widths)
        mixture, odds = averaged(solutions, prior.ravel())
        by_size = odds.reshape(prior.shape).sum(axis=1)
        design = np.hstack([self.unknowns.columns, smooth])
        return _Solution(mixture, design, dict(zip(sizes, by_size.tolist(), strict=True)), shift)

    def _priors(self, width: Array, sizes: dict[float, float]) -> tuple[Array, Array]:
        """Widths (k, n) for each size and Compton width, and their k probabilities, (n_sizes, n_compton)."""
        compton = self.compton_widths
        prior = np.outer(list(sizes.values()), list(compton.values()))
        # The term of order m is m times smaller than the first.
        smooth = self.unknowns.mean[0] * np.outer(list(sizes), 1.0 / np.arange(1, self.order + 1))
        widths = np.hstack([np.tile(width, (len(sizes), 1)), smooth]).repeat(len(compton), axis=0)
        widths[:, self.unknowns.names.index("level")] = smooth[:, 0].repeat(len(compton))
        widths[:, self.unknowns.names.index("compton")] = np.tile(list(compton), len(sizes))
        return widths, prior

    def _smooth(self, plain: Array) -> Array:
        """S(Q) for terms 1 to ``order`` of the correction, which multiply what the sample scatters."""
        # That is what is left when the rest is taken off with its first values.
        terms, values = self.terms, dict(zip(self.unknowns.names, plain / plain[0], strict=False))
        own = terms.intensity - values["fluorescence"]
        for name, empty in terms.empty.items():
            own = own - values[name] * empty
        shapes = _chebyshev(terms.q.tobytes(), self.order)
        return np.asarray(shapes * (own / terms.mean_f_squared)[:, None])

    def seen(self, fit: _Solution) -> tuple[Array, float]:
        """G(r) of a solution, damped, and its density."""
        values = dict(zip(self.unknowns.names, fit.values, strict=False))
        density = self.number_density or max(values["density"], 0.1 * DENSITY)
        s = fit.design @ fit.values + self.offset
        return self.see.damped_g(s, {name: values[name] for name in self.see.extra}), density


def _whitened(root: Array, rows: Array) -> Array:
    """Rows in units of their errors, whose covariance has this Cholesky root."""
    return np.asarray(lapack.dtrtrs(root, rows, lower=True)[0])


@lru_cache(maxsize=8)
def _chebyshev(q: bytes, order: int) -> Array:
    """Chebyshev polynomials 1 to ``order`` over the range of Q, (n_q, order)."""
    at = np.frombuffer(q)
    values = chebvander(2.0 * (at - at[0]) / (at[-1] - at[0]) - 1.0, order)[:, 1:]
    values.setflags(write=False)
    return values
