"""Compiled loops over the paths of many absorbers. No units, no checks: see `ensemble`."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["add_grid_paths", "add_radial_paths", "list_grid_paths", "mark_cells"]

TRIANGLE, HINGE, DOGLEG = 0, 1, 2


@njit(cache=True, nogil=True)
def list_grid_paths(offsets, kinds, vectors, distances, r_max, n_kinds, table, shape, length, centre, fill):  # type: ignore[no-untyped-def]
    """List triangles, hinges and doglegs up to half length ``r_max``; return how many.

    Table number: (family * n_kinds + kind of atom 1) * n_kinds + kind of atom 2.
    """
    n = 0
    for c in range(offsets.size - 1):
        for a in range(offsets[c], offsets[c + 1]):
            if distances[a] > r_max:
                continue
            for b in range(offsets[c], a):
                if distances[b] > r_max:
                    continue
                x = vectors[a, 0] - vectors[b, 0]
                y = vectors[a, 1] - vectors[b, 1]
                z = vectors[a, 2] - vectors[b, 2]
                between = np.sqrt(x * x + y * y + z * z)
                ra, rb, ka, kb = distances[a], distances[b], kinds[a], kinds[b]
                if ka > kb:
                    ra, rb, ka, kb = rb, ra, kb, ka
                angle = _angle(ra, rb, between)
                if (ra + rb + between) / 2 <= r_max:
                    half = (ra + rb + between) / 2
                    n = _put(
                        n,
                        TRIANGLE,
                        ka,
                        kb,
                        ra,
                        rb,
                        angle,
                        half,
                        c,
                        n_kinds,
                        table,
                        shape,
                        length,
                        centre,
                        fill,
                    )
                if ra + rb <= r_max:
                    n = _put(
                        n,
                        HINGE,
                        ka,
                        kb,
                        ra,
                        rb,
                        angle,
                        ra + rb,
                        c,
                        n_kinds,
                        table,
                        shape,
                        length,
                        centre,
                        fill,
                    )
                if ra + between <= r_max:
                    bend = _angle(ra, between, rb)
                    half = ra + between
                    n = _put(
                        n,
                        DOGLEG,
                        ka,
                        kb,
                        ra,
                        between,
                        bend,
                        half,
                        c,
                        n_kinds,
                        table,
                        shape,
                        length,
                        centre,
                        fill,
                    )
                if rb + between <= r_max:
                    bend = _angle(rb, between, ra)
                    half = rb + between
                    n = _put(
                        n,
                        DOGLEG,
                        kb,
                        ka,
                        rb,
                        between,
                        bend,
                        half,
                        c,
                        n_kinds,
                        table,
                        shape,
                        length,
                        centre,
                        fill,
                    )
    return n


@njit(cache=True, nogil=True)
def _angle(a, b, opposite):  # type: ignore[no-untyped-def]
    return np.arccos(min(1.0, max(-1.0, (a * a + b * b - opposite * opposite) / (2 * a * b))))


@njit(cache=True, nogil=True)
def _put(n, family, k1, k2, r1, r2, angle, half, c, n_kinds, table, shape, length, centre, fill):  # type: ignore[no-untyped-def]
    if fill:
        table[n] = (family * n_kinds + k1) * n_kinds + k2
        shape[n, 0] = r1
        shape[n, 1] = r2
        shape[n, 2] = angle
        length[n] = half
        centre[n] = c
    return n + 1


@njit(cache=True, nogil=True)
def mark_cells(table, shape, scales, r_step, angle_step, marked):  # type: ignore[no-untyped-def]
    """Mark the grid nodes that cubic interpolation of the paths needs, at all scales."""
    n_t = marked.shape[3]
    for path in range(table.size):
        for s in range(scales.size):
            i = int(shape[path, 0] * scales[s] / r_step)
            j = int(shape[path, 1] * scales[s] / r_step)
            t = min(int(shape[path, 2] / angle_step), n_t - 2)
            for x in range(i - 1, i + 3):
                for y in range(j - 1, j + 3):
                    for z in range(t - 1, t + 3):
                        marked[table[path], x, y, _fold(z, n_t)] = True


@njit(cache=True, nogil=True)
def _fold(t, n):  # type: ignore[no-untyped-def]
    """G is even about 0 and 180 degrees."""
    if t < 0:
        return -t
    return 2 * (n - 1) - t if t >= n else t


@njit(cache=True, nogil=True)
def _lagrange(x, w):  # type: ignore[no-untyped-def]
    """Weights of the values at -1, 0, 1, 2 for a point 0 <= x <= 1 (cubic through four points)."""
    w[0] = -x * (x - 1) * (x - 2) / 6
    w[1] = (x + 1) * (x - 1) * (x - 2) / 2
    w[2] = -(x + 1) * x * (x - 2) / 2
    w[3] = (x + 1) * x * (x - 1) / 6


@njit(cache=True, nogil=True, fastmath=True)
def add_grid_paths(
    table, shape, length, centre, scales, at_rest, r_step, angle_step, rows, g_re, g_im,
    weight, label, legs, k, p_re, p_im, bin_width, parts_re, parts_im, single_re, single_im,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Add paths of three-parameter shapes to sums by label, length bin and scale, and by centre."""
    n_k = k.size
    re, im = np.empty(n_k, np.float32), np.empty(n_k, np.float32)
    w1, w2, w3 = np.empty(4), np.empty(4), np.empty(4)
    n_t = rows.shape[3]
    for path in range(table.size):
        t0 = table[path]
        b = int(length[path] / bin_width)
        middle = (b + 0.5) * bin_width
        z = min(int(shape[path, 2] / angle_step), n_t - 2)
        _lagrange(shape[path, 2] / angle_step - z, w3)
        for s in range(scales.size):
            r1, r2 = shape[path, 0] * scales[s], shape[path, 1] * scales[s]
            i, j = int(r1 / r_step), int(r2 / r_step)
            _lagrange(r1 / r_step - i, w1)
            _lagrange(r2 / r_step - j, w2)
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
            _carry(re, im, f, half, half - middle * scales[s], k, p_re, p_im,
                   parts_re[label[t0], b, s], parts_im[label[t0], b, s],
                   single_re[centre[path], b], single_im[centre[path], b], s == at_rest)  # fmt: skip


@njit(cache=True, nogil=True)
def _product(legs, r1, r2, half):  # type: ignore[no-untyped-def]
    if legs == TRIANGLE:
        return r1 * r2 * (2 * half - r1 - r2)
    return r1 * r1 * r2 * r2


@njit(cache=True, nogil=True, fastmath=True)
def _carry(re, im, f, half, off, k, p_re, p_im, out_re, out_im, one_re, one_im, alone):  # type: ignore[no-untyped-def]
    """Add f G exp(2i (p - k) R + 2i k (R - R_bin)): what is left when the bin's exp(2i k R_bin) is taken out."""
    for e in range(k.size):
        damp = f * np.exp(-2.0 * p_im[e] * half)
        phase = 2.0 * (p_re[e] - k[e]) * half + 2.0 * k[e] * off
        c, s = damp * np.cos(phase), damp * np.sin(phase)
        x, y = c * re[e] - s * im[e], c * im[e] + s * re[e]
        out_re[e] += x
        out_im[e] += y
        if alone:
            one_re[e] += x
            one_im[e] += y


@njit(cache=True, nogil=True, fastmath=True)
def add_radial_paths(
    offsets, kinds, distances, r_max, repeats, scales, shift, at_rest, r_first, r_step, c_re, c_im,
    label, k, p_re, p_im, bin_width, parts_re, parts_im, single_re, single_im,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Add paths that go ``repeats`` times to one neighbour and back, from cubic splines in the distance."""
    n_k = k.size
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
                x = r - r_first - i * r_step
                for e in range(n_k):
                    re[e] = (
                        (c_re[kind, i, 0, e] * x + c_re[kind, i, 1, e]) * x + c_re[kind, i, 2, e]
                    ) * x + c_re[kind, i, 3, e]
                    im[e] = (
                        (c_im[kind, i, 0, e] * x + c_im[kind, i, 1, e]) * x + c_im[kind, i, 2, e]
                    ) * x + c_im[kind, i, 3, e]
                f = 1.0 / r ** (2 * repeats)
                half = repeats * r
                _carry(re, im, f, half, half - middle * scales[s], k, p_re, p_im,
                       parts_re[label[kind], b, s], parts_im[label[kind], b, s],
                       single_re[c, b], single_im[c, b], s == at_rest)  # fmt: skip
