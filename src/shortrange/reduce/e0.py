"""Energy of an absorption edge: the steepest rise of mu(E)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError

__all__ = ["find_e0"]

Array = NDArray[Any]


def find_e0(
    energy: Array,
    mu: Array,
    *,
    near: float | None = None,
    half_width: float = 40.0,
    smooth: float | None = None,
) -> float:
    r"""Energy of the steepest rise of mu(E), between grid points.

    The slope is that of a straight line fitted under a Gaussian of standard deviation ``smooth``; the maximum
    is found on a grid of 0.1 eV and refined by a parabola. Points that stand out of a running median of five
    are left out, so that a spike is no edge.

    Parameters
    ----------
    energy, mu
        Shape (n,), eV, strictly increasing.
    near, half_width
        Look only within ``half_width`` of this energy; everywhere if None.
    smooth
        eV; by default the larger of 0.5 eV and 1.5 times the median spacing within 10 eV of the rise.

    Raises
    ------
    DataError
        If there are fewer than 8 points to look at, or mu rises nowhere among them.
    """
    sound = ~_spikes(mu)
    x, y = energy[sound], mu[sound]
    if near is not None:
        inside = np.abs(x - near) <= half_width
        x, y = x[inside], y[inside]
    if x.size < 8:
        raise DataError(
            f"{x.size} points within {half_width:g} eV of the edge at {near}",
            where="find_e0",
            do="check the edge",
        )
    if smooth is None:
        rise = x[np.argmax(np.gradient(y, x))]
        smooth = max(0.5, 1.5 * float(np.median(np.diff(x[np.abs(x - rise) <= 10.0], prepend=x[0] - 0.5))))
    # Anchored at the data, so that a shift of all energies shifts the result by exactly as much.
    grid = x[2] + 0.1 * np.arange(max(3, int((x[-3] - x[2]) / 0.1)))
    slope = _local_slope(x, y, grid, smooth)
    top = int(np.argmax(slope))
    if slope[top] <= 0:
        raise DataError(
            "mu falls everywhere near the edge", where="find_e0", do="check the sign of mu and the edge"
        )
    if 0 < top < grid.size - 1:
        left, mid, right = slope[top - 1 : top + 2]
        curvature = left - 2 * mid + right
        offset = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
        return float(grid[top] + 0.1 * offset)
    return float(grid[top])


def _spikes(mu: Array) -> Array:
    """Points that stand out of a running median of five by far more than others, and by a visible amount."""
    padded = np.pad(mu, 2, mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    away = np.abs(mu - median)
    span = np.subtract(*np.percentile(median, [98, 2]))
    return np.asarray((away > 0.3 * abs(span)) & (away > 10.0 * np.median(away)))


def _local_slope(x: Array, y: Array, grid: Array, width: float) -> Array:
    """Slope of straight lines fitted under Gaussians centred on ``grid``."""
    out = np.empty(grid.size)
    for start in range(0, grid.size, 512):  # in blocks: the table of distances would be large
        block = grid[start : start + 512]
        d = (x - block[:, None]) / width
        w = np.exp(-0.5 * np.clip(d, -8.0, 8.0) ** 2)
        s0, s1, s2 = w.sum(1), (w * d).sum(1), (w * d * d).sum(1)
        t0, t1 = w @ y, (w * d) @ y
        out[start : start + 512] = (s0 * t1 - s1 * t0) / (s0 * s2 - s1**2) / width
    return out
