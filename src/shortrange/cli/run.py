"""``shortrange run``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table

if TYPE_CHECKING:
    from shortrange.compare.verdict import Verdict
    from shortrange.config import Project

__all__ = ["run"]


def run(project: Path, /, *, out: Path = Path("results"), static: bool = False) -> Outcome:
    """Reduce the data, simulate every model, and say which of them the data support.

    Parameters
    ----------
    project
        The project file (TOML); `shortrange init` writes one.
    out
        Folder of the results: report.html, verdict.json, results.h5, figures, reduced data.
    static
        Leave out of the report what makes its figures interactive: 2 MB instead of 7.
    """
    from shortrange.config import read_project

    asked = read_project(project)
    from shortrange.report import ResultFolder, write_report
    from shortrange.run import run_project

    ResultFolder(out, kind="run").check()
    with progress(_work(asked), cost=_cost) as tell:
        result = run_project(asked, progress=tell)
        tell("write the report")
        page = write_report(result, out, interactive=not static)
    _print_verdict(result.verdict, simulated=result.simulated)
    print(f"\nreport: {page}")
    return Outcome(out / "verdict.json")


_COSTS = {
    "load": 1,
    "reduce": 2,
    "potentials": 4,
    "simulate": 6,
    "fit": 1,
    "ask": 2,
    "analyse": 10,
    "write": 15,
}
"""Of pieces of work by their first word, in shares of the example project's time."""


def _cost(text: str) -> float:
    return float(_COSTS.get(text.split()[0], 0))


def _work(project: Project) -> float:
    """Cost of everything that a run announces."""
    each = _COSTS["simulate"] + _COSTS["fit"]
    work = sum(
        _COSTS["reduce"] + _COSTS["potentials"] + each * len(project.model) for _ in project.measurement
    )
    return float(work + sum(_COSTS[once] for once in ("load", "ask", "analyse", "write")))


def _print_verdict(verdict: Verdict, *, simulated: bool) -> None:
    from shortrange.report.text import fixed, headline, misfit_name, percent, significant

    head = ["model", "P among these", "ln evidence"]
    for fit in verdict.models[0].fits:
        head += [f"{fit.measurement}: {misfit_name(fit)}", "reduced χ²"]
    rows = []
    for model in verdict.models:
        misfits = [text for f in model.fits for text in (significant(f.R), significant(f.chi2_reduced))]
        rows.append([model.name, percent(model.probability), fixed(model.log_evidence, 1), *misfits])
    if simulated:
        print("SIMULATED DATA")
    show_table(head, rows, right=range(1, len(head)))
    for warning in verdict.warnings:
        print(f"warning: {warning}")
    print(f"\n{verdict.verdict.upper()}: {headline(verdict)}\n{verdict.reason}")
    if verdict.verdict == "undecided" and verdict.prospects:
        print("what would decide, by the expected logarithm of the odds between the best two:")
        for p in verdict.prospects[:4]:
            print(f"  {p.expected:6.1f}  {p.what}" + (f" ({p.assumed})" if p.assumed else ""))
