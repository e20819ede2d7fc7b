"""The compiled pass over the pairs of a frame: subcells, half of the neighbours, moments of B-splines."""

from __future__ import annotations

import numpy as np
from numba import njit

from shortrange.simulate.lanes import add_four, keep_below

__all__ = ["add_splines", "count_frames", "count_part"]

# Loops become vectors without the checks of Python's division. Sums and assignments of whole arrays, new
# arrays, and numbers that may be constants take long to compile: there are few.


@njit(nogil=True, cache=True, error_model="numpy")
def count_frames(xyz, keys, divisions, reach, cells, periodic, place, r_step, run, moments, counts, overlap):  # type: ignore[no-untyped-def]
    """Fill ``counts`` (n_runs, n_pairs, n_r): sums over each ``run`` frames.

    ``xyz, keys, divisions, reach`` of each frame: see `count_part`. ``moments`` (n_pairs, n_r, 4): zeros, to
    work in. ``overlap`` (n_frames,): whether two atoms of a frame lie within ``r_step``.
    """
    n_frames = xyz.shape[0]
    for f in range(n_frames):
        before = _nearest(moments)
        count_part(xyz[f], keys[f], divisions[f], reach[f], cells[f], periodic, place, r_step, 0, 1, moments)
        overlap[f] = _nearest(moments) > before
        if (f + 1) % run == 0 or f + 1 == n_frames:
            add_splines(moments, r_step, counts[f // run])
            moments[:] = 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _nearest(moments):  # type: ignore[no-untyped-def]
    """Weight of the distances below one step."""
    total = 0.0
    for p in range(moments.shape[0]):
        total += moments[p, 0, 0]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def add_splines(moments, r_step, counts):  # type: ignore[no-untyped-def]
    """Add to ``counts`` the cubic B-splines of distances given by their moments, times the distance.

    Of a distance at t (0 to 1) after grid point k, the spline reaches k - 1 to k + 2; each part is a
    polynomial in t, so the sums of 1, t, t^2, t^3 of all distances in the interval hold all that is needed.
    """
    n_pairs, n_r = counts.shape
    for p in range(n_pairs):
        m = moments[p]
        for k in range(1, n_r):
            total = 4.0 * m[k, 0] - 6.0 * m[k, 2] + 3.0 * m[k, 3]
            total += m[k - 1, 0] + 3.0 * (m[k - 1, 1] + m[k - 1, 2] - m[k - 1, 3])
            if k > 1:
                total += m[k - 2, 3]
            if k + 1 < n_r:
                total += m[k + 1, 0] - 3.0 * (m[k + 1, 1] - m[k + 1, 2]) - m[k + 1, 3]
            counts[p, k] += total * (k * r_step / 6.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _sort(xyz, keys, n_keys):  # type: ignore[no-untyped-def]
    """Positions (3, n) in the order of their keys, and where each key starts (n_keys + 1,)."""
    n = keys.shape[0]
    start = np.empty(n_keys + 1, np.int64)
    for c in range(n_keys + 1):
        start[c] = 0
    for i in range(n):
        start[keys[i] + 1] += 1
    for c in range(n_keys):
        start[c + 1] += start[c]
    ordered = np.empty((3, n))
    for i in range(n):
        to = start[keys[i]]
        start[keys[i]] = to + 1
        for d in range(3):
            ordered[d, to] = xyz[i, d]
    # Each start has moved on to the next.
    for c in range(n_keys, 0, -1):
        start[c] = start[c - 1]
    start[0] = 0
    return ordered, start


@njit(nogil=True, cache=True, error_model="numpy")
def _half_space(cell, m, reach, r_max):  # type: ignore[no-untyped-def]
    """Offsets between subcells that may hold a pair within ``r_max``: zero, then one of each opposite two."""
    offsets = np.empty(((reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1), 3), np.int64)
    n = 0
    for a in range(reach[0] + 1):
        for b in range(-reach[1], reach[1] + 1):
            for c in range(-reach[2], reach[2] + 1):
                if a == 0 and (b < 0 or (b == 0 and c < 0)):
                    continue
                # Boxes along x, y, z around both subcells: their gap is never more than that of the subcells.
                gap = 0.0
                for d in range(3):
                    x, y, z = cell[0, d] / m[0], cell[1, d] / m[1], cell[2, d] / m[2]
                    v = abs(a * x + b * y + c * z) - abs(x) - abs(y) - abs(z)
                    if v > 0.0:
                        gap += v * v
                if gap <= r_max * r_max:
                    offsets[n, 0], offsets[n, 1], offsets[n, 2] = a, b, c
                    n += 1
    return offsets[:n]


@njit(nogil=True, cache=True, error_model="numpy")
def _targets(home, m, offsets, periodic, cell, targets, shifts):  # type: ignore[no-untyped-def]
    """Rows of subcells seen from ``home``, first and last + 1, with their translations; returns how many."""
    n = 0
    per = (1.0 / m[0], 1.0 / m[1], 1.0 / m[2])
    h = (home // (m[1] * m[2]), home // m[2] % m[1], home % m[2])
    for o in range(offsets.shape[0]):
        place = 0
        x = y = z = 0.0
        inside = True
        for k in range(3):
            t = h[k] + offsets[o, k]
            # Floor of a product with room for rounding: integer division takes ten times as long.
            turn = int(np.floor((t + 0.5) * per[k]))
            inside = inside and turn == 0
            place = place * m[k] + t - turn * m[k]
            x += turn * cell[k, 0]
            y += turn * cell[k, 1]
            z += turn * cell[k, 2]
        if not (periodic or inside):
            continue
        # What follows in memory under the same translation is one row: long copies.
        last = shifts[n - 1]
        if n and targets[n - 1, 1] == place and last[0] == x and last[1] == y and last[2] == z:
            targets[n - 1, 1] = place + 1
            continue
        targets[n, 0], targets[n, 1] = place, place + 1
        shifts[n, 0], shifts[n, 1], shifts[n, 2] = x, y, z
        n += 1
    return n


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _gather(xyz, start, targets, shifts, middle, limit, total, near, square):  # type: ignore[no-untyped-def]
    """Copy the atoms of the rows ``targets`` to ``near`` (3, n), ``total`` in all; returns how many it keeps.

    Those farther than the square root of ``limit`` from ``middle`` are left out. ``start``: where the
    subcells of one species start in ``xyz``.
    """
    n = 0
    nx, ny, nz = near[0], near[1], near[2]
    for t in range(targets.shape[0]):
        dx, dy, dz = shifts[t, 0], shifts[t, 1], shifts[t, 2]
        lo, hi = start[targets[t, 0]], start[targets[t, 1]]
        x, y, z = xyz[0, lo:hi], xyz[1, lo:hi], xyz[2, lo:hi]
        to_x, to_y, to_z, far = nx[n:], ny[n:], nz[n:], square[n:]
        for j in range(hi - lo):
            px, py, pz = x[j] + dx, y[j] + dy, z[j] + dz
            to_x[j], to_y[j], to_z[j] = px, py, pz
            far[j] = (px - middle[0]) ** 2 + (py - middle[1]) ** 2 + (pz - middle[2]) ** 2
        n += hi - lo
    keep_below(nx, square, total, limit)
    keep_below(ny, square, total, limit)
    return keep_below(nz, square, total, limit)


@njit(nogil=True, cache=True, error_model="numpy")
def count_part(xyz, keys, m, reach, cell, periodic, place, r_step, part, parts, moments):  # type: ignore[no-untyped-def]
    """Add pairs of one frame to ``moments`` (n_pairs, n_r, 4), weighted with 1/r.

    Those of the subcells of one of ``parts`` with themselves and with half of their neighbours: all parts
    together hold each pair once.

    ``xyz`` (n, 3) lie in the cell; ``keys`` (n,) are species * number of subcells + subcell; ``m`` (3,) are
    the divisions of the cell, ``reach`` (3,) how many subcells away a pair within the range may be.
    """
    n_kinds = place.shape[0]
    r_max = (moments.shape[1] - 1) * r_step
    n_homes = m[0] * m[1] * m[2]
    xyz, start = _sort(xyz, keys, n_kinds * n_homes)
    offsets = _half_space(cell, m, reach, r_max)
    targets = np.empty((offsets.shape[0], 2), np.int64)
    shifts = np.empty((offsets.shape[0], 3))
    near, work, at = np.empty((3, 1024)), np.empty((3, 1024)), np.empty(1024, np.uint32)
    middle = np.empty(3)
    for home in range(n_homes * part // parts, n_homes * (part + 1) // parts):
        far = r_max + _centre(xyz, start, home, n_homes, middle)
        if far < r_max:
            continue
        n_rows = _targets(home, m, offsets, periodic, cell, targets, shifts)
        for s in range(n_kinds):
            first = start[s * n_homes : (s + 1) * n_homes + 1]
            n = np.int64(0)
            for t in range(n_rows):
                n += first[targets[t, 1]] - first[targets[t, 0]]
            if n > near.shape[1]:
                near, work, at = np.empty((3, 2 * n)), np.empty((3, 2 * n)), np.empty(2 * n, np.uint32)
            size = _gather(xyz, first, targets[:n_rows], shifts, middle, far * far, n, near, work[0])
            for a in range(n_kinds):
                into = moments[place[a, s]].reshape(-1)
                for i in range(start[a * n_homes + home], start[a * n_homes + home + 1]):
                    # The home subcell comes first; of its pairs each once: partners later in the order.
                    own = 0 if i < first[home] else min(i, first[home + 1] - 1) + 1 - first[home]
                    _spread(xyz, i, near, own, size, r_step, r_max, into, work, at)


@njit(nogil=True, cache=True, error_model="numpy")
def _centre(xyz, start, home, n_homes, middle):  # type: ignore[no-untyped-def]
    """Middle of the atoms of a subcell; returns how far the farthest lies from it, or -1 without atoms."""
    n_kinds = (start.size - 1) // n_homes
    n = 0
    middle[0] = middle[1] = middle[2] = 0.0
    for g in range(home, n_kinds * n_homes, n_homes):
        for i in range(start[g], start[g + 1]):
            n += 1
            for d in range(3):
                middle[d] += xyz[d, i]
    if n == 0:
        return -1.0
    for d in range(3):
        middle[d] /= n
    farthest = 0.0
    for g in range(home, n_kinds * n_homes, n_homes):
        for i in range(start[g], start[g + 1]):
            away = 0.0
            for d in range(3):
                away += (xyz[d, i] - middle[d]) ** 2
            if away > farthest:
                farthest = away
    return np.sqrt(farthest) + 1e-9


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _spread(xyz, i, near, lo, hi, r_step, r_max, moments, work, place):  # type: ignore[no-untyped-def]
    """Add the distances of atom ``i`` to ``near[:, lo:hi]`` to ``moments`` (4 n_r,)."""
    x, y, z = xyz[0, i], xyz[1, i], xyz[2, i]
    nx, ny, nz, square = near[0, lo:hi], near[1, lo:hi], near[2, lo:hi], work[0]
    for j in range(nx.size):
        dx, dy, dz = nx[j] - x, ny[j] - y, nz[j] - z
        square[j] = dx * dx + dy * dy + dz * dz
    kept = keep_below(square, square, nx.size, r_max * r_max)
    fraction, weight, per_step = work[1], work[2], 1.0 / r_step
    for j in range(kept):
        d2 = square[j]
        # One Newton step makes a double-precision root of the single-precision one, at half the time.
        inverse = np.float64(np.float32(1.0) / np.sqrt(np.float32(d2) + np.float32(1e-12)))
        inverse *= 1.5 - 0.5 * d2 * inverse * inverse
        weight[j] = inverse
        at = d2 * inverse * per_step
        k = np.int32(at)
        place[j] = np.uint32(k)
        fraction[j] = at - k
    for j in range(kept):
        t, w = fraction[j], weight[j]
        wt = w * t
        wtt = wt * t
        add_four(moments, np.uint64(4) * place[j], w, wt, wtt, wtt * t)  # type: ignore[call-arg]
