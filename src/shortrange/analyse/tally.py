"""Bridges of consecutive runs of frames added up, so that connectivity needs the memory of one run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.angles import AngleTable
from shortrange.analyse.bridges import Bridges, RunBridges, some_frames
from shortrange.analyse.frames import Snapshots
from shortrange.analyse.pool import BlockSums, Pool, kept_every
from shortrange.analyse.roles import Roles, atoms_of

__all__ = ["SHARING", "Tally"]

Array = NDArray[Any]

SHARING = ("none", "corner", "edge", "face")
_WINDOWS = 10


class Tally:
    """What all frames have in common, filled run by run.

    Parameters
    ----------
    trajectory, roles
        All snapshots, and which atoms are centres and ligands.
    longest
        No joined centres are farther apart, angstrom.
    """

    def __init__(self, trajectory: Snapshots, roles: Roles, *, longest: float) -> None:
        self._n_frames, self._n_atoms = trajectory.n_frames, trajectory.n_atoms
        self._centres, self._ligands = atoms_of(trajectory, roles.centres), roles.ligands
        self._ligand_symbols = np.array(trajectory.species)[atoms_of(trajectory, roles.ligands)]
        self._longest = longest
        self.levels = tuple(self._distances() for _ in SHARING[1:])
        """Distances of pairs that share one, two, three ligands or more."""
        self.joined = self._distances()
        """Distances of all pairs."""
        self.bonds, self.linked = BlockSums(self._n_frames), BlockSums(self._n_frames)
        """Bonds of all centres of a frame, and how many of them share a ligand."""
        self.kinds: dict[str, Pool] = {}
        """Distances by composition of the bridge."""
        self.angles: dict[tuple[str, int], Pool] = {}
        """Angles by ligand element and way of sharing; 0 is any."""
        self.angle_tables: dict[str, AngleTable] = {}
        """Angles by ligand element, in bins."""
        self.over_time = np.zeros((self._n_frames, 3), dtype=np.int32)
        """Pairs in each frame by way of sharing."""
        self.table: list[Bridges] = []
        """Pairs of some frames."""
        self._bonds = Counter[int]()
        self._bonds_of_ligand: dict[str, Counter[int]] = {s: Counter() for s in roles.ligands}
        self._oligomers = Counter[int]()
        self._windows = np.linspace(0, self._n_frames, min(_WINDOWS, self._n_frames) + 1).astype(int)
        self._pair_levels: dict[int, Array] = {}

    def _distances(self) -> Pool:
        return Pool(self._n_frames, low=0.0, high=self._longest)

    def add(self, run: RunBridges) -> None:
        """Add the next run of frames."""
        pairs = run.pairs
        level = np.minimum(pairs.shared, len(self.levels))
        self.joined.add(pairs.distance, pairs.frame)
        self.bonds.add(pairs.frames, run.bonds_of_centre.sum(axis=1))
        for k, pool in enumerate(self.levels, start=1):
            mine = level == k
            pool.add(pairs.distance[mine], pairs.frame[mine])
            self.over_time[pairs.frames, k - 1] = np.bincount(
                pairs.frame[mine] - pairs.frames[0], minlength=pairs.frames.size
            )
        for k, name in enumerate(pairs.kinds):
            mine = pairs.kind == k
            self.kinds.setdefault(name, self._distances()).add(pairs.distance[mine], pairs.frame[mine])
        self._add_angles(run, level)
        self._bonds.update(run.bonds_of_centre.ravel().tolist())
        for symbol, counter in self._bonds_of_ligand.items():
            counter.update(run.bonds_of_ligand[:, self._ligand_symbols == symbol].ravel().tolist())
        self._add_groups(pairs)
        self._add_levels(pairs, level)
        self.table.append(some_frames(pairs, kept_every(self._n_frames)))

    def _add_angles(self, run: RunBridges, level: Array) -> None:
        frames, levels = run.pairs.frame[run.pair_of], level[run.pair_of]
        for place in np.unique(run.ligand):
            mine, ligand = run.ligand == place, self._ligands[place]
            table = self.angle_tables.setdefault(ligand, AngleTable(self._n_frames))
            table.add(run.angle[mine], frames[mine])
            for k in range(len(SHARING)):
                chosen = mine if k == 0 else mine & (levels == k)
                pool = self.angles.setdefault((ligand, k), Pool(self._n_frames, low=0.0, high=180.0))
                pool.add(run.angle[chosen], frames[chosen])

    def _add_groups(self, pairs: Bridges) -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        rank = np.zeros(self._n_atoms, dtype=np.int64)
        rank[self._centres] = np.arange(self._centres.size)
        frame = (pairs.frame - pairs.frames[0]).astype(np.int64) * self._centres.size
        ends = frame + rank[pairs.first], frame + rank[pairs.second]
        size = pairs.frames.size * self._centres.size
        linked = np.zeros(size, dtype=bool)
        linked[np.concatenate(ends)] = True  # once, however many bridges an atom has
        self.linked.add(pairs.frames, linked.reshape(pairs.frames.size, -1).sum(axis=1))
        graph = coo_array((np.ones(frame.size, dtype=np.int8), ends), shape=(size, size))
        _, group = connected_components(graph, directed=False)
        self._oligomers.update(np.bincount(group)[group].tolist())

    def _add_levels(self, pairs: Bridges, level: Array) -> None:
        """Count in how many frames of each part of the run a pair shares 1, 2, 3 ligands."""
        code = pairs.first.astype(np.int64) * self._n_atoms + pairs.second
        at, inverse = np.unique(np.column_stack([pairs.frame, code]), axis=0, return_inverse=True)
        # A pair joined through several images counts with its strongest link.
        strongest = np.zeros(len(at), dtype=np.int64)
        np.maximum.at(strongest, inverse.ravel(), level)
        window = np.searchsorted(self._windows, at[:, 0], side="right") - 1
        rows, counts = np.unique(np.column_stack([at[:, 1], window, strongest]), axis=0, return_counts=True)
        for (pair, part, k), n in zip(rows.tolist(), counts.tolist(), strict=True):
            if pair not in self._pair_levels:
                self._pair_levels[pair] = np.zeros((self._windows.size - 1, len(SHARING)), dtype=np.int64)
            self._pair_levels[pair][part, k] += n

    def coordination(self) -> Array:
        """How many centres of all frames have 0, 1, 2, ... bonded ligands."""
        return _by_number(self._bonds)

    def ligand_bonds(self) -> dict[str, Array]:
        """By element, how many ligands of all frames bind 0, 1, 2, ... centres."""
        return {symbol: _by_number(counter) for symbol, counter in self._bonds_of_ligand.items()}

    def oligomers(self) -> Array:
        """Fraction of the centres in groups of 0, 1, 2, ... centres."""
        return _by_number(self._oligomers) / (self._n_frames * self._centres.size)

    def changes(self) -> dict[tuple[str, str], int]:
        """Count pairs that share ligands in another way in the next tenth of the run."""
        if self._windows.size < 3 or not self._pair_levels:
            return {}
        counts = np.array([self._pair_levels[pair] for pair in sorted(self._pair_levels)])
        counts[..., 0] = np.diff(self._windows) - counts.sum(axis=2)
        majority = counts.argmax(axis=2).T
        out: dict[tuple[str, str], int] = {}
        for before, after in zip(majority[:-1].ravel(), majority[1:].ravel(), strict=True):
            if before != after:
                key = (SHARING[before], SHARING[after])
                out[key] = out.get(key, 0) + 1
        return out


def _by_number(counts: Counter[int]) -> Array:
    return np.array([counts[k] for k in range(max(counts, default=0) + 1)])
