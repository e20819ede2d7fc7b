"""Crystals whose sites move: free coordinates, displacements of each site, occupancies, under symmetry.

Pairs start from one atom of each orbit and count for all: whatever its free parameters are, the atoms of an
orbit keep equal surroundings. The space group leaves few coordinates and tensor components independent
(diffpy.structure's SymmetryConstraints); all are affine functions of those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import SimulationError
from shortrange.numeric.lattice import CellMap
from shortrange.simulate.shells import pairs_around, translations_within

__all__ = ["SiteModel", "SitePairs", "crystal_tensors", "site_model", "site_pairs"]

Array = NDArray[Any]

_TENSOR = ("U11", "U22", "U33", "U12", "U13", "U23")
_SQUARES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteModel:
    """Free parameters of the sites of one cell.

    Attributes
    ----------
    names, start
        ``x_LABEL`` (fractional), ``u_iso_LABEL`` or ``u11_LABEL`` (angstrom^2), ``occ_LABEL``; shape (q,).
    labels
        Of the atoms of the cell; those of one orbit share it.
    origin, move
        Positions are ``origin + move @ values``, shapes (n, 3) and (n, 3, q).
    tensor
        Cartesian tensors (xx, yy, zz, xy, xz, yz) are ``tensor @ values``, shape (n, 6, q).
    fill
        Which parameter is the occupancy of each atom, shape (n,).
    groups
        Names that mean several parameters: each a mapping of a free name to its members.
    anisotropic
        Whether displacements are tensors.
    """

    names: tuple[str, ...]
    start: Array
    labels: tuple[str, ...]
    origin: Array
    move: Array
    tensor: Array
    fill: Array
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]
    anisotropic: bool

    def positions(self, values: Array) -> Array:
        """Fractional coordinates, shape (n, 3)."""
        return np.asarray(self.origin + self.move @ values)

    def displacements(self, values: Array) -> Array:
        """Cartesian tensors, shape (n, 6)."""
        return np.asarray(self.tensor @ values)

    def occupancies(self, values: Array) -> Array:
        """Shape (n,)."""
        return np.asarray(values[self.fill])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SitePairs:
    """Pairs of a `SiteModel`, from one atom of each orbit.

    Attributes
    ----------
    first, second, shift
        Atoms and the lattice translation of the second, shapes (n,), (n,), (n, 3).
    count
        Atoms of the orbit of the first.
    kind
        Index of the pair of elements.
    along
        Products of the direction cosines at the start, in the order of the tensors (off-diagonal twice),
        shape (n, 6): directions are held while a fit turns them by little.
    """

    first: Array
    second: Array
    shift: Array
    count: Array
    kind: Array
    along: Array

    def part(self, keep: Array) -> SitePairs:
        """Return some of the pairs."""
        return SitePairs(
            first=self.first[keep], second=self.second[keep], shift=self.shift[keep], count=self.count[keep],
            kind=self.kind[keep], along=self.along[keep],
        )  # fmt: skip

    def vectors(self, model: SiteModel, values: Array) -> Array:
        """Differences of the pairs in fractional coordinates, shape (n, 3)."""
        positions = model.positions(values)
        return np.asarray(positions[self.second] - positions[self.first] + self.shift)

    def columns(self, model: SiteModel, active: Mapping[str, int]) -> tuple[Array, Array, Array, Array]:
        """Which active parameters move each pair, and how.

        Parameters
        ----------
        model
            Of the sites.
        active
            Column of each wanted parameter, by name.

        Returns
        -------
        column, move, tensor, fill
            Shapes (n, m), -1 where there is none; (n, m, 3): d vector; (n, m): d (mean square displacement
            along the pair); (n, m): 1 where the parameter is an occupancy of the pair.
        """
        atoms = [_entries(model, atom, active) for atom in range(len(model.labels))]
        width = max((len(rows) for rows in atoms), default=0)
        column = np.full((len(atoms), width), -1, dtype=np.int64)
        move, tensor = np.zeros((len(atoms), width, 3)), np.zeros((len(atoms), width, 6))
        fill = np.zeros((len(atoms), width))
        for atom, rows in enumerate(atoms):
            for k, (place, index) in enumerate(rows):
                column[atom, k] = place
                move[atom, k], tensor[atom, k] = model.move[atom, :, index], model.tensor[atom, :, index]
                fill[atom, k] = float(model.fill[atom] == index)
        both = [(self.first, -1.0), (self.second, 1.0)]
        return (
            np.concatenate([column[a] for a, _ in both], axis=1),
            np.concatenate([sign * move[a] for a, sign in both], axis=1),
            np.concatenate([np.einsum("nmk,nk->nm", tensor[a], self.along) for a, _ in both], axis=1),
            np.concatenate([fill[a] for a, _ in both], axis=1),
        )


def _entries(model: SiteModel, atom: int, active: Mapping[str, int]) -> list[tuple[int, int]]:
    touched = np.any(model.move[atom] != 0, axis=0) | np.any(model.tensor[atom] != 0, axis=0)
    touched[model.fill[atom]] = True
    return [(active[model.names[k]], int(k)) for k in np.flatnonzero(touched) if model.names[k] in active]


def site_model(crystal: Crystal, *, anisotropic: bool, u_start: float) -> SiteModel:
    """Find the free parameters of the sites of a crystal.

    Parameters
    ----------
    crystal
        With its symmetry operations; without any each atom is its own orbit.
    anisotropic
        Tensors, where False makes one mean square displacement for each site.
    u_start
        Where the crystal gives none, angstrom^2.

    Raises
    ------
    SimulationError
        If the symmetry and the sites contradict each other.
    """
    from diffpy.structure import Lattice

    norm = np.asarray(Lattice(*crystal.lattice).normbase)
    n, labels = len(crystal.species), orbit_labels(crystal)
    u = np.where(np.isfinite(crystal.u_iso) & (crystal.u_iso > 0), crystal.u_iso, u_start)
    isotropic = np.linalg.inv(norm).T @ np.linalg.inv(norm)
    given = crystal.u_aniso if crystal.u_aniso is not None else np.full((n, 6), np.nan)
    tensors = [_full(g) if np.isfinite(g).all() else u[k] * isotropic for k, g in enumerate(given)]
    found, book = _constraints(crystal, tensors), _Places()
    _check_orbits(crystal, labels, found)
    origin, moves = _moves(crystal, labels, found, book)
    if anisotropic:
        bend = _tensors(labels, found, norm, book)
    else:
        bend = [[(np.eye(3), book.at(f"u_iso_{labels[k]}", u[k]))] for k in range(n)]
    fill = np.array([book.at(f"occ_{labels[k]}", crystal.occupancies[k]) for k in range(n)])
    size = len(book.values)
    move, tensor = np.zeros((n, 3, size)), np.zeros((n, 6, size))
    for atom in range(n):
        for axis, at, slope in moves[atom]:
            move[atom, axis, at] = slope
        for matrix, at in bend[atom]:
            tensor[atom, :, at] = [matrix[i, j] for i, j in _SQUARES]
    names = list(book.values)
    return SiteModel(
        names=tuple(names), start=np.array(list(book.values.values())), labels=labels, origin=origin,
        move=move, tensor=tensor, fill=fill, groups=_groups(crystal, labels, names, anisotropic),
        anisotropic=anisotropic,
    )  # fmt: skip


def _check_orbits(crystal: Crystal, labels: tuple[str, ...], found: Any) -> None:
    """Refuse atoms of one label that the symmetry does not make equal."""
    for label in dict.fromkeys(labels):
        members = {k for k, x in enumerate(labels) if x == label}
        if not any(members <= set(group) for group in found.coremap.values()):
            raise SimulationError(
                f"the atoms of {label} do not obey the symmetry of {crystal.space_group}",
                where=crystal.source or crystal.label or "crystal",
                do="correct the coordinates, or refine the crystal in P1",
            )


class _Places:
    """Parameters in the order in which they are met."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def at(self, name: str, value: float) -> int:
        """Place of a parameter, which is new or not."""
        self.values.setdefault(name, float(value))
        return list(self.values).index(name)


def _moves(
    crystal: Crystal, labels: tuple[str, ...], found: Any, book: _Places
) -> tuple[Array, list[list[tuple[int, int, float]]]]:
    """Positions at zero parameters, and for each atom (axis, parameter, slope)."""
    origin = np.array(crystal.positions)
    moves: list[list[tuple[int, int, float]]] = [[] for _ in labels]
    for symbol, value in found.pospars:
        at = book.at(f"{symbol[0]}_{labels[int(symbol[1:])]}", value)
        for atom, formulas in enumerate(found.poseqns):
            for axis, letter in enumerate("xyz"):
                slope = _slope(formulas[letter], symbol)
                if slope:
                    moves[atom].append((axis, at, slope))
                    origin[atom, axis] -= slope * value
    return origin, moves


def _tensors(
    labels: tuple[str, ...], found: Any, norm: Array, book: _Places
) -> list[list[tuple[Array, int]]]:
    """For each atom (Cartesian derivative of its tensor, parameter)."""
    bend: list[list[tuple[Array, int]]] = [[] for _ in labels]
    for atom, label in enumerate(labels):
        for symbol, value in found.Upars:
            slopes = np.array([_slope(found.Ueqns[atom][part], symbol) for part in _TENSOR])
            if slopes.any():
                at = book.at(f"{symbol[:3].lower()}_{label}", value)
                bend[atom].append((norm.T @ _full(slopes) @ norm, at))
    return bend


def _groups(
    crystal: Crystal, labels: tuple[str, ...], names: list[str], anisotropic: bool
) -> dict[str, dict[str, tuple[str, ...]]]:
    groups: dict[str, dict[str, tuple[str, ...]]] = {
        "positions": {n: (n,) for n in names if n[:2] in ("x_", "y_", "z_")},
        "occupancies": {n: (n,) for n in names if n.startswith("occ_")},
    }
    if anisotropic:
        return groups | {"u_aniso": {n: (n,) for n in names if re.match(r"u\d\d_", n)}}
    displaced = tuple(n for n in names if n.startswith("u_iso_"))
    groups |= {"u_iso": {"u_iso": displaced}, "u_sites": {n: (n,) for n in displaced}}
    for element in dict.fromkeys(crystal.species):
        mine = [f"u_iso_{x}" for x, s in zip(labels, crystal.species, strict=True) if s == element]
        groups[f"u_iso_{element}"] = {f"u_iso_{element}": tuple(dict.fromkeys(mine))}
    return groups


def crystal_tensors(cartesian: Array, lattice: tuple[float, ...]) -> Array:
    """Tensors U11, U22, U33, U12, U13, U23 as in a CIF from Cartesian ones, both of shape (n, 6)."""
    from diffpy.structure import Lattice

    inverse = np.linalg.inv(np.asarray(Lattice(*lattice).normbase))
    full = np.array([inverse.T @ _full(six) @ inverse for six in cartesian])
    return np.stack([full[:, i, j] for i, j in _SQUARES], axis=1)


def orbit_labels(crystal: Crystal) -> tuple[str, ...]:
    """Labels of the atoms, one for each orbit: those of the file, else element and number."""
    given = crystal.labels or tuple(
        f"{s}{k + 1}" for k, s in enumerate(crystal.species)
    )  # without symmetry every atom is its own orbit
    return tuple(f"{x}_" if x in crystal.species else x for x in given)


def site_pairs(crystal: Crystal, cell: CellMap, model: SiteModel, place: Array, *, r_max: float) -> SitePairs:
    """Enumerate the pairs of one atom of each orbit with all others up to ``r_max``, angstrom.

    Parameters
    ----------
    crystal, cell, model
        At their start.
    place
        Index of the pair of elements of two species, shape (n_species, n_species).
    r_max
        angstrom.
    """
    from diffpy.structure import Lattice

    base = np.asarray(Lattice(*crystal.lattice).base)
    kinds = list(dict.fromkeys(crystal.species))
    kind = np.array([kinds.index(s) for s in crystal.species])
    m = cell.geometry(cell.start)[0]
    shifts = translations_within(crystal, r_max)
    found = []
    for label in dict.fromkeys(model.labels):
        members = [k for k, x in enumerate(model.labels) if x == label]
        i = members[0]
        around = pairs_around(crystal, cell, m, i, shifts, r_max)
        vector = around.difference @ base
        unit = vector / np.linalg.norm(vector, axis=1)[:, None]
        along = np.stack([unit[:, a] * unit[:, b] * (1 if a == b else 2) for a, b in _SQUARES], axis=1)
        size = around.partner.size
        shift = np.rint(around.difference - crystal.positions[around.partner] + crystal.positions[i])
        found.append((np.full(size, i), around.partner, shift, np.full(size, float(len(members))),
                      place[kind[i], kind[around.partner]], along))  # fmt: skip
    parts = [np.concatenate(column) for column in zip(*found, strict=True)]
    return SitePairs(**dict(zip(("first", "second", "shift", "count", "kind", "along"), parts, strict=True)))


def _constraints(crystal: Crystal, tensors: list[Array]) -> Any:
    from diffpy.structure.spacegroupmod import SpaceGroup, SymOp
    from diffpy.structure.symmetryutilities import SymmetryConstraints

    operations = crystal.operations
    if operations is None:
        operations = np.hstack([np.eye(3), np.zeros((3, 1))])[None]
    group = SpaceGroup(
        number=0, num_sym_equiv=len(operations), num_primitive_sym_equiv=len(operations),
        short_name=crystal.space_group, point_group_name="", crystal_system="", pdb_name="",
        symop_list=[SymOp(x[:, :3], x[:, 3]) for x in operations],
    )  # fmt: skip
    try:
        return SymmetryConstraints(group, [np.array(p) for p in crystal.positions], tensors)
    except ValueError as error:
        raise SimulationError(
            f"the sites do not obey the symmetry of {crystal.space_group}: {error}",
            where=crystal.source or crystal.label or "crystal",
            do="correct the coordinates, or refine the crystal in P1",
        ) from error


def _full(six: Array) -> Array:
    """Symmetric matrix of six components."""
    out = np.zeros((3, 3))
    for value, (i, j) in zip(six, _SQUARES, strict=True):
        out[i, j] = out[j, i] = value
    return out


def _slope(formula: str, symbol: str) -> float:
    """Factor of one symbol in an affine formula such as ``-x3 +y3 +1/2`` or ``0.5*U110``."""
    found = re.search(rf"([+-]?)\s*([\d.]*)\s*\*?\s*{symbol}(?!\d)", formula)
    if not found:
        return 0.0
    return (-1.0 if found.group(1) == "-" else 1.0) * float(found.group(2) or 1.0)
