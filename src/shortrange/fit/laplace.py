"""Maximum of the posterior, its curvature, and the evidence by Laplace's approximation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import least_squares

from shortrange.errors import SimulationError
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

__all__ = ["LaplaceFit", "fit_term"]

Array = NDArray[Any]
_AT_BOUND = 1e-3
"""A value within this fraction of its allowed interval from a limit counts as lying at it."""


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
    parameters = term.parameters
    factor = cholesky(covariance, lower=True)
    means = np.array([p.prior[0] for p in parameters])
    sigmas = np.array([p.prior[1] for p in parameters])
    lower, upper = np.array([p.lower for p in parameters]), np.array([p.upper for p in parameters])

    def residual(theta: Array) -> Array:
        data = solve_triangular(factor, term.residual(theta), lower=True)
        return np.concatenate([data, (theta - means) / sigmas])

    first = np.array([p.value for p in parameters]) if start is None else start
    # A start on a limit has no room for the solver's first step.
    first = np.clip(first, lower + 1e-9 * (upper - lower), upper - 1e-9 * (upper - lower))
    result = least_squares(residual, first, bounds=(lower, upper), x_scale=sigmas, max_nfev=1000)
    if not result.success:
        raise SimulationError(
            f"the fit did not converge: {result.message}",
            where=f"measurement {term.measurement!r}",
            do="check that the model can describe the data at all, or narrow the limits",
        )
    hessian = result.jac.T @ result.jac
    m, p = term.modes.shape[1], len(parameters)
    chi2 = float(np.sum(result.fun[:m] ** 2))
    log_evidence = (
        -0.5 * float(np.sum(result.fun**2))
        - float(np.sum(np.log(np.diag(factor))))
        - 0.5 * m * np.log(2.0 * np.pi)
        + sum(q.log_prior_norm() for q in parameters)
        + 0.5 * p * np.log(2.0 * np.pi)
        - 0.5 * float(np.linalg.slogdet(hessian)[1])
    )
    return LaplaceFit(
        theta=result.x,
        covariance=np.linalg.inv(hessian),
        at_bound=_at_bound(result.x, parameters),
        chi2=chi2,
        log_evidence=float(log_evidence),
    )


def _at_bound(theta: Array, parameters: tuple[Parameter, ...]) -> Array:
    room = [_AT_BOUND * (p.upper - p.lower) for p in parameters]
    return np.array(
        [v - p.lower < d or p.upper - v < d for v, p, d in zip(theta, parameters, room, strict=True)],
        dtype=bool,
    )
