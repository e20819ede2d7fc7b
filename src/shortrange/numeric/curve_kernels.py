"""Compiled curves of one variable: polynomials, splines, B-splines, and the solver that they need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "b_spline_rows",
    "cholesky",
    "cholesky_solve",
    "fit_polynomial",
    "hanning_window",
    "interpolate_rows",
    "polynomial_at",
]

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def cholesky(matrix: Array) -> None:
    """Cholesky factor of a positive matrix, in its lower triangle."""
    n = matrix.shape[0]
    for j in range(n):
        for i in range(j, n):
            value = matrix[i, j]
            for q in range(j):
                value -= matrix[i, q] * matrix[j, q]
            matrix[i, j] = np.sqrt(value) if i == j else value / matrix[j, j]


@njit(cache=True, nogil=True)
def cholesky_solve(factor: Array, right: Array) -> Array:
    """Solve a system whose matrix `cholesky` has factored, for one right-hand side, shape (n,)."""
    n = right.size
    x = right.copy()
    for i in range(n):
        for q in range(i):
            x[i] -= factor[i, q] * x[q]
        x[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for q in range(i + 1, n):
            x[i] -= factor[q, i] * x[q]
        x[i] /= factor[i, i]
    return x


@njit(cache=True, nogil=True)
def fit_polynomial(x: Array, y: Array, order: int) -> Array:
    """Fit a polynomial; coefficients in units of half the width of the range, the constant first."""
    middle, wide = 0.5 * (x[0] + x[-1]), max(0.5 * (x[-1] - x[0]), 1e-300)
    normal, right = np.zeros((order + 1, order + 1)), np.zeros(order + 1)
    powers = np.empty(order + 1)
    for i in range(x.size):
        u = (x[i] - middle) / wide
        powers[0] = 1.0
        for p in range(order):
            powers[p + 1] = powers[p] * u
        for p in range(order + 1):
            right[p] += powers[p] * y[i]
            for q in range(order + 1):
                normal[p, q] += powers[p] * powers[q]
    cholesky(normal)
    return cholesky_solve(normal, right)


@njit(cache=True, nogil=True)
def polynomial_at(coefficients: Array, x: Array, at: float) -> float:
    """Polynomial that was fitted at ``x``, at another place."""
    u = (at - 0.5 * (x[0] + x[-1])) / max(0.5 * (x[-1] - x[0]), 1e-300)
    value = 0.0
    for p in range(coefficients.size - 1, -1, -1):
        value = value * u + coefficients[p]
    return value


@njit(cache=True, nogil=True)
def interpolate_rows(x: Array, columns: Array, at: Array) -> Array:
    """Evaluate not-a-knot cubic splines through rows, shape (m, n), at other points, shape (m, p)."""
    m, n = columns.shape
    h = x[1:] - x[:-1]
    # Second derivatives: a tridiagonal system for the inner ones; the outer two continue the third
    # derivative.
    lower, diagonal, upper = np.empty(n - 2), np.empty(n - 2), np.empty(n - 2)
    for i in range(n - 2):
        lower[i], diagonal[i], upper[i] = h[i], 2.0 * (h[i] + h[i + 1]), h[i + 1]
    diagonal[0] += h[0] + h[0] * h[0] / h[1]
    upper[0] -= h[0] * h[0] / h[1]
    diagonal[n - 3] += h[n - 2] + h[n - 2] * h[n - 2] / h[n - 3]
    lower[n - 3] -= h[n - 2] * h[n - 2] / h[n - 3]
    for i in range(1, n - 2):
        factor = lower[i] / diagonal[i - 1]
        diagonal[i] -= factor * upper[i - 1]
        lower[i] = factor
    interval = np.empty(at.size, dtype=np.int64)
    for p in range(at.size):
        interval[p] = min(max(np.searchsorted(x, at[p], side="right") - 1, 0), n - 2)
    out = np.empty((m, at.size))
    second, slope = np.empty(n), np.empty(n - 1)
    for row in range(m):
        y = columns[row]
        for i in range(n - 1):
            slope[i] = (y[i + 1] - y[i]) / h[i]
        for i in range(n - 2):
            second[i + 1] = 6.0 * (slope[i + 1] - slope[i])
        for i in range(1, n - 2):
            second[i + 1] -= lower[i] * second[i]
        second[n - 2] /= diagonal[n - 3]
        for i in range(n - 4, -1, -1):
            second[i + 1] = (second[i + 1] - upper[i] * second[i + 2]) / diagonal[i]
        second[0] = second[1] - h[0] / h[1] * (second[2] - second[1])
        second[n - 1] = second[n - 2] + h[n - 2] / h[n - 3] * (second[n - 2] - second[n - 3])
        for p in range(at.size):
            i = interval[p]
            b = (at[p] - x[i]) / h[i]
            a = 1.0 - b
            curved = (a * a * a - a) * second[i] + (b * b * b - b) * second[i + 1]
            out[row, p] = a * y[i] + b * y[i + 1] + curved * h[i] * h[i] / 6.0
    return out


@njit(cache=True, nogil=True)
def b_spline_rows(x: Array, knots: Array) -> Array:
    """Evaluate cubic B-splines at increasing points by de Boor's recursion; shape (n_splines, n)."""
    count = knots.size - 4
    out = np.zeros((count, x.size))
    values, left, right = np.empty(4), np.empty(4), np.empty(4)
    span = 3
    for i in range(x.size):
        while span < count - 1 and x[i] >= knots[span + 1]:
            span += 1
        values[0] = 1.0
        for degree in range(1, 4):
            left[degree] = x[i] - knots[span + 1 - degree]
            right[degree] = knots[span + degree] - x[i]
            saved = 0.0
            for r in range(degree):
                term = values[r] / (right[r + 1] + left[degree - r])
                values[r] = saved + right[r + 1] * term
                saved = left[degree - r] * term
            values[degree] = saved
        for r in range(4):
            out[span - 3 + r, i] = values[r]
    return out


@njit(cache=True, nogil=True)
def hanning_window(n: int, step: float, k_max: float, dk: float) -> Array:
    """Hanning window from 0 to ``k_max``; see `shortrange.numeric.windows.ft_window`."""
    eps = 1e-4 * step
    last = n - 1
    i1 = 0
    i2 = min(last, max(0, int((0.5 * dk + 2.0 * eps) / step)))
    i3 = min(last, int((k_max - 0.5 * dk) / step))
    i4 = min(last, int((min(step * last, k_max + 0.5 * dk) + eps) / step))
    if i4 == i3:
        i3 = max(i2, i4 - 1)
    out = np.zeros(n)
    out[i2:i3] = 1.0
    rise, fall = max((i2 - i1) * step, eps), max((i4 - i3) * step, eps)
    for i in range(i1, i2 + 1):
        out[i] = np.sin(0.5 * np.pi * (i - i1) * step / rise) ** 2
    for i in range(i3, i4 + 1):
        out[i] = np.sin(0.5 * np.pi * (1.0 - (i - i3) * step / fall)) ** 2
    return out
