"""Maximum of the posterior, its curvature, and the evidence by Laplace's approximation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import least_squares

from shortrange.errors import SimulationError
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

__all__ = ["LaplaceFit", "fit_series", "fit_term", "model_slopes"]

Array = NDArray[Any]
_AT_BOUND = 1e-3
"""A value within this fraction of its allowed interval from a limit counts as lying at it."""
_DIFFERENCE = 1e-3
"""Step of derivatives, in standard deviations of the prior."""
_SETTLED = 0.003
"""A step of Gauss-Newton below this part of the standard error changes ln Z by 1e-5 at most."""
_MAX_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaplaceFit:
    """Posterior of a term's parameters near its maximum.

    Attributes
    ----------
    theta
        Parameter values at the maximum, shape (p,).
    covariance
        Inverse of the Gauss-Newton Hessian there, shape (p, p).
    at_bound
        Which values lie at a limit: there the approximation is not to be trusted. Shape (p,).
    chi2
        Squared whitened residual of the data, without the priors.
    log_evidence
        Logarithm of the data's probability with the parameters integrated out.
    """

    theta: Array
    covariance: Array
    at_bound: Array
    chi2: float
    log_evidence: float


def fit_term(term: Term, covariance: Array, *, start: Array | None = None) -> LaplaceFit:
    r"""Fit the parameters of one term and integrate them out.

    With :math:`r` the residual whitened by the data's covariance C and the priors,
    :math:`\ln Z = -r^2/2 - \ln\sqrt{|2\pi C|} + \sum\ln\pi_{max} + (p/2)\ln 2\pi - \ln\sqrt{|J^T J|}`.

    Parameters
    ----------
    term
        Data, model, parameters.
    covariance
        Total covariance of the mode coefficients, shape (m, m), positive definite.
    start
        Parameter values to start from; the parameters' own by default.

    Raises
    ------
    SimulationError
        If the fit does not converge.
    """
    factor = cholesky(covariance, lower=True)
    (means, sigmas), (lower, upper) = term.priors, term.limits

    def residual(theta: Array) -> Array:
        data = solve_triangular(factor, term.residual(theta), lower=True)
        return np.concatenate([data, (theta - means) / sigmas])

    def jacobian(theta: Array) -> Array:
        assert term.slopes is not None
        data = solve_triangular(factor, -term.modes.T @ term.slopes(theta), lower=True)
        return np.concatenate([data, np.diag(1.0 / sigmas)])

    first = np.array([p.value for p in term.parameters]) if start is None else start
    # A start on a limit has no room for the solver's first step.
    first = np.clip(first, lower + 1e-9 * (upper - lower), upper - 1e-9 * (upper - lower))
    result = least_squares(
        residual, first, bounds=(lower, upper), x_scale=sigmas, max_nfev=1000,
        jac="2-point" if term.slopes is None else jacobian,
    )  # fmt: skip
    if not result.success:
        raise SimulationError(
            f"the fit did not converge: {result.message}",
            where=f"measurement {term.measurement!r}",
            do="check that the model can describe the data at all, or narrow the limits",
        )
    return _laplace(term, factor, result.x, result.fun, result.jac)


def fit_series(term: Term, covariances: Sequence[Array], *, start: Array | None = None) -> list[LaplaceFit]:
    """Fit the parameters for several covariances, each fit starting from the one before.

    Between covariances that differ little the maximum moves little, so that Gauss-Newton steps with the
    last derivatives find it in two or three calls of the model. Where they do not, or meet a limit,
    `fit_term` does.

    Parameters
    ----------
    term
        Data, model, parameters.
    covariances
        Of the mode coefficients, each (m, m), positive definite.
    start
        Parameter values to start from; the parameters' own by default.

    Raises
    ------
    SimulationError
        As `fit_term`.
    """
    fits: list[LaplaceFit] = []
    theta, slopes = start, None
    for covariance in covariances:
        fit = None
        if fits and slopes is not None and not fits[-1].at_bound.any():
            fit, slopes = _newton(term, covariance, fits[-1].theta, slopes)
        if fit is None:
            fit = fit_term(term, covariance, start=theta)
            slopes = model_slopes(term, fit.theta)
        theta = fit.theta
        fits.append(fit)
    return fits


def _newton(term: Term, covariance: Array, theta: Array, slopes: Array) -> tuple[LaplaceFit | None, Array]:
    """Gauss-Newton from nearby, or None where it does not settle inside the limits."""
    (means, scale), (lower, upper) = term.priors, term.limits
    factor = cholesky(covariance, lower=True)
    before = theta
    for _ in range(_MAX_STEPS):
        jac = np.concatenate([-solve_triangular(factor, slopes, lower=True), np.diag(1.0 / scale)])
        residual = np.concatenate(
            [solve_triangular(factor, term.residual(theta), lower=True), (theta - means) / scale]
        )
        step = -np.linalg.solve(jac.T @ jac, jac.T @ residual)
        sigma = np.sqrt(np.diag(np.linalg.inv(jac.T @ jac)))
        if np.all(np.abs(step) < _SETTLED * sigma):
            # The evidence wants the curvature here, not that of a few steps ago.
            slopes = model_slopes(term, theta)
            jac[: slopes.shape[0]] = -solve_triangular(factor, slopes, lower=True)
            return _laplace(term, factor, theta, residual, jac), slopes
        theta = theta + step
        if np.any(theta <= lower) or np.any(theta >= upper):
            return None, slopes
        if np.any(np.abs(theta - before) > 0.3 * sigma):
            slopes, before = model_slopes(term, theta), theta
    return None, slopes


def model_slopes(term: Term, theta: Array) -> Array:
    """Differentiate the model's mode coefficients with the parameters: shape (m, p), central differences."""
    lower, upper = term.limits
    columns = []
    for i, h in enumerate(_DIFFERENCE * term.priors[1]):
        high, low = theta.copy(), theta.copy()
        high[i], low[i] = min(theta[i] + h, upper[i]), max(theta[i] - h, lower[i])
        columns.append((term.residual(low) - term.residual(high)) / (high[i] - low[i]))
    return np.array(columns).T


def _laplace(term: Term, factor: Array, theta: Array, residual: Array, jac: Array) -> LaplaceFit:
    """Evidence and covariance from the whitened residual (data, then priors) and its derivatives."""
    parameters = term.parameters
    hessian = jac.T @ jac
    m, p = term.modes.shape[1], len(parameters)
    log_evidence = (
        -0.5 * float(np.sum(residual**2))
        - float(np.sum(np.log(np.diag(factor))))
        - 0.5 * m * np.log(2.0 * np.pi)
        + sum(q.log_prior_norm() for q in parameters)
        + 0.5 * p * np.log(2.0 * np.pi)
        - 0.5 * float(np.linalg.slogdet(hessian)[1])
    )
    return LaplaceFit(
        theta=theta,
        covariance=np.linalg.inv(hessian),
        at_bound=_at_bound(theta, parameters),
        chi2=float(np.sum(residual[:m] ** 2)),
        log_evidence=float(log_evidence),
    )


def _at_bound(theta: Array, parameters: tuple[Parameter, ...]) -> Array:
    room = [_AT_BOUND * (p.upper - p.lower) for p in parameters]
    return np.array(
        [v - p.lower < d or p.upper - v < d for v, p, d in zip(theta, parameters, room, strict=True)],
        dtype=bool,
    )
