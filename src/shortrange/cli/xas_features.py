"""What ``shortrange reduce`` does on request: calibration, splitting of the white line, wavelet map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shortrange.errors import DataError, ShortrangeError

if TYPE_CHECKING:
    from shortrange.cli.scans import Read
    from shortrange.quantities import MuE, Scan
    from shortrange.reduce.calibrate import Calibration
    from shortrange.reduce.edge_splitting import Splitting, SplittingDifference
    from shortrange.reduce.normalise import Normalised
    from shortrange.reduce.xas import XasReduction
    from shortrange.report.plates import Plate
    from shortrange.transform.wavelet import Lobe, WaveletMap

__all__ = ["Features", "by_reference", "find_calibration", "read_normalised"]

REFERENCE = "reference"
"""Instead of a file: the standard stands in the reference channel of the scans."""


@dataclass(slots=True)
class Features:
    """Optional results of one reduction, as far as they were asked for."""

    calibration: Calibration | None = None
    splitting: Splitting | None = None
    difference: SplittingDifference | None = None
    wavelet: WaveletMap | None = None
    lobe: Lobe | None = None
    no_splitting: str = ""
    no_lobe: str = ""
    paths: list[Path] = field(default_factory=list)

    def reduce(
        self, read: Read, *, calibrate: Path | None, standard: str | None, settings: dict[str, Any]
    ) -> XasReduction:
        """Reduce the scans, after calibrating them if that is asked for."""
        from shortrange.reduce.xas import reduce_xas

        edge: dict[str, Any] = {"element": read.element, "edge": read.edge}
        if calibrate is not None and str(calibrate) == REFERENCE:
            plain = reduce_xas(read.scans, **edge, **{**settings, "e0": None})
            self.calibration = by_reference(read.scans, plain, standard=standard, **edge)
        elif calibrate is not None:
            self.paths.append(calibrate)
            self.calibration = find_calibration(calibrate, standard=standard, mode=settings["mode"], **edge)
            if standard is not None and Path(standard).is_file():
                self.paths.append(Path(standard))
        return reduce_xas(self.calibrated(read.scans), **edge, **settings)

    def calibrated(self, scans: Sequence[Scan]) -> list[Scan]:
        """Return the scans on the calibrated energies."""
        from shortrange.reduce.calibrate import apply_calibration

        if self.calibration is None:
            return list(scans)
        return [apply_calibration(scan, self.calibration) for scan in scans]

    def measure_splitting(self, data: Normalised, against: Path | None) -> None:
        """Measure the splitting, and how much larger it is than in the folder of an earlier reduction.

        Where there is none to be measured, the reason is kept: the rest of the reduction stands.
        """
        from shortrange.reduce.edge_splitting import compare_splittings, edge_splitting

        earlier = read_normalised(against) if against is not None else None
        try:
            self.splitting = edge_splitting(data)
            if earlier is not None:
                self.difference = compare_splittings(earlier, data)
        except DataError as error:
            self.no_splitting = error.what

    def warnings(self) -> list[str]:
        """Doubts, as sentences."""
        missing = {"splitting": self.no_splitting, "lobe": self.no_lobe}
        return [f"no {what}: {reason}" for what, reason in missing.items() if reason]

    def map_wavelet(self, reduction: XasReduction, near: tuple[float, float] | None) -> None:
        """Make the map of k^2 chi(k), with the window of chi(R), and measure a lobe if one is asked for."""
        from shortrange.transform.wavelet import measure_lobe, wavelet

        if reduction.chi is None or reduction.k_range is None:
            self.no_lobe = "" if near is None else "there is no wavelet map"
            return
        self.wavelet = wavelet(reduction.chi, k_range=reduction.k_range)
        if near is not None:
            try:
                self.lobe = measure_lobe(reduction.chi, self.wavelet, near=near)
            except DataError as error:
                self.no_lobe = error.what

    def plates(self, name: str, data: Normalised, *, title: str, simulated: bool) -> list[Plate]:
        """Make the figures."""
        from shortrange.report.feature_plates import derivative_plate, splitting_plate, wavelet_plate

        plates = [derivative_plate(name, data, title=title, simulated=simulated)]
        if self.splitting is not None:
            plates.append(splitting_plate(name, data, self.splitting, title=title, simulated=simulated))
        if self.wavelet is not None:
            plates.append(wavelet_plate(name, self.wavelet, title=title, simulated=simulated))
        return plates

    def record(self) -> dict[str, Any]:
        """Entries of ``summary.json``."""
        record: dict[str, Any] = {}
        if self.calibration is not None:
            record["calibration"] = _calibration_record(self.calibration)
        if self.splitting is not None:
            record["splitting"] = _splitting_record(self.splitting, self.difference)
        elif self.no_splitting:
            record["splitting"] = {"value": None, "sigma": None, "minima": None}
        if self.no_splitting:
            record["splitting"]["reason"] = self.no_splitting
        if self.lobe is not None:
            record["lobe"] = asdict(self.lobe)
        elif self.no_lobe:
            record["lobe"] = {"k": None, "r": None, "strength": None, "reason": self.no_lobe}
        return record

    def lines(self) -> list[str]:
        """Sentences for the terminal."""
        from shortrange.report.text import plus_minus

        lines = []
        if self.calibration is not None:
            shift = plus_minus(self.calibration.shift, self.calibration.sigma)
            lines.append(f"calibrated by {self.calibration.standard.name}: {shift} eV added")
        if self.splitting is not None:
            low, high = self.splitting.minima
            value = plus_minus(self.splitting.value, self.splitting.sigma)
            lines.append(f"splitting {value} eV (minima at {low:.2f} and {high:.2f} eV)")
        if self.lobe is not None:
            place = f"k {plus_minus(self.lobe.k, self.lobe.sigma_k)} 1/angstrom, "
            place += f"R {plus_minus(self.lobe.r, self.lobe.sigma_r)} angstrom"
            lines.append(f"lobe at {place}: {plus_minus(self.lobe.strength, self.lobe.sigma_strength)}")
        if self.difference is not None:
            value = plus_minus(self.difference.value, self.difference.sigma)
            lines.append(
                f"larger than before by {value} eV: {abs(self.difference.z):.1f} standard errors, "
                f"p = {self.difference.p:.2g}"
            )
        return lines


def find_calibration(path: Path, *, standard: str | None, element: str, edge: str, mode: str) -> Calibration:
    """Calibrate by the scans of a standard; the mode of the samples is taken if the file has it."""
    from shortrange.load import load_scans
    from shortrange.reduce.calibrate import calibrate, calibrate_whole, choose_standard
    from shortrange.reduce.xas import reduce_xas

    def merged(file: Path, element: str, edge: str) -> MuE:
        scans = load_scans(file, element=element, edge=edge)
        return reduce_xas(scans, element=element, edge=edge, mode=_mode_of(scans, mode)).merged

    if standard is not None and Path(standard).is_file():
        calibrated = merged(Path(standard), element, edge)
        return calibrate_whole(merged(path, element, edge), calibrated, name=Path(standard).name)
    chosen = choose_standard(standard, element=element, edge=edge)
    return calibrate(merged(path, chosen.element, chosen.edge), chosen)


def by_reference(
    scans: Sequence[Scan], reduction: XasReduction, *, standard: str | None, element: str, edge: str
) -> Calibration:
    """Calibrate by what stands in the reference channel, averaged over the scans that were merged."""
    from shortrange.reduce.calibrate import calibrate, choose_standard
    from shortrange.reduce.mu import to_mu
    from shortrange.reduce.xas import merge_reference

    chosen = choose_standard(standard, element=element, edge=edge)
    mode = reduction.merged.mode or "mu"
    used = [
        (to_mu(scan, mode=mode), report.energy_shift or 0.0)
        for scan, report in zip(scans, reduction.reports, strict=True)
        if report.used
    ]
    return calibrate(merge_reference(*zip(*used, strict=True), near=chosen.energy), chosen)


def _mode_of(scans: Sequence[Scan], wanted: str) -> str:
    from shortrange.reduce.mu import MODES

    has_it = wanted in MODES and all(set(MODES[wanted]) <= set(scan.columns) for scan in scans)
    return wanted if has_it else "auto"


def _calibration_record(calibration: Calibration) -> dict[str, Any]:
    """For ``summary.json``."""
    standard = calibration.standard
    return {
        "standard": standard.name,
        "feature": standard.feature,
        "energy": standard.energy,
        "measured": calibration.measured,
        "shift": calibration.shift,
        "sigma": calibration.sigma,
        "source": standard.source,
    }


def _splitting_record(splitting: Splitting, difference: SplittingDifference | None) -> dict[str, Any]:
    """For ``summary.json``."""
    record: dict[str, Any] = {
        "value": splitting.value,
        "sigma": splitting.sigma,
        "sigma_noise": splitting.sigma_noise,
        "sigma_smoothing": splitting.sigma_smoothing,
        "minima": list(splitting.minima),
        "sigma_minima": list(splitting.sigma_minima),
        "significance": splitting.significance,
        "smoothings": [
            {"degree": s.degree, "width": s.width, "minima": list(s.minima), "sigma": s.sigma}
            for s in splitting.smoothings
        ],
    }
    if difference is not None:
        record["difference"] = {
            "value": difference.value,
            "sigma": difference.sigma,
            "z": difference.z,
            "p": difference.p,
        }
    return record


def read_normalised(folder: Path) -> Normalised:
    """Read the normalised spectrum of an earlier ``shortrange reduce``.

    Raises
    ------
    DataError
        If the folder does not hold one.
    """
    import numpy as np

    from shortrange.reduce.normalise import EdgeRanges, Normalised

    try:
        record = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        table = np.genfromtxt(folder / "mu.csv", delimiter=",", names=True)
        e0, edge_step = float(record["e0"]), float(record["edge_step"])
        energy, mu, norm = (np.asarray(table[name], dtype=float) for name in ("energy", "mu", "norm"))
        sigma = np.asarray(table["sigma"], dtype=float)
        if not np.isfinite(np.array([energy, mu, norm, sigma])).all():
            raise ValueError("mu.csv holds values that are not finite")
        return Normalised(
            energy=energy,
            mu=mu,
            sigma=sigma,
            norm=norm,
            flat=np.asarray(table["flat"], dtype=float),
            pre_edge=mu - norm * edge_step,
            post_edge=mu - norm * edge_step + edge_step,
            e0=e0,
            edge_step=edge_step,
            sigma_edge_step=float(record["sigma_edge_step"]),
            ranges=EdgeRanges((np.nan, np.nan), (np.nan, np.nan), 1, 1),
            label=folder.name,
        )
    except ShortrangeError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"this is no folder of `shortrange reduce` with absorption: {error}",
            where=str(folder),
            do="name the folder that was given as --out",
        ) from error
