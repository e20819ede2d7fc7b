r"""What S(Q) must fulfil whatever the structure, and how far the structure itself hides it.

S averages to 1 at high Q, and G(r) = -4 pi rho0 r below the shortest distance. Over a finite range of Q
neither holds exactly: the shells of distances beyond leak into both. How much they may is taken from the
shells themselves, as a first solution shows them. Each shell also has a broad foot, for the weights
of pairs depend on Q where elements differ, and a finite resolution in Q multiplies G(r) with a Gaussian:
below the first shell G(r) may leave its line as r^3, by a few per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.sine import trapezoid_weights

__all__ = ["Conditions", "conditions", "leakage"]

Array = NDArray[Any]

DENSITY = 0.05
"""Atoms per cubic angstrom where none is given: sizes tolerances."""
BIN_WIDTH, END_WIDTH = 6.0, 2.5
"""Widths (1/angstrom) over which S averages to 1. The wide bins average out sin(Q r) / r from 2 angstrom on;
half a bin at the very end binds a polynomial there, and lets some structure pass."""
_FIRST = {"bin": 0.004, "end": 0.006, "line": 0.02}
"""How nearly the conditions hold, before the structure is known."""

_LEAST = {"bin": 1.5e-4, "end": 1.5e-4, "line": 1e-3}
"""How nearly they can hold at all: tables of form factors, what S(Q) does below the first point."""
_REACH, _STEP = 12.0, 0.04  # angstrom: which shells leak, and the grid they are looked at
_SHELL = 0.2  # angstrom: shells further apart leak with independent phases
_RISE = 3.0  # angstrom beyond r_cut: where the highest first peak is looked for


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Linear conditions on S: damped G at low r, and mean S in wide bins at high Q.

    Attributes
    ----------
    functional
        Acts on S(Q), shape (n_rows, n_q).
    target, first, least
        What it should give; tolerance before the structure is known, and the least there is; (n_rows,).
    extra
        Part of unknowns that are not in S(Q), by name: ``low Q``, ``low Q bulge``, ``low Q wave``,
        ``tail``, ``density``; (n_rows,).
    r_low
        Distances of the leading rows, angstrom, shape (n_low,).
    r
        Grid of the shells that leak, angstrom, shape (n_r,).
    to_g
        Takes S - 1 to G at ``r``, shape (n_r, n_q).
    sine, cosine
        What G at ``r`` leaks into each row, and would leak if it were moved by a quarter of a wave, shape
        (n_rows, n_r).
    """

    functional: Array
    target: Array
    first: Array
    least: Array
    extra: dict[str, Array]
    r_low: Array
    r: Array
    to_g: Array
    sine: Array
    cosine: Array


def leakage(rows: Conditions, s: Array, *, number_density: float) -> tuple[Array, Array]:
    """Give what the structure in ``s`` leaks into the conditions, and its covariance.

    Shells keep their size and width and lose their phase: what a shell puts into a row is as likely what it
    would put there a quarter of a wave away, and independent of what another shell puts there.

    Parameters
    ----------
    rows
        From `conditions`.
    s
        S(Q) of a first solution, shape (n_q,).
    number_density
        Atoms per cubic angstrom.

    Returns
    -------
    value, covariance
        With the phases as they are, shape (n_rows,), and over all phases, shape (n_rows, n_rows).
    """
    r = rows.r
    g = rows.to_g @ (s - 1.0)
    first = float(r[np.argmax(np.where(r < r[0] + _RISE, g, -np.inf))])
    # Below the first peak the line is no structure; beyond it G is what there is.
    structure = g + 4.0 * np.pi * number_density * r * np.clip((first - r) / (0.3 * first) + 1.0, 0.0, 1.0)
    starts = np.arange(0, r.size, round(_SHELL / _STEP))
    sine = np.add.reduceat(rows.sine * structure, starts, axis=1)
    cosine = np.add.reduceat(rows.cosine * structure, starts, axis=1)
    return sine.sum(axis=1), 0.5 * (sine @ sine.T + cosine @ cosine.T)


@lru_cache(maxsize=8)
def conditions(q_bytes: bytes, number_density: float | None, r_cut: float) -> Conditions:
    """Set up the conditions; they depend on the grid alone, which the patterns of a series share.

    Parameters
    ----------
    q_bytes
        Momentum transfer, 1/angstrom, as bytes.
    number_density
        Atoms per cubic angstrom, or None if it is an unknown.
    r_cut
        Below it there is no distance, angstrom.
    """
    q = np.frombuffer(q_bytes)
    weight = trapezoid_weights(q)
    # Hann damping: G broadens by about 2 / q_max, and ripples of the first peaks stay away from low r.
    damp = 0.5 * (1.0 + np.cos(np.pi * q / q[-1]))
    r_low = np.arange(1, int(r_cut / (np.pi / q[-1])) + 1) * np.pi / q[-1]
    r_low = r_low[r_low <= r_cut]
    low = (2.0 / np.pi) * np.sin(np.outer(r_low, q)) * (weight * damp * q)
    x, w = np.polynomial.legendre.leggauss(16)
    below, w = q[0] * (x + 1) / 2.0, w * q[0] / 2.0
    kernel = (2.0 / np.pi) * np.sin(np.outer(r_low, below)) * (w * below)
    bins = _bins(q, weight)
    r = np.arange(r_cut, _REACH, _STEP)
    sine, cosine = _leaks(q, below, r, low, kernel, bins)
    # G is of S - 1, the functional acts on S.
    target = low @ np.ones_like(q) + kernel @ np.ones_like(below)
    # Below the first point S(Q) = s0 + (S(q_min) - s0) x^2 + bulge * 4 x^2 (1 - x) + a wave that is odd
    # about the middle of the last term, with x = Q / q_min.
    parabola = (below / q[0]) ** 2
    bulge = 4.0 * parabola * (1.0 - below / q[0])
    low[:, 0] += kernel @ parabola
    line = 4.0 * np.pi * r_low
    if number_density is not None:
        target = target - number_density * line
    tallest = 4.0 * np.pi * (number_density or DENSITY) * r_cut
    rest = np.zeros(bins.shape[0])
    extra = {
        "low Q": np.append(kernel @ (1.0 - parabola), rest),
        "low Q bulge": np.append(kernel @ bulge, rest),
        "low Q wave": np.append(kernel @ (bulge * (4.0 - 6.0 * below / q[0])), rest),
        "tail": np.append(-tallest * (r_low / r_cut) ** 3, rest),
        "density": np.append(line, rest),
    }
    return Conditions(
        functional=np.vstack([low, bins]), target=np.append(target, np.ones(bins.shape[0])),
        first=_tolerance(_FIRST, r_low.size, bins.shape[0], tallest),
        least=_tolerance(_LEAST, r_low.size, bins.shape[0], tallest),
        extra=extra, r_low=r_low, r=r, to_g=(2.0 / np.pi) * np.sin(np.outer(r, q)) * (weight * q),
        sine=sine, cosine=cosine,
    )  # fmt: skip


def _tolerance(of: dict[str, float], n_low: int, n_bins: int, tallest: float) -> Array:
    return np.concatenate([np.full(n_low, of["line"] * tallest), np.full(n_bins - 1, of["bin"]), [of["end"]]])


def _leaks(q: Array, below: Array, r: Array, low: Array, kernel: Array, bins: Array) -> tuple[Array, Array]:
    """Give what G at ``r`` puts into each row through S - 1 = integral of G sin(Q r) / Q dr, (n_rows, n_r).

    Once as it is, once moved by a quarter of the shortest wave that the row sees: F(Q) stays 0 at Q = 0, and
    what is far in r stays far.
    """
    rows = np.vstack([low, bins]) * _STEP
    ends = np.array([q[row != 0][-1] for row in rows])[:, None]
    sine, cosine = (rows / q) @ np.sin(np.outer(q, r)), (rows / ends) @ np.cos(np.outer(q, r))
    n, more = low.shape[0], kernel * _STEP
    sine[:n] += (more / below) @ np.sin(np.outer(below, r))
    cosine[:n] += (more / ends[:n]) @ np.cos(np.outer(below, r))
    return sine, cosine


def _bins(q: Array, weight: Array) -> Array:
    """Hann-weighted means from the end of the data down to a third of it; last, half a bin at the end."""
    last = max(q[0] + BIN_WIDTH / 2, 0.35 * q[-1])
    centres = np.arange(q[-1] - BIN_WIDTH / 2, last, -BIN_WIDTH / 2)
    if centres.size == 0:
        centres = np.array([(q[0] + q[-1]) / 2])
    x = (q - np.append(centres, q[-1])[:, None]) / BIN_WIDTH
    x[-1] *= BIN_WIDTH / (2.0 * END_WIDTH)
    hann = np.where(np.abs(x) < 0.5, np.cos(np.pi * x) ** 2, 0.0) * weight
    return np.asarray(hann / hann.sum(axis=1, keepdims=True))
