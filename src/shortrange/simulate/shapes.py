r"""Characteristic functions: how the finite form of a particle thins its pairs with distance.

A solid or hollow sphere has :math:`\gamma(r) = V_{overlap}(r) / V`, the volume it shares with itself moved
by r (Guinier; Kodama et al., Acta Cryst. A 62 (2006) 444; Lei et al., Phys. Rev. B 80 (2009) 024118); a
sheet of thickness t, unbounded otherwise, :math:`1 - r/2t` up to t and :math:`t/2r` beyond.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPES", "Shape", "characteristic", "small_angle_part"]

Array = NDArray[Any]
Shape = Literal["sphere", "shell", "sheet"]

SHAPES: dict[str, tuple[str, ...]] = {
    "sphere": ("diameter",),
    "shell": ("inner_diameter", "thickness"),
    "sheet": ("thickness",),
}
"""Parameters of each form, angstrom. A core and its shell are two phases: a sphere, and a shell whose
inner diameter is tied to that of the sphere."""


def characteristic(shape: str, r: Array, values: Array) -> tuple[Array, Array]:
    """Characteristic function and its derivatives.

    Parameters
    ----------
    shape
        One of `SHAPES`.
    r
        angstrom, not negative, shape (n,).
    values
        Its parameters, angstrom, shape (p,). All zero means no limit: the function is 1.

    Returns
    -------
    gamma, slopes
        Shapes (n,) and (p, n).
    """
    if not np.any(values):
        return np.ones_like(r), np.zeros((values.size, r.size))
    if shape == "sheet":
        return _sheet(r, float(values[0]))
    if shape == "sphere":
        gamma, slope = _sphere(r, float(values[0]))
        return gamma, slope[None]
    return _shell(r, *(float(v) for v in values))


def small_angle_part(shape: str, r: Array, values: Array, *, number_density: float) -> Array:
    r"""Part of G(r) that the form of a particle makes by small-angle scattering, angstrom^-2, shape of ``r``.

    :math:`f_{SAS}(r) = 4\pi r \rho_0 \gamma(r)` of Farrow and Billinge, Acta Cryst. A 65 (2009) 232. The
    Debye sum of a cluster from Q = 0 on holds it. G of a measurement that starts past the small-angle range
    does not, and has the baseline :math:`-f_{SAS}` instead: subtract it from `simulate_gr` of a cluster with
    ``q_min=0`` to compare them.

    Parameters
    ----------
    shape, r, values
        As for `characteristic`.
    number_density
        Of the inside of the particle, atoms per cubic angstrom.
    """
    return np.asarray(4 * np.pi * r * number_density * characteristic(shape, r, values)[0])


def _sphere(r: Array, diameter: float) -> tuple[Array, Array]:
    x = np.minimum(r / diameter, 1.0)
    return 1 - 1.5 * x + 0.5 * x**3, (1.5 * x - 1.5 * x**3) / diameter


def _sheet(r: Array, thickness: float) -> tuple[Array, Array]:
    near = r < thickness
    far = np.maximum(r, thickness)
    gamma = np.where(near, 1 - 0.5 * r / thickness, 0.5 * thickness / far)
    slope = np.where(near, 0.5 * r / thickness**2, 0.5 / far)
    return gamma, slope[None]


def _shell(r: Array, inner: float, thickness: float) -> tuple[Array, Array]:
    a = 0.5 * inner
    b = a + thickness
    volume = 4 / 3 * np.pi * (b**3 - a**3)
    # Outer with outer, less outer with inner both ways, plus inner with inner.
    terms = [(1.0, b, b), (-2.0, a, b), (1.0, a, a)]
    shared, by_a, by_b = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
    for weight, first, second in terms:
        overlap, by_first, by_second = _overlap(r, first, second)
        shared += weight * overlap
        for radius, slope in ((first, by_first), (second, by_second)):
            if radius == a:
                by_a += weight * slope
            else:
                by_b += weight * slope
    gamma = shared / volume
    by_a = (by_a + 4 * np.pi * a**2 * gamma) / volume
    by_b = (by_b - 4 * np.pi * b**2 * gamma) / volume
    return gamma, np.stack([0.5 * (by_a + by_b), by_b])


def _overlap(r: Array, a: float, b: float) -> tuple[Array, Array, Array]:
    """Volume that spheres of radii a <= b share at a distance r, and its derivatives by both."""
    inside, apart = r <= b - a, r >= a + b
    x = np.clip(r, max(b - a, 1e-9), a + b)
    volume = np.pi * (a + b - x) ** 2 * (x**2 + 2 * x * (a + b) - 3 * (a - b) ** 2) / (12 * x)
    # A radius grows by the surface that lies within the other sphere.
    cap_a, cap_b = np.pi * a * (b**2 - (x - a) ** 2) / x, np.pi * b * (a**2 - (x - b) ** 2) / x
    volume = np.where(inside, 4 / 3 * np.pi * a**3, np.where(apart, 0.0, volume))
    by_a = np.where(inside, 4 * np.pi * a**2, np.where(apart, 0.0, cap_a))
    by_b = np.where(inside | apart, 0.0, cap_b)
    if a == b:
        # At r = 0 half of each surface counts, as the limit does.
        by_a = np.where(inside, 2 * np.pi * a**2, by_a)
        by_b = np.where(inside, 2 * np.pi * b**2, by_b)
    return volume, by_a, by_b
