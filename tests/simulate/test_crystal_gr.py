from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from derivatives import assert_derivatives
from shortrange.crystal import SYSTEMS, Crystal, system_of_cell
from shortrange.errors import DataError, SimulationError
from shortrange.load import crystal_from_trajectory
from shortrange.numeric.lattice import cell_map
from shortrange.quantities import Trajectory
from shortrange.simulate.crystal_gr import crystal_pdf
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
R = np.arange(0.5, 20.0, 0.02)
CELLS = {
    "cubic": (4.1, 4.1, 4.1, 90, 90, 90),
    "hexagonal": (4.1, 4.1, 6.3, 90, 90, 120),
    "rhombohedral": (4.1, 4.1, 4.1, 75, 75, 75),
    "tetragonal": (4.1, 4.1, 6.3, 90, 90, 90),
    "orthorhombic": (4.1, 5.2, 6.3, 90, 90, 90),
    "monoclinic": (4.1, 5.2, 6.3, 90, 97, 90),
    "triclinic": (4.1, 5.2, 6.3, 85, 97, 101),
}


def crystal(cell, system, species, positions, u_iso, occupancies=None) -> Crystal:
    n = len(species)
    occupancies = np.ones(n) if occupancies is None else occupancies
    return Crystal(
        lattice=cell, species=species, positions=positions, occupancies=occupancies,
        u_iso=np.full(n, u_iso), system=system,
    )  # fmt: skip


def nickel(a: float = 3.5238, u_iso: float = 0.005) -> Crystal:
    return crystal((a, a, a, 90, 90, 90), "cubic", ("Ni",) * 4, FCC, u_iso)


def two_sites(system: str) -> Crystal:
    positions = [[0.02, 0.11, 0.03], [0.41, 0.57, 0.48], [0.7, 0.2, 0.81]]
    return crystal(CELLS[system], system, ("Na", "Cl", "Cl"), positions, 0.01)


def simulate(phase, r, values=None, q_max=24.0, **changes):
    values = phase.start.copy() if values is None else values
    for name, value in changes.items():
        values[phase.names.index(name)] = value
    return phase.on(r, phase.tables(r, q_max=q_max))(values)


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> Path:
    return shared_data.parent / "reference"


# Sums of Gaussians without a Q range: q_max is so high that it cuts nothing off.
@pytest.mark.parametrize(
    ("program", "kind", "settings"),
    [
        ("srreal", "noqmax", {}),
        ("srreal", "noqmax_delta2_2.0", {"delta2": 2.0}),
        ("srreal", "noqmax_delta1_0.5", {"delta1": 0.5}),
        ("pdffit2", "noqmax", {}),
        ("pdffit2", "noqmax_spdiameter15", {"diameter": 15.0}),
    ],
)
@pytest.mark.parametrize("name", ["ni_fcc", "nacl"])
def test_agrees_with_srreal_and_pdffit2(
    reference: Path, name: str, program: str, kind: str, settings: dict, agreement
):
    expected = np.loadtxt(reference / f"{name}__{program}__{kind}.txt")
    expected = expected[(expected[:, 0] > 0.5) & (expected[:, 0] < 19.99)][::2]
    atoms = read(reference / f"{name}.extxyz")
    loaded = crystal_from_trajectory(
        Trajectory(
            species=tuple(atoms.get_chemical_symbols()), positions=[atoms.positions], cells=[atoms.cell[:]]
        )
    )
    u = {"Ni": 0.005, "Na": 0.015, "Cl": 0.012}
    loaded = replace(loaded, u_iso=[u[s] for s in loaded.species])
    peaks = "debye" if program == "srreal" else "pdffit"
    phase = crystal_pdf(loaded, r_max=20.0, weights="xray-constant", peaks=peaks)
    g, _ = simulate(phase, expected[:, 0], q_max=60.0, **settings)
    # pdffit2 has f(0) from a table of its own: of one element it drops out, of two it does not quite.
    tolerance = 3e-4 if program == "pdffit2" and name == "nacl" else 1e-5
    agreement(
        f"G(r) of the crystal {name}, {kind}, by {program}: largest difference, of the maximum",
        below=tolerance,
        differ=np.abs(g - expected[:, 1]).max() / np.abs(expected[:, 1]).max(),
        by={"srreal": "diffpy.srreal", "pdffit2": "PDFfit2"}[program],
        part="Total scattering",
    )


def test_agrees_with_the_pair_histograms_with_true_form_factors():
    # The same crystal as one frame of a supercell, by the other engine, with f(Q).
    from ase.build import bulk

    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    frame = Trajectory(
        species=tuple(atoms.get_chemical_symbols()), positions=[atoms.positions], cells=[atoms.cell[:]]
    )
    histograms = pair_histograms(frame, r_max=40.0)
    r = np.arange(2.0, 20.0, 0.02)
    expected = PdfModel(histograms, r, 24.0)(u_iso=0.012)
    phase = crystal_pdf(replace(crystal_from_trajectory(frame), u_iso=np.full(8, 0.012)), r_max=24.0)
    g = phase.curve(phase.start, r, q_max=24.0)
    assert np.abs(g - expected).max() < 3e-4 * np.abs(expected).max()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_derivative_agrees_with_differences(system: str):
    # A generic cell of each system, every parameter away from zero.
    phase = crystal_pdf(two_sites(system), r_max=11.0)
    values = phase.start.copy()
    for name, value in {
        "delta1": 0.1,
        "delta2": 0.8,
        "q_broad": 0.02,
        "diameter": 25.0,
        "q_damp": 0.04,
    }.items():
        values[phase.names.index(name)] = value
    r = np.arange(5.0, 11.0, 0.05)
    window = phase.on(r, phase.tables(r, q_max=22.0))
    assert_derivatives(window, values, phase.names)


@pytest.mark.parametrize("system", SYSTEMS)
def test_distances_follow_the_lattice(system: str):
    start = two_sites(system)
    cell = cell_map(start.lattice, system)
    moved = cell.start * (1 + 0.01 * np.arange(1, cell.start.size + 1))
    lattice = tuple(cell.six(moved))
    assert system_of_cell(lattice) == system
    other = replace(start, lattice=lattice)
    r = np.arange(2.0, 8.0, 0.05)
    one, two = crystal_pdf(start, r_max=8.0), crystal_pdf(other, r_max=8.0)
    values = one.start.copy()
    values[: cell.start.size] = moved
    assert np.allclose(simulate(one, r, values)[0], simulate(two, r)[0], atol=2e-4)


def test_one_factor_for_all_lengths_is_a_stretched_crystal():
    r = np.arange(2.0, 8.0, 0.05)
    start = two_sites("monoclinic")
    a, b, c, *angles = start.lattice
    longer = replace(start, lattice=(1.01 * a, 1.01 * b, 1.01 * c, *angles))
    stretched = simulate(crystal_pdf(start, r_max=8.0, isotropic=True), r, stretch=0.01)[0]
    assert np.allclose(stretched, simulate(crystal_pdf(longer, r_max=8.0), r)[0], atol=2e-4)


def test_a_window_keeps_the_ripples_of_what_lies_beyond():
    phase = crystal_pdf(nickel(u_iso=0.003), r_max=26.0)
    whole = phase.curve(phase.start, R, q_max=24.0)
    inside = (R >= 8.0) & (R <= 14.0)
    tables = phase.tables(R, q_max=24.0, width=6.0)
    bare = phase.on(R[inside], tables)
    full = bare.with_outside(phase.start, whole[inside])
    assert np.allclose(full(phase.start)[0], whole[inside], atol=1e-9)
    scale = np.abs(whole[inside]).max()
    assert 1e-3 < np.abs(bare(phase.start)[0] - whole[inside]).max() / scale < 0.05


def test_what_a_cut_at_low_q_leaves():
    # Below the first reflection of nickel, 3.09, F is -Q: the integral of Q sin(Qr) from 0 to 1 is missing.
    phase = crystal_pdf(nickel(), r_max=20.0)
    r = np.arange(2.0, 20.0, 0.05)
    whole, cut = (phase.curve(phase.start, r, q_max=24.0, q_min=q) for q in (0.0, 1.0))
    assert np.allclose(cut - whole, 2 / np.pi * (np.sin(r) - r * np.cos(r)) / r**2, atol=2e-3)
    # A window knows it as well.
    inside = (r > 8.0) & (r < 14.0)
    window = phase.on(r[inside], phase.tables(r[inside], q_max=24.0, q_min=1.0))
    assert np.allclose(window.with_outside(phase.start, cut[inside])(phase.start)[0], cut[inside], atol=1e-9)


def test_the_resolution_does_not_damp_the_ripples_of_the_cut():
    phase = crystal_pdf(nickel(u_iso=0.03), r_max=40.0)
    r = np.arange(30.0, 40.0, 0.05)
    values = phase.start.copy()
    values[phase.names.index("q_damp")] = 0.15
    # At 30 angstrom only the ripple of the cut is left.
    g = phase.curve(values, r, q_max=24.0, q_min=1.0)
    assert np.allclose(g, 2 / np.pi * (np.sin(r) - r * np.cos(r)) / r**2, atol=2e-3)


def test_a_shared_site_scatters_as_its_mean_atom():
    # Half Ni and half Ni on each site is nickel; so is a site of occupancy one.
    shared = crystal(
        nickel().lattice, "cubic", ("Ni",) * 8, np.vstack([FCC, FCC]), 0.005, occupancies=np.full(8, 0.5)
    )
    r = np.arange(1.5, 9.0, 0.05)
    one, two = crystal_pdf(nickel(), r_max=9.0), crystal_pdf(shared, r_max=9.0)
    assert np.allclose(simulate(one, r)[0], simulate(two, r)[0], atol=1e-9)
    assert two.crystal.number_density == pytest.approx(one.crystal.number_density)


def test_partial_occupancy_thins_the_pairs_but_not_the_baseline_rule():
    # Vacancies at random: G keeps its shape, and pairs per atom and density fall by the occupancy.
    half = crystal(nickel().lattice, "cubic", ("Ni",) * 4, FCC, 0.005, occupancies=np.full(4, 0.5))
    r = np.arange(1.5, 9.0, 0.05)
    one, two = crystal_pdf(nickel(), r_max=9.0), crystal_pdf(half, r_max=9.0)
    assert np.allclose(0.5 * simulate(one, r)[0], simulate(two, r)[0], atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"system": "cubicc"}, "did you mean 'cubic'"),
        ({"system": "hexagonal"}, "is not hexagonal"),
        ({"lattice": (3.5, 3.5, 3.5, 90, 90, 0)}, "positive lengths"),
        ({"lattice": (3.5, 3.5, 3.5, 20, 90, 130), "system": "triclinic"}, "no volume"),
        ({"lattice": (3.5, 3.5, 3.5, 90, 90)}, "5 numbers"),
        ({"occupancies": np.full(4, 1.2)}, "occupancy 1.2"),
        ({"occupancies": np.zeros(4)}, "occupancy 0"),
        ({"u_iso": np.full(4, -0.01)}, "U = -0.01"),
        ({"positions": np.full((4, 3), np.nan)}, "no position"),
        ({"positions": np.zeros((3, 3))}, "shape"),
        ({"species": ()}, "no atom"),
    ],
)
def test_an_impossible_crystal_is_refused(changes: dict, words: str):
    with pytest.raises(DataError, match=words):
        replace(nickel(), **changes)


def test_two_atoms_at_one_place_are_refused():
    doubled = crystal(nickel().lattice, "cubic", ("Ni",) * 8, np.vstack([FCC, FCC]), 0.005)
    with pytest.raises(SimulationError, match="same place"):
        crystal_pdf(doubled, r_max=5.0)


def test_a_peak_too_narrow_to_sample_is_refused():
    phase = crystal_pdf(nickel(), r_max=8.0)
    with pytest.raises(SimulationError, match="variance"):
        simulate(phase, np.arange(2.0, 8.0, 0.05), delta2=6.2)


def test_points_that_are_not_uniform_are_refused():
    phase = crystal_pdf(nickel(), r_max=8.0)
    with pytest.raises(DataError, match="not uniform"):
        phase.tables(np.array([1.0, 1.1, 1.3, 1.4]), q_max=20.0)


def test_a_window_beyond_the_shells_is_refused():
    phase = crystal_pdf(nickel(), r_max=8.0)
    r = np.arange(8.0, 15.0, 0.05)
    with pytest.raises(DataError, match="r_max of 14"):
        phase.on(r, phase.tables(r, q_max=20.0))


def test_a_coarser_grid_is_as_good_until_peaks_get_narrower():
    r = np.arange(9.0, 14.0, 0.06)
    for kind in ("debye", "pdffit"):
        phase = crystal_pdf(two_sites("monoclinic"), r_max=14.0, peaks=kind)
        tables, start = phase.tables(r, q_max=24.0), phase.start
        fine, coarse = phase.on(r, tables), phase.on(r, tables, around=start)
        assert coarse.grid.size < 0.6 * fine.grid.size
        # In standard deviations of the start; 0.5 needs the finer grid.
        for narrower in (1.0, 0.8, 0.5):
            values = start.copy()
            values[phase.index("u_iso_Na") : phase.index("u_iso_Cl") + 1] *= narrower**2
            (g, slopes), (expected, exact) = coarse(values), fine(values)
            assert np.abs(g - expected).max() < 1e-6 * np.abs(expected).max()
            assert np.all(np.abs(slopes - exact).max(axis=0) <= 2e-6 * np.abs(exact).max(axis=0))
            np.testing.assert_allclose(coarse.curve(values), g, atol=1e-12)
        assert coarse._able(start) is coarse
        assert coarse._able(values).grid.size == fine.grid.size


def test_a_coarser_grid_begins_at_a_multiple_of_its_step():
    phase = crystal_pdf(two_sites("cubic"), r_max=9.0)
    r = np.arange(1, 150) * 0.06
    tables = phase.tables(r, q_max=24.0, q_min=0.7)
    for part in (r[20:80], r[60:]):
        fine, coarse = phase.on(part, tables), phase.on(part, tables, around=phase.start)
        assert coarse.grid.size < 0.6 * fine.grid.size
        expected, g = fine(phase.start)[0], coarse(phase.start)[0]
        assert np.abs(g - expected).max() < 1e-6 * np.abs(expected).max()


def test_the_slope_by_one_u_of_all_is_the_sum_of_those_by_each():
    phase = crystal_pdf(two_sites("hexagonal"), r_max=12.0)
    r = np.arange(4.0, 12.0, 0.06)
    tables = phase.tables(r, q_max=22.0)
    each = phase.on(r, tables, active=("a", "u_iso_Na", "u_iso_Cl"))(phase.start)[1]
    both = phase.on(r, tables, active=("a", "u_iso"))(phase.start)[1]
    np.testing.assert_allclose(both[:, 1], each[:, 1] + each[:, 2], atol=1e-9)
