"""Text dumps of LAMMPS, streamed: orthogonal and triclinic boxes, plain, scaled and unwrapped positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.frames import Frame, Notes, open_text
from shortrange.load.text import where

__all__ = ["lammps_frames", "sniff_lammps"]

Array = NDArray[Any]

# Columns of positions by preference: those that say how they are scaled and wrapped come as such.
_POSITIONS = (("x", "y", "z"), ("xu", "yu", "zu"), ("xs", "ys", "zs"), ("xsu", "ysu", "zsu"))


def sniff_lammps(head: bytes) -> bool:
    """Whether this is a text dump of LAMMPS."""
    return b"ITEM: TIMESTEP" in head[:200] or b"ITEM: UNITS" in head[:200]


def lammps_frames(
    path: Path, wanted: Callable[[int], bool], notes: Notes, *, species: Sequence[str] | None = None
) -> Iterator[Frame | None]:
    """Frames with atoms in the order of their ids.

    Lengths are angstrom (units ``metal`` or ``real``). Types are never taken for elements by themselves.
    """
    with open_text(path) as file:
        lines = _Items(path, file)
        index = 0
        while lines.next_frame():
            if lines.time.isdigit():
                notes.number(int(lines.time), index, lines.number)
            n, cell, origin, names, rows = lines.frame(index, skip=not wanted(index))
            if rows is None:
                yield None
            else:
                yield _frame(lines, index, n, cell, origin, names, rows, species)
            index += 1


class _Items:
    """Sections of a dump and the line where each stands."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self.path, self._file, self.number = path, file, 0
        self._head = self.time = ""

    def _line(self) -> str:
        self.number += 1
        return self._file.readline()

    def fault(self, what: str, do: str = "repair the file, or cut it before this frame") -> DataError:
        return DataError(what, where=where(self.path, self.number), do=do)

    def next_frame(self) -> bool:
        """Go to the next ITEM: TIMESTEP."""
        while line := self._line():
            if line.startswith("ITEM: TIMESTEP"):
                self.time = self._line().strip()
                return True
        return False

    def frame(self, index: int, *, skip: bool) -> tuple[int, Array, Array, list[str], list[str] | None]:
        n, bounds, tilted = 0, [], False
        while line := self._line():
            if line.startswith("ITEM: NUMBER OF ATOMS"):
                n = self._count()
            elif line.startswith("ITEM: BOX BOUNDS"):
                tilted = "xy" in line
                bounds = [self._line().split() for _ in range(3)]
            elif line.startswith("ITEM: ATOMS"):
                rows = list(islice(self._file, n))
                self.number += len(rows)
                if skip:
                    return n, np.empty(0), np.empty(0), [], None
                if len(rows) < n:
                    raise self.fault(
                        f"frame {index} has {len(rows)} of {n} atoms",
                        f'the run was cut: leave the frame out, frames = ":{index}"',
                    )
                return n, *self._box(bounds, tilted), line.split()[2:], rows
            elif line.startswith("ITEM: TIMESTEP"):
                break
        if skip:
            return 0, np.empty(0), np.empty(0), [], None
        raise self.fault(f"frame {index} has no atoms", f'leave it out, frames = ":{index}"')

    def _count(self) -> int:
        text = self._line()
        try:
            return int(text)
        except ValueError:
            raise self.fault(f"{text.strip()!r} is not a number of atoms") from None

    def _box(self, bounds: list[list[str]], tilted: bool) -> tuple[Array, Array]:
        """Lattice vectors as rows, and the corner of the box."""
        try:
            b = np.array(bounds, dtype=float)
        except ValueError:
            raise self.fault(f"the box bounds cannot be read: {bounds}") from None
        if b.shape != (3, 3 if tilted else 2):
            raise self.fault(f"the box bounds are not three rows of {3 if tilted else 2} numbers")
        lo, hi = b[:, 0].copy(), b[:, 1].copy()
        xy, xz, yz = b[:, 2] if tilted else (0.0, 0.0, 0.0)
        # A dump gives the bounds of the box around a tilted cell.
        lo[0] -= min(0.0, xy, xz, xy + xz)
        hi[0] -= max(0.0, xy, xz, xy + xz)
        lo[1] -= min(0.0, yz)
        hi[1] -= max(0.0, yz)
        lengths = hi - lo
        return np.array([[lengths[0], 0, 0], [xy, lengths[1], 0], [xz, yz, lengths[2]]]), lo


def _frame(
    lines: _Items, index: int, n: int, cell: Array, origin: Array, names: list[str], rows: list[str],
    species: Sequence[str] | None,
) -> Frame:  # fmt: skip
    columns = next((c for c in _POSITIONS if set(c) <= set(names)), None)
    if columns is None:
        raise lines.fault(
            f"frame {index} has no positions among its columns {' '.join(names)}", "dump x y z or xs ys zs"
        )
    words = [row.split() for row in rows]
    if any(len(word) < len(names) for word in words):
        raise lines.fault(f"frame {index} has a row with fewer than {len(names)} columns")
    try:
        order = np.argsort([int(w[names.index("id")]) for w in words]) if "id" in names else np.arange(n)
        values = np.array([[w[names.index(c)] for c in columns] for w in words], dtype=float)[order]
    except ValueError as error:
        raise lines.fault(f"frame {index} has a number that cannot be read: {error}") from None
    positions = values @ cell if columns[0].startswith("xs") else values - origin
    return Frame(tuple(_elements(lines, names, words, species)[i] for i in order), positions, cell)


def _elements(
    lines: _Items, names: list[str], words: list[list[str]], species: Sequence[str] | None
) -> list[str]:
    if species is None and "element" in names:
        return [word[names.index("element")] for word in words]
    if "type" not in names:
        raise lines.fault("there is neither a column element nor type", "dump id element x y z")
    types = [word[names.index("type")] for word in words]
    if species is None:
        if not any(t.isdigit() for t in types):
            return types
        raise lines.fault(
            f"atoms have types {', '.join(sorted(set(types)))} but no elements",
            "name the element of each type, from 1: species Na,Ta,Cl; or dump id element x y z",
        )
    highest = max(int(t) if t.isdigit() else 0 for t in types)
    if highest > len(species) or min(int(t) if t.isdigit() else 0 for t in types) < 1:
        raise lines.fault(
            f"types reach {highest} but {len(species)} elements are named", "name one for each type, from 1"
        )
    return [species[int(t) - 1] for t in types]
