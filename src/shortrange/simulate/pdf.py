"""G(r) of an ensemble of snapshots with its sampling error and its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.history import marked
from shortrange.numeric.blocking import standard_error, variance_of_mean
from shortrange.numeric.sine import Window
from shortrange.quantities import GR, Step, step
from shortrange.shown import Shown
from shortrange.simulate.pairs import PairHistograms
from shortrange.simulate.pdf_model import PdfModel
from shortrange.simulate.pdf_peaks import Shape, Widths, kept_pairs
from shortrange.simulate.pdf_sums import (
    TAPER,
)
from shortrange.simulate.pdf_weights import Weights

__all__ = ["TAPER", "PdfModel", "SimulatedGR", "simulate_gr"]

Array = NDArray[Any]

_GROUPS = 64  # runs of frames whose scatter gives the error of the mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedGR(Shown):
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
    per_run
        G of each run of frames (single frames, if there are fewer than 256), shape (n_runs, n_r), or None.
    correlation
        Time lag in frames and autocorrelation of G at that lag, averaged over r, shape (n, 2); 1 at lag 0.
        None for fewer than 16 runs of frames.
    convergence
        Number of frames from the start, and the rms over r of the standard error of their mean G,
        angstrom^-2, shape (n, 2); None for fewer than 8 frames.
    history
        As of ``gr``.
    """

    gr: GR
    contributions: Mapping[str, Array]
    partial_g: Mapping[str, Array]
    q: Array
    f_q: Array
    per_run: Array | None = None
    convergence: Array | None = None
    correlation: Array | None = None
    history: tuple[Step, ...] = ()


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
    q_broad: float = 0.0,
    delta1: float = 0.0,
    delta2: float = 0.0,
    diameter: Shape = None,
    small_angle: tuple[Callable[[Array], Array], float] | None = None,
    per_run: bool = False,
) -> SimulatedGR:
    r"""G(r) of an ensemble with its sampling error and its parts.

    Parameters
    ----------
    histograms
        From `shortrange.simulate.pairs.pair_histograms`.
    r, q_min, q_max, weights, energy, window
        See `PdfModel`.
    q_damp, u_iso, stretch
        See `PdfModel.__call__`.
    q_broad, delta1, delta2
        Peak widths that vary with distance, 1/angstrom, angstrom, angstrom^2: see `Widths`. They modify the
        width that ``u_iso`` gives, never that of the snapshots.
    diameter
        Of the ball that the sample consists of, angstrom; or the shape of another particle as a function of
        r, see `shortrange.simulate.pdf_peaks.kept_pairs`.
    small_angle
        Of a cluster without a cell: its characteristic function gamma(r), see `shapes.characteristic`, and
        the number density inside, atoms per cubic angstrom. What small angles make of its form,
        :math:`4 \pi r \rho_0 \gamma(r)` (Farrow and Billinge 2009), is then subtracted: measurements start
        beyond them. It is the part ``"small angle"`` of the contributions.
    per_run
        Also return G of each run of frames.

    Returns
    -------
    SimulatedGR

    Raises
    ------
    DataError
        If the ranges are impossible or reach beyond the histograms, widths are to vary but are zero, or a
        small-angle part is to be taken from a crystal, or from an F(Q) that does not hold it.
    """
    r = np.asarray(r, dtype=float)
    widths = Widths(q_broad=q_broad, delta1=delta1, delta2=delta2)
    _check_particle(diameter, widths, u_iso)
    model = PdfModel(histograms, r, q_max, q_min, weights, energy, window, diameter)
    parts = model.contributions(stretch=stretch, u_iso=u_iso, q_damp=q_damp, widths=widths)
    small = _small_angle(histograms, r, small_angle, q_min) * np.exp(-0.5 * (r * q_damp) ** 2)
    if small_angle is not None:
        parts["small angle"] = -small
    cov: Array | None = None
    convergence: Array | None = None
    correlation: Array | None = None
    how: dict[str, Any] = {"method": "one frame: unknown"}
    if histograms.n_frames > 1:
        groups = min(histograms.n_runs, _GROUPS)
        g = model.frames(stretch=stretch, u_iso=u_iso, q_damp=q_damp, widths=widths, groups=groups)
        cov, inflation = standard_error(g)
        convergence = _convergence(g, histograms.n_frames)
        correlation = _correlation(g, histograms.n_frames)
        how = {"method": "scatter of runs of frames, blocked", "runs": groups, "inflation": inflation}
    named = weights if isinstance(weights, str) else dict(weights)
    done = step(
        "simulate G(r)", q_min=q_min, q_max=q_max, q_damp=q_damp, u_iso=_plain(u_iso), stretch=stretch,
        weights=named, energy=energy, window=window, q_broad=q_broad, delta1=delta1, delta2=delta2,
        diameter="a function of r" if callable(diameter) else diameter, taper=TAPER, sampling_error=how,
        small_angle=None if small_angle is None else {"density": small_angle[1]},
    )  # fmt: skip
    history = (*histograms.history, done, *_doubts(histograms, r))
    sigma = None if cov is None else np.sqrt(np.diag(cov))
    gr = GR(
        r=r, g=np.sum(list(parts.values()), axis=0), sigma=sigma, cov=cov, q_min=q_min, q_max=q_max,
        q_damp=q_damp or None, composition=histograms.species, number_density=histograms.number_density,
        source=histograms.source, label=histograms.label, history=marked(history),
    )  # fmt: skip
    q = np.arange(max(q_min, 0.02), q_max + 1e-9, 0.02)
    each = None
    if per_run:
        each = model.frames(stretch=stretch, u_iso=u_iso, q_damp=q_damp, widths=widths) - small
    return SimulatedGR(
        gr=gr, contributions=parts, partial_g=histograms.partial_g(r), q=q,
        f_q=model.structure(q, u_iso=u_iso, widths=widths), per_run=each,
        convergence=convergence, correlation=correlation, history=history,
    )  # fmt: skip


def _small_angle(
    h: PairHistograms, r: Array, of: tuple[Callable[[Array], Array], float] | None, q_min: float
) -> Array:
    if of is None:
        return np.zeros_like(r)
    shape, density = of
    if h.number_density is not None:
        raise DataError(
            "the small-angle part of a crystal, which has none", where="small_angle",
            do="give the form of its particles as diameter",
        )  # fmt: skip
    if q_min > 0 or not 0 < density < np.inf:
        raise DataError(
            f"a small-angle part with q_min = {q_min:g} and a density of {density:g}", where="small_angle",
            do="give q_min = 0, since F(Q) from q_min on does not hold it, and a density above zero",
        )  # fmt: skip
    return np.asarray(4 * np.pi * r * density * kept_pairs(shape, r))


def _convergence(g: Array, n_frames: int) -> Array | None:
    """Rms standard error against number of frames, doubled from 8 runs to all; of means of equal runs."""
    sizes = [n for n in (8, 16, 32, 64) if n < len(g)]
    if len(g) >= 8:
        sizes.append(len(g))
    rows = [(n * n_frames / len(g), np.sqrt(np.mean(variance_of_mean(g[:n])))) for n in sizes]
    return np.array(rows) if rows else None


def _correlation(g: Array, n_frames: int) -> Array | None:
    """Autocorrelation of the deviations from the mean, against frames; lags up to a quarter of the run."""
    n = len(g)
    if n < 16:
        return None
    off = g - g.mean(axis=0)
    products = off @ off.T
    at = [np.trace(products, lag) / (n - lag) for lag in range(n // 4)]
    return np.column_stack([np.arange(n // 4) * n_frames / n, np.array(at) / at[0]]) if at[0] > 0 else None


def _check_particle(diameter: Shape, widths: Widths, u_iso: float | Mapping[str, float]) -> None:
    if diameter is not None and not callable(diameter) and not 0 < diameter < np.inf:
        raise DataError(f"diameter = {diameter}", where="simulate_gr", do="give angstroms above zero")
    least = min(u_iso.values(), default=0.0) if isinstance(u_iso, Mapping) else u_iso
    if widths and not least > 0:
        raise DataError(
            f"q_broad, delta1 and delta2 modify the width that u_iso gives, which is {least:g}",
            where="simulate_gr", do="give u_iso above zero; the motion in snapshots needs no correction",
        )  # fmt: skip


def _plain(u_iso: float | Mapping[str, float]) -> float | dict[str, float]:
    return dict(u_iso) if isinstance(u_iso, Mapping) else float(u_iso)


def _doubts(h: PairHistograms, r: Array) -> tuple[Step, ...]:
    # A crystal of one frame repeats itself truly; a simulation box does so only by construction.
    if h.half_width is None or h.n_frames == 1 or np.max(r) <= h.half_width:
        return ()
    return (
        step(
            "warning: beyond half the cell, pairs repeat those of the periodic images, and each atom makes a"
            " sharp peak with its own image at a whole cell",
            half_width=round(h.half_width, 4),
        ),
    )
