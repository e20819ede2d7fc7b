"""What lies between units in G(r) of simulated glasses and crystals: its mean and spread.

    python studies/surroundings.py [--write]

A unit is a metal with its ligands, or two that share one, as in a motif. The mean is over kinds of
structures, the spread between them. With --write the table that the package takes is made anew.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from shortrange.load import load_trajectory
from shortrange.quantities import Trajectory
from shortrange.simulate.motifs.surroundings import Surroundings
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.simulate.pdf_weights import composition_weights

__all__ = ["Box", "between_units", "load_boxes", "pool"]

Array = NDArray[Any]

HERE = Path(__file__).parent
ROOT = HERE.parent
TABLE = ROOT / "src" / "shortrange" / "simulate" / "motifs" / "surroundings.csv"
MODELS, SNAPSHOTS = ROOT / "examples" / "tacl5-na2s-bridge" / "models", HERE / "calibration" / "snapshots"
BOXES = {
    "corner": (MODELS / "corner.extxyz", SNAPSHOTS / "corner_chgnet.extxyz.gz"),
    "isolated": (MODELS / "isolated.extxyz", SNAPSHOTS / "crystal_chgnet.extxyz.gz"),
    "edge S2": (MODELS / "edge_s2.extxyz",),
    "edge SCl": (MODELS / "edge_scl.extxyz", SNAPSHOTS / "edge_scl_chgnet.extxyz.gz"),
    "edge Cl2": (
        HERE / "structures" / "TaCl5_C2m_72_fullrelax_chgnet.extxyz",
        HERE / "structures" / "TaCl5_C2m_72_fixedcell_chgnet.extxyz",
    ),
}
"""Structures by kind, all simulated."""

BOND = 3.1  # angstrom, longest Ta-ligand bond
STILL = 0.012  # angstrom^2 of each atom, of a crystal at rest
Q = np.arange(0.02, 23.5, 0.02)
R = np.arange(0.0, 8.001, 0.05)
FROM_Q = 0.8  # 1/angstrom: the spread is that of what a measurement sees
ENLARGED, FLOOR = 1.5, 0.06 / (4 * np.pi * 0.0335)
"""Factor of the spread between few kinds; and the least spread, angstrom: 0.06 angstrom^-2 in G(r)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """F(Q) at `Q` of one structure, of all pairs and of those within units; its kind and number density."""

    kind: str
    total: Array
    within: Array
    number_density: float


def load_boxes() -> tuple[Box, ...]:
    """Load the structures and split their F(Q)."""
    return tuple(_split(kind, load_trajectory(path)) for kind, paths in BOXES.items() for path in paths)


def _split(kind: str, snapshots: Trajectory) -> Box:
    still = STILL if snapshots.n_frames == 1 else 0.0
    whole = PdfModel(pair_histograms(snapshots, r_max=20.0), np.array([2.0]), float(Q[-1]))
    assert snapshots.number_density is not None
    return Box(
        kind=kind, total=whole.structure(Q, u_iso=still), number_density=snapshots.number_density,
        within=_within_units(snapshots) * np.exp(-(Q**2) * still),
    )  # fmt: skip


def _within_units(snapshots: Trajectory) -> Array:
    """F(Q) of the pairs within units."""
    species = np.array(snapshots.species)
    pairs = list(combinations_with_replacement(snapshots.composition, 2))
    found: dict[tuple[str, str], list[float]] = {pair: [] for pair in pairs}
    for x, cell in zip(snapshots.positions, snapshots.cells, strict=True):
        distance = _nearest(x, cell)
        for i, j in np.argwhere(np.triu(_same_unit(distance, species), 1)):
            a, b = species[i], species[j]
            found[(a, b) if (a, b) in found else (b, a)].append(distance[i, j])
    weights = composition_weights(snapshots.composition, pairs, Q)
    total = np.zeros(Q.size)
    for pair, weight in zip(pairs, weights, strict=True):
        # Bins of 0.005 angstrom: the sine changes by 1e-4 within one.
        counts, edges = np.histogram(found[pair], bins=4000, range=(0.0, 20.0))
        r, n = (edges[:-1] + edges[1:])[counts > 0] / 2, counts[counts > 0]
        total += weight * ((n / r) @ np.sin(np.outer(r, Q)))
    return np.asarray(2.0 / snapshots.n_atoms / snapshots.n_frames * total)


def _nearest(x: Array, cell: Array) -> Array:
    frac = (x[None] - x[:, None]) @ np.linalg.inv(cell)
    return np.asarray(np.linalg.norm((frac - np.round(frac)) @ cell, axis=-1))


def _same_unit(distance: Array, species: Array) -> Array:
    """Whether two atoms belong to one octahedron, or to two that share a ligand."""
    metal, ligand = species == "Ta", np.isin(species, ("Cl", "S"))
    bonds = (distance < BOND) & metal[:, None] & ligand[None, :]
    member = bonds | np.diag(metal)
    same = np.zeros(distance.shape, dtype=bool)
    for i in np.flatnonzero(metal):
        for j in np.flatnonzero(metal):
            if (bonds[i] & bonds[j]).any():
                unit = np.flatnonzero(member[i] | member[j])
                same[np.ix_(unit, unit)] = True
    return same


def between_units(box: Box, *, q_min: float) -> Array:
    """D(r) of a structure at `R`, angstrom."""
    keep = q_min <= Q
    kernel = 2 / np.pi * np.sin(np.outer(R, Q[keep])) * (Q[1] - Q[0])
    return np.asarray(kernel @ (box.total - box.within)[keep] / (4 * np.pi * box.number_density))


def pool(boxes: Collection[Box], *, without: Collection[str] = ()) -> Surroundings:
    """Mean over kinds and spread between them, leaving kinds out as asked."""
    kinds = sorted({box.kind for box in boxes} - set(without))

    def of_kinds(q_min: float) -> Array:
        each = {box: between_units(box, q_min=q_min) for box in boxes}
        return np.array([np.mean([d for b, d in each.items() if b.kind == k], axis=0) for k in kinds])

    n = len(kinds)
    variance = uniform_filter1d(of_kinds(FROM_Q).var(axis=0, ddof=1), 21, mode="nearest") * (1 + 1 / n)
    return Surroundings(
        r=R, mean=of_kinds(0.0).mean(axis=0), sigma=np.sqrt(ENLARGED**2 * variance + FLOOR**2),
        source="SIMULATED structures: " + ", ".join(kinds),
    )  # fmt: skip


def _write(found: Surroundings, rows: Mapping[str, Array]) -> None:
    head = [
        f"# {found.source}: glasses and a crystal of Na-Ta-Cl(-S) at 600 K, TaCl5 crystals (CHGNet 0.3.0);",
        f"# mean over kinds, {ENLARGED:g} times their spread (studies/surroundings.py)",
        ",".join(rows),
    ]
    body = [",".join(f"{x:.4f}" for x in row) for row in zip(*rows.values(), strict=True)]
    TABLE.write_text("\n".join([*head, *body]) + "\n")


def main() -> None:
    """Print the table in units of G(r), and how far differences between kinds are correlated."""
    boxes = load_boxes()
    found = pool(boxes)
    if "--write" in sys.argv:
        _write(found, {"r": found.r, "mean": found.mean, "sigma": found.sigma})
    kinds = sorted({box.kind for box in boxes})
    each = np.array([
        np.mean([between_units(b, q_min=FROM_Q) for b in boxes if b.kind == kind], axis=0) for kind in kinds
    ]) * 4 * np.pi * 0.0335  # fmt: skip
    print("r (angstrom) and G between units (angstrom^-2), Q 0.8 to 23.5, all SIMULATED; density 0.0335")
    print("     " + "".join(f"{kind:>10}" for kind in kinds) + "     prior sigma")
    for i in range(40, 121, 4):
        row = "".join(f"{x:10.2f}" for x in each[:, i])
        print(f"{R[i]:.1f}  {row} {found.sigma[i] * 4 * np.pi * 0.0335:12.2f}")
    inside = (R >= 1.9) & (R <= 5.0)
    off = (each - each.mean(axis=0))[:, inside]
    off /= np.sqrt(uniform_filter1d(off.var(axis=0), 21, mode="nearest"))
    for lag in (2, 4, 6, 8, 12):
        print(f"correlation over {lag * 0.05:.1f} angstrom: {np.mean(off[:, :-lag] * off[:, lag:]):.2f}")


if __name__ == "__main__":
    main()
