"""Rebinning of continuous scans: counts are kept, noise falls as it must, nothing moves."""

import numpy as np
import pytest
from xas_samples import E0, mu_of, scan

from shortrange.errors import DataError
from shortrange.reduce.mu import to_mu
from shortrange.reduce.normalise import normalise
from shortrange.reduce.rebin import POINTS, exafs_bins, rebin

DENSE = np.arange(E0 - 150, E0 + 800, 0.05)


def test_counts_are_kept():
    raw = scan(energy=DENSE, noise=1e-2, seed=1, reference=True)
    made = rebin(raw, e0=E0)
    assert made.energy.size < DENSE.size / 20
    for name, values in raw.columns.items():
        assert made.columns[name].sum() == pytest.approx(values.sum(), rel=1e-12)
    assert made.columns[POINTS].sum() == DENSE.size
    assert (np.diff(made.energy) > 0).all()
    done = made.history[-1]
    assert (done.name, done.settings["points"], done.settings["bins"]) == (
        "rebin",
        DENSE.size,
        made.energy.size,
    )


def test_energy_of_a_bin_is_where_its_points_are():
    """An edge in a rebinned scan lies where it lay; centres of bins would move it by a part of a bin."""
    uneven = np.sort(DENSE + 0.02 * np.random.default_rng(0).normal(size=DENSE.size))
    e0s = [normalise(to_mu(s), near=E0).e0 for s in (scan(energy=uneven), rebin(scan(energy=uneven), e0=E0))]
    assert e0s[1] == pytest.approx(e0s[0], abs=0.02)
    made = to_mu(rebin(scan(energy=uneven), e0=E0, edge_step=0.3))
    np.testing.assert_allclose(made.mu, mu_of(made.energy), atol=3e-3)


def test_noise_falls_with_the_root_of_the_points():
    rough = to_mu(rebin(scan(energy=DENSE, noise=1e-2, seed=2), e0=E0))
    smooth = to_mu(rebin(scan(energy=DENSE), e0=E0))
    noise = rough.mu - smooth.mu
    edge = abs(rough.energy - E0) < 15
    pre = rough.energy < E0 - 25
    assert noise[edge].std() == pytest.approx(1e-2 / np.sqrt(6), rel=0.35)
    assert noise[pre].std() == pytest.approx(1e-2 / np.sqrt(100), rel=0.5)
    # Neighbours share no point, so that they share no noise.
    beyond = noise[rough.energy > E0 + 30]
    assert abs(np.corrcoef(beyond[1:], beyond[:-1])[0, 1]) < 4 / np.sqrt(beyond.size)


def test_a_coarse_scan_stays_as_it_is():
    coarse = scan()
    made = rebin(coarse, e0=E0, pre_step=1.0, edge_step=0.1, k_step=0.01, edge=(-30, 30))
    np.testing.assert_allclose(made.energy, coarse.energy)
    np.testing.assert_allclose(made.columns["it"], coarse.columns["it"])


def test_mu_is_averaged():
    raw = scan(energy=DENSE)
    ready = raw.after(raw.history[0] if raw.history else _step(), columns={"mu": to_mu(raw).mu})
    np.testing.assert_allclose(rebin(ready, e0=E0).columns["mu"].max(), to_mu(raw).mu.max(), rtol=0.01)


def _step():
    from shortrange.quantities import step

    return step("x")


def test_bins():
    limits = exafs_bins(E0 - 150, E0 + 800, e0=E0)
    assert limits[0] <= E0 - 150
    assert limits[-1] > E0 + 800
    assert (np.diff(limits) > 0).all()
    widths = np.diff(limits)
    assert widths[limits[:-1] < E0 - 26] == pytest.approx(5.0)
    assert widths[abs(limits[:-1] - E0) < 15] == pytest.approx(0.3)


@pytest.mark.parametrize("bins", [{"edge_step": 0.0}, {"k_step": -1.0}, {"edge": (20.0, -20.0)}])
def test_impossible_bins(bins):
    with pytest.raises(DataError, match="bins of"):
        rebin(scan(energy=DENSE), e0=E0, **bins)


def test_energies_must_increase():
    with pytest.raises(DataError, match="do not increase"):
        rebin(scan(energy=DENSE[::-1]), e0=E0)


def test_bins_of_few_points_are_no_glitches():
    """Counts of a bin fall where it holds fewer points; the beam does not."""
    from shortrange.reduce.xas import reduce_xas

    scans = [rebin(scan(energy=DENSE[:-7], noise=3e-3, seed=i, source=f"{i}"), e0=E0) for i in range(3)]
    made = reduce_xas(scans, element="Ta", edge="L3")
    assert all(report.used for report in made.reports)
    assert made.warnings == ()
