"""Time coordination, connectivity and shape measures of 1000 frames of 128 atoms, made here.

Run: ``python benchmarks/bench_analyse.py``. A rattled rock-salt-like box of corner-free octahedra stands in
for a trajectory; the first round compiles and is not counted.
"""

from __future__ import annotations

import time

import numpy as np

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.quantities import Trajectory

FRAMES = 1000
PARTS = ("coordination", "connectivity", "csm")


def octahedra(frames: int) -> Trajectory:
    """Sixteen TaCl6 octahedra with a Na each, 128 atoms, atoms displaced at random in every frame."""
    rng = np.random.default_rng(1)
    ligands = 2.35 * np.vstack([np.eye(3), -np.eye(3)])
    sites = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1, 2, 3)])
    centres = sites * 7.6
    atoms, species = [], []
    for centre in centres:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        atoms += [centre, centre + 3.8, *(centre + ligands @ turn)]
        species += ["Ta", "Na", *["Cl"] * 6]
    positions = np.array(atoms) + rng.normal(scale=0.1, size=(frames, 128, 3))
    cells = np.repeat(np.diag([15.2, 15.2, 30.4])[None], frames, axis=0)
    return Trajectory(species=tuple(species), positions=positions, cells=cells, label="made up")


def main() -> None:
    """Print the seconds of each part and of all."""
    analyse_trajectory(octahedra(20), only=PARTS)
    trajectory = octahedra(FRAMES)
    for parts in [[part] for part in PARTS] + [list(PARTS)]:
        start = time.perf_counter()
        analyse_trajectory(trajectory, only=parts)
        print(f"{'+'.join(parts):40s} {time.perf_counter() - start:6.2f} s for {FRAMES} frames of 128 atoms")


if __name__ == "__main__":
    main()
