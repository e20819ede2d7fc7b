"""G(r) of motifs: the engine for molecules, a sum written out, skewed bonds; and what lies around them."""

import numpy as np
import pytest

from shortrange.atoms import form_factor
from shortrange.errors import DataError, SimulationError
from shortrange.simulate.motifs import motif_hypothesis
from shortrange.simulate.motifs.scattering import PAIR_KINDS, MotifGr
from shortrange.simulate.motifs.surroundings import SURROUNDINGS_END, typical_surroundings
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

R = np.arange(1.9, 5.01, 0.02)
Q_RANGE = 0.8, 22.0
SAMPLE = {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5}


def alike(width):
    return dict.fromkeys(PAIR_KINDS, width)


def start_of(unit, **changed):
    return {p.name: p.value for p in unit.structural} | changed


@pytest.mark.parametrize(("kind", "chosen", "changed"), [
    ("octahedron", {}, {"terminal_Cl": 2.36}),
    ("corner", {"bridge": "S"}, {"angle": 125.0}),
    ("edge", {"bridge": "SCl"}, {"bridging_S": 2.41}),
    ("edge", {"bridge": "Cl2", "distortion": (0.1, 0.1)}, {"distortion": 0.15}),
])  # fmt: skip
def test_a_sample_of_units_alone_has_the_gr_of_the_molecule(kind, chosen, changed):
    """Half of the mean square variation of a distance is that of each atom, if they move independently."""
    unit = motif_hypothesis(kind, **chosen)
    values = start_of(unit, **changed)
    molecule = unit.build(values).trajectory()
    model = MotifGr(unit, r=R, q_range=Q_RANGE, composition=molecule.composition, q_damp=0.03)
    engine = PdfModel(pair_histograms(molecule), R, Q_RANGE[1], Q_RANGE[0])
    theirs = engine(u_iso=0.006, q_damp=0.03, scale=0.9)
    ours = model(values, sigma2=alike(0.012), scale=0.9)
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    parts = model.contributions(values, sigma2=alike(0.012), scale=0.9)
    assert sum(parts.values()) == pytest.approx(ours, abs=1e-12)
    assert set(parts) <= set(engine.contributions())


def test_an_octahedron_is_the_sum_over_its_bonds_and_ligands():
    """6 bonds L, 12 edges sqrt(2) L, 3 diagonals 2 L, each with its width; 1 Ta in 7.5 atoms."""
    q, length = np.linspace(*Q_RANGE, 8001), 2.35
    f = {symbol: form_factor(symbol, q) for symbol in SAMPLE}
    mean = sum(n * f[symbol] for symbol, n in SAMPLE.items()) / 7.5
    waves = [
        n * f[a] * f["Cl"] * np.exp(-0.5 * q**2 * width) * np.sin(q * r) / r
        for a, n, r, width in (
            ("Ta", 6, length, 0.01), ("Cl", 12, np.sqrt(2) * length, 0.05), ("Cl", 3, 2 * length, 0.05)
        )
    ]  # fmt: skip
    expected = [
        2 / np.pi * np.trapezoid(2 / 7.5 * sum(waves) / mean**2 * np.sin(q * r), q) for r in (2.35, 3.3, 4.7)
    ]
    unit = motif_hypothesis("octahedron")
    model = MotifGr(unit, r=np.array([2.35, 3.3, 4.7]), q_range=Q_RANGE, composition=SAMPLE)
    found = model({"terminal_Cl": length}, sigma2=alike(0.01) | {"octahedron": 0.05, "across": 9.0})
    assert found == pytest.approx(expected, rel=3e-5)


def test_the_widths_of_two_octahedra_belong_to_their_pairs():
    """Metals that move lose the Ta-Ta peak; ligands of two octahedra lose little else."""
    unit = motif_hypothesis("corner", bridge="S")
    model = MotifGr(unit, r=R, q_range=Q_RANGE, composition=SAMPLE)
    sharp = model.contributions(start_of(unit), sigma2=alike(0.01))
    metals = model.contributions(start_of(unit), sigma2=alike(0.01) | {"metal": 5.0})
    assert np.abs(metals["Ta-Ta"]).max() < 0.15 * np.abs(sharp["Ta-Ta"]).max()
    assert metals["Ta-Cl"] == pytest.approx(sharp["Ta-Cl"])
    across = model.contributions(start_of(unit), sigma2=alike(0.01) | {"across": 5.0})
    assert across["Ta-S"] == pytest.approx(sharp["Ta-S"])
    # Bonds stay but for ripples: only pairs of two octahedra, at 3.7 angstrom and beyond, are gone.
    gone = np.abs(across["Ta-Cl"] - sharp["Ta-Cl"])
    assert gone[R < 2.8].max() < 0.15 * gone.max()


def test_a_long_tail_of_bonds_is_met_by_the_third_cumulant():
    """Bonds with the lengths of a gamma distribution, averaged one by one."""
    unit, near = motif_hypothesis("octahedron"), np.arange(1.9, 2.9, 0.02)
    shape, step = 16.0, 0.025  # cumulants: n step, n step^2, 2 n step^3
    x = np.linspace(0.0, 1.2, 241)
    density = x ** (shape - 1) * np.exp(-x / step)
    model = MotifGr(unit, r=near, q_range=(0.8, 18.0), composition=SAMPLE)
    rest = alike(0.0) | {"octahedron": 9.0}
    each = [model.contributions({"terminal_Cl": 2.0 + d}, sigma2=rest)["Ta-Cl"] for d in x]
    exact = density / density.sum() @ np.array(each)
    moved = {"sigma2": rest | {"bond": shape * step**2}}
    mean = {"terminal_Cl": 2.0 + shape * step}
    skewed = model.contributions(mean, **moved, c3_bond=2 * shape * step**3)["Ta-Cl"]
    normal = model.contributions(mean, **moved)["Ta-Cl"]
    assert np.abs(skewed - exact).max() < 0.4 * np.abs(normal - exact).max()


def test_a_metal_that_the_sample_lacks():
    with pytest.raises(SimulationError, match="the metal of the motif is Ta"):
        MotifGr(motif_hypothesis("octahedron"), r=R, q_range=Q_RANGE, composition={"Na": 1.0, "Cl": 1.0})


def test_between_units_nothing_is_closer_than_a_contact():
    """Below 2 angstrom lies -4 pi rho0 r, but for ripples; far away the mean is gone."""
    around = typical_surroundings()
    r = np.arange(1.0, 2.01, 0.05)
    found = around.expected(r, q_range=(0.0, 23.0), number_density=0.0335)
    assert found == pytest.approx(-4 * np.pi * 0.0335 * r, abs=0.1)
    assert np.abs(around.expected(np.array([9.5]), q_range=(0.0, 23.0), number_density=0.0335)) < 0.05
    assert np.all(np.diff(around.r) > 0)
    assert np.all(around.sigma > 0)
    assert "SIMULATED" in around.source


def test_the_covariance_grows_with_density_and_ends():
    around = typical_surroundings()
    one, two = (around.covariance(R, number_density=rho) for rho in (0.03, 0.06))
    assert two == pytest.approx(4 * one)
    assert np.linalg.eigvalsh(one).min() > -1e-9
    assert np.sqrt(one[0, 0]) < 0.5 * np.sqrt(one[-1, -1])
    with pytest.raises(DataError, match="end r_range at 5"):
        around.covariance(np.array([2.0, SURROUNDINGS_END + 0.5]), number_density=0.03)
