"""Neighbours with all periodic images: against ASE."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from shortrange.simulate.neighbours import find_neighbours

CELLS = {
    "cube": np.diag([6.0, 6.0, 6.0]),
    "flat": np.diag([2.9, 7.0, 13.0]),
    "skew": np.array([[5.1, 0.3, -0.2], [2.4, 4.0, 0.1], [-1.9, 1.2, 6.3]]),
    "left-handed": np.array([[0.0, 4.0, 0.0], [5.0, 0.0, 0.0], [1.0, 1.0, 6.0]]),
    "very skew": np.array([[4.0, 0.0, 0.0], [3.9, 3.0, 0.0], [3.5, 2.9, 3.0]]),
}


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), r_max=st.floats(2.0, 11.0))
def test_as_ase_in_any_cell(name, seed, r_max):
    cell = CELLS[name]
    rng = np.random.default_rng(seed)
    # Well outside the cell too: trajectories are often unwrapped.
    positions = rng.uniform(-2, 3, (5, 3)) @ cell
    atoms = Atoms("H5", positions=positions, cell=cell, pbc=True)
    r_max += 1.234567e-4  # ASE leaves out, and we count, what lies exactly at a round r_max
    i, j, vectors = neighbor_list("ijD", atoms, r_max)
    ours = find_neighbours(positions[None], cell[None], centres=np.arange(5), r_max=r_max)
    for c in range(5):
        mine = slice(ours.offsets[c], ours.offsets[c + 1])
        a = np.column_stack([ours.atoms[mine], ours.vectors[mine]]).round(6) + 0.0
        b = np.column_stack([j[i == c], vectors[i == c]]).round(6) + 0.0
        np.testing.assert_allclose(a[np.lexsort(a.T)], b[np.lexsort(b.T)], atol=2e-6)


def test_molecule_has_no_images():
    positions = np.array([[[0.0, 0, 0], [2.0, 0, 0], [0, 9.0, 0]]])
    ours = find_neighbours(positions, None, centres=np.array([0, 2]), r_max=8.0)
    np.testing.assert_array_equal(ours.offsets, [0, 1, 1])
    np.testing.assert_array_equal(ours.vectors, [[2.0, 0, 0]])


def test_the_centre_is_no_neighbour_but_its_images_are():
    cell = np.diag([3.0, 20.0, 20.0])
    ours = find_neighbours(np.zeros((1, 1, 3)), cell[None], centres=np.array([0]), r_max=6.5)
    np.testing.assert_allclose(np.sort(ours.vectors[:, 0]), [-6, -3, 3, 6])


def test_frames_have_their_own_cells():
    positions = np.zeros((2, 1, 3))
    cells = np.array([np.diag([3.0] * 3), np.diag([4.0] * 3)])
    ours = find_neighbours(positions, cells, centres=np.array([0]), r_max=3.5)
    np.testing.assert_array_equal(ours.offsets, [0, 6, 6])
