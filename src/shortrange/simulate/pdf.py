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
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.interpolate import CubicSpline

from shortrange.errors import DataError
from shortrange.numeric.blocking import standard_error
from shortrange.numeric.sine import Window, cosine_taper, gauss_nodes, sine_kernel, window_values
from shortrange.quantities import GR, Step, step
from shortrange.simulate.pairs import PairHistograms, bin_transform
from shortrange.simulate.pdf_weights import Weights, pair_weights

__all__ = ["TAPER", "PdfModel", "SimulatedGR", "simulate_gr"]

Array = NDArray[Any]

TAPER = 1.0
"""Width in angstrom of the switch at the end of a periodic histogram."""

_MAX_STRETCH = 0.1
_GROUPS = 64  # runs of frames whose scatter gives the error of the mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedGR:
    """G(r) of an ensemble.

    Attributes
    ----------
    gr
        Ensemble mean; ``sigma`` and ``cov`` are the sampling error of that mean, None for a single frame.
    contributions
        Weighted partial G of each pair such as ``"Ta-Cl"``, angstrom^-2, shape (n_r,); their sum is ``gr.g``.
    partial_g
        Faber-Ziman g_ab(r) of the frames as they are (no broadening, no Q range), averaged between the
        midpoints of ``gr.r``, shape (n_r,); empty for a molecule.
    q, f_q
        1/angstrom, shape (n_q,), and F(Q) = Q [S(Q) - 1] before the window.
    per_frame
        G of each frame, shape (n_frames, n_r), or None.
    history
        As of ``gr``.
    """

    gr: GR
    contributions: Mapping[str, Array]
    partial_g: Mapping[str, Array]
    q: Array
    f_q: Array
    per_frame: Array | None = None
    history: tuple[Step, ...] = ()


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
    _q: Array = field(init=False, repr=False)
    _kernel: Array = field(init=False, repr=False)
    _pair_weights: Array = field(init=False, repr=False)
    _table: CubicSpline = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_ranges(self.histograms, self.r, self.q_min, self.q_max)
        q, w = gauss_nodes(
            self.q_min, self.q_max, r_total=self.histograms.r_max * (1 + _MAX_STRETCH) + float(np.max(self.r))
        )
        modified = w * window_values(q, q_max=self.q_max, window=self.window)
        put = object.__setattr__
        put(self, "_q", q)
        put(self, "_kernel", sine_kernel(q, modified, self.r))
        put(self, "_pair_weights", pair_weights(self.histograms, q, weights=self.weights, energy=self.energy))
        put(self, "_table", _tabulate(self.histograms, self.q_max * (1 + _MAX_STRETCH)))

    def __call__(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
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
        """
        f = (self._weighted(u_iso) * self._debye(stretch)).sum(axis=0)
        return np.asarray(scale * self._envelope(q_damp) * (self._kernel @ f))

    def contributions(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
    ) -> dict[str, Array]:
        """Parts of G by pair of species; they add up to G. Parameters as for a call."""
        parts = (
            (self._weighted(u_iso) * self._debye(stretch)) @ self._kernel.T * (scale * self._envelope(q_damp))
        )
        return dict(zip(self.names, parts, strict=True))

    def frames(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
        groups: int | None = None,
    ) -> Array:
        """G of each frame, or of ``groups`` runs of consecutive frames, shape (n, n_r)."""
        counts = self.histograms.counts if groups is None else _run_means(self.histograms.counts, groups)
        signal = _signal(self.histograms, counts)
        sines = np.sin(np.outer(self.histograms.r, self._q * (1 + stretch)))
        spread = bin_transform(self._q * (1 + stretch), self.histograms.r_step)
        base = _signal(self.histograms, None) @ sines
        sines = sines.astype(counts.dtype)  # products of mixed precision bypass BLAS
        weighted = self._weighted(u_iso) / (1 + stretch)
        f = np.zeros((counts.shape[0], self._q.size))
        for p in range(weighted.shape[0]):
            f += weighted[p] * ((signal[:, p] @ sines) / spread - base[p])
        return np.asarray(f @ self._kernel.T * (scale * self._envelope(q_damp)))

    def pair_derivatives(
        self,
        *,
        stretch: float = 0.0,
        u_iso: float | Mapping[str, float] = 0.0,
        q_damp: float = 0.0,
        scale: float = 1.0,
        shells: Mapping[str, tuple[float, float]] | None = None,
    ) -> dict[str, tuple[Array, Array]]:
        """Differentiate G with respect to the distance, and to its variance, of each pair of species.

        Parameters
        ----------
        stretch, u_iso, q_damp, scale
            Where, as for a call.
        shells
            For a pair: only its distances between these two (angstrom) move or broaden, such as the bonds
            alone: ``{"Ta-Cl": (1.9, 3.0)}``. Pairs that are left out move as a whole, against the baseline.

        Returns
        -------
        dict
            Pair to (dG / d distance, angstrom^-3; dG / d sigma2 of the distance, angstrom^-4), each (n_r,).
        """
        q, h = self._q, self.histograms
        mean = _signal(h, h.counts.mean(axis=0, dtype=float)[None])[0]
        base = _signal(h, None)
        phase = np.outer(h.r, q * (1 + stretch))
        sines, cosines = np.sin(phase), np.cos(phase)
        spread = bin_transform(q * (1 + stretch), h.r_step)
        inverse = 1.0 / np.maximum(h.r, h.r_step)
        weighted = self._weighted(u_iso) / (1 + stretch)
        out = {}
        for p, name in enumerate(self.names):
            part, order = _shell(h, p, shells), base[p]
            if part is not None:
                order = np.zeros_like(order)
            x = mean[p] if part is None else mean[p] * part
            moved = ((x @ cosines) / spread - order @ cosines) * q * (1 + stretch)
            moved -= ((x * inverse) @ sines) / spread - (order * inverse) @ sines
            broadened = -0.5 * q**2 * ((x @ sines) / spread - order @ sines)
            factor = scale * self._envelope(q_damp)
            out[name] = (
                factor * (self._kernel @ (weighted[p] * moved / (1 + stretch))),
                factor * (self._kernel @ (weighted[p] * broadened)),
            )
        return out

    @property
    def names(self) -> tuple[str, ...]:
        """Pairs as ``"Ta-Cl"``, in the order of the histograms."""
        return tuple(f"{a}-{b}" for a, b in self.histograms.pairs)

    def structure(self, q: Array, *, u_iso: float | Mapping[str, float] = 0.0) -> Array:
        """F(Q) of the ensemble at any ``q`` up to ``q_max``, shape (n_q,)."""
        w = pair_weights(self.histograms, q, weights=self.weights, energy=self.energy)
        return np.asarray((w * _damping(self.histograms, q, u_iso) * self._table(q)).sum(axis=0))

    def _debye(self, stretch: float) -> Array:
        if not abs(stretch) <= _MAX_STRETCH:
            raise DataError(
                f"stretch = {stretch:.3g}",
                where="PdfModel",
                do=f"distances are tabulated to +-{_MAX_STRETCH:.0%}",
            )
        return np.asarray(self._table(self._q * (1 + stretch)) / (1 + stretch))

    def _weighted(self, u_iso: float | Mapping[str, float]) -> Array:
        return np.asarray(self._pair_weights * _damping(self.histograms, self._q, u_iso))

    def _envelope(self, q_damp: float) -> Array:
        return np.exp(-0.5 * (self.r * q_damp) ** 2)


def simulate_gr(
    histograms: PairHistograms,
    *,
    r: Array,
    q_max: float,
    q_min: float = 0.0,
    q_damp: float = 0.0,
    u_iso: float | Mapping[str, float] = 0.0,
    stretch: float = 0.0,
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    window: Window | None = None,
    per_frame: bool = False,
) -> SimulatedGR:
    """G(r) of an ensemble with its sampling error and its parts.

    Parameters
    ----------
    histograms
        From `shortrange.simulate.pairs.pair_histograms`.
    r, q_min, q_max, weights, energy, window
        See `PdfModel`.
    q_damp, u_iso, stretch
        See `PdfModel.__call__`.
    per_frame
        Also return G of each frame.

    Returns
    -------
    SimulatedGR

    Raises
    ------
    DataError
        If the ranges are impossible or reach beyond the histograms.
    """
    r = np.asarray(r, dtype=float)
    model = PdfModel(histograms, r, q_max, q_min, weights, energy, window)
    parts = model.contributions(stretch=stretch, u_iso=u_iso, q_damp=q_damp)
    cov: Array | None = None
    how: dict[str, Any] = {"method": "one frame: unknown"}
    if histograms.n_frames > 1:
        groups = min(histograms.n_frames, _GROUPS)
        g = model.frames(stretch=stretch, u_iso=u_iso, q_damp=q_damp, groups=groups)
        cov, inflation = standard_error(g)
        how = {"method": "scatter of runs of frames, blocked", "runs": groups, "inflation": inflation}
    named = weights if isinstance(weights, str) else dict(weights)
    done = step(
        "simulate G(r)", q_min=q_min, q_max=q_max, q_damp=q_damp, u_iso=_plain(u_iso), stretch=stretch,
        weights=named, energy=energy, window=window, taper=TAPER, sampling_error=how,
    )  # fmt: skip
    history = (*histograms.history, done, *_doubts(histograms, r))
    sigma = None if cov is None else np.sqrt(np.diag(cov))
    gr = GR(
        r=r, g=np.sum(list(parts.values()), axis=0), sigma=sigma, cov=cov, q_min=q_min, q_max=q_max,
        q_damp=q_damp or None, composition=histograms.species, number_density=histograms.number_density,
        source=histograms.source, label=histograms.label, history=history,
    )  # fmt: skip
    q = np.arange(max(q_min, 0.02), q_max + 1e-9, 0.02)
    each = model.frames(stretch=stretch, u_iso=u_iso, q_damp=q_damp) if per_frame else None
    return SimulatedGR(
        gr=gr, contributions=parts, partial_g=histograms.partial_g(r), q=q,
        f_q=model.structure(q, u_iso=u_iso), per_frame=each, history=history,
    )  # fmt: skip


def _check_ranges(h: PairHistograms, r: Array, q_min: float, q_max: float) -> None:
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


def _signal(h: PairHistograms, counts: Array | None) -> Array:
    """2/N counts/r with the switch at the end: of ``counts`` (F, P, n_r), or of the ideal gas (P, n_r)."""
    factor = np.zeros_like(h.r)
    factor[1:] = 2.0 / (h.n_atoms * h.r[1:])
    if h.number_density is not None:
        factor *= cosine_taper(h.r, r_max=h.r_max, width=TAPER)
    if counts is None:
        return h.ideal() * factor
    return np.asarray(counts * factor.astype(counts.dtype))


def _tabulate(h: PairHistograms, q_end: float) -> CubicSpline:
    """Splines over Q of the Debye sums of all pairs; the grid follows sin(Q r_max) to 1e-6."""
    size = next_fast_len(int(np.ceil(2 * np.pi * h.r_max / (0.15 * h.r_step))), real=True)
    q = 2 * np.pi / (size * h.r_step) * np.arange(size // 2 + 1)
    last = min(int(np.searchsorted(q, q_end)) + 4, q.size)
    counted = _signal(h, h.counts.mean(axis=0, dtype=float)[None])[0]
    q = q[:last]
    sums = -rfft(counted, size, axis=1).imag[:, :last] / bin_transform(q, h.r_step)
    sums += rfft(_signal(h, None), size, axis=1).imag[:, :last]
    return CubicSpline(q, sums, axis=1)


def _damping(h: PairHistograms, q: Array, u_iso: float | Mapping[str, float]) -> Array:
    """Debye-Waller factors exp(-Q^2 (U_a + U_b) / 2), shape (n_pairs, n_q) or (1, n_q)."""
    if not isinstance(u_iso, Mapping):
        return np.exp(-(q**2) * u_iso)[None]
    missing = sorted(set(h.species) - set(u_iso))
    if missing:
        raise DataError(f"u_iso has no value for {missing}", where="u_iso", do="give one for each element")
    return np.array([np.exp(-(q**2) * (u_iso[a] + u_iso[b]) / 2) for a, b in h.pairs])


def _shell(h: PairHistograms, p: int, shells: Mapping[str, tuple[float, float]] | None) -> Array | None:
    for name, (lo, hi) in (shells or {}).items():
        if h.index(name) == p:
            return (h.r >= lo) & (h.r <= hi)
    return None


def _run_means(counts: Array, groups: int) -> Array:
    edges = np.linspace(0, counts.shape[0], min(groups, counts.shape[0]) + 1).astype(int)
    return np.stack([counts[a:b].mean(axis=0) for a, b in pairwise(edges)])


def _plain(u_iso: float | Mapping[str, float]) -> float | dict[str, float]:
    return dict(u_iso) if isinstance(u_iso, Mapping) else float(u_iso)


def _doubts(h: PairHistograms, r: Array) -> tuple[Step, ...]:
    # A crystal of one frame repeats itself truly; a simulation box does so only by construction.
    if h.half_width is None or h.n_frames == 1 or np.max(r) <= h.half_width:
        return ()
    return (
        step(
            "warning: beyond half the cell, pairs repeat those of the periodic images",
            half_width=h.half_width,
        ),
    )
