"""Debye sums of pair histograms: what `shortrange.simulate.pdf` is built from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.ndimage import spline_filter1d
from scipy.signal import CZT

from shortrange.errors import DataError
from shortrange.numeric.sine import cosine_taper
from shortrange.simulate.pairs import PairHistograms, bin_transform
from shortrange.simulate.pdf_peaks import Shape, Widths, gaussian_sums, kept_pairs, mean_square

__all__ = ["TAPER", "broad_signal", "check_ranges", "damping", "run_means", "signal", "tabulate"]

Array = NDArray[Any]

TAPER = 1.0
"""Width in angstrom of the switch at the end of a periodic histogram."""
_Q_STEP = 0.35  # rad of sin(Q r_max) between points of the table: quintic splines follow to 1e-7
_BEYOND = 24  # points past both ends, where the filter that makes splines of values forgets the end


def check_ranges(h: PairHistograms, r: Array, q_min: float, q_max: float) -> None:
    """Raise DataError for ranges that the histograms cannot serve."""
    if not 0 <= q_min < q_max:
        raise DataError(
            f"Q from {q_min} to {q_max}", where="PdfModel", do="give 0 <= q_min < q_max in 1/angstrom"
        )
    if q_max * h.r_step > 1.0:
        raise DataError(
            f"q_max = {q_max} with a histogram step of {h.r_step} angstrom", where="PdfModel",
            do=f"count pairs with r_step <= {1.0 / q_max:.2g}",
        )  # fmt: skip
    end = h.r_max - (TAPER if h.number_density is not None else 0.0)
    if h.number_density is not None and np.max(r) > end + 1e-9:
        raise DataError(
            f"G is wanted up to r = {np.max(r):g} but pairs were counted to {h.r_max:g} angstrom",
            where="PdfModel", do=f"count pairs with r_max >= {np.max(r) + TAPER:g}, or end r at {end:g}",
        )  # fmt: skip


def signal(h: PairHistograms, counts: Array | None) -> Array:
    """2/N counts/r with the switch at the end: of ``counts`` (F, P, n_r), or of the ideal gas (P, n_r)."""
    factor = np.zeros_like(h.r)
    factor[1:] = 2.0 / (h.n_atoms * h.r[1:])
    if h.number_density is not None:
        factor *= cosine_taper(h.r, r_max=h.r_max, width=TAPER)
    if counts is None:
        return h.ideal() * factor
    return np.asarray(counts * factor.astype(counts.dtype))


def tabulate(h: PairHistograms, q_end: float) -> BSpline:
    """Splines over Q of the Debye sums of all pairs; the grid follows sin(Q r_max) to 1e-7.

    Only the Q that are wanted are computed, by the chirp z-transform (Rabiner et al., IEEE Trans. Audio
    Electroacoust. 17 (1969) 86): a padded FFT would reach 10 times as far. Quintic splines of a uniform grid
    come from a recursive filter (Unser, IEEE Signal Process. Mag. 16 (1999) 22).
    """
    q_step = _Q_STEP / h.r_max
    n = int(np.ceil(q_end / q_step)) + 1 + _BEYOND
    q = q_step * np.arange(n)
    counted = signal(h, h.mean_counts()[None])[0]
    ideal = signal(h, None)
    # Ideal gases of all pairs have one form: the last row stands for them.
    largest = int(np.argmax(ideal.max(axis=1)))
    rows = np.vstack([counted, ideal[largest]])
    waves = _chirp(h.r.size, n, h.r_step * q_step)(rows)
    sums = -waves.imag[:-1] / bin_transform(q, h.r_step)
    top = ideal[largest].max()
    if top > 0:
        sums += np.outer(ideal.max(axis=1) / top, waves.imag[-1])
    odd = np.concatenate([-sums[:, _BEYOND:0:-1], sums], axis=1)
    coefficients = spline_filter1d(odd, order=5, axis=1, mode="mirror")
    knots = q_step * (np.arange(odd.shape[1] + 6) - 3 - _BEYOND)
    return BSpline(knots, coefficients, 5, axis=1)


@lru_cache(maxsize=4)
def _chirp(n: int, m: int, phase: float) -> CZT:
    """Transform of ``n`` points to ``m`` values of Q, ``phase`` (r step times Q step) apart."""
    return CZT(n, m, w=complex(np.exp(-1j * phase)))


def damping(h: PairHistograms, q: Array, u_iso: float | Mapping[str, float]) -> Array:
    """Debye-Waller factors exp(-Q^2 (U_a + U_b) / 2), shape (n_pairs, n_q) or (1, n_q)."""
    if not isinstance(u_iso, Mapping):
        return np.exp(-(q**2) * u_iso)[None]
    return np.exp(-0.5 * np.outer(mean_square(h, u_iso), q**2))


def run_means(h: PairHistograms, groups: int) -> Array:
    """Mean counts of ``groups`` stretches of frames of nearly equal length, shape (groups, n_pairs, n_r)."""
    edges = np.linspace(0, h.n_runs, min(groups, h.n_runs) + 1).astype(int)
    flat = h.counts.reshape(h.n_runs, -1)
    share = [h.frames[a:b] / h.frames[a:b].sum() for a, b in pairwise(edges)]
    means = [w.astype(flat.dtype) @ flat[a:b] for w, (a, b) in zip(share, pairwise(edges), strict=True)]
    return np.reshape(means, (-1, *h.counts.shape[1:]))


def broad_signal(
    h: PairHistograms,
    counts: Array,
    q: Array,
    *,
    u_iso: float | Mapping[str, float],
    widths: Widths,
    stretch: float,
    shape: Shape,
) -> Array:
    """F(Q) of each pair with widths that depend on distance, in a particle: (n_pairs, n_q)."""
    moved = kept_pairs(shape, h.r * (1.0 + stretch))
    if not np.any(mean_square(h, u_iso)):
        # Distances as sharp as they are: only the B-spline of the histogram is to be taken out.
        sines = np.sin(np.outer(h.r, q * (1.0 + stretch)))
        found = (signal(h, counts[None])[0] * moved) @ sines / bin_transform(q * (1.0 + stretch), h.r_step)
        return np.asarray((found - (signal(h, None) * moved) @ sines) / (1.0 + stretch))
    end = np.ones_like(h.r)
    if h.number_density is not None:
        end = cosine_taper(h.r, r_max=h.r_max * min(1.0, 1.0 + stretch), width=TAPER)
    ideal = np.zeros(counts.shape)
    ideal[:, 1:] = h.ideal()[:, 1:] * 2.0 / (h.n_atoms * h.r[1:] * h.r_step) / (1.0 + stretch) ** 3
    found = gaussian_sums(h, counts, u_iso=u_iso, widths=widths, stretch=stretch)
    sines = np.sin(np.outer(h.r, q))
    # The switch of a molecule's few pairs would cut them: there it is one.
    particle = kept_pairs(shape, h.r)
    return np.asarray(((found - ideal) * (end * particle * h.r_step)) @ sines)
