"""Distances between atoms that are not bonded, and which of them cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError

__all__ = ["CLASH", "Contact", "closest_contacts", "find_clashes", "van_der_waals"]

Array = NDArray[Any]

CLASH = 0.83
"""Of the sum of van der Waals radii. The edges of octahedra, which are pressed together by their bonds, lie
above it (2.9 angstrom for Cl-Cl, where TaCl5 has 3.2), and so do the closest ligands of relaxed units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Two atoms without a bond between them.

    Attributes
    ----------
    first, second
        Their indices.
    pair
        Their elements, such as ``"Cl-Cl"``.
    distance
        angstrom.
    limit
        Shortest distance that is not called a clash, angstrom.
    """

    first: int
    second: int
    pair: str
    distance: float
    limit: float

    @property
    def clash(self) -> bool:
        """Whether the atoms are too close."""
        return self.distance < self.limit


def van_der_waals(symbol: str) -> float | None:
    """Bondi's radius in angstrom (J. Phys. Chem. 68, 441 (1964), through ase); None for most metals."""
    from ase.data import atomic_numbers, vdw_radii

    radius = float(vdw_radii[atomic_numbers[symbol]])
    return radius if np.isfinite(radius) else None


def closest_contacts(
    species: Sequence[str], positions: Array, *, bonds: Sequence[tuple[int, int]], metals: Sequence[int]
) -> tuple[Contact, ...]:
    """Closest contact of each pair of elements, nearest to a clash first.

    A clash is a distance below `CLASH` times the sum of van der Waals radii between two ligands, or below 1.2
    times the longest bond of the metal between a metal and a ligand that is not its own. Two metals are not
    judged: they may bond.

    Parameters
    ----------
    species, positions
        Elements (n,) and positions, angstrom (n, 3).
    bonds
        Pairs (metal, ligand) of indices.
    metals
        Indices of the metals.
    """
    pairs = _contacts(species, positions, bonds, metals)
    nearest: dict[str, Contact] = {}
    for contact in sorted(pairs, key=lambda c: c.distance):
        nearest.setdefault(contact.pair, contact)
    return tuple(sorted(nearest.values(), key=lambda c: c.distance - c.limit))


def find_clashes(
    species: Sequence[str], positions: Array, *, bonds: Sequence[tuple[int, int]], metals: Sequence[int]
) -> tuple[Contact, ...]:
    """All contacts that are clashes, shortest first; parameters as `closest_contacts`."""
    found = (c for c in _contacts(species, positions, bonds, metals) if c.clash)
    return tuple(sorted(found, key=lambda c: c.distance))


def _contacts(
    species: Sequence[str], positions: Array, bonds: Sequence[tuple[int, int]], metals: Sequence[int]
) -> list[Contact]:
    bonded = {frozenset(bond) for bond in bonds}
    longest = {
        metal: max(float(np.linalg.norm(positions[a] - positions[b])) for a, b in bonds if a == metal)
        for metal in metals
    }
    found = []
    for i in range(len(species)):
        for j in range(i):
            if frozenset((i, j)) in bonded or (i in longest and j in longest):
                continue
            own = [longest[m] for m in (i, j) if m in longest]
            limit = 1.2 * own[0] if own else CLASH * (_radius(species[i]) + _radius(species[j]))
            found.append(
                Contact(
                    first=j,
                    second=i,
                    pair="-".join(sorted((species[i], species[j]))),
                    distance=float(np.linalg.norm(positions[i] - positions[j])),
                    limit=limit,
                )
            )
    return found


def _radius(symbol: str) -> float:
    radius = van_der_waals(symbol)
    if radius is None:
        raise SimulationError(
            f"no van der Waals radius of {symbol} is known, so clashes cannot be found",
            where="motif",
            do="use another ligand",
        )
    return radius
