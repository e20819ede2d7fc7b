"""Where a phase ends if its order falls in a straight line: what a smooth curve cannot follow.

A smooth curve takes a sudden end for a slow one, and where the data cannot tell the two apart its error does
not know of the other. Ramps of all places and widths are therefore compared with it: a level up to the ramp,
another beyond it, everything else linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ramps", "fit_ramps"]

Array = NDArray[Any]

WIDTHS = (0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 2.0, 3.0)
"""Of the ramps that are tried first, angstrom."""
STEP = 0.02
"""Angstrom from one of them to the next."""
PLAUSIBLE = 1e-4
"""Probability, that of the best as 1, of ramps between and around which finer steps are taken."""
FINER = (15, 81)
"""Widths and places of those."""
BEYOND = (1.5, 0.05)
"""How much farther than the plausible ones they reach: a factor, and angstrom."""
AROUND = 1.0
"""Angstrom from the end of the smooth curve to those of ramps, and a quarter of the width of each."""
_OWN = 4
"""Parameters of a ramp: two levels, place, width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramps:
    """The end of a phase, seen as a ramp.

    Attributes
    ----------
    half, sigma
        r at which the mass fraction is half of that before the ramp, and its error, over all ramps, angstrom.
    weight
        Probability of a ramp against the smooth curve, from their misfits and numbers of parameters (Akaike).
    """

    half: float
    sigma: float
    weight: float


def fit_ramps(
    columns: Array, r: Array, others: Array, y: Array, *, near: float, amounts: tuple[float, float],
    smooth: tuple[float, float], prior: tuple[Array, Array],
) -> Ramps | None:  # fmt: skip
    """Fit ramps to whitened data and compare them with a smooth curve.

    Parameters
    ----------
    columns, r
        Whitened G of the phase for triangles of height 1 at the points ``r``, angstrom, shapes (m, k), (k,).
    others
        Whitened columns that are fitted along: other phases, slopes by what shapes them, shape (m, q).
    y
        Whitened data, shape (m,).
    near
        Where the smooth curve has fallen to half, angstrom.
    amounts
        Mass of the phase for a scale of 1, and that of all others there.
    smooth
        Misfit of the smooth curve and number of parameters that the data determine with it.
    prior
        Information about the coefficients of ``others`` and its product with their means, shapes (q,).

    Returns
    -------
    Ramps or None
        None if no ramp falls to half.
    """
    place, width = _candidates(near)
    gram, pull = columns.T @ columns, columns.T @ y
    fixed = (columns.T @ others, others.T @ others + np.diag(prior[0]), others.T @ y + prior[1])

    def chances(place: Array, width: Array) -> tuple[Array, Array, float]:
        gain, levels = _levels(np.clip((place + 0.5 * width - r[:, None]) / width, 0, 1).T, gram, pull, fixed)
        half = _half(levels[0], levels[1], place, width, amounts)
        top = float(np.max(gain, where=np.isfinite(half), initial=-np.inf))
        return np.where(np.isfinite(half), np.exp(0.5 * np.minimum(gain - top, 0.0)), 0.0), half, top

    first, half, top = chances(place, width)
    if not first.any():
        return None
    likely = first > PLAUSIBLE
    widths = np.geomspace(width[likely].min() / BEYOND[0], width[likely].max() * BEYOND[0], FINER[0])
    places = np.linspace(place[likely].min() - BEYOND[1], place[likely].max() + BEYOND[1], FINER[1])
    step = float(places[1] - places[0])
    place, width = (x.ravel() for x in np.meshgrid(places, np.maximum(widths, WIDTHS[0])))
    chance, half, top = chances(place, width)
    falls = chance > 0
    chance, half = chance[falls] / chance.sum(), half[falls]
    mean = float(chance @ half)
    # What is between the places counts too.
    variance = float(chance @ (half - mean) ** 2) + step**2 / 12
    worse = float(y @ y) - top + 2 * (others.shape[1] + _OWN) - (smooth[0] + 2 * smooth[1])
    weight = 1.0 / (1.0 + np.exp(np.clip(0.5 * worse, -500, 500)))
    return Ramps(half=mean, sigma=float(np.sqrt(variance)), weight=float(weight))


def _levels(up: Array, gram: Array, pull: Array, fixed: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    """Solve for the levels before and beyond each ramp (n, k), and for what is fitted along.

    Returns what each takes from the sum of squares, shape (n,), and the levels, shape (2, n).
    """
    across, others, right_of_others = fixed
    n, q = len(up), len(right_of_others)
    sides = (up, 1.0 - up)
    normal, right = np.empty((n, q + 2, q + 2)), np.empty((n, q + 2))
    normal[:, 2:, 2:], right[:, 2:] = others, right_of_others
    for i, side in enumerate(sides):
        carried = side @ gram
        for j in range(2):
            normal[:, i, j] = np.einsum("nk,nk->n", carried, sides[j])
        normal[:, i, 2:] = normal[:, 2:, i] = side @ across
        right[:, i] = side @ pull
    scale = np.sqrt(np.einsum("nii->ni", normal))
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv(normal / (scale[:, :, None] * scale[:, None, :]), rcond=1e-10, hermitian=True)
    found = np.einsum("nij,nj->ni", inverse, right / scale) / scale
    return np.einsum("ni,ni->n", found, right), found[:, :2].T


def _candidates(near: float) -> tuple[Array, Array]:
    """Middles and widths of the ramps that are tried first, shapes (n,)."""
    found = [
        (near + shift, width) for width in WIDTHS
        for shift in np.arange(-AROUND - 0.25 * width, AROUND + 0.25 * width + 1e-9, STEP)
    ]  # fmt: skip
    place, width = np.array(found).T
    return place, width


def _half(before: Array, beyond: Array, place: Array, width: Array, amounts: tuple[float, float]) -> Array:
    """R at which the mass fraction is half of that before the ramp; inf where it does not fall so far."""
    own, rest = amounts
    share = np.where(before > 0, 0.5 * own * before / np.where(before > 0, own * before + rest, 1.0), 0.0)
    level = share * rest / (1.0 - share) / own
    falls = (before > 0) & (beyond < level)
    part = np.divide(level - beyond, before - beyond, out=np.zeros_like(level), where=falls)
    return np.where(falls, place + width * (0.5 - part), np.inf)
