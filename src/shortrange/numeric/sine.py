"""Sine transforms between Q and r: quadrature nodes, kernels, windows.

Throughout, G(r) = 2/pi * integral of F(Q) M(Q) sin(Q r) dQ with F(Q) = Q [S(Q) - 1].
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = [
    "Window",
    "cosine_sums",
    "cosine_taper",
    "even_step",
    "factored_kernel",
    "gauss_nodes",
    "kept_kernel",
    "phases",
    "sine_kernel",
    "trapezoid_weights",
    "window_values",
]

Array = NDArray[Any]
Window = Literal["lorch", "soft"]
SOFT_FROM = 2.0 / 3.0
"""Part of q_max from which the soft window falls."""

_PANEL = 64  # nodes of a Gauss panel: exact to 1e-12 for a phase of up to 180 rad
_PHASE = 150.0
_TAIL = 8.0  # points beyond those of a wave, over the cube root of their number
_KEPT_SIZE = 4_000_000  # numbers in a kernel


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
        1/angstrom, shape (n,): about ``0.43 (q_max - q_min) r_total`` points, a multiple of 64.
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


def even_step(r: Array) -> float | None:
    """Step of a uniform, increasing grid; None for any other, shape of ``r`` (n,)."""
    if r.size < 3:
        return None
    step = float(r[-1] - r[0]) / (r.size - 1)
    even = step > 0 and np.max(np.abs(r - (r[0] + step * np.arange(r.size)))) < 1e-9 * max(1.0, abs(r[-1]))
    return step if even else None


def phases(q: Array, *, start: float, step: float, n: int) -> tuple[Array, Array]:
    """Parts of cos(q x) for x = start + step * k, k < n: those of a coarse and of a fine grid.

    Each has shape (m, 2 n_q): cosines and, beside them, sines; those of the fine part with a minus, so that
    the product of a row of each, summed over the two halves, is cos(q x).
    """
    coarse, fine = _waves(q, start, step, n)
    return np.hstack([coarse.real, coarse.imag]), np.hstack([fine.real, -fine.imag])


def _waves(q: Array, start: float, step: float, n: int) -> tuple[Array, Array]:
    """exp(i q x) for x = start + step * k, k < n, as products of a coarse and a fine part, each (m, n_q)."""
    block = int(np.ceil(np.sqrt(n)))
    coarse = start + step * block * np.arange(-(-n // block))
    return np.exp(1j * np.outer(coarse, q)), np.exp(1j * np.outer(step * np.arange(block), q))


def sine_kernel(q: Array, weight: Array, r: Array) -> Array:
    """Matrix that takes F at ``q`` to G at ``r``: ``2/pi * weight * sin(q r)``, shape (n_r, n_q).

    On a uniform ``r`` the sines follow from about ``2 sqrt(n_r)`` of them by addition of angles.
    """
    step = even_step(r)
    if step is None or r.size < 64:
        return np.asarray((2.0 / np.pi) * weight * np.sin(np.outer(r, q)))
    coarse, fine = _waves(q, float(r[0]), step, r.size)
    coarse = coarse * ((2.0 / np.pi) * weight)
    out = coarse.imag[:, None] * fine.real
    out += coarse.real[:, None] * fine.imag
    return np.asarray(out.reshape(-1, q.size)[: r.size])


def factored_kernel(q: Array, weight: Array, r: Array) -> tuple[Array, Array]:
    """`sine_kernel` as a product of matrices (n_r, k) and (k, n_q), for many products with long vectors.

    The sines are taken at Chebyshev points of r, and interpolated between them: a wave of q r over half the
    range of r is held to rounding by a few points more than that (Trefethen, Approximation Theory and
    Approximation Practice, 2013, chapters 5 and 8).
    """
    half, middle = (r.max() - r.min()) / 2.0, (r.max() + r.min()) / 2.0
    turns = float(np.max(np.abs(q))) * half
    n = int(np.ceil(turns + _TAIL * np.cbrt(turns) + 16.0))
    angle = np.pi * (np.arange(n) + 0.5) / n
    nodes = np.cos(angle)
    apart = (r[:, None] - middle) / half - nodes
    np.copyto(apart, 1e-300, where=apart == 0.0)
    spread = (np.sin(angle) * (-1.0) ** np.arange(n)) / apart
    spread /= spread.sum(axis=1, keepdims=True)
    return spread, sine_kernel(q, weight, middle + half * nodes)


def kept_kernel(q: Array, weight: Array, r: Array) -> Array:
    """Return `sine_kernel`, read-only, kept for the next call with the same arguments if it is below 32 MB.

    Structures that are compared share their ranges, and the sines take longer than what is made of them.
    """
    if r.size * q.size > _KEPT_SIZE:
        return sine_kernel(q, weight, r)
    return _kept(*(np.asarray(x, dtype=float).tobytes() for x in (q, weight, r)))


@lru_cache(maxsize=4)
def _kept(q: bytes, weight: bytes, r: bytes) -> Array:
    out = sine_kernel(*(np.frombuffer(x) for x in (q, weight, r)))
    out.setflags(write=False)
    return out


def cosine_sums(parts: tuple[Array, Array], weight: Array, *, n: int) -> Array:
    """Sum over q of ``weight * cos(q x)`` at the first ``n`` of the x of `phases`, shape (n,)."""
    coarse, fine = parts
    return np.asarray(((coarse * np.tile(weight, 2)) @ fine.T).ravel()[:n])


def window_values(q: Array, *, q_max: float, window: Window | None) -> Array:
    """Modification function M(Q).

    None: 1. ``"lorch"``: sin(x)/x with x = pi Q / q_max (Lorch 1969). ``"soft"``: 1 up to 2/3 of q_max, then
    half a cosine down to 0: fewer ripples than none, sharper peaks than Lorch's.

    Raises
    ------
    DataError
        If there is no such window.
    """
    if window is None:
        return np.ones_like(q)
    if window == "lorch":
        return np.asarray(np.sinc(q / q_max))
    if window == "soft":
        x = np.clip((q / q_max - SOFT_FROM) / (1.0 - SOFT_FROM), 0.0, 1.0)
        return np.asarray(0.5 * (1.0 + np.cos(np.pi * x)))
    raise DataError(
        f"unknown window {window!r}", where="window", do=did_you_mean(str(window), ("none", "lorch", "soft"))
    )


def cosine_taper(r: Array, *, r_max: float, width: float) -> Array:
    """1 up to ``r_max - width``, then half a cosine down to 0 at ``r_max``, shape of ``r``."""
    if width <= 0:
        return np.ones_like(r)
    x = np.clip((r - (r_max - width)) / width, 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * x)))
