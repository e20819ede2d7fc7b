"""Points of a pattern I(Q) that stand out of their neighbours: cosmic rays, hot and dead pixels, no peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import IQ, Step, step

__all__ = ["Stray", "clean_pattern", "stray_points"]

Array = NDArray[Any]

_LEAST = 0.05  # of the intensity that is expected
_OVER_NOISE = 12.0
_OVER_OTHERS = 4.0  # times the largest departure of any other point near it
_SKIRT = {1: 0.04, 2: 0.02}  # of a stray in the points beside it: peaks 1.2 steps wide show 0.15 and 0.02
_SKIRT_NOISE = 3.0
_NEAR = 50  # points on either side, and of a stretch in which the noise is taken as constant
_SPIKE = 5.0  # times what is expected: such points are no peaks if there are many
_DARK = 0.3  # of what is expected: no Bragg peak, even if others are near
_GAP = 2.5  # steps
_SPIKES = "warning: spikes replaced by what the points beside them let expect"
_DEAD = "warning: dead points replaced by what the points beside them let expect"
_UNSURE = "warning: points stand out, left as they are: spikes, or Bragg peaks on a coarse grid"
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / 6.0


@dataclass(frozen=True, slots=True)
class Stray:
    """One point, or two side by side, that no smooth course explains.

    Attributes
    ----------
    at
        Index of the first point.
    expected
        Intensity that the points beside it let expect, of one or two points.
    alone
        Whether nothing near it departs a quarter as much; else it may be a Bragg peak on a coarse grid.
    """

    at: int
    expected: tuple[float, ...]
    alone: bool


def stray_points(intensity: Array) -> list[Stray]:
    """Find single points, and pairs of points, that stand out of a smooth course.

    A point is compared with the cubic through two points on each side. It is an outlier where it is off by
    more than a twentieth and by 12 times the noise, while the points beside it lie on the line through those
    beyond: a Bragg peak has skirts.

    Parameters
    ----------
    intensity
        On a grid that is even over some ten points, shape (n,).
    """
    if intensity.size < 2 * _NEAR:
        return []
    departure = np.abs(np.convolve(intensity, _FOURTH)[2:-2])
    departure[[0, 1, -2, -1]] = 0.0
    noise = _noise(departure)
    # The departure of a single one is its height; of two that are off alike, it is a third for each.
    ratio = departure / np.maximum(noise, 1e-300)
    pair = ratio > _OVER_NOISE / 3.0
    if not pair.any():
        return []
    pair[:-1] |= pair[1:]
    single = _candidates(intensity, np.flatnonzero(ratio > _OVER_NOISE), noise, 1)
    double = _candidates(intensity, np.flatnonzero(pair), noise, 2)
    taken = {at + k for at, _, _ in single for k in (-1, 0)}
    left = departure.copy()
    found = []
    # The largest first: once told, it hides no other.
    for at, height, expected in sorted(
        [*single, *(each for each in double if each[0] not in taken)], key=lambda each: -each[1]
    ):
        own = slice(max(0, at - 2), at + len(expected) + 2)
        beside = (left[max(0, at - _NEAR) : own.start], left[own.stop : at + _NEAR])
        others = max(each.max(initial=0.0) for each in beside)
        alone = bool(height > _OVER_OTHERS * others)
        found.append(Stray(at, expected, alone))
        if alone:
            left[own] = 0.0
    return sorted(found, key=lambda each: each.at)


def clean_pattern(pattern: IQ, **told: str) -> tuple[IQ, tuple[Step, ...]]:
    """Replace points that stand out alone; name gaps, strays and zeros.

    Parameters
    ----------
    pattern
        Cut to the range that is used.
    told
        Further settings of the warnings.

    Raises
    ------
    DataError
        If many points tower over their neighbours.
    """
    pattern, mended = _without_outliers(pattern)
    zero = np.flatnonzero(pattern.intensity == 0)
    doubts = (*_gaps(pattern.q), *mended)
    if zero.size:
        q = [float(pattern.q[zero[0]]), float(pattern.q[zero[-1]])]
        doubts += (step("warning: intensities are zero: masked or dead?", points=int(zero.size), between=q),)
    return pattern, tuple(step(each.name, **told, **each.settings) for each in doubts)


def _gaps(q: Array) -> tuple[Step, ...]:
    """Name gaps that are bridged; a grid whose step changes slowly has none."""
    steps = np.diff(q)
    wide = np.flatnonzero(steps > _GAP * np.median(steps))
    gaps = [k for k in wide if steps[k] > _GAP * np.median(steps[max(0, k - 3) : k + 4])]
    if not gaps:
        return ()
    ranges = [[float(q[k]), float(q[k + 1])] for k in gaps]
    missing = [round(float(steps[k] / np.median(steps[max(0, k - 3) : k + 4]))) - 1 for k in gaps]
    return (step("warning: points are missing, the pattern is bridged", q=ranges, points=missing),)


def _without_outliers(pattern: IQ) -> tuple[IQ, tuple[Step, ...]]:
    """Replace points that stand out alone; name those that may be Bragg peaks on a coarse grid.

    Raises
    ------
    DataError
        If there are many: the pattern is sampled too coarsely, or something else is wrong.
    """
    found = stray_points(pattern.intensity)
    if not found:
        return pattern, ()
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
        part = max(value[at] / x for at, x in zip(points, each.expected, strict=True))
        mended = min(each.expected) > 0 and (each.alone or part < _DARK)
        high = part > 1.0
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
    return pattern.after(steps[-1], intensity=value, sigma=sigma), steps


def _noise(departure: Array) -> Array:
    """Typical departure in stretches of some 50 points, shape (n,)."""
    whole = departure.size // _NEAR
    blocks = departure[: whole * _NEAR].reshape(whole, _NEAR)
    middle = np.partition(blocks, _NEAR // 2, axis=1)[:, _NEAR // 2] / 0.6745
    return np.asarray(np.pad(np.repeat(middle, _NEAR), (0, departure.size - whole * _NEAR), mode="edge"))


def _kernels(width: int) -> tuple[Array, Array]:
    """Weights of the points from 3 before to 3 after an outlier of ``width`` points.

    The first turn them into departures of its points from the cubic through the two points on each side, the
    second into those of the two points beside it from the line through the four beyond.
    """
    x = np.arange(-3, width + 3)
    inner = [1, 2, width + 3, width + 4]
    outer = [0, 1, width + 4, width + 5]
    cubic, line = np.eye(x.size)[3 : 3 + width], np.eye(x.size)[[2, width + 3]]
    cubic[:, inner] -= np.vander(x[3 : 3 + width], 4) @ np.linalg.inv(np.vander(x[inner], 4))
    line[:, outer] -= np.vander(x[[2, width + 3]], 2) @ np.linalg.pinv(np.vander(x[outer], 2))
    return cubic, line


_KERNELS = {width: _kernels(width) for width in (1, 2)}


def _candidates(
    y: Array, starts: Array, noise: Array, width: int
) -> list[tuple[int, float, tuple[float, ...]]]:
    """First index, size and expected intensities of what departs while its neighbours do not."""
    starts = starts[(starts >= 3) & (starts <= y.size - width - 3)]
    cubic, line = _KERNELS[width]
    near, typical = y[starts[:, None] + np.arange(-3, width + 3)], noise[starts]
    departs, skirt = near @ cubic.T, np.abs(near @ line.T).max(axis=1)
    height = np.abs(departs).max(axis=1)
    expected = near[:, 3 : 3 + width] - departs
    stray = (
        (height > _OVER_NOISE * typical)
        & (skirt < np.maximum(_SKIRT[width] * height, _SKIRT_NOISE * typical))
        & np.any(np.abs(departs) > _LEAST * np.abs(expected), axis=1)
    )
    return [
        (int(starts[k]), float(height[k]), tuple(float(x) for x in expected[k]))
        for k in np.flatnonzero(stray)
    ]
