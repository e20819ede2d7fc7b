"""Amounts of phases whose occupancies and lattice are free, against noise and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from cif_texts import cif_text
from shortrange.fit.fractions import amounts, fractions, log_slopes
from shortrange.fit.phases import make_book
from shortrange.fit.refine import refine_gr
from shortrange.fit.wishes import Wishes
from shortrange.load import load_crystal
from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import crystal_pdf
from two_phases import Q_DAMP, Q_MAX, R, nickel, white_noise

CIF = cif_text("Ni1 Ni 0 0 0 0.8 0.007\nO1 O 0.5 0.5 0.5 1.0 0.007", a=4.185)
FREE = ["scale", "cell", "Ni.u_iso", "NiO.u_sites", "NiO.occ_Ni1"]
SAMPLE = {"Ni": 2, "O": 1}


@pytest.fixture(scope="module")
def phases(tmp_path_factory):
    path = tmp_path_factory.mktemp("cif") / "oxide.cif"
    path.write_text(CIF)
    return {"Ni": nickel(), "NiO": load_crystal(path)}


@pytest.fixture(scope="module")
def book(phases):
    models = {
        name: crystal_pdf(c, r_max=10.0, composition=SAMPLE, sites=name == "NiO")
        for name, c in phases.items()
    }
    return make_book(models, Wishes(free=tuple(FREE), values={"Ni.scale": 0.6, "NiO.scale": 0.4}))


def test_slopes_of_the_amounts_are_those_of_the_formula(book):
    theta = book.start
    names = [p.name for p in book.free]
    x, a = names.index("NiO.occ_Ni1"), names.index("NiO.a")
    z = {"Ni": 28.0, "O": 8.0}
    mass = {"Ni": 58.6934, "O": 15.999}
    n, m, f = 1.8, 0.8 * mass["Ni"] + mass["O"], 0.8 * z["Ni"] + z["O"]
    # Per scale: atoms ~ 1 / <f>^2 = n^2 / f^2, cells ~ n / f^2, mass ~ n m / f^2, with n, m, f of a formula.
    by_occupancy = {
        "atom": 2 / n - 2 * z["Ni"] / f, "cell": 1 / n - 2 * z["Ni"] / f,
        "mass": 1 / n + mass["Ni"] / m - 2 * z["Ni"] / f, "volume": 1 / n - 2 * z["Ni"] / f,
    }  # fmt: skip
    for kind, slope in by_occupancy.items():
        found = log_slopes(book, theta, kind)
        assert found[1, x] == pytest.approx(slope, rel=2e-3), kind  # f(0) is not exactly Z
        assert found[0, x] == 0
        assert found[1, a] == pytest.approx(3 / 4.185 if kind == "volume" else 0.0, rel=1e-5)


def test_a_full_site_is_not_filled_further(book):
    full = replace(book, free=tuple(
        replace(p, start=1.0) if p.name.endswith("occ_Ni1") else p for p in book.free
    ))  # fmt: skip
    assert np.isfinite(log_slopes(full, full.start, "mass")).all()
    assert amounts(full, full.start, "cell")[1] > 0
    found = fractions(full, full.start, 1e-6 * np.eye(full.start.size))
    assert all(share.values.sum() == pytest.approx(1) for share in found.values())


def test_errors_of_amounts_with_free_occupancies_are_those_of_repeated_noise(phases):
    g = np.zeros(R.size)
    for scale, crystal in zip((0.6, 0.4), phases.values(), strict=True):
        model = crystal_pdf(crystal, r_max=float(R[-1]), composition=SAMPLE)
        g += scale * model.curve(model.start, R, q_max=Q_MAX) * np.exp(-0.5 * (R * Q_DAMP) ** 2)
    values, sigmas, from_scales = [], [], []
    for seed in range(24):
        noisy = g + white_noise(np.random.default_rng(seed), R, 0.02)
        gr = GR(r=R, g=noisy, sigma=np.full(R.size, 0.02), q_min=0.0, q_max=Q_MAX, q_damp=Q_DAMP)
        found = refine_gr(gr, phases, r_range=(1.5, 12.0), free=FREE, composition=SAMPLE)
        values.append([found.fractions[kind].values[1] for kind in ("mass", "cell", "volume")])
        sigmas.append([found.fractions[kind].sigma[1] for kind in ("mass", "cell", "volume")])
        v = found.fractions["cell"].values
        names = [p.name for p in found.parameters]
        own = [names.index("Ni.scale"), names.index("NiO.scale")]
        slope = v[0] * v[1] * np.array([-1, 1]) / [found.values["Ni.scale"], found.values["NiO.scale"]]
        from_scales.append(np.sqrt(slope @ found.covariance[np.ix_(own, own)] @ slope))
    spread, sigma = np.std(values, axis=0, ddof=1), np.mean(sigmas, axis=0)
    squares = 23 * (spread / sigma) ** 2
    assert np.all((squares > chi2.ppf(1e-3, 23)) & (squares < chi2.ppf(0.999, 23))), squares
    # The errors of the scales alone are another number.
    assert abs(np.mean(from_scales) / sigma[1] - 1) > 0.3
