"""I(Q) to G(r): ours beside LiquidDiffract and midas-pdf, on the same simulated pattern of known scale.

python benchmarks/bench_reduce_pdf.py [--patterns 1000] [--midas PYTHON]

LiquidDiffract (PyPI) runs if it is installed here. midas-pdf (PyPI) brings torch: give the interpreter of an
environment that has it. Each peer gets what it needs (composition, density, a pattern without a container),
and its scale of G(r) is compared with the truth. Set OMP_NUM_THREADS=1: the matrices are small.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from statistics import median
from tempfile import NamedTemporaryFile

import numpy as np

from shortrange.atoms import compton, mean_form_factors
from shortrange.quantities import IQ
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.scattering_batch import reduce_patterns

WAVELENGTH = 0.25
COMPOSITION = {"Na": 1, "Ta": 1, "Cl": 6}
RHO = 0.033
SCALE = 0.7
Q = np.arange(0.6, 23.0, 0.015)
USED = (0.8, 22.5)
R = 0.02 * np.arange(1, 1001)
NEAR = (R > 1.8) & (R < 6.0)

MIDAS = """
import json, sys, time
import numpy as np
from midas_pdf.composition import Composition
from midas_pdf.refine import refine_normalization
import torch
torch.set_num_threads(1)
data = json.load(open(sys.argv[1]))
q, i, s, r = (np.array(data[k]) for k in ("q", "i", "s", "r"))
def run():
    return refine_normalization(
        q, i, Composition(data["atoms"]), r, wavelength_A=data["wavelength"], number_density=data["rho"],
        sigma_intensity=s, window="none", r_min_phys=1.5, init_scale=data["start"], steps=60)
run()
start, cpu = time.perf_counter(), time.process_time()
found = run()
print(json.dumps({"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu,
                  "g": np.asarray(found["G"].detach()).tolist()}))
"""


def order() -> np.ndarray:
    """S - 1 of octahedra and nothing else at ``Q``."""
    return 1.7 * np.sinc(Q * 2.36 / np.pi) * np.exp(-0.004 * Q**2)


def pattern(seed: int, *, fluorescence: float = 5.0) -> IQ:
    """Octahedra and nothing else, with Compton scattering and fluorescence (simulated)."""
    squared, mean = mean_form_factors(COMPOSITION, Q)
    total = sum(COMPOSITION.values())
    bound = sum(n / total * compton(symbol, Q) for symbol, n in COMPOSITION.items())
    own = SCALE * (mean + squared * order() + bound) + fluorescence
    noise = np.random.default_rng(seed).normal(size=Q.size)
    return IQ(q=Q, intensity=own * (1 + 1e-3 * noise), sigma=1e-3 * own)


def settings() -> dict:
    """Of all reductions here."""
    return {
        "composition": COMPOSITION, "number_density": RHO, "wavelength": WAVELENGTH, "q_range": USED, "r": R,
        "anomalous": False, "recoil_power": 0.0,
    }  # fmt: skip


def truth() -> np.ndarray:
    """G at ``R`` over the same range of Q."""
    inside = (USED[0] <= Q) & (USED[1] >= Q)
    q = Q[inside]
    return 2 / np.pi * np.trapezoid(q * order()[inside] * np.sin(np.outer(R, q)), q, axis=1)


def scale_of(g: np.ndarray) -> float:
    """Scale of G against the truth between 1.8 and 6 angstrom."""
    true = truth()[NEAR]
    return float(g[NEAR] @ true / (true @ true))


def by_liquiddiffract(iq: IQ) -> np.ndarray:
    """G by Krogh-Moe and Norman's normalisation; Compton subtracted; no errors, no fluorescence."""
    from LiquidDiffract.core import core

    # Atomic number, charge, atoms in the formula.
    formula = {"Na": (11, 0, 1), "Ta": (73, 0, 1), "Cl": (17, 0, 6)}
    q = np.arange(*USED, 0.015)
    s = core.calc_structure_factor(q, np.interp(q, iq.q, iq.intensity), formula, RHO, method="faber-ziman")
    # Its fast transform takes the first point for Q = 0.
    low = round(USED[0] / 0.015)
    whole = np.concatenate([np.zeros(low), s - 1.0])
    r, g = core.calc_correlation_func(0.015 * np.arange(whole.size), whole, RHO, function="density_func")
    return np.interp(R, r, g)


def by_midas(python: str, iq: IQ) -> dict:
    """G by midas-pdf's gradient descent on the same two conditions, with errors."""
    inside = (iq.q >= USED[0]) & (iq.q <= USED[1])
    data = {
        "q": iq.q[inside].tolist(), "i": iq.intensity[inside].tolist(), "s": iq.sigma[inside].tolist(),
        "r": R.tolist(), "atoms": COMPOSITION, "wavelength": WAVELENGTH, "rho": RHO, "start": 1.0,
    }  # fmt: skip
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        done = subprocess.run([python, "-c", MIDAS, file.name], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def seconds(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and processor time."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return median(wall), median(cpu)


def show(name: str, wall: float, cpu: float, g: np.ndarray | None = None) -> None:
    """Print one row."""
    scale = "" if g is None else f"   scale of G {scale_of(g):.3f}"
    print(f"{name:62s} {wall * 1e3:9.1f} ms wall {cpu * 1e3:9.1f} ms cpu{scale}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patterns", type=int, default=1000)
    parser.add_argument("--midas", help="python that has midas-pdf")
    given = parser.parse_args()
    iq, plain = pattern(0), pattern(0, fluorescence=0.0)
    ours = reduce_scattering(iq, **settings())
    show("ours, 1450 Q x 1000 r, with covariance",
         *seconds(lambda: reduce_scattering(iq, **settings()), 15), ours.gr.g)  # fmt: skip
    try:
        g = by_liquiddiffract(plain)
        show("LiquidDiffract, no errors; pattern without fluorescence",
             *seconds(lambda: by_liquiddiffract(plain), 5), g)  # fmt: skip
    except Exception as error:  # a peer that does not run is no fault of ours
        print(f"LiquidDiffract does not run here: {type(error).__name__}: {error}")
    if given.midas:
        try:
            found = by_midas(given.midas, iq)
            show("midas-pdf, 60 steps of L-BFGS, standard errors", found["wall"], found["cpu"],
                 np.array(found["g"]))  # fmt: skip
        except subprocess.CalledProcessError as error:
            told = error.stderr.strip().splitlines() or [f"it ended with status {error.returncode}"]
            print(f"midas-pdf does not run there: {told[-1]}")
    few = [pattern(seed) for seed in range(20)]
    start, used = time.perf_counter(), time.process_time()
    good = sum(
        isinstance(result, ScatteringReduction)
        for result in reduce_patterns((few[k % 20] for k in range(given.patterns)), **settings())
    )
    show(f"ours, {good} of {given.patterns} patterns, standard errors, one thread",
         time.perf_counter() - start, time.process_time() - used)  # fmt: skip


if __name__ == "__main__":
    main()
