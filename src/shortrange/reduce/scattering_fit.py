r"""Absolute scale, background, Compton and fluorescence of I(Q) by one linear least squares.

The measured intensity is taken as

.. math:: I = \alpha\,p [\langle f^2\rangle + |\langle f\rangle|^2 (S - 1) + \kappa C] + b\,I_{bg} + \varphi

with p = 1 or a smooth polynomial close to it. With beta = 1 / alpha, S is linear in the unknowns. They follow
from what S must fulfil whatever the structure: it averages to 1 at high Q, and G(r) = -4 pi rho0 r below the
shortest distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from shortrange.atoms import compton, mean_form_factors
from shortrange.numeric.sine import trapezoid_weights
from shortrange.units import HC

__all__ = ["JointFit", "Terms", "compton_intensity", "joint_fits", "scattering_terms"]

Array = NDArray[Any]

COMPTON_PRIOR = (1.0, 0.3)
SMOOTH_PRIOR = 0.02
"""Relative size of each term of the smooth correction."""
DENSITY_PRIOR = (0.05, 0.03)
"""Atoms per cubic angstrom: holds nearly all solids and liquids."""
LOW_Q_PRIOR = (0.1, 0.15)
"""S(Q -> 0) of a condensed phase."""
LOW_Q_BULGE = 1.0
"""How far S(Q) below the first point may depart from a parabola: the flank of a first sharp peak does."""
BIN_WIDTH, BIN_TOLERANCE = 6.0, 0.004
END_WIDTH, END_TOLERANCE = 2.5, 0.006
"""Widths (1/angstrom) over which S averages to 1, and how nearly. The wide bins average out sin(Q r) / r
from 2 angstrom on; half a bin at the very end binds a polynomial there, and lets some structure pass."""
LOW_R_TOLERANCE = 0.02
_LAMBDA_C = 0.0242631023867  # Compton wavelength of the electron, angstrom


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """What I(Q) is made of, each of shape (n_q,), electron units per atom except the measured two."""

    q: Array
    intensity: Array
    background: Array | None
    mean_f_squared: Array
    mean_f2: Array
    compton: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointFit:
    """Solution of the least squares.

    Attributes
    ----------
    names, values, factor
        Unknowns: ``beta``, ``background``, ``compton``, ``fluorescence``, ``low Q``, ``low Q bulge``,
        ``density``, ``smooth 1``...; their values (n,) and a root of their covariance (n, n).
    design, offset
        S(Q) = design @ values + offset, shapes (n_q, n) and (n_q,).
    smooth_order
        Order of the smooth correction, 0 for none.
    log_evidence
        Of this order.
    low_r_residual
        rms of G + 4 pi rho0 r below r_cut, over rms of 4 pi rho0 r.
    chi2, n_rows
        Of the conditions.
    """

    names: tuple[str, ...]
    values: Array
    factor: Array
    design: Array
    offset: Array
    smooth_order: int
    log_evidence: float
    low_r_residual: float
    chi2: float
    n_rows: int

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    @property
    def cov(self) -> Array:
        """Covariance of the values, shape (n, n)."""
        return np.asarray(self.factor @ self.factor.T)


def compton_intensity(
    composition: Mapping[str, float], q: Array, *, wavelength: float, power: float = 2.0
) -> Array:
    r"""Incoherent intensity per atom, electron units: Hubbell (1975) times the Breit-Dirac recoil factor.

    Parameters
    ----------
    composition
        Atoms of each element.
    q
        1/angstrom, shape (n_q,).
    wavelength
        angstrom.
    power
        Of E'/E = 1 / [1 + 2 (\lambda_C / \lambda) sin^2 theta]: 2 for a photon-counting detector, 3 for one
        that measures energy, 0 for no recoil factor.
    """
    total = sum(composition.values())
    bound = sum(n / total * compton(symbol, q) for symbol, n in composition.items())
    sine2 = (q * wavelength / (4.0 * np.pi)) ** 2
    return np.asarray(bound / (1.0 + 2.0 * _LAMBDA_C / wavelength * sine2) ** power)


def scattering_terms(
    q: Array,
    intensity: Array,
    background: Array | None,
    *,
    composition: Mapping[str, float],
    wavelength: float,
    anomalous: bool = True,
    recoil_power: float = 2.0,
) -> Terms:
    """Tables for a composition at ``q``, beside the measured intensities."""
    squared, mean, recoil = _tables(
        np.asarray(q, dtype=float).tobytes(), tuple(composition.items()), wavelength, anomalous, recoil_power
    )
    return Terms(
        q=q, intensity=intensity, background=background, mean_f_squared=squared, mean_f2=mean, compton=recoil
    )


@lru_cache(maxsize=8)
def _tables(
    q_bytes: bytes,
    composition: tuple[tuple[str, float], ...],
    wavelength: float,
    anomalous: bool,
    recoil_power: float,
) -> tuple[Array, Array, Array]:
    """<f>^2, <f^2> and Compton scattering: the same for all patterns of a series."""
    q, atoms = np.frombuffer(q_bytes), dict(composition)
    squared, mean = mean_form_factors(atoms, q, energy=HC / wavelength if anomalous else None)
    tables = (squared, mean, compton_intensity(atoms, q, wavelength=wavelength, power=recoil_power))
    for table in tables:
        table.setflags(write=False)
    return tables


def joint_fits(
    terms: Terms, sigma: Array, *, number_density: float | None, r_cut: float, max_order: int = 0
) -> list[JointFit]:
    """Solve for all unknowns at once, with a smooth correction p(Q) of each order from 0 (p = 1).

    Parameters
    ----------
    terms
        From `scattering_terms`.
    sigma
        Standard error of the intensity, shape (n_q,).
    number_density
        Atoms per cubic angstrom; None makes it an unknown.
    r_cut
        Below it there is no distance, angstrom.
    max_order
        Highest order of the polynomial p(Q).
    """
    first = _unknowns(terms, number_density)
    rows = _conditions(terms.q.tobytes(), number_density, r_cut)
    noise_s = sigma * first.mean[0] / terms.mean_f_squared
    cov_rows = np.diag(rows.tolerance**2) + (rows.functional * noise_s**2) @ rows.functional.T
    whiten = np.linalg.inv(np.linalg.cholesky(cov_rows))
    offset = 1.0 - terms.mean_f2 / terms.mean_f_squared
    right = rows.target - rows.functional @ offset
    white, aim = _whitened(first, rows, whiten), whiten @ right

    def solve(unknowns: _Unknowns, matrix: Array) -> JointFit:
        return _solve(unknowns, matrix, aim, rows, whiten, offset, number_density)

    plain = solve(first, white)
    if max_order == 0:
        return [plain]
    # p(Q) multiplies what the sample scatters: the rest is taken off with its first values.
    own = terms.intensity - plain["fluorescence"] / plain["beta"]
    if terms.background is not None:
        own = own - plain["background"] / plain["beta"] * terms.background
    smooth = _smooth(terms, own, first.mean[0], max_order)
    whole = np.hstack([white, _whitened(smooth, rows, whiten)])
    more = [
        solve(_joined(first, smooth, m), whole[:, : len(first.names) + m]) for m in range(1, max_order + 1)
    ]
    return [plain, *more]


def _whitened(unknowns: _Unknowns, rows: _Rows, whiten: Array) -> Array:
    """Conditions on each unknown, in units of their errors, shape (n_rows, n)."""
    matrix = rows.functional @ unknowns.columns
    for name, column in rows.extra.items():
        if name in unknowns.names:
            matrix[:, unknowns.names.index(name)] += column
    return np.asarray(whiten @ matrix)


def _solve(
    unknowns: _Unknowns,
    white: Array,
    aim: Array,
    rows: _Rows,
    whiten: Array,
    offset: Array,
    number_density: float | None,
) -> JointFit:
    names, mean, width = unknowns.names, unknowns.mean, unknowns.width
    flat = ~np.isfinite(width)
    prior = np.diag(np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, width)))
    values, factor, chi2, evidence = _least_squares(white, aim, prior, mean)
    evidence -= float(np.log(width[~flat]).sum())
    excess = chi2 / max(1, aim.size - len(names))
    if excess > 1.0:
        # Conditions that are missed by more than their tolerance weigh less, and make the answer less sure.
        weight = 1.0 / np.sqrt(excess)
        values, factor, chi2, _ = _least_squares(white * weight, aim * weight, prior, mean)
    # whiten is the inverse of a lower triangle: its first rows see the first conditions alone.
    n_low = rows.r_low.size
    low = solve_triangular(whiten[:n_low, :n_low], (aim - white @ values)[:n_low], lower=True)
    line = 4.0 * np.pi * (number_density or values[names.index("density")]) * rows.r_low
    return JointFit(
        names=names, values=values, factor=factor, design=unknowns.columns, offset=offset,
        smooth_order=sum(name.startswith("smooth") for name in names), log_evidence=evidence,
        low_r_residual=float(np.sqrt(np.mean(low**2) / np.mean(line**2))), chi2=chi2, n_rows=aim.size,
    )  # fmt: skip


def _least_squares(
    matrix: Array, right: Array, prior: Array, mean: Array
) -> tuple[Array, Array, float, float]:
    """Values, root of their covariance, chi2 of the whitened rows, ln evidence but for prior widths."""
    a = np.vstack([matrix, prior])
    b = np.concatenate([right, prior @ mean])
    size = np.linalg.norm(a, axis=0)
    u, s, vt = np.linalg.svd(a / size, full_matrices=False)
    values = (vt.T @ ((u.T @ b) / s)) / size
    factor = vt.T / (s * size[:, None])
    chi2 = float(np.sum((right - matrix @ values) ** 2))
    evidence = -0.5 * float(np.sum((a @ values - b) ** 2)) - float(np.log(s).sum() + np.log(size).sum())
    return values, factor, chi2, evidence


@dataclass(frozen=True, slots=True, eq=False)
class _Unknowns:
    names: tuple[str, ...]
    columns: Array  # (n_q, n): S(Q) for one unit of each
    mean: Array  # of the priors, (n,)
    width: Array  # infinite for none


def _unknowns(terms: Terms, number_density: float | None) -> _Unknowns:
    """All unknowns but the smooth correction."""
    # A first guess of beta sizes the priors: what would be scattered over what was measured, at high Q.
    high = terms.q > 0.6 * terms.q[-1]
    net = terms.intensity[high].sum() - (0.0 if terms.background is None else terms.background[high].sum())
    whole = terms.intensity[high].sum()
    guess = float((terms.mean_f2 + terms.compton)[high].sum() / (net if net > 0.1 * whole else whole))
    names, columns = ["beta"], [terms.intensity]
    mean, width = [guess], [np.inf]
    if terms.background is not None:
        names.append("background")
        columns.append(-terms.background)
        mean.append(guess)
        width.append(guess)
    nothing = np.zeros_like(terms.q)
    names += ["compton", "fluorescence", "low Q", "low Q bulge"]
    columns += [-terms.compton, -np.ones_like(terms.q), nothing, nothing]
    mean += [COMPTON_PRIOR[0], 0.0, LOW_Q_PRIOR[0], 0.0]
    width += [COMPTON_PRIOR[1], np.inf, LOW_Q_PRIOR[1], LOW_Q_BULGE]
    if number_density is None:
        names.append("density")
        columns.append(nothing)
        mean.append(DENSITY_PRIOR[0])
        width.append(DENSITY_PRIOR[1])
    shapes = np.stack(columns, axis=1) / terms.mean_f_squared[:, None]
    return _Unknowns(tuple(names), shapes, np.array(mean), np.array(width))


def _smooth(terms: Terms, own: Array, guess: float, order: int) -> _Unknowns:
    """Terms 1 to ``order`` of the correction, multiplying what the sample scatters (``own``)."""
    x = 2.0 * (terms.q - terms.q[0]) / (terms.q[-1] - terms.q[0]) - 1.0
    shapes = chebvander(x, order)[:, 1:] * (own / terms.mean_f_squared)[:, None]
    names = tuple(f"smooth {m}" for m in range(1, order + 1))
    return _Unknowns(names, shapes, np.zeros(order), np.full(order, SMOOTH_PRIOR * guess))


def _joined(first: _Unknowns, smooth: _Unknowns, order: int) -> _Unknowns:
    return _Unknowns(
        (*first.names, *smooth.names[:order]),
        np.hstack([first.columns, smooth.columns[:, :order]]),
        np.concatenate([first.mean, smooth.mean[:order]]),
        np.concatenate([first.width, smooth.width[:order]]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    functional: Array  # (n_rows, n_q): acts on S(Q)
    extra: dict[str, Array]  # (n_rows,) by unknown: those that are not in S(Q)
    target: Array
    tolerance: Array
    r_low: Array


@lru_cache(maxsize=8)
def _conditions(q_bytes: bytes, number_density: float | None, r_cut: float) -> _Rows:
    """Linear conditions on S: damped G at low r, and mean S in wide bins at high Q.

    They depend on the grid alone, which the patterns of a series share.
    """
    q = np.frombuffer(q_bytes)
    weight = trapezoid_weights(q)
    # Hann damping: G broadens by about 2 / q_max, and ripples of the first peaks stay away from low r.
    damp = 0.5 * (1.0 + np.cos(np.pi * q / q[-1]))
    r = np.arange(1, int(r_cut / (np.pi / q[-1])) + 1) * np.pi / q[-1]
    r = r[r <= r_cut]
    low = (2.0 / np.pi) * np.sin(np.outer(r, q)) * (weight * damp * q)
    target = low @ np.ones_like(q)  # G is of S - 1, the functional acts on S
    # Below the first point S(Q) = s0 + (S(q_min) - s0) x^2 + bulge * 4 x^2 (1 - x), with x = Q / q_min.
    x, w = np.polynomial.legendre.leggauss(16)
    below, w = q[0] * (x + 1) / 2.0, w * q[0] / 2.0
    kernel = (2.0 / np.pi) * np.sin(np.outer(r, below)) * (w * below)
    low[:, 0] += kernel @ (below / q[0]) ** 2
    target = target + kernel @ np.ones_like(below)
    line = 4.0 * np.pi * r
    if number_density is not None:
        target = target - number_density * line
    bins = _bins(q, weight)
    rest = np.zeros(bins.shape[0])
    extra = {
        "low Q": np.append(kernel @ (1.0 - (below / q[0]) ** 2), rest),
        "low Q bulge": np.append(kernel @ (4.0 * (below / q[0]) ** 2 * (1.0 - below / q[0])), rest),
        "density": np.append(line, rest),
    }
    tolerance = np.full(r.size + bins.shape[0], BIN_TOLERANCE)
    tolerance[: r.size] = LOW_R_TOLERANCE * 4.0 * np.pi * (number_density or DENSITY_PRIOR[0]) * r_cut
    tolerance[-1] = END_TOLERANCE
    return _Rows(np.vstack([low, bins]), extra, np.append(target, np.ones(bins.shape[0])), tolerance, r)


def _bins(q: Array, weight: Array) -> Array:
    """Hann-weighted means from the end of the data down to a third of it; last, half a bin at the end."""
    last = max(q[0] + BIN_WIDTH / 2, 0.35 * q[-1])
    centres = np.arange(q[-1] - BIN_WIDTH / 2, last, -BIN_WIDTH / 2)
    if centres.size == 0:
        centres = np.array([(q[0] + q[-1]) / 2])
    x = (q - np.append(centres, q[-1])[:, None]) / BIN_WIDTH
    x[-1] *= BIN_WIDTH / (2.0 * END_WIDTH)
    hann = np.where(np.abs(x) < 0.5, np.cos(np.pi * x) ** 2, 0.0) * weight
    return np.asarray(hann / hann.sum(axis=1, keepdims=True))
