"""The tabulated path sum of one absorber against a full FEFF calculation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.simulate.cache import content_key, load_entry, store_entry
from shortrange.simulate.exafs.envelopes import chi_from_envelopes
from shortrange.simulate.exafs.layout import Surroundings, Tables
from shortrange.simulate.exafs.sums import sum_paths
from shortrange.simulate.feff import Cluster, Potentials, run_feff
from shortrange.simulate.feff_pad import FeffPad

__all__ = ["chi_of_paths", "method_error", "relative_rms"]

Array = NDArray[Any]

_K = np.arange(3.0, 12.001, 0.05)


def chi_of_paths(pad: FeffPad, k: Array) -> Array:
    """chi(k) of the paths FEFF wrote, interpolated in amplitude and phase by splines, as xraylarch does."""
    from scipy.interpolate import CubicSpline

    amplitude = CubicSpline(pad.k, np.abs(pad.cchi), axis=1)(k)
    phase = CubicSpline(pad.k, np.unwrap(np.angle(pad.cchi), axis=1), axis=1)(k)
    waves = amplitude * np.sin(2.0 * np.outer(pad.half_length, k) + phase)
    return np.asarray(pad.degeneracy @ waves)


def relative_rms(chi: Array, reference: Array, k: Array) -> float:
    """Rms of k^2 (chi - reference) over rms of k^2 reference."""
    w = k**2
    return float(np.sqrt(np.sum((w * (chi - reference)) ** 2) / np.sum((w * reference) ** 2)))


def method_error(
    cluster: Cluster, potentials: Potentials, tables: Tables, *, r_max: float, r_max_ms: float
) -> float | None:
    """Relative rms of k^2 chi, k 3-12, between the tables and full FEFF (4 legs, no filter) for one absorber.

    None if the cluster has other elements than the potentials, so that FEFF cannot use them.
    """
    if cluster.kinds != potentials.kinds:
        return None
    truth = _truth(cluster, potentials, r_max)
    near = np.linalg.norm(cluster.vectors, axis=1) <= r_max
    kinds = np.array([potentials.kinds.index(name) for name in cluster.species])
    vectors = np.ascontiguousarray(cluster.vectors[near])
    alone = Surroundings(
        np.array([0, int(near.sum())]), kinds[near], vectors, np.linalg.norm(vectors, axis=1)
    )
    sums = sum_paths(
        tables,
        alone,
        n_kinds=len(potentials.kinds),
        r_max=r_max,
        r_max_ms=r_max_ms,
        scales=np.ones(1),
        workers=1,
    )
    return relative_rms(chi_from_envelopes(sums.each[0], _K), truth, _K)


def _truth(cluster: Cluster, potentials: Potentials, r_max: float) -> Array:
    place = cluster.vectors.round(6).tobytes() + " ".join(cluster.species).encode()
    name = "full-" + content_key("full", potentials.key, f"{r_max:.6f}", place)
    held = load_entry(name)
    if held is not None and held.get("chi", np.empty(0)).shape == _K.shape:
        return held["chi"]
    _, _, pad = run_feff(cluster, edge=potentials.edge, r_path=r_max, potentials=potentials)
    chi = chi_of_paths(pad, _K)
    store_entry(name, {"chi": chi})
    return chi
