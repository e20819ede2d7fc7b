"""Where ions are: probability density on a grid, sites, jumps between them, and whether they percolate."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.frames import Snapshots, runs_of_frames
from shortrange.analyse.roles import atoms_of
from shortrange.errors import DataError, ShortrangeError

__all__ = [
    "Density",
    "probability_density",
    "symmetrised",
    "symmetry_operations",
    "write_chgcar",
    "write_cube",
]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Density:
    """Ions per volume, averaged over time.

    Attributes
    ----------
    values
        Ions per cubic angstrom at grid points along the lattice vectors, shape (na, nb, nc); its integral
        over the cell is the number of ions.
    cell
        Mean lattice vectors as rows, angstrom.
    elements
        Which ions.
    smoothing
        Standard deviation of the Gaussian by which it was smoothed, angstrom.
    frame
        Mean positions of the other atoms (fractions in [0, 1)) and their elements, for the pictures.
    operations
        Number of symmetry operations over which it was averaged.
    """

    values: Array
    cell: Array
    elements: tuple[str, ...]
    smoothing: float
    frame: tuple[Array, tuple[str, ...]]
    operations: int = 1


def probability_density(
    trajectory: Snapshots,
    elements: tuple[str, ...],
    *,
    spacing: float = 0.25,
    smoothing: float = 0.3,
) -> Density:
    """Probability density of some ions on a grid.

    Parameters
    ----------
    trajectory
        Frames of a periodic cell, drift removed.
    elements
        Which ions.
    spacing
        Of the grid, angstrom, at most.
    smoothing
        Standard deviation of a Gaussian, angstrom; 0 for none.

    Raises
    ------
    DataError
        If there is no cell or no such ion, or a setting is out of range.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    atoms = atoms_of(trajectory, elements)
    if trajectory.cells is None:
        raise DataError(
            "a density needs a cell, and the file gives none", where=where, do="give a periodic run"
        )
    if not atoms.size:
        raise DataError(
            f"there is no {' or '.join(elements) or 'mobile ion'}", where=where, do="name --mobile"
        )
    if not (0.02 <= spacing <= 2.0 and 0 <= smoothing <= 3.0):
        raise DataError(
            f"spacing = {spacing} and smoothing = {smoothing} angstrom",
            where=where,
            do="give a spacing of 0.02 to 2 and a smoothing of 0 to 3",
        )
    cell = trajectory.cells.mean(axis=0)
    shape = np.maximum(np.ceil(np.linalg.norm(cell, axis=1) / spacing).astype(int), 1)
    volume = abs(float(np.linalg.det(cell)))
    rest = np.setdiff1d(np.arange(trajectory.n_atoms), atoms)
    values, turns = np.zeros(shape), np.zeros((rest.size, 3), dtype=complex)
    for _, part in runs_of_frames(trajectory):
        assert part.cells is not None
        fractions = np.einsum("fai,fij->faj", part.positions, np.linalg.inv(part.cells))
        values += _spread(fractions[:, atoms].reshape(-1, 3), shape)
        turns += np.exp(2j * np.pi * fractions[:, rest]).sum(axis=0)
    values *= np.prod(shape) / (volume * trajectory.n_frames)
    if smoothing:
        values = _smooth(values, cell, smoothing)
    # The circular mean over frames does not mind the faces of the cell.
    mean = np.angle(turns) / (2.0 * np.pi) % 1.0
    return Density(
        values=values,
        cell=cell,
        elements=tuple(elements),
        smoothing=smoothing,
        frame=(mean, tuple(trajectory.species[i] for i in rest)),
    )


def _spread(fractions: Array, shape: Array) -> Array:
    """Share each point among the eight grid points around it."""
    at = (fractions - np.floor(fractions)) * shape
    low = np.floor(at).astype(int)
    part = at - low
    out = np.zeros(int(np.prod(shape)))
    for corner in np.ndindex(2, 2, 2):
        index = (low + corner) % shape
        weight = np.prod(np.where(corner, part, 1.0 - part), axis=1)
        flat = np.ravel_multi_index(tuple(index.T), tuple(shape))
        out += np.bincount(flat, weights=weight, minlength=out.size)
    return out.reshape(shape)


def _smooth(values: Array, cell: Array, sigma: float) -> Array:
    """Convolve with a Gaussian, exactly periodic in any cell."""
    reciprocal = 2.0 * np.pi * np.linalg.inv(cell).T
    h = [np.fft.fftfreq(n, 1.0 / n) for n in values.shape]
    q = sum(x[..., None] * b for x, b in zip(np.meshgrid(*h, indexing="ij"), reciprocal, strict=True))
    smooth = np.fft.ifftn(np.fft.fftn(values) * np.exp(-0.5 * sigma**2 * (q**2).sum(axis=-1))).real
    return np.asarray(np.clip(smooth, 0.0, None))


def symmetry_operations(density: Density, *, tolerance: float = 0.5) -> list[tuple[Array, Array]]:
    """Symmetry of the mean positions of the atoms that do not move, by spglib (Togo and Tanaka 2018).

    Parameters
    ----------
    density
        Its ``frame`` is looked at; a supercell has the translations between its cells as well.
    tolerance
        How far mean positions may lie from symmetric ones, angstrom.

    Returns
    -------
    list
        (rotation, translation) in fractions, for `symmetrised`.

    Raises
    ------
    ShortrangeError
        If spglib is not installed.
    DataError
        If every atom moves, or spglib finds no symmetry within the tolerance.
    """
    if importlib.util.find_spec("spglib") is None:
        raise ShortrangeError(
            "spglib is not installed", where="symmetry", do='pip install "shortrange[symmetry]"'
        )
    if not 0 < tolerance <= 2:
        raise DataError(
            f"a tolerance of {tolerance} angstrom", where="symmetry", do="give more than 0 and at most 2"
        )
    if not density.frame[1]:
        raise DataError(
            "every atom moves: nothing shows the symmetry", where="symmetry", do="leave symmetrising out"
        )
    import spglib

    crystal: Any = (density.cell, density.frame[0], _atoms(density).numbers)
    with warnings.catch_warnings():
        # Of the change from returning None to raising: both are caught here.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            found = spglib.get_symmetry(crystal, symprec=tolerance)
        except getattr(spglib, "SpglibError", ValueError):
            found = None
    if found is None:
        raise DataError(
            f"no symmetry is found within {tolerance} angstrom", where="symmetry", do="give another tolerance"
        )
    return list(zip(found["rotations"], found["translations"], strict=True))


def symmetrised(density: Density, operations: list[tuple[Array, Array]]) -> Density:
    """Average over a group of symmetry operations, each a rotation and a translation in fractions.

    Translations alone (of a supercell, or of a centred cell) are averaged exactly, by Fourier transform;
    rotations by linear interpolation, one for each class of operations that differ by a translation.

    Parameters
    ----------
    density
        On a grid.
    operations
        Such as from spglib: (rotation, shape (3, 3), integers; translation, shape (3,)).

    Raises
    ------
    DataError
        If there is no operation, or the operations do not make a group.
    """
    rotations = {np.asarray(r).astype(int).tobytes(): (np.asarray(r), np.asarray(t)) for r, t in operations}
    moves = [np.asarray(t) for r, t in operations if (np.asarray(r) == np.eye(3)).all()]
    if not moves or len(moves) * len(rotations) != len(operations):
        raise DataError(
            f"{len(operations)} operations, {len(moves)} of them translations alone and {len(rotations)} "
            "different rotations, make no group" if operations else "there is no symmetry operation",
            where="symmetrised",
            do="give all operations, the identity among them",
        )  # fmt: skip
    return replace(
        density,
        values=_turned(_moved(density.values, moves), list(rotations.values())),
        operations=len(operations),
    )


def _moved(values: Array, moves: list[Array]) -> Array:
    """Average over translations."""
    h = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1.0 / n) for n in values.shape), indexing="ij"), axis=-1)
    phase = sum(np.exp(2j * np.pi * (h @ move)) for move in moves) / len(moves)
    return np.asarray(np.clip(np.fft.ifftn(np.fft.fftn(values) * phase).real, 0.0, None))


def _turned(values: Array, operations: list[tuple[Array, Array]]) -> Array:
    """Average over rotations, each with its translation."""
    from scipy.ndimage import map_coordinates

    shape = np.array(values.shape)
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"))
    total = np.zeros(values.shape)
    for rotation, translation in operations:
        moved = np.tensordot(rotation.astype(float), grid, axes=1) + translation[:, None, None, None]
        at = (moved % 1.0) * shape[:, None, None, None]
        total += map_coordinates(values, at, order=1, mode="grid-wrap")
    return total / len(operations)


def _atoms(density: Density) -> Any:
    from ase import Atoms

    fractions, species = density.frame
    return Atoms(list(species), scaled_positions=fractions, cell=density.cell, pbc=True)


def write_cube(path: Path, density: Density) -> Path:
    """Write a Gaussian CUBE file (bohr; density in ions per cubic bohr), for VESTA and others."""
    import ase.io.cube
    from ase.units import Bohr

    write: Any = ase.io.cube.write_cube  # without types

    with path.open("w", encoding="utf-8", newline="\n") as file:
        write(
            file,
            _atoms(density),
            data=density.values * Bohr**3,
            comment=f"probability density of {'+'.join(density.elements)}, ions per cubic bohr",
        )
    return path


def write_chgcar(path: Path, density: Density) -> Path:
    """Write the density as VASP's CHGCAR (ions per cubic angstrom times the volume), for VESTA."""
    atoms = _atoms(density)
    atoms = atoms[sorted(range(len(atoms)), key=lambda i: atoms.symbols[i])]
    symbols = list(dict.fromkeys(atoms.symbols))
    lines = [f"probability density of {'+'.join(density.elements)}", "1.0"]
    lines += [" ".join(f"{x:.10f}" for x in row) for row in density.cell]
    lines += [" ".join(symbols), " ".join(str(sum(s == t for t in atoms.symbols)) for s in symbols), "Direct"]
    lines += [" ".join(f"{x:.8f}" for x in row) for row in atoms.get_scaled_positions()]
    lines += ["", " ".join(str(n) for n in density.values.shape)]
    volume = abs(float(np.linalg.det(density.cell)))
    flat = (density.values * volume).ravel(order="F")
    lines += [" ".join(f"{x:.8E}" for x in flat[i : i + 5]) for i in range(0, flat.size, 5)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path
