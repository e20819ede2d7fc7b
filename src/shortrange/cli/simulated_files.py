"""Files that ``shortrange simulate`` writes: tables, summaries, figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shortrange.quantities import ChiK
    from shortrange.simulate.exafs import EnsembleExafs
    from shortrange.simulate.pairs import PairHistograms
    from shortrange.simulate.pdf import SimulatedGR

__all__ = ["write_exafs", "write_pdf"]

Array = NDArray[Any]


def write_pdf(
    folder: Path, model: SimulatedGR, histograms: PairHistograms, *, title: str, masked: Array | None
) -> None:
    """Write gr.csv and gr.gr, partials, coordination, convergence and correlation.csv, and figures/gr.png.

    Parameters
    ----------
    folder
        Where.
    model, histograms
        What was simulated, and from what.
    title
        Of the figure.
    masked
        Points of r that are written as nan, shape (n_r,) bool, or None.
    """
    from shortrange.report.columns import gr_columns, write_csv, write_gr
    from shortrange.simulate.pairs import running_coordination

    def hidden(columns: Mapping[str, Array | None]) -> dict[str, Array | None]:
        kept = np.zeros(r.size, bool) if masked is None else masked
        return {
            name: x if x is None or name == "r" else np.where(kept, np.nan, x) for name, x in columns.items()
        }

    r = model.gr.r
    write_csv(folder / "gr.csv", hidden({**gr_columns(model.gr), **model.contributions}))
    write_gr(folder / "gr.gr", model.gr)
    if model.partial_g:
        write_csv(folder / "partials.csv", hidden({"r": r, **model.partial_g}))
    write_csv(folder / "coordination.csv", hidden({"r": r, **running_coordination(histograms, r)}))
    if _falls(model.convergence):
        frames, error = model.convergence.T
        write_csv(folder / "convergence.csv", {"frames": frames, "rms_sigma": error})
    if model.correlation is not None:
        lag, value = model.correlation.T
        write_csv(folder / "correlation.csv", {"lag_frames": lag, "autocorrelation": value})
    _draw_pdf(folder, title, model, histograms.half_width if histograms.n_frames > 1 else None)


def write_exafs(folder: Path, result: EnsembleExafs, *, title: str, measured: ChiK | None) -> None:
    """Write chi_k.csv and chi_k.chik, contributions, absorbers and convergence.csv, and figures/chi_k.png."""
    from shortrange.report.columns import chi_k_columns, write_chi_k, write_csv

    write_csv(folder / "chi_k.csv", chi_k_columns(result.chi_k()))
    write_chi_k(folder / "chi_k.chik", result.chi_k())
    write_csv(folder / "contributions.csv", {"k": result.k, **result.contributions})
    each = {f"atom_{i}": chi for i, chi in enumerate(result.absorber_chi)}
    write_csv(folder / "absorbers.csv", {"k": result.k, **each})
    if result.convergence is not None:
        frames, error = result.convergence.T
        write_csv(folder / "convergence.csv", {"frames": frames, "relative_error": error})
    _draw_exafs(folder, title, result, measured)


def _draw_pdf(folder: Path, title: str, model: SimulatedGR, half_width: float | None) -> None:
    from shortrange.report.figures.scattering import plot_gr
    from shortrange.report.figures.snapshots import plot_convergence, plot_parts, plot_single
    from shortrange.report.figures.xas import shade_outside
    from shortrange.report.style import finish, new_figure, png_bytes

    rows = 2 + _falls(model.convergence)
    figure = new_figure(2.5 * rows)
    axes = figure.subplots(rows, 1)
    drawn = plot_gr(ax=axes[0], data=model.gr, label="ensemble mean")
    if model.gr.sigma is not None:
        drawn[0].set_label("± its standard error")
    if half_width is not None and half_width < model.gr.r[-1]:
        shade_outside(axes[0], (0.0, half_width))
        axes[0].text(
            0.99, 0.02, "shaded: beyond half the cell", ha="right", fontsize=6.5, transform=axes[0].transAxes
        )
    if model.per_run is not None and len(model.per_run) > 1:
        plot_single(ax=axes[0], x=model.gr.r, curves=model.per_run[:3])
    axes[0].legend(fontsize=7.5, frameon=False, loc="best")
    plot_parts(
        ax=axes[1],
        x=model.gr.r,
        parts=model.contributions,
        xlabel="$r$ (Å)",
        ylabel="parts of $G$ (Å$^{-2}$)",
    )
    if _falls(model.convergence):
        frames, error = model.convergence.T
        plot_convergence(ax=axes[2], frames=frames, error=error, ylabel="rms error of $G$ (Å$^{-2}$)")
    _save(folder, "gr.png", png_bytes(finish(figure, title=title, simulated=True)))


def _draw_exafs(folder: Path, title: str, result: EnsembleExafs, measured: ChiK | None) -> None:
    from shortrange.report.figures.snapshots import plot_convergence, plot_parts, plot_single
    from shortrange.report.figures.xas import plot_chi_k
    from shortrange.report.style import finish, new_figure, png_bytes

    rows = 2 + _falls(result.convergence)
    figure = new_figure(2.5 * rows)
    axes = figure.subplots(rows, 1)
    plot_chi_k(ax=axes[0], data=result.chi_k(), label="ensemble mean")
    weight = result.k**2
    if result.n_frames > 1:
        plot_single(ax=axes[0], x=result.k, curves=weight * result.frame_chi[:3])
    if measured is not None:
        plot_single(ax=axes[0], x=measured.k, curves=(measured.k**2 * measured.chi)[None], label="measured")
    parts = {name: weight * chi for name, chi in result.contributions.items()}
    plot_parts(
        ax=axes[1], x=result.k, parts=parts, xlabel="$k$ (Å$^{-1}$)", ylabel="parts of $k^2χ$ (Å$^{-2}$)"
    )
    if _falls(result.convergence):
        frames, error = result.convergence.T
        plot_convergence(ax=axes[2], frames=frames, error=error, ylabel="rms error of $k^2χ$", relative=True)
    _save(folder, "chi_k.png", png_bytes(finish(figure, title=title, simulated=True)))


def _falls(convergence: Array | None) -> TypeGuard[Array]:
    """Whether there are numbers of frames to compare; one alone makes no curve."""
    return convergence is not None and len(convergence) > 1


def _save(folder: Path, name: str, png: bytes) -> None:
    (folder / "figures").mkdir()
    (folder / "figures" / name).write_bytes(png)
