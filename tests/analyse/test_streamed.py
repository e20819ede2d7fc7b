"""A file that is read run by run gives what the same frames give in memory."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from snapshots import brownian

from shortrange.analyse import frames as runs
from shortrange.analyse import pool
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
        assert np.array_equal(one.msd, other.msd)
        assert one.d == other.d
    assert np.array_equal(whole.transport.collective, streamed.transport.collective)
    assert np.array_equal(whole.jumps.counts, streamed.jumps.counts)
    assert np.array_equal(whole.jumps.edges, streamed.jumps.edges)
    for one, other in zip(whole.connectivity.sharing, streamed.connectivity.sharing, strict=True):
        assert (one.fraction, one.per_centre, one.distance) == (
            other.fraction,
            other.per_centre,
            other.distance,
        )


def test_long_run_in_little_memory(tmp_path, monkeypatch):
    """Blocks, bins and thinned tables of a long run say the same as all frames one by one."""
    path = written(tmp_path)
    settings = {"only": PARTS, "time_step": 1.0, "cutoffs": {"Ta-Cl": 4.0}, "polyhedron": "octahedron"}
    exact = analyse_trajectory(open_frames(path), **settings)
    monkeypatch.setattr(runs, "_RUN_ATOMS", 7 * len(SPECIES))
    monkeypatch.setattr(runs, "_COLUMN_BYTES", 5 * 24 * 60)  # five atoms at a time
    monkeypatch.setattr(pool, "_BLOCKS", 40)  # of two frames
    monkeypatch.setattr(pool, "_HELD", 20)
    monkeypatch.setattr(pool, "TABLE_FRAMES", 25)
    small = analyse_trajectory(open_frames(path), **settings)
    for one, other in zip(exact.shells, small.shells, strict=True):
        assert other.coordination.value == pytest.approx(one.coordination.value, rel=1e-12)
        assert other.coordination.sigma == pytest.approx(one.coordination.sigma, rel=0.3)
    for one, other in zip(exact.connectivity.sharing, small.connectivity.sharing, strict=True):
        assert other.per_centre.value == pytest.approx(one.per_centre.value, rel=1e-12)
    every = small.connectivity.bridges
    assert every.frames.tolist() == list(range(0, 60, 3))
    chosen = exact.connectivity.bridges.frame % 3 == 0
    assert np.array_equal(every.distance, exact.connectivity.bridges.distance[chosen])
    (one,), (other,) = exact.distortions, small.distortions
    assert other.frames.tolist() == list(range(0, 60, 3))
    assert np.array_equal(other.measures["all"], one.measures["all"][::3])
    for name, spread in one.spreads.items():
        same_spread(spread, other.spreads[name], np.sort(one.measures[name].ravel()), width=100 / 2**15)
    assert small.transport.elements[0].d.value == pytest.approx(
        exact.transport.elements[0].d.value, rel=1e-12
    )
    assert np.array_equal(small.jumps.counts, exact.jumps.counts)


def same_spread(exact, found, values, *, width):
    """Percentiles within a bin and a place: of few values they are a matter of convention."""
    assert found.n == exact.n
    assert found.mean == pytest.approx(exact.mean, rel=1e-12)
    assert found.std == pytest.approx(exact.std, rel=1e-9)
    for q, at in ((0.05, found.p05), (0.5, found.median), (0.95, found.p95)):
        place = int(q * (values.size - 1))
        assert values[place - 1] - width <= at <= values[place + 2] + width


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
