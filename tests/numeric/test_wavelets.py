"""Wavelet transforms against closed forms, xraylarch and direct sums."""

import numpy as np
import pytest

from shortrange.numeric.wavelets import (
    cauchy_transform,
    larch_factor,
    larch_order,
    morlet_transform,
    pywavelets_transform,
)

K = 0.05 * np.arange(281)
CHI = 0.5 * np.sin(4.8 * K) * np.exp(-0.008 * K**2) + 0.2 * np.sin(7.4 * K + 1) * np.exp(-0.014 * K**2)


@pytest.mark.parametrize("r_max", [6.0, 10.0])
def test_xraylarch(r_max, agreement):
    from larch import Group
    from larch.xafs import cauchy_wavelet

    g = Group()
    cauchy_wavelet(K, CHI, group=g, kweight=2, rmax_out=r_max)
    order = larch_order(0.05, r_max)
    assert order == g.wcauchy_r.size
    ours = cauchy_transform(K, CHI * K**2, g.wcauchy_r[1:], order=order) * larch_factor(order)
    # Below 0.5 angstrom its wavelets are longer than its table and come round again.
    far = g.wcauchy_r[1:] > 0.5
    np.testing.assert_allclose(ours[far], g.wcauchy[1:][far], atol=1e-9)
    agreement(
        f"Cauchy wavelet of two shells to {r_max:g} A: largest difference",
        below=1e-9,
        differ=np.abs(ours - g.wcauchy[1:])[far].max(),
        by="xraylarch, cauchy_wavelet",
        part="EXAFS",
    )


@pytest.mark.parametrize("r0", [2.0, 3.7])
def test_amplitude_of_a_wave(r0):
    k = 0.05 * np.arange(1600)
    wave = 0.7 * np.sin(2 * k * r0 + 0.4)
    r = np.array([0.9, 1.0, 1.05]) * r0
    middle = k.size // 2
    x = r0 / r
    cauchy = np.abs(cauchy_transform(k, wave, r, order=100))[:, middle]
    np.testing.assert_allclose(cauchy, 0.7 * (x * np.exp(1 - x)) ** 100, atol=1e-5)
    for eta, sigma in ((6.0, 1.0), (8.0, 2.0)):
        morlet = np.abs(morlet_transform(k, wave, r, eta=eta, sigma=sigma))[:, middle]
        np.testing.assert_allclose(morlet, 0.7 * np.exp(-0.5 * (sigma * eta * (1 - x)) ** 2), atol=1e-5)


def test_morlet_is_the_direct_sum():
    r, eta, sigma = np.array([2.4]), 8.0, 1.0
    scale = eta / (2 * r[0])
    t = (K[:, None] - K) / scale
    kernel = np.exp(1j * eta * t - t**2 / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma * scale)
    direct = 2 * kernel @ CHI * 0.05
    found = morlet_transform(K, CHI, r, eta=eta, sigma=sigma)[0]
    np.testing.assert_allclose(found, direct, atol=1e-6)


@pytest.mark.parametrize(("eta", "sigma"), [(6.0, 1.0), (8.0, 1.5)])
def test_pywavelets(eta, sigma):
    """It may be half a step of k off, so the magnitudes agree to what they change within that."""
    r = np.arange(1.0, 6.0, 0.1)
    y = CHI * K**2
    ours = np.abs(morlet_transform(K, y, r, eta=eta, sigma=sigma))
    theirs = np.abs(pywavelets_transform(K, y, r, eta=eta, sigma=sigma))
    change = 0.6 * np.abs(np.gradient(ours, axis=1)) + 0.01 * ours.max()
    assert np.all(np.abs(ours - theirs)[:, 5:-5] < change[:, 5:-5])


def test_many_spectra_at_once_and_fewer_points():
    r = np.arange(0.5, 6, 0.1)
    both = cauchy_transform(K, np.stack([CHI, 2 * CHI]), r, order=80)
    one = cauchy_transform(K, CHI, r, order=80)
    np.testing.assert_allclose(both[0], one, atol=1e-14)
    np.testing.assert_allclose(both[1], 2 * one, atol=1e-14)
    np.testing.assert_allclose(cauchy_transform(K, CHI, r, order=80, every=2), one[:, ::2], atol=1e-12)
    assert np.all(cauchy_transform(K, CHI, np.array([0.0, 1.0]), order=80)[0] == 0)
