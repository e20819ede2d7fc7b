"""Crystals with occupancies and displacements: CIF and PDFgui structures, others as P1; molecules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shortrange.crystal import Crystal, system_of_cell
from shortrange.errors import DataError, ShortrangeError
from shortrange.load.by_diffpy import parse_structure
from shortrange.load.read import load_trajectory
from shortrange.load.site_elements import site_elements
from shortrange.load.structures import sniff_cif
from shortrange.load.text import read_text
from shortrange.quantities import Step, Trajectory, step

__all__ = ["crystal_from_trajectory", "load_crystal"]

Array = NDArray[Any]

_SAME_PLACE = 0.01  # angstrom
_NEAREST = 0.5  # angstrom; no bond is shorter, that of hydrogen is 0.74


def load_crystal(path: str | Path, *, system: str | None = None) -> Crystal:
    """Read one crystal with all sites of its cell, symmetry applied, occupancies kept; or one molecule.

    Parameters
    ----------
    path
        CIF, PDFgui or DISCUS structure (``.stru``), or any file of a structure of one frame; one
        without a cell is a molecule.
    system
        Crystal system that ties the lattice parameters; by default that of the space group, and for P1 the
        most symmetric one that the cell has.

    Raises
    ------
    DataError
        If the file cannot be read, is no crystal, or contradicts itself.
    """
    path = Path(path)
    text = "\n".join(line for _, line in read_text(path))
    kind = (
        "cif" if sniff_cif(text.encode("latin-1", "replace")) or path.suffix.lower() == ".cif" else "pdffit"
    )
    if kind == "pdffit" and not _is_stru(text):
        return crystal_from_trajectory(load_trajectory(path), system=system)
    try:
        return _parse(path, text, kind, system)
    except ShortrangeError:
        raise
    except Exception as error:
        # The parser fails in its own words; the user still gets what, where and what to do.
        raise DataError(
            f"the structure cannot be read: {type(error).__name__}: {str(error).strip() or 'no reason'}",
            where=str(path), do="check that it is complete: a cell, its symmetry, and a list of sites",
        ) from error  # fmt: skip


def crystal_from_trajectory(snapshot: Trajectory, *, system: str | None = None) -> Crystal:
    """Take a structure of one frame as a crystal without symmetry, or as a molecule if it has no cell.

    Raises
    ------
    DataError
        If it has more than one frame; if it is a molecule of one atom, of atoms that overlap, or is to have a
        crystal system.
    """
    where = snapshot.source or snapshot.label or "structure"
    if snapshot.n_frames > 1:
        raise DataError(
            f"there are {snapshot.n_frames} frames",
            where=where,
            do="give one, as a phase is one crystal; `shortrange run` compares averages of snapshots",
        )
    if snapshot.cells is None:
        return _molecule(snapshot, where, system)
    cell = snapshot.cells[0]
    lengths = np.linalg.norm(cell, axis=1)
    b, c, a = np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0), lengths
    cosines = np.sum(b * c, axis=1) / (np.roll(a, -1) * np.roll(a, -2))
    lattice = tuple(float(x) for x in (*lengths, *np.degrees(np.arccos(np.clip(cosines, -1, 1)))))
    n = snapshot.n_atoms
    return Crystal(
        lattice=lattice, species=snapshot.species, positions=snapshot.positions[0] @ np.linalg.inv(cell),
        occupancies=np.ones(n), u_iso=np.full(n, np.nan), system=system or system_of_cell(lattice),
        label=snapshot.label, source=snapshot.source, history=snapshot.history,
    )  # fmt: skip


def _molecule(molecule: Trajectory, where: str, system: str | None) -> Crystal:
    if system is not None:
        raise DataError(f"a molecule, without a cell, is to be {system}", where=where,
                        do="remove system, or give a structure with a cell")  # fmt: skip
    n, positions = molecule.n_atoms, molecule.positions[0]
    if n < 2:
        raise DataError("a molecule of one atom has no distances", where=where, do="give two atoms or more")
    distances, partners = cKDTree(positions).query(positions, k=2)
    i = int(np.argmin(distances[:, 1]))
    if distances[i, 1] < _NEAREST:
        j, names = int(partners[i, partners[i] != i][0]), molecule.species
        raise DataError(
            f"atoms {i + 1} ({names[i]}) and {j + 1} ({names[j]}) overlap: they are {distances[i, 1]:.3g} "
            "angstrom apart",
            where=where, do="remove one of them; positions are in angstrom",
        )  # fmt: skip
    return Crystal(
        lattice=(1, 1, 1, 90, 90, 90), species=molecule.species, positions=positions, occupancies=np.ones(n),
        u_iso=np.full(n, np.nan), system="cubic", periodic=False, label=molecule.label,
        source=molecule.source, history=molecule.history,
    )  # fmt: skip


def _is_stru(text: str) -> bool:
    return bool(
        re.search(r"^\s*(title|scale|sharp|spcgr)\b", text, re.M) and re.search(r"^\s*atoms\s*$", text, re.M)
    )


def _parse(path: Path, text: str, kind: str, system: str | None) -> Crystal:
    if kind == "cif":
        _check_cif(path, text)
    parser, structure = parse_structure(kind, text)
    if not len(structure):
        raise DataError("the structure lists no atoms", where=str(path), do="give the list of its sites")
    lattice = tuple(float(x) for x in structure.lattice.abcABG())
    group = getattr(parser, "spacegroup", None)
    species, renamed = site_elements((atom.element for atom in structure), path)
    occupancies = np.array([float(atom.occupancy) for atom in structure])
    positions = np.array([atom.xyz for atom in structure], dtype=float)
    _check_sharing(path, species, positions, occupancies, np.array(structure.lattice.base))
    u_iso = np.array([float(atom.Uisoequiv) for atom in structure])
    u_iso[u_iso == 0] = np.nan
    anisotropic = np.array([bool(atom.anisotropy) for atom in structure])
    tensors = np.array([atom.U[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]] for atom in structure], dtype=float)
    tensors[~anisotropic] = np.nan
    return Crystal(
        lattice=lattice, species=species, positions=positions, occupancies=occupancies, u_iso=u_iso,
        system=system or _system(group, lattice), space_group=getattr(group, "short_name", "P1"),
        labels=_labels(parser, structure), operations=_operations(group),
        u_aniso=tensors if anisotropic.any() else None,
        label=path.name.split(".")[0], source=str(path),
        history=_history(path, "_atom_site_aniso_u_11" in text.lower(), group) + renamed,
    )  # fmt: skip


def _labels(parser: Any, structure: Any) -> tuple[str, ...]:
    """One label for each orbit: those of the asymmetric unit, made different where the file repeats one."""
    expanded = getattr(getattr(parser, "eau", None), "expandedpos", None)
    sizes = [len(places) for places in expanded] if expanded else [1] * len(structure)
    if sum(sizes) != len(structure):
        sizes = [1] * len(structure)
    firsts = np.cumsum([0, *sizes[:-1]])
    names = [structure[int(k)].label or f"{structure[int(k)].element}{k + 1}" for k in firsts]
    seen: dict[str, int] = {}
    labels: list[str] = []
    for name, size in zip(names, sizes, strict=True):
        seen[name] = seen.get(name, 0) + 1
        own = name if seen[name] == 1 else f"{name}#{seen[name]}"
        labels += [own] * size
    return tuple(labels)


def _operations(group: Any) -> NDArray[Any] | None:
    """Operations of a space group of diffpy, shape (n, 3, 4)."""
    if group is None:
        return None
    return np.array([np.column_stack([op.R, op.t]) for op in group.iter_symops()], dtype=float)


def _check_cif(path: Path, text: str) -> None:
    """Refuse what diffpy would fill with a guess."""
    lacking = [
        f"_cell_{name}"
        for name in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        if not re.search(rf"^\s*_cell_{name}\s+\S", text, re.M | re.I)
    ]  # fmt: skip
    if lacking:
        raise DataError(
            f"the CIF has no {', '.join(lacking)}", where=str(path), do="give a CIF with a whole cell"
        )
    bad = re.search(r"^\s*(_cell_(?:length|angle)_\w+)\s+([?.]|\S*[A-Za-z]\S*)\s*$", text, re.M)
    if bad:
        raise DataError(f"{bad.group(1)} is {bad.group(2)!r}", where=str(path), do="give a number")
    if "_atom_site_fract_x" not in text.lower():
        raise DataError("the CIF lists no atoms by fractional coordinates", where=str(path),
                        do="give a CIF with an _atom_site loop")  # fmt: skip


def _system(group: Any, lattice: tuple[float, ...]) -> str:
    name = str(getattr(group, "crystal_system", "TRICLINIC")).lower()
    if name == "triclinic":
        return system_of_cell(lattice)
    if name == "trigonal":
        return (
            "hexagonal"
            if abs(lattice[5] - 120.0) < 0.05 and abs(lattice[3] - 90.0) < 0.05
            else "rhombohedral"
        )
    return name


def _check_sharing(
    path: Path, species: tuple[str, ...], positions: Array, occupancies: Array, base: Array
) -> None:
    """Refuse a place that holds more than one atom."""
    for i in range(len(species)):
        apart = positions - positions[i]
        apart -= np.rint(apart)
        here = np.linalg.norm(apart @ base, axis=1) < _SAME_PLACE
        total = float(occupancies[here].sum())
        if total > 1 + 1e-3:
            names = ", ".join(f"{species[k]} {occupancies[k]:g}" for k in np.flatnonzero(here))
            raise DataError(
                f"one place is occupied by {total:g} atoms: {names}", where=str(path),
                do="correct the occupancies, or remove the doubled site",
            )  # fmt: skip


def _history(path: Path, anisotropic: bool, group: Any) -> tuple[Step, ...]:
    symbol = getattr(group, "short_name", "P1")
    done = step("load crystal", file=str(path), space_group=symbol)
    if not anisotropic:
        return (done,)
    return (done, step("take the mean of anisotropic displacements"))
