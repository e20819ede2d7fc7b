"""Parameters of every model, with errors, priors, and those at their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shortrange.compare.verdict import FittedParameter, Verdict
from shortrange.report.markup import Markup, element, join, table
from shortrange.report.text import compact, plus_minus, prior_text

__all__ = ["parameters"]


def parameters(verdict: Verdict) -> Markup:
    """Tabulate the parameters of each measurement, one column for each model."""
    parts = [element("h2", "Nuisance parameters", id="parameters")]
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
