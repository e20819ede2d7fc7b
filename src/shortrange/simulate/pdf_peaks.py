r"""Sums of Gaussians over the pairs of a histogram: peak widths that depend on distance, finite particles.

The width of the peak of a pair ab at distance r is that of PDFfit2 and diffpy.srreal,

.. math:: \sigma^2(r) = (U_a + U_b)\,[1 - \delta_1 / r - \delta_2 / r^2 + (Q_{broad}\,r)^2]

(correlated motion: Jeong et al., J. Phys. Chem. A 103, 921 (1999); Qbroad: Farrow et al., J. Phys.: Condens.
Matter 19, 335219 (2007)). It acts on the displacements given as ``u_iso``, not on those of the snapshots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import DataError
from shortrange.simulate.pairs import PairHistograms

__all__ = ["PeakForm", "Shape", "Widths", "gaussian_sums", "kept_pairs", "mean_square", "sphere"]

Array = NDArray[Any]
PeakForm = Literal["1/r_ij", "1/r"]
Shape = float | Callable[[Array], Array] | None
"""Of a particle: see `kept_pairs`."""

_REACH = 6.0  # standard deviations; what lies beyond is 2e-9 of a peak
_LEAST = 1.0  # standard deviation in grid steps below which the grid would show


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """What makes peak widths depend on distance, in the units and signs of PDFfit2.

    Attributes
    ----------
    q_broad
        1/angstrom.
    delta1
        angstrom.
    delta2
        angstrom^2.
    """

    q_broad: float = 0.0
    delta1: float = 0.0
    delta2: float = 0.0

    def __bool__(self) -> bool:
        return any((self.q_broad, self.delta1, self.delta2))

    def factor(self, r: Array) -> Array:
        """Return sigma^2(r) over (U_a + U_b), shape of ``r``; r > 0, angstrom."""
        return 1.0 - self.delta1 / r - self.delta2 / r**2 + (self.q_broad * r) ** 2

    def slope(self, r: Array) -> Array:
        """Return the derivative of `factor`, 1/angstrom."""
        return self.delta1 / r**2 + 2.0 * self.delta2 / r**3 + 2.0 * self.q_broad**2 * r


def sphere(r: ArrayLike, diameter: float) -> Array:
    """Share of the pairs that a ball keeps, ``1 - 1.5 x + 0.5 x^3`` with x = r / diameter, shape of ``r``."""
    x = np.minimum(np.asarray(r, dtype=float) / diameter, 1.0)
    return np.asarray(1.0 - 1.5 * x + 0.5 * x**3)


def kept_pairs(shape: Shape, r: Array) -> Array:
    """Share of the pairs at ``r`` (angstrom) that a particle keeps, shape of ``r``.

    Parameters
    ----------
    shape
        Diameter of a ball, angstrom; or a function of r such as the characteristic function of another body
        (1 at r = 0, 0 beyond its largest diameter); None is without end.
    r
        angstrom, shape (n,).

    Raises
    ------
    DataError
        If a diameter is not above zero, or a function does not give shares from 0 to 1, and 1 at r = 0.
    """
    if shape is None:
        return np.ones_like(r)
    if not callable(shape):
        if not 0 < shape < np.inf:
            raise DataError(f"diameter = {shape}", where="particle", do="give angstroms above zero")
        return sphere(r, shape)
    share = np.asarray(shape(r), dtype=float)
    start = np.asarray(shape(np.zeros(1)), dtype=float)
    if share.shape != r.shape or not np.all((share >= 0) & (share <= 1)) or abs(start[0] - 1) > 1e-6:
        raise DataError(
            "the shape of the particle does not give the share of pairs at each r", where="particle",
            do="give a function with values from 0 to 1, and 1 at r = 0",
        )  # fmt: skip
    return share


def mean_square(h: PairHistograms, u_iso: float | Mapping[str, float]) -> Array:
    """U_a + U_b of each pair, angstrom^2, shape (n_pairs,).

    Raises
    ------
    DataError
        If an element has no value.
    """
    if not isinstance(u_iso, Mapping):
        return np.full(len(h.pairs), 2.0 * u_iso)
    missing = sorted(set(h.species) - set(u_iso))
    if missing:
        raise DataError(f"u_iso has no value for {missing}", where="u_iso", do="give one for each element")
    return np.array([u_iso[a] + u_iso[b] for a, b in h.pairs])


def gaussian_sums(
    h: PairHistograms,
    counts: Array,
    *,
    u_iso: float | Mapping[str, float],
    widths: Widths,
    stretch: float = 0.0,
    form: PeakForm = "1/r_ij",
) -> Array:
    r"""Sum over the pairs of a frame of :math:`\frac{2}{N r_{ij}} N(r - r_{ij}, \sigma_{ij})`, no baseline.

    Parameters
    ----------
    h
        For the grid and the species.
    counts
        Of the pairs, shape (n_pairs, n_r), as ``h.counts``.
    u_iso
        angstrom^2; one number, or one for each element.
    widths
        See `Widths`.
    stretch
        Distances times ``1 + stretch``.
    form
        ``"1/r_ij"`` as the Debye equation and diffpy.srreal, or ``"1/r"`` as PDFfit2.

    Returns
    -------
    Array
        On the grid of ``h``, angstrom^-2, shape (n_pairs, n_r).

    Raises
    ------
    DataError
        If a peak that is there would be narrower than the grid, or its width imaginary.
    """
    square = mean_square(h, u_iso)
    centre, spread = h.r * (1.0 + stretch), ((1.0 + stretch) * h.r_step) ** 2 / 3.0
    scale = np.zeros_like(h.r)
    scale[1:] = 2.0 / h.n_atoms
    if form == "1/r":
        # The spread of 1/r_ij, times the distance of its grid points, has moved outwards by this much.
        centre[1:] -= spread / centre[1:]
    else:
        scale[1:] /= centre[1:]
    out = np.zeros(counts.shape)
    for p, total in enumerate(square):
        there = np.flatnonzero(counts[p, 1:]) + 1
        variance = total * widths.factor(centre[there])
        _check(h, p, variance, centre[there])
        # Counts are already spread by the B-spline; where the width varies, that also makes a peak skew.
        sigma = np.sqrt(variance - spread)
        skew = 0.5 * spread * total * widths.slope(centre[there]) / sigma**3
        weight = (counts[p] * scale)[there]
        _add_gaussians(centre[there], sigma, skew, weight, h.r_step, _REACH, out[p])
    if form == "1/r":
        out[:, 1:] /= h.r[1:]
        out[:, 0] = 0.0
    return out


def _check(h: PairHistograms, p: int, variance: Array, centre: Array) -> None:
    least = (_LEAST * h.r_step) ** 2
    bad = np.flatnonzero(~(variance >= least))
    if not bad.size:
        return
    a, b = h.pairs[p]
    value, at = variance[bad[0]], centre[bad[0]]
    if value > 0 and np.all(variance > 0):
        raise DataError(
            f"the peak of {a}-{b} at {at:.3f} angstrom has a mean square width of {value:.2g} angstrom^2",
            where="u_iso, q_broad, delta1, delta2",
            do=f"give u_iso of {least / 2:.1g} angstrom^2 or more, or count pairs with a finer r_step",
        )
    raise DataError(
        f"the square of the width of the {a}-{b} peak at {at:.3f} angstrom is {value:.2g} angstrom^2",
        where="u_iso, delta1, delta2", do="give smaller delta1 and delta2, or u_iso above zero",
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _add_gaussians(centre, sigma, skew, weight, step, reach, out):  # type: ignore[no-untyped-def]
    """Add normal distributions, each less ``skew`` times its third Hermite function, to ``out``."""
    for k in range(centre.size):
        s = sigma[k]
        top = weight[k] / (np.sqrt(2.0 * np.pi) * s)
        middle = int(centre[k] / step)
        x = (middle * step - centre[k]) / s
        d = step / s
        # exp(-(x + j d)^2 / 2) by recurrence outwards from the middle, with no exponential in the loop.
        turn = np.exp(-d * d)
        for way in (1, -1):
            value = top * np.exp(-0.5 * x * x)
            ratio = np.exp(-way * x * d - 0.5 * d * d)
            for j in range(int(reach / d) + 1):
                if way == 1 or j > 0:
                    g = middle + way * j
                    if g < 0 or g >= out.size:
                        break
                    z = x + way * j * d
                    out[g] += value * (1.0 - skew[k] * (z * z - 3.0) * z)
                value *= ratio
                ratio *= turn
