"""Sine transforms between Q and r: quadrature nodes, kernels, windows.

Throughout, G(r) = 2/pi * integral of F(Q) M(Q) sin(Q r) dQ with F(Q) = Q [S(Q) - 1].
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Window", "cosine_taper", "gauss_nodes", "sine_kernel", "trapezoid_weights", "window_values"]

Array = NDArray[Any]
Window = Literal["lorch"]

_PANEL = 32  # nodes of a Gauss panel: exact to 1e-12 for a phase of up to 40 rad
_PHASE = 36.0


def gauss_nodes(q_min: float, q_max: float, *, r_total: float) -> tuple[Array, Array]:
    """Nodes and weights that integrate ``sin(Q r) sin(Q r')`` over Q to rounding, for ``r + r' <= r_total``.

    Parameters
    ----------
    q_min, q_max
        Limits, 1/angstrom.
    r_total
        Largest sum of the two distances, angstrom.

    Returns
    -------
    q, weight
        1/angstrom, shape (n,): about ``0.9 (q_max - q_min) r_total`` points.
    """
    panels = max(1, int(np.ceil((q_max - q_min) * r_total / _PHASE)))
    edges = np.linspace(q_min, q_max, panels + 1)
    x, w = _legendre(_PANEL)
    half = np.diff(edges)[:, None] / 2.0
    centre = (edges[:-1] + edges[1:])[:, None] / 2.0
    return np.ravel(centre + half * x), np.ravel(half * w)


@cache
def _legendre(n: int) -> tuple[Array, Array]:
    x, w = np.polynomial.legendre.leggauss(n)
    return x, w


def trapezoid_weights(x: Array) -> Array:
    """Weights of the trapezoidal rule on a grid of any spacing, shape of ``x``."""
    weight = np.zeros(x.size)
    if x.size > 1:
        steps = np.diff(x) / 2.0
        weight[:-1] += steps
        weight[1:] += steps
    return weight


def sine_kernel(q: Array, weight: Array, r: Array) -> Array:
    """Matrix that takes F at ``q`` to G at ``r``: ``2/pi * weight * sin(q r)``, shape (n_r, n_q)."""
    return np.asarray((2.0 / np.pi) * weight * np.sin(np.outer(r, q)))


def window_values(q: Array, *, q_max: float, window: Window | None) -> Array:
    """Modification function M(Q): 1 without a window; Lorch's sin(x)/x with x = pi Q / q_max (Lorch 1969)."""
    if window is None:
        return np.ones_like(q)
    return np.asarray(np.sinc(q / q_max))


def cosine_taper(r: Array, *, r_max: float, width: float) -> Array:
    """1 up to ``r_max - width``, then half a cosine down to 0 at ``r_max``, shape of ``r``."""
    if width <= 0:
        return np.ones_like(r)
    x = np.clip((r - (r_max - width)) / width, 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * x)))
