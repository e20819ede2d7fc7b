"""Simulated measurements of a known structure, with the faults of real ones.

Scans are photon counts behind a drifting monochromator; a pattern is the sum of what scatters. With the
reduction they share tables of form factors and nothing else. Both are SIMULATED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import compton, mean_form_factors
from shortrange.quantities import IQ, Scan, Trajectory
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.units import HBAR2_2ME, HC

__all__ = ["Condition", "pattern", "scans", "true_f", "with_feff_error"]

Array = NDArray[Any]

EDGE, THRESHOLD = 9881.0, 9881.0
"""Tabulated Ta L3 edge and where the simulated photoelectron has k = 0, eV."""
LAMBDA_C = 0.0242631


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How well was measured.

    Attributes
    ----------
    name
        For tables.
    photons
        Per point and scan, before the sample.
    n_scans, k_max
        Number of repeats, and where they end, 1/angstrom.
    counts
        Per point of the pattern.
    q_max
        Its end, 1/angstrom.
    """

    name: str
    photons: float
    n_scans: int
    k_max: float
    counts: float
    q_max: float


def with_feff_error(
    k: Array, chi: Array, *, rng: np.random.Generator, amplitude: float, phase: float, distance: float
) -> Array:
    """EXAFS whose amplitude and phase are off as those of FEFF are from measured standards: smooth in k.

    ``amplitude`` is relative and ``phase`` in radians, both standard deviations of a curve with a correlation
    length of 4 1/angstrom. ``distance`` is the relative standard deviation of a bond of 2.4 angstrom.
    """
    correlation = np.exp(-0.5 * ((k[:, None] - k[None, :]) / 4.0) ** 2) + 1e-9 * np.eye(k.size)
    root = np.linalg.cholesky(correlation)
    a, p = (size * (root @ rng.normal(size=k.size)) for size in (amplitude, phase))
    p = p + 2.0 * k * 2.4 * distance * rng.normal()
    from scipy.signal import hilbert

    weight = np.maximum(k, 0.5) ** 2
    analytic = hilbert(np.concatenate([np.zeros(k.size), chi * weight, np.zeros(k.size)]))[
        k.size : 2 * k.size
    ]
    return np.asarray((1.0 + a) * (analytic * np.exp(1j * p)).real / weight)


def scans(k: Array, chi: Array, condition: Condition, *, rng: np.random.Generator) -> tuple[Scan, ...]:
    """Repeats of Ta L3 in transmission: a drifting monochromator, a glitch, a foil behind the sample.

    Parameters
    ----------
    k, chi
        True EXAFS without S02, 1/angstrom.
    condition
        Photons, number, range.
    rng
        Noise and nuisances.
    """
    s02 = 0.9
    glitch = rng.uniform(10050.0, 10350.0)
    atomic = rng.normal(0.0, 0.006), rng.uniform(0.3, 0.6), rng.uniform(0, 6.28)
    return tuple(
        _scan(i, k, s02 * chi, condition, rng=rng, glitch=glitch, atomic=atomic)
        for i in range(condition.n_scans)
    )


def _scan(
    number: int,
    k: Array,
    chi: Array,
    condition: Condition,
    *,
    rng: np.random.Generator,
    glitch: float,
    atomic: tuple[float, float, float],
) -> Scan:
    end = THRESHOLD + HBAR2_2ME * (condition.k_max + 0.3) ** 2
    k_steps = np.arange(np.sqrt(40.0 / HBAR2_2ME), condition.k_max + 0.3, 0.05)
    asked = np.concatenate(
        [
            np.arange(EDGE - 180.0, EDGE - 30.0, 6.0),
            np.arange(EDGE - 30.0, EDGE + 40.0, 0.5),
            EDGE + HBAR2_2ME * k_steps**2,
        ]
    )
    asked = asked[asked <= end]
    energy = asked + rng.normal(0.0, 0.003, asked.size)
    drift = rng.uniform(-0.7, 0.7)
    sample = _mu(energy + drift, k, chi, atomic=atomic)
    foil = 0.6 * _mu(energy + drift, k, _foil(k), atomic=(0.0, 1.0, 0.0))
    slope = 1.0 + 0.06 * np.sin((energy - energy[0]) / 700.0 + rng.uniform(0, 6.28))
    slope -= 0.02 * np.exp(-(((energy - glitch) / 1.2) ** 2)) * rng.uniform(0.5, 1.5)
    before = condition.photons * slope
    harmonic = 0.0008 * condition.photons
    seen = [before, before * np.exp(-sample) + harmonic, before * np.exp(-sample - foil) + harmonic]
    i0, behind, reference = (_poisson(x, rng) for x in seen)
    # The glitch is not the same in two chambers.
    behind = behind * (1.0 + 0.01 * np.exp(-(((energy - glitch) / 0.8) ** 2)))
    return Scan(
        energy=energy,
        columns={"i0": i0, "it": behind, "ir": reference},
        element="Ta",
        edge="L3",
        source=f"scan_{number + 1:03d}.xdi",
        metadata={"Facility.name": "simulated", "Element.reference": "Ta"},
    )


def _mu(energy: Array, k: Array, chi: Array, *, atomic: tuple[float, float, float]) -> Array:
    """Absorbance with an edge step of 1: pre-edge, arctan and white line, slow atomic oscillation, EXAFS."""
    x = energy - THRESHOLD
    pre = 0.55 * (energy / EDGE) ** -2.9
    edge = 0.5 + np.arctan((x + 1.0) / 2.6) / np.pi
    white = 1.35 / (1.0 + ((x - 2.0) / 2.8) ** 2)
    wave = np.sqrt(np.clip(x, 0.0, None) / HBAR2_2ME)
    size, rate, phase = atomic
    slow = (energy / EDGE) ** -2.6 * (1.0 + size * np.sin(rate * wave + phase))
    fine = np.interp(wave, k, chi) * (wave > 0.8)
    return np.asarray(pre + edge * slow * (1.0 + fine) + white)


def _foil(k: Array) -> Array:
    """Make some oscillation for the reference foil: only its edge is used."""
    return 0.5 * np.sin(2 * 2.86 * k) * np.exp(-0.008 * k**2) / np.maximum(k, 1.0) ** 2


def _poisson(mean: Array, rng: np.random.Generator) -> Array:
    return np.asarray(
        np.where(mean < 1e7, rng.poisson(np.minimum(mean, 1e7)), rng.normal(mean, np.sqrt(mean)))
    )


def true_f(snapshots: Trajectory, q: Array, *, q_damp: float) -> Array:
    """F(Q) of an ensemble whose correlations fade between 7 and 11.5 A: no box packs as the sample does."""
    counted = pair_histograms(snapshots, r_max=20.0)
    taper = 0.5 * (1.0 + np.cos(np.pi * np.clip((counted.r - 7.0) / 4.5, 0.0, 1.0)))
    fade = taper * np.exp(-0.5 * (counted.r * q_damp) ** 2)
    ideal = counted.ideal()
    counts = (ideal + fade * (counted.mean_counts() - ideal))[None].astype(np.float32)
    faded: PairHistograms = replace(counted, counts=counts, frames=np.array([counted.n_frames]))
    return np.asarray(PdfModel(faded, np.array([2.0, 3.0]), float(q[-1])).structure(q))


def pattern(
    f: Array,
    q: Array,
    composition: Mapping[str, float],
    condition: Condition,
    *,
    wavelength: float,
    rng: np.random.Generator,
) -> tuple[IQ, IQ]:
    """I(Q) of a filled and of an empty capillary, in the counts of a detector.

    Parameters
    ----------
    f
        True Q [S(Q) - 1] at ``q`` (1/angstrom).
    composition
        Atoms of each element.
    condition
        Counts.
    wavelength
        angstrom.
    rng
        Noise and nuisances.
    """
    mean, squared = mean_form_factors(composition, q, energy=HC / wavelength)
    total = sum(composition.values())
    bound = sum(n / total * compton(s, q) for s, n in composition.items())
    recoil = 1.0 / (1.0 + 2.0 * LAMBDA_C / wavelength * (q * wavelength / (4 * np.pi)) ** 2) ** 2
    smooth = 1.0 + 0.01 * rng.normal() * (2 * q / q[-1] - 1) + 0.01 * rng.normal() * np.cos(np.pi * q / q[-1])
    # Below 1 1/angstrom a faded box can leave less than nothing.
    coherent = np.maximum(squared + mean * f / q, 0.05 * squared)
    level = float(np.median(squared))
    glass = level * rng.uniform(0.2, 0.6) * (
        0.25 + 1.5 * np.exp(-(((q - 1.6) / 0.5) ** 2)) + 0.4 * np.exp(-(((q - 4.8) / 1.4) ** 2))
    ) * np.exp(-q / 18.0) + 0.1 * level  # fmt: skip
    sample = (coherent + rng.uniform(0.85, 1.05) * bound * recoil) * smooth + rng.uniform(2.0, 10.0) + glass
    # The mean number of counts in a point, as after integrating an image: more pixels at larger angles.
    per_unit = condition.counts / level
    scale = 10 ** rng.uniform(-1.0, 2.0)
    return tuple(
        IQ(
            q=q,
            intensity=scale * _poisson(x * per_unit, rng) / per_unit,
            wavelength=wavelength,
            label=label,
        )
        for x, label in ((sample, "sample"), (glass, "capillary"))
    )  # type: ignore[return-value]
