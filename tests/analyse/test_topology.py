"""Persistent homology: closed forms, scipy's tree, ripser's own H0, and a test of two systems."""

import numpy as np
import pytest
from ripser import ripser
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.transform import Rotation
from snapshots import frames

from shortrange.analyse.topology import compare_persistence, distance_matrix, persistence

CELL = np.array([[9.0, 0, 0], [3.0, 10.0, 0], [-2.0, 1.5, 11.0]])


def test_ring_has_one_loop():
    """A regular hexagon of side 3 closes at 3; its loop is filled at 3 sqrt 3, next but one."""
    angle = np.arange(6) * np.pi / 3
    ring = 3.0 * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(6)])
    found = persistence(frames(["Na"] * 6, ring), ("Na",))
    assert found.h0[0] == pytest.approx([3.0] * 5)
    assert found.h1[0] == pytest.approx(np.array([[3.0, 3.0 * np.sqrt(3)]]), abs=1e-6)


def test_lattice_across_the_faces():
    """Three atoms 4 apart in a cell of 12: minimum images close the chain, the bare cloud does not."""
    chain = np.array([(0, 0, 0), (4.0, 0, 0), (8.0, 0, 0)]) + 0.5
    run = frames(["Na"] * 3, chain, cell=[12.0, 30.0, 30.0])
    assert distance_matrix(run.positions[0], run.cells[0])[0, 2] == pytest.approx(4.0)
    bare = distance_matrix(run.positions[0], run.cells[0], distances="bare cloud")
    assert bare[0, 2] == pytest.approx(8.0)


def test_nearest_images_of_a_skewed_cell():
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 2, (12, 3)) @ CELL
    shifts = np.array(list(np.ndindex(9, 9, 9))) - 4
    apart = points[:, None, None] - points[None, :, None] + shifts @ CELL
    assert distance_matrix(points, CELL) == pytest.approx(
        np.linalg.norm(apart, axis=-1).min(axis=2), abs=1e-9
    )


def test_h0_is_the_spanning_tree_and_ripsers():
    points = np.random.default_rng(1).uniform(0, 1, (20, 3)) @ CELL
    found = persistence(frames(["Na"] * 20, points, cell=CELL), ("Na",))
    matrix = distance_matrix(points, CELL)
    assert found.h0[0] == pytest.approx(np.sort(minimum_spanning_tree(matrix).data), abs=1e-9)
    deaths = ripser(matrix, maxdim=0, distance_matrix=True)["dgms"][0][:, 1]
    assert found.h0[0] == pytest.approx(np.sort(deaths[np.isfinite(deaths)]), abs=1e-5)


def test_turning_changes_nothing():
    points = np.random.default_rng(2).normal(scale=4, size=(15, 3))
    turned = points @ Rotation.from_euler("xyz", [1, 2, 3]).as_matrix() + 7.0
    one, two = (persistence(frames(["Na"] * 15, p), ("Na",)) for p in (points, turned))
    assert two.h0 == pytest.approx(one.h0, abs=1e-9)
    assert two.h1[0] == pytest.approx(one.h1[0], abs=1e-5)


def clouds(seed, scale):
    rng = np.random.default_rng(seed)
    return persistence(frames(["Na"] * 12, rng.uniform(0, scale, (24, 12, 3))), ("Na",))


@pytest.mark.parametrize(("metric", "dimension"), [("wasserstein", 0), ("wasserstein", 1), ("bottleneck", 0)])
def test_comparison_tells_systems_apart(metric, dimension):
    other = compare_persistence(
        clouds(1, 12.0), clouds(2, 18.0), metric=metric, dimension=dimension, permutations=500
    )
    assert other.statistic > 0
    assert other.p_value < 0.02


def test_comparison_stays_quiet_for_equal_systems():
    values = [
        compare_persistence(clouds(s, 12.0), clouds(s + 100, 12.0), permutations=200).p_value
        for s in range(12)
    ]
    assert sum(p < 0.05 for p in values) <= 3
    assert 0.25 < np.mean(values) < 0.8
