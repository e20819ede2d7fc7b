"""Glitches and merging: what is found, what is masked, what error is stated."""

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of, mu_scan

from shortrange.quantities import MuE
from shortrange.reduce.glitches import find_glitches
from shortrange.reduce.merge import compare, merge


def repeats(offsets, noise, seed=0):
    return [mu_scan(offset=o, noise=noise, seed=100 * seed + i) for i, o in enumerate(offsets)]


def merged(scans, offsets, **more):
    return merge(compare(scans, shifts=-np.array(offsets), e0=E0, **more), scans)


def test_clean_scan_has_no_glitch():
    for noise in (0.0, 1e-4, 1e-2):
        assert not find_glitches(grid(), mu_scan(noise=noise).mu, e0=E0).any()


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("size", [0.1, -0.05])
def test_spike_of_a_single_scan_is_found_and_nothing_else(width, size):
    mu = np.array(mu_scan(noise=1e-3).mu)
    mu[200 : 200 + width] += size
    assert np.flatnonzero(find_glitches(grid(), mu, e0=E0)).tolist() == list(range(200, 200 + width))


def test_jump_of_the_beam_is_a_glitch_only_where_mu_follows():
    i0 = np.full(grid().size, 1e5)
    i0[200:203] *= 0.85
    mu = np.array(mu_scan(noise=1e-3).mu)
    assert not find_glitches(grid(), mu, e0=E0, i0=i0).any()
    mu[200:203] -= 0.02
    assert np.flatnonzero(find_glitches(grid(), mu, e0=E0, i0=i0)).tolist() == [200, 201, 202]
    i0[-1] *= 0.5
    assert find_glitches(grid(), mu, e0=E0, i0=i0)[-1]


def test_drifting_beam_is_no_glitch():
    i0 = 1e5 * np.exp(-np.arange(grid().size) / 100.0)
    assert not find_glitches(grid(), mu_scan(noise=1e-3).mu, e0=E0, i0=i0).any()


def test_spike_in_one_of_the_scans_is_masked_there_even_on_the_edge():
    offsets = [0.0, 0.2, -0.2]
    scans = repeats(offsets, 1e-3)
    spoiled = np.array(scans[1].mu)
    at = int(np.argmin(np.abs(grid() - E0 - 20)))
    spoiled[at] += 0.05
    scans[1] = MuE(energy=scans[1].energy, mu=spoiled)
    out = merged(scans, offsets)
    masked = out.history[-2].settings["masked_eV"]
    assert [len(m) for m in masked] == [0, 1, 0]
    assert masked[1][0] == pytest.approx(E0 + 20, abs=0.5)
    assert out.history[-1].name == "warning: glitches masked"
    assert out.history[-1].settings == {"eV": f"{masked[1][0]:.1f}", "points": 1}
    assert out.mu.size == grid().size  # the others have that energy
    assert np.abs(out.mu - mu_of(out.energy)).max() < 5e-3


def test_glitch_of_all_scans_is_left_out():
    scans = repeats([0.0, 0.0], 1e-3)
    scans = [MuE(energy=s.energy, mu=s.mu - 0.1 * (np.arange(s.mu.size) == 220)) for s in scans]
    out = merged(scans, [0.0, 0.0])
    assert out.mu.size == grid().size - 1
    assert out.history[-2].settings["left_out_eV"] == [round(float(grid()[220]), 2)]


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("noise", [2e-3, 2e-2])
def test_stated_noise_is_the_true_one(n, noise):
    offsets = np.linspace(-0.3, 0.3, n) if n > 1 else np.zeros(1)
    outs = [merged(repeats(offsets, noise, seed), offsets) for seed in range(6)]
    levels = np.concatenate([o.history[-1 - (n == 1)].settings["noise_per_scan"] for o in outs])
    assert levels.mean() == pytest.approx(noise, rel=0.1)
    far = (grid() > E0 + 30) & (grid() < E0 + 600)
    ratio = [
        np.std(
            (o.mu - mu_of(o.energy))[far] - np.convolve(o.mu - mu_of(o.energy), np.ones(15) / 15, "same")[far]
        )
        / np.median(o.sigma[far])
        for o in outs
    ]
    # Between its points an interpolated curve scatters less: the stated error is an upper end.
    assert 0.6 < np.mean(ratio) < 1.1


def test_noisier_scan_counts_less():
    quiet = repeats([0.0] * 3, 1e-3)
    loud = [mu_scan(noise=1e-2, seed=50 + i) for i in range(1)]
    out = merged(quiet + loud, [0.0] * 4)
    levels = out.history[-1].settings["noise_per_scan"]
    assert levels[3] / levels[0] == pytest.approx(10, rel=0.35)
    far = grid() > E0 + 30
    assert np.std((out.mu - mu_of(out.energy))[far]) < 1e-3 / np.sqrt(3) * 1.5


def test_scale_offset_and_slope_between_scans_are_no_noise():
    scans = repeats([0.0, 0.0, 0.0], 1e-3)
    x = (grid() - E0) / 1000
    scans[1] = MuE(energy=grid(), mu=1.3 * scans[1].mu + 0.2)
    scans[2] = MuE(energy=grid(), mu=0.8 * scans[2].mu + 0.3 * x)
    out = merged(scans, [0.0, 0.0, 0.0])
    assert np.mean(out.history[-1].settings["noise_per_scan"]) == pytest.approx(1e-3, rel=0.15)
    assert np.abs(out.mu - mu_of(grid())).max() < 5e-3
