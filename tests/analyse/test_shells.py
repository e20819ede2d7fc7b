"""Coordination: closed forms, ase's neighbour lists, errors that are right."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from snapshots import OCTAHEDRON, frames

from shortrange.analyse.angles import bond_angles
from shortrange.analyse.cutoffs import first_minimum
from shortrange.analyse.estimate import mean_of, moments_of_sums
from shortrange.analyse.roles import find_roles
from shortrange.analyse.shells import count_distances, first_shells

SKEW = np.array([[9.1, 0.3, -0.2], [2.4, 8.0, 0.1], [-1.9, 1.2, 10.3]])


def rock_salt():
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(2)
    return frames(atoms.get_chemical_symbols(), atoms.positions, cell=np.array(atoms.cell))


def shells_of(trajectory, **cutoffs):
    named = {name.replace("_", "-"): value for name, value in cutoffs.items()}
    found = count_distances(trajectory, cutoffs=named)
    return {(s.centre, s.ligand): s for s in first_shells(trajectory, found.cutoffs)}, found


def test_rock_salt():
    shells, found = shells_of(rock_salt())
    assert found.cutoffs["Na-Cl"].origin == "first minimum of g(r)"
    assert shells["Na", "Cl"].coordination.value == 6
    assert shells["Na", "Cl"].mean.value == pytest.approx(2.82)
    assert shells["Na", "Cl"].variance.value == pytest.approx(0.0, abs=1e-12)
    assert shells["Na", "Na"].coordination.value == 12
    assert shells["Na", "Cl"].coordination.sigma is None  # one frame
    assert found.running["Na-Cl"][round(3.5 / 0.01)] == pytest.approx(6.0, rel=1e-2)


def test_exact_counts_in_a_skewed_cell():
    rng = np.random.default_rng(2)
    species = [*["Ta"] * 5, *["Cl"] * 20]
    positions = rng.uniform(0, 1, (3, 25, 3)) @ SKEW
    shells, _ = shells_of(frames(species, positions, cell=SKEW), Ta_Cl=3.4, Cl_Cl=3.9)
    kinds = np.array(species)
    expected = {("Ta", "Cl"): [], ("Cl", "Cl"): []}
    for frame in positions:
        i, j, d = neighbor_list("ijd", Atoms(species, positions=frame, cell=SKEW, pbc=True), 3.9)
        expected["Ta", "Cl"] += list(d[(kinds[i] == "Ta") & (kinds[j] == "Cl") & (d < 3.4)])
        expected["Cl", "Cl"] += list(d[(kinds[i] == "Cl") & (kinds[j] == "Cl")])
    for pair, distances in expected.items():
        shell, d = shells[pair], np.array(distances)
        assert shell.n == d.size
        assert shell.mean.value == pytest.approx(d.mean(), abs=1e-10)
        assert shell.variance.value == pytest.approx(d.var(), abs=1e-10)
        assert shell.third.value == pytest.approx(((d - d.mean()) ** 3).mean(), abs=1e-10)


def test_ideal_gas():
    """Of independent atoms g(r) is one and n(r) the volume of the sphere times the density."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 20, (60, 300, 3))
    found = count_distances(frames(["Na"] * 150 + ["Cl"] * 150, positions, cell=[20.0] * 3))
    far = (found.r > 5) & (found.r < 9.5)
    for name, g in found.g.items():
        assert g[far].mean() == pytest.approx(1.0, abs=4e-3), name
        pulls = (g - 1)[far][::4] / found.sigma_g[name][far][::4]
        assert 0.7 < pulls.std() < 1.4
    # Numbers in a sphere of an ideal gas scatter as sqrt(n) from frame to frame, shared by 150 x 150 pairs.
    density, volume = 150 / 20**3, 4 / 3 * np.pi * 8.0**3
    expected = np.sqrt(150 * 150 * (volume / 20**3) * (1 - volume / 20**3)) / 150 / np.sqrt(60)
    assert found.sigma_running["Na-Cl"][800] == pytest.approx(expected, rel=0.4)
    assert found.running["Na-Cl"][800] == pytest.approx(density * 4 / 3 * np.pi * 8.0**3, rel=0.02)


def test_octahedral_angles():
    positions = np.vstack([np.zeros(3), 2.4 * OCTAHEDRON])
    trajectory = frames(["Ta", *["Cl"] * 6], positions)
    found = count_distances(trajectory)
    (angles,) = bond_angles(trajectory, find_roles(trajectory), found.cutoffs)
    assert angles.name == "Cl-Ta-Cl"
    assert angles.n == 15  # 12 of 90 and 3 of 180 degrees
    assert angles.mean.value == pytest.approx((12 * 90 + 3 * 180) / 15)
    assert angles.density.sum() * 2.0 == pytest.approx(1.0)
    assert not found.g  # a molecule has no density


def test_first_minimum_of_split_shell():
    """Bonds of 2.28 and 2.56 angstrom are one shell; the next begins at 4."""
    r = np.arange(0, 7, 0.01)
    g = sum(
        h * np.exp(-(((r - c) / w) ** 2)) for h, c, w in ((9, 2.28, 0.04), (5, 2.56, 0.04), (2, 4.4, 0.3))
    )
    peak, minimum = first_minimum(r, g)
    assert 2.2 < peak < 2.6
    assert 2.8 < minimum < 3.6


def test_no_minimum():
    r = np.arange(0, 5, 0.01)
    assert first_minimum(r, np.clip(r - 2, 0, None)) is None


def test_errors_know_of_correlation():
    """An autoregressive series of correlation phi has an error sqrt((1 + phi) / (1 - phi)) times larger."""
    phi, n, rng = 0.9, 4096, np.random.default_rng(1)
    ratio = []
    for _ in range(12):
        x = np.zeros(n)
        noise = rng.normal(size=n)
        for k in range(1, n):
            x[k] = phi * x[k - 1] + noise[k]
        ratio.append(mean_of(x).sigma / (x.std() / np.sqrt(n)))
    assert np.mean(ratio) == pytest.approx(np.sqrt((1 + phi) / (1 - phi)), rel=0.2)


def test_errors_of_moments_are_right():
    """Gamma-distributed values of shape 4 have mean 4, variance 4 and third cumulant 8."""
    rng = np.random.default_rng(3)
    values, errors = [], []
    for _ in range(200):
        about = rng.gamma(4.0, size=(100, 20)) - 5.0
        sums = np.stack([(about**k).sum(axis=1) for k in range(4)], axis=1)
        found = moments_of_sums(sums, origin=5.0)
        values.append([e.value for e in found])
        errors.append([e.sigma for e in found])
    assert np.mean(values, axis=0) == pytest.approx([4, 4, 8], rel=0.03)
    # Blocking takes the largest of several estimates: a little too large on average.
    assert np.mean(errors, axis=0) / np.std(values, axis=0) == pytest.approx(np.full(3, 1.1), abs=0.2)


def test_images_of_the_atom_itself_count_once():
    """One atom in the primitive cell of fcc has twelve neighbours at a / sqrt 2."""
    copper = bulk("Cu", "fcc", a=3.6)
    shells, _ = shells_of(frames(["Cu"], copper.positions, cell=np.array(copper.cell)), Cu_Cu=3.0)
    assert shells["Cu", "Cu"].coordination.value == 12
    assert shells["Cu", "Cu"].mean.value == pytest.approx(3.6 / np.sqrt(2))
