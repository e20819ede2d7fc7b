"""Total scattering: G(r) of PDFgetX2, PDFgetX3 and PDFgetN, and I(Q) of pyFAI, Fit2D and plain columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import parse_composition
from shortrange.errors import DataError, did_you_mean
from shortrange.load.text import Table, find_labels, read_table, read_text, where
from shortrange.quantities import GR, IQ, Step, step
from shortrange.units import q_from_two_theta

__all__ = ["read_gr", "read_iq", "sniff_gr", "sniff_iq"]

Array = NDArray[Any]

_GR_TITLES = re.compile(r"^#L\s+r\b.*\bG\b", re.M)
_AXES = ("q", "q_nm", "2theta")


def sniff_gr(head: bytes) -> bool:
    """Whether the head is of a PDFgetX2, PDFgetX3 or PDFgetN file of G(r)."""
    text = head.decode("latin-1")
    pdfget = re.search(r"pdfget[xn]|Get_XPDF", text, re.IGNORECASE) and not re.search(
        r"^outputtype\s*=\s*(iq|sq|fq)\b", text, re.M | re.IGNORECASE
    )
    return bool(_GR_TITLES.search(text) or pdfget)


def sniff_iq(head: bytes) -> bool:
    """Whether the head is of a pyFAI or Fit2D pattern, or names Q and I(Q)."""
    text = head.decode("latin-1")
    return bool(
        re.search(r"pyFAI|q_A\^-1|q_nm\^-1|2th_deg|2-Theta Angle", text)
        or re.search(r"^#L\s+Q\s+I\(Q\)", text, re.M)
    )


def _number(text: str, pattern: str) -> float | None:
    found = re.search(pattern, text, re.M | re.IGNORECASE)
    return float(found.group(1)) if found else None


_FLOAT = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"


def _q_limit(text: str, which: str) -> float | None:
    """Limit of the transform: a PDFgetX3 field, or the S(q) line of PDFgetX2, or the damping of PDFgetN."""
    for pattern in (
        rf"^\s*#?\s*{which}\s*=\s*{_FLOAT}",
        rf"^## S\(q\).*?\b{which}=\s*{_FLOAT}",
        rf"^#\s+## Damp.*?\b{which}=\s*{_FLOAT}",
        rf"^#S.*\b{which}=\s*{_FLOAT}",
    ):
        value = _number(text, pattern)
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


def read_gr(path: Path) -> GR:
    """Read a measured G(r).

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
    index, history = _gr_columns(table)
    values = table.values
    r, g = values[:, index["r"]], values[:, index["g"]]
    _check_uniform(path, r, table.lines)
    sigma, doubts = _sigma(values[:, index["dg"]] if "dg" in index else None)
    composition, odd = _composition(header)
    return GR(
        r=r,
        g=g,
        sigma=sigma,
        q_min=_q_limit(header, "qmin"),
        q_max=_q_limit(header, "qmax"),
        q_damp=_number(header, rf"^\s*#?\s*q_?damp\s*=\s*{_FLOAT}"),
        composition=composition,
        source=str(path),
        label=path.stem,
        history=(*table.history, step("load G(r)", file=str(path), columns=index), *history, *doubts, *odd),
    )


def _gr_columns(table: Table) -> tuple[dict[str, int], tuple[Step, ...]]:
    width = table.values.shape[1]
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


def _sigma(values: Array | None) -> tuple[Array | None, tuple[Step, ...]]:
    if values is None or not np.any(values):
        return None, ()
    if np.all(values > 0):
        return values, ()
    return None, (
        step("warning: the errors are not all positive, and were left out", points=int(np.sum(values <= 0))),
    )


def read_iq(path: Path, *, wavelength: float | None = None, axis: str | None = None) -> IQ:
    """Read a scattering pattern onto Q in 1/angstrom.

    Parameters
    ----------
    path
        Two columns, or three with the standard error.
    wavelength
        angstrom; the header's is taken where this is None.
    axis
        ``"q"``, ``"q_nm"`` or ``"2theta"``; the header's is taken where this is None.

    Raises
    ------
    DataError
        If the table is faulty, its axis is not known, is not an angle or Q, or cannot be Q.
    """
    table = read_table(path)
    header = "\n".join(text for _, text in table.header)
    wavelength, history = _wavelength(path, header, wavelength)
    stated = _axis(path, header, find_labels(table))
    kind = _settle_axis(path, stated, axis)
    x = table.values[:, 0]
    _check_increasing(path, x, table.lines)
    q, converted = _to_q(path, x, kind, wavelength)
    sigma, doubts = _sigma(table.values[:, 2] if table.values.shape[1] == 3 else None)
    return IQ(
        q=q,
        intensity=table.values[:, 1],
        sigma=sigma,
        wavelength=wavelength,
        source=str(path),
        label=path.stem,
        history=(*table.history, step("load I(Q)", file=str(path), axis=kind), *history, *converted, *doubts),
    )


def _wavelength(path: Path, header: str, given: float | None) -> tuple[float | None, tuple[Step, ...]]:
    if given is not None and not 0 < given < 10:
        raise DataError(
            f"a wavelength of {given:g} angstrom is not one of X-rays",
            where=str(path),
            do="give it in angstrom",
        )
    metres = _number(header, rf"wavelength\s*[:=]\s*{_FLOAT}\s*m\b")
    stated = metres * 1e10 if metres else _number(header, rf"^\W*wavelength\s*[:=]\s*{_FLOAT}\s*(?:A|Å|$)")
    if stated is None:
        return given, ()
    if given is None:
        return stated, (step("take the wavelength from the header", wavelength=stated),)
    if abs(stated / given - 1.0) > 0.005:
        raise DataError(
            f"the header says a wavelength of {stated:.6g} angstrom, the project {given:.6g}",
            where=str(path),
            do="correct the one that is wrong",
        )
    return given, ()


_AXIS_WORDS = (
    ("q_nm", r"q_?\(?(nm|1/nm)|q\s*\[?\(?\s*(nm\^?-1|1/nm)|inverse nano"),
    ("2theta", r"2th|2-?theta|2θ|two_?theta|\btth\b"),
    ("q", r"q_?A|^q\b|inverse ang|\bq\s*[\[(]|momentum"),
    ("radius", r"\br_?mm\b|radius|distance \("),
    ("azimuth", r"chi_deg|azimuth"),
)


def _axis(path: Path, header: str, labels: tuple[str, ...] | None) -> str | None:
    """Kind of the first column, from its title, else from a Fit2D header."""
    texts = [labels[0]] if labels else []
    texts += [
        line.strip("# \t")
        for line in header.splitlines()
        if re.match(r"\W*(2-?theta|q |q_|radius)", line, re.I)
    ]
    for text in texts:
        if re.search(r"2th_rad|radian", text, re.IGNORECASE):
            raise DataError(
                "the axis is 2theta in radians", where=str(path), do="integrate onto Q or onto degrees"
            )
        for kind, pattern in _AXIS_WORDS:
            if re.search(pattern, text, re.IGNORECASE):
                return kind
    return None


def _settle_axis(path: Path, stated: str | None, wanted: str | None) -> str:
    if wanted is not None and wanted not in _AXES:
        raise DataError(f"unknown axis {wanted!r}", where=str(path), do=did_you_mean(wanted, _AXES))
    if stated in ("radius", "azimuth"):
        raise DataError(
            f"the first column is a detector {stated}, from which Q cannot be had",
            where=str(path),
            do="integrate the image onto Q",
        )
    if stated and wanted and stated != wanted:
        raise DataError(
            f"the header says the axis is {stated!r}, but {wanted!r} was asked for",
            where=str(path),
            do="leave axis out, or correct the header",
        )
    kind = wanted or stated
    if kind is None:
        raise DataError(
            "nothing says whether the first column is Q or 2theta",
            where=str(path),
            do='say it: axis = "q" (1/angstrom), "q_nm" or "2theta" (degrees), or title it "# q_A^-1 I"',
        )
    return kind


def _check_increasing(path: Path, x: Array, lines: Array) -> None:
    back = np.flatnonzero(np.diff(x) <= 0)
    if back.size:
        at = int(back[0]) + 1
        word = "repeats" if x[at] == x[at - 1] else "falls back from"
        raise DataError(
            f"the axis {word} {x[at - 1]:g}" + ("" if x[at] == x[at - 1] else f" to {x[at]:g}"),
            where=where(path, int(lines[at]), 1),
            do="give every point once, in increasing order",
        )
    if x.size < 10:
        raise DataError(f"there are only {x.size} points", where=str(path), do="give a whole pattern")
    if x[0] < 0:
        raise DataError(
            f"the axis begins at {x[0]:g}", where=where(path, int(lines[0]), 1), do="cut it at zero"
        )


def _to_q(path: Path, x: Array, kind: str, wavelength: float | None) -> tuple[Array, tuple[Step, ...]]:
    if kind == "2theta":
        if wavelength is None:
            raise DataError(
                "the axis is an angle and the wavelength is not known",
                where=str(path),
                do="give the wavelength",
            )
        if x[-1] > 180:
            raise DataError(
                f"an angle 2theta of {x[-1]:g} degrees does not exist", where=str(path), do="check the axis"
            )
        return q_from_two_theta(x, wavelength), (step("convert 2theta to Q", wavelength=wavelength),)
    history: tuple[Step, ...] = ()
    if kind == "q_nm":
        x, history = x / 10.0, (step("convert Q from 1/nm to 1/angstrom"),)
    limit = 4.0 * np.pi / wavelength if wavelength else 100.0
    if x[-1] > limit:
        reason = (
            f"at {wavelength:g} angstrom Q ends at {limit:.4g}"
            if wavelength
            else "no X-ray source reaches this"
        )
        raise DataError(
            f"the axis cannot be Q in 1/angstrom: it goes to {x[-1]:.5g}, and {reason}",
            where=str(path),
            do='say what it is: axis = "2theta" or axis = "q_nm"; or correct the wavelength',
        )
    return x, history
