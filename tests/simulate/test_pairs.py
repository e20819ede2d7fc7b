"""Pair histograms: against a plain sum over neighbours, and what must leave them as they are."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from shortrange.errors import DataError, SimulationError
from shortrange.load import load_trajectory
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import bin_transform, coordination, pair_histograms

SKEW = np.array([[5.1, 0.3, -0.2], [2.4, 4.0, 0.1], [-1.9, 1.2, 6.3]])


def one_frame(species, positions, cell=None):
    cells = None if cell is None else np.array([cell])
    return Trajectory(species=tuple(species), positions=np.array([positions]), cells=cells)


def from_atoms(atoms: Atoms) -> Trajectory:
    return one_frame(atoms.get_chemical_symbols(), atoms.positions, np.array(atoms.cell))


def random_frame(seed: int, n: int = 7, cell=SKEW) -> Trajectory:
    rng = np.random.default_rng(seed)
    species = ["Ta", *rng.choice(["Na", "Cl", "Ta"], size=n - 1)]
    return one_frame(species, rng.uniform(-1, 2, (n, 3)) @ cell, cell)


def debye(histograms, q):
    """Sum of sin(Q r) / r over the pairs counted, shape (n_pairs, n_q)."""
    r = histograms.r[1:]
    return (histograms.counts[0, :, 1:] / r) @ np.sin(np.outer(r, q)) / bin_transform(q, histograms.r_step)


def test_skewed_cell_equals_a_plain_sum_over_neighbours():
    """ase finds the neighbours by another method; images of the same atom included."""
    frame = random_frame(1)
    histograms = pair_histograms(frame, r_max=14.0)
    atoms = Atoms(frame.species, positions=frame.positions[0], cell=SKEW, pbc=True)
    i, j, d = neighbor_list("ijd", atoms, 14.0)
    kinds = np.array(frame.species)
    assert histograms.half_width < 3  # several images deep
    for p, (a, b) in enumerate(histograms.pairs):
        mine = ((kinds[i] == a) & (kinds[j] == b)) | ((kinds[i] == b) & (kinds[j] == a))
        for centre in np.arange(2.0, 12.0):
            expected = np.exp(-(((d[mine] - centre) / 0.4) ** 2)).sum() / 2
            counted = histograms.counts[0, p] @ np.exp(-(((histograms.r - centre) / 0.4) ** 2))
            # The spline spreads a distance by 0.006 angstrom.
            assert counted == pytest.approx(expected, rel=1e-3, abs=1e-3), (a, b, centre)


def test_molecule_is_exact_in_q():
    positions = np.array([[0, 0, 0], [2.31, 0, 0], [0, 2.47, 0.1], [-1.2, -1.9, 3.3]])
    histograms = pair_histograms(one_frame(["Ta", "Cl", "Cl", "S"], positions), r_max=1.0)
    q = np.linspace(0.5, 24, 60)
    expected = np.zeros(q.size)
    for a in range(4):
        for b in range(a):
            r = np.linalg.norm(positions[a] - positions[b])
            expected += np.sin(q * r) / r
    assert histograms.number_density is None
    assert debye(histograms, q).sum(axis=0) == pytest.approx(expected, abs=2e-5 * np.abs(expected).max())


def test_rocksalt_shells_and_self_images():
    histograms = pair_histograms(from_atoms(bulk("NaCl", "rocksalt", a=5.64)), r_max=8.5)
    assert coordination(histograms, "Na-Cl", 2.5, 3.1) == pytest.approx(6, rel=1e-5)
    assert coordination(histograms, "Cl-Na", 2.5, 3.1) == pytest.approx(6, rel=1e-5)
    # Two atoms in the cell: every Na-Na neighbour is an image of the same atom.
    assert coordination(histograms, "Na-Na", 3.6, 4.4) == pytest.approx(12, rel=1e-5)
    assert coordination(histograms, ("Na", "Na"), 5.3, 6.0) == pytest.approx(6, rel=1e-5)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), shift=st.tuples(*[st.floats(-20, 20)] * 3))
def test_translation_wrapping_permutation_and_choice_of_cell(seed, shift):
    frame = random_frame(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(frame.species))
    moved = frame.positions[0] + shift + rng.integers(-2, 3, frame.positions[0].shape) @ SKEW
    sheared = np.array([SKEW[0], SKEW[1] + 2 * SKEW[0], SKEW[2] - SKEW[1]])
    same = one_frame([frame.species[k] for k in order], moved[order], sheared)
    try:
        first = pair_histograms(frame, r_max=9.0)
    except SimulationError:
        return  # atoms at the same place
    other = pair_histograms(same, r_max=9.0)
    q = np.linspace(0.3, 20, 40)
    for pair, values in zip(first.pairs, debye(first, q), strict=True):
        again = debye(other, q)[other.index(pair)]
        # A distance within rounding of r_max may fall on either side; it weighs 1/9.
        assert again == pytest.approx(values, abs=1e-6 * max(1, np.abs(values).max()))


def test_supercell_multiplies_the_counts():
    frame = random_frame(3)
    atoms = Atoms(frame.species, positions=frame.positions[0], cell=SKEW, pbc=True)
    one = pair_histograms(frame, r_max=12.0)
    many = pair_histograms(from_atoms(atoms.repeat((2, 3, 1))), r_max=12.0)
    for p, pair in enumerate(one.pairs):
        assert many.counts[0, many.index(pair)] == pytest.approx(6 * one.counts[0, p], abs=1e-3)


def test_threads_and_frames_do_not_change_counts():
    frames = [random_frame(s, n=20) for s in (4, 4, 5)]
    species = frames[0].species
    trajectory = Trajectory(
        species=species, positions=np.concatenate([f.positions for f in frames]), cells=np.array([SKEW] * 3)
    )
    one, two = (pair_histograms(trajectory, r_max=6.0, workers=n) for n in (1, 2))
    assert np.array_equal(one.counts, two.counts)
    assert np.array_equal(one.counts[0], one.counts[1])
    assert not np.array_equal(one.counts[0], one.counts[2])


def test_ideal_gas_has_no_order():
    rng = np.random.default_rng(6)
    box = np.diag([30.0, 31.0, 33.0])
    frame = one_frame(["Ta"] * 500 + ["Cl"] * 1500, rng.uniform(0, 1, (2000, 3)) @ box, box)
    histograms = pair_histograms(frame, r_max=12.0)
    # About 2000 Ta-Ta pairs in the first of these bins: 2 % of counting noise.
    for g in histograms.partial_g(np.arange(5.0, 12.0, 1.0)).values():
        assert g == pytest.approx(np.ones_like(g), abs=0.07)


def test_argyrodite_trajectory_of_others(shared_data: Path):
    """Published AIMD of Li6PS5Cl: each P holds four S at 2.03 to 2.07 angstrom."""
    path = shared_data / "trajectories" / "argyrodite" / "Li6PS5Cl_0p_run1_XDATCAR.gz"
    histograms = pair_histograms(load_trajectory(path), r_max=4.0)
    bonds = histograms.counts[:, histograms.index("P-S")].mean(axis=0)
    assert 2.03 <= histograms.r[np.argmax(bonds)] <= 2.07
    assert coordination(histograms, "P-S", 1.7, 2.6) == pytest.approx(4.00, abs=0.005)


def test_an_atom_written_twice_is_refused():
    frame = one_frame(["Na", "Cl", "Cl"], [[0, 0, 0], [1, 1, 1], [1 + 5.1, 1.3, 0.8]], SKEW)
    with pytest.raises(SimulationError, match=r"two atoms lie .* apart in frame 0"):
        pair_histograms(frame, r_max=6.0)


def test_messages():
    frame = random_frame(8)
    with pytest.raises(DataError, match="r_step"):
        pair_histograms(frame, r_step=0.0)
    histograms = pair_histograms(frame, r_max=5.0)
    with pytest.raises(DataError, match="there is no pair 'Ta-Br'"):
        histograms.index("Ta-Br")
    with pytest.raises(DataError, match="the range that was counted"):
        coordination(histograms, "Ta-Ta", 1.0, 9.0)


def test_a_large_frame_is_counted_alike_by_any_number_of_threads():
    """In parts, and beside a second frame in one go: each pair once."""
    rng = np.random.default_rng(3)
    cell = np.array([[24.0, 0, 0], [3.0, 23.0, 0], [1.0, -2.0, 25.0]])
    places = (np.stack(np.meshgrid(*[np.arange(9)] * 3), -1).reshape(-1, 3) + 0.3 * rng.random((729, 3))) / 9
    positions = np.repeat((places @ cell)[None], 2, axis=0)
    both = Trajectory(
        species=("Na",) * 300 + ("Cl",) * 429, positions=positions, cells=np.repeat(cell[None], 2, axis=0)
    )
    one = Trajectory(species=both.species, positions=positions[:1], cells=cell[None])
    by_one = pair_histograms(one, r_max=14.0, workers=1)
    by_three = pair_histograms(one, r_max=14.0, workers=3)
    assert np.array_equal(by_one.counts, by_three.counts)
    assert by_one.mean_counts() == pytest.approx(
        pair_histograms(both, r_max=14.0, workers=1).mean_counts(), rel=1e-6
    )


def test_partial_g_is_where_the_distance_is():
    """Six neighbours at 3 angstrom: three on each side of a border that lies there, none a half step off."""
    h = pair_histograms(one_frame(["Na"], [[0, 0, 0]], 3.0 * np.eye(3)), r_max=5.0)
    g = h.partial_g(np.array([2.9, 3.1]))["Na-Na"]
    shells = 4 / 3 * np.pi / 27 * np.diff([2.9**3, 3.0**3, 3.1**3])
    assert g * shells == pytest.approx([3, 3], rel=5e-3)
