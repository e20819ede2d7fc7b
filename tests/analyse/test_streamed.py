"""A file that is read run by run gives what the same frames give in memory."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from snapshots import brownian

from shortrange.analyse import frames as runs
from shortrange.analyse.analysis import analyse_trajectory
from shortrange.errors import DataError
from shortrange.load import load_trajectory, open_frames

SPECIES = ("Na",) * 12 + ("Ta",) * 2 + ("Cl",) * 12
PARTS = ("coordination", "connectivity", "csm", "transport", "density")


def written(tmp_path, order=slice(None)):
    run = brownian(60, 26, 2e-4, species=SPECIES, seed=5)
    path = tmp_path / "run.extxyz"
    images = [Atoms(SPECIES, positions=x, cell=run.cells[0], pbc=True) for x in run.positions[order]]
    ase.io.write(path, images)
    return path


def test_streamed_like_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "_RUN_ATOMS", 7 * len(SPECIES))  # the last run is shorter
    path = written(tmp_path)
    settings = {"only": PARTS, "time_step": 1.0, "cutoffs": {"Ta-Cl": 4.0}, "polyhedron": "octahedron"}
    whole = analyse_trajectory(load_trajectory(path), **settings)
    streamed = analyse_trajectory(open_frames(path), **settings)
    for one, other in zip(whole.shells, streamed.shells, strict=True):
        assert one.coordination.value == other.coordination.value
        assert np.array_equal(one.numbers, other.numbers)
        assert (one.mean is None) == (other.mean is None)
    assert np.array_equal(whole.connectivity.over_time, streamed.connectivity.over_time)
    for name, measures in whole.distortions[0].measures.items():
        assert np.array_equal(measures, streamed.distortions[0].measures[name])
    assert np.allclose(whole.density.values, streamed.density.values, atol=1e-12)
    for one, other in zip(whole.transport.elements, streamed.transport.elements, strict=True):
        # Paths of a streamed run are kept in single precision.
        assert np.allclose(one.msd, other.msd, rtol=1e-5)
        assert one.d.value == pytest.approx(other.d.value, rel=1e-4)


def test_selected_frames_are_streamed(tmp_path):
    path, chosen = written(tmp_path), slice(5, 55, 3)
    whole = analyse_trajectory(load_trajectory(path, frames=chosen), only=["coordination"])
    streamed = analyse_trajectory(open_frames(path, frames=chosen), only=["coordination"])
    assert streamed.n_frames == whole.n_frames == 17
    assert [s.coordination.value for s in streamed.shells] == [s.coordination.value for s in whole.shells]
    assert streamed.number_density == pytest.approx(whole.number_density)


def test_shuffled_frames_are_found_while_streaming(tmp_path):
    order = np.random.default_rng(1).permutation(60)
    with pytest.raises(DataError, match="out of order"):
        analyse_trajectory(open_frames(written(tmp_path, order)), only=["transport"], time_step=1.0)
