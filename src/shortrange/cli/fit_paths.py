"""``shortrange fit-paths``: EXAFS path fits as Artemis does them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table

if TYPE_CHECKING:
    from shortrange.fit.paths import PathFit
    from shortrange.run.path_fit import PathFitRun

__all__ = ["fit_paths"]

_COLUMNS = {"r": "R (Å)", "sigma2": "sigma2 (Å²)", "e0": "e0 (eV)", "s02": "s02"}


def fit_paths(
    project: Path,
    /,
    *,
    engine: Literal["shortrange", "feffit"] | None = None,
    fit: str | None = None,
    out: Path = Path("path-fit"),
) -> Outcome:
    """Fit scattering paths of FEFF to chi(k), as Artemis and feffit do.

    Parameters
    ----------
    project
        A TOML file with [parameters], [[data]] and [[data.path]] tables, or an Artemis project (.fpj), which
        is fitted again with paths of FEFF8L and compared with what Artemis found.
    engine
        Our own, or feffit of xraylarch; default what the file says.
    fit
        Name of the fit in an Artemis project, such as "Fit 1"; default the one last shown.
    out
        Folder of the results: path_fit.json, parameters.csv, curves in k and R, and figures.
    """
    from shortrange.report import ResultFolder
    from shortrange.run.path_fit import run_path_fit

    ResultFolder(out, kind="path-fit").check()
    with progress() as tell:
        run = run_path_fit(project, engine=engine, fit=fit, progress=tell)
        tell("write the results")
        _write(run, out)
    _print(run, out)
    return Outcome(out / "path_fit.json")


def _write(run: PathFitRun, out: Path) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report import ResultFolder
    from shortrange.report.columns import write_csv
    from shortrange.report.path_fit import k_columns, path_fit_record, r_columns

    with ResultFolder(out, kind="path-fit") as new:
        record = {"title": run.title, "simulated": run.simulated, **path_fit_record(run.result)}
        if run.artemis is not None:
            record["artemis"] = {
                "fit": run.artemis.name,
                "statistics": dict(run.artemis.statistics),
                "parameters": {p.name: {"value": p.value, "sigma": p.sigma} for p in run.artemis.parameters},
            }
        write_summary(new / "path_fit.json", record, files=list(run.files))
        rows = ["name,value,sigma,sigma_noise,note"]
        for name, value in run.result.values.items():
            errors = ("nan" if s is None else f"{s:.9g}" for s in (value.sigma, value.sigma_noise))
            rows.append(f"{name},{value.value:.9g},{','.join(errors)},{value.note}")
        (new / "parameters.csv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
        for number, data in enumerate(run.result.data, start=1):
            write_csv(new / f"chi_k_{number}.csv", k_columns(data))
            write_csv(new / f"chi_r_{number}.csv", r_columns(data))
            (new / f"fit_{number}.png").write_bytes(_figure(run, number - 1))


def _figure(run: PathFitRun, index: int) -> bytes:
    from shortrange.report.figures.path_fit import plot_path_fit_k, plot_path_fit_r
    from shortrange.report.style import finish, new_figure, png_bytes

    data = run.result.data[index]
    figure = new_figure(5.8)
    upper, lower = figure.subplots(2, 1, height_ratios=[1.0, 1.7])
    plot_path_fit_k(ax=upper, data=data)
    plot_path_fit_r(ax=lower, data=data)
    subject = data.data.name if len(run.result.data) > 1 else ""
    return png_bytes(finish(figure, title=run.title, simulated=run.simulated, subject=subject))


def _print(run: PathFitRun, out: Path) -> None:
    from shortrange.report.text import plus_minus, significant

    fit = run.result
    if run.simulated:
        print("SIMULATED DATA")
    artemis = {p.name: p for p in run.artemis.parameters} if run.artemis else {}
    head = ["parameter", "value", "by noise", *(["Artemis"] if artemis else []), ""]
    rows = []
    for name, value in fit.values.items():
        before = [plus_minus(artemis[name].value, artemis[name].sigma)] if artemis else []
        noise = "" if value.sigma_noise is None else f"± {significant(value.sigma_noise, 2)}"
        rows.append([name, plus_minus(value.value, value.sigma), noise, *before, value.note])
    show_table(head, rows, right=range(1, len(head) - 1))
    for data in fit.data:
        print(f"\n{data.data.name}")
        table = [
            [path.path.label, f"{path.path.degeneracy:g}"]
            + [plus_minus(path.parameters[n].value, path.parameters[n].sigma) for n in _COLUMNS]
            for path in data.paths
        ]
        show_table(["path", "N", *_COLUMNS.values()], table, right=range(1, 6))
    _print_correlations(fit)
    print(
        f"\nR = {fit.R:.4f}, reduced chi-squared {significant(fit.chi2_reduced)}, {fit.n_free} free of "
        f"{fit.n_independent:.1f} independent points (engine {fit.engine})"
    )
    if run.artemis is not None:
        told = run.artemis.statistics
        print(
            f"Artemis: R = {told['r_factor']:.4f}, reduced chi-squared {significant(told['chi_reduced'])}, "
            f"{told['n_varys']:g} free of {told['n_idp']:.1f}; its paths are of FEFF6 (another zero of e0)"
        )
    for warning in fit.warnings:
        print(f"warning: {warning}")
    print(f"written: {out}")


def _print_correlations(fit: PathFit) -> None:
    """Print pairs of parameters that are correlated by 0.5 or more, strongest first."""
    names = [p.name for p in fit.problem.free]
    found = [
        (abs(fit.correlation[i, j]), f"{names[i]}, {names[j]} {fit.correlation[i, j]:.2f}")
        for i in range(len(names))
        for j in range(i)
        if abs(fit.correlation[i, j]) >= 0.5
    ]
    if found:
        print("\ncorrelations: " + "; ".join(text for _, text in sorted(found, reverse=True)))
