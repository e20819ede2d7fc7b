"""G(r) of snapshots: ours and diffpy.pdffit2, in the same run on the same machine.

python benchmarks/bench_pdf.py [--frames 1000]
"""

import argparse
import io
import time
from statistics import median

import numpy as np
from ase.build import bulk

from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel, simulate_gr

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


def seconds(call, repeats: int = 5) -> float:
    """Median wall time."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


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


def against_pdffit2(trajectory: Trajectory, repeats: int) -> float | None:
    """Its time, or None where its compiled part is not installed."""
    try:
        by_pdffit2(trajectory)
    except ImportError as error:
        print(f"diffpy.pdffit2 does not run here: {error}")
        return None
    return seconds(lambda: by_pdffit2(trajectory), repeats)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=1000)
    frames = parser.parse_args().frames
    start = time.perf_counter()
    ours(salt((2, 2, 4), 2))
    first = time.perf_counter() - start
    small, large, many = salt((2, 2, 4), 1), salt((5, 5, 5), 1), salt((2, 2, 4), frames)
    histograms = pair_histograms(many, r_max=21.0)
    model = PdfModel(histograms, np.arange(1.9, 7.0, 0.01), 23.0, 0.8)
    rows = [
        ("first call in this process (compiles if not cached)", first, None),
        ("1 frame x 128 atoms, counting alone", seconds(lambda: pair_histograms(small, workers=1)), None),
        ("1 frame x 128 atoms, G(r)", seconds(lambda: ours(small, 1)), against_pdffit2(small, 3)),
        ("1 frame x 1000 atoms, counting alone", seconds(lambda: pair_histograms(large, workers=1)), None),
        ("1 frame x 1000 atoms, G(r)", seconds(lambda: ours(large, 1)), against_pdffit2(large, 1)),
        (f"{frames} frames x 128 atoms, counting alone", seconds(lambda: pair_histograms(many), 3), None),
        (f"{frames} frames x 128 atoms, G(r) with error", seconds(lambda: ours(many), 3), None),
        ("one evaluation of PdfModel in a fit", seconds(lambda: model(stretch=1e-3, q_damp=0.03), 50), None),
    ]
    print(f"{'r <= 20 A, step 0.01 A, Qmax 24':52s} {'ours':>10s} {'pdffit2':>10s} {'ratio':>7s}")
    for name, mine, theirs in rows:
        other = "" if theirs is None else f"{theirs * 1e3:8.1f} ms {theirs / mine:6.0f} x"
        print(f"{name:52s} {mine * 1e3:7.2f} ms {other}")
    scaling()


def scaling() -> None:
    """Show that CPU time for each atom, and for each frame, does not grow with their number."""
    print("cost of counting to 21 A, CPU time of one thread")
    for edge in (3, 5, 11, 23):
        box = salt((edge, edge, edge), 1)
        cost = cpu_seconds(lambda box=box: pair_histograms(box, r_max=21.0, workers=1), 3 if edge < 12 else 1)
        print(f"  {box.n_atoms:7d} atoms: {cost * 1e3:9.2f} ms, {cost / box.n_atoms * 1e6:6.2f} us an atom")
    for frames in (10, 100, 1000):
        run = salt((2, 2, 4), frames)
        cost = cpu_seconds(lambda run=run: pair_histograms(run, r_max=21.0, workers=1), 1)
        print(
            f"  {frames:7d} frames of 128 atoms: {cost * 1e3:9.2f} ms, {cost / frames * 1e3:6.3f} ms a frame"
        )


def cpu_seconds(call, repeats: int) -> float:
    """Least CPU time."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
