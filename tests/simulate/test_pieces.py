"""Work in pieces: the same result whoever does it, resumable after any end, damaged pieces made again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import SimulationError
from shortrange.load import open_frames
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pieces import Progress, Workers

FRAMES = 80


def snapshots() -> Trajectory:
    rng = np.random.default_rng(5)
    cells = np.repeat(np.diag([9.0, 9.5, 10.0])[None], FRAMES, axis=0)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3) / 3
    positions = (grid + rng.normal(0, 0.02, (FRAMES, 27, 3))) @ cells[0]
    return Trajectory(
        species=("Na",) * 13 + ("Cl",) * 14, positions=positions, cells=cells, source="some run"
    )


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path))
    return tmp_path


def counted(workers: Workers | int | None = 1) -> np.ndarray:
    return pair_histograms(snapshots(), r_max=8.0, workers=workers).counts


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("pieces-*/*.npz"))


def stop_after(n_frames: int):
    def tell(progress: Progress) -> None:
        if progress.frames >= n_frames:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_number_of_threads_changes_no_bit(number: int) -> None:
    np.testing.assert_array_equal(counted(number), counted(1))


def test_pieces_are_removed_when_the_result_is_whole(own_cache: Path) -> None:
    np.testing.assert_array_equal(counted(Workers(2, keep=True)), counted())
    assert kept(own_cache) == []


def test_an_interrupted_run_goes_on_and_equals_an_uninterrupted_one(own_cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        counted(Workers(1, keep=True, tell=stop_after(40)))
    assert 2 <= len(kept(own_cache)) < 5
    seen: list[Progress] = []
    np.testing.assert_array_equal(counted(Workers(1, keep=True, tell=seen.append)), counted())
    assert seen[-1].reused >= 32
    assert (seen[-1].frames, seen[-1].total) == (FRAMES, FRAMES)


@pytest.mark.parametrize("damage", ["cut", "flip", "swap"])
def test_a_damaged_piece_is_noticed_and_made_again(own_cache: Path, damage: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        counted(Workers(1, keep=True, tell=stop_after(48)))
    first, second = kept(own_cache)[:2]
    raw = bytearray(first.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
    first.write_bytes(raw[: len(raw) // 2] if damage == "cut" else raw)
    if damage == "swap":
        # A whole piece of other frames under this name would be wrong, so names hold the hash of the frames.
        second.replace(second.with_name(second.name.replace("0000001", "0000009")))
    seen: list[Progress] = []
    np.testing.assert_array_equal(counted(Workers(1, keep=True, tell=seen.append)), counted())
    assert seen[-1].reused <= 32


def test_other_settings_use_no_piece_of_before(own_cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        counted(Workers(1, keep=True, tell=stop_after(48)))
    seen: list[Progress] = []
    pair_histograms(snapshots(), r_max=7.0, workers=Workers(1, keep=True, tell=seen.append))
    assert seen[-1].reused == 0


KILLED = """
import os, signal, sys
from test_pieces import counted
from shortrange.simulate.pieces import Workers

def tell(progress):
    if progress.frames >= 48:
        os.kill(os.getpid(), signal.SIGKILL)

counted(Workers(2, keep=True, tell=tell))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_goes_on(own_cache: Path) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", KILLED], env={**os.environ, "PYTHONPATH": path}, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    assert kept(own_cache)
    seen: list[Progress] = []
    np.testing.assert_array_equal(counted(Workers(1, keep=True, tell=seen.append)), counted())
    assert seen[-1].reused >= 16


def test_two_workers_of_a_cluster_change_no_bit(own_cache: Path) -> None:
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(host="127.0.0.1", protocol="tcp://", **settings) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tcp://127.0.0.1")
        np.testing.assert_array_equal(counted(Workers(scheduler=address)), counted())


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(SimulationError, match="the scheduler cannot be reached") as caught:
        counted(Workers(scheduler="nonsense://nowhere"))
    assert "dask scheduler" in caught.value.do


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimulationError, match=r"dask\.distributed is not installed"):
        counted(Workers(scheduler="tcp://127.0.0.1:1"))


def test_a_folder_that_cannot_be_written_costs_only_resumption(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path / "file" / "below"))
    np.testing.assert_array_equal(counted(Workers(1, keep=True)), counted())


def test_time_left_is_told_from_what_was_made() -> None:
    assert Progress("x", 50, 100, 10.0).seconds_left == pytest.approx(10.0)
    assert Progress("x", 50, 100, 10.0, reused=40).seconds_left == pytest.approx(50.0)
    assert Progress("x", 50, None, 10.0).seconds_left is None
    assert Progress("x", 40, 100, 0.1, reused=40).seconds_left is None


def test_a_file_gives_what_memory_gives(tmp_path: Path) -> None:
    from ase import Atoms
    from ase.io import write

    held = snapshots()
    cell = held.cells[0]
    images = [Atoms(held.species, positions=p, cell=cell, pbc=True) for p in held.positions]
    write(tmp_path / "run.traj", images)
    found = pair_histograms(open_frames(tmp_path / "run.traj"), r_max=8.0)
    np.testing.assert_array_equal(found.counts, counted())
    assert found.n_frames == FRAMES
    assert found.history[0].settings["frames_in_file"] == FRAMES


def test_many_frames_are_held_in_few_runs() -> None:
    """1111 copies of a frame: at most 256 runs, the mean that of the frame, all frames counted."""
    one = snapshots()
    many = Trajectory(
        species=one.species, positions=np.repeat(one.positions[:1], 1111, axis=0),
        cells=np.repeat(one.cells[:1], 1111, axis=0),
    )  # fmt: skip
    h = pair_histograms(many, r_max=5.0)
    assert h.n_runs <= 256
    assert h.n_frames == h.frames.sum() == 1111
    alone = pair_histograms(
        Trajectory(species=one.species, positions=one.positions[:1], cells=one.cells[:1]), r_max=5.0
    )
    np.testing.assert_allclose(h.mean_counts(), alone.mean_counts(), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(h.counts[-1], alone.counts[0], rtol=1e-5, atol=1e-5)
