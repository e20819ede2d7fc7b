"""Snapshots of a file, read one after another: a file of any size needs the memory of a few frames.

A format is a generator of its frames (`FrameReader`). Frames that are not wanted are passed over, if possible
without being parsed. `FrameFile` selects among them, checks them, and hands them on in pieces.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_number
from shortrange.errors import DataError
from shortrange.load.text import is_gzip, read_bytes
from shortrange.quantities import Step, Trajectory, step

__all__ = [
    "Frame",
    "FrameFile",
    "FrameReader",
    "Notes",
    "check_frames",
    "check_species",
    "frames_text",
    "open_binary",
    "open_text",
]

Array = NDArray[Any]

PIECE_ATOMS = 20_000
"""Atoms of the frames that are held at a time, unless a caller wants otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One snapshot: elements, Cartesian positions (n, 3) and lattice vectors (3, 3) or None, angstrom."""

    species: tuple[str, ...]
    positions: Array
    cell: Array | None


@dataclass(slots=True, eq=False)
class Notes:
    """What a reader found beside the frames, complete when they have been read to the end.

    Attributes
    ----------
    time_step
        fs between frames of the file.
    steps
        For the history of the result.
    """

    time_step: float | None = None
    steps: list[Step] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)

    def number(self, number: int, index: int, line: int) -> None:
        """Take the number that a file gives a frame; note where such numbers first do not go on evenly.

        Means over frames are right all the same; what follows the frames in time is not.
        """
        if len(self._numbers) == 3:
            return
        self._numbers.append(number)
        if len(self._numbers) == 3:
            first, last, new = self._numbers
            if new - last == last - first:
                del self._numbers[0]
                return
            what = "warning: frame numbers jump: frames are missing, or runs were joined"
            told = {"frame": index, "line": line, "before": last, "number": new, "step": last - first}
            self.steps.append(step(what, **told))


FrameReader = Callable[[Path, Callable[[int], bool], Notes], Iterator[Frame | None]]
"""Frames of a file in order; None for a frame whose index, counted from 0, is not wanted."""


@dataclass(slots=True, eq=False)
class FrameFile:
    """The chosen snapshots of a file. Nothing is held: each pass reads the file again.

    Attributes
    ----------
    path
        The file.
    reader
        Of its format.
    frames
        Which frames; None is all.
    """

    path: Path
    reader: FrameReader
    frames: slice | None = None
    _total: int | None = None
    _notes: Notes = field(default_factory=Notes)

    @property
    def label(self) -> str:
        """Name of the file up to its first point."""
        return self.path.name.split(".")[0]

    @property
    def source(self) -> str:
        """The file."""
        return str(self.path)

    def __iter__(self) -> Iterator[Frame]:
        return (frame for frame, _ in self._chosen(Notes()))

    def pieces(self, n_frames: int | None = None) -> Iterator[Trajectory]:
        """Read runs of consecutive chosen frames.

        Parameters
        ----------
        n_frames
            In each piece but the last; default as many as hold 20 000 atoms.

        Raises
        ------
        DataError
            If a frame is damaged, differs in its atoms from the first, or none is chosen.
        """
        notes, held, first = Notes(), list[Frame](), 0
        self._notes = notes
        for frame, index in self._chosen(notes):
            if not held:
                first = index
            held.append(frame)
            if len(held) >= (n_frames or max(1, PIECE_ATOMS // max(1, len(frame.species)))):
                yield self._gather(held, notes, f"from frame {first}")
                held = []
        if held:
            yield self._gather(held, notes, f"from frame {first}")

    def count(self) -> int:
        """Return the number of chosen frames, which one pass without parsing counts if need be."""
        frames = self.frames or slice(None)
        if self._total is None:
            self._total = sum(1 for _ in self.reader(self.path, lambda _: False, Notes()))
        return len(range(self._total)[frames])

    @property
    def history(self) -> tuple[Step, ...]:
        """What was read, complete after the frames have been read to the end."""
        loaded = step(
            "load structures", file=self.source, frames=frames_text(self.frames), frames_in_file=self._total
        )
        return (loaded, *self._notes.steps)

    def read(self) -> Trajectory:
        """All chosen frames at once.

        Raises
        ------
        DataError
            As `pieces`.
        """
        self._notes = notes = Notes()
        chosen = [frame for frame, _ in self._chosen(notes)]
        return self._gather(chosen, notes, "")

    def _gather(self, held: list[Frame], notes: Notes, place: str) -> Trajectory:
        cells = None if held[0].cell is None else np.array([frame.cell for frame in held])
        stride = abs((self.frames or slice(None)).step or 1)
        try:
            return Trajectory(
                species=held[0].species, positions=np.array([frame.positions for frame in held]), cells=cells,
                time_step=None if notes.time_step is None else notes.time_step * stride,
                source=self.source, label=self.label, history=self.history,
            )  # fmt: skip
        except DataError as error:
            raise DataError(
                error.what, where=f"{error.where}, {place}" if place else error.where, do=error.do
            ) from None

    def _chosen(self, notes: Notes) -> Iterator[tuple[Frame, int]]:
        read_bytes(self.path, 2)
        start, stop, stride = self._from_start()

        def wanted(index: int) -> bool:
            return index >= start and (stop is None or index < stop) and (index - start) % stride == 0

        first: Frame | None = None
        first_index = total = taken = 0
        for index, frame in enumerate(self.reader(self.path, wanted, notes)):
            total = index + 1
            if not wanted(index) or frame is None:
                continue
            if first is None:
                first, first_index = frame, index
                check_species(frame.species, self.path)
            _check_alike(self.path, first, first_index, frame, index)
            taken += 1
            yield frame, index
        self._total = total
        if not taken:
            check_frames(self.frames, total, self.path)

    def _from_start(self) -> tuple[int, int | None, int]:
        """Start, stop and step of the slice, counted from the first frame and forwards."""
        frames = self.frames or slice(None)
        start, stop, stride = frames.start or 0, frames.stop, 1 if frames.step is None else frames.step
        if stride < 1:
            raise DataError(
                f"frames {frames_text(frames)!r} does not run forwards",
                where=str(self.path),
                do="give a step of 1 or more",
            )
        if start < 0 or (stop is not None and stop < 0):
            if self._total is None:
                self._total = sum(1 for _ in self.reader(self.path, lambda _: False, Notes()))
            start, stop, stride = frames.indices(self._total)
        return start, stop, stride


def open_text(path: Path) -> TextIO:
    """Open a text file, gunzipped if need be, to be read line by line."""
    return gzip.open(path, "rt", encoding="latin-1") if is_gzip(path) else path.open(encoding="latin-1")


def open_binary(path: Path) -> Any:
    """Open a file, gunzipped if need be."""
    return gzip.open(path, "rb") if is_gzip(path) else path.open("rb")


def frames_text(frames: slice | None) -> str:
    """Write a slice as ``start:stop:step``."""
    if frames is None:
        return ":"
    parts = ["" if part is None else str(part) for part in (frames.start, frames.stop, frames.step)]
    return ":".join(parts[:2] if frames.step is None else parts)


def check_species(symbols: tuple[str, ...] | list[str], path: Path) -> None:
    """Refuse what is no chemical element.

    Raises
    ------
    DataError
        Naming the symbol and the file.
    """
    for symbol in dict.fromkeys(symbols):
        try:
            atomic_number(symbol)
        except DataError as error:
            raise DataError(error.what, where=str(path), do=error.do) from None


def check_frames(frames: slice | None, count: int, path: Path) -> range:
    """Return the frames that a slice selects.

    Raises
    ------
    DataError
        If it selects none.
    """
    if not count:
        raise DataError(
            "the file holds no structure", where=str(path), do="check that this is the right file"
        )
    chosen = range(count)[frames or slice(None)]
    if not chosen:
        raise DataError(
            f"frames {frames_text(frames)!r} selects none of the {count} frames",
            where=str(path),
            do='write "start:stop:step", counted from 0',
        )
    return chosen


def _check_alike(path: Path, first: Frame, first_index: int, frame: Frame, index: int) -> None:
    place = f"{path}, frame {index}"
    if frame.species != first.species:
        raise DataError(
            f"frame {index} has other atoms than frame {first_index}: "
            f"{_formula(frame.species)} and {_formula(first.species)}",
            where=place,
            do='give frames of the same atoms in one order; select with frames = "start:stop:step"',
        )
    if (frame.cell is None) != (first.cell is None):
        raise DataError(
            f"frame {index} has {'no cell' if frame.cell is None else 'a cell'}, unlike frame {first_index}",
            where=place,
            do="give every frame its cell",
        )
    if not np.isfinite(frame.positions).all():
        atom = int(np.flatnonzero(~np.isfinite(frame.positions).all(axis=1))[0])
        raise DataError(
            f"a position is not a finite number in frame {index}: atom {atom} ({frame.species[atom]})",
            where=place, do='repair the frame, or leave it out: frames = "start:stop:step"',
        )  # fmt: skip


def _formula(species: tuple[str, ...]) -> str:
    names = sorted(set(species))
    return "".join(name + (str(species.count(name)) if species.count(name) > 1 else "") for name in names)
