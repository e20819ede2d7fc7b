"""Points that stand out of I(Q): found by themselves, and not seen in noise, steps and Bragg peaks."""

import numpy as np
import pytest

from shortrange.load import load_iq
from shortrange.reduce.scattering_strays import stray_points

Q = np.arange(0.6, 22.0, 0.02)
SMOOTH = 100 * np.exp(-Q / 6) + 30 + 20 * np.sin(2.6 * Q) * np.exp(-0.01 * Q**2)


def noisy(seed, level=0.01):
    return SMOOTH * (1 + level * np.random.default_rng(seed).normal(size=Q.size))


@pytest.mark.parametrize("factor", [0.05, 0.5, 1.4, 3.0, 20.0])
@pytest.mark.parametrize("width", [1, 2])
def test_a_stray_is_found_with_its_factor(factor, width):
    """Wherever it is, beside noise of 1 %; near the noise a few are missed, or taken with a neighbour."""
    right = 0
    for seed in range(200):
        y, at = noisy(seed), 5 + 5 * seed
        expected = y[at]
        y[at : at + width] *= factor
        found = stray_points(y)
        assert all(abs(each.at - at) <= 1 and each.alone for each in found)
        if [(each.at, len(each.expected)) for each in found] == [(at, width)]:
            assert found[0].expected[0] == pytest.approx(expected, rel=0.06)
            right += 1
    assert right >= (200 if factor in (0.05, 3.0, 20.0) else 190)


def test_noise_and_structure_have_none():
    """Gaussian noise, counts, a step of the detector, and structure without noise."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        step = np.where(Q - seed / 20 > 5, 1.3, 1.0)
        for y in (
            noisy(seed, 0.05),
            rng.poisson(SMOOTH),
            rng.poisson(SMOOTH / 10),
            SMOOTH,
            noisy(seed) * step,
        ):
            assert stray_points(np.asarray(y, dtype=float)) == []


@pytest.mark.parametrize("steps_per_width", [1.3, 2.0, 5.0])
def test_bragg_peaks_have_none(steps_per_width):
    """Gaussian peaks, anywhere on the grid; from 1.3 steps within their full width on, each has a skirt."""
    rng = np.random.default_rng(3)
    width = steps_per_width * 0.02
    for _ in range(100):
        centres = np.sort(rng.uniform(1.0, 21.0, 40))
        peaks = np.exp(-4 * np.log(2) * ((Q[:, None] - centres) / width) ** 2) @ rng.uniform(10, 500, 40)
        y = (SMOOTH + peaks) * (1 + 2e-3 * rng.normal(size=Q.size))
        assert not any(each.alone for each in stray_points(y))


def test_measured_crystals(shared_data):
    """Nickel has one spike, which its G(r) was made without; the others have none."""
    folder = shared_data / "pdf_iq_raw"
    nickel = load_iq(folder / "Ni_chi_file.chi")
    assert [nickel.q[each.at] for each in stray_points(nickel.intensity)] == pytest.approx([15.872], abs=1e-3)
    for name in ("cmi_book/ni.iq", "ID11_CeO2/CeO2_processed.h5"):
        assert stray_points(load_iq(folder / name).intensity) == []
