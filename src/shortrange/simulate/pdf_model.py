r"""G(r) of an ensemble from its pair histograms: the Debye sum over pairs, with Q-dependent form factors.

For each unordered pair of species ab, with N atoms in a frame and n_ab(r) pairs at r,

.. math::
    F(Q) = \sum_{ab} \frac{\mathrm{Re}\,f_a f_b^*}{|\langle f\rangle|^2} e^{-Q^2 (U_a + U_b) / 2}
           \frac{2}{N} \sum_r [n_{ab}(r) - n^0_{ab}(r)] \frac{\sin Q r}{r}, \qquad
    G(r) = \frac{2}{\pi} \int_{Q_{min}}^{Q_{max}} F(Q) M(Q) \sin(Q r)\,dQ \; e^{-(r Q_{damp})^2 / 2}

n0 is the count of the same atoms without order (the baseline -4 pi r rho0; none for a molecule). The
difference is switched off by half a cosine over the last `TAPER` angstrom of the histogram: F(Q) converges.
Peaks carry 1 / r_ij, as in the Debye equation and diffpy.srreal (PDFfit2 writes 1 / r: up to 2.5 % apart).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from shortrange.errors import DataError
from shortrange.numeric.sine import Window, gauss_nodes, kept_kernel, window_values
from shortrange.simulate.pairs import PairHistograms, bin_transform
from shortrange.simulate.pdf_peaks import Shape, Widths
from shortrange.simulate.pdf_sums import (
    broad_signal,
    check_ranges,
    damping,
    run_means,
    signal,
    tabulate,
)
from shortrange.simulate.pdf_weights import Weights, pair_weights

__all__ = ["PdfModel"]

Array = NDArray[Any]

_MAX_STRETCH = 0.1
_PLAIN = Widths()


@dataclass(frozen=True, slots=True, eq=False)
class PdfModel:
    """G(r) of one ensemble as a fast function of what a refinement floats.

    Parameters
    ----------
    histograms
        From `shortrange.simulate.pairs.pair_histograms`.
    r
        Where G is wanted, angstrom, shape (n_r,); up to the end of the histogram less `TAPER`.
    q_min, q_max
        Range of F(Q) that is transformed, 1/angstrom.
    weights, energy
        See `pair_weights`.
    window
        None or ``"lorch"``.
    diameter
        Of the ball that the sample consists of, angstrom; or a function of r, see
        `shortrange.simulate.pdf_peaks.kept_pairs`; None is without end. Pairs and baseline are multiplied by
        it before the range of Q is cut, as in PDFfit2.

    Raises
    ------
    DataError
        If the ranges are impossible or reach beyond the histograms.
    """

    histograms: PairHistograms
    r: Array
    q_max: float
    q_min: float = 0.0
    weights: Weights | Mapping[str, float] = "xray"
    energy: float | None = None
    window: Window | None = None
    diameter: Shape = None
    _q: Array = field(init=False, repr=False)
    _kernel: Array = field(init=False, repr=False)
    _pair_weights: Array = field(init=False, repr=False)
    _table: BSpline = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_ranges(self.histograms, self.r, self.q_min, self.q_max)
        q, w = gauss_nodes(
            self.q_min, self.q_max, r_total=self.histograms.r_max * (1 + _MAX_STRETCH) + float(np.max(self.r))
        )
        modified = w * window_values(q, q_max=self.q_max, window=self.window)
        put = object.__setattr__
        put(self, "_q", q)
        put(self, "_kernel", kept_kernel(q, modified, self.r))
        put(self, "_pair_weights", pair_weights(self.histograms, q, weights=self.weights, energy=self.energy))
        put(self, "_table", tabulate(self.histograms, self.q_max * (1 + _MAX_STRETCH)))

    def __call__(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
        widths: Widths = _PLAIN,
    ) -> Array:
        """G at ``r``, angstrom^-2, shape (n_r,).

        Parameters
        ----------
        stretch
            All distances times ``1 + stretch``.
        u_iso
            Added to the mean square displacement of each atom along a direction, angstrom^2; one number, or
            one for each element. May be negative (sharper than the snapshots).
        q_damp
            Resolution, 1/angstrom: G times exp(-(r q_damp)^2 / 2), as PDFgui.
        scale
            Factor of G.
        widths
            Correlated motion and Qbroad: these modify the width that ``u_iso`` gives, which must then be
            above zero, and cost some milliseconds a call.
        """
        f = self._scattered(stretch, u_iso, widths).sum(axis=0)
        return np.asarray(scale * self._envelope(q_damp) * (self._kernel @ f))

    def contributions(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
        widths: Widths = _PLAIN,
    ) -> dict[str, Array]:
        """Parts of G by pair of species; they add up to G. Parameters as for a call."""
        f = self._scattered(stretch, u_iso, widths)
        parts = f @ self._kernel.T * (scale * self._envelope(q_damp))
        return dict(zip(self.names, parts, strict=True))

    def frames(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
        widths: Widths = _PLAIN,
        groups: int | None = None,
    ) -> Array:
        """G of each run of frames of the histograms, or of ``groups`` longer ones, shape (n, n_r)."""
        counts = self.histograms.counts if groups is None else run_means(self.histograms, groups)
        if widths or self.diameter is not None:
            each = [
                (self._pair_weights * self._broad(x, self._q, stretch, u_iso, widths)).sum(axis=0)
                for x in counts.astype(float)
            ]
            return np.asarray(np.array(each) @ self._kernel.T * (scale * self._envelope(q_damp)))
        waves = signal(self.histograms, counts)
        q = self._q * (1 + stretch)
        sines = kept_kernel(q, np.full(q.size, np.pi / 2), self.histograms.r)
        spread = bin_transform(q, self.histograms.r_step)
        base = signal(self.histograms, None) @ sines
        sines = sines.astype(counts.dtype)  # products of mixed precision bypass BLAS
        weighted = self._weighted(u_iso) / (1 + stretch)
        f = np.zeros((counts.shape[0], self._q.size))
        for p in range(weighted.shape[0]):
            f += weighted[p] * ((waves[:, p] @ sines) / spread - base[p])
        return np.asarray(f @ self._kernel.T * (scale * self._envelope(q_damp)))

    def spread_derivatives(
        self,
        shells: Mapping[str, tuple[float, float]],
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
    ) -> dict[str, Array]:
        """Differentiate G with the relative spread of the distances of each shell about their mean.

        Every distance is lengthened by its difference from the mean of its shell, which stays.

        Parameters
        ----------
        shells
            Pair to the range of its distances, angstrom.
        stretch, u_iso, q_damp, scale
            Where, as for a call.

        Returns
        -------
        dict
            Pair to dG / d spread, angstrom^-2, shape (n_r,).
        """
        q, h = self._q * (1 + stretch), self.histograms
        weighted, counted = self._weighted(u_iso), h.mean_counts()
        mean = signal(h, counted[None])[0]
        factor = scale * self._envelope(q_damp)
        out = {}
        for pair, (lo, hi) in shells.items():
            p, inside = h.index(pair), (h.r >= lo) & (h.r <= hi)
            r, x, n = h.r[inside], mean[p][inside], counted[p][inside]
            off = r - n @ r / max(float(n.sum()), 1e-300)
            phase = np.outer(r, q)
            moved = (x * off) @ (q[None] * np.cos(phase) - np.sin(phase) / r[:, None])
            moved /= bin_transform(q, h.r_step)
            out[pair] = factor * (self._kernel @ (weighted[p] / (1 + stretch) * moved))
        return out

    @property
    def names(self) -> tuple[str, ...]:
        """Pairs as ``"Ta-Cl"``, in the order of the histograms."""
        return tuple(f"{a}-{b}" for a, b in self.histograms.pairs)

    def structure(
        self, q: Array, *, u_iso: float | Mapping[str, float] = 0.0, widths: Widths = _PLAIN
    ) -> Array:
        """F(Q) of the ensemble at any ``q`` up to ``q_max``, shape (n_q,)."""
        w = pair_weights(self.histograms, q, weights=self.weights, energy=self.energy)
        if widths or self.diameter is not None:
            mean = self.histograms.mean_counts()
            return np.asarray((w * self._broad(mean, q, 0.0, u_iso, widths)).sum(axis=0))
        return np.asarray((w * damping(self.histograms, q, u_iso) * self._table(q)).sum(axis=0))

    def derivatives(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
    ) -> dict[str, Array]:
        """Differentiate G by ``"scale"``, ``"stretch"``, ``"u_iso"`` (of all elements) and ``"q_damp"``.

        Parameters as for a call, without `Widths` and for an endless sample; each of shape (n_r,).

        Raises
        ------
        DataError
            For a model with a diameter.
        """
        if self.diameter is not None:
            raise DataError(
                "derivatives of a model with a diameter", where="PdfModel", do="use finite differences"
            )
        weighted, table = self._weighted(u_iso), self._debye(stretch)
        moved = self._table.derivative()(self._q * (1 + stretch)) * self._q / (1 + stretch)
        f = np.array(
            [
                (weighted * table).sum(axis=0),
                (weighted * (moved - table / (1 + stretch))).sum(axis=0),
                (weighted * table).sum(axis=0) * -(self._q**2),
            ]
        )
        g, stretched, broadened = f @ self._kernel.T * self._envelope(q_damp)
        return {
            "scale": g,
            "stretch": scale * stretched,
            "u_iso": scale * broadened,
            "q_damp": -scale * q_damp * self.r**2 * g,
        }

    def _scattered(self, stretch: float, u_iso: float | Mapping[str, float], widths: Widths) -> Array:
        """Weighted F of each pair on the nodes, (n_pairs, n_q)."""
        if widths or self.diameter is not None:
            mean = self.histograms.mean_counts()
            return np.asarray(self._pair_weights * self._broad(mean, self._q, stretch, u_iso, widths))
        return np.asarray(self._weighted(u_iso) * self._debye(stretch))

    def _broad(
        self, counts: Array, q: Array, stretch: float, u_iso: float | Mapping[str, float], widths: Widths
    ) -> Array:
        _check_stretch(stretch)
        return broad_signal(
            self.histograms, counts, q, u_iso=u_iso, widths=widths, stretch=stretch, shape=self.diameter
        )

    def _debye(self, stretch: float) -> Array:
        _check_stretch(stretch)
        return np.asarray(self._table(self._q * (1 + stretch)) / (1 + stretch))

    def _weighted(self, u_iso: float | Mapping[str, float]) -> Array:
        return np.asarray(self._pair_weights * damping(self.histograms, self._q, u_iso))

    def _envelope(self, q_damp: float) -> Array:
        return np.exp(-0.5 * (self.r * q_damp) ** 2)


def _check_stretch(stretch: float) -> None:
    if not abs(stretch) <= _MAX_STRETCH:
        raise DataError(
            f"stretch = {stretch:.3g}",
            where="PdfModel",
            do=f"distances are tabulated to +-{_MAX_STRETCH:.0%}",
        )
