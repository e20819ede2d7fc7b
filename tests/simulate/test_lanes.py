"""Sums in four lanes and picking in eight: what numpy does, element by element."""

import numba
import numpy as np
import pytest
from numba import njit

from shortrange.simulate import lanes

PICKERS = [lanes.keep_one_by_one] + ([lanes.keep_by_eight] if lanes.has_eight_lanes() else [])


@pytest.mark.parametrize("keep", PICKERS, ids=lambda keep: keep.__name__)
def test_picking_is_a_mask(keep):
    rng = np.random.default_rng(3)
    for n in (0, 1, 7, 8, 9, 64, 101):
        for limit in (-1.0, 0.3, 1.0, 2.0):  # none, some, all but those at the limit, all
            values, tests = rng.random(n + 3), np.r_[rng.random(n), np.zeros(3)]
            tests[:n:5] = 1.0
            expected, own = values[:n][tests[:n] < limit], tests[:n][tests[:n] < limit]
            after = values[n:].copy()
            assert keep(values, tests, n, limit) == expected.size
            np.testing.assert_array_equal(values[: expected.size], expected)
            np.testing.assert_array_equal(values[n:], after)
            assert keep(tests, tests, n, limit) == own.size
            np.testing.assert_array_equal(tests[: own.size], own)


@njit
def add_all(into, starts, terms):
    for j in range(starts.size):
        lanes.add_four(into, np.uint64(starts[j]), terms[j, 0], terms[j, 1], terms[j, 2], terms[j, 3])


def test_sums_in_four_lanes_are_sums():
    rng = np.random.default_rng(4)
    starts, terms = rng.integers(0, 9, 200), rng.random((200, 4))
    into = np.zeros(13)
    expected = into.copy()
    np.add.at(expected, starts[:, None] + np.arange(4), terms)
    add_all(into, starts, terms)
    np.testing.assert_allclose(into, expected, rtol=1e-13)


def test_a_processor_without_wide_lanes_takes_the_plain_loop(monkeypatch):
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "+sse2")
    assert not lanes.has_eight_lanes()
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "+avx2,+avx512f")
    assert lanes.has_eight_lanes()
