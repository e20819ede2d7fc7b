"""Partial g(r), coordination numbers, cumulants of the first shells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.cutoffs import Cutoff, check_cutoffs, find_cutoffs
from shortrange.analyse.estimate import Estimate, moments_of_sums, ratio_of
from shortrange.analyse.frames import Snapshots, in_threads, lattice_images, parts_between, runs_of_frames
from shortrange.analyse.pool import BlockSums
from shortrange.analyse.shell_kernel import shell_sums
from shortrange.numeric.blocking import variance_of_mean
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import PairHistograms, pair_histograms

__all__ = ["Distributions", "Shell", "add_up_shells", "count_distances", "first_shells"]

Array = NDArray[Any]

BLOCKS = 64
"""Blocks of frames at most, from which the errors of distributions are taken."""
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
    running, sigma_running
        Coordination number against distance, by ``"Ta-Cl"`` for Cl around Ta, both orders, and its standard
        error; None for one frame.
    cutoffs
        End of the first shell, by pair.
    """

    r: Array
    g: dict[str, Array]
    sigma_g: dict[str, Array | None]
    running: dict[str, Array]
    sigma_running: dict[str, Array | None]
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
    n_blocks = min(BLOCKS, trajectory.n_frames)
    edges = np.linspace(0, trajectory.n_frames, n_blocks + 1).astype(int)
    first, blocks = None, []
    for lo, hi in pairwise(edges):
        total: Array | float = 0.0
        for part in parts_between(trajectory, int(lo), int(hi)):
            # A few steps more, for at the end the spread of distances beyond is missing.
            counted = pair_histograms(part, r_max=r_max + 4 * r_step, r_step=r_step)
            size = first.r.size if first is not None else counted.r.size - 4
            first = first or replace(counted, r=counted.r[:size])
            total = total + _fitted(counted.mean_counts(), size) * (part.n_frames / (hi - lo))
        blocks.append(total)
    assert first is not None
    stack = np.array(blocks)
    mean = stack.mean(axis=0)
    whole = np.array([trajectory.n_frames])
    normal = replace(first, counts=stack[:1], frames=whole, number_density=trajectory.number_density)
    g, sigma_g = _partials(normal, stack)
    running, sigma_running = _running(normal, stack)
    near = first.r <= r_max + 1e-9  # those of a molecule are counted to its end
    return Distributions(
        r=first.r,
        g=g,
        sigma_g=sigma_g,
        running=running,
        sigma_running=sigma_running,
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
        sigma[name] = None if blocks.shape[0] < 2 else np.sqrt(variance_of_mean(blocks[:, p])) * scale
    return g, sigma


def _running(histograms: PairHistograms, blocks: Array) -> tuple[dict[str, Array], dict[str, Array | None]]:
    numbers: dict[str, Array] = {}
    sigma: dict[str, Array | None] = {}
    for p, (a, b) in enumerate(histograms.pairs):
        below = np.cumsum(blocks[:, p], axis=1)
        error = np.sqrt(variance_of_mean(below)) if len(blocks) >= 2 else None
        for one, other in dict.fromkeys([(a, b), (b, a)]):
            ends = (2.0 if a == b else 1.0) / histograms.species[one]
            numbers[f"{one}-{other}"] = below.mean(axis=0) * ends
            sigma[f"{one}-{other}"] = None if error is None else error * ends
    return numbers, sigma


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
    blocks, numbers = BlockSums(trajectory.n_frames, (*limits.shape, 4)), Counter[tuple[int, int, int]]()
    for start, part in runs_of_frames(trajectory, times=10):
        some, neighbours = add_up_shells(part, kind, limits)
        blocks.add(start + np.arange(part.n_frames), some)
        for x, y in zip(*np.nonzero(limits), strict=True):
            each = np.bincount(neighbours[:, kind == x, y].ravel())
            numbers.update({(int(x), int(y), n): int(count) for n, count in enumerate(each)})
    sums = blocks.sums
    shells = []
    for cutoff in used.values():
        a, b = (kinds.index(s) for s in cutoff.pair.split("-"))
        for x, y in dict.fromkeys([(a, b), (b, a)]):
            most = max(n for one, other, n in numbers if (one, other) == (x, y))
            cumulants = moments_of_sums(sums[:, x, y], origin=limits[x, y] / 2) or (None, None, None)
            number = ratio_of(sums[:, x, y, 0], blocks.frames * (kind == x).sum())
            assert number is not None
            shells.append(
                Shell(
                    centre=kinds[x],
                    ligand=kinds[y],
                    cutoff=cutoff,
                    coordination=number,
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
