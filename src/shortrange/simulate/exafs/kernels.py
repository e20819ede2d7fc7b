"""Compiled loops over the paths of many absorbers. No units, no checks: see `ensemble`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["add_grid_paths", "add_radial_paths", "list_grid_paths", "mark_cells"]

Array = NDArray[Any]

TRIANGLE, BENT, HINGE, DOGLEG = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def list_grid_paths(
    offsets: Array, kinds: Array, vectors: Array, distances: Array, r_max: float, n_kinds: int,
    table: Array, shape: Array, length: Array, centre: Array, fill: bool,
) -> int:  # fmt: skip
    """List triangles, hinges and doglegs up to half length ``r_max``; return how many.

    Table number: (family * n_kinds + kind of atom 1) * n_kinds + kind of atom 2. A shape is two legs and the
    angle between them.
    """
    n = 0
    out = table, shape, length, centre, fill
    for c in range(offsets.size - 1):
        for a in range(offsets[c], offsets[c + 1]):
            if distances[a] > r_max:
                continue
            for b in range(offsets[c], a):
                if distances[b] <= r_max:
                    n = _pair(n, c, a, b, kinds, vectors, distances, r_max, n_kinds, out)
    return n


@njit(cache=True, nogil=True)
def _pair(
    n: int,
    c: int,
    a: int,
    b: int,
    kinds: Array,
    vectors: Array,
    distances: Array,
    r_max: float,
    n_kinds: int,
    out: Any,
) -> int:
    x = vectors[a, 0] - vectors[b, 0]
    y = vectors[a, 1] - vectors[b, 1]
    z = vectors[a, 2] - vectors[b, 2]
    between = np.sqrt(x * x + y * y + z * z)
    if kinds[a] > kinds[b]:
        a, b = b, a
    ra, rb, ka, kb = distances[a], distances[b], kinds[a], kinds[b]
    ab, ba = ka * n_kinds + kb, kb * n_kinds + ka
    square = n_kinds * n_kinds
    half = (ra + rb + between) / 2
    if half <= r_max:
        # The largest angle is opposite the longest leg.
        if between >= ra and between >= rb:
            n = _put(n, c, TRIANGLE * square + ab, ra, rb, between, half, out)
        elif rb >= ra:
            n = _put(n, c, BENT * square + ab, ra, between, rb, half, out)
        else:
            n = _put(n, c, BENT * square + ba, rb, between, ra, half, out)
    if ra + rb <= r_max:
        n = _put(n, c, HINGE * square + ab, ra, rb, between, ra + rb, out)
    if ra + between <= r_max:
        n = _put(n, c, DOGLEG * square + ab, ra, between, rb, ra + between, out)
    if rb + between <= r_max:
        n = _put(n, c, DOGLEG * square + ba, rb, between, ra, rb + between, out)
    return n


@njit(cache=True, nogil=True)
def _put(
    n: int, c: int, number: int, leg1: float, leg2: float, opposite: float, half: float, out: Any
) -> int:
    table, shape, length, centre, fill = out
    if fill:
        table[n] = number
        shape[n, 0] = leg1
        shape[n, 1] = leg2
        shape[n, 2] = _angle(leg1, leg2, opposite)
        length[n] = half
        centre[n] = c
    return n + 1


@njit(cache=True, nogil=True)
def _angle(a: float, b: float, opposite: float) -> float:
    cosine = (a * a + b * b - opposite * opposite) / (2 * a * b)
    return float(np.arccos(min(1.0, max(-1.0, cosine))))


@njit(cache=True, nogil=True)
def mark_cells(
    table: Array, shape: Array, scales: Array, steps: tuple[float, float, float], marked: Array
) -> None:
    """Mark the grid nodes that cubic interpolation of the paths needs, at all scales.

    Steps: first distance, step of its logarithm, step of the angle.
    """
    n_t = marked.shape[3]
    for path in range(table.size):
        for s in range(scales.size):
            i = int(np.log(shape[path, 0] * scales[s] / steps[0]) / steps[1])
            j = int(np.log(shape[path, 1] * scales[s] / steps[0]) / steps[1])
            t = min(int(shape[path, 2] / steps[2]), n_t - 2)
            for x in range(i - 1, i + 3):
                for y in range(j - 1, j + 3):
                    for z in range(t - 1, t + 3):
                        marked[table[path], x, y, _fold(z, n_t)] = True


@njit(cache=True, nogil=True)
def _fold(t: int, n: int) -> int:
    """G is even about 0 and 180 degrees."""
    if t < 0:
        return -t
    return 2 * (n - 1) - t if t >= n else t


@njit(cache=True, nogil=True)
def _lagrange(x: float, w: Array) -> None:
    """Weights of the values at -1, 0, 1, 2 for a point 0 <= x <= 1 (cubic through four points)."""
    w[0] = -x * (x - 1) * (x - 2) / 6
    w[1] = (x + 1) * (x - 1) * (x - 2) / 2
    w[2] = -(x + 1) * x * (x - 2) / 2
    w[3] = (x + 1) * x * (x - 1) / 6


@njit(cache=True, nogil=True, fastmath=True)
def add_grid_paths(
    paths: Any, scales: Array, at_rest: int, steps: tuple[float, float, float], rows: Array, g_re: Array,
    g_im: Array, weight: Array, label: Array, legs: Array, waves: Any, bin_width: float, sums: Any,
) -> None:  # fmt: skip
    """Add paths of three-parameter shapes to sums by label, length bin and scale, and by centre."""
    table, shape, length, centre = paths
    parts_re, parts_im, each_re, each_im = sums
    n_k, n_t = g_re.shape[1], rows.shape[3]
    re, im = np.empty(n_k, np.float32), np.empty(n_k, np.float32)
    w1, w2, w3 = np.empty(4), np.empty(4), np.empty(4)
    for path in range(table.size):
        t0 = table[path]
        b = int(length[path] / bin_width)
        middle = (b + 0.5) * bin_width
        z = min(int(shape[path, 2] / steps[2]), n_t - 2)
        _lagrange(shape[path, 2] / steps[2] - z, w3)
        for s in range(scales.size):
            r1, r2 = shape[path, 0] * scales[s], shape[path, 1] * scales[s]
            x1, x2 = np.log(r1 / steps[0]) / steps[1], np.log(r2 / steps[0]) / steps[1]
            i, j = int(x1), int(x2)
            _lagrange(x1 - i, w1)
            _lagrange(x2 - j, w2)
            re[:] = 0
            im[:] = 0
            for x in range(4):
                for y in range(4):
                    for v in range(4):
                        row = rows[t0, i - 1 + x, j - 1 + y, _fold(z - 1 + v, n_t)]
                        w = np.float32(w1[x] * w2[y] * w3[v])
                        for e in range(n_k):
                            re[e] += w * g_re[row, e]
                            im[e] += w * g_im[row, e]
            half = length[path] * scales[s]
            f = weight[t0] / _product(legs[t0], r1, r2, half)
            off = half - middle * scales[s]
            _carry(re, im, f, off, waves, parts_re[label[t0], b, s], parts_im[label[t0], b, s])
            if s == at_rest:
                _carry(re, im, f, off, waves, each_re[centre[path], b], each_im[centre[path], b])


@njit(cache=True, nogil=True)
def _product(legs: int, r1: float, r2: float, half: float) -> float:
    if legs in (TRIANGLE, BENT):
        return r1 * r2 * (2 * half - r1 - r2)
    return r1 * r1 * r2 * r2


@njit(cache=True, nogil=True, fastmath=True)
def _carry(re: Array, im: Array, f: float, off: float, waves: Any, out_re: Array, out_im: Array) -> None:
    """Add f G exp(2i p off): the nearest tabulated wave times a Taylor series in what is left."""
    step, wave_re, wave_im, z_re, z_im = waves
    i = int(np.rint(off / step))
    rest = off - i * step
    i += wave_re.shape[0] // 2
    for e in range(out_re.size):
        # exp(z rest) with z = 2i p, to second order
        u, v = z_re[e] * rest, z_im[e] * rest
        a, b = 1.0 + u + 0.5 * (u * u - v * v), v + u * v
        c, d = f * (wave_re[i, e] * a - wave_im[i, e] * b), f * (wave_re[i, e] * b + wave_im[i, e] * a)
        out_re[e] += c * re[e] - d * im[e]
        out_im[e] += c * im[e] + d * re[e]


@njit(cache=True, nogil=True, fastmath=True)
def add_radial_paths(
    offsets: Array, kinds: Array, distances: Array, r_max: float, repeats: int, scales: Array, shift: float,
    at_rest: int, r_first: float, r_step: float, c_re: Array, c_im: Array, label: Array, waves: Any,
    bin_width: float, sums: Any,
) -> None:  # fmt: skip
    """Add paths that go ``repeats`` times to one neighbour and back, from cubic splines in the distance."""
    parts_re, parts_im, each_re, each_im = sums
    n_k = c_re.shape[3]
    re, im = np.empty(n_k), np.empty(n_k)
    for c in range(offsets.size - 1):
        for a in range(offsets[c], offsets[c + 1]):
            rest = distances[a]
            if repeats * rest > r_max:
                continue
            b = int(repeats * rest / bin_width)
            middle = (b + 0.5) * bin_width
            kind = kinds[a]
            for s in range(scales.size):
                r = rest * scales[s] + shift
                i = min(max(int((r - r_first) / r_step), 0), c_re.shape[1] - 1)
                _cubic(c_re[kind, i], r - r_first - i * r_step, re)
                _cubic(c_im[kind, i], r - r_first - i * r_step, im)
                f = 1.0 / r ** (2 * repeats)
                off = repeats * r - middle * scales[s]
                _carry(re, im, f, off, waves, parts_re[label[kind], b, s], parts_im[label[kind], b, s])
                if s == at_rest:
                    _carry(re, im, f, off, waves, each_re[c, b], each_im[c, b])


@njit(cache=True, nogil=True, fastmath=True)
def _cubic(c: Array, x: float, out: Array) -> None:
    for e in range(out.size):
        out[e] = ((c[0, e] * x + c[1, e]) * x + c[2, e]) * x + c[3, e]
