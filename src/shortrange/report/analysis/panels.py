"""Axes that show one part of an analysis: artists into axes that are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.analyse.arrhenius import Arrhenius
from shortrange.analyse.density import Density
from shortrange.analyse.distortion import Distortion
from shortrange.analyse.jumps import Jumps
from shortrange.analyse.topology import Persistence
from shortrange.report.style import BAND, DATA, GUIDE, dress, model_color, note

__all__ = ["plot_arrhenius", "plot_barcode", "plot_loops", "plot_projection", "plot_shapes"]

Array = NDArray[Any]


def plot_shapes(values: Mapping[str, Array | Distortion], *, ax: Axes) -> list[Any]:
    """Box plots of shape measures, side by side: parts of a run, or several systems.

    Parameters
    ----------
    values
        Measures by label; of a `Distortion` those with ligands and central atom about their centroid.
    ax
        Where to draw.

    Returns
    -------
    list
        The boxes.
    """
    measures = [v.measures["all"] if isinstance(v, Distortion) else np.asarray(v) for v in values.values()]
    drawn = ax.boxplot(
        [each.ravel() for each in measures],
        widths=0.6,
        showmeans=True,
        flierprops={"marker": "d", "ms": 2, "mfc": GUIDE, "mec": GUIDE},
        meanprops={"marker": "s", "ms": 4, "mfc": DATA, "mec": DATA},
        medianprops={"color": model_color(1)},
    )
    ax.set_xticks(range(1, len(measures) + 1), list(values))
    dress(ax, ylabel="continuous shape measure")
    ax.set_ylim(bottom=0.0)
    return list(drawn["boxes"])


def plot_barcode(bars: Persistence, *, ax: Axes, color: str = DATA) -> list[Any]:
    """Bars of the components (H0) in order of their deaths, averaged over snapshots.

    The k-th bar ends at the mean of the k-th death; its whisker spans the 5th to 95th percentile over
    snapshots.

    Parameters
    ----------
    bars
        Of one system.
    ax
        Where to draw.
    color
        Of the bars.

    Returns
    -------
    list
        Bars and whiskers.
    """
    mean = bars.h0.mean(axis=0)
    place = np.arange(1, mean.size + 1)
    lines: list[Any] = [ax.hlines(place, 0.0, mean, color=color, lw=1.6 if mean.size < 40 else 0.7)]
    if bars.h0.shape[0] > 1:
        low, high = np.percentile(bars.h0, [5, 95], axis=0)
        lines.append(ax.hlines(place, low, high, color=BAND, lw=0.8, alpha=0.9))
    dress(ax, xlabel="distance (Å)", ylabel="H0 bar")
    ax.set_xlim(left=0.0)
    ax.set_ylim(0, mean.size + 1)
    ax.set_title(
        f"{bars.name}: {'+'.join(bars.elements)}, {bars.distances}", fontsize=8, color="#444444", pad=2
    )
    return lines


def plot_loops(bars: Persistence, *, ax: Axes) -> list[Any]:
    """Draw the persistence diagram of the loops (H1) of all snapshots, darker where there are more.

    Parameters
    ----------
    bars
        Of one system.
    ax
        Where to draw.

    Returns
    -------
    list
        The artist of the density; nothing where there is no loop.
    """
    every = [b for b in bars.h1 or () if len(b)]
    drawn: list[Any] = []
    if every:
        points = np.concatenate(every)
        low, high = float(points[:, 0].min()) - 0.2, float(points[:, 1].max()) + 0.2
        drawn = [ax.hexbin(*points.T, gridsize=45, bins="log", cmap="Greys", mincnt=1, lw=0)]
        ax.plot([low, high], [low, high], color=GUIDE, lw=0.9)
        ax.set_xlim(low, float(points[:, 0].max()) + 0.2)
        ax.set_ylim(low, high)
    dress(ax, xlabel="H1 birth (Å)", ylabel="H1 death (Å)")
    if not every:
        note(ax, "no loops")
    return drawn


def plot_projection(density: Density, along: int, *, ax: Axes, jumps: Jumps | None = None) -> list[Any]:
    """Density of ions looked at along a lattice vector, with sites and the jumps between them.

    Parameters
    ----------
    density
        On a grid.
    along
        Lattice vector, 0 to 2.
    ax
        Where to draw; the axes are distances along the other two vectors.
    jumps
        Sites (circles) and edges (lines, wider where more ions jumped); edges that cross a face are left out.

    Returns
    -------
    list
        The image, and what lies over it.
    """
    lengths = np.linalg.norm(density.cell, axis=1)
    i, j = (x for x in range(3) if x != along)
    # Ions per area when looked at along a lattice vector.
    flat = density.values.mean(axis=along) * lengths[along]
    extent = (0.0, float(lengths[i]), 0.0, float(lengths[j]))
    drawn: list[Any] = [
        ax.imshow(
            flat.T, origin="lower", extent=extent, cmap="magma_r", aspect="equal", interpolation="bilinear"
        )
    ]
    if jumps is not None:
        x, y = jumps.sites[:, i] * lengths[i], jumps.sites[:, j] * lengths[j]
        for (a, b, *turn), n in zip(jumps.edges, jumps.counts, strict=True):
            if not any(turn):
                width = 0.5 + 0.5 * np.log2(n)
                drawn += ax.plot([x[a], x[b]], [y[a], y[b]], color=model_color(0), lw=width)
        drawn.append(ax.scatter(x, y, s=9, facecolors="none", edgecolors=model_color(0), linewidths=0.7))
        ax.set_xlim(extent[:2])
        ax.set_ylim(extent[2:])
    dress(ax, xlabel=f"along {'abc'[i]} (Å)", ylabel=f"along {'abc'[j]} (Å)")
    return drawn


def plot_arrhenius(law: Arrhenius, *, ax: Axes, at: Sequence[float] = (300.0,), label: str = "") -> list[Any]:
    """Diffusion against the inverse temperature, the fitted line with its error, and what it says elsewhere.

    Parameters
    ----------
    law
        Fitted.
    ax
        Where to draw.
    at
        Temperatures at which the line is read, K.
    label
        Of the data.

    Returns
    -------
    list
        Points, line, band and readings.
    """
    coldest = min(*at, *law.temperatures) if at else float(law.temperatures.min())
    grid = np.linspace(1000.0 / float(law.temperatures.max()) - 0.05, 1000.0 / coldest + 0.05, 100)
    value, sigma = (
        np.array([law.at(1000.0 / x)[k] if law.covariance is not None or k == 0 else 0.0 for x in grid])
        for k in (0, 1)
    )
    drawn: list[Any] = ax.plot(grid, value, color=model_color(0), lw=1.2)
    relative = np.exp(sigma / value)
    drawn.append(
        ax.fill_between(grid, value / relative, value * relative, color=model_color(0), alpha=0.2, lw=0)
    )
    drawn += ax.plot(1000.0 / law.temperatures, law.diffusion, "o", color=DATA, ms=4, label=label or None)
    for temperature in at:
        d, error = law.at(temperature)
        x, color = 1000.0 / temperature, model_color(1)
        drawn.append(ax.errorbar(x, d, yerr=error, fmt="s", mfc="white", ms=4, color=color, capsize=2))
    ax.set_yscale("log")
    dress(ax, xlabel="1000 K / T", ylabel="D (cm²/s)")
    energy, error = law.activation_energy, law.sigma_activation_energy
    note(ax, f"Ea = {energy:.3f}" + (f" ± {error:.3f} eV" if error is not None else " eV"))
    return drawn
