"""Absorption scans in HDF5: files of ESRF's BLISS, NXxas, and the archives of this package."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.axis import Edge
from shortrange.load.history import MARK
from shortrange.load.roles import assign, choose_profile
from shortrange.load.sweep import make_scan
from shortrange.load.text import Table, is_gzip, read_head
from shortrange.quantities import Scan, Step, step

if TYPE_CHECKING:
    import h5py

__all__ = ["read_hdf5", "sniff_hdf5"]

Array = NDArray[Any]

_UNITS = {"ev": "eV", "kev": "keV", "deg": "degrees", "degree": "degrees", "degrees": "degrees"}
_LINKS = {"absorbed_beam": "mu", "incoming_beam": "i0", "transmitted_beam": "it"}
"""Names of NXxas."""


def sniff_hdf5(head: bytes) -> bool:
    """Whether this is an HDF5 file."""
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def read_hdf5(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read every scan over the energy of a BLISS or NXxas file.

    Links to files that are not there, and scans over something else, are left out with a note in the history
    of the others; if nothing is left, they are the error.

    Raises
    ------
    DataError
        If the file is no HDF5 or damaged, or holds no scan over the energy.
    """
    if not sniff_hdf5(read_head(path)):
        raise DataError(
            "this is no HDF5 file",
            where=str(path),
            do="name the format, or copy the file from its source again",
        )
    import h5py

    try:
        source: Any = io.BytesIO(gzip.decompress(path.read_bytes())) if is_gzip(path) else path
        with h5py.File(source, "r") as file:
            return _scans(file, path, Edge(element, edge))
    except OSError as error:
        raise DataError(
            f"the HDF5 file cannot be read: {error}", where=str(path), do="copy it from its source again"
        ) from error


def _scans(file: h5py.File, path: Path, wanted: Edge) -> tuple[Scan, ...]:
    broken: list[str] = []
    others: list[str] = []
    found = []
    for name, group in _entries(file, broken):
        columns, units = _columns(group, broken)
        labels = list(columns)
        profile = choose_profile(labels, "")
        energy, _ = assign(labels, profile)
        if energy is None or columns[labels[energy]].size < 5 or np.ptp(columns[labels[energy]]) == 0:
            others.append(name)
            continue
        found.append((name, group, columns, units.get(labels[energy])))
    if not found:
        raise DataError(
            "there is no scan over the energy: "
            f"{len(others)} other groups, {len(broken)} links to what is not there"
            + (f", first {broken[0]}" if broken else ""),
            where=str(path),
            do="copy the linked files beside this one" if broken else "name the file of an energy scan",
        )
    notes: list[Step] = []
    if broken:
        notes.append(
            step("warning: links to what is not there were left out", links=len(broken), first=broken[0])
        )
    if others:
        notes.append(step("note: groups that are no scan over the energy were left out", groups=others))
    return tuple(_scan(path, *each, wanted, tuple(notes)) for each in found)


def _entries(file: h5py.File, broken: list[str]) -> Iterator[tuple[str, h5py.Group]]:
    """Find what may be a scan: ``measurement``, or the data of NXxas, at most three levels down."""
    import h5py

    def walk(group: h5py.Group, prefix: str, depth: int) -> Iterator[tuple[str, h5py.Group]]:
        for name in group:
            try:
                item = group[name]
            except (KeyError, OSError):
                broken.append(f"{prefix}{name}")
                continue
            if not isinstance(item, h5py.Group):
                continue
            if "measurement" in item:
                try:
                    yield f"{prefix}{name}", item["measurement"]
                except (KeyError, OSError):
                    broken.append(f"{prefix}{name}/measurement")
            elif "energy" in item and _names(item) & set(_LINKS):
                yield f"{prefix}{name}", item
            elif depth < 3:
                yield from walk(item, f"{prefix}{name}/", depth + 1)

    yield from walk(file, "", 0)


def _names(group: h5py.Group) -> set[str]:
    return set(group)


def _columns(group: h5py.Group, broken: list[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Columns of numbers as long as the most of them, and their units."""
    import h5py

    found: dict[str, Array] = {}
    units: dict[str, str] = {}
    for name in group:
        try:
            item = group[name]
        except (KeyError, OSError):
            broken.append(f"{group.name}/{name}")
            continue
        # Soft links of BLISS may lead to the group of a device instead of its values.
        if isinstance(item, h5py.Group):
            item = next((item[key] for key in ("value", "data") if key in item), None)
        if not isinstance(item, h5py.Dataset) or item.ndim != 1 or item.dtype.kind not in "fiu":
            continue
        label = _LINKS.get(name, name)
        found[label] = np.asarray(item[()], dtype=float)
        unit = item.attrs.get("units", "")
        text = unit.decode() if isinstance(unit, bytes) else str(unit)
        if text.strip().lower() in _UNITS:
            units[label] = _UNITS[text.strip().lower()]
    if not found:
        return {}, {}
    sizes = [values.size for values in found.values()]
    size = max(set(sizes), key=sizes.count)
    return {name: values for name, values in found.items() if values.size == size}, units


def _scan(
    path: Path,
    name: str,
    group: h5py.Group,
    columns: dict[str, Array],
    unit: str | None,
    wanted: Edge,
    notes: tuple[Step, ...],
) -> Scan:
    labels = list(columns)
    # A detector that was not read everywhere leaves NaN; the scan is judged by the columns that are used.
    sound = {
        label: values
        for label, values in columns.items()
        if np.isfinite(values).all() or label in _used(labels)
    }
    values = np.stack(list(sound.values()), axis=1)
    dropped = [label for label in labels if label not in sound]
    source = f"{path}, {name}"
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"{list(sound)[int(bad[0, 1])]!r} is not a finite number at point {int(bad[0, 0]) + 1}",
            where=source,
            do="leave this scan out",
        )
    history = notes + ((step("note: columns with NaN left out", columns=dropped),) if dropped else ())
    return make_scan(
        Table(path=path, header=(), values=values, lines=np.arange(1, len(values) + 1)),
        labels=list(sound),
        profile=choose_profile(list(sound), ""),
        source=source,
        stated=_stated(group),
        wanted=wanted,
        unit=unit,
        metadata=_metadata(group),
        history=history,
    )


def _used(labels: list[str]) -> set[str]:
    energy, roles = assign(labels, choose_profile(labels, ""))
    return {labels[i] for i in (energy, *roles.values()) if i is not None}


def _text(group: h5py.Group, name: str) -> str:
    try:
        value = group[name][()]
    except (KeyError, OSError, TypeError, ValueError, AttributeError):
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _stated(group: h5py.Group) -> Edge:
    """Element and edge, as NXxas and our own archive write them beside the data."""
    for parent in (group.parent, group):
        element, edge = _text(parent, "element"), _text(parent, "edge")
        if element:
            return Edge(element.capitalize(), edge.capitalize() or None)
    return Edge()


def _metadata(group: h5py.Group) -> dict[str, str]:
    found = {name: _text(group.parent, name) for name in ("title", "start_time", "end_time")}
    found["sample"] = _text(group.parent, "sample/name")
    found[MARK] = str(group.attrs.get("history", ""))
    if bool(group.file["/"].attrs.get("simulated", False)) or any(
        bool(parent.attrs.get("simulated", False)) for parent in (group.parent, group.parent.parent)
    ):
        found["simulated"] = "simulated"
    return {name: text for name, text in found.items() if text}
