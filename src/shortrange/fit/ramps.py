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

WIDTHS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Of ramps, angstrom."""
STEP = 0.05
"""Angstrom from one ramp to the next."""
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
    up = np.clip((place[:, None] + 0.5 * width[:, None] - r) / width[:, None], 0.0, 1.0)
    before, beyond = up @ columns.T, (1.0 - up) @ columns.T
    # All ramps at once: normal equations of (before, beyond, others).
    along = np.broadcast_to(others.T, (len(up), *others.T.shape))
    design = np.concatenate([before[:, None], beyond[:, None], along], axis=1)
    normal, right = design @ design.swapaxes(1, 2), design @ y
    normal[:, range(2, normal.shape[1]), range(2, normal.shape[1])] += prior[0]
    right[:, 2:] += prior[1]
    scale = np.sqrt(np.einsum("cii->ci", normal))
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv(normal / (scale[:, :, None] * scale[:, None, :]), rcond=1e-10, hermitian=True)
    found = np.einsum("cij,cj->ci", inverse, right / scale) / scale
    misfit = float(y @ y) - np.einsum("ci,ci->c", found, right)
    half = _half(found[:, 0], found[:, 1], place, width, amounts)
    falls = np.isfinite(half)
    if not falls.any():
        return None
    best = float(misfit[falls].min())
    chance = np.where(falls, np.exp(-0.5 * (misfit - best)), 0.0)
    chance /= chance.sum()
    mean = float(chance[falls] @ half[falls])
    # Places lie a step apart: what is between them counts too.
    variance = float(chance[falls] @ (half[falls] - mean) ** 2) + STEP**2 / 12
    worse = best + 2 * (others.shape[1] + _OWN) - (smooth[0] + 2 * smooth[1])
    weight = 1.0 / (1.0 + np.exp(np.clip(0.5 * worse, -500, 500)))
    return Ramps(half=mean, sigma=float(np.sqrt(variance)), weight=float(weight))


def _candidates(near: float) -> tuple[Array, Array]:
    """Middles and widths of ramps, shapes (n,)."""
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
