"""Noise from high R and from counts, against noise that is known."""

import numpy as np
import pytest
from xas_samples import E0, chi_of, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import ChiK, Scan
from shortrange.reduce.mu import to_mu
from shortrange.reduce.noise import noise_at_high_r, noise_of_counts
from shortrange.reduce.xas import reduce_xas

K = 0.05 * np.arange(281)


def test_high_r_finds_white_noise_under_a_signal():
    rng = np.random.default_rng(0)
    pulls = []
    for sigma in (1e-4, 1e-3, 1e-2):
        for _ in range(20):
            chi = ChiK(k=K, chi=chi_of(K) + sigma * rng.normal(size=K.size))
            found, error = noise_at_high_r(chi, k_range=(3, 13))
            assert found == pytest.approx(sigma, rel=0.6)
            pulls.append((found - sigma) / error)
    assert 0.6 < np.std(pulls) < 1.5
    assert abs(np.mean(pulls)) < 0.5


def test_high_r_agrees_with_xraylarch():
    """Of the same noise; xraylarch weights with k and takes its own ranges."""
    from larch import Group
    from larch.xafs import estimate_noise

    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(12):
        chi = chi_of(K) + 1e-3 * rng.normal(size=K.size)
        group = Group(k=K, chi=chi)
        estimate_noise(K, chi=chi, group=group, kmin=3, kmax=13, kweight=1, dk=1, window="hanning")
        ratios.append(noise_at_high_r(ChiK(k=K, chi=chi), k_range=(3, 13))[0] / group.epsilon_k)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("k_range", "r_range"), [((3, 3.5), (15, 25)), ((3, 13), (15, 40)), ((3, 13), (15, 15.1))]
)
def test_ranges_without_information(k_range, r_range):
    with pytest.raises(DataError, match="independent points"):
        noise_at_high_r(ChiK(k=K, chi=chi_of(K)), k_range=k_range, r_range=r_range)


def counted(mode, seed, i0=2e5):
    energy, rng = grid(), np.random.default_rng(seed)
    mu = mu_of(energy)
    beam = rng.poisson(i0, size=energy.size).astype(float)
    if mode == "transmission":
        columns = {"i0": beam, "it": rng.poisson(i0 * np.exp(-mu)).astype(float)}
    else:
        columns = {"i0": beam, "if": rng.poisson(0.02 * i0 * mu).astype(float)}
    return Scan(energy=energy, columns=columns, element="Ta", edge="L3", source=f"{seed}")


@pytest.mark.parametrize("mode", ["transmission", "fluorescence"])
def test_counts_and_repeats_agree(mode):
    scans = [counted(mode, seed) for seed in range(30)]
    scatter = np.std([to_mu(scan, mode=mode).mu for scan in scans], axis=0, ddof=1)
    expected = noise_of_counts(scans[0], mode=mode)
    assert np.median(scatter / expected) == pytest.approx(1.0, abs=0.06)
    merged = reduce_xas(scans[:6], element="Ta", edge="L3", mode=mode).merged
    above = merged.energy > E0 + 50
    mean = np.interp(merged.energy, grid(), expected) / np.sqrt(6)
    assert np.median(merged.sigma[above] / mean[above]) == pytest.approx(1.0, abs=0.25)


def test_currents_are_no_counts():
    scan = counted("transmission", 0)
    scan = Scan(energy=scan.energy, columns={n: v * 1e-9 for n, v in scan.columns.items()})
    with pytest.raises(DataError, match="do not hold counts"):
        noise_of_counts(scan)
    with pytest.raises(DataError, match="do not hold counts"):
        noise_of_counts(Scan(energy=grid(), columns={"mu": mu_of(grid())}))
