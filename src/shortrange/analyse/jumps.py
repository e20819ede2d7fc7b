"""Sites of the mobile ions, jumps between them, and in which directions the jumps cross the whole crystal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.density import Density
from shortrange.analyse.displacement import follow
from shortrange.analyse.estimate import Spread, spread_of
from shortrange.analyse.frames import Snapshots, runs_of_frames
from shortrange.analyse.roles import atoms_of
from shortrange.errors import DataError

__all__ = ["Jumps", "find_jumps", "find_sites"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Jumps:
    """Sites and the traffic between them.

    Attributes
    ----------
    sites
        Fractions of the cell, shape (n_sites, 3).
    occupancy
        Mean number of ions at each site, shape (n_sites,).
    edges
        For each two sites (and image) between which ions jumped: first, second, lattice translation of the
        second; shape (n_edges, 5).
    counts, lengths
        Jumps and angstrom of each edge, shape (n_edges,).
    length
        Of all jumps, angstrom; None if there is none.
    jumps
        Number of jumps.
    percolates
        For a, b and c: whether a chain of edges leads from a site to its own image along this vector.
    dimension
        Number of independent directions in which chains lead to images: 0 to 3.
    capture
        Radius within which an ion is at a site, angstrom.
    """

    sites: Array
    occupancy: Array
    edges: Array
    counts: Array
    lengths: Array
    length: Spread | None
    jumps: int
    percolates: tuple[bool, bool, bool]
    dimension: int
    capture: float


def find_sites(density: Density, *, apart: float = 2.0, least: float = 0.05) -> Array:
    """Maxima of a density, in fractions, shape (n, 3), the highest first.

    Parameters
    ----------
    density
        Smoothed.
    apart
        Of two maxima nearer than this the lower is dropped, angstrom.
    least
        Height of a maximum, in parts of the highest.
    """
    from scipy.ndimage import maximum_filter

    values = density.values
    peaks = np.argwhere(
        (values == maximum_filter(values, size=3, mode="wrap")) & (values >= least * values.max())
    )
    order = np.argsort(-values[tuple(peaks.T)], kind="stable")
    fractions = peaks[order] / np.array(values.shape)
    kept: list[Array] = []
    for point in fractions:
        if kept:
            apart_from = np.array(kept) - point
            apart_from -= np.rint(apart_from)
            if np.linalg.norm(apart_from @ density.cell, axis=1).min() < apart:
                continue
        kept.append(point)
    return np.array(kept).reshape(-1, 3)


def find_jumps(
    trajectory: Snapshots,
    elements: tuple[str, ...],
    sites: Array,
    *,
    capture: float = 1.0,
    followed: Snapshots | None = None,
) -> Jumps:
    """Follow ions from site to site.

    An ion is at a site from when it comes within ``capture`` of it until it comes within ``capture`` of
    another, so that a rattling ion makes no jumps.

    Parameters
    ----------
    trajectory
        Frames in order of time, of a periodic cell.
    elements
        Which ions.
    sites
        From `find_sites`.
    capture
        angstrom; at most half the distance between sites.
    followed
        The same frames unwrapped, drift removed; by default the trajectory is unwrapped.

    Raises
    ------
    DataError
        If there is no cell, no site, or the capture radius is not above zero.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    if trajectory.cells is None:
        raise DataError("sites need a cell, and the file gives none", where=where, do="give a periodic run")
    if not sites.size or not capture > 0:
        raise DataError(
            f"{len(sites)} sites and a capture radius of {capture} angstrom",
            where=where,
            do="lower the least height of a site; give a radius of about 1",
        )
    atoms = atoms_of(trajectory, elements)
    cell = trajectory.cells.mean(axis=0)
    moves, visited = Counter[tuple[int, ...]](), np.zeros(len(sites))
    site, image = np.full(atoms.size, -1), np.zeros((atoms.size, 3), dtype=int)
    for _, part in runs_of_frames(followed or follow(trajectory)):
        assert part.cells is not None
        fractions = np.einsum("fai,fij->afj", part.positions[:, atoms], np.linalg.inv(part.cells))
        for a in range(atoms.size):
            sites_of, images = _visits(fractions[a], sites, cell, capture, site[a], image[a])
            np.add.at(visited, sites_of[1:][sites_of[1:] >= 0], 1.0)
            moves.update(map(tuple, _moves(sites_of, images).tolist()))
            site[a], image[a] = sites_of[-1], images[-1]
    return _graph(moves, sites, cell, visited / trajectory.n_frames, capture)


def _visits(
    fractions: Array, sites: Array, cell: Array, capture: float, site: int, image: Array
) -> tuple[Array, Array]:
    """Site of each frame (-1 before the first) and the lattice translation to its image there.

    The first are those of the frame before, which are given.
    """
    apart = fractions[:, None] - sites
    turn = np.rint(apart)
    distance = np.linalg.norm((apart - turn) @ cell, axis=-1)
    nearest = distance.argmin(axis=1)
    rows = np.arange(nearest.size)
    at = distance[rows, nearest] < capture
    # The last frame at which the ion was captured, held until the next capture.
    last = np.append(0, np.maximum.accumulate(np.where(at, rows + 1, 0)))
    turns = np.vstack([image, turn[rows, nearest]])[last].astype(int)
    return np.append(site, nearest)[last], turns


def _moves(site: Array, image: Array) -> Array:
    """Rows of (from, to, lattice translation) of the jumps of an ion."""
    changed = np.flatnonzero((site[1:] != site[:-1]) | (image[1:] != image[:-1]).any(axis=1)) + 1
    changed = changed[site[changed - 1] >= 0]
    return np.column_stack([site[changed - 1], site[changed], image[changed] - image[changed - 1]])


def _graph(
    moves: Counter[tuple[int, ...]], sites: Array, cell: Array, occupancy: Array, capture: float
) -> Jumps:
    both_ways = Counter[tuple[int, ...]]()
    for (start, end, *turn), n in moves.items():
        both_ways[(end, start, *(-t for t in turn)) if start > end else (start, end, *turn)] += n
    edges = np.array(sorted(both_ways), dtype=int).reshape(-1, 5)
    counts = np.array([both_ways[tuple(edge)] for edge in edges.tolist()], dtype=int)
    lengths = np.linalg.norm((sites[edges[:, 1]] + edges[:, 2:] - sites[edges[:, 0]]) @ cell, axis=1)
    loops = _windings(edges, len(sites))
    return Jumps(
        sites=sites,
        occupancy=occupancy,
        edges=edges,
        counts=counts,
        lengths=lengths,
        length=spread_of(np.repeat(lengths, counts)),
        jumps=int(counts.sum()),
        percolates=_directions(loops),
        dimension=int(np.linalg.matrix_rank(loops)) if loops.size else 0,
        capture=capture,
    )


def _windings(edges: Array, n_sites: int) -> Array:
    """Lattice translations of the closed loops of the graph, shape (n, 3)."""
    neighbours: dict[int, list[tuple[int, Array]]] = {}
    for a, b, *turn in edges:
        neighbours.setdefault(int(a), []).append((int(b), np.array(turn)))
        neighbours.setdefault(int(b), []).append((int(a), -np.array(turn)))
    offset: dict[int, Array] = {}
    loops = []
    for start in range(n_sites):
        if start in offset:
            continue
        offset[start] = np.zeros(3, dtype=int)
        queue = [start]
        while queue:
            here = queue.pop()
            for there, turn in neighbours.get(here, []):
                reached = offset[here] + turn
                if there not in offset:
                    offset[there] = reached
                    queue.append(there)
                elif (reached != offset[there]).any():
                    loops.append(reached - offset[there])
    return np.unique(np.array(loops).reshape(-1, 3), axis=0)


def _directions(loops: Array) -> tuple[bool, bool, bool]:
    """Whether a, b and c lie in the space that the loops span."""
    rank = np.linalg.matrix_rank(loops) if loops.size else 0
    inside = [bool(rank and np.linalg.matrix_rank(np.vstack([loops, e])) == rank) for e in np.eye(3)]
    return inside[0], inside[1], inside[2]
