"""Where fits begin again, and where they end."""

from types import SimpleNamespace

import numpy as np
import pytest

from shortrange.fit import least_squares
from shortrange.fit.least_squares import LeastSquares


class Bent:
    """A valley of Rosenbrock's, its lowest point at (x, y) = (1, 1), and a count of evaluations."""

    def __init__(self, steep: float = 10.0) -> None:
        self.steep, self.count = steep, 0

    def residual(self, at, noise):
        self.count += 1
        y, x = at
        return np.array([self.steep * (y - x**2), 1.0 - x]) / noise

    def jacobian(self, at, noise):
        return np.array([[self.steep, -2 * self.steep * at[1]], [0.0, -1.0]]) / noise


def search(misfit):
    lower, upper = np.array([0.0, -5.0]), np.array([2.0, 5.0])
    return LeastSquares(misfit=misfit, lower=lower, upper=upper, size=np.ones(2))


def test_a_fit_that_got_stuck_at_a_limit_begins_again_away_from_it(monkeypatch):
    real, begins = least_squares.least_squares, []

    def stuck_once(fun, start, **settings):
        begins.append(np.array(start))
        if len(begins) == 1:
            fun(start)
            return SimpleNamespace(x=np.array([1e-9, -4.999]), success=False)
        return real(fun, start, **settings)

    monkeypatch.setattr(least_squares, "least_squares", stuck_once)
    found = search(Bent()).run(np.array([1e-9, -1.2]), noise=1.0)
    assert begins[1] == pytest.approx([0.1, -4.9])
    assert found.success
    assert found.x == pytest.approx([1.0, 1.0], abs=1e-3)


def test_a_fit_that_ends_away_from_limits_does_not_begin_again(monkeypatch):
    begins = []

    def lost(fun, start, **settings):
        begins.append(start)
        return SimpleNamespace(x=np.array([1.0, 0.5]), success=False)

    monkeypatch.setattr(least_squares, "least_squares", lost)
    assert not search(Bent()).run(np.array([0.5, 0.5]), noise=1.0).success
    assert len(begins) == 1


def test_a_fit_ends_without_a_step_that_gains_nothing():
    class Noisy(Bent):
        """The sum of squares is not zero at the end: nothing moves its third residual."""

        def residual(self, at, noise):
            return np.append(super().residual(at, noise), 3.0)

        def jacobian(self, at, noise):
            return np.vstack([super().jacobian(at, noise), np.zeros(2)])

    at_rest = search(Noisy()).run(np.array([1.0, 1.0 - 1e-5]), noise=1.0)
    assert (at_rest.nfev, at_rest.success) == (0, True)
    found = search(Noisy()).run(np.array([0.9, 0.9]), noise=1.0)
    assert found.x == pytest.approx([1.0, 1.0], abs=2e-3)
    assert found.nfev < 8
