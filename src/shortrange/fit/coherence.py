"""How far a phase is ordered: where its fraction, seen through its crystal, falls to half and to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.ramps import Ramps

__all__ = ["Coherence", "coherence", "crossings"]

Array = NDArray[Any]

_DRAWS = 4000
_CERTAIN = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Coherence:
    """Range of order of one phase.

    Attributes
    ----------
    half, sigma
        r at which the fraction has fallen to half of that at the shortest distances, angstrom, and its error;
        None if it does not fall so far, or not surely.
    zero
        r from which on the fraction is not above zero by two standard errors, nor its mean from there to the
        end; None if it never is.
    lower_limit
        r below which the fraction surely (95 %) stays above half, angstrom: what can be said where there is
        no ``half``; None otherwise.
    initial, sigma_initial
        The fraction at the shortest distances.
    reason
        Empty, or why there is no ``half``.
    """

    half: float | None
    sigma: float | None
    zero: float | None
    lower_limit: float | None
    initial: float
    sigma_initial: float
    reason: str = ""


def coherence(
    knots: Array,
    fraction: Array,
    covariance: Array,
    *,
    total: Array | None = None,
    ramps: Ramps | None = None,
) -> Coherence:
    """Read the range of order off the fraction of a phase at some knots.

    The error is the spread of the crossings of 4000 curves drawn from the covariance, with a fixed seed.

    Parameters
    ----------
    knots, fraction, covariance
        angstrom (k,); shape (k,); shape (k, k).
    total
        Amount of all phases together, up to a factor, shape (k,): amounts, not fractions, are linear between
        knots. The same everywhere by default.
    ramps
        The end as a ramp: a length is the mean over both forms of the end, by their probability, and its
        error knows how far they are apart.
    """
    total = np.ones(knots.size) if total is None else total
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    first: dict[str, Any] = {"initial": float(fraction[0]), "sigma_initial": float(sigma[0])}
    none: dict[str, Any] = {"half": None, "sigma": None, "zero": None, "lower_limit": None}
    if not np.isfinite(covariance).all():
        return Coherence(**none, **first, reason="the fraction has no error everywhere: it is not determined")
    if not fraction[0] > 3 * sigma[0]:
        return Coherence(
            **none, **first, reason="there is none of it, within errors, at the shortest distances"
        )
    zero = _zero(knots, fraction, covariance)
    draws = np.random.default_rng(0).multivariate_normal(fraction, covariance, size=_DRAWS, method="eigh")
    ends = crossings(knots, draws, total)
    crossed = np.isfinite(ends)
    half = float(crossings(knots, fraction[None], total)[0])
    if np.isfinite(half) and crossed.mean() >= _CERTAIN:
        spread = float(ends[crossed].std())
        if ramps is not None:
            half, spread = _averaged((half, spread), ramps)
        return Coherence(half=half, sigma=spread, zero=zero, lower_limit=None, **first)
    limit = float(np.quantile(np.where(crossed, ends, knots[-1]), 1 - _CERTAIN))
    words = "does not fall" if not np.isfinite(half) else "does not surely fall"
    return Coherence(
        half=None, sigma=None, zero=zero, lower_limit=limit, **first,
        reason=f"the fraction {words} to half of its value up to r = {knots[-1]:g} angstrom",
    )  # fmt: skip


def _averaged(smooth: tuple[float, float], ramps: Ramps) -> tuple[float, float]:
    """Mean and standard deviation over two forms of an end."""
    w, (half, sigma) = ramps.weight, smooth
    variance = (1 - w) * sigma**2 + w * ramps.sigma**2 + w * (1 - w) * (half - ramps.half) ** 2
    return half + w * (ramps.half - half), float(np.sqrt(variance))


def crossings(knots: Array, fractions: Array, total: Array) -> Array:
    """First r at which fractions (n, k) fall below half of their first value; inf if never."""
    level = 0.5 * fractions[:, :1]
    below = fractions < level
    j = np.maximum(np.argmax(below, axis=1), 1)
    rows = np.arange(j.size)
    above = (fractions[rows, j - 1] - level[:, 0]) * total[j - 1]
    under = (level[:, 0] - fractions[rows, j]) * total[j]
    falls = below.any(axis=1) & (fractions[:, 0] > 0)
    part = np.divide(above, above + under, out=np.zeros(j.size), where=falls)
    return np.where(falls, knots[j - 1] + part * (knots[j] - knots[j - 1]), np.inf)


def _zero(knots: Array, fraction: Array, covariance: Array) -> float | None:
    """R from which on nothing speaks for a fraction above zero.

    Of many fractions one lies beyond two errors by chance, so those farther out are judged by their mean.
    """
    for j in range(knots.size):
        weights = np.linalg.pinv(covariance[j:, j:], hermitian=True).sum(axis=0)
        information = float(weights.sum())
        mean = float(weights @ fraction[j:]) / information if information > 0 else np.inf
        if fraction[j] < 2 * np.sqrt(covariance[j, j]) and mean < 2 / np.sqrt(max(information, 1e-300)):
            return float(knots[j])
    return None
