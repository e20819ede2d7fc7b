r"""The compiled sum of Gaussians over very many shells: gathered on a grid first, one Gaussian a point then.

The Gaussian F(x, r) of a shell, with its width and its 1 / r, is a smooth function of the distance r, so that
it follows from those at grid points around r by Lagrange interpolation,

.. math:: \sum_s a_s F(x, r_s) = \sum_k F(x, r_k) \sum_s a_s L_k(r_s),

and its derivative by a lattice parameter p from :math:`\sum_s a_s (\partial r_s / \partial p) L_k(r_s)` and
:math:`\partial F / \partial r_k`. Shells go to four points 0.015 standard deviations apart, and those to
eight points 0.12 apart, each exact to 1e-8; a point then needs one Gaussian for all rows.

What the profile taught: with a Taylor series in place of interpolation three quarters of the time went to
the polynomials of the Gaussians, one for each row; with the shells sent to eight points at once, to the
weights. Now most goes to adding a shell to four points of each row, some 45 cycles a shell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["spread_gathered"]

Array = NDArray[Any]

_REACH = 7.0  # standard deviations; beyond, a Gaussian is below 3e-11
_CLOSE = 0.12  # of the narrowest width, distance of the points
_OUTSIDE = 2.0  # angstrom past the grid, from where no Gaussian reaches in
_NARROW = 1e-6  # angstrom^2; the caller refuses such variances
_NARROWEST = 0.03  # angstrom; the caller refuses such widths, the points need not be closer for them
_NODES = 8
_FINE = 8
"""Steps of the fine grid in one of the points."""


def _weights() -> Array:
    """Weights of the points (columns) around each place of the fine grid, shape (_FINE, _NODES)."""
    x = np.arange(_FINE)[:, None] / _FINE + _NODES // 2 - 1
    nodes = np.arange(_NODES)
    others = [np.delete(nodes, k) for k in nodes]
    return np.stack([np.prod((x - o) / (k - o), axis=1) for k, o in zip(nodes, others, strict=True)], axis=1)


_WEIGHTS = _weights()


def spread_gathered(
    coefficients: Array,
    amplitude: Array,
    pair: Array,
    m: Array,
    dm: Array,
    u_sum: Array,
    du: Array,
    width: Array,
    places: Array,
    over_pair: bool,
    first: float,
    step: float,
    out: Array,
) -> float:
    """Add all shells to ``out``; arguments and result as `shortrange.simulate.shell_kernel.spread_shells`.

    Here ``u_sum`` is U_a + U_b of each pair of elements, shape (n_pairs,).
    """
    moving = np.flatnonzero(np.any(dm != 0.0, axis=0))
    points = spread_points(u_sum, width, first, step, out.shape[2])
    moments = gather_shells(coefficients, amplitude, pair, m, dm[:, moving], points, out.shape[0])
    smallest: float = spread_moments(
        moments, moving, u_sum, du, width, places, over_pair, points[0], points[1], first, step, out
    )
    return smallest


def spread_points(
    u_sum: Array, width: Array, first: float, step: float, n_grid: int
) -> tuple[float, float, int]:
    """First, step and number of the points for the narrowest Gaussian on a grid.

    Steps are powers of the square root of 2, so that most changes of widths leave the points where they are.
    """
    delta1, delta2, q_broad = width
    narrowest = np.inf
    for r in (max(first, 2.0), first + n_grid * step):
        factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
        narrowest = min([narrowest, *(u * factor for u in u_sum if u > 0.0)])
    close = _CLOSE * np.sqrt(max(narrowest, _NARROWEST**2)) if np.isfinite(narrowest) else step
    close = 2.0 ** (np.floor(2.0 * np.log2(close)) / 2.0)
    start = first - _OUTSIDE - _NODES * close
    count = int(np.ceil((first + (n_grid - 1) * step + _OUTSIDE - start) / close)) + _NODES
    return float(start), float(close), count


def gather_shells(
    coefficients: Array,
    amplitude: Array,
    pair: Array,
    m: Array,
    dm: Array,
    points: tuple[float, float, int],
    n_pairs: int,
) -> Array:
    """Gather shells, and their slopes ``dm`` (k, q), at the points: shape (n_pairs, 1 + q, n_points)."""
    start, close, count = points
    inner = count - _NODES
    fine = np.zeros((n_pairs, 1 + dm.shape[1], inner * _FINE))
    first = start + (_NODES // 2 - 1) * close
    _gather(coefficients, amplitude, pair, m, np.ascontiguousarray(dm.T), first, close / _FINE, fine)
    moments = np.zeros((*fine.shape[:2], count))
    _thin(fine, moments)
    return moments


@njit(nogil=True, cache=True, fastmath=True)
def _thin(fine, moments):  # type: ignore[no-untyped-def]
    """Carry the fine grid to the points."""
    for which in range(fine.shape[0]):
        for row in range(fine.shape[1]):
            values, sums = fine[which, row], moments[which, row]
            for k in range(fine.shape[2] // _FINE):
                for q in range(_FINE):
                    value = values[k * _FINE + q]
                    if value != 0.0:
                        for i in range(_NODES):
                            sums[k + i] += value * _WEIGHTS[q, i]


@njit(nogil=True, cache=True, fastmath=True)
def _gather(coefficients, amplitude, pair, m, slopes, first, step, fine):  # type: ignore[no-untyped-def]
    n, last, inverse = m.size, fine.shape[2] - 4, 1.0 / step
    for s in range(amplitude.size):
        r2 = 0.0
        for i in range(n):
            r2 += coefficients[s, i] * m[i]
        r = np.sqrt(r2)
        place = (r - first) * inverse
        low = int(np.floor(place)) - 1
        if low < 0 or low > last:
            continue
        # Cubic weights; written out, or they would take as long as the sums.
        x0 = place - low
        x1, x2, x3 = x0 - 1.0, x0 - 2.0, x0 - 3.0
        left, right = amplitude[s] * x0 * x1, amplitude[s] * x2 * x3
        w0, w1, w2, w3 = -right * x1 / 6.0, 0.5 * right * x0, -0.5 * left * x3, left * x2 / 6.0
        rows, half = fine[pair[s], :, low : low + 4], 0.5 / r
        rows[0, 0] += w0
        rows[0, 1] += w1
        rows[0, 2] += w2
        rows[0, 3] += w3
        for j in range(slopes.shape[0]):
            dr = 0.0
            for i in range(n):
                dr += coefficients[s, i] * slopes[j, i]
            dr *= half
            rows[1 + j, 0] += dr * w0
            rows[1 + j, 1] += dr * w1
            rows[1 + j, 2] += dr * w2
            rows[1 + j, 3] += dr * w3


@njit(nogil=True, cache=True, fastmath=True)
def spread_moments(  # type: ignore[no-untyped-def]
    moments, moving, u_sum, du, width, places, over_pair, start, close, first, step, out
):
    """Add the Gaussians of all points to ``out``; return the smallest variance of any."""
    delta1, delta2, q_broad = width
    n_pairs, n_rows, n_points = moments.shape
    n_grid = out.shape[2]
    buffer = np.empty((3, 2 * n_grid + 3))
    smallest = np.inf
    for which in range(n_pairs):
        u, rows, found = u_sum[which], out[which], moments[which]
        for k in range(n_points):
            if found[0, k] == 0.0:
                continue
            r = start + k * close
            factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
            s2 = u * factor
            smallest = min(smallest, s2)
            if s2 <= _NARROW:
                continue
            reach = min(int(_REACH * np.sqrt(s2) / step) + 1, n_grid)
            middle = int(np.rint((r - first) / step))
            lo, hi = max(0, middle - reach), min(n_grid - 1, middle + reach)
            if hi < lo:
                continue
            slope = u * (delta1 / (r * r) + 2.0 * delta2 / (r * r * r) + 2.0 * q_broad * q_broad * r)
            offset = first + middle * step - r
            _gaussian(buffer, reach, offset, step, s2, slope, 1.0 / r if over_pair else 0.0)
            a, n = lo - middle + reach, hi - lo + 1
            g, by_r, by_s2 = buffer[0, a : a + n], buffer[1, a : a + n], buffer[2, a : a + n]
            _add(rows[0], lo, found[0, k], g)
            for j in range(n_rows - 1):
                _add(rows[1 + moving[j]], lo, found[1 + j, k], by_r)
            _add_widths(rows, lo, found[0, k], by_s2, u, r, factor, du[which], places, q_broad)
    return smallest


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add_widths(rows, lo, moment, by_s2, u, r, factor, du, places, q_broad):  # type: ignore[no-untyped-def]
    """Add the derivatives by what only widens the Gaussian."""
    for p in range(du.size):
        if du[p] != 0.0:
            _add(rows[1 + p], lo, moment * du[p] * factor, by_s2)
    if places[0] >= 0:
        _add(rows[1 + places[0]], lo, -moment * u / r, by_s2)
    if places[1] >= 0:
        _add(rows[1 + places[1]], lo, -moment * u / (r * r), by_s2)
    if places[2] >= 0:
        _add(rows[1 + places[2]], lo, moment * 2.0 * u * q_broad * r * r, by_s2)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _gaussian(buffer, reach, offset, step, s2, slope, inverse):  # type: ignore[no-untyped-def]
    """Fill a Gaussian, over r if ``inverse`` is 1 / r, and its derivatives by its r and by its variance."""
    height = 1.0 / np.sqrt(2.0 * np.pi * s2)
    if inverse > 0.0:
        height *= inverse
    # On a grid each point follows from the last by two multiplications: from the middle outwards.
    up = down = height * np.exp(-0.5 * offset * offset / s2)
    ratio = np.exp(-step * step / s2)
    factor_up = np.exp(-(offset * step + 0.5 * step * step) / s2)
    factor_down = np.exp((offset * step - 0.5 * step * step) / s2)
    g = buffer[0]
    g[reach] = up
    for i in range(1, reach + 1):
        up *= factor_up
        down *= factor_down
        factor_up *= ratio
        factor_down *= ratio
        g[reach + i] = up
        g[reach - i] = down
    over = 1.0 / s2
    for i in range(2 * reach + 1):
        x = offset + (i - reach) * step
        by_s2 = 0.5 * over * (x * x * over - 1.0)
        buffer[2, i] = g[i] * by_s2
        buffer[1, i] = g[i] * (x * over + by_s2 * slope - inverse)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add(row, lo, factor, values):  # type: ignore[no-untyped-def]
    for i in range(values.size):
        row[lo + i] += factor * values[i]
