"""Are scale and errors of a total-scattering reduction honest? Simulated patterns with known truths.

python studies/reduction_coverage.py [--patterns 8]

Glasses and crystals of ten compositions; each pattern has a scale, background, fluorescence and noise drawn
at random, and what the row of the table adds. The table says how often the truth lies within one and two
stated standard errors, and how far the scale of G(r) is off. SIMULATED data.
"""

import argparse
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.io import read
from ase.spacegroup import crystal
from numpy.polynomial.chebyshev import chebval

from shortrange.atoms import mean_form_factors
from shortrange.quantities import IQ, Trajectory
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.scattering_corrections import (
    absorption_factor,
    correct_pattern,
    polarisation_factor,
    two_theta,
)
from shortrange.reduce.scattering_terms import compton_intensity
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.units import HC

STRUCTURES = Path(__file__).parent / "structures"
R = np.arange(0.05, 10.0, 0.05)


def unit_cells() -> dict[str, Atoms]:
    """Crystals from which the samples are made."""
    cubic = [90.0, 90.0, 90.0]
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((3, 3, 3))
    mixed = salt.copy()
    mixed.symbols[::12] = "Ta"
    return {
        "Ni": bulk("Ni", "fcc", a=3.524, cubic=True).repeat((3, 3, 3)),
        "C": bulk("C", "diamond", a=3.567, cubic=True).repeat((4, 4, 4)),
        "Si": bulk("Si", "diamond", a=5.431, cubic=True).repeat((3, 3, 3)),
        "NaCl": salt,
        "NaCl with Ta": mixed,
        "Na2S": crystal(["Na", "S"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225,
                        cellpar=[6.526] * 3 + cubic).repeat((3, 3, 3)),
        "CeO2": crystal(["Ce", "O"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225,
                        cellpar=[5.411] * 3 + cubic).repeat((3, 3, 3)),
        "SiO2": crystal(["Si", "O"], [(0.3, 0.3, 0), (0.2392, 0.1044, 0.1787)], spacegroup=92,
                        cellpar=[4.971, 4.971, 6.928, *cubic]).repeat((3, 3, 2)),
        "NaTaCl6": read(STRUCTURES / "NaTaCl6_P21c_32_l3i5.extxyz").repeat((3, 3, 1)),
        "BaTiO3": crystal(["Ba", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221,
                          cellpar=[4.0] * 3 + cubic).repeat((4, 4, 4)),
    }  # fmt: skip


ORDER = {"Ni": (0.08, 25.0), "CeO2": (0.08, 15.0), "NaCl": (0.14, 10.0)}
"""Thermal displacement and range of order, angstrom; a glass of (0.11, 4.5) elsewhere."""


@cache
def sample(name: str, seed: int = 0) -> PairHistograms:
    """Pairs of a crystal with random displacements, whose order dies out as a Gaussian in r.

    That is a convolution of S(Q), as of a coarse resolution: no intensity becomes negative by it.
    """
    atoms = unit_cells()[name]
    shake, reach = ORDER.get(name, (0.11, 4.5))
    positions = atoms.positions + np.random.default_rng(seed).normal(0, shake, (6, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], 6, axis=0)
    frames = Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)
    pairs = pair_histograms(frames, r_max=max(16.0, 3.0 * reach))
    order = (pairs.counts - pairs.ideal()) * np.exp(-0.5 * (pairs.r / reach) ** 2)
    return replace(pairs, counts=(pairs.ideal() + order).astype(np.float32))


@dataclass(frozen=True)
class Setting:
    """How patterns are made and reduced.

    ``noise`` is relative, at the median intensity; ``smooth`` the size of each of three Chebyshev terms of a
    multiplicative error; ``empty`` the level of the container's scattering relative to the sample's.
    """

    noise: float = 1e-3
    smooth: float = 0.0
    empty: float = 1.0
    fluorescence: float = 0.3
    q_range: tuple[float, float] = (0.8, 22.0)
    wavelength: float = 0.2
    compton_spread: float = 0.0
    mu_r: float = 0.0
    polarised: bool = False
    density_given: bool = True
    sigma_given: bool = True


def pattern(pairs: PairHistograms, seed: int, how: Setting) -> tuple[IQ, IQ | None, dict[str, float]]:
    """Pattern of the sample, of its container, and what they were made with."""
    rng = np.random.default_rng(seed)
    q = np.arange(how.q_range[0] - 0.2, how.q_range[1] + 0.6, 0.02)
    energy = HC / how.wavelength
    f_q = PdfModel(pairs, np.array([1.0, 2.0]), q[-1], energy=energy).structure(q)
    squared, mean = mean_form_factors(pairs.species, q, energy=energy)
    compton = compton_intensity(pairs.species, q, wavelength=how.wavelength)
    level = float(np.median(mean))
    truth = {
        "scale": float(np.exp(rng.uniform(-3, 3))),
        "compton_scale": float(np.clip(rng.normal(1.0, how.compton_spread), 0.2, 1.8)),
    }
    x = 2.0 * (q - how.q_range[0]) / (how.q_range[1] - how.q_range[0]) - 1.0
    p = 1.0 / (1.0 + chebval(x, [0.0, *(how.smooth * rng.normal(size=3))]))
    angle = two_theta(q, how.wavelength)
    own = p * (mean + squared * f_q / q + truth["compton_scale"] * compton)
    fluorescence = how.fluorescence * level * rng.uniform(0.3, 1.5)
    total = (own + fluorescence) * absorption_factor(angle, mu_r=how.mu_r)
    container = how.empty * level * (
        0.6 + 2.0 * np.exp(-(((q - 1.55) / 0.45) ** 2)) + 1.2 * np.exp(-q / 5)
        + 0.35 * np.exp(-(((q - 5.1) / 0.9) ** 2)) + 0.1 * np.cos(1.6 * q) * np.exp(-q / 12)
    )  # fmt: skip
    if how.empty:
        truth["background_scale"] = rng.uniform(0.7, 1.3)
        total = total + truth["background_scale"] * container
    tilt = polarisation_factor(angle, degree=0.0) if how.polarised else 1.0
    total, container = truth["scale"] * tilt * total, truth["scale"] * tilt * container
    truth["fluorescence"] = truth["scale"] * fluorescence
    size = how.noise * np.sqrt(np.median(total))

    def counted(intensity: np.ndarray) -> IQ:
        sigma = size * np.sqrt(intensity)
        made = intensity + sigma * rng.normal(size=q.size)
        return IQ(q=q, intensity=made, sigma=sigma if how.sigma_given else None, wavelength=how.wavelength)

    return counted(total), counted(container) if how.empty else None, truth


def reduce(pairs: PairHistograms, seed: int, how: Setting) -> tuple[ScatteringReduction, dict[str, float]]:
    """Make one pattern and reduce it."""
    measured, container, truth = pattern(pairs, seed, how)
    angular = {"polarisation": 0.0 if how.polarised else None, "mu_r": how.mu_r}
    reduction = reduce_scattering(
        correct_pattern(measured, **angular),
        background=None if container is None else correct_pattern(container, **angular),
        composition=pairs.species, number_density=pairs.number_density if how.density_given else None,
        q_range=how.q_range, r=R,
    )  # fmt: skip
    if not how.density_given:
        truth["number_density"] = pairs.number_density
    return reduction, truth


def pulls(
    pairs: PairHistograms, truth: dict[str, float], reduction: ScatteringReduction, wavelength: float
) -> tuple[dict[str, float], np.ndarray, float]:
    """(found - true) / sigma of the unknowns and of G(r), and the scale of G."""
    z = {
        name: (getattr(reduction, name).value - value) / getattr(reduction, name).sigma
        for name, value in truth.items()
    }
    gr = reduction.gr
    far = (gr.r > 1.15 * reduction.r_cut) & (gr.r < 8.0)
    true = PdfModel(pairs, gr.r, float(gr.q_max), float(gr.q_min), energy=HC / wavelength)()[far]
    scale = float(gr.g[far] @ true / (true @ true))
    slope = true / (true @ true)
    z["scale of G"] = (scale - 1.0) / float(np.sqrt(slope @ gr.cov[np.ix_(far, far)] @ slope))
    return z, (gr.g[far] - true) / gr.sigma[far], scale


def study(title: str, how: Setting, *, patterns: int) -> None:
    """Print one block of the table."""
    collected: dict[str, list[float]] = {}
    every, scales = [], []
    for name in unit_cells():
        pairs = sample(name)
        for seed in range(1000, 1000 + patterns):
            reduction, truth = reduce(pairs, seed, how)
            z, z_g, scale = pulls(pairs, truth, reduction, how.wavelength)
            for key, value in z.items():
                collected.setdefault(key, []).append(value)
            every.append(z_g)
            scales.append(scale)
    error = np.abs(np.array(scales) - 1.0)
    print(f"{title}: scale of G off by {error.mean():.2%} (median {np.median(error):.2%}, most "
          f"{error.max():.2%})")  # fmt: skip
    for key, values in [("G(r) beyond r_cut", np.concatenate(every)), *collected.items()]:
        size = np.abs(values)
        print(f"  {key:18s} within 1 sigma {np.mean(size < 1):4.0%}  2 sigma {np.mean(size < 2):4.0%}  "
              f"rms pull {np.sqrt(np.mean(size**2)):.2f}")  # fmt: skip


BLOCKS = {
    "noise 3e-3": Setting(noise=3e-3),
    "noise 1e-3": Setting(),
    "noise 3e-4": Setting(noise=3e-4),
    "noise 1e-4": Setting(noise=1e-4),
    "noise 1e-3, not stated": Setting(sigma_given=False),
    "density fitted": Setting(density_given=False),
    "q_max 16, no container": Setting(q_range=(0.8, 16.0), empty=0.0),
    "q_min 0.5, q_max 26": Setting(q_range=(0.5, 26.0)),
    "weak sample, strong fluorescence": Setting(empty=4.0, fluorescence=2.0),
    "absorption and polarisation, corrected": Setting(mu_r=0.6, polarised=True),
    "Compton 1 +- 0.2": Setting(compton_spread=0.2),
    "smooth error 0.3 %": Setting(smooth=0.003),
    "smooth error 1 %": Setting(smooth=0.01),
    "smooth error 1 %, density fitted": Setting(smooth=0.01, density_given=False),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patterns", type=int, default=8, help="of each composition")
    n = parser.parse_args().patterns
    for title, how in BLOCKS.items():
        study(title, how, patterns=n)


if __name__ == "__main__":
    main()
