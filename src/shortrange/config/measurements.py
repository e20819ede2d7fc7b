"""Tables of the sample and of what was measured on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, StrictBool

from shortrange.atoms import parse_composition
from shortrange.config.values import (
    Edge,
    Element,
    File,
    Formula,
    Name,
    Number,
    Part,
    Pattern,
    Positive,
    Range,
    WithError,
    matches,
)

__all__ = ["Axis", "Measurement", "Mode", "Sample", "TotalScatteringMeasurement", "XasMeasurement"]

Mode = Literal["transmission", "fluorescence", "tey"]
Axis = Literal["q", "q_nm", "2theta"]


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

    composition: Formula
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
    element: Element
    edge: Edge
    mode: Mode = "transmission"
    scans: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    k_range: Range | None = None
    k_weight: Annotated[Number, Field(ge=0, le=4)] = 2.0
    r_range: Range | None = None
    s02: WithError | None = None
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
    compton_width
        The factor of Compton scattering in ``pattern`` is 1 +- this beforehand; None: 0.03 or, less likely,
        0.3.
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
    compton_width: Annotated[Number, Field(ge=0, le=1)] | None = None
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
