r"""The compiled sum of Gaussians over very many shells: moments on a grid first, Gaussians of the grid then.

A shell at r = r_k + d near the grid point r_k is the Taylor series

.. math:: a\,g(x - r_k - d, s(r)) = \sum_n \frac{a d^n}{n!}
          \left(-\partial_x + \tfrac{s'}{2}\partial_x^2\right)^n g(x - r_k, s_k),

so that the shells of one pair of elements near one point need one Gaussian, times a polynomial. Points so
close that d stays below 0.18 standard deviations make the seventh order exact to 1e-8, its derivatives
to 1e-7.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["ORDER", "spread_gathered"]

ORDER = 7
_REACH = 7.0  # standard deviations; beyond, a Gaussian is below 3e-11
_CLOSE = 0.36  # of the narrowest width, distance of the points
_OUTSIDE = 2.0  # angstrom past the grid, from where no Gaussian reaches in
_NARROW = 1e-6  # angstrom^2; the caller refuses such variances


def _hermite(size: int) -> np.ndarray:
    """Coefficients of the probabilists' Hermite polynomials, shape (size, size), lowest power first."""
    table = np.zeros((size, size))
    table[0, 0] = table[1, 1] = 1.0
    for m in range(2, size):
        table[m, 1:] = table[m - 1, :-1]
        table[m] -= (m - 1) * table[m - 2]
    return table


_TERMS = ORDER + 4
_HERMITE = _hermite(_TERMS)


@njit(nogil=True, cache=True, fastmath=True)
def spread_gathered(  # type: ignore[no-untyped-def]
    coefficients, amplitude, pair, m, dm, u_sum, du, width, places, over_pair, first, step, out
):
    """Add all shells to ``out``; arguments and result as `shortrange.simulate.shell_kernel.spread_shells`.

    Here ``u_sum`` is U_a + U_b of each pair of elements, shape (n_pairs,).
    """
    n_pairs, _, n_grid = out.shape
    moving = np.flatnonzero(np.array([np.any(dm[:, p] != 0.0) for p in range(dm.shape[1])]))
    stride = _stride(u_sum, width, first, step, n_grid)
    pad = int(_OUTSIDE / (step * stride))
    moments = np.zeros((n_pairs, n_grid // stride + 1 + 2 * pad, 1 + moving.size, ORDER + 1))
    _gather(coefficients, amplitude, pair, m, dm, moving, over_pair, first, step * stride, pad, moments)
    smallest = np.inf
    for which in range(n_pairs):
        for k in range(moments.shape[1]):
            found = moments[which, k]
            if found[0, 0] == 0.0:
                continue
            centre = (k - pad) * stride
            s2 = _spread(
                found, moving, u_sum[which], du[which], width, places, first, step, centre, out[which]
            )
            smallest = min(smallest, s2)
    return smallest


@njit(nogil=True, cache=True, fastmath=True)
def _stride(u_sum, width, first, step, n_grid):  # type: ignore[no-untyped-def]
    """Grid points from one centre to the next, so that the series converges for the narrowest Gaussian."""
    delta1, delta2, q_broad = width
    narrowest = np.inf
    for r in (max(first, 2.0), first + n_grid * step):
        factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
        for u in u_sum:
            if u > 0.0:
                narrowest = min(narrowest, u * factor)
    return max(1, int(_CLOSE * np.sqrt(max(narrowest, 0.0)) / step))


@njit(nogil=True, cache=True, fastmath=True)
def _gather(coefficients, amplitude, pair, m, dm, moving, over_pair, first, step, pad, moments):  # type: ignore[no-untyped-def]
    """Sum a d^n of the shells, and its derivatives, for each grid point."""
    powers = np.ones(ORDER + 1)
    for s in range(amplitude.size):
        r2 = 0.0
        for i in range(m.size):
            r2 += coefficients[s, i] * m[i]
        r = np.sqrt(r2)
        k = int(np.rint((r - first) / step))
        if k < -pad or k >= moments.shape[1] - pad:
            continue
        d = r - first - k * step
        a = amplitude[s] / r if over_pair else amplitude[s]
        for n in range(1, ORDER + 1):
            powers[n] = powers[n - 1] * d
        here = moments[pair[s], k + pad]
        for n in range(ORDER + 1):
            here[0, n] += a * powers[n]
        for j in range(moving.size):
            dr = 0.0
            for i in range(m.size):
                dr += coefficients[s, i] * dm[i, moving[j]]
            dr /= 2.0 * r
            da = -a * dr / r if over_pair else 0.0
            here[1 + j, 0] += da
            for n in range(1, ORDER + 1):
                here[1 + j, n] += da * powers[n] + n * a * powers[n - 1] * dr


@njit(nogil=True, cache=True, fastmath=True)
def _spread(moments, moving, u, du, width, places, first, step, centre, out):  # type: ignore[no-untyped-def]
    """Add the Gaussian of one grid point, with its polynomials; return its variance."""
    delta1, delta2, q_broad = width
    r = first + centre * step
    factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
    slope = delta1 / (r * r) + 2.0 * delta2 / (r * r * r) + 2.0 * q_broad * q_broad * r
    s2 = u * factor
    if s2 <= _NARROW:
        return s2
    sigma = np.sqrt(s2)
    reach = int(_REACH * sigma / step) + 1
    lo, hi = max(0, centre - reach), min(out.shape[1] - 1, centre + reach)
    if hi < lo:
        return s2
    t = (np.arange(lo, hi + 1) - centre) * (step / sigma)
    g = np.exp(-0.5 * t * t) / (np.sqrt(2.0 * np.pi) * sigma)
    _add(moments[0], u * slope, 0.0, 0.0, sigma, t, g, out[0], lo)
    for j in range(moving.size):
        _add(moments[1 + j], u * slope, 0.0, 0.0, sigma, t, g, out[1 + moving[j]], lo)
    for p in range(du.size):
        if du[p] != 0.0:
            _add(moments[0], u * slope, du[p] * factor, du[p] * slope, sigma, t, g, out[1 + p], lo)
    if places[0] >= 0:
        _add(moments[0], u * slope, -u / r, u / (r * r), sigma, t, g, out[1 + places[0]], lo)
    if places[1] >= 0:
        _add(moments[0], u * slope, -u / (r * r), 2.0 * u / (r * r * r), sigma, t, g, out[1 + places[1]], lo)
    if places[2] >= 0:
        _add(
            moments[0], u * slope, 2.0 * u * q_broad * r * r, 4.0 * u * q_broad * r, sigma, t, g,
            out[1 + places[2]], lo,
        )  # fmt: skip
    return s2


@njit(nogil=True, cache=True, fastmath=True)
def _add(moments, s1, ds, ds1, sigma, t, g, out, lo):  # type: ignore[no-untyped-def]
    """Add one row: the series itself, or with ``ds`` or ``ds1`` its derivative by a width."""
    by_order = np.zeros(_TERMS)
    factorial = 1.0
    for n in range(ORDER + 1):
        factorial *= max(n, 1)
        sign = 1.0 if n % 2 == 0 else -1.0
        value = moments[n] / factorial
        bend = -sign * n * value * 0.5
        if ds == 0.0 and ds1 == 0.0:
            by_order[n] += sign * value
            by_order[n + 1] += bend * s1
        else:
            by_order[n + 2] += sign * value * 0.5 * ds
            by_order[n + 3] += bend * s1 * 0.5 * ds
            by_order[n + 1] += bend * ds1
    poly = np.zeros(_TERMS)
    scale = 1.0
    for order in range(_TERMS):
        for power in range(order + 1):
            poly[power] += by_order[order] * scale * _HERMITE[order, power]
        scale /= -sigma
    for i in range(t.size):
        x = t[i]
        value = poly[10]
        value = value * x + poly[9]
        value = value * x + poly[8]
        value = value * x + poly[7]
        value = value * x + poly[6]
        value = value * x + poly[5]
        value = value * x + poly[4]
        value = value * x + poly[3]
        value = value * x + poly[2]
        value = value * x + poly[1]
        out[lo + i] += g[i] * (value * x + poly[0])
