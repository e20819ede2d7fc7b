"""Columns of numbers with a header row: CSV, and G(r) as PDFgui reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.errors import DataError
from shortrange.quantities import GR, SQ, ChiK, ChiR
from shortrange.reduce.xas import XasReduction
from shortrange.transform.fourier import sigma_magnitude

__all__ = [
    "chi_k_columns",
    "chi_r_columns",
    "gr_columns",
    "mu_columns",
    "sq_columns",
    "write_csv",
    "write_gr",
]

Array = NDArray[Any]
Columns = dict[str, Array | None]


def write_csv(path: Path, columns: Mapping[str, Array | None]) -> Path:
    """Write columns under a row of their names.

    Parameters
    ----------
    path
        File; its folder must exist.
    columns
        Arrays of one length by name; None gives a column of ``nan`` (not known).

    Raises
    ------
    DataError
        If the lengths differ.
    """
    known = [values for values in columns.values() if values is not None]
    sizes = {values.size for values in known}
    if len(sizes) != 1:
        raise DataError(
            f"columns have lengths {sorted(sizes)}",
            where=f"write_csv({path.name})",
            do="give columns of one length",
        )
    size = sizes.pop()
    table = np.column_stack([np.full(size, np.nan) if v is None else v for v in columns.values()])
    names = ",".join(_quoted(name) for name in columns)
    np.savetxt(path, table, fmt="%.9g", delimiter=",", header=names, comments="", encoding="utf-8")
    return path


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\n') else name


def mu_columns(reduction: XasReduction) -> Columns:
    """Energy (eV), mu and its standard error, and mu normalised and flattened, of an XAS reduction."""
    normalised = reduction.normalised
    return {
        "energy": normalised.energy,
        "mu": normalised.mu,
        "sigma": normalised.sigma,
        "norm": normalised.norm,
        "flat": normalised.flat,
    }


def chi_k_columns(data: ChiK) -> Columns:
    """Columns k (1/angstrom), chi and its standard error."""
    return {"k": data.k, "chi": data.chi, "sigma": data.sigma}


def chi_r_columns(data: ChiR) -> Columns:
    """Columns R (angstrom), real and imaginary part, magnitude and its standard error."""
    return {
        "r": data.r,
        "re": data.chi.real,
        "im": data.chi.imag,
        "mag": data.magnitude,
        "sigma_mag": sigma_magnitude(data),
    }


def sq_columns(data: SQ) -> Columns:
    """Columns Q (1/angstrom), S and its standard error."""
    return {"q": data.q, "s": data.s, "sigma": data.sigma}


def gr_columns(data: GR) -> Columns:
    """Columns r (angstrom), G (1/angstrom^2) and its standard error."""
    return {"r": data.r, "g": data.g, "sigma": data.sigma}


def write_gr(
    path: Path, data: GR, *, simulated: bool, more: Mapping[str, float | str | None] | None = None
) -> Path:
    """Write G(r) with the header lines and the column titles that PDFgui and `read_gr` know.

    Parameters
    ----------
    path
        File.
    data
        The reduced pair distribution function.
    simulated
        Whether the data were made from a model; the header then says so.
    more
        Further fields of the header; None leaves one out.
    """
    header = [f"shortrange {__version__}: G(r), Keen's G(r) of PDFgui", "[DEFAULT]", "mode = xray"]
    if simulated:
        header.insert(1, "SIMULATED DATA")
    fields = {"qmin": data.q_min, "qmax": data.q_max, "qdamp": data.q_damp, "rho0": data.number_density}
    header += [f"{name} = {value:.6g}" for name, value in fields.items() if value is not None]
    if data.composition:
        formula = "".join(f"{symbol}{amount:g}" for symbol, amount in data.composition.items())
        header.append(f"composition = {formula}")
    for name, value in (more or {}).items():
        if value is not None:
            header.append(f"{name} = {value if isinstance(value, str) else f'{value:.6g}'}")
    if data.r.size > 1:
        header += [f"rmin = {data.r[0]:g}", f"rmax = {data.r[-1]:g}", f"rstep = {data.r[1] - data.r[0]:g}"]
    columns = [data.r, data.g]
    titles = "r($\\AA$)  G($\\AA^{-2}$)"
    if data.sigma is not None:
        columns += [np.zeros_like(data.r), data.sigma]
        titles += "  dr  dG($\\AA^{-2}$)"
    lines = [f"# {line}" for line in header] + ["#### start data", "#S 1", f"#L {titles}"]
    np.savetxt(
        path, np.column_stack(columns), fmt="%.9g", header="\n".join(lines), comments="", encoding="utf-8"
    )
    return path
