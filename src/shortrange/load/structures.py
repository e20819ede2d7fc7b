"""Structures and trajectories: CIF by diffpy.structure, everything without a reader of its own by ase."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from shortrange.atoms import atomic_number
from shortrange.errors import DataError
from shortrange.load.text import read_bytes, read_text
from shortrange.quantities import Step, Trajectory, step

__all__ = [
    "frames_text",
    "read_ase",
    "read_cif",
    "read_extxyz",
    "read_xyz",
    "sniff_cif",
    "sniff_extxyz",
    "sniff_xyz",
]


def frames_text(frames: slice | None) -> str:
    """Write a slice as ``start:stop:step``."""
    if frames is None:
        return ":"
    parts = ["" if part is None else str(part) for part in (frames.start, frames.stop, frames.step)]
    return ":".join(parts[:2] if frames.step is None else parts)


def check_species(symbols: Iterable[str], path: Path) -> None:
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


def sniff_cif(head: bytes) -> bool:
    """Whether this is a CIF."""
    text = head.decode("latin-1")
    return bool(re.search(r"^data_\S*", text, re.M) and re.search(r"^\s*_\w+", text, re.M)) or bool(
        re.search(r"^_cell_length_a\s", text, re.M)
    )


def _xyz_head(head: bytes) -> list[str] | None:
    lines = head.decode("latin-1").splitlines()
    return lines if len(lines) > 2 and re.fullmatch(r"\s*\d+\s*", lines[0]) else None


def sniff_extxyz(head: bytes) -> bool:
    """Whether this is extended XYZ: a count, then ``Lattice=`` or ``Properties=``."""
    lines = _xyz_head(head)
    return lines is not None and bool(re.search(r"\b(Lattice|Properties)\s*=", lines[1]))


def sniff_xyz(head: bytes) -> bool:
    """Whether this is plain XYZ: a count, a comment, then an element and three numbers."""
    lines = _xyz_head(head)
    return (
        lines is not None
        and not sniff_extxyz(head)
        and bool(re.match(r"\s*[A-Z][a-z]?(\s+[-+]?\d*\.?\d+([eEdD][-+]?\d+)?){3}", lines[2]))
    )


def _from_ase(path: Path, frames: slice | None, format: str | None) -> Trajectory:
    import ase.io

    content = read_bytes(path, 1 if format is None else -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ase warns of what does not concern positions, cells and species
        # ase seeks in a compressed file, which takes a hundred times as long as to unpack it first.
        source: Any = path if format is None else io.StringIO(content.decode("latin-1"))
        images: Any = ase.io.read(source, index=":", format=format)
    return _stack(path, images, frames)


def _stack(path: Path, images: list[Any], frames: slice | None) -> Trajectory:
    chosen = check_frames(frames, len(images), path)
    species = tuple(images[chosen[0]].get_chemical_symbols())
    check_species(species, path)
    for i in chosen:
        other = tuple(images[i].get_chemical_symbols())
        if other != species:
            raise DataError(
                f"frame {i} has other atoms than frame {chosen[0]}: "
                f"{images[i].get_chemical_formula()} and {images[chosen[0]].get_chemical_formula()}",
                where=f"{path}, frame {i}",
                do='give frames of the same atoms in one order; select with frames = "start:stop:step"',
            )
    periodic = [bool(images[i].cell.rank == 3 and images[i].pbc.any()) for i in chosen]
    if any(periodic) != all(periodic):
        odd = chosen[periodic.index(not periodic[0])]
        raise DataError(
            f"frame {odd} has {'no cell' if periodic[0] else 'a cell'}, unlike frame {chosen[0]}",
            where=f"{path}, frame {odd}",
            do="give every frame its cell",
        )
    return Trajectory(
        species=species,
        positions=np.array([images[i].positions for i in chosen]),
        cells=np.array([images[i].cell.array for i in chosen]) if all(periodic) else None,
        source=str(path),
        label=path.name.split(".")[0],
        history=(_loaded(path, frames, len(images)),),
    )


def _loaded(path: Path, frames: slice | None, count: int) -> Step:
    return step("load structures", file=str(path), frames=frames_text(frames), frames_in_file=count)


def read_extxyz(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read extended XYZ.

    Raises
    ------
    DataError
        If frames differ in their atoms, or ``frames`` selects none.
    """
    return _from_ase(path, frames, "extxyz")


def read_xyz(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read plain XYZ: molecules, without a cell."""
    return _from_ase(path, frames, "xyz")


def read_ase(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read any other format that ase recognises."""
    from ase.io.formats import UnknownFileTypeError

    try:
        return _from_ase(path, frames, None)
    except UnknownFileTypeError as error:
        raise DataError(
            f"the format of this structure is not known ({error})",
            where=str(path),
            do="convert it to extxyz, CIF, XDATCAR or another format that ase reads",
        ) from error


def read_cif(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read a crystal with all atoms of its cell, symmetry applied.

    Raises
    ------
    DataError
        If a site is not fully occupied by one element, or there are no atoms.
    """
    from diffpy.structure.parsers import getParser

    text = "\n".join(line for _, line in read_text(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crystal = getParser("cif").parse(text)
    if not len(crystal):
        raise DataError("the CIF lists no atoms", where=str(path), do="give a CIF with an _atom_site loop")
    species = []
    for atom in crystal:
        symbol = re.sub(r"[^A-Za-z].*", "", atom.element).capitalize()
        check_species([symbol], path)
        if abs(atom.occupancy - 1.0) > 1e-3:
            raise DataError(
                f"site {atom.label or symbol} is occupied by {atom.occupancy:g} {symbol}",
                where=str(path),
                do="replace partial occupancies by explicit atoms, in a supercell that shares the site out",
            )
        species.append(symbol)
    check_frames(frames, 1, path)
    cell = crystal.lattice
    return Trajectory(
        species=tuple(species),
        positions=np.array([crystal.xyz_cartn]),
        cells=np.array([cell.base]),
        source=str(path),
        label=path.name.split(".")[0],
        history=(_loaded(path, frames, 1),),
    )
