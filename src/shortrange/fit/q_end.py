"""Where F(Q) of a finished G(r) ends, if its file does not say."""

from __future__ import annotations

import numpy as np

from shortrange.errors import DataError
from shortrange.numeric.sine import cosine_taper, even_step, sine_kernel, trapezoid_weights
from shortrange.quantities import GR, step

__all__ = ["with_q_max"]

_RANGE = 1.5  # 1/angstrom, over which the power of F is averaged
_GAP = 0.8  # 1/angstrom: the tail of r broadens the end of F
_DROP = 30.0  # in power
_LOWEST = 8.0


def with_q_max(gr: GR) -> GR:
    """Return G(r) with its ``q_max``, estimated from where the power of its transform breaks off.

    Parameters
    ----------
    gr
        On a uniform grid. One that states its ``q_max`` is returned as it is.

    Raises
    ------
    DataError
        If there is no such end: a window, or a noise beyond all Q, hides it.
    """
    if gr.q_max is not None:
        return gr
    spacing = even_step(gr.r) or float(np.median(np.diff(gr.r)))
    q = np.arange(0.5, min(np.pi / spacing, 60.0), 0.05)
    tapered = gr.g * cosine_taper(gr.r, r_max=float(gr.r[-1]), width=0.5 * float(np.ptp(gr.r)))
    # The sine transform is its own inverse, up to the factor 2 / pi.
    f = sine_kernel(gr.r, trapezoid_weights(gr.r), q) @ tapered
    width, gap = int(_RANGE / 0.05), int(_GAP / 0.05)
    power = np.convolve(f**2, np.ones(width) / width, mode="valid")  # of q[i : i + width]
    below, above = power[: -width - gap], power[width + gap :]
    ends = q[width : width + below.size]  # the last Q of the lower stretch
    ratio = np.where(ends > _LOWEST, below / np.maximum(above, 1e-300), 0.0)
    if ratio.size == 0 or np.max(ratio) < _DROP:
        raise DataError(
            "nothing says up to which Q the data were transformed, and their transform shows no end",
            where=gr.source or gr.label or "G(r)",
            do="give q_max in 1/angstrom: ripples depend on it",
        )
    # The end lies in the gap behind the steepest drop: where the power has fallen by half.
    at = int(np.argmax(ratio)) + width
    stretch = f[at - gap : at + 2 * gap] ** 2
    level = float(np.median(f[at - width : at] ** 2))
    last = np.flatnonzero(stretch > 0.25 * level)
    found = float(q[at - gap + (last[-1] if last.size else gap)])
    return gr.after(
        step("warning: q_max is not stated: estimated from the transform", q_max=found), q_max=found
    )
