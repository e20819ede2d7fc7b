"""A total-scattering reduction as one figure and one record of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from shortrange.quantities import IQ, doubts
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.report.figures.scattering import plot_gr, plot_iq, plot_sq
from shortrange.report.plates import Plate, make_plate
from shortrange.report.style import finish, new_figure, note

__all__ = ["reduction_plate", "reduction_record"]

_ESTIMATES = ("scale", "background_scale", "air_scale", "compton_scale", "fluorescence", "number_density")


def reduction_record(reduction: ScatteringReduction, *, wavelength: float | None) -> dict[str, Any]:
    """Numbers of a reduction, for scripts; a standard error of 0 means given, not fitted.

    ``sigma_`` is half of the interval of 68 %, ``interval_`` that of 95 %.
    """
    record: dict[str, Any] = {}
    for name in _ESTIMATES:
        estimate = getattr(reduction, name)
        interval = None if estimate is None else estimate.interval
        record[name] = None if estimate is None else estimate.value
        record[f"sigma_{name}"] = None if estimate is None else estimate.sigma
        record[f"interval_{name}"] = None if interval is None else list(interval)
    transform = next(s for s in reversed(reduction.history) if s.name == "transform S(Q) to G(r)")
    return {
        **record,
        "q_min": reduction.gr.q_min,
        "q_max": reduction.gr.q_max,
        "low_r_residual": reduction.low_r_residual,
        "r_cut": reduction.r_cut,
        "smooth_order": reduction.smooth_order,
        "smooth_range": [float(reduction.smooth.min()), float(reduction.smooth.max())],
        "charges": dict(_settings(reduction).get("charges", {})),
        "compton_width": _settings(reduction).get("compton_width"),
        "window": transform.settings["window"] or "none",
        "wavelength": wavelength,
        "composition": dict(reduction.sq.composition),
        "warnings": list(doubts(reduction.history)),
    }


def _settings(reduction: ScatteringReduction) -> Any:
    return next((s.settings for s in reversed(reduction.history) if s.name == "reduce I(Q) to S(Q)"), {})


def reduction_plate(
    reduction: ScatteringReduction, iq: IQ, *, background: IQ | None, title: str, simulated: bool
) -> Plate:
    """Figure of a pattern with what was taken off it, S(Q), and G(r) with the line it follows at low r."""
    figure = new_figure(7.6)
    top, middle, bottom = figure.subplots(3, 1)
    scaled = None
    if background is not None and reduction.background_scale is not None:
        factor = reduction.background_scale.value
        scaled = IQ(q=background.q, intensity=factor * background.intensity)
    plot_iq(ax=top, data=iq, background=scaled)
    top.set_xlim(0.0, float(iq.q[-1]))
    top.set_ylim(0.0, 1.05 * float(np.max(reduction_intensity(reduction, iq))))
    plot_sq(ax=middle, data=reduction.sq)
    plot_gr(ax=bottom, data=reduction.gr, number_density=reduction.number_density.value)
    note(bottom, f"low-r residual {reduction.low_r_residual:.3f}", x=0.99, y=0.03)
    return make_plate(
        "reduction",
        finish(figure, title=title, subject="total scattering", simulated=simulated),
        caption="Measured intensity with the scaled background; structure factor S(Q) and pair distribution "
        "function G(r) with their standard errors; below the shortest distance G(r) must follow the "
        "dashed line.",
    )


def reduction_intensity(reduction: ScatteringReduction, iq: IQ) -> Any:
    """Intensities of the part that was used, shape (n,): the direct beam would hide them."""
    used = (iq.q >= reduction.sq.q[0]) & (iq.q <= reduction.sq.q[-1])
    return iq.intensity[used] if used.any() else iq.intensity
