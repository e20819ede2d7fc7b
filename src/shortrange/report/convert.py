"""Any file that can be read, written in another format of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shortrange.errors import DataError, did_you_mean
from shortrange.load import load, load_iq, load_scans, load_trajectory
from shortrange.load.registry import find_loader
from shortrange.quantities import Scan
from shortrange.reduce.mu import MODES, to_mu
from shortrange.report.athena import write_athena
from shortrange.report.columns import write_chi_k, write_gr, write_iq, write_sq
from shortrange.report.scan_files import write_nxxas, write_scan_csv, write_scan_xdi
from shortrange.report.structures import write_trajectory

__all__ = ["FORMATS", "convert"]

FORMATS = {
    "xas": (".xdi", ".prj", ".csv", ".h5"),
    "iq": (".chi", ".xy", ".xye"),
    "gr": (".gr",),
    "sq": (".sq",),
    "chi": (".chik",),
    "structure": (".extxyz", ".xyz", ".cif"),
}
"""Suffixes that each kind of data can be written with."""

_NAMES = {
    "xas": "absorption scans",
    "iq": "I(Q)",
    "gr": "G(r)",
    "sq": "S(Q)",
    "chi": "chi(k)",
    "structure": "structures",
}


def convert(
    source: str | Path,
    target: str | Path,
    *,
    format: str | None = None,
    element: str | None = None,
    edge: str | None = None,
    wavelength: float | None = None,
    axis: str | None = None,
    frames: slice | None = None,
    mode: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Read a file and write it in the format that the suffix of ``target`` names, with its history.

    Parameters
    ----------
    source
        Any file that `shortrange.load.load` reads.
    target
        Several scans in a format that holds one are written as ``name_001.xdi`` and so on.
    format
        Name of the loader, where the content does not tell.
    element, edge, wavelength, axis, frames
        As for the loaders.
    mode
        Which channels give mu, for a format that holds mu alone (``.prj``); found where only one can.
    overwrite
        Replace files that exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    DataError
        If the file cannot be read, the format cannot hold it, or a file would be overwritten.
    """
    source, target = Path(source), Path(target)
    loader = find_loader(source, format=format)
    suffix = target.suffix.lower()
    if suffix not in FORMATS[loader.kind]:
        _refuse(loader.kind, suffix, target)
    if loader.kind == "xas":
        scans = load_scans(source, format=format, element=element, edge=edge)
        return _write_scans(scans, target, suffix, mode, overwrite)
    value = _read(source, loader.kind, format, wavelength=wavelength, axis=axis, frames=frames)
    _check_free([target], overwrite)
    return [_write(value, loader.kind, target)]


def _read(source: Path, kind: str, format: str | None, **options: Any) -> Any:
    if kind == "iq":
        return load_iq(source, format=format, wavelength=options["wavelength"], axis=options["axis"])
    if kind == "structure":
        return load_trajectory(source, format=format, frames=options["frames"])
    return load(source, format=format)


def _write(value: Any, kind: str, target: Path) -> Path:
    writers: dict[str, Callable[[Path, Any], Path]] = {
        "gr": write_gr,
        "iq": write_iq,
        "sq": write_sq,
        "chi": write_chi_k,
        "structure": write_trajectory,
    }
    return writers[kind](target, value)


def _write_scans(
    scans: Sequence[Scan], target: Path, suffix: str, mode: str | None, overwrite: bool
) -> list[Path]:
    if suffix in (".prj", ".h5"):
        _check_free([target], overwrite)
        if suffix == ".h5":
            return [write_nxxas(target, scans)]
        return [write_athena(target, [to_mu(scan, mode=mode or _mode(scan)) for scan in scans])]
    paths = [target]
    if len(scans) > 1:
        paths = [target.with_name(f"{target.stem}_{n:03d}{suffix}") for n in range(1, len(scans) + 1)]
    _check_free(paths, overwrite)
    writer = write_scan_xdi if suffix == ".xdi" else write_scan_csv
    return [writer(path, scan) for path, scan in zip(paths, scans, strict=True)]


def _mode(scan: Scan) -> str:
    """Mode that the channels of a scan allow, if there is only one."""
    if "mu" in scan.columns:
        return "mu"
    able = [mode for mode, needed in MODES.items() if set(needed) <= set(scan.columns)]
    if len(able) == 1:
        return able[0]
    raise DataError(
        f"mu can be had from {' or '.join(able)}" if able else f"{sorted(scan.columns)} give no mu",
        where=scan.source or scan.label,
        do="say which: mode=" if able else "write another format, which keeps the channels",
    )


def _check_free(paths: Sequence[Path], overwrite: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise DataError(
            "the file exists", where=str(there[0]), do="name another, or ask for it to be overwritten"
        )
    for folder in {path.parent for path in paths}:
        if not folder.is_dir():
            raise DataError("the folder does not exist", where=str(folder), do="make it, or name another")


def _refuse(kind: str, suffix: str, target: Path) -> None:
    known = FORMATS[kind]
    others = {s for suffixes in FORMATS.values() for s in suffixes}
    advice = f"choose from {', '.join(known)}" if suffix in others else did_you_mean(suffix, known)
    raise DataError(
        f"{_NAMES[kind]} cannot be written as {suffix or 'a file without suffix'}",
        where=str(target),
        do=advice,
    )
