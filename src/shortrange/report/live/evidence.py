"""Evidence by place, to question."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from shortrange.report.evidence import Advantage
from shortrange.report.live.parts import axis, figure, numbers
from shortrange.report.style import model_color

__all__ = ["live_evidence"]

_TITLES = {
    "k": "k (Å<sup>−1</sup>)",
    "R": "R (Å), no phase correction",
    "r": "r (Å)",
    "Q": "Q (Å<sup>−1</sup>)",
}


def live_evidence(data: Sequence[Advantage], *, names: Sequence[str], simulated: bool) -> dict[str, Any]:
    """Draw bars over both axes; a click on a name shows or hides a model."""
    traces = []
    axes: dict[str, dict[str, Any]] = {}
    for row, each in enumerate(data, start=1):
        suffix = "" if row == 1 else str(row)
        high = 1.0 - (row - 1) / len(data)
        axes[f"xaxis{suffix}"] = axis(_TITLES.get(each.axis, each.axis), anchor=f"y{suffix}")
        axes[f"yaxis{suffix}"] = axis("gain on it (nats)", domain=[high - 1.0 / len(data) + 0.12, high])
        width = each.bar_width
        for index, (name, nats) in enumerate(each.nats.items()):
            traces.append(
                {
                    "type": "bar",
                    "x": numbers(each.centres),
                    "y": numbers(nats),
                    "width": width,
                    "offset": (index - len(each.nats) / 2) * width,
                    "name": escape(name, quote=False),
                    "marker": {"color": model_color(list(names).index(name))},
                    "legendgroup": name,
                    "showlegend": row == 1,
                    "xaxis": f"x{suffix}",
                    "yaxis": f"y{suffix}",
                }
            )
    return figure(traces, axes=axes, simulated=simulated, height=520)
