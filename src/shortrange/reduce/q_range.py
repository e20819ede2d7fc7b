"""Which part of a pattern to use: from where the beam stop ends to where structure sinks into the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from shortrange.errors import DataError
from shortrange.quantities import IQ, Step, step
from shortrange.reduce.scattering_checks import local_noise

__all__ = ["suggest_q_range"]

Array = NDArray[Any]

_SHADOW = 0.3  # of the intensity just beyond: less is the shadow of the beam stop
_RIM = 0.8  # form factors fall by less than this within _AHEAD
_AHEAD = 1.0  # 1/angstrom
_SMOOTH = 5.0  # 1/angstrom: what varies more slowly is not structure beyond 2 angstrom
_BIN = 1.5  # 1/angstrom
_CERTAIN = 4.0  # standard errors by which structure must exceed the noise


def suggest_q_range(iq: IQ) -> tuple[tuple[float, float], Step]:
    """Range of Q worth transforming, with a record of why.

    The lower end is the first point outside the shadow of the beam stop. The upper end is that of the last
    stretch of 1.5 1/angstrom in which the intensity varies more than its noise does; a dead, negative or
    missing end of the detector is left out.

    Parameters
    ----------
    iq
        Pattern of the sample.

    Raises
    ------
    DataError
        If no part of the pattern shows structure above the noise.
    """
    where = iq.source or iq.label or "suggest_q_range"
    first, last = _usable(iq, where)
    last = _detector_edge(iq, first, last)
    q, intensity = iq.q[first : last + 1], iq.intensity[first : last + 1]
    low = _beam_stop(q, intensity)
    high = _structure_ends(q, intensity, None if iq.sigma is None else iq.sigma[first : last + 1])
    if high - q[low] < 4.0:
        raise DataError(
            f"the pattern shows structure above its noise only up to Q = {high:.3g} 1/angstrom",
            where=where,
            do="count longer, or give q_range yourself",
        )
    found = (round(float(q[low]) + 5e-4, 3), round(float(high) - 5e-4, 3))
    return found, step("choose q_range from the pattern", q_range=list(found), data_end=float(iq.q[-1]))


def _usable(iq: IQ, where: str) -> tuple[int, int]:
    """First and last point of the longest run of positive, finite intensities."""
    good = np.concatenate([[False], np.isfinite(iq.intensity) & (iq.intensity > 0) & (iq.q > 0), [False]])
    edges = np.flatnonzero(np.diff(good.astype(int)))
    runs = edges.reshape(-1, 2)
    if runs.size == 0 or np.max(runs[:, 1] - runs[:, 0]) < 50:
        raise DataError(
            "there are no 50 positive intensities in a row", where=where, do="check the columns of the file"
        )
    first, after = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return int(first), int(after) - 1


def _beam_stop(q: Array, intensity: Array) -> int:
    """Last of the leading points that lie in the shadow, plus one."""
    width = max(3, int(np.searchsorted(q, q[0] + _AHEAD)))
    beyond = float(np.median(intensity[:width]))
    lit = np.flatnonzero(intensity[:width] > _SHADOW * beyond)
    return int(lit[0]) if lit.size else 0


def _detector_edge(iq: IQ, first: int, last: int) -> int:
    """Last point before the intensity falls off at the rim of the detector."""
    inner = max(first, int(np.searchsorted(iq.q, iq.q[last] - _AHEAD)))
    level = float(np.median(iq.intensity[inner : last + 1]))
    lit = np.flatnonzero(iq.intensity[inner : last + 1] > _RIM * level)
    return inner + int(lit[-1]) if lit.size else last


def _structure_ends(q: Array, intensity: Array, sigma: Array | None) -> float:
    noise = local_noise(intensity) if sigma is None else sigma
    points = min(int(_SMOOTH / np.median(np.diff(q))) | 1, (q.size - 1) | 1)
    rest = intensity - savgol_filter(intensity, max(points, 5), 3)
    edges = np.arange(q[-1], q[0], -_BIN)
    for high in edges:
        inside = (q > high - _BIN) & (q <= high)
        n = int(inside.sum())
        if n < 10:
            continue
        ratio = float(np.mean((rest[inside] / np.maximum(noise[inside], 1e-300)) ** 2))
        # Noise that was itself estimated from the points is uncertain by a sixth.
        if ratio > 1.35 * (1.0 + _CERTAIN * np.sqrt(2.0 / n)):
            return float(high)
    return float(q[0])
