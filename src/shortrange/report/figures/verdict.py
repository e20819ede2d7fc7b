"""Figures of the answer: every model against each measurement, and the odds."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shortrange.compare.verdict import MeasurementFit, ModelResult, Verdict
from shortrange.quantities import ChiK
from shortrange.report.figures.fits import (
    PARTS,
    plot_contributions,
    plot_distances,
    plot_fit,
    plot_odds,
    plot_residual,
)
from shortrange.report.figures.xas import chi_label
from shortrange.report.figures.xas_features import draw_map
from shortrange.report.style import WIDTH, dress, finish, model_color, new_figure, note, plain
from shortrange.report.text import leading, misfit_name, percent, significant
from shortrange.transform.wavelet import wavelet

__all__ = ["contributions_figure", "distances_figure", "fits_figure", "odds_figure", "wavelets_figure"]

_SHOWN = 6


def fits_figure(
    verdict: Verdict, *, measurement: str, title: str, simulated: bool, k_weight: float = 2.0
) -> Figure:
    """Every model against one measurement, most probable first, each above its residual.

    Parameters
    ----------
    verdict
        With the fits.
    measurement
        Which of its measurements.
    title, simulated
        The sample, and whether its data were made from a model.
    k_weight
        By which power of k the curves of EXAFS are weighted, for the labels.
    """
    shown = verdict.models[:_SHOWN]
    pairs = [(model, _fit_of(model, measurement)) for model in shown]
    heights = [value for _ in pairs for value in (2.6, 1.0)]
    figure = new_figure(1.1 + 1.5 * len(pairs))
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    figure.get_layout_engine().set(h_pad=0.015, hspace=0.01)  # type: ignore[union-attr,call-arg]  # constrained engine
    for index, (model, fit) in enumerate(pairs):
        upper, lower = grid[2 * index], grid[2 * index + 1]
        plot_fit(ax=upper, fit=fit, color=model_color(index), k_weight=k_weight)
        plot_residual(ax=lower, fit=fit, color=model_color(index), k_weight=k_weight)
        _name_model(upper, model, index)
        upper.set_title(
            f"{misfit_name(fit)} = {significant(fit.R)},  reduced χ² = {significant(fit.chi2_reduced)}",
            loc="right",
            fontsize=8,
            color="#222222",
            pad=2,
        )
        if index < len(pairs) - 1:
            lower.set_xlabel("")
        upper.set_xlabel("")
    _share_limits(grid[0::2])
    _share_limits(grid[1::2])
    if len(verdict.models) > _SHOWN:
        note(grid[-1], f"{len(verdict.models) - _SHOWN} less probable models are not drawn", y=0.97)
    figure.supxlabel(
        "black: data with error band; colour: model with band of the theory error; grey strip: ±2σ of both",
        fontsize=7.5,
        color="#444444",
    )
    return finish(figure, title=title, subject=measurement, simulated=simulated)


def distances_figure(
    verdict: Verdict, *, measurement: str, title: str, simulated: bool, k_weight: float = 2.0
) -> Figure | None:
    """Every model against one EXAFS measurement in R, where they were compared; None for other techniques.

    Parameters as `fits_figure`.
    """
    pairs = [(model, _fit_of(model, measurement)) for model in verdict.models[:_SHOWN]]
    if pairs[0][1].technique != "xas":
        return None
    figure = new_figure(1.1 + 1.25 * len(pairs))
    axes = figure.subplots(len(pairs), 1, sharex=True, squeeze=False)[:, 0]
    for index, (model, fit) in enumerate(pairs):
        plot_distances(ax=axes[index], fit=fit, color=model_color(index), k_weight=k_weight)
        _name_model(axes[index], model, index)
        if index < len(pairs) - 1:
            axes[index].set_xlabel("")
    _share_limits(list(axes))
    figure.supxlabel(
        "black: data with error band; colour: model; dotted: size of the difference; white: compared",
        fontsize=7.5,
        color="#444444",
    )
    return finish(figure, title=title, subject=f"{measurement} in R", simulated=simulated)


def wavelets_figure(
    verdict: Verdict, *, measurement: str, title: str, simulated: bool, k_weight: float = 2.0
) -> Figure | None:
    """Wavelet maps of the data and the two leading models on one scale; None for other techniques.

    Parameters as `fits_figure`.
    """
    pairs = [(model, _fit_of(model, measurement)) for model in verdict.models[:2]]
    first = pairs[0][1]
    if first.technique != "xas":
        return None
    curves = [("data", first.data), *((model.name, fit.model) for model, fit in pairs)]
    limits = (float(first.x[0]), float(first.x[-1]))
    maps = [
        # The curves are weighted by k already.
        wavelet(ChiK(k=first.x, chi=curve), k_weight=0.0, k_range=limits, r_step=0.04)
        for _, curve in curves
    ]
    top = max(float(each.magnitude.max()) for each in maps)
    figure = new_figure(3.0, width=2 * WIDTH)
    axes = figure.subplots(1, len(maps), sharey=True)
    for ax, (name, _), each in zip(axes, curves, maps, strict=True):
        mesh = draw_map(ax, each, top=top, power=0.5)
        ax.set_title(plain(name), loc="left", fontsize=8.5, fontweight="bold", pad=3)
        dress(ax, xlabel="$k$ (Å$^{-1}$)", ylabel="$R$ (Å), no phase correction" if ax is axes[0] else "")
        for limit in first.fit_range:
            ax.axhline(limit, color="white", lw=0.8, ls=":")
    bar = figure.colorbar(mesh, ax=axes, pad=0.01)
    bar.ax.tick_params(labelsize=8, width=0.7, length=3)
    bar.set_label(f"amplitude of {chi_label(k_weight)}", fontsize=9)
    return finish(figure, title=title, subject=f"{measurement}: wavelet maps", simulated=simulated)


def _name_model(ax: Axes, model: ModelResult, index: int) -> None:
    ax.set_title(
        plain(f"{model.name} · {percent(model.probability)}"),
        loc="left",
        fontsize=8.5,
        color=model_color(index),
        fontweight="bold",
        pad=2,
    )


def contributions_figure(
    verdict: Verdict, *, measurement: str, title: str, simulated: bool, k_weight: float = 2.0
) -> Figure | None:
    """Parts of the leading model in one measurement; None if it names no parts.

    Parameters as `fits_figure`.
    """
    model = leading(verdict)
    fit = _fit_of(model, measurement)
    if not fit.contributions:
        return None
    figure = new_figure(2.3 + 0.5 * min(len(fit.contributions), PARTS))
    plot_contributions(ax=figure.subplots(), fit=fit, k_weight=k_weight)
    subject = f"{measurement}: parts of {model.name}"
    return finish(figure, title=title, subject=subject, simulated=simulated)


def odds_figure(verdict: Verdict, *, title: str, simulated: bool) -> Figure:
    """Probabilities of all models."""
    figure = new_figure(0.95 + 0.36 * len(verdict.models))
    plot_odds(ax=figure.subplots(), models=verdict.models)
    return finish(figure, title=title, simulated=simulated)


def _fit_of(model: ModelResult, measurement: str) -> MeasurementFit:
    return next(fit for fit in model.fits if fit.measurement == measurement)


def _share_limits(axes: Sequence[Axes]) -> None:
    """Let the eye compare: one scale for all models."""
    low = min(ax.get_ylim()[0] for ax in axes)
    high = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(low, high)
