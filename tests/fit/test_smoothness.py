import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline
from scipy.stats import multivariate_normal

from shortrange.fit.smoothness import Linear, find_widths, second_differences

KNOTS = np.linspace(3.0, 23.0, 41)
NOISE = 0.03


def linear(y, n=1):
    """Curves that are measured at their knots, one after the other."""
    k = KNOTS.size
    return Linear(
        curvature=np.eye(n * k) / NOISE**2, pull=y / NOISE**2,
        curves=[slice(p * k, (p + 1) * k) for p in range(n)], rows=second_differences(KNOTS),
    )  # fmt: skip


def measured(seed, width=0.0):
    """A straight line, and what white noise of the second derivative adds to it, with noise."""
    rng = np.random.default_rng(seed)
    bend = width * np.sqrt(KNOTS[1] - KNOTS[0]) * rng.normal(size=KNOTS.size)
    truth = 0.4 - 0.01 * KNOTS + np.cumsum(np.cumsum(bend)) * (KNOTS[1] - KNOTS[0])
    return truth, truth + rng.normal(0, NOISE, KNOTS.size)


def test_the_probability_is_that_of_a_normal_distribution():
    _, y = measured(0, 0.02)
    rows = second_differences(KNOTS)
    free = np.stack([np.ones(KNOTS.size), (KNOTS - 13.0) / 10.0])

    def marginal(width):
        # Levels and slopes with a variance so large that it says nothing.
        spread = width**2 * np.linalg.pinv(rows.T @ rows) + 1e2 * free.T @ free
        return multivariate_normal(np.zeros(KNOTS.size), spread + NOISE**2 * np.eye(KNOTS.size)).logpdf(y)

    widths = [0.003, 0.02, 0.3]
    ours = [linear(y).at(np.array([w]))[0] for w in widths]
    assert np.diff(ours) == pytest.approx(np.diff([marginal(w) for w in widths]), abs=1e-3)


def test_the_curve_is_scipys_smoothing_spline():
    _, y = measured(1, 0.02)
    width = 0.02
    _, found, covariance = linear(y).at(np.array([width]))
    theirs = make_smoothing_spline(KNOTS, y, lam=NOISE**2 / width**2)(KNOTS)
    # Theirs bends between its knots, ours at them: nothing beside its error where knots lie close.
    assert np.all(np.abs(found - theirs) < 0.1 * np.sqrt(np.diag(covariance)))


@pytest.mark.parametrize("width", [0.005, 0.05])
def test_the_width_is_found_and_the_truth_lies_within_the_errors(width):
    # Of 41 values that hang together some ten are independent: 40 draws tell the mean of z^2 to a tenth.
    squares, found = [], []
    tried = np.geomspace(1e-3, 1.0, 13)[None]
    for seed in range(40):
        truth, y = measured(seed, width)
        model = linear(y)
        got = find_widths(model, tried)
        values = model.at(got.widths)[1] + got.shift
        squares.append(np.mean((values - truth) ** 2 / np.diag(got.covariance)))
        found.append(got.widths[0])
    assert 0.7 < np.mean(squares) < 1.3
    assert 0.5 < np.exp(np.mean(np.log(found))) / width < 2.0


def test_each_curve_gets_its_own_width():
    straight, bent = measured(3)[1], measured(4, 0.2)[1]
    tried = np.tile(np.geomspace(1e-3, 1.0, 13), (2, 1))
    widths = find_widths(linear(np.concatenate([straight, bent]), n=2), tried).widths
    assert widths[0] < 0.01
    assert 0.05 < widths[1] < 0.8


def test_what_the_widths_leave_open_widens_the_errors():
    _, y = measured(5, 0.01)
    model = linear(y)
    got = find_widths(model, np.geomspace(1e-3, 1.0, 13)[None])
    at_best = np.diag(model.at(got.widths)[2])
    assert np.mean(np.diag(got.covariance)) > 1.02 * np.mean(at_best)
