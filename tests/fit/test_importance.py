"""Importance sampling: the closed form of a linear model, and a posterior that is not normal."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shortrange.fit.importance import importance_evidence
from shortrange.fit.laplace import fit_term
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term

X = np.linspace(0.0, 1.0, 10)
COVARIANCE = 0.04 * np.eye(X.size)


def term(curve, model, *, prior=(0.0, 1.0), limits=(-9.0, 9.0)):
    return Term(
        measurement="a",
        technique="xas",
        x=X,
        curve=curve,
        modes=np.eye(X.size),
        noise=COVARIANCE,
        sampling=np.zeros_like(COVARIANCE),
        model=model,
        parameters=(Parameter(name="p", unit="1", value=0.3, lower=limits[0], upper=limits[1], prior=prior),),
    )


def test_a_linear_model_agrees_with_the_closed_form():
    y = 0.7 * X + 0.2 * np.random.default_rng(1).normal(size=X.size)
    given = term(y, lambda theta: theta[0] * X)
    expected = multivariate_normal.logpdf(y, np.zeros(X.size), COVARIANCE + np.outer(X, X))
    found, sigma = importance_evidence(given, COVARIANCE, fit_term(given, COVARIANCE))
    assert sigma < 0.05
    assert found == pytest.approx(expected, abs=4 * sigma)


def test_a_posterior_cut_by_a_limit_is_noticed():
    given = term(-0.5 * X, lambda theta: theta[0] * X, limits=(0.0, 9.0))
    fit = fit_term(given, COVARIANCE)
    grid = np.linspace(0.0, 4.0, 4001)
    logs = [
        multivariate_normal.logpdf(given.y, p * X, COVARIANCE) + np.log(2.0) - 0.5 * p**2
        - 0.5 * np.log(2 * np.pi)
        for p in grid
    ]  # fmt: skip
    expected = np.log(np.trapezoid(np.exp(logs), grid))
    found, sigma = importance_evidence(given, COVARIANCE, fit, samples=2000)
    assert found == pytest.approx(expected, abs=5 * sigma)
    assert abs(fit.log_evidence - found) > 0.5


def test_the_same_seed_gives_the_same_number():
    given = term(0.5 * X, lambda theta: theta[0] * X)
    fit = fit_term(given, COVARIANCE)
    assert importance_evidence(given, COVARIANCE, fit) == importance_evidence(given, COVARIANCE, fit)
