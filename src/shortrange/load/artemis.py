"""Artemis projects (.fpj of Demeter): the data, parameters and paths of one fit, and what Artemis found."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import ChiK, step

__all__ = ["ArtemisData", "ArtemisFit", "ArtemisParameter", "ArtemisPath", "FeffAtoms", "read_artemis"]

Array = NDArray[Any]

_AGAIN = "save the project in Artemis again"
_PATH_KEYS = ("s02", "e0", "delr", "sigma2", "third", "fourth", "ei")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtemisParameter:
    """A parameter: ``kind`` guess, set or def; ``start`` its number or expression; what Artemis found."""

    name: str
    kind: str
    start: str
    value: float
    sigma: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeffAtoms:
    """Atoms of a FEFF input: elements, positions (angstrom, (n, 3)), index of the absorber, edge."""

    symbols: tuple[str, ...]
    positions: Array
    absorber: int
    edge: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArtemisPath:
    """A path: elements and positions from the absorber on, its FEFF calculation and its expressions."""

    label: str
    data: str
    feff: str
    degeneracy: float
    reff: float
    symbols: tuple[str, ...]
    positions: Array
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArtemisData:
    """A data set and its settings, as `shortrange.fit.paths.FitRange` names them."""

    key: str
    name: str
    chi: ChiK
    k_range: tuple[float, float]
    r_range: tuple[float, float]
    k_weights: tuple[float, ...]
    dk: float
    window: str
    space: str
    background: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArtemisFit:
    """One fit of a project.

    Attributes
    ----------
    name
        As Artemis has it.
    parameters, paths, data
        Its parts.
    feff
        Atoms of each FEFF calculation, by name.
    statistics
        ``chi_square``, ``chi_reduced``, ``r_factor``, ``n_idp``, ``n_varys`` of Artemis.
    """

    name: str
    parameters: tuple[ArtemisParameter, ...]
    paths: tuple[ArtemisPath, ...]
    data: tuple[ArtemisData, ...]
    feff: Mapping[str, FeffAtoms]
    statistics: Mapping[str, float]


def read_artemis(path: str | Path, *, fit: str | None = None) -> ArtemisFit:
    """Read one fit of an Artemis project.

    Parameters
    ----------
    path
        The .fpj file.
    fit
        Name of the fit, such as ``"Fit 1"``; default the one that was last shown.

    Raises
    ------
    DataError
        If the file is no Artemis project, or has no such fit, or one that was not run.
    """
    file = Path(path)
    try:
        with zipfile.ZipFile(file) as archive:
            texts = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"this is no Artemis project: {error}", where=str(file), do=_AGAIN) from None
    if "order" not in texts:
        raise DataError(
            "this zip file holds no Artemis project (no 'order')", where=str(file), do="give a .fpj file"
        )
    folder = _folder(file, texts, fit)
    try:
        return _fit(file, folder, texts)
    except DataError:
        raise
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"the fit in {folder} cannot be understood ({type(error).__name__}: {error})",
            where=str(file),
            do=_AGAIN,
        ) from None


def _documents(raw: bytes, where: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.safe_load_all(raw.decode("utf-8", "replace")))
    except yaml.YAMLError as error:
        raise DataError(f"damaged YAML: {error}", where=where, do=_AGAIN) from None


def _folder(file: Path, texts: Mapping[str, bytes], fit: str | None) -> str:
    folders = sorted(
        {str(PurePosixPath(n).parent) for n in texts if re.fullmatch(r"fits/[^/]+/fit\.yaml", n)}
    )
    names = {}
    for folder in folders:
        about = _documents(texts[f"{folder}/fit.yaml"], f"{file}, {folder}")[0]
        if float(about.get("n_varys") or 0) > 0 and any(
            n.startswith(folder) and n.endswith(".fit") for n in texts
        ):
            names[str(about.get("name") or folder)] = folder
    if not names:
        raise DataError(
            "the project holds no fit that was run", where=str(file), do="run it in Artemis and save"
        )
    if fit is not None:
        if fit not in names:
            raise DataError(f"there is no fit {fit!r}", where=str(file), do=did_you_mean(fit, names))
        return names[fit]
    order = [d for d in _documents(texts["order"], f"{file}, order") if isinstance(d, dict)]
    entries = order[-1] if order else {}
    current = f"fits/{entries.get(entries.get('current'))}"
    return current if current in names.values() else list(names.values())[-1]


def _fit(file: Path, folder: str, texts: Mapping[str, bytes]) -> ArtemisFit:
    def read(name: str) -> list[Any]:
        return _documents(texts[f"{folder}/{name}.yaml"], f"{file}, {folder}/{name}.yaml")

    about = read("fit")[0]
    paths = tuple(_path(raw) for raw in read("paths") if raw.get("include", 1))
    keys = dict.fromkeys(path.data for path in paths)
    return ArtemisFit(
        name=str(about["name"]),
        parameters=tuple(_parameter(raw) for raw in read("gds") if raw["gds"] in ("guess", "set", "def")),
        paths=paths,
        data=tuple(_data(file, folder, key, texts) for key in keys),
        feff={
            name: _feff_atoms(texts[f"feff/{name}/{name}.inp"].decode("latin-1"), f"{file}, feff/{name}")
            for name in dict.fromkeys(path.feff for path in paths)
        },
        statistics={
            name: float(about[name]) for name in ("chi_square", "chi_reduced", "r_factor", "n_idp", "n_varys")
        },
    )


def _parameter(raw: Mapping[str, Any]) -> ArtemisParameter:
    return ArtemisParameter(
        name=str(raw["name"]), kind=str(raw["gds"]), start=str(raw["mathexp"]),
        value=float(raw["bestfit"]), sigma=float(raw["error"]),
    )  # fmt: skip


def _path(raw: Mapping[str, Any]) -> ArtemisPath:
    from ase.data import chemical_symbols

    rows = [line.split() for line in str(raw["geometry"]).splitlines()[2:] if line.strip()]
    places = np.array([[float(x) for x in row[:3]] for row in rows])
    return ArtemisPath(
        label=str(raw["name"]).strip() or str(raw["label"]), data=str(raw["datagroup"]),
        feff=str(raw["parentgroup"]), degeneracy=float(raw["n"]), reff=float(raw["reff"]),
        symbols=tuple(chemical_symbols[int(row[4])] for row in rows), positions=places - places[0],
        parameters={key: str(raw[key]) for key in _PATH_KEYS if str(raw.get(key) or "").strip()},
    )  # fmt: skip


def _data(file: Path, folder: str, key: str, texts: Mapping[str, bytes]) -> ArtemisData:
    raw = _documents(texts[f"{folder}/{key}.yaml"], f"{file}, {folder}/{key}.yaml")[0]
    rows = [line.split() for line in texts[f"{folder}/{key}.fit"].decode("latin-1").splitlines()]
    table = np.array([[float(x) for x in row[:2]] for row in rows if row and not row[0].startswith("#")])
    weights = [float(n) for n in (1, 2, 3) if raw.get(f"fit_k{n}")]
    if raw.get("fit_karb"):
        weights.append(float(raw["fit_karb_value"]))
    window = {"kaiser-bessel": "kaiser"}.get(str(raw["fft_kwindow"]), str(raw["fft_kwindow"]))
    name = str(raw["name"])
    return ArtemisData(
        key=key, name=name,
        chi=ChiK(k=table[:, 0], chi=table[:, 1], label=name,
                 history=(step("read from an Artemis project", file=str(file), fit=folder),)),
        k_range=(float(raw["fft_kmin"]), float(raw["fft_kmax"])),
        r_range=(float(raw["bft_rmin"]), float(raw["bft_rmax"])), k_weights=tuple(weights),
        dk=float(raw["fft_dk"]), window=window, space=str(raw["fit_space"]).lower(),
        background=bool(raw.get("fit_do_bkg") or False),
    )  # fmt: skip


def _feff_atoms(text: str, where: str) -> FeffAtoms:
    """Atoms of a feff.inp of FEFF6 or FEFF8."""
    from ase.data import chemical_symbols

    numbers: dict[int, int] = {}
    atoms: list[tuple[int, list[float]]] = []
    edge, section = "K", ""
    for line in text.splitlines():
        words = line.split("*")[0].split()
        if not words:
            continue
        if words[0][:1].isalpha():
            section = words[0].upper()
            if section == "HOLE":
                edge = ("K", "L1", "L2", "L3")[int(words[1]) - 1]
            elif section == "EDGE":
                edge = words[1].upper()
        elif section.startswith("POT"):
            numbers[int(words[0])] = int(words[1])
        elif section.startswith("ATOM"):
            atoms.append((int(words[3]), [float(x) for x in words[:3]]))
    absorbers = [i for i, (ipot, _) in enumerate(atoms) if ipot == 0]
    if len(absorbers) != 1:
        raise DataError(f"{len(absorbers)} absorbers (potential 0)", where=where, do="mend the FEFF input")
    return FeffAtoms(
        symbols=tuple(chemical_symbols[numbers[ipot]] for ipot, _ in atoms),
        positions=np.array([place for _, place in atoms]), absorber=absorbers[0], edge=edge,
    )  # fmt: skip
