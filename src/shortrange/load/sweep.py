"""A table of one sweep into a `Scan`: roles, electronvolts, increasing energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.axis import Edge, increasing, resolve_edge, split_unit, to_electronvolt
from shortrange.load.roles import Profile, assign, summed
from shortrange.load.text import Table
from shortrange.quantities import Scan, Step, step

__all__ = ["MIN_POINTS", "make_scan"]

Array = NDArray[Any]

MIN_POINTS = 5
"""Fewer rows than these are no sweep."""


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
    added = _add_channels(columns, table.values[order], bare, profile, edge, source)
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
            *added,
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


def _add_channels(
    columns: dict[str, Array],
    values: Array,
    names: Sequence[str],
    profile: Profile,
    edge: Edge,
    source: str,
) -> list[Step]:
    """Sum the channels of a detector, each corrected for its dead time where the file has it."""
    done = []
    for role in profile.sums:
        channels = summed(names, profile, role, element=edge.element) if role not in columns else []
        if not channels:
            continue
        titles = [names[channel.index] for channel in channels]
        total, corrected = np.zeros(len(values)), 0
        for channel, title in zip(channels, titles, strict=True):
            live = channel.live(values)
            if live is None:
                total += values[:, channel.index]
                continue
            _check_live(live, title, source)
            total += values[:, channel.index] / live
            corrected += 1
        columns[role] = total
        settings = {"role": role, "channels": titles}
        if corrected == len(channels):
            done.append(step("sum channels, corrected for dead time", **settings))
        elif len(channels) == 1:
            done.append(step("take a channel, without correction for dead time", **settings))
        else:
            doubt = "warning: sum of channels without correction for dead time"
            done.append(step(doubt, **settings, corrected=corrected))
    return done


def _check_live(live: Array, title: str, source: str) -> None:
    """Refuse what can be no live fraction: percent taken for parts, or columns in exchange."""
    bad = np.flatnonzero(~((live > 0.02) & (live < 1.02)))
    if bad.size:
        raise DataError(
            f"the dead time of {title!r} is wrong: at point {bad[0] + 1} it would have counted during "
            f"{live[bad[0]]:.3g} of the time",
            where=source,
            do="say in a beamline profile whether the column is a factor, a fraction or percent",
        )


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
