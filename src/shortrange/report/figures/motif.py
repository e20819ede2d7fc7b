"""Figures of a motif: what it looks like, and its distances."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from shortrange.report.motif import distance_rows
from shortrange.report.style import GUIDE, dress, model_color, plain
from shortrange.simulate.motifs import Motif

__all__ = ["plot_distances", "plot_motif"]

Array = NDArray[Any]

_CLASH = "#C00000"
_COLORS = {"Ta": "#5B7FA6", "Cl": "#3FA34D", "S": "#E3B505", "O": "#D7301F", "Na": "#8E6BBF"}


def _color(symbol: str) -> str:
    return _COLORS.get(symbol, "#888888")


def _view(positions: Array) -> Array:
    """Coordinates with the longest extension across and the shortest in depth, turned a little."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    # Signs of singular vectors are arbitrary: fix them, so that a motif always looks the same.
    axes *= np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])[:, None]
    a, b = np.radians(18.0), np.radians(24.0)
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return np.asarray(centred @ axes.T @ (tilt @ turn).T)


def plot_motif(*, ax: Axes, motif: Motif) -> list[Artist]:
    """Balls and sticks; clashes as red broken lines, the metals' distance written beside its line.

    Parameters
    ----------
    ax
        Where to draw.
    motif
        From `shortrange.simulate.motifs.motif`.
    """
    view = _view(motif.positions)
    depth = (view[:, 2] - view[:, 2].min()) / max(float(np.ptp(view[:, 2])), 1e-9)
    artists: list[Artist] = []
    for i, j in motif.bonds:
        artists += ax.plot(*view[[i, j], :2].T, color="#777777", lw=2.2, zorder=1 + min(depth[i], depth[j]))
    for contact in motif.clashes:
        pair = [contact.first, contact.second]
        artists += ax.plot(*view[pair, :2].T, color=_CLASH, lw=1.1, ls=(0, (3, 2)), zorder=1.95)
    if motif.metal_metal is not None:
        artists += ax.plot(*view[[0, 1], :2].T, color="#222222", lw=0.8, ls=":", zorder=1.9)
        middle = view[[0, 1], :2].mean(axis=0)
        artists.append(
            ax.annotate(
                f"{motif.metal_metal:.2f} Å", middle, (0, 5), textcoords="offset points", ha="center",
                fontsize=8, zorder=5,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
            )
        )  # fmt: skip
    for i in np.argsort(view[:, 2]):
        metal = i in motif.metals
        # Far atoms fade towards the paper.
        face = 1 - (1 - np.array(to_rgb(_color(motif.species[i])))) * (0.45 + 0.55 * depth[i])
        artists += ax.plot(
            *view[i, :2], "o", ms=19 if metal else 15, mfc=tuple(face), mec="#333333", mew=0.7,
            zorder=2 + depth[i],
        )  # fmt: skip
        artists.append(
            ax.text(
                view[i, 0],
                view[i, 1],
                motif.species[i],
                ha="center",
                va="center",
                fontsize=7,
                zorder=4 + depth[i],
            )
        )
    ax.set_aspect("equal")
    ax.margins(0.12)
    ax.set_axis_off()
    return artists


def plot_distances(*, ax: Axes, motif: Motif) -> list[Artist]:
    """Distances of each pair of elements: bonds full, other pairs light, clashes red; height is the number.

    Parameters
    ----------
    ax
        Where to draw.
    motif
        From `shortrange.simulate.motifs.motif`.
    """
    rows = distance_rows(motif)
    pairs = sorted({row[0] for row in rows}, key=lambda pair: min(r[2] for r in rows if r[0] == pair))
    limits = {contact.pair: contact.limit for contact in motif.contacts}
    artists: list[Artist] = []
    for level, pair in enumerate(pairs):
        mine = [row for row in rows if row[0] == pair]
        top = max(row[3] for row in mine)
        limit = limits.get("-".join(sorted(pair.split("-"))), 0.0)
        for _, what, distance, count in mine:
            clash = what == "no bond" and distance < limit
            color = _CLASH if clash else model_color(level)
            alpha = 1.0 if clash or what != "no bond" else 0.45
            artists.append(
                ax.vlines(distance, -level, -level + 0.8 * count / top, color=color, lw=1.6, alpha=alpha)
            )
        ax.axhline(-level, color=GUIDE, lw=0.6, zorder=0)
    ax.set_yticks([-i + 0.3 for i in range(len(pairs))], [plain(pair) for pair in pairs])
    ax.set_xlim(1.5, max(row[2] for row in rows) + 0.3)
    locator = ax.yaxis.get_major_locator()
    dress(ax, xlabel="distance (Å)")
    ax.yaxis.set_major_locator(locator)
    return artists
