"""Evidence of one model from one measurement, with the size of the theory error integrated out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp
from scipy.stats import chi2 as chi2_distribution

from shortrange.compare.regions import Places, evidence_by_place
from shortrange.compare.theory_error import TheoryError
from shortrange.compare.verdict import FittedParameter, MeasurementFit
from shortrange.fit.importance import importance_evidence
from shortrange.fit.laplace import LaplaceFit, fit_series, model_slopes
from shortrange.fit.nested import nested_evidence
from shortrange.fit.term import Term

__all__ = ["check_evidence", "check_nested", "judge", "log_evidence"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Marginal:
    """Fits over the nodes of the theory error, and their posterior weights."""

    sizes: Array
    prior: Array
    fits: tuple[LaplaceFit, ...]

    @property
    def log_evidences(self) -> Array:
        return np.asarray(np.log(self.prior) + np.array([fit.log_evidence for fit in self.fits]))

    @property
    def weights(self) -> Array:
        logs = self.log_evidences
        return np.asarray(np.exp(logs - logsumexp(logs)))


def judge(term: Term, *, theory_error: TheoryError) -> MeasurementFit:
    """Fit a term and state its evidence, misfit and parameters.

    The size of the theory error is integrated out over its prior: a model may be excused by a large theory
    error only at the price that such an error is improbable. The evidence counts the points as the theory
    error says (`TheoryError.independent`); fit and errors of the parameters do not.

    Parameters
    ----------
    term
        Data and model.
    theory_error
        Prior of the relative theory error.

    Returns
    -------
    MeasurementFit
        Its ``p_value`` averages, over the prior of the theory error, the probability of a chi-squared at
        least as large as that of the fit; its ``chi2_reduced`` refers to the prior's median.
    """
    marginal = _marginalise(term, theory_error)
    best = marginal.fits[int(np.argmax(marginal.weights))]
    # The size that the prior itself expects: the misfit is not judged by an error inflated to excuse it.
    expected = marginal.fits[int(np.argmin(np.abs(marginal.sizes - theory_error.median)))]
    degrees = max(1, term.modes.shape[1] - len(term.parameters))
    p_values = [chi2_distribution.sf(fit.chi2, degrees) for fit in marginal.fits]
    # What is shown is what was compared: curves without their parts outside the band.
    band = term.modes @ term.modes.T
    noise = np.einsum("im,mn,in->i", term.modes, term.noise, term.modes)
    return MeasurementFit(
        measurement=term.measurement,
        technique=term.technique,
        x=term.x,
        data=band @ term.curve,
        sigma=np.sqrt(noise),
        model=band @ term.model(best.theta),
        theory_sigma=_theory_band(term, marginal),
        fit_range=term.fit_range,
        contributions={name: band @ part for name, part in term.contributions(best.theta).items()},
        R=_misfit(term, best.theta),
        chi2_reduced=expected.chi2 / degrees,
        p_value=float(np.dot(marginal.prior, p_values)),
        log_evidence=_counted(marginal, theory_error),
        parameters=_describe(term, marginal, theory_error),
        places=_places(term, marginal, theory_error),
    )


def log_evidence(term: Term, *, theory_error: TheoryError) -> float:
    """Return the evidence that `judge` states, and nothing else."""
    return _counted(_marginalise(term, theory_error), theory_error)


def _counted(marginal: _Marginal, theory_error: TheoryError) -> float:
    """Return ln Z with the points counted as the theory error says."""
    return theory_error.independent * float(logsumexp(marginal.log_evidences))


def check_evidence(term: Term, *, theory_error: TheoryError) -> tuple[float, float]:
    """Compare Laplace's evidence with that of importance sampling, at the most probable theory error.

    Both are integrals with every point counted in full.

    Returns
    -------
    difference, sigma
        ln Z by Laplace less that by sampling, and the error of the latter.
    """
    marginal = _marginalise(term, theory_error)
    likely = int(np.argmax(marginal.weights))
    extra = marginal.sizes[likely] ** 2 * term.signal_power * np.eye(term.modes.shape[1])
    fit = marginal.fits[likely]
    sampled, sigma = importance_evidence(term, term.known_covariance() + extra, fit)
    return fit.log_evidence - sampled, sigma


def check_nested(term: Term, *, theory_error: TheoryError) -> tuple[float, float]:
    """Compare Laplace's evidence with that of nested sampling, at the most probable theory error.

    Both are integrals with every point counted in full.

    Returns
    -------
    difference, sigma
        ln Z by Laplace less that by sampling, and the error of the latter.

    Raises
    ------
    SimulationError
        If dynesty is not installed.
    """
    marginal = _marginalise(term, theory_error)
    likely = int(np.argmax(marginal.weights))
    extra = marginal.sizes[likely] ** 2 * term.signal_power * np.eye(term.modes.shape[1])
    sampled, sigma = nested_evidence(term, term.known_covariance() + extra)
    return marginal.fits[likely].log_evidence - sampled, sigma


def _marginalise(term: Term, theory_error: TheoryError) -> _Marginal:
    sizes, prior = theory_error.nodes()
    known, power = term.known_covariance(), term.signal_power
    identity = np.eye(known.shape[0])
    # From the largest theory error down: the smoothest posterior first, each fit starting from the last.
    fits = fit_series(term, [known + size**2 * power * identity for size in sizes[::-1]])
    return _Marginal(sizes=sizes, prior=prior, fits=tuple(fits[::-1]))


def _misfit(term: Term, theta: Array) -> float:
    """R: as feffit's R-factor for EXAFS (a ratio of squares), as Rw for G(r) (its square root)."""
    ratio = float(np.sum(term.residual(theta) ** 2) / np.sum(term.y**2))
    return ratio if term.technique == "xas" else float(np.sqrt(ratio))


def _theory_band(term: Term, marginal: _Marginal) -> Array:
    """Give the standard deviation on the curve of theory, bias and sampling errors together."""
    mean_square = float(np.dot(marginal.weights, marginal.sizes**2)) * term.signal_power
    covariance = term.known_covariance() - term.noise + mean_square * np.eye(term.modes.shape[1])
    return np.asarray(np.sqrt(np.einsum("im,mn,in->i", term.modes, covariance, term.modes)))


def _places(term: Term, marginal: _Marginal, theory_error: TheoryError) -> tuple[Places, Places]:
    """Evidence by place, at the most probable size of the theory error, counted as the whole is."""
    likely = int(np.argmax(marginal.weights))
    extra = marginal.sizes[likely] ** 2 * term.signal_power * np.eye(term.modes.shape[1])
    axis, conjugate = evidence_by_place(term, term.known_covariance() + extra, marginal.fits[likely])
    part = theory_error.independent
    return replace(axis, nats=part * axis.nats), replace(conjugate, nats=part * conjugate.nats)


def _response(term: Term, marginal: _Marginal) -> Array:
    r"""Return what the parameters make of the spread of bond lengths, shape (p,): root of the sum of squares.

    To first order an error b of the curve moves the fit by :math:`H^{-1} J^T C^{-1} b`, with the slopes J and
    the posterior's curvature H.
    """
    if term.spread is None:
        return np.zeros(len(term.parameters))
    likely = int(np.argmax(marginal.weights))
    fit = marginal.fits[likely]
    extra = marginal.sizes[likely] ** 2 * term.signal_power * np.eye(term.modes.shape[1])
    wrong = cho_solve(cho_factor(term.known_covariance() + extra), term.modes.T @ term.spread(fit.theta))
    moved = fit.covariance @ model_slopes(term, fit.theta).T @ wrong
    return np.asarray(np.sqrt(np.sum(moved**2, axis=1)))


def _describe(term: Term, marginal: _Marginal, theory_error: TheoryError) -> tuple[FittedParameter, ...]:
    weights = marginal.weights
    thetas = np.array([fit.theta for fit in marginal.fits])
    mean = weights @ thetas
    inner = np.array([np.diag(fit.covariance) for fit in marginal.fits])
    sigma = np.sqrt(weights @ inner + weights @ (thetas - mean) ** 2)
    names = [p.name.partition(" (")[0] for p in term.parameters]
    sigma = np.hypot(sigma, [theory_error.stretch if name == "stretch" else 0.0 for name in names])
    sigma = np.hypot(sigma, theory_error.bond_spread * _response(term, marginal))
    bound = weights @ np.array([fit.at_bound for fit in marginal.fits]) > 0.05
    return tuple(
        FittedParameter(
            name=p.name,
            unit=p.unit,
            value=float(mean[i]),
            sigma=None if bound[i] else float(sigma[i]),
            prior=p.prior,
            bounds=(p.lower, p.upper),
            at_bound=bool(bound[i]),
            note="at its limit: no error can be given" if bound[i] else "",
        )
        for i, p in enumerate(term.parameters)
    )
