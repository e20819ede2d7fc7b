"""``shortrange reduce``: from raw absorption scans to chi(k)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shortrange.cli.files import expand
from shortrange.cli.outcome import Outcome
from shortrange.cli.output import show_table
from shortrange.errors import ProjectError

if TYPE_CHECKING:
    from shortrange.cli.xas_features import Features
    from shortrange.quantities import Scan
    from shortrange.reduce.xas import XasReduction

__all__ = ["reduce"]


def reduce(
    files: list[Path],
    /,
    *,
    out: Path = Path("reduced"),
    element: str | None = None,
    edge: str | None = None,
    mode: Literal["transmission", "fluorescence", "tey", "mu"] = "transmission",
    k_range: tuple[float, float] | None = None,
    r_bkg: float = 1.0,
    second_derivative: bool = False,
    against: Path | None = None,
    calibrate: Path | None = None,
    standard: str | None = None,
) -> Outcome:
    """Align, merge and normalise repeats of an absorption scan, and extract chi(k) and chi(R).

    Parameters
    ----------
    files
        Scans of one sample at one edge; names may hold * and ?.
    out
        Folder of the results: summary.json, mu.csv, chi_k.csv, chi_r.csv, wavelet.h5,
        merged.xdi, merged.prj, figures.
    element, edge
        Such as Ta and L3; taken from the files if they say so.
    mode
        Which columns give mu.
    k_range
        1/angstrom, two numbers; chosen from the noise when absent.
    r_bkg
        Distance below which oscillations are background, angstrom.
    second_derivative
        Measure the splitting of the white line by the two minima of the second derivative.
    against
        Folder of an earlier reduction: how much larger is the splitting than there, and how surely?
    calibrate
        Scan of a standard measured together with these; all energies are moved so that it fits.
    standard
        Which standard, such as "ZnSO4.7H2O"; the only known one of this edge when absent.
    """
    from shortrange.load import load_scans

    if against is not None and not second_derivative:
        raise ProjectError(
            "--against compares splittings", where="reduce", do="add --second-derivative, or drop --against"
        )
    if standard is not None and calibrate is None:
        raise ProjectError(
            "--standard names no file", where="reduce", do="give the scan of the standard with --calibrate"
        )
    paths = expand(files)
    scans = [scan for path in paths for scan in load_scans(path, element=element, edge=edge)]
    element = element or _stated(scans, "element")
    edge = edge or _stated(scans, "edge")
    from shortrange.cli.xas_features import Features, find_calibration
    from shortrange.reduce.calibrate import apply_calibration
    from shortrange.reduce.xas import reduce_xas

    features = Features()
    if calibrate is not None:
        features.calibration = find_calibration(
            calibrate, standard=standard, element=element, edge=edge, mode=mode
        )
        scans = [apply_calibration(scan, features.calibration) for scan in scans]
        paths.append(calibrate)
    reduction = reduce_xas(scans, element=element, edge=edge, mode=mode, k_range=k_range, r_bkg=r_bkg)
    if second_derivative:
        features.measure_splitting(reduction.normalised, against)
    features.map_wavelet(reduction)
    _write(reduction, scans, paths, features, out=out, mode=mode, r_bkg=r_bkg)
    _print(reduction, features, out)
    return Outcome(out / "summary.json")


def _stated(scans: Sequence[Scan], name: str) -> str:
    """Element or edge as the files state it, if they all agree."""
    stated = {getattr(scan, name) for scan in scans} - {None}
    if len(stated) == 1:
        return str(stated.pop())
    what = f"the files name {sorted(stated)}" if stated else "no file names it"
    raise ProjectError(f"the {name} is not known: {what}", where="reduce", do=f"give --{name}")


def _write(
    reduction: XasReduction,
    scans: Sequence[Scan],
    paths: Sequence[Path],
    features: Features,
    *,
    out: Path,
    mode: str,
    r_bkg: float,
) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report import ResultFolder, write_reduction
    from shortrange.report.athena import write_athena
    from shortrange.report.plates import save_plates, xas_plates
    from shortrange.report.repeats import aligned_repeats, say_simulated
    from shortrange.report.xdi import write_xdi

    normalised = reduction.normalised
    simulated = say_simulated(scans)
    element, edge = reduction.merged.element, reduction.merged.edge
    repeats = aligned_repeats(scans, reduction, mode=mode)
    title = f"{paths[0].stem}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    with ResultFolder(out, kind="reduce") as new:
        write_reduction(reduction, new, simulated=simulated)
        write_xdi(new / "merged.xdi", reduction.merged, normalised=normalised, simulated=simulated)
        write_athena(new / "merged.prj", [reduction.merged], normalised={reduction.merged.label: normalised})
        plates = xas_plates(f"{element} {edge}", reduction, title=title, simulated=simulated, repeats=repeats)
        plates += features.write(new, f"{element} {edge}", normalised, title=title, simulated=simulated)
        save_plates(plates, new / "figures")
        content = {
            "simulated": simulated,
            "element": element,
            "edge": edge,
            "mode": mode,
            "e0": normalised.e0,
            "edge_step": normalised.edge_step,
            "sigma_edge_step": normalised.sigma_edge_step,
            "k_range": reduction.k_range,
            "r_bkg": r_bkg,
            "scans": [
                {
                    "file": report.file,
                    "energy_shift": report.energy_shift,
                    "sigma_energy_shift": report.sigma_energy_shift,
                    "used": report.used,
                    "reason": report.reason,
                }
                for report in reduction.reports
            ],
            "warnings": reduction.warnings,
            **features.record(),
        }
        write_summary(new / "summary.json", content, files=paths)


def _print(reduction: XasReduction, features: Features, out: Path) -> None:
    from shortrange.report.text import plus_minus

    rows = []
    for report in reduction.reports:
        shift = (
            "" if report.energy_shift is None else plus_minus(report.energy_shift, report.sigma_energy_shift)
        )
        rows.append([report.file, shift, "yes" if report.used else "no", report.reason])
    show_table(["scan", "shift (eV)", "used", "reason"], rows, right=[1])
    for warning in reduction.warnings:
        print(f"warning: {warning}")
    normalised = reduction.normalised
    step = plus_minus(normalised.edge_step, normalised.sigma_edge_step)
    print(f"\nE0 {normalised.e0:.2f} eV, edge step {step}")
    if reduction.k_range is not None:
        print(f"k {reduction.k_range[0]:.2f} to {reduction.k_range[1]:.2f} 1/angstrom")
    for line in features.lines():
        print(line)
    print(f"reduced: {out}")
