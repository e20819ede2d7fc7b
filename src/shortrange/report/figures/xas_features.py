"""Figures of single features of an absorption spectrum: the second derivative, the wavelet map."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import PowerNorm

from shortrange.numeric.local_polynomial import derivative_operator
from shortrange.reduce.edge_splitting import Splitting
from shortrange.reduce.normalise import Normalised
from shortrange.report.figures.xas import chi_label
from shortrange.report.style import BAND, DATA, GUIDE, MODELS, dress, note
from shortrange.transform.wavelet import WaveletMap

__all__ = ["draw_map", "plot_derivative", "plot_second_derivative", "plot_wavelet", "plot_white_line"]


def plot_white_line(*, ax: Axes, data: Normalised, splitting: Splitting) -> list[Artist]:
    """Normalised absorption around the white line, with the two minima of the second derivative marked."""
    low, high = splitting.energy[0], splitting.energy[-1]
    seen = (data.energy >= low) & (data.energy <= high)
    artists: list[Artist] = list(ax.plot(data.energy[seen], data.norm[seen], ".-", color=DATA, lw=0.9, ms=3))
    for index, energy in enumerate(splitting.minima):
        artists.append(ax.axvline(energy, color=MODELS[index], lw=0.9, ls="--"))
    ax.set_xlim(low, high)
    dress(ax, ylabel="normalised μ(E)")
    return artists


def plot_second_derivative(*, ax: Axes, splitting: Splitting) -> list[Artist]:
    """Smoothed second derivative with its error band; bars show the minima and their errors."""
    energy, curve = splitting.energy, splitting.second_derivative
    sigma = splitting.sigma_second_derivative
    artists: list[Artist] = [
        ax.fill_between(energy, curve - sigma, curve + sigma, color=BAND, alpha=0.6, lw=0),
        *ax.plot(energy, curve, color=DATA, lw=1.1),
        ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0),
    ]
    for index, (place, error) in enumerate(zip(splitting.minima, splitting.sigma_minima, strict=True)):
        color = MODELS[index]
        artists.append(ax.axvspan(place - error, place + error, color=color, alpha=0.18, lw=0))
        artists.append(ax.axvline(place, color=color, lw=0.9, ls="--"))
        note(ax, f"{place:.2f} ± {error:.2f} eV", x=0.02, y=0.14 - 0.09 * index, color=color)
    note(ax, f"splitting {splitting.value:.2f} ± {splitting.sigma:.2f} eV", y=0.06)
    ax.set_xlim(energy[0], energy[-1])
    dress(ax, xlabel="energy (eV)", ylabel="d²μ/dE² (eV$^{-2}$)")
    return artists


def plot_derivative(
    *, ax: Axes, data: Normalised, order: int, around: tuple[float, float] = (-20.0, 40.0)
) -> list[Artist]:
    """First or second derivative of normalised absorption near the edge, with its error band.

    Parameters
    ----------
    ax
        Where to draw.
    data
        Normalised.
    order
        1 or 2.
    around
        Range shown, eV relative to E0.
    """
    near = (data.energy > data.e0 + around[0] - 10.0) & (data.energy < data.e0 + around[1] + 10.0)
    energy, norm = data.energy[near], data.norm[near]
    at = np.arange(data.e0 + around[0], data.e0 + around[1], 0.1)
    centre = np.abs(energy - data.e0) < 15.0
    step = float(np.median(np.diff(energy[centre]))) if centre.sum() > 3 else 1.0
    width = max(0.5, (1.2 if order == 1 else 1.8) * step)
    operator = derivative_operator(energy, at, width=width, degree=order + 1, order=order)
    # Further out the steps may be too wide for this smoothing: the curve ends there.
    gaps = np.flatnonzero(~np.isfinite(operator).all(axis=1))
    start = int(gaps[at[gaps] < data.e0].max(initial=-1)) + 1
    stop = int(gaps[at[gaps] > data.e0].min(initial=at.size))
    at, operator = at[start:stop], operator[start:stop]
    curve = operator @ norm
    artists: list[Artist] = []
    if data.sigma is not None:
        error = np.sqrt(operator**2 @ (data.sigma[near] / data.edge_step) ** 2)
        artists.append(ax.fill_between(at, curve - error, curve + error, color=BAND, alpha=0.6, lw=0))
    artists += ax.plot(at, curve, color=DATA, lw=1.1)
    artists.append(ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0))
    artists.append(ax.axvline(data.e0, color=GUIDE, lw=0.8, ls=":"))
    ax.set_xlim(at[0], at[-1])
    note(ax, f"smoothed over {width:.1f} eV")
    power = "" if order == 1 else "²"
    dress(ax, xlabel="energy (eV)", ylabel=f"d{power}μ/dE{power} (eV$^{{-{order}}}$)")
    return artists


def plot_wavelet(*, ax: Axes, data: WaveletMap) -> list[Artist]:
    """Magnitude of a wavelet map over k and R, its colour bar beside it."""
    mesh = draw_map(ax, data)
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    bar.ax.tick_params(labelsize=8, width=0.7, length=3)
    bar.set_label(f"amplitude of {chi_label(data.k_weight)}", fontsize=9)
    bar.outline.set_linewidth(0.5)
    dress(ax, xlabel="$k$ (Å$^{-1}$)", ylabel="$R$ (Å), no phase correction")
    return [mesh]


def draw_map(ax: Axes, data: WaveletMap, *, top: float | None = None, power: float = 1.0) -> QuadMesh:
    """Draw the magnitude of a wavelet map from 0 to ``top``, by default its maximum.

    Colours follow the magnitude to a ``power``: below 1, weak shells show beside strong ones.
    """
    scale = PowerNorm(power, vmin=0.0, vmax=float(data.magnitude.max()) if top is None else top)
    return ax.pcolormesh(
        data.k, data.r, data.magnitude, cmap="viridis", shading="nearest", rasterized=True, norm=scale
    )
