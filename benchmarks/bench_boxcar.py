"""Box-car refinement of two phases: ours and diffpy.pdffit2, in the same run on the same machine.

python benchmarks/bench_boxcar.py [--large]
"""

import argparse
import io
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from shortrange.crystal import Crystal
from shortrange.fit.boxcar import boxcar
from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import crystal_pdf

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
R = np.arange(1, 3001) * 0.01
Q_MAX, Q_DAMP = 24.0, 0.03
FREE = ("scale", "cell", "u_iso")


def crystal(lattice, system, species, positions, u_iso, occupancies=None) -> Crystal:
    """Crystal of one common U."""
    n = len(species)
    return Crystal(
        lattice=lattice, species=species, positions=positions, u_iso=np.full(n, u_iso), system=system,
        occupancies=np.ones(n) if occupancies is None else occupancies,
    )  # fmt: skip


def cubic_phases(wrong: float = 0.0) -> dict[str, Crystal]:
    """Nickel and its oxide, lattices ``wrong`` by that part."""
    a, b = 3.53 * (1 + wrong), 4.185 * (1 + wrong)
    return {
        "Ni": crystal((a, a, a, 90, 90, 90), "cubic", ("Ni",) * 4, FCC, 0.005),
        "NiO": crystal(
            (b, b, b, 90, 90, 90), "cubic", ("Ni",) * 4 + ("O",) * 4, np.vstack([FCC, FCC + 0.5]), 0.007
        ),
    }  # fmt: skip


def halide_phases(wrong: float = 0.0) -> dict[str, Crystal]:
    """Make a UCl3-type chloride and a made-up monoclinic one of 96 atoms without further symmetry."""
    a, c = 7.47 * (1 + wrong), 4.195 * (1 + wrong)
    x, y = 0.3878, 0.3015
    ring = [(x, y, 0.25), (-y, x - y, 0.25), (y - x, -x, 0.25)]
    chlorine = [*ring, *((-p, -q, 0.75) for p, q, _ in ring)]
    metal = [(1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75)]
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in (4, 4, 6)), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    positions = grid + rng.normal(0, 0.015, grid.shape)
    species = tuple(("Ta", "Na", *("Cl",) * 6)[i % 8] for i in range(96))
    lattice = (13.4 * (1 + wrong), 14.2 * (1 + wrong), 19.8 * (1 + wrong), 90, 90.7, 90)
    return {
        "UCl3": crystal(
            (a, a, c, 90, 90, 120), "hexagonal", ("Sm",) * 2 + ("Cl",) * 6, [*metal, *chlorine], 0.02
        ),
        "NaTaCl6": crystal(lattice, "monoclinic", species, positions, 0.02),
    }  # fmt: skip


def simulated(phases: dict[str, Crystal]) -> GR:
    """0.65 and 0.35 of the two phases with noise, SIMULATED."""
    g = np.zeros(R.size)
    for scale, phase in zip((0.65, 0.35), phases.values(), strict=True):
        model = crystal_pdf(phase, r_max=float(R[-1]))
        g += scale * model.curve(model.start, R, q_max=Q_MAX)
    g *= np.exp(-0.5 * (Q_DAMP * R) ** 2)
    g += np.random.default_rng(1).normal(0, 0.03, R.size)
    return GR(r=R, g=g, sigma=np.full(R.size, 0.03), q_min=0.0, q_max=Q_MAX, q_damp=Q_DAMP, label="simulated")


def ours(data: GR, phases: dict[str, Crystal], *, trend: bool = False):
    """Twenty windows of 6 angstrom."""
    return boxcar(data, phases, r_range=(2.0, 27.0), window=6.0, free=FREE, shared=(), trend=trend)


def by_pdffit2(data: GR, phases: dict[str, Crystal], window: tuple[float, float]) -> list[float]:
    """One window with the same free parameters; constant form factors."""
    from diffpy.pdffit2 import PdfFit, redirect_stdout
    from diffpy.structure import Atom, Lattice, Structure

    redirect_stdout(io.StringIO())
    engine = PdfFit()
    for phase in phases.values():
        atoms = [Atom(e, x, Uisoequiv=0.006) for e, x in zip(phase.species, phase.positions, strict=True)]
        engine.add_structure(Structure(atoms, lattice=Lattice(*phase.lattice)))
    engine.read_data_lists("X", Q_MAX, Q_DAMP, list(data.r), list(data.g))
    engine.pdfrange(1, *window)
    number = 0
    for k, phase in enumerate(phases.values(), start=1):
        engine.setphase(k)
        groups = {"cubic": ["123"], "hexagonal": ["12", "3"], "monoclinic": ["1", "2", "3", "5"]}[
            phase.system
        ]
        for group in groups:
            number += 1
            for place in group:
                engine.constrain(f"lat({place})", f"@{number}")
            engine.setpar(number, phase.lattice[int(group[0]) - 1])
        number += 1
        engine.constrain("pscale", f"@{number}")
        engine.setpar(number, 0.5)
        number += 1
        for i in range(1, len(phase.species) + 1):
            for axis in (11, 22, 33):
                engine.constrain(f"u{axis}({i})", f"@{number}")
        engine.setpar(number, 0.006)
    engine.refine()
    return [engine.getpar(i) for i in range(1, number + 1)]


def clock(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(name: str, make: Callable[..., dict[str, Crystal]], theirs: list[tuple[float, float]]) -> None:
    """Print one line; of their windows only some are timed, and their mean is taken for all twenty."""
    data, start = simulated(make()), make(-0.002)
    ours(data, start)
    times = [clock(lambda: ours(data, start)) for _ in range(5)]
    wall, cpu = (median(t[k] for t in times) for k in range(2))
    print(f"{name}: 20 windows of 6 A")
    print(f"  shortrange        {wall:8.2f} s wall {cpu:8.2f} s processor")
    whole = clock(lambda: ours(data, start, trend=True))
    print(f"  with all at once  {whole[0]:8.2f} s wall {whole[1]:8.2f} s processor")
    try:
        spent = [clock(lambda w=w: by_pdffit2(data, start, w)) for w in theirs]
    except ImportError as error:
        print(f"  diffpy.pdffit2 does not run here: {error}")
        return
    all_wall, all_cpu = (20 * float(np.mean([t[k] for t in spent])) for k in range(2))
    note = "" if len(theirs) == 20 else f" (20 x the mean of {len(theirs)} windows)"
    print(f"  diffpy.pdffit2    {all_wall:8.2f} s wall {all_cpu:8.2f} s processor{note}")
    print(f"  ratio             {all_wall / wall:8.0f}        {all_cpu / cpu:8.0f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true", help="also a monoclinic phase of 96 atoms (minutes)")
    large = parser.parse_args().large
    compare("Ni and NiO", cubic_phases, [(2.0 + k, 8.0 + k) for k in range(20)])
    if large:
        compare("UCl3 type and 96 atoms, monoclinic", halide_phases, [(2.0, 8.0), (12.0, 18.0)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the whole run: {peak:.0f} MB")


if __name__ == "__main__":
    main()
