"""Pairs of centres that share ligands: the raw material of connectivity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.bonds import bond_limits, same_owner_pairs
from shortrange.analyse.cutoffs import Cutoff
from shortrange.analyse.frames import Snapshots, runs_of_frames
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.quantities import Trajectory
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["Bridges", "RunBridges", "bridges_by_runs", "join_bridges", "some_frames"]

Array = NDArray[Any]

_COLUMNS = ("frame", "first", "second", "distance", "shared", "kind")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bridges:
    """Ligands that bind two centres, and the pairs of centres they join, in some frames.

    Attributes
    ----------
    frames
        Numbers of the frames looked at, shape (n_frames,).
    frame, first, second
        Frame and atoms of each pair of centres, shape (n_pairs,); a pair joined through two images appears
        twice.
    distance
        Between the centres, along the bridge, angstrom, shape (n_pairs,).
    shared
        Ligands they share, shape (n_pairs,).
    kinds, kind
        Compositions of bridges, such as ``"Cl+S"``, and which of them each pair has, shape (n_pairs,).
    """

    frames: Array
    frame: Array
    first: Array
    second: Array
    distance: Array
    shared: Array
    kinds: tuple[str, ...]
    kind: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunBridges:
    """Bridges of a run of frames, with their angles and with all bonds.

    Attributes
    ----------
    pairs
        The pairs of centres.
    pair_of, ligand, angle
        For each centre-ligand-centre angle: its pair, the element of the ligand (its place among the
        ligands), and degrees; shape (n_angles,).
    bonds_of_ligand, bonds_of_centre
        Bonds of each ligand atom, shape (n_frames, n_ligand_atoms), and of each centre.
    """

    pairs: Bridges
    pair_of: Array
    ligand: Array
    angle: Array
    bonds_of_ligand: Array
    bonds_of_centre: Array


def bridges_by_runs(
    trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff]
) -> Iterator[RunBridges]:
    """Find all pairs of centres joined by a ligand, run of frames by run, periodic images told apart.

    Parameters
    ----------
    trajectory, roles, cutoffs
        Snapshots, which atoms are centres and ligands, and where their bonds end.
    """
    limits = np.zeros((len(roles.ligands), len(roles.centres)))
    for c, centre in enumerate(roles.centres):
        for ligand, limit in bond_limits(centre, roles.ligands, cutoffs).items():
            limits[roles.ligands.index(ligand), c] = limit
    ligands, centres = atoms_of(trajectory, roles.ligands), atoms_of(trajectory, roles.centres)
    for start, part in runs_of_frames(trajectory):
        yield _of_run(part, start, roles, limits, ligands, centres)


def some_frames(pairs: Bridges, every: int) -> Bridges:
    """Bridges of the frames whose numbers can be divided by ``every``."""
    keep = pairs.frame % every == 0
    columns = {name: getattr(pairs, name)[keep] for name in _COLUMNS}
    return replace(pairs, frames=pairs.frames[pairs.frames % every == 0], **columns)


def join_bridges(parts: Sequence[Bridges]) -> Bridges:
    """Bridges of consecutive runs as one."""
    kinds = tuple(dict.fromkeys(name for part in parts for name in part.kinds))
    columns = {name: [getattr(part, name) for part in parts] for name in _COLUMNS}
    places = (np.array([kinds.index(name) for name in part.kinds], dtype=np.int16) for part in parts)
    columns["kind"] = [place[part.kind] for place, part in zip(places, parts, strict=True)]
    frames = np.concatenate([part.frames for part in parts])
    return Bridges(frames=frames, kinds=kinds, **{n: np.concatenate(c) for n, c in columns.items()})


def _of_run(
    part: Trajectory, start: int, roles: Roles, limits: Array, ligands: Array, centres: Array
) -> RunBridges:
    species = np.array(part.species)
    kind = np.array([roles.ligands.index(s) if s in roles.ligands else -1 for s in species])
    core = np.array([roles.centres.index(s) if s in roles.centres else -1 for s in species])
    # Centres are fewer than ligands: search from them, then sort the bonds by ligand.
    near = find_neighbours(part.positions, part.cells, centres=centres, r_max=float(limits.max(initial=0.0)))
    frame, place = np.divmod(np.repeat(np.arange(near.offsets.size - 1), np.diff(near.offsets)), centres.size)
    keep = kind[near.atoms] >= 0
    keep[keep] = near.distances[keep] < limits[kind[near.atoms[keep]], core[centres[place[keep]]]]
    rank = np.full(part.n_atoms, -1)
    rank[ligands] = np.arange(ligands.size)
    owner = frame[keep] * ligands.size + rank[near.atoms[keep]]
    order = np.argsort(owner, kind="stable")
    owner, atom = owner[order], centres[place[keep][order]]
    vector, distance = -near.vectors[keep][order], near.distances[keep][order]
    frames = owner // ligands.size
    of_centre = np.zeros((part.n_frames, part.n_atoms), dtype=int)
    np.add.at(of_centre, (frames, atom), 1)
    couples = same_owner_pairs(owner)
    i = np.concatenate([a for a, _ in couples]) if couples else np.empty(0, int)
    j = np.concatenate([b for _, b in couples]) if couples else np.empty(0, int)
    swap = atom[i] > atom[j]
    i, j = np.where(swap, j, i), np.where(swap, i, j)
    cosine = np.einsum("ij,ij->i", vector[i], vector[j]) / (distance[i] * distance[j])
    pairs = _group(part, frames[i], atom[i], atom[j], vector[j] - vector[i])
    elements = kind[ligands[owner[i] % ligands.size]]
    kinds, kind_of_pair = _compositions(pairs["pair_of"], elements, roles.ligands, pairs["frame"].size)
    of_ligand = np.bincount(owner, minlength=part.n_frames * ligands.size).reshape(part.n_frames, -1)
    return RunBridges(
        pairs=Bridges(
            frames=start + np.arange(part.n_frames),
            frame=(start + pairs["frame"]).astype(np.int32),
            first=pairs["first"].astype(np.int32),
            second=pairs["second"].astype(np.int32),
            distance=pairs["distance"],
            shared=pairs["shared"].astype(np.int16),
            kinds=kinds,
            kind=kind_of_pair,
        ),
        pair_of=pairs["pair_of"],
        ligand=elements,
        angle=np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))),
        bonds_of_ligand=of_ligand,
        bonds_of_centre=of_centre[:, centres],
    )


def _group(part: Trajectory, frame: Array, a: Array, b: Array, vector: Array) -> dict[str, Array]:
    """Bridges of the same two centres (the same image) become one pair."""
    turn = np.zeros((frame.size, 3), dtype=np.int64)
    if part.cells is not None:
        apart = part.positions[frame, b] - part.positions[frame, a]
        inverse = np.linalg.inv(part.cells)
        turn = np.rint(np.einsum("ij,ijk->ik", vector - apart, inverse[frame])).astype(np.int64)
        # From an atom to its own image and back is one pair.
        leading = np.where(turn[:, 0] != 0, turn[:, 0], np.where(turn[:, 1] != 0, turn[:, 1], turn[:, 2]))
        turn[(a == b) & (leading < 0)] *= -1
    key = np.column_stack([frame, a, b, turn])
    unique, place, pair_of, shared = np.unique(
        key, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return {
        "frame": unique[:, 0],
        "first": unique[:, 1],
        "second": unique[:, 2],
        "distance": np.linalg.norm(vector[place], axis=1),
        "shared": shared,
        "pair_of": pair_of.ravel(),
    }


def _compositions(
    pair_of: Array, elements: Array, ligands: tuple[str, ...], n_pairs: int
) -> tuple[tuple[str, ...], Array]:
    """Names of bridges (ligands in alphabetical order, joined by plus signs), and which each pair has."""
    counts = np.zeros((n_pairs, len(ligands)), dtype=np.int16)
    np.add.at(counts, (pair_of, elements), 1)
    rows, kind = np.unique(counts, axis=0, return_inverse=True)
    names = ("+".join(sorted(s for s, n in zip(ligands, row, strict=True) for _ in range(n))) for row in rows)
    return tuple(names), kind.ravel().astype(np.int16)
