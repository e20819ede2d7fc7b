"""The energy axis of a sweep: its edge, its unit, its order. Every repair is recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import element_edges
from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import Step, step
from shortrange.units import bragg_energy

__all__ = ["Edge", "increasing", "resolve_edge", "split_unit", "to_electronvolt"]

Array = NDArray[Any]

JITTER = 0.25
"""A step back is encoder jitter if it is shorter than this part of the steps around it."""

WIDEST = 5.0
"""Where only the numbers tell that an axis is in keV, its end must be below so many times its beginning."""

_UNIT = re.compile(r"\s*[\[(]\s*([^\])]*?)\s*[\])]\s*$|_(k?ev)$", re.IGNORECASE)
_KNOWN_UNITS = {"ev": "eV", "kev": "keV", "deg": "degrees", "degree": "degrees", "degrees": "degrees"}


@dataclass(frozen=True, slots=True)
class Edge:
    """Absorption edge of a scan, as far as it is known."""

    element: str | None = None
    edge: str | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.element} {self.edge}" if self.edge else f"{self.element}"

    def energies(self) -> tuple[float, ...]:
        """Tabulated energies that the scan may cover, eV."""
        if self.element is None:
            return ()
        edges = element_edges(self.element)
        return (edges[self.edge],) if self.edge else tuple(edges.values())


def resolve_edge(stated: Edge, wanted: Edge, place: str) -> tuple[Edge, tuple[Step, ...]]:
    """Unite what the file states with what the user says.

    Raises
    ------
    DataError
        If they differ, or if the user names an element or edge that does not exist.
    """
    history: tuple[Step, ...] = ()
    if wanted.element is not None:
        known = _edges(wanted.element, place)
        if wanted.edge is not None and wanted.edge not in known:
            raise DataError(
                f"{wanted.element} has no edge {wanted.edge!r}",
                where=place,
                do=did_you_mean(wanted.edge, known),
            )
    stated, history = _believable(stated)
    for what in ("element", "edge"):
        in_file, asked = getattr(stated, what), getattr(wanted, what)
        if in_file is not None and asked is not None and in_file != asked:
            raise DataError(
                f"the file states {what} {in_file!r} where {asked!r} was asked for",
                where=place,
                do=f"leave this file out, or ask for {what} {in_file!r}",
            )
    return Edge(wanted.element or stated.element, wanted.edge or stated.edge), history


def _edges(element: str, place: str) -> dict[str, float]:
    try:
        return element_edges(element)
    except DataError as error:
        raise DataError(error.what, where=place, do=error.do) from None


def _believable(stated: Edge) -> tuple[Edge, tuple[Step, ...]]:
    element, edge = stated.element, stated.edge
    if element is not None:
        try:
            known = element_edges(element)
        except DataError:
            return Edge(None, None), (
                step("warning: the file names no element of the periodic table", element=element),
            )
        if edge is not None and edge not in known:
            return Edge(element, None), (
                step("warning: the file names an edge that does not exist", edge=edge),
            )
    return stated, ()


def split_unit(label: str) -> tuple[str, str | None]:
    """Title and unit of a column, such as ``"Energy (keV)"``."""
    found = _UNIT.search(label)
    if not found:
        return label.strip(), None
    unit = _KNOWN_UNITS.get((found.group(1) or found.group(2)).lower())
    return (label[: found.start()].strip(), unit) if unit else (label.strip(), None)


def to_electronvolt(
    values: Array,
    *,
    unit: str | None,
    edge: Edge,
    demanded: bool = True,
    d_spacing: float | None = None,
    place: str,
) -> tuple[Array, tuple[Step, ...]]:
    """Energies in eV, from the stated unit, or from where the edge must lie.

    Parameters
    ----------
    values
        Energies in eV or keV, or Bragg angles in degrees, shape (n,).
    unit
        As stated by the file or its profile, or None.
    edge
        What the scan covers.
    demanded
        Whether the user named the edge; one that only the file names may lie outside, with a warning.
    d_spacing
        Of the monochromator, angstrom; needed for angles.
    place
        For messages.

    Raises
    ------
    DataError
        If an angle axis has no ``d_spacing``, or the edge does not lie in the scan.
    """
    history: tuple[Step, ...] = ()
    if unit == "degrees":
        values, history = _from_angle(values, d_spacing, place)
    elif unit == "keV":
        values, history = values * 1e3, (step("convert energies from keV to eV", known_from="stated unit"),)
    lines = edge.energies()
    low, high = float(values.min()), float(values.max())
    if any(low <= e <= high for e in lines):
        return values, history
    believable = low > 0 and high < WIDEST * low
    if unit is None and believable and any(low * 1e3 <= e <= high * 1e3 for e in lines):
        return values * 1e3, (step("warning: take the energies as keV", known_from=f"energy of {edge.name}"),)
    if lines and not demanded:
        doubt = step("warning: the edge that the file names does not lie in the scan", edge=edge.name)
        return values, (*history, doubt)
    if lines:
        tabulated = ", ".join(f"{e:.0f}" for e in lines[:4]) + (" ..." if len(lines) > 4 else "")
        raise DataError(
            f"{edge.name} ({tabulated} eV) does not lie in the scan, {low:.6g} to {high:.6g} eV",
            where=place,
            do="check the element and edge, whether this is the right file, and the unit of its energies",
        )
    if unit is None and high < 40.0 and not believable:
        raise DataError(
            f"the axis runs from {low:.6g} to {high:.6g}, which no scan over the energy does",
            where=place,
            do="is this chi(k) or another curve? Give mu(E), or state the unit of the energies in the title",
        )
    if unit is None and high < 40.0:
        return values * 1e3, (
            step("warning: take the energies as keV", known_from="no edge lies below 40 eV"),
        )
    return values, history


def _from_angle(values: Array, d_spacing: float | None, place: str) -> tuple[Array, tuple[Step, ...]]:
    if d_spacing is None:
        raise DataError(
            "the scan is over a monochromator angle, and the lattice spacing of the crystal is not given",
            where=place,
            do="add the header field Mono.d_spacing, in angstrom, or an energy column",
        )
    if not ((values > 0) & (values < 90)).all():
        raise DataError("a Bragg angle is not between 0 and 90 degrees", where=place, do="check the axis")
    return bragg_energy(2.0 * values, d_spacing), (step("convert Bragg angles to eV", d_spacing=d_spacing),)


def increasing(energy: Array, lines: Array, place: str) -> tuple[NDArray[np.intp], tuple[Step, ...]]:
    """Order of the rows that makes the energies increase.

    A sweep measured downwards is reversed, and encoder jitter (a step back shorter than a quarter of the
    steps around it) is sorted; both are recorded. Anything else is refused.

    Parameters
    ----------
    energy
        eV, shape (n,).
    lines
        Line of each row in the file, shape (n,).

    Raises
    ------
    DataError
        If an energy is repeated, or the sweep turns back.
    """
    order = np.arange(energy.size)
    history: tuple[Step, ...] = ()
    if energy[-1] < energy[0] and np.mean(np.diff(energy) < 0) > 0.5:
        order = order[::-1]
        ends = {"first": float(energy[0]), "last": float(energy[-1])}
        history = (step("warning: reverse a scan measured downwards", **ends),)
    moves = np.diff(energy[order])
    _refuse_repeats(energy[order], lines[order], place)
    back = np.flatnonzero(moves < 0)
    if not back.size:
        return order, history
    for i in back:
        around = float(np.median(np.abs(moves[max(0, i - 5) : i + 6])))
        if -moves[i] > JITTER * around:
            a, b = order[i], order[i + 1]
            raise DataError(
                f"the energies turn back from {energy[a]:.8g} to {energy[b]:.8g} eV (row {b + 1})",
                where=f"{place}, line {lines[b]}",
                do="give one sweep in the order of its energies: split joined scans, restore shuffled rows",
            )
    order = order[np.argsort(energy[order], kind="stable")]
    jitter = step("warning: sort rows that encoder jitter put out of order", rows=int(back.size))
    _refuse_repeats(energy[order], lines[order], place)
    return order, (*history, jitter)


def _refuse_repeats(energy: Array, lines: Array, place: str) -> None:
    same = np.flatnonzero(np.diff(energy) == 0)
    if same.size:
        a, b = sorted((int(lines[same[0]]), int(lines[same[0] + 1])))
        raise DataError(
            f"{same.size} of the energies are repeated, first {energy[same[0]]:.8g} eV",
            where=f"{place}, lines {a} and {b}",
            do="give every energy once: average or remove the repeated rows",
        )
