"""A table of one sweep into a `Scan`: roles, electronvolts, increasing energies; every repair recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import element_edges
from shortrange.errors import DataError, did_you_mean
from shortrange.load.roles import Profile, assign
from shortrange.load.text import Table
from shortrange.quantities import Scan, Step, step
from shortrange.units import bragg_energy

__all__ = ["MIN_POINTS", "Edge", "increasing", "make_scan", "resolve_edge", "to_electronvolt"]

Array = NDArray[Any]

MIN_POINTS = 5
"""Fewer rows than these are no sweep."""

JITTER = 0.25
"""A step back is encoder jitter if it is shorter than this part of the steps around it."""

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
    if unit is None and any(low * 1e3 <= e <= high * 1e3 for e in lines):
        return values * 1e3, (step("convert energies from keV to eV", known_from=f"energy of {edge.name}"),)
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
        history = (step("reverse a scan measured downwards", first=float(energy[0]), last=float(energy[-1])),)
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


def make_scan(
    table: Table,
    *,
    labels: Sequence[str],
    profile: Profile,
    source: str,
    stated: Edge,
    wanted: Edge,
    unit: str | None = None,
    d_spacing: float | None = None,
    metadata: Mapping[str, str] | None = None,
    history: tuple[Step, ...] = (),
) -> Scan:
    """Build the `Scan` of one table.

    Parameters
    ----------
    table
        The numbers.
    labels
        Titles of its columns.
    profile
        Which title plays which role.
    source
        File, and scan within it.
    stated, wanted
        Edge as the file and as the user say.
    unit
        Of the energy column, where the file states it apart from the title.
    d_spacing
        Of the monochromator, angstrom.

    Raises
    ------
    DataError
        If there is no energy column, there are too few rows, or they are out of order, or the edge is not
        there.
    """
    bare, units = zip(*(split_unit(label) for label in labels), strict=True)
    index, roles = assign(bare, profile)
    if index is None:
        raise DataError(
            f"none of the columns {list(labels)} is known as the energy",
            where=source,
            do="name it 'energy' in the header, or write a beamline profile (TOML) and name its folder in "
            "SHORTRANGE_PROFILES",
        )
    if len(table.values) < MIN_POINTS:
        raise DataError(
            f"there are only {len(table.values)} points",
            where=source,
            do=f"give a scan of {MIN_POINTS} or more",
        )
    edge, doubts = resolve_edge(stated, wanted, source)
    energy, converted = to_electronvolt(
        table.values[:, index],
        unit=unit or units[index] or profile.unit,
        edge=edge,
        demanded=wanted.element is not None,
        d_spacing=d_spacing,
        place=source,
    )
    order, ordered = increasing(energy, table.lines, source)
    columns = _columns(table.values[order], bare, index, roles)
    chosen = {"energy": labels[index], **{role: labels[i] for role, i in roles.items()}}
    return Scan(
        energy=energy[order],
        columns=columns,
        element=edge.element,
        edge=edge.edge,
        source=source,
        metadata=metadata or {},
        label=Path(table.path).stem,
        history=(
            *history,
            *table.history,
            step("load scan", file=str(table.path), profile=profile.name, columns=chosen),
            *doubts,
            *converted,
            *ordered,
            *_zeros(columns, table.lines[order]),
        ),
    )


def _columns(values: Array, names: Sequence[str], energy: int, roles: Mapping[str, int]) -> dict[str, Array]:
    columns = {role: values[:, i] for role, i in roles.items()}
    used = {energy, *roles.values()}
    for i, name in enumerate(names):
        if i in used:
            continue
        key, n = name.lower(), 2
        while key in columns:
            key, n = f"{name.lower()}_{n}", n + 1
        columns[key] = values[:, i]
    return columns


def _zeros(columns: Mapping[str, Array], lines: Array) -> tuple[Step, ...]:
    """Note counts of zero in an ion chamber that counts elsewhere: their logarithm does not exist."""
    found = []
    for role in ("i0", "it", "ir"):
        zero = np.flatnonzero(columns[role] == 0) if role in columns else np.empty(0, dtype=int)
        if 0 < zero.size < columns.get(role, zero).size:
            found.append(
                step(f"warning: {role} is zero", points=int(zero.size), first_line=int(lines[zero[0]]))
            )
    return tuple(found)
