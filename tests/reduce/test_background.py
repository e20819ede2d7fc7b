"""AUTOBK: xraylarch on the same data, closed forms, invariances, covariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xas_samples import E0, chi_of, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.background import autobk
from shortrange.reduce.k_range import suggest_k_range
from shortrange.reduce.normalise import normalise
from shortrange.units import k_from_energy


def normalised(energy=None, mu=None, sigma=None, e0=E0):
    energy = grid() if energy is None else energy
    return normalise(MuE(energy=energy, mu=mu_of(energy) if mu is None else mu, sigma=sigma), e0=e0)


LARCH_NAMES = {"r_bkg": "rbkg", "k_max": "kmax", "k_weight": "kweight", "n_clamp": "nclamp"}


def larch_result(data, **given):
    """Chi of xraylarch, and chi where the residuals that xraylarch minimises really are smallest.

    The data are normalised first: the clamps of xraylarch depend on the units of mu, ours do not.
    """
    from larch import Group
    from larch.xafs import autobk as larch_autobk
    from larch.xafs.autobk import _resid, spline_eval
    from larch.xafs.xafsft import ftwindow
    from scipy.optimize import least_squares

    y = data.mu / data.edge_step
    g = Group(energy=data.energy.copy(), mu=y.copy())
    larch_autobk(g, ek0=data.e0, edge_step=1.0, **{LARCH_NAMES[k]: v for k, v in given.items()})
    d = g.autobk_details
    window = g.k ** given.get("k_weight", 1) * ftwindow(g.k, xmin=0, xmax=d.kmax, dx=0.1, dx2=0.1)
    k_raw, mu = d.kraw[: d.iemax - d.iek0 + 1], y[d.iek0 : d.iemax + 1]
    clamps = (given.get("n_clamp", 3), 0, 1)
    args = (len(d.coefs), k_raw, mu, None, d.knots, d.order, g.k, window, 2048, d.irbkg, *clamps)
    start = d.coefs[: d.nspl]
    tight = least_squares(_resid, start, args=args, xtol=1e-14, ftol=1e-15, gtol=1e-15, jac="3-point")
    best = np.append(tight.x, np.zeros(len(d.coefs) - d.nspl))
    return g.k, g.chi, spline_eval(k_raw, mu, d.knots, best, d.order, g.k)[1]


@pytest.mark.filterwarnings("ignore")  # xraylarch's own imports warn
@pytest.mark.parametrize(
    ("given", "stops_short_by"),
    [({}, 2e-6), ({"r_bkg": 1.3}, 2e-6), ({"k_max": 11.0, "k_weight": 2}, 2e-4), ({"n_clamp": 0}, 1e-7)],
)
def test_xraylarch_agrees(given, stops_short_by):
    data = normalised()
    k, theirs, converged = larch_result(data, **given)
    _, ours = autobk(data, **given)
    np.testing.assert_allclose(ours.k, k, atol=1e-12)
    np.testing.assert_allclose(ours.chi, converged, atol=1e-7)
    np.testing.assert_allclose(ours.chi, theirs, atol=stops_short_by)


def test_chi_is_recovered():
    _, chi = autobk(normalised())
    inside = (chi.k > 4) & (chi.k < 11)
    # mu is normalised by the step at E0, chi by the atomic background, which falls by 2e-4 per eV.
    expected = (chi_of(chi.k) * (1 - 2e-4 * 3.81 * chi.k**2))[inside]
    amplitude = expected @ chi.chi[inside] / (expected @ expected)
    assert amplitude == pytest.approx(1.0, abs=0.07)
    assert np.linalg.norm(chi.chi[inside] - amplitude * expected) < 0.03 * np.linalg.norm(expected)


@settings(max_examples=20)
@given(st.floats(1e-6, 1e6))
def test_units_of_mu_do_not_matter(scale):
    plain = autobk(normalised())[1]
    other = autobk(normalised(mu=scale * mu_of(grid())))[1]
    np.testing.assert_allclose(other.chi, plain.chi, atol=1e-9)


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(-2e-3, 2e-3))
def test_a_line_in_mu_is_background(offset, slope):
    e = grid()
    plain = autobk(normalised())[1]
    other = autobk(normalised(mu=mu_of(e) + offset + slope * (e - E0)))[1]
    inside = plain.k > 2
    assert np.abs(other.chi - plain.chi)[inside].max() < 2e-3


def test_projector_is_the_whole_of_it():
    data = normalised()
    background, chi = autobk(data)
    np.testing.assert_allclose(background.projector @ data.mu / data.edge_step, chi.chi, atol=1e-12)
    spline = data.mu - background.bkg
    above = data.energy > E0 + 1
    k = k_from_energy(data.energy[above], E0)
    np.testing.assert_allclose(
        np.interp(chi.k[60:200], k, spline[above]) / data.edge_step, chi.chi[60:200], atol=5e-3
    )


def test_covariance_is_that_of_many_noisy_copies():
    e, rng = grid(), np.random.default_rng(1)
    sigma = 0.002 * (1 + (e > E0))
    clean = normalised(sigma=sigma)
    chi = autobk(clean)[1]
    # E0 and step are held: the covariance is given them.
    projector = autobk(clean)[0].projector
    noisy = (mu_of(e) + sigma * rng.normal(size=(3000, e.size))) @ projector.T / clean.edge_step
    inside = (chi.k > 1) & (chi.k < 12.5)
    np.testing.assert_allclose(noisy.std(axis=0)[inside], chi.sigma[inside], rtol=0.08)
    assert np.linalg.eigvalsh(chi.cov).min() > -1e-12


def test_k_range_ends_where_noise_begins():
    e = grid()
    quiet = autobk(normalised(sigma=np.full(e.size, 1e-5)))[1]
    assert suggest_k_range(quiet) == (3.0, pytest.approx(12.7, abs=0.11))
    rng = np.random.default_rng(3)
    loud = autobk(normalised(mu=mu_of(e) + 0.03 * rng.normal(size=e.size), sigma=np.full(e.size, 0.03)))[1]
    # Amplitude 0.5 exp(-2 k^2 0.004) / sqrt 2 meets 0.03 near k = 11.
    assert 8.5 < suggest_k_range(loud)[1] < 12.8
    with pytest.raises(DataError, match="signal exceeds the noise only up to"):
        suggest_k_range(quiet.after(quiet.history[-1], sigma=np.full(quiet.k.size, 2.0)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"r_bkg": 0.0}, "r_bkg = 0"),
        ({"k_min": -1.0}, "k_min = -1"),
        ({"k_min": 3.0, "k_max": 2.0}, "k_max = 2"),
    ],
)
def test_bad_settings(given, message):
    with pytest.raises(DataError, match=message):
        autobk(normalised(), **given)


def test_short_or_coarse_scans_have_no_exafs():
    with pytest.raises(DataError, match="the scan ends 8"):
        autobk(normalised(grid()[grid() < E0 + 85]))
    coarse = np.concatenate([grid()[grid() < E0 + 40], np.arange(E0 + 60, E0 + 640, 60.0)])
    with pytest.raises(DataError, match="too few for"):
        autobk(normalised(coarse), r_bkg=2.5)
