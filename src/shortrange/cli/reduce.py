"""``shortrange reduce``: from raw absorption scans to chi(k)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shortrange.cli.files import expand
from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table
from shortrange.errors import ProjectError

if TYPE_CHECKING:
    from shortrange.cli.scans import Read
    from shortrange.cli.xas_features import Features
    from shortrange.reduce.xas import ScanReport, XasReduction

__all__ = ["reduce"]


def reduce(
    files: list[Path],
    /,
    *,
    out: Path = Path("reduced"),
    element: str | None = None,
    edge: str | None = None,
    mode: Literal["auto", "transmission", "fluorescence", "tey", "mu"] = "auto",
    select: str | None = None,
    rebin: bool = False,
    align: Literal["auto", "reference", "mu"] = "auto",
    e0: float | None = None,
    k_range: tuple[float, float] | None = None,
    r_bkg: float = 1.0,
    engine: Literal["linear", "xraylarch"] = "linear",
    second_derivative: bool = False,
    against: Path | None = None,
    lobe: tuple[float, float] | None = None,
    calibrate: Path | None = None,
    standard: str | None = None,
    figures: bool = True,
) -> Outcome:
    """Align, merge and normalise repeats of an absorption scan, and extract chi(k) and chi(R).

    Parameters
    ----------
    files
        Scans of one sample at one edge; names may hold * and ?.
    out
        Folder of the results: summary.json, mu.csv, chi_k.csv, chi_r.csv, wavelet.h5,
        merged.xdi, merged.prj, merged.h5 (NXxas), figures.
    element, edge
        Such as --edge "Ta L3", or --element Ta --edge L3. Taken from the files if they say so, else from
        where mu rises, with a warning.
    mode
        Which columns give mu: by default the first of transmission, fluorescence, tey and mu that shows
        the edge.
    select
        Of files with several scans, those whose name, or number (from 1), is this; it may hold * and ?.
    rebin
        Of continuous scans, add up the counts in bins of 5 eV before the edge, 0.3 eV over it and
        0.05 1/angstrom above.
    align
        Align by the reference channel or by mu; by default by the reference if every scan has one that
        shows an edge.
    e0
        Edge energy, eV; the steepest rise when absent.
    k_range
        1/angstrom, two numbers; chosen from the noise when absent.
    r_bkg
        Distance below which oscillations are background, angstrom.
    engine
        Who removes the background: linear least squares, or xraylarch (the same to 1e-6, slower).
    second_derivative
        Measure the splitting of the white line by the two minima of the second derivative.
    against
        Folder of an earlier reduction: how much larger is the splitting than there, and how surely?
    lobe
        Measure the lobe of the wavelet map near this k (1/angstrom) and R (angstrom, without phase
        correction): its place, strength and widths, with errors.
    calibrate
        Scan of a standard measured together with these, or the word "reference" if it stands in the
        reference channel of these scans; all energies are moved so that it fits.
    standard
        Which standard, such as "ZnSO4.7H2O"; the only known one of this edge when absent. Or a file: a
        calibrated spectrum of the same substance, to be matched as a whole.
    figures
        Draw them; most of the time goes there.
    """
    from shortrange.cli.scans import read_scans
    from shortrange.cli.xas_features import Features

    if against is not None and not second_derivative:
        raise ProjectError(
            "--against compares splittings", where="reduce", do="add --second-derivative, or drop --against"
        )
    if standard is not None and calibrate is None:
        raise ProjectError(
            "--standard names no file", where="reduce", do="give the scan of the standard with --calibrate"
        )
    with progress() as tell:
        read = read_scans(expand(files), element=element, edge=edge, select=select, tell=tell)
        if rebin:
            read = read.rebinned()
        tell("align, merge, normalise")
        settings = {
            "mode": mode,
            "channel": align,
            "e0": e0,
            "k_range": k_range,
            "r_bkg": r_bkg,
            "engine": engine,
        }
        features = Features()
        reduction = features.reduce(read, calibrate=calibrate, standard=standard, settings=settings)
        if second_derivative:
            tell("measure the splitting")
            features.measure_splitting(reduction.normalised, against)
        features.map_wavelet(reduction, lobe)
        tell("draw and write")
        _write(reduction, read, features, out=out, r_bkg=r_bkg, figures=figures)
    _print(reduction, read, features, out)
    return Outcome(out / "summary.json")


def _reports(reduction: XasReduction, read: Read) -> list[ScanReport]:
    """Of all scans and of files that could not be read."""
    return read.in_order(reduction.reports)


def _warnings(reduction: XasReduction, read: Read, features: Features) -> list[str]:
    return list(dict.fromkeys([*reduction.warnings, *read.warnings, *features.warnings()]))


def _write(
    reduction: XasReduction, read: Read, features: Features, *, out: Path, r_bkg: float, figures: bool
) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report.folder import ResultFolder
    from shortrange.report.repeats import say_simulated

    simulated = say_simulated(read.scans)
    paths = [*read.paths, *features.paths]
    title = f"{paths[0].stem}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    with ResultFolder(out, kind="reduce") as new:
        _write_data(reduction, features, new, title=title, simulated=simulated)
        if figures:
            _draw(reduction, read, features, new / "figures", title=title, simulated=simulated)
        content = {
            "simulated": simulated,
            **_numbers(reduction, r_bkg),
            "scans": [_of_scan(report) for report in _reports(reduction, read)],
            "deviations": [report.deviation for report in _reports(reduction, read)],
            "warnings": _warnings(reduction, read, features),
            **features.record(),
        }
        write_summary(new / "summary.json", content, files=paths)


def _write_data(
    reduction: XasReduction, features: Features, folder: Path, *, title: str, simulated: bool
) -> None:
    from shortrange.report import write_reduction
    from shortrange.report.archive import write_archive
    from shortrange.report.athena import write_athena
    from shortrange.report.wavelet_file import write_wavelet
    from shortrange.report.xdi import write_xdi

    merged, normalised = reduction.merged, reduction.normalised
    write_reduction(reduction, folder, simulated=simulated)
    write_xdi(folder / "merged.xdi", merged, normalised=normalised, simulated=simulated)
    write_athena(folder / "merged.prj", [merged], normalised={merged.label: normalised})
    write_archive(
        folder / "merged.h5",
        title=title,
        verdict=None,
        reductions={f"{merged.element} {merged.edge}": reduction},
        simulated=simulated,
    )
    if features.wavelet is not None:
        write_wavelet(folder / "wavelet.h5", features.wavelet, simulated=simulated)


def _draw(
    reduction: XasReduction, read: Read, features: Features, folder: Path, *, title: str, simulated: bool
) -> None:
    from shortrange.report.plates import save_plates, xas_plates
    from shortrange.report.repeats import aligned_repeats

    merged = reduction.merged
    name = f"{merged.element} {merged.edge}"
    scans = features.calibrated(read.scans)
    repeats = aligned_repeats(scans, reduction, mode=merged.mode or "mu")
    plates = xas_plates(name, reduction, title=title, simulated=simulated, repeats=repeats)
    plates += features.plates(name, reduction.normalised, title=title, simulated=simulated)
    save_plates(plates, folder)


def _numbers(reduction: XasReduction, r_bkg: float) -> dict[str, Any]:
    from shortrange.reduce.noise import noise_record

    normalised = reduction.normalised
    return {
        "element": reduction.merged.element,
        "edge": reduction.merged.edge,
        "mode": reduction.merged.mode,
        "e0": normalised.e0,
        "edge_step": normalised.edge_step,
        "sigma_edge_step": normalised.sigma_edge_step,
        "k_range": reduction.k_range,
        "r_bkg": r_bkg,
        "noise": noise_record(reduction),
    }


def _of_scan(report: ScanReport) -> dict[str, Any]:
    return {
        "file": report.file,
        "energy_shift": report.energy_shift,
        "sigma_energy_shift": report.sigma_energy_shift,
        "used": report.used,
        "reason": report.reason,
    }


def _print(reduction: XasReduction, read: Read, features: Features, out: Path) -> None:
    from shortrange.report.repeats import say_simulated
    from shortrange.report.text import plus_minus

    if say_simulated(read.scans):
        print("SIMULATED DATA")
    rows = []
    for report in _reports(reduction, read):
        shift = (
            "" if report.energy_shift is None else plus_minus(report.energy_shift, report.sigma_energy_shift)
        )
        rows.append([report.file, shift, "yes" if report.used else "no", report.reason])
    show_table(["scan", "shift (eV)", "used", "reason"], rows, right=[1])
    for warning in _warnings(reduction, read, features):
        print(f"warning: {warning}")
    normalised = reduction.normalised
    step = plus_minus(normalised.edge_step, normalised.sigma_edge_step)
    print(f"\nE0 {normalised.e0:.2f} eV, edge step {step}")
    if reduction.k_range is not None:
        print(f"k {reduction.k_range[0]:.2f} to {reduction.k_range[1]:.2f} 1/angstrom")
    for line in features.lines():
        print(line)
    print(f"reduced: {out}")
