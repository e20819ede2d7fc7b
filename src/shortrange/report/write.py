"""Everything that a result is handed over as: page, figures, archive, columns, JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from shortrange.analyse.analysis import Analysis
from shortrange.compare.verdict import Verdict
from shortrange.config import Project
from shortrange.quantities import GR, ChiR, Scan
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.analysis.models import write_models
from shortrange.report.archive import write_archive
from shortrange.report.citations import citations
from shortrange.report.columns import (
    chi_k_columns,
    chi_r_columns,
    gr_columns,
    mu_columns,
    sq_columns,
    write_csv,
    write_gr,
)
from shortrange.report.fit_plates import evidence_plates, fit_plates, odds_plate
from shortrange.report.folder import ResultFolder
from shortrange.report.html import render_page
from shortrange.report.plates import (
    Plate,
    chi_r_of,
    file_names,
    save_plates,
    scattering_plates,
    slug,
    xas_plates,
)
from shortrange.report.repeats import aligned_repeats
from shortrange.report.text import leading
from shortrange.report.verdict_json import verdict_json, verdict_record

__all__ = ["Reduction", "Reportable", "write_reduction", "write_report"]

Reduction = XasReduction | ScatteringReduction | GR


class _Loaded(Protocol):
    @property
    def scans(self) -> Mapping[str, tuple[Scan, ...]]:
        """By measurement."""

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Path and sha256 of each file."""


class Reportable(Protocol):
    """What a report is made of; `shortrange.run.RunResult` is such a thing."""

    @property
    def project(self) -> Project:
        """What was asked."""

    @property
    def inputs(self) -> _Loaded:
        """What was read."""

    @property
    def reductions(self) -> Mapping[str, Any]:
        """`Reduction`, by measurement."""

    @property
    def verdict(self) -> Verdict:
        """The answer."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the libraries that numbers depend on."""

    @property
    def contents(self) -> Mapping[str, Analysis | str]:
        """What the snapshots of each model contain, or why this is not known."""

    @property
    def simulated(self) -> bool:
        """Whether the measurements were made from models."""


def write_report(result: Reportable, folder: str | Path, *, interactive: bool = True) -> Path:
    """Write ``report.html``, ``verdict.json``, ``results.h5``, and folders of figures, columns and models.

    The files are written beside the folder and moved into it at the end: a failure leaves earlier results
    as they were.

    Parameters
    ----------
    result
        Of `shortrange.run.run_project`.
    folder
        Made if absent.
    interactive
        Whether the page's figures may be zoomed and questioned; this adds the 5 MB of plotly's script.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DataError
        If the folder cannot be written, or the verdict holds a number that is not finite.
    """
    project, verdict = result.project, result.verdict
    title, simulated = project.title, result.simulated
    record = verdict_record(
        verdict,
        inputs=result.inputs.files,
        versions=result.versions,
        settings={"project": project.model_dump(mode="json")},
        simulated=simulated,
    )
    k_weights = {m.name: m.k_weight for m in project.measurement if m.technique == "xas"}
    with ResultFolder(folder, kind="run") as new:
        (new / "verdict.json").write_text(verdict_json(record), encoding="utf-8", newline="\n")
        odds = odds_plate(verdict, title=title, simulated=simulated)
        fits = {
            fit.measurement: fit_plates(
                verdict, fit, title=title, simulated=simulated, k_weight=k_weights.get(fit.measurement, 2.0)
            )
            for fit in leading(verdict).fits
        }
        for name, shown in fits.items():
            shown += evidence_plates(record, name, title=title, simulated=simulated)
            shown.sort(key=lambda plate: plate.broad)  # two narrow ones share a row
        files = file_names(result.reductions)
        fits = {name: _renamed(shown, name, files[name]) for name, shown in fits.items()}
        plates = {name: _renamed(_plates_of(result, name), name, files[name]) for name in result.reductions}
        save_plates([odds, *_all(fits), *_all(plates)], new / "figures")
        page = render_page(
            title=title,
            sample=_sample(project),
            verdict=verdict,
            fits=fits,
            reductions={name: (reduction, plates[name]) for name, reduction in result.reductions.items()},
            contents=result.contents,
            record=record,
            simulated=simulated,
            citations=citations(result),
            interactive=interactive,
        )
        (new / "report.html").write_text(page, encoding="utf-8", newline="\n")
        write_models(result.contents, new, inputs=result.inputs.files, versions=result.versions)
        (new / "reduced").mkdir()
        for name, reduction in result.reductions.items():
            write_reduction(reduction, new / "reduced", prefix=f"{files[name]}_", simulated=simulated)
        write_archive(
            new / "results.h5",
            title=title,
            verdict=verdict,
            reductions=result.reductions,
            record=record,
            simulated=simulated,
            k_weights=k_weights,
        )
    return Path(folder) / "report.html"


def write_reduction(
    reduction: Reduction,
    folder: Path,
    *,
    prefix: str = "",
    simulated: bool = False,
    chi_r: ChiR | None = None,
) -> list[Path]:
    """Write reduced data as columns.

    Parameters
    ----------
    reduction
        Absorption gives ``mu.csv``, ``chi_k.csv`` and ``chi_r.csv`` (as far as the scans reach); scattering
        gives ``sq.csv``, ``gr.csv`` and ``pdf.gr``.
    folder
        It must exist.
    prefix
        Of the file names.
    simulated
        Whether the data were made from a model.
    chi_r
        Transform to write; by default that with k^2.
    """
    if isinstance(reduction, XasReduction):
        tables = {"mu": mu_columns(reduction)}
        if reduction.chi is not None:
            tables["chi_k"] = chi_k_columns(reduction.chi)
        transform = chi_r or chi_r_of(reduction)
        if transform is not None:
            tables["chi_r"] = chi_r_columns(transform)
        return [write_csv(folder / f"{prefix}{name}.csv", columns) for name, columns in tables.items()]
    gr = reduction if isinstance(reduction, GR) else reduction.gr
    paths = [
        write_csv(folder / f"{prefix}gr.csv", gr_columns(gr)),
        write_gr(folder / f"{prefix}pdf.gr", gr, simulated=simulated),
    ]
    if isinstance(reduction, ScatteringReduction):
        paths.append(write_csv(folder / f"{prefix}sq.csv", sq_columns(reduction.sq)))
    return paths


def _all(plates: Mapping[str, list[Plate]]) -> list[Plate]:
    return [plate for each in plates.values() for plate in each]


def _renamed(plates: Sequence[Plate], name: str, file: str) -> list[Plate]:
    """Plates of a measurement under the file name that is its own."""
    return [replace(plate, name=f"{file}{plate.name.removeprefix(slug(name))}") for plate in plates]


def _plates_of(result: Reportable, name: str) -> list[Plate]:
    reduction = result.reductions[name]
    title, simulated = result.project.title, result.simulated
    measurement = next(m for m in result.project.measurement if m.name == name)
    if not isinstance(reduction, XasReduction) or measurement.technique != "xas":
        compared = next(fit.fit_range for fit in leading(result.verdict).fits if fit.measurement == name)
        return scattering_plates(name, reduction, title=title, simulated=simulated, r_range=compared)
    repeats = aligned_repeats(result.inputs.scans[name], reduction, mode=measurement.mode)
    return xas_plates(
        name, reduction, title=title, simulated=simulated, repeats=repeats, k_weight=measurement.k_weight
    )


def _sample(project: Project) -> str:
    text = project.sample.composition
    if project.sample.number_density is not None:
        text += f", {project.sample.number_density:g} atoms/Å³"
    names = ", ".join(measurement.name for measurement in project.measurement)
    return f"{text} · measured: {names} · {len(project.model)} models"
