"""Persistent homology of atoms in a periodic cell: components (H0) and loops (H1), by ripser."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.estimate import Spread, spread_of
from shortrange.analyse.frames import Snapshots, every, part_of
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.errors import DataError, ShortrangeError

__all__ = [
    "Comparison",
    "Persistence",
    "compare_persistence",
    "distance_matrix",
    "have_ripser",
    "persistence",
    "topology",
]

Array = NDArray[Any]
_FAR, _MANY = 7.0, 64
Distances = Literal["minimum image", "bare cloud"]
"""Distances to the nearest image, or those of the wrapped atoms as points in space without a cell. The
deaths of H0 differ by 0.5 to 0.75 angstrom between the two: papers do not always say which they took."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Persistence:
    """Bars of a set of atoms, frame by frame.

    Attributes
    ----------
    name, elements, distances
        Which atoms, and between what distances were taken.
    frames
        Numbers of the frames used, shape (n_frames,).
    h0
        Deaths of the components that end, angstrom, shape (n_frames, n_atoms - 1), increasing.
    h1
        For each frame (birth, death) of the loops, angstrom, shape (n, 2); None if not asked.
    threshold
        Loops still open at this distance end there.
    h0_deaths, h1_births, h1_deaths
        Pooled; those of H1 for loops that live longer than ``lifetime``.
    lifetime
        angstrom.
    """

    name: str
    elements: tuple[str, ...]
    distances: Distances
    frames: Array
    h0: Array
    h1: tuple[Array, ...] | None
    threshold: float
    h0_deaths: Spread
    h1_births: Spread | None
    h1_deaths: Spread | None
    lifetime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether two systems differ in their bars.

    Attributes
    ----------
    statistic
        Distance between the mean persistence of the two (see `compare_persistence`), angstrom.
    p_value
        Fraction of permutations of the blocks with at least this distance.
    blocks
        Of the first and of the second system.
    metric
        ``"wasserstein"`` or ``"bottleneck"``.
    """

    statistic: float
    p_value: float
    blocks: tuple[int, int]
    metric: str


def have_ripser() -> bool:
    """Whether ripser is installed."""
    return importlib.util.find_spec("ripser") is not None


def topology(
    trajectory: Snapshots,
    roles: Roles,
    *,
    stride: int = 1,
    distances: Distances = "minimum image",
    threshold: float | None = None,
    lifetime: float = 0.5,
) -> list[Persistence]:
    """H0 and H1 of the mobile atoms, and of the framework of centres and ligands.

    Parameters
    ----------
    trajectory, roles
        Snapshots, and which atoms are what.
    stride
        Every which frame.
    distances
        See `Distances`.
    threshold
        Loops are followed to this distance, angstrom; by default to 7 for more than 64 atoms (which would
        take long), to the end for fewer.
    lifetime
        Shorter-lived loops are left out of the averages, angstrom.
    """
    frame = tuple(s for s in (*roles.centres, *roles.ligands) if s not in roles.mobile)
    out = []
    for name, elements in (("mobile", roles.mobile), ("framework", frame)):
        if sum(trajectory.composition[s] for s in elements) >= 3:
            found = persistence(
                every(trajectory, stride),
                elements,
                name=name,
                distances=distances,
                threshold=threshold,
                lifetime=lifetime,
                frames=np.arange(0, trajectory.n_frames, stride),
            )
            out.append(found)
    if not out:
        raise DataError(
            "neither the mobile atoms nor the framework have three atoms",
            where=trajectory.source or trajectory.label or "trajectory",
            do="name --mobile, --centres and --ligands",
        )
    return out


def persistence(
    trajectory: Snapshots,
    elements: tuple[str, ...],
    *,
    name: str = "",
    distances: Distances = "minimum image",
    threshold: float | None = None,
    lifetime: float = 0.5,
    frames: Array | None = None,
) -> Persistence:
    """Vietoris-Rips persistent homology of some elements in every frame.

    Parameters
    ----------
    trajectory
        Snapshots.
    elements
        Whose atoms are the points.
    name
        Of the set.
    distances, threshold, lifetime
        As for `topology`.
    frames
        Numbers of the frames, for the record.

    Raises
    ------
    ShortrangeError
        If ripser is not installed.
    DataError
        If there are fewer than three atoms, or a setting is out of range.
    """
    if not have_ripser():
        raise ShortrangeError(
            "ripser is not installed", where="topology", do='pip install "shortrange[topology]"'
        )
    from ripser import ripser

    atoms = atoms_of(trajectory, elements)
    end = threshold if threshold is not None else (_FAR if atoms.size > _MANY else np.inf)
    _check(trajectory, atoms, distances, end, lifetime)
    deaths, loops = [], []
    for f in range(trajectory.n_frames):
        one = part_of(trajectory, f, f + 1)
        cell = None if one.cells is None else one.cells[0]
        matrix = distance_matrix(one.positions[0, atoms], cell, distances=distances)
        # Components are followed to the end; only loops need the threshold, and cost without it.
        deaths.append(_spanning_tree(matrix))
        bars = ripser(matrix, maxdim=1, thresh=end, distance_matrix=True)["dgms"][1].astype(float)
        loops.append(np.minimum(bars, end))
    h0 = np.array(deaths)
    frame = np.repeat(np.arange(h0.shape[0]), h0.shape[1])
    pooled = spread_of(h0.ravel(), frame, h0.shape[0])
    assert pooled is not None
    births, ends = _lasting(loops, lifetime)
    return Persistence(
        name=name or "+".join(elements),
        elements=elements,
        distances=distances,
        frames=np.arange(trajectory.n_frames) if frames is None else frames,
        h0=h0,
        h1=tuple(loops),
        threshold=float(end),
        h0_deaths=pooled,
        h1_births=births,
        h1_deaths=ends,
        lifetime=lifetime,
    )


def _check(trajectory: Snapshots, atoms: Array, distances: str, threshold: float, lifetime: float) -> None:
    where = trajectory.source or trajectory.label or "trajectory"
    if atoms.size < 3:
        raise DataError(f"{atoms.size} atoms have no topology", where=where, do="name other elements")
    if distances not in ("minimum image", "bare cloud"):
        raise DataError(
            f"the distances {distances!r} are not known",
            where=where,
            do='choose "minimum image" or "bare cloud"',
        )
    if not 0 <= lifetime < threshold:
        raise DataError(
            f"threshold = {threshold} and lifetime = {lifetime} angstrom",
            where=where,
            do="give 0 <= lifetime < threshold",
        )


def _lasting(loops: list[Array], lifetime: float) -> tuple[Spread | None, Spread | None]:
    frame = np.concatenate([np.full(len(bars), f) for f, bars in enumerate(loops)]).astype(int)
    bars = np.concatenate(loops) if loops else np.empty((0, 2))
    keep = bars[:, 1] - bars[:, 0] > lifetime
    return (
        spread_of(bars[keep, 0], frame[keep], len(loops)),
        spread_of(bars[keep, 1], frame[keep], len(loops)),
    )


def distance_matrix(positions: Array, cell: Array | None, *, distances: Distances = "minimum image") -> Array:
    """Distances between all atoms of a frame, angstrom, shape (n, n).

    Parameters
    ----------
    positions
        angstrom, shape (n, 3).
    cell
        Lattice vectors as rows, or None.
    distances
        See `Distances`; a bare cloud is wrapped into the cell first.
    """
    if cell is None or distances == "bare cloud":
        points = positions
        if cell is not None:
            fractions = positions @ np.linalg.inv(cell)
            points = (fractions - np.floor(fractions)) @ cell
        return np.asarray(np.linalg.norm(points[:, None] - points, axis=-1))
    apart = positions[:, None] - positions
    apart -= np.rint(apart @ np.linalg.inv(cell)) @ cell
    # Rounding fractions finds the nearest image only in cells that are not too skewed: try the others.
    shortest = np.full(apart.shape[:2], np.inf)
    for turn in np.ndindex(3, 3, 3):
        moved = apart + (np.array(turn) - 1) @ cell
        np.minimum(shortest, (moved**2).sum(axis=-1), out=shortest)
    return np.asarray(np.sqrt(shortest))


def _spanning_tree(matrix: Array) -> Array:
    """Edges of the minimum spanning tree in order of length: the finite deaths of H0."""
    n = matrix.shape[0]
    best = matrix[0].copy()
    inside = np.zeros(n, dtype=bool)
    inside[0] = True
    edges = np.empty(n - 1)
    for k in range(n - 1):
        best[inside] = np.inf
        nearest = int(np.argmin(best))
        edges[k] = best[nearest]
        inside[nearest] = True
        np.minimum(best, matrix[nearest], out=best)
    return np.sort(edges)


def compare_persistence(
    one: Persistence,
    two: Persistence,
    *,
    dimension: Literal[0, 1] = 0,
    metric: Literal["wasserstein", "bottleneck"] = "wasserstein",
    blocks: int = 8,
    permutations: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Test whether two systems differ in their bars, by permutation of blocks of frames.

    The bars of a block are represented by those of its middle frame, the distances between blocks by those
    of their diagrams divided by the bars of the larger. The statistic is the energy distance between the two
    groups of blocks (Szekely and Rizzo 2013), 2 <d(a,b)> - <d(a,a')> - <d(b,b')>: zero where the groups are
    alike. Blocks, not frames, are exchanged, because neighbouring frames are alike anyway.

    Parameters
    ----------
    one, two
        Of the same kind of atoms in two systems.
    dimension
        0 for components, 1 for loops.
    metric
        Between persistence diagrams.
    blocks
        Of each system.
    permutations, seed
        How many, and from which seed.

    Raises
    ------
    ShortrangeError
        If persim is not installed.
    DataError
        If the two were not made alike, or a system has fewer than 4 frames.
    """
    if importlib.util.find_spec("persim") is None:
        raise ShortrangeError(
            "persim is not installed", where="topology", do='pip install "shortrange[topology]"'
        )
    if one.distances != two.distances:
        raise DataError(
            f"one system was measured by {one.distances}, the other by {two.distances}",
            where="compare_persistence",
            do="measure both in the same way: the difference would be that of the distances",
        )
    counts = (min(blocks, one.frames.size), min(blocks, two.frames.size))
    if min(counts) < 4:
        raise DataError(
            f"{min(counts)} blocks are too few for a test",
            where="compare_persistence",
            do="give 4 frames or more",
        )
    diagrams = [*_representatives(one, counts[0], dimension), *_representatives(two, counts[1], dimension)]
    between = _distances_between(diagrams, metric)
    label = np.arange(sum(counts)) < counts[0]
    seen = _energy(between, label)
    rng = np.random.default_rng(seed)
    beaten = sum(_energy(between, rng.permutation(label)) >= seen - 1e-12 for _ in range(permutations))
    return Comparison(statistic=seen, p_value=(beaten + 1) / (permutations + 1), blocks=counts, metric=metric)


def _representatives(bars: Persistence, blocks: int, dimension: int) -> list[Array]:
    edges = np.linspace(0, bars.frames.size, blocks + 1)
    middle = ((edges[:-1] + edges[1:]) / 2).astype(int)
    if dimension == 0:
        return [np.column_stack([np.zeros(bars.h0.shape[1]), bars.h0[f]]) for f in middle]
    assert bars.h1 is not None
    return [bars.h1[f] for f in middle]


def _distances_between(diagrams: list[Array], metric: str) -> Array:
    from persim import bottleneck, wasserstein

    out = np.zeros((len(diagrams), len(diagrams)))
    for i, a in enumerate(diagrams):
        for j, b in enumerate(diagrams[:i]):
            if metric == "wasserstein":
                value = wasserstein(a, b) / max(len(a), len(b), 1)
            else:
                value = bottleneck(a, b)
            out[i, j] = out[j, i] = value
    return out


def _energy(between: Array, label: Array) -> float:
    a, b = np.flatnonzero(label), np.flatnonzero(~label)
    within = sum(between[np.ix_(g, g)].sum() / (g.size * (g.size - 1)) for g in (a, b))
    return float(2 * between[np.ix_(a, b)].mean() - within)
