"""Noise by other ways than repeats: what is left at high R, and counting statistics."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.xafs_fourier import fourier_matrix
from shortrange.quantities import ChiK, Scan
from shortrange.reduce.mu import to_mu
from shortrange.reduce.xas import XasReduction

__all__ = ["noise_at_high_r", "noise_of_counts", "noise_record"]

Array = NDArray[Any]


def noise_at_high_r(
    chi: ChiK, *, k_range: tuple[float, float], r_range: tuple[float, float] = (15.0, 25.0)
) -> tuple[float, float]:
    r"""Estimate the standard deviation of a point of chi(k), from where no neighbour can be seen.

    White noise of standard deviation s gives :math:`\langle|\chi(R)|^2\rangle = s^2 \sum_k |M_{Rk}|^2` for
    the matrix M of the transform (with k^0); Newville, Boyanov and Sayers, J. Synchrotron Rad. 6, 264 (1999).
    Noise that grows with k, or a glitch, makes it a mean, or too large.

    Parameters
    ----------
    chi
        On k = 0, dk, 2 dk, ... or part of it.
    k_range
        1/angstrom.
    r_range
        angstrom.

    Returns
    -------
    float, float
        Standard deviation and its standard error, by the number of independent points in the two ranges.

    Raises
    ------
    DataError
        If the ranges hold fewer than five independent points, or the grid does not reach so far in R.
    """
    where = f"noise_at_high_r(label={chi.label!r})"
    k_max = min(k_range[1], float(chi.k[-1]))
    reach = np.pi / (2.0 * float(chi.k[1] - chi.k[0]))
    independent = 2.0 * (k_max - k_range[0]) * (r_range[1] - r_range[0]) / np.pi
    if independent < 5 or r_range[1] > reach:
        raise DataError(
            f"{max(independent, 0.0):.0f} independent points in k {k_range[0]:g} to {k_max:g} 1/angstrom and "
            f"R {r_range[0]:g} to {r_range[1]:g} angstrom, where the grid reaches to {reach:.1f}",
            where=where,
            do="widen the ranges, within the grid",
        )
    r = np.arange(*r_range, np.pi / (4.0 * (k_max - k_range[0])))
    matrix = fourier_matrix(chi.k, r, k_weight=0.0, k_range=k_range, dk=1.0, window="hanning")
    power = np.abs(matrix @ chi.chi) ** 2 / np.sum(np.abs(matrix) ** 2, axis=1)
    sigma = float(np.sqrt(power.mean()))
    return sigma, sigma / np.sqrt(2.0 * independent)


def noise_of_counts(scan: Scan, *, mode: str = "transmission") -> Array:
    """Estimate the standard error of mu by counting statistics, shape (n,); a lower bound.

    Transmission: sqrt(1/i0 + 1/it). Fluorescence and yield: mu sqrt(1/if + 1/i0). It says something only if
    the columns are counts: as a rule they are scaled currents, and then repeats tell the noise.

    Parameters
    ----------
    scan
        With the counts of its channels.
    mode
        ``"transmission"``, ``"fluorescence"`` or ``"tey"``.

    Raises
    ------
    DataError
        If the channels are missing, or their values are no counts (less than 10 in the mean).
    """
    mu = to_mu(scan, mode=mode)
    names = {"transmission": ("i0", "it"), "fluorescence": ("if", "i0"), "tey": ("tey", "i0")}.get(mode, ())
    where = scan.source or f"Scan(label={scan.label!r})"
    counts = [scan.columns[name] for name in names if name in scan.columns]
    if len(counts) != 2 or mu.energy.size != scan.energy.size or min(c.mean() for c in counts) < 10:
        raise DataError(
            f"the channels of mode {mode!r} do not hold counts",
            where=where,
            do="take the noise from repeats (reduce_xas)",
        )
    order = slice(None, None, -1 if scan.energy[-1] < scan.energy[0] else 1)
    relative = np.sqrt(sum(1.0 / np.maximum(c[order], 1.0) for c in counts))
    return np.asarray(relative if mode == "transmission" else mu.mu * relative)


def noise_record(reduction: XasReduction) -> dict[str, Any]:
    """Compare the noise of the mean, in units of the edge step, and that of chi(k), with what high R shows.

    The last two agree where noise is all there is; glitches that all scans share show at high R only.
    """
    merged, chi, k_range = reduction.merged, reduction.chi, reduction.k_range
    made = next(done.settings for done in reversed(merged.history) if done.name == "merge")
    record: dict[str, Any] = {"from": made["noise_from"], "mu": None, "chi": None, "chi_at_high_r": None}
    if merged.sigma is not None:
        record["mu"] = float(np.median(merged.sigma)) / reduction.normalised.edge_step
    if chi is None or k_range is None:
        return record
    if chi.sigma is not None:
        inside = (chi.k >= k_range[0]) & (chi.k <= k_range[1])
        record["chi"] = float(np.sqrt(np.mean(chi.sigma[inside] ** 2)))
    with contextlib.suppress(DataError):  # too short a range to tell
        record["chi_at_high_r"], record["sigma_chi_at_high_r"] = noise_at_high_r(chi, k_range=k_range)
    return record
