"""The compiled sum of Gaussians over the shells of a crystal, with its derivatives."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["spread_shells"]

_REACH = 7.0  # standard deviations; beyond, a Gaussian is below 3e-11
_OUTSIDE = 2.0  # angstrom past the grid, from where no Gaussian reaches in
_NARROW = 1e-6  # angstrom^2; the caller refuses such variances


@njit(nogil=True, cache=True, fastmath=True)
def spread_shells(  # type: ignore[no-untyped-def]
    coefficients,
    amplitude,
    pair,
    m,
    dm,
    u_sum,
    du,
    width,
    places,
    over_pair,
    first,
    step,
    column,
    own_r,
    own_u,
    own_a,
    out,
):
    """Add all shells to ``out`` (n_pairs, 1 + p, n_grid): the sum, then its derivatives.

    Parameters
    ----------
    coefficients, amplitude, pair
        Of the shells: r^2 = c . m.
    m, dm
        Invariants of the cell (k,) and their derivatives (k, p).
    u_sum, du
        U_a + U_b of each shell (n,) and its derivatives by pairs of elements (n_pairs, p).
    width
        delta1, delta2, q_broad: sigma^2 = (U_a + U_b) (1 - delta1 / r - delta2 / r^2 + q_broad^2 r^2).
    places
        Columns of delta1, delta2 and q_broad among the parameters, -1 where fixed.
    over_pair
        Whether a peak is divided by the distance of its pair (Debye) or left for a division by r.
    first, step
        Grid: r = first + i step.
    column, own_r, own_u, own_a
        Parameters that move single shells (n, q), -1 for none, and the derivatives of distance,
        U_a + U_b and ln(amplitude) by them (n, q).
    out
        Is added to.

    Returns
    -------
    float
        Smallest sigma^2 met.
    """
    n_p = dm.shape[1]
    last = first + (out.shape[2] - 1) * step
    dr, ds, da = np.empty(n_p), np.empty(n_p), np.zeros(n_p)
    terms, used = np.empty((n_p, 3)), np.arange(n_p)
    common = _of_all(dm, du, places)
    n_common = common.size
    used[:n_common] = common
    smallest = np.inf
    for s in range(amplitude.size):
        c = coefficients[s]
        r2 = 0.0
        for k in range(m.size):
            r2 += c[k] * m[k]
        r = np.sqrt(max(r2, 1e-12))
        if r > last + _OUTSIDE or r < first - _OUTSIDE:
            continue
        which = pair[s]
        s2 = _widths(c, r, dm, u_sum[s], du[which], width, places, dr, ds)
        n_used = _own(r, u_sum[s], width, column[s], own_r[s], own_u[s], own_a[s], dr, ds, da, used, n_common)
        smallest = min(smallest, s2)
        if s2 <= _NARROW:
            continue
        a = amplitude[s] / np.sqrt(2.0 * np.pi * s2)
        if over_pair:
            a /= r
        for k in range(n_used):
            p = used[k]
            # The derivative of a Gaussian is it times a polynomial of x = grid - r.
            terms[p, 0] = a * da[p] - 0.5 * a * ds[p] / s2 - (a * dr[p] / r if over_pair else 0.0)
            terms[p, 1] = a * dr[p] / s2
            terms[p, 2] = 0.5 * a * ds[p] / (s2 * s2)
        _add_gaussian(out[which], a, terms, used, n_used, r, s2, first, step)
    return smallest


@njit(nogil=True, cache=True)
def _of_all(dm, du, places):  # type: ignore[no-untyped-def]
    """Parameters that move every shell: of the cell, of elements, of the width."""
    n_p = dm.shape[1]
    found = np.zeros(n_p, dtype=np.bool_)
    for p in range(n_p):
        found[p] = np.any(dm[:, p] != 0.0) or np.any(du[:, p] != 0.0)
    for p in places:
        if p >= 0:
            found[p] = True
    return np.flatnonzero(found)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _own(r, u, width, column, own_r, own_u, own_a, dr, ds, da, used, n_used):  # type: ignore[no-untyped-def]
    """Add what parameters of a single shell do to it; return how many parameters move it in all."""
    delta1, delta2, q_broad = width
    factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
    slope = u * (delta1 / (r * r) + 2.0 * delta2 / (r * r * r) + 2.0 * q_broad * q_broad * r)
    for e in range(column.size):
        p = column[e]
        if p < 0:
            continue
        new = True
        for k in range(n_used):
            new = new and used[k] != p
        if new:
            da[p] = 0.0
            used[n_used] = p
            n_used += 1
        dr[p] += own_r[e]
        ds[p] += own_u[e] * factor + slope * own_r[e]
        da[p] += own_a[e]
    return n_used


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _widths(c, r, dm, u, du, width, places, dr, ds):  # type: ignore[no-untyped-def]
    """Return sigma^2 of a shell; fill d r / d p and d sigma^2 / d p."""
    delta1, delta2, q_broad = width
    factor = 1.0 - delta1 / r - delta2 / (r * r) + q_broad * q_broad * r * r
    slope = u * (delta1 / (r * r) + 2.0 * delta2 / (r * r * r) + 2.0 * q_broad * q_broad * r)
    for p in range(dr.size):
        d = 0.0
        for k in range(c.size):
            d += c[k] * dm[k, p]
        dr[p] = d / (2.0 * r)
        ds[p] = du[p] * factor + slope * dr[p]
    if places[0] >= 0:
        ds[places[0]] -= u / r
    if places[1] >= 0:
        ds[places[1]] -= u / (r * r)
    if places[2] >= 0:
        ds[places[2]] += 2.0 * u * q_broad * r * r
    return u * factor


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add_gaussian(out, a, terms, used, n_used, r, s2, first, step):  # type: ignore[no-untyped-def]
    """Add one Gaussian of variance ``s2`` at ``r`` to the rows of ``out`` (1 + p, n_grid)."""
    reach = _REACH * np.sqrt(s2)
    lo = max(0, int(np.ceil((r - reach - first) / step)))
    hi = min(out.shape[1] - 1, int(np.floor((r + reach - first) / step)))
    if hi < lo:
        return
    # On a grid each point follows from the last by two multiplications: exact, from the middle outwards.
    middle = min(max(int(np.rint((r - first) / step)), lo), hi)
    ratio = np.exp(-step * step / s2)
    for sign in (1, -1):
        i = middle
        x = first + middle * step - r
        g = np.exp(-0.5 * x * x / s2)
        q = np.exp(-(sign * x * step + 0.5 * step * step) / s2)
        if sign < 0:
            i -= 1
            x -= step
            g *= q
            q *= ratio
        while lo <= i <= hi:
            out[0, i] += a * g
            for k in range(n_used):
                p = used[k]
                out[1 + p, i] += g * (terms[p, 0] + x * (terms[p, 1] + x * terms[p, 2]))
            g *= q
            q *= ratio
            x += sign * step
            i += sign
