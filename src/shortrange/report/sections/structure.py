"""What surrounds the absorbers in the best model: numbers, lengths and bridges, with errors."""

from __future__ import annotations

from shortrange.analyse.estimate import Estimate
from shortrange.compare.verdict import Surroundings, Verdict
from shortrange.report.markup import Markup, element, join, table
from shortrange.report.text import plus_minus

__all__ = ["structure"]

_FINE = (
    "If this model is right. Numbers are those of its snapshots (errors: their scatter, and that of the "
    "shares of a mixture). Lengths are stretched as the data ask; their errors hold those of the fit and of "
    "theory, and that a potential may err by another amount for each kind of bond."
)


def structure(verdict: Verdict) -> Markup:
    """Tabulate the surroundings of each absorber."""
    if not verdict.structure:
        return Markup()
    parts = [element("h2", f"Structure: {verdict.best}", id="structure")]
    for found in verdict.structure:
        parts += [table(["", "Number", "Mean distance (Å)"], _rows(found), numbers=[1, 2])]
        if found.bridged is not None:
            text = (
                f"{_text(found.bridged)} of the {found.element} share a ligand with another {found.element}."
            )
            parts.append(element("p", text))
    return join([*parts, element("p", _FINE, classes="fine")])


def _rows(found: Surroundings) -> list[list[str]]:
    rows = [
        [
            f"all ligands of {found.element}" if name == "all" else f"{found.element}–{name}",
            _text(number),
            _text(found.lengths.get(name)),
        ]
        for name, number in found.numbers.items()
    ]
    across = [name for name in found.lengths if name not in found.numbers]
    return rows + [[f"{found.element}–{name}", "", _text(found.lengths[name])] for name in across]


def _text(found: Estimate | None) -> str:
    return "–" if found is None else plus_minus(found.value, found.sigma)
