"""Does the interval of a splitting cover the truth? Simulated white lines of many shapes, grids and noises.

python studies/edge_splitting.py [--spectra 600] [--seed 0]

Each spectrum is SIMULATED: two Voigt lines 2.4 to 3.6 eV apart, of unequal strength, on an arctan edge, on a
slightly uneven grid of 0.2 to 0.5 eV, with white noise of 3e-4 to 5e-3 of the edge step. The truth is the
distance of the two minima of the second derivative of the noise-free curve. A second spectrum with a larger
splitting and broader lines gives a difference.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.edge_splitting import compare_splittings, edge_splitting
from shortrange.reduce.normalise import EdgeRanges, Normalised

Array = NDArray[np.float64]
E0 = 9881.0
"""eV; the lines lie about 2 eV above."""


def white_line(
    energy: Array, *, splitting: float, ratio: float, gamma: float, sigma: float, height: float = 1.2
) -> Array:
    """Two Voigt lines (half width ``gamma``, resolution ``sigma``) on an arctan edge, energies in eV."""
    from scipy.special import wofz

    def line(centre: float) -> Array:
        z = (energy - centre + 1j * gamma) / (sigma * np.sqrt(2.0))
        return np.asarray(wofz(z).real / wofz(1j * gamma / (sigma * np.sqrt(2.0))).real)

    middle = E0 + 2.0
    edge = 0.5 + np.arctan((energy - E0 + 2.0) / (gamma + 0.5)) / np.pi
    low, high = line(middle - splitting / 2.0), line(middle + splitting / 2.0)
    return np.asarray(edge + height * (ratio * low + high) / (1.0 + ratio))


def true_minima(**shape: float) -> Array:
    """Minima of the second derivative without noise, by central differences of 0.05 eV, to 0.002 eV."""
    energy = np.arange(E0 - 6.0, E0 + 12.0, 0.002)
    left, middle, right = (white_line(energy + d, **shape) for d in (-0.05, 0.0, 0.05))
    curve = left - 2.0 * middle + right
    places = np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] <= curve[2:]) & (curve[1:-1] < 0)) + 1
    return np.asarray(energy[places])


def measured(rng: np.random.Generator, *, spacing: float, noise: float, **shape: float) -> Normalised:
    """Return the same with noise, normalised already."""
    energy = np.arange(E0 - 40.0, E0 + 60.0, spacing) + rng.uniform(0.0, spacing)
    energy = energy + 0.02 * spacing * rng.normal(size=energy.size)
    data = MuE(energy=energy, mu=white_line(energy, **shape) + noise * rng.normal(size=energy.size))
    zero = np.zeros(energy.size)
    return Normalised(
        energy=energy,
        mu=data.mu,
        sigma=zero + noise,
        norm=data.mu,
        flat=data.mu,
        pre_edge=zero,
        post_edge=zero + 1.0,
        e0=E0,
        edge_step=1.0,
        sigma_edge_step=0.0,
        ranges=EdgeRanges((-40.0, -20.0), (20.0, 60.0), 1, 1),
    )


def trials(n: int, seed: int) -> Iterator[tuple[float, float, float, float, float]]:
    """Noise; error and stated error of a splitting, and of a difference; NaN if refused."""
    rng = np.random.default_rng(seed)
    done = 0
    while done < n:
        shape = {
            "splitting": rng.uniform(2.4, 3.6),
            "ratio": float(np.exp(rng.uniform(-0.5, 0.5))),
            "gamma": rng.uniform(1.3, 2.4),
            "sigma": rng.uniform(0.3, 0.8),
        }
        other = {
            **shape,
            "splitting": shape["splitting"] + rng.uniform(0.0, 0.5),
            "gamma": shape["gamma"] * 1.15,
        }
        truths = [true_minima(**s) for s in (shape, other)]
        if any(t.size != 2 for t in truths):
            continue
        done += 1
        grid = {
            "spacing": float(rng.choice([0.2, 0.25, 0.35, 0.5])),
            "noise": float(10 ** rng.uniform(-3.5, -2.3)),
        }
        first, second = (measured(rng, **grid, **s) for s in (shape, other))
        row = [grid["noise"], np.nan, np.nan, np.nan, np.nan]
        truth = [float(np.diff(t)[0]) for t in truths]
        try:
            found = edge_splitting(first)
            row[1:3] = [found.value - truth[0], found.sigma]
            difference = compare_splittings(first, second)
            row[3:] = [difference.value - (truth[1] - truth[0]), difference.sigma]
        except DataError:
            pass
        yield tuple(row)  # type: ignore[misc]  # five numbers


def main() -> None:
    """Print how often the truth lies within 1, 2 and 3 standard errors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spectra", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rows = np.array(list(trials(asked.spectra, asked.seed)))
    print("SIMULATED           found  median |error|  median sigma  within 1, 2, 3 sigma (normal .68 .95 1)")
    for name, low, high in (("noise < 1e-3", 0, 1e-3), ("1e-3 to 2e-3", 1e-3, 2e-3), ("> 2e-3", 2e-3, 1)):
        part = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
        for what, error, sigma in (("splitting", *part[:, 1:3].T), ("difference", *part[:, 3:].T)):
            known = np.isfinite(error)
            z = np.abs(error[known] / sigma[known])
            shares = " ".join(f"{np.mean(z < limit):.2f}" for limit in (1, 2, 3))
            middle = f"{np.median(np.abs(error[known])):8.3f} eV {np.median(sigma[known]):12.3f} eV"
            print(f"{name:12s} {what:10s} {known.mean():.2f} {middle}     {shares}")


if __name__ == "__main__":
    main()
