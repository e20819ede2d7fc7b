"""``shortrange boxcar``: phases refined in a window that moves along r."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table

if TYPE_CHECKING:
    from shortrange.fit.boxcar import Boxcar
    from shortrange.run import BoxcarRun

__all__ = ["boxcar"]


def boxcar(project: Path, /, *, out: Path = Path("boxcar"), resume: Path | None = None) -> Outcome:
    """Refine crystal phases against G(r) in a window that moves along r, to see how far each is ordered.

    Parameters
    ----------
    project
        The project file (TOML) with [[phase]] and [boxcar] tables.
    out
        Folder of the results: boxcar.csv (mass fractions), boxcar_parameters.csv, boxcar.json, figures.
    resume
        File that keeps the windows solved so far: an interrupted run with the same data and settings goes on
        where it stopped.
    """
    from shortrange.config import read_boxcar

    asked = read_boxcar(project)
    from shortrange.report import ResultFolder
    from shortrange.run import run_boxcar

    ResultFolder(out, kind="boxcar").check()
    with progress() as tell:
        run = run_boxcar(asked, resume=resume, progress=tell)
        tell("write the results")
        _write(run, out)
    _print(run, out)
    return Outcome(out / "boxcar.json")


def _write(run: BoxcarRun, out: Path) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report import ResultFolder
    from shortrange.report.boxcar import boxcar_columns, boxcar_record, parameter_columns
    from shortrange.report.columns import write_csv

    with ResultFolder(out, kind="boxcar") as new:
        write_csv(new / "boxcar.csv", boxcar_columns(run.result))
        write_csv(new / "boxcar_parameters.csv", parameter_columns(run.result))
        record = {
            "title": run.project.title,
            "simulated": run.simulated,
            **boxcar_record(run.result),
            "warnings": list(run.warnings),
        }
        write_summary(new / "boxcar.json", record, files=[run.project.path, *run.files])
        _draw(run, new / "figures")


def _draw(run: BoxcarRun, folder: Path) -> None:
    from shortrange.report.figures.boxcar import plot_mass_fractions, plot_misfit, plot_window
    from shortrange.report.style import finish, new_figure, png_bytes

    folder.mkdir()
    figure = new_figure(4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1.0])
    plot_mass_fractions(ax=upper, result=run.result)
    plot_misfit(ax=lower, result=run.result)
    title = run.project.title
    (folder / "boxcar.png").write_bytes(png_bytes(finish(figure, title=title, simulated=run.simulated)))
    windows = run.result.windows
    chosen = sorted({0, len(windows) // 2, len(windows) - 1})
    figure = new_figure(2.2 * len(chosen) + 0.4)
    for ax, k in zip(figure.subplots(len(chosen), 1, squeeze=False)[:, 0], chosen, strict=True):
        plot_window(ax=ax, window=windows[k])
    (folder / "windows.png").write_bytes(png_bytes(finish(figure, title=title, simulated=run.simulated)))


def _print(run: BoxcarRun, out: Path) -> None:
    from shortrange.report.boxcar import leading_coherence
    from shortrange.report.text import fixed, plus_minus

    result = run.result
    rows = []
    for window in result.windows:
        found = window.refinement
        shares = [
            plus_minus(*window.share(phase)) if found and found.fractions else "–" for phase in result.phases
        ]
        remark = window.reason or ("; ".join(found.warnings) if found else "")
        rows.append(
            [f"{window.r_min:g} to {window.r_max:g}", fixed(found.rw, 3) if found else "–", *shares, remark]
        )
    if run.simulated:
        print("SIMULATED DATA")
    names = [f"{phase} (mass)" for phase in result.phases]
    show_table(["window (Å)", "Rw", *names, ""], rows, right=range(1, 2 + len(names)))
    print(f"\nneighbouring windows share {result.overlap:.0%} of their data")
    for warning in run.warnings:
        print(f"warning: {warning}")
    leading = leading_coherence(result)
    if leading is not None:
        name, found_range = leading
        print(f"coherence length of {name}: {plus_minus(found_range.half or 0.0, found_range.sigma)} Å"
              + (f"; none of it from {found_range.zero:g} Å on" if found_range.zero else ""))  # fmt: skip
    else:
        _print_flat(result)
    print(f"written: {out}")


def _print_flat(result: Boxcar) -> None:
    for name, found in result.coherence.items():
        print(f"{name}: {found.reason}")
