"""Simulated split white lines with known second derivatives, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import wofz

from shortrange.quantities import Scan
from shortrange.reduce.normalise import EdgeRanges, Normalised

E0 = 9880.0
Array = NDArray[Any]


def white_line(energy: Array, *, splitting: float, ratio: float, gamma: float, sigma: float) -> Array:
    """Two Voigt lines (half width gamma, resolution sigma) on an arctan edge."""

    def line(centre: float) -> Array:
        scale = sigma * np.sqrt(2.0)
        return wofz((energy - centre + 1j * gamma) / scale).real / wofz(1j * gamma / scale).real

    edge = 0.5 + np.arctan((energy - E0 + 2.0) / (gamma + 0.5)) / np.pi
    low, high = (line(E0 + 2.0 + side * splitting / 2.0) for side in (-1, 1))
    return edge + 1.2 * (ratio * low + high) / (1.0 + ratio)


def true_minima(**shape: float) -> Array:
    """Minima of the second derivative without noise or smoothing."""
    energy = np.arange(E0 - 6.0, E0 + 12.0, 0.002)
    left, middle, right = (white_line(energy + d, **shape) for d in (-0.05, 0.0, 0.05))
    curve = left - 2.0 * middle + right
    inner = curve[1:-1]
    return energy[1:-1][(inner < curve[:-2]) & (inner <= curve[2:]) & (inner < 0)]


def normalised(energy: Array, norm: Array, noise: float) -> Normalised:
    zero = np.zeros(energy.size)
    return Normalised(
        energy=energy,
        mu=norm,
        sigma=zero + noise,
        norm=norm,
        flat=norm,
        pre_edge=zero,
        post_edge=zero + 1.0,
        e0=E0,
        edge_step=1.0,
        sigma_edge_step=0.0,
        ranges=EdgeRanges((-40.0, -20.0), (20.0, 60.0), 1, 1),
    )


def measured(rng: np.random.Generator, *, spacing: float, noise: float, **shape: float) -> Normalised:
    energy = np.arange(E0 - 40.0, E0 + 60.0, spacing) + rng.uniform(0.0, spacing)
    return normalised(energy, white_line(energy, **shape) + noise * rng.normal(size=energy.size), noise)


def scan(seed: int, *, noise: float = 1e-3, source: str = "simulated", **shape: float) -> Scan:
    """A whole transmission scan to 300 eV above the edge."""
    energy = np.concatenate(
        [
            np.arange(E0 - 180, E0 - 20, 5.0),
            np.arange(E0 - 20, E0 + 40, 0.35),
            np.arange(E0 + 40, E0 + 300, 3.0),
        ]
    )
    mu = 0.4 - 1e-4 * (energy - E0) + white_line(energy, **shape)
    mu = mu + noise * np.random.default_rng(seed).normal(size=energy.size)
    i0 = np.full(energy.size, 1e5)
    return Scan(energy=energy, columns={"i0": i0, "it": i0 * np.exp(-mu)}, source=source)
