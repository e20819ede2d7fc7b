"""How the measurements were reduced: scans, scales, figures, every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shortrange.quantities import Step
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.markup import Markup, describe, element, join, plates_html, table
from shortrange.report.plates import Plate
from shortrange.report.text import plus_minus
from shortrange.report.verdict_json import plain_data

__all__ = ["history_list", "reductions"]


def reductions(reduced: Mapping[str, tuple[Any, Sequence[Plate]]]) -> Markup:
    """Show each reduction with its figures and its history."""
    parts = [element("h2", "Reduction of the measurements", id="reduction")]
    for name, (reduction, plates) in reduced.items():
        parts.append(element("h3", name))
        if isinstance(reduction, XasReduction):
            parts += [_edge(reduction), _scans(reduction)]
        if isinstance(reduction, ScatteringReduction):
            parts.append(_scale(reduction))
        parts += [plates_html(plates), history_list(reduction.history)]
    return join(parts)


def _edge(reduction: XasReduction) -> Markup:
    normalised = reduction.normalised
    text = (
        f"E0 = {normalised.e0:.2f} eV, edge step "
        f"{plus_minus(normalised.edge_step, normalised.sigma_edge_step)} (units of μ)"
    )
    if reduction.k_range is not None:
        text += f", k = {reduction.k_range[0]:.2f} to {reduction.k_range[1]:.2f} Å⁻¹"
    return element("p", f"{text}.")


def _scale(reduction: ScatteringReduction) -> Markup:
    density, compton = reduction.number_density, reduction.compton_scale
    text = (
        f"Number density {plus_minus(density.value, density.sigma)} Å⁻³, Compton scattering "
        f"{plus_minus(compton.value, compton.sigma)} times the tabulated"
    )
    background = reduction.background_scale
    if background is not None:
        text += f", background {plus_minus(background.value, background.sigma)} times as measured"
    return element("p", f"{text}; rms of G(r) about its line at low r {reduction.low_r_residual:.1%}.")


def _scans(reduction: XasReduction) -> Markup:
    rows = []
    for report in reduction.reports:
        shift = "–"
        if report.energy_shift is not None:
            shift = plus_minus(report.energy_shift, report.sigma_energy_shift)
        rows.append([Path(report.file).name, shift, "yes" if report.used else "no", report.reason])
    classes = ["" if report.used else "unused" for report in reduction.reports]
    return table(["Scan", "Energy shift (eV)", "Used", "Reason"], rows, numbers=[1], row_classes=classes)


def history_list(history: Iterable[Step]) -> Markup:
    """List every step of a history, folded up."""
    items = []
    for step in history:
        settings = "; ".join(f"{name} = {value}" for name, value in describe(plain_data(step.settings)))
        items.append(element("li", f"{step.name}{': ' if settings else ''}", element("code", settings)))
    folded = element("details", element("summary", "Every step, with its settings"), element("ol", *items))
    return join([folded, element("p", "Every step, with its settings: results.h5.", classes="fine paper")])
