"""Figures of models against the data, and what each model puts under the peak they dispute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shortrange.compare.verdict import MeasurementFit, Verdict
from shortrange.report.disputed import disputed_range, shares
from shortrange.report.markup import Markup, element, join, plates_html, table
from shortrange.report.plates import Plate
from shortrange.report.text import fixed

__all__ = ["disputed_table", "fits", "printed_fits"]

_SMALL = 0.01


def fits(verdict: Verdict, plates: Mapping[str, Sequence[Plate]]) -> Markup:
    """Show the figures of each measurement."""
    hint = "Drag to zoom, double-click to return; a click on a name shows or hides its curve."
    parts = [element("h2", "Models against the data", id="fits"), element("p", hint, classes="fine hint")]
    for name, shown in plates.items():
        parts += [element("h3", name), plates_html(shown), disputed_table(verdict, name)]
    return join(parts)


def printed_fits(plates: Mapping[str, Sequence[Plate]]) -> Markup:
    """Keep a place on the first printed page for the fit to each measurement; the page's script fills it.

    A single measurement shows its next figure, too. The figures are named, not repeated: each is large.
    """
    number = 1 if len(plates) > 1 else 2
    names = [plate.name for shown in plates.values() for plate in shown[:number]]
    return element("section", classes="printed", **{"data-shows": " ".join(names)})


def disputed_table(verdict: Verdict, measurement: str) -> Markup:
    """Tabulate mean G(r), and that of each pair, where the two leading models differ most."""
    found: list[tuple[str, MeasurementFit]] = [
        (model.name, fit) for model in verdict.models for fit in model.fits if fit.measurement == measurement
    ]
    limits = disputed_range(found[0][1], found[1][1]) if len(found) > 1 else None
    if limits is None or not found[0][1].contributions:
        return Markup()
    each = {name: shares(fit, limits) for name, fit in found}
    first = each[found[0][0]]
    pairs = sorted(first.parts, key=lambda pair: -abs(first.parts[pair]))
    # A pair that only other models have stands behind those of the first.
    others = dict.fromkeys(pair for share in each.values() for pair in share.parts)
    pairs += [pair for pair in others if pair not in first.parts]
    pairs = [p for p in pairs if any(abs(share.parts.get(p, 0.0)) >= _SMALL for share in each.values())]
    head = ["", "G (Å⁻²)", *pairs]
    rows = [["data", fixed(first.data, 2), *("–" for _ in pairs)]]
    for name, share in each.items():
        parts = [fixed(share.parts[p], 2) if p in share.parts else "–" for p in pairs]
        rows.append([name, fixed(share.model, 2), *parts])
    text = (
        f"Mean of G(r) from {limits[0]:.2f} to {limits[1]:.2f} Å, where the two leading models differ most "
        "for their errors, and what each pair of elements contributes to it; pairs below "
        f"{_SMALL:g} everywhere are left out."
    )
    return join(
        [
            element("h4", f"Under the disputed peak, {limits[0]:.2f} to {limits[1]:.2f} Å"),
            table(head, rows, numbers=range(1, len(head))),
            element("p", text, classes="fine"),
        ]
    )
