"""Tables of path amplitudes for the shapes that occur, in the layout of the compiled loops."""

from __future__ import annotations

from collections.abc import Mapping
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

__all__ = ["STEPS", "Shapes", "Surroundings", "Tables", "find_shapes", "list_paths", "make_tables"]

Array = NDArray[Any]

_GRID_FAMILIES = ("triangle", "bent", "hinge", "dogleg")  # in the order of the numbers in kernels
_RADIAL_FAMILIES = ("single", "bounce")
STEPS = GRID_FIRST, float(np.log(GRID_RATIO)), float(np.radians(ANGLE_STEP))
"""First distance (angstrom), step of its logarithm, step of the angle (radians) of shapes."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Neighbours of absorbers: kinds are FEFF's potential numbers less one."""

    offsets: Array
    kinds: Array
    vectors: Array
    distances: Array


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Shapes of paths that occur around some absorbers.

    Attributes
    ----------
    closest
        Shortest distance of a neighbour, angstrom.
    kinds
        Which kinds of neighbours occur, shape (n_kinds,), bool.
    marked
        Nodes that interpolation needs, (n_tables, n_r, n_r, n_angles), bool.
    """

    closest: float
    kinds: Array
    marked: Array

    def __or__(self, other: Shapes) -> Shapes:
        return Shapes(min(self.closest, other.closest), self.kinds | other.kinds, self.marked | other.marked)


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
        First distance, and spline coefficients by family: (n_kinds, n_intervals, 4, n_k), real and imaginary.
    radial_label
        Contribution of each kind, by family.
    rows, grid
        Row of each node, (n_tables, n_r, n_r, n_angles), and values (n_rows, n_k), real and imaginary.
    weight, grid_label, legs
        Of each table: times a path counts, contribution, family number.
    counts
        How many nodes FEFF calculated and how many were known.
    """

    labels: tuple[str, ...]
    p: Array
    mu: float
    r_first: float
    radial: Mapping[str, tuple[Array, Array]]
    radial_label: Mapping[str, Array]
    rows: Array
    grid: tuple[Array, Array]
    weight: Array
    grid_label: Array
    legs: Array
    counts: Mapping[str, int]


def list_paths(around: Surroundings, r_max: float, n_kinds: int) -> tuple[Array, Array, Array, Array]:
    """Table number, (r1, r2, angle), half length and absorber of each path of three or four legs."""
    inside = around.offsets, around.kinds, around.vectors, around.distances, r_max, n_kinds
    nothing = np.empty(0, np.int64), np.empty((0, 3)), np.empty(0), np.empty(0, np.int64)
    n = kernels.list_grid_paths(*inside, *nothing, False)
    found = np.empty(n, np.int64), np.empty((n, 3)), np.empty(n), np.empty(n, np.int64)
    kernels.list_grid_paths(*inside, *found, True)
    return found


def find_shapes(around: Surroundings, *, r_max_ms: float, scales: Array, n_kinds: int) -> Shapes:
    """Shapes of the paths around some absorbers, see `make_tables`."""
    n_r = int(np.log(max(r_max_ms, 1.0) * scales.max() / GRID_FIRST) / STEPS[1]) + 4
    marked = np.zeros((len(_GRID_FAMILIES) * n_kinds**2, n_r, n_r, N_ANGLES), bool)
    if r_max_ms > 0:
        table, shape, _, _ = list_paths(around, r_max_ms, n_kinds)
        kernels.mark_cells(table, shape, scales, STEPS, marked)
    present = np.zeros(n_kinds, bool)
    present[np.unique(around.kinds)] = True
    return Shapes(float(around.distances.min()), present, marked)


def make_tables(
    potentials: Potentials,
    shapes: Shapes,
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
    shapes
        From `find_shapes`, of all absorbers.
    r_max, r_max_ms
        Longest half length of single- and multiple-scattering paths, angstrom; 0 leaves the latter out.
    scales
        Factors by which distances are stretched.
    workers
        FEFF processes at a time.
    """
    n_kinds = len(potentials.kinds)
    wanted = _radial_shapes(shapes, r_max, r_max_ms, scales)
    marked = shapes.marked
    wanted |= _grid_shapes(marked, n_kinds)
    nodes, momentum, counts = fill_nodes(potentials, wanted, workers=workers)
    labels: list[str] = []
    radial, radial_label = {}, {}
    r_first = RADIAL_STEP * min(int(wanted[key][0, 0]) for key in wanted if FAMILIES[key.family].radial)
    for name in _RADIAL_FAMILIES:
        coefficients, radial_label[name] = _radial_tables(name, potentials, nodes, wanted, labels)
        radial[name] = _split(coefficients)
    rows, grid = _grid_tables(nodes, wanted, marked.shape, n_kinds)
    numbers = [(f, a, b) for f in range(len(_GRID_FAMILIES)) for a in range(n_kinds) for b in range(n_kinds)]
    families = [FAMILIES[_GRID_FAMILIES[f]] for f, _, _ in numbers]
    grid_label = np.zeros(len(numbers), np.int64)
    for i, (f, a, b) in enumerate(numbers):
        if TableKey(_GRID_FAMILIES[f], a + 1, b + 1) in wanted:
            name = families[i].label(potentials.absorber, potentials.kinds[a], potentials.kinds[b])
            grid_label[i] = _place(labels, name)
    return Tables(
        tuple(labels), momentum.p, momentum.mu, r_first, radial, radial_label, rows, _split(grid),
        np.array([2.0 if family.time_reversed else 1.0 for family in families]), grid_label,
        np.array([f for f, _, _ in numbers]), counts,
    )  # fmt: skip


def _split(values: Array) -> tuple[Array, Array]:
    return np.ascontiguousarray(values.real), np.ascontiguousarray(values.imag)


def _place(labels: list[str], name: str) -> int:
    if name not in labels:
        labels.append(name)
    return labels.index(name)


def _radial_shapes(seen: Shapes, r_max: float, r_max_ms: float, scales: Array) -> dict[TableKey, Array]:
    """Distances for cubic splines over all that occurs, the same for all kinds, two more at each end."""
    first = int(seen.closest * scales.min() / RADIAL_STEP) - 2
    last = int(r_max * scales.max() / RADIAL_STEP) + 3
    shapes = np.arange(first, last + 1)[:, None]
    families = _RADIAL_FAMILIES if r_max_ms > 0 else _RADIAL_FAMILIES[:1]
    middle = int(r_max_ms / 2 * scales.max() / RADIAL_STEP) + 3
    ends = {"single": last, "bounce": max(middle, first + 4)}
    present = np.flatnonzero(seen.kinds)
    return {
        TableKey(name, int(kind) + 1): shapes[: ends[name] - first + 1]
        for name in families
        for kind in present
    }


def _grid_shapes(marked: Array, n_kinds: int) -> dict[TableKey, Array]:
    """List the marked nodes of each table; one of each pair that only exchanges two like atoms."""
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
