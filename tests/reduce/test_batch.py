"""The batch gives what the reduction of single spectra gives, and says which spectra failed."""

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.background import autobk
from shortrange.reduce.batch import reduce_batch
from shortrange.reduce.normalise import normalise
from shortrange.transform.fourier import xftf

ENERGY = grid()


def spectra(n=6, noise=1e-3):
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.2, 3.0, n)[:, None]
    return scale * mu_of(ENERGY) + noise * scale * rng.normal(size=(n, ENERGY.size))


@pytest.mark.parametrize("noise", [1e-3, 0.05])
@pytest.mark.parametrize("clamps", [(0.0, 1.0), (2.0, 5.0)])
def test_equals_single_spectra(noise, clamps):
    mu = spectra(noise=noise)
    batch = reduce_batch(ENERGY, mu, e0=E0, k_range=(3, 12), clamps=clamps)
    assert batch.reasons == ("",) * len(mu)
    for row, step, norm, chi, chi_r in zip(
        mu, batch.edge_step, batch.norm, batch.chi, batch.chi_r, strict=True
    ):
        data = normalise(MuE(energy=ENERGY, mu=row), e0=E0)
        alone = autobk(data, clamps=clamps)[1]
        assert step == pytest.approx(data.edge_step, rel=1e-10)
        np.testing.assert_allclose(norm, data.norm, atol=1e-10)
        np.testing.assert_allclose(chi, alone.chi, atol=1e-8)
        transformed = xftf(alone, k_range=(3, 12), r_max=6.0)
        np.testing.assert_allclose(batch.r, transformed.r)
        np.testing.assert_allclose(chi_r, transformed.chi, atol=1e-7)


def test_e0_of_all_and_of_each():
    mu = spectra()
    batch = reduce_batch(ENERGY, mu, k_range=(3, 12))
    assert batch.e0 == pytest.approx(normalise(MuE(energy=ENERGY, mu=mu[0]), near=E0).e0, abs=0.5)
    np.testing.assert_allclose(batch.e0_each, batch.e0, atol=0.3)
    shifted = mu.copy()
    shifted[2] = mu_of(ENERGY - 4.0)
    assert reduce_batch(ENERGY, shifted, e0=E0, k_range=(3, 12)).e0_each[2] == pytest.approx(
        batch.e0 + 4.0, abs=0.5
    )


def test_scale_does_not_matter():
    mu = spectra()
    a, b = (reduce_batch(ENERGY, factor * mu, e0=E0, k_range=(3, 12)) for factor in (1.0, 1e6))
    np.testing.assert_allclose(a.chi, b.chi, atol=1e-10)


def test_failed_spectra_are_named_and_leave_the_others_alone():
    mu = spectra()
    bad = mu.copy()
    bad[1, 50] = np.nan
    bad[3] = 1.0
    bad[4] = -mu[4]
    batch = reduce_batch(ENERGY, bad, e0=E0, k_range=(3, 12))
    assert batch.reasons[1] == "mu is not finite"
    assert "no edge" in batch.reasons[3]
    assert "no edge" in batch.reasons[4]
    good = reduce_batch(ENERGY, mu, e0=E0, k_range=(3, 12))
    for i in range(6):
        if batch.reasons[i]:
            assert np.isnan(batch.chi[i]).all()
            assert np.isnan(batch.chi_r[i]).all()
            assert np.isnan(batch.edge_step[i])
        else:
            np.testing.assert_allclose(batch.chi[i], good.chi[i], atol=1e-12)


@pytest.mark.parametrize(
    ("energy", "mu", "e0", "words"),
    [
        (ENERGY, np.ones(ENERGY.size), None, "shape"),
        (ENERGY[::-1], spectra(), None, "do not increase"),
        (ENERGY, spectra() * np.nan, None, "no spectrum is finite"),
        (ENERGY, spectra(), 7112.0, "E0 = 7112"),
        (ENERGY[:10], spectra()[:, :10], None, "too few"),
    ],
)
def test_refusals(energy, mu, e0, words):
    with pytest.raises(DataError, match=words):
        reduce_batch(energy, mu, e0=e0, k_range=(3, 12))
