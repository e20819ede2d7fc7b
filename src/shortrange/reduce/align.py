r"""Energy alignment of repeated scans, by the reference channel or by the spectra themselves.

A scan i is described as :math:`y_i(E) = s_i\,T(E + \delta_i) + c_i + d_i E`: a template T, a shift
:math:`\delta_i` (the eV to *add* to the energies of the scan), a free scale, offset and slope. The template
is made of smoothing splines of the other scans, never of the raw points: an interpolated noisy curve is
less noisy between its points than on them, which would pull shifts towards half a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import MuE

__all__ = ["Alignment", "align", "coarse_shift"]

Array = NDArray[Any]
Curve = Callable[[Array], Array]

_BELOW, _ABOVE = 30.0, 100.0  # eV around the steepest rise that are compared
_ENOUGH = 900  # points there: 0.15 eV apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Shifts that bring repeats onto one energy axis.

    The mean of the shifts is zero: the common axis is the mean of those of the scans, because no scan is
    better than another. It is not an absolute calibration.

    Attributes
    ----------
    shifts
        eV to add to the energies of each scan, shape (n,).
    sigmas
        Their standard errors, relative to the common axis, shape (n,); correlated residuals are allowed for.
    channel
        ``"reference"`` or ``"mu"``.
    likeness
        Correlation of each scan's derivative with that of the most typical scan, shape (n,).
    """

    shifts: Array
    sigmas: Array
    channel: str
    likeness: Array


def align(scans: Sequence[MuE], *, channel: str = "auto", max_shift: float = 30.0) -> Alignment:
    """Find the energy shift of each of several repeats.

    Parameters
    ----------
    scans
        Repeats of one measurement; grids may differ.
    channel
        ``"reference"``, ``"mu"``, or ``"auto"``: the reference if every scan has one that shows an edge.
    max_shift
        eV; shifts between two scans are looked for up to this size.

    Raises
    ------
    DataError
        For an unknown channel, a missing reference, or scans with nothing in common to align by.
    """
    if not scans:
        raise DataError("there is no scan to align", where="align", do="give at least one scan")
    channel = _channel(scans, channel)
    data = [(s.energy, s.mu if channel == "mu" or s.reference is None else s.reference) for s in scans]
    if len(scans) == 1:
        return Alignment(shifts=np.zeros(1), sigmas=np.zeros(1), channel=channel, likeness=np.ones(1))
    typical, shifts, likeness = _coarse(data, max_shift)
    centre = _rise(*data[typical])
    windows = [_window(e, y, centre - d) for (e, y), d in zip(data, shifts, strict=True)]
    smooth = [_smoothing_spline(e, y) for e, y in windows]
    fits = [_Fit(float(d), np.nan, 1.0, 0.0, 0.0) for d in shifts]
    fits = [
        fits[i] if i == typical else _fit_shift(*windows[i], smooth[typical], windows[typical][0], fits[i])
        for i in range(len(scans))
    ]
    fits[typical] = _Fit(0.0, np.nan, 1.0, 0.0, 0.0)
    for _ in range(2):
        fits = [
            _fit_shift(*windows[i], _template(fits, smooth, i), _common(fits, windows, i), fits[i])
            for i in range(len(scans))
        ]
        mean = float(np.mean([f.shift for f in fits]))
        fits = [_Fit(f.shift - mean, f.sigma, f.scale, f.offset, f.slope) for f in fits]
    n = len(scans)
    # Each was measured against the mean of the others; against the mean of all it is nearer by (n - 1) / n.
    return Alignment(
        shifts=np.array([f.shift for f in fits]),
        sigmas=np.array([f.sigma for f in fits]) * (n - 1) / n,
        channel=channel,
        likeness=likeness,
    )


def _channel(scans: Sequence[MuE], channel: str) -> str:
    if channel not in ("auto", "reference", "mu"):
        raise DataError(f"there is no channel {channel!r}", where="align", do="choose auto, reference or mu")
    missing = [s.source or s.label for s in scans if s.reference is None]
    if channel == "reference" and missing:
        raise DataError(f"no reference channel in {missing}", where="align", do='use channel="mu"')
    if channel == "auto":
        return "mu" if missing or not all(_has_edge(s.energy, s.reference) for s in scans) else "reference"
    return channel


def _has_edge(energy: Array, y: Array | None) -> bool:
    """Whether there is a step that stands out: an empty reference position gives noise or nothing."""
    if y is None or not np.all(np.isfinite(y)):
        return False
    centre = _rise(energy, y)
    before, after = y[(energy < centre - 10)], y[(energy > centre + 10) & (energy < centre + 60)]
    if before.size < 3 or after.size < 3:
        return False
    step = float(np.median(after) - np.median(before[-10:]))
    return step > 8.0 * float(np.median(np.abs(np.diff(y))))


def _despiked(y: Array) -> Array:
    """Smooth by a running median of five: for finding things, never for data."""
    return np.asarray(
        np.median(np.lib.stride_tricks.sliding_window_view(np.pad(y, 2, mode="edge"), 5), axis=1)
    )


def _derivative(energy: Array, y: Array, grid: Array, width: float) -> Array:
    """Smoothed derivative on a uniform grid; zero outside the scan."""
    from scipy.ndimage import gaussian_filter1d

    step = grid[1] - grid[0]
    out = gaussian_filter1d(np.interp(grid, energy, _despiked(y)), width / step, order=1, mode="nearest")
    out[(grid < energy[0] + width) | (grid > energy[-1] - width)] = 0.0
    return np.asarray(out)


def _rise(energy: Array, y: Array) -> float:
    grid = np.arange(energy[0], energy[-1], 0.25)
    return float(grid[np.argmax(_derivative(energy, y, grid, 1.5))])


def coarse_shift(
    first: tuple[Array, Array], second: tuple[Array, Array], *, max_shift: float
) -> tuple[float, float]:
    """Shift (eV) to add to the second spectrum, to 0.25 eV, by cross-correlation of smoothed derivatives.

    Returns
    -------
    shift, likeness
        The second number is the correlation at the best shift, at most 1.
    """
    low = min(first[0][0], second[0][0])
    grid = np.arange(low, max(first[0][-1], second[0][-1]) + 0.25, 0.25)
    a, b = (_derivative(e, y, grid, 1.5) for e, y in (first, second))
    lags = int(max_shift / 0.25)
    a = np.pad(a, lags)
    products = np.correlate(a, b, mode="valid")
    # Only what overlaps is compared.
    squares = np.correlate(a**2, (b != 0).astype(float), mode="valid")
    best = int(np.argmax(products / np.sqrt(np.maximum(squares, 1e-300))))
    norm = float(np.sqrt(squares[best] * np.sum(b**2)))
    return (best - lags) * 0.25, float(products[best] / norm) if norm > 0 else 0.0


def _coarse(data: list[tuple[Array, Array]], max_shift: float) -> tuple[int, Array, Array]:
    """Find the most typical scan, and all shifts relative to it."""
    n = len(data)
    best: tuple[float, int, Array, Array] | None = None
    for i in range(min(n, 5)):
        pairs = [coarse_shift(data[i], other, max_shift=max_shift) for other in data]
        likeness = np.array([p[1] for p in pairs])
        score = float(np.median(likeness))
        if best is None or score > best[0]:
            best = (score, i, np.array([p[0] for p in pairs]), likeness)
    assert best is not None  # there are at least two scans
    return best[1], best[2], best[3]


def _window(energy: Array, y: Array, centre: float) -> tuple[Array, Array]:
    inside = (energy > centre - _BELOW) & (energy < centre + _ABOVE)
    if inside.sum() < 10:
        raise DataError(
            f"{inside.sum()} points around the edge at {centre:.1f} eV",
            where="align",
            do="leave this scan out",
        )
    return _thinned(energy[inside], y[inside])


def _thinned(energy: Array, y: Array) -> tuple[Array, Array]:
    """Means of neighbouring points, of which a continuous scan has more than a template needs."""
    block = -(-energy.size // _ENOUGH)
    if block == 1:
        return energy, y
    whole = energy.size - energy.size % block
    return energy[:whole].reshape(-1, block).mean(axis=1), y[:whole].reshape(-1, block).mean(axis=1)


def _smoothing_spline(energy: Array, y: Array) -> Curve:
    """Smoothing spline, its smoothness by generalised cross-validation; spikes left out."""
    from scipy.interpolate import make_smoothing_spline

    away = np.abs(y - _despiked(y))
    sound = away <= max(8.0 * float(np.median(away)), 0.05 * float(np.ptp(y)))
    x, z = energy[sound], y[sound]
    scale = float(np.ptp(z)) or 1.0
    spline = make_smoothing_spline((x - x[0]) / 10.0, z / scale)
    return lambda e: np.asarray(spline((e - x[0]) / 10.0)) * scale


@dataclass(frozen=True, slots=True)
class _Fit:
    shift: float
    sigma: float
    scale: float
    offset: float
    slope: float


def _template(fits: list[_Fit], smooth: list[Curve], leave: int) -> Curve:
    """Mean of the other scans on the common axis and scale."""
    others = [i for i in range(len(fits)) if i != leave]

    def curve(e: Array) -> Array:
        total = np.zeros(e.size)
        for i in others:
            f = fits[i]
            x = e - f.shift
            total += (smooth[i](x) - f.offset - f.slope * (x - x.mean())) / f.scale
        return total / len(others)

    return curve


def _common(fits: list[_Fit], windows: list[tuple[Array, Array]], leave: int) -> Array:
    """Find the ends of the range that all other scans cover, on the common axis."""
    others = [i for i in range(len(fits)) if i != leave]
    return np.array(
        [
            max(windows[i][0][0] + fits[i].shift for i in others),
            min(windows[i][0][-1] + fits[i].shift for i in others),
        ]
    )


def _fit_shift(energy: Array, y: Array, template: Curve, ends: Array, start: _Fit) -> _Fit:
    """Least squares for shift, scale, offset and slope (Gauss-Newton; outlying points dropped)."""
    shift, half = start.shift, 0.05
    keep = np.ones(energy.size, dtype=bool)
    result = start
    for _ in range(3):
        for _ in range(30):
            x = energy + shift
            use = keep & (x > ends[0] + half) & (x < ends[-1] - half)
            t = template(x)
            dt = (template(x + half) - template(x - half)) / (2 * half)
            design = np.stack([t, dt, np.ones(x.size), energy - energy.mean()], axis=1)
            coefficients, *_ = np.linalg.lstsq(design[use], y[use], rcond=None)
            change = (
                float(np.clip(coefficients[1] / coefficients[0], -3.0, 3.0)) if coefficients[0] > 0 else 0.0
            )
            shift += change
            if abs(change) < 1e-6:
                break
        residual = y - design @ coefficients
        sigma = _error(design[use], residual[use], 1)
        result = _Fit(shift, sigma / abs(coefficients[0]), *(float(c) for c in coefficients[[0, 2, 3]]))
        spread = 1.4826 * float(np.median(np.abs(residual[use])))
        keep = np.abs(residual) <= max(6.0 * spread, 1e-9 * float(np.ptp(y)))
    return result


def _error(design: Array, residual: Array, column: int) -> float:
    """Estimate the standard error of a coefficient from the residuals, their correlation included."""
    free = max(1, residual.size - design.shape[1])
    variance = float(residual @ residual) / free
    power = float(residual @ residual) or 1.0
    inflation = 1.0
    for lag in range(1, min(20, residual.size // 4)):
        rho = float(residual[lag:] @ residual[:-lag]) / power
        if rho < 2.0 / np.sqrt(residual.size):
            break
        inflation += 2.0 * rho
    inverse = np.linalg.pinv(design.T @ design)
    return float(np.sqrt(variance * inflation * inverse[column, column]))
