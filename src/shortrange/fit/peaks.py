"""Peaks of G(r): how many the data ask for, where, how wide, how large, and which maxima are mere ripples."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks as local_maxima

from shortrange.errors import DataError
from shortrange.fit.peak_search import WIDTHS, WITHIN, State, search
from shortrange.fit.peak_space import PeakSpace, peak_space
from shortrange.fit.side_lobes import above_side_lobes
from shortrange.numeric.sine import Window
from shortrange.quantities import GR, Step, step
from shortrange.reduce.gr_noise import errors_are_estimated
from shortrange.shown import fit_html

__all__ = ["Bump", "Peak", "PeakFit", "fit_peaks"]

Array = NDArray[Any]
Cause = Literal["ripple", "overlap", "noise"]

FLOOR = 0.01
"""Error of describing shells by Gaussians, relative to the largest G: thermal shells are a little skew."""
_PLACED = 0.5  # of pi / q_max: a shell less certain than this has no place
_CERTAIN = 3.0  # standard errors of an area
_TAIL = 1.5  # of pi / q_max: so far from its shell may a tail stand that is no peak by itself
_OVERLAP = 1.25  # of the sum of two standard deviations
_PROMINENCE = 0.004  # of the largest G: smaller maxima are not looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One shell of distances.

    Attributes
    ----------
    r, sigma_r
        Distance and its standard error, angstrom.
    width, sigma_width
        Standard deviation of the distances in the shell (not of the ripple-broadened peak), angstrom.
    area, sigma_area
        Weighted number of neighbours: area under the radial distribution function, as in Keen (2001).
    components
        Gaussians that were needed to describe it: 1, or more for a skew shell.
    """

    r: float
    sigma_r: float
    width: float
    sigma_width: float
    area: float
    sigma_area: float
    components: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bump:
    """A maximum of G(r) that no shell stands behind: it is not to be taken for a distance.

    Attributes
    ----------
    r
        Where it is, angstrom.
    height
        G above the higher of the minima beside it, angstrom^-2.
    cause
        ``"ripple"``: the shells elsewhere make it, through the end of the Q-range, or could through errors of
        F(Q) that scale with it. ``"overlap"``: it tops a
        broad distribution of distances that the data do not resolve. ``"noise"``: a shell there would not be
        significant.
    """

    r: float
    height: float
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakFit:
    """What a range of G(r) consists of.

    Attributes
    ----------
    peaks
        Shells in the range that are certain, by distance.
    cov
        Covariance of (r, width, area) of each peak, stacked, shape (3 k, 3 k).
    bumps
        Maxima that are no peaks.
    continuum
        Shells that the fit needs but cannot place, or that may be ripples: (r, width, area) of each, shape
        (n_c, 3).
    r, g, sigma
        Data in the range and their standard error (with the floor), shape (n,).
    model, background, shells
        The fit, its background, each of shape (n,), and each shell (peaks first, then the continuum), shape
        (n, k + n_c).
    chi2, n_points
        Misfit in independent points, of which there are ``n_points``.
    inflation
        Factor by which errors were enlarged because the misfit is larger than they explain; 1 if it is not.
    q_max, q_min, window
        Of the transform.
    history
        As of the data, and this fit.
    """

    peaks: tuple[Peak, ...]
    cov: Array
    bumps: tuple[Bump, ...]
    continuum: Array
    r: Array
    g: Array
    sigma: Array
    model: Array
    background: Array
    shells: Array
    chi2: float
    n_points: int
    inflation: float
    q_max: float
    q_min: float
    window: Window | None
    history: tuple[Step, ...]

    def _repr_html_(self) -> str:
        """Return distance, width and area of each peak, for a notebook."""
        rows = []
        for number, peak in enumerate(self.peaks, 1):
            rows += [
                (f"peak {number}: r", peak.r, peak.sigma_r, "Å"),
                ("width", peak.width, peak.sigma_width, "Å"),
                ("area", peak.area, peak.sigma_area, "weighted neighbours"),
            ]
        return fit_html(f"Peaks of G(r), Q to {self.q_max:.4g} 1/Å", rows)


def fit_peaks(
    gr: GR,
    *,
    r_range: tuple[float, float],
    q_max: float | None = None,
    q_min: float | None = None,
    window: Window | None = None,
    number_density: float | None = None,
    floor: float = FLOOR,
) -> PeakFit:
    """Find the shells of distances in a range of G(r).

    Shells are added one by one where the data ask for them most, all of them are refined together, and the
    last is kept if it raises the evidence (Laplace). Shells closer than pi / q_max are one peak; those whose
    place or area stays uncertain are counted to the continuum. Errors that were estimated from G(r) itself do
    not know of those of F(Q) that scale with it, which make satellites of strong peaks: then what is no
    higher than the side lobe that the Q-range makes of a line as high as a neighbour is marked as a ripple.

    Parameters
    ----------
    gr
        With errors.
    r_range
        angstrom.
    q_max, q_min
        Range of the transform, 1/angstrom; by default as ``gr`` states it.
    window
        Of the transform.
    number_density
        Atoms per cubic angstrom; by default as ``gr`` states it. Unknown: the slope of the line is free.
    floor
        Error of the Gaussian description relative to the largest G.

    Raises
    ------
    DataError
        If q_max is not known, or the range holds too few data.
    """
    top = gr.q_max if q_max is None else q_max
    if top is None or not 2.0 < top < 100.0:
        raise DataError(
            f"q_max = {top}", where=gr.source or gr.label or "fit_peaks",
            do="say up to which Q (1/angstrom) the data were transformed: ripples depend on it",
        )  # fmt: skip
    bottom = (gr.q_min or 0.0) if q_min is None else q_min
    density = gr.number_density if number_density is None else number_density
    space = peak_space(
        gr, r_range=r_range, q_max=top, q_min=bottom, window=window, number_density=density, floor=floor
    )
    best = search(space, r_range)
    # The background is held by its priors and hardly uses up points.
    free = space.n_points - best.shells.size - 1
    inflation = float(np.sqrt(max(1.0, best.chi2 / max(1, free))))
    parts = space.curves(best.shells)
    peaks, cov, taken = _peaks(best, inflation, r_range, np.pi / top)
    sure = np.ones(len(peaks), dtype=bool)
    if errors_are_estimated(gr):
        sure = above_side_lobes(
            np.array([peak.r for peak in peaks]),
            np.array([np.max(parts[:, group].sum(axis=1)) for group in taken]),
            np.array([_CERTAIN * peak.sigma_area / peak.area for peak in peaks]), q_max=top, window=window,
        )  # fmt: skip
    rippling = np.array([peak.r for peak, is_sure in zip(peaks, sure, strict=True) if not is_sure])
    peaks, taken = tuple(compress(peaks, sure)), list(compress(taken, sure))
    cov = cov[np.ix_(*[np.repeat(sure, 3)] * 2)]
    used = {k for group in taken for k in group}
    rest = [int(i) for i in np.argsort(best.shells[:, 0]) if i not in used]
    shells = [*(parts[:, group].sum(axis=1) for group in taken), *(parts[:, i] for i in rest)]
    background = space.line + space.background @ best.background
    model = background + parts.sum(axis=1)
    unplaced = best.shells[rest].copy()
    unplaced[:, 1] = np.exp(unplaced[:, 1])
    done = step(
        "fit peaks", r_range=list(r_range), q_max=top, q_min=bottom, window=window, number_density=density,
        floor=floor, peaks=len(peaks), chi2=best.chi2, independent_points=space.n_points, inflation=inflation,
    )  # fmt: skip
    return PeakFit(
        peaks=peaks, cov=cov, bumps=_bumps(space, peaks, unplaced, model, rippling), continuum=unplaced,
        r=space.r, g=space.g, sigma=space.sigma, model=model, background=background,
        shells=np.reshape(shells, (len(shells), space.r.size)).T, chi2=best.chi2, n_points=space.n_points,
        inflation=inflation, q_max=top, q_min=bottom, window=window, history=(*gr.history, done),
    )  # fmt: skip


def _groups(shells: Array, resolution: float) -> list[list[int]]:
    """Shells that stand closer than the Q-range resolves describe one peak together."""
    groups: list[list[int]] = []
    for i in np.argsort(shells[:, 0]):
        last = groups[-1][-1] if groups else None
        if last is not None and shells[i, 0] - shells[last, 0] < resolution:
            widest = float(np.exp(max(shells[i, 1], shells[last, 1])))
            if widest < 1.5 * resolution:
                groups[-1].append(int(i))
                continue
        groups.append([int(i)])
    return groups


def _peaks(
    best: State, inflation: float, r_range: tuple[float, float], resolution: float
) -> tuple[tuple[Peak, ...], Array, list[list[int]]]:
    """Peaks that are certain, the covariance of their (r, width, area), and the shells of each."""
    groups = _groups(best.shells, resolution)
    peaks, cov = _moments(best, groups, inflation)
    # The tail of a skew shell may stand beyond the resolution, and neither part be certain without the other.
    while (pair := _uncertain_pair(peaks, best.shells, groups, resolution)) is not None:
        groups[pair : pair + 2] = [groups[pair] + groups[pair + 1]]
        peaks, cov = _moments(best, groups, inflation)
    kept = [
        k
        for k, peak in enumerate(peaks)
        if _placed(peak, resolution) and r_range[0] <= peak.r <= r_range[1] and peak.width < 0.95 * WIDTHS[1]
    ]
    rows = [3 * k + i for k in kept for i in range(3)]
    return (
        tuple(peaks[k] for k in kept), np.asarray(cov[np.ix_(rows, rows)]), [groups[k] for k in kept],
    )  # fmt: skip


def _placed(peak: Peak, resolution: float) -> bool:
    return peak.sigma_r < _PLACED * resolution and peak.area > _CERTAIN * peak.sigma_area


def _uncertain_pair(
    peaks: list[Peak], shells: Array, groups: list[list[int]], resolution: float
) -> int | None:
    """Place of two neighbouring narrow groups, close but not certain each, that may be one peak."""
    narrow = [float(np.exp(np.max(shells[group, 1]))) < 1.5 * resolution for group in groups]
    for k in range(len(groups) - 1):
        gap, sure = peaks[k + 1].r - peaks[k].r, [_placed(peak, resolution) for peak in peaks[k : k + 2]]
        inside = WITHIN * max(peak.width for peak in peaks[k : k + 2])
        near = gap < max(_TAIL * resolution, inside) and not all(sure)
        # Two that overlap, of which only the sum is certain.
        blurred = gap < _OVERLAP * (peaks[k].width + peaks[k + 1].width) and not any(sure)
        if (near or blurred) and narrow[k] and narrow[k + 1]:
            return k
    return None


def _moments(best: State, groups: list[list[int]], inflation: float) -> tuple[list[Peak], Array]:
    """Each group as one peak, and the covariance of their (r, width, area), shape (3 k, 3 k)."""
    n_shell, n_peak = best.shells.size, 3 * len(groups)
    moves = np.zeros((best.jacobian.shape[1], n_peak + best.background.size))
    moves[n_shell:, n_peak:] = np.eye(best.background.size)
    moments = []
    for k, group in enumerate(groups):
        values, own = _as_one(best.shells[group])
        moments.append(values)
        for place, i in enumerate(group):
            moves[3 * i : 3 * i + 3, 3 * k : 3 * k + 3] = own[place]
    along = best.jacobian @ moves
    cov = (np.linalg.pinv(along.T @ along) * inflation**2)[:n_peak, :n_peak]
    errors = np.sqrt(np.clip(np.diag(cov), 0.0, None))
    peaks = []
    for k, group in enumerate(groups):
        r, width, area = (float(x) for x in moments[k])
        sigma_r, sigma_width, sigma_area = (float(x) for x in errors[3 * k : 3 * k + 3])
        peak = Peak(
            r=r, sigma_r=sigma_r, width=width, sigma_width=sigma_width, area=area, sigma_area=sigma_area,
            components=len(group),
        )  # fmt: skip
        peaks.append(peak)
    return peaks, cov


def _as_one(shells: Array) -> tuple[Array, Array]:
    """Mean distance, standard deviation and area of shells together, and how the shells follow them.

    What data cannot resolve keeps its shape: the whole is shifted, stretched about its mean, or scaled.

    Returns
    -------
    values, moves
        Shapes (3,) and (k, 3, 3): distance, ln sigma and area of each shell for a unit of each value.
    """
    d, s2, area = shells[:, 0], np.exp(2.0 * shells[:, 1]), shells[:, 2]
    total = max(float(area.sum()), 1e-300)
    mean = float(area @ d) / total
    width = float(np.sqrt(area @ (s2 + (d - mean) ** 2) / total))
    moves = np.zeros((shells.shape[0], 3, 3))
    moves[:, 0, 0] = 1.0
    moves[:, 0, 1], moves[:, 1, 1] = (d - mean) / width, 1.0 / width
    moves[:, 2, 2] = area / total
    return np.array([mean, width, total]), moves


def _bumps(
    space: PeakSpace, peaks: tuple[Peak, ...], unplaced: Array, model: Array, rippling: Array
) -> tuple[Bump, ...]:
    """Maxima of the data that lie on no shell, and why; at ``rippling`` are shells that may be ripples."""
    resolution = np.pi / space.q_max
    at, found = local_maxima(space.g, prominence=_PROMINENCE * float(np.max(np.abs(space.g))))
    modelled, tall = local_maxima(model, prominence=0.0)
    bumps = []
    for i, height in zip(at, found["prominences"], strict=True):
        r = float(space.r[i])
        if any(abs(peak.r - r) < max(0.7 * resolution, 0.8 * peak.width) for peak in peaks):
            continue
        cause: Cause = "noise"
        alike = (np.abs(space.r[modelled] - r) < 0.5 * resolution) & (tall["prominences"] > 0.3 * height)
        if alike.any():
            # The model has this maximum too, without a shell that could be placed there.
            broad = np.abs(unplaced[:, 0] - r) < np.maximum(unplaced[:, 1], 0.7 * resolution)
            doubtful = np.abs(rippling - r) < 0.7 * resolution
            cause = "overlap" if broad.any() and not doubtful.any() else "ripple"
        bumps.append(Bump(r=r, height=float(height), cause=cause))
    return tuple(bumps)
