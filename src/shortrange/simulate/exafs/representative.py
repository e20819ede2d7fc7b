"""The cluster whose potentials stand for all absorbers of an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.feff import Cluster
from shortrange.simulate.neighbours import Neighbours, find_neighbours

__all__ = ["cluster_around", "densities", "representative"]

Array = NDArray[Any]

_MARGIN = 3.0  # angstrom beyond the longest path: a cluster cut at the path length is off by 7 %
_MAX_NEIGHBOURS = 999  # FEFF8L holds 1000 atoms
_BIN, _WIDTH = 0.1, 0.2  # angstrom, of the radial densities that are compared


def cluster_around(trajectory: Trajectory, *, frame: int, atom: int, radius: float) -> Cluster:
    """Atoms within ``radius`` (angstrom) of an atom, nearest first; the nearest 999, which FEFF8L holds."""
    cells = None if trajectory.cells is None else trajectory.cells[frame : frame + 1]
    found = find_neighbours(
        trajectory.positions[frame : frame + 1], cells, centres=np.array([atom]), r_max=radius
    )
    names = [trajectory.species[i] for i in found.atoms]
    order = sorted(range(len(names)), key=lambda i: (round(float(found.distances[i]), 6), names[i]))
    order = order[:_MAX_NEIGHBOURS]
    return Cluster(trajectory.species[atom], tuple(names[i] for i in order), found.vectors[order])


def representative(
    trajectory: Trajectory, near: Neighbours, frames: Array, centres: Array, r_max: float
) -> tuple[Cluster, dict[str, Any]]:
    """Cluster of the absorber whose surroundings are nearest the mean of those given.

    Surroundings are compared as radial densities of each element, weighted by 1/r^2 as EXAFS is.

    Parameters
    ----------
    trajectory
        Snapshots.
    near
        Neighbours within ``r_max`` of ``centres`` in ``frames``.
    frames, centres
        Indices into the trajectory.
    r_max
        Longest path, angstrom.

    Returns
    -------
    cluster
        Its atoms, 3 angstrom beyond ``r_max`` (fewer if FEFF cannot hold so many).
    choice
        Frame, atom, radius and how it was chosen.

    Raises
    ------
    SimulationError
        If no single cluster holds all elements that occur within ``r_max`` of any absorber.
    """
    density = densities(trajectory, near, r_max)
    distance = np.sum((density - density.mean(axis=0)) ** 2, axis=1)
    needed = {trajectory.species[i] for i in np.unique(near.atoms)}
    for place in np.argsort(np.round(distance, 12), kind="stable"):
        frame, atom = int(frames[place // centres.size]), int(centres[place % centres.size])
        cluster = cluster_around(trajectory, frame=frame, atom=atom, radius=r_max + _MARGIN)
        if needed <= set(cluster.kinds):
            radius = float(np.linalg.norm(cluster.vectors[-1])) if len(cluster.species) else 0.0
            return cluster, {
                "frame": frame,
                "atom": atom,
                "radius": radius,
                "chosen": "nearest the mean surroundings",
            }
    raise SimulationError(
        f"no single cluster of {r_max + _MARGIN:g} angstrom holds all of {sorted(needed)}",
        where=trajectory.source or trajectory.label or "trajectory",
        do="give potentials made from a cluster that holds them, or a larger r_max",
    )


def densities(trajectory: Trajectory, near: Neighbours, r_max: float) -> Array:
    """Smooth radial densities over r^2, shape (n_centres, n_elements * n_bins)."""
    names = sorted(set(trajectory.species))
    kinds = np.array([names.index(name) for name in trajectory.species])[near.atoms]
    n_bins = int(r_max / _BIN) + 1
    n = near.offsets.size - 1
    place = np.repeat(np.arange(n), np.diff(near.offsets))
    flat = (place * len(names) + kinds) * n_bins + (near.distances / _BIN).astype(int)
    counts = np.bincount(flat, weights=near.distances**-2.0, minlength=n * len(names) * n_bins)
    lag = np.subtract.outer(np.arange(n_bins), np.arange(n_bins)) * _BIN
    smooth = np.exp(-0.5 * (lag / _WIDTH) ** 2)
    return (counts.reshape(n, len(names), n_bins) @ smooth).reshape(n, -1)
