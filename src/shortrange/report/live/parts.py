"""Lines, bands, axes and layouts in the language of plotly, in the style of the printed figures.

The dictionaries are written by hand, so that the page is made without plotly; only its script is needed to
show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.report.style import BAND, SIMULATED

__all__ = ["axis", "band", "figure", "grey_outside", "line", "numbers", "power_unit"]

Array = NDArray[Any]
Trace = dict[str, Any]


def numbers(values: Array) -> list[float | None]:
    """Values with five digits, as many as a screen can show; None where there is no number."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in np.asarray(values, dtype=float)]


def line(
    x: Array,
    y: Array,
    *,
    name: str,
    color: str,
    width: float = 1.6,
    dash: str = "solid",
    row: int = 1,
    group: str = "",
    legend: bool = True,
    shown: bool = True,
) -> Trace:
    """Draw a curve; traces of one ``group`` are shown and hidden together."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "name": escape(name, quote=False),  # plotly takes angle brackets for markup
        "line": {"color": color, "width": width, "dash": dash},
        "legendgroup": group or name,
        "showlegend": legend,
        "visible": True if shown else "legendonly",
        **_on(row),
    }


def band(
    x: Array,
    middle: Array,
    half: Array,
    *,
    name: str,
    color: str = BAND,
    alpha: float = 0.3,
    row: int = 1,
    group: str = "",
    shown: bool = True,
) -> Trace:
    """Draw the band of an error about a curve."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.concatenate([x, x[::-1]])),
        "y": numbers(np.concatenate([middle + half, (middle - half)[::-1]])),
        "name": escape(name, quote=False),
        "fill": "toself",
        "fillcolor": _faint(color, alpha),
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "legendgroup": group or name,
        "showlegend": False,
        "visible": True if shown else "legendonly",
        **_on(row),
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Give an axis its title and the look of the printed figures."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "gridcolor": "#eef1f4",
        "zeroline": False,
        "linecolor": "#444444",
        "linewidth": 0.8,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "#444444",
        "automargin": True,
        **more,
    }


def figure(
    traces: Sequence[Trace],
    *,
    axes: Mapping[str, Mapping[str, Any]],
    simulated: bool,
    height: int = 380,
    shapes: Sequence[Mapping[str, Any]] = (),
    annotations: Sequence[Mapping[str, Any]] = (),
    legend: bool = True,
) -> dict[str, Any]:
    """Put traces and axes together.

    Parameters
    ----------
    traces
        Of `line`, `band` and the like.
    axes
        ``xaxis``, ``yaxis``, ``yaxis2`` and so on.
    simulated
        Whether the data were made from a model; the figure then says so.
    height
        Pixels; the width is that of the page.
    shapes, annotations
        Of plotly.
    legend
        Whether curves are named above the figure.
    """
    notes = list(annotations)
    if simulated:
        notes.append(
            {
                "text": SIMULATED,
                "xref": "paper",
                "yref": "paper",
                "x": 1,
                "y": 0.5,
                "xanchor": "left",
                "yanchor": "middle",
                "textangle": 90,
                "showarrow": False,
                "font": {"size": 11, "color": "#B04500"},
            }
        )
    return {
        "data": list(traces),
        "layout": {
            "height": height,
            "margin": {"l": 64, "r": 26, "t": 8, "b": 46},
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#1b1f24"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "rgba(255,255,255,.94)", "font": {"size": 12}},
            "showlegend": legend,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "tracegroupgap": 0},
            "shapes": list(shapes),
            "annotations": notes,
            **axes,
        },
    }


def grey_outside(limits: tuple[float, float], ends: tuple[float, float]) -> list[dict[str, Any]]:
    """Shade what lies outside the range that was used."""
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": left,
            "x1": right,
            "y0": 0,
            "y1": 1,
            "fillcolor": "#e4e8ec",
            "opacity": 0.55,
            "line": {"width": 0},
            "layer": "below",
        }
        for left, right in ((ends[0], limits[0]), (limits[1], ends[1]))
        if right > left
    ]


def power_unit(power: float) -> str:
    """Write the unit angstrom to a power, in brackets, for a title of plotly."""
    return "" if power == 0 else f" (Å<sup>{f'{power:g}'.replace('-', '−')}</sup>)"


def _on(row: int) -> dict[str, str]:
    return {"xaxis": "x", "yaxis": "y" if row == 1 else f"y{row}"}


def _faint(color: str, alpha: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
