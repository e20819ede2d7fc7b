"""Wavelet maps: lobes with errors, differences, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.quantities import ChiK
from shortrange.transform.wavelet import map_difference, measure_lobe, wavelet

K = 0.05 * np.arange(281)


def packet(k0=6.0, r0=4.2, width=2.0, height=1.0):
    """A wave packet in k^2 chi: an atom at r0 that scatters best at k0."""
    y = height * np.exp(-((K - k0) ** 2) / (2 * width**2)) * np.sin(2 * r0 * K + 0.3)
    return np.where(K > 0.5, y / np.maximum(K, 0.5) ** 2, 0.0)


def chi_k(noise=0.0, seed=0, **shape):
    sigma = noise / np.maximum(K, 1.0) ** 2
    return ChiK(
        k=K,
        chi=packet(**shape) + sigma * np.random.default_rng(seed).normal(size=K.size),
        sigma=sigma if noise else None,
    )


def test_a_packet_in_closed_form():
    """Morlet of a Gaussian packet is a Gaussian: widths add in quadrature."""
    eta, width = 8.0, 2.0
    data = chi_k()
    lobe = measure_lobe(data, wavelet(data, kind="morlet", eta=eta, r_step=0.02), near=(6, 4.2))
    assert lobe.k == pytest.approx(6.0, abs=0.02)
    assert lobe.r == pytest.approx(4.2, abs=0.03)
    scale = eta / (2 * 4.2)
    total = np.hypot(width, scale)
    assert lobe.strength == pytest.approx(width / total, rel=0.01)
    assert lobe.width_k == pytest.approx(2.3548 * total, rel=0.01)
    assert lobe.sigma_strength is None


@pytest.mark.parametrize("kind", ["cauchy", "morlet"])
def test_stated_errors_are_those_of_repeats(kind):
    found = []
    for seed in range(25):
        data = chi_k(noise=0.15, seed=seed)
        found.append(measure_lobe(data, wavelet(data, kind=kind, r_step=0.1), near=(6, 4.2), reach=(3, 1)))
    for name in ("k", "r", "strength"):
        spread = np.std([getattr(lobe, name) for lobe in found], ddof=1)
        stated = np.median([getattr(lobe, f"sigma_{name}") for lobe in found])
        assert 0.6 < stated / spread < 1.6, name


def test_weaker_lobe_shows_in_the_difference():
    strong, weak = chi_k(), chi_k(height=0.5)
    maps = [wavelet(data) for data in (strong, weak)]
    difference = map_difference(*maps)
    np.testing.assert_allclose(difference, -maps[0].magnitude / 2, atol=1e-12)
    with pytest.raises(DataError, match="differ in more than the data"):
        map_difference(maps[0], wavelet(weak, k_weight=3))


def test_covariance_and_sigma_agree():
    data = chi_k(noise=0.1)
    full = replace(data, cov=np.diag(data.sigma**2))
    made = wavelet(data)
    a, b = (measure_lobe(d, made, near=(6, 4.2)) for d in (data, full))
    assert a.sigma_strength == pytest.approx(b.sigma_strength, rel=0.25)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "gabor"}, "no wavelet"),
        ({"order": 0}, "order = 0"),
        ({"kind": "morlet", "eta": 2.0}, "answers to a constant"),
        ({"kind": "morlet", "engine": "scipy"}, "no engine"),
        ({"r": np.array([0.0, 1.0])}, "not positive"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(DataError, match=words):
        wavelet(chi_k(), **settings)


def test_no_lobe():
    data = chi_k()
    with pytest.raises(DataError, match="there is no lobe"):
        measure_lobe(data, wavelet(data), near=(2.0, 2.0), reach=(0.5, 0.3))
    with pytest.raises(DataError, match="outside the map"):
        measure_lobe(data, wavelet(data), near=(6.0, 9.0))
