"""Merging of aligned repeats, with the noise that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.splines import interpolation_weights
from shortrange.quantities import MuE, step
from shortrange.reduce.glitches import find_glitches, find_outliers, local_residual, narrow, running_scale

__all__ = ["Comparison", "compare", "merge", "single_scan_noise"]

Array = NDArray[Any]

_SAME_GLITCH = 5.0
"""eV: masked points no farther apart are told together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Repeats on one energy axis and one scale, and how they differ.

    Attributes
    ----------
    energies, mus
        Of each scan, shifted and scaled to the first.
    masks
        True at glitches, for each scan.
    differences
        Each scan minus the mean of the others on its own energies; NaN where there are no others.
    deviation
        Root mean square of the differences, in units of the rise of mu, shape (n_scans,); 0 for one scan.
    """

    energies: tuple[Array, ...]
    mus: tuple[Array, ...]
    masks: tuple[Array, ...]
    differences: tuple[Array, ...]
    deviation: Array

    @property
    def noise(self) -> Array:
        """Scatter of the differences from point to point, in units of the rise of mu, shape (n_scans,)."""
        rise = float(np.ptp(self.mus[0][~self.masks[0]])) or 1.0
        return np.array([_scatter(d) if np.isfinite(d).any() else 0.0 for d in self.differences]) / rise

    @property
    def systematic(self) -> Array:
        """The part of ``deviation`` that is smooth in energy and hence no noise, shape (n_scans,)."""
        return np.asarray(np.sqrt(np.clip(self.deviation**2 - self.noise**2, 0.0, None)))


@dataclass(frozen=True, slots=True)
class _Onto:
    """One scan interpolated on other energies."""

    values: Array
    gain: Array  # sum of squared weights: how much of the noise is left
    valid: Array


def _onto(x: Array, y: Array, mask: Array, target: Array) -> _Onto:
    """Interpolate, but not across masked points nor beyond the ends."""
    kept = np.flatnonzero(~mask)
    xs, ys = x[kept], y[kept]
    index, weight = interpolation_weights(xs, np.clip(target, xs[0], xs[-1]))
    left = np.clip(np.searchsorted(xs, target, side="right") - 1, 0, xs.size - 2)
    close = 1e-6
    whole = (kept[left + 1] - kept[left] == 1) | (np.abs(target - xs[left]) < close)
    # The first scan's own ends are shifted against the others by less than a step: they are not worth losing.
    valid = whole & (target >= xs[0] - close) & (target <= xs[-1] + close)
    return _Onto((weight * ys[index]).sum(axis=1), (weight**2).sum(axis=1), valid)


def _rescaled(x: Array, y: Array, mask: Array, first: tuple[Array, Array, Array]) -> Array:
    """Bring y onto the scale of the first scan: factor, offset, slope by least squares without outliers."""
    other = _onto(*first, x)
    use = other.valid & ~mask
    centred = (x - x.mean()) / np.ptp(x)
    design = np.stack([other.values, np.ones(x.size), centred], axis=1)
    for _ in range(3):
        c, *_ = np.linalg.lstsq(design[use], y[use], rcond=None)
        residual = np.abs(y - design @ c)
        use &= residual <= max(8.0 * float(np.median(residual[use])), 1e-12 * float(np.ptp(y)))
    if c[0] <= 0:
        return y
    return np.asarray((y - c[1] - c[2] * centred) / c[0])


def compare(
    scans: Sequence[MuE], *, shifts: Array, e0: float, i0: Sequence[Array | None] | None = None
) -> Comparison:
    """Put repeats on one axis and scale, find glitches, and take differences.

    Parameters
    ----------
    scans
        Repeats.
    shifts
        eV to add to the energies of each, shape (n_scans,).
    e0
        Edge energy on the common axis, eV.
    i0
        Incident intensities, for the search for glitches.
    """
    n = len(scans)
    beams = list(i0) if i0 is not None else [None] * n
    xs = [s.energy + d for s, d in zip(scans, shifts, strict=True)]
    masks = [find_glitches(x, s.mu, e0=e0, i0=b) for x, s, b in zip(xs, scans, beams, strict=True)]
    first = (xs[0], np.array(scans[0].mu), masks[0])
    ys = [first[1]] + [_rescaled(xs[i], scans[i].mu, masks[i], first) for i in range(1, n)]
    differences = _differences(xs, ys, masks)
    if n > 1:
        _mask_outliers(xs, ys, masks, differences)
        differences = _differences(xs, ys, masks)
    rise = float(np.ptp(ys[0][~masks[0]])) or 1.0
    deviation = np.array(
        [np.sqrt(np.nanmean(d**2)) / rise if np.isfinite(d).any() else 0.0 for d in differences]
    )
    return Comparison(
        energies=tuple(xs),
        mus=tuple(ys),
        masks=tuple(masks),
        differences=tuple(differences),
        deviation=deviation,
    )


def _differences(
    xs: Sequence[Array], ys: Sequence[Array], masks: Sequence[Array], variances: Array | None = None
) -> list[Array]:
    """Differences to the weighted mean of the others, scaled to the size of the scan's own white noise."""
    v = np.ones(len(xs)) if variances is None else variances
    out = []
    for i, x in enumerate(xs):
        total, weight, noise = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
        for j in range(len(xs)):
            if j != i:
                other = _onto(xs[j], ys[j], masks[j], x)
                w = np.where(other.valid, 1.0 / v[j], 0.0)
                total += w * other.values
                weight += w
                noise += w**2 * other.gain * v[j]
        known = (weight > 0) & ~masks[i]
        weight[~known] = 1.0
        difference = (ys[i] - total / weight) / np.sqrt(1.0 + noise / weight**2 / v[i])
        out.append(np.where(known, difference, np.nan))
    return out


def _high_pass(residual: Array, window: int = 31) -> Array:
    """Remove what varies slowly (local parabolas), keeping the variance of white noise; NaN stays NaN."""
    from scipy.signal import savgol_coeffs, savgol_filter

    known = np.isfinite(residual)
    values = residual[known]
    window = min(window, 2 * ((values.size - 1) // 2) - 1)
    if window < 7:
        return residual
    centre = float(savgol_coeffs(window, 2)[window // 2])
    out = np.full(residual.size, np.nan)
    out[known] = (values - savgol_filter(values, window, 2)) / np.sqrt(1.0 - centre)
    return out


def _scatter(difference: Array) -> float:
    """Robust standard deviation of what varies quickly."""
    return float(1.4826 * np.nanmedian(np.abs(_high_pass(difference))))


def _mask_outliers(xs: list[Array], ys: list[Array], masks: list[Array], differences: list[Array]) -> None:
    """Mask spikes of single scans; of two scans that differ, the less smooth one is at fault."""
    rough = [np.abs(local_residual(x, y, (-3, -2, 2, 3))) for x, y in zip(xs, ys, strict=True)]
    found = []
    for i, difference in enumerate(differences):
        known = np.flatnonzero(np.isfinite(difference))
        passed = _high_pass(difference)[known]
        x = xs[i][known]
        spikes = known[narrow(x, find_outliers(passed, np.gradient(ys[i][known], x)), 5.0)]
        # A spike of one scan shows in the differences of all: it belongs to the scan that is rough there.
        keep = [
            s
            for s in spikes
            if all(rough[i][s] >= np.interp(xs[i][s], xs[j], rough[j]) for j in range(len(xs)) if j != i)
        ]
        found.append(keep)
    for mask, keep in zip(masks, found, strict=True):
        if len(keep) <= 0.05 * mask.size:
            mask[keep] = True


def single_scan_noise(energy: Array, mu: Array, mask: Array) -> Array:
    """Noise of one scan from what its neighbours (six of them) do not predict, smoothed; shape (n,).

    An upper bound for smooth data on a coarse grid, where some of the signal is unpredictable too.
    """
    kept = np.flatnonzero(~mask)
    scale = running_scale(local_residual(energy[kept], mu[kept], (-3, -2, -1, 1, 2, 3)))
    return np.interp(energy, energy[kept], scale)


def _noise(data: Comparison) -> list[Array]:
    """Noise of each scan on its own energies: a level for each scan times one shape, from all repeats."""
    n = len(data.mus)
    if n == 1:
        return [single_scan_noise(data.energies[0], data.mus[0], data.masks[0])]
    least = 1e-30 * max(float(np.ptp(y)) ** 2 for y in data.mus) + 1e-300
    variance = np.ones(n)
    differences = list(data.differences)
    for _ in range(1 if n == 2 else 6):  # of two scans, none can be told to be the noisier
        passed = [_high_pass(d) for d in differences]
        variance = np.array([(1.4826 * np.nanmedian(np.abs(p))) ** 2 for p in passed])
        variance = np.maximum(variance if n > 2 else variance.mean(), max(least, 1e-3 * variance.max()))
        variance = np.broadcast_to(variance, (n,))
        differences = _differences(data.energies, data.mus, data.masks, variance)
    passed = [_high_pass(d) for d in differences]
    pooled_x = np.concatenate([x[np.isfinite(p)] for x, p in zip(data.energies, passed, strict=True)])
    pooled = np.concatenate([p[np.isfinite(p)] ** 2 / v for p, v in zip(passed, variance, strict=True)])
    order = np.argsort(pooled_x)
    shape = _smooth(pooled[order], 40 * n)
    return [
        np.sqrt(v * np.interp(x, pooled_x[order], shape))
        for x, v in zip(data.energies, variance, strict=True)
    ]


def _ranges(energies: Array) -> str:
    """Sorted energies in words: those that the scans share, or nearly, as one range."""
    groups = np.split(energies, np.flatnonzero(np.diff(energies) > _SAME_GLITCH) + 1)
    return ", ".join(f"{g[0]:.1f}" if g[-1] - g[0] < 0.1 else f"{g[0]:.1f} to {g[-1]:.1f}" for g in groups)


def _smooth(values: Array, window: int) -> Array:
    """Average over a moving window, shorter at the ends; never below a fiftieth of the mean."""
    window = max(3, min(window, values.size // 2))
    kernel = np.ones(window)
    out = np.convolve(values, kernel, mode="same") / np.convolve(np.ones(values.size), kernel, mode="same")
    return np.asarray(np.maximum(out, 0.02 * values.mean()))


def merge(data: Comparison, scans: Sequence[MuE]) -> MuE:
    """Mean of compared repeats on the energies of the first, weighted by their noise.

    Points where every scan has a glitch are left out. ``sigma`` is the standard error of the mean from the
    scatter of the repeats (or from the roughness of a single scan), on the assumption that noise is white on
    the grid: interpolation between points correlates neighbours and lowers their scatter, but not the noise
    at the frequencies of EXAFS, which is what counts; the reduction is therefore not applied.

    Parameters
    ----------
    data
        Of `compare`.
    scans
        The same scans, for labels and history.

    Raises
    ------
    DataError
        If fewer than 20 points are left.
    """
    grid = data.energies[0]
    noise = _noise(data)
    total, weights, variance = np.zeros(grid.size), np.zeros(grid.size), np.zeros(grid.size)
    for x, y, mask, sigma in zip(data.energies, data.mus, data.masks, noise, strict=True):
        other = _onto(x, y, mask, grid)
        w = np.where(other.valid, 1.0 / max(float(np.median(sigma)) ** 2, 1e-300), 0.0)
        total += w * other.values
        weights += w
        variance += w**2 * np.interp(grid, x, sigma) ** 2
    known = weights > 0
    if known.sum() < 20:
        raise DataError(f"{known.sum()} points are left of {grid.size}", where="merge", do="check the scans")
    masked = [
        sorted({round(float(e), 2) for e in x[m]}) for x, m in zip(data.energies, data.masks, strict=True)
    ]
    steps = [
        step(
            "merge",
            scans=[s.source or s.label for s in scans],
            noise_per_scan=[float(np.median(s)) for s in noise],
            noise_from="scatter of the repeats" if len(scans) > 1 else "roughness of the scan",
            masked_eV=masked,
            left_out_eV=[round(float(e), 2) for e in grid[~known]],
        )
    ]
    if len(scans) == 1:
        steps.append(step("warning: one scan only, its noise is estimated from its roughness"))
    if any(masked):
        energies = np.sort(np.concatenate([np.asarray(m, dtype=float) for m in masked]))
        steps.append(step("warning: glitches masked", eV=_ranges(energies), points=energies.size))
    first = scans[0]
    return MuE(
        energy=grid[known],
        mu=total[known] / weights[known],
        sigma=np.sqrt(variance[known]) / weights[known],
        element=first.element,
        edge=first.edge,
        mode=first.mode,
        label=first.label,
        source=", ".join(s.source for s in scans if s.source),
        history=(*first.history, *steps),
    )
