"""Structures in the formats that other programs read."""

from __future__ import annotations

from pathlib import Path

from shortrange.quantities import Trajectory

__all__ = ["write_structure"]

_FORMATS = {".xyz": "xyz", ".extxyz": "extxyz", ".cif": "cif"}


def write_structure(path: Path, snapshot: Trajectory, *, comment: str = "") -> Path:
    """Write the first frame as ``.xyz``, ``.extxyz`` or, if it has a cell, ``.cif`` (through ase).

    Parameters
    ----------
    path
        File; its suffix chooses the format.
    snapshot
        Structure.
    comment
        For the line that the first two formats have for it.
    """
    from ase import Atoms
    from ase.io import write

    cell = None if snapshot.cells is None else snapshot.cells[0]
    atoms = Atoms(
        symbols=list(snapshot.species), positions=snapshot.positions[0], cell=cell, pbc=cell is not None
    )
    text = " ".join(comment.split())
    name = _FORMATS[path.suffix]
    if name == "xyz":
        write(path, atoms, format=name, comment=text)
    elif name == "extxyz":
        atoms.info["comment"] = text
        write(path, atoms, format=name)
    else:
        write(path, atoms, format=name)
    return path
