"""Figure of the evidence by place."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shortrange.report.evidence import Advantage
from shortrange.report.style import GUIDE, dress, finish, model_color, new_figure

__all__ = ["AXES", "evidence_figure", "plot_advantage"]

AXES = {
    "k": "$k$ (Å$^{-1}$)",
    "R": "$R$ (Å), no phase correction",
    "r": "$r$ (Å)",
    "Q": "$Q$ (Å$^{-1}$)",
}


def plot_advantage(*, ax: Axes, data: Advantage, colors: Sequence[str]) -> list[Artist]:
    """Draw by how much the leading model gains on each other one at each place.

    Parameters
    ----------
    ax
        Where to draw.
    data
        Evidence by place.
    colors
        Of the other models, in the order of ``data.nats``.
    """
    artists: list[Artist] = []
    width = data.bar_width
    for index, (name, nats) in enumerate(data.nats.items()):
        places = data.centres + (index - (len(data.nats) - 1) / 2) * width
        label = f"{name}: " + f"{nats.sum():+.1f} in all".replace("-", "−")
        artists += list(ax.bar(places, nats, width=width, color=colors[index], label=label))
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    dress(ax, xlabel=AXES.get(data.axis, data.axis), ylabel="gain on it (nats)")
    return artists


def evidence_figure(
    data: Sequence[Advantage],
    *,
    measurement: str,
    leader: str,
    names: Sequence[str],
    title: str,
    simulated: bool,
) -> Figure:
    """Evidence over both axes of a measurement.

    Parameters
    ----------
    data
        One panel each.
    measurement, leader, title
        For the titles.
    names
        All models in their order, which gives each its colour.
    simulated
        Whether the measurements were made from models.
    """
    figure = new_figure(2.5 * len(data) + 0.6)
    panels = figure.subplots(len(data), 1, squeeze=False)[:, 0]
    for ax, each in zip(panels, data, strict=True):
        plot_advantage(ax=ax, data=each, colors=[model_color(list(names).index(name)) for name in each.nats])
    panels[0].legend(fontsize=7.5, frameon=False, loc="best")
    subject = f"{measurement}: evidence for {leader} over each other model"
    return finish(figure, title=title, subject=subject, simulated=simulated)
