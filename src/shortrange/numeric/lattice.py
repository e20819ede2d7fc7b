r"""Distances in a crystal as functions of its free lattice parameters.

With n the difference of two sites in fractional coordinates, :math:`r^2 = \sum_k q_k(n) M_k`, where
M = (a^2, b^2, c^2, 2bc cos alpha, 2ac cos beta, 2ab cos gamma) and
q = (n1^2, n2^2, n3^2, n2 n3, n1 n3, n1 n2). A crystal system leaves few of the six independent: M = B m.
Then :math:`r^2 = c \cdot m` with c = q B, exactly, and all pairs of equal c keep equal distances whatever the
lattice parameters are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi, radians, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import CELL_NAMES, unique_angle

__all__ = ["CellMap", "cell_map"]

Array = NDArray[Any]
Angles = tuple[float, float, float, float, float, float]

# Metric tensor = _UNITS @ M.
_UNITS = np.zeros((3, 3, 6))
for _k, (_i, _j) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
    _UNITS[_i, _j, _k] += 0.5
    _UNITS[_j, _i, _k] += 0.5
_UNITS.setflags(write=False)

_FREE = {
    "cubic": ("a",),
    "hexagonal": ("a", "c"),
    "rhombohedral": ("a", "alpha"),
    "tetragonal": ("a", "c"),
    "orthorhombic": ("a", "b", "c"),
    "triclinic": CELL_NAMES,
}
_TIED = {"hexagonal": {"b": "a"}, "tetragonal": {"b": "a"}, "cubic": {"b": "a", "c": "a"},
         "rhombohedral": {"b": "a", "c": "a", "beta": "alpha", "gamma": "alpha"}}  # fmt: skip
_BASIS = {
    "cubic": [[1, 1, 1, 0, 0, 0]],
    "hexagonal": [[1, 1, 0, 0, 0, -1], [0, 0, 1, 0, 0, 0]],
    "rhombohedral": [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]],
    "tetragonal": [[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]],
    "orthorhombic": np.eye(6)[:3],
    "triclinic": np.eye(6),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellMap:
    """How free lattice parameters make distances and the volume.

    Attributes
    ----------
    names
        Free parameters: lattice parameters of the system, or ``("stretch",)``, or none.
    start
        Their values, shape (p,).
    basis
        B, shape (6, k).
    lattice
        The cell at the start.
    spread
        d (six lattice parameters) / d (free ones), shape (6, p).
    inverse
        Pseudo-inverse of B, shape (k, 6).
    """

    names: tuple[str, ...]
    start: Array
    basis: Array
    lattice: tuple[float, ...]
    spread: Array
    inverse: Array

    def six(self, values: Array) -> Array:
        """All six lattice parameters, shape (6,)."""
        return np.asarray(np.array(self.lattice) + self.spread @ (np.asarray(values) - self.start))

    def geometry(self, values: Array) -> tuple[Array, Array, float, Array]:
        """Return what distances and densities follow from.

        Parameters
        ----------
        values
            Free parameters, shape (p,).

        Returns
        -------
        m, dm, volume, d_log_volume
            Invariants (k,), their derivatives (k, p); volume, cubic angstrom, and d ln V (p,).
        """
        six = self.six(values)
        angles = _angles(six)
        metric, slopes = _metric(six, angles)
        volume, each = _volume(six, angles)
        return self.inverse @ metric, self.inverse @ (slopes @ self.spread), volume, each @ self.spread

    def metric(self, values: Array) -> Array:
        """Metric tensor, square angstrom, shape (3, 3)."""
        six = self.six(values)
        return np.asarray(_UNITS @ _metric(six, _angles(six))[0])

    def coefficients(self, difference: Array) -> Array:
        """Return c of pairs with the fractional ``difference`` (n, 3), shape (n, k)."""
        x, y, z = difference.T
        return np.asarray(np.stack([x * x, y * y, z * z, y * z, x * z, x * y], axis=1) @ self.basis)


def cell_map(lattice: tuple[float, ...], system: str, *, isotropic: bool = False) -> CellMap:
    """Map the free lattice parameters of a crystal system.

    Parameters
    ----------
    lattice
        a, b, c (angstrom), alpha, beta, gamma (degrees).
    system
        Crystal system, see `shortrange.crystal.SYSTEMS`.
    isotropic
        Instead of lattice parameters one ``stretch``: all lengths times 1 + stretch.
    """
    if isotropic:
        six = np.array(lattice)
        metric, _ = _metric(six, _angles(six))
        lengths = np.array([*lattice[:3], 0.0, 0.0, 0.0])
        return CellMap(
            names=("stretch",), start=np.zeros(1), basis=metric[:, None], lattice=tuple(lattice),
            spread=lengths[:, None], inverse=np.linalg.pinv(metric[:, None]),
        )  # fmt: skip
    names, tied, basis = _of_system(system, lattice)
    spread = np.array([[float(tied.get(name, name) == free) for free in names] for name in CELL_NAMES])
    start = np.array([lattice[CELL_NAMES.index(name)] for name in names])
    return CellMap(
        names=names,
        start=start,
        basis=basis,
        lattice=tuple(lattice),
        spread=spread,
        inverse=np.linalg.pinv(basis),
    )


def _of_system(system: str, lattice: tuple[float, ...]) -> tuple[tuple[str, ...], Mapping[str, str], Array]:
    if system == "monoclinic":
        angle = unique_angle(lattice)
        columns = [0, 1, 2, CELL_NAMES.index(angle)]
        return ("a", "b", "c", angle), {}, np.eye(6)[:, columns]
    return _FREE[system], _TIED.get(system, {}), np.array(_BASIS[system], dtype=float).T


def _metric(six: Array, angles: Angles) -> tuple[Array, Array]:
    """M (6,) and dM / d(six lattice parameters) (6, 6)."""
    a, b, c = six[:3].tolist()
    x, y, z, dx, dy, dz = angles
    metric = np.array([a * a, b * b, c * c, 2 * b * c * x, 2 * a * c * y, 2 * a * b * z])
    slopes = np.array([
        [2 * a, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 2 * b, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 2 * c, 0.0, 0.0, 0.0],
        [0.0, 2 * c * x, 2 * b * x, 2 * b * c * dx, 0.0, 0.0],
        [2 * c * y, 0.0, 2 * a * y, 0.0, 2 * a * c * dy, 0.0],
        [2 * b * z, 2 * a * z, 0.0, 0.0, 0.0, 2 * a * b * dz],
    ])  # fmt: skip
    return metric, slopes


def _volume(six: Array, angles: Angles) -> tuple[float, Array]:
    """Volume, and d ln V / d(six lattice parameters) (6,)."""
    a, b, c = six[:3].tolist()
    x, y, z, dx, dy, dz = angles
    square = 1.0 - x * x - y * y - z * z + 2 * x * y * z
    by_angle = [dx * (y * z - x) / square, dy * (x * z - y) / square, dz * (x * y - z) / square]
    return a * b * c * sqrt(square), np.array([1 / a, 1 / b, 1 / c, *by_angle])


def _angles(six: Array) -> Angles:
    """Cosines of the angles and their slopes by degrees."""
    x, y, z = (radians(angle) for angle in six[3:].tolist())
    return cos(x), cos(y), cos(z), -sin(x) * pi / 180, -sin(y) * pi / 180, -sin(z) * pi / 180
