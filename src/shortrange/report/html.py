"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from shortrange.analyse.analysis import Analysis
from shortrange.compare.rank import alone
from shortrange.compare.verdict import FittedParameter, ModelResult, Verdict
from shortrange.quantities import Step
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.analysis.models import models_section
from shortrange.report.markup import Markup, describe, element, join, plates_html, table
from shortrange.report.plates import Plate
from shortrange.report.style import SIMULATED, model_color
from shortrange.report.text import (
    compact,
    fixed,
    headline,
    leading,
    misfit_name,
    percent,
    plus_minus,
    prior_text,
    significant,
)
from shortrange.report.verdict_json import plain_data

__all__ = ["render_page"]

_WORDS = {"supported": "Supported", "undecided": "Undecided", "none fits": "None fits"}


def render_page(
    *,
    title: str,
    sample: str,
    verdict: Verdict,
    fits: Mapping[str, Sequence[Plate]],
    reductions: Mapping[str, tuple[Any, Sequence[Plate]]],
    contents: Mapping[str, Analysis | str],
    record: Mapping[str, Any],
    simulated: bool,
) -> str:
    """Write the page.

    Parameters
    ----------
    title, sample
        The question, and what was measured, in words.
    verdict
        The answer.
    fits
        Figures of models against data, by measurement.
    reductions
        For each measurement, its reduction and the figures of it.
    contents
        What the snapshots of each model contain, or why this is not known.
    record
        Content of ``verdict.json``: inputs, settings, versions.
    simulated
        Whether the measurements were made from models.

    Returns
    -------
    str
        An HTML document without references to anything outside it.
    """
    body = element(
        "main",
        _head(title, sample, simulated),
        _answer(verdict),
        _models(verdict),
        _alone(verdict),
        _warnings(verdict.warnings),
        element("h2", "Models against the data"),
        *(part for name, plates in fits.items() for part in (element("h3", name), plates_html(plates))),
        models_section(contents),
        _parameters(verdict),
        _reductions(reductions),
        _assumptions(record["settings"]),
        _inputs(record["inputs"]),
        _versions(record["versions"]),
    )
    style = files("shortrange.report").joinpath("page.css").read_text(encoding="utf-8")
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<link rel="icon" href="data:,">'),  # or the browser asks the server for one
            element("title", f"{title} – shortrange"),
            element("style", Markup(style)),
        ]
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _head(title: str, sample: str, simulated: bool) -> Markup:
    kicker = [element("span", "shortrange report")]
    if simulated:
        kicker.append(element("span", SIMULATED, classes="badge"))
    return element(
        "header",
        element("div", *kicker, classes="kicker"),
        element("h1", title),
        element("p", sample, classes="sample"),
    )


def _answer(verdict: Verdict) -> Markup:
    return element(
        "section",
        element("div", _WORDS[verdict.verdict], classes="word"),
        element("p", headline(verdict), classes="answer"),
        element("p", _sentence(verdict.reason)),
        classes=f"verdict {verdict.verdict.replace(' ', '-')}",
    )


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _models(verdict: Verdict) -> Markup:
    # Odds between models that all misfit are not the chance that one of them is right.
    chance = "Probability, were one right" if verdict.verdict == "none fits" else "Probability"
    head = ["Model", chance, "ln evidence", "Δ to best"]
    for fit in verdict.models[0].fits:
        head += [f"{fit.measurement}: {misfit_name(fit)}", "reduced χ²", "p"]
    best = leading(verdict)
    rows = [_model_row(model, index, best) for index, model in enumerate(verdict.models)]
    classes = ["lead" if model is best and verdict.best is not None else "" for model in verdict.models]
    explanation = (
        "Probabilities are relative to the models offered, with equal prior odds. R is the squared residual "
        "over the squared data and Rw its square root; reduced χ² compares the residual with noise and "
        "theory error, and p is the probability of a misfit at least this large if the model were right."
    )
    return join(
        [
            element("h2", "Models"),
            table(head, rows, numbers=range(2, len(head)), row_classes=classes),
            element("p", explanation, classes="fine"),
        ]
    )


def _model_row(model: ModelResult, index: int, best: ModelResult) -> list[str]:
    width = f"width:{100 * model.probability:.1f}%;background:{model_color(index)}"
    bar = element("span", element("i", style=width), classes="track")
    row = [
        model.name,
        element("div", bar, percent(model.probability), classes="chance"),
        fixed(model.log_evidence, 1),
        fixed(model.log_evidence - best.log_evidence, 1) if model is not best else "0",
    ]
    for fit in model.fits:
        row += [significant(fit.R), significant(fit.chi2_reduced), significant(fit.p_value, 2)]
    return row


def _alone(verdict: Verdict) -> Markup:
    """Tabulate what each measurement says by itself, and when it is looked at in another way."""
    table_of = alone(verdict.models)
    settings = verdict.settings.get("measurements", {})
    head = ["Probability from", *(model.name for model in verdict.models)]
    rows = []
    for measurement, chances in table_of.items():
        rows.append([f"{measurement} alone", *(percent(chances[m.name]) for m in verdict.models)])
        for label, control in settings.get(measurement, {}).get("controls", {}).items():
            rows.append(
                [f"{measurement} alone, {label}", *(percent(control[m.name]) for m in verdict.models)]
            )
    rows.append(["all together", *(percent(model.probability) for model in verdict.models)])
    return join(
        [
            element("h2", "What each measurement says"),
            table(head, rows, numbers=range(1, len(head)), row_classes=[""] * (len(rows) - 1) + ["lead"]),
        ]
    )


def _warnings(warnings: Sequence[str]) -> Markup:
    if not warnings:
        return join([element("h2", "Warnings"), element("p", "None.")])
    items = (element("li", text) for text in warnings)
    return join([element("h2", f"Warnings ({len(warnings)})"), element("ul", *items, classes="doubts")])


def _parameters(verdict: Verdict) -> Markup:
    parts = [element("h2", "Nuisance parameters")]
    for position, lead in enumerate(verdict.models[0].fits):
        by_model = [{p.name: p for p in model.fits[position].parameters} for model in verdict.models]
        names = dict.fromkeys(name for known in by_model for name in known)
        rows = [_parameter_row(name, by_model) for name in names]
        head = ["Parameter", "Prior", "Bounds", *(model.name for model in verdict.models)]
        parts += [element("h3", lead.measurement), table(head, rows, numbers=range(1, len(head)))]
        notes = dict.fromkeys(
            f"{p.name}: {p.note}" for known in by_model for p in known.values() if p.note and not p.at_bound
        )
        parts += [element("p", note, classes="fine") for note in notes]
    return join(parts)


def _parameter_row(name: str, by_model: Sequence[Mapping[str, FittedParameter]]) -> list[str]:
    first = next(known[name] for known in by_model if name in known)
    unit = "" if first.unit in ("", "1") else f" ({_unit(first.unit)})"
    cells = []
    for known in by_model:
        if name not in known:
            cells.append("–")
            continue
        parameter = known[name]
        text = plus_minus(parameter.value, parameter.sigma)
        flag = join([" ", element("span", "at bound", classes="flag")]) if parameter.at_bound else ""
        cells.append(join([text, flag]))
    low, high = first.bounds
    return [f"{name}{unit}", prior_text(first), f"{compact(low)} to {compact(high)}", *cells]


def _unit(unit: str) -> str:
    """Write a unit as it is printed."""
    known = {
        "1/angstrom": "Å⁻¹",
        "angstrom": "Å",
        "angstrom^2": "Å²",
        "angstrom^-1": "Å⁻¹",
        "angstrom^-2": "Å⁻²",
    }
    return known.get(unit, unit)


def _reductions(reductions: Mapping[str, tuple[Any, Sequence[Plate]]]) -> Markup:
    parts = [element("h2", "Reduction of the measurements")]
    for name, (reduction, plates) in reductions.items():
        parts.append(element("h3", name))
        if isinstance(reduction, XasReduction):
            parts += [_edge(reduction), _scans(reduction)]
        if isinstance(reduction, ScatteringReduction):
            parts.append(_scale(reduction))
        parts += [plates_html(plates), _history(reduction.history)]
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


def _history(history: Iterable[Step]) -> Markup:
    items = []
    for step in history:
        settings = "; ".join(f"{name} = {value}" for name, value in describe(plain_data(step.settings)))
        items.append(element("li", f"{step.name}{': ' if settings else ''}", element("code", settings)))
    return element("details", element("summary", "Every step, with its settings"), element("ol", *items))


def _assumptions(settings: Mapping[str, Any]) -> Markup:
    rows = describe(settings)
    return join([element("h2", "Settings and assumptions"), table(["Setting", "Value"], rows)])


def _inputs(inputs: Sequence[Mapping[str, str]]) -> Markup:
    rows = [[entry["path"], element("code", entry["sha256"])] for entry in inputs]
    return join([element("h2", "Files read"), table(["File", "SHA-256"], rows)])


def _versions(versions: Mapping[str, str]) -> Markup:
    text = ", ".join(f"{name} {version}" for name, version in versions.items())
    return element("footer", f"Made with {text}.")
