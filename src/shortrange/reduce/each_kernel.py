"""Compiled normalisation and AUTOBK of one spectrum; what `normalise` and `autobk` do, without errors.

Each function repeats a formula of `shortrange.reduce.normalise`, `shortrange.reduce.background` or
`shortrange.numeric`; the tests hold the two together to 1e-8.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shortrange.numeric.curve_kernels import (
    b_spline_rows,
    cholesky,
    cholesky_solve,
    fit_polynomial,
    hanning_window,
    interpolate_rows,
    polynomial_at,
)
from shortrange.units import HBAR2_2ME

__all__ = ["FAULTS", "reduce_one"]

Array = NDArray[Any]

FAULTS = (
    "",
    "mu or an energy is not finite",
    "the energies do not increase",
    "mu falls everywhere near the edge, or there are too few points",
    "the spectrum must begin 10 eV below E0 or more and end 100 eV above or more",
    "there is no edge: its step does not stand out of what lies before it",
    "there are too few points above the edge for the knots of the spline",
)
"""By the number that `reduce_one` returns."""


@njit(cache=True, nogil=True)
def _median5(a: float, b: float, c: float, d: float, e: float) -> float:
    a, b = min(a, b), max(a, b)
    c, d = min(c, d), max(c, d)
    # The smallest of four is not the middle of five, nor is the largest.
    low, high = max(a, c), min(b, d)
    low, high = min(low, high), max(low, high)
    return max(low, min(high, e))


@njit(cache=True, nogil=True)
def _quantile(ordered: Array, part: float) -> float:
    """Quantile of sorted values, linear between them."""
    at = part * (ordered.size - 1)
    i = min(int(at), ordered.size - 2)
    return float(ordered[i] + (at - i) * (ordered[i + 1] - ordered[i]))


@njit(cache=True, nogil=True)
def _sound(mu: Array) -> Array:
    """Points that do not stand out of a running median of five; see `normalise`."""
    n = mu.size
    median, away = np.empty(n), np.empty(n)
    for i in range(n):
        p, q, r, s = max(i - 2, 0), max(i - 1, 0), min(i + 1, n - 1), min(i + 2, n - 1)
        median[i] = _median5(mu[p], mu[q], mu[i], mu[r], mu[s])
        away[i] = abs(mu[i] - median[i])
    ordered = np.sort(median)
    span = abs(_quantile(ordered, 0.98) - _quantile(ordered, 0.02))
    typical = _quantile(np.sort(away), 0.5)
    return (away <= 0.3 * span) | (away <= 10.0 * typical)


@njit(cache=True, nogil=True)
def _slope(x: Array, y: Array, at: float, width: float, reach: float) -> float:
    """Slope of the straight line under a Gaussian weight that ends after ``reach`` standard deviations."""
    s0 = s1 = s2 = t0 = t1 = 0.0
    start, stop = np.searchsorted(x, at - reach * width), np.searchsorted(x, at + reach * width)
    for i in range(start, stop):
        d = (x[i] - at) / width
        w = np.exp(-0.5 * d * d)
        s0 += w
        s1 += w * d
        s2 += w * d * d
        t0 += w * y[i]
        t1 += w * d * y[i]
    below = s0 * s2 - s1 * s1
    return (s0 * t1 - s1 * t0) / below / width if below > 0.0 else -np.inf


@njit(cache=True, nogil=True)
def _smoothing(x: Array, y: Array) -> float:
    """Width of the Gaussian: the larger of 0.5 eV and 1.5 times the spacing around the steepest rise."""
    n = x.size
    top, best = 0, -np.inf
    for i in range(n):
        if i == 0:
            slope = (y[1] - y[0]) / (x[1] - x[0])
        elif i == n - 1:
            slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
        else:
            a, b = x[i] - x[i - 1], x[i + 1] - x[i]
            slope = (a * a * y[i + 1] + (b * b - a * a) * y[i] - b * b * y[i - 1]) / (a * b * (a + b))
        if slope > best:
            top, best = i, slope
    near = x[np.abs(x - x[top]) <= 10.0]
    gaps = np.empty(near.size)
    gaps[0] = near[0] - (x[0] - 0.5)
    gaps[1:] = near[1:] - near[:-1]
    return max(0.5, 1.5 * _quantile(np.sort(gaps), 0.5)) if gaps.size > 1 else max(0.5, 1.5 * gaps[0])


@njit(cache=True, nogil=True)
def _find_e0(energy: Array, mu: Array, near: float, half_width: float) -> float:
    """Steepest rise, or NaN: first on the points, then on the grid of `find_e0` around the best."""
    use = _sound(mu)
    if not np.isnan(near):
        use &= np.abs(energy - near) <= half_width
    x, y = energy[use], mu[use]
    if x.size < 8:
        return np.nan
    width = _smoothing(x, y)
    count = max(3, int((x[-3] - x[2]) / 0.1))
    first = x[2]
    # Between two points no slope is much larger than at both.
    best, place = -np.inf, 0
    for i in range(2, x.size - 2):
        slope = _slope(x, y, x[i], width, 3.0)
        if slope > best:
            best, place = slope, int((x[i] - first) / 0.1)
    reach = int(max(2.0, 2.0 * width) / 0.1)
    low, high = max(0, place - reach), min(count - 1, place + reach)
    best, top = -np.inf, low
    for j in range(low, high + 1):
        slope = _slope(x, y, first + 0.1 * j, width, 7.0)
        if slope > best:
            best, top = slope, j
    if not best > 0.0:
        return np.nan
    at = first + 0.1 * top
    if 0 < top < count - 1:
        left, right = _slope(x, y, at - 0.1, width, 7.0), _slope(x, y, at + 0.1, width, 7.0)
        curvature = left - 2.0 * best + right
        if curvature < 0.0:
            at += 0.1 * 0.5 * (left - right) / curvature
    return float(at)


@njit(cache=True, nogil=True)
def _below(x: Array, value: float) -> int:
    return max(0, int(np.searchsorted(x, value, side="right")) - 1)


@njit(cache=True, nogil=True)
def _edge_step(energy: Array, mu: Array, e0: float) -> tuple[float, float, Array]:
    """Edge step, scatter before it, and mu less the pre-edge line, with the ranges of `edge_ranges`."""
    n = energy.size
    nearest = np.abs(energy - e0).argmin()
    grain = 5.0 if nearest > 20 else 2.0
    pre_low = max(grain * np.round(float(energy[1] - e0) / grain), float(energy[0] - e0))
    pre_high = 0.5 * pre_low
    post_high = min(5.0 * np.round(float(energy[n - 1] - e0) / 5.0), float(energy[n - 1] - e0))
    post_low = min(25.0, 5.0 * np.round(post_high / 15.0), post_high - 2.0)
    width = post_high - post_low
    order = 2 if width >= 300 else (1 if width >= 30 else 0)
    few = _below(energy - e0, pre_high) - _below(energy - e0, pre_low) < 3
    pre_order = 0 if few or pre_low > -15.0 else 1
    a, b = _below(energy, pre_low + e0), np.abs(energy - (pre_high + e0)).argmin()
    b = max(b, a + 1 + pre_order)
    c, d = _below(energy, post_low + e0), np.abs(energy - (post_high + e0)).argmin()
    order = order if d - c >= 5 else min(1, order)
    if d - c < order + 2:
        return np.nan, np.nan, mu
    line = fit_polynomial(energy[a:b], mu[a:b], pre_order)
    above = np.empty(n)
    for i in range(n):
        above[i] = mu[i] - polynomial_at(line, energy[a:b], energy[i])
    post = fit_polynomial(energy[c:d], above[c:d], order)
    step = polynomial_at(post, energy[c:d], energy[nearest])
    before = above[energy < e0 - 10.0]
    return step, float(before.std()) if before.size > 3 else 0.0, above


@njit(cache=True, nogil=True)
def _remove_background(
    data: Array, spline: Array, in_r: Array, n_r: int, clamps: tuple[float, float], n_clamp: int
) -> Array:
    """Chi(k): data less the spline whose coefficients the fixed-point iteration of `reduce_batch` finds.

    ``in_r`` holds the transforms of the splines and of the data, shape (n_splines + 1, 2 n_r).
    """
    count, n_k = spline.shape
    weights = np.zeros(n_k)
    weights[:n_clamp] += clamps[0] ** 2
    weights[n_k - n_clamp :] += clamps[1] ** 2
    normal, held, system = np.empty((count, count)), np.empty((count, count)), np.empty((count, count))
    to_r, to_clamp = np.empty(count), np.empty(count)
    for i in range(count):
        to_r[i], to_clamp[i] = np.sum(in_r[i] * in_r[count]), np.sum(weights * spline[i] * data)
        for j in range(i + 1):
            normal[i, j] = normal[j, i] = np.sum(in_r[i] * in_r[j])
            held[i, j] = held[j, i] = np.sum(weights * spline[i] * spline[j])
    data_r, data_clamp = np.sum(in_r[count] * in_r[count]), np.sum(weights * data * data)
    weight, z = 0.1, to_r
    for _ in range(50):
        w2 = weight * weight
        for i in range(count):
            for j in range(count):
                system[i, j] = normal[i, j] + w2 * held[i, j]
        cholesky(system)
        z = cholesky_solve(system, to_r + w2 * to_clamp)
        in_data, in_clamps = data_r, data_clamp
        for i in range(count):
            in_data -= 2.0 * z[i] * to_r[i]
            in_clamps -= 2.0 * z[i] * to_clamp[i]
            for j in range(count):
                in_data += z[i] * z[j] * normal[i, j]
                in_clamps += z[i] * z[j] * held[i, j]
        scale = 0.1 + 10.0 * max(in_data, 0.0) / (2 * n_r)
        new = scale / np.sqrt(1.0 + 20.0 * scale * max(in_clamps, 0.0) / (2 * n_r))
        if abs(new - weight) <= 1e-10 * weight:
            break
        weight = new
    chi = data.copy()
    for i in range(count):
        chi -= z[i] * spline[i]
    return chi


@njit(cache=True, nogil=True)
def reduce_one(
    energy: Array,
    mu: Array,
    e0: float,
    near: float,
    half_width: float,
    r_bkg: float,
    clamps: tuple[float, float],
    n_clamp: int,
    k_step: float,
    waves: Array,
    norm: Array,
    chi: Array,
) -> tuple[int, float, float, int]:
    """Normalise one spectrum and remove its background.

    Parameters
    ----------
    energy, mu
        eV, shape (n,).
    e0, near, half_width
        Edge energy, or NaN to find it within ``half_width`` of ``near`` (everywhere if that is NaN), eV.
    r_bkg, clamps, n_clamp, k_step
        As of `autobk`.
    waves
        ``k_step / sqrt(pi)`` times cos(2 k r) and sin(2 k r), shape (most points of k, 2, most points of r).
    norm
        Normalised mu is written here, shape (n,).
    chi
        chi(k) is written here, from k = 0.

    Returns
    -------
    int, float, float, int
        Number of a fault (see `FAULTS`), E0, edge step, number of points of k.
    """
    n = energy.size
    if not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        return 1, np.nan, np.nan, 0
    if not (energy[1:] > energy[:-1]).all():
        return 2, np.nan, np.nan, 0
    if np.isnan(e0):
        e0 = _find_e0(energy, mu, near, half_width)
        if np.isnan(e0):
            return 3, np.nan, np.nan, 0
    if e0 < energy[0] + 10.0 or e0 > energy[n - 1] - 100.0:
        return 4, e0, np.nan, 0
    edge_step, scatter, above = _edge_step(energy, mu, e0)
    if not edge_step > 4.0 * scatter or edge_step <= 1e-9 * np.abs(mu).max():
        return 5, e0, np.nan, 0
    norm[:] = above / edge_step
    first = max(0, np.searchsorted(energy, e0, side="right") - 1)
    over = energy[first:] - e0
    k_raw = np.sign(over) * np.sqrt(np.abs(over) / HBAR2_2ME)
    k_max = k_raw[k_raw.size - 1]
    n_k = int(1.01 + k_max / k_step)
    k = k_step * np.arange(n_k)
    r_step = np.pi / (k_step * 2048)
    r_bkg = max(r_bkg, 2.0 * r_step)
    n_knots = 1 + int(2.0 * r_bkg * k_max / np.pi)
    n_r = int(1 + (n_knots - 1) * np.pi / (2.0 * r_step * k_max))
    n_knots = max(5, min(128, n_knots))
    places = np.empty(n_knots)
    for i in range(n_knots):
        wanted = k_max * i / (n_knots - 1)
        places[i] = k_raw[np.abs(k_raw - wanted).argmin()]
        if i and places[i] <= places[i - 1]:
            return 6, e0, edge_step, 0
    knots = np.empty(n_knots + 4)
    knots[:4], knots[4:n_knots], knots[n_knots:] = places[0], places[2 : n_knots - 2], places[n_knots - 1]
    columns = np.empty((n_knots + 1, k_raw.size))
    columns[:n_knots] = b_spline_rows(k_raw, knots)
    columns[n_knots] = mu[first:] / edge_step
    on_k = interpolate_rows(k_raw, columns, k)
    weighted = on_k * (hanning_window(n_k, k_step, k_max, 0.1) * k)
    flat = waves[:n_k].reshape(n_k, waves.shape[1] * waves.shape[2])
    transformed = np.dot(weighted, flat).reshape(n_knots + 1, 2, waves.shape[2])
    in_r = np.empty((n_knots + 1, 2 * n_r))
    in_r[:, :n_r], in_r[:, n_r:] = transformed[:, 0, :n_r], transformed[:, 1, :n_r]
    chi[:n_k] = _remove_background(on_k[n_knots], on_k[:n_knots], in_r, n_r, clamps, n_clamp)
    return 0, e0, edge_step, n_k
