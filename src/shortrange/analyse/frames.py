"""Frames a few at a time, so that memory is bounded by the run of frames and not by the trajectory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from shortrange.quantities import Step, Trajectory

__all__ = [
    "Snapshots",
    "Stored",
    "columns",
    "every",
    "in_threads",
    "lattice_images",
    "part_of",
    "parts_between",
    "runs_of_frames",
]

Array = NDArray[Any]

_RUN_ATOMS = 12_800
_COLUMN_BYTES = 16_000_000


class Snapshots(Protocol):
    """What an analysis asks of snapshots: all of `Trajectory` but the positions, which come in parts."""

    @property
    def species(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def cells(self) -> Array | None: ...  # noqa: D102
    @property
    def time_step(self) -> float | None: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def history(self) -> tuple[Step, ...]: ...  # noqa: D102
    @property
    def n_frames(self) -> int: ...  # noqa: D102
    @property
    def n_atoms(self) -> int: ...  # noqa: D102
    @property
    def composition(self) -> dict[str, int]: ...  # noqa: D102
    @property
    def number_density(self) -> float | None: ...  # noqa: D102
    @property
    def half_width(self) -> float | None: ...  # noqa: D102


class Stored(Snapshots, Protocol):
    """Snapshots that lie elsewhere and are read in parts."""

    def part(self, first: int, last: int) -> Trajectory: ...  # noqa: D102
    def every(self, stride: int) -> Stored: ...  # noqa: D102
    def column(self, atoms: Array) -> Array: ...  # noqa: D102


def part_of(snapshots: Snapshots, first: int, last: int) -> Trajectory:
    """Frames ``first`` to ``last - 1``."""
    if not isinstance(snapshots, Trajectory):
        return cast(Stored, snapshots).part(first, last)
    part = slice(first, last)
    cells = None if snapshots.cells is None else snapshots.cells[part]
    return replace(snapshots, positions=snapshots.positions[part], cells=cells)


def runs_of_frames(snapshots: Snapshots, *, times: int = 1) -> Iterator[tuple[int, Trajectory]]:
    """Consecutive parts, each with the number of its first frame: ``times`` 100 frames of 128 atoms."""
    size = _run_length(snapshots, times)
    for first in range(0, snapshots.n_frames, size):
        yield first, part_of(snapshots, first, min(first + size, snapshots.n_frames))


def parts_between(snapshots: Snapshots, first: int, last: int) -> Iterator[Trajectory]:
    """Frames ``first`` to ``last - 1`` in parts of at most 1000 frames of 128 atoms."""
    size = _run_length(snapshots, 10)
    for start in range(first, last, size):
        yield part_of(snapshots, start, min(start + size, last))


def _run_length(snapshots: Snapshots, times: int) -> int:
    return max(1, times * _RUN_ATOMS // snapshots.n_atoms)


def every(snapshots: Snapshots, stride: int) -> Snapshots:
    """Every ``stride``-th frame."""
    if stride == 1:
        return snapshots
    if not isinstance(snapshots, Trajectory):
        return cast(Stored, snapshots).every(stride)
    return replace(
        snapshots,
        positions=snapshots.positions[::stride],
        cells=None if snapshots.cells is None else snapshots.cells[::stride],
        time_step=None if snapshots.time_step is None else snapshots.time_step * stride,
    )


def columns(snapshots: Snapshots, atoms: Array) -> Iterator[Array]:
    """Positions in all frames, some atoms after others, each of shape (n_frames, n, 3): 16 MB or one atom."""
    few = max(1, _COLUMN_BYTES // (24 * snapshots.n_frames))
    for start in range(0, atoms.size, few):
        some = atoms[start : start + few]
        if isinstance(snapshots, Trajectory):
            yield snapshots.positions[:, some]
        else:
            yield cast(Stored, snapshots).column(some)


def in_threads(work: Callable[[int, int], None], n_frames: int) -> None:
    """Call ``work(first, last)`` on runs of frames, one thread for each processor."""
    threads = max(1, min(os.cpu_count() or 1, n_frames))
    edges = np.linspace(0, n_frames, min(n_frames, 4 * threads) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, edges[:-1], edges[1:]))


def lattice_images(cells: Array | None, n_frames: int, reach: float) -> tuple[Array, Array, Array]:
    """Lattices for a search of neighbours in which every image counts.

    Parameters
    ----------
    cells
        Lattice vectors as rows, shape (n_frames, 3, 3), or None for a molecule.
    n_frames
        Number of frames.
    reach
        Longest distance sought, angstrom.

    Returns
    -------
    cells, inverse, shells
        Lattices and their inverses (zeros for a molecule), and how many images to visit on each side along
        each lattice vector, once differences are brought to the nearest in fractions.
    """
    if cells is None:
        return np.zeros((n_frames, 3, 3)), np.zeros((n_frames, 3, 3)), np.zeros((n_frames, 3), dtype=np.int64)
    inverse = np.ascontiguousarray(np.linalg.inv(cells))
    heights = 1.0 / np.linalg.norm(inverse, axis=1)
    return np.ascontiguousarray(cells), inverse, np.floor(reach / heights + 0.5).astype(np.int64)
