"""mu(E) of a scan: the modes, and every kind of bad input."""

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of, scan

from shortrange.errors import DataError
from shortrange.quantities import Scan
from shortrange.reduce.mu import check_edge, cut_to_edge, to_mu


def make(energy=None, **columns):
    energy = grid() if energy is None else energy
    return Scan(energy=energy, columns=columns, source="sample.dat, scan 3")


def test_modes_agree_with_their_formulas():
    n = grid().size
    i0, other = np.full(n, 8.0), np.linspace(1.0, 2.0, n)
    np.testing.assert_allclose(to_mu(make(i0=i0, it=other)).mu, np.log(8.0 / other))
    np.testing.assert_allclose(to_mu(make(i0=i0, **{"if": other}), mode="fluorescence").mu, other / 8)
    np.testing.assert_allclose(to_mu(make(i0=i0, tey=other), mode="tey").mu, other / 8)
    np.testing.assert_allclose(to_mu(make(mu=other), mode="mu").mu, other)
    np.testing.assert_allclose(to_mu(make(mu=other), mode="transmission").mu, other)
    with_ir = to_mu(make(i0=i0, it=other, ir=np.full(n, 0.5)))
    np.testing.assert_allclose(with_ir.reference, np.log(other / 0.5))
    np.testing.assert_allclose(to_mu(make(mu=other, mu_ref=i0), mode="mu").reference, i0)
    assert with_ir.sigma is None  # counts of a file prove nothing
    assert with_ir.history[-1].settings["channels"] == ["i0", "it"]


def test_no_beam_behind_the_reference_is_no_reference():
    n = grid().size
    assert to_mu(make(i0=np.ones(n), it=np.ones(n), ir=np.zeros(n))).reference is None


def spoiled(**changes):
    """Columns of a good scan with single values changed."""
    n = grid().size
    columns = {"i0": np.full(n, 5.0), "it": np.full(n, 2.0)}
    for name, (index, value) in changes.items():
        columns[name][index] = value
    return make(**columns)


@pytest.mark.parametrize(
    ("bad", "mode", "message"),
    [
        (spoiled(it=(7, 0.0)), "transmission", r"'it' is 0 at point 8 \(1 such"),
        (spoiled(i0=(slice(-30, None), -1e-3)), "transmission", r"'i0' is -0.001 at point \d+ \(30 such"),
        (spoiled(it=(9, np.nan)), "transmission", "it is nan at point 10"),
        (spoiled(i0=(9, np.inf)), "transmission", "i0 is inf at point 10"),
        (spoiled(), "fluorescence", r"missing: \['if'\]"),
        (spoiled(), "fluorescense", "did you mean 'fluorescence'"),
        (make(energy=np.arange(3.0) + 9000, mu=np.ones(3)), "mu", "has 3 points"),
        (make(energy=np.zeros(0), mu=np.zeros(0)), "mu", "has 0 points"),
        (make(energy=np.repeat(grid(), 2), mu=np.ones(2 * grid().size)), "mu", "energies are repeated"),
        (make(energy=np.tile(grid(), 2), mu=np.ones(2 * grid().size)), "mu", "the energy falls from"),
        (
            make(energy=np.random.default_rng(0).permutation(grid()), mu=np.ones(grid().size)),
            "mu",
            "the energy falls from",
        ),
        (
            make(energy=np.where(grid() == grid()[5], np.nan, grid()), mu=grid()),
            "mu",
            "energy is nan at point 6",
        ),
        (make(mu=np.where(grid() == grid()[5], np.nan, 1.0)), "mu", "mu is nan at point 6"),
    ],
)
def test_bad_scans_are_named_with_place_and_remedy(bad, mode, message):
    with pytest.raises(DataError, match=message) as caught:
        to_mu(bad, mode=mode)
    assert "sample.dat, scan 3" in str(caught.value)
    assert "do:" in str(caught.value)


def test_descending_scan_is_reversed_and_says_so():
    e = grid()
    out = to_mu(make(energy=e[::-1], mu=mu_of(e)[::-1]), mode="mu")
    np.testing.assert_array_equal(out.energy, e)
    np.testing.assert_array_equal(out.mu, mu_of(e))
    assert out.history[-1].name == "warning: reverse a descending scan"


def test_backlash_and_a_repeated_point_are_repaired_and_say_so():
    e = grid()
    mu = mu_of(e)
    order = np.arange(e.size)
    order[[100, 101]] = [101, 100]
    out = to_mu(make(energy=np.append(e[order], e[-1]), mu=np.append(mu[order], mu[-1] + 0.2)), mode="mu")
    np.testing.assert_array_equal(out.energy, e)
    assert out.mu[-1] == pytest.approx(mu[-1] + 0.1)
    assert [s.name for s in out.history[-2:]] == [
        "warning: sort back-lash of the energy",
        "warning: average repeated energies",
    ]


def test_edge_must_lie_in_the_scan():
    good = to_mu(scan())
    assert check_edge(good, element="Ta", edge="L3") == pytest.approx(9881, abs=1)
    with pytest.raises(DataError, match=r"Fe K edge \(7112 eV\) does not lie well inside the scan, 9701"):
        check_edge(good, element="Fe", edge="K")
    with pytest.raises(DataError, match="look like keV"):
        check_edge(to_mu(make(energy=grid() / 1000, mu=grid()), mode="mu"), element="Ta", edge="L3")
    with pytest.raises(DataError, match="file says it is of Ta L3, not of Zn K"):
        check_edge(to_mu(scan(energy=np.linspace(9400, 10400, 500))), element="Zn", edge="K")
    cut = scan(energy=grid()[grid() < E0 + 10])
    with pytest.raises(DataError, match="20 eV above"):
        check_edge(to_mu(cut), element="Ta", edge="L3")


def test_next_edge_is_cut_off():
    long = scan(energy=np.arange(9700.0, 11500.0, 4.0))  # Ta L2 is at 11136 eV
    cut = cut_to_edge(long, element="Ta", edge="L3")
    assert 11110 < cut.energy[-1] <= 11136 - 15
    assert cut.columns["it"].size == cut.energy.size
    assert cut.history[-1].name == "warning: cut off other edges of the element"
    assert cut_to_edge(scan(), element="Ta", edge="L3").history == ()
    second = cut_to_edge(long, element="Ta", edge="L2")
    assert second.energy[0] == pytest.approx((9881 + 11136) / 2, abs=4)
