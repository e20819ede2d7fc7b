"""Pairs of centres that share ligands, frame by frame: the raw material of connectivity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.cutoffs import Cutoff
from shortrange.analyse.frames import Snapshots, runs_of_frames
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.analyse.shells import bond_limits, same_owner_pairs
from shortrange.quantities import Trajectory
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["Bridges", "find_bridges"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bridges:
    """Ligands that bind two centres, and the pairs of centres they join, in all frames.

    Attributes
    ----------
    frame, first, second
        Frame and atoms of each pair of centres, shape (n_pairs,); a pair joined through two images appears
        twice.
    distance
        Between the centres, along the bridge, angstrom, shape (n_pairs,).
    shared
        Ligands they share, shape (n_pairs,).
    by
        Composition of the bridge, such as ``"Cl+S"``, shape (n_pairs,).
    pair_of, ligand, angle
        For each centre-ligand-centre angle: its pair, the element of the ligand, and degrees; shape
        (n_angles,).
    bonds_of_ligand, bonds_of_centre
        Bonds of each ligand atom, shape (n_frames, n_ligand_atoms), and of each centre.
    """

    frame: Array
    first: Array
    second: Array
    distance: Array
    shared: Array
    by: Array
    pair_of: Array
    ligand: Array
    angle: Array
    bonds_of_ligand: Array
    bonds_of_centre: Array


def find_bridges(trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff]) -> Bridges:
    """Find all pairs of centres joined by a ligand, periodic images told apart.

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
    parts, last = [], 0
    for start, part in runs_of_frames(trajectory):
        piece = _of_run(part, roles, limits, ligands, centres)
        piece["frame"] = piece["frame"] + start
        piece["pair_of"] = piece["pair_of"] + last
        last += piece["frame"].size
        parts.append(piece)
    return Bridges(**{name: np.concatenate([piece[name] for piece in parts]) for name in parts[0]})


def _of_run(
    part: Trajectory, roles: Roles, limits: Array, ligands: Array, centres: Array
) -> dict[str, Array]:
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
    names = species[ligands[owner[i] % ligands.size]]
    return {
        **{name: pairs[name] for name in ("frame", "first", "second", "distance", "shared")},
        "by": _compositions(pairs["pair_of"], names, pairs["frame"].size),
        "pair_of": pairs["pair_of"],
        "ligand": names,
        "angle": np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))),
        "bonds_of_ligand": np.bincount(owner, minlength=part.n_frames * ligands.size)
        .reshape(part.n_frames, -1)
        .astype(np.int16),
        "bonds_of_centre": of_centre[:, centres].astype(np.int16),
    }


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


def _compositions(pair_of: Array, names: Array, n_pairs: int) -> Array:
    """Name of each bridge: its ligands in alphabetical order, joined by plus signs."""
    order = np.lexsort((names, pair_of))
    bounds = np.searchsorted(pair_of[order], np.arange(n_pairs + 1))
    known: dict[bytes, str] = {}
    symbols, codes = np.unique(names, return_inverse=True)
    codes = codes.ravel()[order]
    out = []
    for lo, hi in pairwise(bounds):
        key = codes[lo:hi].tobytes()
        if key not in known:
            known[key] = "+".join(str(symbols[c]) for c in codes[lo:hi])
        out.append(known[key])
    return np.array(out, dtype="<U32")
