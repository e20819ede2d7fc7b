"""Reduced data, to zoom into: mu(E), chi(k), chi(R), S(Q), G(r)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.quantities import GR, SQ, ChiK, ChiR
from shortrange.reduce.normalise import Normalised
from shortrange.report.live.parts import axis, band, figure, grey_outside, line, power_unit
from shortrange.report.style import DATA, MODELS, model_color
from shortrange.transform.fourier import sigma_magnitude

__all__ = ["live_exafs", "live_mu", "live_scattering"]

Array = NDArray[Any]
Curve = tuple[str, Array, Array]
_POINTS = 1500
_UPPER = [0.6, 1.0]
_LOWER = [0.0, 0.41]


def live_mu(
    data: Normalised,
    *,
    background: Array | None,
    repeats: Sequence[tuple[str, Array, Array]],
    simulated: bool,
) -> dict[str, Any]:
    """Absorption with its lines above the normalised repeats near the edge."""
    energy, above = data.energy, data.energy >= data.e0
    traces = []
    if data.sigma is not None:
        traces.append(band(energy, data.mu, data.sigma, name="standard error", group="merged"))
    traces += [
        line(energy, data.mu, name="merged", color=DATA),
        line(energy, data.pre_edge, name="pre-edge line", color=MODELS[0], dash="dash"),
        line(energy[above], data.post_edge[above], name="post-edge line", color=MODELS[1], dash="dash"),
    ]
    if background is not None:
        traces.append(line(energy[above], background[above], name="background", color=MODELS[2], dash="dash"))
    for index, (label, scan_energy, norm) in enumerate(repeats):
        traces.append(line(scan_energy, norm, name=label, color=model_color(index), width=1.1, row=2))
    traces.append(line(energy, data.flat, name="merged", color=DATA, legend=False, row=2))
    low, high = float(np.min(data.mu)), float(np.max(data.mu))
    room = 0.08 * (high - low)
    axes = {
        # 9900 eV, not 9.9k.
        "xaxis": axis(
            "energy (eV)", range=[data.e0 - 60.0, data.e0 + 150.0], anchor="y2", exponentformat="none"
        ),
        "yaxis": axis("μ(E) (arb. units)", domain=_UPPER, range=[low - room, high + room]),
        "yaxis2": axis("normalised μ(E)", domain=_LOWER),
    }
    return figure(traces, axes=axes, simulated=simulated, height=520)


def live_exafs(
    chi: ChiK, chi_r: ChiR, *, k_weight: float, k_range: tuple[float, float], simulated: bool
) -> dict[str, Any]:
    """k^n chi(k) above its transform."""
    weight = chi.k**k_weight
    near = chi_r.r <= 6.0
    r, magnitude = chi_r.r[near], chi_r.magnitude[near]
    traces = []
    if chi.sigma is not None:
        traces.append(band(chi.k, weight * chi.chi, weight * chi.sigma, name="standard error", group="chi"))
    traces.append(line(chi.k, weight * chi.chi, name="χ(k)", color=DATA))
    sigma = sigma_magnitude(chi_r)
    lower: list[dict[str, Any]] = []
    if sigma is not None:
        lower.append(band(r, magnitude, sigma[near], name="standard error", group="transform"))
    lower.append(line(r, magnitude, name="|χ(R)|", color=DATA))
    lower.append(line(r, chi_r.chi.real[near], name="real part", color=MODELS[0], width=1.1))
    for trace in lower:
        trace |= {"xaxis": "x2", "yaxis": "y2"}
    inside = (chi.k >= k_range[0]) & (chi.k <= k_range[1])
    top = 1.35 * float(np.max(np.abs((weight * chi.chi)[inside]))) if inside.any() else None
    power = "" if k_weight == 0 else f"k<sup>{k_weight:g}</sup>"
    ends = (0.0, float(chi.k[-1]))
    title = f"{power}χ(k){power_unit(-k_weight)}"
    axes = {
        "xaxis": axis("k (Å<sup>−1</sup>)", range=ends, anchor="y"),
        "yaxis": axis(title, domain=_UPPER, **({"range": [-top, top]} if top else {})),
        "xaxis2": axis("R (Å), no phase correction", range=[0.0, 6.0], anchor="y2"),
        "yaxis2": axis(f"|χ(R)|{power_unit(-k_weight - 1)}", domain=_LOWER),
    }
    shapes = [{**s, "yref": "y domain"} for s in grey_outside(k_range, ends)]
    return figure([*traces, *lower], axes=axes, simulated=simulated, height=560, shapes=shapes)


def live_scattering(
    sq: SQ | None,
    gr: GR,
    *,
    number_density: float | None,
    r_range: tuple[float, float] | None,
    simulated: bool,
) -> dict[str, Any]:
    """S(Q) above G(r) with the line that it must follow at low r."""
    step = max(1, -(-gr.r.size // _POINTS))
    r, g = gr.r[::step], gr.g[::step]
    row = 1 if sq is None else 2
    lower = []
    if gr.sigma is not None:
        lower.append(band(r, g, gr.sigma[::step], name="standard error", group="G(r)"))
    lower.append(line(r, g, name="G(r)", color=DATA))
    if number_density is not None:
        low = r <= 4.0
        guide = -4.0 * math.pi * number_density * r[low]
        lower.append(line(r[low], guide, name="−4πρ₀r", color=MODELS[1], dash="dash"))
    ends = (float(r[0]), min(float(r[-1]), 20.0))
    shapes = [] if r_range is None else grey_outside(r_range, ends)
    titles = (axis("r (Å)", range=ends), axis(f"G(r){power_unit(-2)}"))
    if sq is None:
        axes = {"xaxis": titles[0], "yaxis": titles[1]}
        return figure(lower, axes=axes, simulated=simulated, height=380, shapes=shapes)
    for trace in lower:
        trace |= {"xaxis": f"x{row}", "yaxis": f"y{row}"}
    step = max(1, -(-sq.q.size // _POINTS))
    q, s = sq.q[::step], sq.s[::step]
    upper = []
    if sq.sigma is not None:
        upper.append(band(q, s, sq.sigma[::step], name="standard error", group="S(Q)"))
    upper.append(line(q, s, name="S(Q)", color=DATA))
    axes = {
        "xaxis": axis("Q (Å<sup>−1</sup>)", range=[0.0, float(q[-1])], anchor="y"),
        "yaxis": axis("S(Q)", domain=_UPPER),
        "xaxis2": {**titles[0], "anchor": "y2"},
        "yaxis2": {**titles[1], "domain": _LOWER},
    }
    shapes = [{**s, "xref": "x2", "yref": "y2 domain"} for s in shapes]
    return figure([*upper, *lower], axes=axes, simulated=simulated, height=560, shapes=shapes)
