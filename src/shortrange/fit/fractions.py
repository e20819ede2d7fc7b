r"""Amounts of phases from their scales, with the covariance propagated.

With G(r) normalised as in PDFgui, a phase of scale s and mean scattering amplitude <f> at Q = 0 has atoms in
proportion to :math:`s / \langle f\rangle^2`; mass, cells and volume follow from what a cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_mass
from shortrange.fit.phases import Book
from shortrange.simulate.crystal_gr import CrystalPdf

__all__ = [
    "Fractions",
    "amounts",
    "fractions",
    "is_occupancy",
    "log_slopes",
    "mass_weights",
    "share_slopes",
    "shares",
]

Array = NDArray[Any]
Kind = Literal["mass", "atom", "cell", "volume"]
KINDS: tuple[Kind, ...] = ("mass", "atom", "cell", "volume")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fractions:
    """Shares of the phases, which add up to 1.

    Attributes
    ----------
    phases
        Names.
    kind
        ``"mass"``, ``"atom"``, ``"cell"`` (moles of unit cells or molecules) or ``"volume"``.
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


def fractions(book: Book, theta: Array, covariance: Array) -> dict[str, Fractions]:
    """Shares by mass, atoms, cells and volume; a molecule is a cell, and has no volume.

    Parameters
    ----------
    book
        Phases and free parameters.
    theta, covariance
        Of the free parameters, shapes (p,) and (p, p). Scales move the shares, and so do occupancies and the
        lattice, by what a cell then holds.
    """
    full = book.all_values(theta)
    places = [book.index(f"{name}.scale") for name in book.phases]
    out: dict[str, Fractions] = {}
    solid = all(phase.crystal.periodic for phase in book.phases.values())
    for kind in KINDS if solid else KINDS[:-1]:
        values, slopes = shares(full[places], amounts(book, theta, kind))
        jacobian = slopes @ book.matrix[places] + share_slopes(values) @ log_slopes(book, theta, kind)
        out[kind] = Fractions(
            phases=tuple(book.phases), kind=kind, values=values, covariance=jacobian @ covariance @ jacobian.T
        )
    return out


def amounts(book: Book, theta: Array, kind: Kind) -> Array:
    """Amount of each phase as refined for a scale of 1, up to a common factor, shape (n_phases,)."""
    full = book.all_values(theta)
    found = []
    for name, phase in book.phases.items():
        own = full[book.of_phase(name)]
        volume = phase.cell.geometry(own[: phase.split[0]])[2]
        found.append(_per_scale(_filled(phase, own), kind, volume))
    return np.array(found)


def log_slopes(book: Book, theta: Array, kind: Kind) -> Array:
    """Slopes of ln(amount for a scale of 1) by the free parameters, shape (n_phases, p).

    Only occupancies move it (by differences), and the lattice that by volume.
    """
    out = np.zeros((len(book.phases), theta.size))
    for k, parameter in enumerate(book.free):
        if not is_occupancy(parameter.name):
            continue
        low, high = theta.copy(), theta.copy()
        # Neither side may leave the limits: there is no crystal with more than one atom on a site.
        low[k] = max(theta[k] - 1e-3 * parameter.size, parameter.lower)
        high[k] = min(theta[k] + 1e-3 * parameter.size, parameter.upper)
        rise = np.log(amounts(book, high, kind)) - np.log(amounts(book, low, kind))
        out[:, k] = rise / (high[k] - low[k])
    if kind == "volume":
        full = book.all_values(theta)
        for row, (name, phase) in enumerate(book.phases.items()):
            own = book.of_phase(name)
            cell = slice(own.start, own.start + phase.split[0])
            out[row] += phase.cell.geometry(full[cell])[3] @ book.matrix[cell]
    return out


def share_slopes(values: Array) -> Array:
    """d(shares) / d ln(amounts), shape (n, n)."""
    return np.asarray(np.diag(values) - np.outer(values, values))


def is_occupancy(name: str) -> bool:
    """Whether a parameter says how full a site is."""
    return name.rpartition(".")[2].startswith("occ_")


def _filled(phase: CrystalPdf, own: Array) -> CrystalPdf:
    """Return the phase with the occupancies of some parameters."""
    if phase.sites is None:
        return phase
    occupied = phase.sites.occupancies(own[slice(*phase.split)])
    if np.array_equal(occupied, phase.crystal.occupancies):
        return phase
    return replace(phase, crystal=replace(phase.crystal, occupancies=occupied))


def shares(scales: Array, weights: Array) -> tuple[Array, Array]:
    """Shares w s / sum(w s), shape (n,), and their derivatives by the scales, shape (n, n)."""
    amounts = scales * weights
    total = amounts.sum()
    values = amounts / total
    return values, (np.diag(weights) - np.outer(values, weights)) / total


def mass_weights(phases: Mapping[str, CrystalPdf]) -> Array:
    """Mass of each phase for a scale of 1, up to a common factor, shape (n,)."""
    return np.array([_per_scale(model, "mass", 1.0) for model in phases.values()])


def _per_scale(model: CrystalPdf, kind: str, volume: float) -> float:
    """Amount of a phase for a scale of 1, up to a common factor; the volume is that of its cell."""
    crystal = model.crystal
    atoms = 1.0 / model.power
    if kind == "atom":
        return atoms
    if kind == "cell":
        return atoms / crystal.n_atoms
    if kind == "volume":
        return atoms / crystal.n_atoms * volume
    mass = sum(n * atomic_mass(symbol) for symbol, n in crystal.composition.items())
    return atoms * mass / crystal.n_atoms
