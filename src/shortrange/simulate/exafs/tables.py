"""Tables of scattering amplitudes over path shapes, filled where they are needed and kept for the next time.

The table of a path over atoms with legs r_i and half length R holds the smooth part G of its complex chi(k),

    chi(k) = Im[ G(k; shape) exp(2 i p(k) R) / prod(r_i) ],

with FEFF's complex momentum p, whose imaginary part is the mean free path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.simulate.cache import load_entry, store_entry
from shortrange.simulate.exafs.families import ANGLE_STEP, FAMILIES, GRID_FIRST, GRID_RATIO, RADIAL_STEP
from shortrange.simulate.feff import Potentials
from shortrange.simulate.feff_pad import FeffPad
from shortrange.simulate.feff_paths import calculate_paths

__all__ = ["K_GRID", "Momentum", "Nodes", "TableKey", "fill_nodes"]

Array = NDArray[Any]

K_GRID = np.concatenate([np.arange(40) * 0.1, 4.0 + np.arange(81) * 0.2])
"""Wavenumbers of the tables, 1/angstrom: G varies slowly, spectra are made finer afterwards."""

_PHASE_DEGREE = 6
_TINY = 1e-12


@dataclass(frozen=True, slots=True, order=True)
class TableKey:
    """A family of paths over two potentials (FEFF's numbers; the second is 0 where there is none)."""

    family: str
    first: int
    second: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Known shapes of one table.

    Attributes
    ----------
    shapes
        Grid indices, sorted, shape (n, 1) or (n, 3).
    values
        G on `K_GRID`, angstrom^legs, shape (n, n_k), complex.
    """

    shapes: Array
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Momentum:
    """FEFF's complex momentum on `K_GRID`, 1/angstrom, and its Fermi level ``mu``, eV."""

    p: Array
    mu: float


def fill_nodes(
    potentials: Potentials, wanted: Mapping[TableKey, Array], *, workers: int | None = None
) -> tuple[dict[TableKey, Nodes], Momentum, dict[str, int]]:
    """Amplitudes of all wanted shapes, those not known yet by FEFF.

    Parameters
    ----------
    potentials
        Phase shifts.
    wanted
        Grid indices of the shapes of each table, shape (n, 1) or (n, 3).
    workers
        FEFF processes at a time.

    Returns
    -------
    tables
        The wanted shapes, and any others known.
    momentum
        FEFF's complex momentum on `K_GRID`, and its Fermi level.
    counts
        ``"calculated"`` and ``"from cache"``: how many shapes.
    """
    known = {key: _load(potentials, key, np.asarray(shapes).shape[1]) for key, shapes in wanted.items()}
    missing = {key: _without(np.asarray(shapes), known[key].shapes) for key, shapes in wanted.items()}
    jobs = [(key, tuple(int(i) for i in shape)) for key, shapes in missing.items() for shape in shapes]
    momentum = _load_momentum(potentials)
    if jobs or momentum is None:
        if not jobs:
            jobs = [(next(iter(wanted)), tuple(int(i) for i in next(iter(wanted.values()))[0]))]
        momentum, values = _calculate(potentials, jobs, workers)
        store_entry(f"momentum-{potentials.key}", {"p": momentum.p, "mu": np.array(momentum.mu)})
        _merge(potentials, known, jobs, values)
    total = sum(len(np.asarray(shapes)) for shapes in wanted.values())
    return known, momentum, {"calculated": len(jobs), "from cache": max(0, total - len(jobs))}


def _calculate(
    potentials: Potentials, jobs: list[tuple[TableKey, tuple[int, ...]]], workers: int | None
) -> tuple[Momentum, Array]:
    paths = [FAMILIES[key.family].path((key.first, key.second), node) for key, node in jobs]
    legs = np.array([FAMILIES[key.family].legs(node) for key, node in jobs])
    pad = calculate_paths(potentials, paths, workers=workers)
    return Momentum(_on_grid(pad.k, pad.p[None])[0], pad.mu), _smooth_part(pad, legs)


def _smooth_part(pad: FeffPad, legs: Array) -> Array:
    """G on `K_GRID`, shape (n_paths, n_k), of paths with (half length, product of legs) ``legs``."""
    g = pad.cchi * np.exp(-2j * (pad.p - pad.k) * legs[:, :1]) * legs[:, 1:]
    # FEFF's points are up to 1/angstrom apart, too far for the phase: splines go through what is left when a
    # low polynomial in k is taken out of the phase of each path. Complex, so that zeros of |G| do no harm.
    x = pad.k / K_GRID[-1]
    phase = np.unwrap(np.angle(g), axis=1)
    fit = np.polynomial.polynomial.polyfit(x, phase.T, _PHASE_DEGREE)
    slow = g * np.exp(-1j * np.polynomial.polynomial.polyval(x, fit))
    back = np.exp(1j * np.polynomial.polynomial.polyval(K_GRID / K_GRID[-1], fit))
    return np.asarray(_on_grid(pad.k, slow) * back, dtype=np.complex64)


def _on_grid(k: Array, values: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(k, values, axis=1)(K_GRID))


def _load_momentum(potentials: Potentials) -> Momentum | None:
    held = load_entry(f"momentum-{potentials.key}")
    if held is None or set(held) != {"p", "mu"} or held["p"].shape != K_GRID.shape:
        return None
    return Momentum(held["p"], float(held["mu"]))


def _entry(potentials: Potentials, key: TableKey) -> str:
    steps = f"{RADIAL_STEP:g}-{GRID_FIRST:g}-{GRID_RATIO:g}-{ANGLE_STEP:g}-{K_GRID.size}"
    return f"paths-{potentials.key}-{key.family}-{key.first}-{key.second}-{steps}"


def _load(potentials: Potentials, key: TableKey, width: int) -> Nodes:
    held = load_entry(_entry(potentials, key))
    if held is not None and set(held) == {"shapes", "values"}:
        shapes, values = held["shapes"], held["values"]
        if shapes.shape == (len(values), width) and values.shape[1:] == K_GRID.shape:
            return Nodes(shapes, values)
    return Nodes(np.empty((0, width), np.int16), np.empty((0, K_GRID.size), np.complex64))


def _without(shapes: Array, known: Array) -> Array:
    held = set(map(tuple, known.tolist()))
    return np.array([shape for shape in shapes.tolist() if tuple(shape) not in held]).reshape(
        -1, shapes.shape[1]
    )


def _merge(
    potentials: Potentials,
    known: dict[TableKey, Nodes],
    jobs: list[tuple[TableKey, tuple[int, ...]]],
    values: Array,
) -> None:
    rows: dict[TableKey, list[int]] = {}
    for i, (key, _) in enumerate(jobs):
        rows.setdefault(key, []).append(i)
    for key, chosen in rows.items():
        old = known[key]
        fresh = np.array([jobs[i][1] for i in chosen], np.int16)
        shapes = np.concatenate([old.shapes, fresh])
        all_values = np.concatenate([old.values, values[chosen]])
        shapes, first = np.unique(shapes, axis=0, return_index=True)
        known[key] = Nodes(shapes, all_values[first])
        store_entry(_entry(potentials, key), {"shapes": shapes, "values": known[key].values})
