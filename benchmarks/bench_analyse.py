"""Time coordination, connectivity and shape measures of 1000 frames of 128 atoms beside the peers.

Run: ``python benchmarks/bench_analyse.py``. A box of rattled octahedra stands in for a trajectory; the first
round compiles and is not counted. Peers (where installed): pymatgen's ChemEnv for shape measures, ase's
neighbour list for the coordination numbers alone; both on few frames, their time scaled up.

``python benchmarks/bench_analyse.py memory`` prints by how much the peak of memory rises above that of a run
of 60 frames, for runs of 2500, 5000 and 10 000 frames of 128 atoms that are streamed, and for the longest
held, each in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.analyse.distortion import nearest_ligands, shape_measures
from shortrange.load import load_trajectory, open_frames
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


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def chemenv(ligands: np.ndarray) -> Callable[[], object]:
    """Shape measures of isolated octahedra by ChemEnv."""
    from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
        AbstractGeometry,
        LocalGeometryFinder,
    )

    finder = LocalGeometryFinder()

    def work() -> None:
        for each in ligands:
            finder.local_geometry = AbstractGeometry(
                central_site=np.zeros(3), bare_coords=each, centering_type="central_site"
            )
            finder.get_coordination_symmetry_measures(only_minimum=True)

    return work


def by_ase(trajectory: Trajectory) -> Callable[[], object]:
    """Numbers of Cl around Ta by ase's neighbour list."""
    from ase import Atoms
    from ase.neighborlist import neighbor_list

    def work() -> None:
        for positions, cell in zip(trajectory.positions, trajectory.cells, strict=True):
            atoms = Atoms(trajectory.species, positions=positions, cell=cell, pbc=True)
            i = neighbor_list("i", atoms, {("Ta", "Cl"): 3.1})
            np.bincount(i, minlength=len(atoms))

    return work


def main() -> None:
    """Print the seconds of each part and of all, and of the peers."""
    analyse_trajectory(octahedra(20), only=PARTS)
    trajectory = octahedra(FRAMES)
    for parts in [[part] for part in PARTS] + [list(PARTS)]:
        wall, cpu = seconds(lambda parts=parts: analyse_trajectory(trajectory, only=parts))
        print(f"{'+'.join(parts):40s} {wall:6.2f} s, {cpu:6.2f} s of processor, {FRAMES} frames of 128 atoms")
    few = octahedra(20)
    centres = np.flatnonzero(np.array(few.species) == "Ta")
    ligands = nearest_ligands(few, centres, ("Cl",), count=6).reshape(-1, 6, 3)
    ours = min(seconds(lambda: shape_measures(ligands))[1] for _ in range(5))
    try:
        theirs = seconds(chemenv(ligands[:32]))[1] * len(ligands) / 32
        print(f"shape measures: ChemEnv takes {theirs / ours:.0f} times our time for the same octahedra")
    except ImportError:
        print("pymatgen is not installed")
    theirs = seconds(by_ase(few))[1] * FRAMES / 20
    ours = seconds(lambda: analyse_trajectory(trajectory, only=["coordination"]))[1]
    print(f"coordination: ase's neighbours alone {theirs:.1f} s of processor, our whole part {ours:.1f} s")


def write_run(path: Path, frames: int) -> None:
    """Write a run whose atoms rattle from frame to frame, as extxyz."""
    start, rng = octahedra(1), np.random.default_rng(2)
    lattice = " ".join(f"{x:g}" for x in start.cells[0].ravel())
    head = f'{start.n_atoms}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"\n'
    moved = np.zeros((start.n_atoms, 3))
    with path.open("w", encoding="utf-8") as file:
        for _ in range(frames):
            moved = 0.97 * moved + rng.normal(scale=0.02, size=moved.shape)
            rows = (start.positions[0] + moved).tolist()
            lines = [
                f"{s} {x:.4f} {y:.4f} {z:.4f}\n" for s, (x, y, z) in zip(start.species, rows, strict=True)
            ]
            file.write(head + "".join(lines))


def peak(short: str, path: str, how: str) -> None:
    """Analyse a short run, that libraries and compiled code be there, then a file; print both peaks."""
    peaks = []
    for name in (short, path):
        run = open_frames(name) if how == "streamed" else load_trajectory(name)
        analyse_trajectory(run, only=[*PARTS, "transport", "density"], time_step=10.0)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    rise = peaks[1] - peaks[0]
    print(f"{how}, {Path(path).stem} frames: {rise:.0f} MB above the {peaks[0]:.0f} of 60 frames", flush=True)


def memory() -> None:
    """Print the peaks of memory of runs that are streamed, and of one that is held."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {n: Path(folder) / f"{n}.extxyz" for n in (60, 2500, 5000, 10_000)}
        for frames, path in paths.items():
            write_run(path, frames)
        for frames, how in ((2500, "streamed"), (5000, "streamed"), (10_000, "streamed"), (10_000, "held")):
            command = [sys.executable, __file__, str(paths[60]), str(paths[frames]), how]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        peak(*sys.argv[1:])
    elif sys.argv[1:] == ["memory"]:
        memory()
    else:
        main()
