"""Make niso4_herfd.csv from NiSO4_SKa_xanes_0001.h5 of the PyPI package ewoksxas 0.3.1 (87 MB)."""

import csv
import sys
from pathlib import Path

import h5py
import numpy as np


def main(source: Path, target: Path) -> None:
    """Average the scans, each divided by its incident flux, on a grid of 0.1 eV."""
    energy = np.arange(2451.0, 2549.01, 0.1)
    spectra = []
    with h5py.File(source, "r") as file:
        for name in sorted((scan for scan in file if scan.endswith(".1")), key=float):
            counters = file[name]["measurement"]
            x = 1000.0 * counters["hdh_energy"][:]
            signal = counters["p100k_kit_small_roi"][:] / counters["I0t"][:].clip(1.0)
            moving = np.flatnonzero(x > 2450.5)
            order = moving[np.argsort(x[moving])]
            spectra.append(np.interp(energy, x[order], signal[order]))
    mean = np.mean(spectra, axis=0)
    error = np.std(spectra, axis=0, ddof=1) / np.sqrt(len(spectra))
    with target.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["energy", "mu", "sigma"])
        rows.writerows(
            [f"{e:.1f}", f"{m:.6g}", f"{s:.3g}"] for e, m, s in zip(energy, mean, error, strict=True)
        )
    print(f"{len(spectra)} scans, {energy.size} points, maximum at {energy[np.argmax(mean)]:.1f} eV")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("niso4_herfd.csv"))
