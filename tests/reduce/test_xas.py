"""The whole reduction of simulated scans: what is used, what is rejected and why."""

import re

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of, scan

from shortrange.errors import DataError
from shortrange.quantities import Scan
from shortrange.reduce.background import autobk
from shortrange.reduce.normalise import normalise
from shortrange.reduce.xas import reduce_xas

TA = {"element": "Ta", "edge": "L3"}


def repeats(n=4, noise=1e-3, **more):
    return [scan(offset=0.1 * i, noise=noise, seed=i, source=f"scan_{i}.xdi", **more) for i in range(n)]


def changed(original, source="bad.xdi", **columns):
    return Scan(
        energy=columns.pop("energy", original.energy),
        columns={**original.columns, **columns},
        element=original.element,
        edge=original.edge,
        source=source,
    )


def test_good_repeats():
    out = reduce_xas(repeats(reference=True), **TA)
    assert all(r.used for r in out.reports)
    shifts = np.array([r.energy_shift for r in out.reports])
    np.testing.assert_allclose(shifts, 0.15 - 0.1 * np.arange(4), atol=0.01)
    assert out.warnings == ()
    assert out.k_range == (3.0, pytest.approx(12.6, abs=0.3))
    assert [s.name for s in out.history] == [
        "compute mu",
        "merge",
        "align",
        "choose the mode",
        "normalise",
        "remove background",
        "choose the range of k",
    ]
    # Errors of chi: against the chi of the same scans without noise.
    clean = reduce_xas(repeats(noise=0.0, reference=True), e0=out.normalised.e0, **TA)
    inside = (out.chi.k > 3) & (out.chi.k < 12)
    pulls = (out.chi.chi - clean.chi.chi)[inside] / out.chi.sigma[inside]
    assert 0.6 < np.sqrt(np.mean(pulls**2)) < 1.5


def one_bad():
    """Each kind of scan that must not be used, and the reason that must be given."""
    good = scan(noise=1e-3, seed=9)
    n = grid().size
    rng = np.random.default_rng(0)
    it = good.columns["it"]
    dump = it.copy()
    dump[-60:] = 0.0
    weak = it.copy()
    weak[-60:] *= 0.5
    frozen = np.where(grid() > E0 + 60, 0.35 * good.columns["i0"], it)
    nan = it.copy()
    nan[100] = np.nan
    half = grid() < E0 + 200
    return {
        "beam dump": (changed(good, it=dump), "'it' is 0"),
        "beam lost half-way": (changed(good, it=weak), "differs from the others"),
        "detector frozen half-way": (changed(good, it=frozen), "without it they agree|differs from"),
        "nan": (changed(good, it=nan), "it is nan at point 101"),
        "constant": (changed(good, it=np.full(n, 5e4)), "no edge|falls everywhere"),
        "noise only": (changed(good, it=1e5 * np.exp(-rng.normal(size=n))), "no edge"),
        "negated": (changed(good, it=1e5 * np.exp(mu_of(grid()))), "no edge|E0 ="),
        "cut short": (
            Scan(
                energy=grid()[half], columns={k: v[half] for k, v in good.columns.items()}, source="bad.xdi"
            ),
            "covers 3",
        ),
        "another edge": (changed(good, energy=grid() - 2770), "does not lie well inside"),
        "another sample": (
            changed(good, it=1e5 * np.exp(-mu_of(grid(), white=4.0))),
            "differs from the others|does not resemble",
        ),
        "a copy": (repeats()[0], "the same data as scan_0.xdi"),
    }


@pytest.mark.parametrize("kind", sorted(one_bad()))
def test_bad_scan_is_rejected_with_its_reason_and_the_rest_are_used(kind):
    bad, reason = one_bad()[kind]
    good = reduce_xas(repeats(), **TA)
    out = reduce_xas([*repeats(), bad], **TA)
    assert [r.used for r in out.reports] == [True] * 4 + [False]
    assert re.search(reason, out.reports[-1].reason)
    assert out.reports[-1].energy_shift is None
    assert any("scan rejected" in w for w in out.warnings)
    np.testing.assert_allclose(out.merged.mu, good.merged.mu, atol=1e-9)


def test_no_good_scan_at_all():
    bad = one_bad()
    with pytest.raises(DataError, match=r"none of 2 scans can be used: .*'it' is 0.*it is nan"):
        reduce_xas([bad["beam dump"][0], bad["nan"][0]], **TA)
    with pytest.raises(DataError, match="does not lie well inside"):
        reduce_xas([bad["another edge"][0]], **TA)
    with pytest.raises(DataError, match="there is no scan"):
        reduce_xas([], **TA)
    with pytest.raises(DataError, match="has no edge 'L4'"):
        reduce_xas(repeats(), element="Ta", edge="L4")


def test_two_scans_that_differ_leave_a_doubt():
    good = scan(noise=1e-3)
    other = changed(good, it=1e5 * np.exp(-mu_of(grid(), white=2.0)))
    assert any("nothing tells which is right" in w for w in reduce_xas([good, other], **TA).warnings)


def test_scans_that_drift_leave_a_doubt():
    drifting = [
        changed(
            scan(noise=1e-3),
            source=f"{white}.xdi",
            it=1e5
            * np.exp(-mu_of(grid(), white=white) + 1e-3 * np.random.default_rng(i).normal(size=grid().size)),
        )
        for i, white in enumerate((0.7, 0.9, 1.1, 1.3))
    ]
    out = reduce_xas(drifting, **TA)
    assert all(report.used for report in out.reports)
    assert any("differ by more than their noise" in w for w in out.warnings)


def test_one_scan_is_its_own_reduction():
    single = scan(noise=1e-3)
    out = reduce_xas([single], **TA)
    assert any(w.startswith("one scan only") for w in out.warnings)
    data = normalise(out.merged, near=9881)
    np.testing.assert_allclose(out.chi.chi, autobk(data)[1].chi, atol=1e-12)


def test_xanes_has_no_chi():
    e = grid()[grid() < E0 + 80]
    out = reduce_xas([scan(energy=e, noise=1e-3)], **TA)
    assert out.chi is None
    assert out.background is None
    assert out.k_range is None
    assert any("end before EXAFS" in w for w in out.warnings)


def test_k_range_is_checked():
    assert reduce_xas(repeats(2), k_range=(3, 11), **TA).k_range == (3.0, 11.0)
    with pytest.raises(DataError, match="k_range 3 to 14"):
        reduce_xas(repeats(2), k_range=(3, 14), **TA)
    bare = 0.5 + np.arctan((grid() - E0) / 2.5) / np.pi
    rng = np.random.default_rng(0)
    noisy = reduce_xas([Scan(energy=grid(), columns={"mu": bare + 0.02 * rng.normal(size=bare.size)})], **TA)
    assert noisy.k_range is None
    assert any("no range of k" in w for w in noisy.warnings)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_fluorescence_do_not_matter(scale):
    def fluorescence(factor):
        mu = [
            mu_of(grid() - 0.1 * i) + 1e-3 * np.random.default_rng(i).normal(size=grid().size)
            for i in range(3)
        ]
        return [Scan(energy=grid(), columns={"i0": np.ones(m.size), "if": factor * m}) for m in mu]

    plain = reduce_xas(fluorescence(1.0), mode="fluorescence", **TA)
    other = reduce_xas(fluorescence(scale), mode="fluorescence", **TA)
    np.testing.assert_allclose(other.chi.chi, plain.chi.chi, atol=1e-8)
    np.testing.assert_allclose(other.chi.sigma, plain.chi.sigma, rtol=1e-6)
