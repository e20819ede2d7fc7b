"""Restraints of a refinement: bonds and angles that are known from elsewhere, with their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import ProjectError, did_you_mean
from shortrange.fit.phases import Book
from shortrange.simulate.crystal_gr import CrystalPdf
from shortrange.simulate.sites import SiteModel

__all__ = ["Bound", "Restraint", "bind"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """A distance or an angle that is known.

    Attributes
    ----------
    phase
        Name.
    atoms
        Labels: two for a bond, three for an angle at the middle one. Of their images those nearest to each
        other are meant, at an angle two different ones.
    value, sigma
        angstrom or degrees.
    """

    phase: str
    atoms: tuple[str, ...]
    value: float
    sigma: float

    @property
    def name(self) -> str:
        """How results call it."""
        return f"{self.phase}: {'-'.join(self.atoms)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """A restraint that knows where its atoms are."""

    restraint: Restraint
    measure: Callable[[Array], float]

    def rows(self, book: Book, theta: Array) -> tuple[float, Array]:
        """Misfit in units of sigma, and its slopes by the free parameters, shape (p,)."""
        sigma = self.restraint.sigma
        here = self.measure(book.all_values(theta))
        slopes = np.zeros(theta.size)
        for k, parameter in enumerate(book.free):
            # A smooth function of few numbers: differences are exact to 1e-9.
            h = 1e-3 * parameter.size * np.eye(theta.size)[k]
            up, down = (self.measure(book.all_values(theta + s)) for s in (h, -h))
            slopes[k] = (up - down) / (2e-3 * parameter.size * sigma)
        return (here - self.restraint.value) / sigma, slopes


def bind(restraints: Sequence[Restraint], book: Book) -> tuple[Bound, ...]:
    """Find the atoms of restraints.

    Raises
    ------
    ProjectError
        If a phase, an atom or a number is impossible.
    """
    return tuple(Bound(restraint=r, measure=_measure(r, book)) for r in restraints)


def _measure(restraint: Restraint, book: Book) -> Callable[[Array], float]:
    phase = _checked(restraint, book.phases)
    own = book.of_phase(restraint.phase)
    sites = phase.sites
    assert sites is not None  # a restraint asks for free sites
    ends = restraint.atoms if len(restraint.atoms) == 2 else restraint.atoms[::-1][1:]
    centre = sites.labels.index(restraint.atoms[-2] if len(restraint.atoms) == 3 else restraint.atoms[0])
    if len(restraint.atoms) == 2:
        near = [_nearest(phase, sites, centre, ends[1], ())]
    else:
        first = _nearest(phase, sites, centre, restraint.atoms[0], ())
        near = [first, _nearest(phase, sites, centre, restraint.atoms[2], (first,))]

    def measure(full: Array) -> float:
        values = full[own]
        metric = phase.cell.metric(values[: len(phase.cell.names)])
        positions = sites.positions(values[slice(*phase.split)])
        arms = [positions[atom] + np.array(shift) - positions[centre] for atom, shift in near]
        lengths = [float(np.sqrt(arm @ metric @ arm)) for arm in arms]
        if len(arms) == 1:
            return lengths[0]
        cosine = float(arms[0] @ metric @ arms[1]) / (lengths[0] * lengths[1])
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    return measure


def _nearest(
    phase: CrystalPdf, sites: SiteModel, centre: int, label: str, taken: tuple[Any, ...]
) -> tuple[int, tuple[int, int, int]]:
    """Nearest image of an atom of some label that is not taken: index and translation."""
    metric = phase.cell.metric(phase.cell.start)
    positions = sites.positions(phase.start[slice(*phase.split)])
    found = []
    for atom in (k for k, x in enumerate(sites.labels) if x == label):
        base = positions[atom] - positions[centre]
        for shift in np.ndindex(5, 5, 5):
            whole = np.array(shift) - 2 - np.rint(base)
            length = float(np.sqrt((base + whole) @ metric @ (base + whole)))
            image = (atom, tuple(int(x) for x in whole))
            if length > 0.05 and image not in taken:
                found.append((length, image))
    return min(found)[1]  # type: ignore[return-value]  # the tuple has three numbers


def _checked(restraint: Restraint, phases: Mapping[str, CrystalPdf]) -> CrystalPdf:
    def fault(what: str, do: str) -> ProjectError:
        return ProjectError(what, where=f"restraint {restraint.name!r}", do=do)

    if restraint.phase not in phases:
        raise fault(f"unknown phase {restraint.phase!r}", did_you_mean(restraint.phase, phases))
    phase = phases[restraint.phase]
    if not phase.crystal.periodic:
        raise fault("the phase is a molecule, which only stretches", "give a prior on its stretch instead")
    if len(restraint.atoms) not in (2, 3):
        raise fault(f"there are {len(restraint.atoms)} atoms", "give two for a bond, three for an angle")
    labels = phase.sites.labels if phase.sites else ()
    for label in restraint.atoms:
        if label not in labels:
            raise fault(f"the phase has no site {label!r}", did_you_mean(label, dict.fromkeys(labels)))
    if not (isfinite(restraint.value) and restraint.value > 0):
        raise fault(f"the value is {restraint.value:g}", "give a positive number, angstrom or degrees")
    if not (isfinite(restraint.sigma) and restraint.sigma > 0):
        raise fault(f"the error is {restraint.sigma:g}", "give a positive one")
    return phase
