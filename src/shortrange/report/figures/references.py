"""Energies of standards beside each other: where sources agree, and where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shortrange.references import STATUSES, Reference
from shortrange.report.style import GUIDE, MODELS, dress, new_figure

__all__ = ["plot_references", "references_figure"]

_MARKERS = dict(zip(STATUSES, "osD|x", strict=True))


def plot_references(entries: Sequence[Reference], *, ax: Axes) -> list[Any]:
    """Draw one line for each entry, from below in the order given, with its uncertainty where it has one.

    Parameters
    ----------
    entries
        Of one edge.
    ax
        Where to draw.

    Returns
    -------
    list
        The points.
    """
    drawn: list[Any] = []
    for y, each in enumerate(entries):
        color = MODELS[STATUSES.index(each.status)]
        drawn.append(
            ax.errorbar(
                each.energy,
                y,
                xerr=each.uncertainty,
                fmt=_MARKERS[each.status],
                color=color,
                ms=5,
                capsize=2,
                label=each.status,
            )
        )
        ax.axhline(y, color=GUIDE, lw=0.4, zorder=0)
    ax.set_ylim(-0.7, len(entries) - 0.3)
    dress(ax, xlabel="energy (eV)")
    ax.set_yticks(range(len(entries)), _names(entries))
    ax.ticklabel_format(axis="x", useOffset=False)
    return drawn


def _names(entries: Sequence[Reference]) -> list[str]:
    """Compound and feature, and whose statement it is (the last word of the key) where there are several."""
    plain = [f"{each.compound}, {each.feature}" for each in entries]
    return [
        f"{name} ({each.key.rsplit('-', 1)[-1]})" if plain.count(name) > 1 else name
        for name, each in zip(plain, entries, strict=True)
    ]


def references_figure(entries: Sequence[Reference]) -> Figure:
    """One panel for each edge, the energies in order.

    Parameters
    ----------
    entries
        Of any edges.
    """
    edges: dict[str, list[Reference]] = {}
    for each in sorted(entries, key=lambda e: e.energy):
        edges.setdefault(f"{each.element} {each.edge}", []).append(each)
    sizes = [len(each) + 2.0 for each in edges.values()]
    figure = new_figure(0.6 + 0.24 * sum(sizes))
    panels = figure.subplots(len(edges), 1, height_ratios=sizes, squeeze=False).ravel()
    for ax, (name, mine) in zip(panels, edges.items(), strict=True):
        plot_references(mine, ax=ax)
        ax.set_title(name, loc="left", fontsize=9, fontweight="bold")
        handles, labels = ax.get_legend_handles_labels()
        first = dict(zip(labels, handles, strict=True))
        ax.legend(first.values(), first.keys(), fontsize=7, frameon=False, loc="lower right")
    return figure
