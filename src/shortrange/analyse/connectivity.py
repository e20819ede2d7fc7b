"""How polyhedra are joined: corners, edges, faces, by which anion; chains of them; bonds nobody expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.bridges import Bridges, find_bridges
from shortrange.analyse.cutoffs import Cutoff
from shortrange.analyse.estimate import Estimate, Spread, mean_of, ratio_of, spread_of
from shortrange.analyse.frames import Snapshots, part_of, runs_of_frames
from shortrange.analyse.roles import Roles, atoms_of, covalent_radius
from shortrange.analyse.shells import add_up_shells, bond_limits
from shortrange.errors import DataError
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["SHARING", "Connectivity", "Sharing", "UnexpectedBond", "connect", "unexpected_bonds"]

Array = NDArray[Any]

SHARING = ("none", "corner", "edge", "face")
_ALIKE = {"ligands": 1.2, "centres": 0.8}
_WINDOWS = 10


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
    angles
        Centre - ligand - centre, degrees, by ligand element and by ``"Cl, edge"``.
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
    """

    sharing: tuple[Sharing, ...]
    by_bridge: tuple[Sharing, ...]
    angles: dict[str, Spread]
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
    b = find_bridges(trajectory, roles, cutoffs)
    n_frames, n_centres = b.bonds_of_centre.shape
    level = np.minimum(b.shared, 3)
    over_time = np.stack([np.bincount(b.frame[level == k], minlength=n_frames) for k in (1, 2, 3)], axis=1)
    joined = over_time.sum(axis=1)

    def share(name: str, mine: Array) -> Sharing:
        counts = np.bincount(b.frame[mine], minlength=n_frames)
        return Sharing(
            name=name,
            fraction=ratio_of(counts, joined),
            per_centre=mean_of(counts / n_centres),
            distance=spread_of(b.distance[mine], b.frame[mine], n_frames),
        )

    species = np.array(trajectory.species)[atoms_of(trajectory, roles.ligands)]
    return Connectivity(
        sharing=tuple(share(SHARING[k], level == k) for k in (1, 2, 3)),
        by_bridge=tuple(share(str(name), b.by == name) for name in np.unique(b.by)),
        angles=_angles(b, level, n_frames),
        coordination=np.bincount(b.bonds_of_centre.ravel()),
        ligand_bonds={s: np.bincount(b.bonds_of_ligand[:, species == s].ravel()) for s in roles.ligands},
        oligomers=_oligomers(b, atoms_of(trajectory, roles.centres), trajectory.n_atoms),
        over_time=over_time,
        changes=_changes(b, level, n_frames, trajectory.n_atoms),
        unexpected=tuple(unexpected_bonds(trajectory, roles)),
        bridges=b,
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


def _angles(b: Bridges, level: Array, n_frames: int) -> dict[str, Spread]:
    out = {}
    frames, levels = b.frame[b.pair_of], level[b.pair_of]
    for ligand in np.unique(b.ligand):
        mine = b.ligand == ligand
        for k in (0, 1, 2, 3):
            chosen = mine if k == 0 else mine & (levels == k)
            found = spread_of(b.angle[chosen], frames[chosen], n_frames)
            if found is not None:
                out[str(ligand) if k == 0 else f"{ligand}, {SHARING[k]}"] = found
    return out


def _oligomers(b: Bridges, centres: Array, n_atoms: int) -> Array:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_frames = b.bonds_of_centre.shape[0]
    size = n_frames * n_atoms
    rows, columns = b.frame * n_atoms + b.first, b.frame * n_atoms + b.second
    graph = coo_array((np.ones(rows.size), (rows, columns)), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    nodes = (np.arange(n_frames)[:, None] * n_atoms + centres).ravel()
    members = np.bincount(group[nodes])
    sizes = members[group[nodes]]
    return np.asarray(np.bincount(sizes) / nodes.size)


def _changes(b: Bridges, level: Array, n_frames: int, n_atoms: int) -> dict[tuple[str, str], int]:
    """Count pairs that share ligands in another way in the next tenth of the run."""
    windows = min(_WINDOWS, n_frames)
    if windows < 2:
        return {}
    pair, pair_of = np.unique(b.first * n_atoms + b.second, return_inverse=True)
    # A pair joined through several images counts with its strongest link.
    now = np.zeros((n_frames, pair.size), dtype=np.int8)
    np.maximum.at(now, (b.frame, pair_of.ravel()), level.astype(np.int8))
    edges = np.linspace(0, n_frames, windows + 1).astype(int)
    majority = np.array(
        [np.argmax([(now[lo:hi] == k).sum(axis=0) for k in range(4)], axis=0) for lo, hi in pairwise(edges)]
    )
    out: dict[tuple[str, str], int] = {}
    for before, after in zip(majority[:-1].ravel(), majority[1:].ravel(), strict=True):
        if before != after:
            key = (SHARING[before], SHARING[after])
            out[key] = out.get(key, 0) + 1
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
    found: dict[tuple[int, int], list[Array]] = {}
    for frame in _frames_with(trajectory, kind, limits):
        one = part_of(trajectory, int(frame), int(frame) + 1)
        near = find_neighbours(one.positions, one.cells, centres=atoms, r_max=float(limits.max()))
        owner = np.repeat(atoms, np.diff(near.offsets))
        for a, b, distance in zip(owner, near.atoms, near.distances, strict=True):
            if kind[b] >= 0 and a <= b and distance < limits[kind[a], kind[b]]:
                x, y = sorted((int(kind[a]), int(kind[b])))
                found.setdefault((x, y), []).append(np.array([frame, a, b, distance]))
    out = []
    for (x, y), parts in sorted(found.items()):
        rows = np.array(parts)
        best = rows[np.argmin(rows[:, 3])]
        out.append(
            UnexpectedBond(
                pair=f"{group[x]}-{group[y]}",
                limit=float(limits[x, y]),
                mean_count=rows.shape[0] / trajectory.n_frames,
                frames=int(np.unique(rows[:, 0]).size),
                shortest=float(best[3]),
                example=(int(best[0]), int(best[1]), int(best[2])),
            )
        )
    return out
