"""Calibration: shifts of simulated standards are found, others refused; measured foils."""

import numpy as np
import pytest
from xas_samples import E0, mu_scan

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.quantities import MuE, Scan
from shortrange.reduce.calibrate import (
    apply_calibration,
    calibrate,
    choose_standard,
    edge_shift,
    feature_energy,
    standards,
)
from shortrange.reduce.xas import reduce_xas


def line(shift=0.0, noise=0.0, seed=0):
    """A Gaussian white line at 2481.4 + shift behind an edge."""
    energy = np.concatenate(
        [np.arange(2440, 2470, 2.0), np.arange(2470, 2500, 0.3), np.arange(2500, 2560, 2.0)]
    )
    x = energy - 2481.4 - shift
    mu = 0.5 + np.arctan((x + 1.5) / 0.7) / np.pi + 3 * np.exp(-(x**2) / 2)
    mu = mu + noise * np.random.default_rng(seed).normal(size=energy.size)
    return MuE(energy=energy, mu=mu, sigma=np.full(energy.size, max(noise, 1e-6)), source="simulated")


def test_every_standard_is_whole():
    for standard in standards():
        assert standard.feature in ("white_line", "inflection")
        assert choose_standard(standard.name, element="X", edge="K") == standard
        assert standard.source


@pytest.mark.parametrize("shift", [-5.0, -0.13, 0.0, 3.7])
def test_white_line(shift):
    found = calibrate(line(shift), choose_standard(None, element="S", edge="K"))
    # The edge beneath pulls the maximum of the sum a little up.
    assert found.shift == pytest.approx(-shift - 0.02, abs=0.03)
    scan = Scan(energy=np.arange(10.0), columns={})
    moved = apply_calibration(scan, found)
    np.testing.assert_allclose(moved.energy, scan.energy + found.shift)
    assert moved.history[-1].settings["standard"] == "ZnSO4.7H2O"


def test_inflection_of_an_arctan():
    energy = np.arange(9840.0, 9940.0, 0.5)
    mu = MuE(energy=energy, mu=np.arctan((energy - 9882.3) / 2), sigma=np.full(energy.size, 1e-4))
    place, sigma = feature_energy(mu, feature="inflection", near=9881)
    assert place == pytest.approx(9882.3, abs=0.01)
    assert sigma < 0.02


def test_stated_error_is_that_of_repeats():
    standard = choose_standard("znso4.7h2o", element="S", edge="K")
    found = [calibrate(line(0.3, noise=0.03, seed=s), standard) for s in range(30)]
    spread = np.std([f.shift for f in found], ddof=1)
    assert 0.7 < np.median([f.sigma for f in found]) / spread < 2.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: choose_standard("ZnSO4", element="S", edge="K"), "no standard 'ZnSO4'"),
        (lambda: choose_standard(None, element="U", edge="L3"), "no standard for U L3"),
        (
            lambda: calibrate(line(-25.0), choose_standard(None, element="S", edge="K")),
            "25 eV from where|too few points",
        ),
        (lambda: feature_energy(line(), feature="peak", near=2481), "no feature 'peak'"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(DataError, match=words):
        call()


@pytest.mark.parametrize("shift", [-20.0, -1.3, 0.4, 20.0])
def test_edge_shift(shift):
    first, second = mu_scan(noise=1e-3), mu_scan(offset=shift, noise=1e-3, seed=5)
    found, sigma = edge_shift(first, second)
    assert found == pytest.approx(shift, abs=0.02)
    assert abs(found - shift) < 4 * sigma
    assert sigma < 0.02


def test_edge_shift_of_different_things():
    energy = np.arange(E0 - 100, E0 + 200, 1.0)
    noise = MuE(energy=energy, mu=np.random.default_rng(0).normal(size=energy.size))
    with pytest.raises(DataError, match="do not resemble"):
        edge_shift(mu_scan(), noise)


def test_measured_foils(shared_data):
    """Cu of APS 13-ID lies within 0.3 eV of Kraft's value; three W scans agree among themselves."""
    copper = load_scans(shared_data / "xas_xdi" / "other" / "cu_metal_rt.xdi")
    merged = reduce_xas(copper, element="Cu", edge="K").merged
    assert abs(calibrate(merged, choose_standard(None, element="Cu", edge="K")).shift) < 0.3
    foils = [
        reduce_xas(load_scans(path), element="W", edge="L3").merged
        for path in sorted((shared_data / "xas_xdi" / "W_L3").glob("W_metal*.xdi"))
    ]
    found = [feature_energy(foil, feature="inflection", near=10207)[0] for foil in foils]
    assert np.ptp(found) < 0.3
