"""Unwrapped displacements: how far each atom went, across the faces of the cell, the drift removed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.roles import Roles, atoms_of
from shortrange.atoms import atomic_mass
from shortrange.errors import DataError
from shortrange.quantities import Trajectory

__all__ = ["Drift", "check_order", "remove_drift", "unwrap"]

Array = NDArray[Any]
Drift = Literal["all", "framework", "none"]
"""Which centre of mass is held still: that of all atoms, that of those that do not move, or none."""

_LONG = 3.0  # times the usual step of a frame
_SAMPLE = 16


def unwrap(trajectory: Trajectory) -> Array:
    """Positions followed across the faces of the cell, shape (n_frames, n_atoms, 3), angstrom.

    Each step is the shortest among the periodic images, added up in Cartesian coordinates, so that a cell
    that changes does not move the atoms (the toroidal scheme of von Bulow, Bullerjahn and Hummer 2020).

    Parameters
    ----------
    trajectory
        Frames in order of time; wrapped into the cell or not.

    Raises
    ------
    DataError
        If there is one frame only, frames are missing or out of order, or atoms jump without a cell that
        would explain it.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    if trajectory.n_frames < 2:
        raise DataError("there is one frame: nothing moves", where=where, do="give a trajectory")
    steps = np.diff(trajectory.positions, axis=0)
    if trajectory.cells is None:
        _check_jumps(steps, where)
    else:
        steps = _shortest(steps, trajectory.cells[1:])
    check_order(trajectory, steps)
    out = np.empty_like(trajectory.positions)
    out[0] = trajectory.positions[0]
    np.cumsum(steps, axis=0, out=out[1:])
    out[1:] += out[0]
    return out


def _shortest(steps: Array, cells: Array) -> Array:
    fractions = np.einsum("fai,fij->faj", steps, np.linalg.inv(cells))
    return np.asarray(steps - np.einsum("fai,fij->faj", np.rint(fractions), cells))


def _check_jumps(steps: Array, where: str) -> None:
    """Without a cell an atom that leaves through one face and enters by another seems to fly across."""
    length = np.abs(steps).max(axis=2)
    usual = float(np.median(length))
    frame, atom = np.unravel_index(int(np.argmax(length)), length.shape)
    longest = float(length[frame, atom])
    if longest > max(3.0, 20.0 * usual):
        raise DataError(
            f"atom {atom} jumps by {longest:.2f} angstrom between frames {frame} and {frame + 1}, "
            "and the file gives no cell: the positions seem to be folded into one",
            where=where,
            do="give a file with the cell of each frame (extxyz with Lattice=, XDATCAR)",
        )


def check_order(trajectory: Trajectory, steps: Array) -> None:
    """Refuse frames that are missing, out of order or joined from different runs.

    Parameters
    ----------
    trajectory
        Frames.
    steps
        Shortest displacement of each atom to the next frame, angstrom, shape (n_frames - 1, n_atoms, 3).

    Raises
    ------
    DataError
        Naming the first frame that does not follow the one before.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    size = np.sqrt((steps**2).sum(axis=2).mean(axis=1))
    usual = float(np.median(size))
    limit = (_LONG + 10.0 / np.sqrt(trajectory.n_atoms)) * usual
    if size.size > 2 and usual > 0 and size.max() > max(limit, 0.2):
        frame = int(np.argmax(size))
        raise DataError(
            f"from frame {frame} to {frame + 1} the atoms move by {size[frame]:.2f} angstrom (rms), usually "
            f"by {usual:.2f}: frames are missing, out of order, or of another run",
            where=where,
            do='give one unbroken run; select it with frames = "start:stop"',
        )
    # A few atoms come back to where they were; many do not.
    if trajectory.n_frames >= 3 * _SAMPLE and trajectory.n_atoms >= 10 and _shuffled(trajectory, size):
        raise DataError(
            "the frames are out of order: most are nearer to others than to the next",
            where=where,
            do="sort the frames by time",
        )


def _shuffled(trajectory: Trajectory, size: Array) -> bool:
    chosen = np.linspace(1, trajectory.n_frames - 2, _SAMPLE).astype(int)
    lattice = None if trajectory.cells is None else trajectory.cells
    nearer = 0
    for f in chosen:
        apart = trajectory.positions - trajectory.positions[f]
        if lattice is not None:
            apart = _shortest(apart, lattice)
        distance = np.sqrt((apart**2).sum(axis=2).mean(axis=1))
        distance[f] = np.inf
        nearer += bool(distance.min() < 0.7 * min(size[f - 1], size[f]))
    return nearer > _SAMPLE // 2


def remove_drift(positions: Array, trajectory: Trajectory, roles: Roles, *, drift: Drift = "all") -> Array:
    """Unwrapped positions relative to a centre of mass, shape (n_frames, n_atoms, 3).

    Parameters
    ----------
    positions
        From `unwrap`.
    trajectory, roles
        For the masses, and for which atoms move.
    drift
        Which centre of mass is held still.

    Raises
    ------
    DataError
        If ``drift`` is not known, or there is no framework.
    """
    if drift == "none":
        return positions
    if drift not in ("all", "framework"):
        raise DataError(
            f"the drift {drift!r} is not known", where="drift", do='choose "all", "framework" or "none"'
        )
    mass = np.array([atomic_mass(s) for s in trajectory.species])
    if drift == "framework":
        mass[atoms_of(trajectory, roles.mobile)] = 0.0
        if not mass.any():
            raise DataError(
                "every atom is mobile: there is no framework to hold still",
                where=trajectory.source or trajectory.label or "trajectory",
                do='choose drift = "all", or name the mobile elements',
            )
    centre = np.einsum("fai,a->fi", positions, mass / mass.sum())
    return np.asarray(positions - (centre - centre[0])[:, None])
