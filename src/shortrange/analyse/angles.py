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

__all__ = ["AngleDistribution", "AngleTable", "bond_angles"]

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
    out = []
    for centre in roles.centres:
        found = _angles_around(trajectory, centre, roles.ligands, cutoffs, width)
        out += [found[name].distribution(name) for name in sorted(found)]
    return out


class AngleTable:
    """Angles of all frames, counted in bins by blocks of frames.

    Parameters
    ----------
    n_frames
        Of the run.
    width
        Of a bin, degrees.
    """

    def __init__(self, n_frames: int, *, width: float = 2.0) -> None:
        self._n_frames = n_frames
        self._edges = np.linspace(0.0, 180.0, max(2, round(180.0 / width)) + 1)
        self._counts = np.zeros((min(BLOCKS, n_frames), self._edges.size - 1))
        self._powers = BlockSums(n_frames, (4,))

    def add(self, angles: Array, frames: Array) -> None:
        """Add angles, degrees, and the frame of each, both of shape (n,)."""
        blocks, bins = self._counts.shape
        place = np.clip((angles / self._edges[1]).astype(int), 0, bins - 1)
        np.add.at(self._counts, (frames * blocks // self._n_frames, place), 1.0)
        self._powers.add(frames, (angles[:, None] - _ORIGIN) ** np.arange(4))

    def distribution(self, name: str) -> AngleDistribution:
        """Density of the angles, with standard error."""
        width, each = self._edges[1] - self._edges[0], self._counts.sum(axis=1, keepdims=True)
        density = self._counts.sum(axis=0) / (each.sum() * width)
        sigma = None
        if len(self._counts) >= 2:
            influence = (self._counts - each * density * width) / (each.mean() * width)
            sigma = np.sqrt(variance_of_mean(influence))
        mean = moments_of_sums(self._powers.sums, origin=_ORIGIN)
        assert mean is not None
        return AngleDistribution(
            name=name,
            angle=(self._edges[1:] + self._edges[:-1]) / 2,
            density=density,
            sigma=sigma,
            n=int(each.sum()),
            mean=mean[0],
        )


def _angles_around(
    trajectory: Snapshots, centre: str, ligands: tuple[str, ...], cutoffs: Mapping[str, Cutoff], width: float
) -> dict[str, AngleTable]:
    limits = bond_limits(centre, ligands, cutoffs)
    atoms = atoms_of(trajectory, [centre])
    if not limits or not atoms.size:
        return {}
    species = np.array(trajectory.species)
    out: dict[str, AngleTable] = {}
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
                if name not in out:
                    out[str(name)] = AngleTable(trajectory.n_frames, width=width)
                out[str(name)].add(angle[mine], frame[mine])
    return out
