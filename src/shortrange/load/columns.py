"""Column text of beamlines: XAS sweeps with or without titles, and SPEC files with several scans."""

from __future__ import annotations

import re
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np

from shortrange.errors import DataError
from shortrange.load.axis import Edge
from shortrange.load.roles import assign, choose_profile, profiles
from shortrange.load.sweep import make_scan
from shortrange.load.text import Line, Table, find_labels, read_table, read_text, split_labels, where
from shortrange.quantities import Scan, Step, step

__all__ = ["read_columns", "read_spec", "sniff_columns", "sniff_spec"]

LOWEST_ENERGY = 40.0
"""Below the lowest edge that anyone scans (Li K, 55 eV): what begins lower is not an energy in eV."""

_SPEC_SCAN = re.compile(r"#S\s+(\d+)\s*(.*)")


def sniff_spec(head: bytes) -> bool:
    """Whether this is a SPEC file: ``#F`` or ``#S N`` first, or ``#S`` and ``#N`` with ``#L``."""
    text = head.decode("latin-1")
    return bool(
        re.match(r"#F ", text)
        or (re.search(r"^#S\s+\d+", text, re.M) and re.search(r"^#N\s+\d+", text, re.M))
    )


def sniff_columns(head: bytes) -> bool:
    """Whether a line in the first 4 kB above the numbers holds the titles of a profile."""
    text = head.decode("latin-1")
    if sniff_spec(head) or re.search(r"^#\s*(XDI/|Column\.\d+:)", text, re.M):
        return False
    lines = text.splitlines()
    for line, below in pairwise(lines[:-1]):  # the last line may be cut
        words = split_labels(line, len(below.replace(",", " ").split()))
        if words is None or len(words) < 2 or not re.match(r"\s*[-+.\d]", below):
            continue
        energy, roles = assign(words, profiles()[-1])
        if (energy is not None and roles) or any(p.fits(words, text) for p in profiles()):
            return True
    return False


def _metadata(header: tuple[Line, ...]) -> dict[str, str]:
    """Header fields of the form ``name: value`` or ``name = value``."""
    found = {}
    for _, text in header:
        match = re.match(r"[#%!;\s]*([A-Za-z][\w .-]{0,40}?)\s*[:=]\s*(\S.*)", text)
        if match:
            found[match.group(1).strip().lower()] = match.group(2).strip()
    return found


def _untitled(table: Table, *, asked: bool) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Titles for a table without any, proved by arithmetic where the file repeats itself as a logarithm."""
    values = table.values
    width = values.shape[1]
    if not asked and values[:, 0].min() < LOWEST_ENERGY:
        raise DataError(
            f"the columns have no titles, and the first one, from {values[:, 0].min():g}, is no energy in eV",
            where=str(table.path),
            do="write the titles above the numbers, or name the element and edge",
        )
    if width == 2:
        return ("energy", "mu"), (step("warning: no column titles, taken as energy and mu"),)
    names = ["energy", *(f"col{n}" for n in range(2, width + 1))]
    proved = {}
    for top, bottom in permutations(range(1, min(width, 12)), 2):
        a, b = values[:, top], values[:, bottom]
        if not (np.all(a > 0) and np.all(b > 0)):
            continue
        log = np.log(a / b)
        for result in range(1, width):
            if result not in (top, bottom) and np.allclose(values[:, result], log, rtol=1e-4, atol=2e-6):
                proved[result] = (top, bottom)
    if proved:
        first, *others = sorted(proved)
        top, bottom = proved[first]
        names[first], names[top], names[bottom] = "mu", "i0", "it"
        for other in others[:1]:
            names[other] = "mu_ref"
            if names[proved[other][1]] == f"col{proved[other][1] + 1}":
                names[proved[other][1]] = "ir"
        return tuple(names), (
            step("warning: no column titles, roles proved by mu = ln(i0/it)", titles=names),
        )
    return tuple(names), (step("warning: no column titles, only the energy is known", titles=names),)


def read_columns(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read one sweep from column text.

    Titles are the last line above the numbers that has one word for each column; a profile says what
    they mean. Columns of no known role keep their own names, in lower case.

    Raises
    ------
    DataError
        If the table is faulty, or no column is the energy.
    """
    table = read_table(path)
    labels = find_labels(table)
    history: tuple[Step, ...] = ()
    if labels is None:
        labels, history = _untitled(table, asked=element is not None)
    header = "\n".join(text for _, text in table.header)
    profile = choose_profile(labels, header)
    scan = make_scan(
        table,
        labels=labels,
        profile=profile,
        source=str(path),
        stated=_stated(profile.edge, header),
        wanted=Edge(element, edge),
        metadata=_metadata(table.header),
        history=history,
    )
    return (scan,)


def _stated(pattern: str, header: str) -> Edge:
    """Edge that a profile finds in the header."""
    found = re.search(pattern, header) if pattern else None
    return Edge(found.group(1).capitalize(), found.group(2).upper()) if found else Edge()


def _spec_blocks(lines: list[Line]) -> tuple[list[Line], list[list[Line]]]:
    starts = [i for i, (_, text) in enumerate(lines) if text.startswith("#S ")]
    if not starts:
        return lines, []
    ends = [*starts[1:], len(lines)]
    return lines[: starts[0]], [lines[a:b] for a, b in zip(starts, ends, strict=True)]


def read_spec(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read every scan (``#S``) of a SPEC file.

    Raises
    ------
    DataError
        If there is no scan, a scan has no titles (``#L``), or a table is faulty.
    """
    lines = read_text(path)
    preamble, blocks = _spec_blocks(lines)
    if not blocks:
        raise DataError(
            "there is no scan (#S) in this SPEC file", where=str(path), do="check that it is complete"
        )
    common = {}
    for _, text in preamble:
        if text[:2] in ("#F", "#D", "#C"):
            common[f"spec.{text[1].lower()}"] = text[2:].strip()
    return tuple(_spec_scan(path, block, dict(common), Edge(element, edge)) for block in blocks)


def _spec_scan(path: Path, block: list[Line], metadata: dict[str, str], wanted: Edge) -> Scan:
    start, title = block[0]
    found = _SPEC_SCAN.match(title)
    name = f"scan {found.group(1)}" if found else "scan"
    metadata["spec.scan"] = title[2:].strip()
    titles = next(((n, text) for n, text in block if text.startswith("#L")), None)
    if titles is None:
        raise DataError(
            "the scan has no column titles (#L)",
            where=where(path, start, scan=name),
            do="repair or drop the scan",
        )
    table = read_table(path, lines=block, scan=name)
    labels = find_labels(table)
    history: tuple[Step, ...] = ()
    if labels is None and not split_labels(titles[1], table.values.shape[1]):
        raise DataError(
            f"the titles (#L) do not fit {table.values.shape[1]} columns",
            where=where(path, titles[0], scan=name),
            do="repair the line of titles, or drop the scan",
        )
    if labels is None:
        labels, history = _untitled(table, asked=wanted.element is not None)
    header = "\n".join(text for _, text in table.header)
    for _, text in table.header:
        if text.startswith(("#D", "#T")):
            metadata[f"spec.{text[1].lower()}"] = text[2:].strip()
    return make_scan(
        table,
        labels=labels,
        profile=choose_profile(labels, header),
        source=f"{path}, {name}",
        stated=Edge(),
        wanted=wanted,
        metadata=metadata,
        history=history,
    )
