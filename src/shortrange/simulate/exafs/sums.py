"""Sums of scattering paths over some absorbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.exafs import kernels
from shortrange.simulate.exafs.families import RADIAL_STEP
from shortrange.simulate.exafs.layout import STEPS, Surroundings, Tables, list_paths
from shortrange.simulate.exafs.tables import K_GRID

__all__ = ["BIN_WIDTH", "PathSums", "sum_paths"]

Array = NDArray[Any]

BIN_WIDTH = 0.5
"""Path lengths are gathered in bins of this width (angstrom): their spectra vary slowly with k."""

_WAVE_STEP, _WAVE_REACH = 0.004, 0.4  # angstrom from the middle of a bin


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


def sum_paths(
    tables: Tables, around: Surroundings, *, n_kinds: int, r_max: float, r_max_ms: float, scales: Array,
    shift: float = 0.0,
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
    """
    at_rest = int(np.argmin(np.abs(scales - 1.0)))
    # The kernels look waves up without asking whether they are in the table.
    reach = 0.5 * BIN_WIDTH * float(scales.max()) + abs(shift)
    if reach > _WAVE_REACH - _WAVE_STEP:
        raise SimulationError(
            f"a shift of {shift:g} angstrom beside scales up to {scales.max():g} leaves the table of waves",
            where="sum_paths", do=f"keep bins, stretched and shifted, within {_WAVE_REACH:g} angstrom",
        )  # fmt: skip
    n = around.offsets.size - 1
    n_bins = int(max(r_max, r_max_ms) / BIN_WIDTH) + 1
    waves = _waves(tables.p)
    size = (len(tables.labels), n_bins, scales.size, K_GRID.size)
    each_size = (n, n_bins, K_GRID.size)
    out = np.zeros(size), np.zeros(size), np.zeros(each_size), np.zeros(each_size)
    n_paths = 0
    for name, repeats, limit in (("single", 1, r_max), ("bounce", 2, r_max_ms)):
        coefficients = tables.radial.get(name)
        if coefficients is None or limit <= 0:
            continue
        kernels.add_radial_paths(
            around.offsets, around.kinds, around.distances, limit, repeats, scales, shift, at_rest,
            tables.r_first, RADIAL_STEP, *coefficients, tables.radial_label[name], waves, BIN_WIDTH, out,
        )  # fmt: skip
        n_paths += int(np.count_nonzero(repeats * around.distances <= limit))
    if r_max_ms > 0:
        paths = _by_cell(list_paths(around, r_max_ms, n_kinds))
        kernels.add_grid_paths(
            paths, scales, at_rest, STEPS, tables.rows, *tables.grid, tables.weight, tables.grid_label,
            tables.legs, waves, BIN_WIDTH, out,
        )  # fmt: skip
        n_paths += paths[0].size
    # Within a bin, waves were counted from its middle; of exp(2i p R_bin), exp(2i k R_bin) stays out.
    middle = (np.arange(n_bins) + 0.5) * BIN_WIDTH
    spread = np.exp(2j * (tables.p - K_GRID) * middle[:, None, None] * scales[None, :, None])
    return PathSums((out[0] + 1j * out[1]) * spread, (out[2] + 1j * out[3]) * spread[:, at_rest], n_paths)


def _by_cell(paths: tuple[Array, ...]) -> tuple[Array, ...]:
    """Sort paths by the cell of the table they are in: its 64 rows then stay in the fastest memory."""
    table, shape, *_ = paths
    cells = np.floor(np.column_stack([np.log(shape[:, :2]) / STEPS[1], shape[:, 2] / STEPS[2]])).T
    order = np.lexsort((cells[2], cells[1], cells[0], table))
    return tuple(column[order] for column in paths)


def _waves(p: Array) -> tuple[float, Array, Array, Array, Array]:
    """exp(2i p x) for x around 0, and 2i p, as the kernels want them."""
    n = round(_WAVE_REACH / _WAVE_STEP)
    wave = np.exp(2j * np.outer(np.arange(-n, n + 1) * _WAVE_STEP, p))
    z = 2j * p
    return (
        _WAVE_STEP, np.ascontiguousarray(wave.real), np.ascontiguousarray(wave.imag),
        np.ascontiguousarray(z.real), np.ascontiguousarray(z.imag),
    )  # fmt: skip
