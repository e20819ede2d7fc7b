"""The compiled pass over first shells: power sums of the distances, and neighbours of each atom."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["shell_sums"]

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def shell_sums(
    positions: Array, cells: Array, inverse: Array, shells: Array, kinds: Array, limits: Array,
    sums: Array, neighbours: Array,
) -> None:  # fmt: skip
    """Add up distances d within first shells, each from both ends.

    Parameters
    ----------
    positions, cells, inverse
        Frames, their lattice vectors as rows, and the inverses; zeros for a molecule.
    shells
        Images to visit along each lattice vector, shape (n_frames, 3).
    kinds
        Number of the element of each atom.
    limits
        End of the shell of each two elements, angstrom; zero for none.
    sums
        Filled: number, and sums of (d - limit / 2) to the power 1, 2, 3; shape (n_frames, n_kinds, n_kinds,
        4).
    neighbours
        Filled: neighbours of each atom by element, shape (n_frames, n_atoms, n_kinds).
    """
    d = np.empty(3)
    for f in range(positions.shape[0]):
        for i in range(positions.shape[1]):
            for j in range(i, positions.shape[1]):
                limit = limits[kinds[i], kinds[j]]
                if limit == 0.0:
                    continue
                for x in range(3):
                    d[x] = positions[f, j, x] - positions[f, i, x]
                _nearest(d, cells[f], inverse[f])
                _add_images(d, cells[f], shells[f], limit, i, j, kinds, sums[f], neighbours[f])


@njit(nogil=True, cache=True)
def _nearest(d: Array, cell: Array, inverse: Array) -> None:
    u = np.rint(d[0] * inverse[0, 0] + d[1] * inverse[1, 0] + d[2] * inverse[2, 0])
    v = np.rint(d[0] * inverse[0, 1] + d[1] * inverse[1, 1] + d[2] * inverse[2, 1])
    w = np.rint(d[0] * inverse[0, 2] + d[1] * inverse[1, 2] + d[2] * inverse[2, 2])
    for y in range(3):
        d[y] -= u * cell[0, y] + v * cell[1, y] + w * cell[2, y]


@njit(nogil=True, cache=True)
def _add_images(
    d: Array, cell: Array, shells: Array, limit: float, i: int, j: int, kinds: Array, sums: Array,
    neighbours: Array,
) -> None:  # fmt: skip
    for a in range(-shells[0], shells[0] + 1):
        for b in range(-shells[1], shells[1] + 1):
            for c in range(-shells[2], shells[2] + 1):
                if i == j and a == 0 and b == 0 and c == 0:
                    continue
                x = d[0] + a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
                y = d[1] + a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
                z = d[2] + a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]
                square = x * x + y * y + z * z
                if square >= limit * limit:
                    continue
                t = np.sqrt(square) - limit / 2
                # An image of the atom itself appears once for each of two opposite translations.
                for end in range(1 if i == j else 2):
                    one, other = (i, j) if end == 0 else (j, i)
                    neighbours[one, kinds[other]] += 1
                    into = sums[kinds[one], kinds[other]]
                    into[0] += 1.0
                    into[1] += t
                    into[2] += t * t
                    into[3] += t * t * t
