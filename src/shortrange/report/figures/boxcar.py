"""Figures of a box-car refinement: amounts of phases against r, misfit, and single windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.fit.boxcar import Boxcar, BoxcarWindow
from shortrange.report.style import BAND, DATA, GUIDE, dress, model_color, note, plain
from shortrange.report.text import plus_minus

__all__ = ["plot_mass_fractions", "plot_misfit", "plot_window"]

Array = NDArray[Any]


def plot_mass_fractions(*, ax: Axes, result: Boxcar) -> list[Artist]:
    """Mass fractions of the windows (points), of the fit of all windows at once (line, band of one sigma).

    Parameters
    ----------
    ax
        Where to draw.
    result
        From `shortrange.fit.boxcar.boxcar`.
    """
    artists: list[Artist] = []
    centres = np.array([w.r_center for w in result.windows])
    for k, phase in enumerate(result.phases):
        color = model_color(k)
        values = np.array([w.share(phase) for w in result.windows])
        bars = ax.errorbar(
            centres, values[:, 0], values[:, 1], fmt="o", ms=3.2, lw=0.9, color=color, label=plain(phase)
        )
        artists += [bars.lines[0], *bars.lines[2]]
        if result.trend is not None:
            sigma = np.sqrt(np.maximum(np.diag(result.trend.mass_covariance[k]), 0.0))
            mass = result.trend.mass[k]
            artists += ax.plot(result.trend.knots, mass, color=color, lw=1.1, alpha=0.9)
            artists.append(
                ax.fill_between(result.trend.knots, mass - sigma, mass + sigma, color=color, alpha=0.18, lw=0)
            )
        found = result.coherence.get(phase)
        if found is not None and found.half is not None and found.sigma is not None:
            artists.append(
                ax.axvspan(found.half - found.sigma, found.half + found.sigma, color=BAND, alpha=0.35, lw=0)
            )
            note(ax, f"{plain(phase)}: half at {plus_minus(found.half, found.sigma)} Å", y=0.62)
    for failed in (w for w in result.windows if w.refinement is None):
        artists.append(ax.axvline(failed.r_center, color=GUIDE, lw=0.8, ls=":"))
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    ax.legend(fontsize=7.5, frameon=False, loc="upper right", bbox_to_anchor=(1.0, 0.56))
    ax.set_xlim(*_limits(result))
    dress(ax, ylabel="mass fraction")
    return artists


def plot_misfit(*, ax: Axes, result: Boxcar) -> list[Artist]:
    """Rw of the windows, and of the model that fits the whole range with only its scales free."""
    centres = [w.r_center for w in result.windows]
    rw = [np.nan if w.refinement is None else w.refinement.rw for w in result.windows]
    fixed = [w.rw_fixed for w in result.windows]
    artists: list[Artist] = list(ax.plot(centres, rw, "o-", ms=3, lw=0.9, color=DATA, label="window fit"))
    artists += ax.plot(centres, fixed, "--", lw=0.9, color=BAND, label="fixed model")
    ax.set_ylim(0.0, None)
    ax.set_xlim(*_limits(result))
    ax.legend(fontsize=7.5, frameon=False)
    dress(ax, xlabel="centre of the window (Å)", ylabel="$R_w$", y_ticks=4)
    return artists


def plot_window(*, ax: Axes, window: BoxcarWindow) -> list[Artist]:
    """Draw data, model and parts of one window, and below them what is left."""
    found = window.refinement
    if found is None:
        note(ax, plain(window.reason), x=0.02, y=0.9)
        dress(ax, xlabel="$r$ (Å)")
        return []
    artists: list[Artist] = []
    for k, (phase, part) in enumerate(found.parts.items()):
        artists += ax.plot(found.r, part, color=model_color(k), lw=0.8, alpha=0.8, label=plain(phase))
    artists += ax.plot(found.r, found.model, color="#666666", lw=2.2, alpha=0.6)
    artists += ax.plot(found.r, found.g, "o", ms=2.2, color=DATA)
    low = min(float(found.g.min()), *(float(part.min()) for part in found.parts.values()))
    rest = found.g - found.model
    offset = low - 1.3 * float(np.max(np.abs(rest))) - 0.05 * float(np.ptp(found.g))
    ax.axhline(offset, color=GUIDE, lw=0.6, zorder=0)
    artists += ax.plot(found.r, rest + offset, color=DATA, lw=0.8)
    ax.set_xlim(window.r_min, window.r_max)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.14 * (high - low))  # room for what is written above the curves
    ax.legend(fontsize=7.5, frameon=False, loc="upper left", ncols=3)
    note(ax, f"$R_w$ {found.rw:.3f}", y=0.97)
    dress(ax, xlabel="$r$ (Å)", ylabel="$G$($r$) (Å$^{-2}$)")
    return artists


def _limits(result: Boxcar) -> tuple[float, float]:
    return result.windows[0].r_center - result.step / 2, result.windows[-1].r_center + result.step / 2
