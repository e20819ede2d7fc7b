"""Connectivity of made-up dimers, chains and bonds that should not be there."""

import numpy as np
import pytest
from snapshots import dimer, frames

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.analyse.connectivity import connect
from shortrange.analyse.roles import find_roles
from shortrange.analyse.shells import count_distances

# Ideal octahedra of bond 1: distance and angle of corner, edge and face sharing.
IDEAL = {1: ("corner", 2.0, 180.0), 2: ("edge", np.sqrt(2.0), 90.0), 3: ("face", 2 / np.sqrt(3), 70.5288)}


def joined(trajectory, cutoff=2.9):
    pairs = {f"Ta-{s}": cutoff for s in ("Cl", "S") if s in trajectory.composition}
    return connect(trajectory, find_roles(trajectory), count_distances(trajectory, cutoffs=pairs).cutoffs)


@pytest.mark.parametrize("shared", [1, 2, 3])
@pytest.mark.parametrize("bridge", ["Cl", "S"])
@pytest.mark.parametrize("cell", [None, [30.0, 30.0, 30.0]])
def test_ideal_dimers(shared, bridge, cell):
    species, positions = dimer(shared, bridge=bridge)
    found = joined(frames(species, positions, cell=cell, n=3))
    name, apart, angle = IDEAL[shared]
    for sharing in found.sharing:
        assert sharing.per_centre.value == (0.5 if sharing.name == name else 0.0)
    assert {s.name for s in found.by_bridge} == {"+".join([bridge] * shared)}
    assert found.by_bridge[0].distance.mean == pytest.approx(2.4 * apart)
    assert found.angles[bridge].mean == pytest.approx(angle, abs=1e-3)
    (angles,) = found.angle_distributions
    assert angles.name == f"Ta-{bridge}-Ta"
    assert angles.angle[np.argmax(angles.density)] == pytest.approx(angle, abs=1.0)
    assert angles.density.sum() * 2.0 == pytest.approx(1.0)
    assert angles.n == 3 * shared
    assert found.oligomers.tolist() == [0, 0, 1.0]
    assert found.coordination.tolist() == [0] * 6 + [6]
    assert found.bonds.value == 6
    assert found.linked.value == 1
    assert found.distance.mean == pytest.approx(2.4 * apart)
    assert not found.unexpected


def test_wrapping_and_moving_the_origin_change_nothing():
    species, positions = dimer(2)
    rng = np.random.default_rng(0)
    cell = np.array([[14.0, 0, 0], [3.0, 15.0, 0], [-2.0, 1.0, 13.0]])
    moved = [(positions + rng.uniform(-20, 20, 3)) @ np.linalg.inv(cell) % 1.0 @ cell for _ in range(20)]
    found = joined(frames(species, moved, cell=cell))
    assert found.sharing[1].per_centre.value == 0.5
    assert found.sharing[1].distance.std == pytest.approx(0.0, abs=1e-9)
    assert found.changes == {}


def test_chain_through_the_faces_of_a_small_cell():
    """One octahedron that shares two opposite corners with its own images."""
    a = 4.8
    positions = np.array(
        [(0, 0, 0), (2.4, 0, 0), (0, 2.4, 0), (0, -2.4, 0), (0, 0, 2.4), (0, 0, -2.4)], float
    )
    found = joined(frames(["Ta", *["Cl"] * 5], positions, cell=[a, 20.0, 20.0]))
    assert found.sharing[0].per_centre.value == 1.0  # one corner for each centre of an infinite chain
    assert found.sharing[0].distance.mean == pytest.approx(a)
    assert found.angles["Cl"].mean == pytest.approx(180.0)
    assert found.coordination.tolist() == [0] * 6 + [1]


def test_edge_opens_to_corner():
    species, edge = dimer(2)
    opened = edge.copy()
    opened[2] = [0.0, 2.4, 5.0]  # one of the two bridges leaves
    found = joined(frames(species, [edge] * 50 + [opened] * 50, cell=[40.0] * 3))
    assert found.over_time[0].tolist() == [0, 1, 0]
    assert found.over_time[-1].tolist() == [1, 0, 0]
    assert found.changes == {("edge", "corner"): 1}
    assert found.sharing[1].fraction.value == pytest.approx(0.5)
    assert found.bonds.value == pytest.approx((6 + 5) / 2)  # both centres lose it
    assert found.ligand_bonds["Cl"][0] == 50  # the ligand that left is free


def test_sulfur_bond_is_flagged():
    species, positions = dimer(1, bridge="S")
    positions = np.vstack([positions, positions[1] + [0.0, 2.05, 0.0]])
    found = joined(frames([*species, "S"], positions, cell=[30.0] * 3, n=4))
    (bond,) = [b for b in found.unexpected if b.pair == "S-S"]
    assert bond.mean_count == 1.0
    assert bond.frames == 4
    assert bond.shortest == pytest.approx(2.05)
    assert bond.example == (0, 1, 13)


def test_ligands_of_far_shells_are_no_bonds():
    """In argyrodites Cl is no ligand of P: its first shell lies at 4 angstrom."""
    s = 2.05 / np.sqrt(3)
    positions = [(0, 0, 0), (s, s, s), (s, -s, -s), (-s, s, -s), (-s, -s, s), (4.2, 0, 0)]
    found = analyse_trajectory(
        frames(["P", *["S"] * 4, "Cl"], positions, cell=[16.0] * 3), only=["connectivity"]
    )
    assert not found.cutoffs["P-Cl"].bonded
    assert found.connectivity.coordination.tolist() == [0, 0, 0, 0, 1]
