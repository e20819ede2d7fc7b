"""Figures of a path fit: k^n chi(k), and chi(R) with its paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.fit.paths import FittedData
from shortrange.report.path_fit import magnitudes, plot_weight
from shortrange.report.style import DATA, GUIDE, dress, model_color, note, plain

__all__ = ["plot_path_fit_k", "plot_path_fit_r"]

Array = NDArray[Any]

_COLORS = (0, 2, 3, 4, 5)  # 1 is the fit's


def plot_path_fit_k(*, ax: Axes, data: FittedData) -> list[Artist]:
    """k^n chi(k) of the data and the fit; the compared range is bright.

    Parameters
    ----------
    ax
        Where to draw.
    data
        From `shortrange.fit.paths.fit_paths`.
    """
    weight = plot_weight(data)
    factor = data.k**weight
    artists: list[Artist] = list(
        ax.plot(data.k, factor * (data.chi - data.background), color=DATA, lw=1.1, label="data")
    )
    artists += ax.plot(data.k, factor * data.model, color=model_color(1), lw=1.1, label="fit")
    low, high = data.data.fit_range.k_range
    inside = (data.k >= low) & (data.k <= high)
    top = 1.25 * float(np.max(np.abs(factor * data.chi)[inside]))
    _shade(ax, low, high, data.k[-1])
    ax.set_xlim(0, data.k[-1])
    ax.set_ylim(-top, top)
    ax.legend(fontsize=7.5, frameon=False, loc="upper left", ncols=2)
    dress(ax, xlabel="k (Å⁻¹)", ylabel=f"k$^{{{weight:g}}}$χ(k) (Å$^{{-{weight:g}}}$)")
    return artists


def plot_path_fit_r(*, ax: Axes, data: FittedData) -> list[Artist]:
    """Magnitude and real part of chi(R), and below them the magnitudes of the strongest paths.

    Parameters
    ----------
    ax
        Where to draw.
    data
        From `shortrange.fit.paths.fit_paths`.
    """
    weight = plot_weight(data)
    paths = sorted(data.paths, key=lambda path: -float(np.sum((data.k**weight * path.chi) ** 2)))
    shown = sorted(paths[: len(_COLORS)], key=lambda path: path.path.reff)
    r, (measured, model, *parts) = magnitudes(
        data, data.chi - data.background, data.model, *(path.chi for path in shown)
    )
    top = float(np.abs(measured).max())
    low, high = data.data.fit_range.r_range
    artists: list[Artist] = []
    for curve, color, label in ((measured, DATA, "data"), (model, model_color(1), "fit")):
        artists += ax.plot(r, np.abs(curve), color=color, lw=1.3, label=label)
        artists += ax.plot(r, curve.real, color=color, lw=0.8, ls="--")
    base = -1.15 * top
    lines: list[Artist] = []
    for number, path, part in zip(_COLORS, shown, parts, strict=False):
        color, label = model_color(number), plain(path.path.label)
        lines += ax.plot(r, base - top + np.abs(part), lw=1.0, color=color, label=label)
    ax.axhline(base - top, color=GUIDE, lw=0.6, zorder=0)
    _shade(ax, low, high, r[-1])
    ax.set_xlim(0, max(6.0, high + 0.5) if high > 4 else 5.0)
    curves = ax.legend(handles=artists[::2], fontsize=7.5, frameon=False, loc="upper right")
    ax.add_artist(curves)
    ax.legend(handles=lines, fontsize=6.8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 0.05))
    note(ax, f"R = {data.R:.4f}", x=0.01)
    dress(ax, xlabel="R without phase correction (Å)", ylabel=f"χ(R) (Å$^{{-{weight + 1:g}}}$)")
    return [*artists, *lines]


def _shade(ax: Axes, low: float, high: float, end: float) -> None:
    """Grey what was not compared."""
    ax.axvspan(0.0, low, color="#000000", alpha=0.05, lw=0)
    ax.axvspan(high, max(end, high), color="#000000", alpha=0.05, lw=0)
