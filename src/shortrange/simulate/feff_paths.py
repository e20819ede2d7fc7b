"""Effective scattering amplitudes of many paths at once, by FEFF8L's path program genfmt.

One process of genfmt works through a whole list of paths and takes 1-2 ms for each. (The same code as a
library inside xraylarch reads the phase shifts anew for each path and stops the whole process on an error.)
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.feff import Potentials
from shortrange.simulate.feff_pad import FeffPad, read_feff_pad
from shortrange.simulate.feff_programs import run_program

__all__ = ["FeffPath", "calculate_paths", "worker_count"]

Array = NDArray[Any]

_HEAD = "shortrange\n " + "-" * 71 + "\n"


@dataclass(frozen=True, slots=True)
class FeffPath:
    """A scattering path from the absorber at the origin over some atoms and back.

    Attributes
    ----------
    ipots
        FEFF's potential number of each atom on the way; 0 is the absorber.
    positions
        Their positions, angstrom.
    """

    ipots: tuple[int, ...]
    positions: tuple[tuple[float, float, float], ...]


def worker_count(workers: int | None) -> int:
    """Return the number of processes or threads: as given, or one for each processor we may use."""
    if workers is not None:
        if workers < 1:
            raise SimulationError(
                f"workers = {workers}", where="workers", do="give a number of 1 or more, or None"
            )
        return workers
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def calculate_paths(
    potentials: Potentials, paths: list[FeffPath], *, workers: int | None = None, timeout: float = 3600.0
) -> FeffPad:
    """Complex chi(k) of each path, degeneracy 1, on FEFF's own k points.

    Parameters
    ----------
    potentials
        Phase shifts, which name the kinds of atoms in the paths.
    paths
        Their geometries.
    workers
        FEFF processes at a time; by default one for each processor.
    timeout
        Longest time that a process may take, s.

    Returns
    -------
    FeffPad
        The paths in the order given.

    Raises
    ------
    SimulationError
        If there is no path, or FEFF fails or returns fewer paths than it was given.
    """
    if not paths:
        raise SimulationError(
            "there is no path to calculate", where="calculate_paths", do="give at least one"
        )
    processes = min(worker_count(workers), max(1, len(paths) // 50))
    # Several lists for each process: paths differ in cost, and one list is read while FEFF is at another.
    n = max(processes, min(8 * processes, len(paths) // 500))
    chunks = [paths[i * len(paths) // n : (i + 1) * len(paths) // n] for i in range(n)]
    with ThreadPoolExecutor(processes) as pool:
        parts = list(pool.map(lambda chunk: _run(potentials, chunk, timeout), chunks))
    first = parts[0]
    return FeffPad(
        k=first.k, p=first.p, phase_shift=first.phase_shift, mu=first.mu,
        cchi=np.concatenate([part.cchi for part in parts]),
        half_length=np.concatenate([part.half_length for part in parts]),
        degeneracy=np.concatenate([part.degeneracy for part in parts]),
        legs=np.concatenate([part.legs for part in parts]),
        neighbours=np.concatenate([part.neighbours for part in parts]),
    )  # fmt: skip


def _run(potentials: Potentials, paths: list[FeffPath], timeout: float) -> FeffPad:
    with tempfile.TemporaryDirectory(prefix="shortrange-feff-") as name:
        folder = Path(name)
        for kept, raw in potentials.files.items():
            (folder / kept).write_bytes(raw)
        (folder / "paths.dat").write_text(_HEAD + "".join(map(_entry, range(1, len(paths) + 1), paths)))
        run_program("genfmt", folder=folder, timeout=timeout)
        result = read_feff_pad(folder / "feff.pad")
    if len(result.cchi) != len(paths):
        raise SimulationError(
            f"FEFF returned {len(result.cchi)} of {len(paths)} paths",
            where="FEFF8L program genfmt",
            do="report this: its path list was refused",
        )
    return result


def _entry(index: int, path: FeffPath) -> str:
    """One path in the format of paths.dat; the absorber comes last."""
    lines = [f"{index:6d}{len(path.ipots) + 1:5d}   1.000  index, nleg, degeneracy", " x y z ipot label"]
    for ipot, (x, y, z) in zip((*path.ipots, 0), (*path.positions, (0.0, 0.0, 0.0)), strict=True):
        lines.append(f"{x:14.8f}{y:14.8f}{z:14.8f}{ipot:4d} 'X     '")
    return "\n".join(lines) + "\n"
