"""Crystals as CIF: the sites that symmetry makes all others from, with the operations; molecules as XYZ."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.crystal import CELL_NAMES, Crystal
from shortrange.quantities import Trajectory
from shortrange.report.structures import write_structure
from shortrange.simulate.sites import orbit_labels

__all__ = ["write_crystal", "write_molecule"]

Array = NDArray[Any]

_ANISOTROPIC = ("U_11", "U_22", "U_33", "U_12", "U_13", "U_23")


def write_crystal(path: Path, crystal: Crystal, *, simulated: bool = False) -> Path:
    """Write a crystal as CIF; `shortrange.load_crystal` reads it back equal.

    Parameters
    ----------
    path
        File.
    crystal
        With its labels and symmetry operations; without operations all sites are written in P1.
    simulated
        Whether it was refined against data made from a model.
    """
    lines = [f"# shortrange {__version__}"]
    if simulated:
        lines.append("# SIMULATED DATA")
    lines += [f"data_{crystal.label or 'phase'}", f"_space_group_name_H-M_alt '{crystal.space_group}'"]
    for name, value in zip(CELL_NAMES, crystal.lattice, strict=True):
        lines.append(f"_cell_{'length' if len(name) == 1 else 'angle'}_{name} {value:.7g}")
    symmetric = crystal.operations is not None and bool(crystal.labels)
    operations = crystal.operations if symmetric and crystal.operations is not None else _identity()
    lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{_xyz(op)}'" for op in operations)]
    lines += [
        "loop_", "_atom_site_label", "_atom_site_type_symbol", "_atom_site_fract_x", "_atom_site_fract_y",
        "_atom_site_fract_z", "_atom_site_occupancy", "_atom_site_U_iso_or_equiv", "_atom_site_adp_type",
    ]  # fmt: skip
    labels = orbit_labels(crystal)
    firsts = [labels.index(x) for x in dict.fromkeys(labels)] if symmetric else range(len(labels))
    tensors = crystal.u_aniso
    for k in firsts:
        x, y, z = crystal.positions[k]
        u = crystal.u_iso[k]
        kind = "Uani" if tensors is not None and np.isfinite(tensors[k]).all() else "Uiso"
        lines.append(f"{labels[k]} {crystal.species[k]} {x:.8f} {y:.8f} {z:.8f} {crystal.occupancies[k]:.6g} "
                     f"{f'{u:.6g}' if np.isfinite(u) else '?'} {kind}")  # fmt: skip
    if tensors is not None:
        lines += ["loop_", "_atom_site_aniso_label", *(f"_atom_site_aniso_{name}" for name in _ANISOTROPIC)]
        lines += [
            f"{labels[k]} " + " ".join(f"{u:.6g}" for u in tensors[k])
            for k in firsts if np.isfinite(tensors[k]).all()
        ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


def write_molecule(path: Path, molecule: Crystal, *, simulated: bool = False) -> Path:
    """Write a molecule as XYZ; `shortrange.load_crystal` reads it back equal, but for U.

    Parameters
    ----------
    path, simulated
        See `write_crystal`.
    molecule
        A crystal that is not periodic.
    """
    frame = Trajectory(species=molecule.species, positions=molecule.positions[None] * molecule.lattice[0])
    title = f"shortrange {__version__}: {molecule.label}{', SIMULATED DATA' if simulated else ''}"
    return write_structure(path, frame, comment=title)


def _identity() -> Array:
    return np.hstack([np.eye(3), np.zeros((3, 1))])[None]


def _xyz(operation: Array) -> str:
    """Operation in the words of a CIF, such as ``-x, y+1/2, -z+1/2``."""
    words = []
    for row in operation:
        text = ""
        for factor, letter in zip(row[:3], "xyz", strict=True):
            if round(factor):
                text += ("-" if factor < 0 else "+" if text else "") + letter
        moved = Fraction(float(row[3]) % 1.0).limit_denominator(24) % 1
        words.append(text + (f"+{moved}" if moved else ""))
    return ", ".join(words)
