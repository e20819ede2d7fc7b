"""Frozen carrier of a crystal: lattice, sites with occupancies and displacements, crystal system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import Step

__all__ = ["CELL_NAMES", "SYSTEMS", "Crystal", "system_of_cell", "unique_angle"]

Array = NDArray[Any]

CELL_NAMES = ("a", "b", "c", "alpha", "beta", "gamma")
SYSTEMS = ("cubic", "hexagonal", "rhombohedral", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
"""Crystal systems by the shape of their cell, most symmetric first."""

_SAME = 2e-4  # relative for lengths, degrees / 90 for angles: CIFs round a rhombohedral or hexagonal cell


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crystal:
    """All sites of one cell, or a molecule; a site may be shared by elements or partly empty.

    Attributes
    ----------
    lattice
        a, b, c (angstrom), alpha, beta, gamma (degrees).
    species
        Element of each site, length n.
    positions
        Fractional, shape (n, 3).
    occupancies
        Between 0 and 1, shape (n,).
    u_iso
        Mean square displacement along a direction, angstrom^2, shape (n,); nan if unknown.
    system
        Crystal system, one of `SYSTEMS`: which lattice parameters are independent.
    space_group
        Hermann-Mauguin symbol, for the reader.
    labels
        Of the atoms; atoms that symmetry makes equal share theirs. Empty: each atom for itself.
    operations
        Rotations and translations of the space group, shape (n_operations, 3, 4); None for P1.
    u_aniso
        U11, U22, U33, U12, U13, U23 of each site as in a CIF, angstrom^2, shape (n, 6), nan if unknown;
        or None.
    periodic
        Whether the cell repeats. A molecule's does not: it is 1 angstrom wide, the unit of its positions.
    label, source, history
        As in the other carriers.
    """

    lattice: tuple[float, ...]
    species: tuple[str, ...]
    positions: Array
    occupancies: Array
    u_iso: Array
    system: str
    space_group: str = "P1"
    labels: tuple[str, ...] = ()
    operations: Array | None = None
    u_aniso: Array | None = None
    periodic: bool = True
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "lattice", tuple(float(x) for x in self.lattice))
        put(self, "species", tuple(self.species))
        for name in ("positions", "occupancies", "u_iso"):
            values = np.array(getattr(self, name), dtype=float)
            values.setflags(write=False)
            put(self, name, values)
        for name in ("operations", "u_aniso"):
            if getattr(self, name) is not None:
                extra = np.array(getattr(self, name), dtype=float)
                extra.setflags(write=False)
                put(self, name, extra)
        put(self, "labels", tuple(self.labels))
        self._check_arrays()
        self._check_cell()

    def _where(self) -> str:
        return self.source or f"Crystal(label={self.label!r})"

    def _fault(self, what: str, do: str) -> DataError:
        return DataError(what, where=self._where(), do=do)

    def _check_arrays(self) -> None:
        n = len(self.species)
        if n == 0:
            raise self._fault("there is no atom", "give at least one site")
        for name, shape in (("positions", (n, 3)), ("occupancies", (n,)), ("u_iso", (n,))):
            given = getattr(self, name).shape
            if given != shape:
                raise self._fault(
                    f"{name} has shape {given} for {n} sites", f"give an array of shape {shape}"
                )
        if self.labels and len(self.labels) != n:
            raise self._fault(
                f"there are {len(self.labels)} labels for {n} sites", "give one label for each site"
            )
        if not np.isfinite(self.positions).all():
            site = int(np.flatnonzero(~np.isfinite(self.positions).all(axis=1))[0])
            raise self._fault(f"site {site} ({self.species[site]}) has no position", "give three numbers")
        bad = np.flatnonzero(~((self.occupancies > 0) & (self.occupancies <= 1 + 1e-6)))
        if bad.size:
            raise self._fault(
                f"site {bad[0]} ({self.species[bad[0]]}) has the occupancy {self.occupancies[bad[0]]:g}",
                "occupancies lie above 0 and at most at 1",
            )
        bad = np.flatnonzero(self.u_iso < 0)
        if bad.size:
            raise self._fault(
                f"site {bad[0]} ({self.species[bad[0]]}) has U = {self.u_iso[bad[0]]:g} angstrom^2",
                "a mean square displacement is positive; correct the file",
            )

    def _check_cell(self) -> None:
        if len(self.lattice) != 6:
            raise self._fault(
                f"the lattice has {len(self.lattice)} numbers", "give a, b, c, alpha, beta, gamma"
            )
        if self.system not in SYSTEMS:
            raise self._fault(f"unknown crystal system {self.system!r}", did_you_mean(self.system, SYSTEMS))
        a, b, c, *angles = self.lattice
        if not all(0 < x < np.inf for x in (a, b, c)) or not all(0 < x < 180 for x in angles):
            raise self._fault(
                f"the cell is {_cell_text(self.lattice)}", "give positive lengths, and angles within 0 to 180"
            )
        if not self.volume > 1e-3 * a * b * c:
            raise self._fault(f"the cell {_cell_text(self.lattice)} has no volume", "correct the angles")
        if not _fits(self.system, self.lattice):
            raise self._fault(
                f"the cell {_cell_text(self.lattice)} is not {self.system}, as {self.space_group} demands",
                "correct the cell or the space group, or name the system that the cell has",
            )

    @property
    def volume(self) -> float:
        """Of the cell, cubic angstrom; 0 if the angles are impossible."""
        a, b, c, *angles = self.lattice
        x, y, z = np.cos(np.radians(angles))
        return float(a * b * c * np.sqrt(max(0.0, 1 + 2 * x * y * z - x * x - y * y - z * z)))

    @property
    def n_atoms(self) -> float:
        """Atoms in the cell, occupancies counted."""
        return float(self.occupancies.sum())

    @property
    def composition(self) -> dict[str, float]:
        """Atoms of each element in the cell, in order of first appearance."""
        amounts: dict[str, float] = {}
        for symbol, occupancy in zip(self.species, self.occupancies, strict=True):
            amounts[symbol] = amounts.get(symbol, 0.0) + float(occupancy)
        return amounts

    @property
    def number_density(self) -> float:
        """Atoms per cubic angstrom.

        Raises
        ------
        DataError
            If this is a molecule.
        """
        if not self.periodic:
            raise self._fault("a molecule has no number density", "give that of the sample")
        return self.n_atoms / self.volume

    @property
    def emptiness(self) -> Array:
        """Widest layer without an atom across each axis of the cell, angstrom, shape (3,)."""
        a, b, c, *angles = self.lattice
        sines = np.sin(np.radians(angles))
        # Heights of the cell: its volume over the areas of its faces.
        heights = self.volume / (np.array([b * c, a * c, a * b]) * sines)
        places = np.sort(self.positions % 1.0, axis=0)
        apart = np.diff(np.vstack([places, places[:1] + 1.0]), axis=0)
        return np.asarray(apart.max(axis=0) * heights)

    def after(self, done: Step, **changes: Any) -> Crystal:
        """Return a copy with ``changes`` and one more step in its history."""
        return replace(self, history=(*self.history, done), **changes)


def system_of_cell(lattice: tuple[float, ...]) -> str:
    """Return the most symmetric crystal system that a cell of this shape can have."""
    return next(system for system in SYSTEMS if _fits(system, lattice))


def unique_angle(lattice: tuple[float, ...]) -> str:
    """Which angle of a monoclinic cell is free: the one that is not 90 degrees, else beta."""
    odd = [name for name, value in zip(CELL_NAMES[3:], lattice[3:], strict=True) if not _right(value)]
    return odd[0] if odd else "beta"


def _right(angle: float, value: float = 90.0) -> bool:
    return abs(angle - value) < 90 * _SAME


def _fits(system: str, lattice: tuple[float, ...]) -> bool:
    a, b, c, alpha, beta, gamma = lattice
    ab, bc = abs(a - b) < _SAME * a, abs(b - c) < _SAME * b
    right = [_right(x) for x in (alpha, beta, gamma)]
    tests = {
        "cubic": ab and bc and all(right),
        "hexagonal": ab and right[0] and right[1] and _right(gamma, 120.0),
        "rhombohedral": ab and bc and _right(alpha, beta) and _right(beta, gamma),
        "tetragonal": ab and all(right),
        "orthorhombic": all(right),
        "monoclinic": sum(right) >= 2,
        "triclinic": True,
    }
    return bool(tests[system])


def _cell_text(lattice: tuple[float, ...]) -> str:
    return ", ".join(f"{x:g}" for x in lattice)
