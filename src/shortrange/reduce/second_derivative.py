"""The two minima of the second derivative of a white line, with many smoothings, in data and in replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.local_polynomial import derivative_operator
from shortrange.reduce.normalise import Normalised

__all__ = ["REPLICAS", "SMOOTHINGS", "Clearest", "Minima", "Window", "find", "measure", "prepare"]

Array = NDArray[Any]
_Key = tuple[int, float]

SMOOTHINGS: tuple[_Key, ...] = tuple(
    (degree, round(0.4 * 1.22**i, 3)) for degree in (4, 6) for i in range(10)
)
"""Degree of the local polynomial and width of its Gaussian weight, eV."""

_STEP = 0.1  # eV, where the derivative is taken; minima are refined by parabolas
_RESOLVED = 4.0  # standard errors by which the saddle must stand above both minima
_WIDEST = {4: 0.28, 6: 0.40}  # width over splitting, beyond which the bias is no short power series
_SHALLOWEST = 0.1  # depth of the partner, of that of the deepest minimum
REPLICAS = 200


@dataclass(frozen=True, slots=True)
class Window:
    """Data around the white line, and the second derivative as an operator for each smoothing."""

    energy: Array
    norm: Array
    sigma: Array
    at: Array
    gap: float
    operators: dict[_Key, Array]


@dataclass(frozen=True, slots=True)
class Clearest:
    """The two minima where they show most clearly."""

    key: _Key
    energies: Array
    contrast: float


@dataclass(frozen=True, slots=True)
class Minima:
    """Minima of every smoothing that shows them, shape (n, 2), and their errors in replicas, (n, 2, m)."""

    keys: list[_Key]
    energies: Array
    errors: Array


def prepare(data: Normalised, window: tuple[float, float], where: str) -> Window:
    """Cut out the white line and make the operators that its grid allows.

    Parameters
    ----------
    data
        With ``sigma``.
    window
        Where the minima are looked for, eV relative to E0.
    where
        For messages.
    """
    if data.sigma is None:
        raise DataError(
            "the noise of mu is not known", where=where, do="merge the scans with reduce_xas first"
        )
    low, high = data.e0 + window[0], data.e0 + window[1]
    widest = 3.5 * max(width for _, width in SMOOTHINGS)
    inside = (data.energy > low - widest) & (data.energy < high + widest)
    energy = data.energy[inside]
    near = energy[(energy >= low) & (energy <= high)]
    if near.size < 12 or energy[0] > low or energy[-1] < high:
        raise DataError(
            f"{near.size} points between {low:.1f} and {high:.1f} eV",
            where=where,
            do="scan the white line in steps of 0.5 eV or less, or choose another window",
        )
    at = np.arange(low, high, _STEP)
    gap = float(np.diff(near).max())
    operators = {}
    for degree, width in SMOOTHINGS:
        if width >= 0.25 * degree * gap:
            operator = derivative_operator(energy, at, width=width, degree=degree)
            if np.isfinite(operator).all():
                operators[(degree, width)] = operator
    return Window(energy, data.norm[inside], data.sigma[inside] / data.edge_step, at, gap, operators)


def find(part: Window, separation: tuple[float, float], where: str) -> Clearest:
    """Look for the deepest minimum and a partner, and for the smoothing that shows them best."""
    best: Clearest | None = None
    for key, operator in part.operators.items():
        curve = operator @ part.norm
        inner = curve[1:-1]
        places = np.flatnonzero((inner < curve[:-2]) & (inner <= curve[2:]) & (inner < 0)) + 1
        if not places.size:
            continue
        deepest = int(places[np.argmin(curve[places])])
        for other in places:
            distance = abs(float(part.at[other] - part.at[deepest]))
            # Wide polynomials make lobes of their own, and so do the feet of sharp lines.
            if (
                curve[other] < _SHALLOWEST * curve[deepest]
                and max(separation[0], key[1] / _WIDEST[key[0]]) <= distance <= separation[1]
            ):
                pair = sorted((deepest, int(other)))
                contrast = _contrast(curve, operator * part.sigma, *pair)
                if best is None or contrast > best.contrast:
                    best = Clearest(key, part.at[pair], contrast)
    if best is None or best.contrast < _RESOLVED:
        seen = "one minimum only" if best is None else f"a saddle of {best.contrast:.1f} standard errors"
        raise DataError(
            f"the second derivative shows no two minima: {seen}",
            where=where,
            do="the splitting is less than the width of the lines, or the noise is too large: measure longer",
        )
    return best


def _contrast(curve: Array, errors: Array, a: int, b: int) -> float:
    """Height of the saddle above the shallower minimum, in standard errors."""
    top = a + int(np.argmax(curve[a : b + 1]))
    shallow = a if curve[a] > curve[b] else b
    error = float(np.linalg.norm(errors[top] - errors[shallow]))
    return float(curve[top] - curve[shallow]) / max(error, 1e-300)


def measure(part: Window, clearest: Clearest, where: str) -> Minima:
    """Minima near the clearest ones with every smoothing, in the data and in replicas of them."""
    splitting = float(np.diff(clearest.energies)[0])
    smooth = _smooth(part, clearest.key)
    # Replicas of one seed: the same data always give the same error.
    noise = np.random.default_rng(0).normal(size=(REPLICAS, part.energy.size)) * part.sigma
    curves = np.concatenate([part.norm[None], smooth[None], smooth + noise])
    keys, energies, errors = [], [], []
    for key, operator in part.operators.items():
        if key[1] > _WIDEST[key[0]] * splitting:
            continue
        minima = _near(part.at, curves @ operator.T, clearest.energies, 0.35 * splitting)
        error = minima[2:] - minima[1]
        lost = float(np.isnan(error).any(axis=1).mean())
        if np.isnan(minima[:2]).any() or lost > 0.03 or np.nanstd(np.diff(error)) > 0.15 * splitting:
            continue
        keys.append(key)
        energies.append(minima[0])
        errors.append(np.nan_to_num(error).T / np.sqrt(REPLICAS))
    if not keys:
        raise DataError(
            "the noise is too large for the minima of the second derivative to be placed",
            where=where,
            do="measure longer, or merge more scans",
        )
    return Minima(keys, np.array(energies), np.array(errors))


def _smooth(part: Window, key: _Key) -> Array:
    """Smooth copy of the data, to which the noise of the replicas is added."""
    rows = derivative_operator(part.energy, part.energy, degree=key[0], width=key[1], order=0)
    known = np.isfinite(rows).all(axis=1)
    out = part.norm.copy()
    out[known] = rows[known] @ part.norm
    return out


def _near(at: Array, curves: Array, energies: Array, reach: float) -> Array:
    """Deepest minimum of each curve within ``reach`` of each energy, shape (n, 2); NaN for none."""
    out = np.full((curves.shape[0], energies.size), np.nan)
    rows = np.arange(curves.shape[0])
    for column, energy in enumerate(energies):
        start, stop = np.searchsorted(at, (energy - reach, energy + reach))
        start, stop = max(int(start), 1), min(int(stop), at.size - 1)
        place = start + np.argmin(curves[:, start:stop], axis=1)
        left, middle, right = (curves[rows, place + i] for i in (-1, 0, 1))
        curvature = left - 2.0 * middle + right
        true = (left > middle) & (right >= middle)
        shift = 0.5 * (left - right) / np.where(true, curvature, 1.0)
        out[true, column] = (at[place] + _STEP * shift)[true]
    return out
