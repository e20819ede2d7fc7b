"""I(Q) to G(r): ours, and LiquidDiffract's Krogh-Moe-Norman normalisation where it is installed.

python benchmarks/bench_reduce_pdf.py [--patterns 1000]

Set OMP_NUM_THREADS=1: the matrices are small, and threads that wait for each other cost more than they bring.
"""

import argparse
import time
from statistics import median

import numpy as np

from shortrange.atoms import compton, mean_form_factors
from shortrange.quantities import IQ
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.scattering_batch import reduce_patterns

WAVELENGTH = 0.25
COMPOSITION = {"Na": 1, "Ta": 1, "Cl": 6}
RHO = 0.033
Q = np.arange(0.6, 23.0, 0.015)
R = 0.02 * np.arange(1, 1001)


def pattern(seed: int) -> IQ:
    """Octahedra and nothing else, with Compton scattering and fluorescence (simulated)."""
    squared, mean = mean_form_factors(COMPOSITION, Q)
    total = sum(COMPOSITION.values())
    bound = sum(n / total * compton(symbol, Q) for symbol, n in COMPOSITION.items())
    order = 1.7 * np.sinc(Q * 2.36 / np.pi) * np.exp(-0.004 * Q**2)
    own = 0.7 * (mean + squared * order + bound) + 5.0
    noise = np.random.default_rng(seed).normal(size=Q.size)
    return IQ(q=Q, intensity=own * (1 + 1e-3 * noise), sigma=1e-3 * own)


def settings() -> dict:
    """Of all reductions here."""
    return {
        "composition": COMPOSITION, "number_density": RHO, "wavelength": WAVELENGTH, "q_range": (0.8, 22.5),
        "r": R,
    }  # fmt: skip


def by_liquiddiffract(iq: IQ) -> np.ndarray:
    """S(Q) and its transform; Compton subtracted, scale by Krogh-Moe and Norman; no errors."""
    from LiquidDiffract.core import core

    # Atomic number, charge, atoms in the formula.
    formula = {"Na": (11, 0, 1), "Ta": (73, 0, 1), "Cl": (17, 0, 6)}
    q = np.arange(0.8, 22.5, 0.015)
    s = core.calc_structure_factor(q, np.interp(q, iq.q, iq.intensity), formula, RHO, method="faber-ziman")
    return core.calc_correlation_func(q, s - 1.0, RHO, function="density_func")


def seconds(call, repeats: int) -> float:
    """Median wall time."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patterns", type=int, default=1000)
    n = parser.parse_args().patterns
    iq = pattern(0)
    start = time.perf_counter()
    reduce_scattering(iq, **settings())
    rows = [("first reduction in this process", time.perf_counter() - start)]
    rows.append(
        (
            "one reduction, 1450 Q x 1000 r, covariance",
            seconds(lambda: reduce_scattering(iq, **settings()), 15),
        )
    )
    try:
        rows.append(("LiquidDiffract, no errors", seconds(lambda: by_liquiddiffract(iq), 5)))
    except Exception as error:  # a peer that does not run is no fault of ours
        print(f"LiquidDiffract does not run here: {type(error).__name__}: {error}")
    few = [pattern(seed) for seed in range(20)]
    start = time.perf_counter()
    good = sum(
        isinstance(result, ScatteringReduction)
        for result in reduce_patterns((few[k % 20] for k in range(n)), **settings())
    )
    rows.append(
        (f"{good} of {n} patterns, standard errors only, all processors", time.perf_counter() - start)
    )
    for name, time_taken in rows:
        print(f"{name:60s} {time_taken * 1e3:10.1f} ms")


if __name__ == "__main__":
    main()
