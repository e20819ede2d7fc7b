"""Pair histograms of snapshots: every periodic image, any cell, one compiled pass over each frame.

A distance is not put into one bin but spread over four grid points by the cubic B-spline, whose Fourier
transform is known (`bin_transform`): dividing by it leaves an error of about ``2 (Q step / 2 pi)^4``, 5e-6
for Q = 24 1/angstrom and the default step, where plain bins would leave a random shift of each distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import DataError, SimulationError
from shortrange.load.frames import FrameFile
from shortrange.quantities import Step, Trajectory, step
from shortrange.simulate.cache import content_key
from shortrange.simulate.feff_paths import worker_count
from shortrange.simulate.pair_count import Grid, count_piece
from shortrange.simulate.pieces import PieceStore, Workers, as_pieces, run_pieces

__all__ = [
    "PairHistograms",
    "bin_transform",
    "coordination",
    "pair_histograms",
    "running_coordination",
]

Array = NDArray[Any]

_RUNS = 256  # at most are held; twice as many frames then make half as many runs
_PIECE = 16  # frames that one thread counts at a time
_PIECE_ATOMS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairHistograms:
    """Numbers of atom pairs against distance, in runs of consecutive frames.

    Attributes
    ----------
    r
        Grid of distances, angstrom, uniform from 0, shape (n_r,).
    pairs
        The unordered pairs of species, in the order of axis 1 of ``counts``; cation first, as in Ta-Cl.
    counts
        Pairs at each grid point, mean of each run of frames, shape (n_runs, n_pairs, n_r), float32. Each pair
        of atoms, images included, counts once (not once from each end), spread over four points by the cubic
        B-spline, times (grid distance / distance) so that ``counts / r`` is the exact spread of ``1 / r_ij``.
    frames
        Frames in each run, shape (n_runs,): one, or from 256 frames on a power of 2 (the last run may be
        shorter), so that memory does not grow with the number of frames.
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
    frames: Array
    species: dict[str, int]
    number_density: float | None
    half_width: float | None
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.frames.sum())

    @property
    def n_runs(self) -> int:
        """Number of runs of frames."""
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
        if self.n_runs == 1:
            return np.array(self.counts[0], dtype=float)
        flat = self.counts.reshape(self.n_runs, -1)
        # In single precision products over short runs: read once, at the speed of memory.
        total = np.zeros(flat.shape[1])
        for start in range(0, self.n_runs, 32):
            part = slice(start, start + 32)
            total += self.frames[part].astype(flat.dtype) @ flat[part]
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
        # Linear between the borders of the bins, which lie half a step off the grid.
        at = edges / self.r_step + 0.5
        low = at.astype(int)
        part = at - low

        def between(x: Array) -> Array:
            below = np.zeros((x.shape[0], x.shape[1] + 2))
            np.cumsum(x, axis=1, out=below[:, 1:-1])
            below[:, -1] = below[:, -2]
            first = np.take(below, low, axis=1)
            return np.diff(first + part * (np.take(below, low + 1, axis=1) - first), axis=1)

        counted, ideal = between(self.mean_counts()), self.ideal()
        # Ideal gases of all pairs have one form.
        total = ideal.sum(axis=1)
        none = np.outer(total / total[0], between(ideal[:1])[0])
        found = np.divide(counted, none, out=np.zeros_like(none), where=none > 0)
        return {f"{a}-{b}": g for (a, b), g in zip(self.pairs, found, strict=True)}


def bin_transform(q: ArrayLike, r_step: float) -> Array:
    r"""Fourier transform of the cubic B-spline, :math:`[\sin(Q\Delta/2) / (Q\Delta/2)]^4`, shape of ``q``."""
    squared = np.sinc(np.asarray(q, dtype=float) * r_step / (2.0 * np.pi)) ** 2
    return np.asarray(squared * squared)  # a fourth power takes thirty times as long


def pair_histograms(
    trajectory: Trajectory | FrameFile,
    *,
    r_max: float = 20.0,
    r_step: float = 0.01,
    workers: int | Workers | None = None,
) -> PairHistograms:
    """Count the pairs of each two species against their distance.

    Parameters
    ----------
    trajectory
        Frames of a periodic cell of any shape, or of a molecule; a file is read piece by piece. All periodic
        images count, those of the same atom and those beyond half the cell included.
    r_max
        Largest distance, angstrom. For a molecule in memory it is raised to hold all pairs.
    r_step
        Spacing of the grid, angstrom.
    workers
        Threads, by default one for each processor, or `Workers`. The result does not depend on it.

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
    first = trajectory if isinstance(trajectory, Trajectory) else next(trajectory.pieces(1))
    if first.cells is None:
        r_max = max(r_max, _extent(trajectory))
    grid = Grid.of(first, r_max, r_step)
    done = workers if isinstance(workers, Workers) else Workers(number=workers)
    total = trajectory.n_frames if isinstance(trajectory, Trajectory) else trajectory.count()
    size = max(1, min(_PIECE, _PIECE_ATOMS // first.n_atoms))
    run = min(size, 2 ** max(0, int(np.log2(total / (_RUNS / 2)))))
    pieces = as_pieces(first, size) if isinstance(trajectory, Trajectory) else trajectory.pieces(size)
    store = None
    if done.keep:
        store = PieceStore(content_key("pairs", f"{grid.r_max:.6f} {r_step:.9f} {run}", first.source))
    # Threads that no other frame needs share one that is alone.
    alone = total == 1 and done.scheduler is None
    work = partial(count_piece, grid=grid, run=run, threads=worker_count(done.number) if alone else 1)
    runs = _Runs(min(_RUNS, total), grid.n_r, len(grid.pairs), run)
    for n, found in run_pieces(work, pieces, what="count pairs", workers=done, store=store, total=total):
        _no_overlap(found["overlap"], runs.n_frames, r_step, first)
        runs.add(found, n)
    done.done(store)
    history = first.history if isinstance(trajectory, Trajectory) else trajectory.history
    counted = step(
        "count pairs", r_max=grid.r_max, r_step=r_step, frames=runs.n_frames, spread="cubic B-spline"
    )
    counts, frames = runs.result()
    return PairHistograms(
        r=grid.r, pairs=grid.pairs, counts=counts, frames=frames, species=first.composition,
        number_density=runs.density, half_width=runs.half_width, label=first.label, source=first.source,
        history=(*history, counted),
    )  # fmt: skip


class _Runs:
    """Means over runs of frames; neighbouring runs are merged when there are too many."""

    def __init__(self, most: int, n_r: int, n_pairs: int, run: int) -> None:
        self._held = np.zeros((most, n_pairs, n_r), dtype=np.float32)
        self._full = 0
        self._run = self._length = run
        self._open = 0  # frames in the run that is being filled
        self.n_frames = 0
        self._densities: list[float] = []
        self.half_width: float | None = None

    def add(self, found: Mapping[str, Array], n_frames: int) -> None:
        for i, counts in enumerate(found["counts"]):
            if self._full == _RUNS:
                self._merge()
            self._held[self._full] += counts
            self._open += min(self._run, n_frames - i * self._run)
            if self._open == self._length:
                self._held[self._full] /= self._length
                self._full, self._open = self._full + 1, 0
        self.n_frames += n_frames
        if "density" in found:
            self._densities.append(float(found["density"].sum()))
            least = float(found["half_width"].min())
            self.half_width = least if self.half_width is None else min(self.half_width, least)

    def _merge(self) -> None:
        half = _RUNS // 2
        for i in range(half):
            self._held[i] = (self._held[2 * i] + self._held[2 * i + 1]) / 2
        self._held[half:] = 0.0
        self._full, self._length = half, 2 * self._length

    @property
    def density(self) -> float | None:
        return sum(self._densities) / self.n_frames if self._densities else None

    def result(self) -> tuple[Array, Array]:
        frames = [self._length] * self._full + ([self._open] if self._open else [])
        counts = self._held[: len(frames)]
        if self._open:
            counts[-1] /= self._open
        counts.setflags(write=False)
        return counts, np.array(frames)


def _no_overlap(overlap: Array, before: int, r_step: float, first: Trajectory) -> None:
    if overlap.any():
        frame = before + int(np.argmax(overlap))
        raise SimulationError(
            f"two atoms lie less than {r_step:g} angstrom apart in frame {frame}",
            where=first.source or first.label or "trajectory",
            do="remove the doubled atom (or the doubled site of partial occupancy), or leave the frame out",
        )


def _extent(trajectory: Trajectory | FrameFile) -> float:
    """Diagonal of the box that holds a molecule in all its frames."""
    pieces = [trajectory] if isinstance(trajectory, Trajectory) else trajectory.pieces()
    return max(float(np.linalg.norm(np.ptp(piece.positions, axis=1), axis=1).max()) for piece in pieces) + 1.0


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
    total = histograms.mean_counts()[p, inside].sum()
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
