"""Frames a few at a time, so that memory is bounded by the run of frames and not by the trajectory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.quantities import Trajectory

__all__ = ["every", "in_threads", "lattice_images", "runs_of_frames"]

Array = NDArray[Any]


def runs_of_frames(trajectory: Trajectory, *, size: int = 100) -> Iterator[tuple[int, Trajectory]]:
    """Consecutive parts of a trajectory, each with the number of its first frame."""
    for first in range(0, trajectory.n_frames, size):
        part = slice(first, first + size)
        cells = None if trajectory.cells is None else trajectory.cells[part]
        yield first, replace(trajectory, positions=trajectory.positions[part], cells=cells)


def every(trajectory: Trajectory, stride: int) -> Trajectory:
    """Every ``stride``-th frame."""
    if stride == 1:
        return trajectory
    return replace(
        trajectory,
        positions=trajectory.positions[::stride],
        cells=None if trajectory.cells is None else trajectory.cells[::stride],
        time_step=None if trajectory.time_step is None else trajectory.time_step * stride,
    )


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
