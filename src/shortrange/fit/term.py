"""One measurement against one model, in independent points, with every known source of error.

The statistical model of the mode coefficients y (see `shortrange.fit.modes`) is

    y = M(theta) + delta + epsilon

with nuisance parameters theta, unknown theory error delta ~ N(0, tau^2 s^2 I), where s^2 is the mean square
of y, and epsilon the noise of the data, the sampling error of a finite ensemble, and what a model leaves out
by its nature: a linear nuisance with a normal prior, integrated out by adding its covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.parameters import Parameter

__all__ = ["Term", "require_points", "shrunk_covariance_of_mean"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Term:
    """What a fit needs to know of one model and one measurement.

    Attributes
    ----------
    measurement, technique
        Name and kind of the measurement.
    x, curve
        The data, shape (n,).
    modes
        Orthonormal columns, shape (n, m).
    noise
        Covariance of the data's mode coefficients, shape (m, m).
    sampling
        Covariance of the model's mode coefficients from its finite number of snapshots, shape (m, m).
    left_out
        Covariance of the mode coefficients of what the models leave out, shape (m, m), as the surroundings of
        a motif; the same for all models that are mixed. None is nothing.
    model
        Function of the parameter values, in the order of ``parameters``, to the curve on ``x``.
    parameters
        Free parameters.
    slopes
        Function of the parameter values to the derivatives of the curve, shape (n, p); None differentiates
        ``model`` numerically, with steps that suit functions which are smooth to rounding.
    spread
        Function of the parameter values to the derivatives of the curve with the relative spread of each
        kind of bond about its mean, shape (n, j): a theory error that a fit takes for something else.
    contributions
        Function of the parameter values to parts of the model's curve, by name.
    fit_range
        Where models are compared, for the reader.
    """

    measurement: str
    technique: Literal["xas", "total-scattering"]
    x: Array
    curve: Array
    modes: Array
    noise: Array
    sampling: Array
    model: Callable[[Array], Array]
    parameters: tuple[Parameter, ...]
    left_out: Array | None = None
    slopes: Callable[[Array], Array] | None = None
    spread: Callable[[Array], Array] | None = None
    contributions: Callable[[Array], Mapping[str, Array]] = lambda _: {}
    fit_range: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        m = self.modes.shape[1]
        for name in ("noise", "sampling", "left_out"):
            covariance = getattr(self, name)
            if covariance is not None and covariance.shape != (m, m):
                raise DataError(
                    f"{name} has shape {covariance.shape} for {m} modes",
                    where=f"term {self.measurement!r}",
                    do="project the covariance on the modes",
                )

    @property
    def y(self) -> Array:
        """Mode coefficients of the data, shape (m,)."""
        return np.asarray(self.modes.T @ self.curve)

    @property
    def priors(self) -> tuple[Array, Array]:
        """Means and standard deviations of the parameters' priors, shape (p,) each."""
        means, sigmas = np.array([p.prior for p in self.parameters], dtype=float).reshape(-1, 2).T
        return means, sigmas

    @property
    def limits(self) -> tuple[Array, Array]:
        """Lower and upper limits of the parameters, shape (p,) each."""
        lower, upper = np.array([(p.lower, p.upper) for p in self.parameters], dtype=float).reshape(-1, 2).T
        return lower, upper

    @property
    def signal_power(self) -> float:
        """Mean square of the data's mode coefficients: what a relative theory error refers to."""
        return float(np.mean(self.y**2))

    def residual(self, theta: Array) -> Array:
        """Mode coefficients of data minus model, shape (m,)."""
        return np.asarray(self.modes.T @ (self.curve - self.model(theta)))

    def known_covariance(self) -> Array:
        """Covariance of noise, sampling and what is left out, (m, m): all but the relative theory error."""
        known = self.noise + self.sampling
        return np.asarray(known if self.left_out is None else known + self.left_out)


def require_points(points: int, parameters: int, *, measurement: str, ranges: str) -> None:
    """Refuse a comparison that has no more independent points than free parameters.

    Parameters
    ----------
    points, parameters
        Numbers of them.
    measurement, ranges
        For the message: whose they are, and which ranges hold the points.

    Raises
    ------
    DataError
        If nothing is left to tell models apart.
    """
    if points <= parameters:
        raise DataError(
            f"{points} independent points for {parameters} free parameters: any model would fit",
            where=f"measurement {measurement!r}, {ranges}",
            do="widen the ranges that are compared, or leave this measurement out",
        )


def shrunk_covariance_of_mean(samples: Array) -> Array:
    """Covariance of the mean of few samples of many variables, shrunk towards a multiple of the identity.

    The shrinkage is that of Ledoit and Wolf, J. Multivar. Anal. 88, 365 (2004), which is well conditioned
    also for fewer samples than variables.

    Parameters
    ----------
    samples
        Independent samples, shape (n_samples, m).

    Returns
    -------
    ndarray
        Covariance of the mean over samples, shape (m, m).

    Raises
    ------
    DataError
        With fewer than three samples: their scatter then says nothing.
    """
    n, m = samples.shape
    if n < 3:
        raise DataError(
            f"{n} snapshots cannot tell the sampling error of their mean",
            where="fit.term",
            do="give at least 3 independent snapshots of the model",
        )
    centred = samples - samples.mean(axis=0)
    covariance = centred.T @ centred / n
    scale = np.trace(covariance) / m
    spread = np.sum((covariance - scale * np.eye(m)) ** 2) / m
    if spread <= 0.0:
        return np.asarray(scale * np.eye(m) / (n - 1))
    fourth = np.sum(np.sum(centred**2, axis=1) ** 2) / n - np.sum(covariance**2)
    shrinkage = min(1.0, fourth / n / m / spread)
    shrunk = shrinkage * scale * np.eye(m) + (1.0 - shrinkage) * covariance
    return np.asarray(shrunk / (n - 1))
