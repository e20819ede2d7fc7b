"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shortrange.analyse.analysis import Analysis
from shortrange.compare.verdict import Verdict
from shortrange.report.analysis.models import models_section
from shortrange.report.citations import Citation
from shortrange.report.document import document
from shortrange.report.markup import Markup, element, join
from shortrange.report.plates import Plate
from shortrange.report.sections.answer import answer, head, models, single_measurements, warnings_list
from shortrange.report.sections.fits import fits as fits_section
from shortrange.report.sections.fits import printed_fits
from shortrange.report.sections.parameters import parameters
from shortrange.report.sections.prospects import beside, shares, what_would_decide
from shortrange.report.sections.provenance import assumptions, cited, footer, inputs_table
from shortrange.report.sections.reductions import reductions as reductions_section
from shortrange.report.sections.structure import structure

__all__ = ["render_page"]

_PLACES = (
    ("models", "Models"),
    ("structure", "Structure"),
    ("measurements", "Measurements"),
    ("prospects", "What would decide"),
    ("warnings", "Warnings"),
    ("fits", "Fits"),
    ("contents", "What the models are"),
    ("parameters", "Parameters"),
    ("reduction", "Reduction"),
    ("settings", "Settings"),
    ("files", "Files"),
    ("cite", "How to cite"),
)


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
    citations: Iterable[Citation] = (),
    interactive: bool = True,
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
    citations
        What the result rests on.
    interactive
        Whether figures may be zoomed and questioned; this adds the 5 MB of plotly's script.

    Returns
    -------
    str
        An HTML document without references to anything outside it.
    """
    sections = join(
        [_summary(verdict, fits, record), *_annexes(verdict, fits, reductions, contents, record, citations)]
    )
    links = [element("a", name, href=f"#{place}") for place, name in _PLACES if f'id="{place}"' in sections]
    top = join([head(title, sample, simulated), answer(verdict), element("nav", *links)])
    body = element("main", top, sections, footer(record["versions"]))
    shown = [*(plate for each in fits.values() for plate in each)]
    shown += [plate for _, each in reductions.values() for plate in each]
    plots = {plate.name: plate.live for plate in shown if plate.live is not None}
    return document(title, body, plots=plots if interactive else None)


def _summary(verdict: Verdict, fits: Mapping[str, Sequence[Plate]], record: Mapping[str, Any]) -> Markup:
    """Set what a printer puts on the first page; what would decide goes to its end."""
    parts = {
        "models": models(verdict),
        "shares": shares(record),
        "beside": beside(record),
        "structure": structure(verdict),
        "measurements": single_measurements(verdict),
        "prospects": what_would_decide(record),
        "warnings": warnings_list(verdict.warnings),
    }
    return element(
        "div",
        *(element("section", content, classes=name) for name, content in parts.items() if content),
        printed_fits(fits),
        classes="summary",
    )


def _annexes(
    verdict: Verdict,
    fits: Mapping[str, Sequence[Plate]],
    reductions: Mapping[str, tuple[Any, Sequence[Plate]]],
    contents: Mapping[str, Analysis | str],
    record: Mapping[str, Any],
    citations: Iterable[Citation],
) -> list[Markup]:
    parts = {
        "fits": fits_section(verdict, fits),
        "contents": models_section(contents),
        "parameters": parameters(verdict),
        "reduction": reductions_section(reductions),
        "settings": assumptions(record["settings"]),
        "files": inputs_table(record["inputs"]),
        "cite": cited(citations),
    }
    return [element("section", content, classes=name) for name, content in parts.items() if content]
