"""Are the errors of a total-scattering reduction honest? Simulated patterns with known truths.

python studies/reduction_coverage.py [--patterns 200]

Each pattern is made from a disordered salt with a scale, Compton factor, fluorescence, container, smooth
error and noise drawn at random from the ranges that the reduction assumes, then reduced; the table says how
often the truth lies within one and two stated standard errors. SIMULATED data.
"""

import argparse
from dataclasses import replace

import numpy as np
from ase.build import bulk
from numpy.polynomial.chebyshev import chebval

from shortrange.atoms import mean_form_factors
from shortrange.quantities import IQ, Trajectory
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.scattering_fit import compton_intensity
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.units import HC

WAVELENGTH = 0.251
Q_RANGE = (0.8, 22.0)
R = np.arange(0.05, 10.0, 0.05)


def sample(seed: int) -> PairHistograms:
    """Pairs of a glassy salt of Na, Ta and Cl whose order dies out."""
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((3, 3, 3))
    atoms.symbols[::12] = "Ta"
    rng = np.random.default_rng(seed)
    positions = atoms.positions + rng.normal(0, rng.uniform(0.1, 0.2), (10, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], 10, axis=0)
    frames = Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)
    crystal = pair_histograms(frames, r_max=16.0)
    order = (crystal.counts - crystal.ideal()) * np.exp(-0.5 * (crystal.r / 4.5) ** 2)
    return replace(crystal, counts=(crystal.ideal() + order).astype(np.float32))


def pattern(
    salt: PairHistograms, rng: np.random.Generator, *, smooth: float, noise: float
) -> tuple[IQ, IQ, dict[str, float]]:
    """Pattern of the sample, of its container, and what they were made with."""
    q = np.arange(0.6, 23.0, 0.02)
    energy = HC / WAVELENGTH
    truth = {
        "scale": rng.uniform(0.3, 3.0),
        "compton_scale": float(np.clip(rng.normal(1.0, 0.3), 0.2, 1.8)),
        "fluorescence": rng.uniform(0.0, 15.0),
        "background_scale": rng.uniform(0.7, 1.3),
    }
    f_q = PdfModel(salt, np.array([1.0, 2.0]), 23.0, energy=energy).structure(q)
    squared, mean = mean_form_factors(salt.species, q, energy=energy)
    compton = compton_intensity(salt.species, q, wavelength=WAVELENGTH)
    x = 2.0 * (q - Q_RANGE[0]) / (Q_RANGE[1] - Q_RANGE[0]) - 1.0
    p = 1.0 / (1.0 + chebval(x, [0.0, *(smooth * rng.normal(size=3))]))
    own = truth["scale"] * p * (mean + squared * f_q / q + truth["compton_scale"] * compton)
    empty = 3 + 20 * np.exp(-(((q - 1.6) / 0.5) ** 2)) + 10 * np.exp(-q / 6)
    total = own + truth["fluorescence"] + truth["background_scale"] * empty
    sigma = noise * total
    measured = IQ(q=q, intensity=total + sigma * rng.normal(size=q.size), sigma=sigma)
    container = IQ(q=q, intensity=empty * (1 + noise * rng.normal(size=q.size)), sigma=noise * empty)
    return measured, container, truth


def pulls(
    salt: PairHistograms, truth: dict[str, float], reduction: ScatteringReduction
) -> tuple[dict[str, float], np.ndarray, float]:
    """(found - true) / sigma of the unknowns and of G(r), and the scale of G."""
    z = {
        name: (getattr(reduction, name).value - value) / getattr(reduction, name).sigma
        for name, value in truth.items()
    }
    gr = reduction.gr
    true = PdfModel(salt, gr.r, float(gr.q_max), float(gr.q_min), energy=HC / WAVELENGTH)()
    far = (gr.r > 2.0) & (gr.r < 8.0)
    scale = float(gr.g[far] @ true[far] / (true[far] @ true[far]))
    return z, (gr.g[far] - true[far]) / gr.sigma[far], scale


def study(patterns: int, *, smooth: float, noise: float, fitted_density: bool = False) -> None:
    """Print one block of the table."""
    salts = [sample(seed) for seed in range(5)]
    collected: dict[str, list[float]] = {}
    g, scales = [], []
    for n in range(patterns):
        rng = np.random.default_rng(1000 + n)
        salt = salts[n % len(salts)]
        measured, container, truth = pattern(salt, rng, smooth=smooth, noise=noise)
        reduction = reduce_scattering(
            measured, background=container, composition=salt.species,
            number_density=None if fitted_density else salt.number_density, wavelength=WAVELENGTH,
            q_range=Q_RANGE, r=R,
        )  # fmt: skip
        z, z_g, scale = pulls(salt, truth, reduction)
        for name, value in z.items():
            collected.setdefault(name, []).append(value)
        g.append(z_g)
        scales.append(scale)
    print(f"smooth error {smooth:g}, noise {noise:g}, density {'fitted' if fitted_density else 'given'}")
    for name, values in [*collected.items(), ("G(r), 2 to 8 A", np.concatenate(g))]:
        size = np.abs(values)
        print(f"  {name:18s} within 1 sigma {np.mean(size < 1):5.1%}  2 sigma {np.mean(size < 2):5.1%}  "
              f"mean pull {np.mean(values):+.2f}")  # fmt: skip
    print(f"  scale of G {np.mean(scales):.4f} +- {np.std(scales):.4f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patterns", type=int, default=200)
    n = parser.parse_args().patterns
    study(n, smooth=0.0, noise=3e-4)
    study(n, smooth=0.0, noise=3e-3)
    study(n, smooth=0.01, noise=1e-3)
    study(n, smooth=0.0, noise=1e-3, fitted_density=True)


if __name__ == "__main__":
    main()
