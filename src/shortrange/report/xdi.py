"""XDI out: merged absorption with its error, readable by every XAFS program."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shortrange._version import __version__
from shortrange.load.history import LABEL, MARK, history_text, is_simulated
from shortrange.quantities import MuE
from shortrange.reduce.normalise import Normalised

__all__ = ["write_xdi"]


def write_xdi(
    path: Path, data: MuE, *, normalised: Normalised | None = None, simulated: bool = False
) -> Path:
    """Write mu(E), its standard error, and the normalised absorption, as XDI 1.0.

    Parameters
    ----------
    path
        File; replaced if it exists.
    data
        On increasing energies.
    normalised
        Of the same energies; adds the columns norm and flat.
    simulated
        Whether the data were made from a model, if their history does not say it; the header then does.
    """
    columns = {"energy eV": data.energy, "mu": data.mu}
    if data.sigma is not None:
        columns["sigma"] = data.sigma
    fields = [f"# XDI/1.0 shortrange/{__version__}"]
    if normalised is not None:
        columns |= {"norm": normalised.norm, "flat": normalised.flat}
    fields += [f"# Column.{n}: {title}" for n, title in enumerate(columns, start=1)]
    for name, value in (("Element.symbol", data.element), ("Element.edge", data.edge)):
        if value:
            fields.append(f"# {name}: {value}")
    if simulated or is_simulated(data.history):
        fields += ["# Facility.name: simulated", f"# Shortrange.data: {LABEL}"]
    if normalised is not None:
        fields.append(f"# Reduction.e0: {normalised.e0:.4f} eV")
        fields.append(f"# Reduction.edge_step: {normalised.edge_step:.8g}")
    fields.append(f"# Shortrange.{MARK.split('.')[1]}: {history_text(data.history)}")
    titles = " ".join(title.split()[0] for title in columns)
    fields += ["# ///", f"# {_one_line(data.label)}", "#---", f"# {titles}"]
    # 17 digits: reading back gives the same numbers.
    table = np.column_stack(list(columns.values()))
    np.savetxt(path, table, fmt="%.17g", header="\n".join(fields), comments="", encoding="utf-8")
    return path


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "no label"
