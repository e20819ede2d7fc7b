"""Total scattering: from a pattern to G(r), and every model's G(r) beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shortrange.atoms import atomic_number
from shortrange.compare.theory_error import PDF_THEORY_ERROR
from shortrange.config import Sample, TotalScatteringMeasurement
from shortrange.errors import DataError
from shortrange.fit.modes import pdf_modes
from shortrange.fit.parameters import Parameter, changed
from shortrange.fit.pdf_term import PDF_PARAMETERS, arbitrary_scale, pdf_term
from shortrange.fit.term import Term, require_points
from shortrange.numeric.sine import Window
from shortrange.quantities import GR, SQ, Trajectory
from shortrange.reduce.gr_noise import estimate_noise
from shortrange.reduce.scattering import (
    ScatteringReduction,
    gr_from_sq,
    reduce_scattering,
    shortest_distance,
)
from shortrange.run.comparison import Comparison, counted_longer
from shortrange.run.inputs import Pattern
from shortrange.run.motif_gr import MotifsInSample
from shortrange.run.motifs import from_best_angle
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.simulate.pieces import Workers
from shortrange.units import HC

__all__ = ["compare_gr", "reduce_pattern", "simulate_pairs"]

R_STEP = 0.02
R_SIMULATED = 20.0
"""Pairs are counted to here, angstrom: ripples from beyond the compared range are then in the model too."""

RIPPLE_CONTROLS = (0.85, 0.7)
"""Parts of the Q-range at which the comparison is made again: a feature that moves with Q_max is a ripple."""

FURTHER, Q_END = 1.3, 32.0
"""By which factor a larger Q_max is considered, and how far it may go, 1/angstrom."""

TRUSTED = 0.8
"""Part of half the cell width up to which a simulation box is compared: correlations near half the box are
those of its packing and its periodicity, not of its chemistry."""


def reduce_pattern(
    measurement: TotalScatteringMeasurement, pattern: Pattern, sample: Sample, *, density: float | None
) -> ScatteringReduction | GR:
    """Reduce a raw pattern to G(r), or see to the errors of a finished G(r).

    Parameters
    ----------
    measurement, pattern, sample
        From the project.
    density
        Atoms per cubic angstrom where the sample does not state it: that of the models, or None.

    Raises
    ------
    DataError
        If the pattern cannot be reduced.
    """
    if measurement.r_range is not None and measurement.q_range is not None:
        r = np.arange(measurement.r_range[0], measurement.r_range[1], R_STEP)
        points = 0 if r.size < 2 else pdf_modes(r, q_range=measurement.q_range).shape[1]
        require_points(points, len(PDF_PARAMETERS), measurement=measurement.name, ranges="r_range")
    if pattern.gr is not None:
        return _finished(measurement, pattern.gr, sample)
    if pattern.intensity is None:
        raise DataError(
            "there is no pattern", where=f"measurement {measurement.name!r}", do="name pattern or pdf"
        )
    q = pattern.intensity.q
    return reduce_scattering(
        pattern.intensity,
        background=pattern.background,
        composition=sample.atoms,
        number_density=sample.number_density or density,
        q_range=measurement.q_range or (float(q[0]), float(q[-1])),
        compton_width=measurement.compton_width,
        r=np.arange(0.0, R_SIMULATED - 1.0 + R_STEP / 2, R_STEP),
    )


def _finished(measurement: TotalScatteringMeasurement, gr: GR, sample: Sample) -> GR:
    q_range = _q_range(measurement, gr)
    if gr.cov is not None or (gr.sigma is not None and np.all(gr.sigma > 0)):
        return gr
    return estimate_noise(gr, r_cut=0.75 * shortest_distance(sample.atoms), q_range=q_range)


def _q_range(measurement: TotalScatteringMeasurement, gr: GR) -> tuple[float, float]:
    if measurement.q_range is not None:
        return measurement.q_range
    if gr.q_max is None:
        raise DataError(
            "neither the file nor the project says up to which Q the data were transformed",
            where=f"measurement {measurement.name!r}",
            do="add q_range = [q_min, q_max] in 1/angstrom to the measurement",
        )
    return (gr.q_min or 0.0, gr.q_max)


def simulate_pairs(
    measurement: TotalScatteringMeasurement,
    models: Mapping[str, Trajectory],
    *,
    tell: Callable[[str], None],
    workers: Workers | None = None,
) -> dict[str, PairHistograms]:
    """Count the pairs of every model."""
    counted = {}
    for name, snapshots in models.items():
        tell(f"simulate {measurement.name} of {name}")
        counted[name] = pair_histograms(snapshots, r_max=R_SIMULATED, workers=workers)
    return counted


def compare_gr(
    measurement: TotalScatteringMeasurement,
    reduction: ScatteringReduction | GR,
    histograms: Mapping[str, PairHistograms],
    *,
    motifs: MotifsInSample | None = None,
) -> Comparison:
    """State the comparison of G(r) with the simulated pairs of every model, and with every motif."""
    absolute = isinstance(reduction, ScatteringReduction)
    gr = reduction.gr if isinstance(reduction, ScatteringReduction) else reduction
    q_range = _q_range(measurement, gr)
    warnings = [
        f"{name}: its sampling error is left out, which {counted.n_frames} snapshots cannot tell"
        for name, counted in histograms.items()
        if counted.n_frames < 3
    ]
    r_range = measurement.r_range or _trusted_range(gr, histograms, motifs)
    inside = (gr.r >= r_range[0] - 1e-9) & (gr.r <= r_range[1] + 1e-9)
    if inside.sum() < 10:
        raise DataError(
            f"G(r) has {inside.sum()} points between {r_range[0]:g} and {r_range[1]:g} angstrom",
            where=f"measurement {measurement.name!r}, r_range",
            do=f"choose r_range within the data, {gr.r[0]:g} to {gr.r[-1]:g} angstrom",
        )

    def terms_of(data: GR, band: tuple[float, float], window: Window | None = None) -> dict[str, Term]:
        return _terms(
            measurement, data, histograms, motifs, absolute=absolute, r_range=r_range, q_range=band,
            window=window,
        )  # fmt: skip

    terms = terms_of(gr, q_range)
    controls = {}
    variants = _variants(measurement.name, terms)
    if isinstance(reduction, ScatteringReduction):
        beyond = (q_range[0], min(FURTHER * q_range[1], Q_END))
        if beyond[1] > q_range[1] + 1.0:
            variants[f"{measurement.name} with Q up to {beyond[1]:.0f} 1/angstrom"] = lambda: terms_of(
                gr_from_sq(_further(reduction.sq, beyond[1]), r=gr.r, q_range=beyond), beyond
            )
        for part in RIPPLE_CONTROLS:
            shorter = (q_range[0], part * q_range[1])
            controls[f"Q up to {shorter[1]:.1f} 1/angstrom"] = terms_of(
                gr_from_sq(reduction.sq, r=gr.r, q_range=shorter), shorter
            )
        controls["Lorch window"] = terms_of(
            gr_from_sq(reduction.sq, r=gr.r, q_range=q_range, window="lorch"), q_range, "lorch"
        )
    settings: dict[str, Any] = {
        "q_range": list(q_range),
        "r_range": [float(x) for x in r_range],
        "absolute_scale": absolute,
        "independent_points": int(next(iter(terms.values())).modes.shape[1]),
    }
    strengths = {name: _amplitude(counted) for name, counted in histograms.items()}
    if motifs is not None:
        warnings += motifs.doubts(r_range)
        settings |= {"surroundings": motifs.describe(r_range), "simulation": {}}
        for name, unit in motifs.units.items():
            terms[name], settings["simulation"][name], doubts = from_best_angle(
                terms[name], unit, theory_error=PDF_THEORY_ERROR
            )
            warnings += [f"{name}: {text}" for text in doubts]
        # Of motifs the metal atoms are shared out: each weighs alike.
        strengths |= dict.fromkeys(motifs.units, 1.0)
    return Comparison(
        terms=terms,
        theory_error=PDF_THEORY_ERROR,
        settings=settings,
        warnings=tuple(warnings),
        strengths=strengths,
        variants=variants,
        controls=controls,
    )


def _variants(name: str, terms: Mapping[str, Term]) -> dict[str, Callable[[], Mapping[str, Term]]]:
    """Return the same measurement as it is, and counted longer."""
    return {
        f"{name} as it is": lambda: terms,
        f"{name} with four times the counting time": lambda: counted_longer(terms, 4.0),
    }


def _further(sq: SQ, end: float) -> SQ:
    """Return S(Q) up to a higher Q, with the noise of the last quarter going on, and without signal."""
    step = float(np.median(np.diff(sq.q)))
    more = np.arange(sq.q[-1] + step, end + step / 2, step)
    sigma = np.zeros(sq.q.size) if sq.sigma is None else sq.sigma
    late = sq.q > sq.q[0] + 0.75 * (sq.q[-1] - sq.q[0])
    noise = float(np.median((sq.q * sigma)[late]))
    return SQ(
        q=np.concatenate([sq.q, more]),
        s=np.concatenate([sq.s, np.ones(more.size)]),
        sigma=np.concatenate([sigma, noise / more]),
        composition=sq.composition,
        number_density=sq.number_density,
    )


def _amplitude(counted: PairHistograms) -> float:
    """Mean number of electrons of an atom: how strongly it scatters at Q = 0."""
    return sum(n * atomic_number(s) for s, n in counted.species.items()) / counted.n_atoms


def _terms(
    measurement: TotalScatteringMeasurement,
    gr: GR,
    histograms: Mapping[str, PairHistograms],
    motifs: MotifsInSample | None,
    *,
    absolute: bool,
    r_range: tuple[float, float],
    q_range: tuple[float, float],
    window: Window | None = None,
) -> dict[str, Term]:
    inside = (gr.r >= r_range[0] - 1e-9) & (gr.r <= r_range[1] + 1e-9)
    energy = HC / measurement.wavelength if measurement.wavelength else None
    models = {
        name: PdfModel(counted, gr.r[inside], q_range[1], q_range[0], energy=energy, window=window)
        for name, counted in histograms.items()
    }
    parameters = {
        name: _parameters(measurement, still=counted.n_frames == 1) for name, counted in histograms.items()
    }
    units = {} if motifs is None else motifs.models(measurement, gr.r[inside], q_range, window)
    scale = PDF_PARAMETERS[0]
    if not absolute:
        # One prior for all models: the scale is the data's, not the model's.
        scales = [_scale(gr.g[inside], model, parameters[name]) for name, model in models.items()]
        if motifs is not None:
            scales += motifs.scales(gr.g[inside], units, q_range, window)
        estimate = float(np.median(scales))
        parameters = {name: arbitrary_scale(p, estimate=estimate) for name, p in parameters.items()}
        scale = arbitrary_scale(PDF_PARAMETERS, estimate=estimate)[0]
    terms = {
        name: pdf_term(
            gr,
            model,
            measurement=measurement.name,
            r_range=r_range,
            q_range=q_range,
            parameters=parameters[name],
        )
        for name, model in models.items()
    }
    if motifs is None:
        return terms
    return terms | motifs.terms(measurement, gr, units, q_range=q_range, window=window, scale=scale)


def _trusted_range(
    gr: GR, histograms: Mapping[str, PairHistograms], motifs: MotifsInSample | None
) -> tuple[float, float]:
    """From below the shortest distance of any model to where the smallest box, or a motif, can be trusted."""
    shortest = [float(h.r[np.flatnonzero(h.counts.sum(axis=(0, 1)))[0]]) for h in histograms.values()]
    # The foot of the first peak: half a resolution element beside the shortest distance itself.
    lows = [each - 0.15 for each in shortest]
    boxes = [h.half_width for h in histograms.values() if h.half_width is not None and h.n_frames > 1]
    highs = [TRUSTED * width for width in boxes]
    if motifs is not None:
        lows, highs = [*lows, motifs.r_range[0]], [*highs, motifs.r_range[1]]
    low, high = max(float(gr.r[0]), min(lows)), min(highs, default=10.0)
    return (round(low, 2), round(min(high, float(gr.r[-1]), R_SIMULATED - 1.5), 2))


def _parameters(measurement: TotalScatteringMeasurement, *, still: bool) -> tuple[Parameter, ...]:
    parameters: tuple[Parameter, ...] = PDF_PARAMETERS
    if still:
        # A crystal or a molecule at rest lacks the thermal motion that snapshots have.
        parameters = changed(parameters, "delta_u", value=0.008, lower=0.0, upper=0.05, prior=(0.01, 0.01))
    if measurement.qdamp is not None:
        # Known from a standard, to a tenth.
        known = max(measurement.qdamp, 1e-3)
        parameters = changed(
            parameters,
            "q_damp",
            value=known,
            lower=0.0,
            upper=max(0.12, 2 * known),
            prior=(known, 0.1 * known),
        )
    return parameters


def _scale(g: np.ndarray, model: PdfModel, parameters: tuple[Parameter, ...]) -> float:
    """Least-squares scale of a model at the start of its fit."""
    _, q_damp, delta_u, stretch = (p.value for p in parameters)
    simulated = model(q_damp=q_damp, u_iso=delta_u, stretch=stretch)
    return max(float(simulated @ g) / float(simulated @ simulated), 1e-3)
