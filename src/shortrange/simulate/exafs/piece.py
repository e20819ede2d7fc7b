"""The EXAFS of some frames: what one thread, or one worker of a cluster, does at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.layout import Shapes, Surroundings, Tables, find_shapes
from shortrange.simulate.exafs.sampling import ScatterSums
from shortrange.simulate.exafs.sums import PathSums, sum_paths
from shortrange.simulate.feff import Potentials
from shortrange.simulate.neighbours import find_neighbours

__all__ = ["BOND_SPREAD", "BOND_STEP", "Job", "Totals"]

Array = NDArray[Any]

BOND_STEP = 0.01  # angstrom, of the finite differences with bond length
BOND_SPREAD = (2.5, 0.03)  # of those with the spread about 2.5 angstrom, relative


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Settings of a calculation.

    Attributes
    ----------
    potentials
        Phase shifts.
    centres
        Indices of the absorbers in a frame.
    r_max, r_max_ms
        Longest half length of single- and multiple-scattering paths, angstrom; 0 leaves the latter out.
    scales
        Factors by which distances are stretched.
    k
        Of the spectra, 1/angstrom.
    bond_max
        Neighbours nearer than this are bonds, angstrom.
    where
        For messages.
    """

    potentials: Potentials
    centres: Array
    r_max: float
    r_max_ms: float
    scales: Array
    k: Array
    bond_max: float
    where: str

    @property
    def n_kinds(self) -> int:
        """Number of potentials around the absorber."""
        return len(self.potentials.kinds)

    def around(self, piece: Trajectory) -> Surroundings:
        """Neighbours with FEFF's potential numbers less one."""
        near = find_neighbours(piece.positions, piece.cells, centres=self.centres, r_max=self.r_max)
        kinds = self.potentials.kinds
        lacking = {piece.species[i] for i in np.unique(near.atoms)} - set(kinds)
        if lacking:
            raise SimulationError(
                f"the potentials are for {self.potentials.absorber} {self.potentials.edge} among"
                f" {', '.join(kinds)}, not for {self.potentials.absorber} {self.potentials.edge} among"
                f" {', '.join(sorted(lacking))}",
                where=self.where,
                do="make them with potentials_for from snapshots that have all these elements",
            )
        numbers = np.array([kinds.index(s) if s in kinds else -1 for s in piece.species])
        return Surroundings(near.offsets, numbers[near.atoms], near.vectors, near.distances)

    def sums(self, tables: Tables, around: Surroundings, *, scales: Array) -> PathSums:
        """Sum the paths of some absorbers."""
        return sum_paths(
            tables, around, n_kinds=self.n_kinds, r_max=self.r_max, r_max_ms=self.r_max_ms, scales=scales
        )

    def shapes(self, piece: Trajectory) -> dict[str, Array]:
        """Shapes of the paths in some frames, as arrays."""
        found = find_shapes(
            self.around(piece), r_max_ms=self.r_max_ms, scales=self.scales, n_kinds=self.n_kinds
        )
        return {"closest": np.array(found.closest), "kinds": found.kinds, "marked": found.marked}

    def spectra(self, piece: Trajectory, *, tables: Tables, origin: Array) -> dict[str, Array]:
        """Path sums of some frames, and the sums over spectra that tell their scatter.

        Parameters
        ----------
        piece
            Frames.
        tables
            For all shapes that occur in them.
        origin
            A spectrum on ``k`` near the mean, subtracted before squares are summed.

        Returns
        -------
        dict
            ``parts`` and ``bonds``: envelopes summed over absorbers; ``bonded`` (2, n_kinds): number and
            total length of the bonds; ``frames`` (n_frames, n_k), ``atoms``
            (n_centres, n_k) and ``products`` (n_k, n_k) of the spectra less ``origin``; ``paths``.
        """
        around = self.around(piece)
        sums = self.sums(tables, around, scales=self.scales)
        chi = chi_from_envelopes(sums.each, self.k) - origin
        scatter = ScatterSums.of(chi.reshape(piece.n_frames, self.centres.size, -1))
        changes = [(-BOND_STEP, 1.0), (BOND_STEP, 1.0)]
        about, part = BOND_SPREAD
        changes += [(part * about, 1.0 - part), (-part * about, 1.0 + part)]
        bonds = [
            sum_paths(
                tables, around, n_kinds=self.n_kinds, r_max=self.bond_max, r_max_ms=0.0,
                scales=np.array([scale]), shift=shift,
            ).parts[:, :, 0]
            for shift, scale in changes
        ]  # fmt: skip
        near = around.distances <= self.bond_max
        kinds, lengths = around.kinds[near], around.distances[near]
        bonded = np.array([np.bincount(kinds, weights, self.n_kinds) for weights in (None, lengths)])
        return {
            "parts": sums.parts, "bonds": np.stack(bonds, axis=2), "bonded": bonded,
            "frames": scatter.frames, "atoms": scatter.atoms, "products": scatter.products,
            "paths": np.array(sums.n_paths),
        }  # fmt: skip


def shapes_of(found: Mapping[str, Array]) -> Shapes:
    """Shapes from the arrays of `Job.shapes`."""
    return Shapes(float(found["closest"]), found["kinds"], found["marked"])


class Totals:
    """Sums over all pieces so far, in their order."""

    def __init__(self) -> None:
        self._sums: dict[str, Array] = {}
        self._frames: list[Array] = []

    def add(self, found: Mapping[str, Array]) -> None:
        """Add one piece."""
        for name in ("parts", "bonds", "bonded", "atoms", "products", "paths"):
            self._sums[name] = self._sums[name] + found[name] if name in self._sums else found[name]
        self._frames.append(found["frames"])

    def __getitem__(self, name: str) -> Array:
        return self._sums[name]

    @property
    def scatter(self) -> ScatterSums:
        """Sums over spectra."""
        return ScatterSums(np.concatenate(self._frames), self["atoms"], self["products"])
