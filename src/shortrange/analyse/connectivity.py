"""How polyhedra are joined: corners, edges, faces, by which anion; chains of them; bonds nobody expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.angles import AngleDistribution
from shortrange.analyse.bonds import bond_limits
from shortrange.analyse.bridges import Bridges, bridges_by_runs, join_bridges
from shortrange.analyse.cutoffs import Cutoff
from shortrange.analyse.estimate import Estimate, Spread, ratio_of
from shortrange.analyse.frames import Snapshots, part_of, runs_of_frames
from shortrange.analyse.pool import Pool
from shortrange.analyse.roles import Roles, atoms_of, covalent_radius
from shortrange.analyse.shells import add_up_shells
from shortrange.analyse.tally import SHARING, Tally
from shortrange.errors import DataError
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["SHARING", "Connectivity", "Sharing", "UnexpectedBond", "connect", "unexpected_bonds"]

Array = NDArray[Any]

_ALIKE = {"ligands": 1.2, "centres": 0.8}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sharing:
    """Pairs of centres that share a number of ligands, or a kind of bridge.

    Attributes
    ----------
    name
        ``"corner"``, ``"edge"``, ``"face"``, or the composition of the bridge, such as ``"Cl+S"``.
    fraction
        Of all joined pairs; None if none is joined.
    per_centre
        Pairs in a frame over the number of centres.
    distance
        Between the centres, angstrom.
    """

    name: str
    fraction: Estimate | None
    per_centre: Estimate
    distance: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnexpectedBond:
    """Atoms of like charge that are as near as a bond.

    Attributes
    ----------
    pair
        Elements, such as ``"S-S"``.
    limit
        Distance below which they count, angstrom.
    mean_count
        Bonds in a frame.
    frames
        Frames that have one.
    shortest
        angstrom.
    example
        Frame and the two atoms (counted from 0) of the shortest.
    """

    pair: str
    limit: float
    mean_count: float
    frames: int
    shortest: float
    example: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Connectivity:
    """How the polyhedra of a trajectory are joined.

    Attributes
    ----------
    sharing
        Corner, edge and face, in this order.
    by_bridge
        The same pairs by the composition of their bridge.
    bonds
        Mean number of ligands of a centre.
    linked
        Fraction of the centres that share a ligand with another.
    distance
        Between the centres of all joined pairs, angstrom.
    angles
        Centre - ligand - centre, degrees, by ligand element and by ``"Cl, edge"``.
    angle_distributions
        The same by ligand element, in bins of 2 degrees, with standard errors.
    coordination
        How many centres (all frames) have 0, 1, 2, ... bonded ligands.
    ligand_bonds
        For each ligand element, how many atoms (all frames) bind 0 (free), 1 (terminal), 2 (bridging), ...
        centres.
    oligomers
        Fraction of the centres that are in a group of 1, 2, 3, ... joined centres; index 0 is unused.
    over_time
        Joined pairs in each frame that share 1, 2 and 3 or more ligands, shape (n_frames, 3).
    changes
        Pairs that went from one way of sharing to another: (from, to) to number, by the majority in ten
        consecutive parts of the run.
    unexpected
        Bonds between like charges.
    bridges
        The pairs themselves, of 5000 frames at most: of longer runs of every second, third, ... frame.
    """

    sharing: tuple[Sharing, ...]
    by_bridge: tuple[Sharing, ...]
    bonds: Estimate
    linked: Estimate
    distance: Spread | None
    angles: dict[str, Spread]
    angle_distributions: tuple[AngleDistribution, ...]
    coordination: Array
    ligand_bonds: dict[str, Array]
    oligomers: Array
    over_time: Array
    changes: dict[tuple[str, str], int]
    unexpected: tuple[UnexpectedBond, ...]
    bridges: Bridges


def connect(trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff]) -> Connectivity:
    """Analyse how the polyhedra are joined.

    Parameters
    ----------
    trajectory, roles, cutoffs
        Snapshots, which atoms are centres and ligands, and where their bonds end.

    Raises
    ------
    DataError
        If there are no centres, no ligands, or no bonds between them.
    """
    check_bonded(trajectory, roles, cutoffs)
    tally = Tally(trajectory, roles, longest=2.0 * max(c.r or 0.0 for c in cutoffs.values()))
    for found in bridges_by_runs(trajectory, roles, cutoffs):
        tally.add(found)
    centres = tally.joined.frames * atoms_of(trajectory, roles.centres).size

    core = "/".join(roles.centres)

    def of_centres(sums: Array) -> Estimate:
        found = ratio_of(sums, centres)
        assert found is not None
        return found

    def share(name: str, pool: Pool) -> Sharing:
        return Sharing(
            name=name,
            fraction=ratio_of(pool.counts, tally.joined.counts),
            per_centre=of_centres(pool.counts),
            distance=pool.spread(),
        )

    return Connectivity(
        sharing=tuple(share(SHARING[k + 1], pool) for k, pool in enumerate(tally.levels)),
        by_bridge=tuple(share(name, tally.kinds[name]) for name in sorted(tally.kinds)),
        bonds=of_centres(tally.bonds.sums),
        linked=of_centres(tally.linked.sums),
        distance=tally.joined.spread(),
        angles=_angles(tally.angles),
        angle_distributions=tuple(
            table.distribution(f"{core}-{ligand}-{core}")
            for ligand, table in sorted(tally.angle_tables.items())
        ),
        coordination=tally.coordination(),
        ligand_bonds=tally.ligand_bonds(),
        oligomers=tally.oligomers(),
        over_time=tally.over_time,
        changes=tally.changes(),
        unexpected=tuple(unexpected_bonds(trajectory, roles)),
        bridges=join_bridges(tally.table),
    )


def check_bonded(trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff]) -> None:
    """Refuse a trajectory in which no centre binds a ligand.

    Raises
    ------
    DataError
        Saying which role is empty or which bonds were sought.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    for name, members in (("centres", roles.centres), ("ligands", roles.ligands)):
        if not members:
            raise DataError(
                f"there are no {name} of polyhedra among {', '.join(trajectory.composition)}",
                where=where,
                do=f"name them with --{name}",
            )
    if not any(bond_limits(centre, roles.ligands, cutoffs) for centre in roles.centres):
        raise DataError(
            f"no bond is found from {', '.join(roles.centres)} to {', '.join(roles.ligands)}",
            where=where,
            do="name other centres and ligands, or give the length of a bond with --cutoff",
        )


def _angles(pools: Mapping[tuple[str, int], Pool]) -> dict[str, Spread]:
    """By ligand, then by ligand and way of sharing."""
    out = {}
    for ligand, level in sorted(pools):
        found = pools[ligand, level].spread()
        if found is not None:
            out[ligand if level == 0 else f"{ligand}, {SHARING[level]}"] = found
    return out


def unexpected_bonds(trajectory: Snapshots, roles: Roles) -> list[UnexpectedBond]:
    """Find atoms of like charge within bonding distance.

    Ligands count below 1.2 times, centres and mobile atoms below 0.8 times the sum of their covalent radii
    (Cordero et al. 2008); metals are bonded at 1.0 and repel one another in halides.

    Parameters
    ----------
    trajectory, roles
        Snapshots, and which atoms have which charge.
    """
    out = []
    cations = tuple(dict.fromkeys([*roles.centres, *roles.mobile]))
    for group, factor in ((roles.ligands, _ALIKE["ligands"]), (cations, _ALIKE["centres"])):
        if group:
            out += _close_pairs(trajectory, group, factor)
    return out


def _frames_with(trajectory: Snapshots, kind: Array, limits: Array) -> Array:
    """Frames in which two atoms of the group are nearer than their limit: mostly few, found fast."""
    table = np.zeros((limits.shape[0] + 1, limits.shape[0] + 1))
    table[:-1, :-1] = limits
    kinds = np.where(kind < 0, limits.shape[0], kind)
    counts = [
        add_up_shells(part, kinds, table)[0][..., 0].sum(axis=(1, 2))
        for _, part in runs_of_frames(trajectory, times=10)
    ]
    return np.flatnonzero(np.concatenate(counts) > 0)


def _close_pairs(trajectory: Snapshots, group: tuple[str, ...], factor: float) -> list[UnexpectedBond]:
    atoms = atoms_of(trajectory, group)
    index = {symbol: k for k, symbol in enumerate(group)}
    kind = np.array([index.get(s, -1) for s in trajectory.species])
    radii = np.array([covalent_radius(s) for s in group])
    limits = factor * (radii[:, None] + radii)
    found: dict[tuple[int, int], _Close] = {}
    for frame in _frames_with(trajectory, kind, limits):
        one = part_of(trajectory, int(frame), int(frame) + 1)
        near = find_neighbours(one.positions, one.cells, centres=atoms, r_max=float(limits.max()))
        owner = np.repeat(atoms, np.diff(near.offsets))
        for a, b, distance in zip(owner, near.atoms, near.distances, strict=True):
            if kind[b] >= 0 and a <= b and distance < limits[kind[a], kind[b]]:
                x, y = sorted((int(kind[a]), int(kind[b])))
                seen = found.setdefault((x, y), _Close())
                seen.add(int(frame), int(a), int(b), float(distance))
    return [
        UnexpectedBond(
            pair=f"{group[x]}-{group[y]}",
            limit=float(limits[x, y]),
            mean_count=seen.count / trajectory.n_frames,
            frames=seen.frames,
            shortest=seen.shortest,
            example=seen.example,
        )
        for (x, y), seen in sorted(found.items())
    ]


@dataclass(slots=True)
class _Close:
    """Close pairs of two elements, counted."""

    count: int = 0
    frames: int = 0
    last: int = -1
    shortest: float = np.inf
    example: tuple[int, int, int] = (0, 0, 0)

    def add(self, frame: int, a: int, b: int, distance: float) -> None:
        self.count += 1
        self.frames += frame != self.last
        self.last = frame
        if distance < self.shortest:
            self.shortest, self.example = distance, (frame, a, b)
