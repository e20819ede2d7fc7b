"""The carrier of snapshots, crystals and molecules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities.carrier import owned
from shortrange.quantities.steps import Step
from shortrange.shown import Shown

__all__ = ["Trajectory"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory(Shown):
    """Snapshots of the same atoms; a crystal or a molecule is a trajectory of one frame.

    Attributes
    ----------
    species
        Element symbol of each atom, length n_atoms, the same in all frames.
    positions
        angstrom, Cartesian, shape (n_frames, n_atoms, 3).
    cells
        Lattice vectors as rows, angstrom, shape (n_frames, 3, 3); None for a molecule.
    time_step
        fs between frames, or None if unknown.
    source
        File.
    """

    species: tuple[str, ...]
    positions: Array
    cells: Array | None = None
    time_step: float | None = None
    label: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        object.__setattr__(self, "positions", owned(self.positions))
        if self.cells is not None:
            object.__setattr__(self, "cells", owned(self.cells))
        self._check()

    def _check(self) -> None:
        where = self.source or f"Trajectory(label={self.label!r})"
        if self.positions.ndim != 3 or self.positions.shape[1:] != (len(self.species), 3):
            raise DataError(
                f"positions have shape {self.positions.shape} for {len(self.species)} atoms",
                where=where,
                do="give an array of shape (n_frames, n_atoms, 3)",
            )
        if self.positions.size == 0:
            raise DataError("there is no frame or no atom", where=where, do="give at least one of each")
        bad = np.flatnonzero(~np.isfinite(self.positions).all(axis=(1, 2)))
        if bad.size:
            raise DataError(
                f"a position is not a finite number in frame {bad[0]}",
                where=where,
                do="repair or drop the frame",
            )
        if self.cells is None:
            return
        if self.cells.shape != (self.n_frames, 3, 3):
            raise DataError(
                f"cells have shape {self.cells.shape} for {self.n_frames} frames",
                where=where,
                do="give an array of shape (n_frames, 3, 3), or None for a molecule",
            )
        flat = np.flatnonzero(~(np.abs(np.linalg.det(self.cells)) > 1e-6))
        if flat.size:
            raise DataError(
                f"the cell of frame {flat[0]} has no volume",
                where=where,
                do="give three independent lattice vectors",
            )

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.positions.shape[0])

    @property
    def n_atoms(self) -> int:
        """Number of atoms in a frame."""
        return len(self.species)

    @property
    def composition(self) -> dict[str, int]:
        """Atoms of each element in a frame, in order of first appearance."""
        return dict(Counter(self.species))

    @property
    def number_density(self) -> float | None:
        """Mean of atoms per cubic angstrom; None for a molecule."""
        if self.cells is None:
            return None
        return float(np.mean(self.n_atoms / np.abs(np.linalg.det(self.cells))))

    @property
    def half_width(self) -> float | None:
        """Half the smallest distance between opposite cell faces, angstrom; None for a molecule.

        Pair correlations beyond it repeat those of the periodic images.
        """
        if self.cells is None:
            return None
        heights = 1.0 / np.linalg.norm(np.linalg.inv(self.cells), axis=1)
        return float(heights.min() / 2.0)

    def after(self, done: Step, **changes: Any) -> Trajectory:
        """Return a copy with ``changes`` and one more step in its history."""
        return replace(self, history=(*self.history, done), **changes)
