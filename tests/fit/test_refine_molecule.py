"""Molecules as phases: against the Debye equation, differences, and simulated data with a known answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from ase.cell import Cell
from ase.io import read
from scipy.stats import chi2

from derivatives import assert_derivatives
from shortrange.crystal import Crystal
from shortrange.errors import DataError, ProjectError
from shortrange.fit.boxcar import boxcar
from shortrange.fit.refine import refine_gr
from shortrange.fit.restraints import Restraint
from shortrange.load import crystal_from_trajectory, load_crystal, load_gr
from shortrange.quantities import GR, Trajectory
from shortrange.simulate.crystal_gr import crystal_pdf
from shortrange.simulate.motifs import motif
from shortrange.simulate.pdf_weights import scattering_amplitude
from two_phases import Q_MAX, R, measured, nickel

Q = np.arange(0.0025, Q_MAX, 0.005)  # middles of steps from 0 to Q_MAX
SALT = Trajectory(species=("Na", "Cl"), positions=[[[0, 0, 0], [0, 0, 2.4]]])


def frame(atoms) -> Trajectory:
    return Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=[atoms.positions])


def fullerene() -> Crystal:
    return crystal_from_trajectory(frame(molecule("C60")))


def debye(positions: np.ndarray, u_iso: float) -> np.ndarray:
    """F(Q) of atoms of one kind: sum over pairs of sin(Q r) / r exp(-Q^2 U), both ends counted, per atom."""
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    lengths, counts = np.unique(apart[apart > 0].round(9), return_counts=True)
    pairs = np.sin(np.outer(Q, lengths)) @ (counts / lengths) / len(positions)
    return np.asarray(pairs * np.exp(-(Q**2) * u_iso))


def transformed(f: np.ndarray, r: np.ndarray, q: np.ndarray = Q) -> np.ndarray:
    return 2 / np.pi * np.sin(np.outer(r, q)) @ f * (q[1] - q[0])


def values_of(phase, **changes: float) -> np.ndarray:
    values = phase.start.copy()
    for name, value in changes.items():
        values[phase.names.index(name)] = value
    return values


# Distances of C60 that differ by less than 2e-3 angstrom are one shell: 4e-5 comes from that alone.
@pytest.mark.parametrize("q_min", [0.0, 1.0])
@pytest.mark.parametrize(
    ("name", "merged", "below"), [("N2", 2e-3, 2e-6), ("C60", 2e-3, 5e-5), ("C60", 1e-4, 2e-6)]
)
def test_a_molecule_is_its_debye_equation(name: str, merged: float, below: float, q_min: float, monkeypatch):
    # Form factors of one element drop out; both the stretch and a range past the molecule count.
    monkeypatch.setattr("shortrange.simulate.shells._MERGE", merged)
    atoms, r = molecule(name), np.arange(0.5, 12.0, 0.02)
    phase = crystal_pdf(crystal_from_trajectory(frame(atoms)), r_max=12.0)
    values = values_of(phase, **{"stretch": 0.01, f"u_iso_{name[0]}": 0.003})
    g = phase.curve(values, r, q_max=Q_MAX, q_min=q_min)
    expected = transformed(np.where(q_min < Q, debye(1.01 * atoms.positions, 0.003), 0.0), r)
    assert np.abs(g - expected).max() < below * np.abs(expected).max()


def test_unlike_atoms_agree_with_the_debye_programs(shared_data: Path):
    reference = shared_data.parent / "reference"
    phase = crystal_pdf(crystal_from_trajectory(frame(read(reference / "ta2cl10.xyz"))), r_max=15.0)
    r = np.arange(0.5, 15.0, 0.02)
    values = values_of(phase, u_iso_Ta=0.005, u_iso_Cl=0.005)
    # Its F(Q) is half of the usual one.
    table = np.loadtxt(reference / "ta2cl10__debyecalculator__U0.005__fq.txt")
    q, f = table[:, 0], 2 * table[:, 1]
    ends = np.where((q == q[0]) | (q == q[-1]), 0.5, 1.0)
    expected = transformed(f * ends, r, q)
    g = phase.curve(values, r, q_max=float(q[-1]))
    assert np.abs(g - expected).max() < 1e-5 * np.abs(expected).max()


def test_every_derivative_agrees_with_differences():
    phase = crystal_pdf(crystal_from_trajectory(SALT), r_max=8.0)
    assert phase.names == (
        "stretch",
        "u_iso_Na",
        "u_iso_Cl",
        "delta1",
        "delta2",
        "q_broad",
        "density",
        "q_damp",
    )
    values = values_of(phase, stretch=0.01, density=0.02, delta1=0.1, delta2=0.5, q_broad=0.02, q_damp=0.04)
    r = np.arange(1.0, 8.0, 0.05)
    window = phase.on(r, phase.tables(r, q_max=22.0))
    assert_derivatives(window, values, phase.names)


def test_stretch_and_displacement_are_found_with_honest_errors():
    # The worst of five draws, each of three numbers: beyond 3.5 standard errors once in 140 such tests.
    g = 0.7 * transformed(debye(1.004 * molecule("C60").positions, 0.0025), R)
    pulls = []
    for seed in range(5):
        data = measured(g, sigma=0.03, seed=seed)
        found = refine_gr(data, {"C60": fullerene()}, r_range=(1.0, 9.0), values={"q_damp": 0.0})
        truth = {"C60.scale": 0.7, "C60.stretch": 0.004, "C60.u_iso": 0.0025}
        pulls += [(found[name].value - value) / found[name].sigma for name, value in truth.items()]
        assert 0 < found["C60.stretch"].sigma < 1e-3
    assert np.abs(pulls).max() < 3.5, pulls
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 1.6, pulls
    refined = found.crystals["C60"]
    assert refined.lattice[0] == pytest.approx(1 + found["C60.stretch"].value)


def test_amounts_of_a_molecule_beside_a_crystal():
    # 9 of 10 atoms in C60, 1 in Ni: 0.9 / 60 molecules to 0.1 / 4 cells.
    # F = sum x_p f_p^2 Q (S_p - 1) / <f>^2.
    sample = {"C": 0.9, "Ni": 0.1}
    f_c, f_ni = (scattering_amplitude(s, Q, "xray", None).real for s in sample)
    norm = (0.9 * f_c + 0.1 * f_ni) ** 2
    carbon = 0.9 * f_c**2 / norm * debye(molecule("C60").positions, 0.003)
    metal = crystal_pdf(nickel(), r_max=float(R[-1]), composition=sample)
    at_zero = [scattering_amplitude(s, np.zeros(1), "xray", None).real[0] for s in sample]
    s_ni = 0.1 * at_zero[1] ** 2 / (0.9 * at_zero[0] + 0.1 * at_zero[1]) ** 2
    g = transformed(carbon, R) + s_ni * metal.curve(metal.start, R, q_max=Q_MAX)
    data = measured(g, sigma=0.01, seed=3)
    found = refine_gr(data, {"C60": fullerene(), "Ni": nickel(3.525, 0.006)}, r_range=(1.0, 14.0),
                      values={"q_damp": 0.0}, composition=sample)  # fmt: skip
    assert set(found.fractions) == {"mass", "atom", "cell"}
    assert any("no volume" in text for text in found.warnings)
    masses = np.array([0.9 * 12.011, 0.1 * 58.6934])
    for kind, share in {"atom": 0.9, "cell": 0.375, "mass": masses[0] / masses.sum()}.items():
        amount = found.fractions[kind]
        assert abs(amount.values[0] - share) < 3 * amount.sigma[0], kind
        assert amount.sigma[0] < 0.05, kind


def packed(a: float = 6.0) -> Crystal:
    """One N2 in a cubic cell: no distance between molecules below a - 1.1 angstrom.

    U is so large that F(Q) ends by itself: no ripples of the peaks between molecules.
    """
    atoms = molecule("N2")
    return Crystal(
        lattice=(a, a, a, 90, 90, 90), species=("N", "N"), positions=atoms.positions / a,
        occupancies=np.ones(2), u_iso=np.full(2, 0.02), system="cubic",
    )  # fmt: skip


def test_below_the_distances_between_molecules_a_crystal_is_a_molecule_with_its_density():
    r = np.arange(0.5, 3.0, 0.02)
    crystal = crystal_pdf(packed(), r_max=12.0)
    alone = crystal_pdf(crystal_from_trajectory(frame(molecule("N2"))), r_max=12.0)
    expected = crystal.curve(crystal.start, r, q_max=60.0)
    g = alone.curve(values_of(alone, u_iso_N=0.02, density=2 / 6.0**3), r, q_max=60.0)
    assert np.abs(g - expected).max() < 1e-5 * np.abs(expected).max()


# Below its first reflection, 1.05, F of the crystal is -Q, that of the molecule not: the form has no weight.
@pytest.mark.parametrize("q_min", [0.0, 0.8])
def test_the_density_around_a_molecule_is_found(q_min: float):
    crystal = crystal_pdf(packed(), r_max=float(R[-1]))
    data = measured(crystal.curve(crystal.start, R, q_max=Q_MAX, q_min=q_min), sigma=0.03, seed=4)
    data = replace(data, q_min=q_min)
    n2 = crystal_from_trajectory(frame(molecule("N2")))
    found = refine_gr(data, {"N2": n2}, r_range=(0.8, 3.5), values={"q_damp": 0.0},
                      free=["scale", "cell", "u_iso", "density"])  # fmt: skip
    for name, value in {"scale": 1.0, "stretch": 0.0, "u_iso": 0.02, "density": 2 / 6.0**3}.items():
        parameter = found[f"N2.{name}"]
        assert abs(parameter.value - value) < 3 * parameter.sigma, parameter
    # With q_min the density is among the slow forms without weight: it is known ten times less well (28 %).
    assert found["N2.density"].sigma < (0.03 if q_min == 0 else 0.3) * found["N2.density"].value
    # 21 points and 4 parameters, 18 and 4 with q_min: once in 1000 by chance.
    assert found.chi2 < chi2.ppf(0.999, found.points - 4)


@pytest.mark.parametrize("q_max", [20.0, 25.0, 30.0])
def test_a_measured_fullerene_has_the_density_of_its_crystal(shared_data: Path, q_max: float):
    # 4 molecules in a cube of 14.17 angstrom (Heiney et al., Phys. Rev. Lett. 66, 2911 (1991)); cages are 2.9
    # angstrom apart at the nearest. The file is not normalised, and does not say its q_max.
    gr = load_gr(shared_data / "pdf_gr" / "C60.gr")
    gr = replace(gr, g=10 * gr.g / np.abs(gr.g[(gr.r > 1) & (gr.r < 8)]).max())
    gr = replace(gr, sigma=None, q_min=0.0, q_max=q_max)
    free = ["scale", "stretch", "u_iso"]
    found = refine_gr(gr, {"C60": fullerene()}, r_range=(1.2, 2.9), free=[*free, "density"])
    bare = refine_gr(gr, {"C60": fullerene()}, r_range=(1.2, 2.9), free=free)
    assert abs(found["C60.density"].value - 240 / 14.17**3) < 2 * found["C60.density"].sigma
    assert found.rw < 0.25
    assert bare.rw > 0.4


def test_without_a_density_the_scale_is_wrong():
    # What docs/howto/refine.md says of units in a medium of 0.03 atoms per cubic angstrom.
    unit = crystal_from_trajectory(motif("edge").trajectory())
    phase = crystal_pdf(unit, r_max=float(R[-1]))
    g = phase.curve(values_of(phase, density=0.03), R, q_max=Q_MAX)
    data = measured(g, sigma=0.03, seed=5)
    settings = {"r_range": (1.6, 2.8), "composition": {"Ta": 1, "Cl": 5}}
    bare = refine_gr(data, {"unit": unit}, values={"q_damp": 0.0}, **settings)
    known = refine_gr(data, {"unit": unit}, values={"q_damp": 0.0, "unit.density": 0.03}, **settings)
    assert any("unit.density is 0" in text for text in bare.warnings)
    assert abs(known["unit.scale"].value - 1) < 4 * known["unit.scale"].sigma
    assert known["unit.scale"].sigma < 0.03
    assert bare["unit.scale"].value == pytest.approx(0.59, abs=0.005)
    assert bare["unit.scale"].sigma == pytest.approx(0.11, abs=0.005)
    assert bare.rw == pytest.approx(0.38, abs=0.005)
    assert not any("density" in text for text in known.warnings)


def data_of_a_pair() -> GR:
    return measured(np.zeros(R.size), sigma=0.03, seed=0)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"free": ["scale", "a"]}, ProjectError, "no cell, size or free sites.*'stretch'"),
        ({"free": ["NaCl.alpha"]}, ProjectError, "'NaCl' has no parameter 'alpha'(.|\n)*no cell"),
        ({"free": ["NaCl.strech"]}, ProjectError, "did you mean 'stretch'"),
        ({"free": ["scale", "diameter"]}, ProjectError, "no cell, size or free sites"),
        ({"values": {"NaCl.diameter": 20.0}}, ProjectError, "no parameter 'diameter'"),
        ({"free": ["positions"]}, ProjectError, "no cell, size or free sites"),
        ({"free": ["NaCl.u_aniso"]}, ProjectError, "no cell, size or free sites"),
        ({"free": ["u_iso_K"]}, ProjectError, "did you mean 'u_iso"),
        ({"values": {"stretch": 0.2}}, ProjectError, "0.05 is possible"),
        ({"shapes": {"NaCl": "sheet"}}, DataError, "molecule is to be a sheet"),
        ({"restraints": [Restraint(phase="NaCl", atoms=("Na1", "Cl1"), value=2.4, sigma=0.1)]}, ProjectError,
         "only stretches"),
    ],
)  # fmt: skip
def test_what_a_molecule_has_not_is_refused(settings: dict, error: type, words: str):
    with pytest.raises(error, match=words):
        refine_gr(data_of_a_pair(), {"NaCl": crystal_from_trajectory(SALT)},
                  **{"r_range": (1.0, 8.0), **settings})  # fmt: skip


def test_a_boxcar_of_a_molecule_is_refused():
    with pytest.raises(ProjectError, match="'NaCl' is a molecule"):
        boxcar(data_of_a_pair(), {"NaCl": crystal_from_trajectory(SALT)}, r_range=(1.0, 20.0))


@pytest.mark.parametrize(
    ("positions", "system", "words"),
    [
        ([[0, 0, 0]], None, "one atom"),
        ([[0, 0, 0], [0, 0, 2.4], [0, 0.1, 2.4]], None, r"2 \(Na\) and 3 \(Na\) overlap.* 0\.1 ang"),
        ([[0, 0, 0], [0, 0, 0]], None, "overlap"),
        ([[0, 0, 0], [0, 0, 2.4]], "cubic", "is to be cubic"),
    ],
)  # fmt: skip
def test_a_faulty_molecule_is_refused(positions, system, words):
    with pytest.raises(DataError, match=words):
        crystal_from_trajectory(
            Trajectory(species=("Na",) * len(positions), positions=[positions]), system=system
        )


def test_a_molecule_has_no_density():
    with pytest.raises(DataError, match="no number density"):
        _ = fullerene().number_density


def test_a_molecule_in_a_box_is_said_to_be_one(shared_data: Path):
    unit = motif("edge")
    boxed = crystal_from_trajectory(unit.trajectory(box=True))
    assert boxed.emptiness.min() == pytest.approx(20.0)
    settings = {"r_range": (1.6, 2.8), "composition": {"Ta": 1, "Cl": 5}, "values": {"q_damp": 0.0}}
    found = refine_gr(data_of_a_pair(), {"unit": boxed}, **settings)
    assert any("angstrom across its cell hold no atom" in text for text in found.warnings)
    alone = crystal_from_trajectory(unit.trajectory())
    assert not any(
        "no atom" in text for text in refine_gr(data_of_a_pair(), {"unit": alone}, **settings).warnings
    )
    found = boxcar(data_of_a_pair(), {"unit": boxed}, r_range=(1.6, 7.6), trend=False, shared=())
    assert any("give a molecule without its cell" in text for text in found.warnings)


def test_the_layers_of_a_cell_without_an_atom():
    # Heights of an oblique cell by its reciprocal vectors; atoms at 0.1 and 0.3 leave 0.8 of each.
    lattice = (7.0, 8.0, 9.0, 80.0, 95.0, 110.0)
    crystal = Crystal(
        lattice=lattice, species=("Na", "Cl"), positions=[[0.1] * 3, [1.3] * 3], occupancies=np.ones(2),
        u_iso=np.full(2, 0.01), system="triclinic",
    )  # fmt: skip
    reciprocal = np.linalg.norm(Cell.fromcellpar(lattice).reciprocal(), axis=1)
    assert crystal.emptiness == pytest.approx(0.8 / reciprocal)


def test_real_crystals_are_not_in_a_box(shared_data: Path):
    files = sorted((shared_data / "structures").rglob("*.cif"))
    gaps = [load_crystal(path).emptiness.max() for path in files]
    assert len(gaps) > 5
    assert max(gaps) < 5.0, dict(zip(files, gaps, strict=True))
