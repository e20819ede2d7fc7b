"""Partial g(r), coordination numbers, cumulants of the first shells, bond angles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.cutoffs import Cutoff, check_cutoffs, find_cutoffs
from shortrange.analyse.estimate import Estimate, mean_of, moments_of_sums
from shortrange.analyse.frames import Snapshots, in_threads, lattice_images, part_of, runs_of_frames
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.analyse.shell_kernel import shell_sums
from shortrange.errors import DataError
from shortrange.numeric.blocking import standard_error
from shortrange.quantities import Trajectory
from shortrange.simulate.neighbours import find_neighbours
from shortrange.simulate.pairs import PairHistograms, pair_histograms

__all__ = [
    "AngleDistribution",
    "Distributions",
    "Shell",
    "add_up_shells",
    "bond_angles",
    "bond_limits",
    "count_distances",
    "first_shells",
    "same_owner_pairs",
]

Array = NDArray[Any]

_BLOCKS = 64
_ORIGIN = 100.0  # degrees, near which power sums of angles are taken
_SEARCH = 8.0  # angstrom; no first shell ends beyond it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distributions:
    """Distances of every pair of elements, averaged over the frames.

    Attributes
    ----------
    r
        angstrom, shape (n,).
    g, sigma_g
        Partial g(r) by pair and its standard error, shape (n,); empty for a molecule. Errors are None for
        one frame.
    running
        Coordination number against distance, by ``"Ta-Cl"`` for Cl around Ta, both orders.
    cutoffs
        End of the first shell, by pair.
    """

    r: Array
    g: dict[str, Array]
    sigma_g: dict[str, Array | None]
    running: dict[str, Array]
    cutoffs: dict[str, Cutoff]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shell:
    """The first shell of one element around another.

    Attributes
    ----------
    centre, ligand
        Elements.
    cutoff
        Where it ends.
    coordination
        Mean number of ligands.
    numbers
        How many centres (all frames) have 0, 1, 2, ... of them.
    mean, variance, third
        Cumulants of the distances: angstrom, angstrom^2 (the sigma^2 of EXAFS, static and thermal),
        angstrom^3. None for an empty shell.
    n
        Distances pooled.
    """

    centre: str
    ligand: str
    cutoff: Cutoff
    coordination: Estimate
    numbers: Array
    mean: Estimate | None
    variance: Estimate | None
    third: Estimate | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AngleDistribution:
    """Angles ligand - centre - ligand within first shells.

    Attributes
    ----------
    name
        Such as ``"Cl-Ta-S"``.
    angle
        Middles of the bins, degrees.
    density
        Per degree, of unit integral.
    sigma
        Its standard error, or None.
    n
        Angles counted.
    mean
        degrees.
    """

    name: str
    angle: Array
    density: Array
    sigma: Array | None
    n: int
    mean: Estimate


def count_distances(
    trajectory: Snapshots,
    *,
    cutoffs: Mapping[str, float] | None = None,
    r_max: float | None = None,
    r_step: float = 0.01,
) -> Distributions:
    """Partial g(r), running coordination numbers and the ends of first shells.

    Parameters
    ----------
    trajectory
        Snapshots, a crystal or a molecule.
    cutoffs
        Ends of first shells, angstrom, by pair; the others are the first minima of g(r).
    r_max
        angstrom; by default half the cell, but at least 8 for a crystal of one frame.
    r_step
        Grid, angstrom; a distance is spread by r_step / sqrt(3).

    Raises
    ------
    DataError
        If a cutoff names no pair or does not fit into the cell.
    """
    given = dict(cutoffs or {})
    check_cutoffs(trajectory, given)
    if r_max is None:
        r_max = _reach(trajectory)
    r_max = max([r_max, *(value + 0.2 for value in given.values())])
    n_blocks = min(_BLOCKS, trajectory.n_frames)
    edges = np.linspace(0, trajectory.n_frames, n_blocks + 1).astype(int)
    first, blocks = None, []
    for lo, hi in pairwise(edges):
        part = part_of(trajectory, int(lo), int(hi))
        # A few steps more, for at the end the spread of distances beyond is missing.
        counted = pair_histograms(part, r_max=r_max + 4 * r_step, r_step=r_step)
        size = first.r.size if first is not None else counted.r.size - 4
        counted = replace(counted, r=counted.r[:size])
        first = first or counted
        blocks.append(_fitted(counted.mean_counts(), size))
    assert first is not None
    stack = np.array(blocks)
    mean = stack.mean(axis=0)
    whole = np.array([trajectory.n_frames])
    normal = replace(first, counts=stack[:1], frames=whole, number_density=trajectory.number_density)
    g, sigma_g = _partials(normal, stack)
    near = first.r <= r_max + 1e-9  # those of a molecule are counted to its end
    return Distributions(
        r=first.r,
        g=g,
        sigma_g=sigma_g,
        running=_running(normal, mean),
        cutoffs=find_cutoffs(replace(normal, r=first.r[near]), mean[:, near], given),
    )


def _fitted(counts: Array, size: int) -> Array:
    """Put counts on the grid of the first block: the box of a molecule changes from block to block."""
    out = np.zeros((counts.shape[0], size))
    n = min(size, counts.shape[1])
    out[:, :n] = counts[:, :n]
    return out


def _reach(trajectory: Snapshots) -> float:
    half = trajectory.half_width
    if half is None:
        return _SEARCH
    return max(half, _SEARCH) if trajectory.n_frames == 1 else half


def _partials(histograms: PairHistograms, blocks: Array) -> tuple[dict[str, Array], dict[str, Array | None]]:
    g: dict[str, Array] = {}
    sigma: dict[str, Array | None] = {}
    if histograms.number_density is None:
        return g, sigma
    ideal = histograms.ideal()
    for p, (a, b) in enumerate(histograms.pairs):
        n = histograms.species[a]
        # Of n like atoms an atom has n - 1 others: without order g(r) is one.
        like = n / max(n - 1, 1) if a == b else 1.0
        scale = np.divide(like, ideal[p], out=np.zeros(ideal.shape[1]), where=ideal[p] > 0)
        name = f"{a}-{b}"
        g[name] = blocks[:, p].mean(axis=0) * scale
        sigma[name] = None if blocks.shape[0] < 2 else _column_errors(blocks[:, p]) * scale
    return g, sigma


def _column_errors(samples: Array) -> Array:
    covariance, _ = standard_error(samples)
    return np.asarray(np.sqrt(np.clip(covariance.diagonal(), 0.0, None)))


def _running(histograms: PairHistograms, mean: Array) -> dict[str, Array]:
    out = {}
    for p, (a, b) in enumerate(histograms.pairs):
        total = np.cumsum(mean[p])
        out[f"{a}-{b}"] = total * (2.0 if a == b else 1.0) / histograms.species[a]
        out[f"{b}-{a}"] = total * (2.0 if a == b else 1.0) / histograms.species[b]
    return out


def first_shells(trajectory: Snapshots, cutoffs: Mapping[str, Cutoff]) -> list[Shell]:
    """Coordination and cumulants of the first shells of all pairs of elements, exact distances.

    Parameters
    ----------
    trajectory
        Snapshots.
    cutoffs
        From `count_distances`; pairs without a cutoff are left out.
    """
    used = {name: c for name, c in cutoffs.items() if c.r is not None}
    if not used:
        return []
    kinds = list(trajectory.composition)
    limits = np.zeros((len(kinds), len(kinds)))
    for cutoff in used.values():
        a, b = (kinds.index(s) for s in cutoff.pair.split("-"))
        limits[a, b] = limits[b, a] = cutoff.r
    kind = np.array([kinds.index(s) for s in trajectory.species])
    parts, numbers = [], Counter[tuple[int, int, int]]()
    for _, part in runs_of_frames(trajectory, times=10):
        some, neighbours = add_up_shells(part, kind, limits)
        parts.append(some)
        for x, y in zip(*np.nonzero(limits), strict=True):
            each = np.bincount(neighbours[:, kind == x, y].ravel())
            numbers.update({(int(x), int(y), n): int(count) for n, count in enumerate(each)})
    sums = np.concatenate(parts)
    shells = []
    for cutoff in used.values():
        a, b = (kinds.index(s) for s in cutoff.pair.split("-"))
        for x, y in dict.fromkeys([(a, b), (b, a)]):
            most = max(n for one, other, n in numbers if (one, other) == (x, y))
            cumulants = moments_of_sums(sums[:, x, y], origin=limits[x, y] / 2) or (None, None, None)
            shells.append(
                Shell(
                    centre=kinds[x],
                    ligand=kinds[y],
                    cutoff=cutoff,
                    coordination=mean_of(sums[:, x, y, 0] / (kind == x).sum()),
                    numbers=np.array([numbers[x, y, n] for n in range(most + 1)]),
                    mean=cumulants[0],
                    variance=cumulants[1],
                    third=cumulants[2],
                    n=int(sums[:, x, y, 0].sum()),
                )
            )
    return shells


def add_up_shells(trajectory: Trajectory, kinds: Array, limits: Array) -> tuple[Array, Array]:
    """Add up the distances of all first shells, in threads.

    Parameters
    ----------
    trajectory
        Snapshots.
    kinds
        Number of the element of each atom.
    limits
        End of the shell of each two elements, angstrom, or zero; shape (n_kinds, n_kinds).

    Returns
    -------
    sums, neighbours
        As in `shell_sums`: (n_frames, n_kinds, n_kinds, 4) and (n_frames, n_atoms, n_kinds).
    """
    n_frames, n_kinds = trajectory.n_frames, limits.shape[0]
    cells, inverse, shells = lattice_images(trajectory.cells, n_frames, float(limits.max()))
    sums = np.zeros((n_frames, n_kinds, n_kinds, 4))
    neighbours = np.zeros((n_frames, trajectory.n_atoms, n_kinds), dtype=np.int16)

    def add(first: int, last: int) -> None:
        part = slice(first, last)
        shell_sums(
            trajectory.positions[part], cells[part], inverse[part], shells[part], kinds, limits, sums[part],
            neighbours[part],
        )  # fmt: skip

    in_threads(add, n_frames)
    return sums, neighbours


def bond_angles(
    trajectory: Snapshots, roles: Roles, cutoffs: Mapping[str, Cutoff], *, width: float = 2.0
) -> list[AngleDistribution]:
    """Angles between the bonds of each centre, by the elements at their ends.

    Parameters
    ----------
    trajectory, roles, cutoffs
        Snapshots, which atoms are centres and ligands, and where their bonds end.
    width
        Of a bin, degrees.

    Raises
    ------
    DataError
        If ``width`` does not divide 180 degrees into 2 bins or more.
    """
    if not 0.01 <= width <= 90:
        raise DataError(f"bins of {width} degrees", where="bond_angles", do="give 0.01 to 90")
    edges = np.linspace(0.0, 180.0, max(2, round(180.0 / width)) + 1)
    out = []
    for centre in roles.centres:
        found = _angles_around(trajectory, centre, roles.ligands, cutoffs, edges)
        out += [_distribution(name, *found[name], edges) for name in sorted(found)]
    return out


def _angles_around(
    trajectory: Snapshots, centre: str, ligands: tuple[str, ...], cutoffs: Mapping[str, Cutoff], edges: Array
) -> dict[str, tuple[Array, Array]]:
    """By name: angles in each bin, by blocks of frames, and power sums of each frame about `_ORIGIN`."""
    limits = bond_limits(centre, ligands, cutoffs)
    atoms = atoms_of(trajectory, [centre])
    if not limits or not atoms.size:
        return {}
    species = np.array(trajectory.species)
    n_frames, bins = trajectory.n_frames, edges.size - 1
    blocks = min(_BLOCKS, n_frames)
    out: dict[str, tuple[Array, Array]] = {}
    for start, part in runs_of_frames(trajectory):
        near = find_neighbours(part.positions, part.cells, centres=atoms, r_max=max(limits.values()))
        owner = np.repeat(np.arange(near.offsets.size - 1), np.diff(near.offsets))
        symbols = species[near.atoms]
        keep = near.distances < np.array([limits.get(s, 0.0) for s in species])[near.atoms]
        owner, symbols = owner[keep], symbols[keep]
        unit = near.vectors[keep] / near.distances[keep, None]
        for i, j in same_owner_pairs(owner):
            angle = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", unit[i], unit[j]), -1.0, 1.0)))
            frame = start + owner[i] // atoms.size
            ends = np.sort(np.stack([symbols[i], symbols[j]]), axis=0)
            names = np.char.add(np.char.add(ends[0], f"-{centre}-"), ends[1])
            for name in np.unique(names):
                mine = names == name
                table, sums = out.setdefault(str(name), (np.zeros((blocks, bins)), np.zeros((n_frames, 4))))
                place = np.clip((angle[mine] / edges[1]).astype(int), 0, bins - 1)
                np.add.at(table, (frame[mine] * blocks // n_frames, place), 1.0)
                powers = (angle[mine, None] - _ORIGIN) ** np.arange(4)
                np.add.at(sums, frame[mine], powers)
    return out


def bond_limits(centre: str, ligands: tuple[str, ...], cutoffs: Mapping[str, Cutoff]) -> dict[str, float]:
    """Length at which a bond from ``centre`` to each ligand element ends, angstrom; only real bonds."""
    out = {}
    for ligand in ligands:
        cutoff = cutoffs.get(f"{centre}-{ligand}") or cutoffs.get(f"{ligand}-{centre}")
        if cutoff is not None and cutoff.r is not None and cutoff.bonded:
            out[ligand] = cutoff.r
    return out


def same_owner_pairs(owner: Array) -> list[tuple[Array, Array]]:
    """All pairs of rows (i, j), i < j, with the same owner, where equal owners stand together."""
    pairs = []
    lag = 1
    while lag < owner.size:
        i = np.flatnonzero(owner[:-lag] == owner[lag:])
        if not i.size:
            break
        pairs.append((i, i + lag))
        lag += 1
    return pairs


def _distribution(name: str, table: Array, sums: Array, edges: Array) -> AngleDistribution:
    width, n = edges[1] - edges[0], table.sum()
    density = table.sum(axis=0) / (n * width)
    sigma = None
    if table.shape[0] >= 2:
        each = table.sum(axis=1, keepdims=True)
        sigma = _column_errors((table - each * density * width) / (each.mean() * width))
    mean = moments_of_sums(sums, origin=_ORIGIN)
    assert mean is not None
    return AngleDistribution(
        name=name,
        angle=(edges[1:] + edges[:-1]) / 2,
        density=density,
        sigma=sigma,
        n=int(n),
        mean=mean[0],
    )
