"""Least squares with priors, against the normal distribution in closed form."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shortrange.errors import DataError
from shortrange.reduce.scattering_solve import averaged, least_squares

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
    """Mean and covariance of a mixture of normal distributions: within and between."""
    found = least_squares(np.column_stack([MATRIX, RIGHT]), MEAN, WIDTHS)
    mean, root, odds = averaged(found, np.array([0.2, 0.5, 0.3]))
    assert odds.sum() == pytest.approx(1.0)
    assert odds[1] / odds[0] == pytest.approx(2.5 * np.exp(found.log_evidence[1] - found.log_evidence[0]))
    second = sum(
        p * (part @ part.T + np.outer(value, value))
        for p, part, value in zip(odds, found.roots, found.values, strict=True)
    )
    np.testing.assert_allclose(root @ root.T, second - np.outer(mean, mean), atol=1e-9)


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
