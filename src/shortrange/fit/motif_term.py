"""EXAFS of a motif against measured chi(k): its structure is free, and so is its motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.exafs_term import EXAFS_PARAMETERS, compared_chi
from shortrange.fit.laplace import LaplaceFit, fit_term
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term
from shortrange.quantities import ChiK
from shortrange.simulate.exafs.motif import MotifExafs
from shortrange.simulate.motifs import MotifHypothesis

__all__ = [
    "MOTIF_WIDTHS",
    "AngleMaximum",
    "central_slopes",
    "find_angles",
    "motif_term",
    "structural_parameters",
]

Array = NDArray[Any]

_STARTS = 6
_STEP = 0.01  # standard deviations of the prior

MOTIF_WIDTHS = (
    Parameter(
        name="sigma2_bond", unit="angstrom^2", value=0.008, lower=0.0, upper=0.03, prior=(0.008, 0.005)
    ),
    Parameter(name="sigma2_metal", unit="angstrom^2", value=0.02, lower=0.0, upper=0.1, prior=(0.02, 0.02)),
    Parameter(name="sigma2_far", unit="angstrom^2", value=0.03, lower=0.0, upper=0.12, prior=(0.03, 0.02)),
)
"""Mean square variations: between those of Ta-Cl in a cold crystal (0.003) and in a glass at 600 K (0.014);
Ta-Ta across a corner has 0.04 there, across an edge less. Other paths move in between or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AngleMaximum:
    """A maximum of the posterior: angle and standard error, degrees, and its evidence."""

    angle: float
    sigma: float
    log_evidence: float


def motif_term(
    data: ChiK,
    model: MotifExafs,
    *,
    measurement: str,
    k_range: tuple[float, float],
    r_range: tuple[float, float] = (1.2, 4.4),
    k_weight: float = 2.0,
    s02: Parameter = EXAFS_PARAMETERS[0],
) -> Term:
    """State the comparison of chi(k) with a motif.

    Parameters
    ----------
    data
        Measured chi(k) with its covariance or standard error.
    model
        The motif.
    measurement, k_range, r_range, k_weight
        As `shortrange.fit.exafs_term.exafs_term`.
    s02
        Its prior.

    Raises
    ------
    DataError
        If the data have no error estimate, do not cover ``k_range``, or hold too few independent points.
    """
    points = compared_chi(data, measurement=measurement, k_range=k_range, r_range=r_range, k_weight=k_weight)
    structural = structural_parameters(model.hypothesis)
    names = [p.name for p in structural]
    n = len(names)

    def arguments(theta: Array) -> dict[str, Any]:
        widths = dict(zip((p.name for p in MOTIF_WIDTHS), theta[n + 2 :], strict=True))
        return {
            "structure": dict(zip(names, theta[:n], strict=True)), "s02": theta[n], "delta_e0": theta[n + 1],
            **widths,
        }  # fmt: skip

    def parts(theta: Array) -> dict[str, Array]:
        found = model.contributions(points.k, **arguments(theta))
        return {name: points.weight * part for name, part in found.items()}

    def curve(theta: Array) -> Array:
        return points.weight * model(points.k, **arguments(theta))

    parameters = (*structural, s02, EXAFS_PARAMETERS[1], *MOTIF_WIDTHS)
    return points.term(
        curve,
        parameters=parameters,
        slopes=lambda theta: central_slopes(curve, parameters, theta),
        contributions=parts,
    )


def structural_parameters(hypothesis: MotifHypothesis) -> tuple[Parameter, ...]:
    """Angle and distances of a motif as parameters of a fit."""
    return tuple(
        Parameter(
            name=p.name, unit=p.unit, value=p.value, lower=p.lower, upper=p.upper, prior=(p.value, p.sigma)
        )
        for p in hypothesis.structural
    )


def central_slopes(curve: Callable[[Array], Array], parameters: tuple[Parameter, ...], theta: Array) -> Array:
    """Differentiate over steps of 0.01 prior widths, which the single precision of tables does not spoil.

    Parameters
    ----------
    curve
        Function of all parameters.
    parameters
        With their priors and limits.
    theta
        Where, shape (p,).

    Returns
    -------
    ndarray
        Shape (n, p).
    """
    columns = []
    for i, p in enumerate(parameters):
        h = _STEP * p.prior[1]
        high, low = theta.copy(), theta.copy()
        high[i], low[i] = min(theta[i] + h, p.upper), max(theta[i] - h, p.lower)
        columns.append((curve(high) - curve(low)) / (high[i] - low[i]))
    return np.array(columns).T


def find_angles(term: Term, *, theory_error: float) -> tuple[Term, tuple[AngleMaximum, ...]]:
    """Fit from several angles, since the posterior has several maxima.

    Parameters
    ----------
    term
        From `motif_term`.
    theory_error
        Relative.

    Returns
    -------
    term
        Starting at the maximum of the highest evidence.
    maxima
        All that were found, highest first; empty for a motif without an angle.
    """
    names = [p.name for p in term.parameters]
    if "angle" not in names:
        return term, ()
    at = names.index("angle")
    angle = term.parameters[at]
    covariance = term.known_covariance()
    covariance = covariance + theory_error**2 * term.signal_power * np.eye(len(covariance))
    start = np.array([p.value for p in term.parameters])
    fits: list[LaplaceFit] = []
    for value in np.linspace(angle.lower, angle.upper, _STARTS + 2)[1:-1]:
        start[at] = value
        fits.append(fit_term(term, covariance, start=start))
    fits.sort(key=lambda fit: -fit.log_evidence)
    found: list[AngleMaximum] = []
    for fit in fits:
        new = AngleMaximum(
            angle=float(fit.theta[at]), sigma=float(np.sqrt(fit.covariance[at, at])),
            log_evidence=fit.log_evidence,
        )  # fmt: skip
        if all(abs(new.angle - old.angle) > 0.5 * old.sigma for old in found):
            found.append(new)
    best = tuple(
        replace(p, value=float(np.clip(v, p.lower, p.upper)))
        for p, v in zip(term.parameters, fits[0].theta, strict=True)
    )
    return replace(term, parameters=best), tuple(found)
