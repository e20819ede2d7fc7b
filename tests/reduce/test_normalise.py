"""E0, edge step and normalisation: closed forms and xraylarch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xas_samples import E0, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.e0 import find_e0
from shortrange.reduce.normalise import normalise


def data(energy=None, mu=None, **more):
    energy = grid() if energy is None else energy
    return MuE(energy=energy, mu=mu_of(energy) if mu is None else mu, source="simulated", **more)


def arctan_step(energy, height=1.5, tail=0.0):
    return (
        0.2
        - 1e-4 * (energy - E0)
        + (height + tail * (energy - E0)) * (0.5 + np.arctan((energy - E0) / 0.5) / np.pi)
    )


def test_e0_and_step_of_an_arctan():
    e = np.arange(E0 - 200, E0 + 800, 0.5)
    out = normalise(data(e, arctan_step(e)), near=9881)
    assert out.e0 == pytest.approx(E0, abs=0.01)
    assert out.edge_step == pytest.approx(1.5, rel=0.01)
    assert out.norm[-100:].mean() == pytest.approx(1.0, abs=0.01)
    assert out.flat[-100:].mean() == pytest.approx(1.0, abs=0.005)


@pytest.mark.filterwarnings("ignore")  # xraylarch's own imports warn
@pytest.mark.parametrize("end", [70.0, 140.0, 280.0, 640.0])
@pytest.mark.parametrize("e0", [9879.5, 9881.13])
def test_xraylarch_agrees(end, e0):
    from larch import Group
    from larch.xafs import pre_edge

    e = grid()
    e = e[e < E0 + end]
    mu = mu_of(e)
    ours = normalise(data(e, mu), e0=e0)
    theirs = Group(energy=e.copy(), mu=mu.copy())
    pre_edge(theirs, e0=e0)
    for name in ("norm", "flat", "pre_edge", "post_edge"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-9)
    assert ours.edge_step == pytest.approx(theirs.edge_step, rel=1e-9)


@settings(max_examples=30)
@given(st.floats(-30, 30))
def test_a_shift_of_the_energies_shifts_e0_by_as_much(shift):
    e = grid()
    first = find_e0(e, mu_of(e), near=9881, half_width=60)
    assert find_e0(e + shift, mu_of(e), near=9881 + shift, half_width=60) == pytest.approx(
        first + shift, abs=1e-6
    )


@settings(max_examples=30)
@given(st.floats(1e-6, 1e6), st.floats(-5, 5), st.floats(-0.01, 0.01))
def test_scale_and_line_do_not_matter(scale, offset, slope):
    e = grid()
    plain = normalise(data())
    other = normalise(data(e, scale * (mu_of(e) + offset + slope * (e - E0))), e0=plain.e0)
    np.testing.assert_allclose(other.norm, plain.norm, atol=1e-7)
    assert other.edge_step == pytest.approx(scale * plain.edge_step, rel=1e-6)


def test_a_spike_is_no_edge():
    e, mu = grid(), mu_of(grid())
    clean = find_e0(e, mu, near=9881)
    for at in (30, 60, 250):
        spoiled = mu.copy()
        spoiled[at] += 20.0
        assert find_e0(e, spoiled, near=9881) == pytest.approx(clean, abs=0.3)
        assert find_e0(e, spoiled) == pytest.approx(clean, abs=0.3)


def test_error_of_the_step_holds_noise_and_ranges():
    e = grid()
    rng = np.random.default_rng(0)
    steps = [
        normalise(data(e, mu_of(e) + 0.01 * rng.normal(size=e.size)), e0=E0).edge_step for _ in range(200)
    ]
    with_noise = normalise(data(sigma=np.full(e.size, 0.01)), e0=E0).sigma_edge_step
    without = normalise(data(), e0=E0).sigma_edge_step
    assert np.sqrt(with_noise**2 - without**2) == pytest.approx(np.std(steps), rel=0.15)
    assert without > 0


FLAT = 0.3 - 3e-4 * (grid() - E0)


@pytest.mark.parametrize(
    ("bad", "given", "message"),
    [
        (data(mu=np.ones(grid().size)), {"near": 9881}, "mu falls everywhere|no edge"),
        (data(mu=FLAT), {"near": 9881}, "mu falls everywhere|no edge"),
        (data(mu=FLAT + 0.1 * np.random.default_rng(5).normal(size=grid().size)), {"near": 9881}, "no edge"),
        (data(mu=-mu_of(grid())), {"e0": 9881.0}, "no edge"),
        (data(), {"e0": 7112.0}, "E0 = 7112.00 eV, but the scan covers"),
        (data(), {"e0": 9981.0, "near": 9881}, "100 eV from the tabulated edge"),
        (data(), {"e0": float("nan")}, "E0 = nan"),
        (data(grid()[grid() > E0 - 5]), {"near": 9881}, "must begin 10 eV below"),
        (data(grid()[grid() < E0 + 15]), {"near": 9881}, "20 eV above"),
        (data(), {"post_range": (640.0, 641.0)}, "points in the post-edge range"),
    ],
)
def test_what_cannot_be_normalised(bad, given, message):
    with pytest.raises(DataError, match=message):
        normalise(bad, **given)


def test_short_scans_carry_a_doubt():
    short = normalise(data(grid()[(grid() > E0 - 22) & (grid() < E0 + 80)]), near=9881)
    assert [s.name.split(",")[0] for s in short.history[-2:]] == [
        "warning: short pre-edge",
        "warning: short post-edge",
    ]
