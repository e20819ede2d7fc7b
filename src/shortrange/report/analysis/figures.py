"""The figures of an analysis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.angles import AngleDistribution
from shortrange.report.analysis.panels import plot_barcode, plot_loops, plot_projection, plot_shapes
from shortrange.report.plates import Plate, make_plate
from shortrange.report.style import BAND, DATA, GUIDE, dress, finish, model_color, new_figure

__all__ = ["analysis_plates"]

_BOXES = 10


def analysis_plates(analysis: Analysis, *, title: str) -> list[Plate]:
    """Figures of all parts that the analysis has.

    Parameters
    ----------
    analysis
        What was found.
    title
        Stands above each figure.
    """
    makers: Sequence[tuple[str, Callable[[Analysis], Figure | None], str]] = (
        (
            "partial_gr",
            _partials,
            "Partial g(r) with its standard error, and the running coordination number up to and a little "
            "beyond the first shell (dashed, right axis). Grey lines: ends of the first shells.",
        ),
        ("bond_angles", _angles, "Angles between the bonds of a centre, with standard error."),
        (
            "connectivity",
            _connectivity,
            "Left: distances between centres that share ligands, by the kind of sharing. Right: joined pairs "
            "over the run. Below: angles between the two bonds of a shared ligand, with standard error.",
        ),
        (
            "csm",
            _shapes,
            "Continuous shape measure in consecutive parts of the run (ligands and central atom about their "
            "centroid): median, mean (square), quartiles, whiskers to 1.5 times the range between quartiles.",
        ),
        (
            "msd",
            _msd,
            "Mean squared displacement over all overlapping windows, with its error for free diffusion; "
            "lines of slope 6D in the white range.",
        ),
        (
            "topology",
            _topology,
            "Left: barcode of the components (H0), the k-th bar to the mean of the k-th death (grey: 5 to "
            "95 % of the snapshots). Right: births and deaths of loops (H1) in all snapshots, "
            "darker where there are more.",
        ),
        (
            "density",
            _density,
            "Probability density of the mobile ions along each lattice vector (projection), sites (circles) "
            "and the jumps between them within the cell (lines).",
        ),
    )
    plates = []
    for name, make, caption in makers:
        figure = make(analysis)
        if figure is not None:
            plates.append(make_plate(name, finish(figure, title=title, simulated=True), caption=caption))
    return plates


def _partials(analysis: Analysis) -> Figure | None:
    d = analysis.distributions
    if not analysis.shells or not d.g:
        return None
    columns = 1 if len(d.g) < 4 else 2
    lines = -(-len(d.g) // columns)
    figure = new_figure(0.6 + 1.35 * lines)
    grid = np.atleast_1d(figure.subplots(lines, columns, sharex=True)).ravel()
    for ax in grid[len(d.g) :]:
        ax.set_axis_off()
    show = d.r > 1.0
    for k, (ax, (name, g)) in enumerate(zip(grid, d.g.items(), strict=False)):
        sigma, cutoff = d.sigma_g[name], analysis.cutoffs[name]
        ax.plot(d.r[show], g[show], color=model_color(k), lw=1.1)
        if sigma is not None:
            ax.fill_between(d.r[show], (g - sigma)[show], (g + sigma)[show], color=BAND, alpha=0.5, lw=0)
        dress(ax, xlabel="r (Å)" if k >= len(d.g) - columns else "", ylabel="g(r)", y_ticks=3)
        ax.set_xlim(1.0, float(d.r[-1]))
        ax.set_ylim(0.0, 1.25 * float(g[show].max()) or 1.0)
        text = name
        if cutoff.r is not None:
            ax.axvline(cutoff.r, color=GUIDE, lw=0.9)
            text += f", {cutoff.r:.2f} Å {'given' if cutoff.origin == 'given' else 'found'}"
        # With y given, matplotlib does not measure all ticks at each drawing to find it.
        ax.set_title(text, y=1.0, fontsize=8, color="#444444", pad=2)
        if cutoff.r is not None:
            _running(ax, d.r, d.running[name], cutoff.r)
    return figure


def _running(ax: Axes, r: np.ndarray, number: np.ndarray, end: float) -> None:
    twin = ax.twinx()
    upto = (r > 1.0) & (r <= end + 0.5)
    twin.plot(r[upto], number[upto], color=DATA, lw=0.9, ls="--")
    top = float(np.interp(end, r, number))
    twin.set_ylim(0, max(1.4 * top, 0.5))
    twin.set_ylabel("n(r)", fontsize=8)
    twin.tick_params(labelsize=7)
    twin.spines["top"].set_visible(False)


def _angles(analysis: Analysis) -> Figure | None:
    if not analysis.angles:
        return None
    figure = new_figure(3.0)
    _plot_angles(figure.subplots(), analysis.angles)
    return figure


def _plot_angles(ax: Axes, angles: Sequence[AngleDistribution]) -> None:
    for k, a in enumerate(angles):
        ax.plot(a.angle, a.density, color=model_color(k), lw=1.2, label=a.name)
        if a.sigma is not None:
            low, high = a.density - a.sigma, a.density + a.sigma
            ax.fill_between(a.angle, low, high, color=model_color(k), alpha=0.25, lw=0)
    dress(ax, xlabel="angle (degrees)", ylabel="density (1/degree)")
    ax.set_xlim(40, 180)
    ax.set_ylim(bottom=0.0)
    ax.legend(fontsize=8, frameon=False)


def _connectivity(analysis: Analysis) -> Figure | None:
    c = analysis.connectivity
    if c is None or not c.bridges.distance.size:
        return None
    figure = new_figure(5.4)
    axes = figure.subplot_mosaic([["left", "right"], ["angles", "angles"]])
    left, right = axes["left"], axes["right"]
    _plot_angles(axes["angles"], c.angle_distributions)
    b = c.bridges
    edges = np.linspace(b.distance.min() - 0.05, b.distance.max() + 0.05, 60)
    level = np.minimum(b.shared, 3)
    for k, s in enumerate(c.sharing):
        mine = b.distance[level == k + 1]
        if mine.size:
            weights = np.full(mine.size, 1.0 / (b.frames.size * (edges[1] - edges[0])))
            style: dict[str, Any] = {"color": model_color(k), "label": s.name}
            left.hist(mine, edges.tolist(), weights=weights, histtype="step", lw=1.2, **style)
            right.plot(c.over_time[:, k], lw=0.9, **style)
    centre = "/".join(analysis.roles.centres)
    dress(left, xlabel=f"{centre}–{centre} (Å)", ylabel="pairs in a frame per Å")
    dress(right, xlabel="frame", ylabel="pairs")
    right.set_ylim(bottom=0.0)
    left.legend(fontsize=8, frameon=False)
    return figure


def _shapes(analysis: Analysis) -> Figure | None:
    if not analysis.distortions:
        return None
    figure = new_figure(2.8 * len(analysis.distortions))
    axes = np.atleast_1d(figure.subplots(len(analysis.distortions), 1))
    for ax, d in zip(axes, analysis.distortions, strict=True):
        values = d.measures["all"]
        parts = np.array_split(values, min(_BOXES, values.shape[0]))
        frames = np.array_split(d.frames, len(parts))
        labels = [f"{f[0]}–{f[-1]}" if f.size > 1 else f"{f[0]}" for f in frames]
        plot_shapes(dict(zip(labels, parts, strict=True)), ax=ax)
        ax.tick_params(axis="x", rotation=30)
        dress(ax, xlabel="frames", ylabel=f"shape measure of {d.centre_element}\n({d.polyhedron})")
    return figure


def _msd(analysis: Analysis) -> Figure | None:
    t = analysis.transport
    if t is None:
        return None
    figure = new_figure(3.2)
    ax = figure.subplots()
    time = t.time / 1000.0
    ax.axvspan(0, t.window[0] / 1000.0, color="#eeeeee", lw=0)
    if time[-1] > t.window[1] / 1000.0:
        ax.axvspan(t.window[1] / 1000.0, time[-1], color="#eeeeee", lw=0)
    inside = (t.time >= t.window[0]) & (t.time <= t.window[1])
    for k, e in enumerate(t.elements):
        color = model_color(k)
        ax.plot(time, e.msd, color=color, lw=1.2, label=e.element)
        ax.fill_between(time, e.msd - e.sigma_msd, e.msd + e.sigma_msd, color=color, alpha=0.15, lw=0)
        if e.element in analysis.roles.mobile:
            # cm2/s to angstrom^2/fs
            ax.plot(
                time[inside], e.intercept + 60.0 * e.d.value * t.time[inside], color=DATA, lw=1.0, ls="--"
            )
    dress(ax, xlabel="time (ps)", ylabel="MSD (Å²)")
    ax.set_xlim(0, float(time[-1]))
    ax.set_ylim(bottom=0.0)
    ax.legend(fontsize=8, frameon=False, loc="upper left")
    return figure


def _topology(analysis: Analysis) -> Figure | None:
    if not analysis.persistence:
        return None
    figure = new_figure(3.0 * len(analysis.persistence))
    rows = np.atleast_2d(figure.subplots(len(analysis.persistence), 2))
    for k, ((left, right), p) in enumerate(zip(rows, analysis.persistence, strict=True)):
        plot_barcode(p, ax=left, color=model_color(k))
        plot_loops(p, ax=right)
    return figure


def _density(analysis: Analysis) -> Figure | None:
    if analysis.density is None:
        return None
    figure = new_figure(2.1)
    for k, ax in enumerate(figure.subplots(1, 3)):
        plot_projection(analysis.density, k, ax=ax, jumps=analysis.jumps)
    return figure
