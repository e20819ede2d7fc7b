"""Pair histograms of snapshots: every periodic image, any cell, one compiled pass over each frame.

A distance is not put into one bin but spread over four grid points by the cubic B-spline, whose Fourier
transform is known (`bin_transform`): dividing by it leaves an error of about ``2 (Q step / 2 pi)^4``, 5e-6
for Q = 24 1/angstrom and the default step, where plain bins would leave a random shift of each distance.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.atoms import atomic_number
from shortrange.errors import DataError, SimulationError
from shortrange.quantities import Step, Trajectory, step
from shortrange.simulate.pair_kernel import count_frames

__all__ = ["PairHistograms", "bin_transform", "coordination", "pair_histograms", "running_coordination"]

Array = NDArray[Any]

_RUN = 32  # frames


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairHistograms:
    """Numbers of atom pairs against distance, frame by frame.

    Attributes
    ----------
    r
        Grid of distances, angstrom, uniform from 0, shape (n_r,).
    pairs
        The unordered pairs of species, in the order of axis 1 of ``counts``; cation first, as in Ta-Cl.
    counts
        Pairs at each grid point, shape (n_frames, n_pairs, n_r), float32. Each pair of atoms, images
        included, counts once (not once from each end), spread over four points by the cubic B-spline, times
        (grid distance / distance) so that ``counts / r`` is the exact spread of ``1 / r_ij``.
    species
        Atoms of each species in a frame.
    number_density
        Mean over frames, atoms per cubic angstrom; None for a molecule.
    half_width
        Half the smallest distance between opposite cell faces, angstrom: beyond it pairs repeat those of the
        periodic images. None for a molecule.
    label, source, history
        As in the trajectory.
    """

    r: Array
    pairs: tuple[tuple[str, str], ...]
    counts: Array
    species: dict[str, int]
    number_density: float | None
    half_width: float | None
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.counts.shape[0])

    @property
    def r_step(self) -> float:
        """Spacing of the grid, angstrom."""
        return float(self.r[1] - self.r[0])

    @property
    def r_max(self) -> float:
        """Largest distance counted, angstrom."""
        return float(self.r[-1])

    @property
    def n_atoms(self) -> int:
        """Number of atoms in a frame."""
        return sum(self.species.values())

    def mean_counts(self) -> Array:
        """Mean over frames, shape (n_pairs, n_r)."""
        # Single-precision products over short runs read the counts once, at the speed of memory.
        flat = self.counts.reshape(self.n_frames, -1)
        total = np.zeros(flat.shape[1])
        for start in range(0, self.n_frames, _RUN):
            part = flat[start : start + _RUN]
            total += np.ones(len(part), dtype=part.dtype) @ part
        return np.reshape(total / self.n_frames, self.counts.shape[1:])

    def index(self, pair: str | tuple[str, str]) -> int:
        """Place of a pair, given as ``"Ta-Cl"`` or ``("Ta", "Cl")`` in either order.

        Raises
        ------
        DataError
            If no such pair of species is present.
        """
        a, b = pair.split("-") if isinstance(pair, str) and pair.count("-") == 1 else (pair[0], pair[-1])
        for place, known in enumerate(self.pairs):
            if known in ((a, b), (b, a)):
                return place
        names = [f"{x}-{y}" for x, y in self.pairs]
        raise DataError(
            f"there is no pair {pair!r}", where=self.source or "pair histograms", do=f"choose from {names}"
        )

    def ideal(self) -> Array:
        """Return counts of the same atoms without order, shape (n_pairs, n_r); zero for a molecule."""
        if self.number_density is None:
            return np.zeros(self.counts.shape[1:])
        n, shell = self.n_atoms, 4.0 * np.pi * self.r**2 * self.r_step
        each = [self.species[a] * self.species[b] * (0.5 if a == b else 1.0) for a, b in self.pairs]
        return np.outer(each, self.number_density / n * shell)

    def partial_g(self, r: Array) -> dict[str, Array]:
        """Faber-Ziman g_ab(r), averaged between the midpoints of ``r``; empty for a molecule.

        Parameters
        ----------
        r
            angstrom, increasing, shape (n,).
        """
        if self.number_density is None or r.size < 2:
            return {}
        edges = np.clip(np.concatenate([[r[0]], (r[:-1] + r[1:]) / 2, [r[-1]]]), 0, self.r_max)
        grid = np.append(self.r - self.r_step / 2, self.r_max + self.r_step / 2)

        def between(x: Array) -> Array:
            return np.diff(np.interp(edges, grid, np.append(0.0, np.cumsum(x))))

        out = {}
        for (a, b), counted, ideal in zip(self.pairs, self.mean_counts(), self.ideal(), strict=True):
            none = between(ideal)
            out[f"{a}-{b}"] = np.divide(between(counted), none, out=np.zeros_like(none), where=none > 0)
        return out


def bin_transform(q: ArrayLike, r_step: float) -> Array:
    r"""Fourier transform of the cubic B-spline, :math:`[\sin(Q\Delta/2) / (Q\Delta/2)]^4`, shape of ``q``."""
    return np.asarray(np.sinc(np.asarray(q, dtype=float) * r_step / (2.0 * np.pi)) ** 4)


def pair_histograms(
    trajectory: Trajectory, *, r_max: float = 20.0, r_step: float = 0.01, workers: int | None = None
) -> PairHistograms:
    """Count the pairs of each two species against their distance, in each frame.

    Parameters
    ----------
    trajectory
        Frames of a periodic cell of any shape, or of a molecule. All periodic images count, those of the
        same atom and those beyond half the cell included.
    r_max
        Largest distance, angstrom. For a molecule it is raised to hold all pairs.
    r_step
        Spacing of the grid, angstrom.
    workers
        Threads, by default one for each processor. The result does not depend on it.

    Returns
    -------
    PairHistograms
        ``r`` holds ``round(r_max / r_step) + 1`` points.

    Raises
    ------
    DataError
        If ``r_max`` or ``r_step`` is not positive.
    SimulationError
        If two atoms of a frame lie at the same place.
    """
    if not (r_step > 0 and r_max > 10 * r_step):
        raise DataError(
            f"r_max = {r_max} with r_step = {r_step}",
            where="pair_histograms",
            do="give r_step > 0, about 0.01, and r_max of several angstrom",
        )
    positions, cells, periodic = _box(trajectory)
    if not periodic:
        r_max = max(r_max, float(np.linalg.norm(cells[0].diagonal())))
    names = sorted(trajectory.composition, key=_cations_first)
    pairs = tuple(combinations_with_replacement(names, 2))
    place = np.zeros((len(names), len(names)), dtype=np.int64)
    for p, (a, b) in enumerate(pairs):
        place[names.index(a), names.index(b)] = place[names.index(b), names.index(a)] = p
    kinds = np.array([names.index(s) for s in trajectory.species], dtype=np.int64)
    r = np.arange(round(r_max / r_step) + 1) * r_step
    counts = np.zeros((trajectory.n_frames, len(pairs), r.size), dtype=np.float32)
    overlap = np.zeros(trajectory.n_frames, dtype=np.bool_)

    def count(first: int, last: int) -> None:
        count_frames(
            positions[first:last], cells[first:last], periodic, kinds, place, r_step, counts[first:last],
            overlap[first:last],
        )  # fmt: skip

    _in_threads(count, trajectory.n_frames, workers)
    if overlap.any():
        frame = int(np.argmax(overlap))
        raise SimulationError(
            f"two atoms lie less than {r_step:g} angstrom apart in frame {frame}",
            where=trajectory.source or trajectory.label or "trajectory",
            do="remove the doubled atom (or the doubled site of partial occupancy)",
        )
    counts.setflags(write=False)
    r.setflags(write=False)
    done = step(
        "count pairs", r_max=float(r[-1]), r_step=r_step, frames=trajectory.n_frames, spread="cubic B-spline"
    )
    return PairHistograms(
        r=r, pairs=pairs, counts=counts, species=trajectory.composition,
        number_density=trajectory.number_density, half_width=trajectory.half_width, label=trajectory.label,
        source=trajectory.source, history=(*trajectory.history, done),
    )  # fmt: skip


def coordination(histograms: PairHistograms, pair: str | tuple[str, str], r_lo: float, r_hi: float) -> float:
    """Mean number of neighbours of the second species of ``pair`` around an atom of the first.

    Parameters
    ----------
    histograms
        From `pair_histograms`.
    pair
        ``"Ta-Cl"``: Cl around Ta.
    r_lo, r_hi
        Range of distances, angstrom.

    Raises
    ------
    DataError
        If there is no such pair, or the range is empty or not covered.
    """
    if not 0 <= r_lo < r_hi <= histograms.r_max:
        raise DataError(
            f"distances {r_lo} to {r_hi} angstrom", where="coordination",
            do=f"give 0 <= r_lo < r_hi <= {histograms.r_max:g}, the range that was counted",
        )  # fmt: skip
    p = histograms.index(pair)
    centre = (pair.split("-") if isinstance(pair, str) else pair)[0]
    inside = (histograms.r >= r_lo) & (histograms.r <= r_hi)
    ends = 2.0 if len(set(histograms.pairs[p])) == 1 else 1.0
    total = histograms.counts[:, p, inside].sum(axis=1, dtype=float).mean()
    return float(ends * total / histograms.species[centre])


def running_coordination(histograms: PairHistograms, r: Array) -> dict[str, Array]:
    """Mean number of neighbours nearer than each ``r``, by ordered pair: ``"Ta-Cl"`` is Cl around Ta.

    Parameters
    ----------
    histograms
        From `pair_histograms`.
    r
        angstrom, up to ``histograms.r_max``, shape (n,).
    """
    grid = histograms.r + histograms.r_step / 2
    found: dict[str, Array] = {}
    for (a, b), counted in zip(histograms.pairs, histograms.mean_counts(), strict=True):
        below = np.interp(r, grid, np.cumsum(counted), left=0.0)
        if a == b:
            found[f"{a}-{a}"] = 2.0 * below / histograms.species[a]
        else:
            found[f"{a}-{b}"] = below / histograms.species[a]
            found[f"{b}-{a}"] = below / histograms.species[b]
    return found


def _cations_first(symbol: str) -> tuple[int, int]:
    """Order that names pairs as chemists do, the same for all files: Ta-Cl, Na-S, P-S, S-Cl, O-H."""
    z = atomic_number(symbol)
    noble = next(gas for gas in (2, 10, 18, 36, 54, 86, 118) if gas >= z)
    return z - noble, -z


def _box(trajectory: Trajectory) -> tuple[Array, Array, bool]:
    """Positions and cells; a molecule gets a box that holds it, with its corner at the origin."""
    if trajectory.cells is not None:
        return trajectory.positions, trajectory.cells, True
    low = trajectory.positions.min(axis=1, keepdims=True)
    size = (trajectory.positions - low).max(axis=(0, 1)) + 0.5
    cells = np.repeat(np.diag(size)[None], trajectory.n_frames, axis=0)
    return trajectory.positions - low + 0.25, cells, False


def _in_threads(count: Any, n_frames: int, workers: int | None) -> None:
    """Call ``count(first, last)`` on runs of frames."""
    threads = max(1, min(workers or os.cpu_count() or 1, n_frames))
    # Several runs for each thread even out the load.
    edges = np.linspace(0, n_frames, min(n_frames, 8 * threads) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, edges[:-1], edges[1:]))
