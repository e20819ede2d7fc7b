"""Sums of scattering paths over many absorbers: tables, threads, and the arrays between them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.simulate.exafs import kernels
from shortrange.simulate.exafs.families import (
    ANGLE_STEP,
    FAMILIES,
    GRID_FIRST,
    GRID_RATIO,
    N_ANGLES,
    RADIAL_STEP,
)
from shortrange.simulate.exafs.tables import K_GRID, Nodes, TableKey, fill_nodes
from shortrange.simulate.feff import Potentials
from shortrange.simulate.feff_paths import worker_count

__all__ = ["BIN_WIDTH", "PathSums", "Surroundings", "Tables", "make_tables", "sum_paths"]

Array = NDArray[Any]

BIN_WIDTH = 0.5
"""Path lengths are gathered in bins of this width (angstrom), whose spectra vary slowly with k and stretch."""

_GRID_FAMILIES = ("triangle", "bent", "hinge", "dogleg")  # in the order of the numbers in kernels
_RADIAL_FAMILIES = ("single", "bounce")
_STEPS = GRID_FIRST, float(np.log(GRID_RATIO)), float(np.radians(ANGLE_STEP))
_WAVE_STEP, _WAVE_REACH = 0.004, 0.32  # angstrom from the middle of a bin


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Neighbours of absorbers: kinds are FEFF's potential numbers less one."""

    offsets: Array
    kinds: Array
    vectors: Array
    distances: Array

    def part(self, start: int, stop: int) -> Surroundings:
        """Those of absorbers ``start`` to ``stop``."""
        a, b = self.offsets[start], self.offsets[stop]
        return Surroundings(
            self.offsets[start : stop + 1] - a, self.kinds[a:b], self.vectors[a:b], self.distances[a:b]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Amplitudes, in the layout of the kernels.

    Attributes
    ----------
    labels
        Names of the contributions.
    p, mu
        Complex momentum on `K_GRID`, and the Fermi level, eV.
    r_first, radial
        First distance, and spline coefficients by family: (n_kinds, n_intervals, 4, n_k), complex.
    radial_label
        Contribution of each kind, by family.
    rows, grid
        Row of each node, (n_tables, n_r, n_r, n_angles), and values (n_rows, n_k), complex64.
    weight, grid_label, legs
        Of each table: times a path counts, contribution, family number.
    counts
        How many nodes FEFF calculated and how many were known.
    """

    labels: tuple[str, ...]
    p: Array
    mu: float
    r_first: float
    radial: Mapping[str, Array]
    radial_label: Mapping[str, Array]
    rows: Array
    grid: Array
    weight: Array
    grid_label: Array
    legs: Array
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class PathSums:
    """Sums with the factor exp(2 i k R_bin (1 + stretch)) of each length bin taken out.

    Attributes
    ----------
    parts
        Sum over absorbers, (n_labels, n_bins, n_stretches, n_k), complex.
    each
        Of each absorber at stretch 0, (n_absorbers, n_bins, n_k), complex.
    n_paths
        Paths summed.
    """

    parts: Array
    each: Array
    n_paths: int


def _chunks(n: int, workers: int) -> list[tuple[int, int]]:
    pieces = min(n, max(workers, -(-n // 2000)))
    edges = np.linspace(0, n, pieces + 1).astype(int)
    return [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _list_paths(around: Surroundings, r_max: float, n_kinds: int) -> tuple[Array, Array, Array, Array]:
    """Table number, (r1, r2, angle), half length and absorber of each path of three or four legs."""
    inside = around.offsets, around.kinds, around.vectors, around.distances, r_max, n_kinds
    nothing = np.empty(0, np.int64), np.empty((0, 3)), np.empty(0), np.empty(0, np.int64)
    n = kernels.list_grid_paths(*inside, *nothing, False)
    found = np.empty(n, np.int64), np.empty((n, 3)), np.empty(n), np.empty(n, np.int64)
    kernels.list_grid_paths(*inside, *found, True)
    return found


def make_tables(
    potentials: Potentials,
    around: Surroundings,
    *,
    r_max: float,
    r_max_ms: float,
    scales: Array,
    workers: int | None,
) -> Tables:
    """Tables of all path shapes that occur.

    Parameters
    ----------
    potentials
        Phase shifts.
    around
        All absorbers.
    r_max, r_max_ms
        Longest half length of single- and multiple-scattering paths, angstrom; ``r_max_ms`` 0 leaves the latter out.
    scales
        Factors by which distances are stretched.
    workers
        FEFF processes at a time.
    """
    n_kinds = len(potentials.kinds)
    wanted = _radial_shapes(around, r_max, r_max_ms, scales, n_kinds)
    marked = _mark(around, r_max_ms, scales, n_kinds)
    wanted |= _grid_shapes(marked, n_kinds)
    nodes, momentum, counts = fill_nodes(potentials, wanted, workers=workers)
    labels: list[str] = []
    radial, radial_label = {}, {}
    r_first = RADIAL_STEP * min(int(wanted[key][0, 0]) for key in wanted if FAMILIES[key.family].radial)
    for name in _RADIAL_FAMILIES:
        radial[name], radial_label[name] = _radial_tables(name, potentials, nodes, wanted, labels)
    rows, grid = _grid_tables(nodes, wanted, marked.shape, n_kinds)
    numbers = [(f, a, b) for f in range(len(_GRID_FAMILIES)) for a in range(n_kinds) for b in range(n_kinds)]
    families = [FAMILIES[_GRID_FAMILIES[f]] for f, _, _ in numbers]
    grid_label = np.zeros(len(numbers), np.int64)
    for i, (f, a, b) in enumerate(numbers):
        if TableKey(_GRID_FAMILIES[f], a + 1, b + 1) in wanted:
            name = families[i].label(potentials.absorber, potentials.kinds[a], potentials.kinds[b])
            grid_label[i] = _place(labels, name)
    return Tables(
        tuple(labels), momentum.p, momentum.mu, r_first, radial, radial_label, rows, grid,
        np.array([2.0 if family.time_reversed else 1.0 for family in families]), grid_label,
        np.array([f for f, _, _ in numbers]), counts,
    )  # fmt: skip


def _place(labels: list[str], name: str) -> int:
    if name not in labels:
        labels.append(name)
    return labels.index(name)


def _radial_shapes(
    around: Surroundings, r_max: float, r_max_ms: float, scales: Array, n_kinds: int
) -> dict[TableKey, Array]:
    """Distances for cubic splines over all that occurs: the same range for all kinds, two more at each end."""
    first = int(around.distances.min() * scales.min() / RADIAL_STEP) - 2
    last = int(r_max * scales.max() / RADIAL_STEP) + 3
    shapes = np.arange(first, last + 1)[:, None]
    families = _RADIAL_FAMILIES if r_max_ms > 0 else _RADIAL_FAMILIES[:1]
    middle = int(r_max_ms / 2 * scales.max() / RADIAL_STEP) + 3
    ends = {"single": last, "bounce": max(middle, first + 4)}
    present = np.unique(around.kinds)
    return {
        TableKey(name, int(kind) + 1): shapes[: ends[name] - first + 1]
        for name in families
        for kind in present
    }


def _mark(around: Surroundings, r_max_ms: float, scales: Array, n_kinds: int) -> Array:
    n_r = int(np.log(max(r_max_ms, 1.0) * scales.max() / GRID_FIRST) / _STEPS[1]) + 4
    marked = np.zeros((len(_GRID_FAMILIES) * n_kinds**2, n_r, n_r, N_ANGLES), bool)
    if r_max_ms > 0:
        n = around.offsets.size - 1
        for start, stop in _chunks(n, 1):
            table, shape, _, _ = _list_paths(around.part(start, stop), r_max_ms, n_kinds)
            kernels.mark_cells(table, shape, scales, _STEPS, marked)
    return marked


def _grid_shapes(marked: Array, n_kinds: int) -> dict[TableKey, Array]:
    """Marked nodes of each table; one of each pair that only exchanges two like atoms."""
    wanted = {}
    for number in range(len(marked)):
        family, a, b = number // n_kinds**2, number // n_kinds % n_kinds, number % n_kinds
        cells = marked[number]
        if a == b and FAMILIES[_GRID_FAMILIES[family]].symmetric:
            cells = np.triu((cells | cells.swapaxes(0, 1)).transpose(2, 0, 1)).transpose(1, 2, 0)
        shapes = np.argwhere(cells)
        if len(shapes):
            wanted[TableKey(_GRID_FAMILIES[family], a + 1, b + 1)] = shapes
    return wanted


def _radial_tables(
    name: str,
    potentials: Potentials,
    nodes: Mapping[TableKey, Nodes],
    wanted: Mapping[TableKey, Array],
    labels: list[str],
) -> tuple[Array, Array]:
    from scipy.interpolate import CubicSpline

    n_kinds = len(potentials.kinds)
    keys = [TableKey(name, kind + 1) for kind in range(n_kinds)]
    sizes = [len(wanted[key]) - 1 for key in keys if key in wanted]
    coefficients = np.zeros((n_kinds, max(sizes, default=1), 4, K_GRID.size), complex)
    label = np.zeros(n_kinds, np.int64)
    for kind, key in enumerate(keys):
        if key in wanted:
            r = RADIAL_STEP * wanted[key][:, 0]
            values = _rows_of(nodes[key], wanted[key])
            coefficients[kind] = CubicSpline(r, values, axis=0).c.transpose(1, 0, 2)
            label[kind] = _place(
                labels, FAMILIES[name].label(potentials.absorber, potentials.kinds[kind], "")
            )
    return coefficients, label


def _rows_of(nodes: Nodes, shapes: Array) -> Array:
    place = {tuple(shape): i for i, shape in enumerate(nodes.shapes.tolist())}
    return nodes.values[[place[tuple(shape)] for shape in shapes.tolist()]].astype(complex)


def _grid_tables(
    nodes: Mapping[TableKey, Nodes], wanted: Mapping[TableKey, Array], shape: tuple[int, ...], n_kinds: int
) -> tuple[Array, Array]:
    rows = np.full(shape, -1, np.int32)
    values = [np.zeros((1, K_GRID.size), np.complex64)]
    n = 1
    for key in wanted:
        family = FAMILIES[key.family]
        if family.radial:
            continue
        number = (_GRID_FAMILIES.index(key.family) * n_kinds + key.first - 1) * n_kinds + key.second - 1
        inside = (nodes[key].shapes[:, :2] < shape[1]).all(axis=1)
        i, j, t = nodes[key].shapes[inside].astype(int).T
        rows[number, i, j, t] = n + np.arange(i.size)
        if family.symmetric and key.first == key.second:
            rows[number, j, i, t] = rows[number, i, j, t]
        values.append(nodes[key].values[inside])
        n += i.size
    return rows, np.concatenate(values)


def sum_paths(
    tables: Tables, around: Surroundings, *, n_kinds: int, r_max: float, r_max_ms: float, scales: Array,
    shift: float = 0.0, workers: int | None = None,
) -> PathSums:  # fmt: skip
    """Sum all paths of all absorbers.

    Parameters
    ----------
    tables
        From `make_tables`, for these absorbers and scales.
    around
        Absorbers.
    n_kinds
        Number of potentials around the absorber.
    r_max, r_max_ms
        As for `make_tables`.
    scales
        Factors by which distances are stretched.
    shift
        Added to the distances of single scattering, angstrom.
    workers
        Threads.
    """
    at_rest = int(np.argmin(np.abs(scales - 1.0)))
    n = around.offsets.size - 1
    n_bins = int(max(r_max, r_max_ms) / BIN_WIDTH) + 1
    grid = np.ascontiguousarray(tables.grid.real), np.ascontiguousarray(tables.grid.imag)
    waves = _waves(tables.p)
    radial = {
        name: (np.ascontiguousarray(c.real), np.ascontiguousarray(c.imag)) for name, c in tables.radial.items()
    }

    def one(chunk: tuple[int, int]) -> tuple[Array, Array, int]:
        part = around.part(*chunk)
        size = (len(tables.labels), n_bins, scales.size, K_GRID.size)
        each_size = (chunk[1] - chunk[0], n_bins, K_GRID.size)
        out = np.zeros(size), np.zeros(size), np.zeros(each_size), np.zeros(each_size)
        n_paths = 0
        for name, repeats, limit in (("single", 1, r_max), ("bounce", 2, r_max_ms)):
            kernels.add_radial_paths(
                part.offsets, part.kinds, part.distances, limit, repeats, scales, shift, at_rest, tables.r_first,
                RADIAL_STEP, *radial[name], tables.radial_label[name], waves, BIN_WIDTH, out,
            )  # fmt: skip
            n_paths += int(np.count_nonzero(repeats * part.distances <= limit))
        if r_max_ms > 0:
            paths = _list_paths(part, r_max_ms, n_kinds)
            kernels.add_grid_paths(
                paths, scales, at_rest, _STEPS, tables.rows, *grid, tables.weight, tables.grid_label, tables.legs,
                waves, BIN_WIDTH, out,
            )  # fmt: skip
            n_paths += paths[0].size
        return out[0] + 1j * out[1], out[2] + 1j * out[3], n_paths

    threads = worker_count(workers)
    with ThreadPoolExecutor(threads) as pool:
        done = list(pool.map(one, _chunks(n, threads)))
    # Within a bin, waves were counted from its middle; of exp(2i p R_bin), exp(2i k R_bin) stays out.
    middle = (np.arange(n_bins) + 0.5) * BIN_WIDTH
    spread = np.exp(2j * (tables.p - K_GRID) * middle[:, None, None] * scales[None, :, None])
    return PathSums(
        sum((parts for parts, _, _ in done[1:]), done[0][0]) * spread,
        np.concatenate([each for _, each, _ in done]) * spread[:, at_rest],
        sum(count for _, _, count in done),
    )


def _waves(p: Array) -> tuple[float, Array, Array, Array, Array]:
    """exp(2i p x) for x around 0, and 2i p, as the kernels want them."""
    n = round(_WAVE_REACH / _WAVE_STEP)
    wave = np.exp(2j * np.outer(np.arange(-n, n + 1) * _WAVE_STEP, p))
    z = 2j * p
    return (
        _WAVE_STEP, np.ascontiguousarray(wave.real), np.ascontiguousarray(wave.imag),
        np.ascontiguousarray(z.real), np.ascontiguousarray(z.imag),
    )  # fmt: skip
