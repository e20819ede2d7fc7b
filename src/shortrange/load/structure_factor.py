"""Structure factors: .sq and .fq of PDFgetX and of this package, .mint01 of Gudrun, tables and CSV."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import parse_composition
from shortrange.errors import DataError, did_you_mean
from shortrange.load.history import MARK
from shortrange.load.text import (
    FLOAT,
    Table,
    check_increasing,
    errors_of,
    find_labels,
    header_number,
    read_table,
    read_text,
    where,
)
from shortrange.quantities import SQ, Step, step

__all__ = ["read_sq", "sniff_sq"]

Array = NDArray[Any]

_FUNCTIONS = ("S", "S-1", "F", "F_keen")
# I(Q) is an intensity, i(Q) is not.
_TITLES = re.compile(r'^[#L\s,]*"?[Qq]\b[^,\t ]*[,\s]+"?([SsFf](\(|\b)|(SQ|FQ|sq|fq)\b|i\([Qq]\))', re.M)
_OUTPUT = re.compile(r"^outputtype\s*=\s*(sq|fq)\s*$", re.M | re.IGNORECASE)
_GUDRUN = re.compile(r"\A\s*#\s*\S+\.m(dcs|int)\d\d\b", re.IGNORECASE)
_SETTING = re.compile(r"^\W*(qmin|qmax|qmaxinst|rpoly|bgscale|wavelength|lambda)\s*=\s*" + FLOAT, re.M | re.I)
_FAR = 0.7  # of the range, from where a structure factor has reached its limit
_NEAR = 0.3


def sniff_sq(head: bytes) -> bool:
    """Whether the head is of a structure factor: by titles, PDFgetX3's output type, Gudrun's first line."""
    text = head.decode("latin-1").lstrip("\xef\xbb\xbf")
    if re.search(r"^#L\s+Q\s+I\(Q\)", text, re.M):
        return False
    return bool(_OUTPUT.search(text) or _GUDRUN.search(text) or _TITLES.search(text))


def read_sq(path: Path, *, function: str | None = None, mean_b_squared: float | None = None) -> SQ:
    """Read S(Q): two columns, or three with the standard error.

    Parameters
    ----------
    path
        The file. A first column that counts the rows is left out.
    function
        What the second column is: ``"S"``, ``"S-1"``, ``"F"`` = Q [S(Q) - 1], or ``"F_keen"`` =
        <b>^2 [S(Q) - 1] (the i(Q) of ISIS and Gudrun); by default as title, header or suffix say.
    mean_b_squared
        Square of the mean scattering length for ``"F_keen"``, barn.

    Raises
    ------
    DataError
        If the table is faulty, nothing says what the column is, or it cannot be that.
    """
    lines = read_text(path)
    start = next((i for i, (_, text) in enumerate(lines) if re.match(r"#+ *start data", text)), 0)
    table = read_table(path, lines=lines[start:])
    header = "\n".join(text for _, text in (*lines[:start], *table.header))
    labels = find_labels(table)
    table, labels, history = _without_count(table, labels)
    check_increasing(table, "Q")
    q, values = table.values[:, 0], table.values[:, 1]
    if q[0] < 0:
        raise DataError(
            f"Q begins at {q[0]:g}", where=where(path, int(table.lines[0]), 1), do="cut it at zero"
        )
    if function is not None and function not in _FUNCTIONS:
        raise DataError(
            f"unknown function {function!r}", where=str(path), do=did_you_mean(function, _FUNCTIONS)
        )
    kind = function or _kind(path, header, labels)
    sigma, doubts = errors_of(table.values[:, 2] if table.values.shape[1] > 2 else None)
    scale = _scale(path, kind, q, mean_b_squared)
    s = values / scale + (0.0 if kind == "S" else 1.0)
    if function is None and MARK not in header:
        _check_limit(path, kind, q, s)
    formula = re.search(r"^\W*composition\s*=[ \t]*(\S.*?)\s*$", header, re.M | re.IGNORECASE)
    settings = {name.lower(): float(value) for name, value in _SETTING.findall(header)}
    if settings:
        history = (*history, step("settings in the header", **settings))
    return SQ(
        q=q,
        s=s,
        sigma=None if sigma is None else sigma / scale,
        composition=parse_composition(formula[1]) if formula else {},
        number_density=header_number(header, rf"^\W*rho0\s*=\s*{FLOAT}"),
        label=path.stem,
        history=(*table.history, step("load S(Q)", file=str(path), function=kind), *history, *doubts),
    )


def _without_count(
    table: Table, labels: tuple[str, ...] | None
) -> tuple[Table, tuple[str, ...] | None, tuple[Step, ...]]:
    """Leave out a first column that only counts the rows, as table programs write it."""
    values = table.values
    counts = values.shape[1] > 2 and np.array_equal(values[:, 0] - values[0, 0], np.arange(len(values)))
    untitled = labels is None or re.fullmatch(r"col1|index|#|", labels[0], re.IGNORECASE)
    if not (counts and untitled):
        return table, labels, ()
    done = step("leave out a first column that counts the rows")
    return replace(table, values=values[:, 1:]), labels[1:] if labels else None, (done,)


def _kind(path: Path, header: str, labels: tuple[str, ...] | None) -> str:
    """Tell the function in the second column by its title, then by header and suffix."""
    title = re.sub(r"[^a-z-]", "", labels[1].lower().split("(")[0]) if labels and len(labels) > 1 else ""
    by_title = {"s": "S", "sq": "S", "s-": "S-1", "f": "F", "fq": "F", "i": "F_keen"}
    if re.search(r"s\(q\)\s*-\s*1", " ".join(labels or ()), re.IGNORECASE):
        return "S-1"
    if title in by_title:
        return by_title[title]
    output = _OUTPUT.search(header)
    suffix = path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    if output or suffix in ("sq", "fq"):
        return "F" if (output[1].lower() if output else suffix) == "fq" else "S"
    if _GUDRUN.search(header) or suffix.startswith(("mint", "mdcs")):
        return "F_keen"
    raise DataError(
        "nothing says whether the second column is S(Q) or F(Q)", where=str(path),
        do=f"say it: function = {' or '.join(_FUNCTIONS)}, or title it 'S(Q)'",
    )  # fmt: skip


def _scale(path: Path, kind: str, q: Array, mean_b_squared: float | None) -> Array:
    """Give what S - 1 was multiplied with, shape (n,)."""
    if kind == "F":
        if q[0] == 0:
            raise DataError("F(Q) at Q = 0 does not determine S(Q)", where=str(path), do="begin above Q = 0")
        return q
    if kind == "F_keen":
        if mean_b_squared is None or not mean_b_squared > 0:
            raise DataError(
                "i(Q) in barn cannot be turned into S(Q) without the scattering lengths", where=str(path),
                do="give mean_b_squared, the square of the mean scattering length in barn",
            )  # fmt: skip
        return np.full_like(q, mean_b_squared)
    return np.ones_like(q)


def _check_limit(path: Path, kind: str, q: Array, s: Array) -> None:
    """Refuse an S(Q) that tends to 0: it is S(Q) - 1, whatever its title says."""
    far = s[q > q[0] + _FAR * (q[-1] - q[0])]
    limit = float(np.mean(far)) if far.size else 1.0
    if kind == "S" and abs(limit) < _NEAR:
        raise DataError(
            f"S(Q) must tend to 1 at high Q, but this tends to {limit:.2g}", where=str(path),
            do='is it S(Q) - 1? Then say so: function = "S-1"',
        )  # fmt: skip
