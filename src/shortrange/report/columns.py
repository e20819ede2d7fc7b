"""Columns of numbers with a header row: CSV, and G(r) as PDFgui reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.errors import DataError
from shortrange.load.history import LABEL, MARK, history_text, is_simulated
from shortrange.quantities import GR, IQ, SQ, ChiK, ChiR, Step
from shortrange.reduce.xas import XasReduction
from shortrange.transform.fourier import sigma_magnitude

__all__ = [
    "chi_k_columns",
    "chi_r_columns",
    "gr_columns",
    "mu_columns",
    "sq_columns",
    "write_chi_k",
    "write_csv",
    "write_gr",
    "write_iq",
    "write_sq",
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
    path: Path, data: GR, *, simulated: bool = False, more: Mapping[str, float | str | None] | None = None
) -> Path:
    """Write G(r) with the header lines and the column titles that PDFgui and `read_gr` know.

    Parameters
    ----------
    path
        File.
    data
        The reduced pair distribution function.
    simulated
        Whether the data were made from a model, if their history does not say it; the header then does.
    more
        Further fields of the header; None leaves one out.
    """
    header = [f"shortrange {__version__}: G(r), Keen's G(r) of PDFgui", "[DEFAULT]", "mode = xray"]
    if simulated or is_simulated(data.history):
        header.insert(1, LABEL)
    fields = {"qmin": data.q_min, "qmax": data.q_max, "qdamp": data.q_damp, "rho0": data.number_density}
    header += [f"{name} = {value:.17g}" for name, value in fields.items() if value is not None]
    if data.composition:
        header.append(f"composition = {_formula(data.composition)}")
    for name, value in (more or {}).items():
        if value is not None:
            header.append(f"{name} = {value if isinstance(value, str) else f'{value:.6g}'}")
    header.append(f"{MARK}: {history_text(data.history)}")
    if data.r.size > 1:
        header += [f"rmin = {data.r[0]:g}", f"rmax = {data.r[-1]:g}", f"rstep = {data.r[1] - data.r[0]:g}"]
    columns = [data.r, data.g]
    titles = "r($\\AA$)  G($\\AA^{-2}$)"
    if data.sigma is not None:
        columns += [np.zeros_like(data.r), data.sigma]
        titles += "  dr  dG($\\AA^{-2}$)"
    lines = [f"# {line}" for line in header] + ["#### start data", "#S 1", f"#L {titles}"]
    np.savetxt(
        path, np.column_stack(columns), fmt="%.17g", header="\n".join(lines), comments="", encoding="utf-8"
    )
    return path


def write_iq(path: Path, data: IQ) -> Path:
    """Write I(Q) with the titles that pyFAI gives it, and its history."""
    fields = {} if data.wavelength is None else {"wavelength": f"{data.wavelength!r} A"}
    return _write_table(path, "q_A^-1 I", (data.q, data.intensity, data.sigma), fields, data.history)


def write_sq(path: Path, data: SQ) -> Path:
    """Write S(Q) with its standard error, composition, number density and history."""
    fields: dict[str, Any] = {}
    if data.composition:
        fields["composition"] = _formula(data.composition)
    if data.number_density is not None:
        fields["rho0"] = repr(float(data.number_density))
    return _write_table(path, "Q S(Q)", (data.q, data.s, data.sigma), fields, data.history)


def write_chi_k(path: Path, data: ChiK) -> Path:
    """Write chi(k), not weighted, with its standard error, E0 and history."""
    known = {"e0": data.e0, "edge_step": data.edge_step}
    fields = {name: repr(float(value)) for name, value in known.items() if value is not None}
    return _write_table(path, "k chi", (data.k, data.chi, data.sigma), fields, data.history)


def _write_table(
    path: Path,
    titles: str,
    columns: tuple[Array, Array, Array | None],
    fields: Mapping[str, str],
    history: Sequence[Step],
) -> Path:
    """Write two columns, and a third where there are errors, so that they are read back equal."""
    known = [column for column in columns if column is not None]
    header = [f"# shortrange {__version__}"]
    if is_simulated(history):
        header.append(f"# {LABEL}")
    header += [f"# {name} = {value}" for name, value in fields.items()]
    header += [f"# {MARK}: {history_text(history)}", f"# {titles}{' sigma' if len(known) == 3 else ''}"]
    np.savetxt(
        path, np.column_stack(known), fmt="%.17g", header="\n".join(header), comments="", encoding="utf-8"
    )
    return path


def _formula(composition: Mapping[str, float]) -> str:
    return "".join(f"{symbol}{amount:.12g}" for symbol, amount in composition.items())
