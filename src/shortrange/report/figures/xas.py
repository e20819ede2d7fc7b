"""Figures of an X-ray absorption measurement: mu(E), chi(k), chi(R)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.quantities import ChiK, ChiR
from shortrange.report.style import BAND, DATA, GUIDE, MODELS, dress, model_color, note

__all__ = [
    "chi_label",
    "magnitude_label",
    "plot_chi_k",
    "plot_chi_r",
    "plot_mu",
    "plot_normalised",
    "shade_outside",
]

Array = NDArray[Any]
Curve = tuple[str, Array, Array]


def plot_mu(
    *,
    ax: Axes,
    energy: Array,
    mu: Array,
    sigma: Array | None = None,
    pre_edge: Array | None = None,
    post_edge: Array | None = None,
    background: Array | None = None,
    e0: float | None = None,
) -> list[Artist]:
    """Absorption with its pre-edge and post-edge lines.

    Parameters
    ----------
    ax
        Where to draw.
    energy, mu, sigma
        eV, absorption in units of the measurement, and its standard error, shape (n,).
    pre_edge, post_edge, background
        Curves on the same energies, or None; the last two are drawn above the edge.
    e0
        Edge energy, eV; marked if given.

    Returns
    -------
    list of Artist
        What was drawn.
    """
    artists: list[Artist] = []
    if sigma is not None:
        artists.append(
            ax.fill_between(
                energy, mu - sigma, mu + sigma, color=BAND, alpha=0.6, lw=0, label="standard error"
            )
        )
    artists += ax.plot(energy, mu, color=DATA, lw=1.1, label="merged μ(E)")
    above = np.ones(energy.size, dtype=bool) if e0 is None else energy >= e0
    for curve, color, label, shown in (
        (pre_edge, MODELS[0], "pre-edge line", slice(None)),
        (post_edge, MODELS[1], "post-edge line", above),
        (background, MODELS[2], "background μ₀(E)", above),
    ):
        if curve is not None:
            artists += ax.plot(energy[shown], curve[shown], color=color, lw=1.0, ls="--", label=label)
    # The lines run on to energies where they mean nothing; the data set the limits.
    low, high = float(np.min(mu)), float(np.max(mu))
    ax.set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low))
    ax.set_xlim(energy[0], energy[-1])
    if e0 is not None:
        artists.append(ax.axvline(e0, color=GUIDE, lw=0.8, ls=":"))
        note(ax, f"$E_0$ = {e0:.1f} eV", y=0.06)
    ax.legend(fontsize=7.5, frameon=False, loc="best")
    dress(ax, xlabel="energy (eV)", ylabel="μ(E) (arb. units)")
    return artists


def plot_normalised(
    *,
    ax: Axes,
    energy: Array,
    norm: Array,
    repeats: Sequence[Curve] = (),
    e0: float | None = None,
    around: tuple[float, float] = (-30.0, 90.0),
) -> list[Artist]:
    """Normalised absorption near the edge, the repeats beneath their mean.

    Parameters
    ----------
    ax
        Where to draw.
    energy, norm
        eV and normalised absorption, shape (n,).
    repeats
        (label, energy, normalised absorption) of each scan.
    e0
        Edge energy, eV; without it the whole range is shown.
    around
        Range shown, eV relative to ``e0``.
    """
    artists: list[Artist] = []
    for index, (label, scan_energy, scan_norm) in enumerate(repeats):
        artists += ax.plot(scan_energy, scan_norm, color=model_color(index), lw=0.9, alpha=0.85, label=label)
    artists += ax.plot(energy, norm, color=DATA, lw=1.3, label="merged")
    if e0 is not None:
        ax.set_xlim(max(energy[0], e0 + around[0]), min(energy[-1], e0 + around[1]))
        first, last = ax.get_xlim()
        curves = [(energy, norm), *((x, y) for _, x, y in repeats)]
        seen = np.concatenate([y[(x >= first) & (x <= last)] for x, y in curves])
        if seen.size:
            low, high = float(seen.min()), float(seen.max())
            ax.set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low))
    ax.axhline(1.0, color=GUIDE, lw=0.7, zorder=0)
    if len(repeats) <= 8:
        ax.legend(fontsize=7.5, frameon=False, loc="upper right")
    else:
        note(ax, f"{len(repeats)} scans and their mean (black)", y=0.06)
    dress(ax, xlabel="energy (eV)", ylabel="normalised μ(E)")
    return artists


def plot_chi_k(
    *,
    ax: Axes,
    data: ChiK,
    k_weight: float = 2.0,
    k_range: tuple[float, float] | None = None,
    label: str = "data",
) -> list[Artist]:
    """k^n chi(k) with its error band; the range that was used is white, the rest grey.

    Parameters
    ----------
    ax
        Where to draw.
    data
        chi(k), not weighted.
    k_weight
        The power n.
    k_range
        That was used, 1/angstrom; None for all.
    label
        In a legend.
    """
    weight = data.k**k_weight
    curve = weight * data.chi
    artists: list[Artist] = []
    if data.sigma is not None:
        width = weight * data.sigma
        artists.append(
            ax.fill_between(
                data.k, curve - width, curve + width, color=BAND, alpha=0.6, lw=0, label="standard error"
            )
        )
    artists += ax.plot(data.k, curve, color=DATA, lw=1.1, label=label)
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    ax.set_xlim(0.0, float(data.k[-1]))
    used = np.ones(data.k.size, dtype=bool)
    if k_range is not None:
        used = (data.k >= k_range[0]) & (data.k <= k_range[1])
        artists += shade_outside(ax, k_range)
        note(ax, f"used: {k_range[0]:.1f} to {k_range[1]:.1f} Å$^{{-1}}$", y=0.99)
    if used.any():
        top = 1.35 * float(np.max(np.abs(curve[used])))
        if top > 0:
            ax.set_ylim(-top, top)
    dress(ax, xlabel="$k$ (Å$^{-1}$)", ylabel=chi_label(k_weight))
    return artists


def plot_chi_r(*, ax: Axes, data: ChiR, sigma: Array | None = None, r_max: float = 6.0) -> list[Artist]:
    """|chi(R)| with its error band; R is not corrected for phase shifts.

    Parameters
    ----------
    ax
        Where to draw.
    data
        The transform.
    sigma
        Standard error of its magnitude, or None.
    r_max
        End of the axis, angstrom.
    """
    magnitude = data.magnitude
    artists: list[Artist] = []
    if sigma is not None:
        low = np.clip(magnitude - sigma, 0.0, None)
        artists.append(ax.fill_between(data.r, low, magnitude + sigma, color=BAND, alpha=0.6, lw=0))
    artists += ax.plot(data.r, magnitude, color=DATA, lw=1.2)
    artists += ax.plot(data.r, data.chi.real, color=MODELS[0], lw=0.8, alpha=0.8, label="real part")
    artists[-1].set_zorder(1)
    ax.axhline(0.0, color=GUIDE, lw=0.7, zorder=0)
    ax.set_xlim(0.0, min(r_max, float(data.r[-1])))
    seen = data.r <= ax.get_xlim()[1]
    peak = int(np.argmax(np.where(seen & (data.r > 0.8), magnitude, 0.0)))
    if magnitude[peak] > 0:
        ax.annotate(
            f"{data.r[peak]:.2f} Å",
            (data.r[peak], magnitude[peak]),
            textcoords="offset points",
            xytext=(4, 2),
            fontsize=8,
            color="#222222",
        )
    note(ax, f"k-range {data.k_range[0]:.1f} to {data.k_range[1]:.1f} Å$^{{-1}}$\nblue: real part")
    dress(ax, xlabel="$R$ (Å), no phase correction", ylabel=magnitude_label(data.k_weight))
    return artists


def shade_outside(ax: Axes, limits: tuple[float, float]) -> list[Artist]:
    """Grey where the data were not used; the axis keeps its range."""
    low, high = ax.get_xlim()
    spans: list[Artist] = []
    for left, right in ((low, limits[0]), (limits[1], high)):
        if right > left:
            spans.append(ax.axvspan(left, right, color="#eeeeee", lw=0, zorder=-1))
    ax.set_xlim(low, high)
    return spans


def chi_label(k_weight: float) -> str:
    """Return the label of an axis of k^n chi(k), with its unit."""
    return f"{_k_power(k_weight)}χ($k$){_power_unit(-k_weight)}"


def magnitude_label(k_weight: float) -> str:
    """Return the label of an axis of the magnitude of the transform of k^n chi(k), with its unit."""
    return f"|χ($R$)|{_power_unit(-k_weight - 1)}"


def _k_power(k_weight: float) -> str:
    return "" if k_weight == 0 else "$k$ " if k_weight == 1 else f"$k^{{{k_weight:g}}}$"


def _power_unit(power: float) -> str:
    return "" if power == 0 else f" (Å$^{{{power:g}}}$)"
