"""Least squares between limits: begun again where it creeps along one, ended where nothing is gained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

__all__ = ["FINE", "ROUGH", "Ended", "LeastSquares"]

Array = NDArray[Any]

_MAX_EVALUATIONS = 100
FINE, ROUGH = (3e-7, 1e-5), (0.5, 0.3)
"""Parts of the sum of squares: a fit ends where its next step would gain less than the first, or its last
gained less than the second; roughly, while the errors of the data are still being found."""
_AWAY = 0.1
"""Distance from a limit, in sizes of a parameter, from which a fit that got stuck there begins again."""


class _Misfit(Protocol):
    """Rows whose sum of squares is to be least, for data whose errors are ``noise`` times those stated."""

    def residual(self, at: Array, noise: float, /) -> Array: ...

    def jacobian(self, at: Array, noise: float, /) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Where least squares stopped, after how many evaluations, and whether by itself."""

    x: Array
    nfev: int
    success: bool


class _ArrivedError(Exception):
    """The next step of a fit would gain nothing; scipy would take it first, and has a callback since 1.16."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeastSquares:
    """A sum of squares, and where its parameters may be.

    Attributes
    ----------
    misfit
        Gives ``residual(x, noise)``, shape (n,), and ``jacobian(x, noise)``, shape (n, p).
    lower, upper
        Limits of the parameters, shape (p,).
    size
        By how much each parameter typically moves, shape (p,).
    """

    misfit: _Misfit
    lower: Array
    upper: Array
    size: Array

    def inside(self, x: Array) -> Array:
        """Return the nearest point that is not at a limit."""
        room = np.where(np.isfinite(self.upper - self.lower), self.upper - self.lower, 0.0)
        return np.clip(x, self.lower + 1e-9 * room, self.upper - 1e-9 * room)

    def run(self, start: Array, *, noise: float, enough: tuple[float, float] = FINE) -> Ended:
        """Fit; where scipy's least squares creeps along a limit, once more from a point away from it.

        Parameters
        ----------
        start
            Between the limits, shape (p,).
        noise
            Factor on the stated errors.
        enough
            Gains below which it ends: `FINE` or `ROUGH`.
        """
        first = self._once(start, noise, enough)
        away = np.minimum(_AWAY * self.size, 0.25 * (self.upper - self.lower))
        again_from = np.clip(first.x, self.lower + away, self.upper - away)
        if first.success or np.array_equal(again_from, first.x):
            return first
        # A step that would leave the limits is cut as a whole: next to one, every step is short.
        again = self._once(again_from, noise, enough)
        return replace(again, nfev=again.nfev + first.nfev)

    def _once(self, start: Array, noise: float, enough: tuple[float, float]) -> Ended:
        x, asked = start, 0

        def residual(at: Array) -> Array:
            nonlocal asked
            asked += 1
            return self.misfit.residual(at, noise)

        def jacobian(at: Array) -> Array:
            nonlocal x
            x, slopes = at.copy(), self.misfit.jacobian(at, noise)
            if _gain(self.misfit.residual(at, noise), slopes) < enough[0]:
                raise _ArrivedError
            return slopes

        try:
            found = least_squares(residual, start, jac=jacobian, bounds=(self.lower, self.upper),
                                  x_scale=self.size, ftol=enough[1], xtol=1e-8, gtol=1e-8,
                                  max_nfev=_MAX_EVALUATIONS)  # fmt: skip
        except _ArrivedError:
            return Ended(x, asked - 1, True)
        return Ended(found.x, asked - 1, bool(found.success))


def _gain(residual: Array, slopes: Array) -> float:
    """Part of a sum of squares that the best step of the linear problem takes away, limits not counted."""
    moving = slopes[:, np.any(slopes, axis=0)]
    reached = np.linalg.qr(moving / np.linalg.norm(moving, axis=0))[0].T @ residual
    return float(reached @ reached) / max(float(residual @ residual), 1e-300)
