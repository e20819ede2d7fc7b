"""Sums and values of many frames in little memory."""

import numpy as np
import pytest

from shortrange.analyse.estimate import ratio_of, spread_of
from shortrange.analyse.pool import BlockSums, Pool, kept_every


def correlated(n, phi, seed):
    noise = np.random.default_rng(seed).normal(size=n)
    for k in range(1, n):
        noise[k] += phi * noise[k - 1]
    return noise


def test_a_short_run_is_added_frame_by_frame():
    sums = BlockSums(4096)
    sums.add(np.arange(4096), np.arange(4096.0))
    assert sums.sums.tolist() == list(range(4096))
    assert (sums.frames == 1).all()


def test_a_long_run_is_added_in_blocks():
    sums = BlockSums(10_001, (2,))
    for part in np.array_split(np.arange(10_001), 7):
        sums.add(part, np.column_stack([part, np.ones(part.size)]))
    assert len(sums.sums) == 2501  # blocks of 4 frames, the last of one
    assert sums.frames.sum() == 10_001
    assert np.array_equal(sums.sums[:, 1], sums.frames)
    assert sums.sums[:, 0].sum() == 10_001 * 10_000 / 2


def test_errors_of_a_long_run():
    """An autoregressive series with unit noise: the mean of n has the error 1 / ((1 - phi) sqrt n)."""
    phi, n = 0.9, 20_000
    blocked, single = [], []
    for seed in range(8):
        x = correlated(n, phi, seed)
        sums = BlockSums(n)
        sums.add(np.arange(n), x)
        blocked.append(ratio_of(sums.sums, sums.frames).sigma)
        single.append(ratio_of(x, np.ones(n)).sigma)
    assert np.mean(blocked) == pytest.approx(1.0 / (1 - phi) / np.sqrt(n), rel=0.2)
    assert blocked == pytest.approx(single, rel=0.01)


def test_few_values_are_exact():
    values, frames = np.random.default_rng(0).normal(5.0, 0.2, 999), np.sort(np.arange(999) % 50)
    pool = Pool(50, low=0.0, high=10.0)
    for part in np.array_split(np.arange(999), 3):
        pool.add(values[part], frames[part])
    found, exact = pool.spread(), spread_of(values, frames, 50)
    for name in ("n", "mean", "std", "median", "p05", "p95", "sigma_mean"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=1e-12), name


def test_many_values_are_exact_to_a_bin():
    rng = np.random.default_rng(1)
    values, frames = rng.gamma(3.0, size=200_000), np.repeat(np.arange(20_000), 10)
    pool = Pool(20_000, low=0.0, high=40.0)
    for part in np.array_split(np.arange(200_000), 9):
        pool.add(values[part], frames[part])
    found, exact = pool.spread(), spread_of(values, frames, 20_000)
    assert found.n == 200_000
    assert found.mean == pytest.approx(exact.mean, rel=1e-12)
    assert found.std == pytest.approx(exact.std, rel=1e-9)
    assert found.sigma_mean == pytest.approx(exact.sigma_mean, rel=0.1)
    for name in ("median", "p05", "p95"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=0.3 * 40 / 2**15), name


def test_equal_values_have_no_spread():
    pool = Pool(3, low=0.0, high=10.0)
    pool.add(np.full(9, 4.7), np.repeat(np.arange(3), 3))
    assert pool.spread().std == 0.0
    assert Pool(3, low=0.0, high=1.0).spread() is None


@pytest.mark.parametrize(("n", "every"), [(1, 1), (5000, 1), (5001, 2), (10_000, 2), (10_001, 3)])
def test_tables_hold_five_thousand_frames_at_most(n, every):
    assert kept_every(n) == every
