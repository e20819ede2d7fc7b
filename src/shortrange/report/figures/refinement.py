"""Figure of a refinement: data, fit, its parts, and what is left beside the error of the data."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from shortrange.fit.refinement import Refinement
from shortrange.report.style import BAND, DATA, GUIDE, dress, model_color, note, plain

__all__ = ["plot_difference", "plot_fit"]


def plot_fit(*, ax: Axes, result: Refinement) -> list[Artist]:
    """Draw data (points), model (line) with the band of its error, and the part of each phase.

    Parameters
    ----------
    ax
        Where to draw.
    result
        From `shortrange.fit.refine.refine_gr`.
    """
    artists: list[Artist] = list(
        ax.plot(result.r, result.g, "o", ms=2.2, mfc="none", mew=0.6, color=DATA, label="data")
    )
    artists += ax.plot(result.r, result.model, color="#666666", lw=1.2, label="model")
    band = 2 * result.model_sigma
    artists.append(
        ax.fill_between(result.r, result.model - band, result.model + band, color=BAND, alpha=0.5, lw=0)
    )
    if len(result.parts) > 1:
        # Below the data, so that each can be seen.
        drop = float(result.g.min())
        for k, (name, part) in enumerate(result.parts.items()):
            drop -= 1.05 * float(part.max())
            artists += ax.plot(result.r, part + drop, color=model_color(k), lw=0.9, label=plain(name))
            drop += float(part.min())
    ax.set_xlim(result.r[0], result.r[-1])
    ax.legend(fontsize=7.5, frameon=False, ncols=2, loc="upper right")
    note(ax, f"$R_w$ {result.rw:.3f}", x=0.02, y=0.97)
    dress(ax, ylabel="$G$($r$) (Å$^{-2}$)")
    return artists


def plot_difference(*, ax: Axes, result: Refinement) -> list[Artist]:
    """Draw data minus model, with the band of two standard errors of the data."""
    band = 2 * result.sigma
    artists: list[Artist] = [
        ax.fill_between(result.r, -band, band, color=BAND, alpha=0.35, lw=0),
        *ax.plot(result.r, result.g - result.model, color=DATA, lw=0.8),
    ]
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    ax.set_xlim(result.r[0], result.r[-1])
    note(ax, "band: ± 2 standard errors of the data", x=0.99, y=0.97)
    high = 1.3 * float(np.max(np.abs(result.g - result.model)))
    ax.set_ylim(-max(high, 3 * float(band.max()) / 2), max(high, 3 * float(band.max()) / 2))
    dress(ax, xlabel="$r$ (Å)", ylabel="difference", y_ticks=4)
    return artists
