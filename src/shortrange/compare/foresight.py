"""What another measurement would tell: the expected gain in log-evidence between two models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from shortrange.fit.laplace import fit_term, model_slopes
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


def prospect(what: str, first: Term, second: Term, *, theory_error: float, assumed: str = "") -> Prospect:
    """State what a measurement is expected to say.

    Parameters
    ----------
    what
        In words.
    first, second
        Terms of the two models on the points and with the noise of that measurement. Their curves do not
        matter.
    theory_error
        Relative size.
    assumed
        In words.
    """
    return Prospect(
        what=what,
        gain_if_first=expected_gain(first, second, theory_error=theory_error),
        gain_if_second=expected_gain(second, first, theory_error=theory_error),
        assumed=assumed,
    )


def expected_gain(true: Term, other: Term, *, theory_error: float) -> float:
    r"""Return the expected ln(Z_true / Z_other) of data that the true model makes, in nats.

    Data are drawn around the true model at its parameters' prior means, with noise, sampling and theory
    error. Evidences are normal densities, with each model taken as linear around its fit to what is expected:

    .. math:: \tfrac12\left[\mathrm{tr}\,V_o^{-1}C - \mathrm{tr}\,V_t^{-1}C + d_o^T V_o^{-1} d_o
        - d_t^T V_t^{-1} d_t + \ln|V_o| / |V_t|\right]

    Parameters
    ----------
    true, other
        Terms on the same points and modes.
    theory_error
        Relative size, the same for both.
    """
    expected = true.model(np.array([p.prior[0] for p in true.parameters]))
    true, other = replace(true, curve=expected), replace(other, curve=expected)
    extra = theory_error**2 * true.signal_power * np.eye(true.modes.shape[1])
    made = true.known_covariance() + extra
    d_true, v_true = _marginal(true, made)
    d_other, v_other = _marginal(other, other.known_covariance() + extra)
    return 0.5 * (_cost(d_other, v_other, made) - _cost(d_true, v_true, made))


def _marginal(term: Term, covariance: Array) -> tuple[Array, Array]:
    """Residual and covariance of the data with the parameters integrated out over their priors."""
    theta = fit_term(term, covariance).theta
    slopes = model_slopes(term, theta)
    means = np.array([p.prior[0] for p in term.parameters])
    variances = np.array([p.prior[1] ** 2 for p in term.parameters])
    return term.residual(theta) - slopes @ (means - theta), covariance + (slopes * variances) @ slopes.T


def _cost(residual: Array, covariance: Array, made: Array) -> float:
    factor = cho_factor(covariance, lower=True)
    log_determinant = 2.0 * float(np.sum(np.log(np.diag(factor[0]))))
    return float(np.trace(cho_solve(factor, made)) + residual @ cho_solve(factor, residual)) + log_determinant
