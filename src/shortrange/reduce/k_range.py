"""The range of k that the noise leaves."""

from __future__ import annotations

import numpy as np

from shortrange.errors import DataError
from shortrange.quantities import ChiK

__all__ = ["suggest_k_range"]


def suggest_k_range(chi: ChiK, *, k_min: float = 3.0, end_margin: float = 0.2) -> tuple[float, float]:
    """Range of k to transform and fit: up to where the signal meets the noise.

    In a running window of 1 1/angstrom the mean of chi^2 is compared with the mean variance; the range ends
    where the excess (the signal) is as large as the noise for the last time.

    Parameters
    ----------
    chi
        With ``sigma``; without it the range ends with the data.
    k_min
        Lower end, 1/angstrom: below about 3, XANES and multiple scattering rule.
    end_margin
        Left out at the end of the data, 1/angstrom, where the spline is free.

    Returns
    -------
    k_min, k_max
        1/angstrom, ``k_max`` rounded down to 0.1.

    Raises
    ------
    DataError
        If less than 3 1/angstrom would be left.
    """
    k, where = chi.k, f"suggest_k_range(label={chi.label!r})"
    k_max = float(k[-1]) - end_margin
    if chi.sigma is not None:
        window = np.ones(max(3, round(1.0 / float(k[1] - k[0]))))
        count = np.convolve(np.ones(k.size), window, mode="same")
        power = np.convolve(chi.chi**2, window, mode="same") / count
        noise = np.convolve(chi.sigma**2, window, mode="same") / count
        seen = k[(power > 2.0 * noise) & (k <= k_max)]
        k_max = float(seen[-1]) if seen.size else 0.0
    k_max = np.floor(k_max * 10.0 + 1e-6) / 10.0
    if k_max < k_min + 3.0:
        raise DataError(
            f"the signal exceeds the noise only up to k = {k_max:.1f} 1/angstrom",
            where=where,
            do="measure longer or further, or give k_range",
        )
    return k_min, float(k_max)
