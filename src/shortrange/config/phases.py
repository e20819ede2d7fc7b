"""Project files of refinements: one G(r), the phases, and what is fitted in windows or as a whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr, StrictBool, StrictStr

from shortrange.config.measurements import Sample, TotalScatteringMeasurement
from shortrange.config.reader import (
    faults_of_scattering,
    faults_of_top,
    parse_toml,
    raise_faults,
    validate_part,
    validate_parts,
)
from shortrange.config.values import File, Name, Number, Part, Positive, Range
from shortrange.crystal import SYSTEMS
from shortrange.errors import did_you_mean

__all__ = [
    "BoxcarProject",
    "BoxcarSettings",
    "FitSettings",
    "PhaseProject",
    "PhaseTable",
    "RefineProject",
    "RefineSettings",
    "RestraintTable",
    "read_boxcar",
    "read_refine",
]


def _system(value: str) -> str:
    if value not in SYSTEMS:
        raise ValueError(f"is no crystal system; {did_you_mean(value, SYSTEMS)}")
    return value


def _pair(value: tuple[float, ...]) -> tuple[float, float]:
    if len(value) != 2:
        raise ValueError("must be two numbers for each name")
    return value[0], value[1]


def _atoms(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) not in (2, 3):
        raise ValueError("must be two labels for a bond, or three for an angle at the middle one")
    return value


Pair = Annotated[tuple[Number, ...], AfterValidator(_pair)]
Names = tuple[Annotated[StrictStr, Field(min_length=1)], ...]


class PhaseTable(Part):
    """One crystal or molecule.

    Attributes
    ----------
    name
        Unique; its parameters are ``NAME.scale``, ``NAME.a``, ``NAME.u_iso``.
    structure
        CIF or other structure, one without a cell is a molecule; relative to the project file.
    system
        Crystal system that ties the lattice parameters; None takes that of the space group.
    isotropic
        Whether the lattice parameters move by one common factor.
    shape
        Of its particles: ``"sphere"``, ``"shell"`` or ``"sheet"``; it tells which sizes can be named.
    """

    name: Name
    structure: File
    system: Annotated[StrictStr, AfterValidator(_system)] | None = None
    isotropic: StrictBool = False
    shape: Literal["sphere", "shell", "sheet"] = "sphere"
    _folder: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The file of the structure."""
        return self._folder / self.structure


class RestraintTable(Part):
    """A bond or an angle that is known.

    Attributes
    ----------
    phase
        Name of the phase.
    atoms
        Labels of the file: two for a bond, three for an angle at the middle one.
    value, sigma
        angstrom or degrees.
    """

    phase: Name
    atoms: Annotated[tuple[StrictStr, ...], AfterValidator(_atoms)]
    value: Positive
    sigma: Positive


class FitSettings(Part):
    """What is fitted.

    Attributes
    ----------
    r_range
        Compared range, angstrom.
    free
        Names of free parameters; None takes the default of the command.
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
    free: Names | None = None
    values: dict[str, Number] = Field(default_factory=dict)
    ties: dict[str, StrictStr] = Field(default_factory=dict)
    bounds: dict[str, Pair] = Field(default_factory=dict)
    priors: dict[str, Pair] = Field(default_factory=dict)
    weights: Literal["xray", "xray-constant", "neutron"] = "xray"
    peaks: Literal["debye", "pdffit"] = "debye"
    anomalous: StrictBool = True


class RefineSettings(FitSettings):
    """What is fitted in a refinement.

    Attributes
    ----------
    folds
        Parts for a cross-validation; 0 for none.
    """

    folds: Annotated[int, Field(ge=0, le=50, strict=True)] = 5


class BoxcarSettings(FitSettings):
    """How the windows move, and what is fitted in them.

    Attributes
    ----------
    window, step
        Width of a window and the distance from one to the next, angstrom; they lie within ``r_range``.
    scan
        ``"sliding"``, ``"growing"`` (from the lower end) or ``"shrinking"`` (towards the upper end).
    shared
        Parameters fitted once to the whole range; None takes the default of `shortrange.fit.boxcar.boxcar`.
    smooth
        By free parameter: standard deviation of its change over 1 angstrom of r.
    """

    window: Positive = 6.0
    step: Positive = 1.0
    scan: Literal["sliding", "growing", "shrinking"] = "sliding"
    shared: Names | None = None
    smooth: dict[str, Positive] = Field(default_factory=dict)


class PhaseProject(Part):
    """A G(r) and the phases that may be in it.

    Attributes
    ----------
    title, sample, measurement, phase
        The tables of the file.
    """

    title: Name
    sample: Sample
    measurement: TotalScatteringMeasurement
    phase: tuple[PhaseTable, ...]
    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path

    @property
    @abstractmethod
    def settings(self) -> FitSettings:
        """What is fitted."""


class RefineProject(PhaseProject):
    """A refinement over one range.

    Attributes
    ----------
    refine, restraint
        The tables of the file.
    """

    refine: RefineSettings
    restraint: tuple[RestraintTable, ...] = ()

    @property
    def settings(self) -> RefineSettings:
        """The table [refine]."""
        return self.refine


class BoxcarProject(PhaseProject):
    """A refinement in windows.

    Attributes
    ----------
    boxcar
        The table of the file.
    """

    boxcar: BoxcarSettings

    @property
    def settings(self) -> BoxcarSettings:
        """The table [boxcar]."""
        return self.boxcar


P = TypeVar("P", bound=PhaseProject)
_MODEL = "a refinement has phases; `shortrange run` compares models"


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
    hints = {"model": _MODEL, "refine": "write [boxcar], or run `shortrange refine`"}
    return _read(Path(path), BoxcarProject, "boxcar", BoxcarSettings, "r_range, window and step", hints)


def read_refine(path: str | Path) -> RefineProject:
    """Read and check the project file of a refinement.

    Parameters
    ----------
    path
        The TOML file; the paths in it are counted from its folder.

    Raises
    ------
    ProjectError
        Naming every fault of the file, one on a line.
    """
    hints = {"model": _MODEL, "boxcar": "write [refine], or run `shortrange boxcar`"}
    return _read(Path(path), RefineProject, "refine", RefineSettings, "r_range", hints)


def _read(
    path: Path, kind: type[P], key: str, settings: type[FitSettings], holds: str, hints: dict[str, str]
) -> P:
    raw = parse_toml(path)
    faults = list(faults_of_top(raw, kind.model_fields, hints=hints))
    if key not in raw:
        faults.append(f"[{key}]: is missing; it gives {holds}")
    parts: dict[str, Any] = {"title": raw.get("title")}
    if "sample" in raw:
        parts["sample"] = validate_part("[sample]", Sample, raw["sample"], faults)
    parts["measurement"] = _measurement(raw, path.parent, faults)
    parts["phase"] = validate_parts("phase", raw.get("phase"), path.parent, faults, lambda *_: PhaseTable)
    if key in raw:
        parts[key] = validate_part(f"[{key}]", settings, raw[key], faults)
    if "restraint" in raw and "restraint" in kind.model_fields:
        parts["restraint"] = tuple(_restraints(raw["restraint"], faults))
    raise_faults(path, faults)
    for part in parts["phase"]:
        part._folder = path.parent
    project = kind.model_validate(parts)
    project._path = path
    return project


def _restraints(tables: Any, faults: list[str]) -> Iterable[Part]:
    if not isinstance(tables, list):
        faults.append("[restraint]: write [[restraint]], with two brackets")
        return
    for number, table in enumerate(tables, start=1):
        part = validate_part(f"[restraint number {number}]", RestraintTable, table, faults)
        if part is not None:
            yield part


def _measurement(raw: dict[str, Any], folder: Path, faults: list[str]) -> Part | None:
    def kind(place: str, table: dict[str, Any], told: list[str]) -> type[Part] | None:
        if table.get("technique", "total-scattering") == "total-scattering":
            told += [f"{place} {fault}" for fault in faults_of_scattering(table, raw=False)]
            return TotalScatteringMeasurement
        told.append(f"{place} technique: {table['technique']!r}; a refinement takes total-scattering")
        return None

    tables = raw.get("measurement")
    if isinstance(tables, list) and len(tables) > 1:
        faults.append(f"[[measurement]]: there are {len(tables)}; a refinement takes one")
        return None
    found = validate_parts("measurement", tables, folder, faults, kind)
    if not found:
        return None
    found[0]._folder = folder  # type: ignore[attr-defined]  # a TotalScatteringMeasurement
    return found[0]
