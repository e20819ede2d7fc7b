"""How far ensemble EXAFS is from full FEFF8L runs on the same absorbers: the table and figure of the docs.

``python studies/exafs_truth.py SNAPSHOTS.extxyz ... [--figure docs/images/exafs_truth.png]``

Of each file, 24 absorbers (8 Ta atoms in 3 frames) are calculated by plain FEFF8L: 4 legs, paths to 6
angstrom, no path filter, clusters of 9 angstrom; once with the potentials that the ensemble uses, once with
own ones. Errors are rms of k^2 chi over k 3-12 relative to the truth. Own potentials have own Fermi levels,
so one dE0 is free there. What the scatter of these levels does is shown from both sides: by putting the plain
runs on one energy scale, and by giving each absorber of ours the level that its shortest bond predicts (a
straight line, fitted to every other absorber).
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from shortrange.load import load_trajectory
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.check import chi_of_paths, relative_rms
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import run_feff
from shortrange.simulate.feff_paths import worker_count
from shortrange.simulate.neighbours import find_neighbours
from shortrange.units import HBAR2_2ME

K = np.arange(2.0, 13.0, 0.05)
INSIDE = (K >= 3) & (K <= 12)
SETTINGS = {"absorber": "Ta", "edge": "L3", "r_max": 6.0}


def sample(path: Path) -> tuple[Trajectory, list[int]]:
    """Three frames of a run and eight of its Ta atoms."""
    whole = load_trajectory(path)
    chosen = [whole.n_frames * part // 5 for part in (1, 3, 4)]
    few = Trajectory(
        species=whole.species, positions=whole.positions[chosen], cells=whole.cells[chosen], label=whole.label
    )
    atoms = np.flatnonzero(np.array(whole.species) == "Ta")
    return few, atoms[:: max(1, atoms.size // 8)][:8].tolist()


def plain_feff(few: Trajectory, atoms: list[int], potentials) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of all absorbers and their Fermi levels, eV; with potentials of None, own ones."""

    def one(job: tuple[int, int]) -> tuple[np.ndarray, float]:
        cluster = cluster_around(few, frame=job[0], atom=job[1], radius=9.0)
        pad = run_feff(cluster, edge="L3", r_path=6.0, potentials=potentials)[2]
        return chi_of_paths(pad, K), pad.mu

    jobs = [(frame, atom) for frame in range(few.n_frames) for atom in atoms]
    with ThreadPoolExecutor(worker_count(None)) as pool:
        spectra, levels = zip(*pool.map(one, jobs), strict=True)
    return np.array(spectra), np.array(levels)


def on_one_scale(spectra: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Mean of spectra with k counted from the mean Fermi level, as in one sample, not from each own."""
    moved = [at_level(chi, level) for chi, level in zip(spectra, levels - levels.mean(), strict=True)]
    return np.mean(moved, axis=0)


def at_level(chi: np.ndarray, level: float) -> np.ndarray:
    """Spectrum with k counted from ``level`` (eV) below."""
    k = np.sqrt(np.clip(K**2 - level / HBAR2_2ME, K[0] ** 2, K[-1] ** 2))
    return CubicSpline(K, chi)(k)


def with_levels(few: Trajectory, atoms: list[int], shared, levels: np.ndarray) -> tuple[np.ndarray, float]:
    """Our mean with the Fermi levels that shortest bonds predict, and the correlation of the two."""
    each, bonds = [], []
    for frame in range(few.n_frames):
        here = slice(frame, frame + 1)
        one = Trajectory(species=few.species, positions=few.positions[here], cells=few.cells[here])
        each.extend(
            ensemble_exafs(one, k=K, atoms=atoms, potentials=shared, check=False, **SETTINGS).absorber_chi
        )
        near = find_neighbours(one.positions, one.cells, centres=np.array(atoms), r_max=4.0)
        bonds.extend(d.min() for d in np.split(near.distances, near.offsets[1:-1]))
    length = np.array(bonds)
    line = np.polyfit(length[::2], (levels - levels.mean())[::2], 1)
    moved = [at_level(chi, -level) for chi, level in zip(each, np.polyval(line, length), strict=True)]
    return np.mean(moved, axis=0), float(np.corrcoef(length, levels)[0, 1])


def error(chi: np.ndarray, truth: np.ndarray) -> float:
    """Relative rms of k^2 chi, k 3-12."""
    return relative_rms(chi[INSIDE], truth[INSIDE], K[INSIDE])


def after_e0(model, truth: np.ndarray) -> tuple[float, float]:
    """Least error over one free dE0 (eV), and that dE0."""
    shifts = np.arange(-3.0, 3.01, 0.05)
    errors = [error(model(K, delta_e0=shift), truth) for shift in shifts]
    return min(errors), float(shifts[int(np.argmin(errors))])


def study(path: Path) -> dict:
    """Errors of one file."""
    few, atoms = sample(path)
    own, levels = plain_feff(few, atoms, None)
    rows = {}
    for name, number in (("one cluster", 1), ("mean", None)):
        shared = potentials_for(few, n_potentials=number, **SETTINGS)
        result = ensemble_exafs(few, k=K, atoms=atoms, potentials=shared, **SETTINGS)
        rows[name] = (result, after_e0(result.model(), own.mean(axis=0)))
    result, (least, shift) = rows["mean"]
    same, _ = plain_feff(few, atoms, shared)
    aligned, _ = after_e0(result.model(), on_one_scale(own, levels))
    imitated, correlation = with_levels(few, atoms, shared, levels)
    bonds, _ = after_e0(lambda _k, delta_e0: at_level(imitated, delta_e0), own.mean(axis=0))
    half = error(own[::2].mean(axis=0), own[1::2].mean(axis=0))
    chosen = shared.settings["atoms"]
    return {
        "name": few.label, "clusters": len(chosen) if isinstance(chosen, list) else 1,
        "same": error(result.chi, same.mean(axis=0)), "one": rows["one cluster"][1][0], "own": least,
        "aligned": aligned, "jitter": float(levels.std()), "bonds": bonds, "correlation": correlation,
        "shift": shift, "half": half, "bounds": result.bounds, "ours": result.model()(K, delta_e0=shift),
        "truth": own.mean(axis=0), "sampling": result.standard_error,
    }  # fmt: skip


def draw(found: list[dict], path: Path) -> None:
    """Spectra of both, and their difference, of each file."""
    from shortrange.report.style import DATA, MODELS, dress, finish, new_figure, png_bytes

    figure = new_figure(1.9 * len(found) + 0.6)
    for ax, row in zip(np.atleast_1d(figure.subplots(len(found), 1, sharex=True)), found, strict=True):
        weight = K**2
        ax.plot(K, weight * row["truth"], color=DATA, lw=1.4, label="24 full FEFF8L runs, own potentials")
        ax.plot(K, weight * row["ours"], color=MODELS[1], lw=0.9, ls="--", label="ensemble, mean potentials")
        off = 10 * weight * (row["ours"] - row["truth"])
        ax.plot(K, off, color=MODELS[0], lw=0.8, label="difference x 10")
        ax.set_title(f"{row['name']}: {100 * row['own']:.2f} %", fontsize=8, loc="left")
        dress(ax, ylabel="$k^2χ$ (Å$^{-2}$)", y_ticks=3)
        ax.set_xlim(2, 13)
        ax.set_ylim(-1.6, 1.5)
    ax.set_xlabel("$k$ (Å$^{-1}$)")
    figure.axes[-1].legend(fontsize=6.5, frameon=False, loc="lower right", ncols=3)
    path.write_bytes(png_bytes(finish(figure, title="Ensemble EXAFS and full FEFF8L", simulated=True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("snapshots", nargs="+", type=Path)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    found = [study(path) for path in options.snapshots]
    print(
        "| snapshots | same potentials | one cluster | mean of n | on one scale | levels of bonds | halves |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in found:
        print(
            f"| {row['name']} | {100 * row['same']:.2f} % | {100 * row['one']:.2f} % |"
            f" {100 * row['own']:.2f} % (n = {row['clusters']}) |"
            f" {100 * row['aligned']:.2f} % ({row['jitter']:.2f} eV) |"
            f" {100 * row['bonds']:.2f} % ({row['correlation']:.2f}) | {100 * row['half']:.0f} % |"
        )
        for name, share in row["bounds"].items():
            print(f"    left out: {name}: {100 * share:.2f} %")
    if options.figure is not None:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
