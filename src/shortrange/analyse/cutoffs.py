"""Where a first shell ends: given, or the first minimum of g(r)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.frames import Snapshots
from shortrange.analyse.roles import covalent_radius
from shortrange.errors import DataError, did_you_mean
from shortrange.simulate.pairs import PairHistograms

__all__ = ["Cutoff", "check_cutoffs", "find_cutoffs", "first_minimum"]

Array = NDArray[Any]

_BROAD = 0.15  # angstrom; merges the short and long bonds of one shell, which may differ by 0.3
_FINE = 0.05
_BOND = 1.35  # a first peak beyond this multiple of the covalent radii is no bond


@dataclass(frozen=True, slots=True)
class Cutoff:
    """End of the first shell of a pair of elements.

    Attributes
    ----------
    pair
        Such as ``"Ta-Cl"``.
    r
        angstrom; None where the pair has no first shell within half the cell.
    origin
        ``"given"``, ``"first minimum of g(r)"``, or why there is none.
    peak
        First maximum of the smoothed distribution, angstrom, or None.
    bonded
        Whether the pair is near enough to count as a chemical bond.
    """

    pair: str
    r: float | None
    origin: str
    peak: float | None
    bonded: bool


def first_minimum(r: Array, g: Array) -> tuple[float, float] | None:
    """First maximum and the minimum after it, of a distribution of distances.

    Maxima are sought after smoothing by a Gaussian of 0.15 angstrom; the minimum is then refined with one of
    0.05 angstrom, and is the middle of the gap where the shells do not touch.

    Parameters
    ----------
    r
        angstrom, uniform, shape (n,).
    g
        Any scale, shape (n,).

    Returns
    -------
    tuple or None
        (maximum, minimum), angstrom; None if there is no minimum on the grid.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    step = float(r[1] - r[0])
    broad = gaussian_filter1d(g, _BROAD / step, mode="nearest")
    # Heights are compared with their neighbourhood: noise between the shells is no shell.
    peaks, _ = find_peaks(broad, prominence=0.05 * float(broad.max()), height=0.1 * float(broad.max()))
    if not peaks.size:
        return None
    first = int(peaks[0])
    stop = int(peaks[1]) if peaks.size > 1 else broad.size
    lowest = first + int(np.argmin(broad[first:stop]))
    if lowest >= broad.size - 2:
        return None
    fine = gaussian_filter1d(g, _FINE / step, mode="nearest")
    lo, hi = max(first, lowest - round(0.3 / step)), min(stop, lowest + round(0.3 / step) + 1)
    near = fine[lo:hi]
    floor = np.flatnonzero(near <= near.min() + 1e-4 * float(fine.max()))
    place = lo + float(floor.mean())
    empty = np.flatnonzero(g[first:stop] > 1e-9 * float(g.max()))
    gap = _gap(empty, first, stop)
    if gap is not None:
        place = gap
    return float(r[first]), float(r[0] + place * step)


def _gap(filled: Array, first: int, stop: int) -> float | None:
    """Middle of the longest stretch without a single pair, if it is wider than the spread of the grid."""
    places = np.concatenate([filled + first, [stop]])
    widths = np.diff(places)
    widest = int(np.argmax(widths))
    return float(places[widest] + places[widest + 1]) / 2 if widths[widest] > 8 else None


def find_cutoffs(
    histograms: PairHistograms, mean_counts: Array, given: Mapping[str, float] | None = None
) -> dict[str, Cutoff]:
    """Cutoff of every pair of elements, by name of the pair as in the histograms.

    Parameters
    ----------
    histograms
        For the grid, the names and the normalisation.
    mean_counts
        Counts averaged over frames, shape (n_pairs, n_r).
    given
        Cutoffs in angstrom by pair, the elements in either order.
    """
    wanted = {_ordered(histograms, name): value for name, value in (given or {}).items()}
    out = {}
    for p, (a, b) in enumerate(histograms.pairs):
        name = f"{a}-{b}"
        # Counts over r^2 find shells in molecules as well, where no g(r) exists.
        density = np.divide(
            mean_counts[p], histograms.r**2, out=np.zeros(histograms.r.size), where=histograms.r > 0.5
        )
        found = first_minimum(histograms.r, density) if density.any() else None
        radii = covalent_radius(a) + covalent_radius(b)
        peak = None if found is None else found[0]
        if name in wanted:
            out[name] = Cutoff(name, wanted[name], "given", peak, True)
        elif found is None:
            why = (
                "no such pair within the distances searched"
                if not density.any()
                else "no minimum of g(r) within the distances counted"
            )
            out[name] = Cutoff(name, None, why, peak, False)
        else:
            out[name] = Cutoff(name, found[1], "first minimum of g(r)", peak, found[0] <= _BOND * radii)
    return out


def check_cutoffs(trajectory: Snapshots, given: Mapping[str, float]) -> None:
    """Refuse cutoffs that name no pair, are no distances, or do not fit into the cell.

    Raises
    ------
    DataError
        Naming the pair.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    names = list(trajectory.composition)
    for pair, value in given.items():
        parts = pair.split("-")
        if len(parts) != 2:
            raise DataError(f"the cutoff {pair!r} names no pair", where=where, do='write it as "Ta-Cl"')
        for symbol in parts:
            if symbol not in names:
                raise DataError(
                    f"there is no {symbol} for the cutoff {pair}",
                    where=where,
                    do=did_you_mean(symbol, names),
                )
        if not 0 < value < float("inf"):
            raise DataError(f"the cutoff {pair} = {value}", where=where, do="give a distance in angstrom")
        half = trajectory.half_width
        if half is not None and trajectory.n_frames > 1 and value > half:
            raise DataError(
                f"the cutoff {pair} = {value:g} angstrom is more than half the cell, {half:.2f} angstrom",
                where=where,
                do="give a shorter cutoff or a larger cell: such a shell holds an atom and its image",
            )


def _ordered(histograms: PairHistograms, pair: str) -> str:
    a, b = histograms.pairs[histograms.index(pair)]
    return f"{a}-{b}"
