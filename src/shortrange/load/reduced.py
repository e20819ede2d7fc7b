"""Reduced data as columns: S(Q) and chi(k), of this package and of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import parse_composition
from shortrange.errors import DataError
from shortrange.load.text import FLOAT, Table, errors_of, find_labels, header_number, read_table, where
from shortrange.quantities import SQ, ChiK, step

__all__ = ["read_chi_k", "read_sq", "sniff_chi_k", "sniff_sq"]

Array = NDArray[Any]

_SQ = re.compile(r"^#*L?\s*\"?q\b[^,\t ]*[,\s]+s(\(q\)|\b)", re.M | re.IGNORECASE)
_CHI = re.compile(r"^#*\s*\"?k\b[^,\t ]*[,\s]+chi\b", re.M | re.IGNORECASE)


def sniff_sq(head: bytes) -> bool:
    """Whether the first two columns are titled Q and S."""
    return bool(_SQ.search(head.decode("latin-1")))


def sniff_chi_k(head: bytes) -> bool:
    """Whether the first two columns are titled k and chi, as by Athena and by this package."""
    return bool(_CHI.search(head.decode("latin-1")))


def read_sq(path: Path) -> SQ:
    """Read S(Q): two columns, or three with the standard error.

    Raises
    ------
    DataError
        If the table is faulty or Q does not increase.
    """
    table = read_table(path)
    header = "\n".join(text for _, text in table.header)
    values = table.values
    _check_increasing(table, "Q")
    sigma, doubts = errors_of(values[:, 2] if values.shape[1] > 2 else None)
    formula = re.search(r"^\W*composition\s*=\s*(\S+)", header, re.M)
    return SQ(
        q=values[:, 0],
        s=values[:, 1],
        sigma=sigma,
        composition=parse_composition(formula[1]) if formula else {},
        number_density=header_number(header, rf"^\W*rho0\s*=\s*{FLOAT}"),
        label=path.stem,
        history=(*table.history, step("load S(Q)", file=str(path)), *doubts),
    )


def read_chi_k(path: Path) -> ChiK:
    """Read chi(k), not weighted by k; a column ``sigma`` is its standard error.

    Raises
    ------
    DataError
        If the table is faulty, k does not increase, or no column is chi.
    """
    table = read_table(path)
    header = "\n".join(text for _, text in table.header)
    labels = [label.strip('"').lower() for label in find_labels(table) or ("k", "chi")]
    if "chi" not in labels:
        raise DataError(
            f"none of the columns {labels} is chi(k) without weight", where=str(path), do="title it 'chi'"
        )
    _check_increasing(table, "k")
    at = labels.index("sigma") if "sigma" in labels else None
    sigma, doubts = errors_of(None if at is None else table.values[:, at])
    return ChiK(
        k=table.values[:, 0],
        chi=table.values[:, labels.index("chi")],
        sigma=sigma,
        e0=header_number(header, rf"^\W*e0\s*=\s*{FLOAT}"),
        edge_step=header_number(header, rf"^\W*edge_step\s*=\s*{FLOAT}"),
        label=path.stem,
        history=(*table.history, step("load chi(k)", file=str(path)), *doubts),
    )


def _check_increasing(table: Table, name: str) -> None:
    back = np.flatnonzero(np.diff(table.values[:, 0]) <= 0)
    if back.size:
        raise DataError(
            f"{name} does not increase",
            where=where(table.path, int(table.lines[int(back[0]) + 1]), 1),
            do="give every point once, in increasing order",
        )
