r"""The compiled sum of Gaussians over very many shells: gathered on a fine grid first, one Gaussian a point then.

The Gaussian F(x, r) of a shell, with its width and its 1 / r, is a smooth function of the distance r, so that
it follows from those at eight grid points around r by Lagrange interpolation,

.. math:: \sum_s a_s F(x, r_s) = \sum_k F(x, r_k) \sum_s a_s L_k(r_s),

and its derivative by a lattice parameter p from :math:`\sum_s a_s (\partial r_s / \partial p) L_k(r_s)` and
:math:`\partial F / \partial r_k`. Points 0.12 standard deviations apart make it exact to 1e-8. The shells of
one pair of elements near one point need one Gaussian, without a polynomial for each row: a Taylor series about
points further apart needs fewer Gaussians, but took three times as long, nearly all of it in its polynomials.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["gather_shells", "spread_gathered", "spread_points"]

_REACH = 7.0  # standard deviations; beyond, a Gaussian is below 3e-11
_CLOSE = 0.12  # of the narrowest width, distance of the points
_OUTSIDE = 2.0  # angstrom past the grid, from where no Gaussian reaches in
_NARROW = 1e-6  # angstrom^2; the caller refuses such variances
_NARROWEST = 0.03  # angstrom; the caller refuses such widths, the points need not be closer for them
_NODES = 8
# 1 / prod(i - j) over the other nodes j of node i.
_SCALE = np.array([-1.0, 7.0, -21.0, 35.0, -35.0, 21.0, -7.0, 1.0]) / 5040.0


def spread_gathered(  # type: ignore[no-untyped-def]
    coefficients, amplitude, pair, m, dm, u_sum, du, width, places, over_pair, first, step, out
):
    """Add all shells to ``out``; arguments and result as `shortrange.simulate.shell_kernel.spread_shells`.

    Here ``u_sum`` is U_a + U_b of each pair of elements, shape (n_pairs,).
    """
    moving = np.flatnonzero(np.any(dm != 0.0, axis=0))
    points = spread_points(u_sum, width, first, step, out.shape[2])
    moments = gather_shells(coefficients, amplitude, pair, m, dm[:, moving], points, out.shape[0])
    return spread_moments(
        moments, moving, u_sum, du, width, places, over_pair, points[0], points[1], first, step, out
    )


def spread_points(u_sum, width, first, step, n_grid):  # type: ignore[no-untyped-def]
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


def gather_shells(coefficients, amplitude, pair, m, dm, points, n_pairs):  # type: ignore[no-untyped-def]
    """Shells gathered at the points, and with their slopes ``dm`` (k, q): shape (n_pairs, 1 + q, n_points)."""
    start, close, count = points
    moments = np.zeros((n_pairs, 1 + dm.shape[1], count))
    _gather(coefficients, amplitude, pair, m, np.ascontiguousarray(dm.T), start, close, moments)
    return moments


@njit(nogil=True, cache=True, fastmath=True)
def _gather(coefficients, amplitude, pair, m, slopes, start, close, moments):  # type: ignore[no-untyped-def]
    n, n_slopes, last = m.size, slopes.shape[0], moments.shape[2] - _NODES
    weights, below = np.empty(_NODES), np.empty(_NODES)
    for s in range(amplitude.size):
        r2 = 0.0
        for i in range(n):
            r2 += coefficients[s, i] * m[i]
        r = np.sqrt(r2)
        place = (r - start) / close
        base = int(np.floor(place)) - _NODES // 2 + 1
        if base < 0 or base > last:
            continue
        x = place - base
        product = amplitude[s]
        for k in range(_NODES):
            below[k] = product
            product *= x - k
        product = 1.0
        for k in range(_NODES - 1, -1, -1):
            weights[k] = below[k] * product * _SCALE[k]
            product *= x - k
        here = moments[pair[s]]
        for k in range(_NODES):
            here[0, base + k] += weights[k]
        for j in range(n_slopes):
            dr = 0.0
            for i in range(n):
                dr += coefficients[s, i] * slopes[j, i]
            dr /= 2.0 * r
            for k in range(_NODES):
                here[1 + j, base + k] += dr * weights[k]


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
            for p in range(du.shape[1]):
                if du[which, p] != 0.0:
                    _add(rows[1 + p], lo, found[0, k] * du[which, p] * factor, by_s2)
            if places[0] >= 0:
                _add(rows[1 + places[0]], lo, -found[0, k] * u / r, by_s2)
            if places[1] >= 0:
                _add(rows[1 + places[1]], lo, -found[0, k] * u / (r * r), by_s2)
            if places[2] >= 0:
                _add(rows[1 + places[2]], lo, found[0, k] * 2.0 * u * q_broad * r * r, by_s2)
    return smallest


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
