"""Measured pair distribution functions: G(r) of PDFgetX2, PDFgetX3 and PDFgetN."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import parse_composition
from shortrange.errors import DataError
from shortrange.load.text import (
    FLOAT,
    Table,
    errors_of,
    find_labels,
    header_number,
    read_table,
    read_text,
    where,
)
from shortrange.quantities import GR, Step, step

__all__ = ["read_gr", "sniff_gr"]

Array = NDArray[Any]

_GR_TITLES = re.compile(r"^#L\s+r\b.*\bG\b|^\W*r\b[^,;\n]*[,;]\W*[Gg](_?r|\(r\))?\W*(,|;|$)", re.M)


def sniff_gr(head: bytes) -> bool:
    """Whether the head is of a PDFgetX2, PDFgetX3 or PDFgetN file of G(r)."""
    text = head.decode("latin-1")
    if _GR_TITLES.search(text) or re.match(r"# shortrange \S+: G\(r\)", text):
        return True
    # The long head of PDFgetX2 is the same for all of its files: their suffix tells them apart.
    pdfget = re.search(r"pdfget[xn]", text, re.IGNORECASE) and "Get_XPDF" not in text
    other = re.search(r"^outputtype\s*=\s*(iq|sq|fq)\b|^#L\s+Q\b", text, re.M | re.IGNORECASE)
    return bool(pdfget and not other)


def _q_limit(text: str, which: str) -> float | None:
    """Limit of the transform: a PDFgetX3 field, or the S(q) line of PDFgetX2, or the damping of PDFgetN."""
    for pattern in (
        rf"^\s*#?\s*{which}\s*=\s*{FLOAT}",
        rf"^## S\(q\).*?\b{which}=\s*{FLOAT}",
        rf"^#\s+## Damp.*?\b{which}=\s*{FLOAT}",
        rf"^#S.*\b{which}=\s*{FLOAT}",
    ):
        value = header_number(text, pattern)
        if value is not None:
            return value
    return None


def _composition(text: str) -> tuple[dict[str, float], tuple[Step, ...]]:
    found = re.search(r"^\s*#?\s*composition\s*=[ \t]*(\S.*)$", text, re.M | re.IGNORECASE)
    if not found:
        return {}, ()
    formula = found.group(1).strip()
    try:
        return parse_composition(formula), ()
    except DataError:
        return {}, (step("warning: the composition in the header is not a formula", composition=formula),)


def read_gr(path: Path, *, function: str = "G") -> GR:
    """Read a measured G(r), or another function of r that the caller names and converts.

    Columns are taken by their titles (``#L r G(r) dr dG(r)``); without titles two columns are r and G,
    and four are r, G, dr, dG.

    Raises
    ------
    DataError
        If the table is faulty, r is negative or not uniform, or the columns cannot be told apart.
    """
    lines = read_text(path)
    start = next((i for i, (_, text) in enumerate(lines) if re.match(r"#+ *start data", text)), 0)
    table = read_table(path, lines=lines[start:])
    header = "\n".join(text for _, text in (*lines[:start], *table.header))
    index, history = _gr_columns(table, function)
    values = table.values
    r, g = values[:, index["r"]], values[:, index["g"]]
    _check_uniform(path, r, table.lines)
    sigma, doubts = errors_of(values[:, index["dg"]] if "dg" in index else None)
    composition, odd = _composition(header)
    return GR(
        r=r,
        g=g,
        sigma=sigma,
        q_min=_q_limit(header, "qmin"),
        q_max=_q_limit(header, "qmax"),
        q_damp=header_number(header, rf"^\s*#?\s*q_?damp\s*=\s*{FLOAT}"),
        composition=composition,
        number_density=header_number(header, rf"^\s*#?\s*rho0\s*=\s*{FLOAT}"),
        source=str(path),
        label=path.stem,
        history=(*table.history, step("load G(r)", file=str(path), columns=index), *history, *doubts, *odd),
    )


_FUNCTIONS = {"T": ("t", "tr"), "D": ("d", "dr"), "g": ("g", "gofr", "gr"), "RDF": ("rdf", "rr", "jr")}
"""Titles of other functions of r, in lower case without brackets."""


def _check_function(table: Table, function: str) -> None:
    """Refuse a second column whose title is that of another function than the one asked for."""
    labels = find_labels(table)
    if labels is None or len(labels) < 2:
        return
    title = re.sub(r"[^a-z]", "", re.sub(r"[\[({].*", "", labels[1].lower()))
    own = {name for name, titles in _FUNCTIONS.items() if title in titles}
    if labels[1].startswith("g") and function == "G" and "g" in own:
        # Small g is not capital G; a bare "g" may stand for either (ours for G).
        own = {"G"} if labels[1] == "g" and not _tends_to_one(table) else {"g"}
    elif title in ("g", "gr"):
        own = {"G", "g", "G_keen"}
    if own and function not in own:
        raise DataError(
            f"the column is titled {labels[1]!r}, which is not {function}(r)",
            where=str(table.path),
            do=f"say what it is: function = {' or '.join(sorted(own))}, with the number density",
        )


def _tends_to_one(table: Table) -> bool:
    far = table.values[table.values.shape[0] // 2 :, 1]
    return bool(np.mean(far) > 0.5)


def _gr_columns(table: Table, function: str = "G") -> tuple[dict[str, int], tuple[Step, ...]]:
    width = table.values.shape[1]
    _check_function(table, function)
    titles = _gr_titles(table, width)
    if titles:
        return titles, ()
    labels = find_labels(table)
    if labels and width > 2:
        raise DataError(
            f"the columns {list(labels)} are not known",
            where=str(table.path),
            do="title them r, G and dG, as in '#L r G(r) dr dG(r)'",
        )
    if width == 2:
        return {"r": 0, "g": 1}, ()
    if width == 4:
        return {"r": 0, "g": 1, "dg": 3}, ()
    return {"r": 0, "g": 1}, (
        step("warning: columns without titles were left out", columns=list(range(3, width + 1))),
    )


def _gr_titles(table: Table, width: int) -> dict[str, int] | None:
    labels = find_labels(table)
    if labels is None:
        return None
    keys = [re.sub(r"[^a-z]", "", re.sub(r"[\[(].*", "", label.lower())) for label in labels]
    found = {}
    for key, names in {"r": ("r",), "g": ("g", "gr"), "dg": ("dg", "dgr", "sigma", "siggr")}.items():
        at = next((i for i, name in enumerate(keys) if name in names), None)
        if at is not None and at < width:
            found[key] = at
    return found if {"r", "g"} <= found.keys() else None


def _check_uniform(path: Path, r: Array, lines: Array) -> None:
    if r.size < 10:
        raise DataError(
            f"there are only {r.size} points", where=str(path), do="give a G(r) of ten points or more"
        )
    if r[0] < 0:
        raise DataError(
            f"the first r is {r[0]:g}", where=where(path, int(lines[0])), do="distances are positive"
        )
    moves = np.diff(r)
    mean = (r[-1] - r[0]) / (r.size - 1)
    odd = np.flatnonzero(np.abs(moves - mean) > 0.02 * abs(mean))
    if mean <= 0 or odd.size:
        at = int(odd[0]) + 1 if odd.size else 1
        raise DataError(
            f"r is not uniform: from {r[at - 1]:g} to {r[at]:g} where the mean step is {mean:.4g}",
            where=where(path, int(lines[at])),
            do="write G(r) on a uniform, increasing grid of r",
        )
