"""The file of a path fit: parameters, and data sets with their paths."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, StrictBool, StrictStr

from shortrange.config.measurements import Mode
from shortrange.config.reader import (
    faults_of_top,
    parse_toml,
    raise_faults,
    validate_part,
    validate_parts,
)
from shortrange.config.values import File, Name, Number, Part, Pattern, Positive, Range, matches

__all__ = ["ParameterTable", "PathFitData", "PathFitProject", "PathTable", "read_path_fit"]


def _expression(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number, or an expression in quotation marks")
    return value


def _number(value: Any) -> Any:
    pair = value if isinstance(value, list | tuple) else [value, value]
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in pair):
        raise ValueError("must be a whole number from 1 on, or [first, last]")
    return tuple(pair)


Expression = Annotated[float | str, BeforeValidator(_expression)]


class ParameterTable(Part):
    """A parameter.

    Attributes
    ----------
    value
        Where the fit starts.
    fixed
        Whether it stays there.
    min, max
        Limits.
    """

    value: Number
    fixed: StrictBool = False
    min: Number | None = None
    max: Number | None = None


class _PathKeys(Part):
    """Expressions of a path; see `shortrange.simulate.paths.PATH_PARAMETERS`."""

    s02: Expression | None = None
    e0: Expression | None = None
    delr: Expression | None = None
    sigma2: Expression | None = None
    third: Expression | None = None
    fourth: Expression | None = None
    ei: Expression | None = None

    @property
    def expressions(self) -> dict[str, str | float]:
        """Those that are given."""
        names = _PathKeys.model_fields
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


class PathTable(_PathKeys):
    """Where a path, or several that share their expressions, come from.

    Attributes
    ----------
    feff
        feffNNNN.dat file, or a pattern that matches several.
    structure
        Crystal or molecule that FEFF8L calculates paths of, instead of ``feff``.
    absorber, edge
        With ``structure``: for example ``"Ta"`` and ``"L3"``.
    r_max
        With ``structure``: longest half path length, angstrom.
    number
        First and last path, from 1 in the order of their length (one number for one path); None takes all.
    degeneracy
        Number of such paths; None takes FEFF's.
    """

    feff: Pattern | None = None
    structure: File | None = None
    absorber: Name | None = None
    edge: Name | None = None
    r_max: Positive | None = None
    number: Annotated[tuple[int, int], BeforeValidator(_number)] | None = None
    degeneracy: Positive | None = None


class PathFitData(Part):
    """One chi(k) and its paths.

    Attributes
    ----------
    name
        Unique.
    chi
        File with the columns k and chi.
    scans, element, edge, mode, r_bkg
        Raw scans instead, as in a project; they are reduced first.
    k_range, r_range, k_weights, dk, window, space, background, epsilon
        As `shortrange.fit.paths.DataSet` and its ``fit_range``.
    every_path
        Expressions of all paths that have none of their own.
    path
        At least one.
    """

    name: Name
    chi: File | None = None
    scans: tuple[Pattern, ...] | None = None
    element: Name | None = None
    edge: Name | None = None
    mode: Mode = "transmission"
    r_bkg: Positive = 1.0
    k_range: Range
    r_range: Range
    k_weights: Annotated[tuple[Number, ...], Field(min_length=1)] = (1.0, 2.0, 3.0)
    dk: Annotated[Number, Field(ge=0)] = 1.0
    window: StrictStr = "hanning"
    space: StrictStr = "r"
    background: StrictBool = False
    epsilon: Positive | None = None
    every_path: _PathKeys = _PathKeys()
    path: tuple[PathTable, ...] = ()
    _folder: Path = PrivateAttr(default=Path())

    def files(self, pattern: str) -> list[Path]:
        """Files that a pattern of this data set matches."""
        return matches(self._folder, pattern)

    @property
    def folder(self) -> Path:
        """Folder from which its files are counted."""
        return self._folder


class PathFitProject(Part):
    """A path fit.

    Attributes
    ----------
    title, simulated, engine, parameters, data
        As in the file; a parameter is a number, an expression or a `ParameterTable`.
    """

    title: Name
    simulated: StrictBool = False
    engine: Literal["shortrange", "feffit"] = "shortrange"
    parameters: dict[str, float | str | ParameterTable]
    data: tuple[PathFitData, ...]
    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The file."""
        return self._path


_VERDICT = dict.fromkeys(
    ("sample", "measurement", "model", "mixture", "verdict"),
    "it belongs to a comparison of models: run `shortrange run`",
)


def read_path_fit(path: str | Path) -> PathFitProject:
    """Read and check the file of a path fit.

    Parameters
    ----------
    path
        The TOML file; the paths in it are counted from its folder.

    Raises
    ------
    ProjectError
        Naming every fault of the file, one on a line.
    """
    path = Path(path)
    raw = parse_toml(path)
    faults = list(faults_of_top(raw, PathFitProject.model_fields, hints=_VERDICT, sample=False))
    if "parameters" not in raw:
        faults.append("[parameters]: is missing; it names what is fitted, for example amp = 1.0")
    parameters = _parameters(raw.get("parameters"), faults)
    told = len(faults)
    data = validate_parts("data", raw.get("data"), path.parent, faults, partial(_data_kind, path.parent))
    # The tables within a data set were validated one by one: what it says of them as a whole is known.
    faults[told:] = [f for f in faults[told:] if not re.search(r"^\[data [^\]]*\] (path|every_path):", f)]
    raise_faults(path, faults)
    for part in data:
        part._folder = path.parent  # type: ignore[attr-defined]  # a PathFitData
    keys = {key: raw[key] for key in ("title", "simulated", "engine") if key in raw}
    project = validate_part("", PathFitProject, {**keys, "parameters": parameters, "data": data}, faults)
    raise_faults(path, faults)
    assert isinstance(project, PathFitProject)
    project._path = path
    return project


def _parameters(raw: Any, faults: list[str]) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        faults.append("[parameters]: must be a table of names")
        return {}
    found: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            found[name] = validate_part(f"[parameters] {name}", ParameterTable, value, faults)
        elif isinstance(value, bool) or not isinstance(value, int | float | str):
            faults.append(f"[parameters] {name}: {value!r} must be a number, an expression or a table")
        else:
            found[name] = value
    return found


def _data_kind(folder: Path, place: str, table: dict[str, Any], faults: list[str]) -> type[Part]:
    if ("chi" in table) == ("scans" in table):
        both = "chi" in table
        faults.append(
            f"{place} chi: give either chi (a file of k and chi) or scans{', not both' if both else ''}"
        )
    if "scans" in table:
        faults += [
            f"{place} {key}: is missing; scans need it" for key in ("element", "edge") if key not in table
        ]
    paths = table.get("path")
    if not isinstance(paths, list) or not paths:
        faults.append(f"{place} [[data.path]]: there is none; add at least one")
        return PathFitData
    validate_part(f"{place[:-1]}, every path]", _PathKeys, table.get("every_path", {}), faults, folder)
    for number, path in enumerate(paths, start=1):
        _check_path(f"{place[:-1]}, path {number}]", path, faults, folder)
    return PathFitData


def _check_path(place: str, path: Any, faults: list[str], folder: Path) -> None:
    validate_part(place, PathTable, path, faults, folder)
    if not isinstance(path, dict):
        return
    if ("feff" in path) == ("structure" in path):
        faults.append(f"{place} feff: give either feff (feffNNNN.dat) or structure")
    if "structure" in path:
        faults += [
            f"{place} {key}: is missing; a structure needs it"
            for key in ("absorber", "edge")
            if key not in path
        ]
