"""Figures of simulated ensembles: single snapshots beside the mean, parts, convergence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from shortrange.report.style import DATA, GUIDE, dress, model_color

__all__ = ["plot_convergence", "plot_parts", "plot_single"]

Array = NDArray[Any]

_SHOWN = 6  # parts with a curve of their own


def plot_single(*, ax: Axes, x: Array, curves: Array, label: str = "single snapshots") -> list[Artist]:
    """Draw thin curves of shape (n, n_x) behind what is drawn already, and a legend."""
    artists: list[Artist] = []
    for i, curve in enumerate(curves):
        color = GUIDE if label == "single snapshots" else model_color(1)
        name = label if i == 0 else None
        artists += ax.plot(x, curve, color=color, lw=0.6, alpha=0.8, zorder=1, label=name)
    ax.legend(fontsize=7.5, frameon=False, loc="upper right")
    return artists


def plot_parts(*, ax: Axes, x: Array, parts: Mapping[str, Array], xlabel: str, ylabel: str) -> list[Artist]:
    """Draw the largest parts of a sum, and the sum of all others."""
    order = sorted(parts, key=lambda name: -float(np.mean(parts[name] ** 2)))
    artists: list[Artist] = []
    for i, name in enumerate(order[:_SHOWN]):
        artists += ax.plot(x, parts[name], color=model_color(i), lw=0.9, label=name)
    if len(order) > _SHOWN:
        rest = np.sum([parts[name] for name in order[_SHOWN:]], axis=0)
        artists += ax.plot(x, rest, color=GUIDE, lw=0.9, label=f"{len(order) - _SHOWN} others")
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    ax.set_xlim(float(x[0]), float(x[-1]))
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.3 * (high - low), high)
    ax.legend(fontsize=6.5, frameon=False, loc="lower right", ncols=3)
    dress(ax, xlabel=xlabel, ylabel=ylabel)
    return artists


def plot_convergence(
    *, ax: Axes, frames: Array, error: Array, ylabel: str, relative: bool = False
) -> list[Artist]:
    """Draw the sampling error against the number of frames, with the fall of independent ones.

    Parameters
    ----------
    ax
        Where to draw.
    frames, error
        Numbers of frames and the errors with so many.
    ylabel
        What ``error`` is, with its unit.
    relative
        Whether it is a fraction, to be shown in percent.
    """
    artists: list[Artist] = list(ax.loglog(frames, error, "o-", color=DATA, ms=4, lw=1.0, label="found"))
    guide = error[-1] * np.sqrt(frames[-1] / frames)
    artists += ax.loglog(frames, guide, color=GUIDE, lw=1.0, label="independent frames")
    ax.legend(fontsize=7.5, frameon=False)
    ax.set_xticks(frames, labels=[f"{n:.0f}" for n in frames])
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)))
    shown = (lambda value, _: f"{100 * value:g} %") if relative else (lambda value, _: f"{value:g}")
    ax.yaxis.set_major_formatter(FuncFormatter(shown))
    ax.yaxis.set_minor_formatter(NullFormatter())
    dress(ax, xlabel="frames", ylabel=ylabel)
    return artists
