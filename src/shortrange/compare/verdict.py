"""What a comparison of models with data results in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from shortrange.analyse.estimate import Estimate
from shortrange.compare.foresight import Prospect
from shortrange.compare.regions import Places
from shortrange.quantities import Step
from shortrange.shown import Shown, table_html

__all__ = ["FittedParameter", "MeasurementFit", "ModelResult", "Surroundings", "Verdict"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedParameter:
    """A nuisance parameter after the fit.

    Attributes
    ----------
    name, unit
        For example ``"S02"`` and ``"1"``.
    value, sigma
        Estimate and standard error; ``sigma`` is None where it cannot be given, and ``note`` says why.
    prior
        Mean and standard deviation of the normal prior, or None for a flat one.
    bounds
        Lower and upper limit.
    at_bound
        Whether the estimate lies at a limit: its error is then not to be trusted.
    note
        A remark for the reader, or empty.
    """

    name: str
    unit: str
    value: float
    sigma: float | None
    prior: tuple[float, float] | None
    bounds: tuple[float, float]
    at_bound: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasurementFit(Shown):
    """One model against one measurement.

    Attributes
    ----------
    measurement
        Name of the measurement.
    technique
        ``"xas"`` or ``"total-scattering"``.
    x, data, sigma, model
        The curves that a reader compares, shape (n,): k (1/angstrom) and k^n chi (angstrom^-n) for XAS,
        r (angstrom) and G (angstrom^-2) for total scattering, all without what lies outside the compared
        band. ``sigma`` is the noise of the data.
    theory_sigma
        Standard deviation of the theory error that the evidence allows for, shape (n,).
    fit_range
        Where models were compared: R (angstrom, without phase correction) for XAS, r for total scattering.
    contributions
        Parts of ``model`` by name (such as ``"Ta-Cl"``), each of shape (n,).
    R
        Misfit inside the compared band: for XAS the ratio of squares that feffit calls R-factor, for total
        scattering its square root, Rw.
    chi2_reduced
        Squared residual over its expected variance (noise, sampling and theory), per degree of freedom.
    p_value
        Probability of a misfit at least this large if the model were right.
    log_evidence
        Of this measurement alone, natural logarithm, with the points counted as the theory error says.
    parameters
        After the fit.
    places
        Which k and R, or r and Q, give how much of ``log_evidence``.
    """

    measurement: str
    technique: Literal["xas", "total-scattering"]
    x: Array
    data: Array
    sigma: Array | None
    model: Array
    theory_sigma: Array | None
    fit_range: tuple[float, float]
    contributions: Mapping[str, Array] = field(default_factory=dict)
    R: float
    chi2_reduced: float
    p_value: float
    log_evidence: float
    parameters: tuple[FittedParameter, ...] = ()
    places: tuple[Places, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelResult(Shown):
    """One structural hypothesis after all measurements.

    Attributes
    ----------
    name
        As in the project.
    probability
        Posterior among the models offered, with equal prior odds.
    log_evidence
        Of all measurements together, natural logarithm: the sum of theirs, but for a mixture, whose
        measurements have the shares in common.
    fits
        One for each measurement, in the order of the project.
    shares
        Of a mixture: the part of the atoms that belongs to each of its models, under the model's name.
    """

    name: str
    probability: float
    log_evidence: float
    fits: tuple[MeasurementFit, ...]
    shares: tuple[FittedParameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What surrounds one element in a model, given that the model is right.

    Attributes
    ----------
    element
        The absorber, or a centre of polyhedra where nothing absorbs.
    numbers
        Ligand to coordination number; under ``"all"`` that of all ligands.
    lengths
        Ligand to mean bond length, angstrom, stretched as the data ask; also ``"Ta, bridged"`` for Ta that
        shares a ligand.
    bridged
        Fraction of the atoms of the element that share a ligand with another centre.
    """

    element: str
    numbers: Mapping[str, Estimate]
    lengths: Mapping[str, Estimate]
    bridged: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """The answer.

    Attributes
    ----------
    verdict
        ``"supported"``, ``"undecided"`` or ``"none fits"``.
    best
        Name of the most probable model; None if none fits.
    models
        All models, most probable first.
    reason
        One sentence for the reader: why this verdict.
    warnings
        Everything the reader should doubt.
    settings
        What the comparison assumed: thresholds, priors, theory errors and where they come from.
    prospects
        What further measurements are expected to tell about the two most probable models.
    structure
        What surrounds the absorbers in the best model, given that it is right; empty if none fits.
    history
        Operations.
    """

    verdict: Literal["supported", "undecided", "none fits"]
    best: str | None
    models: tuple[ModelResult, ...]
    reason: str
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    prospects: tuple[Prospect, ...] = ()
    structure: tuple[Surroundings, ...] = ()
    history: tuple[Step, ...] = ()

    def _repr_html_(self) -> str:
        """Return the models with their odds and misfits, for a notebook."""
        head = ["model", "probability among these", "ln evidence"]
        for fit in self.models[0].fits:
            head += [f"{fit.measurement}: {'R' if fit.technique == 'xas' else 'Rw'}", "reduced χ²"]
        rows = [
            [model.name, f"{model.probability:.4g}", f"{model.log_evidence:.2f}"]
            + [text for fit in model.fits for text in (f"{fit.R:.3g}", f"{fit.chi2_reduced:.3g}")]
            for model in self.models
        ]
        notes = [[f"warning: {text}"] for text in self.warnings]
        title = f"{self.verdict}: {self.reason}"
        return table_html(head, rows, title=title) + (table_html([""], notes) if notes else "")
