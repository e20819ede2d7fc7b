"""Are scale and errors of a total-scattering reduction honest? Simulated patterns with known truths.

python studies/reduction_coverage.py [--set fresh] [--patterns 8] [--block "noise 1e-4"]

Crystals and glasses, each pattern with a scale, background, fluorescence and noise drawn at random, and what
the row of the table adds. The table says how often the truth lies within one and two stated standard errors,
and how far the scale of G(r) is off. SIMULATED data.

Sets of samples are kept apart. Settings of the reduction were chosen while looking at samples of the
compositions of the set "tuned". The set "held-out" showed what a single width of the prior of Compton
scattering does, and "fresh" chose between two priors; both have had new seeds whenever something was changed
since. The set "unseen" chose nothing.

Crystals are broadened as by a diffractometer. Glasses are soft spheres packed at random, at the contact
distances below; they too are structures of atoms, so that no S(Q) is negative and G(r) follows its line
-4 pi rho0 r at low r. (A crystal whose order a Gaussian of 4.5 angstrom cuts off, which stood for glasses
before, leaves that line by 7 per cent, as no sample does.)
"""

import argparse
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.spacegroup import crystal
from numpy.polynomial.chebyshev import chebval

from shortrange.atoms import atomic_number, mean_form_factors, parse_composition
from shortrange.errors import DataError
from shortrange.quantities import IQ, Trajectory
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.scattering_corrections import (
    absorption_factor,
    correct_pattern,
    polarisation_factor,
    two_theta,
)
from shortrange.reduce.scattering_fit import COMPTON_WIDTHS, SMOOTH_SIZES
from shortrange.reduce.scattering_terms import compton_intensity
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.units import HC

R = np.arange(0.05, 10.0, 0.05)
RESOLUTION = 18.0  # angstrom: range over which a diffractometer sees correlations


@dataclass(frozen=True)
class Crystal:
    """A cubic crystal and how far its atoms shake, angstrom."""

    atoms: Atoms
    shake: float


@dataclass(frozen=True)
class Glass:
    """Soft spheres: atoms of each element, atoms per cubic angstrom, contact distances of some pairs."""

    formula: str
    density: float
    contacts: str = ""


def cubic(symbols: list[str], sites: list[tuple[float, float, float]], group: int, a: float) -> Atoms:
    """Supercell of a cubic structure."""
    cell = crystal(symbols, sites, spacegroup=group, cellpar=[a] * 3 + [90.0] * 3)
    return cell.repeat(3 if len(cell) > 4 else 4)


ORIGIN, QUARTER, HALF = (0, 0, 0), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5)
CHLORIDE = "Ta-Cl 2.38 Na-Cl 2.75 Cl-Cl 3.4 Na-Na 3.8 Na-Ta 3.8 Ta-Ta 5.0"
SETS: dict[str, dict[str, Crystal | Glass]] = {
    "tuned": {
        "Ni": Crystal(cubic(["Ni"], [ORIGIN], 225, 3.524), 0.08),
        "NaCl": Crystal(cubic(["Na", "Cl"], [ORIGIN, HALF], 225, 5.64), 0.14),
        "CeO2": Crystal(cubic(["Ce", "O"], [ORIGIN, QUARTER], 225, 5.411), 0.08),
        "C": Glass("C", 0.15),
        "Si": Glass("Si", 0.0499),
        "Na2S": Glass("Na2S", 0.0432),
        "Na4TaCl6": Glass("Na4TaCl6", 0.040, CHLORIDE),
        "SiO2": Glass("SiO2", 0.0661, "Si-O 1.63 O-O 2.65 Si-Si 3.05"),
        "NaTaCl6": Glass("NaTaCl6", 0.0335, CHLORIDE),
        "BaTiO3": Glass("BaTiO3", 0.072, "Ti-O 1.93 Ba-O 2.75 O-O 2.75 Ba-Ti 3.4 Ba-Ba 3.9 Ti-Ti 3.5"),
    },
    "held-out": {
        "Ag": Crystal(cubic(["Ag"], [ORIGIN], 225, 4.086), 0.10),
        "MgO": Crystal(cubic(["Mg", "O"], [ORIGIN, HALF], 225, 4.212), 0.06),
        "CdSe": Crystal(cubic(["Cd", "Se"], [ORIGIN, QUARTER], 216, 6.05), 0.12),
        "KBr": Crystal(cubic(["K", "Br"], [ORIGIN, HALF], 225, 6.60), 0.16),
        "Ge": Glass("Ge", 0.0445),
        "GeO2": Glass("GeO2", 0.063, "Ge-O 1.74 O-O 2.84 Ge-Ge 3.2"),
        "As2Se3": Glass("As2Se3", 0.0355, "As-Se 2.41 As-As 3.5 Se-Se 3.5"),
        "Na2TaCl5S": Glass("Na2TaCl5S", 0.0335, CHLORIDE + " Ta-S 2.47 Na-S 2.8 S-S 3.6 S-Cl 3.5"),
        "Na3LaCl6": Glass("Na3LaCl6", 0.036, "La-Cl 2.85 Na-Cl 2.8 Cl-Cl 3.4 Na-La 4.0 La-La 4.5 Na-Na 3.7"),
        "Al2O3": Glass("Al2O3", 0.093, "Al-O 1.80 O-O 2.75 Al-Al 3.1"),
    },
    "fresh": {
        "Cu": Crystal(cubic(["Cu"], [ORIGIN], 225, 3.615), 0.09),
        "LiF": Crystal(cubic(["Li", "F"], [ORIGIN, HALF], 225, 4.026), 0.11),
        "CaF2": Crystal(cubic(["Ca", "F"], [ORIGIN, QUARTER], 225, 5.463), 0.10),
        "CsCl": Crystal(cubic(["Cs", "Cl"], [ORIGIN, HALF], 221, 4.123), 0.18),
        "B2O3": Glass("B2O3", 0.078, "B-O 1.37 O-O 2.38 B-B 2.5"),
        "GeSe2": Glass("GeSe2", 0.0334, "Ge-Se 2.36 Se-Se 3.8 Ge-Ge 3.5"),
        "Li3PS4": Glass("Li3PS4", 0.0485, "P-S 2.04 Li-S 2.45 S-S 3.35 Li-Li 3.2 Li-P 3.1 P-P 5.0"),
        "Li3YCl6": Glass("Li3YCl6", 0.041, "Y-Cl 2.63 Li-Cl 2.57 Cl-Cl 3.6 Li-Li 3.3 Li-Y 3.7 Y-Y 5.0"),
        "NaNbCl6": Glass("NaNbCl6", 0.0335, "Nb-Cl 2.35 Na-Cl 2.75 Cl-Cl 3.4 Na-Na 3.8 Na-Nb 3.8 Nb-Nb 5.0"),
        "ZrCu": Glass("ZrCu", 0.0575, "Zr-Cu 2.75 Cu-Cu 2.55 Zr-Zr 3.15"),
    },
    "unseen": {
        "Pt": Crystal(cubic(["Pt"], [ORIGIN], 225, 3.924), 0.06),
        "KI": Crystal(cubic(["K", "I"], [ORIGIN, HALF], 225, 7.066), 0.16),
        "InSb": Crystal(cubic(["In", "Sb"], [ORIGIN, QUARTER], 216, 6.479), 0.11),
        "ThO2": Crystal(cubic(["Th", "O"], [ORIGIN, QUARTER], 225, 5.597), 0.07),
        "CsBr": Crystal(cubic(["Cs", "Br"], [ORIGIN, HALF], 221, 4.295), 0.17),
        "ZnCl2": Glass("ZnCl2", 0.0363, "Zn-Cl 2.29 Cl-Cl 3.7 Zn-Zn 3.75"),
        "P2O5": Glass("P2O5", 0.071, "P-O 1.55 O-O 2.5 P-P 3.0"),
        "As2S3": Glass("As2S3", 0.0392, "As-S 2.27 S-S 3.4 As-As 3.45"),
        "Na2ZrCl6": Glass(
            "Na2ZrCl6", 0.0345, "Zr-Cl 2.48 Na-Cl 2.75 Cl-Cl 3.4 Na-Na 3.8 Na-Zr 3.8 Zr-Zr 5.0"
        ),
        "Fe4B": Glass("Fe4B", 0.095, "Fe-Fe 2.5 Fe-B 2.1 B-B 3.0"),
    },
}
"""Samples, by set."""


def packed(glass: Glass, rng: np.random.Generator, *, n: int = 160) -> Atoms:
    """Pack about ``n`` soft spheres at random and relax them."""
    amounts = parse_composition(glass.formula)
    total = sum(amounts.values())
    symbols = [symbol for symbol, amount in amounts.items() for _ in range(round(n * amount / total))]
    side = (len(symbols) / glass.density) ** (1.0 / 3.0)
    words = glass.contacts.split()
    known = {frozenset(pair.split("-")): float(r) for pair, r in zip(words[::2], words[1::2], strict=True)}

    def contact(a: str, b: str) -> float:
        radii = sum(covalent_radii[atomic_number(x)] for x in (a, b))
        return known.get(frozenset((a, b)), radii * (1.45 if a == b and len(amounts) > 1 else 1.0))

    reach = np.array([[contact(a, b) for b in symbols] for a in symbols])
    x = rng.uniform(0.0, side, (len(symbols), 3))
    velocity = np.zeros_like(x)
    for _ in range(220):
        apart = x[:, None] - x
        apart -= side * np.round(apart / side)
        r = np.sqrt(np.sum(apart**2, axis=-1))
        np.fill_diagonal(r, 1e3)
        push = np.clip(1.0 - r / reach, 0.0, None) / (reach * r)
        velocity = 0.8 * velocity + 0.25 * reach.mean() ** 2 * np.sum(push[..., None] * apart, axis=1)
        x = (x + np.clip(velocity, -0.3, 0.3)) % side
    return Atoms(symbols, positions=x, cell=[side] * 3, pbc=True)


@cache
def sample(which: str, name: str) -> PairHistograms:
    """Pairs of a sample as a diffractometer of finite resolution sees them: multiplied with a Gaussian in r.

    That is a convolution of S(Q): no intensity becomes negative by it.
    """
    rng = np.random.default_rng(sum(name.encode()))
    made = SETS[which][name]
    boxes = [made.atoms] * 6 if isinstance(made, Crystal) else [packed(made, rng) for _ in range(3)]
    shake = made.shake if isinstance(made, Crystal) else 0.07
    frames = Trajectory(
        species=tuple(boxes[0].get_chemical_symbols()),
        positions=np.array([box.positions + rng.normal(0, shake, box.positions.shape) for box in boxes]),
        cells=np.array([np.array(box.cell) for box in boxes]),
    )
    pairs = pair_histograms(frames, r_max=3.3 * RESOLUTION)
    order = (pairs.counts - pairs.ideal()) * np.exp(-0.5 * (pairs.r / RESOLUTION) ** 2)
    return replace(pairs, counts=(pairs.ideal() + order).astype(np.float32))


@dataclass(frozen=True)
class Setting:
    """How patterns are made and reduced.

    ``noise`` is relative, at the median intensity; ``smooth`` the size of each of three Chebyshev terms of a
    multiplicative error; ``empty`` the level of the container's scattering relative to the sample's.
    ``drawn`` replaces ``smooth`` and ``compton_spread`` by what the reduction thinks likely for each.
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
    drawn: bool = False


def pattern(pairs: PairHistograms, seed: int, how: Setting) -> tuple[IQ, IQ | None, dict[str, float]]:
    """Pattern of the sample, of its container, and what they were made with."""
    rng = np.random.default_rng(seed)
    if how.drawn:
        smooth, spread = (rng.choice(list(d), p=list(d.values())) for d in (SMOOTH_SIZES, COMPTON_WIDTHS))
        how = replace(how, smooth=smooth, compton_spread=spread)
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


def study(title: str, which: str, how: Setting, *, seeds: range) -> list[float]:
    """Print one block of the table; return the shares within 1 and 2 sigma of G(r) and of its scale."""
    block = list(BLOCKS).index(title)
    collected: dict[str, list[float]] = {}
    every, scales, held, refused = [], [], [], 0
    for number, name in enumerate(SETS[which]):
        pairs = sample(which, name)
        for seed in seeds:
            # No two samples share their noise, nor two blocks: what they have in common is no chance.
            try:
                reduction, truth = reduce(pairs, 10_000_000 * block + 100 * seed + number, how)
            except DataError:
                refused += 1
                continue
            z, z_g, scale = pulls(pairs, truth, reduction, how.wavelength)
            for key, value in z.items():
                collected.setdefault(key, []).append(value)
            every.append(z_g)
            scales.append(scale)
            low, high = reduction.scale.interval or (np.nan, np.nan)
            held.append(low < truth["scale"] < high)
    error = np.abs(np.array(scales) - 1.0)
    print(f"{title}: scale of G off by {error.mean():.2%} (median {np.median(error):.2%}, most "
          f"{error.max():.2%}), {refused} refused; "
          f"the interval of 95 % holds the scale in {np.mean(held):.0%}")  # fmt: skip
    shares = []
    for key, values in [("G(r) beyond r_cut", np.concatenate(every)), *collected.items()]:
        size = np.abs(values)
        if key in ("G(r) beyond r_cut", "scale of G"):
            shares += [float(np.mean(size < 1)), float(np.mean(size < 2))]
        print(f"  {key:18s} within 1 sigma {np.mean(size < 1):4.0%}  2 sigma {np.mean(size < 2):4.0%}  "
              f"rms pull {np.sqrt(np.mean(size**2)):.2f}", flush=True)  # fmt: skip
    return shares


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
    "Compton 1 +- 0.03": Setting(compton_spread=0.03),
    "smooth errors and Compton as expected": Setting(drawn=True),
}


FIRST_SEED = {"tuned": 0, "held-out": 23000, "fresh": 27000, "unseen": 31000}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=sorted(SETS), default="fresh")
    parser.add_argument("--patterns", type=int, default=8, help="of each composition")
    parser.add_argument("--block", choices=BLOCKS, help="only this one")
    given = parser.parse_args()
    first = FIRST_SEED[given.set]
    rows = [
        study(title, given.set, how, seeds=range(first, first + given.patterns))
        for title, how in BLOCKS.items()
        if given.block in (None, title)
    ]
    points, points_2, scale, scale_2 = np.mean(rows, axis=0)
    print(f"mean of {len(rows)} rows: G(r) within 1 sigma {points:.1%}, 2 sigma {points_2:.1%}; "
          f"scale of G {scale:.1%}, {scale_2:.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
