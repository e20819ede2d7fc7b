"""Is the posterior as normal as Laplace's approximation takes it to be? A check by importance sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import gammaln, logsumexp

from shortrange.fit.laplace import LaplaceFit
from shortrange.fit.term import Term

__all__ = ["importance_evidence"]

Array = NDArray[Any]

_DEGREES = 5.0
"""Of Student's t: its tails are wider than those of a posterior that is nearly normal."""


def importance_evidence(
    term: Term, covariance: Array, fit: LaplaceFit, *, samples: int = 400, seed: int = 0
) -> tuple[float, float]:
    r"""Integrate the posterior with samples drawn around its maximum.

    .. math:: Z = \left\langle L(\theta)\,\pi(\theta) / q(\theta) \right\rangle_q

    with q a multivariate t of the width that Laplace's approximation states. Where the two evidences differ,
    the posterior is not normal: skewed, cut by a limit, or with a second maximum nearby. One far away is not
    found; that is what nested sampling is for.

    Parameters
    ----------
    term
        Data, model, parameters.
    covariance
        Total covariance of the mode coefficients, shape (m, m), as in the fit.
    fit
        From `shortrange.fit.laplace.fit_term`.
    samples
        Calls of the model.
    seed
        The same seed gives the same result.

    Returns
    -------
    log_evidence, sigma
        Natural logarithm, and its standard error; infinite where too few samples count.
    """
    rng = np.random.default_rng(seed)
    p, parameters = fit.theta.size, term.parameters
    (means, sigmas), (lower, upper) = term.priors, term.limits
    root = cholesky(fit.covariance, lower=True)
    normal, chi2 = rng.normal(size=(samples, p)), rng.chisquare(_DEGREES, size=samples)
    z = normal * np.sqrt(_DEGREES / chi2)[:, None]
    thetas = fit.theta + z @ root.T
    log_q = (
        gammaln(0.5 * (_DEGREES + p))
        - gammaln(0.5 * _DEGREES)
        - 0.5 * p * np.log(_DEGREES * np.pi)
        - float(np.sum(np.log(np.diag(root))))
        - 0.5 * (_DEGREES + p) * np.log1p(np.sum(z**2, axis=1) / _DEGREES)
    )
    factor = cholesky(covariance, lower=True)
    fixed = sum(q.log_prior_norm() for q in parameters) - float(np.sum(np.log(np.diag(factor))))
    fixed -= 0.5 * factor.shape[0] * np.log(2.0 * np.pi)
    logs = np.full(samples, -np.inf)
    for i in np.flatnonzero(np.all((thetas >= lower) & (thetas <= upper), axis=1)):
        whitened = solve_triangular(factor, term.residual(thetas[i]), lower=True)
        logs[i] = fixed - 0.5 * whitened @ whitened - 0.5 * np.sum(((thetas[i] - means) / sigmas) ** 2)
    weights = logs - log_q
    total = float(logsumexp(weights))
    if not np.isfinite(total):
        return -np.inf, np.inf
    relative = np.exp(weights - total)
    effective = 1.0 / float(np.sum(relative**2))
    return total - float(np.log(samples)), float(np.sqrt(max(1.0 / effective - 1.0 / samples, 0.0)))
