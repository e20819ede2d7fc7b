"""The compiled search for pairs of one atom within a distance, over the translations of a lattice."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["neighbours_of"]


@njit(nogil=True, cache=True)
def neighbours_of(apart, translations, metric, r_max):  # type: ignore[no-untyped-def]
    """Vectors to all partners within ``r_max``, in fractional coordinates.

    Parameters
    ----------
    apart
        From the atom to its partners in its own cell, shape (n, 3).
    translations
        Whole cells, shape (t, 3).
    metric
        Weights of xx, yy, zz, yz, xz and xy in the square of a distance, square angstrom, shape (6,).
    r_max
        angstrom.

    Returns
    -------
    difference, partner
        Shapes (found, 3) and (found,).
    """
    size = 1024
    difference, partner = np.empty((size, 3)), np.empty(size, dtype=np.int64)
    found, limit = 0, r_max * r_max
    for k in range(translations.shape[0]):
        for j in range(apart.shape[0]):
            x = apart[j, 0] + translations[k, 0]
            y = apart[j, 1] + translations[k, 1]
            z = apart[j, 2] + translations[k, 2]
            square = x * (metric[0] * x + metric[5] * y) + y * (metric[1] * y + metric[3] * z)
            square += z * (metric[2] * z + metric[4] * x)
            if square > limit:
                continue
            if found == size:
                size *= 2
                more, others = np.empty((size, 3)), np.empty(size, dtype=np.int64)
                more[:found], others[:found] = difference, partner
                difference, partner = more, others
            difference[found, 0], difference[found, 1], difference[found, 2] = x, y, z
            partner[found] = j
            found += 1
    return difference[:found], partner[:found]
