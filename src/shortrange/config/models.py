"""Tables of the project file as frozen models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PrivateAttr,
    StrictBool,
    StrictStr,
    ValidationInfo,
)

from shortrange.atoms import atomic_number, element_edges, parse_composition
from shortrange.errors import DataError, did_you_mean

__all__ = [
    "Axis",
    "Measurement",
    "Mixture",
    "Mode",
    "Model",
    "MotifModel",
    "Part",
    "Project",
    "Sample",
    "TotalScatteringMeasurement",
    "VerdictSettings",
    "XasMeasurement",
    "matches",
    "parse_frames",
]

Mode = Literal["transmission", "fluorescence", "tey"]
Axis = Literal["q", "q_nm", "2theta"]


def _number(value: Any) -> Any:
    # TOML has booleans and strings of its own; "3.0" or true is a slip, not a number.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _range(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, [low, high]")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError("must be two numbers, [low, high]")
    low, high = value
    if not 0 <= low < high < float("inf"):
        raise ValueError("needs 0 <= low < high")
    return tuple(value)


def parse_frames(text: str) -> slice:
    """Turn ``"start:stop:step"`` into a slice.

    Raises
    ------
    ValueError
        If it is not of that form, or the step is not positive.
    """
    if not re.fullmatch(r"\s*-?\d*\s*:\s*-?\d*\s*(:\s*\d*\s*)?", text):
        raise ValueError('must be "start:stop" or "start:stop:step", such as "0:100:5"')
    parts = [int(part) if part.strip() else None for part in text.split(":")]
    if len(parts) == 3 and parts[2] == 0:
        raise ValueError("needs a step of 1 or more")
    return slice(*parts)


def _with_error(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, [value, standard error]")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError("must be two numbers, [value, standard error]")
    if not (0.3 <= value[0] <= 1.3 and 0.0 < value[1] <= 0.5):
        raise ValueError("needs a value from 0.3 to 1.3 and an error above 0 and up to 0.5")
    return tuple(float(part) for part in value)


def _components(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must list the names of two models")
    return tuple(value)


def _frames(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('must be text of the form "start:stop:step"')
    parse_frames(value)
    return value


def _folder_of(info: ValidationInfo) -> Path | None:
    """Folder of the project file, while it is being read."""
    return info.context["folder"] if info.context else None


def _existing(value: str, info: ValidationInfo) -> str:
    folder = _folder_of(info)
    if folder is not None and not (folder / value).is_file():
        raise ValueError(f"names no file in {folder.resolve()}")
    return value


def _matching(value: str, info: ValidationInfo) -> str:
    folder = _folder_of(info)
    if folder is not None and not matches(folder, value):
        raise ValueError(f"matches no file in {folder.resolve()}")
    return value


def _formula(value: str) -> str:
    try:
        parse_composition(value)
    except DataError as error:
        raise ValueError(f"is no formula: {error.what}; {error.do}") from None
    return value


def _element(value: str) -> str:
    try:
        atomic_number(value)
    except DataError as error:
        raise ValueError(f"is no chemical element; {error.do}") from None
    return value


def _edge(value: str, info: ValidationInfo) -> str:
    element = info.data.get("element")
    if element is not None and value not in (known := element_edges(element)):
        raise ValueError(f"is no edge of {element}; {did_you_mean(value, known)}")
    return value


def _edges(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError('must be a list of edges such as ["S K", "Na K"]')
    pairs = []
    for text in value:
        parts = text.split() if isinstance(text, str) else ()
        if len(parts) != 2:
            raise ValueError(f'holds {text!r}, which is no edge such as "S K"')
        element = _element(parts[0])
        if parts[1] not in (known := element_edges(element)):
            raise ValueError(f"holds {text!r}: {did_you_mean(parts[1], known)}")
        pairs.append((element, parts[1]))
    return tuple(pairs)


Number = Annotated[FiniteFloat, BeforeValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
Range = Annotated[tuple[float, float], BeforeValidator(_range)]
Name = Annotated[StrictStr, Field(min_length=1)]
File = Annotated[Name, AfterValidator(_existing)]
Pattern = Annotated[Name, AfterValidator(_matching)]


class Part(BaseModel):
    """A table of the project file; it knows its own keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Sample(Part):
    """What was measured.

    Attributes
    ----------
    composition
        Formula without brackets.
    number_density
        Atoms per cubic angstrom, or None.
    simulated
        Whether the measurements were made from models; every figure and page then says so.
    """

    composition: Annotated[Name, AfterValidator(_formula)]
    number_density: Positive | None = None
    simulated: StrictBool = False

    @property
    def atoms(self) -> dict[str, float]:
        """Atoms of each element."""
        return parse_composition(self.composition)


class XasMeasurement(Part):
    """Repeated scans over one absorption edge.

    Attributes
    ----------
    name
        Of the measurement, unique.
    element, edge
        For example ``"Ta"`` and ``"L3"``.
    mode
        ``"transmission"``, ``"fluorescence"`` or ``"tey"`` (electron yield).
    scans
        Glob patterns, relative to the project file.
    k_range
        1/angstrom; None chooses it from the noise.
    k_weight
        Power of k in the transform.
    r_range
        angstrom, without phase correction, where models are compared; None takes the default of the fit.
    s02
        Amplitude factor from a standard, with its standard error; None takes 0.9(1), wider in fluorescence.
    """

    name: Name
    technique: Literal["xas"]
    element: Annotated[Name, AfterValidator(_element)]
    edge: Annotated[Name, AfterValidator(_edge)]
    mode: Mode = "transmission"
    scans: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    k_range: Range | None = None
    k_weight: Annotated[Number, Field(ge=0, le=4)] = 2.0
    r_range: Range | None = None
    s02: Annotated[tuple[float, float], BeforeValidator(_with_error)] | None = None
    _folder: Path = PrivateAttr(default=Path())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files that the patterns match, each once, sorted within a pattern."""
        found = [path for pattern in self.scans for path in matches(self._folder, pattern)]
        return tuple(dict.fromkeys(found))


class TotalScatteringMeasurement(Part):
    """A raw pattern I(Q), or a reduced G(r).

    Attributes
    ----------
    name
        Of the measurement, unique.
    pattern, background
        Files of I(Q), relative to the project file.
    pdf
        File of G(r), instead of ``pattern``.
    axis
        What the first column of the pattern is, where its header does not say: ``"q"``, ``"q_nm"`` or
        ``"2theta"``.
    wavelength
        angstrom.
    q_range
        1/angstrom.
    r_range
        angstrom, where models are compared; None goes as far as the models can be trusted.
    qdamp
        Resolution of the instrument, 1/angstrom; None fits it.
    """

    name: Name
    technique: Literal["total-scattering"]
    pattern: File | None = None
    background: File | None = None
    pdf: File | None = None
    axis: Axis | None = None
    wavelength: Positive | None = None
    q_range: Range | None = None
    r_range: Range | None = None
    qdamp: Annotated[Number, Field(ge=0)] | None = None
    _folder: Path = PrivateAttr(default=Path())

    @property
    def pattern_path(self) -> Path | None:
        """The raw pattern."""
        return self._folder / self.pattern if self.pattern else None

    @property
    def background_path(self) -> Path | None:
        """The pattern of the empty container."""
        return self._folder / self.background if self.background else None

    @property
    def pdf_path(self) -> Path | None:
        """The reduced G(r)."""
        return self._folder / self.pdf if self.pdf else None


Measurement = XasMeasurement | TotalScatteringMeasurement
_TECHNIQUES: dict[str, type[Part]] = {
    "xas": XasMeasurement,
    "total-scattering": TotalScatteringMeasurement,
}


class Model(Part):
    """One structural hypothesis.

    Attributes
    ----------
    name
        Of the model, unique.
    structures
        File of snapshots, a crystal or a molecule, relative to the project file.
    frames
        ``"start:stop:step"``, or None for all.
    """

    name: Name
    structures: File
    frames: Annotated[StrictStr, BeforeValidator(_frames)] | None = None
    _folder: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The file of structures."""
        return self._folder / self.structures

    @property
    def selection(self) -> slice | None:
        """The frames as a slice."""
        return parse_frames(self.frames) if self.frames is not None else None


def _value_or_pair(value: Any) -> Any:
    pair = value if isinstance(value, list | tuple) else [value]
    if len(pair) > 2 or not pair or any(isinstance(n, bool) or not isinstance(n, int | float) for n in pair):
        raise ValueError("must be a number, or [mean, standard deviation]")
    return tuple(float(n) for n in pair) if len(pair) == 2 else float(pair[0])


ValueOrPair = Annotated[float | tuple[float, float], BeforeValidator(_value_or_pair)]


class MotifModel(Part):
    """A hypothesis built from parameters: a unit of one or two octahedra, its angle and distances free.

    Attributes
    ----------
    name
        Of the model, unique.
    motif
        ``"octahedron"``, ``"corner"``, ``"edge"`` or ``"face"``.
    metal, ligand, bridge, substitute
        As `shortrange.simulate.motifs.motif`.
    angle, terminal, bridging
        Means of the priors, or [mean, standard deviation]; degrees, and angstrom by element.
    """

    name: Name
    motif: Literal["octahedron", "corner", "edge", "face"]
    metal: Annotated[Name, AfterValidator(_element)] = "Ta"
    ligand: Annotated[Name, AfterValidator(_element)] = "Cl"
    bridge: Name | None = None
    substitute: Annotated[Name, AfterValidator(_element)] | None = None
    angle: ValueOrPair | None = None
    terminal: dict[str, ValueOrPair] = Field(default_factory=dict)
    bridging: dict[str, ValueOrPair] = Field(default_factory=dict)


class Mixture(Part):
    """A hypothesis that the sample holds two of the models side by side, in proportions to be found.

    Attributes
    ----------
    name
        Of the mixture; unlike every model's.
    of
        Names of two models.
    """

    name: Name
    of: Annotated[tuple[Name, Name], BeforeValidator(_components)]


class VerdictSettings(Part):
    """What a verdict demands, and how wrong a right model may be.

    Attributes
    ----------
    odds
        Odds of the best model against the next from which a verdict is given.
    exafs_theory_error, pdf_theory_error
        Median of the rms theory error over the rms signal; None takes the calibrated one.
    partial
        Leave a measurement out, for all models, if one of them has not its absorber; else that is a fault.
    edges
        Other edges, such as ``["S K"]``, of which to say what EXAFS there would tell.
    nested
        Compare Laplace's evidence of the best two models with nested sampling too (`shortrange[dynesty]`).
    """

    odds: Annotated[Number, Field(gt=1)] = 20.0
    exafs_theory_error: Annotated[Number, Field(gt=0, le=1)] | None = None
    pdf_theory_error: Annotated[Number, Field(gt=0, le=1)] | None = None
    partial: StrictBool = False
    edges: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_edges)] = ()
    nested: StrictBool = False


class Project(Part):
    """A question, its measurements, and the models that may answer it.

    Attributes
    ----------
    title
        The question.
    sample
        What was measured.
    measurement
        In the order of the file.
    model
        In the order of the file.
    mixture
        Mixtures of models, in the order of the file.
    verdict
        What a verdict demands.
    """

    title: Name
    sample: Sample
    measurement: tuple[Measurement, ...]
    model: tuple[Model | MotifModel, ...]
    mixture: tuple[Mixture, ...] = ()
    verdict: VerdictSettings = VerdictSettings()
    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path

    @property
    def folder(self) -> Path:
        """Folder of the project file, from which its paths are counted."""
        return self._path.parent


def matches(folder: Path, pattern: str) -> list[Path]:
    """Files that a glob pattern matches, sorted; hidden ones only where the pattern asks for them."""
    whole = Path(pattern)
    if whole.is_absolute():
        folder, pattern = Path(whole.anchor), str(whole.relative_to(whole.anchor))
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    return [path for path in found if not path.name.startswith(".") or whole.name.startswith(".")]
