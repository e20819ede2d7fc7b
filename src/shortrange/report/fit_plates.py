"""Figures of the answer for the report: models against each measurement, parts, wavelet maps, odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from shortrange.compare.verdict import MeasurementFit, ModelResult, Verdict
from shortrange.report.disputed import disputed_range
from shortrange.report.evidence import advantages
from shortrange.report.figures.evidence import evidence_figure
from shortrange.report.figures.verdict import (
    contributions_figure,
    distances_figure,
    fits_figure,
    odds_figure,
    wavelets_figure,
)
from shortrange.report.live.evidence import live_evidence
from shortrange.report.live.fits import live_distances, live_fits, live_parts
from shortrange.report.plates import Plate, make_plate, slug
from shortrange.report.text import leading

__all__ = ["evidence_plates", "fit_plates", "odds_plate"]

Pairs = Sequence[tuple[ModelResult, MeasurementFit]]


class _Looks(TypedDict):
    title: str
    simulated: bool
    k_weight: float


def odds_plate(verdict: Verdict, *, title: str, simulated: bool) -> Plate:
    """Figure of the odds."""
    return make_plate(
        "odds",
        odds_figure(verdict, title=title, simulated=simulated),
        caption="Probability of each model among those offered, with equal prior odds.",
    )


def fit_plates(
    verdict: Verdict, fit: MeasurementFit, *, title: str, simulated: bool, k_weight: float = 2.0
) -> list[Plate]:
    """Figures of one measurement: all models against it, the parts of the best, and wavelet maps.

    Parameters
    ----------
    verdict
        All models.
    fit
        That of the leading model to the measurement.
    title, simulated
        The sample, and whether its data were made from a model.
    k_weight
        Power of k in the curves of EXAFS.
    """
    name, (low, high) = fit.measurement, fit.fit_range
    stem = slug(name)
    looks = _Looks(title=title, simulated=simulated, k_weight=k_weight)
    pairs = [(model, _fit_of(model, name)) for model in verdict.models]
    space = "R (no phase correction)" if fit.technique == "xas" else "r"
    plates = [
        make_plate(
            f"{stem}_fits",
            fits_figure(verdict, measurement=name, **looks),
            caption=f"{name}: data (black, with error band), each model after its fit (colour, with the band "
            "of the theory error) and the residual in units of the total error. Models were compared for "
            f"{space} = {low:.2f} to {high:.2f} Å; the curves show what was compared.",
            live=live_fits(pairs, k_weight=k_weight, simulated=simulated),
        )
    ]
    distances = distances_figure(verdict, measurement=name, **looks)
    if distances is not None:
        plates.append(
            make_plate(
                f"{stem}_distances",
                distances,
                caption=f"{name}: the same in R, by Fourier transform of the curves in k; dotted: size of "
                "the difference; models were compared in the white range.",
                live=live_distances(pairs, k_weight=k_weight, simulated=simulated),
            )
        )
    return [*plates, *_parts(verdict, pairs, fit, looks), *_wavelets(verdict, fit, looks)]


def evidence_plates(
    record: Mapping[str, Any], measurement: str, *, title: str, simulated: bool
) -> list[Plate]:
    """Figure of which places of a measurement speak for which model, if the record says so."""
    data = advantages(record, measurement)
    if not data:
        return []
    names = [str(model["name"]) for model in record["models"]]
    figure = evidence_figure(
        data, measurement=measurement, leader=names[0], names=names, title=title, simulated=simulated
    )
    caption = (
        f"{measurement}: how much {names[0]} gains on each other model, place by place (1 nat is a factor of "
        "2.7 in the odds). Below zero the other model describes the data better."
    )
    live = live_evidence(data, names=names, simulated=simulated)
    return [make_plate(f"{slug(measurement)}_evidence", figure, caption=caption, live=live)]


def _parts(verdict: Verdict, pairs: Pairs, fit: MeasurementFit, looks: _Looks) -> list[Plate]:
    figure = contributions_figure(verdict, measurement=fit.measurement, **looks)
    if figure is None:
        return []
    disputed = disputed_range(*(pair[1] for pair in pairs[:2])) if len(pairs) > 1 else None
    best = leading(verdict).name
    caption = f"{fit.measurement}: what the parts of {best} contribute."
    if disputed is not None:
        caption += (
            f" Yellow: {disputed[0]:.2f} to {disputed[1]:.2f} Å, where {pairs[0][0].name} and "
            f"{pairs[1][0].name} differ most."
        )
    live = live_parts(pairs, k_weight=looks["k_weight"], simulated=looks["simulated"], disputed=disputed)
    return [make_plate(f"{slug(fit.measurement)}_parts", figure, caption=caption, live=live)]


def _wavelets(verdict: Verdict, fit: MeasurementFit, looks: _Looks) -> list[Plate]:
    figure = wavelets_figure(verdict, measurement=fit.measurement, **looks)
    if figure is None:
        return []
    caption = (
        f"{fit.measurement}: wavelet maps (Cauchy) of the data and of the two leading models, on one scale: "
        "at which k each distance shows. Distances are not corrected for phase shifts."
    )
    return [make_plate(f"{slug(fit.measurement)}_wavelets", figure, caption=caption)]


def _fit_of(model: ModelResult, measurement: str) -> MeasurementFit:
    return next(fit for fit in model.fits if fit.measurement == measurement)
