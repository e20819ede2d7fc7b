r"""What lies between units in G(r): its expectation, and how far one sample differs from another.

Pairs between units make :math:`4\pi\rho_0 D(r)`, where D is -r below the closest contact and fades beyond the
first neighbours. Its mean and spread over structures of several kinds are in ``surroundings.csv`` beside this
module, made by ``studies/surroundings.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.sine import Window, gauss_nodes, sine_kernel, trapezoid_weights, window_values

__all__ = ["SURROUNDINGS_END", "Surroundings", "typical_surroundings"]

Array = NDArray[Any]

SURROUNDINGS_END = 5.0
"""Angstrom: beyond it structures of one kind differ by more than motifs do."""

_LENGTHS = (0.15, 0.4)
"""Correlation lengths in r, angstrom, each of half the variance: differences between structures of several
kinds are correlated by 0.8, 0.7, 0.3, 0.1 over 0.1, 0.2, 0.4, 0.6 angstrom (studies/surroundings.py)."""

_FADE = 2.0  # angstrom at the end of the table over which it is switched off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """A prior for the pairs between units.

    Attributes
    ----------
    r
        From 0, uniform, angstrom, shape (n,).
    mean, sigma
        Expectation of D and its standard deviation, angstrom, shape (n,).
    source
        What they were taken from.
    """

    r: Array
    mean: Array
    sigma: Array
    source: str

    def expected(
        self, r: Array, *, q_range: tuple[float, float], number_density: float, window: Window | None = None
    ) -> Array:
        """Return the expected part of G(r) as seen through a range of Q, angstrom^-2, shape of ``r``.

        Parameters
        ----------
        r
            angstrom.
        q_range
            1/angstrom.
        number_density
            Of the sample, atoms per cubic angstrom.
        window
            As of the data.
        """
        q, weight = gauss_nodes(*q_range, r_total=float(self.r[-1] + np.max(r)))
        fade = 0.5 * (1 + np.cos(np.pi * np.clip((self.r - self.r[-1]) / _FADE + 1, 0, 1)))
        scattered = np.sin(np.outer(q, self.r)) @ (trapezoid_weights(self.r) * fade * self.mean)
        kernel = sine_kernel(q, weight * window_values(q, q_max=q_range[1], window=window), r)
        return np.asarray(4 * np.pi * number_density * (kernel @ scattered))

    def covariance(self, r: Array, *, number_density: float) -> Array:
        """Return the covariance of that part between distances, angstrom^-4, shape (n, n).

        Parameters
        ----------
        r, number_density
            As for `expected`; up to `SURROUNDINGS_END`.

        Raises
        ------
        DataError
            If ``r`` reaches further.
        """
        if np.max(r) > SURROUNDINGS_END + 1e-9:
            raise DataError(
                f"motifs are compared up to r = {np.max(r):g} angstrom",
                where="surroundings of a motif",
                do=f"end r_range at {SURROUNDINGS_END:g}: beyond it the pairs between units decide",
            )
        sigma = 4 * np.pi * number_density * np.interp(r, self.r, self.sigma)
        apart = (r[:, None] - r[None, :]) ** 2
        alike = np.mean([np.exp(-0.5 * apart / length**2) for length in _LENGTHS], axis=0)
        return np.asarray(np.outer(sigma, sigma) * alike)


@cache
def typical_surroundings() -> Surroundings:
    """Return the prior from simulated glasses and crystals of Na-Ta-Cl-S and TaCl5."""
    file = files("shortrange.simulate.motifs").joinpath("surroundings.csv")
    lines = file.read_text("utf-8").splitlines()
    source = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    rows = [line.split(",") for line in lines if line and line[0] not in "#r"]
    r, mean, sigma = np.array(rows, dtype=float).T
    for values in (r, mean, sigma):
        values.setflags(write=False)
    return Surroundings(r=r, mean=mean, sigma=sigma, source=source)
