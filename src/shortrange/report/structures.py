"""Structures in the formats that other programs read."""

from __future__ import annotations

from pathlib import Path

from shortrange.errors import DataError
from shortrange.load.history import LABEL, MARK, history_text, is_simulated
from shortrange.quantities import Trajectory

__all__ = ["write_structure", "write_trajectory"]

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


def write_trajectory(path: Path, data: Trajectory) -> Path:
    """Write all frames as ``.extxyz`` or ``.xyz``, or one as ``.cif``, so that they are read back equal.

    Parameters
    ----------
    path
        File; its suffix chooses the format. The history is kept by ``.extxyz`` and ``.cif``.
    data
        Snapshots.

    Raises
    ------
    DataError
        If the format cannot hold them: several frames or none of a crystal in a CIF, a cell in plain XYZ.
    """
    suffix = path.suffix.lower()
    if suffix == ".cif":
        return _write_cif(path, data)
    if suffix == ".xyz" and data.cells is not None:
        raise DataError("plain XYZ cannot hold a cell", where=str(path), do="write .extxyz")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for frame, positions in enumerate(data.positions):
            file.write(f"{data.n_atoms}\n{_comment(data, frame, plain=suffix == '.xyz')}\n")
            for symbol, (x, y, z) in zip(data.species, positions.tolist(), strict=True):
                file.write(f"{symbol} {x!r} {y!r} {z!r}\n")
    return path


def _comment(data: Trajectory, frame: int, *, plain: bool) -> str:
    """Second line of a frame; the first frame carries the history."""
    if plain:
        return " ".join(data.label.split())
    words = ["Properties=species:S:1:pos:R:3"]
    if data.cells is None:
        words.append('pbc="F F F"')
    else:
        cell = " ".join(repr(x) for x in data.cells[frame].ravel().tolist())
        words = [f'Lattice="{cell}"', *words, 'pbc="T T T"']
    if frame == 0 and data.history:
        text = history_text(data.history).replace("\\", "\\\\").replace('"', '\\"')
        words.append(f'{MARK.replace(".", "_")}="{text}"')
    return " ".join(words)


def _write_cif(path: Path, data: Trajectory) -> Path:
    """Write every atom of the cell, without symmetry."""
    import numpy as np

    if data.n_frames != 1 or data.cells is None:
        what = f"{data.n_frames} frames" if data.n_frames != 1 else "a molecule without a cell"
        raise DataError(
            f"a CIF cannot hold {what}",
            where=str(path),
            do="choose one frame (--frames 0:1), or write .extxyz",
        )
    cell = data.cells[0]
    lengths = np.linalg.norm(cell, axis=1)
    angles = [
        np.degrees(np.arccos(np.clip(cell[i] @ cell[j] / (lengths[i] * lengths[j]), -1.0, 1.0)))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    lines = [f"# {LABEL}"] if is_simulated(data.history) else []
    lines.append(f"data_{_name(data.label)}")
    lines += [f"_cell_length_{n} {float(v)!r}" for n, v in zip("abc", lengths, strict=True)]
    lines += [
        f"_cell_angle_{n} {float(v)!r}" for n, v in zip(("alpha", "beta", "gamma"), angles, strict=True)
    ]
    lines += [
        "_space_group_name_H-M_alt 'P 1'",
        "_space_group_IT_number 1",
        "loop_",
        "  _space_group_symop_operation_xyz",
        "  'x, y, z'",
    ]
    lines += [
        "loop_",
        "  _atom_site_label",
        "  _atom_site_type_symbol",
        "  _atom_site_fract_x",
        "  _atom_site_fract_y",
        "  _atom_site_fract_z",
        "  _atom_site_occupancy",
    ]
    fractions = np.linalg.solve(cell.T, data.positions[0].T).T
    for number, (symbol, (x, y, z)) in enumerate(zip(data.species, fractions.tolist(), strict=True), start=1):
        lines.append(f"  {symbol}{number} {symbol} {x!r} {y!r} {z!r} 1.0")
    lines.append(f"# {MARK}: {history_text(data.history)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


def _name(label: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in label) or "structure"
