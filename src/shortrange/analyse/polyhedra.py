"""Reference polyhedra, and which permutations of their vertices tell shapes apart."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = ["POLYHEDRA", "reference", "vertex_orders"]

Array = NDArray[Any]


def _ring(
    n: int, *, z: float = 0.0, turn: float = 0.0, radius: float = 1.0
) -> list[tuple[float, float, float]]:
    angles = turn + 2.0 * np.pi * np.arange(n) / n
    return [(float(radius * np.cos(a)), float(radius * np.sin(a)), z) for a in angles]


_POLES = [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0)]
_CUBE = [(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
# Regular prism and antiprism: all edges of one length.
_PRISM_Z = np.sqrt(3.0) / 2.0
_ANTIPRISM_Z = 2.0**-0.75

POLYHEDRA: dict[str, Array] = {
    "tetrahedron": np.array([(1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0)]),
    "square": np.array(_ring(4)),
    "trigonal bipyramid": np.array(_POLES + _ring(3)),
    "square pyramid": np.array(_POLES[:1] + _ring(4)),
    "octahedron": np.array(_POLES + _ring(4)),
    "trigonal prism": np.array(_ring(3, z=_PRISM_Z) + _ring(3, z=-_PRISM_Z)),
    "pentagonal bipyramid": np.array(_POLES + _ring(5)),
    "cube": np.array(_CUBE),
    "square antiprism": np.array(_ring(4, z=_ANTIPRISM_Z) + _ring(4, z=-_ANTIPRISM_Z, turn=np.pi / 4)),
}
"""Vertices about the central atom, shape (n, 3), any scale; the square pyramid is an octahedron less one."""


def reference(name: str) -> Array:
    """Vertices of a reference polyhedron, shape (n, 3).

    Raises
    ------
    DataError
        If there is none of this name.
    """
    if name not in POLYHEDRA:
        raise DataError(f"there is no polyhedron {name!r}", where="shape", do=did_you_mean(name, POLYHEDRA))
    return POLYHEDRA[name]


@cache
def vertex_orders(name: str) -> Array:
    """Orders of the vertices, one for each class that rotations of the polyhedron make, shape (m, n).

    For n vertices and g proper rotations there are n!/g, 30 for the octahedron.
    """
    q = reference(name)
    n = q.shape[0]
    orders = np.array(list(permutations(range(n))), dtype=np.int64)
    gram = q @ q.T
    same = np.array(_isometries(gram), dtype=np.int64)
    proper = [p for p in same if _is_rotation(q, q[p])]
    weights = n ** np.arange(n)[::-1]
    code = orders @ weights
    least = code.copy()
    for p in proper:
        np.minimum(least, orders[:, p] @ weights, out=least)
    return np.asarray(orders[code == least])


def _isometries(gram: Array) -> list[list[int]]:
    """Permutations that keep all scalar products, by extending partial ones."""
    partial: list[list[int]] = [[]]
    n = gram.shape[0]
    for k in range(n):
        partial = [
            [*p, c]
            for p in partial
            for c in range(n)
            if c not in p
            and abs(gram[c, c] - gram[k, k]) < 1e-9
            and all(abs(gram[c, p[i]] - gram[k, i]) < 1e-9 for i in range(k))
        ]
    return partial


def _is_rotation(q: Array, turned: Array) -> bool:
    u, s, vt = np.linalg.svd(turned.T @ q)
    # A flat polyhedron is turned into its mirror image by a rotation as well.
    return bool(s[2] < 1e-9 or np.linalg.det(u) * np.linalg.det(vt) > 0)
