"""Snapshots of a file kept on disk, so that a run of any length is analysed in the memory of a few frames."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.frames import Snapshots
from shortrange.load.frames import FrameFile
from shortrange.quantities import Trajectory

__all__ = ["Spool", "held", "rewrite"]

Array = NDArray[Any]

_READ_FRAMES = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spool:
    """Snapshots whose positions lie in a scratch file; of all frames only the cells are in memory.

    Attributes
    ----------
    path
        Positions of all frames, 8-byte floats, one frame after another.
    head
        The first frame, with what holds for all: elements, label, source, history, time between frames.
    cells
        Lattice vectors as rows, angstrom, shape (n_frames, 3, 3), in memory once if all are alike; None for a
        molecule.
    numbers
        Places of the frames in the file.
    """

    path: Path
    head: Trajectory
    cells: Array | None
    numbers: range

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.numbers)

    @property
    def n_atoms(self) -> int:
        """Number of atoms in a frame."""
        return self.head.n_atoms

    @property
    def species(self) -> tuple[str, ...]:
        """Element of each atom."""
        return self.head.species

    @property
    def composition(self) -> dict[str, int]:
        """Atoms of each element in a frame."""
        return self.head.composition

    @property
    def time_step(self) -> float | None:
        """Fs between frames, or None."""
        return None if self.head.time_step is None else self.head.time_step * self.numbers.step

    @property
    def label(self) -> str:
        """As of the file."""
        return self.head.label

    @property
    def source(self) -> str:
        """The file that was read."""
        return self.head.source

    @property
    def history(self) -> tuple[Any, ...]:
        """What was read."""
        return self.head.history

    @property
    def number_density(self) -> float | None:
        """Mean of atoms per cubic angstrom; None for a molecule."""
        if self.cells is None:
            return None
        return float(np.mean(self.n_atoms / np.abs(np.linalg.det(self._different_cells))))

    @property
    def half_width(self) -> float | None:
        """Half the smallest distance between opposite cell faces, angstrom; None for a molecule."""
        if self.cells is None:
            return None
        return float(1.0 / np.linalg.norm(np.linalg.inv(self._different_cells), axis=1).max() / 2.0)

    @property
    def _different_cells(self) -> Any:
        """All cells; one, if it is shared by all frames."""
        assert self.cells is not None
        return self.cells[:1] if self.cells.strides[0] == 0 else self.cells

    def part(self, first: int, last: int) -> Trajectory:
        """Read frames ``first`` to ``last - 1``."""
        return replace(
            self.head,
            positions=self._positions(first, last),
            cells=None if self.cells is None else self.cells[first:last],
            time_step=self.time_step,
        )

    def _positions(self, first: int, last: int) -> Array:
        chosen = self.numbers[first:last]
        size = self.n_atoms * 3
        count = (chosen[-1] - chosen[0] + 1) * size
        raw = np.fromfile(self.path, dtype=float, count=count, offset=8 * chosen[0] * size)
        return raw.reshape(-1, self.n_atoms, 3)[:: chosen.step]

    def every(self, stride: int) -> Spool:
        """Every ``stride``-th frame."""
        cells = None if self.cells is None else self.cells[::stride]
        return replace(self, cells=cells, numbers=self.numbers[::stride])

    def column(self, atoms: Array) -> Array:
        """Positions of some atoms in all frames, shape (n_frames, n, 3)."""
        out = np.empty((self.n_frames, atoms.size, 3))
        for first in range(0, self.n_frames, _READ_FRAMES):
            last = min(first + _READ_FRAMES, self.n_frames)
            out[first:last] = self._positions(first, last)[:, atoms]
        return out


class _Cells:
    """Cells of all frames, kept once as long as they are all alike."""

    def __init__(self) -> None:
        self._parts: list[Array] = []
        self._same: Array | None = None
        self._n_frames = 0

    def add(self, cells: Array) -> None:
        alike = self._n_frames == 0 or self._same is not None
        first = cells[0] if self._same is None else self._same
        if alike and (cells == first).all():
            self._same = first
        else:
            if self._same is not None:
                self._parts = [np.repeat(self._same[None], self._n_frames, axis=0)]
                self._same = None
            self._parts.append(cells)
        self._n_frames += len(cells)

    def all(self) -> Array:
        if self._same is not None:
            return np.broadcast_to(self._same, (self._n_frames, 3, 3))
        return np.concatenate(self._parts)


@contextmanager
def held(snapshots: Snapshots | FrameFile) -> Iterator[Snapshots]:
    """Snapshots as they are, or those of a file in a scratch folder that is removed at the end."""
    if not isinstance(snapshots, FrameFile):
        yield snapshots
        return
    with tempfile.TemporaryDirectory(prefix="shortrange-") as folder:
        path = Path(folder) / "positions"
        cells, head, n_frames = _Cells(), None, 0
        with path.open("wb") as out:
            for piece in snapshots.pieces():
                head = head or piece
                n_frames += piece.n_frames
                if piece.cells is not None:
                    cells.add(piece.cells)
                out.write(piece.positions.tobytes())
        assert head is not None  # a file without frames is refused by its reader
        first = replace(
            head,
            positions=head.positions[:1],
            cells=None if head.cells is None else head.cells[:1],
            history=snapshots.history,
        )
        yield Spool(
            path=path,
            head=first,
            cells=None if head.cells is None else cells.all(),
            numbers=range(n_frames),
        )


def rewrite(snapshots: Snapshots, parts: Iterable[Array]) -> Snapshots:
    """Return the same snapshots with other positions, in memory or on disk as these are.

    Parameters
    ----------
    snapshots
        All frames of a run.
    parts
        New positions of consecutive frames, angstrom, each of shape (n, n_atoms, 3).
    """
    if isinstance(snapshots, Trajectory):
        return replace(snapshots, positions=np.concatenate(list(parts)))
    assert isinstance(snapshots, Spool)
    path = snapshots.path.with_name("changed")
    with path.open("wb") as file:
        for positions in parts:
            file.write(positions.tobytes())
    return replace(snapshots, path=path, numbers=range(snapshots.n_frames))
