r"""Peaks of G(r) as the finite Q-range makes them, in independent points.

A shell of ``area`` (weighted number of neighbours) at distance d with variance sigma^2 gives

.. math::
    G(r) = \frac{2}{\pi} \int_0^{Q_{max}} M(Q)\, \frac{A}{d} e^{-Q^2\sigma^2/2} \sin Qd \,\sin Qr \,dQ :

no Gaussian, but what the Q-range leaves of one, ripples included. Beside the shells there is the line
-4 pi rho0 r, and what F(Q) below Q_min would have added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from shortrange.errors import DataError
from shortrange.fit.modes import pdf_modes
from shortrange.numeric.bands import noise_in_band, pdf_band
from shortrange.numeric.sine import Window, gauss_nodes, sine_kernel, window_values
from shortrange.quantities import GR

__all__ = ["PeakSpace", "band_covariance", "peak_space"]

Array = NDArray[Any]

_BEYOND = 2.0  # angstrom: how far outside the range a shell may stand
_MISSING = 1.5  # F(Q) / Q below Q_min: S - 1 is -1 to 0 there, and the flank of a first peak more
_LINE = 0.03  # relative error of a number density that was given
_END = 0.03  # of the largest G: errors of F(Q) near its end


@dataclass(frozen=True, slots=True, eq=False)
class PeakSpace:
    """What does not change while shells are searched for.

    Attributes
    ----------
    r, g
        Data in the range, shape (n,).
    q
        Quadrature nodes, 1/angstrom, shape (n_q,).
    kernel
        Takes F at ``q`` to G at ``r``, shape (n, n_q).
    whiten
        Takes a curve at ``r`` to independent points of unit variance, shape (m, n).
    target
        The data there, less the mean of the background, shape (m,).
    background
        Curves at ``r`` of unit prior variance around ``line``, shape (n, n_b).
    line
        Expected background, shape (n,).
    damping
        exp(-(r q_damp)^2 / 2), shape (n,).
    sigma
        Standard error of G with the floor, shape (n,).
    q_max, q_min
        1/angstrom.
    """

    r: Array
    g: Array
    q: Array
    kernel: Array
    whiten: Array
    target: Array
    background: Array
    line: Array
    damping: Array
    sigma: Array
    q_max: float
    q_min: float

    @property
    def n_points(self) -> int:
        """Independent points."""
        return int(self.whiten.shape[0])

    def transform(self, shells: Array) -> Array:
        """F(Q) of shells (rows: distance, ln sigma, area), shape (n_q, k)."""
        d, s2 = shells[:, 0], np.exp(2.0 * shells[:, 1])
        envelope = np.exp(-0.5 * np.outer(self.q**2, s2)) * (shells[:, 2] / d)
        return np.asarray(envelope * np.sin(np.outer(self.q, d)))

    def slopes(self, shells: Array) -> Array:
        """Differentiate F(Q) to distance, ln sigma and area of each shell, shape (n_q, 3 k)."""
        d, s2, area = shells[:, 0], np.exp(2.0 * shells[:, 1]), shells[:, 2]
        phase = np.outer(self.q, d)
        envelope = np.exp(-0.5 * np.outer(self.q**2, s2)) / d
        sines, cosines = np.sin(phase), np.cos(phase)
        to_d = area * envelope * (self.q[:, None] * cosines - sines / d)
        to_width = -np.outer(self.q**2, s2) * area * envelope * sines
        return np.stack([to_d, to_width, envelope * sines], axis=2).reshape(self.q.size, -1)

    def curves(self, shells: Array) -> Array:
        """G of each shell at ``r``, shape (n, k)."""
        return np.asarray(self.damping[:, None] * (self.kernel @ self.transform(shells)))


def peak_space(
    gr: GR,
    *,
    r_range: tuple[float, float],
    q_max: float,
    q_min: float,
    window: Window | None,
    number_density: float | None,
    floor: float,
) -> PeakSpace:
    """Prepare the search for shells.

    Parameters
    ----------
    gr
        With ``sigma`` or ``cov``.
    r_range
        Data that are used, angstrom.
    q_max, q_min, window
        Of the transform that made the data.
    number_density
        Atoms per cubic angstrom of the line; None leaves its slope free.
    floor
        Error of the description by Gaussian shells, relative to the largest G in the range.
    """
    inside = (gr.r >= r_range[0] - 1e-9) & (gr.r <= r_range[1] + 1e-9)
    inside = _thinned(inside, gr.r, q_max)
    r, g = gr.r[inside], gr.g[inside]
    if r.size < 20 and (r.size < 2 or (r[-1] - r[0]) * q_max / np.pi < 4):
        raise DataError(
            f"G(r) has {r.size} points between {r_range[0]:g} and {r_range[1]:g} angstrom",
            where=gr.source or gr.label or "peaks",
            do=f"choose r_range within the data, {gr.r[0]:g} to {gr.r[-1]:g}",
        )
    size = float(np.max(np.abs(g)))
    if not size > 0:
        raise DataError(
            "G(r) is zero in the whole range", where=gr.source or gr.label or "peaks", do="check the columns"
        )
    modes = pdf_modes(r, q_range=(0.0, q_max))
    band = pdf_band(r, q_range=(0.0, q_max))
    cov = band_covariance(gr, inside, band)
    extra = (floor * size) ** 2 / float(np.mean(np.diag(band)))
    small = modes.T @ cov @ modes + extra * np.eye(modes.shape[1])
    whiten = solve_triangular(np.linalg.cholesky(small), modes.T, lower=True)
    q, weight = gauss_nodes(0.0, q_max, r_total=2.0 * (r_range[1] + _BEYOND))
    kernel = sine_kernel(q, weight * window_values(q, q_max=q_max, window=window), r)
    damping = np.exp(-0.5 * (r * (gr.q_damp or 0.0)) ** 2)
    line, background = _background(r, size, q_range=(q_min, q_max), number_density=number_density)
    return PeakSpace(
        r=r, g=g, q=q, kernel=kernel, whiten=whiten, target=whiten @ (g - line), background=background,
        line=line, damping=damping, sigma=np.sqrt(np.diag(cov) + (floor * size) ** 2), q_max=q_max,
        q_min=q_min,
    )  # fmt: skip


def _thinned(inside: Array, r: Array, q_max: float) -> Array:
    """Give indices of the points in the range; of a fine grid only as many as the band can tell apart."""
    at = np.flatnonzero(inside)
    step = float(r[1] - r[0]) if r.size > 1 else 1.0
    return np.asarray(at[:: max(1, int(np.pi / (6.0 * q_max) / step))])


def _background(
    r: Array, size: float, *, q_range: tuple[float, float], number_density: float | None
) -> tuple[Array, Array]:
    """Give the expected background, and its uncertain parts, each with a prior of mean 0 and variance 1."""
    q_min, q_max = q_range
    line = -4.0 * np.pi * (number_density or 0.0) * r
    columns = [_LINE * line if number_density is not None else size * r / float(r[-1])]
    # A reduction errs most where F(Q) ends, which only makes ripples.
    columns += [_END * size * np.sin((q_max - k * np.pi / (2.0 * r[-1])) * r) for k in range(3)]
    if q_min > 0:
        x, w = np.polynomial.legendre.leggauss(16)
        q, w = q_min * (x + 1.0) / 2.0, w * q_min / 2.0
        unit = _MISSING if number_density is not None else size
        for shape in (q, q * (2.0 * q / q_min - 1.0)):
            columns.append(unit * (2.0 / np.pi) * np.sin(np.outer(r, q)) @ (w * shape))
    return line, np.stack(columns, axis=1)


def band_covariance(gr: GR, at: Array, band: Array) -> Array:
    """Covariance at some points: as stated, or that of noise within the band with the stated ``sigma``.

    Parameters
    ----------
    gr
        With errors.
    at
        Indices of the points, shape (n,).
    band
        Kernel of the band at them, from `shortrange.numeric.bands.pdf_band`, shape (n, n).

    Raises
    ------
    DataError
        If there are no errors at all.
    """
    if gr.cov is not None:
        return np.asarray(gr.cov[np.ix_(at, at)])
    if gr.sigma is None:
        raise DataError(
            "G(r) has no errors",
            where=gr.source or gr.label or "peaks",
            do="estimate them with estimate_noise",
        )
    return noise_in_band(gr.sigma[at], band)
