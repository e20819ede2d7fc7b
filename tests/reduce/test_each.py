"""Spectra on grids of their own, in compiled code: equal to one at a time, and faults apart."""

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of

from shortrange.errors import DataError
from shortrange.quantities import MuE
from shortrange.reduce.background import autobk
from shortrange.reduce.each import reduce_each
from shortrange.reduce.normalise import normalise
from shortrange.transform.fourier import xftf

K_RANGE = (3.0, 9.0)


def spectra(n):
    """Grids that start, end and step differently; white lines, steps and noise of many sizes."""
    rng = np.random.default_rng(4)
    energies, mus = [], []
    for _ in range(n):
        energy = grid(start=rng.uniform(-200, -40), k_max=rng.uniform(6, 15)) + rng.uniform(-1, 1)
        energy = np.sort(energy + 0.05 * rng.normal(size=energy.size))
        mu = mu_of(energy, white=rng.uniform(0, 2)) * 10 ** rng.uniform(-6, 3)
        energies.append(energy)
        mus.append(mu + 1e-3 * np.ptp(mu) * rng.normal(size=energy.size))
    return energies, mus


@pytest.fixture(scope="module")
def many():
    energies, mus = spectra(24)
    return energies, mus, reduce_each(energies, mus, near=E0, k_range=K_RANGE)


def test_equal_to_one_at_a_time(many):
    energies, mus, found = many
    assert found.reasons == ("",) * 24
    for i, (energy, mu) in enumerate(zip(energies, mus, strict=True)):
        data = normalise(MuE(energy=energy, mu=mu), near=E0)
        chi = autobk(data)[1]
        n = chi.k.size
        assert found.e0[i] == pytest.approx(data.e0, abs=1e-7)
        assert found.edge_step[i] == pytest.approx(data.edge_step, rel=1e-9)
        np.testing.assert_allclose(found.norm[i], data.norm, atol=1e-9)
        np.testing.assert_allclose(found.chi[i, :n], chi.chi, atol=2e-8)
        assert np.isnan(found.chi[i, n:]).all()
        transform = xftf(chi, k_range=K_RANGE, r_max=6.0)
        np.testing.assert_allclose(found.r, transform.r)
        np.testing.assert_allclose(found.chi_r[i], transform.chi, atol=1e-6)


def test_a_spike_is_no_edge():
    energy = grid()
    mu = mu_of(energy)
    mu[np.argmin(np.abs(energy - E0 - 200))] += 20.0
    found = reduce_each([energy], [mu], k_range=K_RANGE)
    assert found.e0[0] == pytest.approx(normalise(MuE(energy=energy, mu=mu)).e0, abs=1e-7)


def test_e0_given_to_all():
    energy = grid()
    found = reduce_each([energy, energy + 1.0], [mu_of(energy)] * 2, e0=E0 + 2.0, k_range=K_RANGE)
    np.testing.assert_array_equal(found.e0, E0 + 2.0)
    data = normalise(MuE(energy=energy, mu=mu_of(energy)), e0=E0 + 2.0)
    np.testing.assert_allclose(found.chi[0], autobk(data)[1].chi, atol=2e-8)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e, m: (e, np.where(e > E0 + 100, np.nan, m)), "not finite"),
        (lambda e, m: (e[::-1], m), "do not increase"),
        (lambda e, m: (e, -m), "falls everywhere|no edge"),
        (lambda e, m: (e, 0 * m + 1), "falls everywhere"),
        (lambda e, m: (e[e < E0 + 80], m[e < E0 + 80]), "100 eV above"),
        (lambda e, m: (e[e > E0 - 5], m[e > E0 - 5]), "10 eV below"),
        (lambda e, m: (e + 200.0, m), "falls everywhere|no edge|too few"),
        (lambda e, m: (e, m[:-1]), "shape"),
        (lambda e, m: (e[:5], m[:5]), "shape"),
    ],
)
def test_one_fault_does_not_touch_the_others(change, reason):
    energy = grid()
    mu = mu_of(energy)
    bad_energy, bad_mu = change(energy, mu)
    found = reduce_each([energy, bad_energy, energy], [mu, bad_mu, mu], near=E0, k_range=K_RANGE)
    assert [bool(text) for text in found.reasons] == [False, True, False]
    assert any(part in found.reasons[1] for part in reason.split("|")), found.reasons[1]
    assert np.isnan(found.chi[1]).all()
    assert np.isnan(found.chi_r[1]).all()
    assert np.isfinite(found.chi[[0, 2]]).all()
    np.testing.assert_array_equal(found.chi[0], found.chi[2])


def test_nothing_to_reduce():
    with pytest.raises(DataError, match="0 energies"):
        reduce_each([], [], k_range=K_RANGE)
