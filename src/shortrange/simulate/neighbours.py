"""Neighbours of chosen atoms, with all periodic images, in any cell or in none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Neighbours", "find_neighbours"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Neighbours of ``n_centres`` atoms in each of some frames, centre after centre.

    Attributes
    ----------
    offsets
        Neighbours of centre c (frame-major) are ``offsets[c]:offsets[c + 1]``; shape
        (n_frames * n_centres + 1,).
    atoms
        Index of the neighbour in its frame, shape (m,).
    vectors
        From the centre to the neighbour, angstrom, shape (m, 3).
    distances
        Their lengths, angstrom, shape (m,).
    """

    offsets: Array
    atoms: Array
    vectors: Array
    distances: Array


def find_neighbours(positions: Array, cells: Array | None, *, centres: Array, r_max: float) -> Neighbours:
    """All atoms and periodic images within ``r_max`` of the centres.

    Parameters
    ----------
    positions
        angstrom, shape (n_frames, n_atoms, 3), inside the cell or not.
    cells
        Lattice vectors as rows, shape (n_frames, 3, 3); None for a molecule.
    centres
        Indices of the centre atoms, shape (n_centres,).
    r_max
        angstrom; may exceed half the cell, then an atom counts once for each of its images. An image of the
        centre itself is a neighbour, the centre is not.
    """
    positions = np.ascontiguousarray(positions, dtype=float)
    centres = np.ascontiguousarray(centres, dtype=np.int64)
    n_frames = positions.shape[0]
    if cells is None:
        frames, inverse, shells = (
            np.zeros((n_frames, 3, 3)),
            np.zeros((n_frames, 3, 3)),
            np.zeros((n_frames, 3), int),
        )
    else:
        frames = np.ascontiguousarray(cells, dtype=float)
        inverse = np.ascontiguousarray(np.linalg.inv(frames))
        # Fractional differences are brought to [-1/2, 1/2]; |difference + n| * height <= r_max bounds n.
        heights = 1.0 / np.linalg.norm(inverse, axis=1)
        shells = np.floor(r_max / heights + 0.5).astype(np.int64)
    counts = np.zeros(n_frames * centres.size, dtype=np.int64)
    nothing_i, nothing_f = np.empty(0, dtype=np.int64), np.empty((0, 3))
    _visit(positions, frames, inverse, shells, centres, r_max, counts, counts, nothing_i, nothing_f, False)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    atoms, vectors = np.empty(offsets[-1], dtype=np.int64), np.empty((offsets[-1], 3))
    _visit(positions, frames, inverse, shells, centres, r_max, counts, offsets, atoms, vectors, True)
    return Neighbours(offsets, atoms, vectors, np.linalg.norm(vectors, axis=1))


@njit(cache=True, nogil=True)
def _visit(
    positions: Array, cells: Array, inverse: Array, shells: Array, centres: Array, r_max: float,
    counts: Array, offsets: Array, atoms: Array, vectors: Array, fill: bool,
) -> None:  # fmt: skip
    n_centres = centres.size
    d = np.empty(3)
    for f in range(positions.shape[0]):
        for c in range(n_centres):
            centre = centres[c]
            found = 0
            for j in range(positions.shape[1]):
                for x in range(3):
                    d[x] = positions[f, j, x] - positions[f, centre, x]
                for x in range(3):
                    u = np.rint(_along(inverse[f], positions[f, j], positions[f, centre], x))
                    for y in range(3):
                        d[y] -= u * cells[f, x, y]
                found = _images(
                    d, cells[f], shells[f], r_max, j == centre, j, found,
                    offsets[f * n_centres + c], atoms, vectors, fill,
                )  # fmt: skip
            counts[f * n_centres + c] = found


@njit(cache=True, nogil=True)
def _along(inverse: Array, to: Array, start: Array, x: int) -> float:
    total = 0.0
    for y in range(3):
        total += (to[y] - start[y]) * inverse[y, x]
    return total


@njit(cache=True, nogil=True)
def _images(
    d: Array, cell: Array, shells: Array, r_max: float, own: bool, atom: int, found: int, start: int,
    atoms: Array, vectors: Array, fill: bool,
) -> int:  # fmt: skip
    for a in range(-shells[0], shells[0] + 1):
        for b in range(-shells[1], shells[1] + 1):
            for c in range(-shells[2], shells[2] + 1):
                if own and a == 0 and b == 0 and c == 0:
                    continue
                x = d[0] + a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
                y = d[1] + a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
                z = d[2] + a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]
                if x * x + y * y + z * z <= r_max * r_max:
                    if fill:
                        atoms[start + found] = atom
                        vectors[start + found, 0] = x
                        vectors[start + found, 1] = y
                        vectors[start + found, 2] = z
                    found += 1
    return found
