"""Raw absorption scans out: XDI, columns, and NXxas in HDF5, with every channel and the history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shortrange._version import __version__
from shortrange.errors import DataError
from shortrange.load.history import LABEL, MARK, history_text, is_simulated
from shortrange.quantities import Scan

__all__ = ["write_nxxas", "write_scan_csv", "write_scan_xdi"]

_XDI = {"it": "itrans", "ir": "irefer", "if": "ifluor", "mu": "mutrans", "mu_ref": "murefer"}
"""Titles of the XDI dictionary for our roles; they are read back as the roles."""

_NEXUS = {"i0": "incoming_beam", "it": "transmitted_beam", "mu": "absorbed_beam"}
_FIELD = re.compile(r"[a-z_][a-z0-9_-]*\.[a-z0-9_-]+")
_OWN = ("column.", "element.", "xdi.", "shortrange.")


def write_scan_xdi(path: Path, scan: Scan) -> Path:
    """Write a scan as XDI 1.0, with those fields of its metadata that XDI can hold.

    Parameters
    ----------
    path
        File; replaced if it exists.
    scan
        All its channels are written.
    """
    titles = ["energy", *(_XDI.get(name, name) for name in scan.columns)]
    lines = [f"# XDI/1.0 shortrange/{__version__}"]
    lines += [
        f"# Column.{n}: {_word(title)}{' eV' if n == 1 else ''}" for n, title in enumerate(titles, start=1)
    ]
    for name, value in (("Element.symbol", scan.element), ("Element.edge", scan.edge)):
        if value:
            lines.append(f"# {name}: {value}")
    for name, text in scan.metadata.items():
        key = name.lower()
        if _FIELD.fullmatch(key) and not key.startswith(_OWN) and text.strip():
            lines.append(f"# {key}: {' '.join(text.split())}")
    if is_simulated(scan.history):
        lines.append(f"# Shortrange.data: {LABEL}")
    lines.append(f"# Shortrange.{MARK.split('.')[1]}: {history_text(scan.history)}")
    lines += ["#---", "# " + " ".join(_word(title) for title in titles)]
    _save(path, scan, lines, delimiter=" ")
    return path


def write_scan_csv(path: Path, scan: Scan) -> Path:
    """Write a scan as columns under their titles, the history as a comment above."""
    titles = ["energy", *scan.columns]
    head = [f"# Shortrange.data: {LABEL}"] if is_simulated(scan.history) else []
    head += [f"# {MARK}: {history_text(scan.history)}", ",".join(_word(title) for title in titles)]
    _save(path, scan, head, delimiter=",")
    return path


def write_nxxas(path: Path, scans: Sequence[Scan]) -> Path:
    """Write scans as entries of NeXus with the definition NXxas.

    Parameters
    ----------
    path
        File; replaced if it exists.
    scans
        Each has I0, transmission or mu.

    Raises
    ------
    DataError
        If a scan has none of these, so that NXxas has no name for its signal.
    """
    import h5py

    for scan in scans:
        if not set(_NEXUS) & set(scan.columns):
            raise DataError(
                f"NXxas has no name for a scan of {sorted(scan.columns)}",
                where=scan.source or scan.label,
                do="write XDI instead",
            )
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["creator"] = f"shortrange {__version__}"
        for number, scan in enumerate(scans, start=1):
            entry = file.create_group(f"scan_{number:03d}", track_order=True)
            entry.attrs["NX_class"] = "NXentry"
            entry["definition"] = "NXxas"
            entry["title"] = scan.label
            if scan.element:
                entry["element"] = scan.element
                entry["edge"] = scan.edge or ""
            data = entry.create_group("data", track_order=True)
            signal = next(_NEXUS[name] for name in ("mu", "it", "i0") if name in scan.columns)
            data.attrs.update({"NX_class": "NXdata", "signal": signal, "axes": "energy"})
            data.attrs["history"] = history_text(scan.history)
            data["energy"] = scan.energy
            data["energy"].attrs["units"] = "eV"
            for name, values in scan.columns.items():
                data[_NEXUS.get(name, name.replace("/", "∕"))] = values
            if is_simulated(scan.history):
                entry.attrs["simulated"] = True
    return path


def _word(title: str) -> str:
    """Make a title one word, as column text needs it."""
    return re.sub(r"[\s,#\"]+", "_", title)


def _save(path: Path, scan: Scan, head: Sequence[str], *, delimiter: str) -> None:
    table = np.column_stack([scan.energy, *scan.columns.values()])
    # 17 digits: reading back gives the same numbers.
    np.savetxt(
        path, table, fmt="%.17g", delimiter=delimiter, header="\n".join(head), comments="", encoding="utf-8"
    )
