"""G(r) of snapshots: ours, diffpy.pdffit2 and diffpy.srreal, in the same run on the same machine.

``python benchmarks/bench_pdf.py [--frames 1000]`` prints processor time (least of some repeats), which hardly
depends on what else the machine does, and beside it the least wall time, which does.
``python benchmarks/bench_pdf.py memory`` prints the peak of memory of G(r) and EXAFS of streamed runs of 1000
and 4000 frames of 128 atoms, each in a process of its own.
"""

import argparse
import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.build import bulk

from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel, simulate_gr
from shortrange.simulate.pdf_engines import PdfSettings, calculate_gr

R = np.arange(0.01, 20.0, 0.01)
Q_MAX = 24.0


def salt(repeats: tuple[int, int, int], frames: int) -> Trajectory:
    """Disordered salt of three species (Na, Ta, Cl), 0.0446 atoms per cubic angstrom."""
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(repeats)
    atoms.symbols[::8] = "Ta"
    rng = np.random.default_rng(0)
    positions = atoms.positions + rng.normal(0, 0.1, (frames, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], frames, axis=0)
    return Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)


def cost(call, repeats: int = 15) -> tuple[float, float]:
    """Least processor time and least wall time, ms."""
    times = []
    for _ in range(repeats):
        start = time.process_time(), time.perf_counter()
        call()
        times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    return tuple(1e3 * min(each) for each in zip(*times, strict=True))


def ours(trajectory: Trajectory, workers: int | None = None):
    """Ensemble mean with Q-dependent form factors, its parts and its sampling error on 1999 points."""
    histograms = pair_histograms(trajectory, r_max=21.0, workers=workers)
    return simulate_gr(histograms, r=R, q_max=Q_MAX, u_iso=0.003)


def by_pdffit2(trajectory: Trajectory) -> np.ndarray:
    """One frame; constant form factors."""
    from diffpy.pdffit2 import PdfFit, redirect_stdout
    from diffpy.structure import Atom, Lattice, Structure

    redirect_stdout(io.StringIO())
    cell = np.linalg.norm(trajectory.cells[0], axis=1)
    structure = Structure(lattice=Lattice(*cell, 90, 90, 90))
    for symbol, xyz in zip(trajectory.species, trajectory.positions[0] / cell, strict=True):
        structure.append(Atom(symbol, xyz, Uisoequiv=0.003))
    engine = PdfFit()
    engine.add_structure(structure)
    engine.alloc("X", Q_MAX, 0.0, R[0], R[-1], R.size)
    engine.calc()
    return np.array(engine.getpdf_fit())


def by_srreal(trajectory: Trajectory) -> np.ndarray:
    """One frame; constant form factors."""
    return calculate_gr(trajectory, PdfSettings(r_max=R[-1], u_iso=0.003, q_max=Q_MAX), engine="srreal")


def peer(call, trajectory: Trajectory, repeats: int) -> float | None:
    """Processor time of a peer, ms, or None where it is not installed."""
    try:
        call(trajectory)
    except Exception as error:
        print(f"{call.__name__} does not run here: {str(error).splitlines()[0]}")
        return None
    return cost(lambda: call(trajectory), repeats)[0]


def row(name: str, mine: tuple[float, float], *peers: float | None) -> None:
    """Print one row."""
    others = "".join(
        "          -        " if p is None else f"{p:9.0f} ({p / mine[0]:4.0f} x)" for p in peers
    )
    print(f"{name:42s} {mine[0]:9.2f} {mine[1]:9.2f} {others}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=1000)
    frames = parser.parse_args().frames
    print(
        f"{'r <= 20 A, step 0.01 A, Qmax 24; ms':42s} {'processor':>9s} {'wall':>9s}"
        f" {'pdffit2':>9s} {'srreal':>18s}"
    )
    row("first call (compiles if not cached)", cost(lambda: ours(salt((2, 2, 4), 2)), 1))
    for name, repeats, times in (("128", (2, 2, 4), 3), ("1000", (5, 5, 5), 1)):
        box = salt(repeats, 1)
        ours(box, 1)
        peers = [peer(call, box, times) for call in (by_pdffit2, by_srreal)]
        histograms = pair_histograms(box, r_max=21.0)
        row(
            f"1 frame x {name} atoms, counting",
            cost(lambda box=box: pair_histograms(box, r_max=21.0, workers=1)),
        )
        row(
            "    transform, parts by pair",
            cost(lambda h=histograms: simulate_gr(h, r=R, q_max=Q_MAX, u_iso=0.003)),
        )
        row("    G(r), one thread", cost(lambda box=box: ours(box, 1)), *peers)
        row("    G(r), two threads", cost(lambda box=box: ours(box, 2)))
    many = salt((2, 2, 4), frames)
    row(f"{frames} frames x 128 atoms, counting", cost(lambda: pair_histograms(many, r_max=21.0), 3))
    row("    G(r) with its error", cost(lambda: ours(many), 3))
    model = PdfModel(pair_histograms(many, r_max=21.0), np.arange(1.9, 7.0, 0.01), 23.0, 0.8)
    row("one evaluation of PdfModel in a fit", cost(lambda: model(stretch=1e-3, q_damp=0.03), 50))
    scaling()


def scaling() -> None:
    """Show that processor time for each atom, and for each frame, does not grow with their number."""
    print("cost of counting to 21 A, processor time of one thread")
    for edge in (3, 5, 11, 23):
        box = salt((edge, edge, edge), 1)
        used, _ = cost(lambda box=box: pair_histograms(box, r_max=21.0, workers=1), 5 if edge < 12 else 2)
        print(f"  {box.n_atoms:7d} atoms: {used:9.2f} ms, {used / box.n_atoms * 1e3:6.2f} us an atom")
    for frames in (10, 100, 1000):
        run = salt((2, 2, 4), frames)
        used, _ = cost(lambda run=run: pair_histograms(run, r_max=21.0, workers=1), 2)
        print(f"  {frames:7d} frames of 128 atoms: {used:9.2f} ms, {used / frames:6.3f} ms a frame")


def peak(path: str, what: str) -> None:
    """Simulate a streamed file, and print the peak of memory before and after."""
    from shortrange.load import open_frames
    from shortrange.simulate.exafs import ensemble_exafs

    run = open_frames(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if what == "G(r)":
        simulate_gr(pair_histograms(run, r_max=21.0), r=R, q_max=Q_MAX, u_iso=0.003)
    else:
        ensemble_exafs(run, absorber="Ta", edge="L3", r_max=4.5, check=False)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{what}: {after:.0f} MB at most, {before:.0f} MB of it before a frame was read", flush=True)


def memory() -> None:
    """Print peaks of memory of files of two lengths, each in a process of its own."""
    for frames in (1000, 4000):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.extxyz"
            with path.open("w", encoding="utf-8") as file:
                for _ in range(frames // 500):
                    write_frames(file, salt((2, 2, 4), 500))
            print(f"{frames} frames, {path.stat().st_size / 1e6:.0f} MB of text")
            for what in ("G(r)", "EXAFS"):
                subprocess.run([sys.executable, __file__, "peak", str(path), what], check=True)


def write_frames(file, run: Trajectory) -> None:
    """Write extended XYZ with the digits that simulations write."""
    for positions, cell in zip(run.positions, run.cells, strict=True):
        lattice = " ".join(f"{x:.6f}" for x in cell.ravel())
        file.write(f'{run.n_atoms}\nLattice="{lattice}" Properties=species:S:1:pos:R:3\n')
        file.writelines(
            f"{symbol} {x:.8f} {y:.8f} {z:.8f}\n"
            for symbol, (x, y, z) in zip(run.species, positions, strict=True)
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        peak(*sys.argv[2:])
    elif sys.argv[1:] == ["memory"]:
        memory()
    else:
        main()
