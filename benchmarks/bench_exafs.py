"""Ensemble EXAFS beside plain FEFF8L runs on the same absorbers: error and time.

``python benchmarks/bench_exafs.py [SNAPSHOTS.extxyz] [--frames 20] [--truth-frames 2] [--md-exafs PROGRAM]``;
without a file it uses the two SIMULATED snapshots shipped with the tests. The plain runs are a loop over
FEFF's own programs, one absorber at a time on each processor, without path filter: 4 legs, half path lengths
to 6 angstrom. An empty temporary cache is used: "first" includes potentials and path tables, but not
compilation. Seconds are of processor time, programs that were started included: they do not depend on what
else the machine does, and are about twice the wall time of two idle cores. md-exafs runs with its defaults
(FEFF's path filter, clusters of 6 angstrom: less work), without self-consistency.
"""

import argparse
import os
import resource
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from ase.io import read, write

from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.check import chi_of_paths, relative_rms
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import run_feff
from shortrange.simulate.feff_paths import worker_count

SHIPPED = Path(__file__).parent.parent / "tests" / "data" / "simulated_ntsc_corner.extxyz"
K = np.arange(2.0, 13.0, 0.05)
INSIDE = (K >= 3) & (K <= 12)
R_MAX = 6.0


def trajectory(frames) -> Trajectory:
    """Snapshots of ASE as ours."""
    return Trajectory(
        species=frames[0].get_chemical_symbols(),
        positions=np.array([f.positions for f in frames]),
        cells=np.array([np.array(f.cell) for f in frames]),
    )


MD_EXAFS = """spectrum_type: EXAFS
edge: L3
radius: 6.0
control: "1 1 1 1 1 1"
print: "1 0 0 0 0 3"
s02: 1.0
scf: null
exchange: "0 0 0"
exafs: 20
n_workers: 2
"""


def spent() -> float:
    """Processor time so far, of this process and of those that it started and that have ended, seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(**options):
    """Ensemble and seconds."""
    start = spent()
    result = ensemble_exafs(absorber="Ta", edge="L3", r_max=R_MAX, k=K, check=False, **options)
    return result, spent() - start


def by_md_exafs(program: str, frames, *options: str) -> float:
    """Seconds of md-exafs for the tantalum atoms of some frames."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "settings.yaml").write_text(MD_EXAFS)
        write(Path(folder, "run.extxyz"), frames)
        words = [program, "pipeline", "run.extxyz", "Ta", "--all-sites", "--config", "settings.yaml"]
        words += ["--all-frames", "--ase-kwargs", '{"index": ":"}']
        path = os.pathsep.join([str(Path(program).resolve().parent), os.environ["PATH"]])
        start = spent()
        subprocess.run(
            [*words, "--plot-include", "average", *options],
            cwd=folder, check=True, env={**os.environ, "PATH": path, "PYTHONPATH": ""}, capture_output=True,
        )  # fmt: skip
        return spent() - start


def error(chi, truth) -> float:
    """Relative rms of k^2 chi, k 3-12."""
    return relative_rms(chi[INSIDE], truth[INSIDE], K[INSIDE])


def after_e0(model, truth) -> tuple[float, float]:
    """Least error over one free dE0, and that dE0."""
    shifts = np.arange(-3.0, 3.01, 0.05)
    errors = [error(model(K, delta_e0=shift), truth) for shift in shifts]
    return min(errors), float(shifts[int(np.argmin(errors))])


def plain_feff(snapshots: Trajectory, potentials):
    """Spectra of all absorbers by full FEFF runs with shared potentials (or, with None, own ones)."""
    atoms = np.flatnonzero(np.array(snapshots.species) == "Ta")
    jobs = [(frame, int(atom)) for frame in range(snapshots.n_frames) for atom in atoms]

    def one(job) -> np.ndarray:
        cluster = cluster_around(snapshots, frame=job[0], atom=job[1], radius=R_MAX + 3.0)
        return chi_of_paths(run_feff(cluster, edge="L3", r_path=R_MAX, potentials=potentials)[2], K)

    start = spent()
    with ThreadPoolExecutor(worker_count(None)) as pool:
        spectra = np.array(list(pool.map(one, jobs)))
    return spectra, spent() - start


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("snapshots", nargs="?", default=str(SHIPPED))
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--truth-frames", type=int, default=2)
    parser.add_argument("--md-exafs", help="the program md-exafs of an environment that has feff8l, too")
    options = parser.parse_args()
    frames = read(options.snapshots, index=":")
    many = trajectory(frames[:: max(1, len(frames) // options.frames)][: options.frames])
    few = trajectory(frames[:: max(1, len(frames) // options.truth_frames)][: options.truth_frames])
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SHORTRANGE_CACHE"] = cache
        timed(trajectory=few)  # compiles
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SHORTRANGE_CACHE"] = cache
        first, uncached = timed(trajectory=many)
        _, cached = timed(trajectory=many)
        print(f"{many.n_frames} frames, {first.n_absorbers} absorbers, {first.n_paths} paths, 5 stretches:")
        shapes = first.history[-1].settings["shapes"]["calculated"]
        print(
            f"  first {uncached:.1f} s of processor time ({shapes} path shapes by FEFF), again {cached:.2f} s"
        )
        potentials = potentials_for(few, absorber="Ta", edge="L3")
        same, same_time = plain_feff(few, potentials)
        own, own_time = plain_feff(few, None)
        n = len(same)
        whole = first.n_absorbers / n
        print(f"plain FEFF, {n} absorbers: shared potentials {same_time:.1f} s, own {own_time:.1f} s;")
        print(
            f"  extrapolated to {first.n_absorbers}: {same_time * whole:.0f} s and {own_time * whole:.0f} s"
        )
        if options.md_exafs:
            for what in ((), ("--reuse-potentials",)):
                one, two = (by_md_exafs(options.md_exafs, frames[:n], *what) for n in (1, 2))
                total = one + (two - one) * (many.n_frames - 1)
                print(
                    f"md-exafs {' '.join(what)}: 1 frame {one:.1f} s, 2 frames {two:.1f} s;"
                    f" extrapolated: {total:.0f} s"
                )
        print(f"rms of k^2 chi (k 3-12) of the mean of these {n} absorbers against plain FEFF:")
        for name, switch in (("single scattering", False), ("all paths", True)):
            result, _ = timed(trajectory=few, potentials=potentials, multiple_scattering=switch)
            shifted, shift = after_e0(result.model(), own.mean(axis=0))
            print(f"  {name}: same potentials {error(result.chi, same.mean(axis=0)):.4f},", end=" ")
            print(f"own {error(result.chi, own.mean(axis=0)):.4f}, after dE0 {shift:+.2f} eV {shifted:.4f}")
        half = n // 2
        halves = error(same[:half].mean(axis=0), same[half:].mean(axis=0))
        print(f"  two halves of these absorbers: {halves:.2f}")


if __name__ == "__main__":
    main()
