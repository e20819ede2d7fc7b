"""Checks of a pattern I(Q), the background on the grid of the sample, and the noise if none is stated."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from shortrange.errors import DataError
from shortrange.quantities import IQ, Step, step
from shortrange.reduce.scattering_strays import clean_pattern

__all__ = ["check_background", "check_pattern", "cut_pattern", "local_noise", "on_grid"]

Array = NDArray[Any]

_ORDER = 5  # of the difference that leaves the noise and little of the signal
_ALIKE = (1e-6, 30.0)  # medians of background over sample
_FLAT = 4  # equal highest points in a row: a counter that was full
_ZEROS = 3  # in a row; one or two are strays
_STRIP = 5  # equal pairs in a row, anywhere
_BY_CHANCE = 1e-3  # expected number of such runs in a pattern
_DIGITS = 2.5  # last digits: a course that has been rounded changes by no more
_GAP = (5.0, 0.2)  # steps and 1/angstrom: wider gaps are not bridged
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
    if width > _GAP[1] and width > _GAP[0] * np.median(np.diff(q)):
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
    _check_runs(q, intensity, where)


def _check_runs(q: Array, intensity: Array, where: str) -> None:
    """Refuse zeros, a level that is reached again and again, and equal points of a dead strip."""
    first, length = _longest_run(intensity == 0)
    if length >= _ZEROS:
        raise DataError(
            f"the intensity is zero over a run of points: {length} from Q = {q[first]:g} to "
            f"{q[first + length - 1]:g}",
            where=where,
            do="a masked or dead region: choose a q_range without it",
        )
    top = intensity == intensity.max()
    first, length = _longest_run(top)
    if length >= _FLAT and np.ptp(intensity) > 0:
        raise DataError(
            f"the highest intensity, {intensity.max():g}, is reached by {length} points in a row from "
            f"Q = {q[first]:g} to {q[first + length - 1]:g}: saturated",
            where=where,
            do="expose for a shorter time, or choose a q_range without it",
        )
    equal = intensity[1:] == intensity[:-1]
    first, length = _longest_run(equal)
    if length >= _STRIP and _is_strip(intensity, equal, first, length):
        raise DataError(
            f"{length + 1} points in a row have the same intensity, {intensity[first]:g}, "
            f"from Q = {q[first]:g} to {q[first + length]:g}: saturated, or a dead strip that was filled",
            where=where,
            do="mask the strip before the integration, or choose a q_range without it",
        )


def _longest_run(flags: Array) -> tuple[int, int]:
    """First index and length of the longest run of true flags; length 0 if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    if edges.size == 0:
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    return int(edges[2 * longest]), int(lengths[longest])


def _is_strip(intensity: Array, equal: Array, first: int, length: int) -> bool:
    """Whether a run of equal pairs is no matter of few digits, nor of a pattern that has become flat."""
    last = first + length
    chance = max((equal.sum() - length) / max(equal.size - length, 1), 1e-3)
    if equal.size * chance ** (length - 1) > _BY_CHANCE:
        return False
    steps = np.abs(np.diff(intensity))
    digit = np.min(steps[steps > 0], initial=np.inf)
    beside = [steps[k] for k in (first - 1, last) if 0 <= k < steps.size]
    return bool(beside) and min(beside) > _DIGITS * digit


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
    if background.sigma is not None:
        inside = (background.q >= q_range[0]) & (background.q <= q_range[1])
        sample = np.interp(background.q[inside], pattern.q, pattern.intensity)
        _check_errors(background.sigma[inside], sample, where, of=" of the sample")
    ratio = medians[1] / medians[0] if medians[0] > 0 else np.inf
    if not _ALIKE[0] < ratio < _ALIKE[1]:
        raise DataError(
            f"the background is {ratio:.3g} times as intense as the sample", where=where,
            do="normalise both to the same monitor and number of frames",
        )  # fmt: skip


def _check_errors(sigma: Array, intensity: Array, where: str, *, of: str = "") -> None:
    """Refuse stated errors that are larger than the intensity in most points."""
    larger = int(np.count_nonzero(sigma > intensity))
    if 2 * larger > sigma.size:
        ratio = float(np.median(sigma / np.maximum(intensity, 1e-300)))
        raise DataError(
            f"the stated errors are larger than the intensity{of} in {larger} of {sigma.size} points, in the "
            f"median {ratio:.3g} times as large",
            where=where,
            do="give the standard error of a point in the units of the intensity (no variance, no percent), "
            "or leave the column out: noise is then estimated from neighbouring points",
        )


def _axis_of(pattern: IQ) -> str | None:
    """Name what the axis of the file was, "Q" or "2theta", as its loader recorded it."""
    for done in pattern.history:
        if done.name.startswith("load I(Q)") and "axis" in done.settings:
            return "2theta" if done.settings["axis"] == "2theta" else "Q"
    return None


def _gaps(q: Array) -> tuple[Step, ...]:
    """Name gaps that are bridged; a grid whose step changes slowly has none."""
    steps = np.diff(q)
    wide = np.flatnonzero(steps > _GAP[0] * np.median(steps))
    gaps = [k for k in wide if steps[k] > _GAP[0] * np.median(steps[max(0, k - 3) : k + 4])]
    if not gaps:
        return ()
    ranges = [[float(q[k]), float(q[k + 1])] for k in gaps]
    missing = [round(float(steps[k] / np.median(steps[max(0, k - 3) : k + 4]))) - 1 for k in gaps]
    return (step("warning: points are missing, the pattern is bridged", q=ranges, points=missing),)


def cut_pattern(pattern: IQ, q_range: tuple[float, float]) -> tuple[IQ, tuple[Step, ...]]:
    """Points within ``q_range`` without outliers, with a standard error, and what was done."""
    inside = (pattern.q >= q_range[0] - 1e-9) & (pattern.q <= q_range[1] + 1e-9)
    done = step("cut I(Q)", q_range=list(q_range))
    sigma = None if pattern.sigma is None else pattern.sigma[inside]
    if sigma is not None:
        _check_errors(sigma, pattern.intensity[inside], pattern.source or pattern.label or "I(Q)")
    cut, doubts = clean_pattern(
        pattern.after(done, q=pattern.q[inside], intensity=pattern.intensity[inside], sigma=sigma)
    )
    steps: tuple[Step, ...] = (*doubts, done)
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


def on_grid(background: IQ, q: Array, *, name: str) -> tuple[Array, Array, tuple[Step, ...]]:
    """Background intensity and its standard error at ``q`` of the sample; ``name`` tells doubts of it.

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
    inside = (background.q >= q[0] - step_size) & (background.q <= q[-1] + step_size)
    done = step("cut background", q_range=[float(q[0]), float(q[-1])])
    sigma = local_noise(background.intensity) if background.sigma is None else background.sigma
    background, doubts = clean_pattern(
        background.after(
            done, q=background.q[inside], intensity=background.intensity[inside], sigma=sigma[inside]
        ),
        of=name,
    )
    sigma = np.asarray(background.sigma)
    off = np.abs(np.interp(q, background.q, np.arange(background.q.size)) % 1.0 - 0.5) < 0.499
    done = step("interpolate background to the Q of the sample", from_step=step_size)
    steps = (*doubts, done) if off.any() else doubts
    return np.interp(q, background.q, background.intensity), np.interp(q, background.q, sigma), steps
