"""Runs of others: coordination as their manifest reads it, drift that kinisi removes."""

import numpy as np
import pytest

from shortrange.analyse.displacement import remove_drift, unwrap
from shortrange.analyse.roles import find_roles
from shortrange.analyse.shells import count_distances, first_shells
from shortrange.load import load_trajectory


def shell(run, centre, ligand, cutoff):
    found = count_distances(run, cutoffs={f"{centre}-{ligand}": cutoff}, r_max=cutoff + 1.0)
    only = {name: c for name, c in found.cutoffs.items() if c.origin == "given"}
    (mine,) = [s for s in first_shells(run, only) if (s.centre, s.ligand) == (centre, ligand)]
    g = np.convolve(found.g[f"{centre}-{ligand}"], np.ones(3) / 3, mode="same")
    return mine, float(found.r[np.argmax(g)])


def test_molten_salt_like_rock_salt(shared_data):
    """NaCl at 800 K: Na-Cl at 2.69 angstrom, 6.02 neighbours below 4.0 (reading of the manifest)."""
    run = load_trajectory(shared_data / "trajectories" / "NaCl_800K_MD_XDATCAR", format="xdatcar")
    mine, peak = shell(run, "Na", "Cl", 4.0)
    assert peak == pytest.approx(2.69, abs=0.03)
    assert mine.coordination.value == pytest.approx(6.02, abs=0.01)


def test_thiophosphates_have_four_sulfurs(shared_data):
    """Li-P-S of 2688 atoms: P-S at 2.05 angstrom, 4.00 neighbours below 2.6."""
    path = shared_data / "trajectories" / "kinisi" / "LiPS_first10.exyz"
    run = load_trajectory(path, frames=slice(0, 3))
    mine, peak = shell(run, "P", "S", 2.6)
    assert peak == pytest.approx(2.05, abs=0.03)
    assert mine.coordination.value == pytest.approx(4.0, abs=5e-3)


def test_example_of_drift(shared_data):
    """In kinisi's example only the eight He move, together: held still, none of them does."""
    run = load_trajectory(shared_data / "trajectories" / "kinisi" / "example_drift.XDATCAR")
    roles = find_roles(run, mobile=["H"], centres=["He"], ligands=[])
    x = remove_drift(unwrap(run), run, roles, drift="framework")
    helium = [i for i, s in enumerate(run.species) if s == "He"]
    assert np.abs(x[:, helium] - x[0, helium]).max() < 1e-9
    assert np.abs(np.diff(x[:, 0], axis=0)).max() > 1e-3  # H drifts against them
