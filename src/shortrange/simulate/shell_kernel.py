"""The compiled sum of Gaussians over the shells of a crystal, with its derivatives."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["spread_shells"]

_REACH = 6.0  # standard deviations; beyond, a Gaussian is below 2e-8


@njit(nogil=True, cache=True, fastmath=True)
def spread_shells(  # type: ignore[no-untyped-def]
    coefficients, amplitude, pair, m, dm, u_sum, du, width, places, over_pair, first, step, out
):
    """Add all shells to ``out`` (n_pairs, 1 + p, n_grid): the sum, then its derivatives.

    Parameters
    ----------
    coefficients, amplitude, pair
        Of the shells: r^2 = c . m.
    m, dm
        Invariants of the cell (k,) and their derivatives (k, p).
    u_sum, du
        U_a + U_b of each pair (n_pairs,) and its derivatives (n_pairs, p).
    width
        delta1, delta2, q_broad: sigma^2 = (U_a + U_b) (1 - delta1 / r - delta2 / r^2 + q_broad^2 r^2).
    places
        Columns of delta1, delta2 and q_broad among the parameters, -1 where fixed.
    over_pair
        Whether a peak is divided by the distance of its pair (Debye) or left for a division by r.
    first, step
        Grid: r = first + i step.
    out
        Is added to.

    Returns
    -------
    float
        Smallest sigma^2 met.
    """
    n_grid, n_p = out.shape[2], dm.shape[1]
    last = first + (n_grid - 1) * step
    dr, ds = np.empty(n_p), np.empty(n_p)
    alpha, beta, gamma = np.empty(n_p), np.empty(n_p), np.empty(n_p)
    smallest = np.inf
    delta1, delta2, q_broad = width[0], width[1], width[2]
    for s in range(amplitude.size):
        r2 = 0.0
        for k in range(m.size):
            r2 += coefficients[s, k] * m[k]
        r = np.sqrt(max(r2, 1e-12))
        if r > last + 2.0 or r < first - 2.0:
            continue
        which = pair[s]
        factor = 1.0 - delta1 / r - delta2 / r2 + q_broad * q_broad * r2
        s2 = u_sum[which] * factor
        smallest = min(smallest, s2)
        if s2 <= 1e-6:
            continue
        sigma = np.sqrt(s2)
        lo = max(0, int(np.ceil((r - _REACH * sigma - first) / step)))
        hi = min(n_grid - 1, int(np.floor((r + _REACH * sigma - first) / step)))
        if hi < lo:
            continue
        slope = u_sum[which] * (delta1 / r2 + 2.0 * delta2 / (r2 * r) + 2.0 * q_broad * q_broad * r)
        for p in range(n_p):
            d = 0.0
            for k in range(m.size):
                d += coefficients[s, k] * dm[k, p]
            dr[p] = d / (2.0 * r)
            ds[p] = du[which, p] * factor + slope * dr[p]
        if places[0] >= 0:
            ds[places[0]] -= u_sum[which] / r
        if places[1] >= 0:
            ds[places[1]] -= u_sum[which] / r2
        if places[2] >= 0:
            ds[places[2]] += 2.0 * u_sum[which] * q_broad * r2
        a = amplitude[s] / np.sqrt(2.0 * np.pi * s2)
        if over_pair:
            a /= r
        for p in range(n_p):
            alpha[p] = a * (-0.5 * ds[p] / s2)
            if over_pair:
                alpha[p] -= a * dr[p] / r
            beta[p] = a * dr[p] / s2
            gamma[p] = 0.5 * a * ds[p] / (s2 * s2)
        # A Gaussian on a grid by two multiplications a point: exact, from the nearest point outwards.
        middle = min(max(int(np.rint((r - first) / step)), lo), hi)
        ratio = np.exp(-step * step / s2)
        for turn in range(2):
            sign = 1.0 - 2.0 * turn
            x = first + middle * step - r
            g = np.exp(-0.5 * x * x / s2)
            q = np.exp(-(sign * x * step + 0.5 * step * step) / s2)
            i = middle
            if turn == 1:
                i -= 1
                x -= step
                g *= q
                q *= ratio
            while lo <= i <= hi:
                out[which, 0, i] += a * g
                for p in range(n_p):
                    out[which, 1 + p, i] += g * (alpha[p] + x * (beta[p] + x * gamma[p]))
                g *= q
                q *= ratio
                x += sign * step
                i += 1 - 2 * turn
    return smallest
