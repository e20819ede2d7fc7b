"""How far metals are from the centre of their ligands in relaxed units, and what that is good for.

    python studies/motif_distortion.py

Fits motifs with and without a displacement of the metals (``distortion``) to all distances of units that
were relaxed with machine-learned potentials (simulated; studies/structures).
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from shortrange.errors import SimulationError
from shortrange.load import load_trajectory
from shortrange.simulate.motifs import Motif, motif

STRUCTURES = Path(__file__).parent / "structures"
POTENTIALS = ("7net-l3i5", "mf0-R2SCAN", "chgnet")
UNITS: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    "NaTaCl6": ("octahedron", {}, {"terminal Cl": 2.38}),
    "Na2TaCl5S": ("octahedron", {"substitute": "S"}, {"terminal Cl": 2.4, "terminal S": 2.29}),
    "Na2Ta2Cl10S_corner_150_45": (
        "corner", {"bridge": "S", "twist": (0, 45)}, {"angle": 145.0, "terminal Cl": 2.36, "bridging S": 2.46}
    ),
    "Ta2Cl10_edge_muCl2": (
        "edge", {"bridge": "Cl2"}, {"angle": 100.0, "terminal Cl": 2.3, "bridging Cl": 2.56}
    ),
    "NaTa2Cl9S_edge_muS_muCl": (
        "edge", {"bridge": "SCl"},
        {"angle": 100.0, "terminal Cl": 2.35, "bridging S": 2.44, "bridging Cl": 2.55},
    ),
    "Na2Ta2Cl8S2_edge_muS2": (
        "edge", {"bridge": "S2"}, {"angle": 97.0, "terminal Cl": 2.35, "bridging S": 2.44}
    ),
    "Ta2Cl8S_face_muS_muCl2": (
        "face", {"bridge": "SCl2"},
        {"angle": 88.0, "terminal Cl": 2.3, "bridging S": 2.4, "bridging Cl": 2.6},
    ),
}  # fmt: skip
"""Kind, what stays, and where the fit of the rest starts (angstrom, degrees)."""


def distances(species: tuple[str, ...], positions: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the sorted distances of each pair of elements, without sodium."""
    found: dict[str, list[float]] = {}
    for i, j in itertools.combinations([n for n, symbol in enumerate(species) if symbol != "Na"], 2):
        pair = "-".join(sorted((species[i], species[j])))
        found.setdefault(pair, []).append(float(np.linalg.norm(positions[i] - positions[j])))
    return {pair: np.sort(values) for pair, values in found.items()}


def built(kind: str, fixed: dict[str, Any], values: dict[str, float]) -> Motif:
    """Build the motif at these values."""
    lengths: dict[str, dict[str, float]] = {"terminal": {}, "bridging": {}}
    more = dict(fixed)
    for name, value in values.items():
        role, _, symbol = name.partition(" ")
        if symbol:
            lengths[role][symbol] = value
        else:
            more[name] = value
    return motif(kind, terminal=lengths["terminal"], bridging=lengths["bridging"] or None, **more)


def fitted(
    target: dict[str, NDArray[Any]], kind: str, fixed: dict[str, Any], start: dict[str, float]
) -> tuple[float, dict[str, float]]:
    """Return the rms misfit of all distances, angstrom, and the values that make it."""

    def misfit(x: NDArray[Any]) -> NDArray[Any]:
        try:
            unit = built(kind, fixed, dict(zip(start, x, strict=True)))
        except SimulationError:  # distances that cannot meet
            return np.full(sum(d.size for d in target.values()), 5.0)
        ours = distances(unit.species, unit.positions)
        return np.concatenate([ours[pair] - target[pair] for pair in target])

    found = least_squares(misfit, list(start.values()), x_scale=0.1, diff_step=1e-4)
    return float(np.sqrt(np.mean(found.fun**2))), dict(zip(start, found.x, strict=True))


def main() -> None:
    """Print a line for each unit and potential."""
    print(f"{'unit':28} {'potential':11} rms of distances, A    displacement, A")
    for unit, (kind, fixed, start) in UNITS.items():
        for potential in POTENTIALS:
            relaxed = load_trajectory(STRUCTURES / f"{potential}_{unit}.extxyz")
            target = distances(relaxed.species, relaxed.positions[0])
            rigid, values = fitted(target, kind, fixed, start)
            free, values = fitted(target, kind, fixed, {**values, "distortion": 0.1})
            print(f"{unit:28} {potential:11} {rigid:.3f} -> {free:.3f}       {values['distortion']:6.3f}")


if __name__ == "__main__":
    main()
