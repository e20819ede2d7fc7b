"""Panels of the answer: one model against one measurement, its parts, and the odds of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shortrange.compare.verdict import MeasurementFit, ModelResult
from shortrange.quantities import ChiK, ChiR
from shortrange.report.figures.xas import chi_label, magnitude_label, shade_outside
from shortrange.report.style import (
    BAND,
    DATA,
    GUIDE,
    MODELS,
    dress,
    model_color,
    plain,
)
from shortrange.report.text import percent
from shortrange.transform.fourier import sigma_magnitude, xftf

__all__ = [
    "PARTS",
    "plot_contributions",
    "plot_distances",
    "plot_fit",
    "plot_odds",
    "plot_residual",
    "strongest",
    "total_sigma",
    "transform_curve",
]

Array = NDArray[Any]
PARTS = 8
"""As many contributions are drawn; the weakest of more are summed."""


def _labels(fit: MeasurementFit, k_weight: float) -> tuple[str, str]:
    if fit.technique == "xas":
        return "$k$ (Å$^{-1}$)", chi_label(k_weight)
    return "$r$ (Å)", "$G$($r$) (Å$^{-2}$)"


def plot_fit(*, ax: Axes, fit: MeasurementFit, color: str = MODELS[0], k_weight: float = 2.0) -> list[Artist]:
    """Draw data with their error band, and one model with the band of the theory error.

    Parameters
    ----------
    ax
        Where to draw.
    fit
        The model against the measurement.
    color
        Of the model.
    k_weight
        Power of k in the curves of EXAFS.
    """
    artists: list[Artist] = []
    for curve, sigma, look in (
        (fit.model, fit.theory_sigma, (color, 0.22, "theory error")),
        (fit.data, fit.sigma, (BAND, 0.6, "error of data")),
    ):
        if sigma is not None:
            shade, alpha, label = look
            band = ax.fill_between(
                fit.x, curve - sigma, curve + sigma, color=shade, alpha=alpha, lw=0, label=label
            )
            artists.append(band)
    # The broad model lies below: where they agree, the thin data line still shows.
    artists += ax.plot(fit.x, fit.model, color=color, lw=2.4, alpha=0.85, label="model")
    artists += ax.plot(fit.x, fit.data, color=DATA, lw=0.8, label="data")
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    ax.set_xlim(float(fit.x[0]), float(fit.x[-1]))
    if fit.technique == "total-scattering":
        artists += shade_outside(ax, fit.fit_range)
    xlabel, ylabel = _labels(fit, k_weight)
    dress(ax, xlabel=xlabel, ylabel=ylabel, y_ticks=4)
    return artists


def plot_residual(
    *, ax: Axes, fit: MeasurementFit, color: str = MODELS[0], k_weight: float = 2.0
) -> list[Artist]:
    """Residual in units of the total error (noise and theory), with the band of two sigma.

    Where neither error is known the residual is drawn in its own unit, and the axis says so. Parameters as
    `plot_fit`.
    """
    residual = fit.data - fit.model
    total = total_sigma(fit)
    xlabel, ylabel = _labels(fit, k_weight)
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


def plot_contributions(*, ax: Axes, fit: MeasurementFit, k_weight: float = 2.0) -> list[Artist]:
    """Parts of one model, one below the other on a common scale, under the whole of it and the data.

    The parts of `MeasurementFit.contributions` are drawn from the strongest down; the weakest of many are
    drawn as their sum. Parameters as `plot_fit`.
    """
    parts = strongest(fit)
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
    xlabel, ylabel = _labels(fit, k_weight)
    dress(ax, xlabel=xlabel, ylabel=f"{ylabel}, offset")
    return artists


def strongest(fit: MeasurementFit) -> list[tuple[str, Array]]:
    """Return contributions by size; from the ``PARTS``-th on, their sum."""
    parts = sorted(fit.contributions.items(), key=lambda item: -float(np.ptp(item[1])))
    if len(parts) <= PARTS:
        return parts
    rest = [part for _, part in parts[PARTS - 1 :]]
    return [*parts[: PARTS - 1], (f"{len(rest)} others", np.sum(rest, axis=0))]


def plot_distances(
    *, ax: Axes, fit: MeasurementFit, color: str = MODELS[0], k_weight: float = 2.0, r_max: float = 6.0
) -> list[Artist]:
    """|chi(R)| of an EXAFS fit: data with the band of their noise, and the model.

    Both are transformed from the curves of the fit, with Hanning tapers of 1 1/angstrom inside their ends.

    Parameters
    ----------
    ax
        Where to draw.
    fit
        Of technique ``"xas"``.
    color
        Of the model.
    k_weight
        Power of k in the curves.
    r_max
        End of the axis, angstrom.
    """
    r = np.arange(0.0, r_max + 0.01, 0.02)
    data, model = transform_curve(fit, fit.data, fit.sigma, r), transform_curve(fit, fit.model, None, r)
    artists: list[Artist] = []
    sigma = sigma_magnitude(data)
    if sigma is not None:
        low, high = np.clip(data.magnitude - sigma, 0.0, None), data.magnitude + sigma
        artists.append(ax.fill_between(r, low, high, color=BAND, alpha=0.6, lw=0, label="error of data"))
    artists += ax.plot(r, model.magnitude, color=color, lw=2.4, alpha=0.85, label="model")
    artists += ax.plot(r, data.magnitude, color=DATA, lw=0.8, label="data")
    artists += ax.plot(r, np.abs(data.chi - model.chi), color=color, lw=0.9, ls=":", label="|difference|")
    ax.set_xlim(0.0, r_max)
    ax.set_ylim(0.0, None)
    artists += shade_outside(ax, fit.fit_range)
    dress(ax, xlabel="$R$ (Å), no phase correction", ylabel=magnitude_label(k_weight), y_ticks=4)
    return artists


def transform_curve(fit: MeasurementFit, curve: Array, sigma: Array | None, r: Array) -> ChiR:
    """Transform a curve of an EXAFS fit, which is weighted already, to distances ``r`` (angstrom)."""
    k = fit.x
    weighted = ChiK(k=k, chi=curve, sigma=sigma)
    limits = (float(k[0]) + 0.5, float(k[-1]) - 0.5)
    return xftf(weighted, k_range=limits, k_weight=0.0, dk=1.0, window="hanning", r=r)


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


def total_sigma(fit: MeasurementFit) -> Array | None:
    """Noise and theory error together, shape (n,); infinite where none is known; None if neither is given."""
    known = [sigma for sigma in (fit.sigma, fit.theory_sigma) if sigma is not None]
    if not known:
        return None
    total = np.sqrt(np.sum([np.square(sigma) for sigma in known], axis=0))
    # No error at a point (such as chi at k = 0) is no reason for an infinite residual.
    return np.where(total > 0, total, np.inf)
