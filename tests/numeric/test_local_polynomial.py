"""Local polynomials: exact on polynomials, equal to Savitzky and Golay's filter, noise as it should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import savgol_coeffs

from shortrange.numeric.extrapolate import extrapolate
from shortrange.numeric.local_polynomial import derivative_operator


@given(st.integers(0, 2), st.lists(st.floats(-2, 2), min_size=5, max_size=5), st.integers(0, 100))
def test_exact_on_polynomials_on_any_grid(order, coefficients, seed):
    x = np.sort(np.random.default_rng(seed).uniform(-5, 5, 60))
    at = np.linspace(-2, 2, 9)
    polynomial = np.polynomial.Polynomial(coefficients)
    found = derivative_operator(x, at, width=1.5, degree=4, order=order) @ polynomial(x)
    np.testing.assert_allclose(found, polynomial.deriv(order)(at) if order else polynomial(at), atol=1e-6)


def test_savitzky_and_golay():
    """With all weights equal it is their filter: a width far beyond the few points."""
    x = np.arange(-5.0, 6.0)
    ours = derivative_operator(x, np.zeros(1), width=1e4, degree=4, order=2)[0]
    np.testing.assert_allclose(ours, savgol_coeffs(11, 4, deriv=2, use="dot"), atol=1e-6)


def test_impossible_places_are_nan():
    rows = derivative_operator(np.arange(20.0), np.array([-1.0, 0.2, 10.0]), width=1.5, degree=4)
    assert np.isnan(rows[:2]).all()
    assert np.isfinite(rows[2]).all()


def test_extrapolation_of_a_known_bias():
    width = np.linspace(0.5, 1.5, 8)
    noise = np.eye(8) * 1e-3
    value = 2.8 + 0.3 * width**4
    weights, found, sigma = extrapolate(value, noise, width[:, None] ** 4, scatter=(1e-4,))
    assert found == pytest.approx(2.8, abs=5e-3)
    assert weights.sum() == pytest.approx(1)
    assert sigma < 5e-3
    # Without the bias term the estimates cannot be united but by a large scatter.
    _, wrong, wide = extrapolate(value, noise, np.zeros((8, 1)), scatter=(1e-4, 0.1, 1.0))
    assert wrong > 2.9
    assert wide > 10 * sigma
