"""Texts of beamlines whose header, not a line of titles, says what the columns are.

Photon Factory 9809 (over the monochromator angle), SSRL, Epics scans of APS, and CSV files in which several
spectra with energies of their own stand side by side (SOLARIS ASTRA).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from shortrange.errors import DataError
from shortrange.load.axis import Edge
from shortrange.load.roles import Profile, choose_profile
from shortrange.load.sweep import make_scan
from shortrange.load.text import Line, Table, read_table, read_text, where
from shortrange.quantities import Scan, step

__all__ = [
    "read_epics",
    "read_pf9809",
    "read_side_by_side",
    "read_ssrl",
    "sniff_epics",
    "sniff_pf9809",
    "sniff_side_by_side",
    "sniff_ssrl",
]

Number = TypeVar("Number", int, float)

_PLAIN = {role: (role,) for role in ("i0", "it", "ir", "if", "mu")}


def _profile(name: str, unit: str | None) -> Profile:
    return Profile(name=name, columns=(), header="", energy=("energy",), unit=unit, roles=_PLAIN)


# --- Photon Factory -------------------------------------------------------------------------------------

_MODES = {1: "i0", 2: "it", 3: "if"}
"""Detector modes of 9809 that are known: 1 incident, 2 transmitted, 3 fluorescence."""


def sniff_pf9809(head: bytes) -> bool:
    """Whether the first line names the format 9809."""
    return bool(re.match(rb"\s*9809\s", head))


def read_pf9809(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read a scan over the monochromator angle; dark currents (offsets) are subtracted.

    The measured angle, not the commanded one, gives the energy, with the lattice spacing of the header.

    Raises
    ------
    DataError
        If the header lacks the lattice spacing or the modes of the detectors, or the table is faulty.
    """
    lines = read_text(path)
    spacing, modes, offsets, first = _pf_header(path, lines)
    table = read_table(path, lines=lines[first:])
    labels = ["commanded", "energy", "time"]
    repeated: dict[str, int] = {}
    for mode in modes[3:]:
        role = _MODES.get(mode, f"mode{mode}")
        repeated[role] = repeated.get(role, 0) + 1
        labels.append(role if repeated[role] == 1 else f"{role}_{repeated[role]}")
    if len(labels) != table.values.shape[1]:
        raise DataError(
            f"the header names {len(labels)} columns, the table has {table.values.shape[1]}",
            where=str(path),
            do="the file is damaged: copy it from its source again",
        )
    values = table.values.copy()
    # Offsets are counts in one second.
    values[:, 3:] -= np.array(offsets[3:]) * values[:, [2]]
    done = step("subtract dark currents", per_second=list(offsets[3:]))
    scan = make_scan(
        Table(path=path, header=table.header, values=values, lines=table.lines, history=table.history),
        labels=labels,
        profile=_profile("Photon Factory 9809", "degrees"),
        source=str(path),
        stated=Edge(),
        wanted=Edge(element, edge),
        d_spacing=spacing,
        metadata={"comments": lines[2][1].strip() if len(lines) > 2 else ""},
        history=(done,),
    )
    return (scan,)


def _numbers(kind: Callable[[str], Number], words: list[str]) -> list[Number]:
    """Words as numbers; none if one of them is no number."""
    try:
        return [kind(word) for word in words]
    except ValueError:
        return []


def _pf_header(path: Path, lines: list[Line]) -> tuple[float, list[int], list[float], int]:
    spacing: float | None = None
    modes: list[int] = []
    for index, (number, text) in enumerate(lines):
        found = re.search(r"D=\s*(\d+\.?\d*)\s*A", text)
        if found:
            spacing = float(found.group(1))
        words = text.split()
        if words[:1] == ["Mode"]:
            modes = _numbers(int, words[1:])
        if words[:1] == ["Offset"]:
            offsets = _numbers(float, words[1:])
            if spacing is None or not modes or len(offsets) != len(modes):
                raise DataError(
                    "the header lacks the lattice spacing (D=) or the modes of the detectors",
                    where=where(path, number),
                    do="the file is damaged: copy it from its source again",
                )
            return spacing, [0, *modes], [0.0, *offsets], index + 1
    raise DataError(
        "there is no line of offsets",
        where=str(path),
        do="the file is damaged: copy it from its source again",
    )


# --- SSRL -----------------------------------------------------------------------------------------------

_SSRL = {"achieved energy": "energy", "i0": "i0", "i1": "it", "i2": "ir"}


def sniff_ssrl(head: bytes) -> bool:
    """Whether the first line names SSRL's collector."""
    return bool(re.match(rb"\s*SSRL\s.*EXAFS Data Collector", head))


def read_ssrl(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read a scan of SSRL's collector, whose titles stand one below the other.

    Raises
    ------
    DataError
        If there are no titles, or the table is faulty.
    """
    lines = read_text(path)
    start = next((i for i, (_, text) in enumerate(lines) if text.strip() == "Data:"), None)
    if start is None:
        raise DataError(
            "there is no line 'Data:'",
            where=str(path),
            do="the file is damaged: copy it from its source again",
        )
    titles = []
    for _, text in lines[start + 1 :]:
        bare = text.strip()
        if not bare or re.match(r"[-+\d.]", bare):
            break
        titles.append(bare)
    table = read_table(path, lines=lines[start + 1 + len(titles) :])
    if len(titles) != table.values.shape[1]:
        raise DataError(
            f"there are {len(titles)} titles for {table.values.shape[1]} columns",
            where=str(path),
            do="the file is damaged: copy it from its source again",
        )
    scan = make_scan(
        table,
        labels=[_SSRL.get(title.lower(), title) for title in titles],
        profile=_profile("SSRL EXAFS Data Collector", "eV"),
        source=str(path),
        stated=Edge(),
        wanted=Edge(element, edge),
        metadata={"comments": "\n".join(text.strip() for _, text in lines[6:8])},
    )
    return (scan,)


# --- Epics ----------------------------------------------------------------------------------------------

_EPICS = re.compile(r";\s*(\w+)\s*=\s*\{([^}]*)\}\s*-->")


def sniff_epics(head: bytes) -> bool:
    """Whether the first line names an Epics scan."""
    return head.startswith(b"; Epics Scan 1 dimensional scan")


def read_epics(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read an Epics scan, whose header translates the short titles of the columns.

    Raises
    ------
    DataError
        If the titles cannot be translated, or the table is faulty.
    """
    table = read_table(path)
    meaning = {}
    for _, text in table.header:
        found = _EPICS.match(text)
        if found:
            meaning[found.group(1)] = found.group(2).strip()
    last = table.header[-1][1] if table.header else ""
    short = last.lstrip("; \t").split()
    if len(short) != table.values.shape[1] or not set(short) <= set(meaning):
        raise DataError(
            "the titles of the columns are not explained",
            where=where(path, table.header[-1][0] if table.header else 1),
            do="the file is damaged: copy it from its source again",
        )
    labels = [meaning[name].removeprefix("Mono ") for name in short]
    header = "\n".join(text for _, text in table.header)
    scan = make_scan(
        table,
        labels=labels,
        profile=choose_profile(labels, header),
        source=str(path),
        stated=Edge(),
        wanted=Edge(element, edge),
    )
    return (scan,)


# --- spectra side by side -------------------------------------------------------------------------------

_ENERGY = re.compile(r"\s*(photon )?energy\b", re.IGNORECASE)


def sniff_side_by_side(head: bytes) -> bool:
    """Whether the first line is CSV with two or more energies."""
    line = head.decode("latin-1").split("\n")[0]
    return line.count(",") >= 3 and sum(bool(_ENERGY.match(word)) for word in line.split(",")) >= 2


def read_side_by_side(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read CSV with several energy columns, each with its spectra to the right of it: one scan each.

    Spectra may be of different lengths: a spectrum ends where its cells are empty.

    Raises
    ------
    DataError
        If a cell is no number, or a spectrum has a hole.
    """
    lines = [(n, text.split(",")) for n, text in read_text(path) if text.strip().strip(",")]
    titles = [title.strip() for title in lines[0][1]] if lines else []
    energies = [i for i, title in enumerate(titles) if _ENERGY.match(title)]
    if not energies:
        raise DataError(
            "no title of a column begins with 'energy'", where=where(path, 1), do="name the energy columns"
        )
    scans: list[Scan] = []
    for column, title in enumerate(titles):
        before = [i for i in energies if i <= column]
        if title and before and column not in energies:
            scans.append(_one(path, lines[1:], (before[-1], column), title, Edge(element, edge)))
    if not scans:
        raise DataError(
            "there is no spectrum beside the energies", where=where(path, 1), do="name the columns of spectra"
        )
    return tuple(scans)


def _one(
    path: Path, lines: list[tuple[int, list[str]]], places: tuple[int, int], title: str, wanted: Edge
) -> Scan:
    rows, numbers = [], []
    ended = 0
    for number, cells in lines:
        pair = [cells[i].strip() if i < len(cells) else "" for i in places]
        if not any(pair):
            ended = ended or number
            continue
        if ended:
            raise DataError(
                f"{title!r} has an empty row", where=where(path, ended, places[1] + 1), do="remove the hole"
            )
        try:
            rows.append([float(cell) for cell in pair])
        except ValueError:
            raise DataError(
                f"{pair} are no two numbers",
                where=where(path, number, places[1] + 1),
                do="repair the cell, or remove the spectrum",
            ) from None
        numbers.append(number)
    values = np.array(rows, dtype=float).reshape(-1, 2)
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise DataError(
            f"{title!r} is not a finite number",
            where=where(path, numbers[bad], places[1] + 1),
            do="remove the row, or the spectrum",
        )
    scan = make_scan(
        Table(path=path, header=(), values=values, lines=np.array(numbers)),
        labels=["energy", "mu"],
        profile=_profile("side by side", None),
        source=f"{path}, spectrum {title!r}",
        stated=Edge(),
        wanted=wanted,
    )
    return scan.after(step("take one of several spectra", column=places[1] + 1, title=title), label=title)
