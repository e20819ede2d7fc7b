"""What every engine that removes the background fulfils, and that they agree."""

import numpy as np
import pytest
from xas_samples import E0, autobk_objective, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.by_xraylarch import ENGINES
from shortrange.reduce.normalise import normalise
from shortrange.reduce.xas import reduce_xas

pytestmark = pytest.mark.filterwarnings("ignore")  # xraylarch's own imports warn


def data(scale=1.0, noise=1e-3, **settings):
    energy = grid(**settings)
    mu = mu_of(energy) + noise * np.random.default_rng(0).normal(size=energy.size)
    return normalise(MuE(energy=energy, mu=scale * mu, sigma=np.full(energy.size, scale * 1e-3)), near=E0)


@pytest.fixture(params=sorted(ENGINES))
def engine(request):
    return ENGINES[request.param]


def test_grid_errors_and_history(engine):
    background, chi = engine(data(), r_bkg=1.1)
    np.testing.assert_allclose(np.diff(chi.k), 0.05)
    assert chi.k[0] == 0
    assert chi.cov.shape == (chi.k.size, chi.k.size)
    assert np.linalg.eigvalsh(chi.cov).min() > -1e-12
    assert chi.history[-1].name == "remove background"
    assert chi.history[-1].settings["r_bkg"] == 1.1
    assert background.bkg.shape == background.energy.shape
    below = background.energy < E0 - 5
    np.testing.assert_allclose(background.bkg[below], data().mu[below], rtol=1e-12)


def test_oscillations_survive_and_the_atomic_part_goes(engine):
    from xas_samples import chi_of

    _, chi = engine(data(noise=0.0))
    inside = (chi.k > 4) & (chi.k < 11)
    truth = chi_of(chi.k)[inside]
    # The edge is not at E0 + 0 of the samples, and the step not 1: shape, not size.
    assert np.corrcoef(chi.chi[inside], truth)[0, 1] > 0.98


def test_units_of_mu_do_not_matter(engine):
    one, other = (engine(data(scale))[1].chi for scale in (1.0, 1e6))
    np.testing.assert_allclose(other, one, atol=1e-8)


@pytest.mark.parametrize("settings", [{"r_bkg": 0.0}, {"k_min": 5.0, "k_max": 4.0}])
def test_impossible_settings(engine, settings):
    with pytest.raises(DataError, match="r_bkg"):
        engine(data(), **settings)


def test_too_short_a_scan(engine):
    with pytest.raises(DataError, match="the scan ends"):
        engine(data(k_max=4.8))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"r_bkg": 1.4, "k_weight": 2.0},
        {"clamps": (1.0, 5.0), "n_clamp": 5},
        {"k_min": 1.0, "k_max": 11.0},
        {"dk": 1.0, "window": "kaiser"},
    ],
)
def test_engines_agree(settings):
    """To 1e-6, or as far as xraylarch's search went: it may stop before the minimum that both look for."""
    one, other = (ENGINES[name](data(), **settings)[1] for name in ("linear", "xraylarch"))
    np.testing.assert_allclose(one.k, other.k)
    apart = float(np.abs(one.chi - other.chi).max())
    assert apart < 3e-4
    # With an end of k before that of the data, xraylarch interpolates the last points from fewer.
    assert apart < (2e-6 if "k_max" in settings else 1e-6) or autobk_objective(
        other, data()
    ) > autobk_objective(one, data())


def test_an_engine_is_chosen_by_name():
    from xas_samples import scan

    made = reduce_xas([scan(noise=1e-3)], element="Ta", edge="L3", engine="xraylarch")
    assert any(step.settings.get("method") == "autobk by xraylarch" for step in made.history)
    with pytest.raises(DataError, match="did you mean 'linear'"):
        reduce_xas([scan()], element="Ta", edge="L3", engine="linar")
