"""Figures of single features of an absorption spectrum: the second derivative, the wavelet map."""

from __future__ import annotations

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import PowerNorm

from shortrange.reduce.edge_splitting import Splitting
from shortrange.reduce.normalise import Normalised
from shortrange.report.figures.xas import chi_label
from shortrange.report.style import BAND, DATA, GUIDE, MODELS, dress, note
from shortrange.transform.wavelet import WaveletMap

__all__ = ["draw_map", "plot_second_derivative", "plot_wavelet", "plot_white_line"]


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
