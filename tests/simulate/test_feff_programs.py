"""The runner of FEFF8L: errors in FEFF's words, no trace in this process, potentials kept by content."""

import os
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import DataError, SimulationError
from shortrange.simulate import feff_programs
from shortrange.simulate.feff import Cluster, feff_input, feff_potentials, run_feff
from shortrange.simulate.feff_programs import feff_folder, run_program

OCTAHEDRON = 2.35 * np.vstack([np.eye(3), -np.eye(3)])
TACL6 = Cluster("Ta", ("Cl",) * 6, OCTAHEDRON)


def test_the_programs_are_found_without_importing_larch():
    import subprocess
    import sys

    code = (
        "import sys; from shortrange.simulate.feff_programs import feff_folder;"
        "print(feff_folder()); assert 'larch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == feff_folder()


@pytest.mark.parametrize(("platform", "name"), [("darwin", "feff8l_pot"), ("win32", "feff8l_pot.exe")])
def test_other_systems_have_other_names(monkeypatch, platform, name):
    monkeypatch.setattr(feff_programs.sys, "platform", platform)
    assert (feff_folder() / name).is_file()


def test_no_xraylarch_is_a_message(monkeypatch):
    monkeypatch.setattr(feff_programs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SimulationError, match="pip install xraylarch"):
        feff_folder()


def test_an_unknown_system_is_a_message(monkeypatch):
    monkeypatch.setattr(feff_programs.sys, "platform", "plan9")
    with pytest.raises(SimulationError, match="no FEFF8L for plan9"):
        feff_folder()


def test_failure_is_told_in_feffs_words(tmp_path):
    (tmp_path / "feff.inp").write_text("EDGE L3\nATOMS\n 0 0 zero 0\nEND\n")
    with pytest.raises(SimulationError, match=r"FEFF failed.*zero"):
        run_program("rdinp", folder=tmp_path)


def test_a_program_without_its_input_fails(tmp_path):
    with pytest.raises(SimulationError, match="FEFF failed"):
        run_program("genfmt", folder=tmp_path)


def test_a_program_that_does_not_end_is_killed(tmp_path):
    (tmp_path / "feff.inp").write_text(feff_input(TACL6, edge="L3"))
    run_program("rdinp", folder=tmp_path)
    with pytest.raises(SimulationError, match=r"did not end within 0\.001 s"):
        run_program("pot", folder=tmp_path, timeout=0.001)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (Cluster("Ta", (), np.empty((0, 3))), "no neighbours"),
        (Cluster("Ta", ("Cl",) * 2, np.array([[2.3, 0, 0], [2.3, 0.2, 0]])), r"Cl and Cl.*0\.200 angstrom"),
        (Cluster("Ta", ("Cl",), np.array([[0.1, 0, 0]])), r"Ta and Cl.*0\.100 angstrom apart"),
        (Cluster("Ta", ("Cl",) * 1000, 3.0 * np.arange(1, 3001).reshape(1000, 3)), "1001 atoms are more"),
    ],
)  # fmt: skip
def test_impossible_clusters_are_refused(cluster, message):
    with pytest.raises(SimulationError, match=message):
        feff_input(cluster, edge="L3")


def test_an_edge_the_element_lacks_is_refused():
    with pytest.raises(DataError, match="no edge 'L9'"):
        feff_input(TACL6, edge="L9")


def test_potentials_come_from_the_cache_the_second_time(feff_cache):
    before = Path.cwd()
    # An edge that no other test asks for, so that none, in another process, repairs what is damaged here.
    first = feff_potentials(TACL6, edge="L2")
    again = feff_potentials(TACL6, edge="L2")
    assert again.from_cache
    assert first.files == again.files
    assert Path.cwd() == before
    other = feff_potentials(TACL6, edge="L3")
    assert other.key != first.key
    (feff_cache / f"potentials-{first.key}.npz").write_bytes(b"damaged")
    repaired = feff_potentials(TACL6, edge="L2")
    assert not repaired.from_cache
    assert repaired.files["phase.pad"] == first.files["phase.pad"]


def test_the_environment_is_left_alone(feff_cache):
    before = dict(os.environ)
    feff_potentials(TACL6, edge="L1")
    assert dict(os.environ) == before


def test_potentials_of_other_elements_are_refused(feff_cache):
    bromide = Cluster("Ta", ("Br",) * 6, OCTAHEDRON)
    with pytest.raises(SimulationError, match="potentials are for"):
        run_feff(bromide, edge="L3", r_path=3.0, potentials=feff_potentials(TACL6, edge="L3"))
