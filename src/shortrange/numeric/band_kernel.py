r"""Kernels that carry a curve of r through a weight and a range of Q, as matrices.

.. math:: G(r) = \int K(r, r') h(r')\,dr', \qquad
          K = \frac{2}{\pi}\int_{Q_1}^{Q_2} w(Q)\sin(Qr)\sin(Qr')\,dQ = \kappa(r - r') - \kappa(r + r')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shortrange.numeric.sine import gauss_nodes

__all__ = ["BandTables", "band_curve", "band_tables", "cosine_table"]

Array = NDArray[Any]


def cosine_table(
    weight: Callable[[Array], Array], *, q_range: tuple[float, float], start: float, step: float, size: int
) -> Array:
    r"""Tabulate :math:`\kappa(x) = \frac{1}{\pi}\int w(Q)\cos(Qx)\,dQ` on a uniform grid of x.

    Parameters
    ----------
    weight
        Function of Q (n,) to any number of weights (w, n).
    q_range
        1/angstrom.
    start, step, size
        Of the grid of x, angstrom.

    Returns
    -------
    ndarray
        Shape (w, size).
    """
    far = max(abs(start), abs(start + size * step))
    q, node = gauss_nodes(*q_range, r_total=far + 2.0)
    values = weight(q) * (node / np.pi)
    # cos Q(u + v) = cos Qu cos Qv - sin Qu sin Qv: two small products instead of a table of cosines.
    inner = int(np.ceil(np.sqrt(size)))
    outer = -(-size // inner)
    v = np.outer(q, step * np.arange(inner))
    u = np.outer(start + step * inner * np.arange(outer), q)
    cos_v, sin_v, cos_u, sin_u = np.cos(v), np.sin(v), np.cos(u), np.sin(u)
    table = [((cos_u * row) @ cos_v - (sin_u * row) @ sin_v).ravel()[:size] for row in values]
    return np.array(table)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BandTables:
    """Both parts of the kernel, tabulated once for all windows of a curve; see `band_tables`."""

    first: float
    step: float
    minus: Array
    plus: Array
    q_max: float

    def matrix(self, r: tuple[float, float, int], grid: tuple[float, float, int]) -> Array:
        """Matrices from samples of h on a grid to G on ``r``, shape (w, size of r, size of grid).

        Parameters
        ----------
        r, grid
            (first, step, size), angstrom, on the raster of the tables.

        Raises
        ------
        ValueError
            If they do not lie on it, or reach beyond.
        """
        (r0, dr, n), (g0, dg, size) = r, grid
        a, b = self._on_raster(dr), self._on_raster(dg)
        low, high = self._on_raster(r0 - self.first), self._on_raster(g0 - self.first)
        middle = (self.minus.shape[1] - 1) // 2
        # Row i of the difference takes the table at a i - b j, of the sum at a i + b j.
        start = middle + low - high - b * (size - 1)
        stop = middle + low - high + a * (n - 1) + 1
        if start < 0 or stop > self.minus.shape[1] or low + high < 0:
            raise ValueError("the grids reach beyond the tables")
        span = b * (size - 1) + 1
        minus = sliding_window_view(self.minus[:, start:stop], span, axis=1)[:, ::a, ::b]
        plus = sliding_window_view(self.plus[:, low + high : low + high + span + a * (n - 1)], span, axis=1)
        return np.asarray((minus[:, :, ::-1] - plus[:, ::a, ::b]) * dg)

    def _on_raster(self, length: float) -> int:
        units = round(length / self.step)
        if abs(units * self.step - length) > 1e-6 * self.step * max(1, abs(units)):
            raise ValueError(f"{length} is no multiple of {self.step}")
        return units


def band_tables(
    weight: Callable[[Array], Array], *, q_range: tuple[float, float], first: float, step: float, last: float,
    width: float,
) -> BandTables:  # fmt: skip
    """Tabulate the kernel for points ``first + i step`` up to ``last``, at most ``width`` apart.

    Parameters
    ----------
    weight, q_range
        See `cosine_table`.
    first, step, last
        Raster of all points and grids, angstrom.
    width
        Largest distance between a point and one of the grid, angstrom.
    """
    count = int(np.ceil(width / step)) + 1
    half = cosine_table(weight, q_range=q_range, start=0.0, step=step, size=count)
    size = 2 * (round((last - first) / step) + 1) + 1
    plus = cosine_table(weight, q_range=q_range, start=2 * first, step=step, size=size)
    return BandTables(first=first, step=step, minus=np.hstack([half[:, :0:-1], half]), plus=plus,
                      q_max=q_range[1])  # fmt: skip


def band_curve(
    weight: Callable[[Array], Array], h: Array, *, q_range: tuple[float, float], r: tuple[float, float, int],
    grid: tuple[float, float, int],
) -> Array:  # fmt: skip
    """Carry one curve from a grid to another without a matrix.

    Parameters
    ----------
    weight, q_range
        See `cosine_table`; the weights and their transforms are summed.
    h
        Samples, shape (w, size of grid).
    r, grid
        (first, step, size) of the points and of the grid, angstrom.

    Returns
    -------
    ndarray
        G on ``r``, shape (size of r,).
    """
    (r0, dr, n), (g0, dg, size) = r, grid
    q, node = gauss_nodes(*q_range, r_total=r0 + dr * n + g0 + dg * size)
    inner = int(np.ceil(np.sqrt(size)))
    outer = -(-size // inner)
    blocks = np.zeros((h.shape[0], outer * inner))
    blocks[:, :size] = h
    phase_u, phase_v = np.outer(q, g0 + dg * inner * np.arange(outer)), np.outer(dg * np.arange(inner), q)
    sin_u, cos_u, sin_v, cos_v = np.sin(phase_u), np.cos(phase_u), np.sin(phase_v), np.cos(phase_v)
    f = np.zeros(q.size)
    for row, w in zip(blocks.reshape(-1, outer, inner), weight(q), strict=True):
        f += w * (np.sum(sin_u * (row @ cos_v).T, axis=1) + np.sum(cos_u * (row @ sin_v).T, axis=1))
    f *= node * dg * 2 / np.pi
    inner = int(np.ceil(np.sqrt(n)))
    outer = -(-n // inner)
    u, v = np.outer(r0 + dr * inner * np.arange(outer), q), np.outer(q, dr * np.arange(inner))
    out = (np.sin(u) * f) @ np.cos(v) + (np.cos(u) * f) @ np.sin(v)
    return np.asarray(out.ravel()[:n])
