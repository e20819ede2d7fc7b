"""Parameters with units, bounds and priors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, log, pi, sqrt
from typing import Any

from scipy.special import ndtr

from shortrange.errors import DataError, did_you_mean

__all__ = ["Parameter", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A free parameter of a fit.

    Attributes
    ----------
    name, unit
        For example ``"S02"`` and ``"1"``.
    value
        Where the fit starts.
    lower, upper
        Hard limits.
    prior
        Mean and standard deviation of the normal prior, cut at the limits.
    """

    name: str
    unit: str
    value: float
    lower: float
    upper: float
    prior: tuple[float, float]

    def __post_init__(self) -> None:
        where = f"parameter {self.name!r}"
        if not self.lower < self.upper:
            raise DataError(
                f"the limits are {self.lower} and {self.upper}", where=where, do="give lower < upper"
            )
        if not self.lower <= self.value <= self.upper:
            raise DataError(
                f"the start {self.value} lies outside {self.lower} to {self.upper}",
                where=where,
                do="move it inside",
            )
        mean, sigma = self.prior
        if not (isfinite(mean) and isfinite(sigma) and sigma > 0):
            raise DataError(
                f"the prior is {mean} +- {sigma}", where=where, do="give a finite mean and a positive error"
            )

    def log_prior_norm(self) -> float:
        """Logarithm of the density of the cut normal prior at its mean."""
        mean, sigma = self.prior
        inside = float(ndtr((self.upper - mean) / sigma) - ndtr((self.lower - mean) / sigma))
        return -log(sigma * sqrt(2.0 * pi)) - _log(inside, self.name)


def changed(parameters: tuple[Parameter, ...], name: str, **changes: Any) -> tuple[Parameter, ...]:
    """Return the parameters with one of them changed.

    Raises
    ------
    DataError
        If there is no parameter of that name.
    """
    names = [p.name for p in parameters]
    if name not in names:
        raise DataError(f"no parameter {name!r}", where="fit.parameters", do=did_you_mean(name, names))
    return tuple(replace(p, **changes) if p.name == name else p for p in parameters)


def _log(inside: float, name: str) -> float:
    if inside <= 0.0:
        raise DataError(
            "the prior has no weight between the limits", where=f"parameter {name!r}", do="widen the limits"
        )
    return log(inside)
