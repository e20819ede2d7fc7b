"""Figure of the peaks of G(r): data, fit, shells with their labels, and bumps that are no distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shortrange.fit.assign import Assignment
from shortrange.fit.peaks import PeakFit
from shortrange.report.style import BAND, DATA, GUIDE, dress, finish, model_color, new_figure, note

__all__ = ["peaks_figure"]

Array = NDArray[Any]
_LETTER = 0.0125  # width of a letter of a label, of the axis
_LINE = 11  # height of a line of a label, points


def peaks_figure(
    fit: PeakFit,
    assignments: Sequence[Assignment],
    *,
    title: str,
    simulated: bool,
    partials: Mapping[str, Mapping[str, tuple[Array, Array]]] | None = None,
) -> Figure:
    """Draw data with the fit, its shells below, and, with structures, their partials.

    Parameters
    ----------
    fit, assignments
        From `fit_peaks` and `assign_peaks`.
    title, simulated
        The sample, and whether its data were made from a model.
    partials
        By structure, then by pair: r and the pair's part of G, at the Q-range of the data.
    """
    partials = partials or {}
    n = 2 + len(partials)
    figure = new_figure(3.1 + 1.9 * (n - 1))
    axes = figure.subplots(n, 1, sharex=True, height_ratios=[1.6] + [1.0] * (n - 1))
    _data(axes[0], fit, assignments)
    _shells(axes[1], fit, assignments)
    for ax, (name, parts) in zip(axes[2:], partials.items(), strict=True):
        _partials(ax, name, parts)
    axes[-1].set_xlabel("$r$ (Å)", fontsize=9)
    axes[0].set_xlim(float(fit.r[0]), float(fit.r[-1]))
    return finish(figure, title=title, subject="peaks of the pair distribution function", simulated=simulated)


def _data(ax: Axes, fit: PeakFit, assignments: Sequence[Assignment]) -> None:
    ax.fill_between(fit.r, fit.g - fit.sigma, fit.g + fit.sigma, color=BAND, alpha=0.5, lw=0)
    ax.plot(fit.r, fit.g, color=DATA, lw=1.1, label="data")
    ax.plot(fit.r, fit.model, color=model_color(1), lw=1.0, ls="--", label="fit")
    ax.plot(fit.r, fit.background, color=GUIDE, lw=0.9, label="background")
    low, high = float(np.min(fit.g)), float(np.max(fit.g))
    texts = [f"{a.peak.r:.2f}\n{a.label}".replace(" + ", "\n+ ") for a in assignments]
    tops: list[float] = []
    offsets: list[int] = []
    for k, (assignment, text) in enumerate(zip(assignments, texts, strict=True)):
        peak = assignment.peak
        wide = _LETTER * max(len(line) for line in text.split("\n")) * float(np.ptp(fit.r))
        around = np.abs(fit.r - peak.r) <= max(0.15, peak.width, 0.4 * wide)
        tops.append(float(np.max(np.maximum(fit.g, fit.model)[around])))
        offsets.append(5)
        if k and peak.r - assignments[k - 1].peak.r < wide:
            # Above the label before it, which it would cover.
            tops[k], offsets[k] = tops[k - 1], offsets[k - 1] + _LINE * (texts[k - 1].count("\n") + 1)
        ax.annotate(
            text, (peak.r, tops[k]), xytext=(0, offsets[k]), textcoords="offset points", ha="center",
            fontsize=7.5, color=model_color(k),
        )  # fmt: skip
    lines = [offset / _LINE + text.count("\n") + 1 for offset, text in zip(offsets, texts, strict=True)]
    # A line of text is about a twentieth of the axis.
    highest = max([high, *(top + 0.055 * n * (high - low) for top, n in zip(tops, lines, strict=True))])
    ax.set_ylim(low - 0.12 * (high - low), highest + 0.04 * (high - low))
    for bump in fit.bumps:
        height = float(np.interp(bump.r, fit.r, fit.g))
        ax.plot([bump.r], [height], marker="v", ms=3.5, mfc="white", mec=BAND, mew=0.8, ls="none")
    if fit.bumps:
        ax.plot([], [], marker="v", ms=3.5, mfc="white", mec=BAND, mew=0.8, ls="none", label="no distance")
    ax.legend(
        fontsize=7.5, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=4, borderaxespad=0.0
    )
    dress(ax, ylabel="$G$($r$) (Å$^{-2}$)")


def _shells(ax: Axes, fit: PeakFit, assignments: Sequence[Assignment]) -> None:
    for k in range(fit.shells.shape[1]):
        named = k < len(assignments)
        ax.plot(
            fit.r, fit.shells[:, k], color=model_color(k) if named else BAND, lw=1.1 if named else 0.9,
            ls="-" if named else ":", label=assignments[k].label if named else None,
        )  # fmt: skip
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    ax.margins(y=0.05)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.22 * (high - low))
    note(ax, f"shells, $Q_{{max}}$ = {fit.q_max:.4g} Å$^{{-1}}$ (dotted: unresolved)")
    dress(ax, ylabel="$G$ (Å$^{-2}$)", y_ticks=4)


def _partials(ax: Axes, name: str, parts: Mapping[str, tuple[Array, Array]]) -> None:
    largest = sorted(parts, key=lambda pair: -float(np.ptp(parts[pair][1])))[:6]
    for k, pair in enumerate(largest):
        ax.plot(*parts[pair], color=model_color(k), lw=1.0, label=pair)
    ax.axhline(0.0, color=GUIDE, lw=0.6, zorder=0)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.2 * (high - low), high)
    note(ax, name, x=0.99, y=0.03)
    ax.legend(fontsize=7, frameon=False, loc="upper right", ncols=3)
    dress(ax, ylabel="$G$ (Å$^{-2}$)", y_ticks=4)
