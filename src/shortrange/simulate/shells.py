"""Shells of a crystal: pairs of atoms whose distances stay equal whatever its lattice parameters are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import SimulationError
from shortrange.numeric.lattice import CellMap
from shortrange.quantities import Step, step

__all__ = ["Around", "Shells", "find_shells", "kinds_of_pairs", "pairs_around", "translations_within"]

Array = NDArray[Any]

_MERGE = 2e-3
"""Angstrom; pairs so close in every lattice direction share a shell at their mean: the variance that this
adds, below 1e-6 angstrom^2, is nothing beside a thermal one."""
_TOGETHER = 1.0
"""Angstrom; partly occupied sites nearer than this are alternatives, never filled at once."""
_SAME_ATOM = 1e-2
_MIX = np.int64(-7046029254386353131)  # odd, of random bits (splitmix64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shells:
    """Merged pairs of one crystal.

    Attributes
    ----------
    elements
        In order of first appearance.
    pairs
        Unordered pairs of elements.
    coefficients
        c of `shortrange.numeric.lattice`, shape (n, k): r^2 = c . m.
    amplitude
        Sum of the products of occupancies over the pairs of a shell, both ends counted, per atom, shape (n,).
    pair
        Index into ``pairs``, shape (n,).
    distance
        At the start, increasing, angstrom, shape (n,).
    ideal
        What the baseline of each pair weighs: c_a c_b, twice for unlike elements; 0 for a molecule, around
        which nothing is packed. Shape (n_pairs,).
    r_max
        Distances are complete to here at the start, angstrom.
    shortest
        Shortest distance, angstrom.
    history
        Of the crystal, and what was decided about partly occupied sites.
    """

    elements: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    coefficients: Array
    amplitude: Array
    pair: Array
    distance: Array
    ideal: Array
    r_max: float
    shortest: float
    history: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Around:
    """Pairs of one atom.

    Attributes
    ----------
    difference
        Of the sites in fractional coordinates, shape (n, 3).
    weight
        Product of the occupancies, shape (n,).
    partner
        Index of the other atom, shape (n,).
    alternatives
        How many pairs were left out, since their sites are never filled at once.
    """

    difference: Array
    weight: Array
    partner: Array
    alternatives: int


def find_shells(crystal: Crystal, cell: CellMap, *, r_max: float) -> Shells:
    """Enumerate the pairs of a crystal up to ``r_max`` and merge those whose distances stay equal.

    Pairs count with the product of their occupancies (sites are filled independently), except that partly
    occupied sites less than 1 angstrom apart are never filled at once.

    Parameters
    ----------
    crystal
        With all sites of the cell.
    cell
        Its free lattice parameters.
    r_max
        angstrom.

    Raises
    ------
    SimulationError
        If two atoms lie at the same place.
    """
    elements = tuple(crystal.composition)
    pairs, place = kinds_of_pairs(elements)
    kind = np.array([elements.index(symbol) for symbol in crystal.species])
    m = cell.geometry(cell.start)[0]
    found, alternatives = [], 0
    translations = translations_within(crystal, r_max)
    worth = True
    for i in range(kind.size):
        # A pair and its reverse have one distance: each is met once, from the atom that stands first.
        around = pairs_around(crystal, cell, m, i, translations, r_max, first=i)
        twice = 1.0 + (around.partner > i)
        alternatives += around.alternatives
        c = cell.coefficients(around.difference)
        found.append((place[kind[i], kind[around.partner]], c, twice * around.weight))
        # Merging now and then keeps the memory small, where there is anything to merge.
        if worth and i % 16 == 15:
            pair, c, weight = _joined(found)
            found = [_merge(pair, c, weight, m)]
            worth = found[0][0].size < 0.7 * pair.size
    pair, c, weight = _merge(*_joined(found), m) if worth else _joined(found)
    distance = np.sqrt(c @ m)
    order = np.argsort(distance)
    pair, c, weight, distance = pair[order], c[order], weight[order], distance[order]
    fractions = np.array([crystal.composition[e] for e in elements]) / crystal.n_atoms
    ideal = [fractions[elements.index(a)] * fractions[elements.index(b)] * (2 - (a == b)) for a, b in pairs]
    ideal = ideal if crystal.periodic else [0.0] * len(pairs)
    history = crystal.history
    if alternatives:
        history = (*history, step("take partly occupied sites as alternatives", closer_than=_TOGETHER,
                                  pairs=alternatives))  # fmt: skip
    return Shells(
        elements=elements, pairs=pairs, coefficients=c, amplitude=weight / crystal.n_atoms, pair=pair,
        distance=distance, ideal=np.array(ideal), r_max=r_max,
        shortest=float(distance[0]) if distance.size else np.inf, history=history,
    )  # fmt: skip


def kinds_of_pairs(elements: tuple[str, ...]) -> tuple[tuple[tuple[str, str], ...], Array]:
    """Unordered pairs of elements, and the index of each in a square table."""
    pairs = tuple(combinations_with_replacement(elements, 2))
    place = np.zeros((len(elements),) * 2, dtype=np.int64)
    for p, (a, b) in enumerate(pairs):
        i, j = elements.index(a), elements.index(b)
        place[i, j] = place[j, i] = p
    return pairs, place


def translations_within(crystal: Crystal, r_max: float) -> Array:
    """Lattice translations that may bring any two sites within ``r_max``, shape (n, 3)."""
    if not crystal.periodic:
        return np.zeros((1, 3))
    a, b, c, *angles = crystal.lattice
    x, y, z = np.cos(np.radians(angles))
    metric = np.array([[a * a, a * b * z, a * c * y], [a * b * z, b * b, b * c * x],
                       [a * c * y, b * c * x, c * c]])  # fmt: skip
    heights = 1.0 / np.sqrt(np.diag(np.linalg.inv(metric)))
    span = np.ptp(crystal.positions, axis=0)
    reach = np.ceil(r_max / heights + span).astype(int)
    grids = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    shifts = np.stack([g.ravel() for g in grids], axis=1).astype(float)
    # The longest vector between two sites of the cell widens the sphere of translations.
    diagonal = np.sqrt(np.einsum("ni,ij,nj->n", shifts, metric, shifts))
    return np.asarray(shifts[diagonal <= r_max + span @ np.array([a, b, c])])


def pairs_around(
    crystal: Crystal, cell: CellMap, m: Array, i: int, translations: Array, r_max: float, *, first: int = 0
) -> Around:
    """Pairs of atom ``i`` with all others, itself in other cells included.

    Parameters
    ----------
    crystal, cell
        The crystal.
    m
        Invariants of its cell, from `shortrange.numeric.lattice.CellMap.geometry`.
    i
        Index of the atom.
    translations
        From `translations_within`.
    r_max
        angstrom.
    first
        Atoms before this one are left out.

    Raises
    ------
    SimulationError
        If another atom lies at the same place.
    """
    from shortrange.simulate.lattice_kernel import neighbours_of

    apart = crystal.positions[first:] - crystal.positions[i]
    difference, partner = neighbours_of(apart, translations, cell.basis @ m, r_max)
    partner += first
    r = np.sqrt(np.maximum(cell.coefficients(difference) @ m, 0.0))
    itself = (partner == i) & (r < _SAME_ATOM)
    partial = (crystal.occupancies[i] < 1) & (crystal.occupancies[partner] < 1)
    either = ~itself & partial & (r < _TOGETHER)
    clash = np.flatnonzero(~itself & ~either & (r < _SAME_ATOM))
    if clash.size:
        raise SimulationError(
            f"sites {i} ({crystal.species[i]}) and {partner[clash[0]]} "
            f"({crystal.species[partner[clash[0]]]}) lie at the same place",
            where=crystal.source or crystal.label,
            do="remove one of them, or give occupancies below 1",
        )
    keep = ~itself & ~either
    weight = crystal.occupancies[i] * crystal.occupancies[partner[keep]]
    return Around(
        difference=difference[keep], weight=weight, partner=partner[keep],
        alternatives=int(np.sum(either)),
    )  # fmt: skip


def _joined(found: list[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    pair, c, weight = zip(*found, strict=True)
    return np.concatenate(pair), np.concatenate(c), np.concatenate(weight)


def _merge(pair: Array, c: Array, weight: Array, m: Array) -> tuple[Array, Array, Array]:
    """Merge pairs of one kind that lie within the same `_MERGE` in each part of their distance."""
    r = np.sqrt(c @ m)
    # The parts c_k m_k / 2r are what the distance gains from each invariant.
    parts = np.rint(c * m / (2 * r[:, None] * _MERGE)).astype(np.int64)
    # One number for all parts: a million shells share one by chance once in 10^7 times.
    key = (pair.astype(np.int64) + 1) * _MIX
    for part in parts.T:
        key = ((key ^ (key >> 29)) + part) * _MIX
    order = np.argsort(key, kind="stable")
    sorted_key, sorted_pair = key[order], pair[order]
    new = np.ones(order.size, dtype=bool)
    new[1:] = np.diff(sorted_key) != 0
    first = np.flatnonzero(new)
    if first.size == 0:
        return pair, c, weight
    total = np.add.reduceat(weight[order], first)
    mean = np.add.reduceat(c[order] * weight[order, None], first, axis=0) / total[:, None]
    return sorted_pair[first], mean, total
