"""How many clusters potentials must be averaged over, found by trying."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from shortrange.errors import SimulationError
from shortrange.simulate.exafs.families import RADIAL_STEP
from shortrange.simulate.exafs.representative import cluster_around, densities, representative
from shortrange.simulate.exafs.survey import Survey
from shortrange.simulate.exafs.tables import K_GRID, TableKey, fill_nodes
from shortrange.simulate.feff import Cluster, Potentials, feff_potentials
from shortrange.simulate.feff_mean import mean_potentials
from shortrange.simulate.feff_paths import worker_count

__all__ = ["LIMIT", "PotentialChoice", "choose_potentials"]

Array = NDArray[Any]

LIMIT = 4e-3
"""Relative rms of k^2 chi that the choice of clusters may change the mean by."""
_FIRST, _MOST = 8, 16
_K_RANGE = (3.0, 12.0)
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True, eq=False)
class PotentialChoice:
    """Potentials for an ensemble and why they suffice.

    Attributes
    ----------
    potentials
        With the mean phase shifts of some clusters.
    cluster
        Surroundings nearest the mean, to check with.
    number
        Clusters averaged over.
    spread
        Rms over clusters of the relative change of k^2 chi, k 3-12, single scattering, that their phase
        shifts make, beyond a shift of E0; None for one cluster.
    error
        ``spread`` over the square root of ``number``: what another choice would change. None for one cluster.
    fermi_levels
        Of the clusters, eV.
    reason
        Why this number, in words.
    radius
        Of the clusters, angstrom.
    """

    potentials: Potentials
    cluster: Cluster
    number: int
    spread: float | None
    error: float | None
    fermi_levels: tuple[float, ...]
    reason: str
    radius: float

    def record(self) -> dict[str, Any]:
        """Return settings for a history."""
        return {
            "clusters": self.number, "spread": self.spread, "error": self.error, "reason": self.reason,
            "fermi_level_sd": float(np.std(self.fermi_levels)) if len(self.fermi_levels) > 1 else None,
            "radius": self.radius,
        }  # fmt: skip


def choose_potentials(
    seen: Survey, *, edge: str, r_max: float, scf_radius: float | None = None, number: int | None = None,
    workers: int | None = None,
) -> PotentialChoice:  # fmt: skip
    """Potentials with the mean phase shifts of as many absorbers as the ensemble needs.

    Absorbers are taken evenly from the sample. Their number grows until the phase shifts of others would
    change the mean single scattering by less than `LIMIT`, up to 16; then the error that is left is stated.

    Parameters
    ----------
    seen
        From `survey`.
    edge
        Absorption edge.
    r_max
        Longest path, angstrom.
    scf_radius
        See `feff_potentials`; with it 4 clusters at most, for each costs some 10 s.
    number
        Of clusters, if it is not to be found.
    workers
        FEFF processes at a time.

    Raises
    ------
    SimulationError
        If FEFF fails, or no cluster holds all elements.
    """
    frames = np.repeat(np.arange(seen.sample.n_frames), seen.centres.size)
    cluster, chosen = representative(seen.sample, seen.near, frames, seen.centres, r_max)
    radius = float(chosen["radius"])
    alike = bool(np.ptp(densities(seen.sample, seen.near, r_max), axis=0).max() < 1e-6)
    if number == 1 or alike:
        made = feff_potentials(cluster, edge=edge, scf_radius=scf_radius)
        reason = (
            "all absorbers are alike" if alike else "as asked: the absorber nearest the mean surroundings"
        )
        return PotentialChoice(made, cluster, 1, None, None, (), reason, radius)
    candidates = _candidates(seen, cluster, radius)
    most = min(number or (_MOST if scf_radius is None else 4), len(candidates))
    want = most if number is not None else min(_FIRST, most)
    each: list[Potentials] = []
    while True:
        each += _made(seen, candidates[len(each) : want], edge, scf_radius, workers)
        spread, levels = _spread(seen, each, r_max, workers)
        error = float(spread / np.sqrt(len(each)))
        if error <= LIMIT or len(each) >= most:
            break
        want = min(most, max(len(each) + 2, int(np.ceil((spread / LIMIT) ** 2))))
    if number is not None:
        reason = "as asked"
    elif error <= LIMIT:
        reason = f"other clusters would change the mean by {error:.1e}, less than {LIMIT:g}"
    elif len(each) == len(frames):
        reason = "all absorbers there are"
    else:
        reason = f"the most that are tried; other clusters would change the mean by {error:.1e}"
    return PotentialChoice(
        mean_potentials(each), cluster, len(each), spread, error, tuple(levels), reason, radius
    )


def _candidates(seen: Survey, cluster: Cluster, radius: float) -> list[tuple[int, int, Cluster]]:
    """Clusters with all elements, evenly from frames and atoms: steps of the golden ratio never bunch."""
    n = seen.sample.n_frames * seen.centres.size
    places = dict.fromkeys(int(((j + 0.5) * _GOLDEN % 1.0) * n) for j in range(4 * _MOST))
    found = []
    for place in places:
        frame, atom = place // seen.centres.size, int(seen.centres[place % seen.centres.size])
        other = cluster_around(seen.sample, frame=frame, atom=atom, radius=radius + 1e-9)
        if other.kinds == cluster.kinds:
            found.append((frame, atom, other))
        if len(found) == _MOST:
            break
    return found


def _made(
    seen: Survey, candidates: Sequence[tuple[int, int, Cluster]], edge: str, scf_radius: float | None,
    workers: int | None,
) -> list[Potentials]:  # fmt: skip
    def one(candidate: tuple[int, int, Cluster]) -> Potentials:
        frame, atom, cluster = candidate
        try:
            return feff_potentials(cluster, edge=edge, scf_radius=scf_radius)
        except SimulationError as error:
            place = f"{seen.where}, frame {seen.numbers[frame]}, atom {atom}: {error.where}"
            raise SimulationError(error.what, where=place, do=error.do) from error

    with ThreadPoolExecutor(worker_count(workers)) as pool:
        return list(pool.map(one, candidates))


def _spread(
    seen: Survey, each: Sequence[Potentials], r_max: float, workers: int | None
) -> tuple[float, list[float]]:
    """Relative rms by which single scattering differs between potentials, and their Fermi levels (eV)."""
    kinds = np.array([each[0].kinds.index(s) if s in each[0].kinds else -1 for s in seen.sample.species])
    kind = kinds[seen.near.atoms]
    low = int(seen.near.distances.min() / RADIAL_STEP) - 2
    # Every second distance of the tables: splines then meet FEFF to 1e-4, enough for a size.
    nodes = np.arange(low, int(r_max / RADIAL_STEP) + 6, 2)
    # So few paths for each that one process does them; the potentials share the processors.
    one = partial(_single_scattering, kind=kind, distances=seen.near.distances, nodes=nodes)
    with ThreadPoolExecutor(worker_count(workers)) as pool:
        made = list(pool.map(one, each))
    chi = np.array([spectrum for spectrum, _ in made])
    inside = (_K_RANGE[0] <= K_GRID) & (_K_RANGE[1] >= K_GRID)
    weight = K_GRID**2 * np.sqrt(np.gradient(K_GRID))
    mean = chi.mean(axis=0)
    off = ((chi - mean) * weight)[:, inside]
    # A shift of E0 is a fit parameter of any comparison: what acts like it does not count.
    shift = (np.gradient(mean, K_GRID) / K_GRID.clip(0.1) * weight)[inside]
    off -= np.outer(off @ shift / (shift @ shift), shift)
    size = np.linalg.norm((mean * weight)[inside])
    freedom = max(1, len(each) - 1)
    return float(np.sqrt((off**2).sum() / freedom) / size), [mu for _, mu in made]


def _single_scattering(
    potentials: Potentials, *, kind: Array, distances: Array, nodes: Array
) -> tuple[Array, float]:
    """Sum over all neighbours on `K_GRID`, and the Fermi level, eV."""
    wanted = {TableKey("single", k + 1): nodes[:, None] for k in np.unique(kind).tolist()}
    known, momentum, _ = fill_nodes(potentials, wanted, workers=1)
    total = np.zeros(K_GRID.size)
    edges = np.arange(distances.min() - 0.01, distances.max() + 0.04, 0.02)
    middle = (edges[1:] + edges[:-1]) / 2
    for key in wanted:
        at = known[key].shapes[:, 0]
        table = CubicSpline(at * RADIAL_STEP, known[key].values, axis=0)
        number = np.histogram(distances[kind == key.first - 1], edges)[0] / middle**2
        there = number > 0
        waves = table(middle[there]) * np.exp(2j * np.outer(middle[there], momentum.p))
        total += (number[there] @ waves).imag
    return total, momentum.mu
