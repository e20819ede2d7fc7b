"""Noise of a G(r) that came without errors, from where it should be a straight line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.bands import pdf_band
from shortrange.quantities import GR, step

__all__ = ["bound_noise", "errors_are_estimated", "estimate_noise", "ripple_variance"]

Array = NDArray[Any]

_NO_ERRORS = "warning: G(r) has no errors"


def errors_are_estimated(gr: GR) -> bool:
    """Say whether the errors of G(r) were read off itself: they lack what scales with its peaks."""
    return any(done.name.startswith(_NO_ERRORS) for done in gr.history)


def estimate_noise(gr: GR, *, r_cut: float, q_range: tuple[float, float]) -> GR:
    """Give G(r) a covariance from its ripples below the first distance.

    Below ``r_cut`` G(r) is a line through zero; what remains after that line is fitted has, per independent
    point, the variance s^2. White noise of F(Q) of that size has the covariance s^2 times the kernel of the
    band. Systematic errors of the reduction are often largest at low r, so this is rather too much than too
    little.

    Parameters
    ----------
    gr
        Without errors.
    r_cut
        angstrom; no distance is shorter.
    q_range
        Range of F(Q) from which G(r) was made, 1/angstrom.

    Raises
    ------
    DataError
        If G(r) does not begin low enough to tell.
    """
    variance = ripple_variance(gr, r_cut=r_cut, q_range=q_range)
    cov = variance * pdf_band(gr.r, q_range=q_range)
    return gr.after(
        step(
            f"{_NO_ERRORS}: estimated from its ripples at low r",
            r_cut=r_cut,
            sigma=float(np.sqrt(variance)),
        ),
        cov=cov,
        sigma=np.sqrt(np.diag(cov)),
    )


def ripple_variance(gr: GR, *, r_cut: float, q_range: tuple[float, float]) -> float:
    """Variance per independent point of what remains below ``r_cut`` when a line through zero is taken off.

    Parameters
    ----------
    gr, r_cut, q_range
        See `estimate_noise`.

    Raises
    ------
    DataError
        If G(r) does not begin low enough to tell.
    """
    low = (gr.r > 0.0) & (gr.r < r_cut)
    points = q_range[1] * (gr.r[low][-1] - gr.r[low][0]) / np.pi if low.sum() > 2 else 0.0
    if points < 3.0:
        raise DataError(
            f"G(r) has no errors, and begins at r = {gr.r[0]:g} angstrom, too high to estimate them from "
            f"its ripples below {r_cut:.2f} angstrom",
            where=gr.source or gr.label,
            do="give G(r) from r = 0, or a column of errors, or the raw pattern",
        )
    r, g = gr.r[low], gr.g[low]
    residual = g - r * float(r @ g) / float(r @ r)
    return float(np.sum(residual**2)) / (points - 1.0)


def bound_noise(gr: GR, *, q_range: tuple[float, float], r_min: float = 0.8) -> GR:
    """Give G(r) errors from its quietest stretch.

    Noise of F(Q) that is white spreads evenly over r, so that it cannot be larger than what G(r) does in any
    stretch, beside a straight line: below the first distance, or far out where order has died away.

    Parameters
    ----------
    gr
        Without errors.
    q_range
        Range of F(Q) from which G(r) was made, 1/angstrom.
    r_min
        Nearer to 0 systematic errors rule, angstrom.

    Raises
    ------
    DataError
        If G(r) is too short.
    """
    step_r = float(gr.r[1] - gr.r[0])
    points = 8.0  # independent ones in a stretch
    size = int(np.ceil(points * np.pi / q_range[1] / step_r))
    starts = np.arange(int(np.searchsorted(gr.r, r_min)), gr.r.size - size, max(1, size // 3))
    if starts.size == 0 or size < 4:
        raise DataError(
            f"G(r) from {gr.r[0]:g} to {gr.r[-1]:g} angstrom is too short to estimate its errors",
            where=gr.source or gr.label or "G(r)",
            do="give a G(r) with errors, or one that reaches further",
        )
    found = []
    for first in starts:
        part = slice(first, first + size)
        rest = gr.g[part] - np.polyval(np.polyfit(gr.r[part], gr.g[part], 1), gr.r[part])
        found.append(float(np.mean(rest**2)) * points / (points - 2.0))
    best = int(np.argmin(found))
    sigma = float(np.sqrt(found[best]))
    done = step(
        f"{_NO_ERRORS}: at most what its quietest stretch shows", sigma=sigma,
        stretch=[float(gr.r[starts[best]]), float(gr.r[starts[best] + size])],
    )  # fmt: skip
    return gr.after(done, sigma=np.full(gr.r.size, max(sigma, 1e-300)))
