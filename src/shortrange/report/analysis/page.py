"""One HTML page of an analysis, in the markup and style of the verdict's page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shortrange.analyse.analysis import Analysis
from shortrange.quantities import Step
from shortrange.report.analysis.words import doubts_of, number, sentences
from shortrange.report.document import document
from shortrange.report.markup import Markup, describe, element, join, plates_html, table
from shortrange.report.plates import Plate
from shortrange.report.style import SIMULATED
from shortrange.report.text import plus_minus, significant
from shortrange.report.verdict_json import plain_data

__all__ = ["analysis_page"]


def analysis_page(
    analysis: Analysis, plates: Sequence[Plate], *, title: str, record: Mapping[str, Any]
) -> str:
    """Write the page: an HTML document without references to anything outside it.

    Parameters
    ----------
    analysis, plates
        What was found, and its figures.
    title
        Above the page.
    record
        Content of ``summary.json``: inputs and versions.
    """
    doubts = doubts_of(analysis)
    body = element(
        "main",
        _head(analysis, title),
        element(
            "section", element("ul", *(element("li", s) for s in sentences(analysis))), classes="verdict"
        ),
        join([element("h2", "Doubts"), element("ul", *(element("li", d) for d in doubts))]) if doubts else "",
        _shells(analysis),
        _connectivity(analysis),
        _shapes(analysis),
        element("h2", "Figures"),
        plates_html(plates),
        _history(analysis.history),
        element("h2", "Files read"),
        table(["File", "SHA-256"], [[i["path"], element("code", i["sha256"])] for i in record["inputs"]]),
        element("footer", "Made with " + ", ".join(f"{k} {v}" for k, v in record["versions"].items()) + "."),
    )
    return document(title, body)


def _head(analysis: Analysis, title: str) -> Markup:
    formula = " ".join(f"{symbol}{n}" for symbol, n in analysis.composition.items())
    frames = f"{analysis.n_frames} frame{'s' if analysis.n_frames > 1 else ''}"
    density = "" if analysis.number_density is None else f" · {analysis.number_density:.4f} atoms/Å³"
    kicker = [
        element("span", "shortrange analysis of snapshots"),
        element("span", SIMULATED, classes="badge"),
    ]
    return element(
        "header",
        element("div", *kicker, classes="kicker"),
        element("h1", title),
        element("p", f"{formula} · {frames}{density}", classes="sample"),
    )


def _shells(analysis: Analysis) -> Markup:
    if not analysis.shells:
        return Markup()
    head = ["Pair", "Ends at (Å)", "From", "Number", "Mean (Å)", "σ² (Å²)", "C3 (Å³)"]
    rows = [
        [
            f"{s.ligand} around {s.centre}",
            f"{s.cutoff.r:.2f}",
            s.cutoff.origin,
            number(s.coordination),
            number(s.mean),
            number(s.variance),
            number(s.third),
        ]
        for s in analysis.shells
    ]
    missing = [name for name, c in analysis.cutoffs.items() if c.r is None]
    fine = "Errors by averages over blocks of frames. σ² is static and thermal, as in EXAFS."
    if missing:
        fine += f" No first shell ends within half the cell for {', '.join(missing)}."
    return join(
        [
            element("h2", "Coordination"),
            table(head, rows, numbers=[1, 3, 4, 5, 6]),
            element("p", fine, classes="fine"),
        ]
    )


def _connectivity(analysis: Analysis) -> Markup:
    c = analysis.connectivity
    if c is None:
        return Markup()
    head = ["Sharing", "Of joined pairs", "Pairs per centre", "Distance (Å)", "Spread (Å)", "5 to 95 % (Å)"]
    rows = []
    for s in (*c.sharing, *c.by_bridge):
        d = s.distance
        far = ["–", "–", "–"]
        if d is not None:
            far = [plus_minus(d.mean, d.sigma_mean), f"{d.std:.3f}", f"{d.p05:.2f} to {d.p95:.2f}"]
        rows.append([s.name, number(s.fraction), number(s.per_centre), *far])
    groups = ", ".join(f"{size}: {100 * f:.1f} %" for size, f in enumerate(c.oligomers) if f)
    bonds = "; ".join(
        f"{symbol}: " + ", ".join(f"{n} to {k} centres" for k, n in enumerate(counts) if n)
        for symbol, counts in c.ligand_bonds.items()
    )
    text = (
        f"Centres in groups of joined centres of size {groups}. Ligand atoms by bonds, all frames: {bonds}."
    )
    return join(
        [
            element("h2", "How polyhedra are joined"),
            table(head, rows, numbers=range(1, len(head))),
            element("p", text, classes="fine"),
        ]
    )


def _shapes(analysis: Analysis) -> Markup:
    if not analysis.distortions:
        return Markup()
    head = ["Centre", "Reference", "About the atom", "About the ligands", "About all", "Median", "5 to 95 %"]
    rows = []
    for d in (*analysis.distortions, *analysis.other_shapes):
        means = [plus_minus(s.mean, s.sigma_mean) for s in d.spreads.values()]
        last = d.spreads["all"]
        rows.append(
            [
                d.centre_element,
                d.polyhedron,
                *means,
                significant(last.median),
                f"{last.p05:.2f} to {last.p95:.2f}",
            ]
        )
    fine = (
        "Continuous shape measures of the nearest ligands, 0 (perfect) to 100; means for three origins: the "
        "central atom, the centroid of the ligands, the centroid of both (median and range are of the last). "
        f"References after the first: every {analysis.other_shapes[0].stride}th frame."
        if analysis.other_shapes
        else "Continuous shape measures, 0 (perfect) to 100; means for three origins."
    )
    return join(
        [
            element("h2", "Distortion"),
            table(head, rows, numbers=range(2, len(head))),
            element("p", fine, classes="fine"),
        ]
    )


def _history(history: Iterable[Step]) -> Markup:
    items = []
    for done in history:
        settings = "; ".join(f"{name} = {value}" for name, value in describe(plain_data(done.settings)))
        items.append(element("li", f"{done.name}: ", element("code", settings)))
    return element("details", element("summary", "Every step, with its settings"), element("ol", *items))
