"""Simulated two-phase data: nickel and nickel oxide, with noise as white F(Q) noise makes it."""

from collections.abc import Callable

import numpy as np
import pytest

from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import crystal_pdf
from two_phases import Q_DAMP, Q_MAX, R, nickel, oxide, white_noise


@pytest.fixture(scope="session")
def mixture() -> Callable[..., GR]:
    """G(r) of 0.65 nickel and 0.35 oxide (scales), the oxide fading out at ``end`` if that is given."""
    curves = {}
    for name, phase in {"Ni": nickel(), "NiO": oxide()}.items():
        model = crystal_pdf(phase, r_max=float(R[-1]))
        curves[name] = model.curve(model.start, R, q_max=Q_MAX) * np.exp(-0.5 * (R * Q_DAMP) ** 2)

    def make(
        *, sigma: float = 0.03, seed: int | None = 1, end: float | None = None, known: bool = True
    ) -> GR:
        fade = 1.0 if end is None else 1 / (1 + np.exp((R - end) / 0.7))
        g = 0.65 * curves["Ni"] + 0.35 * curves["NiO"] * fade
        if seed is not None:
            g = g + white_noise(np.random.default_rng(seed), R, sigma)
        errors = np.full(R.size, sigma) if known else None
        return GR(r=R, g=g, sigma=errors, q_min=0.0, q_max=Q_MAX, q_damp=Q_DAMP, label="simulated")

    return make
