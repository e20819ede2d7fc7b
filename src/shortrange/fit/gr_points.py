"""A window of G(r) in independent points, whitened by its noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from shortrange.errors import DataError
from shortrange.fit.modes import leading_modes
from shortrange.numeric.bands import noise_in_band, pdf_band
from shortrange.quantities import GR
from shortrange.reduce.gr_noise import ripple_variance

__all__ = ["GrData", "GrWindow", "prepare_gr"]

Array = NDArray[Any]

_UNKNOWN = 100.0
"""Variance of a ripple of unknown height, in units of that of all noise: high enough to give it no weight."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrWindow:
    """G(r) on the points of a window, and the matrix that makes independent points of unit variance of it.

    Attributes
    ----------
    r, g
        Points no wider apart than half the Nyquist spacing, shape (n,).
    whiten
        Shape (m, n).
    points
        Independent points: m, less the forms that have no weight.
    """

    r: Array
    g: Array
    whiten: Array
    points: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrData:
    """G(r) thinned to half its Nyquist spacing, and what is known of its noise.

    Attributes
    ----------
    r, g
        Shape (n,).
    q_range
        Band of the data, 1/angstrom.
    noise
        ``"covariance"`` or ``"errors"`` of the data, ``"ripples"`` below the first distance (a first guess:
        termination ripples count as well), or ``"unknown"``.
    sigma, cov
        Of the thinned points; ``sigma`` alone means errors that are correlated within the band.
    """

    r: Array
    g: Array
    q_range: tuple[float, float]
    noise: str
    sigma: Array
    cov: Array | None = None

    def raised(self, factor: Array) -> GrData:
        """Return a copy with the error of each point times its ``factor``, shape (n,)."""
        cov = None if self.cov is None else self.cov * np.outer(factor, factor)
        return replace(self, sigma=self.sigma * factor, cov=cov)

    def covariance(self, r: Array) -> Array:
        """Covariance of the noise at some of the points, shape (n, n).

        Parameters
        ----------
        r
            Points of the data, increasing, angstrom.
        """
        at = np.searchsorted(self.r, r - 1e-9)
        if self.cov is not None:
            return self.cov[np.ix_(at, at)]
        return noise_in_band(self.sigma[at], pdf_band(r, q_range=self.q_range))

    def window(self, low: float, high: float) -> GrWindow:
        """Points from ``low`` to ``high``, angstrom.

        Raises
        ------
        DataError
            If there are too few.
        """
        inside = (self.r >= low - 1e-9) & (self.r <= high + 1e-9)
        r, g = self.r[inside], self.g[inside]
        if r.size < 6 or r[0] > low + 0.5 or r[-1] < high - 0.5:
            raise DataError(
                f"the data have {r.size} points between {low:g} and {high:g} angstrom",
                where="r_range", do=f"stay within the data, {self.r[0]:g} to {self.r[-1]:g} angstrom",
            )  # fmt: skip
        modes = leading_modes(pdf_band(r, q_range=self.q_range))
        noise = modes.T @ self.covariance(r) @ modes
        points = modes.shape[1]
        if self.q_range[0] > 0:
            points -= 2
            # F is cut off at q_min, which leaves a ripple on G(r). Phases of the model carry theirs; that of
            # what is not in the model nobody knows, so its form has no weight.
            level = _UNKNOWN * np.trace(noise)
            for ripple in _cut(r, self.q_range[0]) @ modes:
                noise += level / (ripple @ ripple) * np.outer(ripple, ripple)
        # Rounding must not make a covariance of many orders of magnitude indefinite.
        noise += 1e-9 * np.trace(noise) / noise.shape[0] * np.eye(noise.shape[0])
        factor = cholesky(noise, lower=True)
        return GrWindow(r=r, g=g, whiten=solve_triangular(factor, modes.T, lower=True), points=points)


def prepare_gr(gr: GR, *, q_range: tuple[float, float] | None = None, r_cut: float) -> GrData:
    """Thin G(r) and find out about its noise.

    G(r) made from F(Q) up to q_max is known from its values half a Nyquist spacing, pi / (2 q_max), apart;
    more points repeat them. An error column of G(r) is taken as that of points which are correlated
    as white noise of F(Q) makes them.

    Parameters
    ----------
    gr
        The data.
    q_range
        Range of F(Q), 1/angstrom; that of the data by default.
    r_cut
        No distance is shorter, angstrom: ripples below it tell the noise where the data have no errors.

    Raises
    ------
    DataError
        If the range of Q is not known, or not that of the data.
    """
    q_min, q_max = _q_range(gr, q_range)
    spacing = float((gr.r[-1] - gr.r[0]) / (gr.r.size - 1))
    if spacing > 1.02 * np.pi / q_max:
        raise DataError(
            f"the points are {spacing:.3g} angstrom apart, more than pi / q_max = {np.pi / q_max:.3g}",
            where=gr.source or gr.label or "G(r)", do="write G(r) on a finer grid, or correct q_max",
        )  # fmt: skip
    stride = max(1, int(np.pi / (2 * q_max) / spacing + 1e-9))
    bad = np.flatnonzero(~np.isfinite(gr.g))
    if bad.size:
        raise DataError(
            f"G is not a finite number at r = {gr.r[bad[0]]:g} angstrom",
            where=gr.source or gr.label or "G(r)", do="repair the file, or cut the data there",
        )  # fmt: skip
    # The point r = 0 carries nothing, G(0) = 0.
    keep = np.flatnonzero(gr.r > 1e-6)[::stride]
    r, g = gr.r[keep], gr.g[keep]
    if gr.cov is not None:
        sigma = np.sqrt(np.diag(gr.cov)[keep])
        return GrData(
            r=r, g=g, q_range=(q_min, q_max), noise="covariance", sigma=sigma, cov=gr.cov[np.ix_(keep, keep)]
        )
    if gr.sigma is not None and np.all(gr.sigma[keep] > 0):
        return GrData(r=r, g=g, q_range=(q_min, q_max), noise="errors", sigma=gr.sigma[keep])
    try:
        variance = ripple_variance(gr, r_cut=r_cut, q_range=(q_min, q_max))
    except DataError:
        return GrData(r=r, g=g, q_range=(q_min, q_max), noise="unknown", sigma=np.ones(r.size))
    # The variance is that of an independent point; white noise of F(Q) gives each point its part of it.
    variance *= spacing * (q_max - q_min) / np.pi
    return GrData(r=r, g=g, q_range=(q_min, q_max), noise="ripples", sigma=np.full(r.size, np.sqrt(variance)))


def _cut(r: Array, q_min: float) -> Array:
    """Ripples that the value and the slope of F leave where it is cut off, of any height, shape (2, n)."""
    return np.stack([np.cos(q_min * r) / r, np.sin(q_min * r) / r**2])


def _q_range(gr: GR, given: tuple[float, float] | None) -> tuple[float, float]:
    where = gr.source or gr.label or "G(r)"
    if given is None:
        if gr.q_max is None:
            raise DataError("the file does not say up to which Q the data were transformed", where=where,
                            do="give q_range = (q_min, q_max) in 1/angstrom")  # fmt: skip
        return (gr.q_min or 0.0, gr.q_max)
    if not 0 <= given[0] < given[1]:
        raise DataError(f"q_range is {given[0]:g} to {given[1]:g}", where=where, do="give 0 <= q_min < q_max")
    if gr.q_max is not None and abs(given[1] - gr.q_max) > 0.02 * gr.q_max:
        raise DataError(
            f"q_range ends at {given[1]:g}, but the file says that F(Q) was transformed up to {gr.q_max:g}",
            where=where, do="give the range that was transformed, or leave q_range out",
        )  # fmt: skip
    return given
