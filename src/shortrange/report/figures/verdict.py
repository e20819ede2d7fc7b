"""Figures of the answer: each model against each measurement, and the odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shortrange.compare.verdict import MeasurementFit, ModelResult, Verdict
from shortrange.report.figures.xas import shade_outside
from shortrange.report.style import (
    BAND,
    DATA,
    GUIDE,
    MODELS,
    dress,
    finish,
    model_color,
    new_figure,
    note,
    plain,
)
from shortrange.report.text import leading, percent, significant

__all__ = [
    "contributions_figure",
    "fits_figure",
    "odds_figure",
    "plot_contributions",
    "plot_fit",
    "plot_odds",
    "plot_residual",
]

Array = NDArray[Any]
_SHOWN = 6
_AXES = {
    "xas": ("$k$ (Å$^{-1}$)", "$k^2$χ($k$) (Å$^{-2}$)"),
    "total-scattering": ("$r$ (Å)", "$G$($r$) (Å$^{-2}$)"),
}


def plot_fit(*, ax: Axes, fit: MeasurementFit, color: str = MODELS[0]) -> list[Artist]:
    """Draw data with their error band, and one model with the band of the theory error.

    Parameters
    ----------
    ax
        Where to draw.
    fit
        The model against the measurement.
    color
        Of the model.
    """
    artists: list[Artist] = []
    if fit.theory_sigma is not None:
        artists.append(
            ax.fill_between(
                fit.x,
                fit.model - fit.theory_sigma,
                fit.model + fit.theory_sigma,
                color=color,
                alpha=0.22,
                lw=0,
                label="theory error",
            )
        )
    if fit.sigma is not None:
        artists.append(
            ax.fill_between(
                fit.x,
                fit.data - fit.sigma,
                fit.data + fit.sigma,
                color=BAND,
                alpha=0.6,
                lw=0,
                label="error of data",
            )
        )
    # The broad model lies below: where they agree, the thin data line still shows.
    artists += ax.plot(fit.x, fit.model, color=color, lw=2.4, alpha=0.85, label="model")
    artists += ax.plot(fit.x, fit.data, color=DATA, lw=0.8, label="data")
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    ax.set_xlim(float(fit.x[0]), float(fit.x[-1]))
    if fit.technique == "total-scattering":
        artists += shade_outside(ax, fit.fit_range)
    xlabel, ylabel = _AXES[fit.technique]
    dress(ax, xlabel=xlabel, ylabel=ylabel, y_ticks=4)
    return artists


def plot_residual(*, ax: Axes, fit: MeasurementFit, color: str = MODELS[0]) -> list[Artist]:
    """Residual in units of the total error (noise and theory), with the band of two sigma.

    Where neither error is known the residual is drawn in its own unit, and the axis says so.
    """
    residual = fit.data - fit.model
    total = _total_sigma(fit)
    xlabel, ylabel = _AXES[fit.technique]
    artists: list[Artist] = []
    if total is not None:
        residual = residual / total
        ylabel = "resid. (σ)"
        artists.append(ax.axhspan(-2.0, 2.0, color="#dddddd", lw=0, zorder=0))
    artists += ax.plot(fit.x, residual, color=color, lw=0.9)
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    ax.set_xlim(float(fit.x[0]), float(fit.x[-1]))
    dress(ax, xlabel=xlabel, ylabel=ylabel, y_ticks=3)
    return artists


def plot_contributions(*, ax: Axes, fit: MeasurementFit) -> list[Artist]:
    """Parts of one model, one below the other on a common scale, under the whole of it and the data.

    The parts of `MeasurementFit.contributions` are drawn from the strongest down.
    """
    parts = sorted(fit.contributions.items(), key=lambda item: -float(np.ptp(item[1])))
    gap = 0.08 * max(float(np.ptp(fit.data)), float(np.ptp(fit.model)))
    artists: list[Artist] = list(ax.plot(fit.x, fit.model, color=MODELS[0], lw=2.4, alpha=0.85))
    artists += ax.plot(fit.x, fit.data, color=DATA, lw=0.8)
    names, offsets = ["data, model"], [0.0]
    above = np.minimum(fit.data, fit.model)
    for index, (name, part) in enumerate(parts):
        # As close below the curve above as they do not touch, and with room for the name.
        offset = min(
            float(np.min(above - part)) - gap, offsets[-1] - max(2.0 * gap, 0.5 * float(np.ptp(part)))
        )
        above = part + offset
        artists += ax.plot(fit.x, above, color=model_color(index + 1), lw=1.1)
        names.append(name)
        offsets.append(offset)
    right = float(fit.x[-1])
    for index, (name, level) in enumerate(zip(names, offsets, strict=True)):
        ax.axhline(level, color=GUIDE, lw=0.5, zorder=0)
        ax.annotate(
            plain(name),
            (right, level),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=DATA if index == 0 else model_color(index),
            annotation_clip=False,
        )
    ax.set_xlim(float(fit.x[0]), right)
    xlabel, ylabel = _AXES[fit.technique]
    dress(ax, xlabel=xlabel, ylabel=f"{ylabel}, offset")
    return artists


def plot_odds(*, ax: Axes, models: Sequence[ModelResult]) -> list[Artist]:
    """Probability of each model as a bar, with the number beside it."""
    artists: list[Artist] = []
    for index, model in enumerate(models):
        artists += list(ax.barh(index, model.probability, height=0.62, color=model_color(index)))
        artists.append(
            ax.annotate(
                percent(model.probability),
                (model.probability, index),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color="#222222",
            )
        )
    ax.set_yticks(range(len(models)), [plain(model.name) for model in models])
    ax.set_xlim(0.0, 1.18)
    ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100"])
    dress(ax, xlabel="probability among the models offered (%)")
    ax.set_yticks(range(len(models)), [plain(model.name) for model in models], fontsize=9)
    ax.set_ylim(len(models) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return artists


def fits_figure(verdict: Verdict, *, measurement: str, title: str, simulated: bool) -> Figure:
    """Every model against one measurement, most probable first, each above its residual."""
    shown = verdict.models[:_SHOWN]
    pairs = [(model, _fit_of(model, measurement)) for model in shown]
    heights = [value for _ in pairs for value in (2.6, 1.0)]
    figure = new_figure(1.1 + 1.5 * len(pairs))
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    figure.get_layout_engine().set(h_pad=0.015, hspace=0.01)  # type: ignore[union-attr,call-arg]  # constrained engine
    for index, (model, fit) in enumerate(pairs):
        upper, lower = grid[2 * index], grid[2 * index + 1]
        plot_fit(ax=upper, fit=fit, color=model_color(index))
        plot_residual(ax=lower, fit=fit, color=model_color(index))
        upper.set_title(
            plain(f"{model.name} · {percent(model.probability)}"),
            loc="left",
            fontsize=8.5,
            color=model_color(index),
            fontweight="bold",
            pad=2,
        )
        upper.set_title(
            f"$R$ = {significant(fit.R)},  reduced χ² = {significant(fit.chi2_reduced)}",
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


def contributions_figure(verdict: Verdict, *, measurement: str, title: str, simulated: bool) -> Figure | None:
    """Parts of the leading model in one measurement; None if it names no parts."""
    model = leading(verdict)
    fit = _fit_of(model, measurement)
    if not fit.contributions:
        return None
    figure = new_figure(2.3 + 0.5 * len(fit.contributions))
    plot_contributions(ax=figure.subplots(), fit=fit)
    subject = f"{measurement}: parts of {model.name}"
    return finish(figure, title=title, subject=subject, simulated=simulated)


def odds_figure(verdict: Verdict, *, title: str, simulated: bool) -> Figure:
    """Probabilities of all models."""
    figure = new_figure(0.95 + 0.36 * len(verdict.models))
    plot_odds(ax=figure.subplots(), models=verdict.models)
    return finish(figure, title=title, simulated=simulated)


def _fit_of(model: ModelResult, measurement: str) -> MeasurementFit:
    return next(fit for fit in model.fits if fit.measurement == measurement)


def _total_sigma(fit: MeasurementFit) -> Array | None:
    known = [sigma for sigma in (fit.sigma, fit.theory_sigma) if sigma is not None]
    if not known:
        return None
    total = np.sqrt(np.sum([np.square(sigma) for sigma in known], axis=0))
    # No error at a point (such as chi at k = 0) is no reason for an infinite residual.
    return np.where(total > 0, total, np.inf)


def _share_limits(axes: Sequence[Axes]) -> None:
    """Let the eye compare: one scale for all models."""
    low = min(ax.get_ylim()[0] for ax in axes)
    high = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(low, high)
