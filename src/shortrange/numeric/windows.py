"""Windows of the XAFS Fourier transform, with the conventions of ifeffit, Athena and xraylarch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = ["WINDOWS", "ft_window", "uniform_step"]

Array = NDArray[Any]


def uniform_step(x: Array, *, where: str) -> float:
    """Spacing of a uniform, increasing grid.

    Raises
    ------
    DataError
        If there are fewer than two points, or the spacing varies by more than a millionth part.
    """
    if x.size < 2:
        raise DataError(f"the grid has {x.size} points", where=where, do="give at least two")
    step = float(x[-1] - x[0]) / (x.size - 1)
    if step <= 0 or np.max(np.abs(np.diff(x) - step)) > 1e-6 * abs(step) + 1e-9:
        raise DataError(
            "the grid is not uniform and increasing", where=where, do="interpolate on a uniform grid"
        )
    return step


def _hanning(u: Array) -> Array:
    return np.sin(np.pi / 2 * u) ** 2


def _parzen(u: Array) -> Array:
    return u


def _welch(u: Array) -> Array:
    return 1.0 - (1.0 - u) ** 2


_TAPERS: dict[str, Callable[[Array], Array]] = {"hanning": _hanning, "parzen": _parzen, "welch": _welch}
WINDOWS = ("kaiser", "hanning", "parzen", "welch", "sine", "gaussian")
"""Names of the windows."""


def ft_window(
    x: Array,
    *,
    x_range: tuple[float, float],
    dx: float = 1.0,
    dx2: float | None = None,
    window: str = "kaiser",
) -> Array:
    """Window function over ``x_range``, as ``larch.xafs.ftwindow``.

    The tapers are centred on the ends of the range, ``dx`` wide at the lower and ``dx2`` at the upper one,
    and their corners lie on grid points, as in xraylarch: the window depends (slightly) on the grid.

    Parameters
    ----------
    x
        Uniform grid that starts at 0, shape (n,).
    x_range
        Lower and upper end, in the units of ``x``.
    dx, dx2
        Width of the tapers (for ``gaussian``: its standard deviation; for ``kaiser``: also the
        Kaiser-Bessel parameter); ``dx2`` is ``dx`` if None.
    window
        One of `WINDOWS`: tapers of squared sine (hanning), straight (parzen), parabolic (welch); or a
        Kaiser-Bessel, sine or Gaussian arch over the whole range.

    Raises
    ------
    DataError
        For an unknown name, an empty range, a negative width, or a grid that is not uniform from 0.
    """
    where = f"ft_window(window={window!r})"
    if window not in WINDOWS:
        raise DataError(f"there is no window {window!r}", where=where, do=did_you_mean(window, WINDOWS))
    step = uniform_step(x, where=where)
    if abs(x[0]) > 1e-6 * step:
        raise DataError(f"the grid starts at {x[0]:g}, not at 0", where=where, do="start the grid at 0")
    low, high = x_range
    dx2 = dx if dx2 is None else dx2
    if not (low < high and dx >= 0 and dx2 >= 0):
        raise DataError(
            f"range {low:g} to {high:g} with tapers {dx:g} and {dx2:g}",
            where=where,
            do="give an increasing range and positive tapers",
        )
    i1, i2, i3, i4 = _corners(x, step, (low, high), (dx, dx2))
    x1, x2, x3, x4 = (float(x[i]) for i in (i1, i2, i3, i4))
    if window in _TAPERS:
        eps = 1e-4 * step
        rise, fall = max(x2 - x1, eps), max(x4 - x3, eps)
        out = np.zeros(x.size)
        out[i2:i3] = 1.0
        out[i1 : i2 + 1] = _TAPERS[window]((x[i1 : i2 + 1] - x1) / rise)
        out[i3 : i4 + 1] = _TAPERS[window](1.0 - (x[i3 : i4 + 1] - x3) / fall)
        return out
    return _arch(x, slice(i1, i4 + 1), (x1, x4), max(dx, 1e-4 * step) if window == "gaussian" else dx, window)


def _corners(
    x: Array, step: float, x_range: tuple[float, float], dx: tuple[float, float]
) -> tuple[int, int, int, int]:
    """Grid indices of the four corners, rounded as xraylarch rounds them."""
    eps = 1e-4 * step
    ends = (
        max(float(x[0]), x_range[0] - dx[0] / 2),
        x_range[0] + dx[0] / 2 + eps,
        x_range[1] - dx[1] / 2 - eps,
        min(float(x[-1]), x_range[1] + dx[1] / 2),
    )
    i1, i2, i3, i4 = (int((value + eps) / step) for value in ends)
    last = x.size - 1
    i1, i2, i3, i4 = max(0, i1), min(last, max(0, i2)), min(last, i3), min(last, i4)
    if i2 == i1:
        i1 = max(0, i2 - 1)
    if i4 == i3:
        i3 = max(i2, i4 - 1)
    return i1, i2, i3, i4


def _arch(x: Array, inside: slice, ends: tuple[float, float], dx: float, window: str) -> Array:
    """Windows that are one arch over the whole range."""
    centre, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    if window == "gaussian":
        return np.exp(-((x - centre) ** 2) / (2.0 * dx**2))
    out = np.zeros(x.size)
    if window == "sine":
        out[inside] = np.sin(np.pi * (ends[1] - x[inside]) / (2.0 * half))
        return out
    argument = dx * np.sqrt(np.clip(1.0 - ((x - centre) / half) ** 2, 0.0, None))
    return (np.i0(argument) - 1.0) / max(1e-10, float(np.i0(dx)) - 1.0)
