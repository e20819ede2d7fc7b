"""Bond angles: ligand - centre - ligand within first shells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.bonds import bond_limits, same_owner_pairs
from shortrange.analyse.cutoffs import Cutoff
from shortrange.analyse.estimate import Estimate, moments_of_sums
from shortrange.analyse.frames import Snapshots, runs_of_frames
from shortrange.analyse.pool import BlockSums
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.analyse.shells import BLOCKS
from shortrange.errors import DataError
from shortrange.numeric.blocking import variance_of_mean
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["AngleDistribution", "bond_angles"]

Array = NDArray[Any]

_ORIGIN = 100.0  # degrees, near which power sums of angles are taken


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AngleDistribution:
    """Angles ligand - centre - ligand within first shells.

    Attributes
    ----------
    name
        Such as ``"Cl-Ta-S"``.
    angle
        Middles of the bins, degrees.
    density
        Per degree, of unit integral.
    sigma
        Its standard error, or None.
    n
        Angles counted.
    mean
        degrees.
    """

    name: str
    angle: Array
    density: Array
    sigma: Array | None
    n: int
    mean: Estimate


def bond_angles(
    trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff], *, width: float = 2.0
) -> list[AngleDistribution]:
    """Angles between the bonds of each centre, by the elements at their ends.

    Parameters
    ----------
    trajectory, roles, cutoffs
        Snapshots, which atoms are centres and ligands, and where their bonds end.
    width
        Of a bin, degrees.

    Raises
    ------
    DataError
        If ``width`` does not divide 180 degrees into 2 bins or more.
    """
    if not 0.01 <= width <= 90:
        raise DataError(f"bins of {width} degrees", where="bond_angles", do="give 0.01 to 90")
    edges = np.linspace(0.0, 180.0, max(2, round(180.0 / width)) + 1)
    out = []
    for centre in roles.centres:
        found = _angles_around(trajectory, centre, roles.ligands, cutoffs, edges)
        out += [_distribution(name, *found[name], edges) for name in sorted(found)]
    return out


def _angles_around(
    trajectory: Snapshots, centre: str, ligands: tuple[str, ...], cutoffs: Mapping[str, Cutoff], edges: Array
) -> dict[str, tuple[Array, BlockSums]]:
    """By name: angles in each bin, by blocks of frames, and power sums about `_ORIGIN`."""
    limits = bond_limits(centre, ligands, cutoffs)
    atoms = atoms_of(trajectory, [centre])
    if not limits or not atoms.size:
        return {}
    species = np.array(trajectory.species)
    n_frames, bins = trajectory.n_frames, edges.size - 1
    blocks = min(BLOCKS, n_frames)
    out: dict[str, tuple[Array, BlockSums]] = {}
    for start, part in runs_of_frames(trajectory):
        near = find_neighbours(part.positions, part.cells, centres=atoms, r_max=max(limits.values()))
        owner = np.repeat(np.arange(near.offsets.size - 1), np.diff(near.offsets))
        symbols = species[near.atoms]
        keep = near.distances < np.array([limits.get(s, 0.0) for s in species])[near.atoms]
        owner, symbols = owner[keep], symbols[keep]
        unit = near.vectors[keep] / near.distances[keep, None]
        for i, j in same_owner_pairs(owner):
            angle = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", unit[i], unit[j]), -1.0, 1.0)))
            frame = start + owner[i] // atoms.size
            ends = np.sort(np.stack([symbols[i], symbols[j]]), axis=0)
            names = np.char.add(np.char.add(ends[0], f"-{centre}-"), ends[1])
            for name in np.unique(names):
                mine = names == name
                table, sums = out.setdefault(str(name), (np.zeros((blocks, bins)), BlockSums(n_frames, (4,))))
                place = np.clip((angle[mine] / edges[1]).astype(int), 0, bins - 1)
                np.add.at(table, (frame[mine] * blocks // n_frames, place), 1.0)
                powers = (angle[mine, None] - _ORIGIN) ** np.arange(4)
                sums.add(frame[mine], powers)
    return out


def _distribution(name: str, table: Array, sums: BlockSums, edges: Array) -> AngleDistribution:
    width, n = edges[1] - edges[0], table.sum()
    density = table.sum(axis=0) / (n * width)
    sigma = None
    if table.shape[0] >= 2:
        each = table.sum(axis=1, keepdims=True)
        sigma = np.sqrt(variance_of_mean((table - each * density * width) / (each.mean() * width)))
    mean = moments_of_sums(sums.sums, origin=_ORIGIN)
    assert mean is not None
    return AngleDistribution(
        name=name,
        angle=(edges[1:] + edges[:-1]) / 2,
        density=density,
        sigma=sigma,
        n=int(n),
        mean=mean[0],
    )
