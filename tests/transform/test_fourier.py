"""Transforms of carriers: errors, round trip, messages."""

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.quantities import ChiK
from shortrange.transform.fourier import sigma_magnitude, xftf, xftr

K = 0.05 * np.arange(281)
CHI = np.sin(2 * K * 2.5) * np.exp(-0.01 * K**2)


def test_covariance_is_that_of_many_noisy_copies():
    rng = np.random.default_rng(0)
    sigma = 0.01 * (1 + K / 14)
    r = np.linspace(0.5, 5, 12)
    out = xftf(ChiK(k=K, chi=CHI, sigma=sigma), k_range=(3, 12), r=r)
    noisy = [
        xftf(ChiK(k=K, chi=CHI + sigma * rng.normal(size=K.size)), k_range=(3, 12), r=r).chi
        for _ in range(800)
    ]
    stacked = np.concatenate([np.real(noisy), np.imag(noisy)], axis=1)
    np.testing.assert_allclose(np.diag(out.cov), stacked.var(axis=0), rtol=0.25)
    assert np.corrcoef(out.cov.ravel(), np.cov(stacked.T).ravel())[0, 1] > 0.97
    near = np.abs(r - 2.5).argmin()
    spread = np.abs(np.array(noisy)[:, near]).std()
    assert sigma_magnitude(out)[near] == pytest.approx(spread, rel=0.1)


def test_back_transform_returns_what_went_in():
    forward = xftf(
        ChiK(k=K, chi=CHI, sigma=np.full(K.size, 0.01)), k_range=(2, 13), dk=0.1, window="hanning", r_max=30
    )
    back = xftr(forward, r_range=(0.5, 6), dr=0.1, window="hanning")
    inside = (back.q > 4) & (back.q < 11)
    expected = np.interp(back.q, K, CHI * K**2)
    assert np.abs(back.chi.real - expected)[inside].max() < 0.02 * np.abs(expected).max()
    assert back.cov.shape == (2 * back.q.size,) * 2
    assert back.history[-1].name == "transform R to q"


def test_no_error_without_noise():
    out = xftf(ChiK(k=K, chi=CHI), k_range=(3, 12))
    assert out.cov is None
    assert sigma_magnitude(out) is None
    assert xftr(out, r_range=(1, 3)).cov is None


@pytest.mark.parametrize("k_range", [(12.0, 3.0), (15.0, 16.0), (-1.0, 12.0)])
def test_ranges_without_data(k_range):
    with pytest.raises(DataError, match=r"reach to 14\.00"):
        xftf(ChiK(k=K, chi=CHI), k_range=k_range)
