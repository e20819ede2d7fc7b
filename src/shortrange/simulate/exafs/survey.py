"""A first look at all snapshots: whether they are sound, and some that stand for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError, did_you_mean
from shortrange.load.frames import FrameFile
from shortrange.quantities import Trajectory
from shortrange.simulate.feff import SHORTEST_DISTANCE
from shortrange.simulate.neighbours import Neighbours, find_neighbours
from shortrange.simulate.pieces import as_pieces

__all__ = ["PIECE_ABSORBERS", "Source", "Survey", "survey", "take_pieces"]

Array = NDArray[Any]
Source = Trajectory | FrameFile

PIECE_ABSORBERS = 160
"""Absorbers of the frames that one thread works on at a time."""
_SAMPLE = 64  # frames at most that are held to choose representative absorbers from


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of an ensemble before anything is calculated.

    Attributes
    ----------
    sample
        Evenly spaced frames, 64 at most.
    numbers
        Which frames of the ensemble they are.
    n_frames
        Of the ensemble.
    centres
        Indices of the absorbers in a frame.
    near
        Neighbours of the absorbers of the sample.
    piece
        Frames that are worked on at a time.
    """

    sample: Trajectory
    numbers: Array
    n_frames: int
    centres: Array
    near: Neighbours
    piece: int

    @property
    def where(self) -> str:
        """For messages."""
        return self.sample.source or self.sample.label or "trajectory"


def take_pieces(source: Source, n_frames: int) -> Any:
    """Yield runs of frames."""
    return as_pieces(source, n_frames) if isinstance(source, Trajectory) else source.pieces(n_frames)


def survey(source: Source, *, absorber: str, r_max: float, atoms: Sequence[int] | None = None) -> Survey:
    """Look at all frames once.

    Parameters
    ----------
    source
        Snapshots in memory or in a file.
    absorber
        Element.
    r_max
        Longest path, angstrom.
    atoms
        Indices of the absorbers in a frame; None is all of the element.

    Raises
    ------
    SimulationError
        If the absorber is not there or alone, or atoms overlap.
    """
    if not 1.5 <= r_max <= 12.0:
        raise SimulationError(
            f"r_max = {r_max:g} angstrom", where="r_max", do="give a length between 1.5 and 12"
        )
    held: list[tuple[int, Array, Array | None]] = []
    stride, n, centres, first = 1, 0, np.empty(0, int), None
    for piece in take_pieces(source, 16):
        if first is None:
            first, centres = piece, _centres(piece, absorber, atoms)
        _checked(piece, centres, absorber, r_max, before=n)
        for i in range(piece.n_frames):
            if (n + i) % stride == 0:
                held.append((n + i, piece.positions[i], None if piece.cells is None else piece.cells[i]))
            if len(held) > _SAMPLE:
                held, stride = held[::2], 2 * stride
        n += piece.n_frames
    assert first is not None
    history = source.history
    sample = Trajectory(
        species=first.species, positions=np.array([p for _, p, _ in held]),
        cells=None if first.cells is None else np.array([c for _, _, c in held]),
        label=first.label, source=first.source, history=history,
    )  # fmt: skip
    near = find_neighbours(sample.positions, sample.cells, centres=centres, r_max=r_max)
    size = max(1, PIECE_ABSORBERS // centres.size)
    return Survey(sample, np.array([i for i, _, _ in held]), n, centres, near, size)


def _centres(piece: Trajectory, absorber: str, atoms: Sequence[int] | None) -> Array:
    if absorber not in piece.composition:
        raise SimulationError(
            f"there is no {absorber} among the atoms ({', '.join(piece.composition)})",
            where=piece.source or piece.label or "trajectory",
            do=did_you_mean(absorber.capitalize(), piece.composition),
        )
    centres = np.flatnonzero(np.array(piece.species) == absorber)
    if atoms is None:
        return centres
    other = [i for i in atoms if i not in centres]
    if other or not len(atoms):
        raise SimulationError(
            f"atoms {other or list(atoms)} are no {absorber}", where="atoms",
            do=f"choose, counted from 0, from {centres[:8].tolist()} ...",
        )  # fmt: skip
    return np.unique(atoms)


def _checked(piece: Trajectory, centres: Array, absorber: str, r_max: float, *, before: int) -> None:
    where = piece.source or piece.label or "trajectory"
    near = find_neighbours(piece.positions, piece.cells, centres=centres, r_max=r_max)
    alone = np.flatnonzero(np.diff(near.offsets) == 0)
    if alone.size:
        raise SimulationError(
            f"atom {centres[alone[0] % centres.size]} ({absorber}) has no neighbour within {r_max:g} angstrom"
            f" in frame {before + alone[0] // centres.size}",
            where=where,
            do="give a larger r_max, or leave the frame out",
        )
    closest = int(np.argmin(near.distances))
    if near.distances[closest] < SHORTEST_DISTANCE:
        centre = int(np.searchsorted(near.offsets, closest, side="right")) - 1
        raise SimulationError(
            f"atoms {centres[centre % centres.size]} and {near.atoms[closest]} are only"
            f" {near.distances[closest]:.3f} angstrom apart in frame {before + centre // centres.size}",
            where=where,
            do="drop the frame, or repair the structure (doubled atoms? wrong cell?)",
        )
