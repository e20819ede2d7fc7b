"""Rebinning of continuous (quick-EXAFS) scans: counts are added up, none is lost or shared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import Scan, step
from shortrange.units import energy_from_k, k_from_energy

__all__ = ["POINTS", "exafs_bins", "rebin"]

Array = NDArray[Any]

POINTS = "points_per_bin"
"""Column that says how many points were added up: counts divided by it are rates."""

_MEANS = ("mu", "mu_ref")
"""Columns that are no counts: their mean is taken."""


def exafs_bins(
    low: float,
    high: float,
    *,
    e0: float,
    pre_step: float = 5.0,
    edge_step: float = 0.3,
    k_step: float = 0.05,
    edge: tuple[float, float] = (-20.0, 30.0),
) -> Array:
    """Limits of bins: wide before the edge, narrow over it, even in k above.

    Parameters
    ----------
    low, high
        Range, eV.
    e0
        Edge energy, eV.
    pre_step, edge_step, k_step
        Widths, eV, eV and 1/angstrom.
    edge
        Where the narrow bins begin and end, eV relative to ``e0``.

    Returns
    -------
    ndarray
        Increasing, eV; from ``low`` or below to above ``high``.

    Raises
    ------
    DataError
        If a width is not positive, or the ranges do not increase.
    """
    start, stop = e0 + edge[0], e0 + edge[1]
    if not (min(pre_step, edge_step, k_step) > 0 and low < start < stop < high and edge[1] > 0):
        raise DataError(
            f"bins of {pre_step:g} eV, {edge_step:g} eV, {k_step:g} 1/angstrom in {low:.1f} to {high:.1f} eV",
            where=f"exafs_bins, E0 = {e0:.1f} eV",
            do="give positive widths, and a scan that reaches from before to behind the edge",
        )
    before = start - pre_step * np.arange(np.ceil((start - low) / pre_step), 0.0, -1.0)
    over = np.arange(start, stop, edge_step)
    k = float(k_from_energy(over[-1] + edge_step, e0))
    above = energy_from_k(np.arange(k, float(k_from_energy(high, e0)) + 2.0 * k_step, k_step), e0)
    return np.concatenate([before, over, above])


def rebin(scan: Scan, *, e0: float, **bins: Any) -> Scan:
    """Add up the counts of a scan in bins.

    A point belongs to the one bin that its energy lies in, so that noise stays independent and the sum of
    each channel is kept; the energy of a bin is the mean of those of its points. Where the scan is coarser
    than the bins, its points stay as they are. The column `POINTS` holds the number of points of each bin.

    Parameters
    ----------
    scan
        Energies increasing, eV.
    e0
        Edge energy, eV; the tabulated one is good enough.
    **bins
        As of `exafs_bins`.

    Raises
    ------
    DataError
        If the energies do not increase, or the bins are not possible.
    """
    energy = scan.energy
    if np.any(np.diff(energy) <= 0):
        raise DataError(
            "the energies do not increase",
            where=scan.source or f"Scan(label={scan.label!r})",
            do="put the points in order before rebinning",
        )
    limits = exafs_bins(float(energy[0]), float(energy[-1]), e0=e0, **bins)
    place = np.searchsorted(limits, energy, side="right")
    last = place == place[-1]
    if 2 * last.sum() < np.sum(place == place[~last].max(initial=0)):
        place[last] = place[~last][-1]  # what is left at the end is no bin of its own
    _, index, counts = np.unique(place, return_inverse=True, return_counts=True)

    def total(values: Array) -> Array:
        return np.bincount(index, weights=values)

    columns = {
        name: total(values) / counts if name in _MEANS else total(values)
        for name, values in scan.columns.items()
    }
    columns[POINTS] = counts.astype(float)
    done = step("rebin", points=int(energy.size), bins=int(counts.size), e0=e0, **bins)
    return scan.after(done, energy=total(energy) / counts, columns=columns)
