"""Counting the pairs of some frames: what one thread, or one worker of a cluster, does at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import cations_first
from shortrange.quantities import Trajectory
from shortrange.simulate.pair_kernel import add_splines, count_frames, count_part

__all__ = ["Grid", "count_piece"]

Array = NDArray[Any]

_PARTS = 2  # of a large frame that is alone: always the same, so that sums do not depend on the threads
_LARGE = 500  # atoms from which a frame is parted
_SUBCELL = 8.0  # angstrom; wide enough for long inner loops, narrow enough to skip what lies beyond r_max


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """What counting needs to know beside positions."""

    pairs: tuple[tuple[str, str], ...]
    kinds: Array
    place: Array
    r_step: float
    n_r: int

    @property
    def r_max(self) -> float:
        """Largest distance, angstrom."""
        return (self.n_r - 1) * self.r_step

    @property
    def r(self) -> Array:
        """Distances, angstrom, shape (n_r,)."""
        r = np.arange(self.n_r) * self.r_step
        r.setflags(write=False)
        return r

    @classmethod
    def of(cls, trajectory: Trajectory, r_max: float, r_step: float) -> Grid:
        """Return that of the species of a trajectory."""
        names = sorted(trajectory.composition, key=cations_first)
        pairs = tuple(combinations_with_replacement(names, 2))
        place = np.zeros((len(names), len(names)), dtype=np.int64)
        for p, (a, b) in enumerate(pairs):
            place[names.index(a), names.index(b)] = place[names.index(b), names.index(a)] = p
        number = {name: i for i, name in enumerate(names)}
        kinds = np.array([number[s] for s in trajectory.species], dtype=np.int64)
        return cls(pairs, kinds, place, r_step, round(r_max / r_step) + 1)


def count_piece(piece: Trajectory, *, grid: Grid, run: int, threads: int = 1) -> dict[str, Array]:
    """Count the pairs of some frames.

    Parameters
    ----------
    piece
        The frames.
    grid
        See `Grid`.
    run
        Frames whose counts are added up.
    threads
        For a single frame of many atoms. The result does not depend on it.

    Returns
    -------
    dict
        ``counts`` (n_runs, n_pairs, n_r) float32, sums over ``run`` frames each; ``overlap`` (n_frames,)
        whether atoms coincide; and for boxes ``density`` and ``half_width`` of each frame.
    """
    positions, cells, periodic = _box(piece)
    inverse = np.linalg.inv(cells)
    counts = np.zeros((-(-piece.n_frames // run), len(grid.pairs), grid.n_r), dtype=np.float32)
    overlap = np.zeros(piece.n_frames, dtype=np.bool_)
    frames = _into_subcells(positions, cells, inverse, periodic, grid)
    if piece.n_frames == 1 and piece.n_atoms >= _LARGE:
        xyz, keys, divisions, reach, cells = (x[0] for x in frames)
        how = (xyz, keys, divisions, reach, cells, periodic, grid.place, grid.r_step)
        overlap[0] = _count_parts(how, counts[0], threads)
    else:
        moments = _aligned((*counts.shape[1:], 4))
        count_frames(*frames, periodic, grid.place, grid.r_step, run, moments, counts, overlap)
    found = {"counts": counts, "overlap": overlap}
    if periodic:
        found["density"] = piece.n_atoms / np.abs(np.linalg.det(cells))
        found["half_width"] = 0.5 / np.linalg.norm(inverse, axis=1).max(axis=1)
    return found


def _into_subcells(
    positions: Array, cells: Array, inverse: Array, periodic: bool, grid: Grid
) -> tuple[Array, Array, Array, Array, Array]:
    """Return what `count_part` wants of each frame: positions in the cell, keys, divisions, reach, cell."""
    heights = 1.0 / np.linalg.norm(inverse, axis=1)
    # More subcells than atoms would only cost.
    divisions = np.clip((heights / _SUBCELL).astype(np.int64), 1, positions.shape[1])
    reach = (grid.r_max * divisions / heights).astype(np.int64) + 1
    s = positions @ inverse
    if periodic:
        s -= np.floor(s)
    last = divisions[:, None, :] - 1
    at = np.minimum((s * divisions[:, None, :]).astype(np.int64), last)
    subcell = (at[..., 0] * divisions[:, 1:2] + at[..., 1]) * divisions[:, 2:3] + at[..., 2]
    keys = grid.kinds * divisions.prod(axis=1)[:, None] + subcell
    return s @ cells, keys, divisions, reach, np.array(cells)


def _count_parts(
    how: tuple[Array, Array, Array, Array, Array, bool, Array, float], counts: Array, threads: int
) -> bool:
    """Add the pairs of a frame to ``counts`` (n_pairs, n_r); return whether atoms coincide."""

    def one(part: int) -> Array:
        moments = _aligned((*counts.shape, 4))
        count_part(*how, part, _PARTS, moments)
        return moments

    if threads > 1:
        with ThreadPoolExecutor(min(threads, _PARTS)) as pool:
            found = list(pool.map(one, range(_PARTS)))
    else:
        found = [one(part) for part in range(_PARTS)]
    moments = found[0]
    for other in found[1:]:
        moments += other
    add_splines(moments, how[-1], counts)
    return bool(moments[:, 0, 0].any())


def _aligned(shape: tuple[int, ...]) -> Array:
    """Zeros of which no four neighbours lie across a border of the cache: a tenth of the time."""
    size = int(np.prod(shape))
    room = np.zeros(size + 8)
    start = (-room.ctypes.data % 64) // 8
    return room[start : start + size].reshape(shape)


def _box(trajectory: Trajectory) -> tuple[Array, Array, bool]:
    """Positions and cells; a molecule gets a box that holds it, with its corner at the origin."""
    if trajectory.cells is not None:
        return trajectory.positions, trajectory.cells, True
    low = trajectory.positions.min(axis=1, keepdims=True)
    size = (trajectory.positions - low).max(axis=(0, 1)) + 0.5
    cells = np.repeat(np.diag(size)[None], trajectory.n_frames, axis=0)
    return trajectory.positions - low + 0.25, cells, False
