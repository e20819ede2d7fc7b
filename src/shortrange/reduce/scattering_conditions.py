r"""What S(Q) must fulfil whatever the structure, and how far the structure itself hides it.

S - 1 is a sum of waves sin(Q r) / Q, one for each distance. There is no distance below the shortest, where
G(r) = -4 pi rho0 r; beyond it G(r) may be anything of its size. What of a pattern cannot be such a sum is
scale, background, Compton scattering or fluorescence.

In terms of statistics the structure is a Gaussian process: G(r) about its line, white beyond the width of a
peak, with a variance that a first solution shows. Where elements differ, the weights of pairs depend on
Q, and each kind of pairs has waves of its own. All is looked at through rows: tapered sines and cosines of Q,
which see r up to a few angstrom and are enough of them to hold what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.sine import trapezoid_weights

__all__ = ["Conditions", "Structure", "conditions"]

Array = NDArray[Any]

_TOP, _DENSE = 4.5, 1.2  # angstrom: up to where rows look; rows per independent one
_TAPER_LOW, _TAPER_HIGH = 2.0, 5.0  # 1/angstrom: rows see neighbours of their r within 2 pi over that
_REACH, _STEP = 12.0, 0.05  # angstrom: which distances leak into rows, and the grid they are looked at
_WIDTH = 0.15  # angstrom: over which G(r) is correlated; rows are then missed by as much as they should be
_SHELL = 0.2  # angstrom: over which its variance is taken
_FLOOR = (0.0005, 0.01)  # of 4 pi rho0 r: what G(r) may always depart from its line, below r_cut and beyond
_RISE = 3.0  # angstrom beyond r_cut: where the highest first peak is looked for
_FIRST_GUESS = 4.0 / 3.0  # times r_cut: the first distance
_LEAST = 1e-4  # noise of S(Q) that there always is: tables of form factors, rounding of files


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """What G(r) puts into the rows: ``line`` for each unit of density, (n_rows,), and a covariance."""

    line: Array
    covariance: Array


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Rows that act on S(Q), and what G(r) puts into them.

    Attributes
    ----------
    functional, target
        Rows acting on S(Q), shape (n_rows, n_q), give ``target`` plus what the structure adds.
    extra
        Part of unknowns that are not in S(Q) at the points: ``low Q``, ``low Q bulge``, ``low Q wave``,
        (n_rows,) each.
    least
        Covariance from noise that there always is, (n_rows, n_rows).
    plain
        What G(r) puts into the rows where weights do not depend on Q, (n_rows, n_r).
    leaks
        The same for each kind of pairs, times the root of its share of G(r), (n_rows, n_pairs, n_r).
    r, r_cut
        Grid of G(r), angstrom; below r_cut there is no distance.
    to_g, g_target, g_extra
        S(Q), and the unknowns of ``extra``, to a damped G(r): (n_r, n_q), and (n_r,) each.
    """

    functional: Array
    target: Array
    extra: dict[str, Array]
    least: Array
    plain: Array
    leaks: Array
    r: Array
    r_cut: float
    to_g: Array
    g_target: Array
    g_extra: dict[str, Array]

    def structure(self, variance: Array, first: float) -> Structure:
        """G(r) of a variance (n_r,) about -4 pi rho0 r, a line that ends at the first peak."""
        wide = (self.leaks * np.sqrt(variance * (_WIDTH / _STEP))).reshape(len(self.leaks), -1)
        line = -4.0 * np.pi * self.r * _fall(self.r, first)
        return Structure(self.plain @ line, wide @ wide.T)

    def unknown_structure(self, number_density: float) -> Structure:
        """Before anything is known: beyond r_cut G(r) may be twice 4 pi rho0 r."""
        return _unknown_structure(self, number_density)

    def damped_g(self, s: Array, low: dict[str, float]) -> Array:
        """G(r) of a solution at ``r``, with Hann damping, (n_r,).

        Parameters
        ----------
        s
            S(Q), shape (n_q,).
        low
            Values of the unknowns of ``extra``.
        """
        return np.asarray(
            self.to_g @ s - self.g_target + sum(low[name] * part for name, part in self.g_extra.items())
        )

    def shells(self, g: Array, number_density: float) -> tuple[Array, float]:
        """Variance of G(r) about its line as a damped ``g`` shows it, (n_r,), and the first peak."""
        r, below = self.r, self.r < self.r_cut
        line = 4.0 * np.pi * number_density * r
        first = float(r[np.argmax(np.where(below | (r > self.r_cut + _RISE), -np.inf, g))])
        square = (g + line * _fall(r, first)) ** 2
        window = np.hanning(2 * round(_SHELL / _STEP) + 3)
        variance = np.where(below, 0.0, np.convolve(square, window / window.sum(), mode="same"))
        return variance + (np.where(below, *_FLOOR) * line) ** 2, first

    def low_r_residual(self, g: Array, number_density: float) -> float:
        """Root mean square of G + 4 pi rho0 r below r_cut over that of the line."""
        below = self.r < self.r_cut
        line = 4.0 * np.pi * number_density * self.r[below]
        return float(np.linalg.norm(g[below] + line) / np.linalg.norm(line))


def conditions(q: Array, weights: Array, shares: Array, *, r_cut: float) -> Conditions:
    """Set up the conditions; they depend on grid and composition, which the patterns of a series share.

    Parameters
    ----------
    q
        Momentum transfer, 1/angstrom, shape (n_q,).
    weights
        Of each kind of pairs, over their mean, shape (n_pairs, n_q).
    shares
        Part of G(r) that is of each kind, shape (n_pairs,).
    r_cut
        Below it there is no distance, angstrom.
    """
    return _conditions(q.tobytes(), weights.tobytes(), shares.tobytes(), r_cut)


@lru_cache(maxsize=8)
def _conditions(q_bytes: bytes, weight_bytes: bytes, share_bytes: bytes, r_cut: float) -> Conditions:
    q, shares = np.frombuffer(q_bytes), np.frombuffer(share_bytes)
    weights = np.frombuffer(weight_bytes).reshape(shares.size, q.size)
    x, w = np.polynomial.legendre.leggauss(24)
    below, w = q[0] * (x + 1.0) / 2.0, w * q[0] / 2.0
    rows, kernel = _rows(q, below, w)
    r = (np.arange(round(_REACH / _STEP)) + 0.5) * _STEP
    waves, low = (_STEP * np.sin(np.outer(at, r)) / at[:, None] for at in (q, below))
    leaks = np.stack(
        [
            np.sqrt(share) * ((rows * weight) @ waves + (kernel * weight[0]) @ low)
            for weight, share in zip(weights, shares, strict=True)
        ],
        axis=1,
    )
    # Hann damping keeps the ripples of the first peaks away from their feet.
    damp = 0.5 * (1.0 + np.cos(np.pi * q / q[-1]))
    to_g = (2.0 / np.pi) * np.sin(np.outer(r, q)) * (trapezoid_weights(q) * q * damp)
    low_g = (2.0 / np.pi) * np.sin(np.outer(r, below)) * (w * below)
    functional, target, extra = _with_low_q(rows, kernel, below / q[0])
    to_g, g_target, g_extra = _with_low_q(to_g, low_g, below / q[0])
    return Conditions(
        functional=functional, target=target, extra=extra, least=_LEAST**2 * np.eye(functional.shape[0]),
        plain=rows @ waves + kernel @ low, leaks=leaks, r=r, r_cut=r_cut,
        to_g=to_g, g_target=g_target, g_extra=g_extra,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _unknown_structure(see: Conditions, number_density: float) -> Structure:
    size = np.where(see.r < see.r_cut, 0.0, 8.0 * np.pi * number_density * see.r)
    return see.structure(size**2, _FIRST_GUESS * see.r_cut)


def _rows(q: Array, below: Array, w: Array) -> tuple[Array, Array]:
    """Rows acting on S - 1 at the points, (n_rows, n_q), and at nodes below the first, (n_rows, n_below).

    Sines go through Q = 0, where they know that S(0) is small. Cosines cannot, for F(Q) is odd.
    """
    r = np.arange(0.0, _TOP, 2.0 * np.pi / (q[-1] - q[0]) / _DENSE)
    end = np.sin(0.5 * np.pi * np.clip((q[-1] - q) / _TAPER_HIGH, 0.0, 1.0)) ** 2
    start = np.sin(0.5 * np.pi * np.clip((q - q[0]) / _TAPER_LOW, 0.0, 1.0)) ** 2
    weight = trapezoid_weights(q) * end * q
    sines, cosines = np.sin(np.outer(r[1:], q)), np.cos(np.outer(r, q))
    at = np.arange(np.pi / (q[0] + _TAPER_LOW), _TOP, np.pi / (q[0] + _TAPER_LOW))
    rows = np.vstack([np.sin(np.outer(at, q)) * (1.0 - start), sines * start, cosines * start]) * weight
    kernel = np.zeros((rows.shape[0], below.size))
    kernel[: at.size] = np.sin(np.outer(at, below)) * (w * below)
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / size, kernel / size


def _with_low_q(rows: Array, kernel: Array, x: Array) -> tuple[Array, Array, dict[str, Array]]:
    """Rows that act on S at the points, what they would give for S = 1, and their extra unknowns.

    Below the first point S(Q) = s0 + (S(q_min) - s0) x^2 + bulge * 4 x^2 (1 - x) + a wave that is odd about
    the middle of the last term, with x = Q / q_min.
    """
    parabola, bulge = x**2, 4.0 * x**2 * (1.0 - x)
    target = rows.sum(axis=1) + kernel.sum(axis=1)
    rows = rows.copy()
    rows[:, 0] += kernel @ parabola
    return (
        rows,
        target,
        {
            "low Q": kernel @ (1.0 - parabola),
            "low Q bulge": kernel @ bulge,
            "low Q wave": kernel @ (bulge * (4.0 - 6.0 * x)),
        },
    )


def _fall(r: Array, first: float) -> Array:
    """1 up to a first peak, then down to 0, shape of ``r``."""
    return np.clip((first - r) / (0.3 * first) + 1.0, 0.0, 1.0)
