"""``shortrange reduce-pdf``: from a scattering pattern to S(Q) and G(r)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shortrange.cli.files import expand
from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress, show_table
from shortrange.errors import DataError, ProjectError, ShortrangeError

if TYPE_CHECKING:
    from shortrange.quantities import IQ
    from shortrange.reduce.scattering import ScatteringReduction

__all__ = ["reduce_pdf"]

_SHORTEST_RANGE = 4.0  # 1/angstrom, as of a range that is chosen
_MOST_POINTS = 10_000  # of r: the covariance takes 0.8 GB


def reduce_pdf(
    patterns: list[Path],
    /,
    *,
    composition: str,
    background: Path | None = None,
    air: Path | None = None,
    charges: list[str] | None = None,
    recoil_power: float = 2.0,
    compton_width: float | None = None,
    anomalous: bool = True,
    wavelength: float | None = None,
    q_range: tuple[float, float] | None = None,
    number_density: float | None = None,
    axis: Literal["q", "q_nm", "2theta"] | None = None,
    window: Literal["none", "lorch", "soft"] = "none",
    r_max: float = 20.0,
    r_step: float = 0.02,
    r_cut: float | None = None,
    smooth: bool = True,
    polarisation: float | None = None,
    mu_r: float = 0.0,
    detector: float | None = None,
    hdf5: bool = False,
    simulated: bool = False,
    out: Path = Path("reduced-pdf"),
) -> Outcome:
    """Reduce scattering patterns to S(Q) and G(r) on an absolute scale, with errors.

    Parameters
    ----------
    patterns
        I(Q) or I(2theta) of the sample: pyFAI, Dioptas or Fit2D .chi, .xy, .dat, PDFgetX .iq; names may hold
        * and ?. Several patterns get a folder each.
    composition
        Such as NaTaCl6 or NaTaCl5S0.5.
    background
        Pattern of the empty container; its scale is fitted.
    air
        Pattern without sample and container; its scale is fitted too.
    charges
        Elements whose form factor is that of an ion, such as Na+1 or Ta+5; may be repeated.
    recoil_power
        Breit-Dirac factor of Compton scattering: 2 for a photon-counting detector, 3 for an integrating one.
    compton_width
        The factor of the tabulated Compton scattering is 1 +- this before the data are seen: 0.3 where tables
        or detector are not trusted, 0 to hold it at 1; when absent 0.03 or, less likely, 0.3.
    anomalous
        Add f' and f'' at the wavelength.
    wavelength
        angstrom; taken from the header if it is there.
    q_range
        Part that is used, 1/angstrom, two numbers; chosen from the noise when absent.
    number_density
        Atoms per cubic angstrom; fitted when absent.
    axis
        What the first column is, where the file does not say.
    window
        Of the transform: none, lorch, or soft (a taper over the last third).
    r_max, r_step
        Grid of G(r), angstrom.
    r_cut
        Below it there is no distance, angstrom; 3/4 of the shortest sum of covalent radii when absent.
    smooth
        Allow a smooth correction of S(Q) where it earns its place.
    polarisation
        If the pattern was not corrected for polarisation (those of pyFAI mostly are): 0 for whole rings or a
        tube, 0.95 to 1 for a scan in the vertical plane of a synchrotron.
    mu_r
        Absorption of a capillary: absorption coefficient times radius.
    detector
        Part of the beam that a flat detector stops at normal incidence, if the pattern was not corrected for
        the longer way of oblique rays.
    hdf5
        Also write results.h5, with the full covariance.
    simulated
        The patterns were made from models: say so everywhere (also if their headers say it).
    out
        Folder of the results: sq.csv, gr.csv, sample.gr, summary.json, figures.
    """
    from shortrange.atoms import parse_composition

    _check(r_max=r_max, r_step=r_step, number_density=number_density, r_cut=r_cut)
    if not 20.0 <= r_max / r_step <= _MOST_POINTS:
        raise ProjectError(
            f"r_step = {r_step:g} with r_max = {r_max:g} makes {r_max / r_step:.3g} points",
            where="--r-max, --r-step", do=f"give steps of 0.01 or 0.02, and at most {_MOST_POINTS} points",
        )  # fmt: skip
    if q_range is not None and not q_range[0] < q_range[1]:
        raise ProjectError(
            f"q_range {q_range[0]:g} to {q_range[1]:g} does not increase", where="--q-range",
            do="give the lower end first, in 1/angstrom",
        )  # fmt: skip
    if q_range is not None and q_range[1] - q_range[0] < _SHORTEST_RANGE:
        raise ProjectError(
            f"q_range {q_range[0]:g} to {q_range[1]:g} is too short for S(Q) to come near 1 in it",
            where="--q-range", do=f"give {_SHORTEST_RANGE:g} 1/angstrom or more, better 15",
        )  # fmt: skip
    atoms = parse_composition(composition)
    paths = expand(patterns)
    from shortrange.report import ResultFolder

    ResultFolder(out, kind="reduce-pdf").check()
    corrections = {"polarisation": polarisation, "mu_r": mu_r, "detector": detector}
    read: dict[str, Any] = {"wavelength": wavelength, "axis": axis, "corrections": corrections}
    others = {"background": background, "air": air}
    settings = {
        **{name: None if path is None else _load(path, **read) for name, path in others.items()},
        "composition": atoms, "charges": _charges(charges or [], atoms), "number_density": number_density,
        "window": None if window == "none" else window, "r_cut": r_cut, "smooth": smooth,
        "anomalous": anomalous, "recoil_power": recoil_power, "compton_width": compton_width,
        "r": _grid(r_max, r_step),
    }  # fmt: skip
    files = [*paths, *(path for path in others.values() if path is not None)]
    job = _Job(out, files, simulated, hdf5, q_range, settings, read)
    return job.one(paths[0]) if len(paths) == 1 else job.series(paths)


class _Job:
    """The settings of a command, applied to one pattern or to a series."""

    def __init__(
        self,
        out: Path,
        files: list[Path],
        simulated: bool,
        hdf5: bool,
        q_range: tuple[float, float] | None,
        settings: dict[str, Any],
        read: dict[str, Any],
    ) -> None:
        self.out, self.files, self.simulated, self.hdf5 = out, files, simulated, hdf5
        self.q_range, self.settings, self.read = q_range, settings, read

    def one(self, path: Path) -> Outcome:
        from shortrange.cli.summary import write_summary
        from shortrange.report import ResultFolder

        with progress() as tell:
            tell(f"reduce {path.name}")
            iq, reduction = self._reduce(path)
            tell("write")
            with ResultFolder(self.out, kind="reduce-pdf") as new:
                summary = self._write(path, iq, reduction, new)
                write_summary(new / "summary.json", summary, files=self.files)
        _print(summary, self.out)
        return Outcome(self.out / "summary.json")

    def series(self, paths: list[Path]) -> Outcome:
        """Reduce each into a folder of its own; a fault of one is told at the end."""
        from shortrange.cli.summary import write_summary
        from shortrange.report import ResultFolder

        names = _folder_names(paths)
        records: dict[str, dict[str, Any]] = {}
        faults: dict[str, ShortrangeError] = {}
        with progress(len(paths)) as tell, ResultFolder(self.out, kind="reduce-pdf") as new:
            for path, name in zip(paths, names, strict=True):
                tell(f"reduce {path.name}")
                try:
                    iq, reduction = self._reduce(path)
                except ShortrangeError as error:
                    faults[name] = error
                    records[name] = {
                        "file": str(path),
                        "fault": error.what,
                        "where": error.where,
                        "do": error.do,
                    }
                    continue
                (new / name).mkdir()
                records[name] = {"file": str(path), **self._write(path, iq, reduction, new / name)}
            if len(faults) == len(paths):
                raise next(iter(faults.values()))
            content = {"patterns": records, "failed": sorted(faults)}
            write_summary(new / "summary.json", content, files=self.files)
        _print_series(records, self.out)
        return Outcome(self.out / "summary.json")

    def _reduce(self, path: Path) -> tuple[IQ, ScatteringReduction]:
        from shortrange.reduce.q_range import suggest_q_range
        from shortrange.reduce.scattering import reduce_scattering

        iq = _load(path, **self.read)
        q_range = self.q_range
        if q_range is None:
            q_range, chosen = suggest_q_range(iq)
            for empty in (self.settings["background"], self.settings["air"]):
                if empty is not None:
                    q_range = (max(q_range[0], float(empty.q[0])), min(q_range[1], float(empty.q[-1])))
            iq = iq.after(chosen)
        return iq, reduce_scattering(iq, q_range=q_range, **self.settings)

    def _write(self, path: Path, iq: IQ, reduction: ScatteringReduction, folder: Path) -> dict[str, Any]:
        from shortrange.load.history import is_simulated
        from shortrange.report.archive import write_archive
        from shortrange.report.columns import gr_columns, sq_columns, write_csv, write_gr
        from shortrange.report.plates import save_plates
        from shortrange.report.reduction import reduction_plate, reduction_record

        simulated = self.simulated or is_simulated(iq.history)
        record = {"simulated": simulated, **reduction_record(reduction, wavelength=iq.wavelength)}
        write_csv(folder / "sq.csv", sq_columns(reduction.sq))
        write_csv(folder / "gr.csv", gr_columns(reduction.gr))
        header = {
            "inputfile": path.name,
            "wavelength": iq.wavelength,
            "window": record["window"],
            "scale": reduction.scale.value,
            "low_r_residual": reduction.low_r_residual,
        }
        if self.settings["background"] is not None:
            header["backgroundfile"] = Path(self.settings["background"].source).name
        write_gr(folder / "sample.gr", reduction.gr, simulated=simulated, more=header)
        plate = reduction_plate(
            reduction, iq, background=self.settings["background"], title=path.stem, simulated=simulated
        )
        save_plates([plate], folder / "figures")
        if self.hdf5:
            write_archive(
                folder / "results.h5", title=path.stem, verdict=None, reductions={"pdf": reduction},
                record=record, simulated=simulated,
            )  # fmt: skip
        return record


def _load(path: Path, *, wavelength: float | None, axis: str | None, corrections: Mapping[str, Any]) -> IQ:
    from shortrange.load import load_iq
    from shortrange.reduce.scattering_corrections import correct_pattern

    iq = load_iq(path, wavelength=wavelength, axis=axis)
    if iq.wavelength is None:
        raise ProjectError(
            "the wavelength is not known, and the header does not say it", where=str(path),
            do="give --wavelength, in angstrom: Compton scattering, f' and f'' need it",
        )  # fmt: skip
    return correct_pattern(iq, **corrections)


def _charges(words: list[str], atoms: Mapping[str, float]) -> dict[str, int]:
    """Read words such as Na+1, Na1+ and Na+."""
    import re

    found = {}
    for word in words:
        match = re.fullmatch(r"([A-Z][a-z]?)(?:([+-])(\d?)|(\d)([+-]))", word)
        if match is None or match[1] not in atoms:
            raise ProjectError(
                f"cannot read the charge {word!r}", where="--charges",
                do="write elements of the composition with their charges, such as Na+1 Cl-1",
            )  # fmt: skip
        found[match[1]] = int(f"{match[2] or match[5]}{match[3] or match[4] or 1}")
    return found


def _check(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not 0 < value < float("inf"):
            raise ProjectError(
                f"{name} = {value:g}", where=f"--{name.replace('_', '-')}", do="give a number above zero"
            )


def _grid(r_max: float, r_step: float) -> Any:
    import numpy as np

    # Without r = 0, where G and its error are 0 and say nothing.
    return r_step * np.arange(1, round(r_max / r_step) + 1)


def _folder_names(paths: list[Path]) -> list[str]:
    names = [path.stem for path in paths]
    if len(set(names)) != len(names):
        names = [path.name for path in paths]
    if len(set(names)) != len(names):
        raise DataError(
            "two patterns have the same name", where="reduce-pdf", do="reduce them into folders of their own"
        )
    return names


def _print(record: Mapping[str, Any], out: Path) -> None:
    from shortrange.report.text import plus_minus

    if record["simulated"]:
        print("SIMULATED DATA")
    for warning in record["warnings"]:
        print(f"warning: {warning}")
    rows = []
    for name in ("scale", "background_scale", "air_scale", "compton_scale", "fluorescence", "number_density"):
        if record[name] is not None:
            rows.append([name.replace("_", " "), plus_minus(record[name], record[f"sigma_{name}"])])
    rows.append(["Q range (1/angstrom)", f"{record['q_min']:.3f} to {record['q_max']:.3f}"])
    rows.append(["low-r residual", f"{record['low_r_residual']:.3f}"])
    show_table(["", ""], rows)
    print(f"reduced: {out}")


def _print_series(records: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    rows = []
    for name, record in records.items():
        if "fault" in record:
            rows.append([name, "", "", record["fault"]])
            continue
        doubts = f"{len(record['warnings'])} warnings" if record["warnings"] else ""
        rows.append([name, f"{record['scale']:.4g}", f"{record['low_r_residual']:.3f}", doubts])
    show_table(["pattern", "scale", "low-r residual", ""], rows, right=[1, 2])
    print(f"reduced: {out}")
