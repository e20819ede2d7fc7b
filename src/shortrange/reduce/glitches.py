"""Points that cannot be absorption: spikes of one scan, and glitches of the monochromator in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.splines import interpolation_weights

__all__ = ["find_glitches", "find_outliers", "local_residual"]

Array = NDArray[Any]


def local_residual(x: Array, y: Array, offsets: tuple[int, ...]) -> Array:
    """Distance of each point from the polynomial through neighbours, in units that keep white noise as it is.

    Parameters
    ----------
    x, y
        Shape (n,), ``x`` strictly increasing.
    offsets
        Which neighbours, such as ``(-2, -1, 1, 2)``. Near the ends they are taken from the inside.

    Returns
    -------
    ndarray
        Shape (n,): residual divided by the square root of 1 + the sum of squared weights.
    """
    reach = max(abs(o) for o in offsets)
    n = y.size
    centre = np.clip(np.arange(n), reach, n - 1 - reach)
    index = centre[:, None] + np.array(offsets)
    # Near an end the point itself is among the neighbours of the clipped centre: use the centre instead.
    index = np.where(index == np.arange(n)[:, None], centre[:, None], index)
    nodes = x[index]
    weight = np.ones_like(nodes)
    for i in range(len(offsets)):
        for j in range(len(offsets)):
            if i != j:
                weight[:, i] *= (x - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    residual = y - (weight * y[index]).sum(axis=1)
    return np.asarray(residual / np.sqrt(1.0 + (weight**2).sum(axis=1)))


def running_scale(residual: Array, window: int = 41) -> Array:
    """Local standard deviation, from a running median of absolute values."""
    half = min(window, 2 * (residual.size // 2) - 1) // 2
    padded = np.pad(np.abs(residual), half, mode="reflect")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    return np.asarray(1.4826 * medians)


def find_glitches(
    energy: Array, mu: Array, *, e0: float, i0: Array | None = None, limit: float = 8.0
) -> Array:
    """Glitches of a single scan.

    A point is one if mu lies more than ``limit`` local standard deviations and a thousandth of its whole rise
    off the curve through its neighbours, away from the edge (below E0 - 30 eV, above E0 + 50 eV); or if the
    incident intensity jumps there by more than 3 % and mu leaves the curve around the jump by more than 4
    deviations; or if the incident intensity jumps by more than 20 %.

    Parameters
    ----------
    energy, mu
        Shape (n,).
    e0
        eV.
    i0
        Incident intensity, shape (n,), if it was recorded.

    Returns
    -------
    ndarray
        True where there is a glitch, shape (n,).
    """
    beam = np.zeros(energy.size, dtype=bool)
    if energy.size < 30:
        return beam
    if i0 is not None:
        beam = _beam_glitches(energy, mu, i0)
    glitch = beam.copy()
    far = (energy < e0 - 30.0) | (energy > e0 + 50.0)
    rise = float(np.ptp(mu[~glitch]))
    for _ in range(20):
        # The worst point goes first: it spoils the residuals of its neighbours.
        left = np.flatnonzero(~glitch)
        # Near neighbours predict best; a glitch of two points is seen only without the nearest.
        near, apart = (local_residual(energy[left], mu[left], o) for o in ((-2, -1, 1, 2), (-3, -2, 2, 3)))
        size = np.minimum(*(np.abs(r) / np.maximum(running_scale(r), 1e-300) for r in (near, apart)))
        size[~far[left] | _uneven(energy[left]) | (np.abs(apart) < 1e-3 * rise)] = 0.0
        size[:3] = size[-3:] = 0.0  # an extrapolation proves nothing
        worst = int(np.argmax(size))
        if size[worst] < limit:
            break
        glitch[left[worst]] = True
    # What lies on the curve through the points that are left was condemned by its neighbours only.
    left = ~glitch
    expected, scale = _across(energy, energy[left], mu[left])
    return np.asarray(glitch & (beam | (np.abs(mu - expected) > 0.5 * limit * scale)))


def _across(energy: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Curve through good points at all energies, and its local standard deviation from a point."""
    index, weight = interpolation_weights(x, np.clip(energy, x[0], x[-1]), gain=4.0)
    scale = np.interp(energy, x, running_scale(local_residual(x, y, (-2, -1, 1, 2))))
    return (weight * y[index]).sum(axis=1), scale * np.sqrt(1.0 + (weight**2).sum(axis=1))


def _uneven(energy: Array) -> Array:
    """Find where the spacing changes by more than 2.5 within three points: no curve can be trusted there."""
    gaps = np.pad(np.diff(energy), 3, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(gaps, 6)
    return np.asarray(around.max(axis=1) > 2.5 * around.min(axis=1))


def _beam_glitches(energy: Array, mu: Array, i0: Array) -> Array:
    """Jumps of the incident intensity that absorption follows."""
    away = np.abs(i0 / _running_median(i0, 7) - 1.0)
    jump = away > max(0.03, 8.0 * 1.4826 * float(np.median(away)))
    jump &= narrow(energy, jump, 12.0)
    if not jump.any() or jump.sum() > 0.1 * jump.size:  # a beam that jumps everywhere is not glitching
        return np.zeros(i0.size, dtype=bool)
    good = np.flatnonzero(~jump)
    x, y = energy[good], mu[good]
    expected, scale = _across(energy, x, y)
    for end in (slice(0, 6), slice(-6, None)):  # beyond the last good points: a straight line
        centre = x[end].mean()
        slope = np.dot(x[end] - centre, y[end]) / np.sum((x[end] - centre) ** 2)
        beyond = energy < x[0] if end.start == 0 else energy > x[-1]
        expected[beyond] = (y[end].mean() + slope * (energy - centre))[beyond]
    return np.asarray(jump & ((np.abs(mu - expected) > 4.0 * scale) | (away > 0.2)))


def _running_median(values: Array, half: int) -> Array:
    """Smooth by a running median; beyond the ends the trend goes on, whatever the last point is."""
    n = values.size
    ahead = np.arange(1, half + 1) + half // 2
    first, last = (np.median(part) for part in (values[:half], values[-half:]))
    rise_first, rise_last = (np.median(np.diff(part)) for part in (values[: 2 * half], values[-2 * half :]))
    padded = np.concatenate([(first - rise_first * ahead)[::-1], values, last + rise_last * ahead])
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)[:n])


def narrow(energy: Array, flags: Array, width: float) -> Array:
    """Keep runs of flags that are no wider than this: what lasts longer is a drift, not a glitch."""
    out = np.zeros(flags.size, dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = energy[stop - 1] - energy[start] <= width
    return out


def find_outliers(residual: Array, slope: Array, *, limit: float = 7.0) -> Array:
    """Points of one scan that differ from the other scans by more than ``limit`` local standard deviations.

    Parameters
    ----------
    residual
        Difference to the other scans, without its slow part, shape (n,).
    slope
        d mu / dE in 1/eV: on the edge, a jitter of the energy of 0.02 eV is no spike.
    """
    scale = np.maximum(running_scale(residual), 0.5 * 1.4826 * float(np.median(np.abs(residual))))
    scale = np.hypot(scale, 0.02 * slope)
    return np.abs(residual) > limit * np.maximum(scale, 1e-300)
