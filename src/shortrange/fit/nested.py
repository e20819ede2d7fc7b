"""Evidence by nested sampling: a slow check of Laplace's approximation, whatever the posterior's shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import ndtr, ndtri

from shortrange.errors import SimulationError
from shortrange.fit.term import Term

__all__ = ["nested_evidence"]

Array = NDArray[Any]


def nested_evidence(
    term: Term, covariance: Array, *, live_points: int = 200, tolerance: float = 0.1, seed: int = 0
) -> tuple[float, float]:
    """Integrate the likelihood over the priors with dynesty (Speagle 2020; Skilling 2004).

    Parameters
    ----------
    term
        Data, model, parameters.
    covariance
        Total covariance of the mode coefficients, shape (m, m), positive definite.
    live_points
        The error falls with the square root of their number.
    tolerance
        Remaining evidence, in its logarithm, at which sampling stops.
    seed
        Of the random numbers: the same seed gives the same result.

    Returns
    -------
    log_evidence, sigma
        Natural logarithm, and its estimated error.

    Raises
    ------
    SimulationError
        If dynesty is not installed.
    """
    try:
        import dynesty
    except ImportError as error:
        raise SimulationError(
            "nested sampling needs dynesty, which is not installed",
            where="nested_evidence",
            do='pip install "shortrange[dynesty]"',
        ) from error
    factor = cholesky(covariance, lower=True)
    offset = -float(np.sum(np.log(np.diag(factor)))) - 0.5 * factor.shape[0] * np.log(2.0 * np.pi)
    means, sigmas = term.priors
    low, high = (ndtr((limit - means) / sigmas) for limit in term.limits)

    def log_likelihood(theta: Array) -> float:
        whitened = solve_triangular(factor, term.residual(theta), lower=True)
        return float(offset - 0.5 * whitened @ whitened)

    def from_unit_cube(u: Array) -> Array:
        # As scipy.stats.norm.ppf, which takes as long as the likelihood to check its arguments.
        return np.asarray(means + sigmas * ndtri(low + u * (high - low)))

    sampler = dynesty.NestedSampler(
        log_likelihood,
        from_unit_cube,
        len(term.parameters),
        nlive=live_points,
        # Random walks: safe for posteriors that are far narrower than their prior.
        sample="rwalk",
        rstate=np.random.default_rng(seed),
    )
    sampler.run_nested(dlogz=tolerance, print_progress=False)
    found = sampler.results
    return float(found.logz[-1]), float(found.logzerr[-1])
