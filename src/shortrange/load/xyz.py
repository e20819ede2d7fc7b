"""XYZ and extended XYZ, streamed; CP2K writes the cells of a run into a file of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.frames import Frame, Notes, open_text
from shortrange.load.text import read_text, where
from shortrange.quantities import step

__all__ = ["extxyz_frames", "sniff_extxyz", "sniff_xyz", "xyz_frames"]

Array = NDArray[Any]

_CP2K = re.compile(r"^\s*i\s*=\s*(\d+)\b")


def _head(head: bytes) -> list[str] | None:
    lines = head.decode("latin-1").splitlines()
    return lines if len(lines) > 2 and re.fullmatch(r"\s*\d+\s*", lines[0]) else None


def sniff_extxyz(head: bytes) -> bool:
    """Whether this is extended XYZ: a count, then ``Lattice=`` or ``Properties=``."""
    lines = _head(head)
    return lines is not None and bool(re.search(r"\b(Lattice|Properties)\s*=", lines[1]))


def sniff_xyz(head: bytes) -> bool:
    """Whether this is plain XYZ: a count, a comment, then an element and three numbers."""
    lines = _head(head)
    return (
        lines is not None
        and not sniff_extxyz(head)
        and bool(re.match(r"\s*[A-Z][a-z]?(\s+[-+]?\d*\.?\d+([eEdD][-+]?\d+)?){3}", lines[2]))
    )


def _blocks(
    path: Path, file: TextIO, wanted: Callable[[int], bool]
) -> Iterator[tuple[int, str, list[str]] | None]:
    """Line of the count, comment line and rows of every frame that is wanted."""
    number = index = 0
    while count := file.readline():
        number += 1
        if not count.strip():
            continue
        if not re.fullmatch(r"\s*\d+\s*", count):
            raise DataError(
                f"frame {index} does not begin with a number of atoms but with {count.strip()[:40]!r}",
                where=where(path, number), do="repair the file, or cut it before this frame",
            )  # fmt: skip
        n = int(count)
        comment = file.readline()
        rows = list(islice(file, n))
        if len(rows) < n:
            if wanted(index):
                raise DataError(
                    f"frame {index} has {len(rows)} of {n} atoms", where=where(path, number + 1 + len(rows)),
                    do=f'the run was cut: leave the frame out, frames = ":{index}"',
                )  # fmt: skip
            return
        yield (number, comment, rows) if wanted(index) else None
        number += 1 + n
        index += 1


def _columns(path: Path, at: int, rows: list[str], symbol: int, first: int) -> tuple[tuple[str, ...], Array]:
    """Elements and positions of the rows, which begin two lines after line ``at``."""
    words = [row.split() for row in rows]
    try:
        species = tuple(word[symbol] for word in words)
        positions = np.array([word[first : first + 3] for word in words], dtype=float)
        if positions.shape == (len(rows), 3):
            return species, positions
    except (ValueError, IndexError):
        pass
    for offset, word in enumerate(words):
        try:
            ok = len(np.array(word[first : first + 3], dtype=float)) == 3 and len(word) > symbol
        except ValueError:
            ok = False
        if not ok:
            raise DataError(
                f"{rows[offset].strip()[:60]!r} is not an element and three numbers",
                where=where(path, at + 2 + offset), do="repair the file, or leave this frame out",
            )  # fmt: skip
    raise DataError("the positions cannot be read", where=where(path, at), do="repair the file")


def extxyz_frames(path: Path, wanted: Callable[[int], bool], notes: Notes) -> Iterator[Frame | None]:
    """Frames of extended XYZ: ``Lattice``, ``pbc`` and the columns species and pos are read."""
    del notes
    with open_text(path) as file:
        for block in _blocks(path, file, wanted):
            yield None if block is None else _extended(path, *block)


def _extended(path: Path, at: int, comment: str, rows: list[str]) -> Frame:
    from ase.io import extxyz

    parse: Callable[[str], dict[str, Any]] = extxyz.key_val_str_to_dict
    try:
        fields = parse(comment)
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(
            f"the comment line cannot be read ({error})", where=where(path, at + 1), do="repair it"
        ) from None
    symbol, first = _layout(path, at, str(fields.get("Properties", "species:S:1:pos:R:3")))
    species, positions = _columns(path, at, rows, symbol, first)
    lattice = fields.get("Lattice")
    periodic = np.any(fields["pbc"]) if "pbc" in fields else True
    if lattice is None or not periodic:
        return Frame(species, positions, None)
    cell = np.array(lattice, dtype=float).ravel()
    if cell.size != 9 or not np.isfinite(cell).all():
        raise DataError(
            "Lattice is not nine numbers", where=where(path, at + 1), do='write Lattice="ax ay ..."'
        )
    # ase's own parser returns the matrix of columns for this key.
    return Frame(species, positions, cell.reshape(3, 3).T if np.ndim(lattice) == 2 else cell.reshape(3, 3))


def _layout(path: Path, at: int, properties: str) -> tuple[int, int]:
    """Columns where the element and the first coordinate stand."""
    places, column = {}, 0
    words = properties.split(":")
    if len(words) % 3:
        raise DataError(
            f"Properties={properties} is not triples of name:type:count", where=where(path, at + 1),
            do="write Properties=species:S:1:pos:R:3",
        )  # fmt: skip
    for name, _, count in zip(words[::3], words[1::3], words[2::3], strict=True):
        places[name] = column
        column += int(count) if count.isdigit() else 1
    for name in ("species", "pos"):
        if name not in places:
            raise DataError(
                f"Properties={properties} has no column {name!r}", where=where(path, at + 1),
                do="write Properties=species:S:1:pos:R:3",
            )  # fmt: skip
    return places["species"], places["pos"]


def xyz_frames(
    path: Path, wanted: Callable[[int], bool], notes: Notes, *, cell: str | Path | None = None
) -> Iterator[Frame | None]:
    """Frames of plain XYZ: molecules, or a box whose cell is given as `read_cells` takes it."""
    cells = None if cell is None else read_cells(cell)
    if cells is not None:
        notes.steps.append(step("take cells", given=str(cell)))
    index = -1
    with open_text(path) as file:
        for index, block in enumerate(_blocks(path, file, wanted)):
            if block is None:
                yield None
                continue
            at, comment, rows = block
            if index == 0 and cells is None and _CP2K.match(comment):
                notes.steps.append(
                    step("warning: this run of CP2K was read without a cell, as a molecule; give its cell")
                )
            species, positions = _columns(path, at, rows, 0, 1)
            yield Frame(
                species, positions, None if cells is None else _cell_of(path, at, comment, index, cells)
            )


def _cell_of(path: Path, at: int, comment: str, index: int, cells: dict[int, Array] | Array) -> Array:
    if isinstance(cells, np.ndarray):
        return cells
    named = _CP2K.match(comment)
    number = int(named[1]) if named else sorted(cells)[index] if index < len(cells) else -1
    if number not in cells:
        raise DataError(
            f"frame {index}{f' (step {number})' if named else ''} has no cell in the file of cells",
            where=where(path, at + 1), do="give the .cell file of the same run, or one constant cell",
        )  # fmt: skip
    return cells[number]


def read_cells(cell: str | Path) -> dict[int, Array] | Array:
    """Cells of a run.

    Parameters
    ----------
    cell
        A ``.cell`` file of CP2K; or numbers separated by commas: an edge, three edges, three edges and three
        angles (degrees), or nine components, in angstrom.

    Returns
    -------
    dict or Array
        Lattice vectors (3, 3) by step of the run; or one for all frames.

    Raises
    ------
    DataError
        If it is neither.
    """
    from ase.cell import Cell

    numbers = re.fullmatch(r"\s*([-+.\deE]+\s*(,\s*[-+.\deE]+\s*)*)", str(cell))
    if numbers:
        values = [float(word) for word in str(cell).split(",")]
        if len(values) == 1:
            values *= 3
        if len(values) == 3:
            values += [90.0, 90.0, 90.0]
        if len(values) == 9:
            return np.array(values).reshape(3, 3)
        if len(values) == 6 and min(values) > 0:
            parse: Callable[..., Any] = Cell.fromcellpar
            return np.array(parse(values))
        raise DataError(
            f"the cell {cell} is {len(values)} numbers", where="cell",
            do="give 1, 3, 6 or 9 numbers above zero, such as 15.3,15.3,15.3",
        )  # fmt: skip
    path = Path(cell)
    found = {}
    for number, line in read_text(path):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        try:
            found[int(words[0])] = np.array(words[2:11], dtype=float).reshape(3, 3)
        except (ValueError, IndexError):
            raise DataError(
                "this row is not a step, a time and nine components", where=where(path, number),
                do="give the .cell file that CP2K writes",
            ) from None  # fmt: skip
    if not found:
        raise DataError("there is no cell in this file", where=str(path), do="give CP2K's .cell file")
    return found
