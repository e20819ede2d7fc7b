"""The tabulated path sum of one absorber against full FEFF, and the size of what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.cache import content_key, load_entry, store_entry
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.layout import Surroundings, Tables
from shortrange.simulate.exafs.sums import sum_paths
from shortrange.simulate.feff import Cluster, Potentials, run_feff
from shortrange.simulate.feff_pad import FeffPad
from shortrange.simulate.feff_paths import FeffPath, calculate_paths

__all__ = ["check_absorber", "chi_of_paths", "relative_rms"]

Array = NDArray[Any]

_K = np.arange(3.0, 12.001, 0.05)


def chi_of_paths(pad: FeffPad, k: Array) -> Array:
    """chi(k) of the paths FEFF wrote, interpolated in amplitude and phase by splines, as xraylarch does.

    Parameters
    ----------
    pad
        With the degeneracy of each path.
    k
        Where it is wanted, 1/angstrom, shape (n_k,).
    """
    return np.asarray(pad.degeneracy @ _waves(pad, k))


def _waves(pad: FeffPad, k: Array) -> Array:
    """chi(k) of each path, degeneracy 1, (n_paths, n_k)."""
    from scipy.interpolate import CubicSpline

    amplitude = CubicSpline(pad.k, np.abs(pad.cchi), axis=1)(k)
    phase = CubicSpline(pad.k, np.unwrap(np.angle(pad.cchi), axis=1), axis=1)(k)
    return np.asarray(amplitude * np.sin(2.0 * np.outer(pad.half_length, k) + phase))


def relative_rms(chi: Array, reference: Array, k: Array) -> float:
    """Rms of k^2 (chi - reference) over rms of k^2 reference; all of shape (n_k,), k in 1/angstrom."""
    w = k**2
    return float(np.sqrt(np.sum((w * (chi - reference)) ** 2) / np.sum((w * reference) ** 2)))


def check_absorber(
    cluster: Cluster, potentials: Potentials, tables: Tables, *, r_max: float, r_max_ms: float
) -> tuple[float | None, dict[str, float]]:
    """Compare one absorber with full FEFF (4 legs, no filter, same potentials), and measure what is left out.

    Parameters
    ----------
    cluster
        The absorber with all atoms of its paths.
    potentials, tables
        Phase shifts, and the path amplitudes tabulated from them.
    r_max, r_max_ms
        Longest half path length of single and of multiple scattering, angstrom.

    Returns
    -------
    error
        Relative rms of k^2 chi, k 3-12; None if the cluster has other elements than the potentials, so that
        FEFF cannot use them.
    bounds
        Relative rms, on the same scale, of the paths that are not summed, by kind; nan where FEFF has so many
        that it did not end in a minute.
    """
    if cluster.kinds != potentials.kinds:
        return None, {}
    full = _full(cluster, potentials, r_max)
    near = np.linalg.norm(cluster.vectors, axis=1) <= r_max
    kinds = np.array([potentials.kinds.index(name) for name in cluster.species])
    vectors = np.ascontiguousarray(cluster.vectors[near])
    alone = Surroundings(
        np.array([0, int(near.sum())]), kinds[near], vectors, np.linalg.norm(vectors, axis=1)
    )
    sums = sum_paths(
        tables, alone, n_kinds=len(potentials.kinds), r_max=r_max, r_max_ms=r_max_ms, scales=np.ones(1)
    )
    size = np.sqrt(np.mean((_K**2 * full["chi"]) ** 2))

    def share(chi: Array) -> float:
        return float(np.sqrt(np.mean((_K**2 * chi) ** 2)) / size)

    bounds = {
        "paths over three neighbours (0-1-2-3-0)": share(full["three"]),
        f"single scattering from {r_max:g} to {r_max + 1:g} angstrom": share(full["beyond"]),
    }
    shortest = float(full["shortest"])
    if r_max_ms < r_max:
        bounds[f"multiple scattering beyond {r_max_ms:g} angstrom, or all"] = share(full["multiple"])
    if 2.5 * shortest > r_max:
        bounds["paths of 5 legs and more (none is so short)"] = 0.0
    else:
        longer = _long_paths(cluster, potentials, r_max)
        bounds["paths of 5 and 6 legs"] = float("nan") if longer is None else share(longer)
    return relative_rms(chi_from_envelopes(sums.each[0], _K), full["chi"], _K), bounds


def _entry(kind: str, cluster: Cluster, potentials: Potentials, r_max: float) -> str:
    place = cluster.vectors.round(6).tobytes() + " ".join(cluster.species).encode()
    return f"{kind}-" + content_key(kind, potentials.key, f"{r_max:.6f}", place)


def _full(cluster: Cluster, potentials: Potentials, r_max: float) -> dict[str, Array]:
    """Spectra on `_K` of all paths, of those over three neighbours, of many legs, and of what is beyond."""
    name = _entry("full", cluster, potentials, r_max)
    held = load_entry(name)
    if held is not None and held.get("chi", np.empty(0)).shape == _K.shape and "beyond" in held:
        return held
    _, _, pad = run_feff(cluster, edge=potentials.edge, r_path=r_max, potentials=potentials)
    waves = pad.degeneracy[:, None] * _waves(pad, _K)
    points = np.vstack([np.zeros(3), cluster.vectors])
    near = points[np.linalg.norm(points, axis=1) <= r_max]
    gaps = np.linalg.norm(near[:, None] - near[None], axis=2) + 99.0 * np.eye(len(near))
    found = {
        "chi": waves.sum(axis=0), "three": waves[pad.neighbours > 2].sum(axis=0),
        "multiple": waves[pad.legs > 2].sum(axis=0), "beyond": _beyond(cluster, potentials, r_max),
        "shortest": np.array(gaps.min()),
    }  # fmt: skip
    store_entry(name, found)
    return found


def _beyond(cluster: Cluster, potentials: Potentials, r_max: float) -> Array:
    """Single scattering of the atoms within the next angstrom."""
    r = np.linalg.norm(cluster.vectors, axis=1)
    paths = [
        FeffPath((potentials.kinds.index(cluster.species[i]) + 1,), (tuple(cluster.vectors[i].tolist()),))
        for i in np.flatnonzero((r > r_max) & (r <= r_max + 1.0))
    ]
    if not paths:
        return np.zeros(_K.size)
    pad = calculate_paths(potentials, paths)
    return np.asarray(_waves(pad, _K).sum(axis=0))


def _long_paths(cluster: Cluster, potentials: Potentials, r_max: float) -> Array | None:
    name = _entry("long", cluster, potentials, r_max)
    held = load_entry(name)
    if held is not None and held.get("chi", np.empty(0)).shape == _K.shape:
        return np.asarray(held["chi"])
    try:
        _, _, pad = run_feff(
            cluster, edge=potentials.edge, r_path=r_max, n_legs=6, potentials=potentials, timeout=60.0
        )
    except SimulationError:
        return None
    chi = (pad.degeneracy[:, None] * _waves(pad, _K))[pad.legs > 4].sum(axis=0)
    store_entry(name, {"chi": chi})
    return np.asarray(chi)
