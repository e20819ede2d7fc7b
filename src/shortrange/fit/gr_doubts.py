"""Whether a curve can be the G(r) that its file and user say: its limit, grid, end in Q, and line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.q_end import with_q_max
from shortrange.quantities import GR, Step, step

__all__ = ["check_limit", "doubts_of"]

Array = NDArray[Any]

_SHORTEST = 8.0  # angstrom: a shorter G(r) does not show its limit
_OFFSET = 0.7  # mean over spread of the far half; 0 to 0.11 in 13 measured G(r)
_Q_AGREES = (
    0.04  # of q_max, beside 2 pi over the length of G(r); within 0.024 of what 11 measured files state
)
_RUN = 5  # equal values in a row
_LINE = 2.0  # factor by which a density may miss the line at low r
_HOLE = 0.22  # angstrom: 2 / (3 pi), what F(Q) missing below q_min takes from the slope, over q_min^3


def check_limit(gr: GR, *, function: str = "G") -> GR:
    """Refuse a curve that stays above 0 far away, about which G(r) oscillates whatever the material.

    One that stays below is doubted: it may be made of a few shells and the line.

    Parameters
    ----------
    gr
        As read, or as turned into G(r) from another ``function``.

    Raises
    ------
    DataError
        If it is another function of r, or was turned with a wrong density or scattering length.
    """
    far = gr.g[gr.r > 0.5 * (gr.r[0] + gr.r[-1])]
    if gr.r[-1] < _SHORTEST or abs(far.mean()) <= _OFFSET * far.std():
        return gr
    limit = float(far.mean())
    if limit < 0:
        return gr.after(step("warning: G(r) stays below 0 far away", mean=float(f"{limit:.3g}")))
    where = gr.source or gr.label or "G(r)"
    if function == "G":
        raise DataError(
            f"far away the curve tends to {limit:.3g}, and G(r) to 0", where=where,
            do="is it g(r), which tends to 1, or T(r) or RDF(r), which grow? Say which: function = ...",
        )  # fmt: skip
    raise DataError(
        f"turned from {function}(r) into G(r) the curve tends to {limit:.3g} far away, and G(r) to 0",
        where=where, do="is it that function? Are the number density and the scattering length right?",
    )  # fmt: skip


def doubts_of(
    gr: GR, *, q_max: float, q_min: float, r_cut: float, r_range: tuple[float, float]
) -> tuple[Step, ...]:
    """Say what of a G(r) does not go with its settings.

    Parameters
    ----------
    gr
        On a uniform grid.
    q_max, q_min
        Of the transform, as stated, 1/angstrom.
    r_cut
        Below it there is no distance, angstrom.
    r_range
        What is to be fitted, angstrom.

    Raises
    ------
    DataError
        If the grid is too coarse for ``q_max``.
    """
    spacing = float(gr.r[-1] - gr.r[0]) / (gr.r.size - 1)
    if spacing > 1.02 * np.pi / q_max:
        raise DataError(
            f"a step of {spacing:.3g} angstrom does not hold what Q up to {q_max:g} 1/angstrom shows",
            where=gr.source or gr.label or "G(r)", do=f"write G(r) in steps of {np.pi / q_max:.2g} or less",
        )  # fmt: skip
    found = [_q_end(gr, q_max), _flat(gr, r_range), _line(gr, q_min, r_cut)]
    return tuple(doubt for doubt in found if doubt is not None)


def _q_end(gr: GR, q_max: float) -> Step | None:
    try:
        end = with_q_max(replace(gr, q_max=None)).q_max
    except DataError:
        return None
    near = _Q_AGREES * q_max + 2.0 * np.pi / float(np.ptp(gr.r))
    if end is None or gr.r[-1] < _SHORTEST or abs(end - q_max) < near:
        return None
    return step("warning: the transform of G(r) does not end at q_max", q_max=q_max, ends=round(end, 2))


def _flat(gr: GR, r_range: tuple[float, float]) -> Step | None:
    same = np.diff(gr.g) == 0
    run = np.flatnonzero(np.convolve(same, np.ones(_RUN - 1), mode="valid") == _RUN - 1)
    run = run[(gr.r[run] >= r_range[0]) & (gr.r[run] <= r_range[1])]
    if run.size == 0:
        return None
    stretch = [float(gr.r[run[0]]), float(gr.r[run[-1] + _RUN - 1])]
    return step("warning: G(r) is constant over a stretch: masked or filled in", stretch=stretch)


def _line(gr: GR, q_min: float, r_cut: float) -> Step | None:
    """Doubt a density by the slope of G(r), with Hann damping in Q, below the first distance."""
    if gr.number_density is None or gr.q_max is None or gr.r[0] > 0.3 * r_cut or gr.r[-1] < _SHORTEST:
        return None
    below = gr.r < r_cut
    if below.sum() < 5:
        return None
    g = _damped(gr, below)
    r = gr.r[below]
    seen = -float(r @ g) / (4.0 * np.pi * float(r @ r))
    stated, hole = gr.number_density, _HOLE * q_min**3 / (4.0 * np.pi)
    if stated / _LINE - hole < seen < stated * _LINE:
        return None
    return step(
        "warning: G(r) at low r has not the slope of this number density: it, or the scale of G(r), is wrong",
        given=stated, slope=float(f"{seen:.3g}"),
    )  # fmt: skip


def _damped(gr: GR, at: Array) -> Array:
    """G(r) at some points as a Hann window in Q would have made it, so that ripples stay near the peaks."""
    spacing = float(gr.r[1] - gr.r[0])
    # The window's own transform, by which G(r), odd in r, is folded.
    x = np.arange(-gr.r.size, gr.r.size + 1) * spacing
    q = np.linspace(0.0, float(gr.q_max or 0.0), 400)
    hann = 0.5 * (1.0 + np.cos(np.pi * q / q[-1]))
    kernel = (np.cos(np.outer(x, q)) @ hann) * (q[1] - q[0]) / np.pi * spacing
    near = gr.r <= float(gr.r[at][-1]) + 8.0 * np.pi / q[-1]
    r, g = gr.r[near], gr.g[near]
    both, odd = np.concatenate([-r[::-1], r]), np.concatenate([-g[::-1], g])
    return np.asarray(np.interp(np.subtract.outer(gr.r[at], both), x, kernel) @ odd)
