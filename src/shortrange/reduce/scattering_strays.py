"""Points of a pattern I(Q) that stand out of their neighbours: cosmic rays, hot and dead pixels, no peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stray", "stray_points"]

Array = NDArray[Any]

_LEAST = 0.05  # of the intensity that is expected
_OVER_NOISE = 12.0
_OVER_OTHERS = 4.0  # times the largest departure of any other point near it
_SKIRT = {1: 0.04, 2: 0.02}  # of a stray in the points beside it: peaks 1.2 steps wide show 0.15 and 0.02
_SKIRT_NOISE = 3.0
_NEAR = 50  # points on either side, and of a stretch in which the noise is taken as constant
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
    single, double = (_candidates(intensity, noise, width) for width in (1, 2))
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


def _candidates(y: Array, noise: Array, width: int) -> list[tuple[int, float, tuple[float, ...]]]:
    """First index, size and expected intensities of what departs while its neighbours do not."""
    cubic, line = _KERNELS[width]
    own = np.abs([np.correlate(y, row, "valid") for row in cubic]).max(axis=0)
    skirt = np.abs([np.correlate(y, row, "valid") for row in line]).max(axis=0)
    typical = noise[3 : 3 + own.size]
    large = (own > _OVER_NOISE * typical) & (skirt < np.maximum(_SKIRT[width] * own, _SKIRT_NOISE * typical))
    found = []
    for at in np.flatnonzero(large) + 3:
        departs = cubic @ y[at - 3 : at + width + 3]
        expected = y[at : at + width] - departs
        if np.any(np.abs(departs) > _LEAST * np.abs(expected)):
            found.append((int(at), float(own[at - 3]), tuple(float(x) for x in expected)))
    return found
