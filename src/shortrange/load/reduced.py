"""Reduced X-ray absorption as columns: chi(k), of this package and of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.text import FLOAT, check_increasing, errors_of, find_labels, header_number, read_table
from shortrange.quantities import ChiK, step

__all__ = ["read_chi_k", "sniff_chi_k"]

Array = NDArray[Any]

_CHI = re.compile(r"^#*\s*\"?k\b[^,\t ]*[,\s]+chi\b", re.M | re.IGNORECASE)


def sniff_chi_k(head: bytes) -> bool:
    """Whether the first two columns are titled k and chi, as by Athena and by this package."""
    return bool(_CHI.search(head.decode("latin-1")))


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
    check_increasing(table, "k")
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
