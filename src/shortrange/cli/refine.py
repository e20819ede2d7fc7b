"""``shortrange refine``: crystal phases refined against G(r)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table

if TYPE_CHECKING:
    from shortrange.run import RefineRun

__all__ = ["refine"]

FAILED = 1


def refine(project: Path, /, *, out: Path = Path("refinement")) -> Outcome:
    """Refine crystals and molecules against G(r): cell, coordinates, displacements, occupancies, amounts.

    Parameters
    ----------
    project
        The project file (TOML) with [[phase]] and [refine] tables.
    out
        Folder of the results: refinement.json, parameters.csv, correlations.csv, fit.csv, fit.fgr, a CIF of
        each crystal, an XYZ of each molecule, a figure.
    """
    from shortrange.config import read_refine

    asked = read_refine(project)
    from shortrange.report import ResultFolder
    from shortrange.run import run_refine

    ResultFolder(out, kind="refine").check()
    with progress() as tell:
        run = run_refine(asked, progress=tell)
        tell("write the results")
        _write(run, out)
    _print(run, out)
    return Outcome(out / "refinement.json", FAILED if run.result.reason else 0)


def _write(run: RefineRun, out: Path) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report import ResultFolder
    from shortrange.report.columns import write_csv
    from shortrange.report.crystals import write_crystal, write_molecule
    from shortrange.report.refinement import (
        fit_columns,
        refinement_record,
        write_correlations,
        write_fgr,
        write_parameters,
    )

    result = run.result
    with ResultFolder(out, kind="refine") as new:
        record = {
            "title": run.project.title,
            "simulated": run.simulated,
            **refinement_record(result),
            "warnings": list(run.warnings),
        }
        write_summary(new / "refinement.json", record, files=[run.project.path, *run.files])
        if result.reason:
            return  # no number of a failed fit is to be used
        write_parameters(new / "parameters.csv", result)
        write_correlations(new / "correlations.csv", result)
        write_csv(new / "fit.csv", fit_columns(result))
        write_fgr(new / "fit.fgr", result, simulated=run.simulated)
        for name, crystal in result.crystals.items():
            file = re.sub(r"[^\w.-]+", "_", name).strip("_") or "phase"
            if crystal.periodic:
                write_crystal(new / f"{file}.cif", crystal, simulated=run.simulated)
            else:
                write_molecule(new / f"{file}.xyz", crystal, simulated=run.simulated)
        _draw(run, new / "figures")


def _draw(run: RefineRun, folder: Path) -> None:
    from shortrange.report.figures.refinement import plot_difference, plot_fit
    from shortrange.report.style import finish, new_figure, png_bytes

    folder.mkdir()
    figure = new_figure(4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1.0])
    plot_fit(ax=upper, result=run.result)
    plot_difference(ax=lower, result=run.result)
    whole = finish(figure, title=run.project.title, simulated=run.simulated)
    (folder / "fit.png").write_bytes(png_bytes(whole))


def _print(run: RefineRun, out: Path) -> None:
    from shortrange.report.text import plus_minus

    result = run.result
    if run.simulated:
        print("SIMULATED DATA")
    if result.reason:
        print(f"no result: {result.reason}")
        print(f"written: {out}")
        return
    units = {"1": "", "angstrom": "Å", "angstrom^2": "Å²", "1/angstrom": "1/Å", "degree": "°"}
    rows = [
        [
            p.name,
            plus_minus(p.value, p.sigma),
            units.get(p.unit, p.unit),
            "at its limit" if p.at_bound else "",
        ]
        for p in result.parameters
    ]  # fmt: skip
    show_table(["parameter", "value", "unit", ""], rows, right=[1])
    if "mass" in result.fractions:
        print()
        kinds = list(result.fractions)
        rows = [
            [name, *(plus_minus(float(f.values[k]), float(f.sigma[k])) for f in result.fractions.values())]
            for k, name in enumerate(result.fractions["mass"].phases)
        ]
        show_table(["phase", *(f"by {kind}" for kind in kinds)], rows, right=range(1, 1 + len(kinds)))
    predicted = f", {result.predicted_chi2:.2f} for points not fitted" if result.predicted_chi2 > 0 else ""
    print(f"\nRw {result.rw:.4f}; reduced chi2 {result.chi2_reduced:.2f}{predicted}; "
          f"{result.points} independent points")  # fmt: skip
    for name, value, sigma, found in result.restraints:
        print(f"restraint {name}: {value:g} ± {sigma:g} asked, {found:.4g} found")
    for warning in run.warnings:
        print(f"warning: {warning}")
    print(f"written: {out}")
