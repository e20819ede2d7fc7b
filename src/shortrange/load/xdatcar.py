"""XDATCAR of VASP, streamed: frames that are not wanted are skipped without being parsed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.frames import Frame, Notes, check_species, open_text
from shortrange.load.text import where

__all__ = ["sniff_xdatcar", "xdatcar_frames"]

Array = NDArray[Any]
_FRAME = re.compile(r"\s*Direct configuration=\s*(\d*)", re.IGNORECASE)
_TRIPLE = re.compile(r"\s*([-+]?\d*\.?\d+([eE][-+]?\d+)?\s+){2}[-+]?\d*\.?\d+([eE][-+]?\d+)?\s*")


def sniff_xdatcar(head: bytes) -> bool:
    """Whether a line ``Direct configuration=`` follows a header of seven lines."""
    lines = head.decode("latin-1").splitlines()
    return len(lines) > 7 and bool(_FRAME.match(lines[7]))


class _Lines:
    """Lines of a file with their count, and a message that names the place."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self.path, self._file, self.number = path, file, 0

    def take(self, count: int) -> list[str]:
        lines = list(islice(self._file, count))
        self.number += len(lines)
        return lines

    def fault(self, what: str, do: str = "repair the file or cut it before this frame") -> DataError:
        return DataError(what, where=where(self.path, max(self.number, 1)), do=do)


def _header(lines: _Lines, title: str) -> tuple[Array, tuple[str, ...]]:
    """Cell and species from the seven lines that begin the file, and each frame where the cell varies."""
    rest = lines.take(6)
    if len(rest) < 6:
        raise lines.fault("the header is cut short")
    try:
        scale = float(rest[0])
        cell = np.array([row.split() for row in rest[1:4]], dtype=float).reshape(3, 3)
        counts = [int(word) for word in rest[5].split()]
    except ValueError:
        raise lines.fault(
            f"the header after {title.strip()!r} does not give a cell and numbers of atoms"
        ) from None
    # VASP: a negative scale is the wanted volume.
    cell = cell * (scale if scale > 0 else (-scale / abs(np.linalg.det(cell))) ** (1 / 3))
    symbols = [re.split(r"[_/]", word)[0] for word in rest[4].split()]
    if len(symbols) != len(counts):
        raise lines.fault(f"{len(symbols)} elements but {len(counts)} numbers of atoms")
    check_species(symbols, lines.path)
    return cell, tuple(s for s, n in zip(symbols, counts, strict=True) for _ in range(n))


def _frames(lines: _Lines, notes: Notes) -> Iterator[tuple[int, Array, tuple[str, ...], list[str]]]:
    """Line of its title, cell, species and unparsed rows of every frame."""
    index = 0
    (title,) = lines.take(1) or ("",)
    cell, species = _header(lines, title)
    while head := lines.take(1):
        if not head[0].strip():
            continue
        if not _FRAME.match(head[0]):
            cell, species = _header(lines, head[0])
            head = lines.take(1)
            if not head or not _FRAME.match(head[0]):
                raise lines.fault("'Direct configuration=' was expected here")
        start = lines.number
        found = _FRAME.match(head[0])
        if found and found[1]:
            notes.number(int(found[1]), index, start)
        index += 1
        yield start, cell, species, lines.take(len(species))


def _positions(lines: _Lines, index: int, start: int, rows: list[str], count: int) -> Array:
    if len(rows) == count:
        try:
            values: Array = np.loadtxt(rows, ndmin=2)
        except ValueError:
            values = np.empty(0)
        if values.shape == (count, 3) and np.isfinite(values).all():
            return values
    for offset, row in enumerate(rows, start=1):
        if not _TRIPLE.fullmatch(row):
            lines.number = start + offset
            raise lines.fault(f"frame {index}: {row.strip()!r} is not three numbers")
    raise lines.fault(
        f"frame {index} has {len(rows)} of {count} atoms",
        f'the run was cut: leave the frame out, frames = ":{index}"',
    )


def xdatcar_frames(path: Path, wanted: Callable[[int], bool], notes: Notes) -> Iterator[Frame | None]:
    """Frames of an XDATCAR with a fixed or a variable cell, gzipped or not.

    Fractional coordinates are taken as they stand; VASP folds them into the cell.
    """
    with open_text(path) as file:
        lines = _Lines(path, file)
        try:
            for index, (at, cell, symbols, rows) in enumerate(_frames(lines, notes)):
                if not wanted(index):
                    yield None
                    continue
                positions = _positions(lines, index, at, rows, len(symbols))
                yield Frame(symbols, positions @ cell, cell)
        except (EOFError, zlib.error) as error:
            raise lines.fault("the compressed file is damaged and ends too early", "copy it again") from error
