"""Least squares with priors, against the normal distribution in closed form."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from shortrange.errors import DataError
from shortrange.reduce.scattering_solve import SHARES, Mixture, averaged, least_squares

RNG = np.random.default_rng(4)
MATRIX = RNG.normal(size=(30, 3)) * [1.0, 40.0, 0.02]
MEAN, WIDTHS = np.array([1.0, -0.1, 3.0]), np.array([[0.5, 0.02, 20.0], [0.5, 0.02, 0.0], [0.2, 0.3, 40.0]])
RIGHT = MATRIX @ [1.3, -0.12, 10.0] + 0.8 * RNG.normal(size=30)


def test_posterior_and_evidence_are_those_of_normal_numbers():
    """Conditional mean and covariance by Schur complement; evidence as scipy's density of the data."""
    found = least_squares(np.column_stack([MATRIX, RIGHT]), MEAN, WIDTHS)
    log_densities = []
    for k, width in enumerate(WIDTHS):
        prior = np.diag(width**2)
        seen = MATRIX @ prior @ MATRIX.T + np.eye(30)
        gain = prior @ MATRIX.T @ np.linalg.inv(seen)
        assert found.values[k] == pytest.approx(MEAN + gain @ (RIGHT - MATRIX @ MEAN), rel=1e-9)
        cov = found.roots[k] @ found.roots[k].T
        np.testing.assert_allclose(cov, prior - gain @ MATRIX @ prior, atol=1e-9 * np.max(prior))
        log_densities.append(multivariate_normal(MATRIX @ MEAN, seen).logpdf(RIGHT))
    assert np.diff(found.log_evidence) == pytest.approx(np.diff(log_densities), abs=1e-8)


def test_average_of_a_mixture():
    """Probabilities by Bayes; intervals as of numbers drawn from the mixture."""
    found = least_squares(np.column_stack([MATRIX, RIGHT]), MEAN, WIDTHS)
    mixture, odds = averaged(found, np.array([0.2, 0.5, 0.3]))
    assert odds.sum() == pytest.approx(1.0)
    assert odds[1] / odds[0] == pytest.approx(2.5 * np.exp(found.log_evidence[1] - found.log_evidence[0]))
    np.testing.assert_allclose(mixture.mean, odds @ found.values, rtol=1e-5)
    slopes = np.array([[1.0, 0.0, 0.0], [0.3, 20.0, -0.01]])
    drawn = np.concatenate(
        [
            value + RNG.normal(size=(round(4e5 * p), 3)) @ part.T
            for p, part, value in zip(odds, found.roots, found.values, strict=True)
        ]
    )
    off = np.abs((drawn - mixture.mean) @ slopes.T)
    np.testing.assert_allclose(mixture.half_widths(slopes), np.quantile(off, SHARES, axis=0), rtol=0.01)


def test_a_root_of_one_solution_is_that_of_its_covariance():
    found = least_squares(np.column_stack([MATRIX, RIGHT]), MEAN, WIDTHS[:1])
    root = averaged(found, np.ones(1))[0].root(MATRIX)
    np.testing.assert_allclose(root @ root.T, found.roots[0] @ found.roots[0].T, rtol=1e-3)


def test_improbable_wide_solutions_do_not_rule_errors():
    """1 in 20 is 30 times as wide; the standard deviation would be 6.8.

    P(|x| < h) = 0.95 (2 Phi(h) - 1) + 0.05 (2 Phi(h / 30) - 1).
    """
    values, roots = np.zeros((2, 2)), np.array([np.diag([1.0, 0.1]), np.diag([30.0, 0.1])])
    mixture = Mixture(np.zeros(2), values, roots, np.array([0.95, 0.05]))
    h = brentq(lambda x: 0.95 * (2 * norm.cdf(x) - 1) + 0.05 * (2 * norm.cdf(x / 30) - 1) - 0.6827, 0.5, 30)
    assert h < 1.1
    root = mixture.root(np.array([[1.0, 1.0], [1.0, -1.0], [0.0, 2.0]]))
    np.testing.assert_allclose(np.linalg.norm(root, axis=1), [h, 0.1], rtol=1e-4)
    assert mixture.half_widths(np.eye(2))[1, 0] > 3.0 * h


def test_without_priors_it_is_plain_least_squares_with_errors_by_the_misfit():
    """Twice the misfit that the stated errors allow: errors grow by it (numpy's lstsq)."""
    right = MATRIX @ [1.0, 2.0, 3.0] + 2.0 * RNG.normal(size=30)
    found = least_squares(np.column_stack([MATRIX, right]), MEAN, np.full((1, 3), np.inf))
    values, misfit, *_ = np.linalg.lstsq(MATRIX, right)
    assert found.values[0] == pytest.approx(values, rel=1e-9)
    expected = np.linalg.inv(MATRIX.T @ MATRIX) * misfit[0] / 27
    np.testing.assert_allclose(found.roots[0] @ found.roots[0].T, expected, rtol=1e-9)


def test_what_nothing_tells_is_refused():
    blind = np.column_stack([MATRIX[:, 0], np.zeros(30), RIGHT])
    with pytest.raises(DataError, match="does not tell scale, fluorescence and background apart"):
        least_squares(blind, np.zeros(2), np.full((1, 2), np.inf))
