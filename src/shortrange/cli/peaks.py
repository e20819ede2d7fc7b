"""``shortrange peaks``: peaks of G(r), and which atom pairs they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shortrange.cli.files import expand
from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table
from shortrange.errors import ProjectError

if TYPE_CHECKING:
    from shortrange.fit.assign import Assignment
    from shortrange.fit.peaks import PeakFit
    from shortrange.quantities import GR

__all__ = ["peaks"]

_HALF = 0.15  # angstrom, of a feature


def peaks(
    file: Path,
    /,
    *,
    composition: str | None = None,
    structures: list[Path] | None = None,
    r_range: tuple[float, float] | None = None,
    q_max: float | None = None,
    q_min: float | None = None,
    window: Literal["none", "lorch", "soft"] | None = None,
    number_density: float | None = None,
    function: Literal["G", "g", "G_keen", "D", "T", "RDF"] = "G",
    mean_b_squared: float | None = None,
    radiation: Literal["xray", "neutron"] = "xray",
    frames: str | None = None,
    at: list[float] | None = None,
    simulated: bool = False,
    out: Path = Path("peaks"),
) -> Outcome:
    """Find the peaks of G(r), and rank the atom pairs that each may be.

    Peaks are fitted as the Q-range makes them; maxima that are only its ripples are marked, never assigned.

    Parameters
    ----------
    file
        G(r): .gr of PDFgetX, of `shortrange reduce-pdf`, or two or three columns; or S(Q) or F(Q) (.sq, .fq,
        titled CSV), which is transformed.
    composition
        Such as NaTaCl5S0.5; taken from the header if it is there.
    structures
        Snapshots or crystals: their distances decide what a peak may be. The option may be repeated.
    r_range
        angstrom, two numbers; from below the shortest distance to 6 when absent.
    q_max, q_min
        Range of the transform, 1/angstrom; taken from the header, or estimated.
    window
        Of the transform; none, lorch or soft, taken from the header if it is there.
    number_density
        Atoms per cubic angstrom; taken from the header, or the slope of the line stays free.
    function
        What the file holds, by its name in Keen (2001): G is that of PDFgui; others need number_density.
    mean_b_squared
        For D, T, G_keen and i(Q): square of the mean scattering length, barn, or 1 if normalised; that of the
        composition for neutrons, else 1, when absent.
    radiation
        Which weights pairs have; neutron needs the package periodictable.
    frames
        Which snapshots, as start:stop:step.
    at
        Distances, angstrom: what the structures, or else plausible distances of the composition, have within
        0.15 of each, by pair. May be repeated.
    simulated
        The data were made from a model: say so everywhere (also if the header says it).
    out
        Folder of the results: peaks.json, peaks.csv, candidates.csv, figures.
    """
    from shortrange.cli.peaks_data import check_options, load_function
    from shortrange.report import ResultFolder

    ResultFolder(out, kind="peaks").check()
    check_options(q_max=q_max, q_min=q_min, number_density=number_density, mean_b_squared=mean_b_squared)
    if r_range is not None and not 0 <= r_range[0] < r_range[1]:
        raise ProjectError(
            f"r_range {r_range[0]:g} to {r_range[1]:g} does not increase from 0 or more", where="--r-range",
            do="give the lower end first, in angstrom",
        )  # fmt: skip
    if frames is not None and not structures:
        raise ProjectError("no structures to take frames of", where="--frames", do="give --structures")
    from shortrange.load.history import is_simulated

    gr, atoms, head = load_function(file, composition, function, number_density, mean_b_squared, radiation)
    if window is None:
        found = "lorch" if "window = lorch" in head else "soft" if "window = soft" in head else "none"
    else:
        found = window
    simulated = simulated or is_simulated(gr.history)
    with progress() as tell:
        tell("count pairs")
        counted, paths = _structures(structures or [], frames)
        tell("fit peaks")
        fit, assignments = _fit(
            gr, atoms, counted, r_range=r_range, q_range=(q_min, q_max), density=number_density,
            window=None if found == "none" else found, radiation=radiation,
        )  # fmt: skip
        tell("write")
        record = _record(fit, assignments, atoms, simulated=simulated)
        record["features"] = _features(fit, counted, at or [], radiation, atoms)
        with ResultFolder(out, kind="peaks") as new:
            _write(new, record, fit, assignments, counted, files=[file, *paths], title=file.stem)
    _print(record, out)
    return Outcome(out / "peaks.json")


def _structures(files: Sequence[Path], frames: str | None) -> tuple[dict[str, Any], list[Path]]:
    from shortrange.cli.snapshots import load_snapshots
    from shortrange.simulate.pairs import pair_histograms

    paths = expand(files)
    names = [path.name.split(".")[0] for path in paths]
    if len(set(names)) != len(names):
        names = [str(path) for path in paths]
    counted = {
        name: pair_histograms(load_snapshots(path, frames), r_max=14.0)
        for name, path in zip(names, paths, strict=True)
    }
    return counted, paths


def _fit(
    gr: GR,
    atoms: Mapping[str, float],
    counted: Mapping[str, Any],
    *,
    r_range: tuple[float, float] | None,
    q_range: tuple[float | None, float | None],
    density: float | None,
    window: Any,
    radiation: Any,
) -> tuple[PeakFit, tuple[Assignment, ...]]:
    from dataclasses import replace

    from shortrange.cli.peaks_data import settled
    from shortrange.fit.assign import assign_peaks, check_first_distance
    from shortrange.fit.gr_doubts import doubts_of
    from shortrange.fit.peaks import fit_peaks
    from shortrange.fit.plausible import shortest_plausible
    from shortrange.fit.q_end import with_q_max
    from shortrange.quantities import step
    from shortrange.reduce.gr_noise import bound_noise

    check_first_distance(gr, atoms)
    asked = {"q_min": q_range[0], "q_max": q_range[1], "number_density": density}
    gr = with_q_max(settled(gr, **asked))
    top, shortest = float(gr.q_max or 0.0), shortest_plausible(atoms)
    if not (gr.q_min or 0.0) < top:
        raise ProjectError(
            f"q_min = {gr.q_min:g} is not below q_max = {top:g}", where="--q-min", do="give 1/angstrom"
        )
    if gr.number_density is None:
        gr = gr.after(step("warning: areas are relative: neither density nor an absolute scale is stated"))
    if gr.cov is None and not (gr.sigma is not None and (gr.sigma > 0).all()):
        gr = bound_noise(gr, q_range=(gr.q_min or 0.0, top))
    if r_range is None:
        start = max(float(gr.r[0]), 0.85 * shortest)
        r_range = (start, min(6.0, float(gr.r[-1])))
    found = doubts_of(gr, q_max=top, q_min=gr.q_min or 0.0, r_cut=0.95 * shortest, r_range=r_range)
    if r_range[1] > gr.r[-1]:
        found = (
            *found,
            step("warning: G(r) ends before r_range", r_range=list(r_range), ends=float(gr.r[-1])),
        )
    gr = replace(gr, history=(*gr.history, *found))
    fit = fit_peaks(gr, r_range=r_range, window=window)
    assigned = assign_peaks(
        fit, composition=atoms, structures=counted, weights=radiation, number_density=gr.number_density
    )
    return fit, assigned


def _record(
    fit: PeakFit, assignments: Sequence[Assignment], atoms: Mapping[str, float], *, simulated: bool
) -> dict[str, Any]:
    from dataclasses import asdict

    from shortrange.quantities import doubts

    rows = []
    for assignment in assignments:
        candidates = [asdict(candidate) for candidate in assignment.candidates]
        for candidate in candidates:
            for key in ("neighbours", "sigma_neighbours"):
                if not candidate[key] < float("inf"):
                    candidate[key] = None
        rows.append({**asdict(assignment.peak), "label": assignment.label, "candidates": candidates})
    return {
        "simulated": simulated,
        "composition": dict(atoms),
        "peaks": rows,
        "bumps": [asdict(bump) for bump in fit.bumps],
        "continuum": [dict(zip(("r", "width", "area"), row.tolist(), strict=True)) for row in fit.continuum],
        "r_range": [float(fit.r[0]), float(fit.r[-1])],
        "q_min": fit.q_min,
        "q_max": fit.q_max,
        "window": fit.window or "none",
        "chi2": fit.chi2,
        "independent_points": fit.n_points,
        "error_inflation": fit.inflation,
        "warnings": [*doubts(fit.history), *_wonders(assignments)],
    }


def _wonders(assignments: Sequence[Assignment]) -> list[str]:
    """Say that nothing was found, or what cannot be: peaks where no pair is expected, or has room."""
    if not assignments:
        return ["no peak is certain"]
    told = []
    for assignment in assignments:
        place, best = f"the peak at {assignment.peak.r:.2f} A", assignment.candidates[0]
        if assignment.crowded:
            told.append(
                f"{place} {best.excluded} ({best.pair}), or more of other pairs: "
                "scale or composition may be wrong"
            )
        elif not best.share > 0:
            told.append(f"{place} is where no pair of this composition is expected")
    return told


def _features(
    fit: PeakFit,
    counted: Mapping[str, Any],
    at: Sequence[float],
    radiation: Any,
    atoms: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Say what is at distances that were asked for, and at maxima that no single shell makes.

    It is what structures have there; where none was given, what plausible distances would have.
    """
    from shortrange.fit.assign import feature_shares, plausible_shares

    for r in at:
        if not fit.r[0] - 1.0 < r < 12.0:
            raise ProjectError(f"at = {r:g}", where="--at", do="give a distance in angstrom, up to 12")
    q_range = (fit.q_min, fit.q_max)
    if not counted:
        return [
            {
                "r": r,
                "half_width": _HALF,
                "shares": {
                    "plausible distances": plausible_shares(
                        atoms, r_range=(r - _HALF, r + _HALF), q_range=q_range, weights=radiation
                    )
                },
            }
            for r in at
        ]
    places = [*at, *(bump.r for bump in fit.bumps if bump.cause == "overlap")]
    return [
        {
            "r": r,
            "half_width": _HALF,
            "shares": {
                name: feature_shares(
                    histograms,
                    r_range=(r - _HALF, r + _HALF),
                    q_range=q_range,
                    weights=radiation,
                )
                for name, histograms in counted.items()
            },
        }
        for r in places
    ]


def _write(
    new: Path,
    record: Mapping[str, Any],
    fit: PeakFit,
    assignments: Sequence[Assignment],
    counted: Mapping[str, Any],
    *,
    files: Sequence[Path],
    title: str,
) -> None:
    from shortrange.cli.summary import write_summary
    from shortrange.report.figures.peaks import peaks_figure
    from shortrange.report.style import png_bytes
    from shortrange.report.table import write_table
    from shortrange.simulate.pdf import PdfModel

    write_summary(new / "peaks.json", record, files=files)
    fields = ["r", "sigma_r", "width", "sigma_width", "area", "sigma_area", "components", "label"]
    write_table(new / "peaks.csv", fields, [[row[f] for f in fields] for row in record["peaks"]])
    own = ["pair", "share", "weight", "neighbours", "sigma_neighbours", "width", "excluded"]
    rows = [[row["r"], *(c[f] for f in own)] for row in record["peaks"] for c in row["candidates"]]
    write_table(new / "candidates.csv", ["peak_r", *own], rows)
    partials = {}
    for name, histograms in counted.items():
        model = PdfModel(histograms, fit.r, fit.q_max, fit.q_min, window=fit.window)
        partials[name] = {pair: (fit.r, part) for pair, part in model.contributions().items()}
    figure = peaks_figure(fit, assignments, title=title, simulated=record["simulated"], partials=partials)
    (new / "figures").mkdir()
    (new / "figures" / "peaks.png").write_bytes(png_bytes(figure))


def _print(record: Mapping[str, Any], out: Path) -> None:
    from shortrange.report.text import plus_minus

    if record["simulated"]:
        print("SIMULATED DATA")
    for warning in record["warnings"]:
        print(f"warning: {warning}")
    rows = []
    for peak in record["peaks"]:
        best = peak["candidates"][0] if peak["candidates"] else None
        alone = ""
        if best is not None and best["neighbours"] is not None:
            number = plus_minus(best["neighbours"], best["sigma_neighbours"])
            alone = f"{best['pair']} {number}"
        rows.append(
            [
                plus_minus(peak["r"], peak["sigma_r"]),
                plus_minus(peak["width"], peak["sigma_width"]),
                plus_minus(peak["area"], peak["sigma_area"]),
                peak["label"],
                alone,
            ]
        )
    show_table(["r (Å)", "width (Å)", "area", "pairs", "neighbours if alone"], rows, right=[0, 1, 2])
    for feature in record["features"]:
        for name, shares in feature["shares"].items():
            parts = ", ".join(f"{pair} {share:.0%}" for pair, share in shares.items() if share >= 0.01)
            print(f"{feature['r']:.2f} ± {_HALF} Å in {name}: {parts or 'no pair'}")
    for bump in record["bumps"]:
        print(f"no distance: maximum at {bump['r']:.2f} Å ({bump['cause']})")
    print(f"peaks: {out}")
