"""Checks of a pattern I(Q), the background on the grid of the sample, and the noise if none is stated."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from shortrange.errors import DataError
from shortrange.quantities import IQ, Step, step
from shortrange.reduce.scattering_strays import stray_points

__all__ = ["check_background", "check_pattern", "cut_pattern", "local_noise", "on_grid"]

Array = NDArray[Any]

_ORDER = 5  # of the difference that leaves the noise and little of the signal
_ALIKE = (1e-6, 30.0)  # medians of background over sample
_SPIKE = 5.0  # times what is expected: such points are no peaks if there are many
_SPIKES = "warning: spikes replaced by what the points beside them let expect"
_DEAD = "warning: dead points replaced by what the points beside them let expect"
_UNSURE = "warning: points stand out, left as they are: spikes, or Bragg peaks on a coarse grid"
_FLAT = 4  # equal highest points in a row: a counter that was full
_SPAN = 51  # points over which the noise is taken as constant


def check_pattern(pattern: IQ, *, q_range: tuple[float, float], wavelength: float | None) -> None:
    """Refuse what cannot be I(Q) over ``q_range``.

    Raises
    ------
    DataError
        If the axis is not positive and increasing, cannot be Q at this wavelength, does not hold the range,
        or has a gap; if an intensity in the range is not finite, or negative, or zero over a run of points.
    """
    where, q = pattern.source or pattern.label or "I(Q)", pattern.q
    if q.size < 2 or not (np.isfinite(q).all() and np.all(np.diff(q) > 0) and q[0] >= 0):
        bad = int(np.argmin(np.diff(q))) + 1 if q.size > 1 else 0
        raise DataError(
            f"Q is not positive and increasing (point {bad + 1})",
            where=where,
            do="sort the points, drop doubled ones",
        )
    if wavelength is not None and q[-1] > 4.0 * np.pi / wavelength:
        raise DataError(
            f"the axis reaches {q[-1]:g}, but Q <= 4 pi / wavelength = {4 * np.pi / wavelength:.4g}",
            where=where,
            do="is the axis 2theta? convert it with units.q_from_two_theta; is the wavelength in angstrom?",
        )
    low, high = q_range
    step_size = float(np.median(np.diff(q)))
    if not (0 < low < high) or low < q[0] - step_size or high > q[-1] + step_size:
        raise DataError(
            f"q_range {low:g} to {high:g} does not lie in the data, {q[0]:g} to {q[-1]:g} 1/angstrom",
            where=where,
            do="choose q_range within the data (the axis must be Q in 1/angstrom)",
        )
    inside = (q >= low) & (q <= high)
    _check_points(q[inside], pattern.intensity[inside], where)


def _check_points(q: Array, intensity: Array, where: str) -> None:
    if q.size < 50:
        raise DataError(f"only {q.size} points in q_range", where=where, do="give at least 50")
    gap = int(np.argmax(np.diff(q)))
    width = float(q[gap + 1] - q[gap])
    if width > 0.2 and width > 5.0 * np.median(np.diff(q)):
        raise DataError(
            f"no points from Q = {q[gap]:g} to {q[gap + 1]:g}", where=where, do="end q_range before the gap"
        )
    bad = np.flatnonzero(~np.isfinite(intensity))
    if bad.size:
        raise DataError(
            f"{bad.size} intensities are not finite, the first at Q = {q[bad[0]]:g}",
            where=where,
            do="choose a q_range without them",
        )
    negative = np.flatnonzero(intensity < 0)
    if negative.size:
        raise DataError(
            f"{negative.size} intensities are negative, the first at Q = {q[negative[0]]:g}",
            where=where,
            do="give the intensity before any subtraction, or a q_range without them",
        )
    top = intensity == intensity.max()
    if np.any(np.convolve(top, np.ones(_FLAT), mode="valid") == _FLAT) and np.ptp(intensity) > 0:
        raise DataError(
            f"the highest intensity, {intensity.max():g}, is reached by {_FLAT} points or more in a row from "
            f"Q = {q[np.argmax(top)]:g}: saturated",
            where=where,
            do="expose for a shorter time, or choose a q_range without it",
        )
    dead = np.flatnonzero(np.convolve(intensity == 0, np.ones(5), mode="valid") == 5)
    if dead.size:
        raise DataError(
            f"the intensity is zero over a run of points from Q = {q[dead[0]]:g}",
            where=where,
            do="a masked or dead region: choose a q_range without it",
        )


def check_background(pattern: IQ, background: IQ, *, q_range: tuple[float, float]) -> None:
    """Refuse a background that was not measured, or not integrated, as the sample was.

    Raises
    ------
    DataError
        If one came on an angle and the other on Q, or their intensities differ by orders of magnitude.
    """
    where = background.source or background.label or "background"
    ours, theirs = _axis_of(pattern), _axis_of(background)
    if ours and theirs and ours != theirs:
        raise DataError(
            f"the background is a function of {theirs}, the sample of {ours}: they were integrated "
            "differently, with other corrections and normalisation",
            where=where,
            do="integrate both in the same way: a fitted scale cannot mend another shape",
        )
    medians = []
    for each in (pattern, background):
        inside = (each.q >= q_range[0]) & (each.q <= q_range[1])
        medians.append(float(np.median(each.intensity[inside])) if inside.any() else 0.0)
    ratio = medians[1] / medians[0] if medians[0] > 0 else np.inf
    if not _ALIKE[0] < ratio < _ALIKE[1]:
        raise DataError(
            f"the background is {ratio:.3g} times as intense as the sample", where=where,
            do="normalise both to the same monitor and number of frames",
        )  # fmt: skip


def _axis_of(pattern: IQ) -> str | None:
    """Name what the axis of the file was, "Q" or "2theta", as its loader recorded it."""
    for done in pattern.history:
        if done.name.startswith("load I(Q)") and "axis" in done.settings:
            return "2theta" if done.settings["axis"] == "2theta" else "Q"
    return None


def _without_outliers(pattern: IQ) -> tuple[IQ, tuple[Step, ...]]:
    """Replace points that stand out alone; name those that may be Bragg peaks on a coarse grid.

    Raises
    ------
    DataError
        If there are many: the pattern is sampled too coarsely, or something else is wrong.
    """
    found = stray_points(pattern.intensity)
    towers = [x.at for x in found if pattern.intensity[x.at] > _SPIKE * x.expected[0]]
    if len(towers) > max(3, 0.005 * pattern.q.size):
        raise DataError(
            f"{len(towers)} points tower over their neighbours, the first at Q = {pattern.q[towers[0]]:g}",
            where=pattern.source or pattern.label or "I(Q)",
            do="integrate with an outlier-proof method (median, sigma clipping), or on a finer grid",
        )
    kinds: dict[str, list[tuple[int, float]]] = {}
    value = pattern.intensity.copy()
    sigma = None if pattern.sigma is None else np.array(pattern.sigma)
    for each in found:
        points = range(each.at, each.at + len(each.expected))
        mended = each.alone and min(each.expected) > 0
        high = value[each.at] > each.expected[0]
        kind = (_SPIKES if high else _DEAD) if mended else _UNSURE
        kinds.setdefault(kind, []).extend(
            (at, float(value[at] / x)) for at, x in zip(points, each.expected, strict=True)
        )
        if mended:
            value[points] = each.expected
            if sigma is not None:  # that of what was measured there says nothing about what stands there now
                sigma[points] = max(sigma[points[0] - 1], sigma[points[-1] + 1])
    steps = tuple(
        step(name, q=[float(pattern.q[at]) for at, _ in points], factor=[round(x, 3) for _, x in points])
        for name, points in kinds.items()
    )
    return (pattern.after(steps[-1], intensity=value, sigma=sigma) if steps else pattern), steps


def cut_pattern(pattern: IQ, q_range: tuple[float, float]) -> tuple[IQ, tuple[Step, ...]]:
    """Points within ``q_range`` without outliers, with a standard error, and what was done."""
    inside = (pattern.q >= q_range[0] - 1e-9) & (pattern.q <= q_range[1] + 1e-9)
    done = step("cut I(Q)", q_range=list(q_range))
    sigma = None if pattern.sigma is None else pattern.sigma[inside]
    cut, mended = _without_outliers(
        pattern.after(done, q=pattern.q[inside], intensity=pattern.intensity[inside], sigma=sigma)
    )
    steps: tuple[Step, ...] = (*mended, done)
    if cut.sigma is None:
        # The noise of the first points is seen with the help of those before the range.
        whole = np.array(pattern.intensity)
        whole[inside] = cut.intensity
        sigma = local_noise(whole)[inside]
        relative = float(np.median(sigma / np.maximum(cut.intensity, 1e-300)))
        estimated = step("estimate noise from neighbouring points", order=_ORDER, median_relative=relative)
        return cut.after(estimated, sigma=sigma), (*steps, estimated)
    return cut, steps


def local_noise(intensity: Array) -> Array:
    """Estimate the standard deviation of point-to-point noise from fifth differences, shape (n,).

    A signal that varies over many points leaves little in a difference of order 5, whose variance is that of
    a point times binomial(10, 5). The running median absolute value makes it local and robust. Noise that is
    shared by neighbouring points (pixel splitting) is not seen.
    """
    if intensity.size <= 3 * _ORDER:
        return np.full(intensity.shape, np.nan)
    size = np.abs(np.diff(intensity, n=_ORDER)) / np.sqrt(comb(2 * _ORDER, _ORDER))
    smooth = median_filter(size, size=min(_SPAN, size.size), mode="nearest") / 0.6745
    left = _ORDER // 2
    return np.asarray(np.pad(smooth, (left, _ORDER - left), mode="edge"))


def on_grid(background: IQ, q: Array) -> tuple[Array, Array, tuple[Step, ...]]:
    """Background intensity and its standard error at ``q`` of the sample.

    Raises
    ------
    DataError
        If the background does not cover ``q``.
    """
    where = background.source or background.label or "background"
    step_size = float(np.median(np.diff(background.q)))
    if background.q[0] > q[0] + step_size or background.q[-1] < q[-1] - step_size:
        raise DataError(
            f"the background covers Q = {background.q[0]:g} to {background.q[-1]:g}, "
            f"the sample needs {q[0]:g} to {q[-1]:g}",
            where=where,
            do="choose a q_range that both cover (are both axes Q in 1/angstrom?)",
        )
    sigma = local_noise(background.intensity) if background.sigma is None else background.sigma
    off = np.abs(np.interp(q, background.q, np.arange(background.q.size)) % 1.0 - 0.5) < 0.499
    done = step("interpolate background to the Q of the sample", from_step=step_size)
    steps = (done,) if off.any() else ()
    return np.interp(q, background.q, background.intensity), np.interp(q, background.q, sigma), steps
