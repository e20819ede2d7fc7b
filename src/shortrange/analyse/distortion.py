r"""Continuous symmetry (shape) measures: how far polyhedra are from a reference.

:math:`S = 100\,(1 - \max_{\pi,R}[\mathrm{tr}(R H_\pi)]^2 / (|P|^2 |Q|^2))` for vertices P and a reference Q,
:math:`H_\pi = \sum_i p_{\pi(i)} q_i^T`, over permutations and proper rotations, scale free (Pinsky and Avnir
1998). 0 is perfect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shortrange.analyse.estimate import Spread
from shortrange.analyse.frames import Snapshots, every, in_threads, runs_of_frames
from shortrange.analyse.polyhedra import reference, vertex_orders
from shortrange.analyse.pool import Pool, kept_every
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.errors import DataError
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["Centre", "Distortion", "distortion", "nearest_ligands", "shape_measures"]

Array = NDArray[Any]
Centre = Literal["atom", "ligands", "all"]
"""What lies at the origin: the central atom; the centroid of the ligands (the central atom left out); the
centroid of ligands and central atom, which then counts as a vertex. The last is the default of pymatgen's
ChemEnv (csm_wcs_ctwcc); "ligands" is its csm_wocs_ctwocc, "atom" its csm_wocs_csc."""

_REACH = (5.0, 8.0, 12.0)  # angstrom; tried one after the other


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distortion:
    """Shape measures of all polyhedra of a trajectory.

    Attributes
    ----------
    centre_element, polyhedron, stride
        What was measured, against what, in every which frame.
    frames
        Numbers of the frames whose measures are kept, shape (n,): all up to 5000, of more every second,
        third, ...
    atoms
        Indices of the central atoms, shape (m,).
    measures
        By convention, see `Centre`: shape (n, m), 0 (perfect) to 100, of these frames.
    distances
        Centre to ligand, in order of length, averaged, angstrom, shape (vertices,).
    spreads
        By convention, of all frames measured.
    """

    centre_element: str
    polyhedron: str
    stride: int
    frames: Array
    atoms: Array
    measures: dict[str, Array]
    distances: Array
    spreads: dict[str, Spread]


def distortion(
    trajectory: Snapshots, roles: Roles, *, polyhedron: str = "octahedron", stride: int = 1
) -> list[Distortion]:
    """Shape measure of the nearest ligands of every centre, for each element of the centres.

    Parameters
    ----------
    trajectory, roles
        Snapshots, and which atoms are centres and ligands.
    polyhedron
        Its number of vertices is the number of nearest ligands taken, whatever their distance.
    stride
        Every which frame.

    Raises
    ------
    DataError
        If a centre has too few ligands, or there is no such polyhedron or stride.
    """
    if stride < 1:
        raise DataError(f"every {stride}-th frame", where="distortion", do="give a stride of 1 or more")
    reference(polyhedron)
    chosen = every(trajectory, stride)
    out = []
    for element in roles.centres:
        atoms = atoms_of(trajectory, [element])
        count = reference(polyhedron).shape[0]
        keep, lengths = kept_every(chosen.n_frames), np.zeros(count)
        pools = {name: Pool(chosen.n_frames, low=0.0, high=100.0) for name in get_args(Centre)}
        kept: dict[str, list[Array]] = {name: [] for name in pools}
        for start, part in runs_of_frames(chosen, times=10):
            ligands = nearest_ligands(part, atoms, roles.ligands, count=count, first=start)
            lengths += np.linalg.norm(ligands, axis=-1).mean(axis=1).sum(axis=0)
            frame = start + np.arange(part.n_frames)
            for name, values in shape_measures(ligands.reshape(-1, count, 3), polyhedron=polyhedron).items():
                pools[name].add(values, np.repeat(frame, atoms.size))
                kept[name].append(values.reshape(-1, atoms.size)[frame % keep == 0])
        spreads = {}
        for name, pool in pools.items():
            found = pool.spread()
            assert found is not None
            spreads[name] = found
        out.append(
            Distortion(
                centre_element=element,
                polyhedron=polyhedron,
                stride=stride,
                frames=np.arange(0, trajectory.n_frames, stride)[::keep],
                atoms=atoms,
                measures={name: np.concatenate(parts) for name, parts in kept.items()},
                distances=lengths / chosen.n_frames,
                spreads=spreads,
            )
        )
    return out


def nearest_ligands(
    trajectory: Snapshots, atoms: Array, ligands: tuple[str, ...], *, count: int, first: int = 0
) -> Array:
    """Vectors from each centre to its nearest ligands, in order of length, shape (frames, centres, count, 3).

    Parameters
    ----------
    trajectory
        Snapshots.
    atoms
        Indices of the centres.
    ligands
        Elements.
    count
        How many.
    first
        Number of the first frame, for an error.

    Raises
    ------
    DataError
        If a centre has fewer within 12 angstrom.
    """
    wanted = np.isin(np.array(trajectory.species), ligands)
    out = np.empty((trajectory.n_frames, atoms.size, count, 3))
    for start, part in runs_of_frames(trajectory):
        for reach in _REACH:
            near = find_neighbours(part.positions, part.cells, centres=atoms, r_max=reach)
            owner = np.repeat(np.arange(near.offsets.size - 1), np.diff(near.offsets))
            keep = wanted[near.atoms]
            owner, vectors, distances = owner[keep], near.vectors[keep], near.distances[keep]
            have = np.bincount(owner, minlength=part.n_frames * atoms.size)
            if have.min() >= count:
                break
        else:
            poor = int(np.argmin(have))
            raise DataError(
                f"atom {atoms[poor % atoms.size]} has {have[poor]} of {count} ligands within "
                f"{_REACH[-1]:g} angstrom",
                where=f"{trajectory.source or 'trajectory'}, frame {first + start + poor // atoms.size}",
                do="name the ligands, or a polyhedron with fewer vertices",
            )
        order = np.lexsort((distances, owner))
        begin = np.concatenate([[0], np.cumsum(have)[:-1]])
        picked = order[begin[:, None] + np.arange(count)]
        out[start : start + part.n_frames] = vectors[picked].reshape(part.n_frames, atoms.size, count, 3)
    return out


def shape_measures(ligands: Array, *, polyhedron: str = "octahedron") -> dict[Centre, Array]:
    """Continuous shape measure of polyhedra against a reference, 0 to 100, for each origin.

    Parameters
    ----------
    ligands
        From the central atom to its ligands, any unit, shape (n, vertices, 3).
    polyhedron
        Name of the reference.

    Returns
    -------
    dict
        By origin, see `Centre`: shape (n,).

    Raises
    ------
    DataError
        If the number of ligands is not that of the vertices, a ligand is not a number, or the ligands all
        lie at one place.
    """
    q = reference(polyhedron)
    p = np.ascontiguousarray(ligands, dtype=float)
    if p.ndim != 3 or p.shape[1:] != q.shape:
        raise DataError(
            f"ligands have shape {p.shape}",
            where="shape_measures",
            do=f"give (n, {q.shape[0]}, 3) for {polyhedron}",
        )
    if not np.isfinite(p).all():
        raise DataError("a ligand lies nowhere (not a number)", where="shape_measures", do="repair the input")
    n, p_sum, q_sum = q.shape[0], p.sum(axis=1), q.sum(axis=0)
    p_square, q_square = (p**2).sum(axis=(1, 2)), float((q**2).sum())
    out: dict[Centre, Array] = {}
    best: Array | None = None
    origins: tuple[tuple[Centre, int], ...] = (("atom", 0), ("ligands", n), ("all", n + 1))
    for centre, count in origins:
        # Moving the origin to a centroid subtracts sum(p) sum(q)^T / count from H, which is nothing where
        # the reference has its centroid at its centre.
        share = 1.0 / count if count else 0.0
        norm = p_square - share * (p_sum**2).sum(axis=1)
        if (norm <= 1e-12 * np.maximum(p_square, 1e-8)).any():
            raise DataError(
                f"all ligands of polyhedron {int(np.argmin(norm))} lie at one place",
                where="shape_measures",
                do="give vectors from the centre to different ligands",
            )
        if best is None or np.abs(q_sum).max() > 1e-9:
            best = _best(p, q, -share * p_sum, q_sum, vertex_orders(polyhedron))
        norm = norm * (q_square - share * float(q_sum @ q_sum))
        out[centre] = np.clip(100.0 * (1.0 - best**2 / norm), 0.0, 100.0)
    return out


def _best(p: Array, q: Array, p_shift: Array, q_sum: Array, orders: Array) -> Array:
    best = np.empty(p.shape[0])

    def measure(first: int, last: int) -> None:
        _best_traces(p[first:last], q, p_shift[first:last], q_sum, orders, best[first:last])

    if p.shape[0]:
        in_threads(measure, p.shape[0])
    return best


@njit(nogil=True, cache=True)
def _best_traces(p: Array, q: Array, p_shift: Array, q_sum: Array, orders: Array, best: Array) -> None:
    h = np.empty((3, 3))
    for f in range(p.shape[0]):
        most = 0.0
        for o in range(orders.shape[0]):
            for x in range(3):
                for y in range(3):
                    h[x, y] = p_shift[f, x] * q_sum[y]
            for v in range(q.shape[0]):
                w = orders[o, v]
                q0, q1, q2 = q[v, 0], q[v, 1], q[v, 2]
                for x in range(3):
                    a = p[f, w, x]
                    h[x, 0] += a * q0
                    h[x, 1] += a * q1
                    h[x, 2] += a * q2
            # s1 + s2 + s3 <= sqrt(3 (s1^2 + s2^2 + s3^2)): most orders need no singular values.
            square = 0.0
            for x in range(3):
                square += h[x, 0] ** 2 + h[x, 1] ** 2 + h[x, 2] ** 2
            if 3.0 * square > most * most:
                most = max(most, _largest_trace(h))
        best[f] = most


@njit(nogil=True, cache=True)
def _largest_trace(h: Array) -> float:
    """Return the largest tr(R h) over rotations: s1 + s2 + sign(det h) s3 of h (Kabsch 1976)."""
    a = h[0, 0] ** 2 + h[1, 0] ** 2 + h[2, 0] ** 2
    b = h[0, 1] ** 2 + h[1, 1] ** 2 + h[2, 1] ** 2
    c = h[0, 2] ** 2 + h[1, 2] ** 2 + h[2, 2] ** 2
    d = h[0, 0] * h[0, 1] + h[1, 0] * h[1, 1] + h[2, 0] * h[2, 1]
    e = h[0, 1] * h[0, 2] + h[1, 1] * h[1, 2] + h[2, 1] * h[2, 2]
    g = h[0, 0] * h[0, 2] + h[1, 0] * h[1, 2] + h[2, 0] * h[2, 2]
    # Eigenvalues of the symmetric h^T h in closed form (Smith 1961).
    mean = (a + b + c) / 3.0
    spread = np.sqrt(
        ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2 + 2.0 * (d * d + e * e + g * g)) / 6.0
    )
    if spread < 1e-14 * mean:
        low = middle = high = mean
    else:
        a, b, c = (a - mean) / spread, (b - mean) / spread, (c - mean) / spread
        d, e, g = d / spread, e / spread, g / spread
        half = (a * (b * c - e * e) - d * (d * c - e * g) + g * (d * e - b * g)) / 2.0
        angle = np.arccos(min(1.0, max(-1.0, half))) / 3.0
        high = mean + 2.0 * spread * np.cos(angle)
        low = mean + 2.0 * spread * np.cos(angle + 2.0 * np.pi / 3.0)
        middle = 3.0 * mean - high - low
    det = (
        h[0, 0] * (h[1, 1] * h[2, 2] - h[1, 2] * h[2, 1])
        - h[0, 1] * (h[1, 0] * h[2, 2] - h[1, 2] * h[2, 0])
        + h[0, 2] * (h[1, 0] * h[2, 1] - h[1, 1] * h[2, 0])
    )
    smallest = np.sqrt(max(low, 0.0))
    total = np.sqrt(max(high, 0.0)) + np.sqrt(max(middle, 0.0))
    return float(total + smallest) if det >= 0.0 else float(total - smallest)
