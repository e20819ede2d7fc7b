"""The small-angle part of G(r): Rayleigh's form factor of a ball, and a ball cut from a crystal."""

import numpy as np
import pytest
from ase.build import bulk

from shortrange.errors import DataError
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel, simulate_gr
from shortrange.simulate.shapes import characteristic, small_angle_part


def test_transform_of_a_ball_is_the_form_factor_of_rayleigh():
    r"""Integral of f_SAS sin(Q r) dr = Q rho0 V [3 (sin x - x cos x) / x^3]^2, x = Q D / 2."""
    diameter, rho = 23.0, 0.05
    x, w = np.polynomial.legendre.leggauss(200)
    r, w = diameter / 2 * (x + 1), diameter / 2 * w
    f = small_angle_part("sphere", r, np.array([diameter]), number_density=rho)
    q = np.linspace(0.02, 3.0, 60)
    y = q * diameter / 2
    closed = q * rho * np.pi / 6 * diameter**3 * (3 * (np.sin(y) - y * np.cos(y)) / y**3) ** 2
    assert np.sin(np.outer(q, r)) @ (w * f) == pytest.approx(closed, abs=1e-10 * closed.max())


def test_ball_cut_from_a_crystal_is_the_crystal_in_the_form_of_a_ball():
    """Debye sum of 1100 atoms less f_SAS, against pairs and baseline of the crystal times gamma."""
    diameter = 30.0
    metal = bulk("Ni", "fcc", a=4.0, cubic=True)
    rho = 4 / 4.0**3
    many = metal.repeat((9, 9, 9)).positions
    # The mean of several places of the centre: one ball has a rough surface.
    found = []
    r = np.arange(1.0, 25.0, 0.02)
    form = np.array([diameter])
    for centre in np.random.default_rng(0).random((12, 3)) * 4.0 + 16.0:
        inside = many[np.linalg.norm(many - centre, axis=1) < diameter / 2]
        ball = Trajectory(species=("Ni",) * len(inside), positions=inside[None])
        g = PdfModel(pair_histograms(ball, r_max=31.0), r, 20.0)(u_iso=0.01)
        found.append(g - small_angle_part("sphere", r, form, number_density=rho))
    crystal = Trajectory(
        species=("Ni",) * 4, positions=metal.positions[None], cells=np.array(metal.cell)[None]
    )
    expected = PdfModel(pair_histograms(crystal, r_max=31.0), r, 20.0, diameter=diameter)(u_iso=0.01)
    assert np.abs(np.mean(found, axis=0) - expected).max() < 0.03 * np.abs(expected).max()


def ball(diameter: float) -> tuple[Trajectory, float]:
    """Atoms of a metal within a sphere, and their density."""
    many = bulk("Ni", "fcc", a=4.0, cubic=True).repeat((7, 7, 7)).positions
    inside = many[np.linalg.norm(many - 12.7, axis=1) < diameter / 2]
    return Trajectory(species=("Ni",) * len(inside), positions=inside[None]), 4 / 4.0**3


def test_simulate_gr_takes_the_small_angle_part_away():
    """The straight line -4 pi r rho0 gamma(r) is left below the first distance; parts add up."""
    metal, rho = ball(20.0)
    r = np.arange(0.5, 15.0, 0.02)
    h = pair_histograms(metal, r_max=21.0)

    def gamma(x):
        return characteristic("sphere", x, np.array([20.0]))[0]

    plain = simulate_gr(h, r=r, q_max=20.0, u_iso=0.01)
    made = simulate_gr(h, r=r, q_max=20.0, u_iso=0.01, q_damp=0.03, small_angle=(gamma, rho), per_run=True)
    line = -4 * np.pi * r * rho * gamma(r)
    envelope = np.exp(-0.5 * (0.03 * r) ** 2)
    assert made.gr.g == pytest.approx((plain.gr.g + line) * envelope, abs=1e-9)
    assert made.per_run[0] == pytest.approx(made.gr.g, abs=1e-6)
    assert sum(made.contributions.values()) == pytest.approx(made.gr.g, abs=1e-12)
    low = (r > 1.0) & (r < 2.0)
    assert made.gr.g[low] == pytest.approx((line * envelope)[low], abs=0.06)


def test_small_angle_part_of_what_has_none():
    metal, rho = ball(12.0)
    h = pair_histograms(metal, r_max=13.0)
    r = np.arange(1.0, 8.0, 0.05)
    for bad in (
        {"q_min": 0.5},
        {"small_angle": (np.ones_like, 0.0)},
        {"small_angle": (np.ones_like, np.nan)},
    ):
        with pytest.raises(DataError, match="give q_min = 0"):
            simulate_gr(h, r=r, q_max=20.0, **({"small_angle": (np.ones_like, rho)} | bad))
    crystal = Trajectory(species=("Ni",), positions=np.zeros((1, 1, 3)), cells=2.5 * np.eye(3)[None])
    with pytest.raises(DataError, match="as diameter"):
        simulate_gr(pair_histograms(crystal, r_max=9.5), r=r, q_max=20.0, small_angle=(np.ones_like, rho))
