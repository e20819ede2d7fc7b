"""Figures of a total-scattering measurement: S(Q) and G(r)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.quantities import GR, IQ, SQ
from shortrange.report.figures.xas import shade_outside
from shortrange.report.style import BAND, DATA, GUIDE, MODELS, dress

__all__ = ["plot_gr", "plot_iq", "plot_sq"]

Array = NDArray[Any]


def plot_iq(*, ax: Axes, data: IQ, background: IQ | None = None) -> list[Artist]:
    """Measured intensity and the background's."""
    artists: list[Artist] = list(ax.plot(data.q, data.intensity, color=DATA, lw=1.0, label="sample"))
    if background is not None:
        artists += ax.plot(background.q, background.intensity, color=MODELS[1], lw=1.0, label="background")
        ax.legend(fontsize=7.5, frameon=False)
    ax.set_xlim(float(data.q[0]), float(data.q[-1]))
    dress(ax, xlabel="$Q$ (Å$^{-1}$)", ylabel="$I$($Q$) (arb. units)")
    return artists


def plot_sq(*, ax: Axes, data: SQ, q_range: tuple[float, float] | None = None) -> list[Artist]:
    """S(Q) with its error band and its limit 1; outside of ``q_range`` (1/angstrom) the ground is grey."""
    artists: list[Artist] = []
    if data.sigma is not None:
        artists.append(
            ax.fill_between(data.q, data.s - data.sigma, data.s + data.sigma, color=BAND, alpha=0.6, lw=0)
        )
    artists += ax.plot(data.q, data.s, color=DATA, lw=1.0)
    ax.axhline(1.0, color=GUIDE, lw=0.7, zorder=0)
    ax.set_xlim(0.0, float(data.q[-1]))
    if q_range is not None:
        artists += shade_outside(ax, q_range)
    dress(ax, xlabel="$Q$ (Å$^{-1}$)", ylabel="$S$($Q$)")
    return artists


def plot_gr(
    *,
    ax: Axes,
    data: GR,
    number_density: float | None = None,
    r_range: tuple[float, float] | None = None,
    label: str = "data",
) -> list[Artist]:
    """G(r) with its error band and the line -4 pi rho0 r that it must follow below the shortest distance.

    Parameters
    ----------
    ax
        Where to draw.
    data
        The reduced pair distribution function.
    number_density
        Atoms per cubic angstrom; that of ``data`` if absent.
    r_range
        Where models were compared, angstrom; the rest is grey.
    label
        Of the curve.
    """
    density = number_density if number_density is not None else data.number_density
    artists: list[Artist] = []
    if data.sigma is not None:
        artists.append(
            ax.fill_between(data.r, data.g - data.sigma, data.g + data.sigma, color=BAND, alpha=0.6, lw=0)
        )
    artists += ax.plot(data.r, data.g, color=DATA, lw=1.1, label=label)
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    ax.set_xlim(float(data.r[0]), float(data.r[-1]))
    low, high = float(np.min(data.g)), float(np.max(data.g))
    if density is not None:
        line = -4.0 * math.pi * density * data.r
        artists += ax.plot(data.r, line, color=MODELS[1], lw=1.0, ls="--", label="−4π$ρ_0 r$")
        ax.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        ax.legend(fontsize=7.5, frameon=False, loc="upper right")
    if r_range is not None:
        artists += shade_outside(ax, r_range)
    dress(ax, xlabel="$r$ (Å)", ylabel="$G$($r$) (Å$^{-2}$)")
    return artists
