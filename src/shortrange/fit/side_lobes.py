"""Satellites of strong peaks of G(r), made by errors of F(Q) that scale with F(Q) itself.

A wrong q_max, a window that nobody stated, a form factor or an absorption that is off slowly with Q: each
makes ripples about a shell, near to it and in proportion to it. They are no noise, and a quiet stretch of
G(r) without peaks does not know of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.sine import Window, gauss_nodes, window_values

__all__ = ["above_side_lobes", "side_lobes"]

Array = NDArray[Any]


def above_side_lobes(r: Array, heights: Array, noise: Array, *, q_max: float, window: Window | None) -> Array:
    """Which peaks are certain if such errors make up to a side lobe about each other one, shape (k,), bool.

    Parameters
    ----------
    r, heights
        Of the peaks in G(r), angstrom and angstrom^-2, shape (k,).
    noise
        Three standard errors of each area, relative to it, shape (k,).
    q_max, window
        Of the transform.
    """
    gaps = np.abs(np.subtract.outer(r, r))
    lobes = side_lobes(gaps, q_max=q_max, window=window) * heights
    relative = np.max(lobes, axis=1, initial=0.0) / heights
    # In ten measured files misfits reach 0.1 to 1.05 of the first lobe: it stands for three standard errors.
    return np.asarray(np.hypot(noise, relative) < 1.0, dtype=bool)


def side_lobes(gaps: Array, *, q_max: float, window: Window | None) -> Array:
    """Largest side lobe of a line as far from it as ``gaps`` or farther, the line being 1 high; 0 for itself.

    A quarter of a period is given away: errors of F(Q) also shift lobes.
    """
    x = (np.pi + np.arange(0.0, 100.0, 0.05)) / q_max
    q, weight = gauss_nodes(0.0, q_max, r_total=float(x[-1]))
    weight = weight * window_values(q, q_max=q_max, window=window)
    response = np.cos(np.outer(x, q)) @ weight / weight.sum()
    beyond = int(np.argmax(response <= 0.0))  # of the main lobe, which windows broaden
    largest = np.maximum.accumulate(np.abs(response[beyond:])[::-1])[::-1]
    found = np.interp(gaps - np.pi / (2.0 * q_max), x[beyond:], largest)
    return np.where(gaps > 0.0, found, 0.0)
