"""True structures that differ from every candidate as one potential differs from another.

Snapshots of one run are changed in four ways: the thermal amplitude about the mean is scaled; every atom is
moved by a constant random step, as another packing would have it; and then the bonds, and the distances of
bridged Ta, are pulled to shifted values by least squares, so that the change is one of coordinates and EXAFS
and G(r) see the same atoms.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.load import load_trajectory
from shortrange.quantities import Trajectory

__all__ = ["BASES", "CANDIDATES", "Change", "Local", "changed", "draw_change", "load_base", "local"]

Array = NDArray[Any]

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "examples" / "tacl5-na2s-bridge" / "models"
CANDIDATES = {
    "corner": MODELS / "corner.extxyz",
    "edge S2": MODELS / "edge_s2.extxyz",
    "edge SCl": MODELS / "edge_scl.extxyz",
    "isolated": MODELS / "isolated.extxyz",
}
"""The hypotheses offered: those of the shipped example (simulated)."""

BASES = {
    "corner": (HERE / "snapshots" / "corner_chgnet.extxyz.gz", CANDIDATES["corner"]),
    "isolated": (HERE / "snapshots" / "crystal_chgnet.extxyz.gz", CANDIDATES["isolated"]),
    "edge S2": (CANDIDATES["edge S2"],),
    "edge SCl": (CANDIDATES["edge SCl"],),
}
"""What truths of each kind are made from. Other frames, and for isolated octahedra another arrangement of
them, where there are any."""

BOND, BRIDGE = 3.1, 5.2
"""Longest Ta-ligand bond, and longest distance of two Ta that share a ligand, angstrom."""
NEAR = 4.2
"""Pairs nearer than this are held in place by the least squares, loosely unless they are bonds."""
LOOSE = 0.2
"""Weight of a pair that is no bond, against that of a bond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a truth differs from the snapshots it is made from.

    Attributes
    ----------
    ta_cl, ta_s, bridge
        Shift of the mean Ta-Cl and Ta-S bonds and of bridged Ta-Ta, angstrom.
    split
        Relative lengthening of Ta-Cl bonds about their mean: long ones longer, short ones shorter.
    amplitude
        Factor of the displacements from each atom's mean place.
    packing
        Standard deviation of the constant random step of each atom, angstrom along a direction.
    """

    ta_cl: float = 0.0
    ta_s: float = 0.0
    bridge: float = 0.0
    split: float = 0.0
    amplitude: float = 1.0
    packing: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Plain numbers."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What surrounds a Ta in the mean.

    Attributes
    ----------
    bond
        Mean length of all bonds to Cl and S, angstrom.
    sulphur, bridged
        Number of S bonded to a Ta, and of Ta that share a ligand with it.
    """

    bond: float
    sulphur: float
    bridged: float


def local(trajectory: Trajectory) -> Local:
    """Count bonds and bridges in the coordinates of all frames."""
    species = np.array(trajectory.species)
    ta, n = species == "Ta", float(np.sum(species == "Ta")) * trajectory.n_frames
    lengths, sulphur, bridged = [], 0, 0
    for x, cell in zip(trajectory.positions, trajectory.cells, strict=True):
        distance, _ = _distances(x, cell)
        bonds = (distance < BOND) & ta[:, None] & np.isin(species, ("Cl", "S"))[None, :]
        lengths.append(distance[bonds])
        sulphur += int(bonds[:, species == "S"].sum())
        ligands = bonds[ta].astype(int)
        shared = ligands @ ligands.T > 0
        bridged += int(shared.sum()) - len(shared)
    return Local(bond=float(np.mean(np.concatenate(lengths))), sulphur=sulphur / n, bridged=bridged / n)


def draw_change(rng: np.random.Generator) -> Change:
    """Draw a change of the size seen between three potentials: bonds 0.02 A, bridged Ta-Ta up to 0.08 A."""
    return Change(
        ta_cl=rng.normal(0.0, 0.012),
        ta_s=rng.normal(0.0, 0.02),
        bridge=rng.uniform(-0.08, 0.08),
        split=rng.normal(0.0, 0.15),
        amplitude=rng.normal(1.0, 0.05),
        packing=rng.uniform(0.0, 0.2),
    )


def load_base(path: Path, *, rng: np.random.Generator, frames: int = 16) -> Trajectory:
    """Load some frames of a file, at random, in their order."""
    whole = load_trajectory(path)
    chosen = np.sort(rng.permutation(whole.n_frames)[:frames])
    return replace(whole, positions=whole.positions[chosen], cells=whole.cells[chosen])


def changed(base: Trajectory, change: Change, *, rng: np.random.Generator) -> Trajectory:
    """Apply a change to every frame."""
    species = np.array(base.species)
    unwrapped = _about_first(base)
    mean = unwrapped.mean(axis=0)
    step = rng.normal(0.0, 1.0, mean.shape) * change.packing
    positions = mean + change.amplitude * (unwrapped - mean) + step
    return replace(
        base,
        positions=np.array(
            [
                _pull(x, start, cell, species, change)
                for x, start, cell in zip(positions, unwrapped, base.cells, strict=True)
            ]
        ),
    )


def _about_first(trajectory: Trajectory) -> Array:
    """Positions continued from the first frame, whatever cell they were written in."""
    inverse = np.linalg.inv(trajectory.cells[0])
    frac = trajectory.positions @ inverse
    moves = np.diff(frac, axis=0)
    moves -= np.round(moves)
    return np.concatenate([frac[:1], frac[:1] + np.cumsum(moves, axis=0)]) @ trajectory.cells[0]


def _pull(positions: Array, before: Array, cell: Array, species: Array, change: Change) -> Array:
    """Move atoms by least squares until the bonds have the lengths that they had, and the shifts."""
    old, _ = _distances(before, cell)
    first, second = np.triu_indices(len(species), 1)
    near = old[first, second] < BRIDGE
    first, second = first[near], second[near]
    length = old[first, second]
    pair = np.array([frozenset((a, b)) for a, b in zip(species[first], species[second], strict=True)])
    bond = (length < BOND) & np.array([("Ta" in p) and len(p & {"Cl", "S"}) == 1 for p in pair])
    bridge = (pair == frozenset(("Ta",))) & _share(first, second, first[bond], second[bond], len(species))
    keep = bond | bridge | (length < NEAR)
    first, second, length, pair, bond, bridge = (a[keep] for a in (first, second, length, pair, bond, bridge))
    with_cl = bond & (pair == frozenset(("Ta", "Cl")))
    with_s = bond & (pair == frozenset(("Ta", "S")))
    here, _ = _distances(positions, cell)
    # What is no bond stays where the new packing puts it.
    target = np.where(bond | bridge, length, here[first, second])
    target[with_cl] += change.ta_cl + change.split * (length[with_cl] - length[with_cl].mean())
    target[with_s] += change.ta_s
    target[bridge] += change.bridge
    weight = np.where(bond | bridge, 1.0, LOOSE)
    for _ in range(4):
        positions = positions + _step(positions, cell, first, second, target, weight)
    return positions


def _step(x: Array, cell: Array, first: Array, second: Array, target: Array, weight: Array) -> Array:
    """One Gauss-Newton step towards the target distances."""
    distance, vector = _distances(x, cell)
    d, direction = distance[first, second], vector[first, second] / distance[first, second][:, None]
    rows = np.arange(d.size)
    design = np.zeros((d.size, x.size))
    for axis in range(3):
        design[rows, 3 * second + axis] = direction[:, axis] * weight
        design[rows, 3 * first + axis] = -direction[:, axis] * weight
    normal = design.T @ design + 0.02**2 * np.eye(x.size)
    return np.linalg.solve(normal, design.T @ (weight * (target - d))).reshape(x.shape)


def _distances(x: Array, cell: Array) -> tuple[Array, Array]:
    """Nearest-image distances and vectors between all atoms: right below half the cell width."""
    vector = x[None, :, :] - x[:, None, :]
    frac = vector @ np.linalg.inv(cell)
    vector = (frac - np.round(frac)) @ cell
    return np.linalg.norm(vector, axis=-1), vector


def _share(first: Array, second: Array, bond_a: Array, bond_b: Array, n: int) -> Array:
    """Whether the two atoms of each pair are bonded to a common atom."""
    bonded = np.zeros((n, n), dtype=int)
    bonded[bond_a, bond_b] = bonded[bond_b, bond_a] = 1
    return np.asarray((bonded @ bonded)[first, second] > 0)
