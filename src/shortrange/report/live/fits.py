"""Models against one measurement, to zoom into: curves, residuals, distances, parts, wavelet maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.compare.verdict import MeasurementFit, ModelResult
from shortrange.report.figures.fits import strongest, total_sigma, transform_curve
from shortrange.report.live.parts import axis, band, figure, grey_outside, line, power_unit
from shortrange.report.style import BAND, DATA, GUIDE, MODELS, model_color
from shortrange.report.text import percent
from shortrange.transform.fourier import sigma_magnitude

__all__ = ["live_distances", "live_fits", "live_parts"]

Array = NDArray[Any]
Pairs = Sequence[tuple[ModelResult, MeasurementFit]]

_SHOWN = 2
"""So many models are drawn at first; a click on a name shows or hides one."""


def live_fits(pairs: Pairs, *, k_weight: float, simulated: bool) -> dict[str, Any]:
    """Draw the data and every model above the residuals in units of the total error."""
    first = pairs[0][1]
    xlabel, ylabel = _titles(first, k_weight)
    traces = []
    if first.sigma is not None:
        traces.append(band(first.x, first.data, first.sigma, name="error of data", group="data", alpha=0.5))
    in_sigma = False
    for index, (model, fit) in enumerate(pairs):
        look: dict[str, Any] = {
            "name": f"{model.name} ({percent(model.probability)})",
            "color": model_color(index),
            "group": f"model {index}",
            "shown": index < _SHOWN,
        }
        if fit.theory_sigma is not None:
            traces.append(band(fit.x, fit.model, fit.theory_sigma, alpha=0.18, **look))
        traces.append(line(fit.x, fit.model, width=2.4, **look))
        total = total_sigma(fit)
        in_sigma = in_sigma or total is not None
        residual = fit.data - fit.model if total is None else (fit.data - fit.model) / total
        traces.append(line(fit.x, residual, row=2, width=1.3, legend=False, **look))
    traces.append(line(first.x, first.data, name="data", color=DATA, width=1.3))
    ends = (float(first.x[0]), float(first.x[-1]))
    shapes = grey_outside(first.fit_range, ends) if first.technique == "total-scattering" else []
    if in_sigma:
        shapes.append(_two_sigma())
    axes = {
        "xaxis": axis(xlabel, range=ends, anchor="y2"),
        "yaxis": axis(ylabel, domain=[0.34, 1.0]),
        "yaxis2": axis("residual (σ)" if in_sigma else "residual", domain=[0.0, 0.27], nticks=5),
    }
    return figure(traces, axes=axes, simulated=simulated, height=500, shapes=shapes)


def live_distances(pairs: Pairs, *, k_weight: float, simulated: bool, r_max: float = 6.0) -> dict[str, Any]:
    """Draw the magnitudes of the Fourier transforms of data, models and differences."""
    r = np.arange(0.0, r_max + 0.01, 0.03)
    first = pairs[0][1]
    data = transform_curve(first, first.data, first.sigma, r)
    sigma = sigma_magnitude(data)
    traces = []
    if sigma is not None:
        traces.append(band(r, data.magnitude, sigma, name="error of data", group="data", alpha=0.5))
    for index, (model, fit) in enumerate(pairs):
        look: dict[str, Any] = {
            "color": model_color(index),
            "group": f"model {index}",
            "shown": index < _SHOWN,
        }
        name = f"{model.name} ({percent(model.probability)})"
        made = transform_curve(fit, fit.model, None, r)
        gap = np.abs(data.chi - made.chi)
        traces.append(line(r, made.magnitude, name=name, width=2.4, **look))
        traces.append(line(r, gap, name="|difference|", dash="dot", width=1.2, legend=False, **look))
    traces.append(line(r, data.magnitude, name="data", color=DATA, width=1.3))
    axes = {
        "xaxis": axis("R (Å), no phase correction", range=[0.0, r_max]),
        "yaxis": axis(f"|χ(R)|{power_unit(-k_weight - 1)}", rangemode="tozero"),
    }
    return figure(
        traces, axes=axes, simulated=simulated, height=420, shapes=grey_outside(first.fit_range, (0.0, r_max))
    )


def live_parts(
    pairs: Pairs,
    *,
    k_weight: float,
    simulated: bool,
    disputed: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Draw the parts of the leading model, and on request those of the next, under the data."""
    first = pairs[0][1]
    xlabel, ylabel = _titles(first, k_weight)
    traces = [line(first.x, first.data, name="data", color=DATA, width=1.4)]
    names: dict[str, int] = {}
    for rank, (model, fit) in enumerate(pairs[:_SHOWN]):
        # The parts of the leading model have a name each; those of the next come and go together.
        lead = rank == 0
        group = "" if lead else "next"
        name = model.name if lead else f"{model.name} and its parts (dashed)"
        whole: dict[str, Any] = {"color": GUIDE, "width": 3} if lead else {"color": DATA, "dash": "dash"}
        traces.append(line(fit.x, fit.model, name=name, group=group, shown=lead, **whole))
        for part, curve in strongest(fit):
            rest = part.endswith(" others")
            color = BAND if rest else _part_color(names.setdefault(part, len(names)))
            dash = "dash" if not lead else "dot" if rest else "solid"
            look: dict[str, Any] = {"color": color, "dash": dash, "group": group, "legend": lead}
            traces.append(line(fit.x, curve, name=part, shown=lead, **look))
    ends = (float(first.x[0]), float(first.x[-1]))
    shapes = []
    if disputed is not None:
        shapes.append({**grey_outside(disputed, (disputed[0], disputed[1] + 1.0))[0], **_marked(disputed)})
    axes = {"xaxis": axis(xlabel, range=ends), "yaxis": axis(ylabel)}
    return figure(traces, axes=axes, simulated=simulated, height=460, shapes=shapes)


def _part_color(index: int) -> str:
    """Colour of a part: no two of one model share one."""
    colors = (*MODELS, "#6A3D9A", "#8C510A")
    return colors[index % len(colors)]


def _marked(limits: tuple[float, float]) -> dict[str, Any]:
    return {"x0": limits[0], "x1": limits[1], "fillcolor": "#F0E442", "opacity": 0.28}


def _two_sigma() -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "paper",
        "yref": "y2",
        "x0": 0,
        "x1": 1,
        "y0": -2,
        "y1": 2,
        "fillcolor": "#d5dadf",
        "opacity": 0.5,
        "line": {"width": 0},
        "layer": "below",
    }


def _titles(fit: MeasurementFit, k_weight: float) -> tuple[str, str]:
    if fit.technique == "xas":
        power = "" if k_weight == 0 else "k" if k_weight == 1 else f"k<sup>{k_weight:g}</sup>"
        return "k (Å<sup>−1</sup>)", f"{power}χ(k){power_unit(-k_weight)}"
    return "r (Å)", f"G(r){power_unit(-2)}"
