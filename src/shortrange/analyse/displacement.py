"""Unwrapped displacements: how far each atom went, across the faces of the cell, the drift removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.frames import Snapshots, part_of, runs_of_frames
from shortrange.analyse.pool import kept_every
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.analyse.spool import rewrite
from shortrange.atoms import atomic_mass
from shortrange.errors import DataError

__all__ = ["Drift", "check_order", "follow", "remove_drift", "unwrap"]

Array = NDArray[Any]
Drift = Literal["all", "framework", "none"]
"""Which centre of mass is held still: that of all atoms, that of those that do not move, or none."""

_LONG = 3.0  # times the usual step of a frame
_SAMPLE = 16


def unwrap(trajectory: Snapshots) -> Array:
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
    out = np.empty((trajectory.n_frames, trajectory.n_atoms, 3))
    for first, moved in _unwrapped(trajectory):
        out[first : first + moved.shape[0]] = moved
    return out


def follow(trajectory: Snapshots, roles: Roles | None = None, *, drift: Drift = "all") -> Snapshots:
    """Return the same frames unwrapped and without drift, in memory or on disk as the trajectory is.

    Parameters
    ----------
    trajectory, roles, drift
        As for `unwrap` and `remove_drift`; without roles the drift stays.

    Raises
    ------
    DataError
        As these.
    """
    mass = None if roles is None else _masses(trajectory, roles, drift)
    return rewrite(trajectory, _without_drift(trajectory, mass))


def _without_drift(trajectory: Snapshots, mass: Array | None) -> Iterator[Array]:
    origin: Array | None = None
    for _, positions in _unwrapped(trajectory):
        if mass is None:
            yield positions
            continue
        centre = np.einsum("fai,a->fi", positions, mass)
        origin = centre[0] if origin is None else origin
        yield positions - (centre - origin)[:, None]


def _unwrapped(trajectory: Snapshots) -> Iterator[tuple[int, Array]]:
    """Unwrapped runs of frames, each with the number of its first; then the checks of `unwrap`."""
    where = trajectory.source or trajectory.label or "trajectory"
    if trajectory.n_frames < 2:
        raise DataError("there is one frame: nothing moves", where=where, do="give a trajectory")
    raw = here = None
    sizes, flights = [], _Flights(trajectory)
    for first, part in runs_of_frames(trajectory):
        raw = part.positions[0] if raw is None else raw
        steps = np.diff(part.positions, axis=0, prepend=raw[None])
        if part.cells is None:
            flights.add(first, np.abs(steps).max(axis=2))
        else:
            steps = _shortest(steps, part.cells)
        sizes.append(np.sqrt((steps**2).sum(axis=2).mean(axis=1)))
        raw, start = part.positions[-1], part.positions[0] if here is None else here
        moved = start + np.cumsum(steps, axis=0)
        here = moved[-1]
        yield first, moved
    flights.check(where)
    check_order(trajectory, np.concatenate(sizes)[1:])


def _shortest(steps: Array, cells: Array) -> Array:
    fractions = np.einsum("fai,fij->faj", steps, np.linalg.inv(cells))
    return np.asarray(steps - np.einsum("fai,fij->faj", np.rint(fractions), cells))


class _Flights:
    """Without a cell an atom that leaves through one face and enters by another seems to fly across."""

    def __init__(self, trajectory: Snapshots) -> None:
        self._every = kept_every(trajectory.n_frames)
        self._sample: list[Array] = []
        self._longest, self._frame, self._atom = 0.0, 0, 0

    def add(self, first: int, length: Array) -> None:
        """Take the longest component of each step, shape (n, n_atoms), the first from frame ``first - 1``."""
        if first == 0:
            first, length = 1, length[1:]
        if not length.size:
            return
        self._sample.append(length[:: self._every])
        frame, atom = np.unravel_index(int(np.argmax(length)), length.shape)
        if length[frame, atom] > self._longest:
            self._longest, self._frame = float(length[frame, atom]), first - 1 + int(frame)
            self._atom = int(atom)

    def check(self, where: str) -> None:
        """Refuse a step that is far longer than the usual one."""
        if self._sample and self._longest > max(3.0, 20.0 * float(np.median(np.concatenate(self._sample)))):
            raise DataError(
                f"atom {self._atom} jumps by {self._longest:.2f} angstrom between frames {self._frame} and "
                f"{self._frame + 1}, and the file gives no cell: the positions seem to be folded into one",
                where=where,
                do="give a file with the cell of each frame (extxyz with Lattice=, XDATCAR)",
            )


def check_order(trajectory: Snapshots, size: Array) -> None:
    """Refuse frames that are missing, out of order or joined from different runs.

    Parameters
    ----------
    trajectory
        Frames.
    size
        Root mean square of the shortest displacements to the next frame, angstrom, shape (n_frames - 1,).

    Raises
    ------
    DataError
        Naming the first frame that does not follow the one before.
    """
    where = trajectory.source or trajectory.label or "trajectory"
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


def _shuffled(trajectory: Snapshots, size: Array) -> bool:
    chosen = np.linspace(1, trajectory.n_frames - 2, _SAMPLE).astype(int)
    samples = [part_of(trajectory, int(f), int(f) + 1).positions[0] for f in chosen]
    nearest = np.full(_SAMPLE, np.inf)
    for first, part in runs_of_frames(trajectory):
        for k, sample in enumerate(samples):
            apart = part.positions - sample
            if part.cells is not None:
                apart = _shortest(apart, part.cells)
            distance = np.sqrt((apart**2).sum(axis=2).mean(axis=1))
            if first <= chosen[k] < first + part.n_frames:
                distance[chosen[k] - first] = np.inf
            nearest[k] = min(nearest[k], float(distance.min()))
    return int((nearest < 0.7 * np.minimum(size[chosen - 1], size[chosen])).sum()) > _SAMPLE // 2


def remove_drift(positions: Array, trajectory: Snapshots, roles: Roles, *, drift: Drift = "all") -> Array:
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
    mass = _masses(trajectory, roles, drift)
    if mass is None:
        return positions
    centre = np.einsum("fai,a->fi", positions, mass)
    return np.asarray(positions - (centre - centre[0])[:, None])


def _masses(trajectory: Snapshots, roles: Roles, drift: Drift) -> Array | None:
    """Share of each atom in the centre that is held still; None if none is."""
    if drift == "none":
        return None
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
    return np.asarray(mass / mass.sum())
