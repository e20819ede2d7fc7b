"""Scattering patterns: I(Q) of pyFAI, Fit2D and plain columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.load.text import FLOAT, errors_of, find_labels, header_number, read_table, where
from shortrange.quantities import IQ, Step, step
from shortrange.units import q_from_two_theta

__all__ = ["read_iq", "sniff_iq"]

Array = NDArray[Any]

_AXES = ("q", "q_nm", "2theta")


def sniff_iq(head: bytes) -> bool:
    """Whether the head is of a pyFAI or Fit2D pattern, or names Q and I(Q)."""
    if head.startswith(b"\x89HDF"):
        return False
    text = head.decode("latin-1")
    return bool(
        re.search(r"pyFAI|q_A\^-1|q_nm\^-1|2th_deg|2-Theta Angle", text)
        or re.search(r"^#L\s+Q\s+I\(Q\)", text, re.M)
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
    sigma, doubts = errors_of(table.values[:, 2] if table.values.shape[1] == 3 else None)
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
    metres = header_number(header, rf"wavelength\s*[:=]\s*{FLOAT}\s*m\b")
    metres = metres or header_number(header, rf'"wavelength"\s*:\s*{FLOAT}')  # pyFAI's geometry as JSON
    stated = (
        metres * 1e10 if metres else header_number(header, rf"^\W*wavelength\s*[:=]\s*{FLOAT}\s*(?:A|Å|$)")
    )
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
