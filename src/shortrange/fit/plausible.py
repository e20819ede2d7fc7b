"""Which distances a pair of elements may have in a composition: a coarse table, to rank what is possible.

Bonds are near the sum of covalent radii (Cordero et al. 2008). In a compound they join unlike partners
(cation and anion); in an element or an alloy all partners. Like partners are held apart: anions by contact of
their van der Waals radii (Alvarez 2013 through ase), and any two that share a neighbour by the angle at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_number, cations_first

__all__ = ["PairRule", "pair_rules", "shortest_plausible"]

Array = NDArray[Any]

_BOND = (0.95, 0.085)  # of the sum of covalent radii: centre and standard deviation
_BOND_LIMITS = (0.78, 1.22)
_TYPICAL_BONDS = 5.0
_NARROWEST = np.radians(68.0)  # angle X-M-X or M-X-M
_NOBLE = (2, 10, 18, 36, 54, 86, 118)
_COVALENT = frozenset({"H", "B", "C", "N", "Si", "P", "Ge", "As"})
"""Elements that bond to anions and to each other as well as to metals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """What is expected of one pair of elements.

    Attributes
    ----------
    pair
        Cation first.
    bond
        Expected bond length, angstrom; None where the two do not bond.
    contact
        From here on they may be neighbours without a bond, angstrom.
    bonds
        Bonds of the first element to the second that would not surprise: its partners share about five.
    """

    pair: tuple[str, str]
    bond: float | None
    contact: float
    bonds: float

    @property
    def name(self) -> str:
        """Such as ``"Ta-Cl"``."""
        return f"{self.pair[0]}-{self.pair[1]}"

    def bonded(self, r: float) -> float:
        """How well a distance (angstrom) fits a bond, 0 to 1."""
        if self.bond is None:
            return 0.0
        ratio = r / self.bond
        if not _BOND_LIMITS[0] / _BOND[0] <= ratio <= _BOND_LIMITS[1] / _BOND[0]:
            return 0.0
        return float(np.exp(-0.5 * ((ratio - 1.0) * _BOND[0] / _BOND[1]) ** 2))

    def apart(self, r: float) -> float:
        """How far a distance is beyond contact, 0 to 1 over 0.4 angstrom."""
        return float(np.clip((r - self.contact) / 0.4 + 0.5, 0.0, 1.0))

    def neighbours(self, r: float, density: float, width: float) -> float:
        """Give a neighbour number that would not surprise, with ``density`` of the second element.

        Parameters
        ----------
        r
            angstrom.
        density
            Atoms of the second element per cubic angstrom.
        width
            Width of the shell, angstrom.
        """
        shell = 4.0 * np.pi * r**2 * density * width
        return max(self.bonds * self.bonded(r), float(shell) * self.apart(r))


def pair_rules(composition: Mapping[str, float]) -> tuple[PairRule, ...]:
    """Rules for all pairs of elements of a composition, cation first."""
    names = sorted(composition, key=cations_first)
    ionic = any(_is_anion(s) for s in names) and any(not _is_anion(s) for s in names)
    bonds = {
        (a, b): _BOND[0] * (_covalent(a) + _covalent(b))
        for a, b in combinations_with_replacement(names, 2)
        if not ionic or _bonds(a, b)
    }

    def typical(a: str, b: str) -> float:
        if (a, b) not in bonds:
            return 0.0
        partners = {q if p == a else p for p, q in bonds if a in (p, q)}
        return _TYPICAL_BONDS * composition[b] / sum(composition[s] for s in partners)

    return tuple(
        PairRule(pair=(a, b), bond=bonds.get((a, b)), contact=_contact(a, b, bonds), bonds=typical(a, b))
        for a, b in combinations_with_replacement(names, 2)
    )


def shortest_plausible(composition: Mapping[str, float]) -> float:
    """Give the shortest distance, angstrom, that any bond of a composition may have."""
    return min(_BOND_LIMITS[0] / _BOND[0] * rule.bond for rule in pair_rules(composition) if rule.bond)


def _contact(a: str, b: str, bonds: Mapping[tuple[str, str], float]) -> float:
    """Closest approach of two atoms that share a neighbour or touch."""
    bridged = [
        np.sqrt(x**2 + y**2 - 2.0 * x * y * np.cos(_NARROWEST))
        for (p, q), x in bonds.items()
        for (s, t), y in bonds.items()
        for middle in {p, q} & {s, t}
        if {a, b} <= {p, q, s, t} and _other((p, q), middle) == a and _other((s, t), middle) == b
    ]
    touch = 0.82 * (_van_der_waals(a) + _van_der_waals(b))
    if _is_anion(a) and _is_anion(b):
        return float(min(touch, *bridged)) if bridged else float(touch)
    return float(min(bridged)) if bridged else float(touch)


def _bonds(a: str, b: str) -> bool:
    """Whether two elements bond in a compound of cations and anions."""
    if _is_anion(a) != _is_anion(b) or (_COVALENT & {a, b} and _is_anion(a)):
        return True
    # Sulfates and their like; an oxide has no bonds between oxygen atoms.
    return a != b and _is_anion(a) and len({"O", "F"} & {a, b}) == 1


def _other(pair: tuple[str, str], middle: str) -> str:
    return pair[1] if pair[0] == middle else pair[0]


def _is_anion(symbol: str) -> bool:
    """Whether an element takes electrons in compounds: the last columns before a noble gas."""
    z = atomic_number(symbol)
    noble = next(gas for gas in _NOBLE if gas >= z)
    return z > 2 and 0 < noble - z <= (4 if z < 10 else 3) and symbol not in ("Bi", "Sb", "As", "Po")


@cache
def _covalent(symbol: str) -> float:
    from ase.data import covalent_radii

    return float(covalent_radii[atomic_number(symbol)])


@cache
def _van_der_waals(symbol: str) -> float:
    from ase.data.vdw_alvarez import vdw_radii

    radius = float(vdw_radii[atomic_number(symbol)])
    return radius if np.isfinite(radius) else 2.0
