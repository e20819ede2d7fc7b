"""What another measurement would tell: the expected gain in log-evidence between two models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from shortrange.compare.theory_error import TheoryError
from shortrange.fit.laplace import fit_series, model_slopes
from shortrange.fit.term import Term

__all__ = ["Prospect", "expected_gain", "prospect"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a measurement is expected to say about two models.

    Attributes
    ----------
    what
        The measurement, in words.
    gain_if_first, gain_if_second
        Expected logarithm of the odds, in favour of the one that is true, in nats: by the whole measurement,
        in place of what has been measured of its kind.
    assumed
        What was taken for granted, such as the noise.
    """

    what: str
    gain_if_first: float
    gain_if_second: float
    assumed: str = ""

    @property
    def expected(self) -> float:
        """Mean of both gains."""
        return 0.5 * (self.gain_if_first + self.gain_if_second)


def prospect(
    what: str, first: Term, second: Term, *, theory_error: TheoryError, assumed: str = ""
) -> Prospect:
    """State what a measurement is expected to say.

    Parameters
    ----------
    what
        In words.
    first, second
        Terms of the two models on the points and with the noise of that measurement. Their curves do not
        matter.
    theory_error
        Prior of its relative size.
    assumed
        In words.
    """
    return Prospect(
        what=what,
        gain_if_first=expected_gain(first, second, theory_error=theory_error),
        gain_if_second=expected_gain(second, first, theory_error=theory_error),
        assumed=assumed,
    )


def expected_gain(true: Term, other: Term, *, theory_error: TheoryError) -> float:
    r"""Return the expected ln(Z_true / Z_other) of data that the true model makes, in nats.

    Data are drawn around the true model at its parameters' prior means, with noise, sampling and theory
    error of the prior's median. For each size of the theory error, evidences are normal densities of
    residual d and covariance V, with each model taken as linear around its fit to what is expected; their
    expected logarithm is

    .. math:: -\tfrac12 (\mathrm{tr}\,V^{-1} C + d^T V^{-1} d + \ln|V|)

    with C the covariance of the data. The sizes are then integrated out, and the points counted as the
    theory error says, as in `shortrange.compare.evidence.judge`.

    Parameters
    ----------
    true, other
        Terms on the same points and modes.
    theory_error
        Prior of its relative size.
    """
    expected = true.model(np.array([p.prior[0] for p in true.parameters]))
    true, other = replace(true, curve=expected), replace(other, curve=expected)
    made = true.known_covariance() + theory_error.median**2 * true.signal_power * np.eye(true.modes.shape[1])
    gain = _expected_evidence(true, made, theory_error) - _expected_evidence(other, made, theory_error)
    return theory_error.independent * gain


def _expected_evidence(term: Term, made: Array, theory_error: TheoryError) -> float:
    """Return the expected ln Z, up to what all models have in common."""
    sizes, prior = theory_error.nodes()
    known, extra = term.known_covariance(), term.signal_power * np.eye(term.modes.shape[1])
    covariances = [known + size**2 * extra for size in sizes[::-1]]
    means = np.array([p.prior[0] for p in term.parameters])
    variances = np.array([p.prior[1] ** 2 for p in term.parameters])
    logs = []
    for covariance, fit in zip(covariances, fit_series(term, covariances), strict=True):
        slopes = model_slopes(term, fit.theta)
        residual = term.residual(fit.theta) - slopes @ (means - fit.theta)
        logs.append(-0.5 * _cost(residual, covariance + (slopes * variances) @ slopes.T, made))
    return float(logsumexp(np.array(logs), b=prior[::-1]))


def _cost(residual: Array, covariance: Array, made: Array) -> float:
    factor = cho_factor(covariance, lower=True)
    log_determinant = 2.0 * float(np.sum(np.log(np.diag(factor[0]))))
    return float(np.trace(cho_solve(factor, made)) + residual @ cho_solve(factor, residual)) + log_determinant
