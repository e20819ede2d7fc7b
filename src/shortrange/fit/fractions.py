r"""Amounts of phases from their scales, with the covariance propagated.

With G(r) normalised as in PDFgui, a phase of scale s and mean scattering amplitude <f> at Q = 0 has atoms in
proportion to :math:`s / \langle f\rangle^2`; mass, cells and volume follow from what a cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_mass
from shortrange.simulate.crystal_gr import CrystalPdf

__all__ = ["Fractions", "fractions", "mass_weights", "shares"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fractions:
    """Shares of the phases, which add up to 1.

    Attributes
    ----------
    phases
        Names.
    kind
        ``"mass"``, ``"atom"``, ``"cell"`` (moles of unit cells) or ``"volume"``.
    values, covariance
        Shapes (n,) and (n, n).
    """

    phases: tuple[str, ...]
    kind: str
    values: Array
    covariance: Array

    @property
    def sigma(self) -> Array:
        """Standard errors, shape (n,)."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))


def fractions(phases: Mapping[str, CrystalPdf], scales: Array, covariance: Array) -> dict[str, Fractions]:
    """Shares by mass, atoms, cells and volume.

    Parameters
    ----------
    phases
        By name.
    scales, covariance
        Of the phases in this order, shapes (n,) and (n, n).
    """
    out = {}
    for kind in ("mass", "atom", "cell", "volume"):
        weights = np.array([_per_scale(model, kind) for model in phases.values()])
        values, slopes = shares(scales, weights)
        out[kind] = Fractions(
            phases=tuple(phases), kind=kind, values=values, covariance=slopes @ covariance @ slopes.T
        )
    return out


def shares(scales: Array, weights: Array) -> tuple[Array, Array]:
    """Shares w s / sum(w s), shape (n,), and their derivatives by the scales, shape (n, n)."""
    amounts = scales * weights
    total = amounts.sum()
    values = amounts / total
    return values, (np.diag(weights) - np.outer(values, weights)) / total


def mass_weights(phases: Mapping[str, CrystalPdf]) -> Array:
    """Mass of each phase for a scale of 1, up to a common factor, shape (n,)."""
    return np.array([_per_scale(model, "mass") for model in phases.values()])


def _per_scale(model: CrystalPdf, kind: str) -> float:
    """Amount of a phase for a scale of 1, up to a common factor."""
    crystal = model.crystal
    atoms = 1.0 / model.power
    if kind == "atom":
        return atoms
    if kind == "cell":
        return atoms / crystal.n_atoms
    if kind == "volume":
        return atoms / crystal.number_density
    mass = sum(n * atomic_mass(symbol) for symbol, n in crystal.composition.items())
    return atoms * mass / crystal.n_atoms
