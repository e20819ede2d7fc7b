"""Structures and trajectories: CIF by diffpy.structure, everything without a reader of its own by ase."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from shortrange.errors import DataError
from shortrange.load.by_diffpy import parse_structure
from shortrange.load.frames import Frame, Notes, check_frames, frames_text, open_binary
from shortrange.load.site_elements import site_elements
from shortrange.load.text import is_gzip, read_text
from shortrange.quantities import Trajectory, step

__all__ = ["ase_frames", "read_cif", "sniff_cif"]


def sniff_cif(head: bytes) -> bool:
    """Whether this is a CIF."""
    text = head.decode("latin-1")
    return bool(re.search(r"^data_\S*", text, re.M) and re.search(r"^\s*_\w+", text, re.M)) or bool(
        re.search(r"^_cell_length_a\s", text, re.M)
    )


def ase_frames(path: Path, wanted: Callable[[int], bool], notes: Notes) -> Iterator[Frame | None]:
    """Frames of any other format that ase recognises.

    ``.traj`` and OUTCAR are read frame by frame; what ase offers no iterator for is read as a whole.
    """
    from ase.io.formats import UnknownFileTypeError

    del notes
    try:
        for index, atoms in enumerate(_images(path)):
            yield _frame_of(atoms) if wanted(index) else None
    except UnknownFileTypeError as error:
        raise DataError(
            f"the format of this structure is not known ({error})",
            where=str(path),
            do="convert it to extxyz, CIF, XDATCAR or another format that ase reads",
        ) from error
    except Exception as error:
        if isinstance(error, DataError | MemoryError) or getattr(error, "errno", None) is not None:
            raise  # said already, or a fault of the machine, not of the file
        raise DataError(
            f"ase takes this for the format {_format_of(path)!r}, by its name or beginning, and cannot "
            f"read it: {_reason(error)}",
            where=str(path),
            do="check that the file is complete; if it is of another format, give it the usual ending of "
            "that, or convert it to extxyz, CIF or XDATCAR",
        ) from error


def _format_of(path: Path) -> str:
    from ase.io.formats import filetype, ioformats

    return str(
        ioformats[filetype(path.name, read=False) if is_gzip(path) else filetype(str(path))].description
    )


def _reason(error: Exception) -> str:
    """Say what a fault of one of ase's readers means for who has the file."""
    if isinstance(error, UnicodeDecodeError):
        return "it is binary, not text"
    if isinstance(error, AssertionError | AttributeError | LookupError | TypeError) or not str(error):
        # These tell about the inside of the reader, not about the file.
        return "a part that the format asks for is missing or is something else"
    return str(error).splitlines()[0][:200]


def _images(path: Path) -> Iterator[Any]:
    import ase.io
    from ase.io.formats import filetype
    from ase.io.vasp import iread_vasp_out

    with ExitStack() as stack:
        source = path
        if is_gzip(path):
            # ase seeks in its files, which a compressed one answers by starting over.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shortrange-")))
            source = folder / path.name.removesuffix(".gz")
            with open_binary(path) as packed, source.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # ase warns of what does not concern positions, cells and species
        if filetype(str(source)) == "vasp-out":
            # By its name ase would hand out frames only after it has made all of them.
            read: Callable[..., Iterator[Any]] = iread_vasp_out
            yield from read(stack.enter_context(source.open(encoding="utf-8", errors="replace")), index=":")
        else:
            yield from ase.io.iread(source, index=":")


def _frame_of(atoms: Any) -> Frame:
    periodic = bool(atoms.cell.rank == 3 and atoms.pbc.any())
    return Frame(
        tuple(atoms.get_chemical_symbols()), atoms.positions.copy(), atoms.cell.array if periodic else None
    )


def read_cif(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read a crystal with all atoms of its cell, symmetry applied.

    Raises
    ------
    DataError
        If a site is not fully occupied by one element, or there are no atoms.
    """
    _, crystal = parse_structure("cif", "\n".join(line for _, line in read_text(path)))
    if not len(crystal):
        raise DataError("the CIF lists no atoms", where=str(path), do="give a CIF with an _atom_site loop")
    species, renamed = site_elements((atom.element for atom in crystal), path)
    for atom, symbol in zip(crystal, species, strict=True):
        if abs(atom.occupancy - 1.0) > 1e-3:
            raise DataError(
                f"site {atom.label or symbol} is occupied by {atom.occupancy:g} {symbol}",
                where=str(path),
                do="fill a supercell with whole atoms: `shortrange simulate ... --fill 4,4,4`, or in Python"
                " shortrange.simulate.occupancies.sample_occupancies",
            )
    check_frames(frames, 1, path)
    cell = crystal.lattice
    return Trajectory(
        species=species,
        positions=np.array([crystal.xyz_cartn]),
        cells=np.array([cell.base]),
        source=str(path),
        label=path.name.split(".")[0],
        history=(
            step("load structures", file=str(path), frames=frames_text(frames), frames_in_file=1),
            *renamed,
        ),
    )
