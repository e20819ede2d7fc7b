"""Simulated absorption scans with known answers, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.quantities import ChiK, MuE, Scan
from shortrange.reduce.normalise import Normalised
from shortrange.units import energy_from_k, k_from_energy

E0 = 9881.0
Array = NDArray[Any]


def grid(*, start: float = -180.0, k_max: float = 13.0, e0: float = E0) -> Array:
    """A usual scan: 6 eV, 0.5 eV over the edge, then 0.05 1/angstrom."""
    pre = np.arange(e0 + start, e0 - 25, 6.0)
    edge = np.arange(e0 - 25, e0 + 35, 0.5)
    k = np.arange(float(k_from_energy(e0 + 35, e0)), k_max, 0.05)
    return np.concatenate([pre, edge, energy_from_k(k, e0)])


def chi_of(k: Array, *, r: float = 2.4, sigma2: float = 0.004) -> Array:
    """Two shells of an invented scatterer."""
    first = 0.5 * np.sin(2 * k * r) * np.exp(-2 * k**2 * sigma2)
    return first + 0.2 * np.sin(2 * k * 3.7 + 1.0) * np.exp(-2 * k**2 * 0.007)


def mu_of(energy: Array, *, e0: float = E0, step: float = 1.0, white: float = 1.0) -> Array:
    """Pre-edge line, arctan step of width 2.5 eV, white line, EXAFS above the edge; any energies."""
    x = energy - e0
    rise = 0.5 + np.arctan(x / 2.5) / np.pi
    line = white * 0.5 / (1.0 + ((x - 3.0) / 3.0) ** 2)
    k = k_from_energy(energy, e0)
    atomic = step * (1.0 - 2.0e-4 * x * (x > 0)) * rise
    return (
        0.3
        - 3e-4 * x
        + atomic * (1.0 + np.where(k > 1.5, chi_of(k) * (1 - np.exp(-((k - 1.5) ** 2))), 0.0))
        + step * line
    )


def scan(
    *,
    offset: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
    reference: bool = False,
    energy: Array | None = None,
    source: str = "simulated.xdi",
) -> Scan:
    """A transmission scan whose file energies are ``offset`` too high."""
    energy = grid() if energy is None else energy
    rng = np.random.default_rng(seed)
    mu = mu_of(energy - offset) + noise * rng.normal(size=energy.size)
    i0 = np.full(energy.size, 1e5)
    columns = {"i0": i0, "it": i0 * np.exp(-mu)}
    if reference:
        foil = 0.8 * mu_of(energy - offset, white=0.2) + noise * rng.normal(size=energy.size)
        columns["ir"] = columns["it"] * np.exp(-foil)
    return Scan(energy=energy, columns=columns, element="Ta", edge="L3", source=source)


def mu_scan(**settings: Any) -> MuE:
    """The same as absorption."""
    from shortrange.reduce.mu import to_mu

    return to_mu(scan(**settings))


def autobk_objective(chi: ChiK, data: Normalised) -> float:
    """Sum of squares that AUTOBK makes small, as xraylarch writes it, with the settings of chi(k)."""
    from shortrange.reduce.background import setup

    used = next(done for done in reversed(chi.history) if done.name == "remove background").settings
    problem = setup(
        data.energy,
        data.e0,
        used["r_bkg"],
        (used["k_min"], used["k_max"]),
        k_weight=used["k_weight"],
        k_step=used["k_step"],
        dk=used["dk"],
        window=used["window"],
    )
    in_r = problem.ft @ chi.chi
    scale = 0.1 + 10.0 * np.mean(in_r**2)
    n = used["n_clamp"]
    clamped = np.concatenate([used["clamps"][0] * chi.chi[:n], used["clamps"][1] * chi.chi[-n:]])
    return float(np.sum(in_r**2) + np.sum((scale * clamped) ** 2))
