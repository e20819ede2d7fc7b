"""Alignment: shifts that were put in come out, with honest errors."""

import numpy as np
import pytest
from xas_samples import mu_scan

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.align import align


@pytest.mark.parametrize("shift", [-20.0, -7.3, -0.64, 0.0, 0.31, 5.1, 20.0])
@pytest.mark.parametrize("channel", ["mu", "reference"])
def test_shifts_from_minus_to_plus_20_ev(shift, channel):
    scans = [mu_scan(offset=o, noise=1e-3, seed=i, reference=True) for i, o in enumerate([shift, 0.0])]
    out = align(scans, channel=channel)
    assert out.shifts[1] - out.shifts[0] == pytest.approx(shift, abs=0.02)
    assert out.shifts.sum() == pytest.approx(0.0, abs=1e-12)


def test_errors_are_those_of_many_repeats():
    offsets = np.array([0.3, -0.4, 0.1])
    pulls, sizes = [], []
    for seed in range(25):
        scans = [mu_scan(offset=o, noise=0.01, seed=10 * seed + i) for i, o in enumerate(offsets)]
        out = align(scans)
        pulls.append((out.shifts + offsets) / out.sigmas)
        sizes.append(out.sigmas)
    # Stated for the distance from the mean of all three; a little on the safe side.
    assert 0.7 < np.std(pulls) < 1.15
    assert np.mean(sizes) < 0.05


def test_glitch_does_not_shift():
    scans = [mu_scan(offset=o, noise=1e-4, seed=i) for i, o in enumerate([0.5, -0.5])]
    spoiled = np.array(scans[0].mu)
    spoiled[50] += 0.3
    out = align([MuE(energy=scans[0].energy, mu=spoiled), scans[1]])
    assert out.shifts[0] == pytest.approx(-0.5, abs=0.01)


def test_different_grids():
    fine = np.arange(9700.0, 10400.0, 0.7)
    out = align([mu_scan(offset=1.3), mu_scan(energy=fine)])
    assert out.shifts[1] - out.shifts[0] == pytest.approx(1.3, abs=0.02)


def test_channel_is_chosen_by_what_there_is():
    with_foil = [mu_scan(reference=True, noise=1e-3, seed=i) for i in range(2)]
    assert align(with_foil).channel == "reference"
    assert align([with_foil[0], mu_scan()]).channel == "mu"
    rng = np.random.default_rng(0)
    dark = [MuE(energy=s.energy, mu=s.mu, reference=rng.normal(size=s.mu.size)) for s in with_foil]
    assert align(dark).channel == "mu"


def test_one_scan_needs_no_shift():
    out = align([mu_scan()])
    assert out.shifts.tolist() == [0.0]


def test_messages():
    with pytest.raises(DataError, match="no scan to align"):
        align([])
    with pytest.raises(DataError, match="no channel 'foil'"):
        align([mu_scan()], channel="foil")
    with pytest.raises(DataError, match="no reference channel in"):
        align([mu_scan(), mu_scan()], channel="reference")
    short = MuE(energy=9700 + 40.0 * np.arange(20), mu=np.linspace(0, 1, 20) ** 2, source="short")
    with pytest.raises(DataError, match="points around the edge"):
        align([mu_scan(), short])
