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
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from shortrange.atoms import compton, mean_form_factors
from shortrange.numeric.sine import trapezoid_weights
from shortrange.units import HC

__all__ = ["JointFit", "Terms", "compton_intensity", "joint_fit", "scattering_terms"]

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
    names, values, cov
        Unknowns: ``beta``, ``smooth 1``..., ``background``, ``compton``, ``fluorescence``, ``low Q``,
        ``low Q bulge``, ``density``; their values (n,) and covariance (n, n).
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
    cov: Array
    design: Array
    offset: Array
    smooth_order: int
    log_evidence: float
    low_r_residual: float
    chi2: float
    n_rows: int

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])


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
    squared, mean = mean_form_factors(composition, q, energy=HC / wavelength if anomalous else None)
    recoil = compton_intensity(composition, q, wavelength=wavelength, power=recoil_power)
    return Terms(
        q=q, intensity=intensity, background=background, mean_f_squared=squared, mean_f2=mean, compton=recoil
    )


def joint_fit(
    terms: Terms, sigma: Array, *, number_density: float | None, r_cut: float, smooth_order: int = 0
) -> JointFit:
    """Solve for all unknowns at once.

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
    smooth_order
        Order of the polynomial p(Q), 0 for p = 1.
    """
    first = _solve(terms, sigma, number_density, r_cut, 0, None)
    if smooth_order == 0:
        return first
    # p(Q) multiplies what the sample scatters: the rest is taken off with its first values.
    own = terms.intensity - first["fluorescence"] / first["beta"]
    if terms.background is not None:
        own = own - first["background"] / first["beta"] * terms.background
    return _solve(terms, sigma, number_density, r_cut, smooth_order, own)


def _solve(
    terms: Terms, sigma: Array, number_density: float | None, r_cut: float, order: int, own: Array | None
) -> JointFit:
    names, columns, mean, width = _unknowns(terms, order, own, number_density)
    n_q = terms.q.size
    design = np.zeros((n_q, len(names)))
    design[:, : columns.shape[1]] = columns / terms.mean_f_squared[:, None]
    offset = 1.0 - terms.mean_f2 / terms.mean_f_squared
    rows, target, tolerance = _conditions(terms, names, number_density, r_cut)
    noise_s = sigma * mean[0] / terms.mean_f_squared
    matrix = rows.functional @ design + rows.extra
    right = target - rows.functional @ offset
    cov_rows = np.diag(tolerance**2) + (rows.functional * noise_s**2) @ rows.functional.T
    flat = ~np.isfinite(width)
    prior = np.diag(np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, width)))
    values, cov, chi2, evidence = _least_squares(matrix, right, cov_rows, prior, mean)
    evidence -= float(np.log(width[~flat]).sum())
    excess = chi2 / max(1, right.size - len(names))
    if excess > 1.0:
        # Conditions that are missed by more than their tolerance weigh less, and make the answer less sure.
        values, cov, chi2, _ = _least_squares(matrix, right, cov_rows * excess, prior, mean)
    low = (right - matrix @ values)[: rows.n_low]
    line = 4.0 * np.pi * (number_density or values[names.index("density")]) * rows.r_low
    return JointFit(
        names=tuple(names), values=values, cov=cov, design=design, offset=offset, smooth_order=order,
        log_evidence=evidence, low_r_residual=float(np.sqrt(np.mean(low**2) / np.mean(line**2))),
        chi2=chi2, n_rows=right.size,
    )  # fmt: skip


def _least_squares(
    matrix: Array, right: Array, cov_rows: Array, prior: Array, mean: Array
) -> tuple[Array, Array, float, float]:
    """Values, covariance, chi2 of the rows, and ln of the evidence up to the widths of the priors."""
    whiten = np.linalg.inv(np.linalg.cholesky(cov_rows))
    a = np.vstack([whiten @ matrix, prior])
    b = np.concatenate([whiten @ right, prior @ mean])
    size = np.linalg.norm(a, axis=0)
    u, s, vt = np.linalg.svd(a / size, full_matrices=False)
    values = (vt.T @ ((u.T @ b) / s)) / size
    cov = (vt.T / s**2) @ vt / np.outer(size, size)
    chi2 = float(np.sum((whiten @ (right - matrix @ values)) ** 2))
    evidence = -0.5 * float(np.sum((a @ values - b) ** 2)) - float(np.log(s).sum() + np.log(size).sum())
    return values, cov, chi2, evidence


def _unknowns(
    terms: Terms, order: int, own: Array | None, number_density: float | None
) -> tuple[list[str], Array, Array, Array]:
    """Names, columns of <f>^2 (S - 1) + <f^2>, prior means and widths (infinite for none)."""
    # A first guess of beta sizes the priors: what would be scattered over what was measured, at high Q.
    high = terms.q > 0.6 * terms.q[-1]
    net = terms.intensity[high].sum() - (0.0 if terms.background is None else terms.background[high].sum())
    whole = terms.intensity[high].sum()
    guess = float((terms.mean_f2 + terms.compton)[high].sum() / (net if net > 0.1 * whole else whole))
    names, columns = ["beta"], [terms.intensity]
    mean, width = [guess], [np.inf]
    if order and own is not None:
        x = 2.0 * (terms.q - terms.q[0]) / (terms.q[-1] - terms.q[0]) - 1.0
        for m, shape in enumerate(chebvander(x, order).T[1:], start=1):
            names.append(f"smooth {m}")
            columns.append(own * shape)
            mean.append(0.0)
            width.append(SMOOTH_PRIOR * guess)
    if terms.background is not None:
        names.append("background")
        columns.append(-terms.background)
        mean.append(guess)
        width.append(guess)
    names += ["compton", "fluorescence", "low Q", "low Q bulge"]
    columns += [-terms.compton, -np.ones_like(terms.q)]
    mean += [COMPTON_PRIOR[0], 0.0, LOW_Q_PRIOR[0], 0.0]
    width += [COMPTON_PRIOR[1], np.inf, LOW_Q_PRIOR[1], LOW_Q_BULGE]
    if number_density is None:
        names.append("density")
        mean.append(DENSITY_PRIOR[0])
        width.append(DENSITY_PRIOR[1])
    return names, np.stack(columns, axis=1), np.array(mean), np.array(width)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    functional: Array  # (n_rows, n_q): acts on S(Q)
    extra: Array  # (n_rows, n_unknowns): of unknowns that are not in S(Q)
    r_low: Array
    n_low: int


def _conditions(
    terms: Terms, names: list[str], number_density: float | None, r_cut: float
) -> tuple[_Rows, Array, Array]:
    """Linear conditions on S: damped G at low r, and mean S in wide bins at high Q."""
    q = terms.q
    weight = trapezoid_weights(q)
    # Hann damping: G broadens by about 2 / q_max, and ripples of the first peaks stay away from low r.
    damp = 0.5 * (1.0 + np.cos(np.pi * q / q[-1]))
    r = np.arange(1, int(r_cut / (np.pi / q[-1])) + 1) * np.pi / q[-1]
    r = r[r <= r_cut]
    low = (2.0 / np.pi) * np.sin(np.outer(r, q)) * (weight * damp * q)
    target = low @ np.ones_like(q)  # G is of S - 1, the functional acts on S
    extra_low = np.zeros((r.size, len(names)))
    # Below the first point S(Q) = s0 + (S(q_min) - s0) x^2 + bulge * 4 x^2 (1 - x), with x = Q / q_min.
    x, w = np.polynomial.legendre.leggauss(16)
    below, w = q[0] * (x + 1) / 2.0, w * q[0] / 2.0
    kernel = (2.0 / np.pi) * np.sin(np.outer(r, below)) * (w * below)
    low[:, 0] += kernel @ (below / q[0]) ** 2
    extra_low[:, names.index("low Q")] = kernel @ (1.0 - (below / q[0]) ** 2)
    extra_low[:, names.index("low Q bulge")] = kernel @ (4.0 * (below / q[0]) ** 2 * (1.0 - below / q[0]))
    target = target + kernel @ np.ones_like(below)
    line = 4.0 * np.pi * r
    if number_density is None:
        extra_low[:, names.index("density")] = line
    else:
        target = target - number_density * line
    slope = 4.0 * np.pi * (number_density or DENSITY_PRIOR[0])
    bins = _bins(q, weight)
    functional = np.vstack([low, bins])
    extra = np.vstack([extra_low, np.zeros((bins.shape[0], len(names)))])
    tolerance = np.full(r.size + bins.shape[0], BIN_TOLERANCE)
    tolerance[: r.size] = LOW_R_TOLERANCE * slope * r_cut
    tolerance[-1] = END_TOLERANCE
    rows = _Rows(functional, extra, r, r.size)
    return rows, np.concatenate([target, np.ones(bins.shape[0])]), tolerance


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
