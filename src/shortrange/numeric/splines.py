"""Interpolation as linear operators, so that noise can be carried through it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["interpolation_weights", "spline_matrix"]

Array = NDArray[Any]


def spline_matrix(x: Array, x_new: Array) -> Array:
    """Operator of the interpolating cubic spline (not-a-knot), extrapolating beyond its ends.

    Parameters
    ----------
    x
        Strictly increasing, at least 4 points, shape (n,).
    x_new
        Where to evaluate, shape (m,).

    Returns
    -------
    ndarray
        Shape (m, n): ``spline_matrix(x, x_new) @ y`` is the spline through ``y`` at ``x_new``.
    """
    from scipy.interpolate import BSpline
    from scipy.sparse.linalg import splu

    knots = np.concatenate([np.full(4, x[0]), x[2:-2], np.full(4, x[-1])])
    collocation = BSpline.design_matrix(x, knots, 3).tocsc()
    target = BSpline.design_matrix(x_new, knots, 3, extrapolate=True)
    # Transposed, so that there are as many right-hand sides as new points, not as old ones.
    result: Array = splu(collocation.T.tocsc()).solve(target.T.toarray()).T
    return result


def _lagrange(nodes: Array, at: Array) -> Array:
    """Lagrange weights of nodes, shape (m, p), at points, shape (m,)."""
    weights = np.ones_like(nodes)
    for i in range(nodes.shape[1]):
        for j in range(nodes.shape[1]):
            if i != j:
                weights[:, i] *= (at - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights


def interpolation_weights(x: Array, x_new: Array, *, gain: float = 1.0) -> tuple[Array, Array]:
    """Weights of local polynomial interpolation through 6, 4 or 2 points.

    The highest order is taken that does not amplify noise (sum of squared weights at most ``gain``): at a
    jump of the spacing, where higher orders and splines overshoot, this falls back to a straight line.

    Parameters
    ----------
    x
        Strictly increasing, at least 6 points, shape (n,).
    x_new
        Within the range of ``x``, shape (m,).
    gain
        Largest sum of squared weights; a straight line never exceeds 1.

    Returns
    -------
    index, weight
        Each of shape (m, 6): ``(weight * y[index]).sum(axis=1)`` is the interpolated value.
    """
    left = np.clip(np.searchsorted(x, x_new, side="right") - 1, 0, x.size - 2)
    start = np.clip(left - 2, 0, x.size - 6)
    index = start[:, None] + np.arange(6)
    nodes = x[index]
    weight = np.zeros(index.shape)
    rows = np.arange(x_new.size)
    inside = left - start
    for column in (0, 1):
        weight[rows, inside + column] = _lagrange(np.stack([x[left], x[left + 1]], axis=1), x_new)[:, column]
    for points in (4, 6):
        first = np.clip(inside - points // 2 + 1, 0, 6 - points)
        chosen = first[:, None] + np.arange(points)
        candidate = _lagrange(np.take_along_axis(nodes, chosen, axis=1), x_new)
        calm = (candidate**2).sum(axis=1) <= gain + 1e-9
        full = np.zeros(index.shape)
        np.put_along_axis(full, chosen, candidate, axis=1)
        weight[calm] = full[calm]
    return index, weight
