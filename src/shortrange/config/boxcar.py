"""The project file of a box-car refinement: one G(r), the phases, the windows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, StrictBool, StrictStr

from shortrange.config.models import (
    File,
    Name,
    Number,
    Part,
    Positive,
    Range,
    Sample,
    TotalScatteringMeasurement,
)
from shortrange.config.reader import (
    faults_of_scattering,
    parse_toml,
    raise_faults,
    validate_part,
    validate_parts,
)
from shortrange.crystal import SYSTEMS
from shortrange.errors import did_you_mean

__all__ = ["BoxcarProject", "BoxcarSettings", "PhaseTable", "read_boxcar"]

_TOP = ("title", "sample", "measurement", "phase", "boxcar")


def _system(value: str) -> str:
    if value not in SYSTEMS:
        raise ValueError(f"is no crystal system; {did_you_mean(value, SYSTEMS)}")
    return value


def _pair(value: tuple[float, ...]) -> tuple[float, float]:
    if len(value) != 2:
        raise ValueError("must be two numbers for each name")
    return value[0], value[1]


Pair = Annotated[tuple[Number, ...], AfterValidator(_pair)]
Names = tuple[Annotated[StrictStr, Field(min_length=1)], ...]


class PhaseTable(Part):
    """One crystal.

    Attributes
    ----------
    name
        Unique; its parameters are ``NAME.scale``, ``NAME.a``, ``NAME.u_iso``.
    structure
        CIF or other structure, relative to the project file.
    system
        Crystal system that ties the lattice parameters; None takes that of the space group.
    isotropic
        Whether the lattice parameters move by one common factor.
    """

    name: Name
    structure: File
    system: Annotated[StrictStr, AfterValidator(_system)] | None = None
    isotropic: StrictBool = False
    _folder: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The file of the structure."""
        return self._folder / self.structure


class BoxcarSettings(Part):
    """How the windows move, and what is fitted in them.

    Attributes
    ----------
    r_range
        Where the windows lie, angstrom.
    window, step
        Width of a window and the distance from one to the next, angstrom.
    scan
        ``"sliding"``, ``"growing"`` (from the lower end) or ``"shrinking"`` (towards the upper end).
    free, shared
        Parameters free in each window, and those fitted once to the whole range; None takes the default of
        `shortrange.fit.boxcar.boxcar`.
    values, ties, bounds, priors
        By parameter: a start or fixed value; the parameter it equals; (lower, upper); (mean, standard
        deviation).
    weights
        ``"xray"`` (true form factors), ``"xray-constant"`` (as PDFgui) or ``"neutron"``.
    peaks
        ``"debye"`` (1 / r_ij) or ``"pdffit"`` (1 / r, as PDFgui).
    anomalous
        Whether f' and f'' at the wavelength of the measurement enter.
    """

    r_range: Range
    window: Positive = 6.0
    step: Positive = 1.0
    scan: Literal["sliding", "growing", "shrinking"] = "sliding"
    free: Names | None = None
    shared: Names | None = None
    values: dict[str, Number] = Field(default_factory=dict)
    ties: dict[str, StrictStr] = Field(default_factory=dict)
    bounds: dict[str, Pair] = Field(default_factory=dict)
    priors: dict[str, Pair] = Field(default_factory=dict)
    weights: Literal["xray", "xray-constant", "neutron"] = "xray"
    peaks: Literal["debye", "pdffit"] = "debye"
    anomalous: StrictBool = True


class BoxcarProject(Part):
    """A G(r), the phases that may be in it, and the windows.

    Attributes
    ----------
    title, sample, measurement, phase, boxcar
        The tables of the file.
    """

    title: Name
    sample: Sample
    measurement: TotalScatteringMeasurement
    phase: tuple[PhaseTable, ...]
    boxcar: BoxcarSettings
    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path


def read_boxcar(path: str | Path) -> BoxcarProject:
    """Read and check the project file of a box-car refinement.

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
    faults = list(_faults_of_top(raw))
    sample = validate_part("[sample]", Sample, raw.get("sample"), faults) if "sample" in raw else None
    measurement = _measurement(raw, path.parent, faults)
    phases = validate_parts("phase", raw.get("phase"), path.parent, faults, lambda *_: PhaseTable)
    settings = validate_part("[boxcar]", BoxcarSettings, raw["boxcar"], faults) if "boxcar" in raw else None
    raise_faults(path, faults)
    for part in phases:
        part._folder = path.parent  # type: ignore[attr-defined]  # a PhaseTable
    project = BoxcarProject.model_validate(
        {
            "title": raw["title"],
            "sample": sample,
            "measurement": measurement,
            "phase": phases,
            "boxcar": settings,
        }
    )
    project._path = path
    return project


def _faults_of_top(raw: dict[str, Any]) -> Iterable[str]:
    for key in raw:
        if key not in _TOP:
            hint = (
                "a box-car refinement has phases; `shortrange run` compares models" if key == "model" else ""
            )
            yield f"[{key}]: unknown key; {hint or did_you_mean(key, _TOP)}"
    title = raw.get("title")
    if not isinstance(title, str) or not title.strip():
        yield "title: is missing" if title is None else f"title: {title!r} must be text, in quotation marks"
    if "sample" not in raw:
        yield "[sample]: is missing; it gives the composition"
    if "boxcar" not in raw:
        yield "[boxcar]: is missing; it gives r_range, window and step"


def _measurement(raw: dict[str, Any], folder: Path, faults: list[str]) -> Part | None:
    def kind(place: str, table: dict[str, Any], told: list[str]) -> type[Part] | None:
        if table.get("technique", "total-scattering") == "total-scattering":
            told += [f"{place} {fault}" for fault in faults_of_scattering(table, raw=False)]
            return TotalScatteringMeasurement
        told.append(f"{place} technique: {table['technique']!r}; a box-car refinement takes total-scattering")
        return None

    tables = raw.get("measurement")
    if isinstance(tables, list) and len(tables) > 1:
        faults.append(f"[[measurement]]: there are {len(tables)}; a box-car refinement takes one")
        return None
    found = validate_parts("measurement", tables, folder, faults, kind)
    if not found:
        return None
    found[0]._folder = folder  # type: ignore[attr-defined]  # a TotalScatteringMeasurement
    return found[0]
